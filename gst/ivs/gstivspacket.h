/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A packet that came in, looked at no further than it has to be.
 *
 * To map an RTP packet costs more than all that is done with it, and to map its payload
 * may copy it, for payloaders leave it in more than one memory. So the header of an
 * ordinary packet and the first bytes of its payload are read where they lie; the RTP
 * library is asked where that does not tell everything.
 */
#pragma once

#include <gst/rtp/rtp.h>

G_BEGIN_DECLS

typedef enum
{
  GST_IVS_AUDIO,
  GST_IVS_VIDEO,
  GST_IVS_N_KINDS
} GstIvsKind;

/* What a packet carries, as far as a gate wants to know. */
typedef enum
{
  GST_IVS_PACKET_FRAME_END = 1 << 0, /* video: marker bit; audio: always */
  GST_IVS_PACKET_SPS = 1 << 1,
  GST_IVS_PACKET_IDR = 1 << 2,     /* the first packet of an IDR picture */
  GST_IVS_PACKET_PICTURE = 1 << 3, /* the first slice of a picture, any kind */
} GstIvsPacketFlags;

/* Enough for the headers of a NAL unit or a fragment, and for the two numbers that a
 * slice begins with. */
#define GST_IVS_PACKET_BEGINNING 16

/**
 * GstIvsPacket:
 * @buffer: the packet, of which no reference is held
 * @flags: what it carries
 * @header_size: with CSRCs and extensions
 * @has_own_header: whether the header, and nothing else, is the first memory
 * @has_padding: whether something follows the payload
 * @payload: the payload, or as much of it as tells what it is
 * @readable: bytes of @payload; all, but where nobody needs more
 * @size: of the whole payload, without padding
 * @first_size: of the second memory, if it is a small part of the payload, all of it in
 *   @beginning; else 0
 * @beginning: of the payload
 */
typedef struct
{
  GstBuffer *buffer;
  GstIvsPacketFlags flags;
  guint16 seq;
  guint32 timestamp, ssrc;
  gboolean has_marker;
  gsize header_size;
  gboolean has_own_header, has_padding;
  const guint8 *payload;
  gsize readable, size;
  gsize first_size;

  /*< private >*/
  gboolean is_mapped;
  guint8 beginning[GST_IVS_PACKET_BEGINNING];
  GstRTPBuffer rtp;
} GstIvsPacket;

/**
 * gst_ivs_packet_open:
 * @self: (out): what is in @buffer
 *
 * Reads within the packet only.
 *
 * Returns: whether it is RTP; if so, to be closed
 */
gboolean
gst_ivs_packet_open (GstIvsPacket *self, GstIvsKind kind, GstBuffer *buffer);
void gst_ivs_packet_close (GstIvsPacket *self);

/* From now on all of @payload is readable. May join the memories of the buffer. */
void gst_ivs_packet_map_payload (GstIvsPacket *self);

G_END_DECLS
