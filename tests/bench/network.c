/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-bench-network: puts a stage on this computer as far away as one likes.
 *
 *     ivs-bench-network REGIONAL_URL CERTIFICATE.PEM
 *
 * REGIONAL_URL is a stage's, over http; the file holds a certificate and its key. It
 * prints a line of JSON with the URLs of the same stage through the delay: direct, and
 * through a redirect, with and without TLS. A line "100" on its standard input sets the
 * round trip in milliseconds, for TCP and UDP, and is answered with "100". It ends with
 * its standard input.
 */
#include <libsoup/soup.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcp-relay.h"
#include "whip-relay.h"

/* As http and as https. */
typedef struct
{
  WhipRelay *whip;
  TcpRelay *regional, *global;
  SoupServer *redirector;
  gchar *direct, *redirected;
} Door;

typedef struct
{
  UdpRelay *udp;
  Door doors[2];
  GMainLoop *loop;
} Network;

/* The stage learns a sender's address from its checks, as from behind a NAT; else it
 * would answer past the delay. */
static const gchar *const candidates[] = { "a=candidate:", NULL };

static guint16
get_port (SoupServer *server)
{
  GSList *listeners = soup_server_get_listeners (server);
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (listeners->data, NULL);

  g_slist_free (listeners);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static void
redirect (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  Door *door = data;

  soup_server_message_set_redirect (message, SOUP_STATUS_TEMPORARY_REDIRECT,
      door->direct);
}

static gchar *
make_url (GTlsCertificate *certificate, TcpRelay *relay)
{
  return g_strdup_printf ("%s://127.0.0.1:%u/",
      certificate != NULL ? "https" : "http", tcp_relay_get_port (relay));
}

static void
open_door (Door *door, UdpRelay *udp, const gchar *regional,
    GTlsCertificate *certificate)
{
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GError) error = NULL;

  door->whip = whip_relay_start_tls (udp, regional, certificate);
  whip_relay_drop_lines (door->whip, candidates);
  uri = g_uri_parse (whip_relay_get_url (door->whip), G_URI_FLAGS_NONE, NULL);
  door->regional = tcp_relay_start ((guint16) g_uri_get_port (uri));
  door->direct = make_url (certificate, door->regional);

  door->redirector = soup_server_new (NULL, NULL);
  if (certificate != NULL)
    soup_server_set_tls_certificate (door->redirector, certificate);
  soup_server_add_handler (door->redirector, NULL, redirect, door, NULL);
  soup_server_listen_local (door->redirector, 0,
      SOUP_SERVER_LISTEN_IPV4_ONLY |
          (certificate != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0),
      &error);
  g_assert_no_error (error);
  door->global = tcp_relay_start (get_port (door->redirector));
  door->redirected = make_url (certificate, door->global);
}

static void
set_round_trip (Network *network, guint ms)
{
  UdpRelayPath path = { .delay_ms = ms / 2 };

  for (guint i = 0; i < UDP_RELAY_N_DIRECTIONS; i++)
    udp_relay_set_path (network->udp, i, &path);
  for (guint i = 0; i < G_N_ELEMENTS (network->doors); i++) {
    tcp_relay_set_round_trip (network->doors[i].regional, ms);
    tcp_relay_set_round_trip (network->doors[i].global, ms);
  }
}

static gboolean
line_came (GIOChannel *input, GIOCondition condition, gpointer data)
{
  Network *network = data;
  g_autofree gchar *line = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) !=
      G_IO_STATUS_NORMAL) {
    g_main_loop_quit (network->loop);
    return G_SOURCE_REMOVE;
  }
  set_round_trip (network, (guint) atoi (line));
  printf ("%d\n", atoi (line));
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

static void
close_door (Door *door)
{
  tcp_relay_stop (door->regional);
  tcp_relay_stop (door->global);
  whip_relay_stop (door->whip);
  soup_server_disconnect (door->redirector);
  g_object_unref (door->redirector);
  g_free (door->direct);
  g_free (door->redirected);
}

int
main (int argc, char **argv)
{
  Network network = { 0 };
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);
  g_autoptr (GError) error = NULL;

  if (argc != 3) {
    fprintf (stderr, "Usage: %s REGIONAL_URL CERTIFICATE.PEM\n", argv[0]);
    return 2;
  }
  certificate = g_tls_certificate_new_from_file (argv[2], &error);
  if (certificate == NULL) {
    fprintf (stderr, "%s: %s\n", argv[2], error->message);
    return 2;
  }
  network.udp = udp_relay_start (1);
  open_door (&network.doors[0], network.udp, argv[1], NULL);
  open_door (&network.doors[1], network.udp, argv[1], certificate);
  printf ("{\"http\":\"%s\",\"http-redirected\":\"%s\",\"https\":\"%s\","
          "\"https-redirected\":\"%s\"}\n",
      network.doors[0].direct, network.doors[0].redirected,
      network.doors[1].direct, network.doors[1].redirected);
  fflush (stdout);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, line_came, &network);
  network.loop = g_main_loop_new (NULL, FALSE);
  g_main_loop_run (network.loop);

  close_door (&network.doors[0]);
  close_door (&network.doors[1]);
  udp_relay_stop (network.udp);
  g_main_loop_unref (network.loop);
  return 0;
}
