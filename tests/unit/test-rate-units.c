/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of the parts of ivs-rate: the numbers of the draft, and bad input.
 */

#include "ivs-rate.h"

#define SECOND G_GINT64_CONSTANT (1000000)
#define TENTH (SECOND / 10)

static const IvsRateConfig config = { 100000, 4000000, 1000000 };

/* clang has warnings about GLib's own macro for it. */
static void
assert_near (gdouble value, gdouble expected, gdouble margin)
{
  g_test_message ("%.3f is %.3f +/- %g", value, expected, margin);
  g_assert_true (value >= expected - margin && value <= expected + margin);
}

/* -- Draft 5.4 -- */

typedef struct
{
  const gchar *name;
  gdouble changes_ms[10]; /* one each 100 ms, after five of 0 */
  IvsUsage expected[10];
} Delays; /* as means */

#define N IVS_USAGE_NORMAL
#define O IVS_USAGE_OVER
#define U IVS_USAGE_UNDER

/* clang-format off */
static const Delays delays[] = {
  { "flat", { 0 }, { N, N, N, N, N, N, N, N, N, N } },
  { "growing", { 40, 40, 40, 40, 40, 40 }, { N, N, N, O, O, O, N, N, N, N } },
  { "not-growing-any-more", { 40, 40, 40, 40, -1, -1 }, { N, N, N, O, N, N, N, N, N, N } },
  { "one-idr-picture", { 60, 60, 50, -20, -20, -20, -20, -20, -20, -20 }, { N, N, N, N, N, U, U, U, U, U } },
  { "slowly-growing", { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 }, { N, N, N, N, N, N, N, N, N, N } },
  { "eight-percent-too-much", { 8, 8, 8, 8, 8, 8, 8, 8, 8, 8 }, { N, N, N, N, N, O, O, O, O, O } },
  { "draining", { 60, 60, 60, -40, -40, -40, -50, -1, -1, -1 }, { N, N, N, N, N, U, N, N, N, N } },
  { "shorter-than-ever", { -40, -40, -40, -40 }, { N, N, N, N, N, N, N, N, N, N } },
};
/* clang-format on */

#undef N
#undef O
#undef U

static void
test_delays (gconstpointer data)
{
  const Delays *row = data;
  IvsArrival arrival;
  gint64 now_us = TENTH;

  ivs_arrival_init (&arrival);
  for (guint i = 0; i < 5; i++, now_us += TENTH)
    ivs_arrival_add_change (&arrival, now_us, 0, 1000000);
  for (guint i = 0; i < G_N_ELEMENTS (row->changes_ms); i++) {
    ivs_arrival_add_change (&arrival, now_us, row->changes_ms[i] * 1000,
        1000000);
    g_test_message ("%u: slope %.1f threshold %.1f queue %" G_GINT64_FORMAT
                    " usage %d",
        i, arrival.slope, arrival.threshold, arrival.queue_us, arrival.usage);
    g_assert_cmpint (arrival.usage, ==, row->expected[i]);
    now_us += TENTH;
  }
}

/* Packets of 1200 bytes each 10 ms, and each of them 1 ms later than the last. */
static void
test_packets (void)
{
  IvsArrival arrival;
  gint64 now_us = -5 * SECOND; /* no zero is special */
  guint first = 0;

  ivs_arrival_init (&arrival);
  for (guint i = 0; i < 100; i++, now_us += 10000)
    ivs_arrival_add_packet (&arrival, now_us, now_us + 1234567, 1200);
  g_assert_cmpint (arrival.usage, ==, IVS_USAGE_NORMAL);
  g_assert_cmpint (arrival.queue_us, ==, 0);
  g_assert_cmpuint (arrival.received_bps, ==, 960000);
  g_assert_true (arrival.is_empty);

  for (guint i = 1; i <= 100; i++, now_us += 10000) {
    ivs_arrival_add_packet (&arrival, now_us, now_us + 1234567 + i * 1000,
        1200);
    if (arrival.usage == IVS_USAGE_OVER && first == 0)
      first = i;
  }
  g_assert_cmpuint (first, >=, 20);
  g_assert_cmpuint (first, <=, 60);
  g_assert_cmpint (arrival.usage, ==, IVS_USAGE_OVER);
  g_assert_false (arrival.is_empty);
  assert_near (arrival.slope, 100, 1);
  assert_near (arrival.received_bps, 960000 / 1.1, 20000);
}

/* 1200 bytes each 10 ms, but only each 40 ms one arrives: after 150 ms of sending
 * it is known. */
static void
test_narrow (void)
{
  IvsArrival arrival;
  gint64 now_us = 0;
  guint i;

  ivs_arrival_init (&arrival);
  for (i = 0; i < 100; i++, now_us += 10000)
    ivs_arrival_add_packet (&arrival, now_us, now_us, 1200);
  for (i = 0; i < 15; i++, now_us += 10000)
    ivs_arrival_add_packet (&arrival, now_us, SECOND + i * 40000, 1200);
  g_assert_cmpint (arrival.usage, ==, IVS_USAGE_OVER);
}

/* One of ten is late, and later each time: nothing stands in the queue. */
static void
test_late_groups (void)
{
  IvsArrival arrival;
  gint64 now_us = 0;

  ivs_arrival_init (&arrival);
  for (guint i = 0; i < 200; i++, now_us += 20000) {
    ivs_arrival_add_packet (&arrival, now_us,
        now_us + (i % 5 == 2 ? i * 75 : 0), 1200);
    g_assert_cmpint (arrival.queue_us, ==, 0);
    g_assert_cmpint (arrival.usage, ==, IVS_USAGE_NORMAL);
  }
}

/* A pause in sending is not a low rate of receiving. */
static void
test_gap (void)
{
  IvsArrival arrival;
  gint64 now_us = 0;

  ivs_arrival_init (&arrival);
  for (guint i = 0; i < 300; i++, now_us += i == 150 ? 5 * SECOND : 10000) {
    ivs_arrival_add_packet (&arrival, now_us, now_us, 1200);
    if (i > 50)
      g_assert_cmpuint (arrival.received_bps, ==, 960000);
  }
}

/* Draft 5.2: what was held up and comes all at once is one group, not a queue. */
static void
test_outage (void)
{
  IvsArrival arrival;
  gint64 now_us = 0;

  ivs_arrival_init (&arrival);
  for (guint i = 0; i < 100; i++, now_us += 10000)
    ivs_arrival_add_packet (&arrival, now_us, now_us, 1200);
  for (guint i = 0; i < 9; i++, now_us += 10000)
    ivs_arrival_add_packet (&arrival, now_us, 1090000 + i, 1200);
  for (guint i = 0; i < 100; i++, now_us += 10000) {
    ivs_arrival_add_packet (&arrival, now_us, now_us + 10, 1200);
    g_assert_cmpint (arrival.usage, !=, IVS_USAGE_OVER);
  }
}

/* 1.9 Mbit/s for 0.2 s of each, into 1 Mbit/s: what passes is not the mean of it. */
static void
test_bursts (void)
{
  IvsArrival arrival;
  gint64 now_us = 0, free_us = 0;

  ivs_arrival_init (&arrival);
  for (guint burst = 0; burst < 5; burst++, now_us += 800000) {
    for (guint i = 0; i < 40; i++, now_us += 5000) {
      free_us = MAX (free_us, now_us) + 9600;
      ivs_arrival_add_packet (&arrival, now_us, free_us, 1200);
    }
    if (burst == 0)
      continue;
    g_assert_cmpuint (arrival.received_bps, <, 700000);
    assert_near (arrival.passed_bps, 1000000, 50000);
  }
}

/* -- Collapse -- */

/* Of a picture, a feedback each, sent 33 ms after the one before. */
typedef struct
{
  guint n;                   /* packets, sent at once */
  gdouble wait_ms, apart_ms; /* of the first, and then of one from the next */
} Picture;

typedef struct
{
  const gchar *name;
  Picture pictures[6]; /* after thirty of { 10, 0, 2.4 }, that is at 4 Mbit/s */
  gint collapsed;      /* which shows it first; -1 = none */
} Collapse;

/* clang-format off */
static const Collapse collapses[] = {
  { "quarter", { { 10, 0, 9.6 }, { 10, 63, 9.6 }, { 10, 126, 9.6 }, { 10, 189, 9.6 } }, 1 },
  { "third", { { 10, 0, 7.2 }, { 10, 39, 7.2 }, { 10, 78, 7.2 }, { 10, 117, 7.2 } }, 2 },
  { "slightly-narrow", { { 10, 0, 4 }, { 10, 7, 4 }, { 10, 14, 4 }, { 10, 21, 4 }, { 10, 28, 4 } }, -1 },
  { "stall", { { 10, 150, 0.1 }, { 10, 117, 0.1 }, { 10, 84, 0.1 }, { 10, 51, 0.1 }, { 10, 18, 0.1 } }, -1 },
  { "big-picture", { { 40, 0, 2.4 }, { 10, 63, 2.4 }, { 10, 54, 2.4 }, { 10, 45, 2.4 }, { 10, 36, 2.4 } }, -1 },
  { "big-pictures", { { 40, 0, 2.4 }, { 40, 63, 2.4 }, { 10, 126, 2.4 }, { 10, 117, 2.4 } }, -1 },
  { "few-packets", { { 3, 0, 9.6 }, { 3, 60, 9.6 }, { 3, 120, 9.6 }, { 3, 180, 9.6 } }, -1 },
};
/* clang-format on */

static gboolean
give_picture (IvsArrival *arrival, gint64 sent_us, const Picture *picture)
{
  for (guint i = 0; i < picture->n; i++)
    ivs_arrival_add_packet (arrival, sent_us,
        sent_us + (gint64) ((picture->wait_ms + i * picture->apart_ms) * 1000),
        1200);
  return ivs_arrival_end_feedback (arrival);
}

static void
test_collapse (gconstpointer data)
{
  static const Picture usual = { 10, 0, 2.4 };
  const Collapse *row = data;
  IvsArrival arrival;
  gint64 sent_us = 0;
  gint collapsed = -1;

  ivs_arrival_init (&arrival);
  for (guint i = 0; i < 30; i++, sent_us += 33000)
    g_assert_false (give_picture (&arrival, sent_us, &usual));
  for (guint i = 0; row->pictures[i].n > 0; i++, sent_us += 33000) {
    if (!give_picture (&arrival, sent_us, &row->pictures[i]) || collapsed >= 0)
      continue;
    collapsed = (gint) i;
    assert_near (arrival.passed_bps,
        1200 * 8 / row->pictures[i].apart_ms * 1000, 1000);
  }
  g_assert_cmpint (collapsed, ==, row->collapsed);
}

static void
feed_picture (IvsRate *rate, gint64 sent_us, const Picture *picture)
{
  IvsRatePacket packets[40];
  IvsRateFeedback feedback = { .packets = packets, .n_packets = picture->n };

  for (guint i = 0; i < picture->n; i++)
    packets[i] = (IvsRatePacket){ sent_us,
      sent_us + (gint64) ((picture->wait_ms + i * picture->apart_ms) * 1000),
      1200 };
  feedback.now_us = packets[picture->n - 1].arrived_us + 50000;
  ivs_rate_feedback (rate, &feedback);
}

/* Two seconds at 4 Mbit/s; returns when the next picture is sent. */
static gint64
feed_usual_pictures (IvsRate *rate)
{
  static const Picture usual = { 10, 0, 2.4 };
  gint64 sent_us = 0;

  ivs_rate_init (rate, &config, 0);
  for (guint i = 0; i < 60; i++, sent_us += 33000)
    feed_picture (rate, sent_us, &usual);
  return sent_us;
}

/* Nothing is sent until the queue has drained, once for a collapse. */
static void
test_pause (void)
{
  static const Picture pictures[] = { { 10, 0, 9.6 }, { 10, 63, 9.6 },
    { 10, 126, 9.6 }, { 10, 189, 9.6 }, { 10, 252, 9.6 } };
  IvsRate rate;
  gint64 sent_us = feed_usual_pictures (&rate);
  gint64 pauses_us[G_N_ELEMENTS (pictures)];

  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++, sent_us += 33000) {
    feed_picture (&rate, sent_us, &pictures[i]);
    pauses_us[i] = ivs_rate_get_pause (&rate, rate.feedback_us);
  }
  g_assert_cmpint (pauses_us[0], ==, 0);
  assert_near ((gdouble) pauses_us[1], 100000, 1000);
  assert_near ((gdouble) pauses_us[2], 300000 - 96000, 1000);
  assert_near ((gdouble) pauses_us[3], 300000 - 2 * 96000, 1000);
  assert_near ((gdouble) pauses_us[4], 300000 - 3 * 96000, 1000);
  assert_near (rate.aimd.estimate, 850000, 10000);
}

/* The burst of another flow is over with the next feedback. */
static void
test_one_glance (void)
{
  static const Picture picture = { 10, 60, 40 };
  IvsRate rate;
  gint64 sent_us = feed_usual_pictures (&rate);
  gdouble before = rate.aimd.estimate;

  feed_picture (&rate, sent_us, &picture);
  g_assert_cmpint (rate.aimd.state, ==, IVS_AIMD_DECREASE);
  g_assert_cmpint (ivs_rate_get_pause (&rate, rate.feedback_us), >, 0);
  assert_near (rate.aimd.estimate, before / 2, 1);

  sent_us += 400000;
  feed_picture (&rate, sent_us, &(Picture){ 10, 0, 2.4 });
  g_assert_cmpint (ivs_rate_get_pause (&rate, rate.feedback_us), ==, 0);
  g_assert_cmpfloat (rate.aimd.estimate, >, 0.8 * before);
}

/* -- Draft 5.5 -- */

static void
test_growth (void)
{
  IvsAimd aimd;

  /* nothing known: quickly */
  ivs_aimd_init (&aimd, 1000000);
  for (guint i = 0; i <= 10; i++)
    ivs_aimd_update (&aimd, SECOND + i * TENTH, IVS_USAGE_NORMAL, FALSE,
        1000000, 50000);
  assert_near (aimd.estimate, 1500000, 1);

  /* not beyond 1.5 times what arrives, but not back to it either */
  ivs_aimd_update (&aimd, 3 * SECOND, IVS_USAGE_NORMAL, FALSE, 1000000, 50000);
  assert_near (aimd.estimate, 1500000, 1);
  ivs_aimd_update (&aimd, 4 * SECOND, IVS_USAGE_NORMAL, FALSE, 100000, 50000);
  assert_near (aimd.estimate, 1500000, 1);
}

static void
test_convergence (void)
{
  IvsAimd aimd;
  gdouble before;

  ivs_aimd_init (&aimd, 2000000);
  ivs_aimd_update (&aimd, SECOND, IVS_USAGE_NORMAL, FALSE, 2000000, 50000);
  ivs_aimd_update (&aimd, SECOND + TENTH, IVS_USAGE_OVER, FALSE, 1000000,
      50000);
  g_assert_cmpint (aimd.state, ==, IVS_AIMD_DECREASE);
  assert_near (aimd.estimate, 850000, 1);
  ivs_aimd_update (&aimd, SECOND + 2 * TENTH, IVS_USAGE_NORMAL, FALSE, 850000,
      50000);
  g_assert_cmpint (aimd.state, ==, IVS_AIMD_HOLD);
  assert_near (aimd.estimate, 850000, 1);

  /* far below: 8 % per second; near: half a packet per response time */
  ivs_aimd_update (&aimd, SECOND + 3 * TENTH, IVS_USAGE_NORMAL, FALSE, 850000,
      50000);
  g_assert_cmpint (aimd.state, ==, IVS_AIMD_INCREASE);
  assert_near (aimd.estimate, 850000 * 1.007725, 10);
  before = aimd.estimate;
  ivs_aimd_update (&aimd, SECOND + 4 * TENTH, IVS_USAGE_NORMAL, FALSE, 980000,
      50000);
  assert_near (aimd.estimate - before, 0.5 * (100.0 / 150) * before / 30 / 3,
      10);

  /* after two seconds as if far, beyond what is known quickly */
  before = aimd.estimate;
  ivs_aimd_update (&aimd, 4 * SECOND, IVS_USAGE_NORMAL, FALSE, 980000, 50000);
  assert_near (aimd.estimate, before * 1.08, 1);
  before = aimd.estimate;
  ivs_aimd_update (&aimd, 4 * SECOND + TENTH, IVS_USAGE_NORMAL, FALSE, 1200000,
      50000);
  assert_near (aimd.estimate, before * 1.04138, 100);
}

/* Without a queue: quicker, and what passed at congestion is soon forgotten. */
static void
test_empty_path (void)
{
  IvsAimd aimd;
  gdouble before;

  ivs_aimd_init (&aimd, 2000000);
  ivs_aimd_update (&aimd, SECOND, IVS_USAGE_NORMAL, TRUE, 2000000, 50000);
  ivs_aimd_update (&aimd, 2 * SECOND, IVS_USAGE_OVER, FALSE, 1000000, 50000);
  ivs_aimd_update (&aimd, 3 * SECOND, IVS_USAGE_NORMAL, TRUE, 850000, 50000);
  assert_near (aimd.estimate, 850000, 1);
  ivs_aimd_update (&aimd, 5 * SECOND, IVS_USAGE_NORMAL, TRUE, 1000000, 50000);
  assert_near (aimd.estimate, 850000 * 1.16, 1);

  /* with a queue, that is no more than there was */
  before = aimd.estimate;
  ivs_aimd_update (&aimd, 6 * SECOND, IVS_USAGE_NORMAL, FALSE, 1030000, 50000);
  assert_near (aimd.estimate, before * 1.08, 1);
  before = aimd.estimate;
  ivs_aimd_update (&aimd, 7 * SECOND, IVS_USAGE_NORMAL, TRUE, 1030000, 50000);
  assert_near (aimd.estimate, 1030000 * 1.5, 1);
}

static void
test_states (void)
{
  static const IvsAimdState expected[3][3] = {
    /* normal, over, under */
    [IVS_AIMD_INCREASE] = { IVS_AIMD_INCREASE, IVS_AIMD_DECREASE,
        IVS_AIMD_HOLD },
    [IVS_AIMD_HOLD] = { IVS_AIMD_INCREASE, IVS_AIMD_DECREASE, IVS_AIMD_HOLD },
    [IVS_AIMD_DECREASE] = { IVS_AIMD_HOLD, IVS_AIMD_DECREASE, IVS_AIMD_HOLD },
  };

  for (guint state = 0; state < 3; state++) {
    for (guint usage = 0; usage < 3; usage++) {
      IvsAimd aimd;

      ivs_aimd_init (&aimd, 1000000);
      aimd.state = (IvsAimdState) state;
      ivs_aimd_update (&aimd, SECOND, (IvsUsage) usage, FALSE, 2000000, 0);
      g_assert_cmpint (aimd.state, ==, expected[state][usage]);
      /* a decrease never raises it */
      g_assert_true (aimd.estimate <= 1000000);
    }
  }
}

/* -- Draft 6 -- */

static void
test_loss_rules (void)
{
  static const struct
  {
    guint lost; /* of 1000 */
    gdouble expected;
  } rows[] = { { 0, 1050000 }, { 19, 1050000 }, { 20, 1000000 },
    { 100, 1000000 }, { 101, 949500 }, { 500, 750000 }, { 1000, 500000 },
    { 2000, 500000 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IvsLoss loss;

    ivs_loss_init (&loss, 1000000);
    ivs_loss_update (&loss, SECOND, 0, 0, 1000000, 50000, NULL);
    loss.estimate = 1000000;
    ivs_loss_update (&loss, SECOND + 3 * TENTH, 1000, rows[i].lost, 1000000, 0,
        NULL);
    assert_near (loss.estimate, rows[i].expected, 1);
  }
}

/* From what is sent, not from what would be allowed. */
static void
test_loss_from_current (void)
{
  IvsLoss loss;

  ivs_loss_init (&loss, 4000000);
  ivs_loss_update (&loss, SECOND, 0, 0, 1000000, 0, NULL);
  ivs_loss_update (&loss, 2 * SECOND, 1000, 200, 1000000, 0, NULL);
  assert_near (loss.estimate, 900000, 1);
}

/* 40 packets and 300 ms plus the round trip before a fall, and one fall then. */
static void
test_loss_rounds (void)
{
  IvsLoss loss;

  ivs_loss_init (&loss, 1000000);
  ivs_loss_update (&loss, SECOND, 39, 39, 1000000, 50000, NULL);
  loss.estimate = 1000000;
  ivs_loss_update (&loss, SECOND + 10, 1000, 1000, 1000000, 50000, NULL);
  g_assert_true (loss.estimate >= 1000000);
  ivs_loss_update (&loss, SECOND + 350000, 0, 0, 1000000, 50000, NULL);
  assert_near (loss.estimate, 500000, 1);
  ivs_loss_update (&loss, SECOND + 450000, 100, 100, 500000, 50000, NULL);
  assert_near (loss.estimate, 500000, 1);
}

/* Of 1000 packets each, ten rounds of a path that loses so many of them. */
static void
test_loss_inherent (void)
{
  IvsLoss loss;
  gint64 now_us = SECOND;
  guint target = 1000000;

  /* whatever is sent: it is not ours, and growth goes on */
  ivs_loss_init (&loss, target);
  for (guint i = 0; i < 10; i++, now_us += SECOND) {
    ivs_loss_update (&loss, now_us, 1000, 150, target, 0, NULL);
    target = (guint) MIN (loss.estimate, 1000000);
  }
  g_assert_true (loss.inherent > 0.14 && loss.inherent < 0.16);
  g_assert_cmpuint (target, >=, 800000);

  /* gone: forgotten */
  for (guint i = 0; i < 100; i++, now_us += SECOND)
    ivs_loss_update (&loss, now_us, 1000, 0, target, 0, NULL);
  g_assert_true (loss.inherent < 0.03);

  /* what does not fit into 700 kbit/s: ours, however often */
  target = 1000000;
  ivs_loss_init (&loss, target);
  for (guint i = 0; i < 100; i++, now_us += SECOND) {
    guint fits = MIN (1000, 1000 * 700 / (target / 1000));

    ivs_loss_update (&loss, now_us, 1000, 1000 - fits, target, 0, NULL);
    target = (guint) MIN (loss.estimate, 1000000);
    g_assert_true (loss.inherent <= 0.05);
  }
  g_assert_cmpuint (target, <=, 850000);
}

/* With something in the queue: loss is an overflow, growth is slow, and however long it
 * stays with less being sent, it is not inherent. */
static void
test_loss_overflow (void)
{
  IvsArrival arrival = { .received_bps = 1000000, .is_empty = FALSE };
  gint64 now_us = SECOND;
  IvsLoss loss;

  ivs_loss_init (&loss, 1000000);
  g_assert_false (ivs_loss_update (&loss, now_us, 0, 0, 1000000, 0, &arrival));
  for (guint i = 0; i < 5; i++) {
    gdouble before = loss.estimate;

    now_us += SECOND;
    g_assert_false (
        ivs_loss_update (&loss, now_us, 1000, 0, 1000000, 0, &arrival));
    assert_near (loss.estimate, before * 1.05, 1);
  }
  now_us += SECOND;
  g_assert_false (
      ivs_loss_update (&loss, now_us, 1000, 50, 1000000, 0, &arrival));
  for (guint i = 0; i < 20; i++) {
    now_us += SECOND;
    arrival.received_bps = arrival.received_bps * 9 / 10;
    g_assert_true (
        ivs_loss_update (&loss, now_us, 1000, 150, 1000000, 0, &arrival));
  }
  g_assert_true (loss.inherent <= 0);

  /* an empty queue does not overflow */
  arrival.is_empty = TRUE;
  g_assert_false (ivs_loss_update (&loss, now_us + SECOND, 1000, 150, 1000000,
      0, &arrival));
}

/* No further than twice what is sent. */
static void
test_loss_unused (void)
{
  IvsArrival arrival = { .received_bps = 400000, .is_empty = TRUE };
  IvsLoss loss;

  ivs_loss_init (&loss, 700000);
  for (guint i = 0; i < 20; i++)
    ivs_loss_update (&loss, SECOND + i * SECOND, 1000, 0, 700000, 0, &arrival);
  assert_near (loss.estimate, 800000, 1);
}

/* -- The controller -- */

static void
feed (IvsRate *rate, gint64 now_us, guint sent, guint received)
{
  IvsRateFeedback feedback = { .now_us = now_us,
    .packets_sent = sent,
    .packets_received = received,
    .received_bps = 1000000 };

  ivs_rate_feedback (rate, &feedback);
}

static void
test_silence (void)
{
  IvsRate rate;
  gint64 now_us = SECOND;
  guint target;

  ivs_rate_init (&rate, &config, now_us);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), ==, 1000000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + 10 * SECOND - 1), ==,
      1000000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + 10 * SECOND), ==,
      500000);

  feed (&rate, now_us, 100, 100);
  target = ivs_rate_get_target (&rate, now_us);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + SECOND - 1), ==,
      target);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + SECOND), ==,
      target / 2);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + 2 * SECOND), ==,
      target / 4);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + 3600 * SECOND), ==,
      config.min_bps);

  /* it goes on from there */
  g_assert_false (ivs_rate_is_heard (&rate, now_us + 2 * SECOND));
  feed (&rate, now_us + 2 * SECOND, 100, 100);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + 2 * SECOND), ==,
      target / 2);
  g_assert_true (ivs_rate_is_heard (&rate, now_us + 2 * SECOND));

  /* nothing sent, nothing learnt */
  ivs_rate_sent (&rate, 0);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + 3600 * SECOND), ==,
      target / 2);
}

/* What nobody answers to, for nothing was sent. */
static void
test_idle (void)
{
  IvsRate rate;
  gint64 now_us = SECOND;
  guint target;

  ivs_rate_init (&rate, &config, now_us);
  feed (&rate, now_us, 100, 100);
  target = ivs_rate_get_target (&rate, now_us);
  for (guint i = 0; i < 100; i++) {
    now_us += TENTH;
    ivs_rate_idle (&rate, now_us);
    g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), ==, target);
  }

  /* nor is anything begun anew with what comes then */
  feed (&rate, now_us + TENTH, 100, 100);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + TENTH), >=, target);
  ivs_rate_idle (&rate, now_us + TENTH);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + TENTH + SECOND), <,
      target);
}

/* Feedback about what was sent of 1 Mbit/s since @from_us, packet by packet; all of it has
 * arrived @late_us after it was sent, but not before @earliest_us. */
static void
feed_back (IvsRate *rate, gint64 from_us, gint64 now_us, gint64 late_us,
    gint64 earliest_us)
{
  static IvsRatePacket packets[2048];
  IvsRateFeedback feedback = { .now_us = now_us, .packets = packets };

  for (gint64 sent_us = from_us; sent_us < now_us; sent_us += SECOND / 100) {
    g_assert_cmpuint (feedback.n_packets, <, G_N_ELEMENTS (packets));
    packets[feedback.n_packets++] = (IvsRatePacket){ .sent_us = sent_us,
      .arrived_us = MAX (sent_us + late_us, earliest_us),
      .size = 1250 };
  }
  ivs_rate_feedback (rate, &feedback);
}

/* A receiver stands still for ten seconds, and then reads all that has come meanwhile: the
 * path is what it was. */
static void
test_frozen_receiver (void)
{
  const gint64 interval_us = SECOND / 25;
  IvsRate rate;
  gint64 now_us = SECOND;
  guint before;

  ivs_rate_init (&rate, &config, now_us);
  ivs_rate_sent (&rate, 1000000);
  for (guint i = 0; i < 250; i++, now_us += interval_us)
    feed_back (&rate, now_us, now_us + interval_us, 20000, 0);
  before = ivs_rate_get_target (&rate, now_us);
  g_assert_cmpuint (before, >=, 1000000);

  feed_back (&rate, now_us, now_us + 10 * SECOND, 20000, now_us + 10 * SECOND);
  now_us += 10 * SECOND;
  for (guint i = 0; i < 75; i++, now_us += interval_us) {
    g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), >=, before / 2);
    feed_back (&rate, now_us, now_us + interval_us, 20000, 0);
  }
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), >=, before * 9 / 10);
}

/* Nothing is sent for 16 s, and the first feedback after that has wrapped: no queue. */
static void
test_wrapped_feedback (void)
{
  const gint64 interval_us = SECOND / 25, wrap_us = 65536 * 250;
  IvsRate rate;
  gint64 now_us = 100 * SECOND;
  guint before;

  ivs_rate_init (&rate, &config, now_us);
  ivs_rate_sent (&rate, 1000000);
  for (guint i = 0; i < 250; i++, now_us += interval_us)
    feed_back (&rate, now_us, now_us + interval_us, 20000, 0);
  before = ivs_rate_get_target (&rate, now_us);

  for (guint i = 0; i < 160; i++, now_us += TENTH)
    ivs_rate_idle (&rate, now_us);
  feed_back (&rate, now_us, now_us + interval_us, 20000 - wrap_us, 0);
  now_us += interval_us;
  for (guint i = 0; i < 75; i++, now_us += interval_us) {
    feed_back (&rate, now_us, now_us + interval_us, i % 3 * 10000, 0);
    g_assert_cmpint (rate.arrival.queue_us, <, SECOND / 10);
    g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), >=, before);
  }
}

/* Where most pictures are left out: one each two seconds, and what is left of the sound.
 * The target grows by what came with the pictures, not by the sound between them. */
static void
test_few_pictures (void)
{
  IvsRate rate;
  IvsRatePacket packets[140];
  gint64 now_us = 100 * SECOND;

  ivs_rate_init (&rate, &(IvsRateConfig){ 50000, 4000000, 250000 }, now_us);
  for (guint round = 0; round < 15; round++, now_us += 2 * SECOND) {
    IvsRateFeedback feedback = { .packets = packets, .n_packets = 140 };

    /* 48 kB take 0.4 s at 1 Mbit/s; then 100 packets of sound. */
    for (guint i = 0; i < 140; i++) {
      gint64 sent_us =
          i < 40 ? now_us + i * 10000 : now_us + 400000 + (i - 40) * 16000;

      packets[i] = (IvsRatePacket){ sent_us, sent_us, i < 40 ? 1200 : 160 };
    }
    feedback.now_us = now_us + 2 * SECOND;
    ivs_rate_idle (&rate, feedback.now_us - TENTH);
    ivs_rate_feedback (&rate, &feedback);
    g_test_message (
        "best %u, received %u, by delay %.0f, by loss %.0f, state %d",
        rate.arrival.best_bps, rate.arrival.received_bps, rate.aimd.estimate,
        rate.loss.estimate, rate.aimd.state);
  }
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), >, 900000);
}

/* While there is feedback, reports only tell the round-trip time. */
static void
test_reports (void)
{
  IvsRate rate;
  gint64 now_us = SECOND;
  guint target;

  ivs_rate_init (&rate, &config, now_us);
  feed (&rate, now_us, 100, 100);
  ivs_rate_report (&rate, now_us + TENTH, 0.5, 50000);
  g_assert_cmpint (rate.rtt_us, ==, 50000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + TENTH), ==, 1000000);

  ivs_rate_init (&rate, &config, now_us);
  now_us += 5 * SECOND;
  ivs_rate_report (&rate, now_us, 0, 50000);
  target = ivs_rate_get_target (&rate, now_us);
  assert_near (target, 1050000, 1);

  /* not when less is sent than allowed */
  ivs_rate_sent (&rate, 100000);
  ivs_rate_report (&rate, now_us + SECOND, 0, 50000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us + SECOND), ==, target);
  ivs_rate_sent (&rate, 1000000);

  ivs_rate_report (&rate, now_us + 2 * SECOND, 0.2, 50000);
  assert_near (ivs_rate_get_target (&rate, now_us + 2 * SECOND), target * 0.9,
      1);
  ivs_rate_report (&rate, now_us + 3 * SECOND, 0, 250000);
  assert_near (ivs_rate_get_target (&rate, now_us + 3 * SECOND),
      target * 0.9 * 0.85, 1);
}

/* A route that became longer for good is not congestion for good. */
static void
test_longer_route (void)
{
  IvsRate rate;
  gint64 now_us = SECOND;

  ivs_rate_init (&rate, &config, now_us);
  now_us += 5 * SECOND;
  ivs_rate_report (&rate, now_us, 0, 50000);
  for (guint i = 0; i < 20; i++)
    ivs_rate_report (&rate, now_us += SECOND, 0, 300000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), <, 500000);
  for (guint i = 0; i < 100; i++)
    ivs_rate_report (&rate, now_us += SECOND, 0, 300000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, now_us), >, 2000000);
}

static void
test_range (void)
{
  IvsRateConfig start_too_high = { 100000, 500000, 1000000 };
  IvsRateConfig start_too_low = { 100000, 500000, 0 };
  IvsRateConfig upside_down = { 900000, 500000, 700000 };
  IvsRate rate;

  ivs_rate_init (&rate, &start_too_high, 1);
  g_assert_cmpuint (ivs_rate_get_target (&rate, 1), ==, 500000);
  ivs_rate_set_range (&rate, 100000, 400000);
  g_assert_cmpuint (ivs_rate_get_target (&rate, 1), ==, 400000);
  ivs_rate_init (&rate, &start_too_low, 1);
  g_assert_cmpuint (ivs_rate_get_target (&rate, 1), ==, 100000);
  ivs_rate_init (&rate, &upside_down, 1);
  g_assert_cmpuint (ivs_rate_get_target (&rate, 1), ==, 500000);
}

/* Whatever a peer writes into its feedback: a target in the range. */
static void
test_nonsense (void)
{
  static const gint64 numbers[] = { 0, 1, -1, G_MAXINT64 / 2, -G_MAXINT64 / 2,
    G_MAXINT, 1000000 };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  IvsRate rate;

  ivs_rate_init (&rate, &config, 1);
  for (guint i = 0; i < 20000; i++) {
    IvsRatePacket packets[8];
    gint64 now_us = (gint64) i * g_rand_int_range (random, 1, 200000);
    IvsRateFeedback feedback = { .now_us = now_us,
      .packets = g_rand_boolean (random) ? packets : NULL,
      .n_packets = g_rand_int_range (random, 0, G_N_ELEMENTS (packets) + 1),
      .packets_sent = g_rand_int (random),
      .packets_received = g_rand_int (random),
      .received_bps = g_rand_int (random),
      .delta_of_delta_ns = numbers[g_rand_int_range (random, 0, 7)] * 2 };
    guint target;

    for (guint j = 0; j < G_N_ELEMENTS (packets); j++)
      packets[j] = (IvsRatePacket){
        .sent_us = numbers[g_rand_int_range (random, 0, 7)] * 2,
        .arrived_us = numbers[g_rand_int_range (random, 0, 7)] * 2,
        .size = g_rand_int (random),
      };
    ivs_rate_feedback (&rate, &feedback);
    ivs_rate_report (&rate, now_us, g_rand_double_range (random, -1, 2),
        numbers[g_rand_int_range (random, 0, 7)]);
    ivs_rate_sent (&rate, g_rand_int (random));
    target = ivs_rate_get_target (&rate, now_us);
    g_assert_cmpuint (target, >=, config.min_bps);
    g_assert_cmpuint (target, <=, config.max_bps);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (delays); i++) {
    g_autofree gchar *name =
        g_strconcat ("/rate-units/delays/", delays[i].name, NULL);

    g_test_add_data_func (name, &delays[i], test_delays);
  }
  g_test_add_func ("/rate-units/packets", test_packets);
  g_test_add_func ("/rate-units/narrow", test_narrow);
  g_test_add_func ("/rate-units/late-groups", test_late_groups);
  g_test_add_func ("/rate-units/gap", test_gap);
  g_test_add_func ("/rate-units/bursts", test_bursts);
  g_test_add_func ("/rate-units/outage", test_outage);
  for (guint i = 0; i < G_N_ELEMENTS (collapses); i++) {
    g_autofree gchar *name =
        g_strconcat ("/rate-units/collapse/", collapses[i].name, NULL);

    g_test_add_data_func (name, &collapses[i], test_collapse);
  }
  g_test_add_func ("/rate-units/collapse/pause", test_pause);
  g_test_add_func ("/rate-units/collapse/one-glance", test_one_glance);
  g_test_add_func ("/rate-units/growth", test_growth);
  g_test_add_func ("/rate-units/convergence", test_convergence);
  g_test_add_func ("/rate-units/empty-path", test_empty_path);
  g_test_add_func ("/rate-units/states", test_states);
  g_test_add_func ("/rate-units/loss-rules", test_loss_rules);
  g_test_add_func ("/rate-units/loss-from-current", test_loss_from_current);
  g_test_add_func ("/rate-units/loss-rounds", test_loss_rounds);
  g_test_add_func ("/rate-units/loss-inherent", test_loss_inherent);
  g_test_add_func ("/rate-units/loss-overflow", test_loss_overflow);
  g_test_add_func ("/rate-units/loss-unused", test_loss_unused);
  g_test_add_func ("/rate-units/silence", test_silence);
  g_test_add_func ("/rate-units/idle", test_idle);
  g_test_add_func ("/rate-units/frozen-receiver", test_frozen_receiver);
  g_test_add_func ("/rate-units/few-pictures", test_few_pictures);
  g_test_add_func ("/rate-units/wrapped-feedback", test_wrapped_feedback);
  g_test_add_func ("/rate-units/reports", test_reports);
  g_test_add_func ("/rate-units/longer-route", test_longer_route);
  g_test_add_func ("/rate-units/range", test_range);
  g_test_add_func ("/rate-units/nonsense", test_nonsense);
  return g_test_run ();
}
