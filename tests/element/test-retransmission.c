/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which of the packets that are asked for are sent again.
 */
#include "end-gstreamer.h"
#include "gstivsretransmission.h"
#include "test-table.h"

#define MS 1000
#define BEGIN (1000 * MS)

/* -- A stream, some of whose packets are lost -------------------------------------- */

typedef struct
{
  const gchar *name;
  guint rate;  /* packets per second */
  guint lost;  /* of a hundred packets */
  guint again; /* a lost packet is asked for so often, each 10 ms */
  guint seconds, first_seq;
  gdouble least, most; /* sent again, of all packets */
} Row;

static const Row rows[] = {
  { "one-percent", 270, 1, 1, 10, 0, 0.0099, 0.0101 },
  { "ten-percent", 270, 10, 1, 10, 0, 0.099, 0.101 },
  { "ten-percent-wrapping", 270, 10, 1, 10, 65000, 0.099, 0.101 },
  { "half", 270, 50, 1, 10, 0, 0.20, 0.27 },
  { "half-slow", 40, 50, 1, 10, 0, 0.20, 0.35 },
  { "half-fast", 900, 50, 1, 10, 0, 0.20, 0.27 },
  { "asked-again", 270, 3, 3, 10, 0, 0.029, 0.031 },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autofree GstIvsRetransmission *bounds = g_new0 (GstIvsRetransmission, 1);
  guint n_packets = row->rate * row->seconds, n_sent = 0;

  for (guint i = 0; i < n_packets; i++) {
    gint64 now_us = BEGIN + (gint64) i * G_USEC_PER_SEC / row->rate;

    if (i % 100 * row->lost % 100 >= row->lost)
      continue;
    for (guint n = 0; n < row->again; n++)
      n_sent += gst_ivs_retransmission_is_due (bounds,
          (row->first_seq + i) & 0xffff, now_us + n * 10 * MS);
  }
  g_test_message ("%u of %u packets", n_sent, n_packets);
  g_assert_cmpfloat (n_sent, >=, row->least * n_packets);
  g_assert_cmpfloat (n_sent, <=, row->most * n_packets);
}

/* -- One packet ------------------------------------------------------------------------ */

/* What was lost again is sent once more, when its copy must have arrived. */
static void
test_repeated (void)
{
  g_autofree GstIvsRetransmission *bounds = g_new0 (GstIvsRetransmission, 1);

  g_assert_true (gst_ivs_retransmission_is_due (bounds, 7, BEGIN));
  g_assert_false (gst_ivs_retransmission_is_due (bounds, 7, BEGIN + 20 * MS));
  g_assert_true (gst_ivs_retransmission_is_due (bounds, 8, BEGIN + 20 * MS));
  g_assert_true (gst_ivs_retransmission_is_due (bounds, 7, BEGIN + 50 * MS));
}

/* After a long time without a loss nothing is known of the stream. */
static void
test_after_pause (void)
{
  g_autofree GstIvsRetransmission *bounds = g_new0 (GstIvsRetransmission, 1);
  guint n = 0;

  g_assert_true (gst_ivs_retransmission_is_due (bounds, 7, BEGIN));
  while (gst_ivs_retransmission_is_due (bounds, 1000 + n,
      BEGIN + 60 * G_USEC_PER_SEC))
    n++;
  g_assert_cmpuint (n, >=, 16);
  g_assert_cmpuint (n, <=, 64);
}

/* -- In front of rtprtxsend ----------------------------------------------------------- */

static guint
count_requests (GstElement *sender)
{
  guint n = 0;

  g_object_get (sender, "num-rtx-requests", &n, NULL);
  return n;
}

/* It counts only what is asked of a stream that it knows. */
static void
begin_stream (GstElement *sender)
{
  g_autoptr (GstStructure) payloads =
      gst_structure_new ("application/x-rtp-pt-map", "97", G_TYPE_UINT, 98,
          NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "application/x-rtp,media=video,payload=97,clock-rate=90000,ssrc=(uint)1");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sender, "sink");

  g_object_set (sender, "payload-type-map", payloads, NULL);
  gst_element_set_state (sender, GST_STATE_PAUSED);
  gst_pad_send_event (pad, gst_event_new_stream_start ("video"));
  gst_pad_send_event (pad, gst_event_new_caps (caps));
}

static void
ask_for (GstElement *sender, guint ssrc, guint seq)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sender, "src");

  gst_pad_send_event (pad,
      gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new ("GstRTPRetransmissionRequest", "seqnum",
              G_TYPE_UINT, seq, "ssrc", G_TYPE_UINT, ssrc, NULL)));
}

static void
test_bound (void)
{
  g_autoptr (GstElement) bin = gst_object_ref_sink (gst_bin_new (NULL));
  g_autoptr (GstIvsRetransmissionCount) count = NULL;
  GstElement *sender = gst_element_factory_make ("rtprtxsend", NULL);

  gst_bin_add (GST_BIN (bin), sender);
  count = gst_ivs_retransmission_bound (bin);
  begin_stream (sender);
  for (guint i = 0; i < 10; i++)
    ask_for (sender, 1, 7);
  g_assert_cmpuint (count_requests (sender), ==, 1);
  g_assert_cmpuint (gst_ivs_retransmission_count_get (count), ==, 1);
  /* What is asked of the sound is not at the cost of the video. */
  for (guint i = 0; i < 1000; i++)
    ask_for (sender, 2, i);
  ask_for (sender, 1, 8);
  g_assert_cmpuint (count_requests (sender), ==, 2);
  gst_element_set_state (bin, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  int status;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/retransmission/stream/", rows, test_row);
  g_test_add_func ("/retransmission/repeated", test_repeated);
  g_test_add_func ("/retransmission/after-pause", test_after_pause);
  g_test_add_func ("/retransmission/bound", test_bound);
  status = g_test_run ();
  end_gstreamer ();
  return status;
}
