/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-rate: the controller alone against a simulated path.
 *
 * `test-rate --trace NAME [SEED]` writes what happened in a scenario as CSV.
 */

#include "rate-path.h"

#include <stdio.h>

/* Runs of each scenario. */
#define SEEDS 8

typedef enum
{
  NOTHING,
  TARGET,       /* mean, kbit/s */
  LEAST_TARGET, /* kbit/s */
  MOST_TARGET,  /* kbit/s */
  USED,  /* mean of what arrived, percent of what the other flow leaves */
  QUEUE, /* mean of the longest delays, ms */
  LONGEST_QUEUE, /* ms */
  LONGEST_GAP,   /* between two pictures, ms */
  LOST,          /* percent of what was sent */
  CHANGES,       /* of size or frame rate */
  STEP,          /* of the quality, mean; 0 = 720p30 */
  OBEYED, /* seconds until the target is not above what the other flow leaves */
  BACK    /* seconds until the target is 90 % of what the other flow leaves */
} Measure;

static const gchar *const measure_names[] = { "", "target (kbit/s)",
  "least target (kbit/s)", "most target (kbit/s)", "used (%)", "queue (ms)",
  "longest queue (ms)", "longest gap (ms)", "lost (%)", "changes of quality",
  "quality step", "obeyed after (s)", "back after (s)" };

typedef struct
{
  Measure measure;
  guint from_s;
  guint to_s;
  gdouble min;
  gdouble max;
} Check;

typedef struct
{
  PathConfig path;
  Check checks[10];
} Scenario;

/* clang-format off */
#define P FEEDBACK_PACKETS
#define S FEEDBACK_SUMMARY
#define R FEEDBACK_NONE

/* name, feedback, seconds, RTT, queue, loss, jitter, start, max, encoder, deaf from, to, to reports too,
 * { from second, kbit/s, of these the other flow } */
static const Scenario scenarios[] = {
  { { "steady", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { BACK, 0, 60, 0, 6 }, { USED, 10, 60, 88, 98 }, { QUEUE, 10, 60, 0, 110 }, { LONGEST_QUEUE, 10, 60, 0, 500 },
      { STEP, 10, 60, 0, 0 } } },
  { { "steps", P, 90, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 45, 400, 0 }, { 65, 4000, 0 } } },
    { { BACK, 65, 90, 0, 7 }, { USED, 25, 45, 85, 98 }, { USED, 50, 65, 82, 98 }, { QUEUE, 27, 45, 0, 200 },
      { LONGEST_QUEUE, 65, 90, 0, 500 },
      { STEP, 50, 65, 2, 3.5 }, { STEP, 89, 90, 0, 0 } } },
  { { "drop-and-return", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20, 1000, 0 }, { 40, 4000, 0 } } },
    { { BACK, 40, 60, 0, 9 }, { LONGEST_GAP, 20, 60, 0, 800 }, { LONGEST_QUEUE, 25, 40, 0, 600 }, { USED, 25, 40, 80, 100 } } },
  { { "drop-short-queue", P, 60, 50, 100, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 40, 4000, 0 } } },
    { { BACK, 40, 60, 0, 9 }, { LONGEST_GAP, 20, 60, 0, 800 }, { USED, 25, 40, 80, 100 } } },
  /* Of 300 ms behind the drop. */
  { { "drop-of-a-browser", P, 45, 50, 75, 0, 0, 2900, 2900, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20, 1000, 0 } } },
    { { OBEYED, 20, 45, 0, 0.4 }, { LOST, 20, 21, 0, 30 }, { LONGEST_GAP, 19, 45, 0, 400 }, { USED, 25, 45, 85, 98 } } },
  { { "ramp", P, 70, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 1000, 0 }, { 20, 1500, 0 }, { 25, 2000, 0 }, { 30, 3000, 0 }, { 40, 2500, 0 }, { 45, 2000, 0 }, { 50, 1500, 0 }, { 55, 1000, 0 } } },
    { { USED, 10, 70, 82, 98 } } },
  { { "quality-holds-still", P, 300, 50, 300, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 1150, 0 } } },
    { { CHANGES, 10, 300, 0, 2 } } },
  { { "other-flow", P, 80, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.5, 4000, 2000 }, { 50, 4000, 0 } } },
    { { USED, 25, 50, 85, 110 }, { BACK, 50, 80, 0, 8 } } },
  { { "greedy-flow", P, 120, 50, 300, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.5, 4000, GREEDY }, { 90, 4000, 0 } } },
    { { USED, 40, 90, 60, 200 }, { BACK, 90, 120, 0, 9 } } },
  { { "jitter", P, 60, 50, 500, 0, 30, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 86, 98 }, { LEAST_TARGET, 10, 60, 1500, 4000 } } },
  { { "jitter-60", P, 60, 50, 500, 0, 60, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 80, 98 } } },
  { { "loss-1", P, 60, 50, 500, 0.01, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 86, 98 } } },
  { { "loss-3", P, 60, 50, 500, 0.03, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 82, 98 } } },
  { { "loss-3-drop", P, 60, 50, 500, 0.03, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 35, 4000, 0 } } },
    { { BACK, 35, 60, 0, 10 } } },
  { { "loss-10", P, 60, 50, 500, 0.10, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 60, 90 } } },
  { { "loss-10-drop", P, 90, 50, 100, 0.10, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 30.7, 1000, 0 }, { 60, 4000, 0 } } },
    { { USED, 35, 60, 60, 100 }, { LONGEST_QUEUE, 35, 60, 0, 450 } } },
  { { "loss-20", P, 60, 50, 500, 0.20, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 8, 80 } } },
  { { "policer", P, 60, 50, 40, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 85, 100 }, { LOST, 10, 60, 0, 9 } } },
  { { "small-queue", P, 60, 50, 60, 0, 0, 2900, 2900, 0, 0, 0, FALSE, { { 0, 1000, 0 } } },
    { { USED, 10, 60, 78, 100 }, { LOST, 10, 60, 0, 9 }, { MOST_TARGET, 10, 60, 0, 1600 } } },
  { { "small-queue-and-return", P, 60, 50, 60, 0, 0, 2900, 2900, 0, 0, 0, FALSE, { { 0, 1000, 0 }, { 30, 4000, 0 } } },
    { { BACK, 30, 60, 0, 7 } } },
  { { "small-queue-unpaced", P, 60, 50, 60, 0, 0, 2900, 2900, 0, 0, 0, FALSE, { { 0, 1000, 0 } }, TRUE },
    { { USED, 10, 60, 78, 100 }, { LOST, 10, 60, 0, 9 } } },
  { { "deaf-2s", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 30, 32, TRUE, { { 0, 4000, 0 } } },
    { { LEAST_TARGET, 30, 33, 500, 3000 }, { BACK, 33, 60, 0, 5 } } }, /* half of what growth goes up to */
  { { "deaf-for-ever", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 30, 99, TRUE, { { 0, 4000, 0 } } },
    { { MOST_TARGET, 37, 60, 100, 100 } } },
  { { "reports-from-30", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 30, 60, FALSE, { { 0, 4000, 0 } } },
    { { LEAST_TARGET, 30, 60, 2000, 8500 }, { USED, 30, 60, 70, 100 } } },
  { { "ten-minutes", P, 600, 50, 300, 0, 2, 1000, 8500, 0, 0, 0, FALSE, { { 0, 2000, 0 } } },
    { { USED, 10, 300, 88, 98 }, { USED, 300, 600, 88, 98 }, { QUEUE, 10, 600, 0, 150 } } },
  { { "encoder-limited", P, 60, 50, 500, 0, 0, 1000, 8500, 800, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { MOST_TARGET, 10, 60, 1000, 1600 }, { LEAST_TARGET, 10, 60, 1000, 1600 } } },
  { { "rtt-300", P, 60, 300, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 40, 4000, 0 } } },
    { { USED, 27, 40, 80, 98 }, { BACK, 40, 60, 0, 9 } } },
  { { "at-the-limit", P, 30, 50, 500, 0, 0, 1000, 2500, 0, 0, 0, FALSE, { { 0, 20000, 0 } } },
    { { LEAST_TARGET, 10, 30, 2500, 2500 }, { MOST_TARGET, 0, 30, 2500, 2500 } } },
  { { "summary-steady", S, 60, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 82, 98 }, { QUEUE, 10, 60, 0, 110 } } },
  { { "summary-steps", S, 90, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 45, 400, 0 }, { 65, 4000, 0 } } },
    { { BACK, 65, 90, 0, 10 }, { USED, 25, 45, 85, 98 }, { USED, 50, 65, 80, 98 } } },
  { { "summary-jitter", S, 60, 50, 500, 0, 30, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 80, 98 } } },
  { { "summary-loss-3", S, 60, 50, 500, 0.03, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 72, 98 } } },
  { { "reports-steps", R, 120, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, FALSE, { { 0, 4000, 0 }, { 50.7, 1000, 0 }, { 80, 4000, 0 } } },
    { { USED, 35, 50, 85, 100 }, { USED, 60, 80, 65, 100 }, { BACK, 80, 120, 0, 32 } } },
};

#undef P
#undef S
#undef R
/* clang-format on */

/* What of the 100 ms the measure is about. */
static gdouble
get_value (const Record *record, Measure measure)
{
  switch (measure) {
    case USED:
      return record->received;
    case QUEUE:
    case LONGEST_QUEUE:
      return record->queue_ms;
    case LONGEST_GAP:
      return record->gap_ms;
    case LOST:
      return record->sent - record->received;
    case STEP:
      return record->step;
    case CHANGES:
      return record->step != record[-1].step;
    default:
      return record->target / 1000;
  }
}

static gdouble
measure (const Path *path, const Check *check)
{
  guint first = check->from_s * G_USEC_PER_SEC / RECORD_US;
  guint end = check->to_s * G_USEC_PER_SEC / RECORD_US;
  gdouble least = G_MAXDOUBLE, most = 0, sum = 0, whole = 0;

  g_assert_cmpuint (end, <=, path->n_records);
  for (guint i = MAX (first, 1); i < end; i++) {
    const Record *record = &path->records[i];
    gdouble value = get_value (record, check->measure);

    if (check->measure == BACK &&
        record->target >=
            0.9 * MIN (record->capacity, 1000.0 * path->config->max_kbps))
      return (i - first) * RECORD_US / (gdouble) G_USEC_PER_SEC;
    if (check->measure == OBEYED && record->target <= record->capacity)
      return (i - first) * RECORD_US / (gdouble) G_USEC_PER_SEC;
    least = MIN (least, value);
    most = MAX (most, value);
    sum += value;
    whole += check->measure == LOST ? record->sent : record->capacity;
  }
  switch (check->measure) {
    case LEAST_TARGET:
      return least;
    case MOST_TARGET:
    case LONGEST_QUEUE:
    case LONGEST_GAP:
      return most;
    case USED:
    case LOST:
      return 100 * sum / whole;
    case CHANGES:
      return sum;
    case OBEYED:
    case BACK:
      return G_MAXDOUBLE;
    default:
      return sum / (end - first);
  }
}

/* The worst of some runs, each with its own chance. */
static void
test_scenario (gconstpointer data)
{
  const Scenario *scenario = data;
  gboolean has_failed = FALSE;
  Path *paths[SEEDS];

  for (guint i = 0; i < SEEDS; i++)
    paths[i] = path_run (&scenario->path, i);
  g_test_message ("%-24s %4s %4s %10s %10s %10s %10s", "measure", "from", "to",
      "at least", "least", "most", "at most");
  for (const Check *check = scenario->checks; check->measure != NOTHING;
       check++) {
    gdouble least = G_MAXDOUBLE, most = 0;
    gboolean is_ok;

    for (guint i = 0; i < SEEDS; i++) {
      gdouble value = MIN (measure (paths[i], check), 1e6);

      least = MIN (least, value);
      most = MAX (most, value);
    }
    is_ok = least >= check->min && most <= check->max;
    g_test_message ("%-24s %4u %4u %10.1f %10.1f %10.1f %10.1f%s",
        measure_names[check->measure], check->from_s, check->to_s, check->min,
        least, most, check->max, is_ok ? "" : "  <-- FAILS");
    has_failed = has_failed || !is_ok;
  }
  for (guint i = 0; i < SEEDS; i++)
    path_free (paths[i]);
  if (has_failed)
    g_test_fail ();
}

static void
write_trace (const Scenario *scenario, guint seed)
{
  g_autoptr (Path) path = path_run (&scenario->path, seed);

  printf ("s,capacity_bps,target_bps,sent_bps,received_bps,queue_ms,gap_ms,"
          "lost,usage,state\n");
  for (guint i = 0; i < path->n_records; i++) {
    const Record *record = &path->records[i];

    printf ("%.1f,%.0f,%.0f,%.0f,%.0f,%.1f,%.1f,%.0f,%d,%d\n",
        (i + 1) * RECORD_US / (gdouble) G_USEC_PER_SEC, record->capacity,
        record->target, record->sent, record->received, record->queue_ms,
        record->gap_ms, record->lost, record->usage, record->state);
  }
}

static int
trace (const gchar *name, guint seed)
{
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    if (g_strcmp0 (scenarios[i].path.name, name) == 0) {
      write_trace (&scenarios[i], seed);
      return 0;
    }
  }
  g_printerr ("There is no scenario \"%s\"; test-rate -l lists them.\n", name);
  return 2;
}

int
main (int argc, char *argv[])
{
  if (argc >= 3 && g_strcmp0 (argv[1], "--trace") == 0)
    return trace (argv[2],
        argc > 3 ? (guint) g_ascii_strtoull (argv[3], NULL, 10) : 0);

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    g_autofree gchar *name =
        g_strconcat ("/rate/", scenarios[i].path.name, NULL);

    g_test_add_data_func (name, &scenarios[i], test_scenario);
  }
  return g_test_run ();
}
