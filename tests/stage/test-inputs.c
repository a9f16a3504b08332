/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inputs that come, change, err and go while the element publishes.
 */
#include "end-gstreamer.h"
#include "survival.h"
#include "test-table.h"

static StageFixture *stage;

#define X264 \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 bitrate=500 ! video/x-h264,profile=constrained-baseline"
#define SMALL "video/x-raw,width=256,height=192,framerate=30/1"

/* -- Branches of the pipeline ------------------------------------------------------------ */

typedef struct
{
  PublishFixture *publish;
  GstElement *bin; /* the pipeline owns it */
  GstPad *pad;     /* of the element */
} Branch;

static void
branch_add (Branch *branch, PublishFixture *publish, const gchar *description,
    const gchar *pad_name)
{
  GstElement *sink = publish_fixture_get_sink (publish);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPad) src = NULL;

  branch->publish = publish;
  branch->bin = gst_parse_bin_from_description (description, TRUE, &error);
  g_assert_no_error (error);
  gst_bin_add (GST_BIN (GST_OBJECT_PARENT (sink)), branch->bin);
  branch->pad = gst_element_request_pad_simple (sink, pad_name);
  g_assert_nonnull (branch->pad);
  src = gst_element_get_static_pad (branch->bin, "src");
  g_assert_cmpint (gst_pad_link (src, branch->pad), ==, GST_PAD_LINK_OK);
  g_assert_true (gst_element_sync_state_with_parent (branch->bin));
}

static void
branch_remove (Branch *branch)
{
  gst_element_set_locked_state (branch->bin, TRUE);
  gst_element_set_state (branch->bin, GST_STATE_NULL);
  gst_element_release_request_pad (publish_fixture_get_sink (branch->publish),
      branch->pad);
  gst_clear_object (&branch->pad);
  gst_bin_remove (GST_BIN (GST_OBJECT_PARENT (branch->bin)), branch->bin);
}

static void
branch_clear (Branch *branch)
{
  gst_clear_object (&branch->pad);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Branch, branch_clear)

/* -- At the stage -------------------------------------------------------------------------- */

static PublishFixture *
start (const gchar *description, const gchar *awaited)
{
  PublishFixture *publish = publish_fixture_new (stage, "%s", description);
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  state = publish_fixture_wait_number (publish, awaited, 15, 20);
  return publish;
}

/* As many more as there are now. */
static JsonNode *
wait_more (PublishFixture *publish, const gchar *path, gdouble more)
{
  g_autoptr (JsonNode) now = publish_fixture_look (publish);

  return publish_fixture_wait_number (publish, path,
      publish_fixture_number (publish, now, path) + more, 15);
}

#define FRAMES "session.video.frames"
#define AUDIO_PACKETS "session.audio.packets"

/* One session, one source of each kind, no hole. */
static void
check_unbroken (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = publish_fixture_look (publish);

  survival_assert (publish, state, "sessions.made", ==, 1);
  survival_assert (publish, state, "session.video.sources", ==, 1);
  survival_assert (publish, state, "session.video.never_arrived", ==, 0);
  survival_assert (publish, state, "session.audio.never_arrived", ==, 0);
}

static void
stop_and_check (PublishFixture *publish, guint n_sessions)
{
  survival_stop (publish, 4);
  publish_fixture_assert_deleted (publish, n_sessions);
}

/* -- Later --------------------------------------------------------------------------------- */

/* The picture takes the place of the section that was offered for nothing. */
static void
test_camera_later (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_AUDIO " ! " SURVIVAL_SINK, AUDIO_PACKETS);
  g_auto (Branch) camera = { NULL };
  g_autoptr (JsonNode) video = NULL, audio = NULL;

  branch_add (&camera, publish, LIVE_VIDEO " ! queue", "video_%u");
  video = publish_fixture_wait_number (publish, FRAMES, 30, 10);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, video, "session.video.starts_with_idr")));
  audio = wait_more (publish, AUDIO_PACKETS, 20);
  check_unbroken (publish);
  stop_and_check (publish, 1);
}

/* There was no section for sound: a new session takes over. */
static void
test_microphone_later (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_VIDEO " ! " SURVIVAL_SINK, FRAMES);
  g_auto (Branch) microphone = { NULL };
  g_autoptr (JsonNode) audio = NULL, video = NULL;
  g_autofree gchar *states = NULL;

  branch_add (&microphone, publish, LIVE_AUDIO, "audio_%u");
  audio = publish_fixture_wait_number (publish, AUDIO_PACKETS, 30, 10);
  video = wait_more (publish, FRAMES, 20);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, video, "session.video.starts_with_idr")));
  survival_assert (publish, video, "sessions.made", ==, 2);
  survival_stop (publish, 4);
  survival_assert_gone (publish);
  states = publish_fixture_get_states (publish);
  g_assert_cmpstr (states, ==, "connecting, connected, closed");
}

static void
test_stop_while_taking_over (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_VIDEO " ! " SURVIVAL_SINK, FRAMES);
  g_auto (Branch) microphone = { NULL };

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":600,\"count\":1}");
  branch_add (&microphone, publish, LIVE_AUDIO, "audio_%u");
  survival_wait_second_request (publish);
  survival_stop (publish, 4);
  survival_assert_gone (publish);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      2);
}

/* -- Again ---------------------------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *description;
  const gchar *pad;
} Picture;

/* clang-format off */
static const Picture pictures[] = {
  { "raw", LIVE_VIDEO " ! queue", "video_%u" },
  { "h264", "videotestsrc is-live=true ! " SMALL " ! " X264 " ! queue", "video_%u" },
  { "rtp", "videotestsrc is-live=true ! " SMALL " ! " X264 " ! rtph264pay pt=126 ssrc=77 mtu=1000", "sink_%u" },
};
/* clang-format on */

typedef struct
{
  PublishFixture *publish;
  gdouble width;
} Width;

static gboolean
has_width (JsonNode *state, gpointer data)
{
  Width *width = data;

  return publish_fixture_number (width->publish, state,
             "session.video.width") == width->width;
}

/* With the next IDR picture at the latest: after a pause the stage's jitter buffer
 * takes the first packet for late, and with it what tells the size. */
static void
wait_width (PublishFixture *publish, gdouble expected)
{
  Width width = { publish, expected };
  G_GNUC_UNUSED g_autoptr (JsonNode) state =
      stage_fixture_wait (stage, "width", has_width, &width, 5);
}

static void
check_sound_alone (PublishFixture *publish)
{
  g_autoptr (JsonNode) audio = wait_more (publish, AUDIO_PACKETS, 30);

  survival_assert (publish, audio, "session.video.last_packet_age_ms", >, 400);
  survival_assert (publish, audio, "session.audio.last_packet_age_ms", <, 400);
}

/* Each kind of picture after each other. */
static void
test_camera_again (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_AUDIO " ! " SURVIVAL_SINK, AUDIO_PACKETS);

  for (guint i = 0; i < 2 * G_N_ELEMENTS (pictures); i++) {
    const Picture *picture = &pictures[i % G_N_ELEMENTS (pictures)];
    g_auto (Branch) camera = { NULL };
    g_autoptr (JsonNode) video = NULL;

    branch_add (&camera, publish, picture->description, picture->pad);
    video = i == 0 ? publish_fixture_wait_number (publish, FRAMES, 20, 10)
                   : wait_more (publish, FRAMES, 20);
    wait_width (publish, i % G_N_ELEMENTS (pictures) == 0 ? 320 : 256);
    branch_remove (&camera);
    check_sound_alone (publish);
  }
  check_unbroken (publish);
  stop_and_check (publish, 1);
}

/* -- Never ---------------------------------------------------------------------------------- */

/* A pad without data holds up the others for five seconds, and is named. Its data are
 * taken in when they come after all. */
static void
test_silent_pad (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_AUDIO " ! " SURVIVAL_SINK " name=s  " LIVE_VIDEO
                 " ! valve name=late drop=true ! s.video_7");
  g_autoptr (GstElement) valve =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          "late");
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GstMessage) warning = NULL;
  g_autoptr (JsonNode) audio = NULL, video = NULL;

  publish_fixture_play (publish);
  warning = publish_fixture_wait_failure (publish, "no-input", 8);
  g_assert_cmpint (g_get_monotonic_time () - began, >, 4500 * 1000);
  publish_fixture_assert_says (warning, "video_7");
  publish_fixture_wait_connection (publish, "connected", 5);
  audio = publish_fixture_wait_number (publish, AUDIO_PACKETS, 10, 5);
  g_assert_cmpuint (publish_fixture_count_named (publish, "no-input"), ==, 1);
  g_object_set (valve, "drop", FALSE, NULL);
  video = publish_fixture_wait_number (publish, FRAMES, 15, 10);
  check_unbroken (publish);
  stop_and_check (publish, 1);
}

/* -- Changes -------------------------------------------------------------------------------- */

static void
test_resolution_changes (void)
{
  g_autoptr (PublishFixture) publish = start (
      "videotestsrc is-live=true ! capsfilter name=size caps=\"" VIDEO_CAPS
      "\" ! " SURVIVAL_SINK " name=s " LIVE_AUDIO " ! s.",
      FRAMES);
  g_autoptr (GstElement) filter =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          "size");

  for (guint i = 0; i < 4; i++) {
    g_autoptr (GstCaps) caps =
        gst_caps_from_string (i % 2 == 0 ? SMALL : VIDEO_CAPS);
    g_autoptr (JsonNode) state = NULL;

    g_object_set (filter, "caps", caps, NULL);
    state = publish_fixture_wait_number (publish, "session.video.resolutions",
        i + 2, 10);
    survival_assert (publish, state, "session.video.width", ==,
        i % 2 == 0 ? 256 : 320);
  }
  check_unbroken (publish);
  stop_and_check (publish, 1);
}

static void
select_input (PublishFixture *publish, const gchar *name)
{
  g_autoptr (GstElement) selector =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          "choice");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (selector, name);

  g_object_set (selector, "active-pad", pad, NULL);
}

/* The same pad, raw and encoded in turn. */
static void
test_raw_to_encoded (void)
{
  g_autoptr (PublishFixture) publish =
      start ("input-selector name=choice ! " SURVIVAL_SINK " name=s " LIVE_AUDIO
             " ! s. "
             "videotestsrc is-live=true ! " VIDEO_CAPS
             " ! queue ! choice.sink_0 "
             "videotestsrc is-live=true ! " SMALL " ! " X264
             " ! queue ! choice.sink_1",
          FRAMES);

  for (guint i = 0; i < 4; i++) {
    g_autoptr (JsonNode) state = NULL, more = NULL;

    select_input (publish, i % 2 == 0 ? "sink_1" : "sink_0");
    state = publish_fixture_wait_number (publish, "session.video.resolutions",
        i + 2, 10);
    survival_assert (publish, state, "session.video.width", ==,
        i % 2 == 0 ? 256 : 320);
    more = wait_more (publish, FRAMES, 15);
  }
  check_unbroken (publish);
  stop_and_check (publish, 1);
}

static void
test_flushing_seek (void)
{
  g_autoptr (PublishFixture) publish =
      start ("videotestsrc ! " VIDEO_CAPS " ! " SURVIVAL_SINK " name=s "
             "audiotestsrc ! s.",
          FRAMES);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (JsonNode) video = NULL, audio = NULL;

    g_assert_true (
        gst_element_seek_simple (publish_fixture_get_pipeline (publish),
            GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, i * GST_SECOND));
    video = wait_more (publish, FRAMES, 20);
    audio = wait_more (publish, AUDIO_PACKETS, 20);
  }
  check_unbroken (publish);
  stop_and_check (publish, 1);
}

#define FILM "videotestsrc ! " SMALL " ! ivsstagesink name=s"

static gint64
get_position (PublishFixture *publish)
{
  gint64 position = -1;

  g_assert_true (
      gst_element_query_position (publish_fixture_get_pipeline (publish),
          GST_FORMAT_TIME, &position));
  return position;
}

/* To the eighth second; the tenth is the end. */
static void
seek (PublishFixture *publish)
{
  g_assert_true (gst_element_seek (publish_fixture_get_pipeline (publish), 1,
      GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 8 * GST_SECOND,
      GST_SEEK_TYPE_SET, 10 * GST_SECOND));
}

/* Paused, sought, played, as a player does: only what is behind comes. */
static void
test_seek_before_playing (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, FILM);
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_set_state (publish, GST_STATE_PAUSED);
  seek (publish);
  publish_fixture_play (publish);
  state = publish_fixture_wait_number (publish, FRAMES, 10, 20);
  g_assert_cmpint (get_position (publish), >=, 8 * GST_SECOND);
  publish_fixture_wait_eos (publish, 30);
  g_assert_cmpint (get_position (publish), >=, 9 * GST_SECOND);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

/* The end is no end when the application seeks back: there is another one. */
static void
test_seek_after_end (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, FILM);

  publish_fixture_set_state (publish, GST_STATE_PAUSED);
  seek (publish);
  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 30);
  publish_fixture_wait_connection (publish, "closed", 10);
  seek (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  publish_fixture_wait_connection (publish, "closed", 20);
  publish_fixture_assert_deleted (publish, 2);
  publish_fixture_stop (publish);
}

/* Another pad comes after the end. */
static void
test_pad_after_end (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc num-buffers=60 ! " SMALL " ! ivsstagesink name=s");
  g_auto (Branch) sound = { 0 };

  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 30);
  branch_add (&sound, publish, "audiotestsrc is-live=true", "audio_%u");
  publish_fixture_wait_connection (publish, "connected", 20);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 2);
}

/* Longer than any silence that is borne here or at the stage (15 s). Before it the stage's
 * feedback has come often enough to be a habit, which a pause breaks. */
static void
test_paused (void)
{
  g_autoptr (PublishFixture) publish = start (LIVE_BOTH (""), FRAMES);
  G_GNUC_UNUSED g_autoptr (JsonNode) habit = wait_more (publish, FRAMES, 120);
  g_autoptr (JsonNode) video = NULL, audio = NULL;

  publish_fixture_set_state (publish, GST_STATE_PAUSED);
  survival_pass_time (17000);
  publish_fixture_set_state (publish, GST_STATE_PLAYING);
  video = wait_more (publish, FRAMES, 30);
  audio = wait_more (publish, AUDIO_PACKETS, 30);
  check_unbroken (publish);
  g_assert_cmpuint (publish_fixture_count_messages (publish, "ivs-stage-lost"),
      ==, 0);
  stop_and_check (publish, 1);
}

/* -- Errors --------------------------------------------------------------------------------- */

/* GStreamer tells the application of the branch that erred; the other one goes on. */
static void
test_branch_errs (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! identity name=bad error-after=60 ! " SURVIVAL_SINK
                 " name=s " LIVE_AUDIO " ! s.");
  g_autoptr (GstMessage) error = NULL;
  g_autoptr (JsonNode) audio = NULL;

  publish_fixture_expect (publish, "v"); /* "Internal data stream error" */
  publish_fixture_play (publish);
  error = publish_fixture_wait_failure (publish, "bad", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (error), ==, GST_MESSAGE_ERROR);
  audio = wait_more (publish, AUDIO_PACKETS, 75);
  survival_assert (publish, audio, "session.audio.last_packet_age_ms", <, 400);
  survival_assert (publish, audio, "sessions.made", ==, 1);
  g_assert_false (publish_fixture_is_eos (publish));
  stop_and_check (publish, 1);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "later/camera", test_camera_later },
    { "later/microphone", test_microphone_later },
    { "later/stop-while-taking-over", test_stop_while_taking_over },
    { "again/camera", test_camera_again },
    { "never/silent-pad", test_silent_pad },
    { "change/resolution", test_resolution_changes },
    { "change/raw-to-encoded", test_raw_to_encoded },
    { "change/flushing-seek", test_flushing_seek },
    { "change/paused", test_paused },
    { "seek/before-playing", test_seek_before_playing },
    { "seek/after-end", test_seek_after_end },
    { "later/pad-after-end", test_pad_after_end },
    { "error/branch", test_branch_errs },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_CASES ("/inputs/", cases);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
