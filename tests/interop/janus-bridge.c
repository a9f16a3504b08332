/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP endpoint whose offers are answered by Janus, in a room of its plugin
 * VideoRoom, which forwards what it receives as plain RTP.
 *
 * The requests are those of Janus' manual, "JANUS API" and "VideoRoom plugin
 * documentation".
 */
#include "janus-bridge.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <signal.h>
#include <sys/prctl.h>

#define SECONDS 20
#define MAX_MESSAGE (64 * 1024)

struct _JanusBridge
{
  GSubprocess *process;
  gchar *folder;
  GSocket *socket;
  GSource *incoming;
  gint64 session, handle;
  guint audio_port, video_port;

  SoupServer *server;
  gchar *endpoint;
  SoupServerMessage *publisher; /* its POST, until Janus has answered */

  guint n_posts, n_deletes, n_connected, n_ended;
};

/* -- Janus' configuration ------------------------------------------------------------ */

static const gchar *const files[] = { "janus.jcfg",
  "janus.transport.pfunix.jcfg", "janus.plugin.videoroom.jcfg", "log", "api" };

static void write_file (JanusBridge *self, const gchar *name,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

static void
write_file (JanusBridge *self, const gchar *name, const gchar *format, ...)
{
  g_autofree gchar *path = g_build_filename (self->folder, name, NULL);
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

/* One plugin, and a socket in the folder: no port, nothing of /etc/janus. */
static void
write_configuration (JanusBridge *self, gboolean is_lite)
{
  write_file (self, "janus.jcfg",
      "general: { debug_level = 4; debug_colors = false; }\n"
      "nat: { ice_lite = %s; }\n"
      "plugins: { disable = \"libjanus_audiobridge.so,libjanus_duktape.so,"
      "libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,"
      "libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,"
      "libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so\"; }\n"
      "transports: { disable = \"libjanus_http.so,libjanus_mqtt.so,"
      "libjanus_nanomsg.so,libjanus_rabbitmq.so,libjanus_websockets.so\"; }\n",
      is_lite ? "true" : "false");
  write_file (self, "janus.transport.pfunix.jcfg",
      "general: { enabled = true; json = \"compact\"; type = "
      "\"SOCK_SEQPACKET\"; path = \"%s/api\"; }\n",
      self->folder);
  write_file (self, "janus.plugin.videoroom.jcfg", "general: {}\n");
}

/* It goes when the test goes, however that ends. */
static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static void
run (JanusBridge *self, const gchar *program)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autofree gchar *log = g_build_filename (self->folder, "log", NULL);
  g_autoptr (GError) error = NULL;

  g_subprocess_launcher_set_stdout_file_path (launcher, log);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  self->process = g_subprocess_launcher_spawn (launcher, &error, program, "-F",
      self->folder, NULL);
  g_assert_no_error (error);
}

/* -- Its API: one message of JSON is one packet ------------------------------------------- */

static gboolean
try_to_connect (JanusBridge *self)
{
  g_autofree gchar *path = g_build_filename (self->folder, "api", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GError) error = NULL;

  self->socket =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_SEQPACKET, 0, &error);
  g_assert_no_error (error);
  if (g_socket_connect (self->socket, address, NULL, NULL))
    return TRUE;
  g_clear_object (&self->socket);
  return FALSE;
}

static gboolean
wake_up (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* The thread of its Unix socket may look whether the transport is initialised before
 * that is noted (1.1.2); then it ends at once, and Janus for want of a transport. */
static void
connect_api (JanusBridge *self, const gchar *program)
{
  gint64 deadline = g_get_monotonic_time () + SECONDS * G_USEC_PER_SEC;
  guint timer = g_timeout_add (20, wake_up, NULL);

  while (!try_to_connect (self)) {
    if (g_get_monotonic_time () > deadline)
      g_error ("Janus does not listen; see %s/log", self->folder);
    if (g_subprocess_get_identifier (self->process) == NULL) {
      g_object_unref (self->process);
      run (self, program);
    }
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (timer);
  g_socket_set_timeout (self->socket, SECONDS);
}

/* @format makes the members of the message beside those of every one. */
static void
send_message (JanusBridge *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
send_message (JanusBridge *self, const gchar *format, ...)
{
  g_autofree gchar *members = NULL;
  g_autofree gchar *text = NULL;
  g_autofree gchar *session = NULL;
  g_autofree gchar *handle = NULL;
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  members = g_strdup_vprintf (format, args);
  va_end (args);
  if (self->session != 0)
    session =
        g_strdup_printf (",\"session_id\":%" G_GINT64_FORMAT, self->session);
  if (self->handle != 0)
    handle = g_strdup_printf (",\"handle_id\":%" G_GINT64_FORMAT, self->handle);
  text = g_strdup_printf ("{\"transaction\":\"t\"%s%s,%s}",
      session != NULL ? session : "", handle != NULL ? handle : "", members);
  g_socket_send (self->socket, text, strlen (text), NULL, &error);
  g_assert_no_error (error);
}

static JsonNode *
receive_message (JanusBridge *self)
{
  g_autofree gchar *text = g_malloc (MAX_MESSAGE + 1);
  g_autoptr (GError) error = NULL;
  gssize size =
      g_socket_receive (self->socket, text, MAX_MESSAGE, NULL, &error);
  JsonNode *message;

  g_assert_no_error (error);
  if (size <= 0)
    g_error ("Janus has gone; see %s/log", self->folder);
  text[size] = '\0';
  message = json_from_string (text, &error);
  g_assert_no_error (error);
  return message;
}

/* Of "create" and "attach". */
static gint64
receive_id (JanusBridge *self)
{
  g_autoptr (JsonNode) message = receive_message (self);
  JsonObject *object = json_node_get_object (message);

  g_assert_cmpstr (json_object_get_string_member (object, "janus"), ==,
      "success");
  return json_object_get_int_member (json_object_get_object_member (object,
                                         "data"),
      "id");
}

static void
open_room (JanusBridge *self)
{
  g_autoptr (JsonNode) created = NULL;

  send_message (self, "\"janus\":\"create\"");
  self->session = receive_id (self);
  send_message (self,
      "\"janus\":\"attach\",\"plugin\":\"janus.plugin.videoroom\"");
  self->handle = receive_id (self);
  send_message (self,
      "\"janus\":\"message\",\"body\":{\"request\":\"create\",\"room\":1,"
      "\"publishers\":1,\"audiocodec\":\"opus\",\"videocodec\":\"h264\"}");
  created = receive_message (self);
}

/* -- What it says on its own --------------------------------------------------------------- */

static void
forward_media (JanusBridge *self, gint64 publisher)
{
  send_message (self,
      "\"janus\":\"message\",\"body\":{\"request\":\"rtp_forward\",\"room\":1,"
      "\"publisher_id\":%" G_GINT64_FORMAT ",\"host\":\"127.0.0.1\","
      "\"streams\":[{\"mid\":\"audio0\",\"port\":%u},"
      "{\"mid\":\"video1\",\"port\":%u}]}",
      publisher, self->audio_port, self->video_port);
}

static void
answer_publisher (JanusBridge *self, const gchar *sdp)
{
  g_assert_nonnull (self->publisher);
  soup_server_message_set_status (self->publisher, 201, NULL);
  soup_server_message_set_response (self->publisher, "application/sdp",
      SOUP_MEMORY_COPY, sdp, strlen (sdp));
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    self->publisher),
      "Location", "/session");
  soup_server_message_unpause (self->publisher);
  g_clear_object (&self->publisher);
}

static JsonObject *
get_object (JsonObject *object, const gchar *member)
{
  return json_object_has_member (object, member)
      ? json_object_get_object_member (object, member)
      : NULL;
}

/* The one that brings the answer to our offer says who we are in the room. */
static void
event_came (JanusBridge *self, JsonObject *event)
{
  JsonObject *jsep = get_object (event, "jsep");
  JsonObject *plugin = get_object (event, "plugindata");
  JsonObject *data = plugin != NULL ? get_object (plugin, "data") : NULL;

  if (data != NULL && json_object_has_member (data, "error"))
    g_error ("Janus refuses: %s",
        json_object_get_string_member (data, "error"));
  if (jsep == NULL)
    return;
  forward_media (self, json_object_get_int_member (data, "id"));
  answer_publisher (self, json_object_get_string_member (jsep, "sdp"));
}

static gboolean
message_came (GSocket *socket, GIOCondition condition, gpointer data)
{
  JanusBridge *self = data;
  g_autoptr (JsonNode) message = receive_message (self);
  JsonObject *object = json_node_get_object (message);
  const gchar *kind = json_object_get_string_member (object, "janus");

  if (g_str_equal (kind, "error"))
    g_error ("Janus: %s",
        json_object_get_string_member (json_object_get_object_member (object,
                                           "error"),
            "reason"));
  if (g_str_equal (kind, "event"))
    event_came (self, object);
  self->n_connected += g_str_equal (kind, "webrtcup");
  self->n_ended += g_str_equal (kind, "hangup");
  return G_SOURCE_CONTINUE;
}

/* -- Requests of the element ------------------------------------------------------------------ */

/* Nothing is trickled: who sends checks is learned from them. */
static void
publish_requested (SoupServer *server, SoupServerMessage *message,
    const gchar *path, GHashTable *query, gpointer data)
{
  JanusBridge *self = data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autofree gchar *offer = g_strndup (body->data, (gsize) body->length);
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), offer);
  g_autofree gchar *quoted = json_to_string (node, FALSE);

  g_assert_true (soup_server_message_get_method (message) == SOUP_METHOD_POST);
  g_assert_null (self->publisher);
  self->n_posts++;
  self->publisher = g_object_ref (message);
  soup_server_message_pause (message);
  send_message (self,
      "\"janus\":\"message\",\"body\":{\"request\":\"joinandconfigure\","
      "\"room\":1,\"ptype\":\"publisher\"},"
      "\"jsep\":{\"type\":\"offer\",\"sdp\":%s}",
      quoted);
  send_message (self,
      "\"janus\":\"trickle\",\"candidate\":{\"completed\":true}");
}

static void
session_requested (SoupServer *server, SoupServerMessage *message,
    const gchar *path, GHashTable *query, gpointer data)
{
  JanusBridge *self = data;

  g_assert_true (
      soup_server_message_get_method (message) == SOUP_METHOD_DELETE);
  self->n_deletes++;
  send_message (self, "\"janus\":\"hangup\"");
  soup_server_message_set_status (message, 200, NULL);
}

static void
listen_to_element (JanusBridge *self)
{
  g_autoptr (GError) error = NULL;
  GSList *uris;

  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, "/whip", publish_requested, self,
      NULL);
  soup_server_add_handler (self->server, "/session", session_requested, self,
      NULL);
  soup_server_listen_local (self->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
      &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (self->server);
  self->endpoint =
      g_strdup_printf ("http://127.0.0.1:%d/whip", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

/* -- Life ---------------------------------------------------------------------------------------- */

JanusBridge *
janus_bridge_start (const gchar *program, gboolean is_lite, guint audio_port,
    guint video_port)
{
  JanusBridge *self = g_new0 (JanusBridge, 1);
  g_autoptr (GError) error = NULL;

  self->audio_port = audio_port;
  self->video_port = video_port;
  self->folder = g_dir_make_tmp ("ivs-janus-XXXXXX", &error);
  g_assert_no_error (error);
  write_configuration (self, is_lite);
  run (self, program);
  connect_api (self, program);
  open_room (self);
  self->incoming = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->incoming, G_SOURCE_FUNC (message_came), self,
      NULL);
  g_source_attach (self->incoming, NULL);
  listen_to_element (self);
  return self;
}

void
janus_bridge_stop (JanusBridge *self)
{
  g_source_destroy (self->incoming);
  g_source_unref (self->incoming);
  soup_server_disconnect (self->server);
  g_object_unref (self->server);
  g_clear_object (&self->publisher);
  g_subprocess_send_signal (self->process, SIGTERM);
  g_assert_true (g_subprocess_wait_check (self->process, NULL, NULL));
  g_object_unref (self->process);
  g_object_unref (self->socket);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree gchar *path = g_build_filename (self->folder, files[i], NULL);

    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->endpoint);
  g_free (self);
}

const gchar *
janus_bridge_get_endpoint (JanusBridge *self)
{
  return self->endpoint;
}

guint
janus_bridge_get_n_posts (JanusBridge *self)
{
  return self->n_posts;
}

guint
janus_bridge_get_n_deletes (JanusBridge *self)
{
  return self->n_deletes;
}

guint
janus_bridge_get_n_connected (JanusBridge *self)
{
  return self->n_connected;
}

guint
janus_bridge_get_n_ended (JanusBridge *self)
{
  return self->n_ended;
}
