/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bit rate that the loss on the way allows.
 *
 * Section 6 of draft-ietf-rmcat-gcc-02, with its three rules: above 10 % the
 * estimate falls by half the loss, below 2 % it grows by 5 % at each feedback
 * (100 ms), between them it stays. What differs:
 *
 * Rounds. The draft speaks of receiver reports, some per second at most, and of
 *   "since the previous report". Transport-wide feedback comes ten times a second
 *   with a few packets each: three of twenty are 15 %, and a decision would be made
 *   before the last one can show. So loss is counted in rounds of at least 40
 *   packets and 300 ms plus the round-trip time; the estimate falls once per round.
 *
 * Where it falls from. The draft's estimate may be far above what the delay allows;
 *   halving that helps nobody. It falls from what is sent now.
 *
 * Inherent loss (ours). The draft motivates its 10 % with "the losses are probably
 *   not related to self-inflicted congestion" but at 10 % of random loss half of
 *   the rounds are above, none is below 2 %, and the rate falls for ever. So a
 *   fall is also an experiment: when a fifth less was sent and as much was lost,
 *   the loss is not of our making, and the rules then look at what exceeds it. At
 *   a full queue without delay (a policer) a fifth less sent is less lost, so that
 *   it cannot be mistaken. Likewise loss that stays between the bounds for five
 *   seconds, up to 5 %, so that a path with 3 % can be climbed again after a fall.
 */

#include "ivs-loss.h"

#include <math.h>

/* Draft 6: for each feedback, of which we expect ten a second. */
#define GROWTH 1.05
/* What a round weighs in the mean, and the mean in the inherent loss. */
#define SMOOTHING 0.3
#define FORGETTING 0.1
/* The experiment: so much less is sent, so much of the loss is left. */
#define EPISODE_FALL 0.8
#define EPISODE_LEFT 0.7
/* Steady loss. */
#define STEADY_US (5 * G_USEC_PER_SEC)
#define STEADY_MAX 0.05

/**
 * ivs_loss_init:
 * @self: uninitialised memory
 * @bps: the first estimate: as much as is allowed at all, for it is the delay
 *   that starts slowly
 */
void
ivs_loss_init (IvsLoss *self, guint bps)
{
  *self = (IvsLoss){ .estimate = bps };
}

static gdouble
get_excess (const IvsLoss *self, gdouble loss)
{
  return MAX (loss - self->inherent, 0) / (1 - self->inherent);
}

/* What the path loses may become less, or a little more. */
static void
follow_inherent (IvsLoss *self)
{
  gdouble error = self->mean - self->inherent;

  if (self->inherent <= 0 || error > IVS_LOSS_LOW)
    return;
  self->inherent += FORGETTING * error;
  if (self->inherent < IVS_LOSS_LOW / 2)
    self->inherent = 0;
}

static void
watch_steady (IvsLoss *self, gint64 now_us, gdouble excess)
{
  if (excess < IVS_LOSS_LOW || self->mean > STEADY_MAX)
    self->steady_us = 0;
  else if (self->steady_us == 0)
    self->steady_us = now_us;
  else if (now_us - self->steady_us >= STEADY_US)
    self->inherent = MAX (self->inherent, self->mean);
}

static void
watch_episode (IvsLoss *self, gdouble excess, guint current_bps)
{
  if (self->episode_bps <= 0) {
    if (excess <= IVS_LOSS_HIGH)
      return;
    self->episode_bps = current_bps;
    self->episode_loss = self->mean;
  } else if (excess < IVS_LOSS_LOW) {
    self->episode_bps = 0;
  } else if (current_bps < EPISODE_FALL * self->episode_bps) {
    if (self->mean > EPISODE_LEFT * self->episode_loss)
      self->inherent = MIN (self->mean, IVS_LOSS_MAX_INHERENT);
    self->episode_bps = 0;
  }
}

static void
end_round (IvsLoss *self, gint64 now_us, gdouble loss, guint current_bps)
{
  gdouble excess = get_excess (self, loss);

  self->mean += SMOOTHING * (loss - self->mean);
  if (excess > IVS_LOSS_HIGH)
    self->estimate =
        MIN (self->estimate, (gdouble) current_bps) * (1 - 0.5 * excess);
  follow_inherent (self);
  watch_steady (self, now_us, excess);
  watch_episode (self, excess, current_bps);
  self->last = get_excess (self, loss);
  self->round_us = now_us;
  self->sent = self->lost = 0;
}

/**
 * ivs_loss_update:
 * @self: a loss based control
 * @now_us: monotonic time, microseconds
 * @sent: packets of this feedback
 * @lost: those that did not arrive, at most @sent
 * @current_bps: the target that holds now
 * @rtt_us: round-trip time, microseconds
 */
void
ivs_loss_update (IvsLoss *self, gint64 now_us, guint sent, guint lost,
    guint current_bps, gint64 rtt_us)
{
  if (self->round_us == 0)
    self->round_us = now_us;
  self->sent += sent;
  self->lost += MIN (lost, sent);
  if (self->sent >= IVS_LOSS_MIN_PACKETS &&
      now_us - self->round_us >= IVS_LOSS_MIN_ROUND_US + rtt_us)
    end_round (self, now_us, (gdouble) self->lost / self->sent, current_bps);
  if (self->last < IVS_LOSS_LOW && self->updated_us > 0)
    self->estimate *=
        pow (GROWTH, CLAMP ((now_us - self->updated_us) / 100000.0, 0, 5));
  self->updated_us = now_us;
}

/**
 * ivs_loss_report:
 * @self: a loss based control
 * @now_us: monotonic time, microseconds
 * @loss: fraction lost of an RTCP receiver report, 0 to 1
 * @current_bps: the target that holds now
 *
 * Instead of ivs_loss_update() when there are receiver reports only: each is a
 * round, and growth is 5 % for each, as the draft has it.
 */
void
ivs_loss_report (IvsLoss *self, gint64 now_us, gdouble loss, guint current_bps)
{
  end_round (self, now_us, CLAMP (loss, 0, 1), current_bps);
  if (self->last < IVS_LOSS_LOW)
    self->estimate = MIN (self->estimate, (gdouble) current_bps) * GROWTH;
  self->updated_us = now_us;
}
