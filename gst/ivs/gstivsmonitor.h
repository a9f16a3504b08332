/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The monitor: measures what really leaves for the stage, and says when it is not
 * what a stage takes.
 *
 *      gate (streaming threads) -- gst_ivs_monitor_packet -->  monitor
 *      publisher (worker)       <-- gst_ivs_monitor_judge ---  once per second
 *
 * Threads: every function may be called from any thread. One lock is held for the
 * few hundred nanoseconds that a packet takes, and never while calling out. Time
 * is handed in and must come from one clock that does not go backwards.
 */
#pragma once

#include <gst/gst.h>
#include "gstivsstream.h"
#include "ivs-diagnosis.h"

G_BEGIN_DECLS

typedef struct _GstIvsMonitor GstIvsMonitor;

/* One for both gates, which hold a reference each. */
GstIvsMonitor *gst_ivs_monitor_new (void);
GstIvsMonitor *gst_ivs_monitor_ref (GstIvsMonitor *self);
void gst_ivs_monitor_unref (GstIvsMonitor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsMonitor, gst_ivs_monitor_unref)

/**
 * gst_ivs_monitor_expect:
 * @kind: of the media
 * @is_expected: whether it ought to flow from now on: there is a pad for it, the
 *   gate is open and the pipeline plays
 * @now: ns
 *
 * Nothing is judged of media that is not expected. When it becomes expected, all
 * but what counts "in all" is measured anew.
 */
void gst_ivs_monitor_expect (GstIvsMonitor *self, GstIvsKind kind,
    gboolean is_expected, GstClockTime now);

/* @channels: that the offer says are sent (sprop-stereo: 2, else 1); 0 = unknown,
 * then they are not judged. */
void gst_ivs_monitor_announce_channels (GstIvsMonitor *self, guint channels);

/**
 * gst_ivs_monitor_packet:
 * @payload: of an outgoing RTP packet: what follows header and extensions, without
 *   padding
 * @size: of @payload in bytes
 * @marker: the marker bit
 * @timestamp: of the RTP header
 * @now: ns
 *
 * Takes a packet into account. Reads a few bytes, allocates nothing, and only
 * parses a sequence parameter set that differs from the last.
 */
void gst_ivs_monitor_packet (GstIvsMonitor *self, GstIvsKind kind,
    const guint8 *payload, gsize size, gboolean marker, guint32 timestamp,
    GstClockTime now);

/* The same of a payload of @size bytes of which @readable are there, which tell what it
 * is: a whole SPS or aggregate, the first ten bytes of anything else. */
void gst_ivs_monitor_beginning (GstIvsMonitor *self, GstIvsKind kind,
    const guint8 *payload, gsize readable, gsize size, gboolean marker,
    guint32 timestamp, GstClockTime now);

/* The same for a whole packet; what is not RTP is passed over. */
void gst_ivs_monitor_buffer (GstIvsMonitor *self, GstIvsKind kind,
    GstBuffer *packet, GstClockTime now);

/* A picture is left out because the uplink does not carry it. */
void gst_ivs_monitor_withheld (GstIvsMonitor *self, GstClockTime now);

/* Called without lock, in the thread of gst_ivs_monitor_judge(). */
typedef void (*GstIvsMonitorFound) (const IvsFinding *finding, gpointer data);

/**
 * gst_ivs_monitor_judge:
 * @now: ns
 * @found: called once for each finding that is due
 *
 * A limit that is crossed is a finding once, until it is kept and crossed again;
 * and the same diagnosis is never a finding twice within a minute. To be called
 * about once per second.
 */
void gst_ivs_monitor_judge (GstIvsMonitor *self, GstClockTime now,
    GstIvsMonitorFound found, gpointer data);

/* What flows now, for statistics. */
void gst_ivs_monitor_get_figures (GstIvsMonitor *self, GstClockTime now,
    IvsFigures *figures);

/**
 * gst_ivs_monitor_make_stats:
 * @kind: of the media
 *
 * Fields: packets, bytes (uint64), bitrate-1s, bitrate-10s (uint, bits/s); video:
 * width, height (uint), profile (string), frame-rate (double), frames, key-frames
 * (uint64), max-key-frame-spacing (uint64, ns); audio: channels, sample-rate (uint,
 * what is coded), packet-duration (uint64, ns). What is not known yet is absent.
 *
 * Returns: (transfer full): a structure named "video" or "audio"
 */
GstStructure *gst_ivs_monitor_make_stats (GstIvsMonitor *self, GstIvsKind kind,
    GstClockTime now);

/**
 * gst_ivs_monitor_make_details:
 *
 * A finding for programs: name, severity (cut, unsupported, viewers), consequence,
 * certainty (of the consequence: known, inferred), measured-text, hint (strings),
 * measured, limit (doubles, in the same unit); limit-text where there is one.
 *
 * Returns: (transfer full): a structure named "ivs-stage-limit"
 */
GstStructure *gst_ivs_monitor_make_details (const IvsFinding *finding);

G_END_DECLS
