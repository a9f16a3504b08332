/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: RTP packets of H.264 on their way through a gate, with metadata put in
 * before the pictures. The first line of the input is sprop-parameter-sets; then each
 * packet has two bytes before it: what to do meanwhile, and its size.
 *
 * What leaves is one stream, and its NAL units are those that came, in their order.
 */
#include "fuzz.h"
#include "gstivsh264.h"
#include "gstivsmetadata.h"
#include "gstivsmonitor.h"
#include "gstivsstream.h"

#define SSRC 0x22222222
#define PAYLOAD_TYPE 97
#define MAX_GAP 256

/* Of the two bytes. */
#define WITH_METADATA 0x8000
#define WITHOUT_TIME 0x4000
#define INTERRUPTED 0x2000
#define JUMPED 0x1000
#define IN_PARTS 0x0800
#define SIZE 0x07ff

typedef struct
{
  GstIvsStream *stream;
  GstIvsMonitor *monitor;
  gboolean has_sets; /* in the caps */
  gboolean has_begun;
  guint16 last_seq;
  GstClockTime now;
} Rig;

/* -- NAL units, written one after the other ---------------------------------------- */

static void
append_nal (GByteArray *list, const GstIvsNal *nal)
{
  guint32 size = (guint32) nal->size;

  g_byte_array_append (list, &nal->type, 1);
  g_byte_array_append (list, (const guint8 *) &size, sizeof size);
  g_byte_array_append (list, nal->body, size);
}

/* @inserted goes before the first slice of the first picture. */
static void
append_nals (GByteArray *list, const guint8 *payload, gsize size,
    const GPtrArray *inserted)
{
  GstIvsNal nal;
  gsize at = 0;

  while (gst_ivs_h264_next_nal (payload, size, &at, &nal)) {
    if (inserted != NULL && gst_ivs_h264_begins_picture (&nal)) {
      for (guint i = 0; i < inserted->len; i++) {
        gsize extra_size;
        const guint8 *extra =
            g_bytes_get_data (inserted->pdata[i], &extra_size);

        append_nals (list, extra, extra_size, NULL);
      }
      inserted = NULL;
    }
    append_nal (list, &nal);
  }
}

/* -- What leaves ---------------------------------------------------------------------- */

static void
check_header (Rig *rig, GstRTPBuffer *rtp, gboolean is_first)
{
  guint16 step = (guint16) (gst_rtp_buffer_get_seq (rtp) - rig->last_seq);
  gpointer data;
  guint size;

  RULE (gst_rtp_buffer_get_ssrc (rtp) == SSRC);
  RULE (gst_rtp_buffer_get_payload_type (rtp) == PAYLOAD_TYPE);
  RULE (gst_rtp_buffer_get_timestamp (rtp) ==
      gst_ivs_stream_get_timestamp (rig->stream));
  RULE (!gst_rtp_buffer_get_padding (rtp));
  RULE (gst_rtp_buffer_get_extension_onebyte_header (rtp, 3, 0, &data, &size) &&
      size == 2);
  if (rig->has_begun)
    RULE (is_first ? step >= 1 && step <= MAX_GAP : step == 1);
  rig->has_begun = TRUE;
  rig->last_seq = gst_rtp_buffer_get_seq (rtp);
}

/* The parameter sets of the caps may be before an IDR picture. */
static void
check_nals (Rig *rig, GstIvsPacketFlags flags, const GByteArray *expected,
    const GByteArray *left)
{
  gsize more = left->len - expected->len;

  RULE (left->len >= expected->len);
  RULE (expected->len == 0 ||
      memcmp (left->data + more, expected->data, expected->len) == 0);
  if (more > 0)
    RULE (rig->has_sets && (flags & GST_IVS_PACKET_IDR) != 0);
}

static void
check_left (Rig *rig, GstBufferList *out, gboolean marker,
    GstIvsPacketFlags flags, const GByteArray *expected)
{
  guint n = gst_buffer_list_length (out);
  g_autoptr (GByteArray) left = g_byte_array_new ();

  RULE (n > 0);
  for (guint i = 0; i < n; i++) {
    GstBuffer *packet = gst_buffer_list_get (out, i);
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

    RULE (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
    check_header (rig, &rtp, i == 0);
    RULE (gst_rtp_buffer_get_marker (&rtp) == (marker && i + 1 == n));
    append_nals (left, gst_rtp_buffer_get_payload (&rtp),
        gst_rtp_buffer_get_payload_len (&rtp), NULL);
    gst_rtp_buffer_unmap (&rtp);
    gst_ivs_monitor_buffer (rig->monitor, GST_IVS_VIDEO, packet, rig->now);
  }
  check_nals (rig, flags, expected, left);
}

/* -- What comes ------------------------------------------------------------------------ */

/* Of a copy: to map the payload may join the memories of a packet. */
static void
append_payload (GByteArray *list, GstBuffer *packet, const GPtrArray *inserted)
{
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (packet);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  RULE (gst_rtp_buffer_map (copy, GST_MAP_READ, &rtp));
  append_nals (list, gst_rtp_buffer_get_payload (&rtp),
      gst_rtp_buffer_get_payload_len (&rtp), inserted);
  gst_rtp_buffer_unmap (&rtp);
}

/* As the gate does. */
static void
pass_opened (Rig *rig, GstIvsPacket *packet, guint what)
{
  static const guint8 text[1000] = "hello";
  GstBufferList *out = gst_buffer_list_new ();
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  g_autoptr (GPtrArray) inserted = NULL;

  if ((what & WITH_METADATA) && (packet->flags & GST_IVS_PACKET_PICTURE)) {
    inserted = gst_ivs_metadata_make_payloads (text, sizeof text);
    gst_ivs_packet_map_payload (packet);
  }
  append_payload (expected, packet->buffer, inserted);
  if (gst_ivs_stream_continue (rig->stream, packet,
          (what & WITHOUT_TIME) ? GST_CLOCK_STIME_NONE
                                : (GstClockTimeDiff) rig->now,
          inserted, out))
    check_left (rig, out, packet->has_marker, packet->flags, expected);
  else
    RULE (gst_buffer_list_length (out) == 0);
  gst_buffer_list_unref (out);
}

/* In parts as payloaders make them: header, two bytes of a fragment, the rest. */
static GstBuffer *
make_buffer (const guint8 *data, gsize size, guint what)
{
  g_autoptr (GstBuffer) whole =
      size > 0 ? gst_buffer_new_memdup (data, size) : gst_buffer_new ();
  GstBuffer *parts = gst_buffer_new ();

  if (!(what & IN_PARTS) || size <= 12 + 2)
    return gst_buffer_append (parts, g_steal_pointer (&whole));
  parts = gst_buffer_append_region (parts, gst_buffer_ref (whole), 0, 12);
  parts = gst_buffer_append_region (parts, gst_buffer_ref (whole), 12, 2);
  return gst_buffer_append_region (parts, g_steal_pointer (&whole), 14, -1);
}

/* However its memory lies, a packet carries the same. */
static void
check_parts (const guint8 *data, gsize size)
{
  g_autoptr (GstBuffer) whole = make_buffer (data, size, 0);
  g_autoptr (GstBuffer) parts = make_buffer (data, size, IN_PARTS);
  GstIvsPacket one, other;
  gboolean is_open = gst_ivs_packet_open (&one, GST_IVS_VIDEO, whole);

  RULE (is_open == gst_ivs_packet_open (&other, GST_IVS_VIDEO, parts));
  if (!is_open)
    return;
  RULE (one.flags == other.flags && one.seq == other.seq &&
      one.timestamp == other.timestamp && one.ssrc == other.ssrc &&
      one.has_marker == other.has_marker && one.size == other.size &&
      one.header_size == other.header_size &&
      one.has_padding == other.has_padding);
  RULE (memcmp (one.payload, other.payload,
            MIN (one.readable, other.readable)) == 0);
  gst_ivs_packet_close (&one);
  gst_ivs_packet_close (&other);
}

static void
pass (Rig *rig, const guint8 *data, gsize size, guint what)
{
  GstBuffer *buffer = make_buffer (data, size, what);
  GstIvsPacket packet;

  /* Of padding and extensions the library asks that they lie in one. */
  if (size > 0 && (data[0] & 0x30) == 0)
    check_parts (data, size);
  rig->now += (what & JUMPED) ? 3600 * GST_SECOND : 33 * GST_MSECOND;
  if (what & INTERRUPTED)
    gst_ivs_stream_interrupt (rig->stream);
  if (gst_ivs_packet_open (&packet, GST_IVS_VIDEO, buffer)) {
    pass_opened (rig, &packet, what);
    gst_ivs_packet_close (&packet);
  }
  gst_buffer_unref (buffer);
}

static void
take_caps (Rig *rig, const gchar *sprop)
{
  GstCaps *caps = gst_caps_new_simple ("application/x-rtp", "media",
      G_TYPE_STRING, "video", NULL);

  rig->has_sets = *sprop != '\0' && g_utf8_validate (sprop, -1, NULL);
  if (rig->has_sets)
    gst_caps_set_simple (caps, "sprop-parameter-sets", G_TYPE_STRING, sprop,
        NULL);
  gst_ivs_stream_set_input_caps (rig->stream, caps);
  gst_caps_unref (caps);
}

static void
found (const IvsFinding *finding, gpointer data)
{
  gst_structure_free (gst_ivs_monitor_make_details (finding));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const GstIvsStreamId id = { SSRC, PAYLOAD_TYPE, 90000, 3 };
  const guint8 *end = size > 0 ? memchr (data, '\n', size) : NULL;
  gsize at = end != NULL ? (gsize) (end - data) + 1 : 0;
  g_autofree gchar *sprop = fuzz_dup_text (data, at > 0 ? at - 1 : 0);
  Rig rig = { gst_ivs_stream_new (GST_IVS_VIDEO, &id), gst_ivs_monitor_new () };

  take_caps (&rig, sprop);
  gst_ivs_monitor_expect (rig.monitor, GST_IVS_VIDEO, TRUE, rig.now);
  while (size - at > 2) {
    guint what = (guint) data[at] << 8 | data[at + 1];
    gsize length = MIN (what & SIZE, size - at - 2);

    pass (&rig, data + at + 2, length, what);
    at += 2 + length;
  }
  gst_ivs_monitor_judge (rig.monitor, rig.now, found, NULL);
  gst_structure_free (
      gst_ivs_monitor_make_stats (rig.monitor, GST_IVS_VIDEO, rig.now));
  gst_ivs_monitor_unref (rig.monitor);
  gst_ivs_stream_free (rig.stream);
  return 0;
}
