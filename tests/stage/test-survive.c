/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sessions that are lost: how soon it is noticed, what is told, what comes after.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "end-gstreamer.h"
#include "survival.h"
#include "test-table.h"

static StageFixture *stage;

/* From the fault to the message, for what is known by silence only. */
#define NOTICE_SECONDS 8
/* For what the transport tells. */
#define CLOSE_SECONDS 2

/* -- Sources that nobody holds up ----------------------------------------------------- */

typedef struct
{
  GMutex lock;
  gint64 last;
  gint64 longest; /* between two buffers, us */
} Pace;

static GstPadProbeReturn
buffer_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Pace *pace = data;
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&pace->lock);
  if (pace->last != 0)
    pace->longest = MAX (pace->longest, now - pace->last);
  pace->last = now;
  g_mutex_unlock (&pace->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch_pace (PublishFixture *publish, const gchar *name, Pace *pace)
{
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");

  g_mutex_init (&pace->lock);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, buffer_left, pace, NULL);
}

static void
check_pace (Pace *pace)
{
  g_assert_cmpint (pace->last, >, 0);
  g_assert_cmpint (pace->longest, <, G_USEC_PER_SEC);
  g_mutex_clear (&pace->lock);
}

/* -- Losses --------------------------------------------------------------------------- */

/* The first message of a loss, as it was posted: on the element's worker, at once. */
typedef struct
{
  GMutex lock;
  gint64 at; /* monotonic, 0 = not yet */
  GstStructure *told;
} Loss;

static void
element_message_posted (GstBus *bus, GstMessage *message, gpointer data)
{
  Loss *loss = data;
  const GstStructure *structure = gst_message_get_structure (message);

  g_mutex_lock (&loss->lock);
  if (loss->at == 0 && gst_structure_has_name (structure, "ivs-stage-lost")) {
    loss->at = g_get_monotonic_time ();
    loss->told = gst_structure_copy (structure);
  }
  g_mutex_unlock (&loss->lock);
}

static void
loss_watch (Loss *loss, PublishFixture *publish)
{
  g_autoptr (GstBus) bus =
      gst_element_get_bus (publish_fixture_get_pipeline (publish));

  g_mutex_init (&loss->lock);
  gst_bus_enable_sync_message_emission (bus);
  g_signal_connect (bus, "sync-message::element",
      G_CALLBACK (element_message_posted), loss);
}

/* After the pipeline is gone. */
static void
loss_clear (Loss *loss)
{
  g_mutex_clear (&loss->lock);
  g_clear_pointer (&loss->told, gst_structure_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loss, loss_clear)

static gint64
loss_get_time (Loss *loss)
{
  gint64 at;

  g_mutex_lock (&loss->lock);
  at = loss->at;
  g_mutex_unlock (&loss->lock);
  return at;
}

static gboolean
was_lost (gpointer data)
{
  return loss_get_time (data) != 0;
}

/* Told within `seconds` after the fault, which was at `began`. */
static void
loss_wait (Loss *loss, gint64 began, guint seconds)
{
  gdouble took;

  if (!publish_wait (was_lost, loss, (seconds + 5) * 1000))
    g_error ("The loss was not noticed within %u s", seconds + 5);
  took = (gdouble) (loss_get_time (loss) - began) / G_USEC_PER_SEC;
  g_test_message ("noticed after %.2f s", took);
  g_assert_cmpfloat (took, <=, seconds);
}

static void
check_told_once (PublishFixture *publish)
{
  g_assert_cmpuint (publish_fixture_count_messages (publish, "ivs-stage-lost"),
      ==, 1);
  g_assert_cmpuint (publish_fixture_count_named (publish, "lost"), ==, 1);
}

static void
fault (PublishFixture *publish, const gchar *rule)
{
  stage_fixture_fault (stage, "{\"rule\":\"%s\",\"participant\":\"%s\"}", rule,
      publish_fixture_get_participant (publish));
}

static PublishFixture *
start (StageFixture *at, const gchar *description, Loss *loss)
{
  PublishFixture *publish = publish_fixture_new (at, "%s", description);

  loss_watch (loss, publish);
  publish_fixture_expect (publish, "lost");
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  return publish;
}

/* The server's end is gone, by `rule`; everything else goes on. */
static void
check_loss (const gchar *rule, guint seconds)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  g_autofree gchar *states = NULL;
  Pace video = { 0 }, audio = { 0 };
  gint64 began;

  survival_remember (publish, &trace);
  watch_pace (publish, "v", &video);
  watch_pace (publish, "a", &audio);
  began = g_get_monotonic_time ();
  fault (publish, rule);
  loss_wait (&loss, began, seconds);
  survival_check_continues (publish, &trace, 15);
  check_told_once (publish);
  g_assert_cmpint (survival_get_state (publish), ==, GST_STATE_PLAYING);
  publish_fixture_stop (publish);
  check_pace (&video);
  check_pace (&audio);
  states = publish_fixture_get_states (publish);
  g_assert_cmpstr (states, ==,
      "connecting, connected, reconnecting, connected, closed");
  survival_assert_gone (publish);
}

static void
test_kill (void)
{
  check_loss ("kill", NOTICE_SECONDS);
}

static void
test_dtls_close (void)
{
  check_loss ("dtls-close", CLOSE_SECONDS);
}

/* The service's process hangs, HTTP and all, and comes back: what it had made of the
 * new attempt meanwhile does not stay. */
static void
test_frozen_process (void)
{
  StageFixture *frozen = stage_fixture_start (NULL);
  g_auto (Loss) loss = { .at = 0 };
  PublishFixture *publish = start (frozen, LIVE_BOTH (""), &loss);
  gint64 began;
  g_auto (SurvivalTrace) trace = { NULL };
  g_autoptr (JsonNode) before = NULL, state = NULL;

  survival_remember (publish, &trace);
  began = g_get_monotonic_time ();
  stage_fixture_signal (frozen, SIGSTOP);
  loss_wait (&loss, began, NOTICE_SECONDS);
  publish_fixture_wait_connection (publish, "reconnecting", 2);
  survival_pass_time (500);
  stage_fixture_signal (frozen, SIGCONT);
  publish_fixture_wait_connection (publish, "connected", 10);
  survival_pass_time (2000);
  before = survival_wait_media (publish, 10);
  state = publish_fixture_wait_number (publish, "session.video.frames",
      publish_fixture_number (publish, before, "session.video.frames") + 90,
      10);
  survival_assert (publish, state, "session.video.last_packet_age_ms", <, 500);
  check_told_once (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
  publish_fixture_free (publish);
  stage_fixture_stop (frozen);
}

/* -- The service is started anew on the same ports: it does not know the token of before,
 *    so a fresh one is put into the file. */

typedef struct
{
  gchar *path;
} TokenFile;

static void
token_file_clear (TokenFile *file)
{
  g_unlink (file->path);
  g_free (file->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TokenFile, token_file_clear)

static void
token_file_write (TokenFile *file, StageFixture *from, gchar **id)
{
  g_autofree gchar *token = stage_fixture_mint (from, NULL, id);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (file->path, token, -1, &error);
  g_assert_no_error (error);
}

static void
token_file_init (TokenFile *file)
{
  g_autoptr (GError) error = NULL;
  gint descriptor = g_file_open_tmp ("token-XXXXXX", &file->path, &error);

  g_assert_no_error (error);
  g_close (descriptor, NULL);
}

static gchar *
get_port (const gchar *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);

  return g_strdup_printf ("%d", g_uri_get_port (uri));
}

static StageFixture *
restart (StageFixture *before)
{
  g_autofree gchar *port = get_port (stage_fixture_get_page_url (before));
  g_autofree gchar *regional =
      get_port (stage_fixture_get_regional_url (before));
  const gchar *options[] = { "--port", port, "--regional-port", regional,
    NULL };

  stage_fixture_kill (before);
  return stage_fixture_start (options);
}

static void
test_restarted_process (void)
{
  StageFixture *at = stage_fixture_start (NULL);
  g_auto (TokenFile) file = { NULL };
  g_autofree gchar *id = NULL, *next_id = NULL;
  g_autoptr (JsonNode) state = NULL;
  g_auto (Loss) loss = { .at = 0 };
  PublishFixture *publish;
  gint64 began;

  token_file_init (&file);
  token_file_write (&file, at, &id);
  publish = publish_fixture_new_as (at, id,
      LIVE_BOTH ("max-retries=-1 auth-token-file=%s"), file.path);
  loss_watch (&loss, publish);
  publish_fixture_expect (publish, "lost");
  publish_fixture_expect (publish, "connection-refused");
  publish_fixture_play (publish);
  state = survival_wait_media (publish, 20);
  began = g_get_monotonic_time ();
  at = restart (at);
  token_file_write (&file, at, &next_id);
  publish_fixture_follow (publish, at, next_id);
  loss_wait (&loss, began, NOTICE_SECONDS);
  g_clear_pointer (&state, json_node_unref);
  state = survival_wait_media (publish, 20);
  check_told_once (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
  publish_fixture_free (publish);
  stage_fixture_stop (at);
}

/* -- Something inside webrtcbin errs ------------------------------------------------------ */

/* The first element of that factory inside ours. (transfer full) */
static GstElement *
find_inside (PublishFixture *publish, const gchar *factory)
{
  g_autoptr (GstIterator) elements =
      gst_bin_iterate_all_by_element_factory_name (
          GST_BIN (publish_fixture_get_sink (publish)), factory);
  g_auto (GValue) item = G_VALUE_INIT;

  g_assert_cmpint (gst_iterator_next (elements, &item), ==, GST_ITERATOR_OK);
  return g_value_dup_object (&item);
}

static void
check_comes_back (PublishFixture *publish, const SurvivalTrace *trace)
{
  survival_check_continues (publish, trace, 15);
  check_told_once (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
  survival_assert_all_deleted (publish);
}

static void
test_inner_error (void)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  g_autoptr (GstElement) rtpbin = find_inside (publish, "rtpbin");

  survival_remember (publish, &trace);
  GST_ELEMENT_ERROR (rtpbin, STREAM, FAILED, ("Planted by the test"), (NULL));
  loss_wait (&loss, g_get_monotonic_time (), CLOSE_SECONDS);
  g_assert_nonnull (strstr (gst_structure_get_string (loss.told, "sentence"),
      "Planted by the test"));
  check_comes_back (publish, &trace);
}

/* -- ICE says that there is no path any more ------------------------------------------- */

/* libnice's NiceComponentState */
#define COMPONENT_READY 4u
#define COMPONENT_FAILED 5u

/* What the ICE agent inside webrtcbin tells it: its stream 1, component 1. */
static void
plant_ice_state (GstElement *webrtcbin, guint state)
{
  g_autoptr (GObject) ice = NULL, agent = NULL;

  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  g_object_get (ice, "agent", &agent, NULL);
  g_signal_emit_by_name (agent, "component-state-changed", 1u, 1u, state);
}

static void
test_ice_failed (void)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  g_autoptr (GstElement) webrtcbin = find_inside (publish, "webrtcbin");

  survival_remember (publish, &trace);
  for (guint i = 0; i < 3; i++) /* once more is no news */
    plant_ice_state (webrtcbin, COMPONENT_FAILED);
  loss_wait (&loss, g_get_monotonic_time (), CLOSE_SECONDS);
  gst_clear_object (&webrtcbin);
  check_comes_back (publish, &trace);
}

/* For a moment each time: that is no loss. */
static void
test_ice_flaps (void)
{
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  g_autoptr (GstElement) webrtcbin = find_inside (publish, "webrtcbin");
  g_autoptr (JsonNode) before = survival_wait_media (publish, 20);
  g_autoptr (JsonNode) state = NULL;

  for (guint i = 0; i < 5; i++) {
    plant_ice_state (webrtcbin, COMPONENT_FAILED);
    survival_pass_time (100);
    plant_ice_state (webrtcbin, COMPONENT_READY);
    survival_pass_time (20);
  }
  survival_pass_time (1500);
  g_assert_cmpint (loss_get_time (&loss), ==, 0);
  state = publish_fixture_wait_number (publish, "session.video.frames",
      publish_fixture_number (publish, before, "session.video.frames") + 30, 5);
  survival_assert (publish, state, "sessions.made", ==, 1);
  gst_clear_object (&webrtcbin);
  survival_stop (publish, 5);
  publish_fixture_assert_deleted (publish, 1);
}

/* -- In a pause --------------------------------------------------------------------------- */

/* The next session does not wait for the end of it. */
static void
test_in_pause (void)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  g_autoptr (JsonNode) made = NULL, connected = NULL, flows = NULL;

  survival_remember (publish, &trace);
  publish_fixture_set_state (publish, GST_STATE_PAUSED);
  fault (publish, "dtls-close");
  loss_wait (&loss, g_get_monotonic_time (), CLOSE_SECONDS);
  made = publish_fixture_wait_number (publish, "sessions.made", 2, 15);
  connected = survival_wait_connected (publish, stage, 15);
  g_assert_cmpint (survival_get_state (publish), ==, GST_STATE_PAUSED);

  publish_fixture_set_state (publish, GST_STATE_PLAYING);
  flows = survival_wait_media (publish, 15);
  survival_assert (publish, flows, "sessions.made", ==, 2);
  check_told_once (publish);
  publish_fixture_stop (publish);
  survival_assert_gone (publish);
}

/* -- What is told ------------------------------------------------------------------------- */

static void
assert_says (const GstStructure *told, const gchar *field, const gchar *words)
{
  const gchar *text = gst_structure_get_string (told, field);

  if (text == NULL || strstr (text, words) == NULL)
    g_error ("%s: \"%s\" is not in \"%s\"", field, words, text);
}

/* What a stage never says is named as possible, with the command that finds out. The old
 * session is deleted without waiting for it. */
static void
test_told (void)
{
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish =
      start (stage, LIVE_VIDEO " ! " SURVIVAL_SINK, &loss);
  g_autofree gchar *participant = g_strconcat ("--participant-id ",
      publish_fixture_get_participant (publish), NULL);
  G_GNUC_UNUSED g_autoptr (JsonNode) live =
      publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  g_autoptr (JsonNode) again = NULL;
  gint64 began = g_get_monotonic_time ();

  stage_fixture_fault (stage,
      "{\"rule\":\"slow\",\"ms\":4000,\"on\":\"delete\",\"count\":1}");
  fault (publish, "dtls-close");
  loss_wait (&loss, began, CLOSE_SECONDS);
  assert_says (loss.told, "name", "lost");
  assert_says (loss.told, "sentence", "closed the media connection");
  assert_says (loss.told, "possible-causes", "24 hours");
  assert_says (loss.told, "possible-causes", "token was used elsewhere");
  assert_says (loss.told, "possible-causes", "participant was disconnected");
  assert_says (loss.told, "possible-causes", "limit was exceeded");
  assert_says (loss.told, "look-up",
      "aws ivs-realtime list-participant-events --stage-arn arn:");
  assert_says (loss.told, "look-up", participant);

  again = publish_fixture_wait_number (publish, "sessions.made", 2, 5);
  publish_fixture_wait_connection (publish, "connected", 5);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 3500 * 1000);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "DELETE", 404), ==,
      0);
  survival_pass_time (4000);
  survival_stop (publish, 5);
  survival_assert_all_deleted (publish);
}

/* -- No UDP for ten seconds -------------------------------------------------------------- */

#define CUT_MS 10000

static gchar *
token_requested (GstElement *sink, gpointer data)
{
  GAsyncQueue *tokens = data;

  return g_async_queue_try_pop (tokens);
}

/* The service ends the old session when a token comes for the second time: the new
 * one is alive when the network is. */
static void
test_cut_with_one_token (void)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  gint64 began;

  survival_remember (publish, &trace);
  began = g_get_monotonic_time ();
  stage_fixture_fault (stage, "{\"rule\":\"cut\",\"ms\":%d}", CUT_MS);
  loss_wait (&loss, began, NOTICE_SECONDS);
  publish_fixture_wait_connection (publish, "reconnecting", 2);
  publish_fixture_wait_connection (publish, "connected", 15);
  g_assert_cmpint (g_get_monotonic_time () - began, <,
      (CUT_MS + 4000) * G_GINT64_CONSTANT (1000));
  survival_check_continues (publish, &trace, 10);
  check_told_once (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
}

static guint
count_publishing (StageFixture *at)
{
  g_autoptr (JsonNode) state = stage_fixture_get_state (at);

  return (guint) stage_state_number (state, "publishers");
}

static gboolean
is_one_left (JsonNode *state, gpointer data)
{
  return stage_state_number (state, "publishers") <= 1;
}

/* With a token of its own for the new session the old one is still there when the
 * network comes back, and resumes. One of both stays. */
static void
test_cut_with_two_tokens (void)
{
  StageFixture *at = stage_fixture_start (NULL);
  g_autoptr (GAsyncQueue) tokens = g_async_queue_new_full (g_free);
  g_autofree gchar *id = NULL, *next_id = NULL;
  g_autoptr (JsonNode) state = NULL, one = NULL;
  g_auto (Loss) loss = { .at = 0 };
  PublishFixture *publish;
  gint64 began;

  g_async_queue_push (tokens, stage_fixture_mint (at, NULL, &id));
  g_async_queue_push (tokens, stage_fixture_mint (at, NULL, &next_id));
  publish = publish_fixture_new_as (at, id, LIVE_BOTH (""));
  loss_watch (&loss, publish);
  publish_fixture_expect (publish, "lost");
  g_signal_connect (publish_fixture_get_sink (publish), "request-token",
      G_CALLBACK (token_requested), tokens);
  publish_fixture_play (publish);
  state = survival_wait_media (publish, 20);
  began = g_get_monotonic_time ();
  stage_fixture_fault (at, "{\"rule\":\"cut\",\"ms\":%d}", CUT_MS);
  loss_wait (&loss, began, NOTICE_SECONDS);
  publish_fixture_wait_connection (publish, "reconnecting", 2);
  publish_fixture_wait_connection (publish, "connected", 15);
  one = stage_fixture_wait (at, "one publisher", is_one_left, NULL, 5);
  survival_pass_time (1000);
  g_assert_cmpuint (count_publishing (at), ==, 1);
  json_node_unref (state);
  state = publish_fixture_look (publish);
  /* It had gone on to send: what it brings after the cut comes within a moment. */
  survival_assert (publish, state, "session.video.max_pause_ms", <,
      CUT_MS + 1000);
  survival_assert (publish, state, "session.video.max_pause_ms", >,
      CUT_MS - 1000);
  check_told_once (publish);
  survival_stop (publish, 5);
  g_assert_cmpuint (count_publishing (at), ==, 0);
  survival_assert_all_deleted (publish);
  publish_fixture_follow (publish, at, next_id);
  survival_assert_all_deleted (publish);
  publish_fixture_free (publish);
  stage_fixture_stop (at);
}

/* -- Stopped in the middle ------------------------------------------------------------------ */

/* The old session is only silent, the new one has been asked for. */
static void
test_stop_while_silent (void)
{
  g_auto (Loss) loss = { .at = 0 };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""), &loss);
  G_GNUC_UNUSED g_autoptr (JsonNode) state = survival_wait_media (publish, 20);
  gint64 began = g_get_monotonic_time ();

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":700,\"count\":1}");
  stage_fixture_fault (stage, "{\"rule\":\"freeze\",\"participant\":\"%s\"}",
      publish_fixture_get_participant (publish));
  loss_wait (&loss, began, NOTICE_SECONDS);
  survival_wait_second_request (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
  survival_assert_all_deleted (publish);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      2);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "kill", test_kill },
    { "dtls-close", test_dtls_close },
    { "frozen-process", test_frozen_process },
    { "restarted-process", test_restarted_process },
    { "inner-error", test_inner_error },
    { "ice-failed", test_ice_failed },
    { "ice-flaps", test_ice_flaps },
    { "in-pause", test_in_pause },
    { "told", test_told },
    { "cut/one-token", test_cut_with_one_token },
    { "cut/two-tokens", test_cut_with_two_tokens },
    { "stop/while-silent", test_stop_while_silent },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_CASES ("/survive/", cases);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
