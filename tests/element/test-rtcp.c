/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What RTCP says of our streams, from packets made for it.
 */
#include "end-gstreamer.h"
#include "gstivsrtcp.h"

#include <gst/rtp/rtp.h>
#include <string.h>

#define AUDIO_SSRC 0x1111
#define VIDEO_SSRC 0x2222

/* 100 s after some hour, in 32.32. */
#define NOW ((G_GUINT64_CONSTANT (3900000100) << 32))
#define MID(ntp) ((guint32) ((ntp) >> 16))

static void
reports_init (GstIvsReport reports[GST_IVS_N_KINDS])
{
  memset (reports, 0, GST_IVS_N_KINDS * sizeof (GstIvsReport));
  reports[GST_IVS_AUDIO] =
      (GstIvsReport){ AUDIO_SSRC, 48000, .round_trip = GST_CLOCK_TIME_NONE };
  reports[GST_IVS_VIDEO] =
      (GstIvsReport){ VIDEO_SSRC, 90000, .round_trip = GST_CLOCK_TIME_NONE };
}

static GstBuffer *
begin (GstRTCPBuffer *rtcp, GstRTCPPacket *packet)
{
  GstBuffer *buffer = gst_rtcp_buffer_new (1400);

  gst_rtcp_buffer_map (buffer, GST_MAP_READWRITE, rtcp);
  gst_rtcp_buffer_add_packet (rtcp, GST_RTCP_TYPE_RR, packet);
  gst_rtcp_packet_rr_set_ssrc (packet, 0x9999);
  return buffer;
}

/* Both streams in one report: each keeps its own. */
static void
test_report_blocks (void)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  GstIvsReport reports[GST_IVS_N_KINDS];
  g_autoptr (GstBuffer) buffer = begin (&rtcp, &packet);
  guint32 sent_at = MID (NOW) - 2 * 65536; /* our report left 2 s ago */

  gst_rtcp_packet_add_rb (&packet, AUDIO_SSRC, 64, 5, 1000, 480, sent_at,
      65536 + 32768); /* and lay there 1.5 s */
  gst_rtcp_packet_add_rb (&packet, VIDEO_SSRC, 128, -1, 2000, 900, 0, 0);
  gst_rtcp_packet_add_rb (&packet, 0x3333, 255, 77, 3000, 1, 1, 1);
  gst_rtcp_buffer_unmap (&rtcp);

  reports_init (reports);
  g_assert_true (gst_ivs_rtcp_read (buffer, NOW, reports, NULL, NULL));
  g_assert_true (reports[GST_IVS_AUDIO].has_report);
  g_assert_cmpint (reports[GST_IVS_AUDIO].packets_lost, ==, 5);
  g_assert_cmpfloat (reports[GST_IVS_AUDIO].fraction_lost, ==, 0.25);
  g_assert_cmpuint (reports[GST_IVS_AUDIO].jitter, ==, 10 * GST_MSECOND);
  g_assert_cmpuint (reports[GST_IVS_AUDIO].round_trip, ==, 500 * GST_MSECOND);
  g_assert_cmpint (reports[GST_IVS_VIDEO].packets_lost, ==, -1);
  g_assert_cmpuint (reports[GST_IVS_VIDEO].jitter, ==, 10 * GST_MSECOND);
  /* No report of ours had come yet: nothing to measure from. */
  g_assert_cmpuint (reports[GST_IVS_VIDEO].round_trip, ==, GST_CLOCK_TIME_NONE);
}

static void
test_feedback (void)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  GstIvsReport reports[GST_IVS_N_KINDS];
  g_autoptr (GstBuffer) buffer = begin (&rtcp, &packet);

  gst_rtcp_buffer_add_packet (&rtcp, GST_RTCP_TYPE_PSFB, &packet);
  gst_rtcp_packet_fb_set_type (&packet, GST_RTCP_PSFB_TYPE_PLI);
  gst_rtcp_packet_fb_set_media_ssrc (&packet, VIDEO_SSRC);
  gst_rtcp_buffer_add_packet (&rtcp, GST_RTCP_TYPE_RTPFB, &packet);
  gst_rtcp_packet_fb_set_type (&packet, GST_RTCP_RTPFB_TYPE_NACK);
  gst_rtcp_packet_fb_set_media_ssrc (&packet, VIDEO_SSRC);
  gst_rtcp_buffer_add_packet (&rtcp, GST_RTCP_TYPE_PSFB, &packet);
  gst_rtcp_packet_fb_set_type (&packet, GST_RTCP_PSFB_TYPE_FIR);
  gst_rtcp_packet_fb_set_fci_length (&packet, 2);
  memset (gst_rtcp_packet_fb_get_fci (&packet), 0, 8);
  GST_WRITE_UINT32_BE (gst_rtcp_packet_fb_get_fci (&packet), VIDEO_SSRC);
  gst_rtcp_buffer_unmap (&rtcp);

  reports_init (reports);
  /* The empty report that the compound begins with is none. */
  g_assert_false (gst_ivs_rtcp_read (buffer, NOW, reports, NULL, NULL));
  g_assert_false (gst_ivs_rtcp_read (buffer, NOW, reports, NULL, NULL));
  g_assert_cmpuint (reports[GST_IVS_VIDEO].plis, ==, 2);
  g_assert_cmpuint (reports[GST_IVS_VIDEO].nacks, ==, 2);
  g_assert_cmpuint (reports[GST_IVS_VIDEO].firs, ==, 2);
  g_assert_cmpuint (reports[GST_IVS_AUDIO].plis, ==, 0);
  g_assert_false (reports[GST_IVS_VIDEO].has_report);
}

/* -- Transport-wide feedback ------------------------------------------------------------ */

#define FCI_WORDS 3

static void
add_twcc (GstRTCPBuffer *rtcp, guint8 fill)
{
  GstRTCPPacket packet;

  gst_rtcp_buffer_add_packet (rtcp, GST_RTCP_TYPE_RTPFB, &packet);
  gst_rtcp_packet_fb_set_type (&packet, GST_RTCP_RTPFB_TYPE_TWCC);
  gst_rtcp_packet_fb_set_fci_length (&packet, FCI_WORDS);
  memset (gst_rtcp_packet_fb_get_fci (&packet), fill, 4 * FCI_WORDS);
}

static void
twcc_read (const guint8 *fci, gsize size, gpointer data)
{
  g_assert_cmpuint (size, ==, 4 * FCI_WORDS);
  g_string_append_c (data, (gchar) fci[size - 1]);
}

static gchar *
read_twcc (GstBuffer *compound, GstIvsReport *reports)
{
  GString *fills = g_string_new (NULL);

  gst_ivs_rtcp_read (compound, NOW, reports, twcc_read, fills);
  return g_string_free (fills, FALSE);
}

/* It is read, and what is left is the rest. */
static void
test_twcc (void)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  GstIvsReport reports[GST_IVS_N_KINDS];
  GstBuffer *buffer = begin (&rtcp, &packet);
  g_autofree gchar *before = NULL, *after = NULL;
  gsize size;

  gst_rtcp_packet_add_rb (&packet, AUDIO_SSRC, 64, 5, 1000, 480, 0, 0);
  add_twcc (&rtcp, 'a');
  gst_rtcp_buffer_add_packet (&rtcp, GST_RTCP_TYPE_PSFB, &packet);
  gst_rtcp_packet_fb_set_type (&packet, GST_RTCP_PSFB_TYPE_PLI);
  gst_rtcp_packet_fb_set_media_ssrc (&packet, VIDEO_SSRC);
  add_twcc (&rtcp, 'b');
  gst_rtcp_buffer_unmap (&rtcp);
  size = gst_buffer_get_size (buffer);

  reports_init (reports);
  before = read_twcc (buffer, reports);
  g_assert_cmpstr (before, ==, "ab");
  buffer = gst_ivs_rtcp_leave_out_twcc (buffer);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==,
      size - 2 * (12 + 4 * FCI_WORDS));
  after = read_twcc (buffer, reports);
  g_assert_cmpstr (after, ==, "");
  g_assert_cmpint (reports[GST_IVS_AUDIO].packets_lost, ==, 5);
  g_assert_cmpuint (reports[GST_IVS_VIDEO].plis, ==, 2);
  gst_buffer_unref (buffer);
}

/* RFC 5506: nothing else need be there. Somebody else has it too. */
static void
test_only_twcc (void)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  g_autoptr (GstBuffer) buffer = gst_rtcp_buffer_new (1400);
  g_autofree gchar *before = NULL;
  GstIvsReport reports[GST_IVS_N_KINDS];

  gst_rtcp_buffer_map (buffer, GST_MAP_READWRITE, &rtcp);
  add_twcc (&rtcp, 'a');
  gst_rtcp_buffer_unmap (&rtcp);
  g_assert_null (gst_ivs_rtcp_leave_out_twcc (gst_buffer_ref (buffer)));
  reports_init (reports);
  before = read_twcc (buffer, reports);
  g_assert_cmpstr (before, ==, "a");
}

/* What is no RTCP is left to whoever comes next. */
static void
test_no_rtcp (void)
{
  GstBuffer *buffer = gst_buffer_new_memdup ("hello", 5);

  buffer = gst_ivs_rtcp_leave_out_twcc (buffer);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, 5);
  gst_buffer_unref (buffer);
}

/* One block is told, one word of it is there; what follows is another packet. */
static void
test_cut_block (void)
{
  static const guint8 data[] = { /* RR of three words */
    0x81, 201, 0, 2, 0, 0, 0x99, 0x99, AUDIO_SSRC >> 24 & 255,
    AUDIO_SSRC >> 16 & 255, AUDIO_SSRC >> 8 & 255, AUDIO_SSRC & 255,
    /* APP of seven */
    0x80, 204, 0, 6, 0, 0, 0, 5, 'n', 'a', 'm', 'e', 1, 1, 1, 1, 2, 2, 2, 2, 3,
    3, 3, 3, 4, 4, 4, 4
  };
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_memdup (data, G_N_ELEMENTS (data));
  GstIvsReport reports[GST_IVS_N_KINDS];

  reports_init (reports);
  g_assert_true (gst_ivs_rtcp_read (buffer, NOW, reports, NULL, NULL));
  g_assert_false (reports[GST_IVS_AUDIO].has_report);
  g_assert_cmpint (reports[GST_IVS_AUDIO].packets_lost, ==, 0);
}

/* Whatever comes: nothing breaks, nothing is read beyond the end. */
static void
test_hostile (void)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  g_autoptr (GstBuffer) good = begin (&rtcp, &packet);
  g_autoptr (GBytes) bytes = NULL;
  gsize size;
  const guint8 *data;

  gst_rtcp_packet_add_rb (&packet, AUDIO_SSRC, 64, 5, 1000, 480, 1, 1);
  gst_rtcp_buffer_add_packet (&rtcp, GST_RTCP_TYPE_PSFB, &packet);
  gst_rtcp_packet_fb_set_type (&packet, GST_RTCP_PSFB_TYPE_FIR);
  gst_rtcp_packet_fb_set_fci_length (&packet, 2);
  gst_rtcp_buffer_unmap (&rtcp);
  size = gst_buffer_get_size (good);
  bytes = g_bytes_new_take (g_malloc0 (size), size);
  data = g_bytes_get_data (bytes, NULL);
  gst_buffer_extract (good, 0, (gpointer) data, size);

  for (guint round = 0; round < 20000; round++) {
    gsize length = (gsize) g_test_rand_int_range (1, (gint32) size + 1);
    guint8 *copy = g_memdup2 (data, length);
    g_autoptr (GstBuffer) bad = gst_buffer_new_wrapped (copy, length);
    GstIvsReport reports[GST_IVS_N_KINDS];

    for (guint i = 0; i < 3; i++)
      copy[g_test_rand_int_range (0, (gint32) length)] =
          (guint8) g_test_rand_int ();
    reports_init (reports);
    gst_ivs_rtcp_read (bad, NOW, reports, NULL, NULL);
    g_assert_cmpfloat (reports[GST_IVS_AUDIO].fraction_lost, <=, 1);
  }
}

static void
test_ntp_time (void)
{
  guint64 ntp = gst_ivs_rtcp_get_ntp_time ();
  gint64 seconds = (gint64) (ntp >> 32) - G_GINT64_CONSTANT (2208988800);

  g_assert_cmpint (ABS (seconds - g_get_real_time () / G_USEC_PER_SEC), <=, 1);
}

int
main (int argc, char **argv)
{
  int status;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rtcp/report-blocks", test_report_blocks);
  g_test_add_func ("/rtcp/feedback", test_feedback);
  g_test_add_func ("/rtcp/twcc", test_twcc);
  g_test_add_func ("/rtcp/only-twcc", test_only_twcc);
  g_test_add_func ("/rtcp/no-rtcp", test_no_rtcp);
  g_test_add_func ("/rtcp/cut-block", test_cut_block);
  g_test_add_func ("/rtcp/hostile", test_hostile);
  g_test_add_func ("/rtcp/ntp-time", test_ntp_time);
  status = g_test_run ();
  end_gstreamer ();
  return status;
}
