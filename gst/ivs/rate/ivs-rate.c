/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How many bits per second to send: the congestion controller.
 *
 * Modelled on draft-ietf-rmcat-gcc-02; what became of each of its sections:
 *
 *   2 System model, 3 Feedback: the first version, both controllers at the
 *     sender, fed by transport-wide feedback every 100 ms or more often.
 *   4 Sending engine: ivs-pacer.c, for pictures, where the path is narrow. Elsewhere
 *     a picture leaves as it comes from the encoder; ivs-arrival.c is made for that.
 *   5.1 to 5.4: ivs-arrival.c.
 *   5.5: ivs-aimd.c.
 *   6: ivs-loss.c. The target is the smaller of the two estimates. Ours: a decrease
 *     does not go below beta of what arrives.
 *   7 Interoperability: without transport-wide feedback the reports of RTCP and
 *     the loss based controller decide, the delay based one is left alone. Ours: a
 *     round-trip time that left its least value far behind is a full queue, and
 *     the estimate falls by beta. Slower in every way.
 *   11 Security: feedback is only what SRTCP has authenticated. Whatever it says,
 *     the target stays in its range, and no number in it can overflow.
 *
 * Not in the draft:
 *
 *   Draining. A decrease to 0.85 of what passes empties a queue of one second in
 *     six. While the delay based controller waits for the queue to drain (its
 *     states Decrease and Hold), and for two seconds after the last congestion, the
 *     target is lower than the estimate by as much of it as there is queue: at half a
 *     second and more, half.
 *
 *   Pause. When the path has collapsed (ivs-arrival.c), nothing should be sent until
 *     most of the queue has drained: what an encoder makes meanwhile would overflow, and
 *     so would what is sent again. A viewer sees little of it: the pictures that are
 *     in the queue come late by as much. The pause is as long as the queue was, and when
 *     the next feedback says the same, as long as it must have become since. One for each
 *     collapse: what feedback tells until it has been waited for, was sent before it.
 *
 *   Few pictures. A receiver may answer to a picture only, and where most are left out
 *     that is once in seconds, of which most were silent: what came then is taken for
 *     R_hat where it bounds growth, not the last half second.
 *
 *   Silence. When neither feedback nor reports come although packets are sent, the
 *     target is halved, and again each second. When they come again, the estimate
 *     goes on from the half and grows quickly, for nothing is known against it. What
 *     was sent meanwhile tells nothing: it is lost, or arrives all at once, from the
 *     queue of a receiver that stood still. Silence begins with what was sent after
 *     the last answer: a receiver may answer to a picture only, and there may be
 *     seconds without one, where most are left out.
 */

#include "ivs-rate.h"

/* Queues below this are not drained by force; it is a picture or two. */
#define DRAIN_FROM_US 50000
/* For so long after the last congestion, if the queue is still there. */
#define DRAIN_US (2 * G_USEC_PER_SEC)
/* The deepest cut for draining. */
#define DRAIN_MAX 0.5
/* A pause leaves so much of the queue, and is not longer than that. */
#define PAUSE_REST_US 50000
#define PAUSE_MAX_US 300000
/* What one collapse leaves of the estimate at least. */
#define COLLAPSE_LEAST 0.5
/* The way back of what is answered, when it is not known. */
#define USUAL_RTT_US 100000
/* After a silence, until what was sent meanwhile has been told. */
#define SETTLE_US (G_USEC_PER_SEC / 2)
/* With reports only, the round-trip time above its least that is congestion. */
#define RTT_EXCESS_US 150000
/* Longer round-trip times are not believed. */
#define MAX_RTT_US (10 * G_USEC_PER_SEC)
/* Nor times, so that their differences cannot overflow. */
#define MAX_TIME_US (G_MAXINT64 / 4)
/* A delay change beyond this between two feedbacks is not believed. */
#define MAX_CHANGE_US 10e6

static gdouble
put_into_range (const IvsRate *self, gdouble bps)
{
  return CLAMP (bps, (gdouble) self->config.min_bps,
      (gdouble) self->config.max_bps);
}

/* The estimates must not wander where the target cannot follow. */
static void
bound_estimates (IvsRate *self)
{
  self->aimd.estimate = put_into_range (self, self->aimd.estimate);
  self->loss.estimate = put_into_range (self, self->loss.estimate);
}

/**
 * ivs_rate_init:
 * @self: uninitialised memory
 * @config: the range and the first target
 * @now_us: monotonic time, microseconds
 */
void
ivs_rate_init (IvsRate *self, const IvsRateConfig *config, gint64 now_us)
{
  *self = (IvsRate){ .started_us = now_us, .sent_bps = G_MAXUINT };
  ivs_arrival_init (&self->arrival);
  ivs_aimd_init (&self->aimd, config->start_bps);
  ivs_loss_init (&self->loss, config->max_bps);
  ivs_rate_set_range (self, config->min_bps, config->max_bps);
}

/**
 * ivs_rate_set_range:
 * @self: a controller
 * @min_bps: never less, bits per second
 * @max_bps: never more; wins when it is the smaller one
 */
void
ivs_rate_set_range (IvsRate *self, guint min_bps, guint max_bps)
{
  self->config.min_bps = MIN (min_bps, max_bps);
  self->config.max_bps = max_bps;
  bound_estimates (self);
}

static gboolean
uses_reports (const IvsRate *self, gint64 now_us)
{
  gint64 since_us = MAX (self->idle_us,
      self->feedback_us > 0 ? self->feedback_us : self->started_us);

  return now_us - since_us >= IVS_RATE_REPORTS_AFTER_US &&
      self->report_us > self->feedback_us;
}

/* What is left of the target after a time in which nothing was heard. */
static gdouble
get_silence_factor (const IvsRate *self, gint64 now_us)
{
  gint64 heard_us = MAX (self->feedback_us, self->report_us);
  gint64 patience_us = heard_us > 0 && heard_us == self->feedback_us
      ? IVS_RATE_SILENCE_US
      : IVS_RATE_REPORT_SILENCE_US;
  gint64 since_us = MAX (MAX (heard_us, self->started_us), self->idle_us);
  gint64 silent_us = now_us - since_us - patience_us;

  if (silent_us < 0 || self->sent_bps == 0)
    return 1;
  return 1.0 / (2 << MIN (silent_us / IVS_RATE_HALVING_US, 20));
}

/* A queue that is there long after the last congestion is another flow's. */
static gboolean
is_draining (const IvsRate *self, gint64 now_us)
{
  return self->aimd.state != IVS_AIMD_INCREASE ||
      (self->aimd.congested_us > 0 &&
          now_us - self->aimd.congested_us < DRAIN_US);
}

static gdouble
get_drain_factor (const IvsRate *self, gint64 now_us)
{
  gint64 excess_us = self->arrival.queue_us - DRAIN_FROM_US;

  if (excess_us <= 0 || !is_draining (self, now_us))
    return 1;
  return 1 - MIN (excess_us / (gdouble) G_USEC_PER_SEC, DRAIN_MAX);
}

/**
 * ivs_rate_is_heard:
 * @self: a controller
 * @now_us: monotonic time, microseconds
 *
 * Returns: whether something came back lately, so that the target is more than a guess
 */
gboolean
ivs_rate_is_heard (const IvsRate *self, gint64 now_us)
{
  return get_silence_factor (self, now_us) >= 1;
}

/**
 * ivs_rate_get_target:
 * @self: a controller
 * @now_us: monotonic time, microseconds
 *
 * To be asked a few times per second even when nothing is heard.
 *
 * Returns: bits per second to send, in all, within the range
 */
guint
ivs_rate_get_target (const IvsRate *self, gint64 now_us)
{
  gdouble bps = self->loss.estimate;

  if (!uses_reports (self, now_us))
    bps = MIN (bps, self->aimd.estimate * get_drain_factor (self, now_us));
  return (guint) put_into_range (self, bps * get_silence_factor (self, now_us));
}

/* Goes on from where reports have brought us, or silence, if only to the half: what
 * was known before is most likely still so, and if not, feedback tells at once. */
static void
resume (IvsRate *self, gint64 now_us, guint target)
{
  if (!uses_reports (self, now_us))
    target = MAX (target,
        (guint) MIN (self->aimd.estimate, self->loss.estimate) / 2);
  ivs_aimd_restart (&self->aimd, now_us, target);
  if (self->feedback_us > 0) {
    ivs_arrival_init (&self->arrival);
    self->settled_us = now_us + SETTLE_US;
  }
}

static void
add_packets (IvsRate *self, const IvsRateFeedback *feedback, guint *lost)
{
  *lost = 0;
  for (guint i = 0; i < feedback->n_packets; i++) {
    const IvsRatePacket *packet = &feedback->packets[i];

    if (packet->arrived_us < 0)
      ++*lost;
    else if (packet->arrived_us <= MAX_TIME_US &&
        ABS (packet->sent_us) <= MAX_TIME_US)
      ivs_arrival_add_packet (&self->arrival, packet->sent_us,
          packet->arrived_us, packet->size);
  }
}

static void
add_summary (IvsRate *self, const IvsRateFeedback *feedback)
{
  gdouble change_us =
      (gdouble) feedback->delta_of_delta_ns / 1000 * feedback->packets_sent;

  if (feedback->received_bps > 0)
    ivs_arrival_add_change (&self->arrival, feedback->now_us,
        CLAMP (change_us, -MAX_CHANGE_US, MAX_CHANGE_US),
        feedback->received_bps);
}

/* R_hat when there is too much. After a collapse its mean is of what came before; but what
 * a single feedback says may be the burst of another flow: it does not take more than half
 * of the estimate, and the next takes the rest. */
static guint
get_carried (const IvsRate *self, gboolean has_collapsed)
{
  const IvsArrival *arrival = &self->arrival;
  gdouble least = COLLAPSE_LEAST / IVS_AIMD_BETA * self->aimd.estimate;

  return has_collapsed ? (guint) MAX (arrival->passed_bps, least)
                       : MAX (arrival->passed_bps, arrival->received_bps);
}

/* What is lost while a full queue drains was sent before the delay based controller
 * answered: to answer to it again and again would be to fall far below what the path
 * carries. So one round takes no more from it than beta of what arrives. Returns
 * whether a queue overflows. */
static gboolean
update_loss (IvsRate *self, gint64 now_us, guint sent, guint lost, guint target)
{
  gdouble before = self->loss.estimate;
  gdouble carried = IVS_AIMD_BETA * get_carried (self, FALSE);
  gboolean overflows;

  overflows = ivs_loss_update (&self->loss, now_us, sent, lost, target,
      self->rtt_us, &self->arrival);
  if (self->loss.estimate < before)
    self->loss.estimate = MAX (self->loss.estimate, MIN (before, carried));
  return overflows;
}

/* With what was sent since the feedback's last packet left. */
static gdouble
predict_queue (const IvsRate *self)
{
  gdouble growth = MIN (self->arrival.growth, 0.9);
  gdouble queue_us = (gdouble) self->arrival.queue_us;
  gdouble age_us =
      queue_us + (self->least_rtt_us > 0 ? self->least_rtt_us : USUAL_RTT_US);

  return queue_us + age_us * growth / (1 - growth);
}

static gint64
get_pause_for (gdouble queue_us)
{
  return (gint64) CLAMP (queue_us - PAUSE_REST_US, 0, PAUSE_MAX_US);
}

static void
pause_sending (IvsRate *self, gint64 now_us)
{
  gint64 all_us = get_pause_for (predict_queue (self));

  if (now_us < self->answered_us) {
    if (self->paused_us > 0)
      self->paused_us = self->drained_us;
    self->before_bps = 0;
    return;
  }
  self->before_bps = self->aimd.estimate;
  self->paused_us = now_us + get_pause_for ((gdouble) self->arrival.queue_us);
  self->drained_us = now_us + all_us;
  self->answered_us = self->drained_us + all_us + USUAL_RTT_US;
}

/* No collapse, so far. What was taken for one is over when nothing waits any more, or
 * several feedbacks had come at once; and when more passes than it said, all of that is
 * the estimate, not what one feedback said. */
static void
doubt_collapse (IvsRate *self)
{
  gboolean is_over = self->arrival.wait_us < PAUSE_REST_US;
  gdouble carried = IVS_AIMD_BETA *
      (self->arrival.passed_bps > 0 ? self->arrival.passed_bps
                                    : self->arrival.received_bps);

  if (is_over)
    self->paused_us = 0;
  if (self->before_bps > 0 && carried > self->aimd.estimate) {
    self->aimd.estimate = MIN (self->before_bps, carried);
    is_over = TRUE;
  }
  if (is_over)
    self->before_bps = 0;
}

/**
 * ivs_rate_get_pause:
 * @self: a controller
 * @now_us: monotonic time, microseconds
 *
 * Returns: for how many microseconds from now no picture should be sent
 */
gint64
ivs_rate_get_pause (const IvsRate *self, gint64 now_us)
{
  return MAX (self->paused_us - now_us, 0);
}

/**
 * ivs_rate_feedback:
 * @self: a controller
 * @feedback: a transport-wide feedback
 */
void
ivs_rate_feedback (IvsRate *self, const IvsRateFeedback *feedback)
{
  gint64 now_us = feedback->now_us;
  guint target = ivs_rate_get_target (self, now_us);
  guint sent = feedback->packets_sent;
  guint lost = sent - MIN (feedback->packets_received, sent);
  gboolean has_collapsed = FALSE;
  IvsUsage usage;

  if (self->feedback_us == 0 ||
      now_us - MAX (self->feedback_us, self->idle_us) >= IVS_RATE_SILENCE_US)
    resume (self, now_us, target);
  self->feedback_us = now_us;
  if (now_us < self->settled_us)
    return;
  ivs_arrival_begin_feedback (&self->arrival);
  if (feedback->packets != NULL) {
    sent = feedback->n_packets;
    add_packets (self, feedback, &lost);
    has_collapsed = ivs_arrival_end_feedback (&self->arrival);
  } else {
    add_summary (self, feedback);
  }
  if (has_collapsed)
    pause_sending (self, now_us);
  else if (feedback->packets != NULL)
    doubt_collapse (self);
  if (update_loss (self, now_us, sent, lost, target) || has_collapsed)
    usage = IVS_USAGE_OVER;
  else
    usage = self->arrival.usage;
  ivs_aimd_update (&self->aimd, now_us, usage, self->arrival.is_empty,
      usage == IVS_USAGE_OVER ? get_carried (self, has_collapsed)
                              : self->arrival.best_bps,
      self->rtt_us);
  bound_estimates (self);
}

/* The least one creeps up to what lasts: a route may have become longer. */
static void
follow_rtt (IvsRate *self, gint64 rtt_us)
{
  self->rtt_us = rtt_us;
  if (self->least_rtt_us == 0 || rtt_us < self->least_rtt_us)
    self->least_rtt_us = rtt_us;
  else
    self->least_rtt_us += (rtt_us - self->least_rtt_us) / 64;
}

/* A target that nobody uses says nothing about the path: a decrease begins at what was
 * sent, and a quarter. */
static guint
get_used_target (const IvsRate *self, guint target)
{
  guint64 used = (guint64) self->sent_bps * 5 / 4;

  return used == 0 || used >= target ? target
                                     : MAX ((guint) used, self->config.min_bps);
}

/**
 * ivs_rate_report:
 * @self: a controller
 * @now_us: monotonic time, microseconds
 * @loss: fraction lost of a report block, 0 to 1
 * @rtt_us: round-trip time computed from it, microseconds; 0 = not known
 *
 * An RTCP receiver report (RFC 3550, 6.4.1). While there is feedback, only the
 * round-trip time is taken from it. With several streams: the largest loss.
 */
void
ivs_rate_report (IvsRate *self, gint64 now_us, gdouble loss, gint64 rtt_us)
{
  guint target = ivs_rate_get_target (self, now_us);
  guint used = get_used_target (self, target);

  self->report_us = now_us;
  if (rtt_us > 0)
    follow_rtt (self, MIN (rtt_us, MAX_RTT_US));
  if (!uses_reports (self, now_us))
    return;
  if (self->rtt_us > self->least_rtt_us + RTT_EXCESS_US)
    self->loss.estimate =
        IVS_AIMD_BETA * MIN (self->loss.estimate, (gdouble) used);
  else if (loss > IVS_LOSS_LOW || self->sent_bps >= target / 2)
    ivs_loss_report (&self->loss, now_us, loss,
        loss > IVS_LOSS_HIGH ? used : target);
  bound_estimates (self);
}

/**
 * ivs_rate_sent:
 * @self: a controller
 * @sent_bps: what was sent lately, bits per second
 *
 * Optional: lets it see that nothing is heard because nothing is sent, and, with
 * reports only, that less is sent than allowed, so that nothing is learnt from
 * its getting through.
 */
void
ivs_rate_sent (IvsRate *self, guint sent_bps)
{
  self->sent_bps = sent_bps;
}

/**
 * ivs_rate_idle:
 * @self: a controller
 * @now_us: monotonic time, microseconds
 *
 * Optional: nothing is on its way that anyone would answer to at once. That nothing is
 * heard means nothing until now.
 */
void
ivs_rate_idle (IvsRate *self, gint64 now_us)
{
  self->idle_us = now_us;
}
