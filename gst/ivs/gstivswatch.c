/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the publisher keeps an eye on: when its token ends, and of the live session
 * how old it grows, what flows in it and what its network carries.
 */
#include "gstivspublisherprivate.h"

/* The end of a session by its age is announced when this part of it is left, at most
 * so many seconds before. */
#define LIMIT_PART 20
#define LIMIT_NOTICE_MAX 900
/* The end of a token is announced when a tenth of its life is left. */
#define TOKEN_PART 10

/* A token's end does not end its session, but the next attempt needs another. */

static void
token_expiring (gpointer data)
{
  GstIvsPublisher *self = data;
  gint64 left = self->token->expires_at - g_get_real_time () / G_USEC_PER_SEC;
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_timer_clear (&self->expiry_timer);
  gst_ivs_publisher_describe_incident (self, NULL, &incident);
  gst_ivs_post_time_left (self->element, "ivs-stage-token-expiring",
      MAX (left, 0), &incident);
}

void
gst_ivs_publisher_watch_token (GstIvsPublisher *self)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  gint64 begin = self->token->issued_at > 0 ? self->token->issued_at : now;
  gint64 notice = (self->token->expires_at - begin) / TOKEN_PART;
  gint64 wait = self->token->expires_at - notice - now;

  gst_ivs_timer_clear (&self->expiry_timer);
  self->expiry_timer = gst_ivs_worker_call_later (self->worker,
      CLAMP (wait, 0, G_MAXINT / 1000) * 1000, token_expiring, self);
}

/* How old the live session is. */

static void
limit_near (gpointer data)
{
  GstIvsPublisher *self = data;
  gint64 age = gst_ivs_publisher_get_age (self) / G_USEC_PER_SEC;
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_timer_clear (&self->limit_timer);
  gst_ivs_publisher_describe_incident (self, self->active, &incident);
  gst_ivs_post_time_left (self->element, "ivs-stage-session-ending",
      MAX (self->settings.session_limit - age, 0), &incident);
  if (self->settings.renew_session)
    gst_ivs_publisher_renew_session (self);
}

static void
watch_limit (GstIvsPublisher *self)
{
  guint limit = self->settings.session_limit;
  guint notice = MIN (limit / LIMIT_PART, LIMIT_NOTICE_MAX);

  gst_ivs_timer_clear (&self->limit_timer);
  self->limit_timer = gst_ivs_worker_call_later (self->worker,
      (limit - MAX (notice, 1)) * 1000, limit_near, self);
}

/* What really flows, against the limits of a stage, once a second. */

static void
limit_crossed (const IvsFinding *finding, gpointer data)
{
  GstIvsPublisher *self = data;
  gboolean is_refused =
      self->settings.stage_limits == GST_IVS_STAGE_LIMITS_REFUSE &&
      ivs_diagnosis_is_refusable (finding->row);
  g_auto (GstIvsIncident) incident = { 0 };

  if (self->has_failed ||
      self->settings.stage_limits == GST_IVS_STAGE_LIMITS_IGNORE)
    return;

  gst_ivs_publisher_describe_incident (self, self->active, &incident);
  gst_ivs_post_limit (self->element,
      is_refused ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING, finding, &incident);
  if (is_refused)
    gst_ivs_publisher_end_failed (self);
}

static void
watch_media (gpointer data)
{
  GstIvsPublisher *self = data;
  GstClockTime now = g_get_monotonic_time () * GST_USECOND;
  gboolean is_playing = GST_STATE (self->element) == GST_STATE_PLAYING;
  g_auto (GstIvsInputs) inputs = { 0 };
  GstStructure *stats = NULL;

  gst_ivs_timer_clear (&self->monitor_timer);
  if (g_atomic_int_get (&self->is_going_down))
    return;
  self->events.get_inputs (self->element, &inputs);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_monitor_expect (self->monitor, kind,
        is_playing && self->outlet.is_open[kind] &&
            inputs.lanes[kind].is_ready && !inputs.lanes[kind].is_eos,
        now);
  gst_ivs_monitor_announce_channels (self->monitor,
      inputs.lanes[GST_IVS_AUDIO].channels);
  gst_ivs_monitor_judge (self->monitor, now, limit_crossed, self);
  stats =
      gst_ivs_stats_make (&inputs, self->monitor, self->active, &self->counts);
  gst_ivs_adaptation_add_stats (self->adaptation, stats);
  self->events.stats_made (self->element, stats);
  if (self->active != NULL)
    self->monitor_timer =
        gst_ivs_worker_call_later (self->worker, 1000, watch_media, self);
}

void
gst_ivs_publisher_watch_session (GstIvsPublisher *self)
{
  watch_limit (self);
  watch_media (self);
}

void
gst_ivs_publisher_unwatch_session (GstIvsPublisher *self)
{
  gst_ivs_timer_clear (&self->limit_timer);
  gst_ivs_timer_clear (&self->monitor_timer);
  if (!gst_ivs_publisher_is_left (self))
    gst_ivs_adaptation_end (self->adaptation);
}

/* What its network carries. */

static void
estimated (guint bps, gpointer data)
{
  GstIvsPublisher *self = data;

  self->events.estimated (self->element, bps);
}

static void
adaptation_noticed (const gchar *name, const gchar *sentence,
    const gchar *advice, gpointer data)
{
  GstIvsPublisher *self = data;
  g_auto (GstIvsIncident) incident = { 0 };

  gst_ivs_publisher_describe_incident (self, self->active, &incident);
  gst_ivs_post_notice (self->element, name, sentence, advice, &incident);
}

void
gst_ivs_publisher_watch_network (GstIvsPublisher *self)
{
  static const GstIvsAdaptationEvents events = {
    .estimated = estimated,
    .noticed = adaptation_noticed,
  };

  gst_ivs_session_set_congestion (self->active,
      gst_ivs_adaptation_get_congestion (self->adaptation));
  gst_ivs_adaptation_begin (self->adaptation, self->worker, &self->settings,
      &events, self);
}
