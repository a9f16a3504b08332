/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Metadata: the SEI that is written, read by GStreamer's own parser, and its place
 * among the packets that leave a gate.
 */
#include "end-gstreamer.h"
#include "gstivsgate.h"
#include "gstivsmetadata.h"
#include "test-table.h"
#include <gst/check/gstharness.h>
#include <gst/codecparsers/gsth264parser.h>
#include <gst/rtp/rtp.h>
#include <string.h>

/* -- What is written -------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  gsize size;
  guint8 first, step; /* the bytes: first, first + step, ... */
  guint packets;
} Message;

/* Zeros and small numbers must be escaped; sizes around those of one byte (255 with the
 * UUID) and of one packet. */
static const Message messages[] = {
  { "one-byte", 1, 'a', 0, 1 },
  { "one-zero", 1, 0, 0, 1 },
  { "two-zeros", 2, 0, 0, 1 },
  { "counting", 256, 0, 1, 1 },
  { "size-254", 254 - 16, 1, 0, 1 },
  { "size-255", 255 - 16, 1, 0, 1 },
  { "size-256", 256 - 16, 1, 0, 1 },
  { "size-510", 510 - 16, 7, 0, 1 },
  { "largest", 1024, 'x', 0, 1 },
  { "largest-zeros", 1024, 0, 0, 2 },
  { "largest-threes", 1024, 3, 0, 1 },
};

static GBytes *
make_data (const Message *message)
{
  guint8 *data = g_malloc (message->size);

  for (gsize i = 0; i < message->size; i++)
    data[i] = (guint8) (message->first + i * message->step);
  return g_bytes_new_take (data, message->size);
}

static void
append (GByteArray *nal, GBytes *part, gsize from)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (part, &size);

  g_assert_cmpuint (size, >, from);
  g_assert_cmpuint (size, <=, 1100);
  g_byte_array_append (nal, data + from, (guint) (size - from));
}

/* RFC 6184, 5.6 and 5.8, the other way round; with a start code before it. */
static GByteArray *
join (const GPtrArray *payloads)
{
  GByteArray *nal = g_byte_array_new ();

  g_byte_array_append (nal, (const guint8[]){ 0, 0, 0, 1 }, 4);
  if (payloads->len == 1) {
    append (nal, g_ptr_array_index (payloads, 0), 0);
    return nal;
  }
  g_byte_array_append (nal, (const guint8[]){ 6 }, 1);
  for (guint i = 0; i < payloads->len; i++) {
    GBytes *part = g_ptr_array_index (payloads, i);
    const guint8 *data = g_bytes_get_data (part, NULL);

    g_assert_cmphex (data[0], ==, 28);
    g_assert_cmphex (data[1], ==,
        6 | (i == 0 ? 0x80 : 0) | (i + 1 == payloads->len ? 0x40 : 0));
    append (nal, part, 2);
  }
  return nal;
}

static void
assert_no_start_code (const GByteArray *nal)
{
  for (guint i = 5; i + 2 < nal->len; i++)
    g_assert_false (
        nal->data[i] == 0 && nal->data[i + 1] == 0 && nal->data[i + 2] < 3);
}

static void
assert_says (const GByteArray *nal, GBytes *expected)
{
  GstH264NalParser *parser = gst_h264_nal_parser_new ();
  g_autoptr (GArray) parsed = NULL;
  const GstH264SEIMessage *message;
  GstH264NalUnit unit;

  g_assert_cmpint (gst_h264_parser_identify_nalu_unchecked (parser, nal->data,
                       0, nal->len, &unit),
      ==, GST_H264_PARSER_OK);
  g_assert_cmpint (unit.type, ==, GST_H264_NAL_SEI);
  g_assert_cmpint (gst_h264_parser_parse_sei (parser, &unit, &parsed), ==,
      GST_H264_PARSER_OK);
  g_assert_cmpuint (parsed->len, ==, 1);
  message = &g_array_index (parsed, GstH264SEIMessage, 0);
  g_assert_cmpint (message->payloadType, ==,
      GST_H264_SEI_USER_DATA_UNREGISTERED);
  g_assert_cmpmem (message->payload.user_data_unregistered.uuid, 16,
      "\x9e\x50\x4e\xa5\xee\x5a\x4f\x02\x94\x9f\xb0\x3b\xa3\x76\x8d\xa2", 16);
  g_assert_cmpmem (message->payload.user_data_unregistered.data,
      message->payload.user_data_unregistered.size,
      g_bytes_get_data (expected, NULL), g_bytes_get_size (expected));
  gst_h264_nal_parser_free (parser);
}

static void
test_message (gconstpointer data)
{
  const Message *message = data;
  g_autoptr (GBytes) bytes = make_data (message);
  g_autoptr (GPtrArray) payloads =
      gst_ivs_metadata_make_payloads (g_bytes_get_data (bytes, NULL),
          g_bytes_get_size (bytes));
  g_autoptr (GByteArray) nal = join (payloads);

  g_assert_cmpuint (payloads->len, ==, message->packets);
  assert_no_start_code (nal);
  assert_says (nal, bytes);
}

/* -- Its place ------------------------------------------------------------------- */

/* NAL units, each with the bit of first_mb_in_slice */
#define AUD "\x09\x30"
#define SPS "\x67\x42\xc0\x1f"
#define IDR "\x65\x88\x84"
#define SLICE "\x41\x9a\x33"
#define SECOND_SLICE "\x41\x44\x33"
#define IDR_START "\x7c\x85\x88"
#define IDR_END "\x7c\x45\x88"
#define OF(nal) "\x00" nal
#define STAP "\x78"

typedef struct
{
  GstIvsGate *gate;
  GstHarness *h;
  guint16 seq;
} Rig;

static void
rig_set_up (Rig *rig, gconstpointer data)
{
  const GstIvsStreamId id = { 0x22222222, 97, 90000, 3 };

  rig->gate = gst_ivs_gate_new (GST_IVS_VIDEO, &id);
  rig->h =
      gst_harness_new_with_element (GST_ELEMENT (rig->gate), "sink", "src");
  gst_harness_set_live (rig->h, TRUE);
  gst_harness_set_src_caps_str (rig->h,
      "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000");
  gst_ivs_gate_open (rig->gate);
}

static void
rig_tear_down (Rig *rig, gconstpointer data)
{
  gst_object_unref (rig->gate);
  gst_harness_teardown (rig->h);
}

static GstBuffer *
make_packet (Rig *rig, const gchar *payload, gsize size, gboolean marker)
{
  GstBuffer *packet = gst_rtp_buffer_new_allocate ((guint) size, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_WRITE, &rtp));
  gst_rtp_buffer_set_seq (&rtp, rig->seq++);
  gst_rtp_buffer_set_ssrc (&rtp, 7);
  gst_rtp_buffer_set_marker (&rtp, marker);
  memcpy (gst_rtp_buffer_get_payload (&rtp), payload, size);
  gst_rtp_buffer_unmap (&rtp);
  GST_BUFFER_PTS (packet) = 0;
  return packet;
}

#define PUSH(rig, payload, marker) \
  g_assert_cmpint (gst_harness_push ((rig)->h, \
                       make_packet (rig, payload, sizeof payload - 1, \
                           marker)), \
      ==, GST_FLOW_OK)

static gboolean
send_text (Rig *rig, const gchar *text)
{
  return gst_ivs_gate_send_metadata (rig->gate, (const guint8 *) text,
      strlen (text));
}

/* What left since the last call: the first bytes of all payloads, "*" where the
 * marker is; the numbers must follow one another. */
static gchar *
pull_all (Rig *rig)
{
  g_autoptr (GString) seen = g_string_new (NULL);
  GstBuffer *packet;
  gint last = -1;

  while ((packet = gst_harness_try_pull (rig->h)) != NULL) {
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    guint8 *payload;

    g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
    payload = gst_rtp_buffer_get_payload (&rtp);
    g_string_append_printf (seen, "%s%02x.%u%s", seen->len > 0 ? " " : "",
        payload[0], gst_rtp_buffer_get_payload_len (&rtp),
        gst_rtp_buffer_get_marker (&rtp) ? "*" : "");
    if (last >= 0)
      g_assert_cmpint ((guint16) (last + 1), ==, gst_rtp_buffer_get_seq (&rtp));
    last = gst_rtp_buffer_get_seq (&rtp);
    gst_rtp_buffer_unmap (&rtp);
    gst_buffer_unref (packet);
  }
  return g_string_free (g_steal_pointer (&seen), FALSE);
}

static void
expect (Rig *rig, const gchar *expected)
{
  g_autofree gchar *seen = pull_all (rig);

  g_assert_cmpstr (seen, ==, expected);
}

/* "hello" as SEI: header, type, size, 16 + 5, stop bit. */
#define HELLO "06.25"

static void
begin (Rig *rig)
{
  PUSH (rig, SPS, FALSE);
  PUSH (rig, IDR, TRUE);
  expect (rig, "67.4 65.3*");
}

static void
test_before_picture (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  PUSH (rig, SLICE, FALSE);
  PUSH (rig, SECOND_SLICE, TRUE);
  PUSH (rig, SLICE, TRUE);
  expect (rig, HELLO " 41.3 41.3* 41.3*");
}

static void
test_behind_parameter_sets (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  PUSH (rig, SPS, FALSE);
  PUSH (rig, IDR_START, FALSE);
  PUSH (rig, IDR_END, TRUE);
  expect (rig, "67.4 " HELLO " 7c.3 7c.3*");
}

/* Between the slices of a picture there is no place. */
static void
test_not_inside_picture (Rig *rig, gconstpointer data)
{
  begin (rig);
  PUSH (rig, SLICE, FALSE);
  g_assert_true (send_text (rig, "hello"));
  PUSH (rig, SECOND_SLICE, TRUE);
  PUSH (rig, SLICE, TRUE);
  expect (rig, "41.3 41.3* " HELLO " 41.3*");
}

static void
test_aggregate_is_cut (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  PUSH (rig, STAP OF ("\x02" AUD) OF ("\x04" SPS) OF ("\x03" IDR), TRUE);
  expect (rig, "78.11 " HELLO " 78.6*");
}

static void
test_aggregate_begins_with_picture (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  PUSH (rig, STAP OF ("\x03" SLICE) OF ("\x03" SECOND_SLICE), TRUE);
  expect (rig, HELLO " 78.11*");
}

static void
test_order (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  g_assert_true (send_text (rig, "hello you"));
  PUSH (rig, SLICE, TRUE);
  expect (rig, HELLO " 06.29 41.3*");
}

/* A packet that comes twice takes nothing with it. */
static void
test_duplicate (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  rig->seq--;
  PUSH (rig, SLICE, TRUE);
  PUSH (rig, SLICE, TRUE);
  expect (rig, HELLO " 41.3*");
}

static void
test_refused (Rig *rig, gconstpointer data)
{
  static const guint8 long_data[1025];

  g_assert_false (send_text (rig, "hello")); /* no video has come */
  begin (rig);
  g_assert_false (send_text (rig, ""));
  g_assert_false (gst_ivs_gate_send_metadata (rig->gate, long_data, 1025));
  for (guint i = 0; i < 32; i++)
    g_assert_true (send_text (rig, "hello"));
  g_assert_false (send_text (rig, "hello")); /* too many */
  gst_ivs_gate_close (rig->gate);
  g_assert_false (send_text (rig, "hello"));
}

/* What was meant for a picture of the old session is not sent in the new. */
static void
test_forgotten_at_closing (Rig *rig, gconstpointer data)
{
  begin (rig);
  g_assert_true (send_text (rig, "hello"));
  gst_ivs_gate_close (rig->gate);
  gst_ivs_gate_open (rig->gate);
  PUSH (rig, SPS, FALSE);
  PUSH (rig, IDR, TRUE);
  expect (rig, "67.4 65.3*");
}

/* -- All of them ----------------------------------------------------------------- */

static const struct
{
  const gchar *name;
  void (*test) (Rig *, gconstpointer);
} places[] = {
  { "before-picture", test_before_picture },
  { "behind-parameter-sets", test_behind_parameter_sets },
  { "not-inside-picture", test_not_inside_picture },
  { "aggregate-is-cut", test_aggregate_is_cut },
  { "aggregate-begins-with-picture", test_aggregate_begins_with_picture },
  { "order", test_order },
  { "duplicate", test_duplicate },
  { "refused", test_refused },
  { "forgotten-at-closing", test_forgotten_at_closing },
};

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/metadata/message/", messages, test_message);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree gchar *path =
        g_strconcat ("/metadata/place/", places[i].name, NULL);

    g_test_add (path, Rig, NULL, rig_set_up, places[i].test, rig_tear_down);
  }
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
