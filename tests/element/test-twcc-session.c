/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transport-wide numbers in the packets that an rtpsession sends, and what GStreamer's
 * receiver, which is not ours, says of them.
 */
#include <gst/check/gstharness.h>
#include <gst/rtp/rtp.h>
#include <string.h>

#include "end-gstreamer.h"
#include "gstivsgate.h"
#include "gstivsrtcp.h"
#include "gstivstwcc.h"
#include "test-table.h"

#define EXT_ID 3
#define SSRC 0x1234
#define NONE G_MAXUINT
#define PATIENCE_US (30 * G_USEC_PER_SEC)

static const GstIvsStreamId id = { SSRC, 97, 90000, EXT_ID };

/* -- Packets ------------------------------------------------------------------------------ */

static GstBuffer *
make_plain (guint16 seq, gboolean has_room)
{
  GstBuffer *packet = gst_rtp_buffer_new_allocate (100, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint8 number[2] = { 0xff, 0xff };

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READWRITE, &rtp));
  gst_rtp_buffer_set_seq (&rtp, seq);
  gst_rtp_buffer_set_ssrc (&rtp, SSRC);
  gst_rtp_buffer_set_payload_type (&rtp, 97);
  gst_rtp_buffer_set_marker (&rtp, TRUE);
  memset (gst_rtp_buffer_get_payload (&rtp), 0x41, 100);
  if (has_room)
    gst_rtp_buffer_add_extension_onebyte_header (&rtp, EXT_ID, number,
        sizeof number);
  gst_rtp_buffer_unmap (&rtp);
  return packet;
}

/* As it leaves a gate. */
static GstBuffer *
make_ours (GstIvsStream *stream, guint16 seq)
{
  g_autoptr (GstBufferList) out = gst_buffer_list_new ();
  g_autoptr (GstBuffer) plain = make_plain (seq, FALSE);
  GstIvsPacket packet;

  g_assert_true (gst_ivs_packet_open (&packet, GST_IVS_VIDEO, plain));
  g_assert_true (
      gst_ivs_stream_continue (stream, &packet, seq * GST_MSECOND, NULL, out));
  gst_ivs_packet_close (&packet);
  g_assert_cmpuint (gst_buffer_list_length (out), ==, 1);
  return gst_buffer_ref (gst_buffer_list_get (out, 0));
}

/* The number that it carries, or NONE. */
static guint
read_number (GstBuffer *packet)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gpointer data;
  guint size, number = NONE;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  if (gst_rtp_buffer_get_extension_onebyte_header (&rtp, EXT_ID, 0, &data,
          &size))
    number = GST_READ_UINT16_BE (data);
  gst_rtp_buffer_unmap (&rtp);
  return number;
}

/* -- A session that sends ----------------------------------------------------------------- */

#define CAPS(more) \
  "application/x-rtp,media=video,clock-rate=90000,payload=97," \
  "encoding-name=H264,ssrc=(uint)4660" more
#define EXTENSION ",extmap-3=(string)\"" GST_IVS_TWCC_URI "\""

typedef struct
{
  GstIvsTwcc *twcc;
  GstHarness *h;
  GstIvsStream *stream;
  guint16 seq;
} Sender;

static void
sender_begin (Sender *self)
{
  GstElement *session = gst_element_factory_make ("rtpsession", NULL);

  *self = (Sender){ gst_ivs_twcc_new (EXT_ID) };
  gst_object_ref_sink (session);
  gst_ivs_twcc_attach (self->twcc, session);
  self->h =
      gst_harness_new_with_element (session, "send_rtp_sink", "send_rtp_src");
  gst_harness_set_src_caps_str (self->h, CAPS (""));
  self->stream = gst_ivs_stream_new (GST_IVS_VIDEO, &id);
  gst_object_unref (session);
}

static void
sender_end (Sender *self)
{
  gst_harness_teardown (self->h);
  gst_ivs_stream_free (self->stream);
  gst_ivs_twcc_unref (self->twcc);
}

static GstBuffer *
send_ours (Sender *self)
{
  gst_harness_push (self->h, make_ours (self->stream, self->seq++));
  return gst_harness_pull (self->h);
}

/* Ours keeps what it is although somebody else has it, and what is not ours is made anew
 * then; what has no room is not numbered. */
static void
test_numbers (void)
{
  Sender sender;
  GstBuffer *ours, *plain, *left;

  sender_begin (&sender);
  for (guint i = 0; i < 3; i++) {
    ours = make_ours (sender.stream, sender.seq++);
    gst_harness_push (sender.h, gst_buffer_ref (ours));
    left = gst_harness_pull (sender.h);
    g_assert_true (left == ours);
    g_assert_cmpuint (read_number (left), ==, 2 * i);
    gst_buffer_unref (left);
    gst_buffer_unref (ours);

    plain = make_plain (1000 + i, TRUE);
    gst_harness_push (sender.h, gst_buffer_ref (plain));
    left = gst_harness_pull (sender.h);
    g_assert_cmpuint (read_number (left), ==, 2 * i + 1);
    g_assert_cmpuint (read_number (plain), ==, 0xffff);
    gst_buffer_unref (left);
    gst_buffer_unref (plain);

    gst_harness_push (sender.h, make_plain (2000 + i, FALSE));
    left = gst_harness_pull (sender.h);
    g_assert_cmpuint (read_number (left), ==, NONE);
    gst_buffer_unref (left);
  }
  sender_end (&sender);
}

/* Of all kinds, in a list that somebody else has too. */
static void
test_list (void)
{
  Sender sender;
  g_autoptr (GstBufferList) list = gst_buffer_list_new ();
  static const guint expected[] = { 0, 1, NONE, 2 };

  sender_begin (&sender);
  gst_buffer_list_add (list, make_ours (sender.stream, 0));
  gst_buffer_list_add (list, make_plain (7, TRUE));
  gst_buffer_list_add (list, make_plain (8, FALSE));
  gst_buffer_list_add (list, make_ours (sender.stream, 1));
  gst_pad_push_list (sender.h->srcpad, gst_buffer_list_ref (list));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autoptr (GstBuffer) left = gst_harness_pull (sender.h);

    g_assert_cmpuint (read_number (left), ==, expected[i]);
  }
  g_assert_cmpuint (read_number (gst_buffer_list_get (list, 1)), ==, 0xffff);
  sender_end (&sender);
}

#define RTX_SSRC 0x5678
#define RTX_PT 98

static GstElement *
make_retransmitter (void)
{
  g_autoptr (GstStructure) payloads =
      gst_structure_new ("application/x-rtp-pt-map", "97", G_TYPE_UINT, RTX_PT,
          NULL);
  g_autoptr (GstStructure) ssrcs =
      gst_structure_new ("application/x-rtp-ssrc-map", "4660", G_TYPE_UINT,
          RTX_SSRC, NULL);
  GstElement *element = gst_element_factory_make ("rtprtxsend", NULL);

  g_object_set (element, "payload-type-map", payloads, "ssrc-map", ssrcs, NULL);
  return gst_object_ref_sink (element);
}

static void
ask_for (GstElement *retransmitter, guint seq)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (retransmitter, "src");

  gst_pad_send_event (pad,
      gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new ("GstRTPRetransmissionRequest", "seqnum",
              G_TYPE_UINT, seq, "ssrc", G_TYPE_UINT, SSRC, NULL)));
}

static guint
read_seq (GstBuffer *packet, guint *ssrc)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint seq;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  seq = gst_rtp_buffer_get_seq (&rtp);
  *ssrc = gst_rtp_buffer_get_ssrc (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  return seq;
}

/* A packet that is sent again has a number of its own, each time. */
static void
test_retransmission (void)
{
  GstElement *retransmitter = make_retransmitter ();
  GstHarness *in = gst_harness_new_with_element (retransmitter, "sink", NULL);
  g_autoptr (GstPad) src = gst_element_get_static_pad (retransmitter, "src");
  g_autoptr (GstPad) sink = NULL;
  Sender sender;
  guint ssrc, seq = 0;

  sender_begin (&sender);
  /* What the harness had before the session is before the other element now. */
  sink = gst_pad_get_peer (sender.h->srcpad);
  gst_pad_unlink (sender.h->srcpad, sink);
  g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  gst_harness_set_src_caps_str (in, CAPS (EXTENSION));
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) left = NULL;

    gst_harness_push (in, make_ours (sender.stream, sender.seq++));
    left = gst_harness_pull (sender.h);
    g_assert_cmpuint (read_number (left), ==, i);
    if (i == 1)
      seq = read_seq (left, &ssrc);
  }
  for (guint i = 3; i < 5; i++) {
    g_autoptr (GstBuffer) again = NULL;

    ask_for (retransmitter, seq);
    again = gst_harness_pull (sender.h);
    read_seq (again, &ssrc);
    g_assert_cmpuint (ssrc, ==, RTX_SSRC);
    g_assert_cmpuint (read_number (again), ==, i);
  }
  gst_harness_teardown (in);
  gst_object_unref (retransmitter);
  sender_end (&sender);
}

/* -- The funnel before it ------------------------------------------------------------------ */

static gboolean
has_extension (GstHarness *out)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (out->element, "src");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  g_assert_nonnull (caps);
  return gst_structure_has_field (gst_caps_get_structure (caps, 0), "extmap-3");
}

static guint
pass_funnel (gboolean is_attached, gboolean *ret_has_extension)
{
  GstElement *funnel =
      gst_object_ref_sink (gst_element_factory_make ("rtpfunnel", NULL));
  g_autoptr (GstIvsTwcc) twcc = gst_ivs_twcc_new (EXT_ID);
  g_autoptr (GstBuffer) left = NULL;
  GstHarness *out, *in, *other;
  guint number;

  if (is_attached)
    gst_ivs_twcc_attach (twcc, funnel);
  out = gst_harness_new_with_element (funnel, NULL, "src");
  in = gst_harness_new_with_element (funnel, "sink_0", NULL);
  gst_harness_set_src_caps_str (in, CAPS (EXTENSION));
  /* With one stream alone it leaves numbers to others. */
  other = gst_harness_new_with_element (funnel, "sink_1", NULL);
  gst_harness_set_src_caps_str (other, CAPS (EXTENSION));
  gst_harness_push (in, make_plain (1, TRUE));
  left = gst_harness_pull (out);
  number = read_number (left);
  *ret_has_extension = has_extension (out);
  gst_harness_teardown (in);
  gst_harness_teardown (other);
  gst_harness_teardown (out);
  gst_object_unref (funnel);
  return number;
}

static void
test_funnel (void)
{
  gboolean has_extension;

  g_assert_cmpuint (pass_funnel (TRUE, &has_extension), ==, 0xffff);
  g_assert_false (has_extension);
  /* What this is for: it numbers by itself. */
  g_assert_cmpuint (pass_funnel (FALSE, &has_extension), !=, 0xffff);
  g_assert_true (has_extension);
}

/* -- A session that receives ---------------------------------------------------------------- */

typedef struct
{
  GstHarness *h;
  GstPad *rtcp; /* its feedback comes to it */

  GMutex lock; /* protects: */
  GCond changed;
  GPtrArray *compounds;
} Receiver;

static GstFlowReturn
rtcp_left (GstPad *pad, GstObject *parent, GstBuffer *compound)
{
  Receiver *self = g_object_get_data (G_OBJECT (pad), "receiver");

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->compounds, compound);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

static void
link_rtcp (Receiver *self, GstElement *session)
{
  g_autoptr (GstPad) src =
      gst_element_request_pad_simple (session, "send_rtcp_src");

  self->rtcp = gst_pad_new ("rtcp", GST_PAD_SINK);
  g_object_set_data (G_OBJECT (self->rtcp), "receiver", self);
  gst_pad_set_chain_function (self->rtcp, rtcp_left);
  gst_pad_set_active (self->rtcp, TRUE);
  gst_pad_link (src, self->rtcp);
}

static void
receiver_begin (Receiver *self)
{
  GstElement *session = gst_element_factory_make ("rtpsession", NULL);

  *self = (Receiver){ .compounds = g_ptr_array_new_with_free_func (
                          (GDestroyNotify) gst_buffer_unref) };
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  gst_object_ref_sink (session);
  g_object_set (session, "rtp-profile", GST_RTP_PROFILE_AVPF, NULL);
  link_rtcp (self, session);
  self->h =
      gst_harness_new_with_element (session, "recv_rtp_sink", "recv_rtp_src");
  gst_harness_set_src_caps_str (self->h, CAPS (EXTENSION));
  gst_object_unref (session);
}

static void
receiver_end (Receiver *self)
{
  gst_harness_teardown (self->h);
  gst_pad_set_active (self->rtcp, FALSE);
  gst_object_unref (self->rtcp);
  g_ptr_array_unref (self->compounds);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

/* The next that it sends. */
static GstBuffer *
await_compound (Receiver *self)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_US;
  GstBuffer *compound = NULL;

  g_mutex_lock (&self->lock);
  while (self->compounds->len == 0 &&
      g_cond_wait_until (&self->changed, &self->lock, deadline))
    ;
  if (self->compounds->len > 0)
    compound = g_ptr_array_steal_index (self->compounds, 0);
  g_mutex_unlock (&self->lock);
  g_assert_nonnull (compound);
  return compound;
}

typedef struct
{
  GstIvsTwcc *twcc;
  IvsRatePacket packets[IVS_TWCC_MEMORY];
  guint told, lost, feedbacks;
  gint64 arrived_us, sent_us; /* of the last that arrived */
} Reading;

static void
feedback_read (const guint8 *fci, gsize size, gpointer data)
{
  Reading *reading = data;
  guint n = gst_ivs_twcc_read (reading->twcc, fci, size, reading->packets);

  reading->feedbacks++;
  reading->told += n;
  for (guint i = 0; i < n; i++) {
    const IvsRatePacket *packet = &reading->packets[i];

    /* 100 of payload, 12 of header, 8 of extension */
    g_assert_cmpuint (packet->size, ==, 120 + GST_IVS_WIRE_OVERHEAD);
    if (packet->arrived_us < 0) {
      reading->lost++;
      continue;
    }
    /* In the order of sending, and within a unit of the draft that of arriving. */
    g_assert_cmpint (packet->arrived_us, >=, reading->arrived_us - 250);
    g_assert_cmpint (packet->sent_us, >=, reading->sent_us);
    reading->arrived_us = packet->arrived_us;
    reading->sent_us = packet->sent_us;
  }
}

/* Reads what comes until @n packets were told of. */
static void
read_until_told (Receiver *receiver, Reading *reading, guint n)
{
  GstIvsReport reports[GST_IVS_N_KINDS] = { { 0 } };

  while (reading->told < n) {
    GstBuffer *compound = await_compound (receiver);
    guint before = reading->feedbacks;

    gst_ivs_rtcp_read (compound, 0, reports, feedback_read, reading);
    compound = gst_ivs_rtcp_leave_out_twcc (compound);
    if (compound == NULL)
      continue;
    before = reading->feedbacks;
    gst_ivs_rtcp_read (compound, 0, reports, feedback_read, reading);
    g_assert_cmpuint (reading->feedbacks, ==, before);
    gst_buffer_unref (compound);
  }
}

/* Each tenth packet is lost, and of the others each is told of. */
static void
test_feedback (void)
{
  g_autofree Reading *reading = g_new0 (Reading, 1);
  Receiver receiver;
  Sender sender;

  sender_begin (&sender);
  receiver_begin (&receiver);
  reading->twcc = sender.twcc;
  for (guint i = 0; i < 100; i++) {
    GstBuffer *packet = send_ours (&sender);

    if (i % 10 == 9)
      gst_buffer_unref (packet);
    else
      gst_harness_push (receiver.h, packet);
  }
  /* The last one, which is lost, is not known to be so before another comes. */
  read_until_told (&receiver, reading, 99);
  g_assert_cmpuint (reading->told, ==, 99);
  g_assert_cmpuint (reading->lost, ==, 9);
  receiver_end (&receiver);
  sender_end (&sender);
}

static const TestCase cases[] = {
  { "numbers", test_numbers },
  { "list", test_list },
  { "retransmission", test_retransmission },
  { "funnel", test_funnel },
  { "feedback", test_feedback },
};

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_CASES ("/twcc-session/", cases);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
