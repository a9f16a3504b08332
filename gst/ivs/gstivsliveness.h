/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether the other side is still there, from the times of its RTCP packets.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A server that was heard at least once is silent after this long at the earliest ... */
#define GST_IVS_LIVENESS_MIN_US (4 * G_USEC_PER_SEC)
/* ... and at the latest. RTCP's own interval is 5 s at most between two participants,
 * varied by 0.5 to 1.5 (RFC 3550 section 6.2, 6.3.1). */
#define GST_IVS_LIVENESS_MAX_US (15 * G_USEC_PER_SEC)
#define GST_IVS_LIVENESS_N_INTERVALS 8

/* Times are monotonic, in microseconds. Zero is a valid start value. */
typedef struct
{
  gint64 last_us;                                 /* 0 = never heard */
  gint64 intervals[GST_IVS_LIVENESS_N_INTERVALS]; /* the last ones */
  guint n_intervals;
} GstIvsLiveness;

void gst_ivs_liveness_heard (GstIvsLiveness *self, gint64 now_us);
/* When silence is proof of absence; G_MAXINT64 for a side that was never heard (it
 * may send no RTCP at all). */
gint64 gst_ivs_liveness_get_deadline (const GstIvsLiveness *self);

G_END_DECLS
