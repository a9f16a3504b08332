/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one RTP stream that a receiver sees, whatever comes in: identity, order
 * and time of its packets.
 *
 * A packet that leaves has a new header and the old payload (the memory is
 * shared). Its timestamp is the incoming one plus an offset, so that the exact
 * steps of the payloader survive; the offset is found anew from the running time
 * whenever something was interrupted, so that one linear function of the running
 * time holds over all payloaders, sessions and seeks. CSRCs and header extensions
 * are left out: the receiver has negotiated none but ours.
 */
#include "gstivsstream.h"
#include "gstivsh264.h"
#include "gstivsheaders.h"
#include <string.h>

#define RTP_HEADER_SIZE 12

/* A forward gap up to this long is a loss that the receiver shall see; beyond
 * it the numbers are those of another stream. */
#define MAX_GAP 256
/* How far behind a packet may be and still belong to the same stream. */
#define MAX_LATE 256

/* Parameter sets larger than this do not fit a packet of the usual MTU. */
#define MAX_PARAMETER_SETS 1100
#define MAX_SPROP_LENGTH 2048

struct _GstIvsStream
{
  GstIvsKind kind;
  GstIvsStreamId id;
  GstIvsHeaders *headers;

  /* What left. */
  guint16 last_seq;
  guint32 time_base; /* the timestamp at running time 0 */
  guint32 last_time;

  /* What comes in. */
  gboolean interrupted;
  guint32 in_ssrc;
  guint16 in_seq; /* highest so far */
  guint32 in_time;
  gboolean in_ended;   /* the picture, or what else has one timestamp */
  guint32 time_offset; /* out = in + time_offset */
  GstClockTimeDiff in_running_time;
  gboolean has_sps;       /* an SPS came with the timestamp ... */
  guint32 sps_time;       /* ... which is this */
  GBytes *parameter_sets; /* a STAP-A of those in the caps, or NULL */
};

GstIvsStream *
gst_ivs_stream_new (GstIvsKind kind, const GstIvsStreamId *id)
{
  GstIvsStream *self = g_new0 (GstIvsStream, 1);

  self->kind = kind;
  self->id = *id;
  self->headers = gst_ivs_headers_new ();
  /* RFC 3550, 5.1: random; the lower half leaves room before the first wrap,
   * which old SRTP receivers take for an earlier rollover (RFC 3711, 3.3.1). */
  self->last_seq = (guint16) g_random_int_range (0, 0x8000);
  self->time_base = g_random_int ();
  self->last_time = self->time_base;
  self->interrupted = TRUE;
  return self;
}

void
gst_ivs_stream_free (GstIvsStream *self)
{
  g_clear_pointer (&self->parameter_sets, g_bytes_unref);
  gst_clear_object (&self->headers);
  g_free (self);
}

GstCaps *
gst_ivs_stream_make_caps (GstIvsKind kind, const GstIvsStreamId *id)
{
  gboolean video = kind == GST_IVS_VIDEO;
  GstCaps *caps = gst_caps_new_simple ("application/x-rtp", "media",
      G_TYPE_STRING, video ? "video" : "audio", "encoding-name", G_TYPE_STRING,
      video ? "H264" : "OPUS", "clock-rate", G_TYPE_INT, (gint) id->clock_rate,
      "payload", G_TYPE_INT, (gint) id->payload_type, "ssrc", G_TYPE_UINT,
      id->ssrc, NULL);

  if (video) {
    /* No profile-level-id: it would constrain what may come later. */
    gst_caps_set_simple (caps, "packetization-mode", G_TYPE_STRING, "1", NULL);
  } else {
    gst_caps_set_simple (caps, "encoding-params", G_TYPE_STRING, "2",
        "minptime", G_TYPE_STRING, "10", "useinbandfec", G_TYPE_STRING, "1",
        NULL);
  }

  if (id->twcc_ext_id != 0) {
    g_autofree gchar *field = g_strdup_printf ("extmap-%u", id->twcc_ext_id);
    gst_caps_set_simple (caps, field, G_TYPE_STRING, GST_IVS_TWCC_URI, NULL);
  }
  return caps;
}

/* -- Parameter sets ----------------------------------------------------------- */

/* RFC 6184, 8.1: comma-separated base64; made one STAP-A (5.7.1), or NULL. */
static GBytes *
aggregate_parameter_sets (const gchar *sprop)
{
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  g_auto (GStrv) sets = NULL;
  guint8 nri = 0;

  if (sprop == NULL || strlen (sprop) > MAX_SPROP_LENGTH)
    return NULL;

  sets = g_strsplit (sprop, ",", -1);
  g_byte_array_append (packet, (const guint8[]){ GST_IVS_NAL_STAP_A }, 1);
  for (guint i = 0; sets[i] != NULL; i++) {
    gsize size = 0;
    g_autofree guint8 *nal = g_base64_decode (sets[i], &size);

    if (size < 2 || size > MAX_PARAMETER_SETS)
      continue;
    nri = MAX (nri, nal[0] & 0x60);
    g_byte_array_append (packet,
        (const guint8[]){ (guint8) (size >> 8), (guint8) size }, 2);
    g_byte_array_append (packet, nal, (guint) size);
  }

  if (packet->len == 1 || packet->len > MAX_PARAMETER_SETS)
    return NULL;
  packet->data[0] |= nri;
  return g_byte_array_free_to_bytes (g_steal_pointer (&packet));
}

void
gst_ivs_stream_set_input_caps (GstIvsStream *self, const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  gst_ivs_stream_interrupt (self);
  g_clear_pointer (&self->parameter_sets, g_bytes_unref);
  if (self->kind == GST_IVS_VIDEO)
    self->parameter_sets = aggregate_parameter_sets (
        gst_structure_get_string (s, "sprop-parameter-sets"));
}

void
gst_ivs_stream_interrupt (GstIvsStream *self)
{
  self->interrupted = TRUE;
  self->has_sps = FALSE;
}

/* -- Continuing ---------------------------------------------------------------- */

static guint32
timestamp_at (GstIvsStream *self, GstClockTimeDiff time)
{
  guint64 distance = gst_util_uint64_scale_int ((guint64) ABS (time),
      (gint) self->id.clock_rate, GST_SECOND);

  return self->time_base + (guint32) (time < 0 ? -distance : distance);
}

/* A payloader that is given no PTS has one timestamp for all pictures. */
static gboolean
is_stuck (GstIvsStream *self, guint32 in, GstClockTimeDiff time)
{
  return self->in_ended && in == self->in_time && time != self->in_running_time;
}

/* Pictures that come at once are different pictures still. */
static guint32
step_on (GstIvsStream *self, guint32 expected)
{
  return (gint32) (expected - self->last_time) > 0 ? expected
                                                   : self->last_time + 1;
}

static void
set_next_timestamp (GstIvsStream *self, guint32 in, GstClockTimeDiff time)
{
  /* Another packet of the same picture. */
  if (!self->interrupted && in + self->time_offset == self->last_time &&
      time == self->in_running_time)
    return;

  if (GST_CLOCK_STIME_IS_VALID (time)) {
    guint32 expected = timestamp_at (self, time);
    gint32 error = (gint32) (in + self->time_offset - expected);

    /* More than a second: the incoming clock has jumped. */
    if (self->interrupted || ABS ((gint64) error) > self->id.clock_rate)
      self->time_offset = expected - in;
    else if (is_stuck (self, in, time))
      self->time_offset = step_on (self, expected) - in;
  } else if (self->interrupted) {
    self->time_offset = self->last_time + 1 - in;
  }
  self->in_time = in;
  self->in_running_time = time;
  self->last_time = in + self->time_offset;
}

/* Returns by how much to step on; 0 = this packet is late or a duplicate. */
static guint16
sequence_step (GstIvsStream *self, guint16 in)
{
  guint16 step = (guint16) (in - self->in_seq);

  if (step > MAX_GAP && step <= G_MAXUINT16 - MAX_LATE)
    gst_ivs_stream_interrupt (self);
  if (self->interrupted)
    step = 1;
  else if (step > MAX_GAP)
    return 0;
  if (step != 0)
    self->in_seq = in;
  return step;
}

static gsize
header_size (GstIvsStream *self)
{
  return self->id.twcc_ext_id != 0 ? GST_IVS_STREAM_EXTENDED_HEADER
                                   : RTP_HEADER_SIZE;
}

/* RFC 3550, 5.1, and with TWCC one header extension of RFC 8285, whose number is
 * written when it is known, which is when the packet leaves. */
static void
write_header (GstIvsStream *self, guint8 *header, guint16 seq, guint32 time,
    gboolean marker)
{
  gboolean twcc = self->id.twcc_ext_id != 0;

  header[0] = (guint8) (0x80 | (twcc ? 0x10 : 0));
  header[1] = (guint8) ((marker ? 0x80 : 0) | (self->id.payload_type & 0x7f));
  GST_WRITE_UINT16_BE (header + 2, seq);
  GST_WRITE_UINT32_BE (header + 4, time);
  GST_WRITE_UINT32_BE (header + 8, self->id.ssrc);
  if (twcc) {
    GST_WRITE_UINT16_BE (header + 12, 0xBEDE);
    GST_WRITE_UINT16_BE (header + 14, 1);
    GST_WRITE_UINT32_BE (header + 16,
        (guint32) (self->id.twcc_ext_id << 4 | (2 - 1)) << 24);
  }
}

/* @beginning: (nullable): @copied bytes that follow the header */
static GstMemory *
make_header (GstIvsStream *self, gboolean marker, const guint8 *beginning,
    gsize copied)
{
  gsize size = header_size (self);
  guint8 *data;
  GstMemory *header =
      gst_ivs_headers_take (self->headers, size + copied, &data);

  write_header (self, data, ++self->last_seq, self->last_time, marker);
  if (copied > 0)
    memcpy (data + size, beginning, copied);
  return header;
}

/* A packet with @payload; its number follows on the last one's. */
static GstBuffer *
make_extra (GstIvsStream *self, GBytes *payload)
{
  GstBuffer *extra = gst_buffer_new ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (payload);

  gst_buffer_append_memory (extra, make_header (self, FALSE, NULL, 0));
  gst_buffer_copy_into (extra, buffer, GST_BUFFER_COPY_MEMORY, 0, -1);
  return extra;
}

/* A packet with what came in from @from to @to; 0 and its size: all of it. An
 * aggregate that is cut begins anew with its one byte of header. A first memory of a
 * few bytes is copied into the header's, which is less than to share it. */
static GstBuffer *
make_part (GstIvsStream *self, const GstIvsPacket *packet, gsize from, gsize to)
{
  gboolean is_last = to == packet->size;
  gsize copied = from == 0 && packet->first_size <= to ? packet->first_size : 0;
  GstBuffer *part = gst_buffer_new ();

  gst_buffer_append_memory (part,
      make_header (self, packet->has_marker && is_last, packet->beginning,
          copied));
  if (from > 0)
    part = gst_buffer_append (part, gst_buffer_new_memdup (packet->payload, 1));
  from += copied;
  gst_buffer_copy_into (part, packet->buffer,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_MEMORY,
      packet->header_size + from, to - from);
  return part;
}

/* Nobody else has it, and all of it but its header shall leave. */
static gboolean
is_ours (const GstIvsPacket *packet)
{
  return packet->has_own_header && !packet->has_padding &&
      gst_buffer_is_writable (packet->buffer);
}

static gboolean
drop_meta (GstBuffer *packet, GstMeta **meta, gpointer data)
{
  *meta = NULL;
  return TRUE;
}

/* The packet itself with another header: half of what it costs to make one. As a new one
 * it has neither times nor anything else that was said of it. */
static GstBuffer *
change_header (GstIvsStream *self, const GstIvsPacket *packet)
{
  GstBuffer *buffer = packet->buffer;

  gst_buffer_replace_memory_range (buffer, 0, packet->first_size > 0 ? 2 : 1,
      make_header (self, packet->has_marker, packet->beginning,
          packet->first_size));
  gst_buffer_foreach_meta (buffer, drop_meta, NULL);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (buffer) = GST_BUFFER_OFFSET_NONE;
  return gst_buffer_ref (buffer);
}

/* Where in the payload the picture's first slice begins; in an aggregate with its
 * size before it. 0: with the payload. */
static gsize
find_picture (const GstIvsPacket *packet)
{
  GstIvsNal nal;
  gsize at = 0;

  while (gst_ivs_h264_next_nal (packet->payload, packet->readable, &at, &nal)) {
    gsize begin = (gsize) (nal.body - packet->payload);

    if (gst_ivs_h264_begins_picture (&nal))
      return begin > 1 + 3 ? begin - 3 : 0; /* 2 bytes of size, 1 of header */
  }
  return 0;
}

/* H.264, 7.4.1.2.3: after delimiter and parameter sets, before the first slice. */
static void
add_with_inserted (GstIvsStream *self, const GstIvsPacket *packet,
    const GPtrArray *inserted, GstBufferList *out)
{
  gsize at = find_picture (packet);

  if (at > 0)
    gst_buffer_list_add (out, make_part (self, packet, 0, at));
  for (guint i = 0; i < inserted->len; i++)
    gst_buffer_list_add (out,
        make_extra (self, g_ptr_array_index (inserted, i)));
  gst_buffer_list_add (out, make_part (self, packet, at, packet->size));
}

/* Whether an IDR picture comes without its SPS: none had the timestamp of this. */
static gboolean
lacks_parameter_sets (GstIvsStream *self, GstIvsPacketFlags flags)
{
  if (flags & GST_IVS_PACKET_SPS) {
    self->has_sps = TRUE;
    self->sps_time = self->last_time;
    return FALSE;
  }
  return (flags & GST_IVS_PACKET_IDR) && self->parameter_sets != NULL &&
      !(self->has_sps && self->sps_time == self->last_time);
}

gboolean
gst_ivs_stream_continue (GstIvsStream *self, const GstIvsPacket *packet,
    GstClockTimeDiff time, const GPtrArray *inserted, GstBufferList *out)
{
  guint16 step;

  if (packet->ssrc != self->in_ssrc)
    gst_ivs_stream_interrupt (self);
  self->in_ssrc = packet->ssrc;

  step = sequence_step (self, packet->seq);
  if (step == 0)
    return FALSE;
  set_next_timestamp (self, packet->timestamp, time);
  self->in_ended = (packet->flags & GST_IVS_PACKET_FRAME_END) != 0;
  self->last_seq = (guint16) (self->last_seq + step - 1);
  if (lacks_parameter_sets (self, packet->flags))
    gst_buffer_list_add (out, make_extra (self, self->parameter_sets));
  if (inserted != NULL)
    add_with_inserted (self, packet, inserted, out);
  else
    gst_buffer_list_insert (out, -1,
        is_ours (packet) ? change_header (self, packet)
                         : make_part (self, packet, 0, packet->size));
  self->interrupted = FALSE;
  return TRUE;
}

guint32
gst_ivs_stream_get_timestamp (const GstIvsStream *self)
{
  return self->last_time;
}
