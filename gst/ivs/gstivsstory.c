/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * THE STORY: which session there is, and when; from the first token to the end
 * of the last stream.
 *
 *     start   READY->PAUSED    token, connection, offer: nothing that needs media
 *     play    PAUSED->PLAYING  the stage may be asked, once the inputs are known
 *     live    connected and verified: the gates open; those that are open already move
 *             with the next IDR picture
 *     lost    a new attempt, behind the same gates
 *     silent  the same, but the old session goes on: whichever is heard first stays
 *     drain   every stream has ended: the session is deleted, then EOS
 *     stop    PAUSED->READY    the session is deleted, within shutdown-timeout
 *
 * `active` is the live session that the gates lead to, `attempt` the one that
 * shall be it next. A session tells its own story in gstivssession.c. All of it
 * runs on the worker; nothing here waits.
 */
#include "gstivspublisherprivate.h"

#include "gstivscredential.h"
#include "ivs-endpoint.h"

#define GST_CAT_DEFAULT gst_ivs_publisher_debug

/* How long a pad without data may hold up the others. */
#define INPUT_TIMEOUT_MS 5000
/* What cannot go on is told when the pipeline plays, or after so long in PAUSED. */
#define VERDICT_DELAY_MS 300
/* What webrtcbin still holds when the last buffer has gone in. */
#define DRAIN_MS 100
/* How long a live session waits for a picture that it can begin with, while the one
 * before it goes on: for ten seconds between two of them, and not until the stage gives
 * up a session that nothing comes to (unknown of the service; 15 s at the local stage). */
#define PICTURE_TIMEOUT_MS 12000

static void finish_if_empty (GstIvsPublisher *self);

/* What everyone is told. */

/* @session: whose token, endpoint and request it is about, or NULL: the last token. */
void
gst_ivs_publisher_describe_incident (GstIvsPublisher *self,
    GstIvsSession *session, GstIvsIncident *incident)
{
  const IvsToken *token =
      session != NULL ? gst_ivs_session_get_token (session) : self->token;

  *incident = (GstIvsIncident){ .attempt = self->counts.n_attempts };
  if (token != NULL) {
    incident->participant_id = g_strdup (token->participant_id);
    incident->stage_arn = g_strdup (token->stage_arn);
  }
  if (session != NULL) {
    incident->endpoint = g_strdup (gst_ivs_session_get_endpoint (session));
    incident->request_id = g_strdup (gst_ivs_session_get_request_id (session));
    incident->session_host = gst_ivs_session_dup_host (session);
  }
}

static void
set_state (GstIvsPublisher *self, GstIvsConnectionState state)
{
  g_autoptr (GEnumClass) names =
      g_type_class_ref (GST_TYPE_IVS_CONNECTION_STATE);
  g_auto (GstIvsIncident) incident = { 0 };

  if (self->state == state)
    return;

  self->state = state;
  if (gst_ivs_publisher_is_left (self))
    return;
  gst_ivs_publisher_describe_incident (self, NULL, &incident);
  self->events.state_changed (self->element, state, self->token);
  gst_ivs_post_state (self->element,
      g_enum_get_value (names, state)->value_nick, &incident);
}

static const gchar *
say (const gchar *text)
{
  return text != NULL ? text : "(not said)";
}

/* A step of the story: one line of the log, one message. */
#define POST_PROGRESS(self, type, code, ...) \
  G_STMT_START \
  { \
    GST_INFO_OBJECT ((self)->element, code ": " __VA_ARGS__); \
    gst_ivs_post_progress ((self)->element, GST_PROGRESS_TYPE_##type, code, \
        __VA_ARGS__); \
  } \
  G_STMT_END

/* The gates and the sessions behind them. */

static void
close_gates (GstIvsPublisher *self)
{
  g_auto (GstIvsInputs) inputs = { 0 };

  if (gst_ivs_publisher_is_left (self))
    return;
  self->events.get_inputs (self->element, &inputs);
  gst_ivs_outlet_close (&self->outlet, &inputs);
}

static void
discard_streams (GstIvsPublisher *self)
{
  g_auto (GstIvsInputs) inputs = { 0 };

  if (gst_ivs_publisher_is_left (self))
    return;
  self->events.get_inputs (self->element, &inputs);
  gst_ivs_outlet_discard (&inputs);
}

/* Ends a session at the stage without waiting for it. */
static void
retire (GstIvsPublisher *self, GstIvsSession **pointer)
{
  GstIvsSession *session = g_steal_pointer (pointer);

  if (session == NULL)
    return;

  g_ptr_array_add (self->closing, session);
  gst_ivs_session_close (session);
}

static void
retire_attempt (GstIvsPublisher *self)
{
  gst_ivs_timer_clear (&self->picture_timer);
  retire (self, &self->attempt);
}

static void
retire_active (GstIvsPublisher *self)
{
  if (self->active == NULL)
    return;

  self->is_silent = FALSE;
  gst_ivs_publisher_unwatch_session (self);
  close_gates (self);
  retire (self, &self->active);
}

/* When an attempt has failed: again, or not. */

/* After the ERROR message. */
void
gst_ivs_publisher_end_failed (GstIvsPublisher *self)
{
  self->has_failed = TRUE;
  gst_ivs_timer_clear (&self->retry_timer);
  discard_streams (self);
  retire_attempt (self);
  retire_active (self);
  set_state (self, GST_IVS_CONNECTION_FAILED);
}

static void
tell_verdict (gpointer data)
{
  GstIvsPublisher *self = data;
  g_autoptr (IvsFailure) failure = g_steal_pointer (&self->verdict);

  gst_ivs_timer_clear (&self->verdict_timer);
  if (failure == NULL)
    return;

  gst_ivs_post_error (self->element, failure, &self->verdict_incident);
  /* The step that was begun and ends with it: without an endpoint, the first. */
  if (self->verdict_incident.endpoint != NULL)
    POST_PROGRESS (self, ERROR, "connect", "%s", failure->sentence);
  else
    POST_PROGRESS (self, ERROR, "open", "%s", failure->sentence);
  gst_ivs_incident_clear (&self->verdict_incident);
  gst_ivs_publisher_end_failed (self);
}

/* An ERROR on the way to PAUSED can come before the application listens:
 * gst-launch-1.0 1.22 quits its main loop from the posting thread, and when it has
 * not entered the loop yet, hangs for ever. */
void
gst_ivs_publisher_give_up (GstIvsPublisher *self, const IvsFailure *failure,
    GstIvsSession *session)
{
  gst_ivs_publisher_describe_incident (self, session, &self->verdict_incident);
  self->verdict = ivs_failure_copy (failure);
  if (self->is_playing) {
    tell_verdict (self);
    return;
  }
  self->has_failed = TRUE;
  self->verdict_timer = gst_ivs_worker_call_later (self->worker,
      VERDICT_DELAY_MS, tell_verdict, self);
}

static void
retry_due (gpointer data)
{
  GstIvsPublisher *self = data;

  gst_ivs_timer_clear (&self->retry_timer);
  gst_ivs_publisher_begin_attempt (self);
}

/* @is_told: the user has heard of @failure already. */
static void
try_again (GstIvsPublisher *self, const IvsFailure *failure,
    GstIvsSession *session, gboolean is_told)
{
  gboolean is_covered = self->active != NULL && !self->is_silent;
  g_auto (GstIvsIncident) incident = { 0 };
  guint wait_ms = 0;

  if (!ivs_backoff_next (&self->backoff, failure, g_get_monotonic_time (),
          &wait_ms)) {
    gst_ivs_publisher_describe_incident (self, session, &incident);
    if (is_covered)
      gst_ivs_post_warning (self->element, failure, &incident);
    else
      gst_ivs_publisher_give_up (self, failure, session);
    return;
  }

  gst_ivs_publisher_describe_incident (self, session, &incident);
  if (!is_told)
    gst_ivs_post_retry (self->element, failure, &incident, wait_ms,
        self->counts.n_attempts + 1);
  if (!is_covered)
    set_state (self,
        self->was_live ? GST_IVS_CONNECTION_RECONNECTING
                       : GST_IVS_CONNECTION_CONNECTING);
  gst_ivs_timer_clear (&self->retry_timer);
  self->retry_timer =
      gst_ivs_worker_call_later (self->worker, wait_ms, retry_due, self);
}

/* 1. An attempt: a token, an endpoint, and what needs no media. */

static gboolean
find_token (GstIvsPublisher *self, GError **error)
{
  g_autofree gchar *requested = self->events.request_token (self->element);
  IvsToken *token = gst_ivs_credential_find (&self->settings, requested, error);

  if (token == NULL)
    return FALSE;
  g_clear_pointer (&self->token, ivs_token_free);
  self->token = token;
  gst_ivs_publisher_watch_token (self);
  return TRUE;
}

static void
announce (GstIvsPublisher *self, const gchar *endpoint)
{
  g_autoptr (GDateTime) expiry =
      g_date_time_new_from_unix_utc (self->token->expires_at);
  g_autofree gchar *until =
      expiry != NULL ? g_date_time_format_iso8601 (expiry) : NULL;

  POST_PROGRESS (self, COMPLETE, "open",
      "Participant %s of %s, token valid until %s",
      say (self->token->participant_id), say (self->token->stage_arn),
      say (until));
  GST_INFO_OBJECT (self->element, "attempt %u at %s", self->counts.n_attempts,
      endpoint);
}

static GstIvsSession *
make_session (GstIvsPublisher *self, const gchar *endpoint);

void
gst_ivs_publisher_begin_attempt (GstIvsPublisher *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *endpoint = NULL;

  if (self->attempt != NULL || self->is_draining || self->is_stopping)
    return;

  gst_ivs_timer_clear (&self->retry_timer);
  gst_ivs_settings_clear (&self->settings);
  self->events.get_settings (self->element, &self->settings);
  self->backoff.max_retries = self->settings.max_retries;
  self->counts.n_attempts++;
  POST_PROGRESS (self, START, "open", "Reading the participant token");
  if (find_token (self, &error))
    endpoint =
        ivs_endpoint_choose (self->settings.whip_endpoint, self->token, &error);
  if (g_atomic_int_get (&self->is_going_down))
    return; /* the application took its time over the token */
  if (endpoint == NULL) {
    g_autoptr (IvsFailure) failure = ivs_failure_from_error (error, NULL);

    try_again (self, failure, NULL, FALSE);
    return;
  }

  announce (self, endpoint);
  if (self->warm_up == NULL)
    self->warm_up = gst_ivs_warm_up_start ();
  self->attempt = make_session (self, endpoint);
  gst_ivs_session_preconnect (self->attempt);
  gst_ivs_publisher_check_inputs (self);
}

/* 2. What to offer, and whether it is time to. */

static void
prepare_attempt (GstIvsPublisher *self, const GstIvsInputs *inputs,
    const gboolean sections[GST_IVS_N_KINDS])
{
  GstCaps *caps[GST_IVS_N_KINDS] = {
    NULL,
  };

  if (gst_ivs_session_is_prepared_for (self->attempt, sections))
    return;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (sections[kind])
      caps[kind] = gst_ivs_gate_get_stream_caps (inputs->lanes[kind].gate);
  }
  gst_ivs_session_prepare (self->attempt, caps);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_clear_caps (&caps[kind]);
}

static void
publish_attempt (GstIvsPublisher *self, const GstIvsInputs *inputs,
    const gboolean sections[GST_IVS_N_KINDS])
{
  const GstIvsLane *audio = &inputs->lanes[GST_IVS_AUDIO];
  gboolean is_needed[GST_IVS_N_KINDS];
  IvsOfferWish wish = {
    .audio = sections[GST_IVS_AUDIO],
    .video = sections[GST_IVS_VIDEO],
    .audio_channels = audio->channels == 1 ? 1 : 2,
    .audio_bitrate = self->settings.encoding.audio_bitrate,
    .retransmission = self->settings.do_retransmission,
  };

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    is_needed[kind] = inputs->lanes[kind].is_ready;
  gst_ivs_timer_clear (&self->input_timer);
  if (!self->was_live)
    set_state (self, GST_IVS_CONNECTION_CONNECTING);
  gst_ivs_session_publish (self->attempt, &wish, is_needed);
}

static void
input_timed_out (gpointer data)
{
  GstIvsPublisher *self = data;
  g_auto (GstIvsInputs) inputs = { 0 };
  g_autofree gchar *sentence = NULL;
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_timer_clear (&self->input_timer);
  self->is_overdue = TRUE;
  gst_ivs_publisher_describe_incident (self, self->attempt, &incident);
  self->events.get_inputs (self->element, &inputs);
  sentence = inputs.silent_pads != NULL
      ? g_strdup_printf ("No data came on %s within %d seconds",
            inputs.silent_pads, INPUT_TIMEOUT_MS / 1000)
      : g_strdup_printf ("No pad was requested within %d seconds",
            INPUT_TIMEOUT_MS / 1000);
  gst_ivs_post_notice (self->element, "no-input", sentence,
      "What comes on other pads is published without it, and it is taken in when its data comes. Check what is upstream of the pad; release a pad that is not used.",
      &incident);
  gst_ivs_publisher_check_inputs (self);
}

static void
check_attempt (GstIvsPublisher *self, const GstIvsInputs *inputs)
{
  GstIvsDummyVideo dummy = self->settings.dummy_video;
  gboolean sections[GST_IVS_N_KINDS];

  gst_ivs_inputs_choose_sections (inputs, dummy, self->is_overdue, sections);
  if (!self->is_playing) {
    /* Nothing is asked of the stage yet, but the offer can be made already. */
    if (inputs->n_undecided == 0 &&
        (inputs->lanes[GST_IVS_AUDIO].n_pads > 0 ||
            inputs->lanes[GST_IVS_VIDEO].n_pads > 0))
      prepare_attempt (self, inputs, sections);
  } else if (gst_ivs_inputs_are_complete (inputs, dummy, self->is_overdue)) {
    prepare_attempt (self, inputs, sections);
    if (self->attempt != NULL)
      publish_attempt (self, inputs, sections);
  } else {
    gst_ivs_session_hold (self->attempt);
    if (self->input_timer == NULL && !self->is_overdue)
      self->input_timer = gst_ivs_worker_call_later (self->worker,
          INPUT_TIMEOUT_MS, input_timed_out, self);
  }
}

/* 3. Live: the attempt becomes the active session. */

/* Are both sessions of one token? */
static gboolean
has_one_token (GstIvsPublisher *self)
{
  return self->active != NULL && self->attempt != NULL &&
      g_strcmp0 (gst_ivs_session_get_token (self->attempt)->participant_id,
          gst_ivs_session_get_token (self->active)->participant_id) == 0;
}

/* A stage ends a session when its token is used for another one: once the attempt
 * was asked for with the same token, the active session may be over already, however
 * much of it still arrives. */
static gboolean
may_have_replaced_active (GstIvsPublisher *self)
{
  return has_one_token (self) &&
      gst_ivs_session_get_step (self->attempt) != GST_IVS_STEP_OFFERING;
}

gint64
gst_ivs_publisher_get_age (GstIvsPublisher *self)
{
  GstIvsSessionTimes times;

  gst_ivs_session_get_times (self->active, &times);
  return g_get_monotonic_time () - times.live;
}

void
gst_ivs_publisher_renew_session (GstIvsPublisher *self)
{
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_publisher_describe_incident (self, self->active, &incident);
  gst_ivs_publisher_begin_attempt (self);
  if (has_one_token (self))
    gst_ivs_post_notice (self->element, "renewal-with-old-token",
        "The session is renewed with the token that it already has, so the stage may end it before the new one is there",
        "Viewers may miss a second or two. Hand out a fresh token for each session: in a handler of request-token, or in an auth-token-file that is replaced before session-limit is reached.",
        &incident);
}

/* The session before it ends when the streams have left it: they do not wait until
 * its webrtcbin is taken down. */
static void
take_over (GstIvsPublisher *self)
{
  GstIvsSession *before = self->active;
  g_auto (GstIvsInputs) inputs = { 0 };

  gst_ivs_timer_clear (&self->picture_timer);
  if (before != NULL)
    gst_ivs_session_spare (before, self->attempt);
  self->events.get_inputs (self->element, &inputs);
  gst_ivs_outlet_leave (&self->outlet, &inputs, self->attempt);
  self->is_silent = FALSE;
  self->active = g_steal_pointer (&self->attempt);
  self->was_live = TRUE;
  self->counts.n_sessions++;
  ivs_backoff_went_live (&self->backoff, g_get_monotonic_time ());
  gst_ivs_publisher_watch_session (self);

  gst_ivs_outlet_open (&self->outlet, self->element, &inputs, self->active);
  retire (self, &before);
  gst_ivs_publisher_watch_network (self);
  set_state (self, GST_IVS_CONNECTION_CONNECTED);
  POST_PROGRESS (self, COMPLETE, "connect", "On the stage as %s",
      say (self->token->participant_id));
  gst_ivs_publisher_check_inputs (self);
}

static void
picture_overdue (gpointer data)
{
  take_over (data);
}

/* Encoded video may have seconds between two pictures that a decoder can begin with,
 * and upstream may not heed requests for one. A session that still works bridges them;
 * one whose token the attempt has is over by now. */
static void
attempt_went_live (GstIvsPublisher *self)
{
  g_auto (GstIvsInputs) inputs = { 0 };

  self->events.get_inputs (self->element, &inputs);
  if (self->active == NULL || self->is_silent || has_one_token (self) ||
      !gst_ivs_outlet_await_picture (&self->outlet, &inputs, self->attempt))
    take_over (self);
  else
    self->picture_timer = gst_ivs_worker_call_later (self->worker,
        PICTURE_TIMEOUT_MS, picture_overdue, self);
}

/* A pad came whose kind has no section in this session: another one, and then the
 * streams are handed over. */
static void
check_active (GstIvsPublisher *self, const GstIvsInputs *inputs)
{
  gst_ivs_outlet_open (&self->outlet, self->element, inputs, self->active);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (inputs->lanes[kind].is_ready && !inputs->lanes[kind].is_eos &&
        !gst_ivs_session_has_section (self->active, kind))
      gst_ivs_publisher_begin_attempt (self);
  }
}

/* 4. The live session is lost, or silent, or heard again. */

static void
report_lost (GstIvsPublisher *self, const IvsFailure *failure,
    gint64 silent_for_us)
{
  gint64 age = gst_ivs_publisher_get_age (self);
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_publisher_describe_incident (self, self->active, &incident);
  gst_ivs_post_lost (self->element, failure, &incident, age / 1000,
      silent_for_us / 1000);
}

static void
active_lost (GstIvsPublisher *self, const IvsFailure *failure)
{
  g_autoptr (GstIvsSession) lost = gst_ivs_session_ref (self->active);
  /* What our own attempt has ended is not lost. */
  gboolean is_told = self->is_silent || may_have_replaced_active (self);

  if (!is_told)
    report_lost (self, failure, 0);
  retire_active (self);
  if (self->picture_timer != NULL)
    take_over (self);
  else if (self->attempt == NULL && self->retry_timer == NULL)
    try_again (self, failure, lost, TRUE);
  else
    set_state (self, GST_IVS_CONNECTION_RECONNECTING);
}

static void
session_silent (GstIvsSession *session, gint64 microseconds, gpointer data)
{
  GstIvsPublisher *self = data;
  g_autoptr (IvsFailure) failure = NULL;

  if (session != self->active)
    return;

  self->is_silent = TRUE;
  failure = ivs_failure_new_printf (IVS_FAILURE_LOST,
      "Nothing was heard of the stage for %.1f seconds",
      (gdouble) microseconds / G_USEC_PER_SEC);
  report_lost (self, failure, microseconds);
  if (self->picture_timer != NULL)
    take_over (self);
  else if (self->attempt == NULL && self->retry_timer == NULL)
    try_again (self, failure, session, TRUE);
  else
    set_state (self, GST_IVS_CONNECTION_RECONNECTING);
}

static void
session_revived (GstIvsSession *session, gpointer data)
{
  GstIvsPublisher *self = data;

  if (session != self->active)
    return;

  self->is_silent = FALSE;
  gst_ivs_timer_clear (&self->retry_timer);
  if (!may_have_replaced_active (self))
    retire_attempt (self);
  ivs_backoff_went_live (&self->backoff, g_get_monotonic_time ());
  set_state (self, GST_IVS_CONNECTION_CONNECTED);
  POST_PROGRESS (self, COMPLETE, "connect", "The stage is heard again");
}

/* 5. Every stream has ended: what is in webrtcbin still leaves, then the session
 *    is deleted, then the pipeline hears of the end. */

static void
drain_overdue (gpointer data)
{
  GstIvsPublisher *self = data;

  gst_ivs_timer_clear (&self->drain_timer);
  for (guint i = self->closing->len; i > 0; i--)
    gst_ivs_session_abandon (g_ptr_array_index (self->closing, i - 1));
}

void
gst_ivs_publisher_abandon_all (GstIvsPublisher *self)
{
  if (gst_ivs_publisher_is_left (self))
    self->drain_timer = gst_ivs_worker_call_later (self->worker,
        self->settings.shutdown_timeout * 1000, drain_overdue, self);
  else
    drain_overdue (self);
}

static void
leave (gpointer data)
{
  GstIvsPublisher *self = data;

  gst_ivs_timer_clear (&self->drain_timer);
  self->drain_timer = gst_ivs_worker_call_later (self->worker,
      self->settings.shutdown_timeout * 1000, drain_overdue, self);
  retire_attempt (self);
  retire_active (self);
  finish_if_empty (self);
}

static void
drain (GstIvsPublisher *self)
{
  self->is_draining = TRUE;
  gst_ivs_timer_clear (&self->input_timer);
  gst_ivs_timer_clear (&self->retry_timer);
  if (!self->has_failed)
    POST_PROGRESS (self, START, "disconnect",
        "The streams have ended, leaving the stage");
  self->drain_timer = gst_ivs_worker_call_later (self->worker,
      self->active != NULL ? DRAIN_MS : 0, leave, self);
}

/* After the end, or what was meant to be it: the application has sought, or another stream
 * has come. */
static gboolean
goes_on (GstIvsPublisher *self)
{
  g_auto (GstIvsInputs) inputs = { 0 };

  if (self->has_failed || self->is_stopping)
    return FALSE;
  self->events.get_inputs (self->element, &inputs);
  return gst_ivs_inputs_go_on (&inputs);
}

static void
begin_anew (GstIvsPublisher *self)
{
  self->is_draining = self->has_drained = FALSE;
  self->was_live = FALSE;
  self->is_overdue = FALSE;
  ivs_backoff_init (&self->backoff, 0, NULL, NULL);
  gst_ivs_publisher_begin_attempt (self);
}

/* Once only: a pad that is released later is no second end. */
static void
tell_drained (GstIvsPublisher *self)
{
  gst_ivs_timer_clear (&self->drain_timer);
  if (!self->has_failed) {
    POST_PROGRESS (self, COMPLETE, "disconnect", "Left the stage");
    set_state (self, GST_IVS_CONNECTION_CLOSED);
  }
  if (goes_on (self)) {
    begin_anew (self);
    return;
  }
  self->has_drained = TRUE;
  self->events.drained (self->element);
}

static void
finish_if_empty (GstIvsPublisher *self)
{
  if (self->active != NULL || self->attempt != NULL || self->closing->len > 0)
    return;

  if (self->is_draining && !self->has_drained)
    tell_drained (self);
  if (self->is_stopping)
    gst_ivs_publisher_tell_stopped (self);
}

/* The one place that looks at the inputs and decides what comes next. */
void
gst_ivs_publisher_check_inputs (GstIvsPublisher *self)
{
  g_auto (GstIvsInputs) inputs = { 0 };

  if (g_atomic_int_get (&self->is_going_down) || self->is_stopping ||
      (self->is_draining && !self->has_drained))
    return;

  if (self->is_draining) {
    if (goes_on (self))
      begin_anew (self);
    return;
  }
  self->events.get_inputs (self->element, &inputs);
  if (gst_ivs_inputs_are_eos (&inputs)) {
    drain (self);
    return;
  }
  if (self->picture_timer != NULL &&
      !gst_ivs_outlet_is_waiting (&self->outlet, &inputs))
    take_over (self); /* looks at the inputs itself */
  else if (self->active != NULL)
    check_active (self, &inputs);
  if (self->attempt != NULL &&
      gst_ivs_session_get_step (self->attempt) == GST_IVS_STEP_OFFERING)
    check_attempt (self, &inputs);
}

/* What a session tells. */

static void
session_stepped (GstIvsSession *session, GstIvsStep step, gpointer data)
{
  GstIvsPublisher *self = data;

  if (session != self->attempt)
    return;

  switch (step) {
    case GST_IVS_STEP_POSTING:
      POST_PROGRESS (self, START, "request", "Asking the stage at %s",
          gst_ivs_session_get_endpoint (session));
      break;
    case GST_IVS_STEP_CONNECTING:
      POST_PROGRESS (self, COMPLETE, "request",
          "The stage has accepted the session");
      POST_PROGRESS (self, START, "connect", "Connecting to %s",
          say (gst_ivs_session_get_media_address (session)));
      break;
    case GST_IVS_STEP_LIVE:
      attempt_went_live (self);
      break;
    default:
      break;
  }
}

static void
session_noticed (GstIvsSession *session, const gchar *name,
    const gchar *sentence, const gchar *advice, gpointer data)
{
  GstIvsPublisher *self = data;
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_publisher_describe_incident (self, session, &incident);
  gst_ivs_post_notice (self->element, name, sentence, advice, &incident);
}

/* While the element goes down webrtcbin does too, maybe before the worker hears of
 * it: what fails then is no failure. */
static void
session_failed (GstIvsSession *session, const IvsFailure *failure,
    gpointer data)
{
  GstIvsPublisher *self = data;
  gboolean is_going_down = g_atomic_int_get (&self->is_going_down);

  if (session == self->active) {
    if (is_going_down)
      retire_active (self);
    else
      active_lost (self, failure);
  } else if (session == self->attempt) {
    retire_attempt (self);
    if (!is_going_down)
      try_again (self, failure, session, FALSE);
  }
}

static void
session_closed (GstIvsSession *session, gpointer data)
{
  GstIvsPublisher *self = data;

  if (g_ptr_array_remove_fast (self->closing, session))
    finish_if_empty (self);
}

static GstIvsSession *
make_session (GstIvsPublisher *self, const gchar *endpoint)
{
  static const GstIvsSessionEvents events = {
    .stepped = session_stepped,
    .failed = session_failed,
    .silent = session_silent,
    .revived = session_revived,
    .noticed = session_noticed,
    .closed = session_closed,
  };
  const GstIvsSessionConfig config = {
    .bin = GST_BIN (self->element),
    .worker = self->worker,
    .settings = &self->settings,
    .token = self->token,
    .endpoint = endpoint,
    .is_after_live = self->was_live,
    .has_played = self->is_playing,
  };

  return gst_ivs_session_new (&config, &events, self);
}

/* PAUSED to PLAYING, and PAUSED to READY. */

void
gst_ivs_publisher_enter_playing (GstIvsPublisher *self)
{
  self->is_playing = TRUE;
  tell_verdict (self);
  gst_ivs_publisher_check_inputs (self);
}

void
gst_ivs_publisher_end (GstIvsPublisher *self)
{
  self->is_stopping = TRUE;
  tell_verdict (self);
  self->is_draining = FALSE; /* nobody waits for an EOS any more */
  gst_ivs_publisher_clear_timers (self);
  discard_streams (self);
  retire_attempt (self);
  retire_active (self);
  if (!self->has_failed)
    set_state (self, GST_IVS_CONNECTION_CLOSED);
  finish_if_empty (self);
}
