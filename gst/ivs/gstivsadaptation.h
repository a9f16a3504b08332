/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is done about what the network carries.
 *
 *     congestion -> target -> adaptation -> our encoder: bit rate, size, frame rate
 *                                        -> upstream of encoded video: an event
 *                                        -> the gate: what still does not fit
 *                                        -> Opus: how much loss to expect
 */
#pragma once

#include "gstivscongestion.h"
#include "gstivsgate.h"
#include "gstivssettings.h"
#include "gstivsworker.h"

G_BEGIN_DECLS

/* The custom upstream event `ivs-target-bitrate`, for what makes encoded video:
 *
 * - bitrate (uint): bits per second of video that fit now, without headers
 * - total-bitrate (uint): of everything on the wire, as `estimated-bitrate` says
 * - limited (boolean): whether the network carries less than what came so far;
 *   FALSE: as before is right
 *
 * Sent when the network gets too narrow, with each change after that, and when it is
 * wide enough again. With `max-bitrate` also in the beginning: FALSE then means that
 * all of `bitrate` may be made. */

typedef struct _GstIvsAdaptation GstIvsAdaptation;

/* On the worker. */
typedef struct
{
  /* Another estimate of what the network carries, bits per second on the wire. */
  void (*estimated) (guint bps, gpointer data);
  /* Something the user should know; once. */
  void (*noticed) (const gchar *name, const gchar *sentence,
      const gchar *advice, gpointer data);
} GstIvsAdaptationEvents;

GstIvsAdaptation *gst_ivs_adaptation_new (GstIvsGate *const gates[]);
GstIvsAdaptation *gst_ivs_adaptation_ref (GstIvsAdaptation *self);
void gst_ivs_adaptation_unref (GstIvsAdaptation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsAdaptation, gst_ivs_adaptation_unref)

/* Any thread: an encoder of ours, after everyone has set what he wants of it: it goes on
 * from the bit rate that it has now. Kept by a weak reference. */
void
gst_ivs_adaptation_take_encoder (GstIvsAdaptation *self, GstElement *encoder);

/* Any thread. (transfer none): where feedback of the live session goes. */
GstIvsCongestion *gst_ivs_adaptation_get_congestion (GstIvsAdaptation *self);

/**
 * gst_ivs_adaptation_begin:
 * @settings: of the session that goes live now; copied
 *
 * From now on, until gst_ivs_adaptation_end(), it acts ten times per second, and at once
 * when the target fell. Nothing
 * at all with congestion-control=none. On the worker.
 */
void gst_ivs_adaptation_begin (GstIvsAdaptation *self, GstIvsWorker *worker,
    const GstIvsSettings *settings, const GstIvsAdaptationEvents *events,
    gpointer data);
void gst_ivs_adaptation_end (GstIvsAdaptation *self);

/* On the worker: adds `estimated-bitrate` and `encoder-target-bitrate` (uint, bits/s),
 * if they are known. */
void gst_ivs_adaptation_add_stats (GstIvsAdaptation *self, GstStructure *stats);

G_END_DECLS
