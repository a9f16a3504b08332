/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What goes into the element and what arrives at the stage.
 */
#include <string.h>

#include "publish-fixture.h"

static StageFixture *stage;

#define LIVE_VIDEO \
  "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1"
#define X264 \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 bitrate=500"
#define LIVE_AUDIO "audiotestsrc is-live=true"

/* -- Each kind of input ------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *description;
  gboolean audio, video; /* that comes in */
  guint channels;        /* audio */
  guint width, height;   /* video */
} Input;

/* clang-format off */
static const Input inputs[] = {
  { "video-raw", LIVE_VIDEO " ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "video-raw-by-pad", LIVE_VIDEO " ! s.video_3 ivsstagesink name=s", FALSE, TRUE, 0, 320, 240 },
  { "video-raw-as-it-comes", "videotestsrc ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "video-1080p", "videotestsrc is-live=true ! video/x-raw,width=1920,height=1080,framerate=15/1 ! ivsstagesink", FALSE, TRUE, 0, 1280, 720 },
  { "video-portrait", "videotestsrc is-live=true ! video/x-raw,width=1080,height=1920,framerate=15/1 ! ivsstagesink", FALSE, TRUE, 0, 720, 1280 },
  { "video-with-overlay", LIVE_VIDEO " ! timeoverlay ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "h264-byte-stream", LIVE_VIDEO " ! " X264 " ! video/x-h264,stream-format=byte-stream,profile=constrained-baseline ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "h264-avc", LIVE_VIDEO " ! " X264 " ! video/x-h264,stream-format=avc,profile=constrained-baseline ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "h264-as-it-comes", LIVE_VIDEO " ! " X264 " ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "rtp-h264", LIVE_VIDEO " ! " X264 " ! video/x-h264,profile=constrained-baseline ! rtph264pay ! ivsstagesink", FALSE, TRUE, 0, 320, 240 },
  { "rtp-h264-pt-ssrc", LIVE_VIDEO " ! " X264 " ! video/x-h264,profile=constrained-baseline ! rtph264pay pt=126 ssrc=77 mtu=1400 config-interval=-1 ! s.sink_0 ivsstagesink name=s", FALSE, TRUE, 0, 320, 240 },
  { "audio-raw", LIVE_AUDIO " ! ivsstagesink", TRUE, FALSE, 1, 0, 0 },
  { "audio-mono", LIVE_AUDIO " ! audio/x-raw,channels=1,rate=44100 ! ivsstagesink", TRUE, FALSE, 1, 0, 0 },
  { "audio-stereo", LIVE_AUDIO " ! audio/x-raw,channels=2,rate=48000 ! ivsstagesink", TRUE, FALSE, 2, 0, 0 },
  { "audio-5.1", LIVE_AUDIO " ! audio/x-raw,channels=6,channel-mask=(bitmask)0x3f ! ivsstagesink", TRUE, FALSE, 2, 0, 0 },
  { "opus", LIVE_AUDIO " ! audio/x-raw,channels=2 ! opusenc ! ivsstagesink", TRUE, FALSE, 2, 0, 0 },
  { "rtp-opus", LIVE_AUDIO " ! audio/x-raw,channels=2 ! opusenc ! rtpopuspay pt=111 ! ivsstagesink", TRUE, FALSE, 2, 0, 0 },
  { "both-raw", LIVE_VIDEO " ! ivsstagesink name=s " LIVE_AUDIO " ! s.", TRUE, TRUE, 1, 320, 240 },
};
/* clang-format on */

static void
check_audio (PublishFixture *publish, const Input *input)
{
  g_autoptr (JsonNode) state =
      publish_fixture_wait_number (publish, "session.audio.packets", 50, 20);

  publish_fixture_assert_int (publish, state, "session.audio.channels", ==,
      input->channels);
}

static void
check_video (PublishFixture *publish, const Input *input)
{
  g_autoptr (JsonNode) state =
      publish_fixture_wait_number (publish, "session.video.frames", 20, 20);
  gint constraints = (gint) publish_fixture_number (publish, state,
      "session.video.constraints");

  publish_fixture_assert_int (publish, state, "session.video.profile", ==, 66);
  /* constraint_set1_flag: Constrained Baseline */
  g_assert_cmpint (constraints & 0x40, ==, 0x40);
  publish_fixture_assert_int (publish, state, "session.video.b_slices", ==, 0);
  publish_fixture_assert_int (publish, state, "session.video.width", ==,
      input->width);
  publish_fixture_assert_int (publish, state, "session.video.height", ==,
      input->height);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
}

static void
test_input (gconstpointer data)
{
  const Input *input = data;
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "%s", input->description);

  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  if (input->audio)
    check_audio (publish, input);
  if (input->video)
    check_video (publish, input);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/publish/input/%s", inputs[i].name);

    g_test_add_data_func (path, &inputs[i], test_input);
  }
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  return result;
}
