/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps what a participant published: its RTP packets in the file ID.rtp.
 *
 * All media and all sessions of the participant, as they arrived: before the
 * jitter buffer, which drops what it holds for late. The framing is that of RFC
 * 4571: two bytes of length, then the packet.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* From now on; an existing folder. */
void stage_record_into (const gchar *folder);

/* On a streaming thread, always the same of a participant; nothing without a folder. */
void stage_record (const gchar *participant, GstBuffer *packet);

G_END_DECLS
