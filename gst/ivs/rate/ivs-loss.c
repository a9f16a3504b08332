/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bit rate that the loss on the way allows.
 *
 * Section 6 of draft-ietf-rmcat-gcc-02, with its three rules: above 10 % the
 * estimate falls by half the loss, below 2 % it grows by 5 % at each feedback,
 * between them it stays. What differs:
 *
 * Rounds. The draft speaks of receiver reports, some per second at most, and of
 *   "since the previous report". Transport-wide feedback comes ten times a second
 *   with a few packets each: three of twenty are 15 %, and a decision would be made
 *   before the last one can show. So loss is counted in rounds of at least 40
 *   packets and 300 ms plus the round-trip time; the rules are applied once per round.
 *
 * Where it falls from. The draft's estimate may be far above what the delay allows;
 *   halving that helps nobody. It falls from what is sent now.
 *
 * Growth. 5 % after the first good round, then 10, 15 and 20, so that a path that
 *   became wide again is filled in seconds, while one that was only just too
 *   narrow is approached slowly; with something in the queue always 5 %. It ends at
 *   twice what is sent: nothing is known beyond.
 *
 * Overflow (ours). A short queue overflows before the delay says anything. Loss above
 *   5 % with something in the queue is told to the delay based controller as over-use,
 *   which then goes below what passes and knows how much that is.
 *
 * Inherent loss (ours). The draft motivates its 10 % with "the losses are probably
 *   not related to self-inflicted congestion", but at 10 % of random loss half of
 *   the rounds are above, none is below 2 %, and the rate falls for ever. So a
 *   fall is also an experiment. Of what is sent at r0, a narrow path lets the same
 *   amount through when r1 is sent, so that the loss goes from L0 to
 *   1 - (1 - L0) r0 / r1; loss that is not of our making stays at L0. When a fifth
 *   less was sent and the loss is nearer to the latter, it is inherent, and the
 *   rules then look at what exceeds it. r0 and r1 are what was really sent, with
 *   all that is sent again: an encoder takes a second to follow. Likewise loss that
 *   stays between the bounds for five seconds, up to 5 %, so that a path with 3 % can
 *   be climbed again after a fall. With something in the queue no loss is inherent.
 */

#include "ivs-loss.h"

/* Draft 6: for each feedback, here for each round, times good rounds. */
#define GROWTH 0.05
#define MAX_GOOD 4
/* What a round weighs in the means. */
#define SMOOTHING 0.3
#define SLOW_SMOOTHING 0.05
/* Growth ends at so much of what is sent. */
#define MAX_UNUSED 2.0
/* The experiment: so much is sent of what was. */
#define EPISODE_FALL 0.8
/* Excess loss that with a queue is an overflow. */
#define OVERFLOW 0.05
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

static void
learn_inherent (IvsLoss *self, gdouble loss)
{
  self->inherent = self->slow_mean = MIN (loss, IVS_LOSS_MAX_INHERENT);
}

/* The path may have become better. */
static void
forget_inherent (IvsLoss *self, gdouble loss)
{
  self->slow_mean += SLOW_SMOOTHING * (loss - self->slow_mean);
  if (self->slow_mean < self->inherent - IVS_LOSS_LOW)
    self->inherent = self->slow_mean;
}

static void
watch_steady (IvsLoss *self, gint64 now_us, gboolean is_empty)
{
  if (get_excess (self, self->mean) < IVS_LOSS_LOW || self->mean > STEADY_MAX)
    self->steady_us = 0;
  else if (self->steady_us == 0)
    self->steady_us = now_us;
  else if (is_empty && now_us - self->steady_us >= STEADY_US)
    learn_inherent (self, self->mean);
}

static void
watch_episode (IvsLoss *self, gdouble loss, gdouble sent_bps, gboolean is_empty)
{
  gdouble excess = get_excess (self, loss);
  gdouble congested;

  if (self->episode_bps > 0 && excess < IVS_LOSS_LOW) {
    self->episode_bps = 0;
  } else if (sent_bps > self->episode_bps ||
      (!is_empty && loss >= self->episode_loss)) {
    if (excess <= IVS_LOSS_HIGH)
      return;
    self->episode_bps = sent_bps;
    self->episode_loss = loss;
  } else if (sent_bps < EPISODE_FALL * self->episode_bps) {
    congested = 1 - (1 - self->episode_loss) * self->episode_bps / sent_bps;
    if (is_empty && loss > (self->episode_loss + MAX (congested, 0)) / 2)
      learn_inherent (self, MAX (loss, self->mean));
    self->episode_bps = 0;
  }
}

static void
grow (IvsLoss *self, gboolean is_empty, gdouble sent_bps)
{
  gdouble grown;

  self->n_good = MIN (self->n_good + 1, is_empty ? MAX_GOOD : 1);
  grown = self->estimate * (1 + GROWTH * self->n_good);
  self->estimate = MAX (self->estimate, MIN (grown, MAX_UNUSED * sent_bps));
}

static void
apply_rules (IvsLoss *self, gdouble excess, guint current_bps,
    gboolean is_empty, gdouble sent_bps)
{
  if (excess < IVS_LOSS_LOW)
    grow (self, is_empty, sent_bps);
  else
    self->n_good = 0;
  if (excess > IVS_LOSS_HIGH)
    self->estimate =
        MIN (self->estimate, (gdouble) current_bps) * (1 - 0.5 * excess);
}

/* @current_bps holds now, round_bps is the most that held in the round. Returns whether
 * a queue overflows. */
static gboolean
end_round (IvsLoss *self, gint64 now_us, gdouble loss, guint current_bps,
    const IvsArrival *arrival)
{
  gdouble excess = get_excess (self, loss);
  gboolean is_empty = arrival == NULL || arrival->is_empty;
  gdouble sent_bps = arrival != NULL && arrival->received_bps > 0
      ? arrival->received_bps / MAX (1 - loss, 0.1)
      : self->round_bps;

  self->mean += SMOOTHING * (loss - self->mean);
  apply_rules (self, excess, current_bps, is_empty,
      arrival != NULL ? MAX (sent_bps, arrival->best_bps) : sent_bps);
  watch_episode (self, loss, sent_bps, is_empty);
  watch_steady (self, now_us, is_empty);
  forget_inherent (self, loss);
  self->round_us = now_us;
  self->round_bps = current_bps;
  self->sent = self->lost = 0;
  return !is_empty && excess > OVERFLOW;
}

/**
 * ivs_loss_update:
 * @self: a loss based control
 * @now_us: monotonic time, microseconds
 * @sent: packets of this feedback
 * @lost: those that did not arrive, at most @sent
 * @current_bps: the target that holds now
 * @rtt_us: round-trip time, microseconds
 * @arrival: (nullable): what is known of the delay on the way
 *
 * Returns: whether a queue was seen to overflow
 */
gboolean
ivs_loss_update (IvsLoss *self, gint64 now_us, guint sent, guint lost,
    guint current_bps, gint64 rtt_us, const IvsArrival *arrival)
{
  if (self->round_us == 0)
    self->round_us = now_us;
  self->round_bps = MAX (self->round_bps, current_bps);
  self->sent += sent;
  self->lost += MIN (lost, sent);
  if (self->sent < IVS_LOSS_MIN_PACKETS ||
      now_us - self->round_us < IVS_LOSS_MIN_ROUND_US + rtt_us)
    return FALSE;
  return end_round (self, now_us, (gdouble) self->lost / self->sent,
      current_bps, arrival);
}

/**
 * ivs_loss_report:
 * @self: a loss based control
 * @now_us: monotonic time, microseconds
 * @loss: fraction lost of an RTCP receiver report, 0 to 1
 * @current_bps: the target that holds now
 *
 * Instead of ivs_loss_update() when there are receiver reports only: each is a
 * round, and growth is 5 % of what holds, as the draft has it.
 */
void
ivs_loss_report (IvsLoss *self, gint64 now_us, gdouble loss, guint current_bps)
{
  self->estimate = MIN (self->estimate, (gdouble) current_bps);
  self->n_good = 0;
  self->round_bps = MAX (self->round_bps, current_bps);
  end_round (self, now_us, CLAMP (loss, 0, 1), current_bps, NULL);
}
