/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is done about what the network carries.
 *
 * Ten times per second, and when it fell: how much audio and video leave, what the target is, what of
 * it is left for video when audio is whole. An encoder of ours gets that as its bit
 * rate; where it is too little for the size, the picture gets smaller. Whoever makes
 * encoded video is told. What then still does not fit is left out at the gate.
 */
#include "gstivsadaptation.h"

#include "gstivsencoders.h"
#include "gstivsestimator.h"
#include "gstivsshape.h"
#include "ivs-limits.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_adaptation_debug);
#define GST_CAT_DEFAULT gst_ivs_adaptation_debug

#define INTERVAL_MS 100
/* Intervals over which is measured what leaves: one second. */
#define WINDOW 10
/* For so many a picture is on its way. */
#define FLIGHT 3
/* Of what video takes on the wire, the part that is not headers: packets of 1200
 * bytes with 58 bytes of RTP, extension, SRTP, UDP and IP, the last of each picture shorter. */
#define PAYLOAD_PART 0.93
/* The most that audio takes on the wire: a stage's 160 kbit/s and fifty headers. */
#define AUDIO_RESERVE 190000
/* How much faster than it may be sent in the mean a picture leaves: an encoder does not
 * make each as large as the other (libwebrtc's pacer has the same). */
#define PACE 2.5
/* Audio alone, scarcely. */
#define MIN_TOTAL 50000
/* How much encoded video came at most is forgotten in so many intervals. */
#define PEAK_INTERVALS 300
/* What encoded video needs, so that a busier second fits as well. */
#define HEADROOM 1.15
/* With so much for so long, the network does not limit it any more. */
#define WIDE_AFTER_US (3 * G_USEC_PER_SEC)
/* Changes below this part are not worth an event or a reconfiguration. */
#define MIN_CHANGE 0.02
/* Of a bit rate, what an encoder uses that wants more. */
#define USED_PART 0.6
/* libopus spends nothing on FEC without an expected loss, and too much with a high one. */
#define MIN_OPUS_LOSS 5
#define MAX_OPUS_LOSS 30

/* What has left and come, in all; of one kind. */
typedef struct
{
  guint64 bytes; /* on the wire */
  guint64 packets;
  guint64 offered;
} Amount;

typedef struct
{
  gint64 at_us;
  Amount amounts[GST_IVS_N_KINDS];
  guint repeated; /* packets that were sent again */
} Sample;

struct _GstIvsAdaptation
{
  /* Constant. */
  GstIvsGate *gates[GST_IVS_N_KINDS];
  GstIvsCongestion *congestion;

  GMutex lock; /* protects: */
  GWeakRef encoders[GST_IVS_N_KINDS];
  guint begin_bps; /* what the video encoder had at first; 0 = not known */
  guint n_taken[GST_IVS_N_KINDS]; /* encoders */

  /* Worker only. */
  GstIvsWorker *worker; /* NULL: nothing is live */
  GSource *timer;
  GstIvsCongestionControl control;
  gboolean is_warned;
  guint min_bitrate, max_bitrate, start_bitrate;
  gdouble payload_part; /* of what video takes on the wire */
  GstIvsAdaptationEvents events;
  gpointer data;
  Sample samples[WINDOW];
  guint n_samples; /* ever */
  gdouble offered_peak;
  guint estimate_bps; /* that was told */
  guint target_bps;   /* of video, that was told to the encoder or upstream */
  guint n_driven[GST_IVS_N_KINDS]; /* of n_taken: those of before are gone */
  guint opus_loss;
  gboolean has_ladder;
  IvsQuality quality;
  IvsQualitySource source;

  /* Of encoded video: is the network too narrow for it, and since when not? */
  gboolean is_limited;
  gint64 wide_us; /* 0 = it is not */
};

static void
init_debug (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    GST_DEBUG_CATEGORY_INIT (gst_ivs_adaptation_debug, "ivsadaptation", 0,
        "ivsstagesink: what is done about what the network carries");
    g_once_init_leave (&done, 1);
  }
}

/* -- Encoders ------------------------------------------------------------------------ */

void
gst_ivs_adaptation_take_encoder (GstIvsAdaptation *self, GstElement *encoder)
{
  GstIvsKind kind =
      gst_ivs_shape_of (encoder) != NULL ? GST_IVS_VIDEO : GST_IVS_AUDIO;

  g_weak_ref_set (&self->encoders[kind], encoder);
  g_mutex_lock (&self->lock);
  self->n_taken[kind]++;
  if (kind == GST_IVS_VIDEO)
    self->begin_bps = gst_ivs_encoders_get_bitrate (encoder);
  g_mutex_unlock (&self->lock);
}

static gboolean
has_new_encoder (GstIvsAdaptation *self, GstIvsKind kind)
{
  guint n_taken;
  gboolean is_new;

  g_mutex_lock (&self->lock);
  n_taken = self->n_taken[kind];
  g_mutex_unlock (&self->lock);
  is_new = n_taken != self->n_driven[kind];
  self->n_driven[kind] = n_taken;
  return is_new;
}

/* What was told to an encoder is not known to the next. */
static void
follow_encoders (GstIvsAdaptation *self)
{
  if (has_new_encoder (self, GST_IVS_VIDEO)) {
    self->target_bps = 0;
    self->has_ladder = FALSE;
  }
  if (has_new_encoder (self, GST_IVS_AUDIO))
    self->opus_loss = MIN_OPUS_LOSS;
}

/* (transfer full) (nullable) */
static GstElement *
get_encoder (GstIvsAdaptation *self, GstIvsKind kind)
{
  return g_weak_ref_get (&self->encoders[kind]);
}

/* What the encoder began with, or would have. */
static guint
get_begin (GstIvsAdaptation *self)
{
  guint bps;

  g_mutex_lock (&self->lock);
  bps = self->begin_bps;
  g_mutex_unlock (&self->lock);
  return bps > 0 ? bps : self->start_bitrate;
}

/* -- What leaves --------------------------------------------------------------------- */

static void
take_sample (GstIvsAdaptation *self)
{
  Sample *sample = &self->samples[self->n_samples++ % WINDOW];

  sample->at_us = g_get_monotonic_time ();
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    GstIvsGateStats stats;

    gst_ivs_gate_get_stats (self->gates[kind], &stats);
    sample->amounts[kind] =
        (Amount){ .bytes = stats.bytes + stats.packets * GST_IVS_WIRE_OVERHEAD,
          .packets = stats.packets,
          .offered = stats.offered };
  }
  sample->repeated = gst_ivs_congestion_get_repeated (self->congestion);
}

/* Whether a picture may still be on its way, or what is answered to it. */
static gboolean
is_picture_on_its_way (GstIvsAdaptation *self)
{
  const Sample *last = &self->samples[(self->n_samples - 1) % WINDOW];
  const Sample *before =
      &self->samples[(self->n_samples - 1 - FLIGHT) % WINDOW];

  return self->n_samples <= FLIGHT ||
      last->amounts[GST_IVS_VIDEO].bytes > before->amounts[GST_IVS_VIDEO].bytes;
}

/* Bits per second, from one sample to another. */
static gdouble
get_rate (guint64 from, guint64 to, gint64 took_us)
{
  return took_us > 0 && to > from
      ? (gdouble) (to - from) * 8 * G_USEC_PER_SEC / (gdouble) took_us
      : 0;
}

typedef struct
{
  gdouble sent[GST_IVS_N_KINDS]; /* on the wire */
  gdouble offered;               /* video that came to the gate */
  gdouble repeated;              /* video that was sent again, on the wire */
} Flow;

/* A repeated packet is as large as any other. */
static gdouble
get_repeated_rate (const Sample *first, const Sample *last)
{
  const Amount *from = &first->amounts[GST_IVS_VIDEO];
  const Amount *to = &last->amounts[GST_IVS_VIDEO];
  guint64 packets =
      to->packets > from->packets ? to->packets - from->packets : 0;

  if (packets == 0 || last->repeated <= first->repeated)
    return 0;
  return get_rate (from->bytes, to->bytes, last->at_us - first->at_us) *
      (last->repeated - first->repeated) / (gdouble) packets;
}

static void
measure (GstIvsAdaptation *self, Flow *flow)
{
  const Sample *last = &self->samples[(self->n_samples - 1) % WINDOW];
  const Sample *first =
      &self->samples[self->n_samples > WINDOW ? self->n_samples % WINDOW : 0];
  gint64 took_us = last->at_us - first->at_us;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    flow->sent[kind] = get_rate (first->amounts[kind].bytes,
        last->amounts[kind].bytes, took_us);
  flow->offered = get_rate (first->amounts[GST_IVS_VIDEO].offered,
      last->amounts[GST_IVS_VIDEO].offered, took_us);
  flow->repeated = get_repeated_rate (first, last);
  self->offered_peak -= self->offered_peak / PEAK_INTERVALS;
  if (self->n_samples >= WINDOW)
    self->offered_peak = MAX (self->offered_peak, flow->offered);
}

/* -- The range ------------------------------------------------------------------------ */

/* Bits per second of video, without headers. */
static guint
get_max_video (GstIvsAdaptation *self, gboolean has_encoder)
{
  if (self->max_bitrate > 0)
    return MAX (self->max_bitrate, self->min_bitrate);
  if (has_encoder)
    return MAX (get_begin (self), self->min_bitrate);
  return IVS_LIMITS_MAX_VIDEO_BITRATE;
}

static guint
get_total (GstIvsAdaptation *self, guint video_bps)
{
  return (guint) (video_bps / self->payload_part) + AUDIO_RESERVE;
}

/* -- Raw video ------------------------------------------------------------------------ */

/* The ladder of the picture as it comes; FALSE: there is none yet. */
static gboolean
follow_source (GstIvsAdaptation *self, GstIvsShape *shape)
{
  IvsQualitySource source = { .min_short_side = IVS_LIMITS_MIN_SHORT_SIDE,
    .min_fps = IVS_LIMITS_MIN_FRAMERATE };

  if (!gst_ivs_shape_get_full (shape, &source.width, &source.height,
          &source.fps_n, &source.fps_d))
    return FALSE;
  if (!self->has_ladder ||
      memcmp (&source, &self->source, sizeof source) != 0) {
    ivs_quality_init (&self->quality, &source);
    self->source = source;
    self->has_ladder = TRUE;
  }
  return TRUE;
}

/* A picture that needs less than it may have, needs not be made smaller. */
static void
choose_shape (GstIvsAdaptation *self, GstElement *encoder, guint video_bps,
    gdouble sent_bps)
{
  GstIvsShape *shape = gst_ivs_shape_of (encoder);
  const IvsQualityStep *step = NULL;

  if (!follow_source (self, shape))
    return;
  step = ivs_quality_get_step (&self->quality);
  if (sent_bps < USED_PART * video_bps)
    video_bps = MAX (video_bps, step->needs_bps);
  if (!ivs_quality_update (&self->quality, g_get_monotonic_time (), video_bps))
    return;
  step = ivs_quality_get_step (&self->quality);
  GST_INFO_OBJECT (encoder, "%ux%u at %u/%u for %u bits/s", step->width,
      step->height, step->fps_n, step->fps_d, video_bps);
  gst_ivs_shape_set_step (shape, step);
}

static gboolean
is_worth_telling (guint bps, guint told_bps, guint max_bps)
{
  guint change = bps > told_bps ? bps - told_bps : told_bps - bps;

  return change > MIN_CHANGE * told_bps || (bps == max_bps && change > 0);
}

static void
drive_encoder (GstIvsAdaptation *self, GstElement *encoder, guint bps,
    guint max_bps)
{
  if (self->target_bps == 0)
    self->target_bps = gst_ivs_encoders_get_bitrate (encoder);
  if (!is_worth_telling (bps, self->target_bps, max_bps))
    return;
  GST_DEBUG_OBJECT (encoder, "%u bits/s", bps);
  gst_ivs_encoders_set_bitrate (encoder, bps);
  self->target_bps = bps;
}

/* Returns whether it does as it is told, and that is little enough. */
static gboolean
act_on_encoder (GstIvsAdaptation *self, GstElement *encoder, guint bps,
    gdouble sent_bps)
{
  guint max_bps = get_max_video (self, TRUE);

  if (sent_bps > 0)
    choose_shape (self, encoder, bps, sent_bps);
  if (!gst_ivs_encoders_takes_bitrate (encoder))
    return FALSE;
  drive_encoder (self, encoder, MAX (bps, self->min_bitrate), max_bps);
  return bps >= self->min_bitrate;
}

/* -- Encoded video ---------------------------------------------------------------------- */

static void
announce (GstIvsAdaptation *self, guint bps, guint total_bps)
{
  GST_DEBUG ("%u bits/s of encoded video fit%s", bps,
      self->is_limited ? "" : ": it is not limited");
  self->target_bps = bps;
  gst_ivs_gate_announce (self->gates[GST_IVS_VIDEO],
      gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new ("ivs-target-bitrate", "bitrate", G_TYPE_UINT, bps,
              "total-bitrate", G_TYPE_UINT, total_bps, "limited",
              G_TYPE_BOOLEAN, self->is_limited, NULL)));
}

/* Estimates grow with what gets through, so that they never grow far beyond what
 * comes: a network that is wide enough for that is known to be no more than that. */
static gboolean
judge_width (GstIvsAdaptation *self, guint bps)
{
  gint64 now_us = g_get_monotonic_time ();

  if (bps < MIN (HEADROOM * self->offered_peak,
                (gdouble) get_max_video (self, FALSE))) {
    self->wide_us = 0;
    return TRUE;
  }
  if (!self->is_limited)
    return FALSE;
  if (self->wide_us == 0)
    self->wide_us = now_us;
  if (now_us - self->wide_us < WIDE_AFTER_US)
    return TRUE;
  gst_ivs_congestion_forget (self->congestion);
  return FALSE;
}

/* Returns whether it fits. */
static gboolean
act_on_upstream (GstIvsAdaptation *self, guint bps, guint total_bps)
{
  gboolean was_limited = self->is_limited;
  guint max_bps = get_max_video (self, FALSE);

  self->is_limited = judge_width (self, bps);
  if (self->max_bitrate == 0)
    bps = MIN (bps, (guint) self->offered_peak);
  if (was_limited != self->is_limited ||
      ((self->is_limited || self->max_bitrate > 0) &&
          is_worth_telling (bps, self->target_bps, max_bps)))
    announce (self, bps, total_bps);
  return !self->is_limited;
}

/* -- Both --------------------------------------------------------------------------------- */

static void
act_on_video (GstIvsAdaptation *self, guint target_bps, gboolean is_narrow,
    gboolean is_heard, const Flow *flow)
{
  g_autoptr (GstElement) encoder = get_encoder (self, GST_IVS_VIDEO);
  guint share = ivs_quality_get_video_share (target_bps,
      (guint) flow->sent[GST_IVS_AUDIO],
      /* Where nothing is known to be too narrow there is room for both. */
      is_narrow ? (guint) flow->repeated : 0);
  guint bps = MIN ((guint) (share * self->payload_part),
      get_max_video (self, encoder != NULL));
  gboolean fits = TRUE;

  if (encoder != NULL)
    gst_ivs_shape_pause (gst_ivs_shape_of (encoder),
        gst_ivs_congestion_get_pause (self->congestion));
  /* Of a guess nothing comes that a viewer would see for longer than it lasts. */
  if (encoder != NULL)
    fits = act_on_encoder (self, encoder, bps,
               is_heard ? flow->sent[GST_IVS_VIDEO] : 0) ||
        !is_heard;
  else if (self->offered_peak > 0 && is_heard)
    fits = act_on_upstream (self, bps, target_bps);
  /* A picture every few seconds remains: a receiver may tell of what came only when one
   * has come, and who hears nothing does not learn that there is more. */
  gst_ivs_gate_set_budget (self->gates[GST_IVS_VIDEO],
      fits ? 0 : MAX (share, IVS_QUALITY_MIN_VIDEO));
}

static void
act_on_audio (GstIvsAdaptation *self)
{
  g_autoptr (GstElement) encoder = get_encoder (self, GST_IVS_AUDIO);
  guint loss =
      (guint) (gst_ivs_congestion_get_audio_loss (self->congestion) * 100 +
          0.5);

  loss = CLAMP (loss, MIN_OPUS_LOSS, MAX_OPUS_LOSS);
  if (encoder == NULL || loss == self->opus_loss ||
      g_object_class_find_property (G_OBJECT_GET_CLASS (encoder),
          "packet-loss-percentage") == NULL)
    return;
  g_object_set (encoder, "packet-loss-percentage", (gint) loss, NULL);
  self->opus_loss = loss;
}

static void
tell_estimate (GstIvsAdaptation *self, guint bps, guint max_bps)
{
  if (self->estimate_bps != 0 &&
      !is_worth_telling (bps, self->estimate_bps, max_bps))
    return;
  self->estimate_bps = bps;
  self->events.estimated (bps, self->data);
}

/* A network that was not seen to be narrow gets pictures as they come. */
static void
set_pace (GstIvsAdaptation *self, guint target_bps, guint max_bps)
{
  gst_ivs_gate_set_pace (self->gates[GST_IVS_VIDEO],
      target_bps < max_bps ? (guint) MIN (PACE * target_bps, G_MAXINT) : 0);
}

static void
adapt (gpointer data)
{
  GstIvsAdaptation *self = data;
  g_autoptr (GstElement) encoder = get_encoder (self, GST_IVS_VIDEO);
  Flow flow;
  guint max_total, target;
  gboolean is_heard;

  gst_ivs_timer_clear (&self->timer);
  follow_encoders (self);
  take_sample (self);
  measure (self, &flow);
  if (!is_picture_on_its_way (self))
    gst_ivs_congestion_idle (self->congestion);
  max_total = get_total (self, get_max_video (self, encoder != NULL));
  target = gst_ivs_congestion_get_target (self->congestion,
      (guint) (flow.sent[GST_IVS_AUDIO] + flow.sent[GST_IVS_VIDEO]), max_total,
      &is_heard);
  act_on_video (self, target, target < max_total, is_heard, &flow);
  set_pace (self, target, max_total);
  act_on_audio (self);
  self->timer =
      gst_ivs_worker_call_later (self->worker, INTERVAL_MS, adapt, self);
  tell_estimate (self, target, max_total);
}

static void
adapt_now (gpointer data)
{
  GstIvsAdaptation *self = data;

  if (self->worker != NULL && gst_ivs_worker_is_current (self->worker))
    adapt (self);
}

/* On the thread that RTCP comes on, between begin and end. */
static void
target_fell (gpointer data)
{
  GstIvsAdaptation *self = data;

  gst_ivs_worker_call (self->worker, adapt_now, gst_ivs_adaptation_ref (self),
      (GDestroyNotify) gst_ivs_adaptation_unref);
}

static void
warn_without_estimator (GstIvsAdaptation *self)
{
  if (self->control != GST_IVS_CONGESTION_CONTROL_GCC_ELEMENT ||
      self->is_warned || gst_ivs_estimator_is_installed ())
    return;
  self->is_warned = TRUE;
  self->events.noticed ("no-gcc-element",
      "congestion-control=gcc-element needs the element " GST_IVS_ESTIMATOR
      ", which is not installed: the element's own controller does it",
      "Install the plugin rsrtp of gst-plugins-rs, or leave congestion-control as it is.",
      self->data);
}

/* -- Life ---------------------------------------------------------------------------------- */

void
gst_ivs_adaptation_begin (GstIvsAdaptation *self, GstIvsWorker *worker,
    const GstIvsSettings *settings, const GstIvsAdaptationEvents *events,
    gpointer data)
{
  g_autoptr (GstElement) encoder = get_encoder (self, GST_IVS_VIDEO);
  IvsRateConfig config = { .min_bps = MIN_TOTAL };

  gst_ivs_adaptation_end (self);
  self->control = settings->congestion_control;
  if (self->control == GST_IVS_CONGESTION_CONTROL_NONE)
    return;

  self->worker = gst_ivs_worker_ref (worker);
  self->min_bitrate = settings->min_bitrate;
  self->max_bitrate = settings->max_bitrate;
  self->start_bitrate = settings->encoding.video_bitrate;
  self->payload_part = settings->do_fec
      ? PAYLOAD_PART * 100 / (100 + GST_IVS_FEC_PERCENTAGE)
      : PAYLOAD_PART;
  self->events = *events;
  self->data = data;
  config.max_bps = get_total (self, get_max_video (self, encoder != NULL));
  config.start_bps =
      encoder != NULL ? get_total (self, get_begin (self)) : config.max_bps;
  gst_ivs_congestion_begin (self->congestion, &config);
  gst_ivs_congestion_watch (self->congestion, target_fell, self);
  take_sample (self);
  self->timer =
      gst_ivs_worker_call_later (self->worker, INTERVAL_MS, adapt, self);
  warn_without_estimator (self);
}

void
gst_ivs_adaptation_end (GstIvsAdaptation *self)
{
  if (self->worker == NULL)
    return;
  gst_ivs_congestion_watch (self->congestion, NULL, NULL);
  gst_ivs_timer_clear (&self->timer);
  g_clear_pointer (&self->worker, gst_ivs_worker_unref);
  gst_ivs_gate_set_budget (self->gates[GST_IVS_VIDEO], 0);
  gst_ivs_gate_set_pace (self->gates[GST_IVS_VIDEO], 0);
  self->n_samples = 0;
  self->offered_peak = 0;
  self->is_limited = FALSE;
  self->estimate_bps = 0;
}

void
gst_ivs_adaptation_add_stats (GstIvsAdaptation *self, GstStructure *stats)
{
  if (self->estimate_bps > 0)
    gst_structure_set (stats, "estimated-bitrate", G_TYPE_UINT,
        self->estimate_bps, NULL);
  if (self->estimate_bps > 0 && self->target_bps > 0)
    gst_structure_set (stats, "encoder-target-bitrate", G_TYPE_UINT,
        self->target_bps, NULL);
}

GstIvsCongestion *
gst_ivs_adaptation_get_congestion (GstIvsAdaptation *self)
{
  return self->congestion;
}

GstIvsAdaptation *
gst_ivs_adaptation_new (GstIvsGate *const gates[])
{
  GstIvsAdaptation *self = g_atomic_rc_box_new0 (GstIvsAdaptation);

  init_debug ();
  g_mutex_init (&self->lock);
  self->congestion = gst_ivs_congestion_new ();
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    self->gates[kind] = gst_object_ref (gates[kind]);
    g_weak_ref_init (&self->encoders[kind], NULL);
  }
  return self;
}

GstIvsAdaptation *
gst_ivs_adaptation_ref (GstIvsAdaptation *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  GstIvsAdaptation *self = data;

  gst_ivs_adaptation_end (self);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    g_weak_ref_clear (&self->encoders[kind]);
    gst_object_unref (self->gates[kind]);
  }
  gst_ivs_congestion_unref (self->congestion);
  g_mutex_clear (&self->lock);
}

void
gst_ivs_adaptation_unref (GstIvsAdaptation *self)
{
  g_atomic_rc_box_release_full (self, clear);
}
