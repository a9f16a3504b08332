#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds and tests the working tree on releases of Debian, each in a chroot.
#
#   sh tests/matrix.sh trixie forky        the suites unit and element
#   sh tests/matrix.sh --all trixie        every test
#
# bookworm has GStreamer 1.22, trixie 1.26, forky 1.28. It needs root and the packages
# debootstrap and debian-archive-keyring. The chroots stay in IVS_MATRIX_DIR
# (/var/tmp/ivs-matrix) for the next time; a folder removed there is made anew. Each
# release and compiler has one line, and the exit status is 0 only if nothing failed:
#
#   RELEASE, GStreamer VERSION, COMPILER: N passed, N failed, N skipped

set -eu

fail () {
  echo "matrix.sh: $*" >&2
  exit 2
}

[ "$(id -u)" = 0 ] ||
    fail "only root can make and enter a chroot, so please run this as root."
command -v debootstrap >/dev/null ||
    fail "debootstrap is missing: apt-get install debootstrap debian-archive-keyring"

# What is mounted below is seen by our processes only and goes with the last of them,
# however that ends. So nobody who removes a chroot removes the machine's /dev.
[ "${IVS_MATRIX_NAMESPACE:-}" = $$ ] ||
    exec env IVS_MATRIX_NAMESPACE=$$ unshare --mount sh "$0" "$@"

chosen="--suite unit --suite element"
if [ "${1:-}" = --all ]; then
  chosen=
  shift
fi
case ${1:--} in
  -*) fail "say which releases of Debian, as in: matrix.sh [--all] trixie forky" ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${IVS_MATRIX_DIR:-/var/tmp/ivs-matrix}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
scripts=/usr/share/debootstrap/scripts
tree=/ivsstagesink

# The machine's own mirror of Debian.
# shellcheck disable=SC2016
mirror () {
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' |
      grep -v -- '-security' | grep -m 1 . || echo http://deb.debian.org/debian
}

# How the machine reaches it: a proxy, how often to try, what to check.
network_settings () {
  apt-config dump |
      grep -E '^Acquire::(https?::|ForceIPv|Retries|Check-)' || true
}

make_chroot () {
  [ -d "$cache/$release" ] && return
  script=$scripts/$release
  [ -e "$script" ] || script=$scripts/sid # a release younger than debootstrap
  eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
  [ -z "${http_proxy:-}" ] || export http_proxy

  rm -rf "$cache/$release.part"
  debootstrap --variant=minbase --keyring=$keyring \
      "$release" "$cache/$release.part" "$(mirror)" "$script" || return 1
  network_settings >"$cache/$release.part/etc/apt/apt.conf.d/90machine"
  # Nothing here is worth waiting for the disk.
  echo force-unsafe-io >"$cache/$release.part/etc/dpkg/dpkg.cfg.d/unsafe-io"
  # No package may start a daemon here.
  printf '#!/bin/sh\nexit 101\n' >"$cache/$release.part/usr/sbin/policy-rc.d"
  chmod +x "$cache/$release.part/usr/sbin/policy-rc.d"
  mv "$cache/$release.part" "$cache/$release"
}

mount_systems () {
  mount -t proc proc "$cache/$release/proc" &&
      mount -t sysfs -o ro sysfs "$cache/$release/sys" &&
      mount --rbind /dev "$cache/$release/dev"
}

# With what is not committed yet. The builds and the film of the last time stay; all
# files are new (-m), or an object made from an older one could seem to be younger.
copy_tree () {
  mkdir -p "$cache/$release$tree"
  find "$cache/$release$tree" -mindepth 1 -maxdepth 1 \
      ! -name .cache ! -name 'build-*' -exec rm -rf {} + &&
  (
    cd "$root"
    git ls-files --cached --others --exclude-standard |
        while read -r file; do [ ! -e "$file" ] || echo "$file"; done |
        tar -c -T -
  ) | tar -x -m --no-same-owner -C "$cache/$release$tree"
}

inside () {
  chroot "$cache/$release" env -i HOME=/root LC_ALL=C.UTF-8 \
      PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
      IVS_TEST_CLIP=$tree/.cache/city.mpg "$@" </dev/null
}

install_packages () {
  inside sh $tree/examples/setup.sh tests || return 1
  inside which clang >/dev/null ||
      inside apt-get -q install -y --no-install-recommends clang
}

prepare () {
  make_chroot && mount_systems && copy_tree && install_packages
}

build_with () {
  [ -f "$cache/$release$build/build.ninja" ] ||
      inside CC="$1" meson setup -Dwerror=true -Dtests=enabled -Dexamples=enabled \
          "$build" $tree || return 1
  inside meson compile -C "$build" -j "$(nproc)"
}

# Its last line counts the cases.
run_tests () {
  status=0
  # shellcheck disable=SC2086
  inside meson test -C "$build" --no-rebuild --num-processes 2 --print-errorlogs \
      --setup plain $chosen || status=1
  inside python3 $tree/tests/count.py "$build" $status \
      "$build/meson-logs/testlog-plain.json"
}

nothing_passed="0 passed, 1 failed, 0 skipped"

test_with () {
  build=$tree/build-$1
  log=$cache/$release-$1.log
  if ! build_with "$1" >"$log" 2>&1; then
    count="$nothing_passed (the build failed)"
  elif run_tests >>"$log" 2>&1; then
    count=$(tail -n 1 "$log")
    log=
  else
    count=$(tail -n 1 "$log")
  fi
  version=$(inside pkg-config --modversion gstreamer-1.0)
  echo "$release, GStreamer $version, $1: $count${log:+, see $log}"
  [ -z "$log" ]
}

mkdir -p "$cache"
result=0
for release; do
  log=$cache/$release.log
  if prepare >"$log" 2>&1; then
    test_with gcc || result=1
    test_with clang || result=1
  else
    echo "$release: $nothing_passed (not installed), see $log"
    result=1
  fi
done
exit $result
