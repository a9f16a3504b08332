/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: a compound packet of RTCP.
 */
#include "fuzz.h"
#include "gstivsrtcp.h"

#define NOW G_GUINT64_CONSTANT (0xe000000080000000)

static void
feedback_read (const guint8 *fci, gsize size, gpointer data)
{
  g_free (g_memdup2 (fci, size)); /* reads all of it */
}

static void
feedback_left (const guint8 *fci, gsize size, gpointer data)
{
  RULE (FALSE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  GstIvsReport reports[GST_IVS_N_KINDS] = {
    [GST_IVS_AUDIO] = { .ssrc = 0x01010101, .clock_rate = 48000 },
    [GST_IVS_VIDEO] = { .ssrc = 0x02020202, .clock_rate = 90000 },
  };
  GstBuffer *packet =
      size > 0 ? gst_buffer_new_memdup (data, size) : gst_buffer_new ();

  gst_ivs_rtcp_read (packet, NOW, reports, feedback_read, NULL);
  packet = gst_ivs_rtcp_leave_out_twcc (packet);
  if (packet != NULL)
    gst_ivs_rtcp_read (packet, NOW, reports, feedback_left, NULL);
  gst_clear_buffer (&packet);
  for (guint i = 0; i < GST_IVS_N_KINDS; i++)
    RULE (reports[i].fraction_lost >= 0 && reports[i].fraction_lost <= 1);
  return 0;
}
