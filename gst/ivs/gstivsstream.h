/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one RTP stream that a receiver sees, whatever comes in: identity, order
 * and time of its packets.
 */
#pragma once

#include <gst/rtp/rtp.h>

G_BEGIN_DECLS

#define GST_IVS_TWCC_URI \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

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
  guint8 twcc_ext_id; /* 1..14; 0 = no transport-wide sequence number */
} GstIvsStreamId;

/* What a packet carries, as far as a gate wants to know. */
typedef enum
{
  GST_IVS_PACKET_INVALID = 1 << 0,   /* not RTP, nothing else is known */
  GST_IVS_PACKET_FRAME_END = 1 << 1, /* video: marker bit; audio: always */
  GST_IVS_PACKET_SPS = 1 << 2,
  GST_IVS_PACKET_IDR = 1 << 3,     /* the first packet of an IDR picture */
  GST_IVS_PACKET_PICTURE = 1 << 4, /* the first slice of a picture, any kind */
} GstIvsPacketFlags;

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
 * gst_ivs_stream_inspect:
 * @packet: an incoming packet
 * @rtp: gets it, mapped for gst_ivs_stream_continue() and whoever else looks into it:
 *   to map a packet costs more than to look. To be unmapped unless INVALID is returned.
 *
 * Returns: what @packet carries. Reads within the packet only.
 */
GstIvsPacketFlags gst_ivs_stream_inspect (GstIvsStream *self, GstBuffer *packet,
    GstRTPBuffer *rtp);

/* As much of a payload as tells what it is. */
typedef struct
{
  const guint8 *data;
  gsize readable; /* bytes of it; all, but where nobody needs more */
  gsize size;     /* of the whole payload */
} GstIvsPayload;

/* Of the packet that was inspected last, until it is unmapped or another one is. */
const GstIvsPayload *gst_ivs_stream_get_payload (const GstIvsStream *self);

/**
 * gst_ivs_stream_continue:
 * @rtp: an incoming packet
 * @flags: what gst_ivs_stream_inspect() said of it
 * @time: running time of its PTS in ns, or GST_CLOCK_STIME_NONE
 * @inserted: (nullable) (element-type GBytes): payloads to send right before the
 *   first slice of the picture that begins in it
 * @out: gets the packets to send, without timestamps: SPS and PPS from the caps
 *   if an IDR picture comes without them, what is inserted, and the packet, whose
 *   payload is shared; a packet that nobody but the caller has is changed itself
 *
 * Returns: %FALSE if the packet must not be sent (not RTP, a duplicate, or out of
 *   order: a sequence number sent twice makes srtpenc fail); @out is left alone.
 */
gboolean gst_ivs_stream_continue (GstIvsStream *self, GstRTPBuffer *rtp,
    GstIvsPacketFlags flags, GstClockTimeDiff time, const GPtrArray *inserted,
    GstBufferList *out);

/* The RTP timestamp of the last packet that was sent. */
guint32 gst_ivs_stream_get_timestamp (const GstIvsStream *self);

G_END_DECLS
