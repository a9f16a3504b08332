/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts what one RTP stream brought: packets, frames, key frames, gaps, sync.
 */
#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>

#include "stage-arrival.h"

G_BEGIN_DECLS

typedef enum
{
  STAGE_MEDIA_AUDIO,
  STAGE_MEDIA_VIDEO
} StageMedia;

#define STAGE_N_MEDIA 2

typedef struct _StageMeter StageMeter;

const gchar *stage_media_name (StageMedia media);

StageMeter *stage_meter_new (StageMedia media);
void stage_meter_free (StageMeter *meter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageMeter, stage_meter_free)

/* These are called from streaming threads. Times are in microseconds:
 * monotonic for what is compared here, UNIX time for what is compared with the
 * sender's NTP clock. */
void stage_meter_count_packet (StageMeter *meter, GstBuffer *packet);
void stage_meter_count_report (StageMeter *meter, guint64 ntp, guint32 rtp);

/* What the jitter buffer knows and a packet behind it does not show. */
typedef struct
{
  guint64 lost;
  guint64 late;
  guint64 duplicates;
  guint64 retransmitted;
} StageMeterLoss;

void stage_meter_set_loss (StageMeter *meter, const StageMeterLoss *loss);

/* Once a second: turns counts into rates. */
void stage_meter_tick (StageMeter *meter);

typedef struct
{
  guint64 packets;
  guint64 lost;
  guint width;
  guint height;
  guint ssrc;
  gdouble fps;
  gdouble kbps;
  gdouble latency_ms; /* sender's clock to arrival; NAN = not known */
} StageMeterSummary;

StageMeterSummary stage_meter_summarise (StageMeter *meter);

/* Adds an object; `arrival` is of the same source, or NULL; `began` is the
 * monotonic time of the POST. */
void stage_meter_write (StageMeter *meter, JsonBuilder *builder,
    const StageArrival *arrival, gint64 began);

G_END_DECLS
