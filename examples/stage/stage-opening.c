/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a picture begins at the network.
 */
#include "stage-opening.h"

#define CLOCK_RATE 90000
#define NAL_IDR 5
#define NAL_SPS 7
#define NAL_STAP_A 24
#define NAL_FU_A 28
#define NAL_TYPE(byte) ((byte) &0x1f)

static void
see_nal (StageOpening *opening, guint type)
{
  opening->has_sps |= type == NAL_SPS;
  opening->has_idr |= type == NAL_IDR;
}

/* RFC 6184, 5.7.1: a size of two bytes before each NAL unit. */
static void
see_aggregate (StageOpening *opening, const guint8 *data, gsize size)
{
  while (size > 2) {
    gsize unit = GST_READ_UINT16_BE (data);

    see_nal (opening, NAL_TYPE (data[2]));
    if (unit + 2 >= size)
      return;
    data += unit + 2;
    size -= unit + 2;
  }
}

static void
see_payload (StageOpening *opening, const guint8 *data, gsize size)
{
  if (size < 2)
    return;
  if (NAL_TYPE (data[0]) == NAL_STAP_A)
    see_aggregate (opening, data + 1, size - 1);
  else if (NAL_TYPE (data[0]) == NAL_FU_A)
    see_nal (opening, NAL_TYPE (data[1]));
  else
    see_nal (opening, NAL_TYPE (data[0]));
}

/* What is missing makes the picture useless: the next SPS begins again. */
static void
follow_sequence (StageOpening *opening, guint16 sequence)
{
  if (opening->has_first && sequence != (guint16) (opening->last_sequence + 1u))
    opening->has_sps = opening->has_idr = FALSE;
  opening->last_sequence = sequence;
}

static void
measure_lead (StageOpening *opening, guint32 timestamp, gint64 now_us)
{
  gint32 ticks = (gint32) (timestamp - opening->first_timestamp);
  gint64 lead_us = (gint64) ticks * G_USEC_PER_SEC / CLOCK_RATE -
      (now_us - opening->first_us);

  opening->longest_lead_us = MAX (opening->longest_lead_us, lead_us);
}

void
stage_opening_count (StageOpening *opening, GstRTPBuffer *packet, gint64 now_us)
{
  guint32 timestamp = gst_rtp_buffer_get_timestamp (packet);

  follow_sequence (opening, gst_rtp_buffer_get_seq (packet));
  if (!opening->has_first) {
    opening->has_first = TRUE;
    opening->first_timestamp = timestamp;
    opening->first_us = now_us;
  }
  measure_lead (opening, timestamp, now_us);
  if (opening->first_picture_us > 0)
    return;
  see_payload (opening, gst_rtp_buffer_get_payload (packet),
      gst_rtp_buffer_get_payload_len (packet));
  if (gst_rtp_buffer_get_marker (packet) && opening->has_sps &&
      opening->has_idr)
    opening->first_picture_us = now_us;
}
