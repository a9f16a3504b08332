/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one RTP stream that a receiver sees, whatever comes in: identity, order
 * and time of its packets.
 */
#pragma once

#include "gstivspacket.h"

G_BEGIN_DECLS

#define GST_IVS_TWCC_URI \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* The header of a packet that left with room for a transport-wide sequence number: RFC
 * 3550, 5.1, then RFC 8285, 4.2: 4 bytes, the extension's id and size, its number. */
#define GST_IVS_STREAM_EXTENDED_HEADER 20
#define GST_IVS_STREAM_EXTENSION_AT 12
#define GST_IVS_STREAM_NUMBER_AT 17

/* What identifies our stream to the receiver; constant over all sessions. */
typedef struct
{
  guint32 ssrc;
  guint8 payload_type;
  guint clock_rate;
  guint8 twcc_ext_id; /* 1..14; 0 = no transport-wide sequence number */
} GstIvsStreamId;

/* All functions: one thread at a time. */
typedef struct _GstIvsStream GstIvsStream;

GstIvsStream *gst_ivs_stream_new (GstIvsKind kind, const GstIvsStreamId *id);
void gst_ivs_stream_free (GstIvsStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsStream, gst_ivs_stream_free)

/* The caps of what leaves. (transfer full) */
GstCaps *gst_ivs_stream_make_caps (GstIvsKind kind, const GstIvsStreamId *id);

/* The caps of what comes in from now on: remembers its parameter sets (H.264). */
void gst_ivs_stream_set_input_caps (GstIvsStream *self, const GstCaps *caps);

/* Packets were left out, or something else than before comes in from now on: the
 * next packet gets the next sequence number and its time from the running time. */
void gst_ivs_stream_interrupt (GstIvsStream *self);

/**
 * gst_ivs_stream_continue:
 * @packet: an incoming packet; with @inserted its payload is mapped
 * @time: running time of its PTS in ns, or GST_CLOCK_STIME_NONE
 * @inserted: (nullable) (element-type GBytes): payloads to send right before the
 *   first slice of the picture that begins in it
 * @out: gets the packets to send, without timestamps: SPS and PPS from the caps
 *   if an IDR picture comes without them, what is inserted, and the packet, whose
 *   payload is shared; a packet that nobody but the caller has is changed itself
 *
 * Returns: %FALSE if the packet must not be sent (a duplicate, or out of order: a
 *   sequence number sent twice makes srtpenc fail); @out is left alone.
 */
gboolean
gst_ivs_stream_continue (GstIvsStream *self, const GstIvsPacket *packet,
    GstClockTimeDiff time, const GPtrArray *inserted, GstBufferList *out);

/* The RTP timestamp of the last packet that was sent. */
guint32 gst_ivs_stream_get_timestamp (const GstIvsStream *self);

G_END_DECLS
