/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The funnel in which webrtcbin joins its streams says nothing twice.
 *
 * Whenever another stream has its turn, rtpfunnel pushes that stream's segment, and with
 * sound and pictures that is some eighty times per second. It travels through everything
 * that is left, down to the socket, and costs as much as a packet. But our gates all have
 * the same segment.
 */
#include "gstivsfunnel.h"

/* Under the stream lock of the funnel's source pad. */
typedef struct
{
  gboolean is_known;
  GstSegment segment; /* the last that was let through */
} Said;

static gboolean
is_said (Said *said, GstEvent *event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  if (said->is_known && gst_segment_is_equal (&said->segment, segment))
    return TRUE;
  said->is_known = TRUE;
  gst_segment_copy_into (segment, &said->segment);
  return FALSE;
}

static GstPadProbeReturn
event_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Said *said = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      if (!is_said (said, event))
        return GST_PAD_PROBE_OK;
      /* Not dropped: the pad would offer it again with each packet. */
      gst_event_unref (event);
      info->data = NULL;
      return GST_PAD_PROBE_HANDLED;
    case GST_EVENT_FLUSH_STOP:
      said->is_known = FALSE;
      return GST_PAD_PROBE_OK;
    default:
      return GST_PAD_PROBE_OK;
  }
}

void
gst_ivs_funnel_quieten (GstElement *element)
{
  g_autoptr (GstPad) src = NULL;

  if (!g_str_equal (G_OBJECT_TYPE_NAME (element), "GstRtpFunnel"))
    return;
  src = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (src,
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      event_passed, g_new0 (Said, 1), g_free);
}
