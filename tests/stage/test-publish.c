/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What goes into the element and what arrives at the stage.
 */
#include <glib/gstdio.h>

#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "test-table.h"

static StageFixture *stage;

#define LIVE_VIDEO \
  "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1"
#define X264 \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 bitrate=500"
#define LIVE_AUDIO "audiotestsrc is-live=true"

/* Large pictures come at 8 a second, for a computer that has other work to do. */
#define ENOUGH_FRAMES 10

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
  { "video-1080p", "videotestsrc is-live=true ! video/x-raw,width=1920,height=1080,framerate=8/1 ! ivsstagesink", FALSE, TRUE, 0, 1280, 720 },
  { "video-portrait", "videotestsrc is-live=true ! video/x-raw,width=1080,height=1920,framerate=8/1 ! ivsstagesink", FALSE, TRUE, 0, 720, 1280 },
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

/* What a stage shows to everybody: Constrained Baseline, without B-frames. */
static void
check_profile (PublishFixture *publish, JsonNode *state)
{
  gint constraints = (gint) publish_fixture_number (publish, state,
      "session.video.constraints");

  publish_fixture_assert_int (publish, state, "session.video.profile", ==, 66);
  /* constraint_set1_flag */
  g_assert_cmpint (constraints & 0x40, ==, 0x40);
  publish_fixture_assert_int (publish, state, "session.video.b_slices", ==, 0);
}

static void
check_video (PublishFixture *publish, const Input *input)
{
  g_autoptr (JsonNode) state = publish_fixture_wait_number (publish,
      "session.video.frames", ENOUGH_FRAMES, 20);

  check_profile (publish, state);
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

/* -- Pipelines that others have published --------------------------------------- */

/* What AWS shows for whipsink, with the name of this element. */
#define AWS_PIPELINE \
  "videotestsrc is-live=true ! videoconvert ! x264enc tune=zerolatency bitrate=2500 speed-preset=ultrafast " \
  "! rtph264pay ! application/x-rtp,media=video,encoding-name=H264,payload=97,clock-rate=90000,width=1280,height=720,framerate=30/1 " \
  "! whip.sink_0 audiotestsrc is-live=true ! audioconvert ! opusenc ! rtpopuspay " \
  "! application/x-rtp,media=audio,encoding-name=OPUS,payload=96,clock-rate=48000,encoding-params=(string)2 " \
  "! whip.sink_1 ivsstagesink name=whip auth-token=%s whip-endpoint=%s"

static void
test_aws_pipeline (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autoptr (PublishFixture) publish = publish_fixture_new_as (stage, id,
      AWS_PIPELINE, token, stage_fixture_get_whip_url (stage));
  g_autoptr (JsonNode) video = NULL, audio = NULL;

  publish_fixture_play (publish);
  video = publish_fixture_wait_number (publish, "session.video.frames", 40, 20);
  audio =
      publish_fixture_wait_number (publish, "session.audio.packets", 60, 20);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, video, "session.video.starts_with_idr")));
  check_profile (publish, video);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

/* -- Sound without a picture ------------------------------------------------------- */

static void
test_without_dummy (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_AUDIO " ! ivsstagesink dummy-video=never");
  g_autoptr (GstMessage) message = NULL;

  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "session-refused", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  g_assert_cmpint (publish_fixture_get_code (message), ==, 2001);
  publish_fixture_wait_connection (publish, "failed", 5);
}

/* -- Where the token comes from ------------------------------------------------------ */

#define SHORT_VIDEO LIVE_VIDEO " ! ivsstagesink "

/* On the stage as the participant of the token. */
static void
check_is_there (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  state = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

static void
test_token_property (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autoptr (PublishFixture) publish =
      publish_fixture_new_as (stage, id, SHORT_VIDEO "auth-token=%s", token);

  check_is_there (publish);
}

static void
test_token_file (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autofree gchar *line = g_strconcat (token, "\n", NULL);
  g_autofree gchar *path = NULL;
  g_autoptr (GError) error = NULL;
  gint file = g_file_open_tmp ("token-XXXXXX", &path, &error);
  g_autoptr (PublishFixture) publish = NULL;

  g_assert_no_error (error);
  g_close (file, NULL);
  g_file_set_contents (path, line, -1, &error);
  g_assert_no_error (error);
  publish = publish_fixture_new_as (stage, id, SHORT_VIDEO "auth-token-file=%s",
      path);
  check_is_there (publish);
  g_unlink (path);
}

static void
test_token_environment (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autoptr (PublishFixture) publish =
      publish_fixture_new_as (stage, id, SHORT_VIDEO);

  g_setenv ("IVS_STAGE_TOKEN", token, TRUE);
  check_is_there (publish);
  g_unsetenv ("IVS_STAGE_TOKEN");
}

static gchar *
token_requested (GstElement *sink, gpointer data)
{
  return g_strdup (data);
}

static void
test_token_signal (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autoptr (PublishFixture) publish =
      publish_fixture_new_as (stage, id, SHORT_VIDEO "auth-token=ignored");

  g_signal_connect (publish_fixture_get_sink (publish), "request-token",
      G_CALLBACK (token_requested), token);
  check_is_there (publish);
}

static void
test_token_missing (void)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new_as (stage, "nobody", SHORT_VIDEO);
  g_autoptr (GstMessage) message = NULL;

  publish_fixture_expect (publish, "token-missing");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "token-missing", 10);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
}

/* -- Where it leads ------------------------------------------------------------------ */

/* The endpoint that AWS documents answers 307; a token without whip_url knows no
 * other. */
static void
test_endpoint_redirects (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token =
      stage_fixture_mint (stage, "{\"whip_url\":false}", &id);
  g_autoptr (PublishFixture) publish = publish_fixture_new_as (stage, id,
      SHORT_VIDEO "auth-token=%s whip-endpoint=%s", token,
      stage_fixture_get_whip_url (stage));

  check_is_there (publish);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 307), ==,
      1);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      1);
}

static void
test_endpoint_of_token (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, SHORT_VIDEO);

  check_is_there (publish);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 307), ==,
      0);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      1);
}

/* -- What the element tells ------------------------------------------------------------ */

typedef struct
{
  GMutex lock;
  GString *states;
} Notified;

/* On the element's own thread. */
static void
connection_notified (GObject *sink, GParamSpec *spec, gpointer data)
{
  Notified *notified = data;
  g_auto (GValue) value = G_VALUE_INIT;
  GEnumValue *entry;

  g_value_init (&value, spec->value_type);
  g_object_get_property (sink, "connection-state", &value);
  entry = g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class,
      g_value_get_enum (&value));
  g_mutex_lock (&notified->lock);
  g_string_append_printf (notified->states, "%s ", entry->value_nick);
  g_mutex_unlock (&notified->lock);
}

static void
check_properties (PublishFixture *publish, JsonNode *state)
{
  GstElement *sink = publish_fixture_get_sink (publish);
  g_autofree gchar *id = NULL, *arn = NULL;
  gint64 expiry = 0;

  g_object_get (sink, "participant-id", &id, "stage-arn", &arn, "token-expiry",
      &expiry, NULL);
  g_assert_cmpstr (id, ==, publish_fixture_get_participant (publish));
  g_assert_cmpstr (arn, ==, stage_state_string (state, "stage"));
  g_assert_cmpint (expiry, ==,
      (gint64) publish_fixture_number (publish, state, "expires"));
}

static void
test_told (void)
{
  Notified notified = { .states = g_string_new (NULL) };
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc num-buffers=30 ! video/x-raw,framerate=30/1 ! ivsstagesink");
  g_autofree gchar *progress = NULL, *states = NULL;
  g_autoptr (JsonNode) state = NULL;

  g_mutex_init (&notified.lock);
  g_signal_connect (publish_fixture_get_sink (publish),
      "notify::connection-state", G_CALLBACK (connection_notified), &notified);
  publish_fixture_play (publish);
  state = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  check_properties (publish, state);
  publish_fixture_wait_eos (publish, 20);
  publish_fixture_stop (publish);
  progress = publish_fixture_get_progress (publish);
  states = publish_fixture_get_states (publish);
  g_assert_cmpstr (progress, ==,
      "start open, complete open, start request, complete request, "
      "start connect, complete connect, start disconnect, complete disconnect");
  g_assert_cmpstr (states, ==, "connecting, connected, closed");
  g_assert_cmpstr (notified.states->str, ==, "connecting connected closed ");
  g_string_free (notified.states, TRUE);
  g_mutex_clear (&notified.lock);
}

/* -- One picture, one list ---------------------------------------------------- */

typedef struct
{
  gint lists, listed; /* atomic; the packets of lists */
} Leaving;

static GstPadProbeReturn
list_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Leaving *leaving = data;

  g_atomic_int_inc (&leaving->lists);
  g_atomic_int_add (&leaving->listed,
      (gint) gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info)));
  return GST_PAD_PROBE_OK;
}

static void
element_came (GstBin *bin, GstBin *child, GstElement *element, gpointer data)
{
  g_autoptr (GstPad) pad = NULL;

  if (g_strcmp0 (G_OBJECT_TYPE_NAME (element), "GstNiceSink") != 0)
    return;
  pad = gst_element_get_static_pad (element, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER_LIST, list_left, data,
      NULL);
}

/* Most of what is sent of large pictures comes to the socket in lists of several, and all
 * of it arrives. */
static void
test_lists (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc pattern=snow is-live=true ! "
      "video/x-raw,width=640,height=360,framerate=30/1 ! " X264
      " bitrate=2000 ! ivsstagesink");
  Leaving leaving = { 0 };
  g_autoptr (JsonNode) state = NULL;
  gdouble packets;

  g_signal_connect (publish_fixture_get_pipeline (publish),
      "deep-element-added", G_CALLBACK (element_came), &leaving);
  publish_fixture_play (publish);
  state =
      publish_fixture_wait_number (publish, "session.video.packets", 300, 20);
  publish_fixture_stop (publish);
  packets = publish_fixture_number (publish, state, "session.video.packets");
  g_assert_cmpint (leaving.listed, >, packets / 2);
  g_assert_cmpint (leaving.listed, >=, 2 * leaving.lists);
  publish_fixture_assert_int (publish, state, "session.video.lost", ==, 0);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "aws-pipeline", test_aws_pipeline },
    { "audio-without-dummy-video", test_without_dummy },
    { "token/property", test_token_property },
    { "token/file", test_token_file },
    { "token/environment", test_token_environment },
    { "token/signal", test_token_signal },
    { "token/missing", test_token_missing },
    { "endpoint/redirects", test_endpoint_redirects },
    { "endpoint/of-token", test_endpoint_of_token },
    { "told", test_told },
    { "lists", test_lists },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/publish/input/", inputs, test_input);
  ADD_CASES ("/publish/", cases);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
