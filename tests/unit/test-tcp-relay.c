/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The far server in user space: bytes arrive complete, in order, and not too early.
 */
#include "tcp-relay.h"

#include <string.h>

#define ROUND_TRIP_MS 40
#define N_LINES 200

/* A server that sends back what it gets, and a client. */
typedef struct
{
  GSocketService *service;
  TcpRelay *relay;
  GSocketConnection *client;
  GString *came;
} World;

static gboolean
echo_connected (GThreadedSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  g_output_stream_splice (g_io_stream_get_output_stream (
                              G_IO_STREAM (connection)),
      g_io_stream_get_input_stream (G_IO_STREAM (connection)),
      G_OUTPUT_STREAM_SPLICE_NONE, NULL, NULL);
  return TRUE;
}

static void
world_init (World *self, guint round_trip_ms)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  self->service = g_threaded_socket_service_new (1);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), any,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &address, &error);
  g_assert_no_error (error);
  g_signal_connect (self->service, "run", G_CALLBACK (echo_connected), NULL);
  self->relay = tcp_relay_start (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  tcp_relay_set_round_trip (self->relay, round_trip_ms);
  self->client = g_socket_client_connect_to_host (client, "127.0.0.1",
      tcp_relay_get_port (self->relay), NULL, &error);
  g_assert_no_error (error);
  self->came = g_string_new (NULL);
}

static void
world_clear (World *self)
{
  g_object_unref (self->client);
  tcp_relay_stop (self->relay);
  g_socket_service_stop (self->service);
  g_object_unref (self->service);
  g_string_free (self->came, TRUE);
  /* What was cancelled comes back. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
say (World *self, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_io_stream_get_output_stream (
                                 G_IO_STREAM (self->client)),
      text, strlen (text), NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
was_read (GObject *stream, GAsyncResult *result, gpointer data)
{
  World *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (stream), result,
          &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (bytes), >, 0);
  g_string_append_len (self->came, g_bytes_get_data (bytes, NULL),
      (gssize) g_bytes_get_size (bytes));
}

/* Until as much has come as @text has, which it must be. */
static void
hear (World *self, const gchar *text)
{
  while (self->came->len < strlen (text)) {
    gsize before = self->came->len;

    g_input_stream_read_bytes_async (g_io_stream_get_input_stream (
                                         G_IO_STREAM (self->client)),
        65536, G_PRIORITY_DEFAULT, NULL, was_read, self);
    while (self->came->len == before)
      g_main_context_iteration (NULL, TRUE);
  }
  g_assert_cmpstr (self->came->str, ==, text);
  g_string_truncate (self->came, 0);
}

static void
test_in_order (void)
{
  World world;
  g_autoptr (GString) all = g_string_new (NULL);

  world_init (&world, ROUND_TRIP_MS);
  for (guint i = 0; i < N_LINES; i++) {
    g_autofree gchar *line = g_strdup_printf ("line %u\n", i);

    say (&world, line);
    g_string_append (all, line);
    g_main_context_iteration (NULL, FALSE);
  }
  hear (&world, all->str);
  world_clear (&world);
}

/* TCP's own round trip before the first bytes, none before later ones. */
static void
test_round_trips (void)
{
  World world;
  gint64 began_us = g_get_monotonic_time ();

  world_init (&world, ROUND_TRIP_MS);
  say (&world, "first");
  hear (&world, "first");
  g_assert_cmpint (g_get_monotonic_time () - began_us, >=,
      2 * ROUND_TRIP_MS * 1000 - 2000);
  began_us = g_get_monotonic_time ();
  say (&world, "second");
  hear (&world, "second");
  g_assert_cmpint (g_get_monotonic_time () - began_us, >=,
      ROUND_TRIP_MS * 1000 - 2000);
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tcp-relay/in-order", test_in_order);
  g_test_add_func ("/tcp-relay/round-trips", test_round_trips);
  return g_test_run ();
}
