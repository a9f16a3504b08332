/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP endpoint before another one, whose answers send media through a bad network.
 */
#include "whip-relay.h"

#include <libsoup/soup.h>

struct _WhipRelay
{
  UdpRelay *relay;
  SoupServer *server;
  SoupSession *session;
  gchar *endpoint;
  gchar *url;
  const gchar *const *dropped;
};

/* One POST, from the client and to the endpoint. */
typedef struct
{
  WhipRelay *self;
  SoupServerMessage *from;
  SoupMessage *to;
} Post;

static gboolean
has_one_of (const gchar *line, const gchar *const *prefixes)
{
  for (guint i = 0; prefixes != NULL && prefixes[i] != NULL; i++)
    if (g_str_has_prefix (line, prefixes[i]))
      return TRUE;
  return FALSE;
}

static gchar *
edit_offer (WhipRelay *self, const gchar *offer)
{
  g_auto (GStrv) lines = g_strsplit (offer, "\r\n", -1);
  GString *text = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0' && !has_one_of (lines[i], self->dropped))
      g_string_append_printf (text, "%s\r\n", lines[i]);
  return g_string_free (text, FALSE);
}

/* RFC 8839, 5.1: word 4 is the address, word 5 the port. */
static void
append_candidate (WhipRelay *self, const gchar *line, GString *text)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autofree gchar *joined = NULL;

  g_assert_cmpuint (g_strv_length (words), >, 7);
  udp_relay_set_server (self->relay, (guint16) atoi (words[5]));
  g_free (words[4]);
  words[4] = g_strdup ("127.0.0.1");
  g_free (words[5]);
  words[5] = g_strdup_printf ("%u", udp_relay_get_port (self->relay));
  joined = g_strjoinv (" ", words);
  g_string_append_printf (text, "%s\r\n", joined);
}

/* Only the first candidate for media over UDP of 127.0.0.1 remains. */
static gchar *
edit_answer (WhipRelay *self, const gchar *answer)
{
  g_auto (GStrv) lines = g_strsplit (answer, "\r\n", -1);
  GString *text = g_string_new (NULL);
  gboolean has_one = FALSE;

  for (guint i = 0; lines[i] != NULL; i++) {
    if (!g_str_has_prefix (lines[i], "a=candidate:")) {
      if (lines[i][0] != '\0')
        g_string_append_printf (text, "%s\r\n", lines[i]);
    } else if (!has_one && strstr (lines[i], " 127.0.0.1 ") != NULL &&
        strstr (lines[i], " 1 UDP ") != NULL) {
      append_candidate (self, lines[i], text);
      has_one = TRUE;
    }
  }
  return g_string_free (text, FALSE);
}

/* The session's URL is the endpoint's: the DELETE goes there by itself. */
static void
copy_headers (Post *post)
{
  SoupMessageHeaders *theirs = soup_message_get_response_headers (post->to);
  const gchar *location = soup_message_headers_get_one (theirs, "Location");
  g_autofree gchar *url = NULL;

  if (location == NULL)
    return;
  url = g_uri_resolve_relative (post->self->endpoint, location,
      G_URI_FLAGS_NONE, NULL);
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    post->from),
      "Location", url);
}

static void
answered (GObject *session, GAsyncResult *result, gpointer data)
{
  Post *post = data;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (session), result, NULL);
  guint status = body != NULL ? soup_message_get_status (post->to) : 502;
  g_autofree gchar *text = body != NULL
      ? g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body))
      : g_strdup ("");

  if (status == 201) {
    gchar *edited = edit_answer (post->self, text);

    g_free (text);
    text = edited;
  }
  copy_headers (post);
  soup_server_message_set_status (post->from, status, NULL);
  soup_server_message_set_response (post->from,
      status == 201 ? "application/sdp" : "application/json", SOUP_MEMORY_COPY,
      text, strlen (text));
  soup_server_message_unpause (post->from);
  g_object_unref (post->from);
  g_object_unref (post->to);
  g_free (post);
}

static void
request_came (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  WhipRelay *self = data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  const gchar *authorization =
      soup_message_headers_get_one (soup_server_message_get_request_headers (
                                        message),
          "Authorization");
  g_autofree gchar *text = g_strndup (body->data, (gsize) body->length);
  g_autofree gchar *offer = edit_offer (self, text);
  g_autoptr (GBytes) bytes = g_bytes_new (offer, strlen (offer));
  Post *post = NULL;

  if (soup_server_message_get_method (message) != SOUP_METHOD_POST) {
    soup_server_message_set_status (message, 405, NULL);
    return;
  }
  post = g_new (Post, 1);
  post->self = self;
  post->from = g_object_ref (message);
  post->to = soup_message_new (SOUP_METHOD_POST, self->endpoint);
  soup_message_set_request_body_from_bytes (post->to, "application/sdp", bytes);
  if (authorization != NULL)
    soup_message_headers_append (soup_message_get_request_headers (post->to),
        "Authorization", authorization);
  soup_server_message_pause (message);
  soup_session_send_and_read_async (self->session, post->to, G_PRIORITY_DEFAULT,
      NULL, answered, post);
}

WhipRelay *
whip_relay_start (UdpRelay *relay, const gchar *endpoint)
{
  return whip_relay_start_tls (relay, endpoint, NULL);
}

WhipRelay *
whip_relay_start_tls (UdpRelay *relay, const gchar *endpoint,
    GTlsCertificate *certificate)
{
  WhipRelay *self = g_new0 (WhipRelay, 1);
  g_autoptr (GError) error = NULL;
  GSList *listeners;
  g_autoptr (GSocketAddress) address = NULL;

  self->relay = relay;
  self->endpoint = g_strdup (endpoint);
  self->session = soup_session_new ();
  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, NULL, request_came, self, NULL);
  if (certificate != NULL)
    soup_server_set_tls_certificate (self->server, certificate);
  soup_server_listen_local (self->server, 0,
      SOUP_SERVER_LISTEN_IPV4_ONLY |
          (certificate != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0),
      &error);
  g_assert_no_error (error);
  listeners = soup_server_get_listeners (self->server);
  address = g_socket_get_local_address (listeners->data, NULL);
  self->url = g_strdup_printf ("%s://127.0.0.1:%u/",
      certificate != NULL ? "https" : "http",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  g_slist_free (listeners);
  return self;
}

void
whip_relay_stop (WhipRelay *self)
{
  soup_session_abort (self->session);
  soup_server_disconnect (self->server);
  g_object_unref (self->server);
  g_object_unref (self->session);
  g_free (self->endpoint);
  g_free (self->url);
  g_free (self);
}

const gchar *
whip_relay_get_url (WhipRelay *self)
{
  return self->url;
}

void
whip_relay_drop_lines (WhipRelay *self, const gchar *const *prefixes)
{
  self->dropped = prefixes;
}
