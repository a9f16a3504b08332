/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The figures of the property `stats`, gathered from gates, monitor and session.
 */
#include "gstivsstats.h"

static void
add_report (GstStructure *stream, GstIvsSession *active, GstIvsKind kind)
{
  GstIvsReport report;

  if (active == NULL || !gst_ivs_session_get_report (active, kind, &report))
    return;

  gst_structure_set (stream, "packets-lost", G_TYPE_INT, report.packets_lost,
      "fraction-lost", G_TYPE_DOUBLE, report.fraction_lost, "jitter",
      G_TYPE_UINT64, report.jitter, "nack-count", G_TYPE_UINT, report.nacks,
      "pli-count", G_TYPE_UINT, report.plis, "fir-count", G_TYPE_UINT,
      report.firs, NULL);
  if (kind == GST_IVS_VIDEO)
    gst_structure_set (stream, "retransmitted", G_TYPE_UINT,
        report.retransmitted, NULL);
  if (GST_CLOCK_TIME_IS_VALID (report.round_trip))
    gst_structure_set (stream, "round-trip-time", G_TYPE_UINT64,
        report.round_trip, NULL);
}

static GstStructure *
make_stream (GstIvsKind kind, const GstIvsLane *lane, GstIvsMonitor *monitor,
    GstIvsSession *active)
{
  GstStructure *stream = gst_ivs_monitor_make_stats (monitor, kind,
      (GstClockTime) g_get_monotonic_time () * GST_USECOND);
  g_autoptr (GstCaps) caps = gst_ivs_gate_get_stream_caps (lane->gate);
  GstIvsGateStats passed;
  guint ssrc = 0;

  gst_ivs_gate_get_stats (lane->gate, &passed);
  gst_structure_get_uint (gst_caps_get_structure (caps, 0), "ssrc", &ssrc);
  gst_structure_set (stream, "ssrc", G_TYPE_UINT, ssrc, "dropped",
      G_TYPE_UINT64, passed.dropped, NULL);
  add_report (stream, active, kind);
  return stream;
}

static void
add_session (GstStructure *stats, GstIvsSession *active)
{
  GstIvsSessionTimes times;

  gst_ivs_session_get_times (active, &times);
  gst_structure_set (stats, "session-age", G_TYPE_UINT64,
      (guint64) (g_get_monotonic_time () - times.live) * GST_USECOND,
      "time-to-offer", G_TYPE_UINT64,
      (guint64) (times.posted - times.begun) * GST_USECOND, "time-to-answer",
      G_TYPE_UINT64, (guint64) (times.answered - times.begun) * GST_USECOND,
      "time-to-live", G_TYPE_UINT64,
      (guint64) (times.live - times.begun) * GST_USECOND, "media-address",
      G_TYPE_STRING, gst_ivs_session_get_media_address (active), NULL);
}

GstStructure *
gst_ivs_stats_make (const GstIvsInputs *inputs, GstIvsMonitor *monitor,
    GstIvsSession *active, const GstIvsCounts *counts)
{
  GstStructure *stats = gst_structure_new ("ivs-stage-stats", "attempts",
      G_TYPE_UINT, counts->n_attempts, "sessions", G_TYPE_UINT,
      counts->n_sessions, NULL);

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    g_autoptr (GstStructure) stream =
        make_stream (kind, &inputs->lanes[kind], monitor, active);

    gst_structure_set (stats, kind == GST_IVS_AUDIO ? "audio" : "video",
        GST_TYPE_STRUCTURE, stream, NULL);
  }
  if (active != NULL)
    add_session (stats, active);
  return stats;
}
