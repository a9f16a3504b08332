/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One HTTP request of WHIP, from URL to answer, whatever lies between.
 *
 * Read it downwards: an operation is a GTask with a Request as its data; each step
 * starts one thing and the next function is what happens when that ends. The
 * whole of an operation runs in the main context where it was started.
 *
 * Five things are done by hand that libsoup could do, or not at all. Redirects: it makes a GET of
 * a redirected POST, does not repeat one at 307 and 308, and takes the Authorization
 * away at another host (measured with 3.2.3), while WHIP needs all three kept and a
 * decision who may see the token. The time limit: that of SoupSession starts anew
 * with each byte. The log: SoupLogger prints bearer tokens. Packed bodies: we ask for
 * none, because blocks of gzip that hold nothing keep libsoup's decoder busy as long as
 * they come, and no time limit is looked at meanwhile. Trailers without end do the same
 * from 3.8 on: the connection is cut.
 */

#include "whip-client.h"

#include <string.h>
#include <sys/socket.h>
#include "whip-url.h"

#define MAX_TIMEOUT 3600
#define READ_SIZE (16 * 1024)
#define MAX_TRACE_LINE 1024
#define MAX_REASON 128
#define TOKEN_PIECE 16

/* 100 and 103 come once or twice. libsoup reads interim answers in one go as long
 * as there are more, so that no time limit could end a flood of them. */
#define MAX_INTERIM 16

/* Of the longest body in the smallest chunks ("1 CR LF x CR LF"), and more. */
#define MAX_RECEIVED (8 * WHIP_MAX_BODY)

/* A POST, a DELETE and a preconnect to one host must not queue up behind a hung
 * request; the default of libsoup is 2. */
#define MAX_CONNECTIONS_PER_HOST 8

struct _WhipClient
{
  GObject parent;

  SoupSession *session;
  guint timeout;

  /* Of the last certificate that was refused. A POST may wait for the connection
   * of a preconnect: then only that one hears what is wrong with it. */
  GTlsCertificateFlags tls_errors;

  GPtrArray *sockets; /* GSocket, of every connection, closed ones too */

  WhipClientMayFollow may_follow;
  gpointer may_follow_data;
  GDestroyNotify may_follow_notify;

  WhipClientTrace trace;
  gpointer trace_data;
  GDestroyNotify trace_notify;
};

G_DEFINE_FINAL_TYPE (WhipClient, whip_client, G_TYPE_OBJECT)

typedef struct
{
  const gchar *method;
  gchar *url; /* of the present hop */
  gchar *token;
  gboolean is_preconnect; /* then @method is only a word for messages */
  GBytes *offer;          /* NULL for DELETE and preconnect */
  guint n_redirects;

  SoupMessage *message;
  GInputStream *stream;
  GByteArray *received;
  WhipResponse *response;
  gchar *orphan;

  /* The caller's and the time limit both end in this one. */
  GCancellable *cancellable;
  GSource *cancelled;
  GSource *timer;
  guint timeout;
  gboolean is_timed_out;
  guint n_interim;
  GPtrArray *sockets; /* those of the client */
  gsize n_received;   /* bytes behind the head, as they came from the network */
} Request;

static void send_request (GTask *task);
static void read_more (GTask *task);

static void
stop_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* The signal has the request as its data, and the session may keep a message
 * longer than we do. */
static void
drop_message (Request *request)
{
  if (request->message != NULL)
    g_signal_handlers_disconnect_by_data (request->message, request);
  g_clear_object (&request->message);
}

static void
request_free (Request *request)
{
  stop_source (&request->cancelled);
  stop_source (&request->timer);
  g_free (request->url);
  g_free (request->token);
  g_clear_pointer (&request->offer, g_bytes_unref);
  drop_message (request);
  g_clear_object (&request->stream);
  g_clear_pointer (&request->received, g_byte_array_unref);
  whip_response_free (request->response);
  g_free (request->orphan);
  g_clear_object (&request->cancellable);
  g_ptr_array_unref (request->sockets);
  g_free (request);
}

/* -- What is said, and what is not ------------------------------------------ */

/* A server may repeat the token anywhere: in a Location, in a reason phrase. */
static gchar *
mask_token (const Request *request, const gchar *text)
{
  GString *masked = g_string_new (text);

  if (request->token != NULL)
    g_string_replace (masked, request->token, "<redacted>", 0);
  return g_string_free (masked, FALSE);
}

/* The same for a text that may have been cut: a piece of the token is enough. */
static gboolean
holds_token (const Request *request, const gchar *text)
{
  g_auto (GStrv) parts =
      g_strsplit (request->token != NULL ? request->token : "", ".", -1);

  for (guint i = 0; parts[i] != NULL; i++) {
    g_autofree gchar *piece = g_strndup (parts[i], TOKEN_PIECE);

    if (*piece != '\0' && strstr (text, piece) != NULL)
      return TRUE;
  }
  return FALSE;
}

static void trace (GTask *task, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
trace (GTask *task, const gchar *format, ...)
{
  WhipClient *self = g_task_get_source_object (task);
  g_autofree gchar *text = NULL;
  g_autofree gchar *masked = NULL;
  g_autofree gchar *line = NULL;
  va_list args;

  if (self->trace == NULL)
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);

  masked = mask_token (g_task_get_task_data (task), text);
  line = whip_response_printable (masked, MAX_TRACE_LINE);
  self->trace (line, self->trace_data);
}

static void
trace_request (GTask *task)
{
  Request *request = g_task_get_task_data (task);
  g_autofree gchar *url = whip_url_without_query (request->url);

  trace (task, "> %s %s", request->method, url);
  if (request->offer != NULL)
    trace (task, "> Content-Length: %" G_GSIZE_FORMAT,
        g_bytes_get_size (request->offer));
  if (request->token != NULL)
    trace (task, "> Authorization: Bearer <redacted>");
}

/* Chosen for what helps to understand a refusal; Link has TURN passwords. */
static void
trace_response (GTask *task)
{
  static const gchar *const names[] = {
    "Content-Type",
    "Content-Length",
    "Date",
    "Retry-After",
    "Server",
    "Via",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amz-cf-id",
    "x-request-id",
  };
  Request *request = g_task_get_task_data (task);
  SoupMessageHeaders *headers =
      soup_message_get_response_headers (request->message);
  const gchar *location = soup_message_headers_get_one (headers, "Location");
  const gchar *reason = soup_message_get_reason_phrase (request->message);

  trace (task, "< %d %s", (int) soup_message_get_status (request->message),
      reason == NULL ? "" : reason);
  if (location != NULL) {
    g_autofree gchar *url = whip_url_without_query (location);

    trace (task, "< Location: %s", url);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const gchar *value = soup_message_headers_get_one (headers, names[i]);

    if (value != NULL)
      trace (task, "< %s: %s", names[i], value);
  }
}

gchar *
whip_client_describe_tls_errors (GTlsCertificateFlags flags)
{
  static const struct
  {
    GTlsCertificateFlags flag;
    const gchar *text;
  } reasons[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "it is signed by an unknown CA" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "it is made out for another host" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED,
        "it is not valid yet (check the clock of this computer)" },
    { G_TLS_CERTIFICATE_EXPIRED,
        "it has expired (check the clock of this computer)" },
    { G_TLS_CERTIFICATE_REVOKED, "it was revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "its algorithm is insecure" },
    { G_TLS_CERTIFICATE_GENERIC_ERROR, "it could not be checked" },
  };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++) {
    if (flags & reasons[i].flag)
      g_string_append_printf (text, "%s%s", text->len == 0 ? "" : ", ",
          reasons[i].text);
  }
  return g_string_free (text, FALSE);
}

/* -- The end ------------------------------------------------------------------ */

/* Whether the connection can be used again: an endless body must not be read to
 * its end, which closing its stream might try. */
static gboolean
is_read_up (const Request *request)
{
  return request->received == NULL && !request->response->body_truncated;
}

static void
stop (Request *request)
{
  stop_source (&request->cancelled);
  stop_source (&request->timer);
  if (request->stream != NULL && !is_read_up (request))
    g_cancellable_cancel (request->cancellable);
  g_clear_object (&request->stream);
}

static void
fail (GTask *task, GError *error)
{
  Request *request = g_task_get_task_data (task);
  g_autofree gchar *masked = mask_token (request, error->message);

  stop (request);
  g_task_return_error (task,
      g_error_new_literal (error->domain, error->code, masked));
  g_error_free (error);
}

/* A connection that the request before began, and gave up when its time was over:
 * libsoup lets us wait for it, and cancels both. */
static gboolean
has_lost_connection (Request *request, const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
      !g_cancellable_is_cancelled (request->cancellable);
}

/* What GLib and libsoup say lacks the host, and for certificates the reason. */
static void
fail_transport (GTask *task, GError *error)
{
  WhipClient *self = g_task_get_source_object (task);
  Request *request = g_task_get_task_data (task);
  g_autofree gchar *origin = whip_url_origin (request->url);
  g_autoptr (GError) owned = error;

  if (request->is_timed_out || has_lost_connection (request, error) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
    fail (task,
        g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
            "%s did not answer the %s within %u s", origin, request->method,
            request->timeout));
  } else if (request->n_interim > MAX_INTERIM) {
    fail (task,
        g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "%s sends interim answers without end", origin));
  } else if (request->n_received > MAX_RECEIVED) {
    fail (task,
        g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "%s sends an answer without end", origin));
  } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    fail (task, g_steal_pointer (&owned));
  } else if (error->domain == G_TLS_ERROR && self->tls_errors != 0) {
    g_autofree gchar *reasons =
        whip_client_describe_tls_errors (self->tls_errors);

    fail (task,
        g_error_new (G_TLS_ERROR, error->code,
            "The certificate of %s is not trusted: %s", origin, reasons));
  } else {
    g_prefix_error (&owned, "%s to %s failed: ", request->method, origin);
    fail (task, g_steal_pointer (&owned));
  }
}

static void
succeed (GTask *task)
{
  Request *request = g_task_get_task_data (task);

  stop (request);
  g_task_return_pointer (task, g_steal_pointer (&request->response),
      (GDestroyNotify) whip_response_free);
}

static gboolean
time_ran_out (gpointer data)
{
  Request *request = g_task_get_task_data (data);

  request->is_timed_out = TRUE;
  g_cancellable_cancel (request->cancellable);
  return G_SOURCE_CONTINUE; /* stop () destroys it */
}

static gboolean
caller_cancelled (GCancellable *cancellable, gpointer data)
{
  Request *request = g_task_get_task_data (data);

  g_cancellable_cancel (request->cancellable);
  stop_source (&request->cancelled);
  return G_SOURCE_REMOVE;
}

/* -- 1. The request ----------------------------------------------------------- */

/* A line break would end the header and start another one. */
static gboolean
check_token (const gchar *token, GError **error)
{
  for (const gchar *at = token; at != NULL && *at != '\0'; at++) {
    if (!g_ascii_isgraph (*at)) {
      g_set_error_literal (error, WHIP_ERROR, WHIP_ERROR_TOKEN,
          "The token has a space, a line break or a character outside ASCII; "
          "pass it exactly as it was issued");
      return FALSE;
    }
  }
  return TRUE;
}

/* NULL if the task has ended already. */
static GTask *
start_task (WhipClient *self, const gchar *method, const gchar *url,
    const gchar *token, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GError) error = NULL;
  Request *request = g_new0 (Request, 1);

  /* An answer that came before the cancelling was noticed is handed over: it
   * names a session that must be deleted. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, request, (GDestroyNotify) request_free);
  request->method = method;
  request->url = g_strdup (url);
  request->token = token == NULL || *token == '\0' ? NULL : g_strdup (token);
  request->cancellable = g_cancellable_new ();
  request->sockets = g_ptr_array_ref (self->sockets);
  request->timeout = self->timeout;

  uri = whip_url_parse (url, &error);
  if (uri == NULL || !check_token (token, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return NULL;
  }
  if (g_task_return_error_if_cancelled (task))
    return NULL;

  if (cancellable != NULL) {
    request->cancelled = g_cancellable_source_new (cancellable);
    g_task_attach_source (task, request->cancelled,
        G_SOURCE_FUNC (caller_cancelled));
  }
  request->timer = g_timeout_source_new (request->timeout * 1000);
  g_task_attach_source (task, request->timer, time_ran_out);
  return g_steal_pointer (&task);
}

static gboolean
certificate_refused (SoupMessage *message, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer data)
{
  WhipClient *self = data;

  self->tls_errors = errors;
  return FALSE;
}

static void
interim_answer_came (SoupMessage *message, gpointer data)
{
  Request *request = data;

  if (++request->n_interim > MAX_INTERIM)
    g_cancellable_cancel (request->cancellable);
}

/* A later message may take over this connection, so they are kept for all. */
static void
network_event_came (SoupMessage *message, GSocketClientEvent event,
    GIOStream *connection, gpointer data)
{
  WhipClient *self = data;

  if (event == G_SOCKET_CLIENT_CONNECTED && G_IS_SOCKET_CONNECTION (connection))
    g_ptr_array_add (self->sockets,
        g_object_ref (
            g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection))));
}

/* Ends it now, and with a reset as soon as it is closed: a server that has filled our
 * window up would not hear of the end. */
static void
cut_connection (GSocket *socket)
{
  static const struct linger at_once = { 1, 0 };

  (void) setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &at_once,
      sizeof at_once);
  g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

/* libsoup 3.8 reads trailers in one go as long as there are more, and looks at no
 * cancellable meanwhile: only the end of the connection makes it stop. This is called
 * in the midst of it, at each read. */
static void
body_data_came (SoupMessage *message, guint n_bytes, gpointer data)
{
  Request *request = data;

  request->n_received += n_bytes;
  if (request->n_received <= MAX_RECEIVED)
    return;
  for (guint i = 0; i < request->sockets->len; i++)
    cut_connection (request->sockets->pdata[i]);
}

/* There is no such signal before 3.4, nor a need for it before 3.8. */
static void
watch_body (SoupMessage *message, Request *request)
{
  if (g_signal_lookup ("got-body-data", SOUP_TYPE_MESSAGE) != 0)
    g_signal_connect (message, "got-body-data", G_CALLBACK (body_data_came),
        request);
}

static SoupMessage *
make_message (WhipClient *self, Request *request)
{
  g_autoptr (GUri) uri = whip_url_parse (request->url, NULL);
  SoupMessage *message =
      soup_message_new_from_uri (request->is_preconnect ? SOUP_METHOD_HEAD
                                                        : request->method,
          uri);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  /* A POST is not idempotent; but without that flag libsoup gives each POST a new
   * connection and the preconnected one is for nothing. The flag means no more
   * than that: a POST is not sent again when its connection breaks. */
  soup_message_add_flags (message,
      SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT);
  /* A DELETE comes hours after the POST. On a kept connection whose network has
   * changed meanwhile (another address, a NAT that forgot it) it would be lost
   * without a word. */
  if (g_str_equal (request->method, SOUP_METHOD_DELETE))
    soup_message_add_flags (message, SOUP_MESSAGE_NEW_CONNECTION);
  g_signal_connect_object (message, "accept-certificate",
      G_CALLBACK (certificate_refused), self, 0);
  g_signal_connect (message, "got-informational",
      G_CALLBACK (interim_answer_came), request);
  g_signal_connect_object (message, "network-event",
      G_CALLBACK (network_event_came), self, 0);
  watch_body (message, request);

  /* RFC 9110 section 12.5.3: without it everything would be acceptable. */
  soup_message_headers_append (headers, "Accept-Encoding", "identity");
  if (request->offer != NULL) {
    soup_message_headers_append (headers, "Accept", "application/sdp");
    soup_message_set_request_body_from_bytes (message, "application/sdp",
        request->offer);
  }
  if (request->token != NULL) {
    g_autofree gchar *value = g_strconcat ("Bearer ", request->token, NULL);

    soup_message_headers_append (headers, "Authorization", value);
  }
  return message;
}

static void
answer_began (GObject *session, GAsyncResult *result, gpointer data);

static void
send_request (GTask *task)
{
  WhipClient *self = g_task_get_source_object (task);
  Request *request = g_task_get_task_data (task);

  drop_message (request);
  request->message = make_message (self, request);
  trace_request (task);
  soup_session_send_async (self->session, request->message, G_PRIORITY_DEFAULT,
      request->cancellable, answer_began, g_object_ref (task));
}

/* -- 2. Redirects ------------------------------------------------------------- */

/* 307 and 308 keep the method by definition (RFC 9110 sections 15.4.8 and 15.4.9),
 * and RFC 9725 section 4.5 has the client follow. It forbids servers 301 and 302
 * because browsers make a GET of those; but a GET means nothing to a WHIP endpoint,
 * so where a proxy or a load balancer sends 301, 302 or 303 nevertheless, to repeat
 * the POST is the one reading that can work. A DELETE need not be redirected at all
 * (section 4.5), so only the two clear ones are followed. */
static gboolean
is_redirect (const Request *request, guint status)
{
  switch (status) {
    case SOUP_STATUS_TEMPORARY_REDIRECT:
    case SOUP_STATUS_PERMANENT_REDIRECT:
      return TRUE;
    case SOUP_STATUS_MOVED_PERMANENTLY:
    case SOUP_STATUS_FOUND:
    case SOUP_STATUS_SEE_OTHER:
      return request->offer != NULL;
    default:
      return FALSE;
  }
}

static gboolean
may_follow (WhipClient *self, const gchar *to, const gchar *from,
    GError **error)
{
  GError *refusal = NULL;

  if (whip_url_is_downgrade (to, from)) {
    g_autofree gchar *origin = whip_url_origin (to);

    g_set_error (error, WHIP_ERROR, WHIP_ERROR_NOT_ALLOWED,
        "The token may not be sent to %s: that is without encryption", origin);
    return FALSE;
  }
  if (self->may_follow == NULL)
    return whip_url_may_follow_same_host (to, from, NULL, error);
  if (self->may_follow (to, from, self->may_follow_data, &refusal))
    return TRUE;

  if (refusal == NULL)
    g_set_error_literal (&refusal, WHIP_ERROR, WHIP_ERROR_NOT_ALLOWED,
        "The token may not be sent where the redirect leads");
  g_propagate_error (error, refusal);
  return FALSE;
}

/* The URL of the next hop, or NULL. */
static gchar *
judge_redirect (GTask *task, GError **error)
{
  Request *request = g_task_get_task_data (task);
  const gchar *location =
      soup_message_headers_get_one (soup_message_get_response_headers (
                                        request->message),
          "Location");
  g_autofree gchar *origin = whip_url_origin (request->url);
  g_autofree gchar *url = NULL;
  g_autoptr (GError) reason = NULL;

  if (request->n_redirects >= WHIP_MAX_REDIRECTS) {
    g_set_error (error, WHIP_ERROR, WHIP_ERROR_TOO_MANY_REDIRECTS,
        "More than %d redirects, the last one from %s", WHIP_MAX_REDIRECTS,
        origin);
    return NULL;
  }
  if (location == NULL || *location == '\0') {
    g_set_error (error, WHIP_ERROR, WHIP_ERROR_REDIRECT,
        "%s redirects with status %d, but does not say where to", origin,
        (int) soup_message_get_status (request->message));
    return NULL;
  }
  url = whip_url_resolve (request->url, location, &reason);
  if (url == NULL) {
    g_set_error (error, WHIP_ERROR, WHIP_ERROR_REDIRECT,
        "%s redirects to an unusable URL: %s", origin, reason->message);
    return NULL;
  }
  if (!may_follow (g_task_get_source_object (task), url, request->url, error))
    return NULL;
  return g_steal_pointer (&url);
}

static void
follow_redirect (GTask *task)
{
  Request *request = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  gchar *url = judge_redirect (task, &error);

  if (url == NULL) {
    fail (task, g_steal_pointer (&error));
    return;
  }
  g_free (request->url);
  request->url = url;
  request->n_redirects++;
  send_request (task);
}

/* -- 3. The answer ------------------------------------------------------------ */

/* The Location of a session is where the DELETE will carry the token to. */
static gchar *
judge_session_url (GTask *task)
{
  Request *request = g_task_get_task_data (task);
  const gchar *location =
      soup_message_headers_get_one (soup_message_get_response_headers (
                                        request->message),
          "Location");
  g_autofree gchar *url = NULL;
  g_autoptr (GError) error = NULL;

  if (location == NULL || *location == '\0')
    return NULL;
  url = whip_url_resolve (request->url, location, &error);
  if (url == NULL ||
      !may_follow (g_task_get_source_object (task), url, request->url,
          &error)) {
    trace (task, "* No DELETE to this Location: %s", error->message);
    return NULL;
  }
  return g_steal_pointer (&url);
}

static WhipResponse *
make_response (GTask *task)
{
  Request *request = g_task_get_task_data (task);
  WhipResponse *response = whip_response_new ();
  const gchar *reason = soup_message_get_reason_phrase (request->message);

  response->status = soup_message_get_status (request->message);
  response->url = g_strdup (request->url);
  response->n_redirects = request->n_redirects;
  if (reason != NULL && *reason != '\0')
    response->reason = whip_response_printable (reason, MAX_REASON);
  whip_response_read_headers (response,
      soup_message_get_response_headers (request->message),
      g_get_real_time () / G_USEC_PER_SEC);
  if (response->request_id != NULL &&
      holds_token (request, response->request_id))
    g_clear_pointer (&response->request_id, g_free);
  if (whip_response_is_success (response))
    response->session_url = judge_session_url (task);
  return response;
}

/* Of a refusal the status says enough. */
static gboolean
is_packed_answer (const Request *request)
{
  const gchar *encoding =
      soup_message_headers_get_one (soup_message_get_response_headers (
                                        request->message),
          "Content-Encoding");

  return request->offer != NULL &&
      whip_response_is_success (request->response) && encoding != NULL &&
      g_ascii_strcasecmp (encoding, "identity") != 0;
}

static void
answer_began (GObject *session, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GError) error = NULL;
  Request *request = g_task_get_task_data (task);
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (session), result, &error);

  if (stream == NULL) {
    fail_transport (task, g_steal_pointer (&error));
    return;
  }

  trace_response (task);
  if (is_redirect (request, soup_message_get_status (request->message))) {
    follow_redirect (task);
    return;
  }

  request->response = make_response (task);
  request->orphan = g_strdup (request->response->session_url);
  request->received = g_byte_array_new ();
  request->stream = g_steal_pointer (&stream);
  if (is_packed_answer (request))
    fail_transport (task,
        g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "the answer is compressed, which it was asked not to be"));
  else
    read_more (task);
}

/* libsoup 3.2 takes the end of the connection for the end of the body. A refusal
 * says enough without all of its text; half an answer is of no use. */
static gboolean
is_cut_off (const Request *request)
{
  SoupMessageHeaders *headers =
      soup_message_get_response_headers (request->message);

  return whip_response_is_success (request->response) &&
      soup_message_headers_get_encoding (headers) ==
      SOUP_ENCODING_CONTENT_LENGTH &&
      request->received->len <
      soup_message_headers_get_content_length (headers);
}

static void
part_arrived (GObject *stream, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GError) error = NULL;
  Request *request = g_task_get_task_data (task);
  g_autoptr (GBytes) part =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (stream), result,
          &error);

  if (part == NULL) {
    fail_transport (task, g_steal_pointer (&error));
    return;
  }
  g_byte_array_append (request->received, g_bytes_get_data (part, NULL),
      g_bytes_get_size (part));

  /* One byte more than allowed tells that there is more. */
  if (g_bytes_get_size (part) > 0 && request->received->len <= WHIP_MAX_BODY) {
    read_more (task);
    return;
  }
  if (g_bytes_get_size (part) == 0 && is_cut_off (request)) {
    fail_transport (task,
        g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
            "the connection was closed in the middle of the answer"));
    return;
  }
  whip_response_take_body (request->response,
      g_steal_pointer (&request->received));
  g_clear_pointer (&request->orphan, g_free);
  succeed (task);
}

static void
read_more (GTask *task)
{
  Request *request = g_task_get_task_data (task);

  g_input_stream_read_bytes_async (request->stream, READ_SIZE,
      G_PRIORITY_DEFAULT, request->cancellable, part_arrived,
      g_object_ref (task));
}

/* -- Operations --------------------------------------------------------------- */

void
whip_client_post_offer_async (WhipClient *self, const gchar *url,
    const gchar *token, const gchar *offer, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = start_task (self, SOUP_METHOD_POST, url, token,
      cancellable, callback, user_data);
  Request *request;

  if (task == NULL)
    return;
  request = g_task_get_task_data (task);
  request->offer = g_bytes_new (offer, strlen (offer));
  send_request (task);
}

WhipResponse *
whip_client_post_offer_finish (WhipClient *self, GAsyncResult *result,
    GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

const gchar *
whip_client_get_orphan (WhipClient *self, GAsyncResult *result)
{
  Request *request;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  request = g_task_get_task_data (G_TASK (result));
  return request->orphan;
}

void
whip_client_delete_async (WhipClient *self, const gchar *session_url,
    const gchar *token, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task = start_task (self, SOUP_METHOD_DELETE, session_url,
      token, cancellable, callback, user_data);

  if (task != NULL)
    send_request (task);
}

WhipResponse *
whip_client_delete_finish (WhipClient *self, GAsyncResult *result,
    GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
connected (GObject *session, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GError) error = NULL;

  if (!soup_session_preconnect_finish (SOUP_SESSION (session), result,
          &error)) {
    fail_transport (task, g_steal_pointer (&error));
    return;
  }
  stop (g_task_get_task_data (task));
  g_task_return_boolean (task, TRUE);
}

void
whip_client_preconnect_async (WhipClient *self, const gchar *url,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = start_task (self, SOUP_METHOD_CONNECT, url, NULL,
      cancellable, callback, user_data);
  Request *request;

  if (task == NULL)
    return;
  request = g_task_get_task_data (task);
  request->is_preconnect = TRUE;
  request->message = make_message (self, request);
  trace_request (task);
  soup_session_preconnect_async (self->session, request->message,
      G_PRIORITY_DEFAULT, request->cancellable, connected, g_object_ref (task));
}

gboolean
whip_client_preconnect_finish (WhipClient *self, GAsyncResult *result,
    GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
whip_client_hang_up (WhipClient *self)
{
  g_return_if_fail (WHIP_IS_CLIENT (self));
  soup_session_abort (self->session);
  g_ptr_array_set_size (self->sockets, 0);
}

/* -- The object --------------------------------------------------------------- */

static void
whip_client_init (WhipClient *self)
{
  self->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  self->session = soup_session_new_with_options ("max-conns-per-host",
      MAX_CONNECTIONS_PER_HOST, NULL);

  /* A 401 is an answer like another: nobody is here to type a password, and
   * with its manager gone libsoup leaves our Authorization alone. */
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (self->session,
      SOUP_TYPE_CONTENT_DECODER);
  whip_client_set_timeout (self, WHIP_DEFAULT_TIMEOUT);
}

static void
drop_callback (gpointer *data, GDestroyNotify *notify)
{
  GDestroyNotify call = *notify;
  gpointer old = *data;

  *notify = NULL;
  *data = NULL;
  if (call != NULL)
    call (old);
}

static void
whip_client_dispose (GObject *object)
{
  WhipClient *self = WHIP_CLIENT (object);

  if (self->session != NULL)
    soup_session_abort (self->session);
  g_clear_object (&self->session);
  whip_client_set_may_follow (self, NULL, NULL, NULL);
  whip_client_set_trace (self, NULL, NULL, NULL);
  G_OBJECT_CLASS (whip_client_parent_class)->dispose (object);
}

static void
whip_client_finalize (GObject *object)
{
  g_ptr_array_unref (WHIP_CLIENT (object)->sockets);
  G_OBJECT_CLASS (whip_client_parent_class)->finalize (object);
}

static void
whip_client_class_init (WhipClientClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = whip_client_dispose;
  G_OBJECT_CLASS (klass)->finalize = whip_client_finalize;
}

WhipClient *
whip_client_new (const gchar *user_agent)
{
  WhipClient *self = g_object_new (WHIP_TYPE_CLIENT, NULL);

  soup_session_set_user_agent (self->session, user_agent);
  return self;
}

void
whip_client_set_timeout (WhipClient *self, guint seconds)
{
  g_return_if_fail (WHIP_IS_CLIENT (self));

  self->timeout = CLAMP (seconds, 1, MAX_TIMEOUT);
  soup_session_set_timeout (self->session, self->timeout);
}

void
whip_client_set_tls_database (WhipClient *self, GTlsDatabase *database)
{
  g_autoptr (GTlsDatabase) system = NULL;

  g_return_if_fail (WHIP_IS_CLIENT (self));

  /* To libsoup NULL means to trust nobody. */
  if (database == NULL)
    system = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  soup_session_set_tls_database (self->session,
      database == NULL ? system : database);
}

void
whip_client_set_may_follow (WhipClient *self, WhipClientMayFollow func,
    gpointer user_data, GDestroyNotify notify)
{
  g_return_if_fail (WHIP_IS_CLIENT (self));

  drop_callback (&self->may_follow_data, &self->may_follow_notify);
  self->may_follow = func;
  self->may_follow_data = user_data;
  self->may_follow_notify = notify;
}

void
whip_client_set_trace (WhipClient *self, WhipClientTrace func,
    gpointer user_data, GDestroyNotify notify)
{
  g_return_if_fail (WHIP_IS_CLIENT (self));

  drop_callback (&self->trace_data, &self->trace_notify);
  self->trace = func;
  self->trace_data = user_data;
  self->trace_notify = notify;
}
