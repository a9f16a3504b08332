/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-bench-link: puts a stage on this computer behind a bad network.
 *
 *     ivs-bench-link REGIONAL_URL
 *
 * It prints the URL to publish to, then ten times a second what went up: the time
 * (microseconds of the wall clock), the packets and the bytes that passed, with their
 * headers, those that overflowed, those that were lost, and the longest wait in the
 * queue. A line "1000000 25 0.01 0" on its standard input is the path from now
 * on: bits per second (0 = no limit), one-way delay in ms, loss, bits per second of
 * another flow. It ends with its standard input.
 */
#include <stdio.h>

#include "whip-relay.h"

#define REPORT_MS 100
#define HEADERS 28 /* IP and UDP */

typedef struct
{
  UdpRelay *udp;
  GMainLoop *loop;
} Link;

/* The stage learns a sender's address from its checks, as from behind a NAT; else it
 * would answer past the link. */
static const gchar *const candidates[] = { "a=candidate:", NULL };

static void
set_path (Link *self, const gchar *line)
{
  UdpRelayPath up = { 0 }, down = { 0 };

  if (sscanf (line, "%u %u %lf %u", &up.rate_bps, &up.delay_ms, &up.loss,
          &up.cross_bps) != 4)
    g_error ("This is no path: %s", line);
  down.delay_ms = up.delay_ms;
  udp_relay_set_path (self->udp, UDP_RELAY_UP, &up);
  udp_relay_set_path (self->udp, UDP_RELAY_DOWN, &down);
}

static gboolean
line_came (GIOChannel *input, GIOCondition condition, gpointer data)
{
  Link *self = data;
  g_autofree gchar *line = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) !=
      G_IO_STATUS_NORMAL) {
    g_main_loop_quit (self->loop);
    return G_SOURCE_REMOVE;
  }
  set_path (self, line);
  return G_SOURCE_CONTINUE;
}

static gboolean
report_due (gpointer data)
{
  Link *self = data;
  UdpRelayStats stats;

  udp_relay_get_stats (self->udp, UDP_RELAY_UP, &stats);
  printf ("%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
          " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %u\n",
      g_get_real_time (), stats.packets, stats.bytes + HEADERS * stats.packets,
      stats.overflowed, stats.lost, stats.longest_wait_ms);
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  Link self = { 0 };
  WhipRelay *whip;
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);

  if (argc != 2) {
    fprintf (stderr, "Usage: %s REGIONAL_URL\n", argv[0]);
    return 2;
  }
  self.udp = udp_relay_start (1);
  whip = whip_relay_start (self.udp, argv[1]);
  whip_relay_drop_lines (whip, candidates);
  printf ("%s\n", whip_relay_get_url (whip));
  fflush (stdout);
  g_timeout_add (REPORT_MS, report_due, &self);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, line_came, &self);
  self.loop = g_main_loop_new (NULL, FALSE);
  g_main_loop_run (self.loop);
  whip_relay_stop (whip);
  udp_relay_stop (self.udp);
  g_main_loop_unref (self.loop);
  return 0;
}
