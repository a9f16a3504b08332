/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The client against servers that redirect, lie, dawdle, flood and hang up.
 *
 * A server here writes what its doors say, byte by byte, from threads of its own.
 * A path without a door fails the test, thus a stranger (a second server without
 * doors) shows that no request and no token came to it. After each test the token
 * must be in no error and no line of the trace.
 */

#include <string.h>
#include "whip-client.h"
#include "whip-url.h"

#define TOKEN "eyJhbGciOiJFUzM4NCJ9.c2VjcmV0LXBhcnQ.c2lnbmF0dXJl"
#define OFFER "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define DEADLINE_SECONDS 60

/* What a server does after its reply. */
typedef enum
{
  THEN_KEEP, /* wait for the next request */
  THEN_CLOSE,
  THEN_HANG,   /* say nothing more */
  THEN_REPEAT, /* write @again as fast as it goes */
  THEN_DRIP,   /* write @again every 20 ms */
} Then;

/* In @reply, %SELF% and %OTHER% stand for the URLs of the two servers. */
typedef struct
{
  const gchar *path;
  const gchar *reply;
  Then then;
  const gchar *again;
  guint delay_ms; /* before the reply */
  GBytes *bytes;  /* after @reply, owned */
} Door;

typedef struct
{
  gchar *line; /* "POST /x HTTP/1.1" */
  gchar *authorization;
  gchar *content_type;
  gchar *accept;
  gchar *accept_encoding;
  gchar *user_agent;
  gchar *body;
} Seen;

typedef struct
{
  GSocketService *service;
  GTlsCertificate *certificate; /* NULL: in clear */
  gchar *url;
  gchar *other_url;
  GMutex lock;
  GArray *doors;   /* of Door */
  GPtrArray *seen; /* of Seen */
  gint n_accepted;
  gint n_open;
  gint n_unexpected;
} Server;

typedef struct
{
  gboolean is_done;
  WhipResponse *response;
  GError *error;
  gchar *orphan;
} Outcome;

typedef struct
{
  Server *server;
  Server *other;
  WhipClient *client;
  GCancellable *cancellable;
  GString *trace;
  GString *errors;
  GString *asked; /* what may_follow was asked */
} Fixture;

/* -- The server ---------------------------------------------------------------- */

static void
seen_free (Seen *seen)
{
  g_free (seen->line);
  g_free (seen->authorization);
  g_free (seen->content_type);
  g_free (seen->accept);
  g_free (seen->accept_encoding);
  g_free (seen->user_agent);
  g_free (seen->body);
  g_free (seen);
}

static void
keep_header (Seen *seen, const gchar *line, gsize *length)
{
  const struct
  {
    const gchar *name;
    gchar **value;
  } kept[] = {
    { "Authorization: ", &seen->authorization },
    { "Content-Type: ", &seen->content_type },
    { "Accept: ", &seen->accept },
    { "Accept-Encoding: ", &seen->accept_encoding },
    { "User-Agent: ", &seen->user_agent },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    if (g_str_has_prefix (line, kept[i].name))
      *kept[i].value = g_strdup (line + strlen (kept[i].name));
  }
  if (g_str_has_prefix (line, "Content-Length: "))
    *length = (gsize) g_ascii_strtoull (line + 16, NULL, 10);
}

/* NULL when the client has closed the connection. */
static Seen *
read_request (GDataInputStream *input)
{
  Seen *seen = g_new0 (Seen, 1);
  gsize length = 0;

  seen->line = g_data_input_stream_read_line (input, NULL, NULL, NULL);
  for (;;) {
    g_autofree gchar *line =
        g_data_input_stream_read_line (input, NULL, NULL, NULL);

    if (line == NULL) {
      seen_free (seen);
      return NULL;
    }
    if (*line == '\0')
      break;
    keep_header (seen, line, &length);
  }
  seen->body = g_malloc0 (length + 1);
  g_input_stream_read_all (G_INPUT_STREAM (input), seen->body, length, NULL,
      NULL, NULL);
  return seen;
}

static gboolean
find_door (Server *self, Seen *seen, Door *found)
{
  g_auto (GStrv) parts = g_strsplit (seen->line, " ", 3);
  gboolean is_found = FALSE;

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->seen, seen);
  for (guint i = 0; i < self->doors->len && !is_found; i++) {
    *found = g_array_index (self->doors, Door, i);
    is_found = g_strcmp0 (parts[1], found->path) == 0;
  }
  g_mutex_unlock (&self->lock);
  g_main_context_wakeup (NULL);
  return is_found;
}

static gboolean
write_text (GOutputStream *output, const gchar *text)
{
  return g_output_stream_write_all (output, text, strlen (text), NULL, NULL,
      NULL);
}

/* Whether the client is still there when the time has passed. */
static gboolean
wait_ms (GSocket *socket, guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND;
  gint64 left;

  while ((left = end - g_get_monotonic_time ()) > 0) {
    if (g_socket_condition_timed_wait (socket, G_IO_IN, left, NULL, NULL))
      return FALSE; /* nothing but its end can come now */
  }
  return TRUE;
}

static void
do_then (GOutputStream *output, GSocket *socket, const Door *door)
{
  switch (door->then) {
    case THEN_HANG:
      wait_ms (socket, DEADLINE_SECONDS * 1000);
      break;
    case THEN_REPEAT:
      while (write_text (output, door->again))
        continue;
      break;
    case THEN_DRIP:
      while (write_text (output, door->again) && wait_ms (socket, 20))
        continue;
      break;
    case THEN_KEEP:
    case THEN_CLOSE:
      break;
  }
}

static gboolean
answer (Server *self, GIOStream *stream, GSocket *socket, const Door *door)
{
  GOutputStream *output = g_io_stream_get_output_stream (stream);
  GString *reply = g_string_new (door->reply);
  g_autofree gchar *text = NULL;

  g_string_replace (reply, "%SELF%", self->url, 0);
  g_string_replace (reply, "%OTHER%", self->other_url, 0);
  text = g_string_free (reply, FALSE);
  if (door->delay_ms > 0 && !wait_ms (socket, door->delay_ms))
    return FALSE;
  if (!write_text (output, text))
    return FALSE;
  if (door->bytes != NULL)
    g_output_stream_write_all (output, g_bytes_get_data (door->bytes, NULL),
        g_bytes_get_size (door->bytes), NULL, NULL, NULL);
  do_then (output, socket, door);
  return door->then == THEN_KEEP;
}

static void
serve (Server *self, GIOStream *stream, GSocket *socket)
{
  g_autoptr (GDataInputStream) input =
      g_data_input_stream_new (g_io_stream_get_input_stream (stream));
  gboolean is_kept = TRUE;

  g_data_input_stream_set_newline_type (input,
      G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  while (is_kept) {
    Seen *seen = read_request (input);
    Door door;

    if (seen == NULL)
      break;
    if (find_door (self, seen, &door)) {
      is_kept = answer (self, stream, socket, &door);
    } else {
      g_atomic_int_inc (&self->n_unexpected);
      is_kept = FALSE;
    }
  }
  g_io_stream_close (stream, NULL, NULL);
}

static gboolean
connection_came (GThreadedSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  Server *self = data;
  GSocket *socket = g_socket_connection_get_socket (connection);

  if (self->certificate == NULL) {
    serve (self, G_IO_STREAM (connection), socket);
  } else {
    g_autoptr (GIOStream) tls =
        g_tls_server_connection_new (G_IO_STREAM (connection),
            self->certificate, NULL);

    serve (self, tls, socket);
  }
  g_atomic_int_add (&self->n_open, -1);
  g_main_context_wakeup (NULL);
  return TRUE;
}

static gboolean
connection_accepted (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  Server *self = data;

  g_atomic_int_inc (&self->n_accepted);
  g_atomic_int_inc (&self->n_open);
  return FALSE; /* on to the default handler: a thread */
}

static gchar *
listen_local (GSocketListener *listener)
{
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error);
  g_assert_no_error (error);
  return g_strdup_printf ("http://127.0.0.1:%u",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
}

static void
door_clear (Door *door)
{
  g_clear_pointer (&door->bytes, g_bytes_unref);
}

static Server *
server_new (void)
{
  Server *self = g_new0 (Server, 1);

  g_mutex_init (&self->lock);
  self->doors = g_array_new (FALSE, FALSE, sizeof (Door));
  g_array_set_clear_func (self->doors, (GDestroyNotify) door_clear);
  self->seen = g_ptr_array_new_with_free_func ((GDestroyNotify) seen_free);
  self->service = g_threaded_socket_service_new (-1);
  self->url = listen_local (G_SOCKET_LISTENER (self->service));
  g_signal_connect (self->service, "incoming", G_CALLBACK (connection_accepted),
      self);
  g_signal_connect (self->service, "run", G_CALLBACK (connection_came), self);
  g_socket_service_start (self->service);
  return self;
}

static gboolean
deadline_passed (gpointer data)
{
  g_error ("Nothing happened within %d s", DEADLINE_SECONDS);
  return G_SOURCE_REMOVE;
}

/* Runs the main context until @condition. */
#define WAIT_FOR(condition) \
  G_STMT_START \
  { \
    guint deadline = \
        g_timeout_add_seconds (DEADLINE_SECONDS, deadline_passed, NULL); \
    while (!(condition)) \
      g_main_context_iteration (NULL, TRUE); \
    g_source_remove (deadline); \
  } \
  G_STMT_END

/* Clients must be gone: it waits until the last of them has hung up. */
static void
server_free (Server *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  WAIT_FOR (g_atomic_int_get (&self->n_open) == 0);
  g_assert_cmpint (g_atomic_int_get (&self->n_unexpected), ==, 0);
  g_object_unref (self->service);
  g_clear_object (&self->certificate);
  g_array_unref (self->doors);
  g_ptr_array_unref (self->seen);
  g_mutex_clear (&self->lock);
  g_free (self->url);
  g_free (self->other_url);
  g_free (self);
}

static void
open_door (Server *self, Door door)
{
  g_mutex_lock (&self->lock);
  g_array_append_val (self->doors, door);
  g_mutex_unlock (&self->lock);
}

static guint
count_seen (Server *self)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = self->seen->len;
  g_mutex_unlock (&self->lock);
  return n;
}

/* Every request that came was this one, whole and with its token. */
static void
assert_all_seen (Server *self, const gchar *method, const gchar *token)
{
  g_autofree gchar *bearer =
      token == NULL ? NULL : g_strconcat ("Bearer ", token, NULL);
  gboolean is_post = strcmp (method, "POST") == 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->seen->len; i++) {
    const Seen *seen = g_ptr_array_index (self->seen, i);
    g_auto (GStrv) parts = g_strsplit (seen->line, " ", 3);

    g_assert_cmpstr (parts[0], ==, method);
    g_assert_cmpstr (seen->authorization, ==, bearer);
    g_assert_cmpstr (seen->user_agent, ==, "test/1.0");
    g_assert_cmpstr (seen->content_type, ==,
        is_post ? "application/sdp" : NULL);
    g_assert_cmpstr (seen->accept, ==, is_post ? "application/sdp" : NULL);
    g_assert_cmpstr (seen->accept_encoding, ==, "identity");
    g_assert_cmpstr (seen->body, ==, is_post ? OFFER : "");
  }
  g_mutex_unlock (&self->lock);
}

/* -- One client and two servers ------------------------------------------------- */

static void
line_traced (const gchar *line, gpointer data)
{
  Fixture *f = data;

  for (const gchar *at = line; *at != '\0'; at++)
    g_assert_false (g_ascii_iscntrl (*at));
  g_string_append_printf (f->trace, "%s\n", line);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->server = server_new ();
  f->other = server_new ();
  f->server->other_url = g_strdup (f->other->url);
  f->other->other_url = g_strdup (f->server->url);
  f->trace = g_string_new (NULL);
  f->errors = g_string_new (NULL);
  f->asked = g_string_new (NULL);
  f->cancellable = g_cancellable_new ();
  f->client = whip_client_new ("test/1.0");
  whip_client_set_timeout (f->client, DEADLINE_SECONDS);
  whip_client_set_trace (f->client, line_traced, f, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  gpointer weak = f->client;

  if (f->client != NULL) {
    g_object_add_weak_pointer (G_OBJECT (f->client), &weak);
    g_clear_object (&f->client);
    WAIT_FOR (weak == NULL);
  }
  server_free (f->server);
  server_free (f->other);

  g_assert_null (strstr (f->trace->str, TOKEN));
  g_assert_null (strstr (f->errors->str, TOKEN));
  g_assert_null (strstr (f->trace->str, "v=0"));
  g_string_free (f->trace, TRUE);
  g_string_free (f->errors, TRUE);
  g_string_free (f->asked, TRUE);
  g_object_unref (f->cancellable);
}

static void
outcome_clear (Outcome *outcome)
{
  whip_response_free (outcome->response);
  g_clear_error (&outcome->error);
  g_free (outcome->orphan);
  memset (outcome, 0, sizeof *outcome);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
post_ended (GObject *client, GAsyncResult *result, gpointer data)
{
  Outcome *outcome = data;

  outcome->response = whip_client_post_offer_finish (WHIP_CLIENT (client),
      result, &outcome->error);
  outcome->orphan =
      g_strdup (whip_client_get_orphan (WHIP_CLIENT (client), result));
  outcome->is_done = TRUE;
}

static void
delete_ended (GObject *client, GAsyncResult *result, gpointer data)
{
  Outcome *outcome = data;

  outcome->response =
      whip_client_delete_finish (WHIP_CLIENT (client), result, &outcome->error);
  outcome->is_done = TRUE;
}

static void
preconnect_ended (GObject *client, GAsyncResult *result, gpointer data)
{
  Outcome *outcome = data;
  gboolean is_connected = whip_client_preconnect_finish (WHIP_CLIENT (client),
      result, &outcome->error);

  g_assert_true (is_connected == (outcome->error == NULL));
  outcome->is_done = TRUE;
}

static void
wait_for (Fixture *f, Outcome *outcome)
{
  WAIT_FOR (outcome->is_done);
  if (outcome->error != NULL) {
    g_test_message ("%s", outcome->error->message);
    g_string_append_printf (f->errors, "%s\n", outcome->error->message);
  }
}

static void
start_post (Fixture *f, const gchar *base, const gchar *path, Outcome *outcome)
{
  g_autofree gchar *url = g_strconcat (base, path, NULL);

  whip_client_post_offer_async (f->client, url, TOKEN, OFFER, f->cancellable,
      post_ended, outcome);
}

static Outcome
post (Fixture *f, const gchar *path)
{
  Outcome outcome = { 0 };

  start_post (f, f->server->url, path, &outcome);
  wait_for (f, &outcome);
  return outcome;
}

static Outcome delete (Fixture *f, const gchar *path)
{
  Outcome outcome = { 0 };
  g_autofree gchar *url = g_strconcat (f->server->url, path, NULL);

  whip_client_delete_async (f->client, url, TOKEN, f->cancellable, delete_ended,
      &outcome);
  wait_for (f, &outcome);
  return outcome;
}

static Outcome
preconnect (Fixture *f, const gchar *url)
{
  Outcome outcome = { 0 };

  whip_client_preconnect_async (f->client, url, f->cancellable,
      preconnect_ended, &outcome);
  wait_for (f, &outcome);
  return outcome;
}

static gboolean
everybody_may_follow (const gchar *to, const gchar *from, gpointer data,
    GError **error)
{
  Fixture *f = data;

  g_string_append_printf (f->asked, "%s -> %s\n", from, to);
  return TRUE;
}

static gboolean
nobody_may_follow (const gchar *to, const gchar *from, gpointer data,
    GError **error)
{
  Fixture *f = data;

  g_string_append_printf (f->asked, "%s -> %s\n", from, to);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
      "not there: " TOKEN);
  return FALSE;
}

static gboolean
nobody_may_follow_nor_says_why (const gchar *to, const gchar *from,
    gpointer data, GError **error)
{
  return FALSE;
}

/* -- One request, one answer ------------------------------------------------------ */

#define EMPTY "Content-Length: 0\r\n\r\n"
#define CREATED(headers, length) \
  "HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\n" headers \
  "Content-Length: " length "\r\n\r\n"
#define OK_DOOR \
  { \
    "/ok", CREATED ("Location: /session\r\n", "4") "v=0\n" \
  }
#define REDIRECT(status, location) \
  "HTTP/1.1 " status " Moved\r\nLocation: " location "\r\n" EMPTY

#define MAX_DOORS 3

/* A request to "/", or with `delete` a DELETE there. */
typedef struct
{
  const gchar *name;
  gboolean is_delete;
  Door doors[MAX_DOORS];
  guint status;              /* 0: an error, the next two */
  GQuark (*domain) (void);   /* NULL: any */
  gint code;                 /* -1: any */
  const gchar *body;         /* NULL: not compared */
  const gchar *session_path; /* NULL: no session URL */
  const gchar *traced;       /* NULL, or a part of the trace */
  guint timeout;             /* 0: never meant to pass */
} Case;

/* clang-format off */
static const Case cases[] = {
  /* Redirects. */
  { "redirect-301", FALSE, { { "/", REDIRECT ("301", "/ok") }, OK_DOOR },
    .status = 201, .body = "v=0\n", .session_path = "/session" },
  { "redirect-302", FALSE, { { "/", REDIRECT ("302", "/ok") }, OK_DOOR },
    .status = 201, .body = "v=0\n", .session_path = "/session" },
  { "redirect-303", FALSE, { { "/", REDIRECT ("303", "/ok") }, OK_DOOR },
    .status = 201, .body = "v=0\n", .session_path = "/session" },
  { "redirect-307", FALSE, { { "/", REDIRECT ("307", "/ok") }, OK_DOOR },
    .status = 201, .body = "v=0\n", .session_path = "/session" },
  { "redirect-308", FALSE, { { "/", REDIRECT ("308", "/ok") }, OK_DOOR },
    .status = 201, .body = "v=0\n", .session_path = "/session" },
  { "redirect-absolute", FALSE, { { "/", REDIRECT ("307", "%SELF%/ok") }, OK_DOOR },
    .status = 201, .session_path = "/session" },
  { "redirect-relative", FALSE, { { "/", REDIRECT ("307", "./x/../ok") }, OK_DOOR },
    .status = 201, .session_path = "/session" },
  { "redirect-with-fragment", FALSE, { { "/", REDIRECT ("307", "/ok#part") }, OK_DOOR },
    .status = 201, .session_path = "/session" },
  { "redirect-300-is-data", FALSE, { { "/", REDIRECT ("300", "/ok") } }, .status = 300 },
  { "redirect-304-is-data", FALSE, { { "/", "HTTP/1.1 304 Not Modified\r\n\r\n" } },
    .status = 304 },
  { "redirect-body-endless", FALSE,
    { { "/", "HTTP/1.1 307 Moved\r\nLocation: /ok\r\n\r\n", THEN_REPEAT, "xxxxxxxx" }, OK_DOOR },
    .status = 201, .session_path = "/session" },
  { "redirect-body-hangs", FALSE,
    { { "/", "HTTP/1.1 307 Moved\r\nLocation: /ok\r\nContent-Length: 9\r\n\r\nx", THEN_HANG },
      OK_DOOR }, .status = 201, .session_path = "/session" },
  { "redirect-no-location", FALSE, { { "/", "HTTP/1.1 307 Moved\r\n" EMPTY } },
    .domain = whip_error_quark, .code = WHIP_ERROR_REDIRECT },
  { "redirect-empty-location", FALSE, { { "/", REDIRECT ("307", "") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_REDIRECT },
  { "redirect-to-file", FALSE, { { "/", REDIRECT ("307", "file:///etc/passwd") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_REDIRECT },
  { "redirect-with-user", FALSE, { { "/", REDIRECT ("307", "http://a:b@127.0.0.1/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_REDIRECT },
  { "redirect-with-space", FALSE, { { "/", REDIRECT ("307", "/a b") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_REDIRECT },
  { "redirect-to-other-host", FALSE, { { "/", REDIRECT ("307", "http://localhost:9/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_NOT_ALLOWED },
  { "redirect-loop", FALSE, { { "/", REDIRECT ("307", "/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_TOO_MANY_REDIRECTS },
  { "redirect-loop-of-two", FALSE,
    { { "/", REDIRECT ("307", "/b") }, { "/b", REDIRECT ("307", "/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_TOO_MANY_REDIRECTS },
  { "redirect-repeats-token", FALSE,
    { { "/", REDIRECT ("307", "/ok?" TOKEN) }, { "/ok?" TOKEN, CREATED ("", "0") } },
    .status = 201 },
  { "redirect-repeats-token-in-path", FALSE,
    { { "/", REDIRECT ("307", "/" TOKEN) }, { "/" TOKEN, CREATED ("", "0") } },
    .status = 201, .traced = "< Location: /<redacted>\n" },
  { "redirect-repeats-token-in-bad-url", FALSE,
    { { "/", REDIRECT ("307", "http://" TOKEN ".example/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_NOT_ALLOWED },

  /* Statuses. */
  { "200", FALSE, { { "/", "HTTP/1.1 200 OK\r\n" EMPTY } }, .status = 200, .body = "" },
  { "201", FALSE, { { "/", CREATED ("", "2") "ab" } }, .status = 201, .body = "ab" },
  { "202", FALSE, { { "/", "HTTP/1.1 202 Accepted\r\nLocation: /s\r\n" EMPTY } },
    .status = 202, .body = "", .session_path = "/s" },
  { "204", FALSE, { { "/", "HTTP/1.1 204 No Content\r\n\r\n" } }, .status = 204, .body = "" },
  { "400", FALSE,
    { { "/", "HTTP/1.1 400 Bad\r\nLocation: /s\r\nContent-Length: 14\r\n\r\n{\"code\": 2001}" } },
    .status = 400, .body = "{\"code\": 2001}" },
  { "401-asks-nobody", FALSE,
    { { "/", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" EMPTY } },
    .status = 401 },
  { "407-asks-nobody", FALSE,
    { { "/", "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n" EMPTY } },
    .status = 407 },
  { "429", FALSE, { { "/", "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\n" EMPTY } }, .status = 429 },
  { "503", FALSE, { { "/", "HTTP/1.1 503 Later\r\n" EMPTY } }, .status = 503 },
  { "100-then-201", FALSE,
    { { "/", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" CREATED ("", "0") } },
    .status = 201 },
  { "reason-repeats-token", FALSE, { { "/", "HTTP/1.1 403 not " TOKEN "\r\n" EMPTY } },
    .status = 403, .traced = "< 403 not <redacted>\n" },
  { "reason-hostile", FALSE, { { "/", "HTTP/1.1 403 a\033[2Jb\r\n" EMPTY } },
    .status = 403, .traced = "< 403 a [2Jb\n" },

  /* Session URLs. */
  { "location-none", FALSE, { { "/", CREATED ("", "0") } }, .status = 201 },
  { "location-absolute", FALSE, { { "/", CREATED ("Location: %SELF%/s?x\r\n", "0") } },
    .status = 201, .session_path = "/s?x", .traced = "/s?...\n" },
  { "location-relative", FALSE, { { "/", CREATED ("Location: s/1\r\n", "0") } },
    .status = 201, .session_path = "/s/1" },
  { "location-unusable", FALSE, { { "/", CREATED ("Location: gopher://x/\r\n", "0") } },
    .status = 201, .traced = "* No DELETE" },
  { "location-of-stranger", FALSE, { { "/", CREATED ("Location: https://localhost/s\r\n", "0") } },
    .status = 201, .traced = "* No DELETE" },
  { "link-is-not-traced", FALSE,
    { { "/", CREATED ("Link: <turn:x>; rel=ice-server; credential=\"v=0\"\r\n", "0") } },
    .status = 201 },

  /* Bodies. */
  { "body-until-close", FALSE,
    { { "/", "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\nv=0\n", THEN_CLOSE } },
    .status = 201, .body = "v=0\n" },
  { "body-in-chunks", FALSE,
    { { "/", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nv=0\r\n1\r\n\n\r\n0\r\n\r\n" } }, .status = 201, .body = "v=0\n" },
  { "body-not-utf8", FALSE, { { "/", CREATED ("", "3") "a\xff" "b" } },
    .status = 201, .body = "a\xef\xbf\xbd" "b" },
  { "body-cut", FALSE, { { "/", CREATED ("", "100") "v=0", THEN_CLOSE } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_PARTIAL_INPUT },
  { "body-chunk-cut", FALSE,
    { { "/", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nv=0", THEN_CLOSE } },
    .code = -1 },
  { "body-drips", FALSE, { { "/", CREATED ("", "99999"), THEN_DRIP, "x" } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_TIMED_OUT, .timeout = 1 },
  { "body-hangs", FALSE, { { "/", CREATED ("", "9") "x", THEN_HANG } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_TIMED_OUT, .timeout = 1 },

  /* Heads. */
  { "head-never", FALSE, { { "/", "", THEN_HANG } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_TIMED_OUT, .timeout = 1 },
  { "head-drips", FALSE, { { "/", "HTTP/1.1 201 Created\r\n", THEN_DRIP, "X: y\r\n" } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_TIMED_OUT, .timeout = 1 },
  { "head-endless", FALSE, { { "/", "HTTP/1.1 201 Created\r\n", THEN_REPEAT, "X: y\r\n" } },
    .code = -1 },
  { "head-line-endless", FALSE, { { "/", "HTTP/1.1 201 ", THEN_REPEAT, "xxxxxxxx" } },
    .code = -1 },
  { "head-100-endless", FALSE, { { "/", "", THEN_REPEAT, "HTTP/1.1 100 Continue\r\n\r\n" } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_INVALID_DATA },
  { "head-cut", FALSE, { { "/", "HTTP/1.1 201 Created\r\nLocati", THEN_CLOSE } }, .code = -1 },
  { "head-empty", FALSE, { { "/", "", THEN_CLOSE } }, .code = -1 },
  { "head-not-http", FALSE, { { "/", "SSH-2.0-OpenSSH_9.2\r\n\r\n", THEN_CLOSE } }, .code = -1 },

  /* DELETE. */
  { "delete-200", TRUE, { { "/", "HTTP/1.1 200 OK\r\n" EMPTY } }, .status = 200 },
  { "delete-204", TRUE, { { "/", "HTTP/1.1 204 No Content\r\n\r\n" } }, .status = 204 },
  { "delete-404", TRUE, { { "/", "HTTP/1.1 404 Gone\r\n" EMPTY } }, .status = 404 },
  { "delete-405", TRUE, { { "/", "HTTP/1.1 405 Never\r\n" EMPTY } }, .status = 405 },
  { "delete-307", TRUE,
    { { "/", REDIRECT ("307", "/b") }, { "/b", "HTTP/1.1 200 OK\r\n" EMPTY } }, .status = 200 },
  { "delete-308", TRUE,
    { { "/", REDIRECT ("308", "/b") }, { "/b", "HTTP/1.1 200 OK\r\n" EMPTY } }, .status = 200 },
  { "delete-301-is-data", TRUE, { { "/", REDIRECT ("301", "/b") } }, .status = 301 },
  { "delete-303-is-data", TRUE, { { "/", REDIRECT ("303", "/b") } }, .status = 303 },
  { "delete-307-to-other-host", TRUE, { { "/", REDIRECT ("307", "http://localhost:9/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_NOT_ALLOWED },
  { "delete-loop", TRUE, { { "/", REDIRECT ("307", "/") } },
    .domain = whip_error_quark, .code = WHIP_ERROR_TOO_MANY_REDIRECTS },
  { "delete-never", TRUE, { { "/", "", THEN_HANG } },
    .domain = g_io_error_quark, .code = G_IO_ERROR_TIMED_OUT, .timeout = 1 },
};
/* clang-format on */

static void
check_response (Fixture *f, const Case *row, const WhipResponse *response)
{
  g_autofree gchar *session_url = row->session_path == NULL
      ? NULL
      : g_strconcat (f->server->url, row->session_path, NULL);

  g_assert_cmpuint (response->status, ==, row->status);
  if (row->body != NULL)
    g_assert_cmpstr (response->body, ==, row->body);
  g_assert_cmpuint (response->body_length, ==, strlen (response->body));
  g_assert_false (response->body_truncated);
  g_assert_cmpstr (response->session_url, ==, session_url);
  g_assert_cmpuint (response->n_redirects, ==, count_seen (f->server) - 1);
}

static void
test_case (Fixture *f, gconstpointer data)
{
  const Case *row = data;
  g_auto (Outcome) outcome = { 0 };

  for (guint i = 0; i < MAX_DOORS && row->doors[i].path != NULL; i++)
    open_door (f->server, row->doors[i]);
  if (row->timeout != 0)
    whip_client_set_timeout (f->client, row->timeout);

  outcome = row->is_delete ? delete (f, "/") : post (f, "/");
  assert_all_seen (f->server, row->is_delete ? "DELETE" : "POST", TOKEN);
  if (row->status != 0) {
    g_assert_no_error (outcome.error);
    check_response (f, row, outcome.response);
  } else {
    g_assert_null (outcome.response);
    g_assert_nonnull (outcome.error);
    if (row->domain != NULL)
      g_assert_error (outcome.error, row->domain (), row->code);
  }
  if (row->traced != NULL)
    g_assert_nonnull (strstr (f->trace->str, row->traced));
}

/* -- Redirects that need more than one row ----------------------------------------- */

static void
check_chain (Fixture *f, guint n_redirects, Outcome *outcome)
{
  static const gchar *const paths[] = { "/0", "/1", "/2", "/3", "/4", "/5" };
  static const gchar *const replies[] = {
    REDIRECT ("301", "/1"),
    REDIRECT ("302", "/2"),
    REDIRECT ("303", "/3"),
    REDIRECT ("307", "/4"),
    REDIRECT ("308", "/5"),
    REDIRECT ("307", "/6"),
  };

  for (guint i = 0; i < n_redirects; i++)
    open_door (f->server, (Door){ paths[i], replies[i] });
  if (n_redirects <= WHIP_MAX_REDIRECTS)
    open_door (f->server, (Door){ "/5", CREATED ("Location: s\r\n", "0") });
  start_post (f, f->server->url, "/0", outcome);
  wait_for (f, outcome);
  g_assert_cmpuint (count_seen (f->server), ==, 6);
  assert_all_seen (f->server, "POST", TOKEN);
}

static void
test_chain_of_5 (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  check_chain (f, 5, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.response->n_redirects, ==, 5);
  g_assert_true (g_str_has_suffix (outcome.response->url, "/5"));
}

static void
test_chain_of_6 (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  check_chain (f, 6, &outcome);
  g_assert_error (outcome.error, WHIP_ERROR, WHIP_ERROR_TOO_MANY_REDIRECTS);
}

static void
test_callback_refuses (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  g_autofree gchar *asked = NULL;

  whip_client_set_may_follow (f->client, nobody_may_follow, f, NULL);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "%OTHER%/x") });
  outcome = post (f, "/");
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_cmpstr (outcome.error->message, ==, "not there: <redacted>");
  asked = g_strdup_printf ("%s/ -> %s/x\n", f->server->url, f->other->url);
  g_assert_cmpstr (f->asked->str, ==, asked);
  g_assert_cmpint (g_atomic_int_get (&f->other->n_accepted), ==, 0);
}

static void
test_callback_refuses_silently (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  whip_client_set_may_follow (f->client, nobody_may_follow_nor_says_why, f,
      NULL);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "%OTHER%/x") });
  outcome = post (f, "/");
  g_assert_error (outcome.error, WHIP_ERROR, WHIP_ERROR_NOT_ALLOWED);
}

static void
test_callback_allows (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  whip_client_set_may_follow (f->client, everybody_may_follow, f, NULL);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "%OTHER%/x") });
  open_door (f->other,
      (Door){ "/x", CREATED ("Location: %OTHER%/s\r\n", "0") });
  outcome = post (f, "/");
  g_assert_no_error (outcome.error);
  assert_all_seen (f->other, "POST", TOKEN);
  g_assert_cmpuint (count_seen (f->other), ==, 1);
  g_assert_true (g_str_has_prefix (outcome.response->url, f->other->url));
  g_assert_true (
      g_str_has_prefix (outcome.response->session_url, f->server->url));
}

/* Each hop is in time, all of them together are not. */
static void
test_slow_hops (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  whip_client_set_timeout (f->client, 1);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "/"), .delay_ms = 400 });
  outcome = post (f, "/");
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpuint (count_seen (f->server), >=, 2);
}

/* -- Bodies ------------------------------------------------------------------------- */

static GBytes *
gzip (const gchar *text, gsize length)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream =
      g_converter_output_stream_new (memory, compressor);
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (stream, text, length, NULL, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_close (stream, NULL, &error);
  g_assert_no_error (error);
  return g_memory_output_stream_steal_as_bytes (
      G_MEMORY_OUTPUT_STREAM (memory));
}

static void
open_bytes (Fixture *f, const gchar *reply, GBytes *bytes)
{
  open_door (f->server, (Door){ "/", reply, THEN_CLOSE, .bytes = bytes });
}

/* It was asked not to; the session that it made can be deleted. */
static void
test_gzip (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  open_bytes (f,
      "HTTP/1.1 201 Created\r\nLocation: /s\r\nContent-Encoding: gzip\r\n\r\n",
      gzip ("v=0\n", 4));
  outcome = post (f, "/");
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_nonnull (strstr (outcome.error->message, "is compressed"));
  g_assert_true (g_str_has_suffix (outcome.orphan, "/s"));
}

/* A refusal is one without its text, too; nothing is unfolded. */
static void
test_gzip_refusal (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (32 * 1024 * 1024, 'x');
  g_auto (Outcome) outcome = { 0 };

  open_bytes (f, "HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\n\r\n",
      gzip (text, strlen (text)));
  outcome = post (f, "/");
  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.response->status, ==, 403);
  g_assert_cmpuint (outcome.response->body_length, <, 128 * 1024);
}

static void
test_identity (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  open_bytes (f, "HTTP/1.1 201 Created\r\nContent-Encoding: Identity\r\n\r\n",
      g_bytes_new_static ("v=0\n", 4));
  outcome = post (f, "/");
  g_assert_no_error (outcome.error);
  g_assert_cmpstr (outcome.response->body, ==, "v=0\n");
}

static void
check_truncated (Fixture *f)
{
  g_auto (Outcome) outcome = post (f, "/");
  g_auto (Outcome) next = { 0 };

  g_assert_no_error (outcome.error);
  g_assert_true (outcome.response->body_truncated);
  g_assert_cmpuint (outcome.response->body_length, ==, WHIP_MAX_BODY);
  g_assert_cmpuint (strlen (outcome.response->body), ==, WHIP_MAX_BODY);

  /* The client is as good as before. */
  open_door (f->server, (Door) OK_DOOR);
  next = post (f, "/ok");
  g_assert_no_error (next.error);
  g_assert_cmpstr (next.response->body, ==, "v=0\n");
}

static void
test_big_body (Fixture *f, gconstpointer data)
{
  gsize length = 300 * 1024;

  open_bytes (f, "HTTP/1.1 201 Created\r\nContent-Length: 307200\r\n\r\n",
      g_bytes_new_take (g_strnfill (length, 'x'), length));
  check_truncated (f);
}

static void
test_endless_body (Fixture *f, gconstpointer data)
{
  open_door (f->server,
      (Door){ "/", "HTTP/1.1 201 Created\r\n\r\n", THEN_REPEAT, "xxxxxxxx" });
  check_truncated (f);
}

static void
test_largest_body (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  open_bytes (f, "HTTP/1.1 201 Created\r\nContent-Length: 262144\r\n\r\n",
      g_bytes_new_take (g_strnfill (WHIP_MAX_BODY, 'x'), WHIP_MAX_BODY));
  outcome = post (f, "/");
  g_assert_no_error (outcome.error);
  g_assert_false (outcome.response->body_truncated);
  g_assert_cmpuint (outcome.response->body_length, ==, WHIP_MAX_BODY);
}

/* -- Sessions that nobody uses ------------------------------------------------------- */

static void
check_orphan (Fixture *f, Then then, GQuark domain, gint code)
{
  g_auto (Outcome) outcome = { 0 };
  g_autofree gchar *url = g_strconcat (f->server->url, "/s", NULL);

  open_door (f->server,
      (Door){ "/", CREATED ("Location: /s\r\n", "99") "x", then });
  outcome = post (f, "/");
  g_assert_error (outcome.error, domain, code);
  g_assert_cmpstr (outcome.orphan, ==, url);
}

static void
test_orphan_cut (Fixture *f, gconstpointer data)
{
  check_orphan (f, THEN_CLOSE, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);
}

static void
test_orphan_timeout (Fixture *f, gconstpointer data)
{
  whip_client_set_timeout (f->client, 1);
  check_orphan (f, THEN_HANG, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static void
test_no_orphan (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  open_door (f->server, (Door) OK_DOOR);
  outcome = post (f, "/ok");
  g_assert_no_error (outcome.error);
  g_assert_null (outcome.orphan);
}

/* -- Cancelling ---------------------------------------------------------------------- */

static void
test_cancel_before (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  g_auto (Outcome) outcome2 = { 0 };
  g_auto (Outcome) outcome3 = { 0 };

  g_cancellable_cancel (f->cancellable);
  outcome = post (f, "/");
  outcome2 = delete (f, "/");
  outcome3 = preconnect (f, f->server->url);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (outcome2.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (outcome3.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 0);
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* @data: the reply after which the server hangs. */
static void
test_cancel_in_flight (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  open_door (f->server, (Door){ "/", data, THEN_HANG });
  start_post (f, f->server->url, "/", &outcome);
  WAIT_FOR (count_seen (f->server) == 1);
  g_assert_false (outcome.is_done);
  g_thread_join (g_thread_new ("cancel", cancel_in_thread, f->cancellable));
  wait_for (f, &outcome);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_cancel_at_once (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  start_post (f, f->server->url, "/", &outcome);
  g_cancellable_cancel (f->cancellable);
  wait_for (f, &outcome);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* -- Several at once ------------------------------------------------------------------- */

static void
test_two_at_once (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) slow = { 0 };
  g_auto (Outcome) fast = { 0 };

  open_door (f->server,
      (Door){ "/slow", CREATED ("", "4") "slow", .delay_ms = 200 });
  open_door (f->server, (Door){ "/fast", CREATED ("", "4") "fast" });
  start_post (f, f->server->url, "/slow", &slow);
  start_post (f, f->server->url, "/fast", &fast);
  wait_for (f, &fast);
  g_assert_false (slow.is_done);
  wait_for (f, &slow);
  g_assert_no_error (slow.error);
  g_assert_no_error (fast.error);
  g_assert_cmpstr (slow.response->body, ==, "slow");
  g_assert_cmpstr (fast.response->body, ==, "fast");
}

/* More than libsoup has connections for: those that wait must end in time too. */
static void
test_many_hang (Fixture *f, gconstpointer data)
{
  Outcome outcomes[12] = { 0 };

  whip_client_set_timeout (f->client, 1);
  open_door (f->server, (Door){ "/", "", THEN_HANG });
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    start_post (f, f->server->url, "/", &outcomes[i]);
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++) {
    wait_for (f, &outcomes[i]);
    g_assert_error (outcomes[i].error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    outcome_clear (&outcomes[i]);
  }
}

static void
test_drop_in_flight (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  gpointer weak = f->client;

  open_door (f->server, (Door) OK_DOOR);
  g_object_add_weak_pointer (G_OBJECT (f->client), &weak);
  start_post (f, f->server->url, "/ok", &outcome);
  g_clear_object (&f->client);
  wait_for (f, &outcome);
  g_assert_no_error (outcome.error);
  WAIT_FOR (weak == NULL);
}

static void
notified (gpointer data)
{
  (*(guint *) data)++;
}

static void
test_callbacks_are_released (void)
{
  guint n_notified = 0;
  WhipClient *client = whip_client_new ("test/1.0");

  whip_client_set_may_follow (client, everybody_may_follow, &n_notified,
      notified);
  whip_client_set_may_follow (client, everybody_may_follow, &n_notified,
      notified);
  whip_client_set_trace (client, line_traced, &n_notified, notified);
  g_assert_cmpuint (n_notified, ==, 1);
  g_object_unref (client);
  g_assert_cmpuint (n_notified, ==, 3);
}

/* -- Connections ----------------------------------------------------------------------- */

/* The POST finds the connection that was made ahead. The DELETE takes none of hours ago,
 * whose network may have changed. */
static void
test_connections (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) early = preconnect (f, f->server->url);
  g_auto (Outcome) posted = { 0 };
  g_auto (Outcome) deleted = { 0 };

  g_assert_no_error (early.error);
  open_door (f->server, (Door) OK_DOOR);
  open_door (f->server, (Door){ "/session", "HTTP/1.1 200 OK\r\n" EMPTY });
  posted = post (f, "/ok");
  g_assert_no_error (posted.error);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 1);
  deleted = delete (f, "/session");
  g_assert_no_error (deleted.error);
  g_assert_cmpuint (deleted.response->status, ==, 200);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 2);
}

/* Nothing is kept open between, and the client is still of use. */
static void
test_hang_up (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) early = preconnect (f, f->server->url);
  g_auto (Outcome) posted = { 0 };
  g_auto (Outcome) deleted = { 0 };

  g_assert_no_error (early.error);
  open_door (f->server, (Door) OK_DOOR);
  open_door (f->server, (Door){ "/session", "HTTP/1.1 200 OK\r\n" EMPTY });
  posted = post (f, "/ok");
  g_assert_no_error (posted.error);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_open), ==, 1);
  while (g_main_context_iteration (NULL, FALSE)) /* libsoup tidies up */
    ;
  whip_client_hang_up (f->client);
  WAIT_FOR (g_atomic_int_get (&f->server->n_open) == 0);
  deleted = delete (f, "/session");
  g_assert_no_error (deleted.error);
  g_assert_cmpuint (deleted.response->status, ==, 200);
}

/* The connection was used before, so libsoup would repeat a GET. A repeated POST
 * may make two sessions. */
static void
test_not_repeated (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) first = { 0 };
  g_auto (Outcome) second = { 0 };

  open_door (f->server, (Door) OK_DOOR);
  open_door (f->server, (Door){ "/", "", THEN_CLOSE });
  first = post (f, "/ok");
  g_assert_no_error (first.error);
  second = post (f, "/");
  g_assert_nonnull (second.error);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 1);
  g_assert_cmpuint (count_seen (f->server), ==, 2);
}

/* A server may hang up on an idle connection whenever it likes. */
static void
test_idle_closed (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) first = { 0 };
  g_auto (Outcome) second = { 0 };

  open_door (f->server, (Door){ "/", CREATED ("", "0"), THEN_CLOSE });
  first = post (f, "/");
  g_assert_no_error (first.error);
  WAIT_FOR (g_atomic_int_get (&f->server->n_open) == 0);
  second = post (f, "/");
  g_assert_no_error (second.error);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 2);
}

/* A port that is taken, but where nobody listens. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autofree gchar *url = NULL;
  g_auto (Outcome) early = { 0 };
  g_auto (Outcome) posted = { 0 };

  g_socket_bind (socket, any, FALSE, &error);
  g_assert_no_error (error);
  bound = g_socket_get_local_address (socket, &error);
  url = g_strdup_printf ("http://127.0.0.1:%u",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));

  early = preconnect (f, url);
  g_assert_error (early.error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  start_post (f, url, "/", &posted);
  wait_for (f, &posted);
  g_assert_error (posted.error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  g_assert_nonnull (strstr (posted.error->message, url));
}

static void
test_unknown_host (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) early = preconnect (f, "http://nowhere.invalid/");
  g_auto (Outcome) posted = { 0 };

  g_assert_nonnull (early.error);
  g_assert_true (early.error->domain == G_RESOLVER_ERROR);
  start_post (f, "http://nowhere.invalid", "/", &posted);
  wait_for (f, &posted);
  g_assert_true (posted.error->domain == G_RESOLVER_ERROR);
  g_assert_nonnull (strstr (posted.error->message, "nowhere.invalid"));
}

static void
test_bad_url (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) early = preconnect (f, "ftp://127.0.0.1/");
  g_auto (Outcome) posted = { 0 };

  g_assert_error (early.error, WHIP_ERROR, WHIP_ERROR_URL);
  start_post (f, "http://me:pw@127.0.0.1", "/", &posted);
  wait_for (f, &posted);
  g_assert_error (posted.error, WHIP_ERROR, WHIP_ERROR_URL);
}

static void
test_no_token (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  g_autofree gchar *url = g_strconcat (f->server->url, "/ok", NULL);

  open_door (f->server, (Door) OK_DOOR);
  whip_client_post_offer_async (f->client, url, NULL, OFFER, NULL, post_ended,
      &outcome);
  wait_for (f, &outcome);
  g_assert_no_error (outcome.error);
  assert_all_seen (f->server, "POST", NULL);
}

static void
test_hostile_token (Fixture *f, gconstpointer data)
{
  static const gchar *const tokens[] = { "a\r\nX: y", "a b", "a\n", "\xff" };

  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++) {
    g_auto (Outcome) outcome = { 0 };

    whip_client_post_offer_async (f->client, f->server->url, tokens[i], OFFER,
        NULL, post_ended, &outcome);
    wait_for (f, &outcome);
    g_assert_error (outcome.error, WHIP_ERROR, WHIP_ERROR_TOKEN);
  }
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 0);
}

static void
test_trace (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  g_autofree gchar *expected = NULL;

  open_door (f->server,
      (Door){ "/x?secret=1", CREATED ("x-amzn-requestid: 7\r\n", "0") });
  outcome = post (f, "/x?secret=1");
  g_assert_no_error (outcome.error);
  expected = g_strdup_printf ("> POST %s/x?...\n"
                              "> Content-Length: %u\n"
                              "> Authorization: Bearer <redacted>\n"
                              "< 201 Created\n"
                              "< Content-Type: application/sdp\n"
                              "< Content-Length: 0\n"
                              "< x-amzn-requestid: 7\n",
      f->server->url, (guint) strlen (OFFER));
  g_assert_cmpstr (f->trace->str, ==, expected);
}

/* -- TLS ------------------------------------------------------------ */

static void
use_tls (Server *server, const gchar *certificate_name)
{
  g_autofree gchar *path =
      g_build_filename (TEST_DATA_DIR, certificate_name, NULL);
  g_autofree gchar *clear_url = server->url;
  g_autoptr (GError) error = NULL;

  server->certificate = g_tls_certificate_new_from_file (path, &error);
  g_assert_no_error (error);
  server->url = g_strconcat ("https", clear_url + strlen ("http"), NULL);
}

static void
trust_test_ca (Fixture *f)
{
  g_autofree gchar *path =
      g_build_filename (TEST_DATA_DIR, "whip-ca.pem", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);
  whip_client_set_tls_database (f->client, database);
}

static void
test_tls (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) early = { 0 };
  g_auto (Outcome) posted = { 0 };
  g_auto (Outcome) deleted = { 0 };

  use_tls (f->server, "whip-server.pem");
  trust_test_ca (f);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "%SELF%/ok") });
  open_door (f->server, (Door) OK_DOOR);
  open_door (f->server, (Door){ "/session", "HTTP/1.1 200 OK\r\n" EMPTY });
  early = preconnect (f, f->server->url);
  g_assert_no_error (early.error);
  posted = post (f, "/ok");
  g_assert_no_error (posted.error);
  assert_all_seen (f->server, "POST", TOKEN);
  g_assert_cmpstr (posted.response->body, ==, "v=0\n");
  deleted = delete (f, "/session");
  g_assert_no_error (deleted.error);
  g_assert_cmpint (g_atomic_int_get (&f->server->n_accepted), ==, 2);
}

/* Even if the callback allows everything. */
static void
test_tls_to_clear (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) posted = { 0 };

  use_tls (f->server, "whip-server.pem");
  trust_test_ca (f);
  whip_client_set_may_follow (f->client, everybody_may_follow, f, NULL);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "%OTHER%/") });
  posted = post (f, "/");
  g_assert_error (posted.error, WHIP_ERROR, WHIP_ERROR_NOT_ALLOWED);
  g_assert_cmpstr (f->asked->str, ==, "");
  g_assert_cmpint (g_atomic_int_get (&f->other->n_accepted), ==, 0);
}

/* The same host in clear: no DELETE there, the rest of the answer is fine. */
static void
test_tls_session_in_clear (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) posted = { 0 };

  use_tls (f->server, "whip-server.pem");
  trust_test_ca (f);
  open_door (f->server,
      (Door){ "/", CREATED ("Location: %OTHER%/s\r\n", "0") });
  posted = post (f, "/");
  g_assert_no_error (posted.error);
  g_assert_null (posted.response->session_url);
}

static void
test_clear_to_tls (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) posted = { 0 };

  use_tls (f->other, "whip-server.pem");
  g_free (f->server->other_url);
  f->server->other_url = g_strdup (f->other->url);
  trust_test_ca (f);
  open_door (f->server, (Door){ "/", REDIRECT ("307", "%OTHER%/ok") });
  open_door (f->other, (Door) OK_DOOR);
  posted = post (f, "/");
  g_assert_no_error (posted.error);
  assert_all_seen (f->other, "POST", TOKEN);
}

static const struct
{
  const gchar *name;
  const gchar *certificate;
  gboolean is_ca_trusted;
  const gchar *said;
} bad_certificates[] = {
  { "unknown-ca", "whip-server.pem", FALSE, "signed by an unknown CA" },
  { "wrong-host", "whip-other-host.pem", TRUE, "made out for another host" },
  { "expired", "whip-expired.pem", TRUE, "has expired" },
};

static void
test_bad_certificate (Fixture *f, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_auto (Outcome) early = { 0 };
  g_auto (Outcome) posted = { 0 };

  use_tls (f->server, bad_certificates[i].certificate);
  if (bad_certificates[i].is_ca_trusted)
    trust_test_ca (f);
  else
    whip_client_set_tls_database (f->client, NULL);
  early = preconnect (f, f->server->url);
  g_assert_error (early.error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (strstr (early.error->message, bad_certificates[i].said));
  posted = post (f, "/");
  g_assert_error (posted.error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (strstr (posted.error->message, bad_certificates[i].said));
  g_assert_cmpuint (count_seen (f->server), ==, 0);
}

/* The server takes the connection and says nothing: TLS never ends. */
static void
test_tls_hangs (Fixture *f, gconstpointer data)
{
  g_auto (Outcome) early = { 0 };
  g_autofree gchar *url = g_strconcat ("https", f->server->url + 4, NULL);

  whip_client_set_timeout (f->client, 1);
  early = preconnect (f, url);
  g_assert_error (early.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

/* -- All of them ------------------------------------------------------------------------- */

static void
add (const gchar *name, void (*test) (Fixture *, gconstpointer),
    gconstpointer data)
{
  g_autofree gchar *path = g_strconcat ("/whip-client/", name, NULL);

  g_test_add (path, Fixture, data, set_up, test, tear_down);
}

static void
add_singles (void)
{
  add ("redirect-chain-of-5", test_chain_of_5, NULL);
  add ("redirect-chain-of-6", test_chain_of_6, NULL);
  add ("redirect-refused-by-callback", test_callback_refuses, NULL);
  add ("redirect-refused-silently", test_callback_refuses_silently, NULL);
  add ("redirect-allowed-by-callback", test_callback_allows, NULL);
  add ("redirect-slow-hops", test_slow_hops, NULL);
  add ("gzip", test_gzip, NULL);
  add ("gzip-refusal", test_gzip_refusal, NULL);
  add ("identity", test_identity, NULL);
  add ("body-big", test_big_body, NULL);
  add ("body-endless", test_endless_body, NULL);
  add ("body-largest", test_largest_body, NULL);
  add ("orphan-cut", test_orphan_cut, NULL);
  add ("orphan-timeout", test_orphan_timeout, NULL);
  add ("orphan-none", test_no_orphan, NULL);
  add ("cancel-before", test_cancel_before, NULL);
  add ("cancel-before-head", test_cancel_in_flight, "");
  add ("cancel-in-body", test_cancel_in_flight, CREATED ("", "9") "x");
  add ("cancel-at-once", test_cancel_at_once, NULL);
  add ("two-at-once", test_two_at_once, NULL);
  add ("many-hang", test_many_hang, NULL);
  add ("drop-in-flight", test_drop_in_flight, NULL);
  add ("connections", test_connections, NULL);
  add ("hang-up", test_hang_up, NULL);
  add ("not-repeated", test_not_repeated, NULL);
  add ("idle-closed", test_idle_closed, NULL);
  add ("refused", test_refused, NULL);
  add ("unknown-host", test_unknown_host, NULL);
  add ("bad-url", test_bad_url, NULL);
  add ("no-token", test_no_token, NULL);
  add ("hostile-token", test_hostile_token, NULL);
  add ("trace", test_trace, NULL);
  add ("tls", test_tls, NULL);
  add ("tls-to-clear", test_tls_to_clear, NULL);
  add ("tls-session-in-clear", test_tls_session_in_clear, NULL);
  add ("clear-to-tls", test_clear_to_tls, NULL);
  add ("tls-hangs", test_tls_hangs, NULL);
}

int
main (int argc, char **argv)
{
  /* The proxy of the computer that runs the tests is none of their business. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    add (cases[i].name, test_case, &cases[i]);
  for (guint i = 0; i < G_N_ELEMENTS (bad_certificates); i++) {
    g_autofree gchar *name =
        g_strconcat ("tls-", bad_certificates[i].name, NULL);

    add (name, test_bad_certificate, GUINT_TO_POINTER (i));
  }
  add_singles ();
  g_test_add_func ("/whip-client/callbacks-are-released",
      test_callbacks_are_released);
  return g_test_run ();
}
