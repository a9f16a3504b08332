/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Further attempts: when, with which token, how often.
 */
#include <glib/gstdio.h>

#include "end-gstreamer.h"
#include "survival.h"
#include "test-table.h"

static StageFixture *stage;

/* -- Losing a session at once ------------------------------------------------------------- */

/* The fault's answer may come after all that follows from it: what follows is expected
 * before. */
static void
lose (PublishFixture *publish)
{
  publish_fixture_expect (publish, "lost");
  stage_fixture_fault (stage,
      "{\"rule\":\"dtls-close\",\"participant\":\"%s\"}",
      publish_fixture_get_participant (publish));
}

static void
refuse (const gchar *rule, guint count, const gchar *more)
{
  stage_fixture_fault (stage, "{\"rule\":\"%s\",\"count\":%u%s}", rule, count,
      more);
}

static PublishFixture *
start (const gchar *description)
{
  PublishFixture *publish = publish_fixture_new (stage, "%s", description);
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  state = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  return publish;
}

/* -- A stage that refuses for a while -------------------------------------------------------- */

/* 0, 2 and 4 s, each a fifth longer or shorter; a WARNING says when. */
static void
test_backoff (void)
{
  g_auto (SurvivalTrace) trace = { NULL };
  g_autoptr (PublishFixture) publish = start (LIVE_BOTH (""));
  g_autoptr (GstMessage) warning = NULL;
  gint64 began;

  survival_remember (publish, &trace);
  refuse ("unreachable", 2, "");
  began = g_get_monotonic_time ();
  publish_fixture_expect (publish, "service-internal");
  lose (publish);
  warning = publish_fixture_wait_failure (publish, "service-internal", 5);
  g_assert_cmpint (GST_MESSAGE_TYPE (warning), ==, GST_MESSAGE_WARNING);
  publish_fixture_assert_says (warning, "attempt 3 follows in ");
  publish_fixture_wait_connection (publish, "connected", 20);
  g_assert_cmpint (g_get_monotonic_time () - began, >, 4800 * 1000);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 15000 * 1000);
  g_assert_cmpuint (publish_fixture_count_named (publish, "service-internal"),
      ==, 2);
  survival_check_continues (publish, &trace, 10);
  publish_fixture_stop (publish);
  survival_assert_gone (publish);
}

/* -- Retry-After -- */

static void
test_retry_after (void)
{
  g_autoptr (PublishFixture) publish = start (LIVE_VIDEO " ! " SURVIVAL_SINK);
  g_autoptr (GstMessage) warning = NULL;
  gint64 began;

  refuse ("throttled", 1, ",\"retry_after\":4");
  publish_fixture_expect (publish, "throttled");
  lose (publish);
  began = g_get_monotonic_time ();
  warning = publish_fixture_wait_failure (publish, "throttled", 5);
  publish_fixture_wait_connection (publish, "connected", 20);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 4000 * 1000);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 12000 * 1000);
  publish_fixture_stop (publish);
  survival_assert_gone (publish);
}

/* -- Spent -- */

static void
test_retries_spent (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_VIDEO " ! " SURVIVAL_SINK " max-retries=2");
  g_autoptr (GstMessage) message = NULL;

  refuse ("throttled", 1, ",\"retry_after\":-1");
  refuse ("unreachable", 1, "");
  publish_fixture_expect (publish, "throttled");
  publish_fixture_expect (publish, "service-internal");
  lose (publish);
  message = publish_fixture_wait_failure (publish, "service-internal", 10);
  /* The last cause, and not a word more. */
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  g_assert_cmpint (publish_fixture_get_code (message), ==, 2008);
  publish_fixture_wait_connection (publish, "failed", 2);
  survival_pass_time (500);
  g_assert_cmpuint (publish_fixture_count_named (publish, "throttled"), ==, 1);
  g_assert_cmpuint (publish_fixture_count_named (publish, "service-internal"),
      ==, 1);
  survival_stop (publish, 2);
}

/* max-retries=0: a lost session is the end. */
static void
test_no_retries (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_VIDEO " ! " SURVIVAL_SINK " max-retries=0");

  lose (publish);
  publish_fixture_wait_connection (publish, "failed", 5);
  /* The loss itself, and the end. */
  g_assert_cmpuint (publish_fixture_count_named (publish, "lost"), ==, 2);
  survival_stop (publish, 2);
}

/* -- Tokens -- */

/* What cannot succeed is not tried again. */
static void
test_expired_at_reconnect (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) live = NULL;
  g_autoptr (GstMessage) message = NULL;

  survival_tokens_init (&tokens);
  survival_tokens_add (&tokens, stage, NULL);
  survival_tokens_add (&tokens, stage, "{\"duration\":-1}");
  publish = survival_publish (&tokens, stage, LIVE_VIDEO " ! " SURVIVAL_SINK);
  publish_fixture_play (publish);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  publish_fixture_expect (publish, "token-expired");
  lose (publish);
  message = publish_fixture_wait_failure (publish, "token-expired", 5);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_wait_connection (publish, "failed", 2);
  survival_stop (publish, 2);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      1);
}

/* The service says so: no further attempt either. */
static const struct
{
  const gchar *rule;
  const gchar *name;
} finals[] = {
  { "expired", "service-token-expired" },
  { "no-permissions", "no-permissions" },
  { "stage-deleted", "stage-not-found" },
  { "no-h264", "no-matching-codec" },
};

static guint
count_posts (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = publish_fixture_look (publish);
  SurvivalRequests requests = { 0 };

  survival_count_requests (state, publish_fixture_get_participant (publish),
      &requests);
  return requests.posts;
}

static void
test_refused_at_reconnect (gconstpointer data)
{
  gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (PublishFixture) publish = start (LIVE_VIDEO " ! " SURVIVAL_SINK);
  g_autoptr (GstMessage) message = NULL;
  guint before, after;

  before = count_posts (publish);
  refuse (finals[row].rule, 1, "");
  publish_fixture_expect (publish, finals[row].name);
  lose (publish);
  message = publish_fixture_wait_failure (publish, finals[row].name, 5);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_wait_connection (publish, "failed", 2);
  survival_pass_time (500);
  after = count_posts (publish);
  g_assert_cmpuint (after, ==, before + 1);
  survival_stop (publish, 2);
}

/* One retry is allowed, and each time it succeeds: the next loss has one again. */
static void
test_live_resets_the_count (void)
{
  g_autoptr (PublishFixture) publish =
      start (LIVE_VIDEO " ! " SURVIVAL_SINK " max-retries=1");
  g_autoptr (JsonNode) second = NULL, third = NULL;

  lose (publish);
  second = publish_fixture_wait_number (publish, "sessions.made", 2, 5);
  publish_fixture_wait_connection (publish, "connected", 10);
  lose (publish);
  third = publish_fixture_wait_number (publish, "sessions.made", 3, 10);
  publish_fixture_wait_connection (publish, "connected", 10);
  g_assert_cmpuint (publish_fixture_count_failures (publish, GST_MESSAGE_ERROR),
      ==, 0);
  survival_stop (publish, 3);
  survival_assert_all_deleted (publish);
}

static void
check_second_participant (PublishFixture *publish, const gchar *id)
{
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_follow (publish, stage, id);
  state = publish_fixture_wait_number (publish, "session.video.frames", 5, 10);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
}

static void
test_fresh_token_requested (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) live = NULL;

  survival_tokens_init (&tokens);
  survival_tokens_add (&tokens, stage, NULL);
  survival_tokens_add (&tokens, stage, NULL);
  publish = survival_publish (&tokens, stage, LIVE_VIDEO " ! " SURVIVAL_SINK);
  publish_fixture_play (publish);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  lose (publish);
  check_second_participant (publish, tokens.ids->pdata[1]);
}

static void
write_token (const gchar *path, gchar **id)
{
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, id);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, token, -1, &error);
  g_assert_no_error (error);
}

static void
test_token_file_replaced (void)
{
  g_autofree gchar *path = NULL, *id = NULL, *next_id = NULL;
  g_autoptr (GError) error = NULL;
  gint file = g_file_open_tmp ("token-XXXXXX", &path, &error);
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) live = NULL;

  g_assert_no_error (error);
  g_close (file, NULL);
  write_token (path, &id);
  publish = publish_fixture_new_as (stage, id,
      LIVE_VIDEO " ! " SURVIVAL_SINK " auth-token-file=%s", path);
  publish_fixture_play (publish);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  write_token (path, &next_id);
  lose (publish);
  check_second_participant (publish, next_id);
  g_unlink (path);
}

/* When a tenth of 6 s is left. The session goes on. */
static void
test_token_expiring (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) live = NULL, still = NULL;

  survival_tokens_init (&tokens);
  survival_tokens_add (&tokens, stage, "{\"duration\":0.1}");
  publish = survival_publish (&tokens, stage, LIVE_VIDEO " ! " SURVIVAL_SINK);
  publish_fixture_play (publish);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  g_assert_cmpuint (publish_fixture_count_messages (publish,
                        "ivs-stage-token-expiring"),
      ==, 0);
  survival_wait_told (publish, "ivs-stage-token-expiring", 8000);
  still = publish_fixture_wait_number (publish, "session.video.frames",
      publish_fixture_number (publish, live, "session.video.frames") + 45, 10);
  survival_assert (publish, still, "sessions.made", ==, 1);
  g_assert_cmpuint (publish_fixture_count_messages (publish,
                        "ivs-stage-token-expiring"),
      ==, 1);
  survival_stop (publish, 2);
}

/* -- Stopped in the middle ------------------------------------------------------------------------ */

/* A retry is due later. */
static void
test_stop_while_waiting (void)
{
  g_autoptr (PublishFixture) publish = start (LIVE_BOTH (""));
  g_autoptr (GstMessage) warning = NULL;

  refuse ("throttled", 1, ",\"retry_after\":30");
  publish_fixture_expect (publish, "throttled");
  lose (publish);
  warning = publish_fixture_wait_failure (publish, "throttled", 5);
  survival_stop (publish, 2);
  survival_assert_gone (publish);
}

/* The answer to the new POST comes after the stop. */
static void
test_stop_while_posting (void)
{
  g_autoptr (PublishFixture) publish = start (LIVE_BOTH (""));
  g_autoptr (JsonNode) state = NULL;

  refuse ("slow", 1, ",\"ms\":800");
  lose (publish);
  publish_fixture_wait_connection (publish, "reconnecting", 5);
  survival_wait_second_request (publish);
  survival_stop (publish, 5);
  survival_assert_gone (publish);
  state = publish_fixture_wait_number (publish, "sessions.deleted", 1, 2);
  survival_assert (publish, state, "sessions.made", ==, 2);
}

static void
test_stop_while_connecting (void)
{
  g_autoptr (PublishFixture) publish = start (LIVE_BOTH (""));
  g_autoptr (JsonNode) made = NULL, state = NULL;

  refuse ("spoil", 1, ",\"spoil\":\"unreachable\"");
  lose (publish);
  made = publish_fixture_wait_number (publish, "sessions.made", 2, 5);
  survival_pass_time (200);
  survival_stop (publish, 5);
  state = publish_fixture_wait_number (publish, "sessions.deleted", 1, 2);
  survival_assert_gone (publish);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "backoff", test_backoff },
    { "retry-after", test_retry_after },
    { "spent", test_retries_spent },
    { "none", test_no_retries },
    { "expired-at-reconnect", test_expired_at_reconnect },
    { "live-resets-the-count", test_live_resets_the_count },
    { "token/requested", test_fresh_token_requested },
    { "token/file-replaced", test_token_file_replaced },
    { "token/expiring", test_token_expiring },
    { "stop/while-waiting", test_stop_while_waiting },
    { "stop/while-posting", test_stop_while_posting },
    { "stop/while-connecting", test_stop_while_connecting },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_CASES ("/retry/", cases);
  for (gsize i = 0; i < G_N_ELEMENTS (finals); i++) {
    g_autofree gchar *path =
        g_strconcat ("/retry/refused-at-reconnect/", finals[i].name, NULL);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i),
        test_refused_at_reconnect);
  }
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
