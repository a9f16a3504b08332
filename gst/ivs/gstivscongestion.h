/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How many bits per second the network carries, by what comes back from it.
 *
 *     webrtcbin's threads   feedback, reports --> congestion
 *     worker                target            <-- a few times per second
 *
 * Every function may be called from any thread.
 */
#pragma once

#include "gstivsrtcp.h"
#include "ivs-rate.h"

G_BEGIN_DECLS

typedef struct _GstIvsCongestion GstIvsCongestion;

GstIvsCongestion *gst_ivs_congestion_new (void);
GstIvsCongestion *gst_ivs_congestion_ref (GstIvsCongestion *self);
void gst_ivs_congestion_unref (GstIvsCongestion *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsCongestion, gst_ivs_congestion_unref)

/**
 * gst_ivs_congestion_watch:
 * @fell: (nullable): called on any thread, with a lock held, when the target has become
 *   much less than gst_ivs_congestion_get_target() said: it should be asked again
 *
 * Not called any more when this returns with another one or %NULL.
 */
void gst_ivs_congestion_watch (GstIvsCongestion *self, void (*fell) (gpointer),
    gpointer data);

/**
 * gst_ivs_congestion_begin:
 * @config: bits per second on the wire, audio included
 *
 * A new path: nothing is known of it. But when one was known a minute ago or less,
 * it is begun with no more than that carried: the uplink is most likely the same.
 */
void
gst_ivs_congestion_begin (GstIvsCongestion *self, const IvsRateConfig *config);

/* What a transport-wide feedback said of each packet. */
void gst_ivs_congestion_take_feedback (GstIvsCongestion *self,
    const IvsRatePacket *packets, guint n_packets);

/* RTCP's sender or receiver report has changed @reports. */
void gst_ivs_congestion_take_reports (GstIvsCongestion *self,
    const GstIvsReport reports[GST_IVS_N_KINDS]);

/* How many packets were sent again so far. */
void gst_ivs_congestion_set_repeated (GstIvsCongestion *self, guint n_packets);
guint gst_ivs_congestion_get_repeated (GstIvsCongestion *self);

/* What another controller estimates, bits per second: it is the target from now on. */
void gst_ivs_congestion_take_estimate (GstIvsCongestion *self, guint bps);

/**
 * gst_ivs_congestion_get_target:
 * @sent_bps: bits per second of the last second
 * @max_bps: the most that makes sense
 * @is_heard: (out): %FALSE: nothing came back lately, the target is a guess
 *
 * To be called a few times per second.
 *
 * Returns: bits per second to send in all
 */
guint gst_ivs_congestion_get_target (GstIvsCongestion *self, guint sent_bps,
    guint max_bps, gboolean *is_heard);

/* Until when no picture should leave, of g_get_monotonic_time(); in the past: now is
 * right. */
gint64 gst_ivs_congestion_get_pause (GstIvsCongestion *self);

/* No picture has left lately, to which the other side would answer: that it says nothing
 * means nothing. */
void gst_ivs_congestion_idle (GstIvsCongestion *self);

/* What was known against sending as much as makes sense is known no more. */
void gst_ivs_congestion_forget (GstIvsCongestion *self);

/* Of the last reports, smoothed: 0 to 1. */
gdouble gst_ivs_congestion_get_audio_loss (GstIvsCongestion *self);

G_END_DECLS
