/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The property `stats` of a session that goes well.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"

#define VIDEO \
  "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1"
#define AUDIO "audiotestsrc is-live=true"

static StageFixture *stage;

static GstStructure *
get_stats (PublishFixture *publish)
{
  GstStructure *stats = NULL;

  g_object_get (publish_fixture_get_sink (publish), "stats", &stats, NULL);
  return stats;
}

static gdouble
get_number (const GstStructure *structure, const gchar *field)
{
  const GValue *value = gst_structure_get_value (structure, field);
  GValue number = G_VALUE_INIT;
  gdouble result;

  if (value == NULL)
    return -1;
  g_value_init (&number, G_TYPE_DOUBLE);
  g_assert_true (g_value_transform (value, &number));
  result = g_value_get_double (&number);
  g_value_unset (&number);
  return result;
}

/* The stage has reported of both streams. */
static gboolean
is_reported (gpointer data)
{
  g_autoptr (GstStructure) stats = get_stats (data);
  g_autoptr (GstStructure) audio = NULL;
  g_autoptr (GstStructure) video = NULL;

  if (stats == NULL)
    return FALSE;
  gst_structure_get (stats, "audio", GST_TYPE_STRUCTURE, &audio, "video",
      GST_TYPE_STRUCTURE, &video, NULL);
  return get_number (video, "bitrate-1s") > 0 &&
      get_number (audio, "bitrate-1s") > 0 &&
      gst_structure_has_field (audio, "round-trip-time") &&
      gst_structure_has_field (video, "round-trip-time");
}

static void
assert_stream (const GstStructure *stats, const gchar *name)
{
  g_autoptr (GstStructure) stream = NULL;

  gst_structure_get (stats, name, GST_TYPE_STRUCTURE, &stream, NULL);
  g_assert_cmpfloat (get_number (stream, "packets"), >, 0);
  g_assert_cmpfloat (get_number (stream, "bytes"), >, 0);
  g_assert_cmpfloat (get_number (stream, "ssrc"), >, 0);
  g_assert_cmpfloat (get_number (stream, "bitrate-1s"), >, 0);
  /* May be negative: a packet that came twice counts so (RFC 3550 6.4.1). */
  g_assert_true (gst_structure_has_field (stream, "packets-lost"));
  /* On this computer. */
  g_assert_cmpfloat (get_number (stream, "round-trip-time"), <, GST_SECOND);
}

static void
test_stats (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      VIDEO " ! ivsstagesink name=s  " AUDIO " ! s.");
  g_autoptr (GstStructure) stats = NULL;
  g_autoptr (GstStructure) video = NULL;

  stats = get_stats (publish);
  g_assert_null (stats);
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 10);
  g_assert_true (publish_wait (is_reported, publish, 60000));

  stats = get_stats (publish);
  g_assert_cmpfloat (get_number (stats, "attempts"), ==, 1);
  g_assert_cmpfloat (get_number (stats, "sessions"), ==, 1);
  g_assert_cmpfloat (get_number (stats, "session-age"), >, 0);
  g_assert_cmpfloat (get_number (stats, "time-to-offer"), >, 0);
  g_assert_cmpfloat (get_number (stats, "time-to-answer"), >,
      get_number (stats, "time-to-offer"));
  g_assert_cmpfloat (get_number (stats, "time-to-live"), >,
      get_number (stats, "time-to-answer"));
  g_assert_true (
      g_str_has_prefix (gst_structure_get_string (stats, "media-address"),
          "127.0.0.1:"));
  assert_stream (stats, "audio");
  assert_stream (stats, "video");
  gst_structure_get (stats, "video", GST_TYPE_STRUCTURE, &video, NULL);
  g_assert_cmpfloat (get_number (video, "width"), ==, 320);
  g_assert_cmpfloat (get_number (video, "height"), ==, 240);
  g_assert_cmpfloat (get_number (video, "key-frames"), >, 0);
}

/* What is lost on the way is asked for, and sent again. */
static gboolean
has_sent_again (gpointer data)
{
  g_autoptr (GstStructure) stats = get_stats (data);
  g_autoptr (GstStructure) video = NULL;

  if (stats == NULL)
    return FALSE;
  gst_structure_get (stats, "video", GST_TYPE_STRUCTURE, &video, NULL);
  return get_number (video, "nack-count") > 0 &&
      get_number (video, "retransmitted") > 0 &&
      get_number (video, "fraction-lost") >= 0;
}

static void
test_lossy (void)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, VIDEO " ! ivsstagesink");

  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 10);
  stage_fixture_fault (stage, "{\"rule\":\"loss\",\"percent\":10}");
  g_assert_true (publish_wait (has_sent_again, publish, 20000));
  publish_fixture_stop (publish);
}

int
main (int argc, char **argv)
{
  int status;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  stage = stage_fixture_start (NULL);
  g_test_add_func ("/stats/live", test_stats);
  g_test_add_func ("/stats/lossy", test_lossy);
  status = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return status;
}
