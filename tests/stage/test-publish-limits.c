/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the element says, and does, when what flows is not what a stage takes.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "test-table.h"

static StageFixture *stage;

#define VIDEO \
  "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=30/1"
#define HD \
  "videotestsrc is-live=true ! video/x-raw,format=I420,width=1920,height=1080,framerate=10/1"
#define X264 \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=500"
#define BASELINE " ! video/x-h264,profile=constrained-baseline"

/* -- A warning for each ------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *description;
  const gchar *also; /* another diagnosis that is due, or NULL */
} Limit;

/* The name is that of the diagnosis. */
/* clang-format off */
static const Limit limits[] = {
  { "resolution", HD " ! " X264 BASELINE " ! ivsstagesink" },
  { "profile", VIDEO " ! x264enc tune=zerolatency key-int-max=30 bitrate=500 ! video/x-h264,profile=high ! ivsstagesink" },
  { "b-frames", VIDEO " ! x264enc bframes=2 b-adapt=false speed-preset=ultrafast key-int-max=30 bitrate=500 ! video/x-h264,profile=main ! ivsstagesink", "profile" },
  { "key-frame-interval", VIDEO " ! " X264 " key-int-max=300" BASELINE " ! ivsstagesink" },
  { "audio-channels", "audiotestsrc is-live=true ! audio/x-raw,channels=2 ! opusenc ! rtpopuspay ! "
    "capssetter join=false caps=application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,sprop-stereo=(string)0,encoding-params=(string)1 ! ivsstagesink" },
  { "audio-gaps", "audiotestsrc is-live=true wave=silence ! audio/x-raw,rate=16000,channels=1 ! "
    "opusenc dtx=true bitrate=24000 audio-type=voice ! ivsstagesink" },
};
/* clang-format on */

static void
test_limit (gconstpointer data)
{
  const Limit *row = data;
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "%s", row->description);
  g_autoptr (GstMessage) message = NULL;

  if (row->also != NULL)
    publish_fixture_expect (publish, row->also);
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, row->name, 30);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  /* It goes on. */
  publish_fixture_wait_connection (publish, "connected", 10);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

/* -- stage-limits ------------------------------------------------------------- */

/* The error comes from us, and the session is ended properly. */
static void
test_refuse (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      HD " ! " X264 BASELINE " ! ivsstagesink stage-limits=refuse");
  g_autoptr (GstMessage) message = NULL;

  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "resolution", 30);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_wait_connection (publish, "failed", 10);
  publish_fixture_assert_deleted (publish, 1);
  publish_fixture_stop (publish);
}

/* What only hurts viewers stays a warning. */
static void
test_refuse_not (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "audiotestsrc is-live=true wave=silence ! "
      "audio/x-raw,rate=16000,channels=1 ! "
      "opusenc dtx=true bitrate=24000 audio-type=voice ! "
      "ivsstagesink stage-limits=refuse");
  g_autoptr (GstMessage) message = NULL;

  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "audio-gaps", 30);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

/* A warning would fail the test: none is expected. */
static void
test_ignore (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      HD " ! " X264 BASELINE " ! ivsstagesink stage-limits=ignore");
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  /* Four seconds of it. */
  state = publish_fixture_wait_number (publish, "session.video.frames", 40, 40);
  publish_fixture_stop (publish);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/publish-limits/warn/", limits, test_limit);
  g_test_add_func ("/publish-limits/refuse", test_refuse);
  g_test_add_func ("/publish-limits/refuse-not-for-viewers", test_refuse_not);
  g_test_add_func ("/publish-limits/ignore", test_ignore);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
