#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Publishes to a stage on this computer, from nothing: builds, starts, shows.
#
#   sh examples/demo.sh                    a test picture with a clock, and a tone
#   sh examples/demo.sh --file clip.mp4    a film (or a sound file)
#   sh examples/demo.sh --camera           the first camera, the default microphone
#   sh examples/demo.sh --audio-only       the tone alone
#   sh examples/demo.sh --seconds 20       ends by itself; else Ctrl-C ends it
#   sh examples/demo.sh --real             to Amazon IVS, with the participant
#                                          token in IVS_STAGE_TOKEN
#
# The exit status is 0 if media arrived and the session was ended properly.

set -eu

usage () {
  sed -n '/^#   sh/,/^#$/s/^#  //p' "$0"
}

fail () {
  echo "demo.sh: $*" >&2
  exit 1
}

# -- What was asked for -------------------------------------------------------

root=$(cd "$(dirname "$0")/.." && pwd)
source=test
audio_only=no
seconds=
real=no
file=

while [ $# -gt 0 ]; do
  case $1 in
    --audio-only) audio_only=yes ;;
    --camera) source=camera ;;
    --real) real=yes ;;
    --file)
      [ $# -gt 1 ] || fail "--file needs the path of a film."
      source=file file=$2
      shift ;;
    --seconds)
      [ $# -gt 1 ] || fail "--seconds needs a number."
      seconds=$2
      shift ;;
    --help) usage; exit 0 ;;
    *) echo "demo.sh: there is no option $1. The ways to call it:" >&2
       usage >&2
       exit 2 ;;
  esac
  shift
done

case $seconds in
  0* | *[!0-9]*) fail "--seconds needs a whole number above 0, not '$seconds'." ;;
esac
if [ $source = file ]; then
  { [ -f "$file" ] && [ -r "$file" ]; } || fail "there is no readable file $file."
  file=$(cd "$(dirname "$file")" && pwd)/$(basename "$file")
fi
if [ $source = camera ] && [ ! -e /dev/video0 ]; then
  fail "there is no camera on this computer (/dev/video0); without --camera a test picture is shown."
fi
if [ $real = yes ] && [ -z "${IVS_STAGE_TOKEN:-}" ]; then
  fail "--real needs a participant token in the environment: export IVS_STAGE_TOKEN=..., from aws ivs-realtime create-participant-token."
fi

# -- Build --------------------------------------------------------------------

cd "$root"
if [ $source = file ]; then
  sh examples/setup.sh film
else
  sh examples/setup.sh demo
fi

work=$(mktemp -d)
stage_pid=
publisher_pid=

# Whatever happens, nothing stays behind: first the publisher, which tells the
# stage that it leaves, then the stage.
clean_up () {
  status=$?
  trap - EXIT
  if [ -n "$publisher_pid" ]; then
    kill -INT "$publisher_pid" 2>/dev/null || true
    wait "$publisher_pid" 2>/dev/null || true
  fi
  if [ -n "$stage_pid" ]; then
    kill -TERM "$stage_pid" 2>/dev/null || true
    wait "$stage_pid" 2>/dev/null || true
  fi
  rm -rf "$work"
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build_all () {
  [ -f build/build.ninja ] || meson setup build
  meson compile -C build
}
echo "Building ..."
if ! build_all >"$work/build.log" 2>&1; then
  cat "$work/build.log" >&2
  fail "the build failed, see above."
fi
export GST_PLUGIN_PATH_1_0="$root/build/gst/ivs${GST_PLUGIN_PATH_1_0:+:$GST_PLUGIN_PATH_1_0}"

# -- The stage ----------------------------------------------------------------

# A child in a session of its own: Ctrl-C is for this script, which ends its
# children one after the other. It dies with the script all the same.
start () {
  exec setsid setpriv --pdeathsig TERM "$@" </dev/null
}

# The member "$1" (dots go inside) of the JSON on standard input.
json () {
  python3 -c '
import functools, json, sys
print(functools.reduce(lambda v, k: v[k], sys.argv[1].split("."), json.load(sys.stdin)))
' "$1"
}

post () {
  python3 -c '
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], data=b"{}", method="POST",
                                 headers={"Content-Type": "application/json"})
sys.stdout.buffer.write(urllib.request.urlopen(request, timeout=10).read())
' "$1"
}

start_stage () {
  start build/examples/stage/ivs-local-stage >"$work/stage" 2>"$work/stage.log" &
  stage_pid=$!
  tries=100
  until grep -q '"ready"' "$work/stage"; do
    tries=$((tries - 1))
    if [ $tries = 0 ] || ! kill -0 "$stage_pid" 2>/dev/null; then
      cat "$work/stage.log" >&2
      fail "the local stage did not start, see above."
    fi
    sleep 0.1
  done
  page=$(json page <"$work/stage")
  whip=$(json whip <"$work/stage")
  api=$(json api <"$work/stage")
  IVS_STAGE_TOKEN=$(post "${api%/}/token" | json participantToken.token) ||
      fail "the local stage gave no token."
  export IVS_STAGE_TOKEN
}

# -- What is published ----------------------------------------------------------

# A stage takes 720p at most; even numbers because of the 4:2:0 picture.
fit="videoconvert ! videoscale ! video/x-raw,width=[2,1280,2],height=[2,720,2],pixel-aspect-ratio=1/1"
tone="audiotestsrc is-live=true wave=sine freq=440 volume=0.1 ! audio/x-raw,rate=48000,channels=1"
picture="videotestsrc is-live=true ! video/x-raw,width=1280,height=720,framerate=30/1"
clock="timeoverlay halignment=right font-desc=Sans,24 ! clockoverlay font-desc=Sans,24"

# Which of "audio" and "video" the file has, as the decoders see it: a pad for
# something that never comes would wait for ever.
kinds_in_file () {
  timeout 30 gst-launch-1.0 -v filesrc location="$file" ! decodebin ! \
      fakesink num-buffers=1 2>/dev/null </dev/null |
      sed -n 's/.* caps = \(audio\|video\)\/x-raw.*/\1/p' | sort -u
}

has_microphone () {
  timeout 5 gst-launch-1.0 -q autoaudiosrc ! fakesink num-buffers=1 \
      >/dev/null 2>&1 </dev/null
}

# The pipeline becomes the arguments "$@" of the caller: a path may have spaces.
publish () {
  # INT makes `gst-launch -e` send EOS; what is not gone 10 s later is killed.
  set -- timeout --foreground --preserve-status -s INT -k 10 "${seconds:-0}" \
      gst-launch-1.0 -e --no-position ivsstagesink name=stage
  [ $real = yes ] || set -- "$@" whip-endpoint="$whip"
  # shellcheck disable=SC2086
  case $source in
    test)
      [ $audio_only = yes ] || set -- "$@" $picture ! $clock ! queue ! stage.
      set -- "$@" $tone ! queue ! stage.
      ;;
    camera)
      [ $audio_only = yes ] ||
          set -- "$@" v4l2src ! decodebin ! queue ! $fit ! stage.
      if has_microphone; then
        set -- "$@" autoaudiosrc ! queue ! audioconvert ! audioresample ! stage.
      else
        echo "There is no microphone, so the picture is published without sound."
      fi
      ;;
    file)
      set -- "$@" filesrc location="$file" ! decodebin name=film
      case $kinds in
        *video*) set -- "$@" film. ! queue ! $fit ! stage. ;;
      esac
      case $kinds in
        *audio*) set -- "$@" film. ! queue ! audioconvert ! audioresample ! stage. ;;
      esac
      ;;
  esac
  start "$@" &
  publisher_pid=$!
}

if [ $source = file ]; then
  kinds=$(kinds_in_file)
  [ $audio_only = no ] || kinds=$(echo "$kinds" | grep audio) ||
      fail "$file has no sound that can be decoded here."
  [ -n "$kinds" ] || fail "$file holds neither picture nor sound that can be decoded here."
fi

# Waits for the publisher; Ctrl-C meanwhile ends it in good order.
wait_for_publisher () {
  interrupted=yes
  trap 'interrupted=yes; kill -INT "$publisher_pid" 2>/dev/null || true' INT TERM
  while [ $interrupted = yes ]; do
    interrupted=no
    result=0
    wait "$publisher_pid" || result=$?
  done
  publisher_pid=
}

# -- The story ------------------------------------------------------------------

if [ $real = no ]; then
  start_stage
  echo "The stage is on this page, open it in a browser: $page"
fi
echo "Publishing${seconds:+ for $seconds s}, Ctrl-C ends it."
publish
wait_for_publisher
[ $result = 0 ] || fail "publishing failed (status $result), see above."
echo "Published and ended properly."
