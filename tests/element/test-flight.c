/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which datagram ends our part of the DTLS handshake.
 */
#include "end-gstreamer.h"
#include "gstivsflight.h"
#include "test-table.h"

#define RECORD(type, epoch) \
  type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, 2, 0xaa, 0xbb

typedef struct
{
  const gchar *name;
  gboolean is_finished;
  gsize size;
  guint8 data[64];
} Row;

static const Row rows[] = {
  { "hello", FALSE, 15, { RECORD (22, 0) } },
  { "cipher-change", FALSE, 15, { RECORD (20, 0) } },
  { "finished", TRUE, 15, { RECORD (22, 1) } },
  { "behind-others", TRUE, 45,
      { RECORD (22, 0), RECORD (20, 0), RECORD (22, 1) } },
  { "alert", FALSE, 15, { RECORD (21, 1) } },
  { "application-data", FALSE, 15, { RECORD (23, 1) } },
  { "cut-header", FALSE, 12, { RECORD (22, 1) } },
  { "cut-record", FALSE, 29, { RECORD (22, 0), RECORD (20, 0) } },
  { "length-too-great", FALSE, 30,
      { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0,
          RECORD (22, 1) } },
  { "rtp", FALSE, 15, { 0x80, 96, 0, 1, 1 } },
  { "stun", FALSE, 15, { 0, 1, 0, 8, 1 } },
  { "empty", FALSE, 0, { 0 } },
};

static GstBuffer *
make_datagram (const Row *row)
{
  return row->size > 0 ? gst_buffer_new_memdup (row->data, row->size)
                       : gst_buffer_new ();
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GstBuffer) datagram = make_datagram (row);

  g_assert_cmpint (gst_ivs_flight_is_finished (datagram), ==, row->is_finished);
}

static void
count (gpointer data)
{
  (*(guint *) data)++;
}

static GstFlowReturn
swallow (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstPad *
make_socket (void)
{
  GstPad *pad = gst_pad_new ("sink", GST_PAD_SINK);
  GstSegment segment;

  gst_object_ref_sink (pad);
  gst_pad_set_chain_function (pad, swallow);
  gst_pad_set_active (pad, TRUE);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_send_event (pad, gst_event_new_stream_start ("test"));
  gst_pad_send_event (pad, gst_event_new_segment (&segment));
  return pad;
}

static void
test_watch (void)
{
  g_autoptr (GstPad) pad = make_socket ();
  guint n_left = 0;

  gst_ivs_flight_watch (pad, count, &n_left, count);
  gst_pad_chain (pad, make_datagram (&rows[0]));
  g_assert_cmpuint (n_left, ==, 0);
  gst_pad_chain (pad, make_datagram (&rows[2]));
  g_assert_cmpuint (n_left, ==, 2); /* told, and let go */
  gst_pad_chain (pad, make_datagram (&rows[2]));
  g_assert_cmpuint (n_left, ==, 2);
  gst_pad_set_active (pad, FALSE);
}

static void
test_removed (void)
{
  g_autoptr (GstPad) pad = make_socket ();
  guint n_left = 0;
  gulong probe = gst_ivs_flight_watch (pad, count, &n_left, count);

  gst_pad_remove_probe (pad, probe);
  g_assert_cmpuint (n_left, ==, 1); /* let go */
  gst_pad_chain (pad, make_datagram (&rows[2]));
  g_assert_cmpuint (n_left, ==, 1);
  gst_pad_set_active (pad, FALSE);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/flight/datagram/", rows, test_row);
  g_test_add_func ("/flight/watch", test_watch);
  g_test_add_func ("/flight/removed", test_removed);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
