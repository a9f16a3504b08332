/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stage: who may join, who is there, what was asked and what was refused.
 *
 * All of it lives on the main context, except for the forwarding of packets,
 * which needs nothing but a participant's list of viewers and its lock.
 */
#include "stage.h"
#include "stage-json.h"

#include <gio/gio.h>
#include <string.h>

#include "stage-record.h"
#include "stage-token.h"

/* As the service documents them for CreateParticipantToken. */
#define MAX_USER_ID 128
#define MAX_ATTRIBUTES 1024   /* bytes in all */
#define DEFAULT_DURATION 720. /* minutes */
#define MAX_DURATION 20160.

struct _Stage
{
  gchar *ice_address;
  gchar *whip_url;
  gchar *events_url;
  GHashTable *participants; /* id -> StageParticipant */
  GPtrArray *order;         /* the same, in order of arrival */
  GHashTable *pending;      /* session id -> Pending */
  StageFaults *faults;
  guint cut_timer; /* 0 = the network is there */
  StageChanged changed;
  gpointer changed_data;
};

typedef struct
{
  StageAnswered answered;
  gpointer data;
} Pending;

static void
participant_free (StageParticipant *participant)
{
  g_clear_pointer (&participant->publisher, stage_publisher_free);
  for (guint i = 0; i < participant->viewers->len; i++)
    stage_viewer_close (participant->viewers->pdata[i]);
  g_ptr_array_unref (participant->viewers);
  g_clear_pointer (&participant->lint, g_ptr_array_unref);
  g_clear_pointer (&participant->attributes, json_object_unref);
  g_mutex_clear (&participant->lock);
  g_free (participant->id);
  g_free (participant->user_id);
  g_free (participant->token);
  g_free (participant);
}

Stage *
stage_new (const gchar *ice_address)
{
  Stage *stage = g_new0 (Stage, 1);

  stage->ice_address = g_strdup (ice_address);
  stage->participants = g_hash_table_new (g_str_hash, g_str_equal);
  stage->order =
      g_ptr_array_new_with_free_func ((GDestroyNotify) participant_free);
  stage->pending =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  stage->faults = stage_faults_new ();
  return stage;
}

static void
finish_all_pending (Stage *stage)
{
  g_autoptr (GError) error =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "The stage ends");
  g_autoptr (GHashTable) pending = g_steal_pointer (&stage->pending);
  GHashTableIter iter;
  gpointer id, value;

  g_hash_table_iter_init (&iter, pending);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    Pending *one = value;

    one->answered (id, NULL, NULL, error, one->data);
  }
}

void
stage_free (Stage *stage)
{
  stage->changed = NULL;
  g_clear_handle_id (&stage->cut_timer, g_source_remove);
  finish_all_pending (stage);
  g_hash_table_unref (stage->participants);
  g_ptr_array_unref (stage->order);
  stage_faults_free (stage->faults);
  g_free (stage->ice_address);
  g_free (stage->whip_url);
  g_free (stage->events_url);
  g_free (stage);
}

void
stage_set_urls (Stage *stage, const gchar *whip_url, const gchar *events_url)
{
  g_free (stage->whip_url);
  g_free (stage->events_url);
  stage->whip_url = g_strdup (whip_url);
  stage->events_url = g_strdup (events_url);
}

void
stage_set_changed (Stage *stage, StageChanged changed, gpointer data)
{
  stage->changed = changed;
  stage->changed_data = data;
}

StageFaults *
stage_get_faults (Stage *stage)
{
  return stage->faults;
}

const gchar *
stage_get_ice_address (Stage *stage)
{
  return stage->ice_address;
}

static void
tell_changed (Stage *stage)
{
  if (stage->changed != NULL)
    stage->changed (stage->changed_data);
}

/* -- Tokens ------------------------------------------------------------------- */

static gboolean
read_capability (StageParticipant *participant, const gchar *name,
    GError **error)
{
  if (g_strcmp0 (name, "PUBLISH") == 0)
    participant->can_publish = TRUE;
  else if (g_strcmp0 (name, "SUBSCRIBE") == 0)
    participant->can_subscribe = TRUE;
  else
    return g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "A capability is PUBLISH or SUBSCRIBE"),
           FALSE;
  return TRUE;
}

static gboolean
read_capabilities (StageParticipant *participant, JsonObject *request,
    GError **error)
{
  JsonNode *node = json_object_get_member (request, "capabilities");
  JsonArray *list;

  if (node == NULL) {
    participant->can_publish = participant->can_subscribe = TRUE;
    return TRUE;
  }
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "'capabilities' is a list of PUBLISH and SUBSCRIBE"),
           FALSE;
  list = json_node_get_array (node);
  for (guint i = 0; i < MIN (json_array_get_length (list), 8); i++) {
    JsonNode *element = json_array_get_element (list, i);

    if (!read_capability (participant,
            JSON_NODE_HOLDS_VALUE (element) ? json_node_get_string (element)
                                            : NULL,
            error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_attributes (StageParticipant *participant, JsonObject *request,
    GError **error)
{
  JsonNode *node = json_object_get_member (request, "attributes");
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *value;
  gsize size = 0;

  participant->attributes = json_object_new ();
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "'attributes' is an object of strings"),
           FALSE;
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &value)) {
    const gchar *text =
        JSON_NODE_HOLDS_VALUE (value) ? json_node_get_string (value) : NULL;

    size += strlen (name) + (text != NULL ? strlen (text) : 0);
    if (text == NULL || size > MAX_ATTRIBUTES)
      return g_set_error_literal (error, G_IO_ERROR,
                 G_IO_ERROR_INVALID_ARGUMENT,
                 "'attributes' are strings of 1 KB in all"),
             FALSE;
    json_object_set_string_member (participant->attributes, name, text);
  }
  return TRUE;
}

static gchar *
make_participant_id (void)
{
  static const gchar letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                 "tuvwxyz0123456789";
  gchar id[13] = { 0 };

  for (guint i = 0; i < 12; i++)
    id[i] = letters[g_random_int_range (0, sizeof letters - 1)];
  return g_strdup (id);
}

static JsonNode *
build_claims (Stage *stage, StageParticipant *participant,
    gboolean with_whip_url)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  JsonNode *attributes = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (attributes, participant->attributes);
  json_builder_begin_object (builder);
  stage_json_add_int (builder, "exp", participant->expires_at);
  stage_json_add_int (builder, "iat", g_get_real_time () / G_USEC_PER_SEC);
  stage_json_add_string (builder, "jti", participant->id);
  stage_json_add_string (builder, "resource", STAGE_ARN);
  stage_json_add_string (builder, "topic", STAGE_TOPIC);
  stage_json_add_string (builder, "events_url", stage->events_url);
  if (with_whip_url)
    stage_json_add_string (builder, "whip_url", stage->whip_url);
  stage_json_add_string (builder, "user_id", participant->user_id);
  json_builder_set_member_name (builder, "attributes");
  json_builder_add_value (builder, attributes);
  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_object (builder);
  stage_json_add_bool (builder, "allow_publish", participant->can_publish);
  stage_json_add_bool (builder, "allow_subscribe", participant->can_subscribe);
  json_builder_end_object (builder);
  stage_json_add_string (builder, "version", "0.0");
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

static const gchar *
get_user_id (JsonObject *request)
{
  const gchar *user_id =
      json_object_get_string_member_with_default (request, "userId", NULL);

  if (user_id == NULL)
    user_id =
        json_object_get_string_member_with_default (request, "user_id", "");
  return user_id != NULL ? user_id : "";
}

/* Minutes, as the service counts; nothing or less makes an expired token. */
static void
read_expiry (StageParticipant *participant, JsonObject *request)
{
  gdouble minutes = json_object_get_double_member_with_default (request,
      "duration", DEFAULT_DURATION);

  minutes = CLAMP (minutes, -MAX_DURATION, MAX_DURATION);
  participant->expires_at =
      g_get_real_time () / G_USEC_PER_SEC + (gint64) (minutes * 60.);
}

static StageParticipant *
add_participant (Stage *stage)
{
  StageParticipant *participant = g_new0 (StageParticipant, 1);

  g_mutex_init (&participant->lock);
  participant->stage = stage;
  participant->id = make_participant_id ();
  participant->viewers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) stage_viewer_unref);
  return participant;
}

StageParticipant *
stage_mint (Stage *stage, JsonObject *request, GError **error)
{
  StageParticipant *participant;
  g_autoptr (JsonNode) claims = NULL;

  if (stage->order->len >= STAGE_MAX_PARTICIPANTS) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
        "This stage has minted all the tokens it keeps: start it again");
    return NULL;
  }
  if (strlen (get_user_id (request)) > MAX_USER_ID) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "'userId' is longer than %d bytes", MAX_USER_ID);
    return NULL;
  }
  participant = add_participant (stage);
  participant->user_id = g_strdup (get_user_id (request));
  read_expiry (participant, request);
  if (!read_capabilities (participant, request, error) ||
      !read_attributes (participant, request, error)) {
    participant_free (participant);
    return NULL;
  }
  claims = build_claims (stage, participant,
      json_object_get_boolean_member_with_default (request, "whip_url", TRUE));
  participant->token = stage_token_sign (claims);
  g_ptr_array_add (stage->order, participant);
  g_hash_table_insert (stage->participants, participant->id, participant);
  return participant;
}

StageParticipant *
stage_find (Stage *stage, const gchar *id)
{
  return g_hash_table_lookup (stage->participants, id);
}

StageParticipant *
stage_find_by_token (Stage *stage, const gchar *token)
{
  for (guint i = 0; i < stage->order->len; i++) {
    StageParticipant *participant = stage->order->pdata[i];

    if (strcmp (participant->token, token) == 0)
      return participant;
  }
  return NULL;
}

GPtrArray *
stage_list (Stage *stage)
{
  return stage->order;
}

gboolean
stage_participant_is_publishing (StageParticipant *participant)
{
  return participant->publisher != NULL &&
      stage_publisher_is_live (participant->publisher);
}

gboolean
stage_participant_is_expired (StageParticipant *participant)
{
  return participant->expires_at <= g_get_real_time () / G_USEC_PER_SEC;
}

guint
stage_count_publishers (Stage *stage)
{
  guint n = 0;

  for (guint i = 0; i < stage->order->len; i++)
    n += stage_participant_is_publishing (stage->order->pdata[i]);
  return n;
}

/* -- Answers that are being made --------------------------------------------------- */

static void
add_pending (Stage *stage, const gchar *session_id, StageAnswered answered,
    gpointer data)
{
  Pending *pending = g_new (Pending, 1);

  pending->answered = answered;
  pending->data = data;
  g_hash_table_insert (stage->pending, g_strdup (session_id), pending);
}

static void
finish_pending (Stage *stage, const gchar *session_id, const gchar *sdp,
    const gchar *fmtp, const GError *error)
{
  g_autofree Pending *pending = NULL;
  g_autofree gchar *key = NULL;

  if (g_hash_table_steal_extended (stage->pending, session_id,
          (gpointer *) &key, (gpointer *) &pending))
    pending->answered (session_id, sdp, fmtp, error, pending->data);
}

/* -- Publishing ---------------------------------------------------------------------- */

static void
publisher_answered (StagePublisher *publisher, const gchar *sdp,
    const GError *error, gpointer data)
{
  StageParticipant *participant = data;

  finish_pending (participant->stage, stage_publisher_get_id (publisher), sdp,
      NULL, error);
  if (error != NULL)
    stage_publisher_end (publisher, STAGE_SESSION_FAILED);
  else if (participant->stage->cut_timer != 0)
    stage_peer_freeze (stage_publisher_get_peer (publisher), TRUE);
}

static void
publisher_changed (StagePublisher *publisher, gpointer data)
{
  StageParticipant *participant = data;

  if (!stage_publisher_is_live (publisher)) {
    g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR,
        G_IO_ERROR_CLOSED, "The session ended before it was answered");

    participant->sessions[stage_publisher_get_state (publisher)]++;
    finish_pending (participant->stage, stage_publisher_get_id (publisher),
        NULL, NULL, error);
  }
  tell_changed (participant->stage);
}

static void
packet_arrived (GstBuffer *packet, gpointer data)
{
  StageParticipant *participant = data;

  stage_record (participant->id, packet);
}

/* On a streaming thread of the publisher. */
static void
packet_came (StageMedia media, GstBuffer *packet, gpointer data)
{
  StageParticipant *participant = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&participant->lock);

  for (guint i = 0; i < participant->viewers->len; i++)
    stage_viewer_push (participant->viewers->pdata[i], media, packet);
}

gboolean
stage_publish (StageParticipant *participant, StageOffer *offer,
    gboolean impostor, StageAnswered answered, gpointer data, GError **error)
{
  static const StagePublisherEvents events = { publisher_answered,
    publisher_changed, packet_arrived, packet_came };
  StagePublisher *publisher =
      stage_publisher_new (participant->stage->ice_address, offer, &events,
          participant, error);

  if (publisher == NULL)
    return FALSE;
  if (participant->publisher != NULL)
    stage_publisher_end (participant->publisher, STAGE_SESSION_REPLACED);
  g_clear_pointer (&participant->publisher, stage_publisher_free);
  participant->publisher = publisher;
  participant->n_sessions++;
  if (impostor)
    stage_publisher_set_impostor (publisher);
  add_pending (participant->stage, stage_publisher_get_id (publisher), answered,
      data);
  tell_changed (participant->stage);
  return TRUE;
}

/* -- Watching -------------------------------------------------------------------------- */

static void
viewer_answered (StageViewer *viewer, const gchar *sdp, const GError *error,
    gpointer data)
{
  StageParticipant *participant = data;

  finish_pending (participant->stage, stage_viewer_get_id (viewer), sdp,
      stage_viewer_get_fmtp (viewer), error);
}

static void
remove_viewer (StageParticipant *participant, StageViewer *viewer)
{
  guint index;
  g_autoptr (StageViewer) removed = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&participant->lock);
  if (g_ptr_array_find (participant->viewers, viewer, &index))
    removed = g_ptr_array_steal_index (participant->viewers, index);
  g_mutex_unlock (&participant->lock);
  if (removed == NULL)
    return;
  stage_viewer_close (removed);
  error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED,
      "The session ended before it was answered");
  finish_pending (participant->stage, stage_viewer_get_id (removed), NULL, NULL,
      error);
}

static void
viewer_ended (StageViewer *viewer, gpointer data)
{
  remove_viewer (data, viewer);
}

static gboolean
key_unit_due (gpointer data)
{
  StageParticipant *participant = data;

  if (stage_participant_is_publishing (participant))
    stage_publisher_request_key_unit (participant->publisher);
  return G_SOURCE_REMOVE;
}

/* On any thread. Participants stay as long as the stage does. */
static void
key_unit_needed (StageViewer *viewer, gpointer data)
{
  g_idle_add (key_unit_due, data);
}

gboolean
stage_subscribe (StageParticipant *participant, StageOffer *offer,
    StageAnswered answered, gpointer data, GError **error)
{
  static const StageViewerEvents events = { viewer_answered, viewer_ended,
    key_unit_needed };
  StageViewer *viewer;

  if (participant->viewers->len >= STAGE_MAX_VIEWERS) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
        "%d viewers watch this participant already", STAGE_MAX_VIEWERS);
    return FALSE;
  }
  viewer = stage_viewer_new (participant->stage->ice_address, offer, &events,
      participant, error);
  if (viewer == NULL)
    return FALSE;
  g_mutex_lock (&participant->lock);
  g_ptr_array_add (participant->viewers, viewer);
  g_mutex_unlock (&participant->lock);
  add_pending (participant->stage, stage_viewer_get_id (viewer), answered,
      data);
  return TRUE;
}

/* -- Ends and misbehaviour ----------------------------------------------------------- */

static gboolean
delete_session_of (StageParticipant *participant, const gchar *session_id)
{
  if (stage_participant_is_publishing (participant) &&
      strcmp (stage_publisher_get_id (participant->publisher), session_id) ==
          0) {
    stage_publisher_end (participant->publisher, STAGE_SESSION_DELETED);
    return TRUE;
  }
  for (guint i = 0; i < participant->viewers->len; i++) {
    StageViewer *viewer = participant->viewers->pdata[i];

    if (strcmp (stage_viewer_get_id (viewer), session_id) == 0) {
      remove_viewer (participant, viewer);
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
stage_delete_session (Stage *stage, const gchar *session_id)
{
  for (guint i = 0; i < stage->order->len; i++)
    if (delete_session_of (stage->order->pdata[i], session_id))
      return TRUE;
  return FALSE;
}

typedef struct
{
  StageParticipant *participant;
  gchar *session_id;
} Goodbye;

/* The alert is on its way by now. */
static gboolean
goodbye_said (gpointer data)
{
  Goodbye *goodbye = data;
  StagePublisher *publisher = goodbye->participant->publisher;

  if (strcmp (stage_publisher_get_id (publisher), goodbye->session_id) == 0)
    stage_publisher_end (publisher, STAGE_SESSION_KILLED);
  g_free (goodbye->session_id);
  g_free (goodbye);
  return G_SOURCE_REMOVE;
}

static gboolean
say_goodbye (StageParticipant *participant)
{
  Goodbye *goodbye;

  if (!stage_peer_close_dtls (
          stage_publisher_get_peer (participant->publisher)))
    return FALSE;
  goodbye = g_new (Goodbye, 1);
  goodbye->participant = participant;
  goodbye->session_id =
      g_strdup (stage_publisher_get_id (participant->publisher));
  g_timeout_add (100, goodbye_said, goodbye);
  return TRUE;
}

static gboolean
act_on (StageParticipant *participant, const gchar *action, guint percent)
{
  StagePublisher *publisher = participant->publisher;
  StagePeer *peer = stage_publisher_get_peer (publisher);

  if (strcmp (action, "kill") == 0)
    stage_publisher_end (publisher, STAGE_SESSION_KILLED);
  else if (strcmp (action, "freeze") == 0)
    stage_peer_freeze (peer, TRUE);
  else if (strcmp (action, "thaw") == 0)
    stage_peer_freeze (peer, FALSE);
  else if (strcmp (action, "loss") == 0)
    stage_peer_set_loss (peer, percent);
  else if (strcmp (action, "key-unit") == 0)
    stage_publisher_request_key_unit (publisher);
  else if (strcmp (action, "dtls-close") == 0)
    return say_goodbye (participant);
  else
    return FALSE;
  return TRUE;
}

gboolean
stage_act (Stage *stage, const gchar *action, const gchar *id, guint percent)
{
  gboolean acted = FALSE;

  for (guint i = 0; i < stage->order->len; i++) {
    StageParticipant *participant = stage->order->pdata[i];

    if (stage_participant_is_publishing (participant) &&
        (id == NULL || strcmp (participant->id, id) == 0))
      acted |= act_on (participant, action, percent);
  }
  return acted;
}

static void
for_each_publishing_peer (Stage *stage, void (*func) (StagePeer *peer))
{
  for (guint i = 0; i < stage->order->len; i++) {
    StageParticipant *participant = stage->order->pdata[i];

    if (stage_participant_is_publishing (participant))
      func (stage_publisher_get_peer (participant->publisher));
  }
}

static void
disconnect (StagePeer *peer)
{
  stage_peer_freeze (peer, TRUE);
}

static gboolean
cut_ended (gpointer data)
{
  Stage *stage = data;

  stage->cut_timer = 0;
  for_each_publishing_peer (stage, stage_peer_reconnect);
  return G_SOURCE_REMOVE;
}

void
stage_cut (Stage *stage, guint milliseconds)
{
  g_clear_handle_id (&stage->cut_timer, g_source_remove);
  for_each_publishing_peer (stage, disconnect);
  stage->cut_timer = g_timeout_add (milliseconds, cut_ended, stage);
}

void
stage_tick (Stage *stage)
{
  for (guint i = 0; i < stage->order->len; i++) {
    StageParticipant *participant = stage->order->pdata[i];

    if (participant->publisher != NULL)
      stage_publisher_tick (participant->publisher);
  }
}
