/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stage: who may join, who is there, what was asked and what was refused.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "stage-fault.h"
#include "stage-publisher.h"
#include "stage-viewer.h"

G_BEGIN_DECLS

/* Of the service: 12 publishers on a stage. */
#define STAGE_MAX_PUBLISHERS 12
#define STAGE_MAX_VIEWERS 64
#define STAGE_MAX_PARTICIPANTS 4096
#define STAGE_ARN "arn:aws:ivs:eu-central-1:000000000000:stage/LocalStage00"
#define STAGE_TOPIC "LocalStage00"

typedef struct _Stage Stage;

typedef struct
{
  Stage *stage;
  gchar *id;
  gchar *user_id;
  gchar *token;
  JsonObject *attributes; /* of strings */
  gint64 expires_at;      /* UNIX seconds */
  gboolean can_publish;
  gboolean can_subscribe;

  StagePublisher *publisher; /* the last session, live or over; or NULL */
  guint sessions[STAGE_SESSION_FAILED + 1]; /* how they ended */
  guint n_sessions;
  GPtrArray *lint; /* of the last offer; or NULL */

  GMutex lock;        /* viewers: streaming threads forward to them */
  GPtrArray *viewers; /* StageViewer */
} StageParticipant;

typedef void (*StageChanged) (gpointer data);

/* `ice_address` as for stage_peer_new(). */
Stage *stage_new (const gchar *ice_address);
void stage_free (Stage *stage);

/* Where people are sent; known only when the servers listen. */
void
stage_set_urls (Stage *stage, const gchar *whip_url, const gchar *events_url);
void stage_set_changed (Stage *stage, StageChanged changed, gpointer data);
StageFaults *stage_get_faults (Stage *stage);
const gchar *stage_get_ice_address (Stage *stage);

/* `request`: as CreateParticipantToken takes it, and a few more; see README. */
StageParticipant *
stage_mint (Stage *stage, JsonObject *request, GError **error);
StageParticipant *stage_find (Stage *stage, const gchar *id);
StageParticipant *stage_find_by_token (Stage *stage, const gchar *token);
GPtrArray *stage_list (Stage *stage); /* in order of arrival; container */

gboolean stage_participant_is_publishing (StageParticipant *participant);
gboolean stage_participant_is_expired (StageParticipant *participant);
guint stage_count_publishers (Stage *stage);

typedef void (*StageAnswered) (const gchar *session_id, const gchar *sdp,
    const gchar *fmtp, const GError *error, gpointer data);

/* The participant's session before, if any, ends. `answered` is called once. */
gboolean stage_publish (StageParticipant *participant, StageOffer *offer,
    gboolean impostor, StageAnswered answered, gpointer data, GError **error);
gboolean stage_subscribe (StageParticipant *publisher, StageOffer *offer,
    StageAnswered answered, gpointer data, GError **error);

/* FALSE: there is no such session. */
gboolean stage_delete_session (Stage *stage, const gchar *session_id);

/* Acts on live publishers: kill, freeze, thaw, dtls-close, loss, key-unit. */
gboolean
stage_act (Stage *stage, const gchar *action, const gchar *id, guint percent);

/* No UDP reaches or leaves publishers for so long, those to come included. */
void stage_cut (Stage *stage, guint milliseconds);

void stage_tick (Stage *stage);

G_END_DECLS
