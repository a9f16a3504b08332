/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An HTTP endpoint that says what a test wrote down, byte by byte.
 *
 * Each connection has a thread, so that the code can be read from top to bottom.
 */
#include "stub-endpoint.h"

#include "publish-fixture.h"

#include <string.h>

#define MAX_THREADS 32
#define WAIT_SECONDS 20
#define SOCKET_SECONDS 60

typedef struct
{
  gchar *method;
  GBytes *answer; /* NULL: not expected */
  gboolean goes_on;
  GBytes *again;
  guint interval_ms;
  guint n;
  gchar *path;
  GPtrArray *headers; /* gchar *, whole lines, of the last request */
  gchar *body;
} Door;

struct _StubEndpoint
{
  GSocketService *service;
  gchar *url;

  GMutex lock;
  GCond changed;
  GPtrArray *doors;    /* Door */
  guint n_connections; /* now */
  guint n_accepted;    /* ever */
};

static void
door_free (gpointer data)
{
  Door *door = data;

  g_free (door->method);
  g_clear_pointer (&door->answer, g_bytes_unref);
  g_clear_pointer (&door->again, g_bytes_unref);
  g_free (door->path);
  g_ptr_array_unref (door->headers);
  g_free (door->body);
  g_free (door);
}

/* With the lock held. */
static Door *
find_door (StubEndpoint *stub, const gchar *method)
{
  Door *door;

  for (guint i = 0; i < stub->doors->len; i++) {
    door = stub->doors->pdata[i];
    if (g_str_equal (door->method, method))
      return door;
  }
  door = g_new0 (Door, 1);
  door->method = g_strdup (method);
  door->headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (stub->doors, door);
  return door;
}

/* -- One connection --------------------------------------------------------------- */

typedef struct
{
  gchar *method;
  gchar *path;
  GPtrArray *headers;
  gchar *body;
} Incoming;

static void
incoming_clear (Incoming *incoming)
{
  g_free (incoming->method);
  g_free (incoming->path);
  g_clear_pointer (&incoming->headers, g_ptr_array_unref);
  g_free (incoming->body);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Incoming, incoming_clear)

static const gchar *
find_header (GPtrArray *headers, const gchar *name)
{
  gsize length = strlen (name);

  for (guint i = 0; i < headers->len; i++) {
    const gchar *line = headers->pdata[i];

    if (g_ascii_strncasecmp (line, name, length) == 0 && line[length] == ':')
      return line + length + 1 + strspn (line + length + 1, " ");
  }
  return "";
}

/* FALSE: the other side went away, maybe without having said anything. */
static gboolean
read_request (GDataInputStream *stream, Incoming *incoming)
{
  g_autofree gchar *first =
      g_data_input_stream_read_line (stream, NULL, NULL, NULL);
  g_auto (GStrv) words = g_strsplit (first != NULL ? first : "", " ", 3);
  gsize length, n = 0;
  gchar *line;

  if (g_strv_length (words) != 3)
    return FALSE;
  incoming->method = g_strdup (words[0]);
  incoming->path = g_strdup (words[1]);
  incoming->headers = g_ptr_array_new_with_free_func (g_free);
  while ((line = g_data_input_stream_read_line (stream, NULL, NULL, NULL)) !=
          NULL &&
      *line != '\0')
    g_ptr_array_add (incoming->headers, line);
  g_free (line);
  length = g_ascii_strtoull (find_header (incoming->headers, "Content-Length"),
      NULL, 10);
  incoming->body = g_malloc0 (MIN (length, 1024 * 1024) + 1);
  return g_input_stream_read_all (G_INPUT_STREAM (stream), incoming->body,
             MIN (length, 1024 * 1024), &n, NULL, NULL) &&
      n == length;
}

/* What to say to it. */
typedef struct
{
  GBytes *begin;
  gboolean goes_on;
  GBytes *again;
  guint interval_ms;
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->begin, g_bytes_unref);
  g_clear_pointer (&answer->again, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static Answer
take_request (StubEndpoint *stub, Incoming *incoming)
{
  Answer answer;
  Door *door;

  g_mutex_lock (&stub->lock);
  door = find_door (stub, incoming->method);
  if (door->answer == NULL)
    g_error ("Nobody may send %s %s to %s", incoming->method, incoming->path,
        stub->url);
  answer = (Answer){ g_bytes_ref (door->answer), door->goes_on,
    door->again != NULL ? g_bytes_ref (door->again) : NULL, door->interval_ms };
  door->n++;
  g_free (door->path);
  door->path = g_steal_pointer (&incoming->path);
  g_ptr_array_unref (door->headers);
  door->headers = g_steal_pointer (&incoming->headers);
  g_free (door->body);
  door->body = g_steal_pointer (&incoming->body);
  g_cond_broadcast (&stub->changed);
  g_mutex_unlock (&stub->lock);
  return answer;
}

static gboolean
write_all (GSocketConnection *connection, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return g_output_stream_write_all (g_io_stream_get_output_stream (
                                        G_IO_STREAM (connection)),
      data, size, NULL, NULL, NULL);
}

/* Until the client closes the connection. */
static void
go_on (GSocketConnection *connection, const Answer *answer)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  gint64 wait = answer->again == NULL
      ? -1
      : answer->interval_ms * G_TIME_SPAN_MILLISECOND;

  while (wait == 0 ||
      !g_socket_condition_timed_wait (socket, G_IO_IN | G_IO_HUP, wait, NULL,
          NULL)) {
    if (answer->again == NULL || !write_all (connection, answer->again))
      return;
  }
}

static gboolean
connection_came (GThreadedSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  StubEndpoint *stub = data;
  g_autoptr (GDataInputStream) stream = g_data_input_stream_new (
      g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  g_auto (Incoming) incoming = { NULL };

  g_mutex_lock (&stub->lock);
  stub->n_connections++;
  stub->n_accepted++;
  g_mutex_unlock (&stub->lock);
  g_socket_set_timeout (g_socket_connection_get_socket (connection),
      SOCKET_SECONDS);
  g_data_input_stream_set_newline_type (stream,
      G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  if (read_request (stream, &incoming)) {
    g_auto (Answer) answer = take_request (stub, &incoming);

    if (write_all (connection, answer.begin) && answer.goes_on)
      go_on (connection, &answer);
  }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  g_mutex_lock (&stub->lock);
  stub->n_connections--;
  g_cond_broadcast (&stub->changed);
  g_mutex_unlock (&stub->lock);
  return TRUE;
}

/* -- Life ------------------------------------------------------------------------- */

StubEndpoint *
stub_endpoint_start (const gchar *address)
{
  StubEndpoint *stub = g_new0 (StubEndpoint, 1);
  g_autoptr (GSocketAddress) wanted =
      g_inet_socket_address_new_from_string (address, 0);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&stub->lock);
  g_cond_init (&stub->changed);
  stub->doors = g_ptr_array_new_with_free_func (door_free);
  stub->service = g_threaded_socket_service_new (MAX_THREADS);
  g_socket_listener_add_address (G_SOCKET_LISTENER (stub->service), wanted,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &got, &error);
  g_assert_no_error (error);
  stub->url = g_strdup_printf ("http://%s:%u", address,
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got)));
  g_signal_connect (stub->service, "run", G_CALLBACK (connection_came), stub);
  g_socket_service_start (stub->service);
  return stub;
}

void
stub_endpoint_stop (StubEndpoint *stub)
{
  gint64 deadline = g_get_monotonic_time () + WAIT_SECONDS * G_USEC_PER_SEC;

  g_socket_service_stop (stub->service);
  g_socket_listener_close (G_SOCKET_LISTENER (stub->service));
  g_mutex_lock (&stub->lock);
  while (stub->n_connections > 0)
    if (!g_cond_wait_until (&stub->changed, &stub->lock, deadline))
      g_error ("%s: %u connections are left", stub->url, stub->n_connections);
  g_mutex_unlock (&stub->lock);
  g_object_unref (stub->service);
  g_ptr_array_unref (stub->doors);
  g_free (stub->url);
  g_mutex_clear (&stub->lock);
  g_cond_clear (&stub->changed);
  g_free (stub);
}

const gchar *
stub_endpoint_get_url (StubEndpoint *stub)
{
  return stub->url;
}

/* -- What to say, and what was heard ---------------------------------------------- */

static void
set_answer (StubEndpoint *stub, const gchar *method, GBytes *begin,
    gboolean goes_on, GBytes *again, guint interval_ms)
{
  Door *door;

  g_mutex_lock (&stub->lock);
  door = find_door (stub, method);
  g_clear_pointer (&door->answer, g_bytes_unref);
  g_clear_pointer (&door->again, g_bytes_unref);
  door->answer = g_bytes_ref (begin);
  door->goes_on = goes_on;
  door->again = again != NULL ? g_bytes_ref (again) : NULL;
  door->interval_ms = interval_ms;
  g_mutex_unlock (&stub->lock);
}

void
stub_endpoint_answer (StubEndpoint *stub, const gchar *method,
    const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) parts = NULL, lines = NULL;
  g_autofree gchar *head = NULL;
  g_autoptr (GBytes) begin = NULL;
  gchar *answer;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  parts = g_strsplit (text, "\n\n", 2);
  lines = g_strsplit (parts[0] != NULL ? parts[0] : "", "\n", -1);
  head = g_strjoinv ("\r\n", lines);

  answer = *head == '\0' ? g_strdup ("")
                         : g_strconcat (head, "\r\nConnection: close\r\n\r\n",
                               parts[1] != NULL ? parts[1] : "", NULL);
  begin = g_bytes_new_take (answer, strlen (answer));
  set_answer (stub, method, begin, FALSE, NULL, 0);
}

void
stub_endpoint_go_on (StubEndpoint *stub, const gchar *method, GBytes *begin,
    GBytes *again, guint interval_ms)
{
  set_answer (stub, method, begin, TRUE, again, interval_ms);
}

guint
stub_endpoint_count (StubEndpoint *stub, const gchar *method)
{
  guint n;

  g_mutex_lock (&stub->lock);
  n = find_door (stub, method)->n;
  g_mutex_unlock (&stub->lock);
  return n;
}

guint
stub_endpoint_count_connections (StubEndpoint *stub)
{
  guint n;

  g_mutex_lock (&stub->lock);
  n = stub->n_accepted;
  g_mutex_unlock (&stub->lock);
  return n;
}

typedef struct
{
  StubEndpoint *stub;
  const gchar *method;
  guint n;
} Wanted;

static gboolean
is_reached (gpointer data)
{
  const Wanted *wanted = data;

  return stub_endpoint_count (wanted->stub, wanted->method) >= wanted->n;
}

/* Connections are accepted in the main context, which must run meanwhile. */
void
stub_endpoint_wait (StubEndpoint *stub, const gchar *method, guint n)
{
  Wanted wanted = { stub, method, n };

  if (!publish_wait (is_reached, &wanted, WAIT_SECONDS * 1000))
    g_error ("%s: %u instead of %u requests %s", stub->url,
        stub_endpoint_count (stub, method), n, method);
}

gchar *
stub_endpoint_get_path (StubEndpoint *stub, const gchar *method)
{
  gchar *path;

  g_mutex_lock (&stub->lock);
  path = g_strdup (find_door (stub, method)->path);
  g_mutex_unlock (&stub->lock);
  return path != NULL ? path : g_strdup ("");
}

gchar *
stub_endpoint_get_header (StubEndpoint *stub, const gchar *method,
    const gchar *name)
{
  gchar *value;

  g_mutex_lock (&stub->lock);
  value = g_strdup (find_header (find_door (stub, method)->headers, name));
  g_mutex_unlock (&stub->lock);
  return value;
}

gchar *
stub_endpoint_get_body (StubEndpoint *stub, const gchar *method)
{
  gchar *body;

  g_mutex_lock (&stub->lock);
  body = g_strdup (find_door (stub, method)->body);
  g_mutex_unlock (&stub->lock);
  return body != NULL ? body : g_strdup ("");
}
