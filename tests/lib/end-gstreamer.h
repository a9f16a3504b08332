/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The end of a test program: what GStreamer's leaks tracer still sees is a leak.
 *
 * One object is not: the dtls plugin keeps an agent for the process's own certificate,
 * which only newer versions (after 1.26) tell the tracer.
 */
#pragma once

#include <gst/gst.h>
#include <string.h>

G_BEGIN_DECLS

typedef struct
{
  guint n;
  gpointer last;
} LiveAgents;

/* A line for each object that is alive. The signal that returns them all takes them
 * without a reference, and copies that when the tracer's lock is gone: an object that dies
 * meanwhile corrupts the heap (1.22). */
static inline void
live_object_logged (GstDebugCategory *category, GstDebugLevel level,
    const gchar *file, const gchar *function, gint line, GObject *tracer,
    GstDebugMessage *message, gpointer data)
{
  static const gchar address[] = "address=(gpointer)";
  LiveAgents *agents = data;
  const gchar *text = gst_debug_message_get (message);
  const gchar *at = strstr (text, address);

  if (at == NULL || strstr (text, "type-name=(string)GstDtlsAgent,") == NULL)
    return;
  agents->n++;
  agents->last =
      GSIZE_TO_POINTER (g_ascii_strtoull (at + strlen (address), NULL, 16));
}

static inline LiveAgents
find_agents (GstTracer *tracer)
{
  LiveAgents agents = { 0, NULL };

  gst_debug_add_log_function (live_object_logged, &agents, NULL);
  g_signal_emit_by_name (tracer, "log-live-objects");
  gst_debug_remove_log_function (live_object_logged);
  return agents;
}

/* One per process: a second one is a leak, unless a timer of the DTLS handshake still holds
 * the connection that it belongs to. */
static inline void
excuse_dtls_agent (GstTracer *tracer)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  LiveAgents agents;

  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_set_threshold_for_name ("GST_TRACER", GST_LEVEL_TRACE);
  while ((agents = find_agents (tracer)).n > 1 &&
      g_get_monotonic_time () < deadline)
    g_usleep (20000);
  gst_debug_unset_threshold_for_name ("GST_TRACER");
  gst_debug_add_log_function (gst_debug_log_default, NULL, NULL);
  if (agents.n == 1)
    GST_OBJECT_FLAG_SET (agents.last, GST_OBJECT_FLAG_MAY_BE_LEAKED);
}

static inline void
end_gstreamer (void)
{
  gboolean has_dtls = g_type_from_name ("GstDtlsAgent") != 0;
  GList *tracers;

  /* Threads of GLib's pools, on which GStreamer's tasks run, end when enough of them have
   * nothing to do, and nobody waits for that. One that ends while main () returns and
   * OpenSSL clears up behind it reads what is freed already (SIGSEGV in two of 27 runs
   * of publish-quality, OpenSSL 3.5). So from here on they stay. */
  g_thread_pool_set_max_unused_threads (-1);
  /* A streaming thread drops its task after whoever stopped it went on. gst_deinit ()
   * waits for these threads too. */
  gst_task_cleanup_all ();
  tracers = gst_tracing_get_active_tracers ();
  if (g_strcmp0 (g_getenv ("GST_TRACERS"), "leaks") == 0 && tracers == NULL)
    g_error ("GStreamer's leaks tracer was asked for and is not there");
  for (GList *l = tracers; has_dtls && l != NULL; l = l->next) {
    if (g_signal_lookup ("log-live-objects", G_OBJECT_TYPE (l->data)) != 0)
      excuse_dtls_agent (l->data);
  }
  g_list_free_full (tracers, gst_object_unref);
  gst_deinit ();
}

G_END_DECLS
