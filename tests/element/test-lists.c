/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lists of packets pass the encoders of FEC that have nothing to do, in order and behind
 * their caps.
 */
#include <gst/check/gstharness.h>
#include <gst/rtp/rtp.h>

#include "end-gstreamer.h"
#include "gstivslists.h"

#define PACKETS 3 /* of a list */

typedef struct
{
  GstHarness *h;
  GstPad *src; /* of the element */
  guint lists, packets;
  guint16 seq; /* of the packet that is made next */
} Run;

static GstCaps *
make_caps (guint payload)
{
  return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
      "video", "clock-rate", G_TYPE_INT, 90000, "payload", G_TYPE_INT, payload,
      "encoding-name", G_TYPE_STRING, "H264", NULL);
}

static GstBuffer *
make_packet (guint payload, guint16 seq)
{
  GstBuffer *packet = gst_rtp_buffer_new_allocate (10, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_WRITE, &rtp));
  gst_rtp_buffer_set_payload_type (&rtp, payload);
  gst_rtp_buffer_set_seq (&rtp, seq);
  gst_rtp_buffer_unmap (&rtp);
  return packet;
}

/* The caps that were told before are those of this very packet. */
static gboolean
check_packet (GstBuffer **packet, guint index, gpointer data)
{
  Run *run = data;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (run->src);
  gint payload = 0;

  g_assert_nonnull (caps);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), "payload", &payload);
  g_assert_true (gst_rtp_buffer_map (*packet, GST_MAP_READ, &rtp));
  g_assert_cmpint (gst_rtp_buffer_get_payload_type (&rtp), ==, payload);
  g_assert_cmpuint (gst_rtp_buffer_get_seq (&rtp), ==, run->packets);
  gst_rtp_buffer_unmap (&rtp);
  run->packets++;
  return TRUE;
}

static GstPadProbeReturn
something_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Run *run = data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    run->lists++;
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info),
        check_packet, run);
  } else {
    check_packet ((GstBuffer **) &info->data, 0, run);
  }
  return GST_PAD_PROBE_OK;
}

static void
push_list (Run *run, guint payload)
{
  GstBufferList *list = gst_buffer_list_new ();

  for (guint i = 0; i < PACKETS; i++)
    gst_buffer_list_add (list, make_packet (payload, run->seq++));
  g_assert_cmpint (gst_pad_push_list (run->h->srcpad, list), ==, GST_FLOW_OK);
}

/* Three lists, then three with other caps. */
static void
push_lists (Run *run)
{
  for (guint payload = 97; payload < 99; payload++) {
    gst_harness_set_src_caps (run->h, make_caps (payload));
    for (guint i = 0; i < 3; i++)
      push_list (run, payload);
  }
  g_assert_cmpuint (run->packets, ==, 6 * PACKETS);
}

static void
run_element (const gchar *name, gboolean is_kept, gboolean has_red, Run *run)
{
  *run = (Run){ .h = gst_harness_new (name) };
  if (!has_red && g_str_equal (name, "rtpredenc")) /* as webrtcbin does */
    g_object_set (run->h->element, "allow-no-red-blocks", FALSE, NULL);
  if (is_kept)
    gst_ivs_lists_keep (run->h->element);
  run->src = gst_element_get_static_pad (run->h->element, "src");
  gst_pad_add_probe (run->src,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      something_left, run, NULL);
  push_lists (run);
  gst_object_unref (run->src);
  gst_harness_teardown (run->h);
}

static void
test_kept (gconstpointer name)
{
  Run run;

  run_element (name, TRUE, FALSE, &run);
  g_assert_cmpuint (run.lists, >=, 4); /* one may go before new caps */
}

/* What this is for: else it could go. */
static void
test_taken_apart (gconstpointer name)
{
  Run run;

  run_element (name, FALSE, FALSE, &run);
  g_assert_cmpuint (run.lists, ==, 0);
}

/* Where RED was negotiated each packet is made one. */
static void
test_red (void)
{
  Run run;

  run_element ("rtpredenc", TRUE, TRUE, &run);
  g_assert_cmpuint (run.lists, ==, 0);
}

/* Any other element is left as it is. */
static void
test_others (void)
{
  g_autoptr (GstElement) other =
      gst_object_ref_sink (gst_element_factory_make ("rtprtxsend", NULL));
  g_autoptr (GstPad) sink = gst_element_get_static_pad (other, "sink");
  GstPadChainListFunction before = GST_PAD_CHAINLISTFUNC (sink);

  gst_ivs_lists_keep (other);
  g_assert_true (GST_PAD_CHAINLISTFUNC (sink) == before);
}

int
main (int argc, char **argv)
{
  static const gchar *const names[] = { "rtpulpfecenc", "rtpredenc" };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *kept = g_strconcat ("/lists/kept/", names[i], NULL);
    g_autofree gchar *apart =
        g_strconcat ("/lists/taken-apart/", names[i], NULL);

    g_test_add_data_func (kept, names[i], test_kept);
    g_test_add_data_func (apart, names[i], test_taken_apart);
  }
  g_test_add_func ("/lists/red", test_red);
  g_test_add_func ("/lists/others", test_others);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
