/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bad network of the tests: whether it is as bad as it says.
 */
#include <gio/gio.h>

#include "udp-relay.h"

#define SIZE 972 /* with 28 of IP and UDP: 1000 */
#define PATIENCE_US (5 * G_USEC_PER_SEC)

/* A client and a server, the relay between them. */
typedef struct
{
  UdpRelay *relay;
  GSocket *client, *server;
  GSocketAddress *entry;
} Net;

static GSocket *
open_socket (guint16 *port)
{
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) own = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_UDP, &error);

  g_assert_no_error (error);
  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  own = g_socket_get_local_address (socket, NULL);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (own));
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

static void
net_init (Net *net, const UdpRelayPath *up)
{
  guint16 client, server;

  net->relay = udp_relay_start (1);
  net->client = open_socket (&client);
  net->server = open_socket (&server);
  net->entry = g_inet_socket_address_new_from_string ("127.0.0.1",
      udp_relay_get_port (net->relay));
  udp_relay_set_server (net->relay, server);
  udp_relay_set_path (net->relay, UDP_RELAY_UP, up);
}

static void
net_clear (Net *net)
{
  udp_relay_stop (net->relay);
  g_object_unref (net->client);
  g_object_unref (net->server);
  g_object_unref (net->entry);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Net, net_clear)

static void
send_numbered (Net *net, guint n)
{
  guint8 data[SIZE] = { 0 };

  for (guint i = 0; i < n; i++) {
    data[0] = (guint8) i;
    g_assert_cmpint (g_socket_send_to (net->client, net->entry,
                         (const gchar *) data, SIZE, NULL, NULL),
        ==, SIZE);
  }
}

/* The number of the next one, or -1: none came until @deadline_us. */
static gint
receive_one (GSocket *socket, GSocketAddress **from, gint64 deadline_us)
{
  guint8 data[SIZE];

  if (!g_socket_condition_timed_wait (socket, G_IO_IN,
          MAX (deadline_us - g_get_monotonic_time (), 0), NULL, NULL))
    return -1;
  g_assert_cmpint (g_socket_receive_from (socket, from, (gchar *) data, SIZE,
                       NULL, NULL),
      ==, SIZE);
  return data[0];
}

/* How many come, in order, at most @n. */
static guint
receive_in_order (Net *net, guint n)
{
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;
  gint last = -1;
  guint i = 0;

  for (; i < n; i++) {
    gint number = receive_one (net->server, NULL, deadline_us);

    if (number < 0)
      return i;
    g_assert_cmpint (number, >, last);
    last = number;
  }
  return i;
}

/* Until each of @n datagrams has either come or been dropped; how many came. */
static guint
receive_all (Net *net, guint n, UdpRelayStats *stats)
{
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;
  guint received = 0;

  do {
    if (receive_one (net->server, NULL, g_get_monotonic_time () + 20000) >= 0)
      received++;
    udp_relay_get_stats (net->relay, UDP_RELAY_UP, stats);
  } while (received + stats->overflowed + stats->lost < n &&
      g_get_monotonic_time () < deadline_us);
  g_assert_cmpuint (received, ==, stats->packets);
  g_assert_cmpuint (received + stats->overflowed + stats->lost, ==, n);
  return received;
}

static void
test_both_ways (void)
{
  g_auto (Net) net = { 0 };
  g_autoptr (GSocketAddress) back = NULL;
  guint8 data[SIZE] = { 42 };
  gint64 deadline_us = g_get_monotonic_time () + PATIENCE_US;

  net_init (&net, &(UdpRelayPath){ 0 });
  send_numbered (&net, 1);
  g_assert_cmpint (receive_one (net.server, &back, deadline_us), ==, 0);
  g_assert_cmpint (g_socket_send_to (net.server, back, (const gchar *) data,
                       SIZE, NULL, NULL),
      ==, SIZE);
  g_assert_cmpint (receive_one (net.client, NULL, deadline_us), ==, 42);
}

/* 20 datagrams of 8000 bits at 400 kbit/s take 0.4 s. */
static void
test_rate (void)
{
  g_auto (Net) net = { 0 };
  gint64 began_us = g_get_monotonic_time ();
  UdpRelayStats stats;

  net_init (&net, &(UdpRelayPath){ .rate_bps = 400000, .queue_ms = 1000 });
  send_numbered (&net, 20);
  g_assert_cmpuint (receive_in_order (&net, 20), ==, 20);
  g_assert_cmpint (g_get_monotonic_time () - began_us, >=, 390000);
  udp_relay_get_stats (net.relay, UDP_RELAY_UP, &stats);
  g_assert_cmpuint (stats.packets, ==, 20);
  g_assert_cmpuint (stats.overflowed, ==, 0);
  g_assert_cmpuint (stats.longest_wait_ms, >=, 350);
}

/* 100 ms at 400 kbit/s are 5 datagrams; the last ones find no room. */
static void
test_queue (void)
{
  g_auto (Net) net = { 0 };
  UdpRelayStats stats;

  net_init (&net, &(UdpRelayPath){ .rate_bps = 400000, .queue_ms = 100 });
  send_numbered (&net, 50);
  g_assert_cmpuint (receive_all (&net, 50, &stats), >=, 5);
  g_assert_cmpuint (stats.overflowed, >, 0);
}

static void
test_delay (void)
{
  g_auto (Net) net = { 0 };
  gint64 began_us = g_get_monotonic_time ();

  net_init (&net, &(UdpRelayPath){ .delay_ms = 100, .jitter_ms = 50 });
  send_numbered (&net, 50);
  g_assert_cmpuint (receive_in_order (&net, 50), ==, 50);
  g_assert_cmpint (g_get_monotonic_time () - began_us, >=, 100000);
}

static void
test_loss (void)
{
  g_auto (Net) net = { 0 };
  UdpRelayStats stats;

  net_init (&net, &(UdpRelayPath){ .loss = 0.5 });
  send_numbered (&net, 100);
  receive_all (&net, 100, &stats);
  g_assert_cmpuint (stats.lost, >, 25);
  g_assert_cmpuint (stats.lost, <, 75);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/udp-relay/both-ways", test_both_ways);
  g_test_add_func ("/udp-relay/rate", test_rate);
  g_test_add_func ("/udp-relay/queue-overflows", test_queue);
  g_test_add_func ("/udp-relay/delay-keeps-order", test_delay);
  g_test_add_func ("/udp-relay/loss", test_loss);
  return g_test_run ();
}
