#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds pion-whip from Debian's Go packages, without any download.
#
#   sh build.sh SOURCE OUTPUT WORK-FOLDER
#
# The packages are a GOPATH. Go finds their versioned paths (".../webrtc/v3") there only
# for a file that is in a GOPATH itself, beside a go.mod.

set -eu

source=$1
output=$2
mkdir -p "$3"
work=$(cd "$3" && pwd)
folder=$work/src/pion-whip
mkdir -p "$folder"
cp "$source" "$folder/"
echo "module pion-whip" >"$folder/go.mod"
GO111MODULE=off GOPATH="$work:/usr/share/gocode" GOCACHE="$work/cache" GOFLAGS=-p=2 \
    go build -o "$output" pion-whip
