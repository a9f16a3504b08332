/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which size and frame rate a bit rate is enough for.
 *
 * A ladder from the source downwards: three quarters of each side, half, half at
 * half the frame rate, a quarter at half. What a step needs is its pixels per second
 * times a constant, so that any shape and any source has its own ladder. Not part
 * of draft-ietf-rmcat-gcc-02, which leaves it to the encoder.
 *
 * Each change costs an IDR picture and shows, so that it is slow: down after a
 * second of too little (at once when it is far too little), up one step at a time
 * after four seconds of a third more than the step needs.
 */

#include "ivs-quality.h"

/* Parts of each side, in quarters, and of the frame rate. */
static const struct
{
  guint quarters;
  guint fps_divisor;
} ladder[] = {
  { 4, 1 },
  { 3, 1 },
  { 2, 1 },
  { 2, 2 },
  { 1, 2 },
};

G_STATIC_ASSERT (G_N_ELEMENTS (ladder) <= IVS_QUALITY_MAX_STEPS);

/* 4:2:0 video has no odd sizes, and none of 0. */
static guint
scale (guint side, guint quarters)
{
  guint64 halves = ((guint64) side * quarters + 4) / 8;

  return quarters == 4 ? side : (guint) MAX (halves, 1) * 2;
}

static guint
get_need (const IvsQualityStep *step)
{
  gdouble pixels =
      (gdouble) step->width * step->height * step->fps_n / step->fps_d;

  return (guint) MIN (pixels * IVS_QUALITY_MILLIBITS_PER_PIXEL / 1000,
      (gdouble) G_MAXINT);
}

/**
 * ivs_quality_init:
 * @self: uninitialised memory
 * @source: what the video is when nothing is wrong, and how low it may go
 */
void
ivs_quality_init (IvsQuality *self, const IvsQualitySource *source)
{
  gboolean has_rate = source->fps_n > 0 && source->fps_d > 0;

  *self = (IvsQuality){ 0 };
  for (guint i = 0; i < G_N_ELEMENTS (ladder); i++) {
    IvsQualityStep step = {
      .width = scale (source->width, ladder[i].quarters),
      .height = scale (source->height, ladder[i].quarters),
      .fps_n = has_rate ? source->fps_n : 30,
      .fps_d = (has_rate ? MIN (source->fps_d, G_MAXUINT / 2) : 1) *
          ladder[i].fps_divisor,
    };

    if (i > 0 &&
        (MIN (step.width, step.height) < source->min_short_side ||
            step.fps_n < (guint64) source->min_fps * step.fps_d))
      continue;
    step.needs_bps = get_need (&step);
    self->steps[self->n_steps++] = step;
  }
}

/**
 * ivs_quality_get_step:
 * @self: a ladder
 *
 * Returns: (transfer none): the step to encode
 */
const IvsQualityStep *
ivs_quality_get_step (const IvsQuality *self)
{
  return &self->steps[self->step];
}

/* Whether @holds has been true for @time_us; @since_us remembers from when. */
static gboolean
has_lasted (gboolean holds, gint64 *since_us, gint64 now_us, gint64 time_us)
{
  if (!holds)
    *since_us = 0;
  else if (*since_us == 0)
    *since_us = now_us;
  return holds && now_us - *since_us >= time_us;
}

static gboolean
is_enough (guint video_bps, const IvsQualityStep *step, guint percent)
{
  return (guint64) video_bps * 100 >= (guint64) step->needs_bps * percent;
}

static guint
choose_lower (const IvsQuality *self, guint video_bps)
{
  guint step = self->step + 1;

  while (step + 1 < self->n_steps &&
      !is_enough (video_bps, &self->steps[step], 100))
    step++;
  return step;
}

/**
 * ivs_quality_update:
 * @self: a ladder
 * @now_us: monotonic time, microseconds, not 0
 * @video_bps: what the encoder may use, bits per second
 *
 * To be called a few times per second.
 *
 * Returns: whether the step is another one than before
 */
gboolean
ivs_quality_update (IvsQuality *self, gint64 now_us, guint video_bps)
{
  const IvsQualityStep *now = ivs_quality_get_step (self);
  gboolean is_low =
      self->step + 1 < self->n_steps && !is_enough (video_bps, now, 100);
  gboolean is_high =
      self->step > 0 && is_enough (video_bps, now - 1, IVS_QUALITY_UP_PERCENT);
  gboolean goes_down = has_lasted (is_low, &self->low_us, now_us,
      is_enough (video_bps, now, IVS_QUALITY_DOWN_AT_ONCE_PERCENT)
          ? IVS_QUALITY_DOWN_AFTER_US
          : 0);
  gboolean goes_up =
      has_lasted (is_high, &self->high_us, now_us, IVS_QUALITY_UP_AFTER_US);

  if (!goes_down && !goes_up)
    return FALSE;
  self->step = goes_down ? choose_lower (self, video_bps) : self->step - 1;
  self->low_us = self->high_us = 0;
  return TRUE;
}

/**
 * ivs_quality_get_video_share:
 * @total_bps: the target of the congestion controller, bits per second
 * @audio_bps: what audio takes with its headers, bits per second
 * @repeated_bps: what packets take that are sent again, bits per second
 *
 * Audio is kept whole to the last: video gets what it leaves, and of that what is not
 * needed for repeats, but half of it at least: they are that many only for a moment.
 *
 * Returns: bits per second for video with its headers, 0 = stop sending video
 */
guint
ivs_quality_get_video_share (guint total_bps, guint audio_bps,
    guint repeated_bps)
{
  guint left = total_bps > audio_bps ? total_bps - audio_bps : 0;

  if (left < IVS_QUALITY_MIN_VIDEO)
    return 0;
  return MAX (left - MIN (repeated_bps, left / 2), IVS_QUALITY_MIN_VIDEO);
}
