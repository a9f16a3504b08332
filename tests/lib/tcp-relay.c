/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A far server in user space: TCP connections whose bytes take their time.
 */
#include "tcp-relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#define READ_SIZE 65536

struct _TcpRelay
{
  guint ref_count; /* its owner and its links */
  GSocketService *service;
  GSocketAddress *server;
  GCancellable *cancellable;
  guint16 port;
  guint round_trip_ms;
};

/* Both directions of a connection hold it. */
typedef struct
{
  guint ref_count;
  TcpRelay *relay;
  GSocketConnection *client, *server;
  gint64 open_us; /* when the client would have known that it is connected */
} Link;

/* One direction. What is read and what is under way hold it. */
typedef struct
{
  guint ref_count;
  Link *link;
  GSocketConnection *from, *to;
  gboolean is_up;
  GQueue chunks; /* of GBytes; an empty one is the end */
} Lane;

static void
relay_unref (TcpRelay *self)
{
  if (--self->ref_count > 0)
    return;
  g_object_unref (self->service);
  g_object_unref (self->server);
  g_object_unref (self->cancellable);
  g_free (self);
}

static Link *
link_ref (Link *link)
{
  link->ref_count++;
  return link;
}

static void
link_unref (Link *link)
{
  if (--link->ref_count > 0)
    return;
  g_object_unref (link->client);
  g_clear_object (&link->server);
  relay_unref (link->relay);
  g_free (link);
}

static void
lane_unref (gpointer data)
{
  Lane *lane = data;

  if (--lane->ref_count > 0)
    return;
  g_queue_clear_full (&lane->chunks, (GDestroyNotify) g_bytes_unref);
  link_unref (lane->link);
  g_free (lane);
}

/* Timers of one millisecond come in any order, bytes do not. HTTP's few kilobytes fit
 * into the socket's buffer. A side that is gone is no matter: the other will hear of it
 * by its end. */
static gboolean
chunk_due (gpointer data)
{
  Lane *lane = data;
  g_autoptr (GBytes) chunk = g_queue_pop_head (&lane->chunks);
  gsize size = 0;
  const guint8 *bytes = g_bytes_get_data (chunk, &size);

  if (g_cancellable_is_cancelled (lane->link->relay->cancellable))
    return G_SOURCE_REMOVE;
  if (size > 0)
    g_output_stream_write_all (g_io_stream_get_output_stream (
                                   G_IO_STREAM (lane->to)),
        bytes, size, NULL, NULL, NULL);
  else
    g_socket_shutdown (g_socket_connection_get_socket (lane->to), FALSE, TRUE,
        NULL);
  return G_SOURCE_REMOVE;
}

/* Takes @bytes. */
static void
send_later (Lane *lane, GBytes *bytes)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 at_us = lane->is_up ? MAX (now_us, lane->link->open_us) : now_us;

  at_us += lane->link->relay->round_trip_ms * 1000 / 2;
  g_queue_push_tail (&lane->chunks, bytes);
  lane->ref_count++;
  g_timeout_add_full (G_PRIORITY_DEFAULT,
      (guint) ((at_us - now_us + 500) / 1000), chunk_due, lane, lane_unref);
}

static void read_on (Lane *lane);

static void
was_read (GObject *stream, GAsyncResult *result, gpointer data)
{
  Lane *lane = data;
  g_autoptr (GBytes) bytes =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (stream), result, NULL);
  gboolean goes_on = bytes != NULL && g_bytes_get_size (bytes) > 0;

  if (!g_cancellable_is_cancelled (lane->link->relay->cancellable)) {
    send_later (lane,
        bytes != NULL ? g_steal_pointer (&bytes) : g_bytes_new (NULL, 0));
    if (goes_on)
      read_on (lane);
  }
  lane_unref (lane);
}

static void
read_on (Lane *lane)
{
  lane->ref_count++;
  g_input_stream_read_bytes_async (g_io_stream_get_input_stream (
                                       G_IO_STREAM (lane->from)),
      READ_SIZE, G_PRIORITY_DEFAULT, lane->link->relay->cancellable, was_read,
      lane);
}

static void
start_lane (Link *link, GSocketConnection *from, GSocketConnection *to,
    gboolean is_up)
{
  Lane *lane = g_new0 (Lane, 1);

  lane->ref_count = 1;
  lane->link = link_ref (link);
  lane->from = from;
  lane->to = to;
  lane->is_up = is_up;
  read_on (lane);
  lane_unref (lane);
}

/* RFC 896's algorithm would add a delay of its own. */
static void
send_at_once (GSocketConnection *connection)
{
  g_socket_set_option (g_socket_connection_get_socket (connection), IPPROTO_TCP,
      TCP_NODELAY, TRUE, NULL);
}

static gboolean
connection_came (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  TcpRelay *self = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  Link *link = g_new0 (Link, 1);

  link->ref_count = 1;
  link->relay = self;
  self->ref_count++;
  link->client = g_object_ref (connection);
  link->open_us = g_get_monotonic_time () + self->round_trip_ms * 1000;
  /* On this computer: at once. */
  link->server = g_socket_client_connect (client,
      G_SOCKET_CONNECTABLE (self->server), NULL, NULL);
  if (link->server != NULL) {
    send_at_once (link->client);
    send_at_once (link->server);
    start_lane (link, link->client, link->server, TRUE);
    start_lane (link, link->server, link->client, FALSE);
  }
  link_unref (link);
  return TRUE;
}

TcpRelay *
tcp_relay_start (guint16 server_port)
{
  TcpRelay *self = g_new0 (TcpRelay, 1);
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  self->ref_count = 1;
  self->cancellable = g_cancellable_new ();
  self->server =
      g_inet_socket_address_new_from_string ("127.0.0.1", server_port);
  self->service = g_socket_service_new ();
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), any,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &address, &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  g_signal_connect (self->service, "incoming", G_CALLBACK (connection_came),
      self);
  return self;
}

/* What is under way comes back cancelled, and is the last to hold it. */
void
tcp_relay_stop (TcpRelay *self)
{
  g_socket_service_stop (self->service);
  g_cancellable_cancel (self->cancellable);
  relay_unref (self);
}

guint16
tcp_relay_get_port (TcpRelay *self)
{
  return self->port;
}

void
tcp_relay_set_round_trip (TcpRelay *self, guint ms)
{
  self->round_trip_ms = ms;
}
