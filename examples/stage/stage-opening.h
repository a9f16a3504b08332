/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a picture begins at the network: when the first one that a decoder can show was
 * complete, and whether old media came in a burst before it.
 */
#pragma once

#include <gst/rtp/rtp.h>

G_BEGIN_DECLS

typedef struct
{
  gint64 first_picture_us; /* of the monotonic clock, 0 = none yet */
  gint64 longest_lead_us;  /* how far media ran ahead of real time */

  gboolean has_first, has_sps, has_idr;
  guint16 last_sequence;
  guint32 first_timestamp;
  gint64 first_us;
} StageOpening;

/* H.264 (RFC 6184) at 90 kHz. @now_us: of the monotonic clock. */
void stage_opening_count (StageOpening *opening, GstRTPBuffer *packet,
    gint64 now_us);

G_END_DECLS
