/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transport-wide sequence numbers: which packets were sent, and what a feedback says of
 * them.
 */
#pragma once

#include "ivs-rate.h"

G_BEGIN_DECLS

/* So many packets are remembered: the most that a stage takes is a thousand per second.
 * A divisor of 65536. */
#define IVS_TWCC_MEMORY 4096

/**
 * IvsTwcc:
 *
 * All members are private. Zero is its beginning; nothing to free; not thread-safe.
 */
typedef struct
{
  guint16 next; /* the number of the next packet */
  struct
  {
    gint64 sent_us;
    guint16 number;
    guint16 size; /* 0: nothing was sent, or it was told of already */
  } sent[IVS_TWCC_MEMORY];

  /* Of the feedback before. */
  gboolean has_feedback;
  guint8 next_count;
  guint16 next_base;
  gint64 time; /* its reference time, which does not wrap */
} IvsTwcc;

/**
 * ivs_twcc_send:
 * @size: bytes on the wire
 * @now_us: monotonic time, microseconds
 *
 * A packet leaves.
 *
 * Returns: the number that it carries
 */
guint16 ivs_twcc_send (IvsTwcc *self, guint size, gint64 now_us);

/**
 * ivs_twcc_read:
 * @fci: feedback control information (draft-holmer-rmcat-transport-wide-cc-extensions-01
 *   section 3.1, from the base sequence number on), of whatever length and truth
 * @size: its bytes
 * @packets: (out) (array length=IVS_TWCC_MEMORY): those that it tells of and that were
 *   not told of before; those that were lost between the feedback before and this one
 *   first, then in order of sending
 *
 * Returns: their number; 0: none, or it is not well formed
 */
guint ivs_twcc_read (IvsTwcc *self, const guint8 *fci, gsize size,
    IvsRatePacket packets[IVS_TWCC_MEMORY]);

G_END_DECLS
