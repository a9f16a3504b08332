/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-twcc: what a transport-wide feedback says of the packets that were sent.
 *
 * Feedback is written here as draft-holmer-rmcat-transport-wide-cc-extensions-01 section
 * 3.1 has it, byte by byte. That of GStreamer's receiver is read in test twcc-session.
 */
#include "ivs-twcc.h"
#include "test-table.h"

#include <string.h>

#define SIZE 1000
#define LOST (-1)
#define MAX_TOLD 20

/* The packets 0, 1, ... were sent one millisecond apart. */
static IvsTwcc *
new_sender (guint n_packets)
{
  IvsTwcc *twcc = g_new0 (IvsTwcc, 1);

  for (guint i = 0; i < n_packets; i++)
    g_assert_cmpuint (ivs_twcc_send (twcc, SIZE, i * 1000), ==, i & 0xffff);
  return twcc;
}

/* -- One feedback ---------------------------------------------------------------------- */

/* 64 ms * 16 is when the reference time is. */
#define HEADER(base, count) 0, base, 0, count, 0, 0, 16, 0

typedef struct
{
  const gchar *name;
  guint8 fci[40];
  gsize size;
  guint first, n; /* the numbers that are told of; 0: refused */
  /* from the reference time on, in units of 250 us; or LOST */
  gint arrived[MAX_TOLD];
} Row;

static const Row rows[] = {
  { "run", { HEADER (5, 3), 0x20, 3, 4, 8, 12 }, 13, 5, 3, { 4, 12, 24 } },
  { "run-of-lost", { HEADER (5, 3), 0x00, 3 }, 10, 5, 3, { LOST, LOST, LOST } },
  { "run-of-large-deltas", { HEADER (5, 2), 0x40, 2, 1, 0, 0xff, 0xfe }, 14, 5,
      2, { 256, 254 } },
  { "runs-one-after-the-other",
      { HEADER (5, 4), 0x20, 1, 0x00, 2, 0x20, 1, 7, 9 }, 16, 5, 4,
      { 7, LOST, LOST, 16 } },
  { "run-without-length", { HEADER (5, 1), 0x20, 0, 0x20, 1, 7 }, 13, 5, 1,
      { 7 } },
  { "run-longer-than-the-feedback", { HEADER (5, 2), 0x3f, 0xff, 1, 1 }, 12, 5,
      2, { 1, 2 } },
  { "vector-of-bits", /* 1 0 1 1 and ten that are not counted */
      { HEADER (5, 4), 0xac, 0, 1, 2, 3 }, 13, 5, 4, { 1, LOST, 3, 6 } },
  { "vector-of-fourteen",
      { HEADER (5, 14), 0xbf, 0xff, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
      24, 5, 14, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 } },
  { "vector-of-pairs", /* 01 10 00 01 and three that are not counted */
      { HEADER (5, 4), 0xd8, 0x40, 1, 0xff, 0xff, 255 }, 14, 5, 4,
      { 1, 0, LOST, 255 } },
  { "vector-then-run", { HEADER (5, 16), 0x80, 1, 0x20, 2, 1, 1, 1 }, 15, 5, 16,
      { LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST,
          LOST, 1, 2, 3 } },
  { "padding", { HEADER (5, 1), 0x20, 1, 7, 0, 0, 0 }, 14, 5, 1, { 7 } },
  { "not-sent-yet", { HEADER (99, 3), 0x20, 3, 1, 1, 1 }, 13, 99, 1, { 1 } },
  { "none", { HEADER (5, 0) }, 8, 0, 0, { 0 } },

  { "empty", { 0 }, 0, 0, 0, { 0 } },
  { "no-header", { HEADER (5, 1) }, 7, 0, 0, { 0 } },
  { "no-chunk", { HEADER (5, 1) }, 8, 0, 0, { 0 } },
  { "half-a-chunk", { HEADER (5, 1), 0x20 }, 9, 0, 0, { 0 } },
  { "no-delta", { HEADER (5, 1), 0x20, 1 }, 10, 0, 0, { 0 } },
  { "half-a-delta", { HEADER (5, 1), 0x40, 1, 0 }, 11, 0, 0, { 0 } },
  { "a-delta-short", { HEADER (5, 3), 0x20, 3, 4, 8 }, 12, 0, 0, { 0 } },
  { "chunks-too-few", { HEADER (5, 9), 0x20, 3, 4, 8, 12 }, 13, 0, 0, { 0 } },
  { "reserved-symbol", { HEADER (5, 1), 0x60, 1, 0, 0, 0, 0 }, 14, 0, 0,
      { 0 } },
  { "more-than-is-remembered", { 0, 5, 0x10, 0x01, 0, 0, 16, 0, 0x10, 0x01 },
      10, 0, 0, { 0 } },
};

static gint64
arrival_of (gint units)
{
  /* Absolute times mean nothing, but the first reference time is told to be one period
   * further, that nothing before it is negative. */
  return ((1 << 24) + 16) * G_GINT64_CONSTANT (64000) + units * 250;
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autofree IvsTwcc *twcc = new_sender (100);
  g_autofree IvsRatePacket *told = g_new (IvsRatePacket, IVS_TWCC_MEMORY);
  /* Its own memory, so that whoever reads further is seen. */
  g_autofree guint8 *fci = g_memdup2 (row->fci, row->size);

  g_assert_cmpuint (ivs_twcc_read (twcc, fci, row->size, told), ==, row->n);
  for (guint i = 0; i < row->n; i++) {
    g_assert_cmpint (told[i].sent_us, ==, (row->first + i) * 1000);
    g_assert_cmpuint (told[i].size, ==, SIZE);
    g_assert_cmpint (told[i].arrived_us, ==,
        row->arrived[i] == LOST ? -1 : arrival_of (row->arrived[i]));
  }
}

/* -- One after the other ---------------------------------------------------------------- */

/* The @n packets from @base on, all of which arrived, as the @count-th feedback. */
static guint
read_run (IvsTwcc *twcc, guint base, guint n, guint8 count, guint32 time,
    IvsRatePacket *told)
{
  guint8 fci[8 + 2 + 200] = { (guint8) (base >> 8), (guint8) base,
    (guint8) (n >> 8), (guint8) n, (guint8) (time >> 16), (guint8) (time >> 8),
    (guint8) time, count, (guint8) (0x20 | n >> 8), (guint8) n };

  g_assert_cmpuint (n, <=, 200);
  return ivs_twcc_read (twcc, fci, 10 + n, told);
}

static guint
count_lost (const IvsRatePacket *told, guint n)
{
  guint lost = 0;

  for (guint i = 0; i < n; i++)
    lost += told[i].arrived_us < 0;
  return lost;
}

typedef struct
{
  IvsTwcc *twcc;
  IvsRatePacket told[IVS_TWCC_MEMORY];
} Rig;

static Rig *
rig_new (guint n_packets)
{
  Rig *rig = g_new0 (Rig, 1);

  rig->twcc = new_sender (n_packets);
  return rig;
}

static void
rig_free (Rig *rig)
{
  g_free (rig->twcc);
  g_free (rig);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

static void
test_gap (void)
{
  g_autoptr (Rig) rig = rig_new (100);

  g_assert_cmpuint (read_run (rig->twcc, 0, 10, 0, 1, rig->told), ==, 10);
  g_assert_cmpuint (read_run (rig->twcc, 13, 7, 1, 1, rig->told), ==, 10);
  g_assert_cmpuint (count_lost (rig->told, 10), ==, 3);
  g_assert_cmpint (rig->told[0].sent_us, ==, 10 * 1000);
  g_assert_cmpint (rig->told[2].arrived_us, ==, -1);
  g_assert_cmpint (rig->told[3].arrived_us, >, 0);
}

/* What it would have told is not known: it may come late. */
static void
test_lost_feedback (void)
{
  g_autoptr (Rig) rig = rig_new (100);

  read_run (rig->twcc, 0, 10, 0, 1, rig->told);
  g_assert_cmpuint (read_run (rig->twcc, 20, 10, 2, 1, rig->told), ==, 10);
  g_assert_cmpuint (read_run (rig->twcc, 10, 10, 1, 1, rig->told), ==, 10);
  g_assert_cmpuint (count_lost (rig->told, 10), ==, 0);
  /* and the next one follows on the newest */
  g_assert_cmpuint (read_run (rig->twcc, 31, 9, 3, 1, rig->told), ==, 10);
  g_assert_cmpuint (count_lost (rig->told, 10), ==, 1);
}

static void
test_twice (void)
{
  g_autoptr (Rig) rig = rig_new (100);

  g_assert_cmpuint (read_run (rig->twcc, 0, 10, 0, 1, rig->told), ==, 10);
  g_assert_cmpuint (read_run (rig->twcc, 0, 12, 0, 1, rig->told), ==, 2);
  g_assert_cmpuint (read_run (rig->twcc, 0, 12, 0, 1, rig->told), ==, 0);
}

/* Numbers go round, and so does the count of feedbacks. */
static void
test_round (void)
{
  g_autoptr (Rig) rig = rig_new (0);

  for (guint i = 0; i < 1000; i++) {
    guint n = 0;

    for (guint packet = 0; packet < 100; packet++)
      ivs_twcc_send (rig->twcc, SIZE, (gint64) (i * 100 + packet));
    /* The last of each hundred is lost: the next feedback tells. */
    n = read_run (rig->twcc, (i * 100) & 0xffff, 99, (guint8) i, i, rig->told);
    g_assert_cmpuint (n, ==, i == 0 ? 99 : 100);
    g_assert_cmpuint (count_lost (rig->told, n), ==, i == 0 ? 0 : 1);
    g_assert_cmpint (rig->told[n - 1].sent_us, ==, i * 100 + 98);
  }
}

/* The reference time goes round after twelve days, and forwards or back it is the nearest
 * one: a feedback may overtake another. */
static void
test_reference_time (void)
{
  static const struct
  {
    guint32 told;
    gint step; /* of 64 ms */
  } times[] = { { 0xfffffe, 0 }, { 0xffffff, 1 }, { 1, 2 }, { 0xffffff, -2 },
    { 3, 4 }, { 0x7fffff, 0x7ffffc }, { 0xfffffe, 0x7fffff } };
  g_autoptr (Rig) rig = rig_new (100);
  gint64 before_us = 0;

  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    g_assert_cmpuint (read_run (rig->twcc, i, 1, (guint8) i, times[i].told,
                          rig->told),
        ==, 1);
    if (i > 0)
      g_assert_cmpint (rig->told[0].arrived_us - before_us, ==,
          times[i].step * G_GINT64_CONSTANT (64000));
    before_us = rig->told[0].arrived_us;
  }
}

/* Old numbers are other packets' by now. */
static void
test_forgotten (void)
{
  g_autoptr (Rig) rig = rig_new (IVS_TWCC_MEMORY + 10);

  g_assert_cmpuint (read_run (rig->twcc, 0, 20, 0, 1, rig->told), ==, 10);
  g_assert_cmpint (rig->told[0].sent_us, ==, 10 * 1000);
}

/* No more than fit, whatever is told. */
static void
test_all_at_once (void)
{
  g_autoptr (Rig) rig = rig_new (IVS_TWCC_MEMORY);
  guint8 fci[10] = { 0x08, 0x00, 0x10, 0x00, 0, 0, 1, 1, 0x10, 0x00 };
  guint n;

  read_run (rig->twcc, 0xffff, 1, 0, 1, rig->told);
  n = ivs_twcc_read (rig->twcc, fci, sizeof fci, rig->told);
  g_assert_cmpuint (n, ==, IVS_TWCC_MEMORY);
  g_assert_cmpuint (count_lost (rig->told, n), ==, IVS_TWCC_MEMORY);
}

static const TestCase cases[] = {
  { "gap", test_gap },
  { "lost-feedback", test_lost_feedback },
  { "twice", test_twice },
  { "round", test_round },
  { "reference-time", test_reference_time },
  { "forgotten", test_forgotten },
  { "all-at-once", test_all_at_once },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/twcc/feedback/", rows, test_row);
  ADD_CASES ("/twcc/", cases);
  return g_test_run ();
}
