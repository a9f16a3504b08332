/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether the other side is still there, from the times of its RTCP packets:
 * webrtcbin 1.22 stays "connected" for ever when a server dies.
 *
 * A fixed limit would be wrong for one server or the other: some report every
 * second, some every five. The limit is what this server has needed so far, half
 * as much again and a second. Transport feedback comes many times a second, but
 * only while there is media to speak of: a pause must not look like a death.
 */
#include "gstivsliveness.h"

/* The packets of one report (a compound for each stream) are one report. */
#define SAME_REPORT_US (200 * 1000)

/* A pause that was longer than any rule allows was an outage, not a habit. */
static void
habit_add (GstIvsHabit *self, gint64 now_us)
{
  gint64 interval = now_us - self->last_us;

  if (self->last_us != 0 && interval < SAME_REPORT_US)
    return;

  if (self->last_us != 0 && interval < GST_IVS_LIVENESS_MAX_US)
    self->intervals[self->n_intervals++ % GST_IVS_LIVENESS_HABIT] = interval;
  self->last_us = now_us;
}

static gint64
habit_get_limit (const GstIvsHabit *self)
{
  gint64 least = self->n_intervals < GST_IVS_LIVENESS_HABIT
      ? GST_IVS_LIVENESS_UNKNOWN_US
      : GST_IVS_LIVENESS_MIN_US;
  gint64 longest = 0;

  for (guint i = 0; i < GST_IVS_LIVENESS_HABIT; i++)
    longest = MAX (longest, self->intervals[i]);
  return CLAMP (longest * 3 / 2 + G_USEC_PER_SEC, least,
      GST_IVS_LIVENESS_MAX_US);
}

void
gst_ivs_liveness_heard (GstIvsLiveness *self, gboolean is_report, gint64 now_us)
{
  if (is_report)
    habit_add (&self->reports, now_us);
  habit_add (&self->feedback, now_us);
}

void
gst_ivs_liveness_set_sending (GstIvsLiveness *self, gboolean is_sending,
    gint64 now_us)
{
  if (is_sending && self->is_in_pause)
    self->resumed_us = now_us;
  self->is_in_pause = !is_sending;
}

/* In a pause little or nothing has to be told: a receiver of GStreamer's reports every 5 s
 * as a rule, and now and then after more than seven. */
gint64
gst_ivs_liveness_get_deadline (const GstIvsLiveness *self)
{
  gint64 last = self->feedback.last_us;
  gint64 limit = habit_get_limit (&self->reports);

  if (last == 0)
    return G_MAXINT64;
  if (self->is_in_pause)
    return last + GST_IVS_LIVENESS_MAX_US;

  if (self->feedback.n_intervals >= GST_IVS_LIVENESS_HABIT)
    limit = MIN (limit, habit_get_limit (&self->feedback));
  return MAX (last, self->resumed_us) + limit;
}
