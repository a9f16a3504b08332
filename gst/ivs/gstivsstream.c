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
#include <string.h>

#define RTP_HEADER_SIZE 12
#define TWCC_EXTENSION_SIZE 8 /* RFC 8285, 4.2: 4 header, 1 id, 2 data, 1 pad */

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

  /* What left. */
  guint16 last_seq;
  guint32 time_base; /* the timestamp at running time 0 */
  guint32 last_time;

  /* What comes in. */
  gboolean interrupted;
  guint32 in_ssrc;
  guint16 in_seq;         /* highest so far */
  guint32 time_offset;    /* out = in + time_offset */
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

/* -- Looking inside ------------------------------------------------------------ */

/* The slice header starts with first_mb_in_slice as ue(v), whose value 0 is one
 * bit 1: a further slice of the same picture is told from its first (H.264, 7.3.3). */
static gboolean
begins_picture (const GstIvsNal *nal)
{
  return (nal->type == GST_IVS_NAL_SLICE ||
             nal->type == GST_IVS_NAL_PARTITION_A ||
             nal->type == GST_IVS_NAL_IDR) &&
      nal->size > 0 && (nal->body[0] & 0x80) != 0;
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
    else if (begins_picture (&nal))
      flags |= nal.type == GST_IVS_NAL_IDR
          ? GST_IVS_PACKET_PICTURE | GST_IVS_PACKET_IDR
          : GST_IVS_PACKET_PICTURE;
  }
  return flags;
}

GstIvsPacketFlags
gst_ivs_stream_inspect (GstIvsStream *self, GstBuffer *packet,
    GstRTPBuffer *rtp)
{
  GstIvsPacketFlags flags = 0;

  if (!gst_rtp_buffer_map (packet, GST_MAP_READ, rtp))
    return GST_IVS_PACKET_INVALID;
  if (self->kind != GST_IVS_VIDEO)
    return GST_IVS_PACKET_FRAME_END;

  flags = inspect_h264 (gst_rtp_buffer_get_payload (rtp),
      gst_rtp_buffer_get_payload_len (rtp));
  if (gst_rtp_buffer_get_marker (rtp))
    flags |= GST_IVS_PACKET_FRAME_END;
  return flags;
}

/* -- Continuing ---------------------------------------------------------------- */

static guint32
timestamp_at (GstIvsStream *self, GstClockTimeDiff time)
{
  guint64 distance = gst_util_uint64_scale_int ((guint64) ABS (time),
      (gint) self->id.clock_rate, GST_SECOND);

  return self->time_base + (guint32) (time < 0 ? -distance : distance);
}

static guint32
next_timestamp (GstIvsStream *self, guint32 in, GstClockTimeDiff time)
{
  if (GST_CLOCK_STIME_IS_VALID (time)) {
    guint32 expected = timestamp_at (self, time);
    gint32 error = (gint32) (in + self->time_offset - expected);

    /* More than a second: the incoming clock has jumped. */
    if (self->interrupted || ABS ((gint64) error) > self->id.clock_rate)
      self->time_offset = expected - in;
  } else if (self->interrupted) {
    self->time_offset = self->last_time + 1 - in;
  }
  self->last_time = in + self->time_offset;
  return self->last_time;
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

/* RFC 3550, 5.1, and with TWCC one header extension of RFC 8285; rtpsession
 * writes the number into it, but does not add it. */
static GstBuffer *
make_packet (GstIvsStream *self, guint16 seq, guint32 time, gboolean marker)
{
  gboolean twcc = self->id.twcc_ext_id != 0;
  gsize size = RTP_HEADER_SIZE + (twcc ? TWCC_EXTENSION_SIZE : 0);
  guint8 *header = g_malloc0 (size);

  header[0] = (guint8) (0x80 | (twcc ? 0x10 : 0));
  header[1] = (guint8) ((marker ? 0x80 : 0) | (self->id.payload_type & 0x7f));
  GST_WRITE_UINT16_BE (header + 2, seq);
  GST_WRITE_UINT32_BE (header + 4, time);
  GST_WRITE_UINT32_BE (header + 8, self->id.ssrc);
  if (twcc) {
    GST_WRITE_UINT16_BE (header + 12, 0xBEDE);
    GST_WRITE_UINT16_BE (header + 14, 1);
    header[16] = (guint8) (self->id.twcc_ext_id << 4 | (2 - 1));
  }
  return gst_buffer_new_wrapped (header, size);
}

/* What all packets have in common that leave for one that came in. */
typedef struct
{
  GstBuffer *packet; /* that came in */
  guint header_size;
  const guint8 *payload;
  gsize size;
  guint32 time; /* that leaves */
  gboolean marker;
} Arrival;

/* A packet with @payload; its number follows on the last one's. */
static GstBuffer *
make_extra (GstIvsStream *self, const Arrival *arrival, GBytes *payload)
{
  GstBuffer *packet =
      make_packet (self, ++self->last_seq, arrival->time, FALSE);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (payload);

  gst_buffer_copy_into (packet, buffer, GST_BUFFER_COPY_MEMORY, 0, -1);
  return packet;
}

/* A packet with what came in from @from to @to; 0 and its size: all of it. An
 * aggregate that is cut begins anew with its one byte of header. */
static GstBuffer *
make_part (GstIvsStream *self, const Arrival *arrival, gsize from, gsize to)
{
  gboolean is_last = to == arrival->size;
  GstBuffer *part = make_packet (self, ++self->last_seq, arrival->time,
      arrival->marker && is_last);

  if (from > 0)
    part =
        gst_buffer_append (part, gst_buffer_new_memdup (arrival->payload, 1));
  gst_buffer_copy_into (part, arrival->packet,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_MEMORY,
      arrival->header_size + from, to - from);
  return part;
}

/* Where in the payload the picture's first slice begins; in an aggregate with its
 * size before it. 0: with the payload. */
static gsize
find_picture (const Arrival *arrival)
{
  GstIvsNal nal;
  gsize at = 0;

  while (gst_ivs_h264_next_nal (arrival->payload, arrival->size, &at, &nal)) {
    gsize begin = (gsize) (nal.body - arrival->payload);

    if (begins_picture (&nal))
      return begin > 1 + 3 ? begin - 3 : 0; /* 2 bytes of size, 1 of header */
  }
  return 0;
}

/* H.264, 7.4.1.2.3: after delimiter and parameter sets, before the first slice. */
static void
add_parts (GstIvsStream *self, const Arrival *arrival,
    const GPtrArray *inserted, GstBufferList *out)
{
  gsize at = inserted != NULL ? find_picture (arrival) : 0;

  if (at > 0)
    gst_buffer_list_add (out, make_part (self, arrival, 0, at));
  for (guint i = 0; inserted != NULL && i < inserted->len; i++)
    gst_buffer_list_add (out,
        make_extra (self, arrival, g_ptr_array_index (inserted, i)));
  gst_buffer_list_add (out, make_part (self, arrival, at, arrival->size));
}

/* Whether an IDR picture of this timestamp comes without its SPS. */
static gboolean
lacks_parameter_sets (GstIvsStream *self, GstIvsPacketFlags flags, guint32 time)
{
  if (flags & GST_IVS_PACKET_SPS) {
    self->has_sps = TRUE;
    self->sps_time = time;
    return FALSE;
  }
  return (flags & GST_IVS_PACKET_IDR) && self->parameter_sets != NULL &&
      !(self->has_sps && self->sps_time == time);
}

static Arrival
describe_arrival (GstRTPBuffer *rtp)
{
  /* Without padding: the payload's length does not count it. */
  return (Arrival){ .packet = rtp->buffer,
    .header_size = gst_rtp_buffer_get_header_len (rtp),
    .payload = gst_rtp_buffer_get_payload (rtp),
    .size = gst_rtp_buffer_get_payload_len (rtp),
    .marker = gst_rtp_buffer_get_marker (rtp) };
}

gboolean
gst_ivs_stream_continue (GstIvsStream *self, GstRTPBuffer *rtp,
    GstIvsPacketFlags flags, GstClockTimeDiff time, const GPtrArray *inserted,
    GstBufferList *out)
{
  Arrival arrival;
  guint16 step;

  if (gst_rtp_buffer_get_ssrc (rtp) != self->in_ssrc)
    gst_ivs_stream_interrupt (self);
  self->in_ssrc = gst_rtp_buffer_get_ssrc (rtp);

  step = sequence_step (self, gst_rtp_buffer_get_seq (rtp));
  if (step == 0)
    return FALSE;
  arrival = describe_arrival (rtp);
  arrival.time =
      next_timestamp (self, gst_rtp_buffer_get_timestamp (rtp), time);
  self->last_seq = (guint16) (self->last_seq + step - 1);
  if (lacks_parameter_sets (self, flags, arrival.time))
    gst_buffer_list_add (out,
        make_extra (self, &arrival, self->parameter_sets));
  add_parts (self, &arrival, inserted, out);
  self->interrupted = FALSE;
  return TRUE;
}

guint32
gst_ivs_stream_get_timestamp (const GstIvsStream *self)
{
  return self->last_time;
}
