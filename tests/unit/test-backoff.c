/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-backoff: waits, caps and when to give up.
 */

#include "ivs-backoff.h"
#include "test-table.h"

#define SECOND G_USEC_PER_SEC

static gdouble
return_data (gpointer data)
{
  return *(const gdouble *) data;
}

/* Waits are exact with the middle of the jitter. */
static gdouble middle = 0.5;

typedef struct
{
  gboolean is_live; /* goes live, for so many seconds */
  guint lives;
  IvsFailureKind kind;
  guint retry_after;
  gint expected; /* ms, -1 = gives up */
} Step;

typedef struct
{
  const gchar *name;
  gint max_retries;
  Step steps[10];
  guint n_steps;
} Story;

#define FAILS(kind, after, expected) \
  { \
    FALSE, 0, kind, after, expected \
  }
#define LIVES(seconds, kind, expected) \
  { \
    TRUE, seconds, kind, 0, expected \
  }
#define LOST IVS_FAILURE_LOST
#define NAME IVS_FAILURE_NAME_LOOKUP
#define SERVICE IVS_FAILURE_SERVICE_INTERNAL
#define BUSY IVS_FAILURE_BUSY

/* clang-format off */
static const Story stories[] = {
  { "doubles-up-to-thirty", -1, {
      FAILS (NAME, 0, 2000), FAILS (NAME, 0, 4000), FAILS (NAME, 0, 8000), FAILS (NAME, 0, 16000),
      FAILS (NAME, 0, 30000), FAILS (NAME, 0, 30000), FAILS (NAME, 0, 30000) }, 7 },
  { "final-at-once", -1, { FAILS (IVS_FAILURE_TOKEN_EXPIRED, 0, -1) }, 1 },
  { "no-retries", 0, { FAILS (NAME, 0, -1) }, 1 },
  { "two-retries", 2, { FAILS (NAME, 0, 2000), FAILS (NAME, 0, 4000), FAILS (NAME, 0, -1) }, 3 },
  { "capped-at-three", -1, {
      FAILS (SERVICE, 0, 2000), FAILS (SERVICE, 0, 4000), FAILS (SERVICE, 0, 8000), FAILS (SERVICE, 0, -1) }, 4 },
  { "cap-counts-capped-kinds-only", -1, {
      FAILS (NAME, 0, 2000), FAILS (SERVICE, 0, 4000), FAILS (NAME, 0, 8000), FAILS (SERVICE, 0, 16000),
      FAILS (SERVICE, 0, 30000), FAILS (NAME, 0, 30000), FAILS (SERVICE, 0, -1) }, 7 },
  { "max-retries-below-the-cap", 1, { FAILS (SERVICE, 0, 2000), FAILS (SERVICE, 0, -1) }, 2 },
  { "retry-after-is-honoured", -1, { FAILS (BUSY, 10, 11000), FAILS (BUSY, 0, 4000) }, 2 },
  { "retry-after-never-shortens", -1, { FAILS (BUSY, 0, 2000), FAILS (BUSY, 1, 4000) }, 2 },
  { "retry-after-is-bounded", -1, { FAILS (BUSY, 3600, 300000) }, 1 },
  { "lost-at-once", -1, {
      LIVES (60, LOST, 0), FAILS (LOST, 0, 2000), FAILS (LOST, 0, 4000) }, 3 },
  { "live-starts-anew", 2, {
      FAILS (NAME, 0, 2000), FAILS (NAME, 0, 4000), LIVES (60, LOST, 0), FAILS (NAME, 0, 2000), FAILS (NAME, 0, -1) }, 5 },
  { "live-clears-the-cap", -1, {
      FAILS (SERVICE, 0, 2000), FAILS (SERVICE, 0, 4000), FAILS (SERVICE, 0, 8000),
      LIVES (60, SERVICE, 0), FAILS (SERVICE, 0, 2000), FAILS (SERVICE, 0, 4000), FAILS (SERVICE, 0, -1) }, 7 },
  { "flapping-slows-down", -1, {
      LIVES (1, LOST, 0), LIVES (1, LOST, 2000), LIVES (1, LOST, 4000), LIVES (9, LOST, 8000), LIVES (10, LOST, 0) }, 5 },
  { "short-life-after-refusals-at-once", -1, {
      FAILS (NAME, 0, 2000), FAILS (NAME, 0, 4000), LIVES (1, LOST, 0) }, 3 },
  { "refusals-do-not-slow-the-next-session", -1, {
      LIVES (60, LOST, 0), FAILS (BUSY, 0, 2000), FAILS (BUSY, 0, 4000),
      LIVES (8, LOST, 2000), FAILS (BUSY, 0, 4000), FAILS (BUSY, 0, 8000), LIVES (8, LOST, 4000) }, 7 },
  { "flapping-never-runs-out", 1, {
      LIVES (1, LOST, 0), LIVES (1, LOST, 2000), LIVES (1, LOST, 4000) }, 3 },
  { "lost-without-retries", 0, { LIVES (60, LOST, -1) }, 1 },
};
/* clang-format on */

static void
test_story (gconstpointer data)
{
  const Story *story = data;
  IvsBackoff backoff;
  gint64 now = 12345;

  ivs_backoff_init (&backoff, story->max_retries, return_data, &middle);
  for (guint i = 0; i < story->n_steps; i++) {
    const Step *step = &story->steps[i];
    g_autoptr (IvsFailure) failure = ivs_failure_new (step->kind, NULL);
    guint delay = 99;
    gboolean again;

    g_test_message ("step %u", i);
    if (step->is_live)
      ivs_backoff_went_live (&backoff, now);
    now += step->lives * SECOND;
    failure->retry_after = step->retry_after;
    again = ivs_backoff_next (&backoff, failure, now, &delay);
    g_assert_cmpint (again ? (gint) delay : -1, ==, step->expected);
    now += (gint64) delay * 1000;
  }
}

static void
test_jitter (void)
{
  static const struct
  {
    gdouble random;
    guint wait;
    guint asked;
  } rows[] = {
    { 0.0, 1600, 100000 },
    { 0.25, 1800, 105000 },
    { 0.75, 2200, 115000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (IvsFailure) failure = ivs_failure_new (BUSY, NULL);
    gdouble random = rows[i].random;
    IvsBackoff backoff;
    guint delay;

    ivs_backoff_init (&backoff, -1, return_data, &random);
    g_assert_true (ivs_backoff_next (&backoff, failure, 0, &delay));
    g_assert_cmpuint (delay, ==, rows[i].wait);
    failure->retry_after = 100;
    g_assert_true (ivs_backoff_next (&backoff, failure, 0, &delay));
    g_assert_cmpuint (delay, ==, rows[i].asked);
  }
}

/* For days without network: no overflow, no wait out of range. */
static void
test_for_ever (void)
{
  g_autoptr (IvsFailure) failure = ivs_failure_new (NAME, NULL);
  IvsBackoff backoff;
  guint delay;

  ivs_backoff_init (&backoff, -1, NULL, NULL);
  for (guint i = 1; i <= 100000; i++) {
    g_assert_true (ivs_backoff_next (&backoff, failure, 0, &delay));
    g_assert_cmpuint (delay, >=, 1600);
    g_assert_cmpuint (delay, <=, 36000);
    g_assert_cmpuint (backoff.retries, ==, i);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/backoff/", stories, test_story);
  g_test_add_func ("/backoff/jitter", test_jitter);
  g_test_add_func ("/backoff/for-ever", test_for_ever);
  return g_test_run ();
}
