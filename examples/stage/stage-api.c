/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The HTTP API that the page and tests use: tokens, faults, state, reports.
 */
#include "stage-api.h"
#include "stage-json.h"

#include <string.h>

#include "stage-status.h"

#define MAX_CUT_MS (10 * 60 * 1000)
#define MAX_REPORTS 8

struct _StageApi
{
  Stage *stage;
  StageJournal *journal;
  GQueue reports; /* JsonNode, oldest first */
};

/* A page of another site must not mint tokens here: browsers say where a POST
 * comes from. */
static gboolean
is_same_origin (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  const gchar *origin = soup_message_headers_get_one (headers, "Origin");
  const gchar *host = soup_message_headers_get_one (headers, "Host");
  const gchar *rest = origin != NULL ? strstr (origin, "://") : NULL;

  return origin == NULL ||
      (rest != NULL && host != NULL && strcmp (rest + 3, host) == 0);
}

/* An empty body is an empty object. */
static JsonNode *
read_body (SoupServerMessage *message, GError **error)
{
  g_autoptr (GBytes) body = soup_message_body_flatten (
      soup_server_message_get_request_body (message));
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  gsize size;
  const gchar *data = g_bytes_get_data (body, &size);
  JsonNode *root;

  if (size == 0) {
    root = json_node_new (JSON_NODE_OBJECT);
    json_node_take_object (root, json_object_new ());
    return root;
  }
  if (!json_parser_load_from_data (parser, data, (gssize) size, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    return json_node_ref (root);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "The body is no JSON object");
  return NULL;
}

/* -- /api/token -------------------------------------------------------------------- */

static void
write_capabilities (StageParticipant *participant, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_array (builder);
  if (participant->can_publish)
    json_builder_add_string_value (builder, "PUBLISH");
  if (participant->can_subscribe)
    json_builder_add_string_value (builder, "SUBSCRIBE");
  json_builder_end_array (builder);
}

/* What CreateParticipantToken answers. */
static JsonNode *
describe_token (StageParticipant *participant)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GDateTime) expiry =
      g_date_time_new_from_unix_utc (participant->expires_at);
  g_autofree gchar *expiry_text = g_date_time_format_iso8601 (expiry);
  JsonNode *attributes = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (attributes, participant->attributes);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "participantToken");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "attributes");
  json_builder_add_value (builder, attributes);
  write_capabilities (participant, builder);
  stage_json_add_string (builder, "expirationTime", expiry_text);
  stage_json_add_string (builder, "participantId", participant->id);
  stage_json_add_string (builder, "token", participant->token);
  stage_json_add_string (builder, "userId", participant->user_id);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

static void
mint_token (StageApi *api, SoupServerMessage *message, JsonObject *request)
{
  g_autoptr (GError) error = NULL;
  StageParticipant *participant = stage_mint (api->stage, request, &error);
  g_autoptr (JsonNode) node = NULL;

  if (participant == NULL) {
    stage_http_respond_error (message, SOUP_STATUS_BAD_REQUEST, error->message);
    return;
  }
  node = describe_token (participant);
  stage_http_respond_json (message, SOUP_STATUS_OK, node);
}

/* -- /api/faults --------------------------------------------------------------------- */

static gboolean
is_action (const gchar *rule)
{
  static const gchar *const actions[] = { "kill", "freeze", "thaw",
    "dtls-close", "loss", "key-unit", NULL };

  return g_strv_contains (actions, rule);
}

static void
act (StageApi *api, SoupServerMessage *message, JsonObject *request,
    const gchar *action)
{
  const gchar *id =
      json_object_get_string_member_with_default (request, "participant", NULL);
  gint64 percent =
      json_object_get_int_member_with_default (request, "percent", 0);

  if (stage_act (api->stage, action, id, (guint) CLAMP (percent, 0, 100)))
    stage_http_respond (message, SOUP_STATUS_OK, "application/json", "{}");
  else
    stage_http_respond_error (message, SOUP_STATUS_CONFLICT,
        "Nobody publishes to whom this could be done");
}

static void
change_faults (StageApi *api, SoupServerMessage *message, JsonObject *request)
{
  const gchar *rule =
      json_object_get_string_member_with_default (request, "rule", NULL);
  g_autoptr (GError) error = NULL;

  if (json_object_get_boolean_member_with_default (request, "clear", FALSE))
    stage_faults_clear (stage_get_faults (api->stage));
  else if (g_strcmp0 (rule, "cut") == 0)
    stage_cut (api->stage,
        (guint) CLAMP (json_object_get_int_member_with_default (request, "ms",
                           1000),
            1, MAX_CUT_MS));
  else if (rule != NULL && is_action (rule)) {
    act (api, message, request, rule);
    return;
  } else if (!stage_faults_add (stage_get_faults (api->stage), request,
                 &error)) {
    stage_http_respond_error (message, SOUP_STATUS_BAD_REQUEST, error->message);
    return;
  }
  stage_http_respond (message, SOUP_STATUS_OK, "application/json", "{}");
}

/* -- /api/report ----------------------------------------------------------------------- */

static void
keep_report (StageApi *api, SoupServerMessage *message, JsonNode *report)
{
  g_queue_push_tail (&api->reports, json_node_ref (report));
  if (api->reports.length > MAX_REPORTS)
    json_node_unref (g_queue_pop_head (&api->reports));
  stage_http_respond (message, SOUP_STATUS_OK, "application/json", "{}");
}

static void
send_reports (StageApi *api, SoupServerMessage *message)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autoptr (JsonArray) array = json_array_new ();

  for (GList *link = api->reports.head; link != NULL; link = link->next)
    json_array_add_element (array, json_node_ref (link->data));
  json_node_set_array (node, array);
  stage_http_respond_json (message, SOUP_STATUS_OK, node);
}

/* -- Paths -------------------------------------------------------------------------------- */

static void
send_state (StageApi *api, SoupServerMessage *message)
{
  g_autoptr (JsonNode) node = stage_status_build (api->stage, api->journal);

  stage_http_respond_json (message, SOUP_STATUS_OK, node);
}

static void
get_requested (StageApi *api, SoupServerMessage *message, const gchar *path)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    message),
      "Cache-Control", "no-store");
  if (strcmp (path, "/api/state") == 0)
    send_state (api, message);
  else if (strcmp (path, "/api/report") == 0)
    send_reports (api, message);
  else
    stage_http_respond_error (message, SOUP_STATUS_NOT_FOUND,
        "There is /api/state and /api/report");
}

static void
post_requested (StageApi *api, SoupServerMessage *message, const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) body = read_body (message, &error);

  if (!is_same_origin (message))
    stage_http_respond_error (message, SOUP_STATUS_FORBIDDEN,
        "Pages of other origins may not use this");
  else if (body == NULL)
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): read_body() says why */
    stage_http_respond_error (message, SOUP_STATUS_BAD_REQUEST, error->message);
  else if (strcmp (path, "/api/token") == 0)
    mint_token (api, message, json_node_get_object (body));
  else if (strcmp (path, "/api/faults") == 0)
    change_faults (api, message, json_node_get_object (body));
  else if (strcmp (path, "/api/report") == 0)
    keep_report (api, message, body);
  else
    stage_http_respond_error (message, SOUP_STATUS_NOT_FOUND,
        "There is /api/token, /api/faults and /api/report");
}

static void
requested (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  const gchar *method = soup_server_message_get_method (message);

  if (method == SOUP_METHOD_GET)
    get_requested (data, message, path);
  else if (method == SOUP_METHOD_POST)
    post_requested (data, message, path);
  else
    stage_http_respond_error (message, SOUP_STATUS_METHOD_NOT_ALLOWED,
        "GET or POST");
}

StageApi *
stage_api_new (Stage *stage, StageJournal *journal, StageHttp *http)
{
  StageApi *api = g_new0 (StageApi, 1);

  api->stage = stage;
  api->journal = journal;
  soup_server_add_handler (stage_http_get_global_server (http), "/api",
      requested, api, NULL);
  return api;
}

void
stage_api_free (StageApi *api)
{
  g_queue_clear_full (&api->reports, (GDestroyNotify) json_node_unref);
  g_free (api);
}
