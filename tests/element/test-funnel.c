/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What webrtcbin's funnel says when another stream has its turn.
 */
#include <gst/check/gstharness.h>
#include <gst/rtp/rtp.h>

#include "end-gstreamer.h"
#include "gstivsfunnel.h"
#include "test-table.h"

#define STREAMS 2

typedef struct
{
  GstElement *funnel;
  GstHarness *streams[STREAMS];
  GstHarness *out;
  guint segments;
  gdouble rate; /* of the last one */
} Run;

static GstPadProbeReturn
event_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Run *run = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  const GstSegment *segment;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    gst_event_parse_segment (event, &segment);
    run->segments++;
    run->rate = segment->rate;
  }
  return GST_PAD_PROBE_OK;
}

static void
begin (Run *run, gboolean is_quiet)
{
  g_autoptr (GstPad) src = NULL, after = NULL;

  *run = (Run){ gst_element_factory_make ("rtpfunnel", NULL) };
  gst_object_ref_sink (run->funnel);
  if (is_quiet)
    gst_ivs_funnel_quieten (run->funnel);
  run->out = gst_harness_new_with_element (run->funnel, NULL, "src");
  src = gst_element_get_static_pad (run->funnel, "src");
  after = gst_pad_get_peer (src);
  gst_pad_add_probe (after, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, event_left,
      run, NULL);
  for (guint i = 0; i < STREAMS; i++) {
    g_autofree gchar *name = g_strdup_printf ("sink_%u", i);
    g_autofree gchar *caps = g_strdup_printf (
        "application/x-rtp,media=video,clock-rate=90000,ssrc=(uint)%u", i);

    run->streams[i] = gst_harness_new_with_element (run->funnel, name, NULL);
    gst_harness_set_src_caps_str (run->streams[i], caps);
  }
}

static void
end (Run *run)
{
  for (guint i = 0; i < STREAMS; i++)
    gst_harness_teardown (run->streams[i]);
  gst_harness_teardown (run->out);
  gst_object_unref (run->funnel);
}

/* One of each stream, in turn. */
static void
push (Run *run, guint rounds)
{
  for (guint i = 0; i < rounds * STREAMS; i++)
    g_assert_cmpint (gst_harness_push (run->streams[i % STREAMS],
                         gst_rtp_buffer_new_allocate (10, 0, 0)),
        ==, GST_FLOW_OK);
}

static void
push_segment (Run *run, guint stream, gdouble rate)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  gst_harness_push_event (run->streams[stream],
      gst_event_new_segment (&segment));
}

static void
test_once (void)
{
  Run run;

  begin (&run, TRUE);
  push (&run, 5);
  g_assert_cmpuint (run.segments, ==, 1);
  g_assert_cmpuint (gst_harness_buffers_in_queue (run.out), ==, 5 * STREAMS);
  end (&run);
}

/* What this is for: else it could go. */
static void
test_again_and_again (void)
{
  Run run;

  begin (&run, FALSE);
  push (&run, 5);
  g_assert_cmpuint (run.segments, ==, 5 * STREAMS);
  end (&run);
}

static void
test_another (void)
{
  Run run;

  begin (&run, TRUE);
  push_segment (&run, 1, 0.5);
  push (&run, 2); /* now the one, now the other */
  g_assert_cmpuint (run.segments, ==, 2 * STREAMS);
  g_assert_cmpfloat (run.rate, ==, 0.5);
  end (&run);
}

/* Downstream has forgotten it. */
static void
test_flush (void)
{
  Run run;
  guint before;

  begin (&run, TRUE);
  push (&run, 2);
  before = run.segments;
  gst_harness_push_event (run.streams[0], gst_event_new_flush_start ());
  gst_harness_push_event (run.streams[0], gst_event_new_flush_stop (TRUE));
  push_segment (&run, 0, 1);
  push (&run, 2);
  g_assert_cmpuint (run.segments, ==, before + 1);
  end (&run);
}

static const TestCase cases[] = {
  { "once", test_once },
  { "again-and-again", test_again_and_again },
  { "another", test_another },
  { "flush", test_flush },
};

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_CASES ("/funnel/", cases);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
