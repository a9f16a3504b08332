/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: transport-wide feedback. Whatever it is, it tells of packets that were sent,
 * and of each once.
 */
#include "fuzz.h"
#include "ivs-twcc.h"

#define SIZE 1000
#define MAX_SENT 70000

/* The input is: how many packets are sent, two bytes, then the length of a feedback, one
 * byte, and it; again and again. */
static gsize
take (const guint8 **data, gsize *left, guint bytes)
{
  gsize number = 0;

  for (; bytes > 0 && *left > 0; bytes--) {
    number = number << 8 | **data;
    ++*data;
    --*left;
  }
  return number;
}

static void
check (const IvsRatePacket *packet, gint64 n_sent, guint8 *is_told)
{
  RULE (packet->size == SIZE);
  RULE (packet->arrived_us >= -1);
  RULE (packet->sent_us >= 0 && packet->sent_us < n_sent);
  RULE (!is_told[packet->sent_us]);
  is_told[packet->sent_us] = TRUE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree IvsTwcc *twcc = g_new0 (IvsTwcc, 1);
  g_autofree IvsRatePacket *packets = g_new (IvsRatePacket, IVS_TWCC_MEMORY);
  g_autofree guint8 *is_told = g_malloc0 (MAX_SENT);
  gint64 n_sent = 0;

  while (size > 0) {
    gsize more = take (&data, &size, 2);
    gsize length = take (&data, &size, 1);
    /* Its own memory, so that whoever reads further is seen. */
    g_autofree guint8 *fci = g_memdup2 (data, MIN (length, size));
    guint n;

    for (; more > 0 && n_sent < MAX_SENT; more--)
      ivs_twcc_send (twcc, SIZE, n_sent++);
    length = MIN (length, size);
    n = ivs_twcc_read (twcc, fci, length, packets);
    RULE (n <= IVS_TWCC_MEMORY);
    for (guint i = 0; i < n; i++)
      check (&packets[i], n_sent, is_told);
    data += length;
    size -= length;
  }
  return 0;
}
