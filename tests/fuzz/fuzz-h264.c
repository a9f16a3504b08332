/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the payload of an RTP packet of H.264, its parameter sets and slices.
 */
#include "fuzz.h"
#include "gstivsh264.h"

/* What lies behind the end must not matter: read from a copy of its own. */
static void
read_nal (const GstIvsNal *nal)
{
  g_autofree guint8 *body = g_memdup2 (nal->body, nal->size);
  gboolean is_first = FALSE;
  gboolean is_b = FALSE;
  GstIvsSps sps;

  gst_ivs_h264_read_slice (body, nal->size, &is_first, &is_b);
  if (!gst_ivs_h264_read_sps (body, nal->size, &sps))
    return;
  /* No level of H.264 has more (A.3.1). */
  RULE (sps.width > 0 && sps.width < 17000);
  RULE (sps.height > 0 && sps.height < 17000);
  RULE (sps.reorder_frames <= 16);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  GstIvsNal nal;
  gsize at = 0;

  while (gst_ivs_h264_next_nal (data, size, &at, &nal)) {
    RULE (at <= size);
    RULE (nal.body >= data && nal.size <= size);
    RULE (nal.body + nal.size <= data + size);
    read_nal (&nal);
  }
  return 0;
}
