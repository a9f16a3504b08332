/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether the other side is still there, from the times of its RTCP packets:
 * webrtcbin 1.22 stays "connected" for ever when a server dies.
 *
 * A fixed limit would be wrong for one server or the other: some report every
 * second, some every five. The limit is what this server has needed so far, half
 * as much again and a second.
 */
#include "gstivsliveness.h"

/* The packets of one report (a compound for each stream) are one report. */
#define SAME_REPORT_US (200 * 1000)

void
gst_ivs_liveness_heard (GstIvsLiveness *self, gint64 now_us)
{
  gint64 interval = now_us - self->last_us;

  if (self->last_us != 0 && interval < SAME_REPORT_US)
    return;

  /* A pause that was longer than any rule allows was an outage, not a habit. */
  if (self->last_us != 0 && interval < GST_IVS_LIVENESS_MAX_US)
    self->intervals[self->n_intervals++ % GST_IVS_LIVENESS_N_INTERVALS] =
        interval;
  self->last_us = now_us;
}

gint64
gst_ivs_liveness_get_deadline (const GstIvsLiveness *self)
{
  /* Few reports tell no habit: the first come early (half the interval, RFC 3550
   * section 6.2), so that the longest by the rules is waited for, 5 s * 1.5. */
  gint64 least = self->n_intervals < GST_IVS_LIVENESS_N_INTERVALS
      ? 8 * G_USEC_PER_SEC
      : GST_IVS_LIVENESS_MIN_US;
  gint64 longest = 0;

  if (self->last_us == 0)
    return G_MAXINT64;

  for (guint i = 0; i < GST_IVS_LIVENESS_N_INTERVALS; i++)
    longest = MAX (longest, self->intervals[i]);
  return self->last_us +
      CLAMP (longest * 3 / 2 + G_USEC_PER_SEC, least, GST_IVS_LIVENESS_MAX_US);
}
