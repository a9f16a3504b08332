/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is left of a stream that is too much for its uplink: time is simulated.
 */
#include "gstivsbudget.h"

#define SECONDS 30
#define FPS 30
#define GROUP 30 /* pictures */
#define PACKET 1200
#define DELTA_PACKETS 4
#define IDR_PACKETS 16
/* What it makes, bits per second. */
#define OFFERED \
  (PACKET * 8 * (IDR_PACKETS + (GROUP - 1) * DELTA_PACKETS) * FPS / GROUP)

typedef struct
{
  guint64 bits;          /* that passed */
  guint pictures;        /* that passed */
  guint groups;          /* of which something passed */
  gint64 longest_gap_us; /* without a picture */
} Passed;

/* The packets of one picture: all pass or none. */
static gboolean
send_picture (GstIvsBudget *budget, gboolean is_idr, gint64 now_us)
{
  guint n = is_idr ? IDR_PACKETS : DELTA_PACKETS;
  guint passed = 0;

  for (guint i = 0; i < n; i++) {
    GstIvsPacketFlags flags = (is_idr && i == 0 ? GST_IVS_PACKET_IDR : 0) |
        (i + 1 == n ? GST_IVS_PACKET_FRAME_END : 0);

    passed += gst_ivs_budget_admit (budget, flags, PACKET, now_us);
  }
  g_assert_true (passed == 0 || passed == n);
  return passed > 0;
}

/* Of each group what passes begins at its IDR picture and has no hole. */
static void
run (GstIvsBudget *budget, Passed *passed)
{
  gboolean can_decode = FALSE;
  gint64 last_us = 0;

  *passed = (Passed){ 0 };
  for (guint i = 0; i < SECONDS * FPS; i++) {
    gint64 now_us = (gint64) (i + 1) * G_USEC_PER_SEC / FPS;
    gboolean is_idr = i % GROUP == 0;
    gboolean passes = send_picture (budget, is_idr, now_us);

    g_assert_true (!passes || is_idr || can_decode);
    can_decode = passes;
    if (!passes)
      continue;
    passed->bits += PACKET * 8 * (is_idr ? IDR_PACKETS : DELTA_PACKETS);
    passed->pictures++;
    passed->groups += is_idr;
    passed->longest_gap_us = MAX (passed->longest_gap_us, now_us - last_us);
    last_us = now_us;
  }
}

static void
test_all (void)
{
  GstIvsBudget budget = { 0 };
  Passed passed;

  run (&budget, &passed);
  g_assert_cmpuint (passed.pictures, ==, SECONDS * FPS);
}

static void
test_enough (void)
{
  GstIvsBudget budget = { 0 };
  Passed passed;

  gst_ivs_budget_set (&budget, OFFERED, 0);
  run (&budget, &passed);
  g_assert_cmpuint (passed.pictures, ==, SECONDS * FPS);
}

/* @data: the part of what comes that fits, in percent. */
static void
test_part (gconstpointer data)
{
  guint bps = (guint) ((guint64) OFFERED * GPOINTER_TO_UINT (data) / 100);
  GstIvsBudget budget = { 0 };
  Passed passed;

  gst_ivs_budget_set (&budget, bps, 0);
  run (&budget, &passed);
  g_assert_cmpuint (passed.bits, <=, (guint64) bps * (SECONDS + 1));
  g_assert_cmpuint (passed.bits, >=, (guint64) bps * SECONDS / 2);
  g_assert_cmpuint (passed.groups, >=, SECONDS / 3);
  g_assert_cmpint (passed.longest_gap_us, <=, 3 * G_USEC_PER_SEC);
}

/* @swing: between 0 and that the rate rises and falls, in percent, ten times per second. */
static void
send_swinging (GstIvsBudget *budget, guint bps, guint swing, Passed *passed)
{
  *passed = (Passed){ 0 };
  for (guint i = 0; i < SECONDS * FPS; i++) {
    gint64 now_us = (gint64) (i + 1) * G_USEC_PER_SEC / FPS;
    gboolean is_low = i / (FPS / 10) % 2 == 1;

    gst_ivs_budget_set (budget, is_low ? bps * (100 - swing) / 100 : bps,
        now_us);
    if (send_picture (budget, i % GROUP == 0, now_us))
      passed->bits +=
          PACKET * 8 * (i % GROUP == 0 ? IDR_PACKETS : DELTA_PACKETS);
  }
}

/* A limit that goes up and down is no higher than its mean. */
static void
test_swing (void)
{
  for (guint swing = 10; swing <= 50; swing += 10) {
    const guint bps = OFFERED * 8 / 10;
    const guint64 mean = (guint64) bps * (200 - swing) / 200;
    GstIvsBudget budget = { 0 };
    Passed passed;

    send_swinging (&budget, bps, swing, &passed);
    g_assert_cmpuint (passed.bits, <=, mean * (SECONDS + 1));
    g_assert_cmpuint (passed.bits, >=, mean * SECONDS / 2);
  }
}

static void
test_key_unit (void)
{
  GstIvsBudget budget = { 0 };
  gint64 now_us = 1;

  gst_ivs_budget_set (&budget, 100000, now_us);
  g_assert_false (gst_ivs_budget_wants_key_unit (&budget, now_us));
  while (send_picture (&budget, now_us == 1, now_us))
    now_us++;
  g_assert_true (budget.is_shedding);
  g_assert_false (gst_ivs_budget_wants_key_unit (&budget, now_us));
  now_us += 10 * G_USEC_PER_SEC;
  g_assert_true (gst_ivs_budget_wants_key_unit (&budget, now_us));
  g_assert_false (send_picture (&budget, FALSE, now_us));
  g_assert_true (send_picture (&budget, TRUE, now_us));
}

/* When the limit goes it still begins with an IDR picture. */
static void
test_lifted (void)
{
  GstIvsBudget budget = { 0 };

  gst_ivs_budget_set (&budget, 1, 1);
  g_assert_true (send_picture (&budget, TRUE, 1));
  g_assert_false (send_picture (&budget, FALSE, 2));
  gst_ivs_budget_set (&budget, 0, 3);
  g_assert_true (gst_ivs_budget_wants_key_unit (&budget, 3));
  g_assert_false (send_picture (&budget, FALSE, 3));
  g_assert_true (send_picture (&budget, TRUE, 4));
  g_assert_true (send_picture (&budget, FALSE, 5));
}

/* What was too much is not made longer by a rate that falls. */
static void
test_fall (void)
{
  GstIvsBudget budget = { 0 };
  gint64 now_us = 1;

  gst_ivs_budget_set (&budget, 1000000, now_us);
  while (send_picture (&budget, now_us == 1, now_us))
    now_us++;
  gst_ivs_budget_set (&budget, 100000, now_us);
  g_assert_false (gst_ivs_budget_wants_key_unit (&budget, now_us));
  now_us += GST_IVS_BUDGET_DEPTH_US;
  g_assert_true (gst_ivs_budget_wants_key_unit (&budget, now_us));
  g_assert_true (send_picture (&budget, TRUE, now_us));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/budget/none", test_all);
  g_test_add_func ("/budget/enough", test_enough);
  g_test_add_data_func ("/budget/most", GUINT_TO_POINTER (80), test_part);
  g_test_add_data_func ("/budget/half", GUINT_TO_POINTER (50), test_part);
  g_test_add_data_func ("/budget/fifth", GUINT_TO_POINTER (20), test_part);
  g_test_add_func ("/budget/swing", test_swing);
  g_test_add_func ("/budget/key-unit-when-there-is-room", test_key_unit);
  g_test_add_func ("/budget/lifted", test_lifted);
  g_test_add_func ("/budget/fall", test_fall);
  return g_test_run ();
}
