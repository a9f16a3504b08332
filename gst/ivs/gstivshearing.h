/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is heard of the other side of a connection: its reports, its feedback, its silence.
 *
 *     RTCP's thread  -- reports, feedback --> congestion
 *     worker         <-- silent, revived
 *
 * webrtcbin stays "connected" to a server that is gone: only RTCP's silence tells.
 */
#pragma once

#include "gstivscongestion.h"
#include "gstivsretransmission.h"
#include "gstivstwcc.h"
#include "gstivsworker.h"

G_BEGIN_DECLS

typedef struct _GstIvsHearing GstIvsHearing;

/* On the worker, from gst_ivs_hearing_begin() to gst_ivs_hearing_end(). */
typedef struct
{
  /* How many packets have come to be sent so far, whatever became of them. */
  guint64 (*count_packets) (gpointer data);
  /* Nothing is heard any more, for @microseconds; and: it is heard again. */
  void (*silent) (gint64 microseconds, gpointer data);
  void (*revived) (gpointer data);
} GstIvsHearingEvents;

GstIvsHearing *gst_ivs_hearing_new (GstIvsWorker *worker,
    const GstIvsHearingEvents *events, gpointer data);
/* Before it begins: the stream whose RTP has @caps is sent. */
void gst_ivs_hearing_add_stream (GstIvsHearing *self, GstIvsKind kind,
    GstCaps *caps);
/* The connection is up. @rtpbin: of webrtcbin, or NULL; @n_repeated: (transfer full):
 * packets that were sent again, or NULL; @twcc: who numbers what is sent, or NULL: then
 * feedback is left to rtpsession. */
void gst_ivs_hearing_begin (GstIvsHearing *self, GstElement *rtpbin,
    GstIvsRetransmissionCount *n_repeated, GstIvsTwcc *twcc);
void gst_ivs_hearing_end (GstIvsHearing *self);

/* Where feedback, reports and estimates go from now on; NULL: nowhere. */
void gst_ivs_hearing_set_congestion (GstIvsHearing *self,
    GstIvsCongestion *congestion);
/* What another controller estimates, bits per second. From any thread. */
void gst_ivs_hearing_take_estimate (GstIvsHearing *self, guint bps);
/* What was reported of our stream so far. */
void gst_ivs_hearing_get_report (GstIvsHearing *self, GstIvsKind kind,
    GstIvsReport *report);

GstIvsHearing *gst_ivs_hearing_ref (GstIvsHearing *self);
void gst_ivs_hearing_unref (GstIvsHearing *self);

G_END_DECLS
