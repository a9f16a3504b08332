/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stopped in the middle: whatever the element was at, and whatever has just failed.
 *
 * Each row has a stage of its own. The end is bounded, nothing is left, and a DELETE
 * comes for every session that the element ever knew of.
 */
#include <signal.h>

#include "end-gstreamer.h"
#include "survival.h"

/* shutdown-timeout, what is allowed for giving up afterwards, and a busy computer. */
#define SHUTDOWN_SECONDS "1"
#define MAX_STOP_SECONDS 4

typedef struct
{
  StageFixture *stage;
  SurvivalTokens tokens;
  PublishFixture *publish;
} Scene;

/* -- What the element is at --------------------------------------------------------- */

static gboolean
is_connecting (gpointer data)
{
  g_autofree gchar *progress = publish_fixture_get_progress (data);

  return g_str_has_suffix (progress, "start connect");
}

/* To an address where nobody answers. */
static void
reach_connecting (Scene *scene)
{
  stage_fixture_fault (scene->stage,
      "{\"rule\":\"spoil\",\"count\":1,\"spoil\":\"unreachable\"}");
  publish_fixture_play (scene->publish);
  if (!publish_wait (is_connecting, scene->publish, 10000))
    g_error ("The stage has not accepted the session");
}

static void
reach_live (Scene *scene)
{
  g_autoptr (JsonNode) live = NULL;

  publish_fixture_play (scene->publish);
  live = publish_fixture_wait_number (scene->publish, "session.video.frames", 5,
      20);
}

/* It waits for the next attempt. */
static void
reach_backoff (Scene *scene)
{
  g_autoptr (GstMessage) throttled = NULL;

  reach_live (scene);
  stage_fixture_fault (scene->stage,
      "{\"rule\":\"throttled\",\"count\":1,\"retry_after\":30}");
  publish_fixture_expect (scene->publish, "throttled");
  stage_fixture_fault (scene->stage, "{\"rule\":\"dtls-close\"}");
  throttled = publish_fixture_wait_failure (scene->publish, "throttled", 5);
}

/* Two sessions are there: the new one waits for a picture that will not come. */
static void
reach_hand_over (Scene *scene)
{
  g_autoptr (JsonNode) connected = NULL;

  reach_live (scene);
  survival_turn_deaf (scene->publish);
  survival_add_microphone (scene->publish);
  publish_fixture_follow (scene->publish, scene->stage,
      scene->tokens.ids->pdata[1]);
  connected = survival_wait_connected (scene->publish, scene->stage, 10);
}

/* -- What fails ---------------------------------------------------------------------- */

static void
let_be (Scene *scene)
{
}

static void
kill_stage (Scene *scene)
{
  stage_fixture_kill (g_steal_pointer (&scene->stage));
}

static void
freeze_stage (Scene *scene)
{
  stage_fixture_signal (scene->stage, SIGSTOP);
}

static void
thaw_stage (Scene *scene)
{
  stage_fixture_signal (scene->stage, SIGCONT);
}

static void
cut_network (Scene *scene)
{
  stage_fixture_fault (scene->stage, "{\"rule\":\"cut\",\"ms\":60000}");
}

static void
slow_down (Scene *scene)
{
  stage_fixture_fault (scene->stage,
      "{\"rule\":\"slow\",\"ms\":600,\"on\":\"delete\"}");
}

static const struct
{
  const gchar *name;
  void (*reach) (Scene *scene);
  guint n_participants; /* who have had a session */
} moments[] = {
  { "connecting", reach_connecting, 1 },
  { "live", reach_live, 1 },
  { "backoff", reach_backoff, 1 },
  { "hand-over", reach_hand_over, 2 },
};

static const struct
{
  const gchar *name;
  void (*fail) (Scene *scene);
  void (*mend) (Scene *scene);
} faults[] = {
  { "kill", kill_stage, let_be },
  { "freeze", freeze_stage, thaw_stage },
  { "cut", cut_network, let_be },
  { "slow", slow_down, let_be },
};

/* -- The table ------------------------------------------------------------------------- */

static gboolean
are_all_deleted (JsonNode *state, gpointer data)
{
  Scene *scene = data;

  for (guint i = 0; i < scene->tokens.ids->len; i++) {
    SurvivalRequests requests = { 0 };

    survival_count_requests (state, scene->tokens.ids->pdata[i], &requests);
    if (requests.made != requests.deleted)
      return FALSE;
  }
  return TRUE;
}

static guint
count_made (JsonNode *state, const Scene *scene)
{
  guint n = 0;

  for (guint i = 0; i < scene->tokens.ids->len; i++) {
    SurvivalRequests requests = { 0 };

    survival_count_requests (state, scene->tokens.ids->pdata[i], &requests);
    n += requests.made;
  }
  return n;
}

/* A stage that was frozen finds the DELETE when it goes on. */
static void
check_stage (Scene *scene, guint n_made)
{
  g_autoptr (JsonNode) state = stage_fixture_wait (scene->stage,
      "a DELETE for each session", are_all_deleted, scene, 5);

  g_assert_cmpuint (count_made (state, scene), ==, n_made);
  g_assert_cmpfloat (stage_state_number (state, "publishers"), ==, 0);
}

static void
test_stop (gconstpointer data)
{
  guint moment = GPOINTER_TO_UINT (data) / G_N_ELEMENTS (faults);
  guint fault = GPOINTER_TO_UINT (data) % G_N_ELEMENTS (faults);
  Scene scene = { stage_fixture_start (NULL) };

  survival_tokens_init (&scene.tokens);
  survival_tokens_add (&scene.tokens, scene.stage, NULL);
  survival_tokens_add (&scene.tokens, scene.stage, NULL);
  scene.publish = survival_publish (&scene.tokens, scene.stage,
      LONG_GOP_VIDEO ("900") " ! " SURVIVAL_SINK " "
                             "shutdown-timeout=" SHUTDOWN_SECONDS);
  publish_fixture_expect (scene.publish, "lost");
  moments[moment].reach (&scene);

  faults[fault].fail (&scene);
  survival_stop (scene.publish, MAX_STOP_SECONDS);
  faults[fault].mend (&scene);
  if (scene.stage != NULL)
    check_stage (&scene, moments[moment].n_participants);

  g_assert_cmpuint (publish_fixture_count_failures (scene.publish,
                        GST_MESSAGE_ERROR),
      ==, 0);
  publish_fixture_free (scene.publish);
  survival_tokens_clear (&scene.tokens);
  g_clear_pointer (&scene.stage, stage_fixture_stop);
}

/* -- A handler that does not return ---------------------------------------------------- */

typedef struct
{
  Scene scene;
  GMutex lock;
  GCond changed;
  guint n_asked; /* tokens */
  gboolean may_answer;
} Hold;

/* On the worker: the second time somebody has to let it go on. */
static gchar *
token_held (GstElement *sink, Hold *hold)
{
  gchar *token = survival_token_requested (sink, &hold->scene.tokens);

  g_mutex_lock (&hold->lock);
  hold->n_asked++;
  while (hold->n_asked == 2 && !hold->may_answer)
    g_cond_wait (&hold->changed, &hold->lock);
  g_mutex_unlock (&hold->lock);
  return token;
}

static gboolean
is_held (gpointer data)
{
  Hold *hold = data;
  guint n;

  g_mutex_lock (&hold->lock);
  n = hold->n_asked;
  g_mutex_unlock (&hold->lock);
  return n == 2;
}

static void
let_go (Hold *hold)
{
  g_mutex_lock (&hold->lock);
  hold->may_answer = TRUE;
  g_cond_broadcast (&hold->changed);
  g_mutex_unlock (&hold->lock);
}

static gboolean
is_first_deleted (JsonNode *state, gpointer data)
{
  SurvivalRequests requests = { 0 };

  survival_count_requests (state, data, &requests);
  return requests.made == 1 && requests.deleted == 1;
}

static void
hold_init (Hold *hold)
{
  Scene *scene = &hold->scene;

  g_mutex_init (&hold->lock);
  g_cond_init (&hold->changed);
  scene->stage = stage_fixture_start (NULL);
  survival_tokens_init (&scene->tokens);
  for (guint i = 0; i < 3; i++)
    survival_tokens_add (&scene->tokens, scene->stage, NULL);
  scene->publish =
      publish_fixture_new_as (scene->stage, scene->tokens.ids->pdata[0], "%s",
          LIVE_VIDEO " ! " SURVIVAL_SINK " shutdown-timeout=" SHUTDOWN_SECONDS);
  g_signal_connect (publish_fixture_get_sink (scene->publish), "request-token",
      G_CALLBACK (token_held), hold);
}

static void
hold_clear (Hold *hold)
{
  publish_fixture_free (hold->scene.publish);
  survival_tokens_clear (&hold->scene.tokens);
  stage_fixture_stop (hold->scene.stage);
  g_cond_clear (&hold->changed);
  g_mutex_clear (&hold->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Hold, hold_clear)

/* What is left behind still ends its session, and leaves alone what was started since. */
static void
test_left_behind (void)
{
  g_auto (Hold) hold = { .n_asked = 0 };
  PublishFixture *publish;
  g_autoptr (JsonNode) live = NULL, deleted = NULL, goes_on = NULL;
  gdouble frames;

  hold_init (&hold);
  publish = hold.scene.publish;
  reach_live (&hold.scene);
  survival_add_microphone (publish);
  g_assert_true (publish_wait (is_held, &hold, 10000));
  publish_fixture_set_state (publish, GST_STATE_READY);

  publish_fixture_set_state (publish, GST_STATE_PLAYING);
  publish_fixture_follow (publish, hold.scene.stage,
      hold.scene.tokens.ids->pdata[2]);
  live = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);

  let_go (&hold);
  deleted = stage_fixture_wait (hold.scene.stage, "a DELETE of the first",
      is_first_deleted, hold.scene.tokens.ids->pdata[0], 10);
  frames = publish_fixture_number (publish, deleted, "session.video.frames");
  goes_on = publish_fixture_wait_number (publish, "session.video.frames",
      frames + 60, 10);
  survival_stop (publish, MAX_STOP_SECONDS);
  check_stage (&hold.scene, 2);
}

int
main (int argc, char **argv)
{
  const guint n_rows = G_N_ELEMENTS (moments) * G_N_ELEMENTS (faults);
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < n_rows; i++) {
    g_autofree gchar *path = g_strdup_printf ("/stopping/%s/%s",
        moments[i / G_N_ELEMENTS (faults)].name,
        faults[i % G_N_ELEMENTS (faults)].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_stop);
  }
  g_test_add_func ("/stopping/left-behind", test_left_behind);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
