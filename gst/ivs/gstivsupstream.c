/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Seeks, and questions about position and duration, go upstream.
 *
 * GstBin leaves them to the sinks in it, and ours come and go with the sessions.
 */
#include "gstivsupstream.h"

static void
free_pads (GList *pads)
{
  g_list_free_full (pads, gst_object_unref);
}

gboolean
gst_ivs_upstream_send (GList *pads, GstEvent *event)
{
  gboolean is_taken = pads != NULL;

  for (GList *l = pads; l != NULL; l = l->next)
    is_taken &= gst_pad_push_event (l->data, gst_event_ref (event));
  free_pads (pads);
  gst_event_unref (event);
  return is_taken;
}

/* What left last is where a viewer is, or will be in a moment. Of video, if there is. */
static gboolean
tell_position (GstIvsGate *const gates[GST_IVS_N_KINDS], GstQuery *query)
{
  GstFormat format;

  gst_query_parse_position (query, &format, NULL);
  for (guint kind = GST_IVS_N_KINDS; kind > 0; kind--) {
    GstClockTime position = gst_ivs_gate_get_position (gates[kind - 1]);

    if (format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (position))
      continue;
    gst_query_set_position (query, format, (gint64) position);
    return TRUE;
  }
  return FALSE;
}

gboolean
gst_ivs_upstream_answer (GList *pads, GstIvsGate *const gates[GST_IVS_N_KINDS],
    GstQuery *query)
{
  gboolean is_answered = GST_QUERY_TYPE (query) == GST_QUERY_POSITION &&
      tell_position (gates, query);

  for (GList *l = pads; l != NULL && !is_answered; l = l->next)
    is_answered = gst_pad_peer_query (l->data, query);
  free_pads (pads);
  return is_answered;
}
