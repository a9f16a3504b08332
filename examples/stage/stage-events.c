/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The events WebSocket: tells those who joined who is on the stage.
 *
 * It is what the official SDK 1.41.0 was seen to use: the token comes as the
 * sub-protocol and is echoed, STAGE_STATE follows at once and at each change,
 * PING is answered by PONG.
 */
#include "stage-events.h"
#include "stage-json.h"

#include <string.h>

#define MAX_MESSAGE (64 * 1024)
#define MAX_GUESTS 256

struct _StageEvents
{
  Stage *stage;
  SoupServer *server;
  GPtrArray *guests; /* SoupWebsocketConnection */
  guint sequence;
  guint change; /* source: several changes make one message */
};

static void
write_participant (StageParticipant *participant, JsonBuilder *builder)
{
  JsonNode *attributes = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (attributes, participant->attributes);
  json_builder_begin_object (builder);
  stage_json_add_string (builder, "id", participant->id);
  stage_json_add_string (builder, "userId", participant->user_id);
  json_builder_set_member_name (builder, "attributes");
  json_builder_add_value (builder, attributes);
  stage_json_add_bool (builder, "audioMuted", FALSE);
  stage_json_add_bool (builder, "videoStopped", FALSE);
  stage_json_add_bool (builder, "isPublishing", TRUE);
  json_builder_end_object (builder);
}

static gchar *
build_state (StageEvents *events)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  GPtrArray *participants = stage_list (events->stage);

  json_builder_begin_object (builder);
  stage_json_add_string (builder, "type", "aws:ivs:STAGE_STATE");
  json_builder_set_member_name (builder, "payload");
  json_builder_begin_object (builder);
  stage_json_add_int (builder, "sequenceNumber", events->sequence);
  json_builder_set_member_name (builder, "participants");
  json_builder_begin_array (builder);
  for (guint i = 0; i < participants->len; i++)
    if (stage_participant_is_publishing (participants->pdata[i]))
      write_participant (participants->pdata[i], builder);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "disconnected");
  json_builder_begin_array (builder);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "serverFeatures");
  json_builder_begin_array (builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static void
send_text (SoupWebsocketConnection *guest, const gchar *text)
{
  if (soup_websocket_connection_get_state (guest) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_send_text (guest, text);
}

static gboolean
change_due (gpointer data)
{
  StageEvents *events = data;
  g_autofree gchar *text = NULL;

  events->change = 0;
  events->sequence++;
  text = build_state (events);
  for (guint i = 0; i < events->guests->len; i++)
    send_text (events->guests->pdata[i], text);
  return G_SOURCE_REMOVE;
}

static void
stage_changed (gpointer data)
{
  StageEvents *events = data;

  if (events->change == 0)
    events->change = g_idle_add (change_due, events);
}

/* -- Guests ---------------------------------------------------------------------- */

/* SET_STATE wants no answer. */
static void
message_came (SoupWebsocketConnection *guest, gint type, GBytes *message,
    gpointer data)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  gsize size;
  const gchar *text = g_bytes_get_data (message, &size);
  JsonNode *root = NULL;

  if (type == SOUP_WEBSOCKET_DATA_TEXT &&
      json_parser_load_from_data (parser, text, (gssize) size, NULL))
    root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root) &&
      g_strcmp0 (json_object_get_string_member_with_default (
                     json_node_get_object (root), "type", NULL),
          "PING") == 0)
    send_text (guest, "{\"type\":\"PONG\"}");
}

static void
guest_left (SoupWebsocketConnection *guest, gpointer data)
{
  StageEvents *events = data;

  g_ptr_array_remove (events->guests, guest);
}

static void
welcome (StageEvents *events, SoupWebsocketConnection *guest)
{
  g_autofree gchar *state = NULL;

  soup_websocket_connection_set_max_incoming_payload_size (guest, MAX_MESSAGE);
  g_signal_connect (guest, "message", G_CALLBACK (message_came), events);
  g_signal_connect (guest, "closed", G_CALLBACK (guest_left), events);
  g_ptr_array_add (events->guests, guest);
  events->sequence++;
  state = build_state (events);
  send_text (guest, state);
}

static void
refuse_guest (SoupWebsocketConnection *guest)
{
  send_text (guest,
      "{\"type\":\"aws:ivs:JOIN_ERROR\",\"payload\":"
      "{\"code\":2003,\"message\":\"no permissions\"}}");
  soup_websocket_connection_close (guest, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION,
      "no permissions");
}

/* -- Handshake --------------------------------------------------------------------- */

/* libsoup knows only fixed sub-protocols, so the upgrade is done by hand. */
static void
upgraded (SoupServerMessage *message, gpointer data)
{
  StageEvents *events = data;
  const gchar *token =
      soup_message_headers_get_one (soup_server_message_get_response_headers (
                                        message),
          "Sec-WebSocket-Protocol");
  StageParticipant *participant =
      token != NULL ? stage_find_by_token (events->stage, token) : NULL;
  g_autoptr (GIOStream) stream = soup_server_message_steal_connection (message);
  g_autoptr (SoupWebsocketConnection) guest =
      soup_websocket_connection_new (stream,
          soup_server_message_get_uri (message),
          SOUP_WEBSOCKET_CONNECTION_SERVER, NULL, token, NULL);

  if (participant != NULL && !stage_participant_is_expired (participant) &&
      events->guests->len < MAX_GUESTS)
    welcome (events, g_steal_pointer (&guest));
  else {
    refuse_guest (guest);
    g_signal_connect (guest, "closed", G_CALLBACK (g_object_unref), NULL);
    g_steal_pointer (&guest);
  }
}

static void
join_requested (SoupServer *server, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer data)
{
  const gchar *header =
      soup_message_headers_get_list (soup_server_message_get_request_headers (
                                         message),
          "Sec-WebSocket-Protocol");
  g_auto (GStrv) protocols = g_strsplit (header != NULL ? header : "", ",", 2);

  if (protocols[0] == NULL) {
    stage_http_respond_error (message, SOUP_STATUS_BAD_REQUEST,
        "The token is missing: it is the WebSocket's sub-protocol");
    return;
  }
  g_strstrip (protocols[0]);
  g_clear_pointer (&protocols[1], g_free);
  if (soup_websocket_server_process_handshake (message, NULL, protocols, NULL,
          NULL))
    g_signal_connect (message, "wrote-informational", G_CALLBACK (upgraded),
        data);
}

StageEvents *
stage_events_new (Stage *stage, StageHttp *http)
{
  StageEvents *events = g_new0 (StageEvents, 1);

  events->stage = stage;
  events->guests = g_ptr_array_new_with_free_func (g_object_unref);
  soup_server_add_handler (stage_http_get_global_server (http), "/events",
      join_requested, events, NULL);
  stage_set_changed (stage, stage_changed, events);
  return events;
}

void
stage_events_free (StageEvents *events)
{
  stage_set_changed (events->stage, NULL, NULL);
  g_clear_handle_id (&events->change, g_source_remove);
  for (guint i = 0; i < events->guests->len; i++)
    g_signal_handlers_disconnect_by_data (events->guests->pdata[i], events);
  g_ptr_array_unref (events->guests);
  g_free (events);
}
