/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stage's two HTTP servers: the global one with page and API, the regional
 * one where WHIP is spoken.
 *
 * An offer goes through the steps in the order in which they stand here:
 * received, delayed, redirected, refused by a rule of a test, checked as the
 * service does, handed to the stage, answered.
 */
#include "stage-http.h"

#include <string.h>

#define SDP_TYPE "application/sdp"
#define MAX_REQUEST (12 * 1024 * 1024) /* a page's report holds a picture */
#define DELETE_REL "urn:ietf:params:whip:ivs-stages:session-delete"

struct _StageHttp
{
  Stage *stage;
  StageJournal *journal;
  SoupServer *global;
  SoupServer *regional;
  gchar *global_url;
  gchar *regional_url;
};

/* -- Responses ------------------------------------------------------------------- */

void
stage_http_respond (SoupServerMessage *message, guint status,
    const gchar *content_type, const gchar *body)
{
  soup_server_message_set_status (message, status, NULL);
  if (body != NULL)
    soup_server_message_set_response (message, content_type, SOUP_MEMORY_COPY,
        body, strlen (body));
}

void
stage_http_respond_json (SoupServerMessage *message, guint status,
    JsonNode *node)
{
  g_autofree gchar *body = json_to_string (node, FALSE);

  stage_http_respond (message, status, "application/json", body);
}

void
stage_http_respond_error (SoupServerMessage *message, guint status,
    const gchar *text)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_string_member (object, "error", text);
  json_node_set_object (node, object);
  stage_http_respond_json (message, status, node);
}

static void
note (SoupServerMessage *message, const gchar *name, const gchar *value)
{
  g_object_set_data_full (G_OBJECT (message), name, g_strdup (value), g_free);
}

/* `reason` is for people: journal and page. */
static void
refuse (SoupServerMessage *message, guint status, gint code, const gchar *text,
    const gchar *reason)
{
  g_autofree gchar *body = stage_fault_make_body (code, text);

  note (message, "stage-reason", reason);
  g_object_set_data (G_OBJECT (message), "stage-code", GINT_TO_POINTER (code));
  stage_http_respond (message, status, "application/json", body);
}

/* Browsers ask from the page's origin; the token stands in a header, so that no
 * cookie is at stake. */
static void
allow_origins (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Access-Control-Allow-Origin", "*");
  soup_message_headers_replace (headers, "Access-Control-Expose-Headers",
      "Location, Link, ETag");
}

static void
answer_options (SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  const gchar *wanted =
      soup_message_headers_get_one (soup_server_message_get_request_headers (
                                        message),
          "Access-Control-Request-Headers");

  allow_origins (message);
  soup_message_headers_replace (headers, "Access-Control-Allow-Methods",
      "POST, DELETE, PATCH, OPTIONS");
  soup_message_headers_replace (headers, "Access-Control-Allow-Headers",
      wanted != NULL ? wanted : "Authorization, Content-Type");
  soup_message_headers_replace (headers, "Access-Control-Max-Age", "600");
  soup_message_headers_replace (headers, "Accept-Post", SDP_TYPE);
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static void
answer_method_not_allowed (SoupServerMessage *message, const gchar *allowed)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    message),
      "Allow", allowed);
  /* Who asks with HEAD wants to know whether somebody is here, as ivs-stage-check does. */
  if (soup_server_message_get_method (message) != SOUP_METHOD_HEAD)
    note (message, "stage-reason", "There is no such method here");
  soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED,
      NULL);
}

/* -- An offer on its way ------------------------------------------------------------ */

typedef struct
{
  StageHttp *http;
  SoupServerMessage *message;
  StageTarget target;
  gchar *wanted;                 /* participant's id in the path; or NULL */
  StageParticipant *participant; /* who asks */
  StageOffer *offer;
  StageSpoil spoil;
} Exchange;

static void
exchange_free (Exchange *exchange)
{
  g_object_unref (exchange->message);
  g_free (exchange->wanted);
  g_clear_pointer (&exchange->offer, stage_offer_free);
  g_free (exchange);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)

static StageFault *
take_fault (Exchange *exchange, StageEffect effect)
{
  return stage_faults_take (stage_get_faults (exchange->http->stage),
      exchange->target, effect);
}

/* -- Redirected --------------------------------------------------------------------- */

static void
redirect (SoupServerMessage *message, guint status, const gchar *location)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (
                                    message),
      "Location", location);
  soup_server_message_set_status (message, status, NULL);
}

static gboolean
redirect_by_rule (Exchange *exchange)
{
  g_autoptr (StageFault) fault = take_fault (exchange, STAGE_EFFECT_REDIRECT);
  g_autofree gchar *location = NULL;

  if (fault == NULL)
    return FALSE;
  if (fault->value != NULL)
    location = g_strdup (fault->value);
  else if (fault->loops)
    location = g_strdup (
        g_uri_get_path (soup_server_message_get_uri (exchange->message)));
  else if (fault->hops > 1)
    location = g_strdup_printf ("%s/hop/%u/%u", exchange->http->global_url,
        fault->hops - 2, fault->status);
  else
    location = g_strconcat (exchange->http->regional_url, "/", NULL);
  redirect (exchange->message, fault->status, location);
  return TRUE;
}

/* /hop/N/STATUS: N more redirects, then the place where WHIP is spoken. */
static void
hop_requested (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  StageHttp *http = data;
  g_auto (GStrv) parts = g_strsplit (path, "/", 5);
  guint64 left = 0, status = 307;
  g_autofree gchar *location = NULL;

  allow_origins (message);
  if (g_strv_length (parts) == 4) {
    left = g_ascii_strtoull (parts[2], NULL, 10);
    status = g_ascii_strtoull (parts[3], NULL, 10);
  }
  if (left == 0)
    location = g_strconcat (http->regional_url, "/", NULL);
  else
    location = g_strdup_printf ("%s/hop/%u/%u", http->global_url,
        (guint) MIN (left, 100) - 1, (guint) status);
  redirect (message, status >= 300 && status < 400 ? (guint) status : 307,
      location);
}

/* -- Refused by a rule --------------------------------------------------------------- */

static gboolean
refuse_by_rule (Exchange *exchange)
{
  g_autoptr (StageFault) fault = take_fault (exchange, STAGE_EFFECT_REFUSE);
  SoupServerMessage *message = exchange->message;
  g_autofree gchar *reason = NULL;

  if (fault == NULL)
    return FALSE;
  reason = g_strdup_printf ("A test switched on the rule '%s'", fault->rule);
  if (fault->retry_after >= 0) {
    g_autofree gchar *seconds = g_strdup_printf ("%d", fault->retry_after);

    soup_message_headers_replace (soup_server_message_get_response_headers (
                                      message),
        "Retry-After", seconds);
  }
  if (fault->body != NULL) {
    note (message, "stage-reason", reason);
    stage_http_respond (message, fault->status,
        fault->value != NULL ? fault->value : "application/json", fault->body);
  } else {
    refuse (message, fault->status, fault->code,
        fault->message != NULL ? fault->message : "", reason);
  }
  return TRUE;
}

/* -- Checked as the service does --------------------------------------------------------- */

static const gchar *
get_authorization (SoupServerMessage *message)
{
  return soup_message_headers_get_one (soup_server_message_get_request_headers (
                                           message),
      "Authorization");
}

/* Whose token came with the request; NULL: nobody's. */
static StageParticipant *
find_asking (StageHttp *http, SoupServerMessage *message)
{
  const gchar *value = get_authorization (message);

  return value != NULL && g_ascii_strncasecmp (value, "Bearer ", 7) == 0
      ? stage_find_by_token (http->stage, value + 7)
      : NULL;
}

static gboolean
check_authorization (Exchange *exchange)
{
  if (get_authorization (exchange->message) == NULL) {
    soup_message_headers_replace (soup_server_message_get_response_headers (
                                      exchange->message),
        "WWW-Authenticate", "Bearer");
    refuse (exchange->message, SOUP_STATUS_UNAUTHORIZED, 2003, "unauthorized",
        "There is no Authorization header");
    return FALSE;
  }
  exchange->participant = find_asking (exchange->http, exchange->message);
  if (exchange->participant == NULL) {
    refuse (exchange->message, SOUP_STATUS_FORBIDDEN, 2003, "no permissions",
        "This stage did not mint the token");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_rights (Exchange *exchange)
{
  StageParticipant *participant = exchange->participant;
  gboolean publishes = exchange->target == STAGE_TARGET_PUBLISH;

  if (stage_participant_is_expired (participant)) {
    refuse (exchange->message, SOUP_STATUS_FORBIDDEN, 2002, "token expired",
        "The token has expired");
    return FALSE;
  }
  if (publishes ? !participant->can_publish : !participant->can_subscribe) {
    refuse (exchange->message, SOUP_STATUS_FORBIDDEN, 2003, "no permissions",
        publishes ? "The token does not allow publishing"
                  : "The token does not allow subscribing");
    return FALSE;
  }
  if (publishes && exchange->wanted != NULL &&
      strcmp (exchange->wanted, participant->id) != 0) {
    refuse (exchange->message, SOUP_STATUS_FORBIDDEN, 2003, "no permissions",
        "The token is of another participant than the path");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_place (Exchange *exchange)
{
  StageParticipant *wanted;

  if (exchange->target == STAGE_TARGET_PUBLISH) {
    if (stage_participant_is_publishing (exchange->participant) ||
        stage_count_publishers (exchange->http->stage) < STAGE_MAX_PUBLISHERS)
      return TRUE;
    refuse (exchange->message, SOUP_STATUS_FORBIDDEN, 2005, "stage at capacity",
        "There are 12 publishers on the stage already");
    return FALSE;
  }
  wanted = exchange->wanted != NULL
      ? stage_find (exchange->http->stage, exchange->wanted)
      : NULL;
  if (wanted != NULL && stage_participant_is_publishing (wanted))
    return TRUE;
  refuse (exchange->message, SOUP_STATUS_NOT_FOUND, 2004,
      "remote stream not found", "This participant does not publish");
  return FALSE;
}

static gboolean
read_offer (Exchange *exchange)
{
  SoupServerMessage *message = exchange->message;
  g_autoptr (GBytes) body = soup_message_body_flatten (
      soup_server_message_get_request_body (message));
  const gchar *type = soup_message_headers_get_content_type (
      soup_server_message_get_request_headers (message), NULL);
  g_autoptr (GError) error = NULL;
  gsize size;
  const gchar *text = g_bytes_get_data (body, &size);

  if (g_strcmp0 (type, SDP_TYPE) != 0) {
    refuse (message, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, 2001,
        "unsupported media type", "The Content-Type is not application/sdp");
    return FALSE;
  }
  exchange->offer = stage_offer_parse (text != NULL ? text : "", size, &error);
  if (exchange->offer == NULL) {
    refuse (message, SOUP_STATUS_BAD_REQUEST, 2001, "failed to parse offer",
        error->message);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_media (Exchange *exchange)
{
  if (exchange->target == STAGE_TARGET_SUBSCRIBE)
    return TRUE;
  if (!exchange->offer->has_video) {
    refuse (exchange->message, SOUP_STATUS_BAD_REQUEST, 2001,
        "failed to create publisher session",
        "The offer has no video section; a stage wants one with H.264 even "
        "from a publisher who only speaks");
    return FALSE;
  }
  if (exchange->offer->h264_payload < 0) {
    refuse (exchange->message, SOUP_STATUS_BAD_REQUEST, 2014,
        "no matching codec", "The video section offers no H.264");
    return FALSE;
  }
  return TRUE;
}

/* -- Answered -------------------------------------------------------------------------- */

static void
add_location (Exchange *exchange, const gchar *session_id)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (exchange->message);
  g_autoptr (StageFault) missing =
      take_fault (exchange, STAGE_EFFECT_NO_LOCATION);
  g_autoptr (StageFault) relative =
      take_fault (exchange, STAGE_EFFECT_RELATIVE_LOCATION);
  g_autoptr (StageFault) link = take_fault (exchange, STAGE_EFFECT_LINK);
  g_autofree gchar *url = g_strdup_printf ("%s/session/%s",
      relative != NULL ? "" : exchange->http->regional_url, session_id);
  g_autofree gchar *delete_link =
      g_strdup_printf ("<%s>; rel=\"" DELETE_REL "\"", url);

  if (missing == NULL) {
    soup_message_headers_replace (headers, "Location", url);
    soup_message_headers_append (headers, "Link", delete_link);
  }
  if (link != NULL && link->value != NULL)
    soup_message_headers_append (headers, "Link", link->value);
}

static void
send_answer (Exchange *exchange, const gchar *session_id, const gchar *sdp,
    const gchar *fmtp)
{
  g_autoptr (StageFault) type =
      take_fault (exchange, STAGE_EFFECT_CONTENT_TYPE);
  g_autoptr (StageFault) status =
      take_fault (exchange, STAGE_EFFECT_ANSWER_STATUS);
  g_autofree gchar *laid_out = stage_answer_lay_out (sdp, fmtp);
  g_autofree gchar *answer = exchange->spoil == STAGE_SPOIL_NONE
      ? g_steal_pointer (&laid_out)
      : stage_answer_spoil (laid_out, exchange->spoil);

  add_location (exchange, session_id);
  stage_http_respond (exchange->message,
      status != NULL ? status->status : SOUP_STATUS_CREATED,
      exchange->spoil == STAGE_SPOIL_HTML ? "text/html"
          : type != NULL                  ? type->value
                                          : SDP_TYPE,
      answer);
}

static void
answered (const gchar *session_id, const gchar *sdp, const gchar *fmtp,
    const GError *error, gpointer data)
{
  g_autoptr (Exchange) exchange = data;

  if (error == NULL)
    send_answer (exchange, session_id, sdp, fmtp);
  else
    refuse (exchange->message, SOUP_STATUS_BAD_REQUEST, 2001,
        "failed to create publisher session", error->message);
  soup_server_message_unpause (exchange->message);
}

static void
lint_request (Exchange *exchange)
{
  StageParticipant *participant = exchange->participant;

  stage_offer_lint_publisher (exchange->offer);
  g_clear_pointer (&participant->lint, g_ptr_array_unref);
  participant->lint = g_ptr_array_ref (exchange->offer->lint);
}

static void
hand_over (Exchange *exchange)
{
  g_autoptr (StageFault) spoiled = take_fault (exchange, STAGE_EFFECT_SPOIL);
  g_autoptr (GError) error = NULL;
  gboolean begun;

  if (spoiled != NULL)
    exchange->spoil = spoiled->spoil;
  soup_server_message_pause (exchange->message);
  if (exchange->target == STAGE_TARGET_PUBLISH) {
    lint_request (exchange);
    begun = stage_publish (exchange->participant, exchange->offer,
        exchange->spoil == STAGE_SPOIL_WRONG_FINGERPRINT, answered, exchange,
        &error);
  } else {
    begun =
        stage_subscribe (stage_find (exchange->http->stage, exchange->wanted),
            exchange->offer, answered, exchange, &error);
  }
  if (!begun)
    answered (NULL, NULL, NULL, error, exchange);
}

/* -- Received ----------------------------------------------------------------------------- */

/* TRUE: it goes on, and the exchange belongs to the stage. */
static gboolean
judge (Exchange *exchange)
{
  return !redirect_by_rule (exchange) && !refuse_by_rule (exchange) &&
      check_authorization (exchange) && check_rights (exchange) &&
      read_offer (exchange) && check_media (exchange) && check_place (exchange);
}

static void
go_on (Exchange *exchange)
{
  if (judge (exchange))
    hand_over (exchange);
  else
    exchange_free (exchange);
}

static gboolean
delay_over (gpointer data)
{
  Exchange *exchange = data;

  soup_server_message_unpause (exchange->message);
  go_on (exchange);
  return G_SOURCE_REMOVE;
}

static void
receive_offer (StageHttp *http, SoupServerMessage *message, StageTarget target,
    const gchar *wanted)
{
  Exchange *exchange = g_new0 (Exchange, 1);
  g_autoptr (StageFault) fault = NULL;

  exchange->http = http;
  exchange->message = g_object_ref (message);
  exchange->target = target;
  exchange->wanted = g_strdup (wanted);
  fault = take_fault (exchange, STAGE_EFFECT_DELAY);
  if (fault == NULL) {
    go_on (exchange);
    return;
  }
  soup_server_message_pause (message);
  g_timeout_add (fault->delay_ms, delay_over, exchange);
}

/* -- Paths ------------------------------------------------------------------------------- */

static void
offer_requested (StageHttp *http, SoupServerMessage *message,
    StageTarget target, const gchar *wanted)
{
  const gchar *method = soup_server_message_get_method (message);

  allow_origins (message);
  if (method == SOUP_METHOD_OPTIONS)
    answer_options (message);
  else if (method == SOUP_METHOD_POST)
    receive_offer (http, message, target, wanted);
  else
    answer_method_not_allowed (message, "POST, OPTIONS");
}

static void
publish_requested (SoupServer *server, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer data)
{
  const gchar *wanted = path + strlen ("/publish");

  offer_requested (data, message, STAGE_TARGET_PUBLISH,
      *wanted == '/' ? wanted + 1 : "");
}

static void
subscribe_requested (SoupServer *server, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer data)
{
  const gchar *wanted = path + strlen ("/subscribe");

  offer_requested (data, message, STAGE_TARGET_SUBSCRIBE,
      *wanted == '/' ? wanted + 1 : "");
}

/* Where a redirect from the global endpoint leads: the token says who asks. */
static void
regional_root_requested (SoupServer *server, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer data)
{
  if (strcmp (path, "/") == 0) {
    offer_requested (data, message, STAGE_TARGET_PUBLISH, NULL);
  } else {
    allow_origins (message);
    note (message, "stage-reason", "There is nothing at this path");
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
  }
}

static void
delete_session (StageHttp *http, SoupServerMessage *message,
    const gchar *session_id)
{
  Exchange exchange = { http, message, STAGE_TARGET_DELETE };

  if (refuse_by_rule (&exchange) || !check_authorization (&exchange))
    return;
  if (stage_delete_session (http->stage, session_id))
    soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  else
    refuse (message, SOUP_STATUS_NOT_FOUND, 2004, "session not found",
        "There is no such session any more");
}

typedef struct
{
  StageHttp *http;
  SoupServerMessage *message;
  gchar *session_id;
} Deletion;

static gboolean
deletion_due (gpointer data)
{
  Deletion *deletion = data;

  soup_server_message_unpause (deletion->message);
  delete_session (deletion->http, deletion->message, deletion->session_id);
  g_object_unref (deletion->message);
  g_free (deletion->session_id);
  g_free (deletion);
  return G_SOURCE_REMOVE;
}

static void
receive_deletion (StageHttp *http, SoupServerMessage *message,
    const gchar *session_id)
{
  g_autoptr (StageFault) fault =
      stage_faults_take (stage_get_faults (http->stage), STAGE_TARGET_DELETE,
          STAGE_EFFECT_DELAY);
  Deletion *deletion;

  if (fault == NULL) {
    delete_session (http, message, session_id);
    return;
  }
  deletion = g_new (Deletion, 1);
  deletion->http = http;
  deletion->message = g_object_ref (message);
  deletion->session_id = g_strdup (session_id);
  soup_server_message_pause (message);
  g_timeout_add (fault->delay_ms, deletion_due, deletion);
}

/* Neither the service's SDK nor its documentation knows PATCH. */
static void
session_requested (SoupServer *server, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer data)
{
  const gchar *method = soup_server_message_get_method (message);
  const gchar *id = path + strlen ("/session");

  allow_origins (message);
  if (method == SOUP_METHOD_OPTIONS)
    answer_options (message);
  else if (method == SOUP_METHOD_DELETE)
    receive_deletion (data, message, *id == '/' ? id + 1 : id);
  else
    answer_method_not_allowed (message, "DELETE, OPTIONS");
}

/* The documented endpoint: 307 to another host, whoever asks. */
static void
global_whip_requested (StageHttp *http, SoupServerMessage *message)
{
  Exchange exchange = { http, message, STAGE_TARGET_GLOBAL };
  g_autofree gchar *location = g_strconcat (http->regional_url, "/", NULL);

  allow_origins (message);
  if (!redirect_by_rule (&exchange) && !refuse_by_rule (&exchange))
    redirect (message, SOUP_STATUS_TEMPORARY_REDIRECT, location);
}

static void
send_resource (SoupServerMessage *message, const gchar *path)
{
  g_autofree gchar *name = g_strconcat ("/stage",
      strcmp (path, "/") == 0 ? "/index.html" : path, NULL);
  g_autoptr (GBytes) bytes =
      g_resources_lookup_data (name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  gsize size;
  const gchar *data;

  if (bytes == NULL) {
    note (message, "stage-reason", "There is nothing at this path");
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  data = g_bytes_get_data (bytes, &size);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_server_message_set_response (message,
      g_str_has_suffix (name, ".js")        ? "text/javascript; charset=utf-8"
          : g_str_has_suffix (name, ".css") ? "text/css; charset=utf-8"
                                            : "text/html; charset=utf-8",
      SOUP_MEMORY_COPY, data, size);
}

static void
global_root_requested (SoupServer *server, SoupServerMessage *message,
    const char *path, GHashTable *query, gpointer data)
{
  const gchar *method = soup_server_message_get_method (message);

  if (method == SOUP_METHOD_OPTIONS)
    answer_options (message);
  else if (method == SOUP_METHOD_POST && strcmp (path, "/") == 0)
    global_whip_requested (data, message);
  else if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
    send_resource (message, path);
  else
    answer_method_not_allowed (message, "GET, HEAD, POST, OPTIONS");
}

/* -- Every request -------------------------------------------------------------------------- */

/* Bodies are held in memory: what is too large is dropped while it comes. */
static void
chunk_came (SoupServerMessage *message, GBytes *chunk, gpointer data)
{
  gsize size =
      GPOINTER_TO_SIZE (g_object_get_data (G_OBJECT (message), "stage-size")) +
      g_bytes_get_size (chunk);
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  g_object_set_data (G_OBJECT (message), "stage-size", GSIZE_TO_POINTER (size));
  if (size <= MAX_REQUEST)
    return;
  soup_message_body_set_accumulate (body, FALSE);
  soup_message_body_truncate (body);
}

static void
headers_came (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  g_signal_connect (message, "got-chunk", G_CALLBACK (chunk_came), NULL);
  if (soup_message_headers_get_content_length (
          soup_server_message_get_request_headers (message)) > MAX_REQUEST)
    soup_server_message_set_status (message,
        SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, NULL);
}

static gchar **
list_headers (SoupServerMessage *message)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter,
      soup_server_message_get_request_headers (message));
  while (
      names->len < 64 && soup_message_headers_iter_next (&iter, &name, &value))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static const gchar *
describe_authorization (SoupServerMessage *message)
{
  const gchar *value = get_authorization (message);

  if (value == NULL)
    return "absent";
  return g_ascii_strncasecmp (value, "Bearer ", 7) == 0 ? "bearer" : "other";
}

static void
request_finished (SoupServer *server, SoupServerMessage *message, gpointer data)
{
  StageHttp *http = data;
  GUri *uri = soup_server_message_get_uri (message);
  StageParticipant *participant = find_asking (http, message);
  StageEntry *entry;

  if (uri == NULL || g_str_has_prefix (g_uri_get_path (uri), "/api/"))
    return;
  entry = g_new0 (StageEntry, 1);
  entry->at = g_get_real_time ();
  entry->method = g_strdup (soup_server_message_get_method (message));
  entry->path = g_strndup (g_uri_get_path (uri), 256);
  entry->status = soup_server_message_get_status (message);
  entry->authorization = g_strdup (describe_authorization (message));
  entry->headers = list_headers (message);
  entry->participant = g_strdup (participant != NULL ? participant->id : NULL);
  entry->code =
      GPOINTER_TO_INT (g_object_get_data (G_OBJECT (message), "stage-code"));
  entry->reason =
      g_strdup (g_object_get_data (G_OBJECT (message), "stage-reason"));
  stage_journal_add (http->journal, entry);
}

/* -- Listening ---------------------------------------------------------------------------------- */

static SoupServer *
listen_at (StageHttp *http, const StageHttpOptions *options, guint16 port,
    GError **error)
{
  g_autoptr (SoupServer) server = soup_server_new ("tls-certificate",
      options->certificate, "server-header", "ivs-local-stage ", NULL);
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string (options->address, port);

  if (address == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "'%s' is no IP address", options->address);
    return NULL;
  }
  if (!soup_server_listen (server, address,
          options->certificate != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0, error)) {
    g_prefix_error (error, "Cannot listen at %s, port %u: ", options->address,
        port);
    return NULL;
  }
  soup_server_add_early_handler (server, NULL, headers_came, http, NULL);
  soup_server_add_handler (server, "/hop", hop_requested, http, NULL);
  g_signal_connect (server, "request-finished", G_CALLBACK (request_finished),
      http);
  g_signal_connect (server, "request-aborted", G_CALLBACK (request_finished),
      http);
  return g_steal_pointer (&server);
}

/* Not soup_server_get_uris(), which leaks addresses in libsoup 3.2. */
static guint16
get_port (SoupServer *server)
{
  GSList *listeners = soup_server_get_listeners (server);
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (listeners->data, NULL);

  g_slist_free (listeners);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* An address that means "all" leads nowhere: the name of this computer does. */
static gchar *
make_url (SoupServer *server, const StageHttpOptions *options)
{
  g_autoptr (GInetAddress) address =
      g_inet_address_new_from_string (options->address);
  const gchar *host = g_inet_address_get_is_any (address) ? g_get_host_name ()
                                                          : options->address;

  return g_strdup_printf (strchr (host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
      options->certificate != NULL ? "https" : "http", host, get_port (server));
}

static void
set_urls (StageHttp *http, const StageHttpOptions *options)
{
  g_autofree gchar *events_url = NULL;

  http->global_url = make_url (http->global, options);
  http->regional_url = make_url (http->regional, options);
  events_url =
      g_strconcat ("ws", http->global_url + strlen ("http"), "/events", NULL);
  stage_set_urls (http->stage, http->regional_url, events_url);
}

StageHttp *
stage_http_new (Stage *stage, StageJournal *journal,
    const StageHttpOptions *options, GError **error)
{
  g_autoptr (StageHttp) http = g_new0 (StageHttp, 1);

  http->stage = stage;
  http->journal = journal;
  http->global = listen_at (http, options, options->port, error);
  if (http->global == NULL)
    return NULL;
  http->regional = listen_at (http, options, options->regional_port, error);
  if (http->regional == NULL)
    return NULL;
  set_urls (http, options);
  soup_server_add_handler (http->global, NULL, global_root_requested, http,
      NULL);
  soup_server_add_handler (http->regional, NULL, regional_root_requested, http,
      NULL);
  soup_server_add_handler (http->regional, "/publish", publish_requested, http,
      NULL);
  soup_server_add_handler (http->regional, "/subscribe", subscribe_requested,
      http, NULL);
  soup_server_add_handler (http->regional, "/session", session_requested, http,
      NULL);
  return g_steal_pointer (&http);
}

void
stage_http_free (StageHttp *http)
{
  if (http->global != NULL) {
    g_signal_handlers_disconnect_by_data (http->global, http);
    soup_server_disconnect (http->global);
  }
  if (http->regional != NULL) {
    g_signal_handlers_disconnect_by_data (http->regional, http);
    soup_server_disconnect (http->regional);
  }
  g_clear_object (&http->global);
  g_clear_object (&http->regional);
  g_free (http->global_url);
  g_free (http->regional_url);
  g_free (http);
}

const gchar *
stage_http_get_global_url (StageHttp *http)
{
  return http->global_url;
}

const gchar *
stage_http_get_regional_url (StageHttp *http)
{
  return http->regional_url;
}

SoupServer *
stage_http_get_global_server (StageHttp *http)
{
  return http->global;
}
