/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How many bits per second to send: the congestion controller.
 */
#pragma once

#include "ivs-aimd.h"
#include "ivs-loss.h"

G_BEGIN_DECLS

/* Without transport-wide feedback for so long, RTCP reports decide. */
#define IVS_RATE_REPORTS_AFTER_US (3 * G_USEC_PER_SEC)
/* When nothing at all is heard: the rate is halved after the first, then again
 * after each further second. Reports come less often than feedback. */
#define IVS_RATE_SILENCE_US (1 * G_USEC_PER_SEC)
#define IVS_RATE_REPORT_SILENCE_US (10 * G_USEC_PER_SEC)
#define IVS_RATE_HALVING_US (1 * G_USEC_PER_SEC)

/**
 * IvsRateConfig:
 * @min_bps: never less, bits per second of RTP (headers and audio included)
 * @max_bps: never more
 * @start_bps: the first target; put into the range
 */
typedef struct
{
  guint min_bps;
  guint max_bps;
  guint start_bps;
} IvsRateConfig;

/**
 * IvsRatePacket:
 * @sent_us: when it left, microseconds of a clock of the sender
 * @arrived_us: when it arrived, microseconds of a clock of the receiver; -1 = lost
 * @size: bytes
 */
typedef struct
{
  gint64 sent_us;
  gint64 arrived_us;
  guint size;
} IvsRatePacket;

/**
 * IvsRateFeedback:
 * @now_us: monotonic time, microseconds
 * @packets: (nullable) (array length=n_packets): what it says of each packet, in
 *   order of sending
 * @n_packets: their number
 * @packets_sent: when @packets is %NULL: packets it covers
 * @packets_received: of these, arrived
 * @received_bps: bits per second that arrived, 0 = not known
 * @delta_of_delta_ns: mean difference between the distance of two packets
 *   in arrival and in departure, nanoseconds
 *
 * One transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
 * With @packets, which ivs_twcc_read() makes, the rest is not looked at: that is what
 * GStreamer's rtpsession has in its property twcc-stats.
 */
typedef struct
{
  gint64 now_us;
  const IvsRatePacket *packets;
  guint n_packets;

  guint packets_sent;
  guint packets_received;
  guint received_bps;
  gint64 delta_of_delta_ns;
} IvsRateFeedback;

/**
 * IvsRate:
 * @arrival: the delay on the way, may be read
 * @aimd: what the delay allows, may be read
 * @loss: what the loss allows, may be read
 * @rtt_us: the last round-trip time, microseconds
 *
 * Initialise with ivs_rate_init(); not thread-safe. Nothing to free.
 */
typedef struct
{
  IvsArrival arrival;
  IvsAimd aimd;
  IvsLoss loss;
  gint64 rtt_us;

  IvsRateConfig config;
  gint64 started_us;
  gint64 feedback_us; /* the last one, 0 = never */
  gint64 settled_us;  /* from when on they count, after a silence */
  gint64 report_us;
  gint64 least_rtt_us; /* 0 = not known */
  guint sent_bps;      /* G_MAXUINT = not known */
  gint64 paused_us;    /* until when nothing should be sent */
  gdouble
      before_bps; /* the estimate before a collapse that was seen once, or 0 */
  gint64 drained_us;  /* until when, if it is no false alarm */
  gint64 answered_us; /* from when on feedback tells of what came of that */
  gint64 idle_us;     /* when nothing was on its way, the last time */
} IvsRate;

void ivs_rate_init (IvsRate *self, const IvsRateConfig *config, gint64 now_us);
void ivs_rate_set_range (IvsRate *self, guint min_bps, guint max_bps);
void ivs_rate_feedback (IvsRate *self, const IvsRateFeedback *feedback);
void
ivs_rate_report (IvsRate *self, gint64 now_us, gdouble loss, gint64 rtt_us);
void ivs_rate_sent (IvsRate *self, guint sent_bps);
void ivs_rate_idle (IvsRate *self, gint64 now_us);
gboolean ivs_rate_is_heard (const IvsRate *self, gint64 now_us);
gint64 ivs_rate_get_pause (const IvsRate *self, gint64 now_us);
guint ivs_rate_get_target (const IvsRate *self, gint64 now_us);

G_END_DECLS
