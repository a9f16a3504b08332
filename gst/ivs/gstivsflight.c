/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether our part of the DTLS handshake has left.
 */
#include "gstivsflight.h"

/* RFC 6347 section 4.1: type, version, epoch, sequence number, length. */
#define RECORD_HEADER 13
#define EPOCH_AT 3
#define LENGTH_AT 11
#define HANDSHAKE 22

typedef struct
{
  void (*left) (gpointer data);
  gpointer data;
  GDestroyNotify destroy;
} Watch;

static gboolean
has_finished (const guint8 *data, gsize size)
{
  while (size >= RECORD_HEADER) {
    gsize record = RECORD_HEADER + GST_READ_UINT16_BE (data + LENGTH_AT);

    if (data[0] == HANDSHAKE && GST_READ_UINT16_BE (data + EPOCH_AT) > 0)
      return TRUE;
    if (record > size)
      return FALSE;
    data += record;
    size -= record;
  }
  return FALSE;
}

/* RFC 7983 section 7: the first byte of DTLS is 20 to 63. */
gboolean
gst_ivs_flight_is_finished (GstBuffer *datagram)
{
  GstMapInfo map;
  gboolean is_finished = FALSE;

  if (!gst_buffer_map (datagram, &map, GST_MAP_READ))
    return FALSE;
  if (map.size > 0 && map.data[0] >= 20 && map.data[0] <= 63)
    is_finished = has_finished (map.data, map.size);
  gst_buffer_unmap (datagram, &map);
  return is_finished;
}

static gboolean
look (GstBuffer **datagram, guint index, gpointer found)
{
  *(gboolean *) found |= gst_ivs_flight_is_finished (*datagram);
  return TRUE;
}

/* The pad's stream lock is held: media has to wait behind this one. */
static GstPadProbeReturn
datagram_leaves (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *watch = data;
  gboolean found = FALSE;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info), look,
        &found);
  else
    found = gst_ivs_flight_is_finished (GST_PAD_PROBE_INFO_BUFFER (info));
  if (!found)
    return GST_PAD_PROBE_OK;
  watch->left (watch->data);
  return GST_PAD_PROBE_REMOVE;
}

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  watch->destroy (watch->data);
  g_free (watch);
}

gulong
gst_ivs_flight_watch (GstPad *pad, void (*left) (gpointer data), gpointer data,
    GDestroyNotify destroy)
{
  Watch *watch = g_new (Watch, 1);

  *watch = (Watch){ left, data, destroy };
  return gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      datagram_leaves, watch, watch_free);
}
