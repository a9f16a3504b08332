/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything that the element says on the bus.
 */
#pragma once

#include <gst/gst.h>
#include "ivs-diagnosis.h"
#include "ivs-error.h"

G_BEGIN_DECLS

/* What an application or AWS Support needs to find the session again. */
typedef struct
{
  guint attempt; /* 1 = the first */
  gchar *participant_id;
  gchar *stage_arn;
  gchar *endpoint; /* URL without query and user info */
  gchar *request_id;
  gchar *session_host; /* of the session URL that the stage named */
} GstIvsIncident;

void gst_ivs_incident_clear (GstIvsIncident *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstIvsIncident, gst_ivs_incident_clear)

/* ERROR with the details structure `ivs-stage-error`: code (int), name (string),
 * http-status-code (uint), server-message, hint (strings), retryable (boolean),
 * attempt (uint), participant-id, stage-arn, endpoint, request-id, session-host
 * (strings; the ones not known are absent). The message's text is the sentence, its debug text
 * the advice. */
void gst_ivs_post_error (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident);
/* WARNING of the same shape, for what does not end the pipeline. */
void gst_ivs_post_warning (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident);
/* WARNING in plain words, without a failure behind it. @sentence: without full stop. */
void gst_ivs_post_notice (GstElement *element, const gchar *name,
    const gchar *sentence, const gchar *advice, const GstIvsIncident *incident);

/* WARNING: @failure, and that attempt number @next_attempt is made in @wait_ms. */
void gst_ivs_post_retry (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident, guint wait_ms, guint next_attempt);

/* A live session was lost: the ELEMENT message `ivs-stage-lost`: name, sentence (strings),
 * session-age (uint64, ms), silent-for (uint64, ms; 0 = not by silence),
 * possible-causes, look-up (strings: causes that a stage never tells, and the
 * command that finds them), and what gst_ivs_post_state() says; then a WARNING. */
void gst_ivs_post_lost (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident, guint64 session_age_ms,
    guint64 silent_for_ms);

/* ELEMENT message @name (`ivs-stage-token-expiring`, `ivs-stage-session-ending`): seconds-left
 * (uint64), and what gst_ivs_post_state() says. */
void gst_ivs_post_time_left (GstElement *element, const gchar *name,
    guint64 seconds_left, const GstIvsIncident *incident);

/* WARNING or ERROR: what flows is not what a stage takes. The details are the
 * structure `ivs-stage-limit` of gst_ivs_monitor_make_details(), and what
 * gst_ivs_post_state() says. */
void gst_ivs_post_limit (GstElement *element, GstMessageType type,
    const IvsFinding *finding, const GstIvsIncident *incident);

void gst_ivs_post_progress (GstElement *element, GstProgressType type,
    const gchar *code, const gchar *format, ...) G_GNUC_PRINTF (4, 5);

/* ELEMENT message `ivs-stage-state`: state (string, as connection-state), attempt (uint),
 * participant-id, stage-arn (strings). */
void gst_ivs_post_state (GstElement *element, const gchar *state,
    const GstIvsIncident *incident);

G_END_DECLS
