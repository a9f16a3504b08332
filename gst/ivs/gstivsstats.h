/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The figures of the property `stats`.
 */
#pragma once

#include "gstivsinputs.h"
#include "gstivsmonitor.h"
#include "gstivssession.h"

G_BEGIN_DECLS

/* What the publisher counts. */
typedef struct
{
  guint n_attempts;
  guint n_sessions; /* that went live */
} GstIvsCounts;

/**
 * gst_ivs_stats_make:
 * @active: (nullable): the live session
 *
 * A structure `ivs-stage-stats`, keyed by our own streams:
 *
 * - attempts, sessions (uint): made, and gone live, since READY
 * - estimated-bitrate, encoder-target-bitrate (uint, bits/s): see
 *   gst_ivs_adaptation_add_stats()
 * - session-age (uint64, ns), media-address (string): of the live session
 * - time-to-offer, time-to-answer, time-to-live (uint64, ns): since the live
 *   session's attempt began, each including the one before
 * - audio, video (GstStructure): what gst_ivs_monitor_make_stats() says of it, and
 *   ssrc (uint), dropped (uint64, packets dropped while the gate was closed); once
 *   the stage has reported: packets-lost (int, of all), fraction-lost (double, 0 to
 *   1, since the report before), round-trip-time, jitter (uint64, ns),
 *   nack-count, pli-count, fir-count (uint), and of video retransmitted (uint,
 *   packets that were sent again)
 *
 * Returns: (transfer full): the structure
 */
GstStructure *gst_ivs_stats_make (const GstIvsInputs *inputs,
    GstIvsMonitor *monitor, GstIvsSession *active, const GstIvsCounts *counts);

G_END_DECLS
