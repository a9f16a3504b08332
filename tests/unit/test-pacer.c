/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-pacer: when the packets of a picture leave.
 */

#include "ivs-pacer.h"

#define NOW G_GINT64_CONSTANT (5000000)
#define PACKET 1200

/* A picture of so many packets after nothing. */
typedef struct
{
  const gchar *name;
  guint bps;
  guint packets;
  gint64 limit_us;
  gint64 step_us; /* from one packet to the next */
} Row;

static const Row rows[] = {
  { "not-paced", 0, 10, 25000, 0 },
  /* 9600 bits at 2.5 Mbps */
  { "at-the-rate", 2500000, 4, 25000, 3840 },
  { "just-in-time", 2400000, 5, 20000, 4000 },
  /* faster, or it would not be gone */
  { "late", 2500000, 20, 25000, 1250 },
  { "very-low-rate", 1, 10, 25000, 2500 },
  { "no-time", 2500000, 10, 0, 0 },
  { "past", 2500000, 10, -1000, 0 },
  { "high-rate", G_MAXUINT, 10, 25000, 2 },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  IvsPacer pacer = { .bps = row->bps };
  gint64 gone_us =
      ivs_pacer_begin (&pacer, NOW, row->packets * PACKET, row->limit_us);

  for (guint i = 0; i < row->packets; i++) {
    gint64 due_us = ivs_pacer_place (&pacer, PACKET);

    g_assert_cmpint (ABS (due_us - NOW - row->step_us * i), <=, 2);
    g_assert_cmpint (due_us, <=, NOW + MAX (row->limit_us, 0));
  }
  g_assert_cmpint (ABS (gone_us - NOW - row->step_us * row->packets), <=, 2);
}

/* The next one begins when the one before is gone, and has as much time as any. */
static void
test_backlog (void)
{
  IvsPacer pacer = { .bps = 960000 };
  gint64 due_us = 0;

  g_assert_cmpint (ivs_pacer_begin (&pacer, NOW, 2 * PACKET, 25000), ==,
      NOW + 20000);
  g_assert_cmpint (ivs_pacer_place (&pacer, PACKET), ==, NOW);
  g_assert_cmpint (ivs_pacer_place (&pacer, PACKET), ==, NOW + 10000);

  /* 5 ms later: 15 ms are taken, 10 are left for what would take 40 */
  g_assert_cmpint (ivs_pacer_begin (&pacer, NOW + 5000, 4 * PACKET, 25000), ==,
      NOW + 30000);
  for (guint i = 0; i < 4; i++) {
    due_us = ivs_pacer_place (&pacer, PACKET);
    g_assert_cmpint (due_us, ==, NOW + 20000 + i * 2500);
  }

  /* after a while there is none, and what was not used is not saved up */
  g_assert_cmpint (ivs_pacer_begin (&pacer, NOW + 90000, PACKET, 25000), ==,
      NOW + 100000);
  g_assert_cmpint (ivs_pacer_place (&pacer, PACKET), ==, NOW + 90000);
}

/* Packet by packet, as from a payloader that makes no lists. */
static void
test_one_by_one (void)
{
  IvsPacer pacer = { .bps = 960000 };

  for (guint i = 0; i < 10; i++) {
    gint64 due_us;

    ivs_pacer_begin (&pacer, NOW, PACKET, 25000);
    due_us = ivs_pacer_place (&pacer, PACKET);
    g_assert_cmpint (due_us, ==, NOW + MIN (i * 10000, 25000));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = g_strconcat ("/pacer/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/pacer/backlog", test_backlog);
  g_test_add_func ("/pacer/one-by-one", test_one_by_one);
  return g_test_run ();
}
