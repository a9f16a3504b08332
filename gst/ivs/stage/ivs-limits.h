/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a stage takes: the numbers, and the size that fits.
 *
 * Sources, all of the Amazon IVS Real-Time Streaming User Guide
 * (docs.aws.amazon.com/ivs/latest/RealTimeUserGuide): [media] rt-stream-ingest.html,
 * "Supported Media Specifications"; [quotas] service-quotas.html. What exceeds
 * bit rate or resolution is disconnected, without a word to the publisher.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* [media] 720p at most, in either orientation, 160p at least. */
#define IVS_LIMITS_MAX_LONG_SIDE 1280
#define IVS_LIMITS_MAX_SHORT_SIDE 720
#define IVS_LIMITS_MIN_SHORT_SIDE 160

/* [media] frames per second. */
#define IVS_LIMITS_MIN_FRAMERATE 10
#define IVS_LIMITS_MAX_FRAMERATE 60

/* [media] bits per second; above ADVISED viewers with usual networks suffer. */
#define IVS_LIMITS_MAX_VIDEO_BITRATE 8500000
#define IVS_LIMITS_ADVISED_VIDEO_BITRATE 2500000
#define IVS_LIMITS_MAX_AUDIO_BITRATE 160000

/* [media] seconds between two IDR pictures. */
#define IVS_LIMITS_MIN_IDR_INTERVAL 1
#define IVS_LIMITS_MAX_IDR_INTERVAL 2

/* [media] mono or stereo; RFC 7587, 4.1: one RTP clock for all of Opus. */
#define IVS_LIMITS_MAX_AUDIO_CHANNELS 2
#define IVS_LIMITS_AUDIO_CLOCK_RATE 48000

/* [quotas] publishers per stage, and hours that one may publish. */
#define IVS_LIMITS_MAX_PUBLISHERS 12
#define IVS_LIMITS_MAX_PUBLISH_HOURS 24

gboolean ivs_limits_fit_size (guint width, guint height, guint *fit_width,
    guint *fit_height);
guint ivs_limits_max_video_bitrate (void);

G_END_DECLS
