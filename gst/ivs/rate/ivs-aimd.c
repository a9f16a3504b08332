/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bit rate that the delay on the way allows.
 *
 * Section 5.5 of draft-ietf-rmcat-gcc-02, paragraph by paragraph:
 *
 * States: the table as it is. "Remain in Decrease" while over-use lasts means that
 *   each feedback sets the estimate anew; it is then a fixed part of what passes
 *   the bottleneck, so that repeating it does not add up.
 *
 * Near and far: as it is (mean and deviation of R_hat at decreases, smoothing 0.95,
 *   three deviations). R_hat below the band too starts the mean anew, not only
 *   above it: an uplink that fell from 4 to 1 Mbps has converged at 1.
 *
 * Multiplicative increase: 8 % per second below the band as it is. Beyond the
 *   band, and at the start, where nothing is known, 50 % per second (ours). 8 %
 *   need 18 s for 1 to 4 Mbps; the known implementation sends padding
 *   to probe for bandwidth instead, which an encoder cannot. Growing quickly is
 *   safe there: the path has just carried more than it ever did without delay,
 *   over-use ends it within 0.3 s, and until then the queue gets some 30 ms.
 *
 *   Without any queue (ours) it is 16 % and 80 %, and the middle of the band is
 *   enough to be beyond it: what passed at congestion had a queue before it, so who
 *   has as much pass without one has another path. That is what brings an uplink
 *   back that was 0.4 Mbps for a while. With the half second for which the queue has
 *   to be empty, it is no faster than before on a path that stays as narrow as it is.
 *
 * Additive increase: as it is for two seconds after an over-use, then as if far
 *   (ours): half a packet per response time needs 7 s to cross the band at 1 Mbps
 *   and 20 s at 4 Mbps, too long when the uplink returned.
 *
 * "A_hat < 1.5 R_hat": bounds growth only. Applied to the estimate itself, a still
 *   picture, which encodes to almost nothing, would throw away what is known.
 *
 * Decrease: as it is, beta 0.85; it never raises the estimate.
 */

#include "ivs-aimd.h"

#include <math.h>

/* Draft 5.5: weight of a new sample of R_hat, 1 - 0.95. */
#define SMOOTHING 0.05
/* Limits of variance / mean, kbit/s, so that 3 deviations are 6 to 15 % at
 * 1 Mbps: the first samples say nothing about the spread. */
#define MIN_VARIANCE 0.4
#define MAX_VARIANCE 2.5
/* Draft 5.5: a picture's packets are at most this big, bits; its frame rate. */
#define PACKET_BITS (1200.0 * 8)
#define FRAME_RATE 30.0
/* Draft 5.5: additive steps are this at least, bits per second. */
#define MIN_STEP 1000.0

/**
 * ivs_aimd_init:
 * @self: uninitialised memory
 * @start_bps: the first estimate
 */
void
ivs_aimd_init (IvsAimd *self, guint start_bps)
{
  *self = (IvsAimd){ .state = IVS_AIMD_INCREASE, .estimate = start_bps };
}

/**
 * ivs_aimd_restart:
 * @self: a rate control
 * @now_us: monotonic time, microseconds
 * @bps: the new estimate
 *
 * Goes on from @bps after a time in which nothing was known of the path.
 */
void
ivs_aimd_restart (IvsAimd *self, gint64 now_us, guint bps)
{
  ivs_aimd_init (self, bps);
  self->updated_us = now_us;
}

static gdouble
get_deviation (const IvsAimd *self)
{
  return sqrt (self->variance * self->mean);
}

static void
learn_congestion (IvsAimd *self, gdouble received)
{
  gdouble kbps = received / 1000;
  gdouble error = kbps - self->mean;

  if (self->mean > 0 && fabs (error) > 3 * get_deviation (self))
    self->mean = 0;
  if (self->mean <= 0) {
    self->mean = MAX (kbps, 1);
    self->variance = MIN_VARIANCE;
    return;
  }
  self->mean = MAX (self->mean + SMOOTHING * error, 1);
  self->variance =
      (1 - SMOOTHING) * self->variance + SMOOTHING * error * error / self->mean;
  self->variance = CLAMP (self->variance, MIN_VARIANCE, MAX_VARIANCE);
}

/* The additive step of draft 5.5, bits per second. */
static gdouble
get_step (const IvsAimd *self, gint64 elapsed_us, gint64 rtt_us)
{
  gdouble response_us = 100000.0 + (gdouble) rtt_us;
  gdouble alpha = 0.5 * MIN (elapsed_us / response_us, 1);
  gdouble frame = self->estimate / FRAME_RATE;

  return MAX (MIN_STEP, alpha * frame / MAX (ceil (frame / PACKET_BITS), 1));
}

/* Draft 5.5: more arrives than the band of R_hat at congestion. Ours: without a queue
 * its middle is enough, for what then passed stood in one. */
static gboolean
has_outgrown (const IvsAimd *self, gboolean is_empty, gdouble received)
{
  gdouble margin = (is_empty ? 1 : 3) * get_deviation (self);

  return received / 1000 > self->mean + margin;
}

/* Per second, where it is not additive. */
static gdouble
get_growth (const IvsAimd *self, gboolean is_empty)
{
  if (self->mean > 0)
    return is_empty ? IVS_AIMD_EMPTY_GROWTH : IVS_AIMD_GROWTH;
  return is_empty ? IVS_AIMD_EMPTY_QUICK_GROWTH : IVS_AIMD_QUICK_GROWTH;
}

/* In the band of R_hat at congestion, and not long since it was. */
static gboolean
is_near (const IvsAimd *self, gint64 now_us, gdouble received)
{
  return self->mean > 0 && now_us - self->congested_us < IVS_AIMD_PATIENCE_US &&
      self->mean - received / 1000 <= 3 * get_deviation (self);
}

static void
increase (IvsAimd *self, gint64 now_us, gboolean is_empty, gdouble received,
    gint64 rtt_us)
{
  gint64 elapsed_us = now_us - self->updated_us;
  gdouble seconds = MIN (elapsed_us / (gdouble) G_USEC_PER_SEC, 1);
  gdouble grown;

  if (has_outgrown (self, is_empty, received))
    self->mean = 0;
  grown = is_near (self, now_us, received)
      ? self->estimate + get_step (self, elapsed_us, rtt_us)
      : self->estimate * pow (get_growth (self, is_empty), seconds);
  if (received > 0)
    grown = MIN (grown, 1.5 * received);
  self->estimate = MAX (self->estimate, grown);
}

/* The table of draft 5.5. */
static void
enter_state (IvsAimd *self, IvsUsage usage)
{
  if (usage == IVS_USAGE_OVER)
    self->state = IVS_AIMD_DECREASE;
  else if (usage == IVS_USAGE_UNDER || self->state == IVS_AIMD_DECREASE)
    self->state = IVS_AIMD_HOLD;
  else
    self->state = IVS_AIMD_INCREASE;
}

/**
 * ivs_aimd_update:
 * @self: a rate control
 * @now_us: monotonic time, microseconds
 * @usage: what the detector says
 * @is_empty: no queue is on the way, nor was lately
 * @received_bps: R_hat, bits per second, 0 = not known
 * @rtt_us: round-trip time, microseconds
 */
void
ivs_aimd_update (IvsAimd *self, gint64 now_us, IvsUsage usage,
    gboolean is_empty, guint received_bps, gint64 rtt_us)
{
  enter_state (self, usage);
  switch (self->state) {
    case IVS_AIMD_INCREASE:
      if (self->updated_us > 0)
        increase (self, now_us, is_empty, received_bps, rtt_us);
      break;
    case IVS_AIMD_DECREASE:
      self->congested_us = now_us;
      if (received_bps > 0) {
        learn_congestion (self, received_bps);
        self->estimate = MIN (self->estimate, IVS_AIMD_BETA * received_bps);
      }
      break;
    case IVS_AIMD_HOLD:
      break;
  }
  self->updated_us = now_us;
}
