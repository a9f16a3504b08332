/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything that the element says on the bus: the only file that posts.
 */
#include "gstivsmessages.h"

#include "gstivsmonitor.h"

/* The classes of a failure in words that any GStreamer application knows. */
static void
get_domain_and_code (IvsFailureClass failure_class, GQuark *domain, gint *code)
{
  static const struct
  {
    IvsFailureClass failure_class;
    gint domain; /* 0 = resource, 1 = stream, 2 = core */
    gint code;
  } rows[] = {
    { IVS_CLASS_NOT_AUTHORIZED, 0, GST_RESOURCE_ERROR_NOT_AUTHORIZED },
    { IVS_CLASS_NOT_FOUND, 0, GST_RESOURCE_ERROR_NOT_FOUND },
    { IVS_CLASS_BUSY, 0, GST_RESOURCE_ERROR_BUSY },
    { IVS_CLASS_SETTINGS, 0, GST_RESOURCE_ERROR_SETTINGS },
    { IVS_CLASS_OPEN_WRITE, 0, GST_RESOURCE_ERROR_OPEN_WRITE },
    { IVS_CLASS_WRITE, 0, GST_RESOURCE_ERROR_WRITE },
    { IVS_CLASS_NO_SPACE_LEFT, 0, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
    { IVS_CLASS_MISSING_PLUGIN, 2, GST_CORE_ERROR_MISSING_PLUGIN },
    { IVS_CLASS_ENCODE, 1, GST_STREAM_ERROR_ENCODE },
    { IVS_CLASS_WRONG_TYPE, 1, GST_STREAM_ERROR_WRONG_TYPE },
  };

  *domain = GST_RESOURCE_ERROR;
  *code = GST_RESOURCE_ERROR_FAILED;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].failure_class != failure_class)
      continue;
    *domain = rows[i].domain == 0 ? GST_RESOURCE_ERROR
        : rows[i].domain == 1     ? GST_STREAM_ERROR
                                  : GST_CORE_ERROR;
    *code = rows[i].code;
  }
}

void
gst_ivs_incident_clear (GstIvsIncident *self)
{
  g_clear_pointer (&self->participant_id, g_free);
  g_clear_pointer (&self->stage_arn, g_free);
  g_clear_pointer (&self->endpoint, g_free);
  g_clear_pointer (&self->request_id, g_free);
  g_clear_pointer (&self->session_host, g_free);
}

static void
set_string (GstStructure *details, const gchar *field, const gchar *value)
{
  if (value != NULL)
    gst_structure_set (details, field, G_TYPE_STRING, value, NULL);
}

static void
add_incident (GstStructure *details, const GstIvsIncident *incident)
{
  if (incident == NULL)
    return;

  gst_structure_set (details, "attempt", G_TYPE_UINT, incident->attempt, NULL);
  set_string (details, "participant-id", incident->participant_id);
  set_string (details, "stage-arn", incident->stage_arn);
  set_string (details, "endpoint", incident->endpoint);
  set_string (details, "request-id", incident->request_id);
  set_string (details, "session-host", incident->session_host);
}

/* The commands of an advice, with the stage and the participant filled in. */
static gchar *
make_hint (const gchar *advice, const GstIvsIncident *incident)
{
  GString *hint = g_string_new (advice);

  if (incident != NULL && incident->stage_arn != NULL) {
    g_autofree gchar *filled =
        g_strconcat ("--stage-arn ", incident->stage_arn, NULL);

    g_string_replace (hint, "--stage-arn ...", filled, 0);
  }
  if (incident != NULL && incident->participant_id != NULL) {
    g_autofree gchar *filled =
        g_strconcat ("--participant-id ", incident->participant_id, NULL);

    g_string_replace (hint, "--participant-id ...", filled, 0);
  }
  return g_string_free (hint, FALSE);
}

static GstStructure *
make_details (const IvsFailure *failure, const GstIvsIncident *incident)
{
  g_autofree gchar *hint = make_hint (failure->advice, incident);
  GstStructure *details = gst_structure_new ("ivs-stage-error", "code",
      G_TYPE_INT, failure->code, "name", G_TYPE_STRING, failure->name,
      "http-status-code", G_TYPE_UINT, failure->http_status, "retryable",
      G_TYPE_BOOLEAN, failure->retryable, NULL);

  set_string (details, "server-message", failure->server_message);
  set_string (details, "hint", hint);
  add_incident (details, incident);
  return details;
}

static void
append_known (GString *text, const gchar *what, const gchar *value)
{
  if (value != NULL)
    g_string_append_printf (text, ", %s %s", what, value);
}

/* What to do first; then what a supporter wants to know. @failure: or NULL. */
static gchar *
make_debug_text (const gchar *name, const gchar *advice,
    const IvsFailure *failure, const GstIvsIncident *incident)
{
  g_autofree gchar *hint = make_hint (advice, incident);
  GString *text = g_string_new (hint);

  g_string_append_printf (text, "\n(%s", name);
  if (failure != NULL && failure->code != 0)
    g_string_append_printf (text, ", code %d", failure->code);
  if (failure != NULL && failure->http_status != 0)
    g_string_append_printf (text, ", HTTP status %u", failure->http_status);
  if (failure != NULL && failure->server_message != NULL)
    g_string_append_printf (text, ", server says \"%s\"",
        failure->server_message);
  if (incident != NULL) {
    append_known (text, "endpoint", incident->endpoint);
    append_known (text, "stage", incident->stage_arn);
    append_known (text, "participant", incident->participant_id);
    append_known (text, "request id", incident->request_id);
    append_known (text, "session host", incident->session_host);
  }
  g_string_append_c (text, ')');
  return g_string_free (text, FALSE);
}

/* @remark: follows the sentence, or NULL. */
static void
post (GstElement *element, GstMessageType type, const IvsFailure *failure,
    const GstIvsIncident *incident, const gchar *remark)
{
  GQuark domain = 0;
  gint code = 0;

  get_domain_and_code (failure->failure_class, &domain, &code);
  gst_element_message_full_with_details (element, type, domain, code,
      remark != NULL ? g_strdup_printf ("%s (%s)", failure->sentence, remark)
                     : g_strdup (failure->sentence),
      make_debug_text (failure->name, failure->advice, failure, incident),
      __FILE__, GST_FUNCTION, __LINE__, make_details (failure, incident));
}

void
gst_ivs_post_error (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident)
{
  g_autofree gchar *remark = NULL;

  /* Another attempt might have helped, but there were enough of them. */
  if (incident != NULL && incident->attempt > 1 && failure->retryable)
    remark = g_strdup_printf ("given up after attempt %u", incident->attempt);
  post (element, GST_MESSAGE_ERROR, failure, incident, remark);
}

void
gst_ivs_post_warning (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident)
{
  post (element, GST_MESSAGE_WARNING, failure, incident, NULL);
}

void
gst_ivs_post_retry (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident, guint wait_ms, guint next_attempt)
{
  g_autofree gchar *remark = g_strdup_printf ("attempt %u follows in %.1f s",
      next_attempt, wait_ms / 1000.0);

  post (element, GST_MESSAGE_WARNING, failure, incident, remark);
}

/* Causes that a stage never tells a publisher; their names as the look-up shows them. */
#define POSSIBLE_CAUSES \
  "the network; the 24 hours of a publish are over (STREAM_DURATION_EXCEEDED); the same token was used " \
  "elsewhere; the participant was disconnected or the stage deleted; a limit was exceeded " \
  "(BITRATE_EXCEEDED, RESOLUTION_EXCEEDED, B_FRAME_PRESENT)"
#define LOOK_UP \
  "aws ivs-realtime list-participant-events --stage-arn ... --session-id ... --participant-id ..."

void
gst_ivs_post_lost (GstElement *element, const IvsFailure *failure,
    const GstIvsIncident *incident, guint64 session_age_ms,
    guint64 silent_for_ms)
{
  g_autofree gchar *look_up = make_hint (LOOK_UP, incident);
  GstStructure *structure = gst_structure_new ("ivs-stage-lost", "name",
      G_TYPE_STRING, failure->name, "sentence", G_TYPE_STRING,
      failure->sentence, "session-age", G_TYPE_UINT64, session_age_ms,
      "silent-for", G_TYPE_UINT64, silent_for_ms, "possible-causes",
      G_TYPE_STRING, POSSIBLE_CAUSES, "look-up", G_TYPE_STRING, look_up, NULL);

  add_incident (structure, incident);
  gst_element_post_message (element,
      gst_message_new_element (GST_OBJECT (element), structure));
  gst_ivs_post_warning (element, failure, incident);
}

void
gst_ivs_post_time_left (GstElement *element, const gchar *name,
    guint64 seconds_left, const GstIvsIncident *incident)
{
  GstStructure *structure = gst_structure_new (name, "seconds-left",
      G_TYPE_UINT64, seconds_left, NULL);

  add_incident (structure, incident);
  gst_element_post_message (element,
      gst_message_new_element (GST_OBJECT (element), structure));
}

void
gst_ivs_post_notice (GstElement *element, const gchar *name,
    const gchar *sentence, const gchar *advice, const GstIvsIncident *incident)
{
  GstStructure *details = gst_structure_new ("ivs-stage-error", "code",
      G_TYPE_INT, 0, "name", G_TYPE_STRING, name, "hint", G_TYPE_STRING, advice,
      "retryable", G_TYPE_BOOLEAN, FALSE, NULL);

  add_incident (details, incident);
  gst_element_message_full_with_details (element, GST_MESSAGE_WARNING,
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      g_strconcat (sentence, ".", NULL),
      make_debug_text (name, advice, NULL, incident), __FILE__, GST_FUNCTION,
      __LINE__, details);
}

void
gst_ivs_post_limit (GstElement *element, GstMessageType type,
    const IvsFinding *finding, const GstIvsIncident *incident)
{
  GstStructure *details = gst_ivs_monitor_make_details (finding);
  g_autofree gchar *advice = ivs_finding_dup_advice (finding);

  add_incident (details, incident);
  gst_element_message_full_with_details (element, type, GST_STREAM_ERROR,
      GST_STREAM_ERROR_WRONG_TYPE, ivs_finding_dup_sentence (finding),
      make_debug_text (finding->row->name, advice, NULL, incident), __FILE__,
      GST_FUNCTION, __LINE__, details);
}

void
gst_ivs_post_progress (GstElement *element, GstProgressType type,
    const gchar *code, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  gst_element_post_message (element,
      gst_message_new_progress (GST_OBJECT (element), type, code, text));
}

void
gst_ivs_post_state (GstElement *element, const gchar *state,
    const GstIvsIncident *incident)
{
  GstStructure *structure = gst_structure_new ("ivs-stage-state", "state",
      G_TYPE_STRING, state, NULL);

  add_incident (structure, incident);
  gst_element_post_message (element,
      gst_message_new_element (GST_OBJECT (element), structure));
}
