#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs what is missing, builds, runs the tests and counts their cases.
#
#   sh tests/run.sh                every test, then the units under valgrind
#   sh tests/run.sh token gate     these tests only
#   sh tests/run.sh --valgrind     under valgrind
#   sh tests/run.sh --sanitize     built with ASan, LSan and UBSan
#
# The last line is always `N passed, N failed, N skipped`; the exit status is 0
# only if nothing failed.

set -eu

usage () {
  sed -n '/^#   sh/s/^#  //p' "$0"
}

root=$(cd "$(dirname "$0")/.." && pwd)
mode=default
while [ $# -gt 0 ]; do
  case $1 in
    --valgrind) mode=valgrind ;;
    --sanitize) mode=sanitize ;;
    --help) usage; exit 0 ;;
    -*) echo "run.sh: there is no option $1. The ways to call it:" >&2
        usage >&2
        exit 2 ;;
    *) break ;;
  esac
  shift
done

cd "$root"
build=build-tests
[ $mode = sanitize ] && build=build-sanitize

# A build that does not come about is one failure, and the last line says so.
give_up () {
  echo "run.sh: $*" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

configure () {
  set -- -Dwerror=true -Dtests=enabled -Dexamples=enabled
  if [ $mode = sanitize ]; then
    # GStreamer's macros read unaligned where the processor allows it.
    set -- "$@" -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fno-sanitize=alignment
  fi
  if [ -f $build/build.ninja ]; then
    meson configure "$@" $build
  else
    meson setup "$@" $build
  fi
}

# Two at a time: more of them would take each other's time on a small machine,
# and media tests have a clock to keep.
run_setup () {
  setup=$1
  shift
  logs="$logs $build/meson-logs/testlog-$setup.json"
  meson test -C $build --no-rebuild --num-processes 2 --print-errorlogs \
      --setup "$setup" "$@" || status=1
}

sh examples/setup.sh tests || give_up "the system lacks something, see above."
configure || give_up "meson could not configure the build, see above."
meson compile -C $build || give_up "the build failed, see above."

export IVS_TEST_CLIP="$root/.cache/city.mpg"
logs=
status=0
rm -f $build/meson-logs/testlog-*.json
case $mode in
  default)
    run_setup plain "$@"
    [ $# -gt 0 ] || run_setup valgrind --suite unit
    ;;
  *) run_setup $mode "$@" ;;
esac

# shellcheck disable=SC2086
python3 tests/count.py $build $status $logs
