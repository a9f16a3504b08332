/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a stage takes: the numbers, and the size that fits.
 */

#include "ivs-limits.h"

/* side * numerator / denominator, to the nearest even number but 0: 4:2:0 video
 * has no odd sizes. */
static guint
scale_even (guint side, guint numerator, guint denominator)
{
  guint64 halves =
      ((guint64) side * numerator + denominator) / (2 * (guint64) denominator);

  return (guint) MAX (halves, 1) * 2;
}

/**
 * ivs_limits_fit_size:
 * @width: in pixels
 * @height: in pixels
 * @fit_width: (out): the width to send
 * @fit_height: (out): the height to send
 *
 * Finds the largest size of the same shape that a stage takes: at most 1280x720,
 * or 720x1280 for pictures that are higher than wide, never larger than it is,
 * and in even numbers. Both are 2 at least, so that they can go into caps.
 *
 * Returns: whether a stage takes the result; %FALSE when its short side is below
 *   160 pixels
 */
gboolean
ivs_limits_fit_size (guint width, guint height, guint *fit_width,
    guint *fit_height)
{
  guint long_side = MAX (width, height);
  guint short_side = MIN (width, height);
  guint numerator = 1;
  guint denominator = 1;

  if ((guint64) long_side * IVS_LIMITS_MAX_SHORT_SIDE >=
      (guint64) short_side * IVS_LIMITS_MAX_LONG_SIDE) {
    if (long_side > IVS_LIMITS_MAX_LONG_SIDE) {
      numerator = IVS_LIMITS_MAX_LONG_SIDE;
      denominator = long_side;
    }
  } else if (short_side > IVS_LIMITS_MAX_SHORT_SIDE) {
    numerator = IVS_LIMITS_MAX_SHORT_SIDE;
    denominator = short_side;
  }

  if (denominator == 1) {
    *fit_width = MAX (width & ~1u, 2);
    *fit_height = MAX (height & ~1u, 2);
  } else {
    *fit_width = scale_even (width, numerator, denominator);
    *fit_height = scale_even (height, numerator, denominator);
  }
  return MIN (*fit_width, *fit_height) >= IVS_LIMITS_MIN_SHORT_SIDE;
}

/**
 * ivs_limits_max_video_bitrate:
 *
 * The highest target to give an encoder. How the service measures the 8.5 Mbps
 * is not known; a tenth is kept for encoders that overshoot their target around
 * key frames, and for retransmissions.
 *
 * Returns: bits per second
 */
guint
ivs_limits_max_video_bitrate (void)
{
  return IVS_LIMITS_MAX_VIDEO_BITRATE / 10 * 9;
}
