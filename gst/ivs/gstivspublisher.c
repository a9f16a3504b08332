/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The publisher as other threads know it: they make it, hand its worker what it
 * shall do, and wait for its end. What the worker then does is in gstivsstory.c.
 */
#include "gstivspublisherprivate.h"

GST_DEBUG_CATEGORY (gst_ivs_publisher_debug);
#define GST_CAT_DEFAULT gst_ivs_publisher_debug

/* After a cancel, callbacks come at once; this is for a machine under load. */
#define ABANDON_TIMEOUT_US (2 * G_USEC_PER_SEC)

GType
gst_ivs_connection_state_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_IVS_CONNECTION_NEW, "The stage was not asked yet", "new" },
    { GST_IVS_CONNECTION_CONNECTING, "The stage was asked", "connecting" },
    { GST_IVS_CONNECTION_CONNECTED, "Live: media flows", "connected" },
    { GST_IVS_CONNECTION_RECONNECTING,
        "The session was lost, a new one is tried", "reconnecting" },
    { GST_IVS_CONNECTION_FAILED, "Ended with an error", "failed" },
    { GST_IVS_CONNECTION_CLOSED, "Ended", "closed" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    g_once_init_leave (&type,
        g_enum_register_static ("GstIvsConnectionState", values));
  }
  return type;
}

/* Its life begins. */

static void
init_debug (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    GST_DEBUG_CATEGORY_INIT (gst_ivs_publisher_debug, "ivspublisher", 0,
        "ivsstagesink: the control path");
    g_once_init_leave (&done, 1);
  }
}

GstIvsPublisher *
gst_ivs_publisher_new (GstElement *element, GstIvsMonitor *monitor,
    GstIvsAdaptation *adaptation, const GstIvsPublisherEvents *events)
{
  GstIvsPublisher *self = g_new0 (GstIvsPublisher, 1);

  init_debug ();
  self->element = gst_object_ref (element);
  self->monitor = gst_ivs_monitor_ref (monitor);
  self->adaptation = gst_ivs_adaptation_ref (adaptation);
  self->events = *events;
  self->worker = gst_ivs_worker_start ("ivs-worker");
  self->closing =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ivs_session_unref);
  ivs_backoff_init (&self->backoff, 0, NULL, NULL);
  g_mutex_init (&self->lock);
  g_cond_init (&self->stopped);
  return self;
}

/* What it is asked, handed to the worker. */

static void
start (gpointer data)
{
  gst_ivs_publisher_begin_attempt (data);
}

void
gst_ivs_publisher_start (GstIvsPublisher *self)
{
  gst_ivs_worker_call (self->worker, start, self, NULL);
}

static void
play (gpointer data)
{
  gst_ivs_publisher_enter_playing (data);
}

void
gst_ivs_publisher_play (GstIvsPublisher *self)
{
  gst_ivs_worker_call (self->worker, play, self, NULL);
}

static void
kick (gpointer data)
{
  gst_ivs_publisher_check_inputs (data);
}

void
gst_ivs_publisher_kick (GstIvsPublisher *self)
{
  gst_ivs_worker_call (self->worker, kick, self, NULL);
}

typedef struct
{
  GstIvsPublisher *publisher;
  GstObject *element;
  gchar *text;
} ElementFailure;

static void
element_failure_free (gpointer data)
{
  ElementFailure *failure = data;

  gst_object_unref (failure->element);
  g_free (failure->text);
  g_free (failure);
}

static void
element_failed (gpointer data)
{
  ElementFailure *failure = data;
  GstIvsSession *sessions[] = { failure->publisher->active,
    failure->publisher->attempt };

  for (guint i = 0; i < G_N_ELEMENTS (sessions); i++) {
    if (sessions[i] != NULL &&
        gst_ivs_session_owns (sessions[i], failure->element)) {
      gst_ivs_session_element_failed (sessions[i], failure->element,
          failure->text);
      return;
    }
  }
}

void
gst_ivs_publisher_element_failed (GstIvsPublisher *self, GstObject *element,
    const GError *error)
{
  ElementFailure *failure = g_new (ElementFailure, 1);

  failure->publisher = self;
  failure->element = gst_object_ref (element);
  failure->text = g_strdup (error->message);
  gst_ivs_worker_call (self->worker, element_failed, failure,
      element_failure_free);
}

typedef struct
{
  GstIvsPublisher *publisher;
  IvsFailure *failure;
} InputFailure;

static void
input_failure_free (gpointer data)
{
  InputFailure *self = data;

  ivs_failure_free (self->failure);
  g_free (self);
}

static void
input_failed (gpointer data)
{
  InputFailure *self = data;

  if (!self->publisher->has_failed && !self->publisher->is_stopping)
    gst_ivs_publisher_give_up (self->publisher, self->failure,
        self->publisher->active);
}

void
gst_ivs_publisher_input_failed (GstIvsPublisher *self, const GError *error)
{
  InputFailure *failure = g_new (InputFailure, 1);

  failure->publisher = self;
  failure->failure = ivs_failure_from_error (error, NULL);
  gst_ivs_worker_call (self->worker, input_failed, failure, input_failure_free);
}

static void
stop (gpointer data)
{
  gst_ivs_publisher_end (data);
}

void
gst_ivs_publisher_stop (GstIvsPublisher *self)
{
  g_atomic_int_set (&self->is_going_down, TRUE);
  gst_ivs_worker_call (self->worker, stop, self, NULL);
}

/* Its life ends. */

void
gst_ivs_publisher_tell_stopped (GstIvsPublisher *self)
{
  g_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  g_cond_broadcast (&self->stopped);
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_publisher_clear_timers (GstIvsPublisher *self)
{
  gst_ivs_timer_clear (&self->verdict_timer);
  gst_ivs_timer_clear (&self->input_timer);
  gst_ivs_timer_clear (&self->retry_timer);
  gst_ivs_timer_clear (&self->picture_timer);
  gst_ivs_timer_clear (&self->drain_timer);
  gst_ivs_timer_clear (&self->monitor_timer);
  gst_ivs_timer_clear (&self->limit_timer);
  gst_ivs_timer_clear (&self->expiry_timer);
}

static void
publisher_free (GstIvsPublisher *self)
{
  gst_ivs_publisher_clear_timers (self);
  g_clear_pointer (&self->warm_up, gst_ivs_warm_up_finish);
  g_ptr_array_unref (self->closing);
  g_clear_pointer (&self->token, ivs_token_free);
  g_clear_pointer (&self->verdict, ivs_failure_free);
  gst_ivs_incident_clear (&self->verdict_incident);
  gst_ivs_settings_clear (&self->settings);
  gst_ivs_worker_unref (self->worker);
  gst_ivs_monitor_unref (self->monitor);
  gst_ivs_adaptation_unref (self->adaptation);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->stopped);
  gst_object_unref (self->element);
  g_free (self);
}

static gboolean
wait_until_stopped (GstIvsPublisher *self, gint64 microseconds)
{
  gint64 deadline = g_get_monotonic_time () + microseconds;
  gboolean is_stopped = FALSE;

  g_mutex_lock (&self->lock);
  while (!self->is_stopped) {
    if (!g_cond_wait_until (&self->stopped, &self->lock, deadline))
      break;
  }
  is_stopped = self->is_stopped;
  g_mutex_unlock (&self->lock);
  return is_stopped;
}

static void
abandon (gpointer data)
{
  gst_ivs_publisher_abandon_all (data);
}

static void
finish_and_free (GstIvsPublisher *self)
{
  gst_ivs_worker_stop_and_join (self->worker);
  publisher_free (self);
}

/* However long that takes: a session that the stage has made is deleted. */
static gpointer
finish_when_stopped (gpointer data)
{
  wait_until_stopped (data, G_MAXINT64 / 2);
  finish_and_free (data);
  return NULL;
}

static gboolean
wait_or_abandon (GstIvsPublisher *self)
{
  g_auto (GstIvsSettings) settings;

  self->events.get_settings (self->element, &settings);
  if (wait_until_stopped (self,
          settings.shutdown_timeout * (gint64) G_USEC_PER_SEC))
    return TRUE;

  GST_INFO_OBJECT (self->element,
      "the stage did not confirm the end within %u s",
      settings.shutdown_timeout);
  gst_ivs_worker_call (self->worker, abandon, self, NULL);
  return wait_until_stopped (self, ABANDON_TIMEOUT_US);
}

/* Whatever holds the worker up, the application's handler of a signal say, does not
 * hold the application up: then somebody else waits. */
static void
join_and_free (GstIvsPublisher *self)
{
  if (wait_or_abandon (self)) {
    finish_and_free (self);
    return;
  }
  GST_INFO_OBJECT (self->element,
      "the worker is held up, what it has will be freed when it goes on");
  g_atomic_int_set (&self->is_left, TRUE);
  g_thread_unref (g_thread_new ("ivs-join", finish_when_stopped, self));
}

static gpointer
join_elsewhere (gpointer data)
{
  join_and_free (data);
  return NULL;
}

/* An application that stops the pipeline from one of our signals or from a
 * synchronous bus handler does so on the worker: somebody else waits then. */
void
gst_ivs_publisher_join_and_free (GstIvsPublisher *self)
{
  if (gst_ivs_worker_is_current (self->worker))
    g_thread_unref (g_thread_new ("ivs-join", join_elsewhere, self));
  else
    join_and_free (self);
}
