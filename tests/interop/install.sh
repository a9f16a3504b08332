#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs what the tests of tests/interop publish to, as far as Debian and npm have
# it; without it they are skipped.
#
#   sh tests/interop/install.sh
#
# Of Debian: Go with Pion, Janus (whose package also starts a Janus of its own, where
# there is an init system) and npm. Of npm: node-datachannel, into .cache.

set -eu

cd "$(dirname "$0")/../.."
packages="golang-go golang-github-pion-webrtc.v3-dev janus"
command -v npm >/dev/null || packages="$packages npm"

as_root () {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

as_root apt-get update
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $packages
mkdir -p .cache
npm install --prefix .cache --no-save --no-package-lock --no-audit --no-fund \
    node-datachannel@0.33.4
