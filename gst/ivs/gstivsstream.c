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

/* Enough for the headers of a NAL unit or a fragment, and for the two numbers that a
 * slice begins with. */
#define BEGINNING_SIZE 16

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
  GstIvsPayload payload;  /* of the packet that was inspected last */
  gsize first_size;       /* of its first memory, if that is in "beginning" */
  guint8 beginning[BEGINNING_SIZE];
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

/* The bytes of the payload's first memory, as far as they fit. A payloader makes one for
 * the two bytes with which a fragment begins; all that a later fragment says is there. */
static gsize
read_first_memory (GstIvsStream *self, GstRTPBuffer *rtp)
{
  GstMemory *memory;
  GstMapInfo map;
  gsize size;

  if (rtp->data[2] != NULL || gst_buffer_n_memory (rtp->buffer) < 3 ||
      rtp->map[0].size != gst_rtp_buffer_get_header_len (rtp))
    return 0;
  memory = gst_buffer_peek_memory (rtp->buffer, 1);
  if (!gst_memory_map (memory, &map, GST_MAP_READ))
    return 0;
  size = map.size <= BEGINNING_SIZE ? map.size : 0;
  memcpy (self->beginning, map.data, size);
  gst_memory_unmap (memory, &map);
  return size;
}

/* Whether it is a fragment that begins nothing. */
static gboolean
is_later_fragment (const guint8 *payload, gsize size)
{
  return size >= 2 && (payload[0] & 0x1f) == GST_IVS_NAL_FU_A &&
      (payload[1] & 0x80) == 0;
}

/* Whether nobody reads further than the beginning: of slices, but not of parameter sets
 * or aggregates. */
static gboolean
is_told_by_beginning (GstIvsStream *self)
{
  if (self->kind == GST_IVS_AUDIO)
    return TRUE;
  switch (self->beginning[0] & 0x1f) {
    case GST_IVS_NAL_SLICE:
    case GST_IVS_NAL_PARTITION_A:
    case GST_IVS_NAL_IDR:
    case GST_IVS_NAL_FU_A:
      return TRUE;
    default:
      return FALSE;
  }
}

/* To map the payload is to copy it, for it lies in more than one memory: so only what
 * has to be seen is taken out. */
static void
look_at_payload (GstIvsStream *self, GstRTPBuffer *rtp)
{
  GstIvsPayload *payload = &self->payload;

  payload->size = gst_rtp_buffer_get_payload_len (rtp);
  payload->data = self->beginning;
  payload->readable = self->first_size = read_first_memory (self, rtp);
  if (self->kind == GST_IVS_VIDEO &&
      is_later_fragment (payload->data, payload->readable))
    return;

  payload->readable =
      gst_buffer_extract (rtp->buffer, gst_rtp_buffer_get_header_len (rtp),
          self->beginning, MIN (payload->size, BEGINNING_SIZE));
  if (payload->readable == payload->size || is_told_by_beginning (self))
    return;
  self->first_size = 0; /* to map it may join the memories of the packet */
  payload->data = gst_rtp_buffer_get_payload (rtp);
  payload->readable = payload->data != NULL ? payload->size : 0;
}

const GstIvsPayload *
gst_ivs_stream_get_payload (const GstIvsStream *self)
{
  return &self->payload;
}

GstIvsPacketFlags
gst_ivs_stream_inspect (GstIvsStream *self, GstBuffer *packet,
    GstRTPBuffer *rtp)
{
  GstIvsPacketFlags flags = 0;

  if (!gst_rtp_buffer_map (packet, GST_MAP_READ, rtp))
    return GST_IVS_PACKET_INVALID;
  look_at_payload (self, rtp);
  if (self->kind != GST_IVS_VIDEO)
    return GST_IVS_PACKET_FRAME_END;

  flags = inspect_h264 (self->payload.data, self->payload.readable);
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

static gsize
header_size (GstIvsStream *self)
{
  return RTP_HEADER_SIZE +
      (self->id.twcc_ext_id != 0 ? TWCC_EXTENSION_SIZE : 0);
}

/* RFC 3550, 5.1, and with TWCC one header extension of RFC 8285; rtpsession
 * writes the number into it, but does not add it. */
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

/* @copied: so many bytes of the payload's beginning follow the header. */
static GstMemory *
make_header (GstIvsStream *self, guint32 time, gboolean marker, gsize copied)
{
  gsize size = header_size (self);
  guint8 *header = g_malloc (size + copied);

  write_header (self, header, ++self->last_seq, time, marker);
  memcpy (header + size, self->beginning, copied);
  return gst_memory_new_wrapped (0, header, size + copied, 0, size + copied,
      header, g_free);
}

static GstBuffer *
make_packet (GstIvsStream *self, guint32 time, gboolean marker, gsize copied)
{
  GstBuffer *packet = gst_buffer_new ();

  gst_buffer_append_memory (packet, make_header (self, time, marker, copied));
  return packet;
}

/* What all packets have in common that leave for one that came in. */
typedef struct
{
  GstBuffer *packet; /* that came in */
  gsize header_size;
  gboolean is_ours;      /* nobody else has it, and it has no padding */
  const guint8 *payload; /* or NULL */
  gsize size;            /* of the payload */
  guint32 time;          /* that leaves */
  gboolean marker;
} Arrival;

/* A packet with @payload; its number follows on the last one's. */
static GstBuffer *
make_extra (GstIvsStream *self, const Arrival *arrival, GBytes *payload)
{
  GstBuffer *packet = make_packet (self, arrival->time, FALSE, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (payload);

  gst_buffer_copy_into (packet, buffer, GST_BUFFER_COPY_MEMORY, 0, -1);
  return packet;
}

/* A packet with what came in from @from to @to; 0 and its size: all of it. An
 * aggregate that is cut begins anew with its one byte of header. A first memory of a
 * few bytes is copied into the header's, which is less than to share it. */
static GstBuffer *
make_part (GstIvsStream *self, const Arrival *arrival, gsize from, gsize to)
{
  gboolean is_last = to == arrival->size;
  gsize copied = from == 0 && self->first_size <= to ? self->first_size : 0;
  GstBuffer *part =
      make_packet (self, arrival->time, arrival->marker && is_last, copied);

  if (from > 0)
    part =
        gst_buffer_append (part, gst_buffer_new_memdup (arrival->payload, 1));
  from += copied;
  gst_buffer_copy_into (part, arrival->packet,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_MEMORY,
      arrival->header_size + from, to - from);
  return part;
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
change_header (GstIvsStream *self, const Arrival *arrival)
{
  GstBuffer *packet = arrival->packet;

  gst_buffer_replace_memory_range (packet, 0, self->first_size > 0 ? 2 : 1,
      make_header (self, arrival->time, arrival->marker, self->first_size));
  gst_buffer_foreach_meta (packet, drop_meta, NULL);
  GST_BUFFER_PTS (packet) = GST_BUFFER_DTS (packet) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (packet) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (packet) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (packet) = GST_BUFFER_OFFSET_NONE;
  return gst_buffer_ref (packet);
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

  if (inserted == NULL && arrival->is_ours) {
    gst_buffer_list_add (out, change_header (self, arrival));
    return;
  }
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

/* @is_cut: the payload will be looked at. */
static Arrival
describe_arrival (GstRTPBuffer *rtp, gboolean is_cut)
{
  /* Without padding: the payload's length does not count it. */
  gsize header_size = gst_rtp_buffer_get_header_len (rtp);

  return (Arrival){ .packet = rtp->buffer,
    .header_size = header_size,
    .is_ours = gst_buffer_is_writable (rtp->buffer) &&
        rtp->map[0].size == header_size && !gst_rtp_buffer_get_padding (rtp),
    .payload = is_cut ? gst_rtp_buffer_get_payload (rtp) : NULL,
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
  arrival = describe_arrival (rtp, inserted != NULL);
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
