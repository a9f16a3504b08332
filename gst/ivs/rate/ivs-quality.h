/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which size and frame rate a bit rate is enough for.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bits that a pixel needs to look like something, in 1/1000: 1280x720 at 30
 * frames per second makes sense from 0.97 Mbps. */
#define IVS_QUALITY_MILLIBITS_PER_PIXEL 35
/* A step up needs this much more than the step's own need, in percent. */
#define IVS_QUALITY_UP_PERCENT 130
/* Time for which the rate must be too low, or high enough. */
#define IVS_QUALITY_DOWN_AFTER_US (1 * G_USEC_PER_SEC)
#define IVS_QUALITY_UP_AFTER_US (4 * G_USEC_PER_SEC)
/* Below this part of its need a step is left at once, in percent. */
#define IVS_QUALITY_DOWN_AT_ONCE_PERCENT 60
/* Video below this is not worth sending, bits per second. */
#define IVS_QUALITY_MIN_VIDEO 30000
#define IVS_QUALITY_MAX_STEPS 8

/**
 * IvsQualityStep:
 * @width: pixels, even
 * @height: pixels, even
 * @fps_n: numerator of the frame rate
 * @fps_d: its denominator
 * @needs_bps: bits per second of video from which it makes sense
 */
typedef struct
{
  guint width;
  guint height;
  guint fps_n;
  guint fps_d;
  guint needs_bps;
} IvsQualityStep;

/**
 * IvsQuality:
 * @step: index of the current step, 0 = the source as it is
 * @n_steps: their number, 1 at least
 * @steps: each cheaper than the one before
 *
 * Initialise with ivs_quality_init(); the members named here may be read.
 */
typedef struct
{
  guint step;
  guint n_steps;
  IvsQualityStep steps[IVS_QUALITY_MAX_STEPS];

  gint64 low_us;  /* since when the rate is too low, 0 = it is not */
  gint64 high_us; /* since when it is enough for more, 0 = it is not */
} IvsQuality;

/**
 * IvsQualitySource:
 * @width: pixels of the source, 2 at least
 * @height: pixels of the source, 2 at least
 * @fps_n: numerator of its frame rate, 0 = not known, taken for 30
 * @fps_d: its denominator
 * @min_short_side: pixels below which no step goes
 * @min_fps: frames per second below which no step goes
 */
typedef struct
{
  guint width;
  guint height;
  guint fps_n;
  guint fps_d;
  guint min_short_side;
  guint min_fps;
} IvsQualitySource;

void ivs_quality_init (IvsQuality *self, const IvsQualitySource *source);
gboolean ivs_quality_update (IvsQuality *self, gint64 now_us, guint video_bps);
const IvsQualityStep *ivs_quality_get_step (const IvsQuality *self);
guint ivs_quality_get_video_share (guint total_bps, guint audio_bps,
    guint repeated_bps);

G_END_DECLS
