/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether the other side is still there, from the times of its RTCP packets.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Silence proves nothing before this: outages of some seconds are common in the field and
 * on a computer that has too much to do, and heal by themselves ... */
#define GST_IVS_LIVENESS_MIN_US (6 * G_USEC_PER_SEC)
/* ... nor before this while the habit of the other side is not known: the longest
 * interval by the rules is 5 s * 1.5 (RFC 3550 section 6.2, 6.3.1), and it is said
 * within 8 s ... */
#define GST_IVS_LIVENESS_UNKNOWN_US (7500 * (gint64) 1000)
/* ... and it always does after this. */
#define GST_IVS_LIVENESS_MAX_US (15 * G_USEC_PER_SEC)
/* So many intervals make a habit, and are remembered. */
#define GST_IVS_LIVENESS_HABIT 8

/* How far apart packets of one sort come. */
typedef struct
{
  gint64 last_us; /* 0 = none yet */
  gint64 intervals[GST_IVS_LIVENESS_HABIT];
  guint n_intervals;
} GstIvsHabit;

/* Times are monotonic, in microseconds. Zero is a valid start value. */
typedef struct
{
  GstIvsHabit reports;  /* SR and RR: always come */
  GstIvsHabit feedback; /* any packet: many while media is sent, else none */
  gboolean is_in_pause; /* nothing is sent */
  gint64 resumed_us;    /* when the last pause was over, 0 = there was none */
} GstIvsLiveness;

/* @is_report: a sender or receiver report is in the packet. */
void gst_ivs_liveness_heard (GstIvsLiveness *self, gboolean is_report,
    gint64 now_us);
/* Whether media is sent at present. */
void gst_ivs_liveness_set_sending (GstIvsLiveness *self, gboolean is_sending,
    gint64 now_us);
/* When silence is proof of absence; G_MAXINT64 for a side that was never heard (it
 * may send no RTCP at all). */
gint64 gst_ivs_liveness_get_deadline (const GstIvsLiveness *self);

G_END_DECLS
