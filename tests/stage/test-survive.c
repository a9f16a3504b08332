/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sessions that are lost: how soon it is noticed, what is told, what comes after.
 */
#include <glib/gstdio.h>
#include <signal.h>

#include "end-gstreamer.h"
#include "survival.h"

static StageFixture *stage;

/* From the last sign of life to the message, and some for a busy computer. */
#define NOTICE_SECONDS 9

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

typedef struct
{
  PublishFixture *publish;
  guint n;
} Losses;

static gboolean
was_lost (gpointer data)
{
  Losses *losses = data;

  return publish_fixture_count_messages (losses->publish, "ivs-stage-lost") >=
      losses->n;
}

static void
wait_lost (PublishFixture *publish, guint seconds)
{
  Losses losses = { publish, 1 };
  gint64 began = g_get_monotonic_time ();

  if (!publish_wait (was_lost, &losses, seconds * 1000))
    g_error ("The loss was not noticed within %u s", seconds);
  g_test_message ("noticed after %.1f s",
      (gdouble) (g_get_monotonic_time () - began) / G_USEC_PER_SEC);
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
start (StageFixture *at, const gchar *description)
{
  PublishFixture *publish = publish_fixture_new (at, "%s", description);

  publish_fixture_expect (publish, "lost");
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  return publish;
}

/* The server's end is gone, by `rule`; everything else goes on. */
static void
check_loss (const gchar *rule)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""));
  g_autofree gchar *states = NULL;
  Pace video = { 0 }, audio = { 0 };

  survival_remember (publish, &trace);
  watch_pace (publish, "v", &video);
  watch_pace (publish, "a", &audio);
  fault (publish, rule);
  wait_lost (publish, NOTICE_SECONDS);
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
  check_loss ("kill");
}

static void
test_dtls_close (void)
{
  check_loss ("dtls-close");
}

/* The service's process hangs, HTTP and all, and comes back: what it had made of the
 * new attempt meanwhile does not stay. */
static void
test_frozen_process (void)
{
  StageFixture *frozen = stage_fixture_start (NULL);
  PublishFixture *publish = start (frozen, LIVE_BOTH (""));
  g_auto (SurvivalTrace) trace = { NULL };
  g_autoptr (JsonNode) before = NULL, state = NULL;

  survival_remember (publish, &trace);
  stage_fixture_signal (frozen, SIGSTOP);
  wait_lost (publish, NOTICE_SECONDS);
  publish_fixture_wait_connection (publish, "reconnecting", 2);
  survival_pass_time (500);
  stage_fixture_signal (frozen, SIGCONT);
  publish_fixture_wait_connection (publish, "connected", 10);
  survival_pass_time (2000);
  before = survival_wait_media (publish, 10);
  state = publish_fixture_wait_number (publish, "session.video.frames",
      publish_fixture_number (publish, before, "session.video.frames") + 30,
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
  PublishFixture *publish;

  token_file_init (&file);
  token_file_write (&file, at, &id);
  publish = publish_fixture_new_as (at, id,
      LIVE_BOTH ("max-retries=-1 auth-token-file=%s"), file.path);
  publish_fixture_expect (publish, "lost");
  publish_fixture_expect (publish, "connection-refused");
  publish_fixture_play (publish);
  state = survival_wait_media (publish, 20);
  at = restart (at);
  token_file_write (&file, at, &next_id);
  publish_fixture_follow (publish, at, next_id);
  wait_lost (publish, NOTICE_SECONDS);
  g_clear_pointer (&state, json_node_unref);
  state = survival_wait_media (publish, 20);
  check_told_once (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
  publish_fixture_free (publish);
  stage_fixture_stop (at);
}

/* -- Something inside webrtcbin errs ------------------------------------------------------ */

static void
test_inner_error (void)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""));
  g_autoptr (GstIterator) elements = NULL;
  g_auto (GValue) item = G_VALUE_INIT;

  survival_remember (publish, &trace);
  elements = gst_bin_iterate_all_by_element_factory_name (
      GST_BIN (publish_fixture_get_sink (publish)), "rtpbin");
  g_assert_cmpint (gst_iterator_next (elements, &item), ==, GST_ITERATOR_OK);
  GST_ELEMENT_ERROR (g_value_get_object (&item), STREAM, FAILED,
      ("Planted by the test"), (NULL));
  wait_lost (publish, 2);
  survival_check_continues (publish, &trace, 15);
  check_told_once (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
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
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""));
  gint64 began;

  survival_remember (publish, &trace);
  began = g_get_monotonic_time ();
  stage_fixture_fault (stage, "{\"rule\":\"cut\",\"ms\":%d}", CUT_MS);
  wait_lost (publish, NOTICE_SECONDS);
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
  PublishFixture *publish;

  g_async_queue_push (tokens, stage_fixture_mint (at, NULL, &id));
  g_async_queue_push (tokens, stage_fixture_mint (at, NULL, &next_id));
  publish = publish_fixture_new_as (at, id, LIVE_BOTH (""));
  publish_fixture_expect (publish, "lost");
  g_signal_connect (publish_fixture_get_sink (publish), "request-token",
      G_CALLBACK (token_requested), tokens);
  publish_fixture_play (publish);
  state = survival_wait_media (publish, 20);
  stage_fixture_fault (at, "{\"rule\":\"cut\",\"ms\":%d}", CUT_MS);
  wait_lost (publish, NOTICE_SECONDS);
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
  publish_fixture_free (publish);
  stage_fixture_stop (at);
}

/* -- Stopped in the middle ------------------------------------------------------------------ */

/* The old session is only silent, the new one has been asked for. */
static void
test_stop_while_silent (void)
{
  g_autoptr (PublishFixture) publish = start (stage, LIVE_BOTH (""));
  g_autoptr (JsonNode) state = survival_wait_media (publish, 20);
  g_autoptr (JsonNode) after = NULL;

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":700,\"count\":1}");
  stage_fixture_fault (stage, "{\"rule\":\"freeze\",\"participant\":\"%s\"}",
      publish_fixture_get_participant (publish));
  wait_lost (publish, NOTICE_SECONDS);
  survival_pass_time (200);
  survival_stop (publish, 5);
  after = publish_fixture_look (publish);
  survival_assert_gone (publish);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      2);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *name;
    GTestFunc function;
  } cases[] = {
    { "kill", test_kill },
    { "dtls-close", test_dtls_close },
    { "frozen-process", test_frozen_process },
    { "restarted-process", test_restarted_process },
    { "inner-error", test_inner_error },
    { "cut/one-token", test_cut_with_one_token },
    { "cut/two-tokens", test_cut_with_two_tokens },
    { "stop/while-silent", test_stop_while_silent },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strdup_printf ("/survive/%s", cases[i].name);

    g_test_add_func (path, cases[i].function);
  }
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
