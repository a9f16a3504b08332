#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What can be seen without running anything: format, spelling, two static analysers.
#
#   sh tests/lint.sh              everything (clang-tidy takes some minutes)
#   sh tests/lint.sh FILE.c...    format and clang-tidy of these files
#
# Debian's clang-format, clang-tidy (14), codespell and cppcheck; their settings are in
# .clang-format, .clang-tidy and .codespellrc. With IVS_LINT_BUILD the build folder
# whose compile commands clang-tidy reads is another one than build-tests. The exit
# status is 0 only if nothing was found and no tool was missing.

set -eu

cd "$(dirname "$0")/.."
build=${IVS_LINT_BUILD:-build-tests}
status=0
list=$(mktemp)
trap 'rm -f "$list"' EXIT

# lint NAME COMMAND...
lint () {
  name=$1
  shift
  program=$1
  [ "$name" != clang-tidy ] || program=clang-tidy
  if ! command -v "$program" >/dev/null; then
    echo "$name: $program is missing: apt-get install $program"
    status=1
  elif "$@"; then
    echo "$name: nothing found"
  else
    echo "$name: see above"
    status=1
  fi
}

format () {
  lint format clang-format --dry-run --Werror "$@"
}

# Some files at a time. What it counted in the system's headers is no matter of ours.
tidy () {
  if [ -f "$build/compile_commands.json" ]; then
    lint clang-tidy xargs -a "$list" -P2 -n4 \
        sh -c 'clang-tidy -p "$0" --quiet "$@" 2>/dev/null' "$build"
  else
    echo "clang-tidy: there is no $build, which sh tests/run.sh makes"
    status=1
  fi
}

if [ $# -gt 0 ]; then
  format "$@"
  printf '%s\n' "$@" >"$list"
  tidy
  exit $status
fi

# shellcheck disable=SC2046
format $(git ls-files '*.c' '*.h')
lint spelling codespell
# It knows neither these macros nor who frees what GLib's functions are given.
lint cppcheck cppcheck --quiet --error-exitcode=1 --std=c11 --library=gtk \
    --enable=warning,portability,performance --suppress=memleak \
    '-DG_GNUC_PRINTF(a,b)=' '-DGST_ELEMENT_REGISTER_DEFINE(a,b,c,d)=' \
    -I gst/ivs -I gst/ivs/stage -I gst/ivs/whip -I gst/ivs/sdp -I gst/ivs/rate \
    gst examples tests/lib tests/fuzz
git ls-files 'gst/*.c' 'examples/*.c' 'tests/fuzz/*.c' >"$list"
tidy
exit $status
