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

G_BEGIN_DECLS

/* One per process: a second one is a leak. */
static inline void
excuse_dtls_agent (GstTracer *tracer)
{
  GstStructure *info =
      NULL; /* not freed: it would take what others still hold */
  const GValue *alive = NULL;

  g_signal_emit_by_name (tracer, "get-live-objects", &info);
  alive = gst_structure_get_value (info, "live-objects-list");
  for (guint i = 0; i < gst_value_list_get_size (alive); i++) {
    const GstStructure *row =
        gst_value_get_structure (gst_value_list_get_value (alive, i));
    const GValue *object = gst_structure_get_value (row, "object");

    if (g_str_equal (G_VALUE_TYPE_NAME (object), "GstDtlsAgent")) {
      GST_OBJECT_FLAG_SET (g_value_get_object (object),
          GST_OBJECT_FLAG_MAY_BE_LEAKED);
      return;
    }
  }
}

static inline void
end_gstreamer (void)
{
  gboolean has_dtls = g_type_from_name ("GstDtlsAgent") != 0;
  GList *tracers;

  /* A streaming thread drops its task after whoever stopped it went on: an object that
   * dies while the tracer's list of the living is copied crashes (1.22). gst_deinit ()
   * waits for these threads too. */
  gst_task_cleanup_all ();
  tracers = gst_tracing_get_active_tracers ();
  if (g_strcmp0 (g_getenv ("GST_TRACERS"), "leaks") == 0 && tracers == NULL)
    g_error ("GStreamer's leaks tracer was asked for and is not there");
  for (GList *l = tracers; has_dtls && l != NULL; l = l->next) {
    if (g_signal_lookup ("get-live-objects", G_OBJECT_TYPE (l->data)) != 0)
      excuse_dtls_agent (l->data);
  }
  g_list_free_full (tracers, gst_object_unref);
  gst_deinit ();
}

G_END_DECLS
