/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A packet that came in, looked at no further than it has to be.
 */
#include "gstivspacket.h"
#include "gstivsh264.h"
#include <string.h>

#define RTP_HEADER_SIZE 12

/* -- Header ------------------------------------------------------------------------ */

/* RFC 3550, 5.1 */
static void
take_header (GstIvsPacket *self, const guint8 *header)
{
  self->has_marker = (header[1] & 0x80) != 0;
  self->seq = GST_READ_UINT16_BE (header + 2);
  self->timestamp = GST_READ_UINT32_BE (header + 4);
  self->ssrc = GST_READ_UINT32_BE (header + 8);
}

/* Version 2 without padding, extension and CSRCs; not RTCP (RFC 5761, 4: 72 to 76 with
 * the marker bit). */
static gboolean
is_ordinary_header (const guint8 *header)
{
  return header[0] == 0x80 && (header[1] < 200 || header[1] > 204);
}

/* As payloaders make it, in a memory of its own. Returns whether it is one. */
static gboolean
read_ordinary_header (GstIvsPacket *self)
{
  GstMemory *memory;
  GstMapInfo map;
  gboolean is_ordinary;

  if (gst_buffer_n_memory (self->buffer) < 2)
    return FALSE;
  memory = gst_buffer_peek_memory (self->buffer, 0);
  if (gst_memory_get_sizes (memory, NULL, NULL) != RTP_HEADER_SIZE ||
      !gst_memory_map (memory, &map, GST_MAP_READ))
    return FALSE;

  is_ordinary = is_ordinary_header (map.data);
  if (is_ordinary) {
    take_header (self, map.data);
    self->header_size = RTP_HEADER_SIZE;
    self->has_own_header = TRUE;
    self->size = gst_buffer_get_size (self->buffer) - RTP_HEADER_SIZE;
  }
  gst_memory_unmap (memory, &map);
  return is_ordinary;
}

static gboolean
map_packet (GstIvsPacket *self)
{
  if (!self->is_mapped) {
    self->rtp = (GstRTPBuffer) GST_RTP_BUFFER_INIT;
    self->is_mapped =
        gst_rtp_buffer_map (self->buffer, GST_MAP_READ, &self->rtp);
  }
  return self->is_mapped;
}

static gboolean
read_any_header (GstIvsPacket *self)
{
  GstRTPBuffer *rtp = &self->rtp;

  if (!map_packet (self))
    return FALSE;
  take_header (self, rtp->data[0]);
  self->header_size = gst_rtp_buffer_get_header_len (rtp);
  self->has_own_header = rtp->map[0].size == self->header_size;
  self->has_padding = gst_rtp_buffer_get_padding (rtp);
  self->size = gst_rtp_buffer_get_payload_len (rtp);
  return TRUE;
}

/* -- Payload ----------------------------------------------------------------------- */

void
gst_ivs_packet_map_payload (GstIvsPacket *self)
{
  if (self->payload != self->beginning || self->readable == self->size)
    return;
  self->first_size = 0;
  self->payload =
      map_packet (self) ? gst_rtp_buffer_get_payload (&self->rtp) : NULL;
  self->readable = self->payload != NULL ? self->size : 0;
}

/* Whether it is a fragment that begins nothing, of which two bytes are enough. */
static gboolean
is_later_fragment (const GstIvsPacket *self)
{
  return self->readable >= 2 &&
      (self->beginning[0] & 0x1f) == GST_IVS_NAL_FU_A &&
      (self->beginning[1] & 0x80) == 0;
}

/* Adds to the beginning what the buffer's memory @i has of it. Returns whether there is
 * more behind. */
static gboolean
read_memory (GstIvsPacket *self, guint i)
{
  GstMemory *memory = gst_buffer_peek_memory (self->buffer, i);
  gsize wanted = MIN (self->size, sizeof self->beginning) - self->readable;
  GstMapInfo map;
  gsize taken;

  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return FALSE;
  taken = MIN (map.size, wanted);
  memcpy (self->beginning + self->readable, map.data, taken);
  if (i == 1 && taken == map.size && taken < self->size)
    self->first_size = taken;
  self->readable += taken;
  gst_memory_unmap (memory, &map);
  return taken < wanted;
}

static void
read_beginning (GstIvsPacket *self, GstIvsKind kind)
{
  guint n = self->has_own_header ? gst_buffer_n_memory (self->buffer) : 0;

  for (guint i = 1; i < n; i++)
    if (!read_memory (self, i) ||
        (kind == GST_IVS_VIDEO && is_later_fragment (self)))
      return;
  if (n == 0)
    self->readable = gst_buffer_extract (self->buffer, self->header_size,
        self->beginning, MIN (self->size, sizeof self->beginning));
}

/* Whether nobody reads further than the beginning: only parameter sets and aggregates
 * are read. */
static gboolean
is_told_by_beginning (const GstIvsPacket *self)
{
  guint type = self->readable > 0 ? self->beginning[0] & 0x1f : 0;

  return type != GST_IVS_NAL_SPS && type != GST_IVS_NAL_STAP_A;
}

static void
look_at_payload (GstIvsPacket *self, GstIvsKind kind)
{
  self->payload = self->beginning;
  read_beginning (self, kind);
  if (kind == GST_IVS_VIDEO && !is_told_by_beginning (self))
    gst_ivs_packet_map_payload (self);
}

static GstIvsPacketFlags
inspect_h264 (const guint8 *payload, gsize size)
{
  GstIvsPacketFlags flags = 0;
  GstIvsNal nal;
  gsize at = 0;

  while (gst_ivs_h264_next_nal (payload, size, &at, &nal)) {
    if (nal.type == GST_IVS_NAL_SPS)
      flags |= GST_IVS_PACKET_SPS;
    else if (gst_ivs_h264_begins_picture (&nal))
      flags |= nal.type == GST_IVS_NAL_IDR
          ? GST_IVS_PACKET_PICTURE | GST_IVS_PACKET_IDR
          : GST_IVS_PACKET_PICTURE;
  }
  return flags;
}

/* -- Packet ------------------------------------------------------------------------ */

gboolean
gst_ivs_packet_open (GstIvsPacket *self, GstIvsKind kind, GstBuffer *buffer)
{
  /* Of the rest nothing is read that was not written. */
  memset (self, 0, G_STRUCT_OFFSET (GstIvsPacket, beginning));
  self->buffer = buffer;
  if (!read_ordinary_header (self) && !read_any_header (self))
    return FALSE;

  look_at_payload (self, kind);
  if (kind == GST_IVS_VIDEO)
    self->flags = inspect_h264 (self->payload, self->readable);
  if (kind == GST_IVS_AUDIO || self->has_marker)
    self->flags |= GST_IVS_PACKET_FRAME_END;
  return TRUE;
}

void
gst_ivs_packet_close (GstIvsPacket *self)
{
  if (self->is_mapped)
    gst_rtp_buffer_unmap (&self->rtp);
}
