#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fills a folder with links to some of GStreamer's plugins and nothing else.
#
#   link-plugins.sh FOLDER PLUGINSDIR NAME...
#
# A plugin that is not installed is left out: the test that needs it says so.

set -eu

folder=$1
pluginsdir=$2
shift 2

rm -rf "$folder"
mkdir -p "$folder"
for name; do
  plugin=$pluginsdir/libgst$name.so
  [ -e "$plugin" ] && ln -sf "$plugin" "$folder/" || true
done
