/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the other side's RTCP says of our streams.
 */
#pragma once

#include <gst/gst.h>
#include "gstivsstream.h"

G_BEGIN_DECLS

/* Of one of our streams. */
typedef struct
{
  guint32 ssrc;
  guint clock_rate;
  gboolean has_report;
  gint packets_lost;     /* of all; may be negative with duplicates */
  guint32 highest_seq;   /* extended: RFC 3550 section 6.4.1 */
  gdouble fraction_lost; /* 0 to 1, since the report before */
  GstClockTime jitter;
  GstClockTime round_trip; /* NONE before it is known */
  guint nacks, plis, firs; /* messages, not the packets that they name */
  guint retransmitted;     /* packets that were sent again */
} GstIvsReport;

/* @fci: @size bytes of feedback control information, of whatever truth. */
typedef void (
    *GstIvsRtcpTwccFunc) (const guint8 *fci, gsize size, gpointer data);

/**
 * gst_ivs_rtcp_read:
 * @packet: a compound of whatever length and truth
 * @now_ntp: when it came (RFC 3550 section 4), on the clock of our sender reports
 * @reports: takes what it says of our streams
 * @twcc: (nullable): called for each transport-wide feedback
 *   (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1)
 *
 * Returns: whether there is a sender or receiver report in it
 */
gboolean gst_ivs_rtcp_read (GstBuffer *packet, guint64 now_ntp,
    GstIvsReport reports[GST_IVS_N_KINDS], GstIvsRtcpTwccFunc twcc,
    gpointer data);

/**
 * gst_ivs_rtcp_leave_out_twcc:
 * @packet: (transfer full): a compound
 *
 * Returns: (transfer full) (nullable): it without its transport-wide feedback; %NULL
 *   when nothing is left
 */
GstBuffer *gst_ivs_rtcp_leave_out_twcc (GstBuffer *packet);

/* The real time as NTP's 32.32 seconds, which rtpsession puts into sender reports. */
guint64 gst_ivs_rtcp_get_ntp_time (void);

G_END_DECLS
