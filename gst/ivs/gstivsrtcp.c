/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the other side's RTCP says of our streams.
 *
 * rtpsession keeps only the last report block of a participant: of two streams in
 * one bundle it would be now the one's, now the other's. So the packets are read
 * here.
 */
#include "gstivsrtcp.h"

#include <gst/rtp/rtp.h>

/* Seconds from 1900 to 1970. */
#define NTP_EPOCH G_GUINT64_CONSTANT (2208988800)
/* A round trip beyond it is not one, but a clock that was set. */
#define MAX_ROUND_TRIP (10 * GST_SECOND)

guint64
gst_ivs_rtcp_get_ntp_time (void)
{
  guint64 now = (guint64) g_get_real_time ();

  return ((now / G_USEC_PER_SEC + NTP_EPOCH) << 32) +
      (((now % G_USEC_PER_SEC) << 32) / G_USEC_PER_SEC);
}

static GstIvsReport *
find_report (GstIvsReport *reports, guint32 ssrc)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (reports[kind].ssrc == ssrc)
      return &reports[kind];
  }
  return NULL;
}

/* RFC 3550 section 6.4.1: arrival - last SR - delay since then, all in 16.16
 * seconds. */
static GstClockTime
get_round_trip (guint64 now_ntp, guint32 last_sr, guint32 delay)
{
  guint32 round_trip = (guint32) (now_ntp >> 16) - last_sr - delay;
  GstClockTime time = gst_util_uint64_scale (round_trip, GST_SECOND, 65536);

  return last_sr != 0 && time < MAX_ROUND_TRIP ? time : GST_CLOCK_TIME_NONE;
}

/* The count is the sender's word, and GStreamer sets nothing for a block that is not
 * there. The length is in words, without the first (RFC 3550 section 6.4.1). */
static guint
count_report_blocks (GstRTCPPacket *packet)
{
  guint before = gst_rtcp_packet_get_type (packet) == GST_RTCP_TYPE_SR ? 6 : 1;
  guint words = gst_rtcp_packet_get_length (packet);

  return MIN (gst_rtcp_packet_get_rb_count (packet),
      words > before ? (words - before) / 6 : 0);
}

static void
read_report_block (GstRTCPPacket *packet, guint i, guint64 now_ntp,
    GstIvsReport *reports)
{
  guint32 ssrc, highest_seq, jitter, last_sr, delay;
  guint8 fraction;
  gint32 lost;
  GstIvsReport *report = NULL;
  GstClockTime round_trip;

  gst_rtcp_packet_get_rb (packet, i, &ssrc, &fraction, &lost, &highest_seq,
      &jitter, &last_sr, &delay);
  report = find_report (reports, ssrc);
  if (report == NULL)
    return;

  round_trip = get_round_trip (now_ntp, last_sr, delay);
  report->has_report = TRUE;
  report->packets_lost = lost;
  report->highest_seq = highest_seq;
  report->fraction_lost = fraction / 256.0;
  report->jitter = report->clock_rate > 0
      ? gst_util_uint64_scale (jitter, GST_SECOND, report->clock_rate)
      : 0;
  if (GST_CLOCK_TIME_IS_VALID (round_trip))
    report->round_trip = round_trip;
}

/* FIR names its streams in its body (RFC 5104 section 4.3.1.1), 8 bytes each. */
static void
read_full_intra_request (GstRTCPPacket *packet, GstIvsReport *reports)
{
  guint8 *body = gst_rtcp_packet_fb_get_fci (packet);
  guint words = gst_rtcp_packet_fb_get_fci_length (packet);

  for (guint i = 0; i + 2 <= words; i += 2) {
    GstIvsReport *report =
        find_report (reports, GST_READ_UINT32_BE (body + 4 * i));

    if (report != NULL)
      report->firs++;
  }
}

static void
read_feedback (GstRTCPPacket *packet, GstIvsReport *reports)
{
  GstIvsReport *report =
      find_report (reports, gst_rtcp_packet_fb_get_media_ssrc (packet));
  gboolean is_payload = gst_rtcp_packet_get_type (packet) == GST_RTCP_TYPE_PSFB;
  GstRTCPFBType type = gst_rtcp_packet_fb_get_type (packet);

  if (is_payload && type == GST_RTCP_PSFB_TYPE_FIR)
    read_full_intra_request (packet, reports);
  else if (report != NULL && is_payload && type == GST_RTCP_PSFB_TYPE_PLI)
    report->plis++;
  else if (report != NULL && !is_payload && type == GST_RTCP_RTPFB_TYPE_NACK)
    report->nacks++;
}

/* Returns whether it is a report. An empty RR is not: each compound begins with one, that
 * of a feedback too (RFC 4585 section 3.1), and says nothing of when reports come. */
static gboolean
read_packet (GstRTCPPacket *packet, guint64 now_ntp, GstIvsReport *reports)
{
  gboolean is_formality =
      gst_rtcp_packet_get_type (packet) == GST_RTCP_TYPE_RR &&
      gst_rtcp_packet_get_rb_count (packet) == 0;

  switch (gst_rtcp_packet_get_type (packet)) {
    case GST_RTCP_TYPE_SR:
    case GST_RTCP_TYPE_RR:
      for (guint i = 0; i < count_report_blocks (packet); i++)
        read_report_block (packet, i, now_ntp, reports);
      return !is_formality;
    case GST_RTCP_TYPE_RTPFB:
    case GST_RTCP_TYPE_PSFB:
      read_feedback (packet, reports);
      return FALSE;
    default:
      return FALSE;
  }
}

static gboolean
is_twcc (GstRTCPPacket *packet)
{
  return gst_rtcp_packet_get_type (packet) == GST_RTCP_TYPE_RTPFB &&
      gst_rtcp_packet_fb_get_type (packet) == GST_RTCP_RTPFB_TYPE_TWCC;
}

static gboolean
map (GstBuffer *buffer, GstMapFlags flags, GstRTCPBuffer *rtcp)
{
  /* An empty one has no data, which gst_rtcp_buffer_validate_reduced() insists on. */
  return gst_buffer_get_size (buffer) > 0 &&
      gst_rtcp_buffer_validate_reduced (buffer) &&
      gst_rtcp_buffer_map (buffer, flags, rtcp);
}

gboolean
gst_ivs_rtcp_read (GstBuffer *buffer, guint64 now_ntp,
    GstIvsReport reports[GST_IVS_N_KINDS], GstIvsRtcpTwccFunc twcc,
    gpointer data)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  gboolean has_report = FALSE;

  if (!map (buffer, GST_MAP_READ, &rtcp))
    return FALSE;
  if (gst_rtcp_buffer_get_first_packet (&rtcp, &packet)) {
    do {
      if (!is_twcc (&packet))
        has_report |= read_packet (&packet, now_ntp, reports);
      else if (twcc != NULL)
        twcc (gst_rtcp_packet_fb_get_fci (&packet),
            4 * (gsize) gst_rtcp_packet_fb_get_fci_length (&packet), data);
    } while (gst_rtcp_packet_move_to_next (&packet));
  }
  gst_rtcp_buffer_unmap (&rtcp);
  return has_report;
}

GstBuffer *
gst_ivs_rtcp_leave_out_twcc (GstBuffer *buffer)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  gboolean is_there;

  buffer = gst_buffer_make_writable (buffer);
  if (!map (buffer, GST_MAP_READWRITE, &rtcp))
    return buffer;
  is_there = gst_rtcp_buffer_get_first_packet (&rtcp, &packet);
  while (is_there)
    is_there = is_twcc (&packet) ? gst_rtcp_packet_remove (&packet)
                                 : gst_rtcp_packet_move_to_next (&packet);
  gst_rtcp_buffer_unmap (&rtcp);
  if (gst_buffer_get_size (buffer) == 0)
    gst_clear_buffer (&buffer);
  return buffer;
}
