/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread with a main context, on which everything of a session happens.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _GstIvsWorker GstIvsWorker;

typedef void (*GstIvsWorkerFunc) (gpointer data);

GstIvsWorker *gst_ivs_worker_start (const gchar *name);

/* Runs @func on the worker's thread, as soon as possible, in order of the calls;
 * @notify frees @data there too. After gst_ivs_worker_stop() nothing runs any
 * more, @data is freed at once. From any thread. */
void gst_ivs_worker_call (GstIvsWorker *self, GstIvsWorkerFunc func,
    gpointer data, GDestroyNotify notify);

/* Runs @func once after @milliseconds. On the worker's thread only; cancelled
 * with gst_ivs_timer_clear(). */
GSource *gst_ivs_worker_call_later (GstIvsWorker *self, guint milliseconds,
    GstIvsWorkerFunc func, gpointer data);
void gst_ivs_timer_clear (GSource **timer);

/* Ends the loop once the calls that are queued have run, and waits for the
 * thread. Called from the worker's own thread (an application that stops the
 * pipeline from one of our signals) it does not wait; the thread then ends by
 * itself. Not to be called with a lock held that a callback may want. */
void gst_ivs_worker_stop_and_join (GstIvsWorker *self);

gboolean gst_ivs_worker_is_current (GstIvsWorker *self);

GstIvsWorker *gst_ivs_worker_ref (GstIvsWorker *self);
void gst_ivs_worker_unref (GstIvsWorker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsWorker, gst_ivs_worker_unref)

G_END_DECLS
