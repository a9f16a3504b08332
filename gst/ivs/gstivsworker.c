/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread with a main context, on which everything of a session happens.
 *
 * State changes, streaming threads and webrtcbin's callbacks only post to it, so
 * that no one ever waits for the network and nothing of a session needs a lock.
 */
#include "gstivsworker.h"

struct _GstIvsWorker
{
  gint ref_count;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;

  GMutex lock;      /* protects stopped */
  gboolean stopped; /* nothing may be posted any more */
};

typedef struct
{
  GstIvsWorkerFunc func;
  gpointer data;
  GDestroyNotify notify;
} Call;

static gboolean
call_due (gpointer data)
{
  Call *call = data;

  call->func (call->data);
  return G_SOURCE_REMOVE;
}

static void
call_free (gpointer data)
{
  Call *call = data;

  if (call->notify != NULL)
    call->notify (call->data);
  g_free (call);
}

static gpointer
run (gpointer data)
{
  g_autoptr (GstIvsWorker) self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  /* What was posted before the stop, and what asynchronous calls still have to
   * report after their cancellation: nobody's callback is left out. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

GstIvsWorker *
gst_ivs_worker_start (const gchar *name)
{
  GstIvsWorker *self = g_new0 (GstIvsWorker, 1);

  self->ref_count = 1;
  g_mutex_init (&self->lock);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new (name, run, gst_ivs_worker_ref (self));
  return self;
}

GstIvsWorker *
gst_ivs_worker_ref (GstIvsWorker *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
gst_ivs_worker_unref (GstIvsWorker *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_clear_pointer (&self->thread, g_thread_unref);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
gst_ivs_worker_is_current (GstIvsWorker *self)
{
  return g_main_context_is_owner (self->context);
}

void
gst_ivs_worker_call (GstIvsWorker *self, GstIvsWorkerFunc func, gpointer data,
    GDestroyNotify notify)
{
  Call *call = g_new (Call, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  *call = (Call){ func, data, notify };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, call_due, call, call_free);

  /* Attached under the lock, so that a stop cannot come between the question
   * and the answer; a call that comes too late is freed with its source. */
  g_mutex_lock (&self->lock);
  if (!self->stopped)
    g_source_attach (source, self->context);
  g_mutex_unlock (&self->lock);
}

GSource *
gst_ivs_worker_call_later (GstIvsWorker *self, guint milliseconds,
    GstIvsWorkerFunc func, gpointer data)
{
  Call *call = g_new (Call, 1);
  GSource *source = g_timeout_source_new (milliseconds);

  *call = (Call){ func, data, NULL };
  g_source_set_callback (source, call_due, call, call_free);
  g_source_attach (source, self->context);
  return source;
}

void
gst_ivs_timer_clear (GSource **timer)
{
  if (*timer == NULL)
    return;

  g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

static void
quit (gpointer data)
{
  GstIvsWorker *self = data;

  g_main_loop_quit (self->loop);
}

void
gst_ivs_worker_stop_and_join (GstIvsWorker *self)
{
  gst_ivs_worker_call (self, quit, self, NULL);

  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  g_mutex_unlock (&self->lock);

  if (!gst_ivs_worker_is_current (self))
    g_thread_join (g_steal_pointer (&self->thread));
}
