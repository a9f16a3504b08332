/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transport-wide sequence numbers: which packets were sent, and what a feedback says of
 * them.
 *
 * Sections are those of draft-holmer-rmcat-transport-wide-cc-extensions-01.
 *
 * GStreamer's rtpsession can do both. But it makes a structure of each packet that a
 * feedback tells of and sends them upstream, for which it needed a third of the
 * instructions of a session; 1.22 remembers what was sent for ever where no feedback
 * comes; and it reads a delta before it looks whether there is one.
 */
#include "ivs-twcc.h"

/* 3.1: base number and count of packets, 2 bytes each; reference time, 3; count of
 * feedbacks, 1. */
#define HEADER_SIZE 8
#define TIME_AT 4
#define COUNT_AT 7
#define TIME_UNIT_US (64 * 1000)
#define TIME_PERIOD (1 << 24)
#define DELTA_UNIT_US 250
/* Further than this no clock has come; before it, nothing can overflow. */
#define MAX_TIME (G_GINT64_CONSTANT (1) << 40)

/* 3.1.1 */
typedef enum
{
  NOT_RECEIVED,
  SMALL_DELTA,
  LARGE_DELTA,
  RESERVED
} Symbol;

guint16
ivs_twcc_send (IvsTwcc *self, guint size, gint64 now_us)
{
  guint16 number = self->next++;
  guint place = number % IVS_TWCC_MEMORY;

  self->sent[place].sent_us = now_us;
  self->sent[place].number = number;
  self->sent[place].size = (guint16) CLAMP (size, 1, G_MAXUINT16);
  return number;
}

/* -- The symbols, one for each packet -------------------------------------------------- */

typedef struct
{
  const guint8 *next, *end; /* chunks of two bytes each */
  guint16 chunk;
  guint n_left; /* symbols of it */
} Symbols;

/* 3.1.2 to 3.1.4. FALSE: there are no more. */
static gboolean
next_chunk (Symbols *self)
{
  if (self->end - self->next < 2)
    return FALSE;
  self->chunk = (guint16) (self->next[0] << 8 | self->next[1]);
  self->next += 2;
  if ((self->chunk & 0x8000) == 0)
    self->n_left = self->chunk & 0x1fff; /* a run of one */
  else
    self->n_left = self->chunk & 0x4000 ? 7 : 14;
  return TRUE;
}

static Symbol
get_symbol (const Symbols *self)
{
  if ((self->chunk & 0x8000) == 0)
    return (self->chunk >> 13) & 3;
  if (self->chunk & 0x4000)
    return (self->chunk >> (2 * (self->n_left - 1))) & 3;
  return (self->chunk >> (self->n_left - 1)) & 1 ? SMALL_DELTA : NOT_RECEIVED;
}

/* A run may have no length. */
static gboolean
next_symbol (Symbols *self, Symbol *symbol)
{
  while (self->n_left == 0)
    if (!next_chunk (self))
      return FALSE;
  *symbol = get_symbol (self);
  self->n_left--;
  return TRUE;
}

/* The deltas follow on the chunks, which say how many there are: where they begin, or NULL
 * where something is missing. */
static const guint8 *
find_deltas (const guint8 *fci, gsize size, guint n_packets)
{
  Symbols symbols = { .next = fci + HEADER_SIZE, .end = fci + size };
  gsize needed = 0;
  Symbol symbol;

  for (guint i = 0; i < n_packets; i++) {
    if (!next_symbol (&symbols, &symbol) || symbol == RESERVED)
      return NULL;
    needed += symbol; /* the bytes of its delta, as it happens */
  }
  return needed <= (gsize) (symbols.end - symbols.next) ? symbols.next : NULL;
}

/* 3.1.5, in units of it. */
static gint
take_delta (Symbol symbol, const guint8 **deltas)
{
  const guint8 *delta = *deltas;

  *deltas += symbol;
  if (symbol == SMALL_DELTA)
    return delta[0];
  return (gint16) (delta[0] << 8 | delta[1]);
}

/* -- What is told ------------------------------------------------------------------------ */

/* The reference time has 24 bits: it is the one that is next to that of before. */
static void
follow_time (IvsTwcc *self, guint32 told)
{
  gint64 step = (told - self->time) & (TIME_PERIOD - 1);

  if (self->time <= 0 || self->time >= MAX_TIME)
    self->time = TIME_PERIOD + (gint64) told;
  else
    self->time += step < TIME_PERIOD / 2 ? step : step - TIME_PERIOD;
}

/* Each is told of once, so there are never more of them than are remembered. */
static void
tell (IvsTwcc *self, guint16 number, gint64 arrived_us, IvsRatePacket *packets,
    guint *n)
{
  guint place = number % IVS_TWCC_MEMORY;

  if (self->sent[place].number != number || self->sent[place].size == 0)
    return;
  packets[(*n)++] = (IvsRatePacket){ .sent_us = self->sent[place].sent_us,
    .arrived_us = arrived_us,
    .size = self->sent[place].size };
  self->sent[place].size = 0;
}

/* What lies between two feedbacks that follow on each other has not arrived. When one of
 * them is missing, it may have told. */
static void
tell_gap (IvsTwcc *self, guint16 base, guint8 count, IvsRatePacket *packets,
    guint *n)
{
  guint16 gap = (guint16) (base - self->next_base);

  if (!self->has_feedback || count != self->next_count ||
      gap >= IVS_TWCC_MEMORY)
    return;
  for (guint i = 0; i < gap; i++)
    tell (self, (guint16) (self->next_base + i), -1, packets, n);
}

/* One that was overtaken by a later one does not change what is expected. */
static void
expect_next (IvsTwcc *self, guint16 next_base, guint8 count)
{
  if (self->has_feedback && (gint8) (count - self->next_count) < 0)
    return;
  self->has_feedback = TRUE;
  self->next_count = (guint8) (count + 1);
  self->next_base = next_base;
}

static void
tell_packets (IvsTwcc *self, Symbols *symbols, const guint8 *deltas,
    guint16 base, guint n_packets, IvsRatePacket *packets, guint *n)
{
  gint64 arrived_us = self->time * TIME_UNIT_US;
  Symbol symbol;

  for (guint i = 0; i < n_packets && next_symbol (symbols, &symbol); i++) {
    guint16 number = (guint16) (base + i);

    if (symbol == NOT_RECEIVED) {
      tell (self, number, -1, packets, n);
      continue;
    }
    arrived_us += take_delta (symbol, &deltas) * DELTA_UNIT_US;
    tell (self, number, MAX (arrived_us, 0), packets, n);
  }
}

guint
ivs_twcc_read (IvsTwcc *self, const guint8 *fci, gsize size,
    IvsRatePacket packets[IVS_TWCC_MEMORY])
{
  Symbols symbols = { 0 };
  guint16 base, n_packets;
  const guint8 *deltas;
  guint n = 0;

  if (size < HEADER_SIZE)
    return 0;
  base = (guint16) (fci[0] << 8 | fci[1]);
  n_packets = (guint16) (fci[2] << 8 | fci[3]);
  if (n_packets > IVS_TWCC_MEMORY)
    return 0;
  deltas = find_deltas (fci, size, n_packets);
  if (deltas == NULL)
    return 0;

  symbols.next = fci + HEADER_SIZE;
  symbols.end = deltas;
  follow_time (self,
      (guint32) (fci[TIME_AT] << 16 | fci[TIME_AT + 1] << 8 |
          fci[TIME_AT + 2]));
  tell_gap (self, base, fci[COUNT_AT], packets, &n);
  tell_packets (self, &symbols, deltas, base, n_packets, packets, &n);
  expect_next (self, (guint16) (base + n_packets), fci[COUNT_AT]);
  return n;
}
