/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The gate: the only code that touches a buffer. It gives webrtcbin a stream
 * that never ends, never errs and never changes identity.
 *
 *      upstream chain -> [sink  GstIvsGate  src] -> webrtcbin.sink_N
 *
 * One gate per kind lives as long as the element's READY state is left; the
 * session behind its source pad and the chain before its sink pad come and go.
 */
#pragma once

#include <gst/gst.h>
#include "gstivsmonitor.h"
#include "gstivsstream.h"

G_BEGIN_DECLS

/* What a packet is on the wire beyond what an RTP packet is in memory: SRTP's tag
 * (RFC 3711), UDP and IPv4. */
#define GST_IVS_WIRE_OVERHEAD (10 + 8 + 20)

typedef struct
{
  guint64 packets, bytes; /* that left through the open gate */
  guint64 frames; /* RTP packets with the marker bit (video), packets (audio) */
  guint64 key_frames; /* IDR pictures (video) */
  guint64
      dropped; /* packets dropped: closed, opening, unusable, refused downstream */
  guint64
      offered; /* bytes that came to the open gate, whether they passed or not */
  GstClockTime
      last_buffer; /* monotonic time of the last packet that came in, or NONE */
} GstIvsGateStats;

#define GST_TYPE_IVS_GATE (gst_ivs_gate_get_type ())
G_DECLARE_FINAL_TYPE (GstIvsGate, gst_ivs_gate, GST, IVS_GATE, GstElement)

/* (transfer floating) */
GstIvsGate *gst_ivs_gate_new (GstIvsKind kind, const GstIvsStreamId *id);

/**
 * gst_ivs_gate_get_stream_caps:
 *
 * The caps of the stream that leaves: constant, complete (media, encoding-name,
 * payload, clock-rate, ssrc, extmap, fmtp); what webrtcbin negotiates from. They
 * go out before the first packet, and again after the source pad was linked anew.
 *
 * Returns: (transfer full): the caps
 */
GstCaps *gst_ivs_gate_get_stream_caps (GstIvsGate *self);

/**
 * gst_ivs_gate_open:
 *
 * Lets media pass: audio at once, video from the next IDR picture on, for which
 * upstream is asked at once and then at most twice per second. Link the source
 * pad first. A non-live upstream is paced by the clock from here on (a thread
 * that waits inside the gate can be woken, one inside webrtcbin cannot).
 * Any thread; never blocks on the streaming thread.
 */
void gst_ivs_gate_open (GstIvsGate *self);

/**
 * gst_ivs_gate_close:
 *
 * From now on a live upstream's packets are dropped and a non-live upstream
 * waits. When this returns at most the one packet or list that is being pushed
 * may still leave. Nobody needs to wait for it: unlinking the source pad during
 * a push is safe, and what is still inside the old webrtcbin returns when that
 * goes to NULL; no flow return of it reaches upstream.
 * Any thread; never blocks on the streaming thread.
 */
void gst_ivs_gate_close (GstIvsGate *self);
gboolean gst_ivs_gate_is_open (GstIvsGate *self);

/**
 * gst_ivs_gate_switch_to:
 * @pad: a sink pad that nothing is linked to
 *
 * The next picture that a decoder can begin with goes to @pad, and all that follow;
 * what comes before still goes where it went. Upstream is asked for one. It is the
 * streaming thread that links the source pad, and "switched" tells of it. Only for
 * an open gate that is linked; any thread, never blocks on the streaming thread.
 */
void gst_ivs_gate_switch_to (GstIvsGate *self, GstPad *pad);

/* Whether that picture has not come yet. */
gboolean gst_ivs_gate_is_switching (GstIvsGate *self);

/* It stays where it is, if it has not switched to @pad yet. When this returns the
 * streaming thread will not link the source pad any more. */
void gst_ivs_gate_forget_switch (GstIvsGate *self, GstPad *pad);

/* While "draining" a closed gate lets everything through to nowhere: nothing waits. */
void gst_ivs_gate_set_discard (GstIvsGate *self, gboolean discard);

/* The same for the time in which an input takes its chain away: whatever thread
 * waits here comes back with GST_FLOW_OK, so that a tee upstream goes on. */
void gst_ivs_gate_set_unplugging (GstIvsGate *self, gboolean unplugging);

/**
 * gst_ivs_gate_get_waiting_running_time:
 *
 * Returns: the running time of the packet at which a non-live upstream waits for
 *   the gate to open, without the offset of gst_ivs_gate_set_time_offset();
 *   GST_CLOCK_TIME_NONE if nothing waits.
 */
GstClockTime gst_ivs_gate_get_waiting_running_time (GstIvsGate *self);

/**
 * gst_ivs_gate_set_time_offset:
 * @offset: ns, added to the running time of all packets from now on
 *
 * Makes a non-live stream that had to wait punctual again: running time now minus
 * gst_ivs_gate_get_waiting_running_time(). Both gates must get the same offset; a
 * live stream, which has not waited, is not moved by it.
 */
void gst_ivs_gate_set_time_offset (GstIvsGate *self, GstClockTimeDiff offset);

/**
 * gst_ivs_gate_share_time:
 *
 * A seek sets upstream's running time back to 0; the gate then moves what follows
 * to where its stream is. Gates that share their time move by the same amount, so
 * that sound and picture stay together. Once, before either runs.
 */
void gst_ivs_gate_share_time (GstIvsGate *self, GstIvsGate *other);

/**
 * gst_ivs_gate_send_metadata:
 * @size: bytes, 1 to 1024
 *
 * Puts @data before the slices of the next picture that leaves. Any thread.
 *
 * Returns: %FALSE if it will not leave: @size is out of its range, no picture is
 *   expected (the gate is closed, has no video, or none came for 2 s), or too
 *   many wait already (32 packets)
 */
gboolean
gst_ivs_gate_send_metadata (GstIvsGate *self, const guint8 *data, gsize size);

/**
 * gst_ivs_gate_set_budget:
 * @bps: bits per second of what leaves, IP, UDP and SRTP included; 0 = no limit
 *
 * Video only: what exceeds it is left out from the end of a picture up to an IDR
 * picture, for which upstream is asked once there is room. Any thread.
 */
void gst_ivs_gate_set_budget (GstIvsGate *self, guint bps);

/**
 * gst_ivs_gate_set_pace:
 * @bps: bits per second at which a picture leaves; 0 = as it comes
 *
 * Video only. A picture that could not be gone within three fifths of the time to
 * the next one leaves so much faster. Any thread.
 */
void gst_ivs_gate_set_pace (GstIvsGate *self, guint bps);

/**
 * gst_ivs_gate_announce:
 * @event: (transfer full): an upstream event
 *
 * Sends @event to whatever is upstream. Any thread.
 */
void gst_ivs_gate_announce (GstIvsGate *self, GstEvent *event);

/* Every packet that leaves is shown to @monitor. Before the gate goes to PAUSED. */
void gst_ivs_gate_set_monitor (GstIvsGate *self, GstIvsMonitor *monitor);
/* Upstream's stream time of what came to the open gate last since the last seek, or NONE. */
GstClockTime gst_ivs_gate_get_position (GstIvsGate *self);
void gst_ivs_gate_get_stats (GstIvsGate *self, GstIvsGateStats *stats);

/* Signals (emitted from streaming threads; a handler only posts to its worker):
 *   "eos" (void)        upstream ended; swallowed, never seen downstream
 *   "flowing" (void)    the first packet after opening left
 *   "switched" (void)   what follows goes where gst_ivs_gate_switch_to() said
 */

G_END_DECLS
