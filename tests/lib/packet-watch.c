/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every RTP packet that an element sends, where it is encrypted: the last that happens
 * to it.
 */
#include "packet-watch.h"

typedef struct
{
  PacketFunc func;
  gpointer data;
} Watch;

static GstPadProbeReturn
packets_leave (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const Watch *watch = data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    for (guint i = 0; i < gst_buffer_list_length (list); i++)
      watch->func (pad, gst_buffer_list_get (list, i), watch->data);
  } else {
    watch->func (pad, GST_PAD_PROBE_INFO_BUFFER (info), watch->data);
  }
  return GST_PAD_PROBE_OK;
}

void
packet_watch (GstElement *bin, PacketFunc func, gpointer data)
{
  g_autoptr (GstIterator) iterator =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (bin), "srtpenc");
  g_auto (GValue) value = G_VALUE_INIT;
  guint n = 0;

  while (gst_iterator_next (iterator, &value) == GST_ITERATOR_OK) {
    g_autoptr (GstPad) pad =
        gst_element_get_static_pad (g_value_get_object (&value), "rtp_sink_0");
    Watch *watch = g_new (Watch, 1);

    *watch = (Watch){ func, data };
    g_assert_nonnull (pad);
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
        packets_leave, watch, g_free);
    n++;
    g_value_reset (&value);
  }
  g_assert_cmpuint (n, ==, 1);
}
