/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: what a receiver says of the network. Whatever it is, the rate stays in
 * its range.
 */
#include "fuzz.h"
#include "ivs-rate.h"

#define MAX_PACKETS 64

/* From the input; zeros behind its end. */
typedef struct
{
  const guint8 *data;
  gsize left;
} Reader;

static guint64
take (Reader *reader, guint bytes)
{
  guint64 number = 0;

  for (guint i = 0; i < bytes; i++) {
    number = number << 8 | (reader->left > 0 ? *reader->data : 0);
    if (reader->left > 0) {
      reader->data++;
      reader->left--;
    }
  }
  return number;
}

/* Nanoseconds as rtpsession has them, of any size. */
static gint64
take_time (Reader *reader, gint64 near)
{
  if (take (reader, 1) < 8)
    return (gint64) (take (reader, 8) / 1000);
  return MAX (near + (gint32) take (reader, 4), 0);
}

static void
hear_packets (IvsRate *rate, Reader *reader, gint64 now)
{
  IvsRatePacket packets[MAX_PACKETS];
  IvsRateFeedback feedback = { .now_us = now,
    .packets = packets,
    .n_packets = 1 + (guint) take (reader, 1) % MAX_PACKETS };
  gint64 sent = now, arrived = now;

  for (guint i = 0; i < feedback.n_packets; i++) {
    sent = take_time (reader, sent);
    arrived = take_time (reader, arrived);
    packets[i] = (IvsRatePacket){ sent, take (reader, 1) < 32 ? -1 : arrived,
      (guint) take (reader, 2) };
  }
  ivs_rate_feedback (rate, &feedback);
}

static void
hear_report (IvsRate *rate, Reader *reader, gint64 now)
{
  gdouble loss = (gdouble) take (reader, 1) / 255;
  gint64 rtt = (gint64) take (reader, 4);

  ivs_rate_report (rate, now, loss, rtt);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Reader reader = { data, size };
  IvsRateConfig config = { (guint) take (&reader, 3), 0,
    (guint) take (&reader, 3) };
  gint64 now = 1000000;
  IvsRate rate;

  config.max_bps = config.min_bps + (guint) take (&reader, 3);
  ivs_rate_init (&rate, &config, now);
  while (reader.left > 0) {
    guint what = (guint) take (&reader, 1);
    guint target;

    now += (gint64) take (&reader, 3);
    if (what < 128)
      hear_packets (&rate, &reader, now);
    else if (what < 192)
      hear_report (&rate, &reader, now);
    else
      ivs_rate_sent (&rate, (guint) take (&reader, 4));
    target = ivs_rate_get_target (&rate, now);
    RULE (target >= config.min_bps && target <= config.max_bps);
    ivs_rate_is_heard (&rate, now);
  }
  return 0;
}
