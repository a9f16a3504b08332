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

# -f: caps have brackets in them, which are no patterns for file names.
set -euf

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
: >"$work/stage" >"$work/stage.log" >"$work/publisher"
stage_pid=
publisher_pid=
timer_pid=
shown=

# Whatever happens, nothing stays behind: first the publisher, which tells the
# stage that it leaves, then the stage.
clean_up () {
  status=$?
  trap - EXIT
  # The timer is a group: a shell and its sleep.
  [ -z "$timer_pid" ] || kill -- "-$timer_pid" 2>/dev/null || true
  if [ -n "$publisher_pid" ]; then
    kill -INT "$publisher_pid" 2>/dev/null || true
    wait "$publisher_pid" 2>/dev/null || true
  fi
  for pid in $shown; do
    kill "$pid" 2>/dev/null || true
  done
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
  meson compile -C build gstivs ivs-local-stage
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

# Prints what is in the file $1, and what comes to it, from line $2 on.
show () {
  start tail -n "+$2" -f "$1" &
  shown="$shown $!"
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
  head -n 1 "$work/stage" >"$work/ready"
  page=$(json page <"$work/ready")
  whip=$(json whip <"$work/ready")
  api=$(json api <"$work/ready")
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
  # INT makes `gst-launch -e` send EOS; what is not gone 15 s later is killed.
  set -- timeout --foreground --preserve-status -s INT -k 15 0 \
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
  start "$@" >"$work/publisher" 2>&1 &
  publisher_pid=$!
  show "$work/publisher" 1
}

if [ $source = file ]; then
  kinds=$(kinds_in_file)
  [ $audio_only = no ] || kinds=$(echo "$kinds" | grep audio) ||
      fail "$file has no sound that can be decoded here."
  [ -n "$kinds" ] || fail "$file holds neither picture nor sound that can be decoded here."
fi

# Ctrl-C, the end of the time and the end of the film are one way out: the
# publisher gets INT or has its EOS, leaves the stage and ends.
end_publisher () {
  kill -INT "$publisher_pid" 2>/dev/null || true
}

is_published () {
  grep -q '^Progress: (connect) On the stage' "$work/publisher"
}

# The local stage writes a line each second that something changes, and what it
# gets is in it; the real one shows us nothing.
has_arrived () {
  [ $real = yes ] || grep -qE '  (audio|video) ' "$work/stage.log"
}

# Waits while the publisher runs, at most $2 seconds, until $1 is true.
wait_until () {
  tries=$(($2 * 5))
  until "$1"; do
    tries=$((tries - 1))
    kill -0 "$publisher_pid" 2>/dev/null || return 0
    [ $tries -gt 0 ] || return 1
    sleep 0.2
  done
}

start_timer () {
  start sh -c 'sleep "$0"; kill -INT "$1"' "$seconds" "$publisher_pid" &
  timer_pid=$!
}

# A trap ends `wait` before the publisher has: then it is waited for again.
wait_for_publisher () {
  interrupted=yes
  while [ $interrupted = yes ]; do
    interrupted=no
    result=0
    wait "$publisher_pid" || result=$?
  done
  publisher_pid=
}

# The stage's own count of sessions, and of those that were ended with DELETE.
was_left () {
  [ $real = yes ] || python3 -c '
import json, sys, urllib.request
state = json.load(urllib.request.urlopen(sys.argv[1], timeout=10))
sessions = [p["sessions"] for p in state["participants"]]
made = sum(s["made"] for s in sessions)
sys.exit(not 0 < made == sum(s["deleted"] for s in sessions))
' "${api%/}/state"
}

# -- The story ------------------------------------------------------------------

if [ $real = no ]; then
  start_stage
  echo "The stage is on this page, open it in a browser: $page"
fi

trap 'interrupted=yes; end_publisher' INT TERM
publish
echo "Publishing${seconds:+ for $seconds s}, Ctrl-C ends it."
wait_until is_published 30 ||
    fail "the stage was not reached within 30 s, see above."
[ $real = yes ] || show "$work/stage.log" 2
wait_until has_arrived 10 ||
    fail "connected, but the stage gets neither sound nor picture."
[ -z "$seconds" ] || start_timer
wait_for_publisher

sleep 0.3    # what was said last is still on its way to the terminal
[ "$result" = 0 ] || fail "publishing failed (status $result), see above."
is_published || fail "it ended before it was on the stage."
was_left || fail "the stage was not left in good order."
echo "Published, and left the stage in good order."
