#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Lets libFuzzer think up inputs: clang, with ASan and UBSan.
#
#   sh tests/fuzz/run.sh                    each target for 60 seconds
#   sh tests/fuzz/run.sh 300 token url      these targets for 300 seconds
#
# One after the other, each on one processor. What it finds new goes to
# build-fuzz/corpus/TARGET, what breaks to build-fuzz/TARGET-crash-...; each target has
# one line at the end. With IVS_FUZZ_BUILD the build is somewhere else.

set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${IVS_FUZZ_BUILD:-$root/build-fuzz}
seconds=${1:-60}
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
  for corpus in "$root"/tests/fuzz/corpus/*; do
    set -- "$@" "${corpus##*/}"
  done
fi

[ -f "$build/build.ninja" ] ||
    CC=clang meson setup "$build" "$root" -Dfuzz=true -Dtests=enabled \
        -Dexamples=disabled -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fno-sanitize=alignment

status=0
summary=
for target in "$@"; do
  meson compile -C "$build" "fuzz-$target:executable"
  mkdir -p "$build/corpus/$target"
  log=$build/$target.log
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 GST_PLUGIN_SYSTEM_PATH_1_0= \
      G_SLICE=always-malloc "$build/tests/fuzz/fuzz-$target" -max_total_time="$seconds" \
      -timeout=10 -rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 \
      -artifact_prefix="$build/$target-" "$build/corpus/$target" \
      "$root/tests/fuzz/corpus/$target" >"$log" 2>&1 || status=1
  summary="$summary$target: $(grep -c '^SUMMARY' "$log" || true) findings, $(
      sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, $(
      sed -n '/ cov: /s/^#[0-9]*[ \t]*[A-Za-z]*  *\(cov: [0-9]* ft: [0-9]*\).*corp: \([0-9/bKM]*\).*/\1 corpus: \2/p' \
          "$log" | tail -1)
"
done
printf '%s' "$summary"
exit $status
