/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-rate: the controller alone against a simulated path.
 *
 * `test-rate --trace NAME` writes what happened in a scenario as CSV.
 */

#include "rate-path.h"

#include <stdio.h>

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
  BACK /* seconds until the target is 90 % of what the other flow leaves */
} Measure;

static const gchar *const measure_names[] = { "", "target (kbit/s)",
  "least target (kbit/s)", "most target (kbit/s)", "used (%)", "queue (ms)",
  "longest queue (ms)", "longest gap (ms)", "back after (s)" };

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

/* name, feedback, seconds, RTT, queue, loss, jitter, start, max, encoder, deaf from, to,
 * { from second, kbit/s, of these the other flow } */
static const Scenario scenarios[] = {
  { { "steady", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { BACK, 0, 60, 0, 6 }, { USED, 10, 60, 85, 100 }, { QUEUE, 10, 60, 0, 120 }, { LONGEST_QUEUE, 10, 60, 0, 450 } } },
  { { "steps", P, 90, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 45, 400, 0 }, { 65, 4000, 0 } } },
    { { BACK, 65, 90, 0, 10 }, { USED, 25, 45, 80, 100 } } },
  { { "drop-at-idr", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20, 1000, 0 }, { 40, 4000, 0 } } },
    { { BACK, 40, 60, 0, 10 }, { LONGEST_GAP, 20, 60, 0, 1000 } } },
  { { "drop-short-queue", P, 60, 50, 100, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 40, 4000, 0 } } },
    { { BACK, 40, 60, 0, 10 }, { LONGEST_GAP, 20, 60, 0, 1000 } } },
  { { "ramp", P, 70, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 1000, 0 }, { 20, 1500, 0 }, { 25, 2000, 0 }, { 30, 3000, 0 }, { 40, 2500, 0 }, { 45, 2000, 0 }, { 50, 1500, 0 }, { 55, 1000, 0 } } },
    { { USED, 10, 70, 80, 100 } } },
  { { "other-flow", P, 80, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20.5, 4000, 2000 }, { 50, 4000, 0 } } },
    { { USED, 25, 50, 75, 110 }, { BACK, 50, 80, 0, 10 } } },
  { { "jitter", P, 60, 50, 500, 0, 30, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 75, 100 }, { LEAST_TARGET, 10, 60, 1500, 8500 } } },
  { { "loss-1", P, 60, 50, 500, 0.01, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 80, 100 } } },
  { { "loss-3", P, 60, 50, 500, 0.03, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 80, 100 } } },
  { { "loss-3-drop", P, 60, 50, 500, 0.03, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 35, 4000, 0 } } },
    { { BACK, 35, 60, 0, 15 } } },
  { { "loss-10", P, 60, 50, 500, 0.10, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 40, 100 } } },
  { { "loss-20", P, 60, 50, 500, 0.20, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 40, 100 } } },
  { { "deaf-2s", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 30, 32, { { 0, 4000, 0 } } },
    { { LEAST_TARGET, 30, 40, 500, 8500 }, { BACK, 33, 60, 0, 6 } } },
  { { "deaf-for-ever", P, 60, 50, 500, 0, 0, 1000, 8500, 0, 30, 99, { { 0, 4000, 0 } } },
    { { MOST_TARGET, 40, 60, 100, 100 } } },
  { { "encoder-limited", P, 60, 50, 500, 0, 0, 1000, 8500, 800, 0, 0, { { 0, 4000, 0 } } },
    { { MOST_TARGET, 10, 60, 800, 2400 }, { LEAST_TARGET, 10, 60, 800, 8500 } } },
  { { "rtt-300", P, 60, 300, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 40, 4000, 0 } } },
    { { USED, 27, 40, 75, 100 }, { BACK, 40, 60, 0, 12 } } },
  { { "at-the-limit", P, 30, 50, 500, 0, 0, 1000, 2500, 0, 0, 0, { { 0, 20000, 0 } } },
    { { TARGET, 10, 30, 2500, 2500 } } },
  { { "summary-steady", S, 60, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 75, 100 }, { QUEUE, 10, 60, 0, 150 } } },
  { { "summary-steps", S, 90, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 20.7, 1000, 0 }, { 45, 400, 0 }, { 65, 4000, 0 } } },
    { { BACK, 65, 90, 0, 12 }, { USED, 25, 45, 75, 100 } } },
  { { "summary-jitter", S, 60, 50, 500, 0, 30, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 60, 100 } } },
  { { "summary-loss-3", S, 60, 50, 500, 0.03, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 } } },
    { { USED, 10, 60, 60, 100 } } },
  { { "reports-steps", R, 120, 50, 500, 0, 0, 1000, 8500, 0, 0, 0, { { 0, 4000, 0 }, { 50.7, 1000, 0 }, { 80, 4000, 0 } } },
    { { USED, 35, 50, 50, 100 }, { USED, 60, 80, 60, 100 }, { BACK, 80, 120, 0, 40 } } },
};

#undef P
#undef S
#undef R
/* clang-format on */

static gdouble
measure (const Path *path, const Check *check)
{
  guint first = check->from_s * G_USEC_PER_SEC / RECORD_US;
  guint end = check->to_s * G_USEC_PER_SEC / RECORD_US;
  gdouble least = G_MAXDOUBLE, most = 0, sum = 0, whole = 0;

  g_assert_cmpuint (end, <=, path->n_records);
  for (guint i = first; i < end; i++) {
    const Record *record = &path->records[i];
    gdouble value = check->measure == USED ? record->received
        : check->measure == QUEUE || check->measure == LONGEST_QUEUE
        ? record->queue_ms
        : check->measure == LONGEST_GAP ? record->gap_ms
                                        : record->target / 1000;

    if (check->measure == BACK && record->target >= 0.9 * record->capacity)
      return (i - first) * RECORD_US / (gdouble) G_USEC_PER_SEC;
    least = MIN (least, value);
    most = MAX (most, value);
    sum += value;
    whole += record->capacity;
  }
  switch (check->measure) {
    case LEAST_TARGET:
      return least;
    case MOST_TARGET:
    case LONGEST_QUEUE:
    case LONGEST_GAP:
      return most;
    case USED:
      return 100 * sum / whole;
    case BACK:
      return G_MAXDOUBLE;
    default:
      return sum / (end - first);
  }
}

static void
test_scenario (gconstpointer data)
{
  const Scenario *scenario = data;
  g_autoptr (Path) path = path_run (&scenario->path);
  gboolean has_failed = FALSE;

  g_test_message ("%-24s %4s %4s %10s %10s %10s", "measure", "from", "to",
      "at least", "is", "at most");
  for (const Check *check = scenario->checks; check->measure != NOTHING;
       check++) {
    gdouble value = measure (path, check);
    gboolean is_ok = value >= check->min && value <= check->max;

    g_test_message ("%-24s %4u %4u %10.1f %10.1f %10.1f%s",
        measure_names[check->measure], check->from_s, check->to_s, check->min,
        value, check->max, is_ok ? "" : "  <-- FAILS");
    has_failed = has_failed || !is_ok;
  }
  g_assert_false (has_failed);
}

static void
write_trace (const Scenario *scenario)
{
  g_autoptr (Path) path = path_run (&scenario->path);

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
trace (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    if (g_strcmp0 (scenarios[i].path.name, name) == 0) {
      write_trace (&scenarios[i]);
      return 0;
    }
  }
  g_printerr ("There is no scenario \"%s\"; test-rate -l lists them.\n", name);
  return 2;
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && g_strcmp0 (argv[1], "--trace") == 0)
    return trace (argv[2]);

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    g_autofree gchar *name =
        g_strconcat ("/rate/", scenarios[i].path.name, NULL);

    g_test_add_data_func (name, &scenarios[i], test_scenario);
  }
  return g_test_run ();
}
