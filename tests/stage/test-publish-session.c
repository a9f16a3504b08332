/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a session begins and ends: EOS, stop, restart, pause, what arrives when.
 */
#include <signal.h>

#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stall-meter.h"
#include "test-table.h"

static StageFixture *stage;

#define VIDEO_CAPS "video/x-raw,width=320,height=240,framerate=30/1"
#define LIVE_VIDEO "videotestsrc name=v is-live=true ! " VIDEO_CAPS
#define LIVE_AUDIO "audiotestsrc name=a is-live=true"
/* 20 ms in each buffer, as in each packet of Opus. */
#define AUDIO_CAPS "audio/x-raw,rate=48000,channels=1"
#define FILE_AUDIO "audiotestsrc samplesperbuffer=960"

/* The stage is slow by 1.5 s: half of it would be seen if something waited. */
#define SLOW "{\"rule\":\"slow\",\"ms\":1500,\"count\":1}"
/* The stage's jitter buffer holds the first packet for 200 ms, and none after it. */
#define MAX_LEAD_MS 250
#define MAX_LATE_MS 100
#define MAX_ON_A_BUSY_COMPUTER_MS 750

static StallMeter *stalls; /* of the case that runs */

static void
assert_below (const gchar *what, gdouble value, gdouble limit)
{
  g_test_message ("%s: %.0f ms", what, value);
  g_assert_cmpfloat (value, <,
      stall_meter_stretch (stalls, limit, MAX_ON_A_BUSY_COMPUTER_MS));
}

#define assert_number(publish, state, path, op, value) \
  g_assert_cmpfloat (publish_fixture_number (publish, state, path), op, value)

static void
assert_timely (PublishFixture *publish, JsonNode *state, const gchar *path,
    gdouble limit)
{
  assert_below (path, publish_fixture_number (publish, state, path), limit);
}

/* What the jitter buffer drops as too late after a pause is not the sender's. */
static void
assert_nothing_lost (PublishFixture *publish, JsonNode *state)
{
  publish_fixture_assert_int (publish, state, "session.video.never_arrived", ==,
      0);
  publish_fixture_assert_int (publish, state, "session.audio.never_arrived", ==,
      0);
}

/* -- EOS ------------------------------------------------------------------------- */

static void
test_eos_of_all (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc num-buffers=45 ! " VIDEO_CAPS
      " ! ivsstagesink name=s  " FILE_AUDIO " num-buffers=75 ! " AUDIO_CAPS
      " ! s.");
  g_autoptr (JsonNode) state = NULL;
  g_autofree gchar *progress = NULL;

  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 20);
  /* Whoever hears of the end may be sure that the session is over. */
  state = publish_fixture_look (publish);
  publish_fixture_assert_int (publish, state, "sessions.deleted", ==, 1);
  progress = publish_fixture_get_progress (publish);
  g_assert_cmpstr (progress, ==,
      "start open, complete open, start request, complete request, "
      "start connect, complete connect, start disconnect, complete disconnect");
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

/* One pad's EOS is no business of the other. */
static void
test_eos_of_audio_first (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " FILE_AUDIO
                 " num-buffers=50 ! " AUDIO_CAPS " ! s.");
  g_autoptr (JsonNode) audio = NULL, video = NULL;
  gdouble frames;

  publish_fixture_play (publish);
  audio =
      publish_fixture_wait_number (publish, "session.audio.arrived", 50, 20);
  frames = publish_fixture_number (publish, audio, "session.video.frames");
  video = publish_fixture_wait_number (publish, "session.video.frames",
      frames + 45, 20);
  g_assert_false (publish_fixture_is_eos (publish));
  assert_number (publish, video, "session.audio.arrived", <=, 51);
  assert_number (publish, video, "session.audio.last_packet_age_ms", >, 1000);
  gst_element_send_event (publish_fixture_get_pipeline (publish),
      gst_event_new_eos ());
  publish_fixture_wait_eos (publish, 10);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

static void
test_eos_of_video_first (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc num-buffers=30 ! " VIDEO_CAPS
      " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");
  g_autoptr (JsonNode) video = NULL, audio = NULL;
  gdouble packets;

  publish_fixture_play (publish);
  video = publish_fixture_wait_number (publish, "session.video.marked", 30, 20);
  packets = publish_fixture_number (publish, video, "session.audio.packets");
  audio = publish_fixture_wait_number (publish, "session.audio.packets",
      packets + 75, 20);
  g_assert_false (publish_fixture_is_eos (publish));
  assert_number (publish, audio, "session.video.marked", ==, 30);
  gst_element_send_event (publish_fixture_get_pipeline (publish),
      gst_event_new_eos ());
  publish_fixture_wait_eos (publish, 10);
  publish_fixture_assert_deleted (publish, 1);
}

/* An application ends a live pipeline by an EOS event. */
static void
test_eos_event (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  state = publish_fixture_wait_number (publish, "session.video.frames", 10, 20);
  gst_element_send_event (publish_fixture_get_pipeline (publish),
      gst_event_new_eos ());
  publish_fixture_wait_eos (publish, 10);
  publish_fixture_assert_deleted (publish, 1);
}

/* The streams are shorter than it takes to connect. */
static void
test_eos_before_connected (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc is-live=true num-buffers=3 ! " VIDEO_CAPS
      " ! ivsstagesink");

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":1000,\"count\":1}");
  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 10);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

/* -- gst-launch-1.0 ---------------------------------------------------------------- */

static void
process_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  *(gboolean *) data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

static GSubprocess *
launch (const gchar *token, const gchar *const *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  g_subprocess_launcher_setenv (launcher, "IVS_STAGE_TOKEN", token, TRUE);
  /* Of all these, but not of every GstObject: the dtls plugin keeps an agent for the
   * life of a process, and here nobody takes it out of the tracer's account. */
  if (g_getenv ("GST_TRACERS") != NULL)
    g_subprocess_launcher_setenv (launcher, "GST_TRACERS",
        "leaks(filters=\"GstElement,GstPad,GstBus,GstBuffer,GstCaps,GstEvent,"
        "GstMessage,GstQuery,GstPromise\")",
        TRUE);
  process = g_subprocess_launcher_spawnv (launcher, arguments, &error);
  g_assert_no_error (error);
  return process;
}

/* Ctrl-C. */
static void
interrupt_and_wait (GSubprocess *process)
{
  gboolean is_over = FALSE;

  g_subprocess_wait_async (process, NULL, process_ended, &is_over);
  g_subprocess_send_signal (process, SIGINT);
  g_assert_true (publish_wait (is_true, &is_over, 20000));
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
}

static void
run_gst_launch (const gchar *option)
{
  const gchar *arguments[] = { "gst-launch-1.0", option, "videotestsrc",
    "is-live=true", "!", VIDEO_CAPS, "!", "ivsstagesink", "name=s",
    "audiotestsrc", "is-live=true", "!", "s.", NULL };
  g_autofree gchar *program = g_find_program_in_path ("gst-launch-1.0");
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autofree gchar *path = g_strdup_printf ("@%s.session.video.frames", id);
  g_autofree gchar *deleted = g_strdup_printf ("@%s.sessions.deleted", id);
  g_autofree gchar *made = g_strdup_printf ("@%s.sessions.made", id);
  g_autoptr (JsonNode) live = NULL, state = NULL;
  g_autoptr (GSubprocess) process = NULL;

  if (program == NULL) {
    g_test_skip ("gst-launch-1.0 is not installed");
    return;
  }
  process = launch (token, arguments);
  live = stage_fixture_wait_number (stage, path, 20, 30);
  interrupt_and_wait (process);
  state = stage_fixture_get_state (stage);
  g_assert_cmpint ((gint) stage_state_number (state, deleted), ==, 1);
  g_assert_cmpint ((gint) stage_state_number (state, made), ==, 1);
}

/* -e: Ctrl-C sends EOS; without it the pipeline is just stopped. */
static void
test_gst_launch_eos (void)
{
  run_gst_launch ("-e");
}

static void
test_gst_launch_stop (void)
{
  run_gst_launch ("-m");
}

/* -- What arrives when --------------------------------------------------------------- */

/* A file: every picture and every sound, from the first to the last, in real time
 * however long the stage took to answer. */
static void
check_files (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 20);
  state = publish_fixture_look (publish);
  publish_fixture_assert_int (publish, state, "session.video.marked", ==, 60);
  /* The encoder's look-ahead of 6.5 ms may need one more packet. */
  publish_fixture_assert_int (publish, state, "session.audio.arrived", >=, 100);
  publish_fixture_assert_int (publish, state, "session.audio.arrived", <=, 101);
  assert_nothing_lost (publish, state);
  assert_timely (publish, state, "session.video.max_lead_ms", MAX_LEAD_MS);
  assert_timely (publish, state, "session.audio.max_lead_ms", MAX_LEAD_MS);
  assert_number (publish, state, "session.video.media_ms", >=, 1900);
  assert_number (publish, state, "session.video.media_ms", <=, 2000);
  publish_fixture_assert_deleted (publish, 1);
}

#define FILES \
  "videotestsrc num-buffers=60 ! " VIDEO_CAPS \
  " ! ivsstagesink name=s  " FILE_AUDIO " num-buffers=100 ! " AUDIO_CAPS \
  " ! s."

static void
test_files_lose_nothing (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, FILES);

  check_files (publish);
}

static void
test_files_wait_for_the_stage (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, FILES);

  stage_fixture_fault (stage, SLOW);
  check_files (publish);
}

/* How late a live source is: it is made to wait by whatever blocks downstream. */
typedef struct
{
  GstElement *source;
  GstClockTimeDiff latest;
  guint buffers;
} Lateness;

static GstPadProbeReturn
buffer_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Lateness *lateness = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstClock) clock = gst_element_get_clock (lateness->source);
  GstClockTimeDiff due =
      (GstClockTimeDiff) (gst_element_get_base_time (lateness->source) +
          GST_BUFFER_PTS (buffer));
  GstClockTimeDiff late;

  if (clock == NULL)
    return GST_PAD_PROBE_OK;
  late = (GstClockTimeDiff) gst_clock_get_time (clock) - due;
  lateness->latest = MAX (lateness->latest, late);
  lateness->buffers++;
  return GST_PAD_PROBE_OK;
}

static void
watch_lateness (PublishFixture *publish, const gchar *name, Lateness *lateness)
{
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");

  lateness->source = source; /* the pipeline owns it */
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, buffer_left, lateness,
      NULL);
}

/* A live source runs on while the stage takes its time, and what it brought
 * meanwhile is gone, not sent late. */
static void
test_live_never_waits (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");
  g_autoptr (JsonNode) state = NULL;
  Lateness video = { 0 }, audio = { 0 };

  watch_lateness (publish, "v", &video);
  watch_lateness (publish, "a", &audio);
  stage_fixture_fault (stage, SLOW);
  publish_fixture_play (publish);
  state = publish_fixture_wait_number (publish, "session.video.frames", 60, 20);
  publish_fixture_stop (publish);
  g_assert_cmpuint (video.buffers, >, 90);
  assert_below ("video", (gdouble) video.latest / GST_MSECOND, MAX_LATE_MS);
  assert_below ("audio", (gdouble) audio.latest / GST_MSECOND, MAX_LATE_MS);
  assert_timely (publish, state, "session.video.max_lead_ms", MAX_LEAD_MS);
  assert_timely (publish, state, "session.audio.max_lead_ms", MAX_LEAD_MS);
  assert_number (publish, state, "session.video.n_reports", >=, 1);
  assert_timely (publish, state, "session.video.latency_ms", MAX_LATE_MS);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
  publish_fixture_assert_deleted (publish, 1);
}

/* What a decoder needs comes first: SPS and PPS, then the IDR picture. */
static void
check_first_nals (PublishFixture *publish, JsonNode *state)
{
  JsonArray *nals = json_node_get_array (
      publish_fixture_at (publish, state, "session.video.first_nals"));
  gboolean has_sps = FALSE, has_pps = FALSE;
  guint i = 0;

  for (; json_array_get_int_element (nals, i) >= 6; i++) {
    has_sps |= json_array_get_int_element (nals, i) == 7;
    has_pps |= json_array_get_int_element (nals, i) == 8;
    g_assert_cmpuint (i + 1, <, json_array_get_length (nals));
  }
  g_assert_true (has_sps && has_pps);
  g_assert_cmpint (json_array_get_int_element (nals, i), ==, 5);
}

/* An IDR picture every two seconds. */
static void
test_key_units (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc is-live=true pattern=ball ! " VIDEO_CAPS " ! ivsstagesink");
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  state =
      publish_fixture_wait_number (publish, "session.video.frames", 130, 20);
  assert_number (publish, state, "session.video.idrs", >=, 3);
  assert_number (publish, state, "session.video.max_idr_interval_ms", <=, 2050);
  check_first_nals (publish, state);
}

/* -- Stop ---------------------------------------------------------------------------- */

static gint64
stop_and_measure (PublishFixture *publish)
{
  gint64 began = g_get_monotonic_time ();

  publish_fixture_stop (publish);
  return g_get_monotonic_time () - began;
}

static void
test_stop_in_paused (void)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, LIVE_VIDEO " ! ivsstagesink");

  publish_fixture_set_state (publish, GST_STATE_PAUSED);
  g_assert_cmpint (stop_and_measure (publish), <, G_USEC_PER_SEC);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      0);
}

/* Nobody has said what will be published. */
static void
test_stop_before_caps (void)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "appsrc is-live=true ! ivsstagesink");

  publish_fixture_play (publish);
  g_assert_cmpint (stop_and_measure (publish), <, G_USEC_PER_SEC);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      0);
}

typedef struct
{
  PublishFixture *publish;
  const gchar *step;
} Progress;

static gboolean
has_come_to (gpointer data)
{
  Progress *wanted = data;
  g_autofree gchar *progress = publish_fixture_get_progress (wanted->publish);

  return g_str_has_suffix (progress, wanted->step);
}

static void
wait_for_step (PublishFixture *publish, const gchar *step)
{
  Progress wanted = { publish, step };

  g_assert_true (publish_wait (has_come_to, &wanted, 20000));
}

/* The answer to a POST comes after the stop: its session is deleted all the same. */
static void
test_stop_while_posting (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":800,\"count\":1}");
  publish_fixture_play (publish);
  wait_for_step (publish, "start request");
  g_assert_cmpint (stop_and_measure (publish), <, 3 * G_USEC_PER_SEC);
  publish_fixture_assert_deleted (publish, 1);
}

/* The answer does not come within shutdown-timeout, so nobody is there to delete the
 * session that the stage makes later. The next one with this token takes its place. */
static void
test_stop_is_bounded (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink shutdown-timeout=1");
  g_autoptr (JsonNode) late = NULL, replaced = NULL;
  gint64 took;

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":4000,\"count\":1}");
  publish_fixture_play (publish);
  wait_for_step (publish, "start request");
  took = stop_and_measure (publish);
  g_assert_cmpint (took, >, G_USEC_PER_SEC / 2);
  g_assert_cmpint (took, <, 3 * G_USEC_PER_SEC);

  late = publish_fixture_wait_number (publish, "sessions.made", 1, 20);
  publish_fixture_assert_int (publish, late, "sessions.deleted", ==, 0);
  g_object_set (publish_fixture_get_sink (publish), "shutdown-timeout", 10,
      NULL);
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  publish_fixture_stop (publish);
  replaced = publish_fixture_wait_number (publish, "sessions.deleted", 1, 10);
  publish_fixture_assert_int (publish, replaced, "sessions.made", ==, 2);
  publish_fixture_assert_int (publish, replaced, "sessions.replaced", ==, 1);
  g_assert_false (json_node_get_boolean (
      publish_fixture_at (publish, replaced, "publishing")));
}

/* The stage does not confirm the DELETE within shutdown-timeout. */
static void
test_stop_with_slow_delete (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink shutdown-timeout=1");
  g_autoptr (JsonNode) state = NULL;
  gint64 took;

  stage_fixture_fault (stage,
      "{\"rule\":\"slow\",\"on\":\"delete\",\"ms\":2500,\"count\":1}");
  publish_fixture_play (publish);
  state = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  took = stop_and_measure (publish);
  g_assert_cmpint (took, >, G_USEC_PER_SEC / 2);
  g_assert_cmpint (took, <, 2400 * 1000);
}

static void
test_stop_while_connecting (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");

  stage_fixture_fault (stage,
      "{\"rule\":\"spoil\",\"spoil\":\"unreachable\",\"count\":1}");
  publish_fixture_play (publish);
  wait_for_step (publish, "start connect");
  g_assert_cmpint (stop_and_measure (publish), <, 2 * G_USEC_PER_SEC);
  publish_fixture_assert_deleted (publish, 1);
}

/* At once, from whatever the element is doing. */
static void
test_stop_at_any_moment (void)
{
  for (guint i = 0; i < 12; i++) {
    g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
        LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");
    g_autoptr (JsonNode) state = NULL;
    const gboolean never = FALSE;

    publish_fixture_play (publish);
    publish_wait (is_true, (gpointer) &never, i * 35);
    g_assert_cmpint (stop_and_measure (publish), <, 3 * G_USEC_PER_SEC);
    state = publish_fixture_look (publish);
    publish_fixture_assert_int (publish, state, "sessions.deleted", ==,
        (gint) publish_fixture_number (publish, state, "sessions.made"));
  }
}

/* -- Again ----------------------------------------------------------------------------- */

static void
run_once_more (PublishFixture *publish, guint n)
{
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  state = publish_fixture_wait_number (publish, "session.video.frames", 15, 20);
  publish_fixture_assert_int (publish, state, "sessions.made", ==, n);
  publish_fixture_set_state (publish, GST_STATE_READY);
  publish_fixture_assert_deleted (publish, n);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
}

static void
test_restart (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");

  for (guint n = 1; n <= 3; n++)
    run_once_more (publish, n);
}

static void
test_restart_of_files (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc num-buffers=30 ! " VIDEO_CAPS " ! ivsstagesink");

  for (guint n = 1; n <= 2; n++) {
    g_autoptr (JsonNode) state = NULL;

    publish_fixture_play (publish);
    publish_fixture_wait_eos (publish, 20);
    state = publish_fixture_look (publish);
    publish_fixture_assert_int (publish, state, "session.video.marked", ==, 30);
    assert_timely (publish, state, "session.video.max_lead_ms", MAX_LEAD_MS);
    publish_fixture_stop (publish);
    publish_fixture_assert_deleted (publish, n);
  }
}

/* A session outlives a pause, and goes on with a picture that can be decoded. */
static void
test_pause (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      LIVE_VIDEO " ! ivsstagesink name=s  " LIVE_AUDIO " ! s.");
  g_autoptr (JsonNode) before = NULL, paused = NULL, after = NULL;
  const gboolean never = FALSE;
  gdouble frames;

  publish_fixture_play (publish);
  before =
      publish_fixture_wait_number (publish, "session.video.frames", 20, 20);
  publish_fixture_set_state (publish, GST_STATE_PAUSED);
  publish_wait (is_true, (gpointer) &never, 1000);
  paused = publish_fixture_look (publish);
  frames = publish_fixture_number (publish, paused, "session.video.frames");
  assert_number (publish, paused, "session.video.last_packet_age_ms", >, 500);
  publish_fixture_set_state (publish, GST_STATE_PLAYING);
  after = publish_fixture_wait_number (publish, "session.video.frames",
      frames + 30, 10);
  publish_fixture_assert_int (publish, after, "sessions.made", ==, 1);
  assert_nothing_lost (publish, after);
  publish_fixture_assert_int (publish, after, "session.video.sources", ==, 1);
  assert_timely (publish, after, "session.video.max_lead_ms", MAX_LEAD_MS);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

typedef struct
{
  const gchar *name;
  GTestFunc function;
} Case;

static void
run_case (gconstpointer data)
{
  const Case *one = data;

  stalls = stall_meter_new ();
  one->function ();
  g_clear_pointer (&stalls, stall_meter_free);
}

int
main (int argc, char **argv)
{
  static const Case cases[] = {
    { "eos/of-all", test_eos_of_all },
    { "eos/of-audio-first", test_eos_of_audio_first },
    { "eos/of-video-first", test_eos_of_video_first },
    { "eos/event", test_eos_event },
    { "eos/before-connected", test_eos_before_connected },
    { "gst-launch/eos", test_gst_launch_eos },
    { "gst-launch/stop", test_gst_launch_stop },
    { "arrival/files-lose-nothing", test_files_lose_nothing },
    { "arrival/files-wait-for-the-stage", test_files_wait_for_the_stage },
    { "arrival/live-never-waits", test_live_never_waits },
    { "arrival/key-units", test_key_units },
    { "stop/in-paused", test_stop_in_paused },
    { "stop/before-caps", test_stop_before_caps },
    { "stop/while-posting", test_stop_while_posting },
    { "stop/is-bounded", test_stop_is_bounded },
    { "stop/with-slow-delete", test_stop_with_slow_delete },
    { "stop/while-connecting", test_stop_while_connecting },
    { "stop/at-any-moment", test_stop_at_any_moment },
    { "again/restart", test_restart },
    { "again/restart-of-files", test_restart_of_files },
    { "again/pause", test_pause },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/publish/", cases, run_case);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
