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

G_BEGIN_DECLS

typedef enum
{
  GST_IVS_AUDIO,
  GST_IVS_VIDEO,
  GST_IVS_N_KINDS
} GstIvsKind;

/* What identifies our stream to the receiver; constant over all sessions. */
typedef struct
{
  guint32 ssrc;
  guint8 payload_type;
  guint clock_rate;
  guint8 twcc_ext_id;           /* 0 = no transport-wide sequence number */
} GstIvsStreamId;

typedef struct
{
  guint64 packets, bytes;       /* that left through the open gate */
  guint64 frames;               /* RTP packets with the marker bit (video), packets (audio) */
  guint64 key_frames;           /* IDR pictures (video) */
  guint64 dropped;              /* packets dropped while closed or opening */
  GstClockTime last_buffer;     /* monotonic time of the last packet that came in, or NONE */
} GstIvsGateStats;

#define GST_TYPE_IVS_GATE (gst_ivs_gate_get_type ())
G_DECLARE_FINAL_TYPE (GstIvsGate, gst_ivs_gate, GST, IVS_GATE, GstElement)

GstIvsGate *gst_ivs_gate_new (GstIvsKind kind, const GstIvsStreamId *id);

/* The caps of the stream that leaves: constant, complete (media, encoding-name,
 * payload, clock-rate, ssrc, extmap, fmtp); what webrtcbin negotiates from. */
GstCaps *gst_ivs_gate_get_stream_caps (GstIvsGate *self);

/* Opening: asks upstream for a key unit (video) and passes from the first IDR on.
 * Callable from any thread; never blocks on the streaming thread. */
void gst_ivs_gate_open (GstIvsGate *self);
/* Closed: drops (live upstream) or waits (non-live). */
void gst_ivs_gate_close (GstIvsGate *self);
/* While "draining" a closed gate lets everything through to nowhere: nothing waits. */
void gst_ivs_gate_set_discard (GstIvsGate *self, gboolean discard);
gboolean gst_ivs_gate_is_open (GstIvsGate *self);
void gst_ivs_gate_get_stats (GstIvsGate *self, GstIvsGateStats *stats);

/* Signals (emitted from streaming threads; a handler only posts to its worker):
 *   "eos" (void)        upstream ended; swallowed, never seen downstream
 *   "flowing" (void)    the first packet after opening left
 */

G_END_DECLS
