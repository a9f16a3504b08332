/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps what a participant published: RTP packets in a file per medium.
 *
 * The framing is that of RFC 4571 (two bytes of length, then the packet), which
 * GStreamer reads again:
 *
 *     filesrc location=ID-video.rtp ! application/x-rtp-stream,media=video,
 *       clock-rate=90000,encoding-name=H264,payload=97 ! rtpstreamdepay ! ...
 */
#pragma once

#include "stage-meter.h"

G_BEGIN_DECLS

/* From now on; an existing folder. */
void stage_record_into (const gchar *folder);

/* On a streaming thread; nothing without a folder. All sessions of a participant
 * go into the same files. */
void
stage_record (const gchar *participant, StageMedia media, GstBuffer *packet);

G_END_DECLS
