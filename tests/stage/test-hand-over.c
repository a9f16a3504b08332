/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Planned new sessions: the streams move from one that works to the next.
 */
#include "end-gstreamer.h"
#include "stall-meter.h"
#include "survival.h"
#include "test-table.h"

static StageFixture *stage;

/* And what this computer makes threads wait, for several of them one after the other. */
#define MAX_GAP_MS 500
#define MAX_ON_A_BUSY_COMPUTER_MS 1500

static StallMeter *stalls;

static void
init_tokens (SurvivalTokens *tokens, const gchar *second)
{
  survival_tokens_init (tokens);
  survival_tokens_add (tokens, stage, NULL);
  survival_tokens_add (tokens, stage, second);
}

/* From the last packet of the one session to the first of the other, as the stage saw
 * them; negative: both at once. */
static gdouble
measure_gap (PublishFixture *publish, JsonNode *state,
    const SurvivalTokens *tokens, const gchar *kind)
{
  gdouble since_last, since_first;

  publish_fixture_follow (publish, stage, tokens->ids->pdata[0]);
  since_last = survival_at (publish, state, kind, "last_packet_age_ms");
  publish_fixture_follow (publish, stage, tokens->ids->pdata[1]);
  since_first = publish_fixture_number (publish, state, "session.age_ms") -
      survival_at (publish, state, kind, "first_packet_ms");
  return since_last - since_first;
}

static void
check_gap (PublishFixture *publish, const SurvivalTokens *tokens,
    const gchar *kind)
{
  g_autoptr (JsonNode) state = publish_fixture_look (publish);
  gdouble gap = measure_gap (publish, state, tokens, kind);

  g_test_message ("%s: %.0f ms without media", kind, gap);
  g_assert_cmpfloat (gap, <,
      stall_meter_stretch (stalls, MAX_GAP_MS, MAX_ON_A_BUSY_COMPUTER_MS));
}

static void
assert_nothing_lost (PublishFixture *publish)
{
  g_assert_cmpuint (publish_fixture_count_messages (publish, "ivs-stage-lost"),
      ==, 0);
}

#define RENEWED "renew-session=true session-limit=10"

static void
test_renew_session (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_auto (SurvivalTrace) trace = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) deleted = NULL, state = NULL;

  init_tokens (&tokens, NULL);
  publish = survival_publish (&tokens, stage, LIVE_BOTH (RENEWED));
  publish_fixture_play (publish);
  survival_remember (publish, &trace);
  survival_wait_told (publish, "ivs-stage-session-ending", 12000);
  deleted = publish_fixture_wait_number (publish, "sessions.deleted", 1, 5);
  publish_fixture_follow (publish, stage, tokens.ids->pdata[1]);
  state = survival_wait_media (publish, 10);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
  survival_check_mark (publish, state, "audio", &trace.audio, 48000);
  survival_check_mark (publish, state, "video", &trace.video, 90000);
  check_gap (publish, &tokens, "audio");
  check_gap (publish, &tokens, "video");
  assert_nothing_lost (publish);
  survival_stop (publish, 3);
  publish_fixture_assert_deleted (publish, 1);
}

/* An encoder that makes an IDR picture every five seconds and hears no request: the
 * session before goes on until the next one. */
static void
test_long_gop (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) live = NULL, deleted = NULL, state = NULL;

  init_tokens (&tokens, NULL);
  publish = survival_publish (&tokens, stage,
      LONG_GOP_VIDEO ("150") " ! " SURVIVAL_SINK " ");
  publish_fixture_play (publish);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  survival_turn_deaf (publish);
  survival_add_microphone (publish);
  deleted = publish_fixture_wait_number (publish, "sessions.deleted", 1, 15);
  publish_fixture_follow (publish, stage, tokens.ids->pdata[1]);
  state = survival_wait_media (publish, 10);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
  survival_assert (publish, state, "session.video.never_arrived", ==, 0);
  check_gap (publish, &tokens, "video");
  assert_nothing_lost (publish);
  survival_stop (publish, 3);
  publish_fixture_assert_deleted (publish, 1);
}

/* The new session is there and waits for a picture that will not come soon. */
static PublishFixture *
start_waiting (SurvivalTokens *tokens)
{
  PublishFixture *publish = survival_publish (tokens, stage,
      LONG_GOP_VIDEO ("900") " ! " SURVIVAL_SINK);
  g_autoptr (JsonNode) live = NULL, waiting = NULL;

  publish_fixture_play (publish);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);
  survival_turn_deaf (publish);
  survival_add_microphone (publish);
  publish_fixture_follow (publish, stage, tokens->ids->pdata[1]);
  waiting = survival_wait_connected (publish, stage, 10);
  return publish;
}

/* The old session is lost meanwhile: no reason to wait. */
static void
test_lost_while_waiting (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) audio = NULL;

  init_tokens (&tokens, NULL);
  publish = start_waiting (&tokens);
  publish_fixture_expect (publish, "lost");
  stage_fixture_fault (stage,
      "{\"rule\":\"dtls-close\",\"participant\":\"%s\"}",
      (const gchar *) tokens.ids->pdata[0]);
  audio = publish_fixture_wait_number (publish, "session.audio.packets", 20, 5);
  g_assert_cmpuint (publish_fixture_count_messages (publish, "ivs-stage-lost"),
      ==, 1);
  survival_stop (publish, 3);
  publish_fixture_assert_deleted (publish, 1);
}

/* The end of waiting comes before the stage takes the new session for lost. */
static void
test_no_picture (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (JsonNode) audio = NULL;

  init_tokens (&tokens, NULL);
  publish = start_waiting (&tokens);
  audio =
      publish_fixture_wait_number (publish, "session.audio.packets", 20, 20);
  assert_nothing_lost (publish);
  survival_stop (publish, 3);
  publish_fixture_assert_deleted (publish, 1);
}

/* -- Without a fresh token ------------------------------------------------------------ */

typedef struct
{
  PublishFixture *publish;
  const gchar *name;
} Named;

static gboolean
was_named (gpointer data)
{
  Named *named = data;

  return publish_fixture_count_named (named->publish, named->name) > 0;
}

static void
wait_named (PublishFixture *publish, const gchar *name, guint seconds)
{
  Named named = { publish, name };

  if (!publish_wait (was_named, &named, seconds * 1000))
    g_error ("No message %s within %u s", name, seconds);
}

static void
check_old_token (PublishFixture *publish)
{
  G_GNUC_UNUSED g_autoptr (JsonNode) second =
      publish_fixture_wait_number (publish, "sessions.made", 2, 5);
  g_autoptr (JsonNode) state = survival_wait_media (publish, 10);

  survival_assert (publish, state, "sessions.made", ==, 2);
  g_assert_cmpuint (publish_fixture_count_named (publish,
                        "renewal-with-old-token"),
      ==, 1);
  assert_nothing_lost (publish);
  survival_stop (publish, 3);
  survival_assert_all_deleted (publish);
}

static void
check_expired_token (PublishFixture *publish)
{
  g_autoptr (JsonNode) before = publish_fixture_look (publish);
  g_autoptr (JsonNode) state = publish_fixture_wait_number (publish,
      "session.video.frames",
      publish_fixture_number (publish, before, "session.video.frames") + 30, 5);

  survival_assert (publish, state, "sessions.made", ==, 1);
  g_assert_cmpuint (publish_fixture_count_named (publish, "token-expired"), ==,
      1);
  g_assert_cmpuint (publish_fixture_count_failures (publish, GST_MESSAGE_ERROR),
      ==, 0);
  assert_nothing_lost (publish);
  survival_stop (publish, 3);
  publish_fixture_assert_deleted (publish, 1);
}

/* With the token of the session that is there it is renewed all the same, and the
 * reason for a moment without media is told; with one that cannot serve the session
 * goes on as long as the stage lets it. Both at once: it takes a while. */
static void
test_renew_without_fresh_token (void)
{
  g_auto (SurvivalTokens) tokens = { NULL };
  g_autoptr (PublishFixture) old = NULL, expired = NULL;

  init_tokens (&tokens, "{\"duration\":-1}");
  old = publish_fixture_new (stage, LIVE_BOTH (RENEWED));
  expired = survival_publish (&tokens, stage,
      LIVE_VIDEO " ! " SURVIVAL_SINK " " RENEWED);
  publish_fixture_expect (old, "renewal-with-old-token");
  publish_fixture_expect (expired, "token-expired");
  publish_fixture_play (old);
  publish_fixture_play (expired);
  wait_named (old, "renewal-with-old-token", 25);
  check_old_token (old);
  wait_named (expired, "token-expired", 10);
  check_expired_token (expired);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "renew-session", test_renew_session },
    { "long-gop", test_long_gop },
    { "lost-while-waiting", test_lost_while_waiting },
    { "no-picture", test_no_picture },
    { "renew-without-fresh-token", test_renew_without_fresh_token },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_CASES ("/hand-over/", cases);
  stage = stage_fixture_start (NULL);
  stalls = stall_meter_new ();
  result = g_test_run ();
  stall_meter_free (stalls);
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
