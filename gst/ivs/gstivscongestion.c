/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How many bits per second the network carries, by what comes back from it.
 *
 * The controller itself is rate/ivs-rate.c, which knows nothing of GStreamer. What is
 * read here comes from the other side of the connection.
 */
#include "gstivscongestion.h"
#include "gstivsgate.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_congestion_debug);
#define GST_CAT_DEFAULT gst_ivs_congestion_debug

/* What was learnt of a path is believed for so long. */
#define MEMORY_US (60 * G_USEC_PER_SEC)
/* Receivers send reports with every NACK, about the packets since the last one: too few
 * to say how much is lost. So long is judged at once, at least. */
#define REPORT_INTERVAL_US G_USEC_PER_SEC
/* Weight of such an interval in the loss of audio. */
#define LOSS_SMOOTHING 0.25

/* Below so much of the target that was asked for, it is worth to be asked again. */
#define FALL 0.8

/* What a report block said. */
typedef struct
{
  gboolean is_known;
  guint32 highest_seq;
  gint lost;
} Count;

struct _GstIvsCongestion
{
  gint n_repeated; /* atomic */

  GMutex lock; /* protects: */
  IvsRate rate;
  gboolean has_begun;
  gint64 asked_us;  /* for the target, the last time */
  guint target_bps; /* then; 0 = it was told that it fell */
  void (*fell) (gpointer data);
  gpointer data;
  guint estimate_bps; /* of another controller, 0 = there is none */
  gdouble audio_loss;
  gint64 reported_us;            /* the end of the last interval of reports */
  Count counts[GST_IVS_N_KINDS]; /* then */
};

static void
init_debug (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    GST_DEBUG_CATEGORY_INIT (gst_ivs_congestion_debug, "ivscongestion", 0,
        "ivsstagesink: what the network carries");
    g_once_init_leave (&done, 1);
  }
}

GstIvsCongestion *
gst_ivs_congestion_new (void)
{
  GstIvsCongestion *self = g_atomic_rc_box_new0 (GstIvsCongestion);

  init_debug ();
  g_mutex_init (&self->lock);
  return self;
}

GstIvsCongestion *
gst_ivs_congestion_ref (GstIvsCongestion *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  g_mutex_clear (&((GstIvsCongestion *) data)->lock);
}

void
gst_ivs_congestion_unref (GstIvsCongestion *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

void
gst_ivs_congestion_watch (GstIvsCongestion *self, void (*fell) (gpointer),
    gpointer data)
{
  g_mutex_lock (&self->lock);
  self->fell = fell;
  self->data = data;
  g_mutex_unlock (&self->lock);
}

/* What the path carried, without what the target lost while nothing was heard. */
static guint
get_knowledge (GstIvsCongestion *self)
{
  return (guint) MIN (self->rate.aimd.estimate, self->rate.loss.estimate);
}

void
gst_ivs_congestion_begin (GstIvsCongestion *self, const IvsRateConfig *config)
{
  gint64 now_us = g_get_monotonic_time ();
  IvsRateConfig begin = *config;

  g_mutex_lock (&self->lock);
  if (self->has_begun && now_us - self->asked_us < MEMORY_US)
    begin.start_bps = MIN (begin.start_bps, get_knowledge (self));
  ivs_rate_init (&self->rate, &begin, now_us);
  self->has_begun = TRUE;
  self->asked_us = now_us;
  self->target_bps = 0;
  self->estimate_bps = 0;
  self->audio_loss = 0;
  self->reported_us = now_us;
  memset (self->counts, 0, sizeof self->counts);
  g_mutex_unlock (&self->lock);
}

/* -- Transport-wide feedback ------------------------------------------------------ */

/* With lock. */
static guint
choose_target (GstIvsCongestion *self, gint64 now_us)
{
  if (self->estimate_bps == 0)
    return ivs_rate_get_target (&self->rate, now_us);
  return CLAMP (self->estimate_bps, self->rate.config.min_bps,
      self->rate.config.max_bps);
}

/* With lock. Until it is asked again: a tenth of a second later is a third of what a
 * queue holds. */
static void
tell_of_fall (GstIvsCongestion *self, gint64 now_us)
{
  if (self->fell == NULL ||
      choose_target (self, now_us) >= FALL * self->target_bps)
    return;
  self->target_bps = 0;
  self->fell (self->data);
}

void
gst_ivs_congestion_take_feedback (GstIvsCongestion *self,
    const IvsRatePacket *packets, guint n_packets)
{
  IvsRateFeedback feedback = { .now_us = g_get_monotonic_time (),
    .packets = packets,
    .n_packets = n_packets };

  if (n_packets == 0)
    return;
  g_mutex_lock (&self->lock);
  if (self->has_begun) {
    ivs_rate_feedback (&self->rate, &feedback);
    tell_of_fall (self, feedback.now_us);
  }
  g_mutex_unlock (&self->lock);
}

/* -- Reports ------------------------------------------------------------------------- */

/* Since the count before; -1: nothing is known. */
static gdouble
measure_loss (Count *count, const GstIvsReport *report)
{
  Count before = *count;
  gint64 expected, lost;

  if (!report->has_report)
    return -1;
  *count = (Count){ TRUE, report->highest_seq, report->packets_lost };
  expected = (gint64) report->highest_seq - before.highest_seq;
  lost = (gint64) report->packets_lost - before.lost;
  if (!before.is_known || expected <= 0)
    return -1;
  return (gdouble) CLAMP (lost, 0, expected) / (gdouble) expected;
}

/* With lock. */
static void
judge_reports (GstIvsCongestion *self, gint64 now_us,
    const GstIvsReport reports[GST_IVS_N_KINDS])
{
  gdouble worst = -1;
  GstClockTime round_trip = 0;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    gdouble loss = measure_loss (&self->counts[kind], &reports[kind]);

    worst = MAX (worst, loss);
    if (loss >= 0 && kind == GST_IVS_AUDIO)
      self->audio_loss += LOSS_SMOOTHING * (loss - self->audio_loss);
    if (GST_CLOCK_TIME_IS_VALID (reports[kind].round_trip))
      round_trip = MAX (round_trip, reports[kind].round_trip);
  }
  self->reported_us = now_us;
  if (worst >= 0)
    ivs_rate_report (&self->rate, now_us, worst,
        (gint64) (round_trip / GST_USECOND));
}

void
gst_ivs_congestion_take_reports (GstIvsCongestion *self,
    const GstIvsReport reports[GST_IVS_N_KINDS])
{
  gint64 now_us = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  if (self->has_begun && now_us - self->reported_us >= REPORT_INTERVAL_US)
    judge_reports (self, now_us, reports);
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_congestion_set_repeated (GstIvsCongestion *self, guint n_packets)
{
  g_atomic_int_set (&self->n_repeated, (gint) n_packets);
}

guint
gst_ivs_congestion_get_repeated (GstIvsCongestion *self)
{
  return (guint) g_atomic_int_get (&self->n_repeated);
}

/* -- What comes of it ---------------------------------------------------------------- */

void
gst_ivs_congestion_take_estimate (GstIvsCongestion *self, guint bps)
{
  g_mutex_lock (&self->lock);
  self->estimate_bps = bps;
  g_mutex_unlock (&self->lock);
}

guint
gst_ivs_congestion_get_target (GstIvsCongestion *self, guint sent_bps,
    guint max_bps, gboolean *is_heard)
{
  gint64 now_us = g_get_monotonic_time ();
  guint target = 0;

  *is_heard = TRUE;
  g_mutex_lock (&self->lock);
  if (self->has_begun) {
    ivs_rate_set_range (&self->rate, self->rate.config.min_bps, max_bps);
    ivs_rate_sent (&self->rate, sent_bps);
    target = choose_target (self, now_us);
    *is_heard =
        self->estimate_bps > 0 || ivs_rate_is_heard (&self->rate, now_us);
    self->asked_us = now_us;
    self->target_bps = target;
    GST_LOG ("target %u, by delay %.0f (usage %d, state %d, slope %.0f of %.0f "
             "ms/s, queue %" G_GINT64_FORMAT " us), by loss %.0f, sent %u, "
             "received %u, passed %u, round trip %" G_GINT64_FORMAT
             " us, pause %" G_GINT64_FORMAT " us",
        target, self->rate.aimd.estimate, self->rate.arrival.usage,
        self->rate.aimd.state, self->rate.arrival.slope,
        self->rate.arrival.threshold, self->rate.arrival.queue_us,
        self->rate.loss.estimate, sent_bps, self->rate.arrival.received_bps,
        self->rate.arrival.passed_bps, self->rate.rtt_us,
        ivs_rate_get_pause (&self->rate, now_us));
  }
  g_mutex_unlock (&self->lock);
  return target;
}

gint64
gst_ivs_congestion_get_pause (GstIvsCongestion *self)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 until_us = 0;

  g_mutex_lock (&self->lock);
  if (self->has_begun && self->estimate_bps == 0)
    until_us = now_us + ivs_rate_get_pause (&self->rate, now_us);
  g_mutex_unlock (&self->lock);
  return until_us;
}

void
gst_ivs_congestion_idle (GstIvsCongestion *self)
{
  g_mutex_lock (&self->lock);
  ivs_rate_idle (&self->rate, g_get_monotonic_time ());
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_congestion_forget (GstIvsCongestion *self)
{
  g_mutex_lock (&self->lock);
  ivs_aimd_restart (&self->rate.aimd, g_get_monotonic_time (),
      self->rate.config.max_bps);
  self->rate.loss.estimate = self->rate.config.max_bps;
  g_mutex_unlock (&self->lock);
}

gdouble
gst_ivs_congestion_get_audio_loss (GstIvsCongestion *self)
{
  gdouble loss;

  g_mutex_lock (&self->lock);
  loss = self->audio_loss;
  g_mutex_unlock (&self->lock);
  return loss;
}
