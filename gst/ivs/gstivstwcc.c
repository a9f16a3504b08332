/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transport-wide sequence numbers of a connection: written into what leaves, and what its
 * receiver says of them.
 *
 * rtpfunnel and rtpsession would write them, one after the other, if the caps that reach
 * them spoke of the extension. rate/ivs-twcc.c says why that is not wanted.
 */
#include "gstivstwcc.h"

#include "gstivsgate.h"
#include "gstivsheaders.h"

struct _GstIvsTwcc
{
  guint8 ext_id;

  GMutex lock; /* protects: */
  IvsTwcc twcc;
};

GstIvsTwcc *
gst_ivs_twcc_new (guint8 ext_id)
{
  GstIvsTwcc *self = g_atomic_rc_box_new0 (GstIvsTwcc);

  self->ext_id = ext_id;
  g_mutex_init (&self->lock);
  return self;
}

GstIvsTwcc *
gst_ivs_twcc_ref (GstIvsTwcc *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  g_mutex_clear (&((GstIvsTwcc *) data)->lock);
}

void
gst_ivs_twcc_unref (GstIvsTwcc *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

/* -- What leaves ------------------------------------------------------------------------- */

/* With lock. */
static void
write_number (GstIvsTwcc *self, GstBuffer *packet, guint8 *place, gint64 now_us)
{
  gsize size = gst_buffer_get_size (packet) + GST_IVS_WIRE_OVERHEAD;

  GST_WRITE_UINT16_BE (place,
      ivs_twcc_send (&self->twcc, (guint) MIN (size, G_MAXUINT16), now_us));
}

/* With lock. A packet that webrtcbin has made of one of ours: sent again, or for FEC. */
static void
number_other (GstIvsTwcc *self, GstBuffer *packet, gint64 now_us)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gpointer place = NULL;
  guint size = 0;

  if (!gst_rtp_buffer_map (packet, GST_MAP_READWRITE, &rtp))
    return;
  if (gst_rtp_buffer_get_extension_onebyte_header (&rtp, self->ext_id, 0,
          &place, &size) &&
      size == 2)
    write_number (self, packet, place, now_us);
  gst_rtp_buffer_unmap (&rtp);
}

/* With lock. A packet as a gate has made it. Who retransmits has it too, but in our header
 * nobody else reads the number: so it is written where it is, and the packet need not be
 * copied. FALSE: it is another one, or has no room. */
static gboolean
number_ours (GstIvsTwcc *self, GstBuffer *packet, gint64 now_us)
{
  guint8 *header = gst_ivs_headers_peek (gst_buffer_peek_memory (packet, 0),
      GST_IVS_STREAM_EXTENDED_HEADER);

  if (header == NULL || header[0] != (0x80 | 0x10) ||
      GST_READ_UINT32_BE (header + GST_IVS_STREAM_EXTENSION_AT) !=
          (0xBEDEu << 16 | 1) ||
      header[GST_IVS_STREAM_NUMBER_AT - 1] != (self->ext_id << 4 | (2 - 1)))
    return FALSE;
  write_number (self, packet, header + GST_IVS_STREAM_NUMBER_AT, now_us);
  return TRUE;
}

static GstBuffer *
number_packet (GstIvsTwcc *self, GstBuffer *packet, gint64 now_us)
{
  if (number_ours (self, packet, now_us))
    return packet;
  packet = gst_buffer_make_writable (packet);
  number_other (self, packet, now_us);
  return packet;
}

static GstBufferList *
number_list (GstIvsTwcc *self, GstBufferList *list, gint64 now_us)
{
  guint n = gst_buffer_list_length (list);

  for (guint i = 0; i < n; i++) {
    if (number_ours (self, gst_buffer_list_get (list, i), now_us))
      continue;
    list = gst_buffer_list_make_writable (list);
    number_other (self, gst_buffer_list_get_writable (list, i), now_us);
  }
  return list;
}

/* The stream lock of rtpsession's sink pad is held: one after the other. */
static GstPadProbeReturn
packets_leave (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsTwcc *self = data;
  gint64 now_us = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    info->data =
        number_list (self, GST_PAD_PROBE_INFO_BUFFER_LIST (info), now_us);
  else
    info->data = number_packet (self, GST_PAD_PROBE_INFO_BUFFER (info), now_us);
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_OK;
}

/* @event: (transfer full) */
static GstEvent *
leave_out_extension (GstIvsTwcc *self, GstEvent *event)
{
  g_autofree gchar *field = g_strdup_printf ("extmap-%u", self->ext_id);
  g_autoptr (GstCaps) without = NULL;
  GstEvent *changed;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  without = gst_caps_copy (caps);
  gst_structure_remove_field (gst_caps_get_structure (without, 0), field);
  changed = gst_event_new_caps (without);
  gst_event_set_seqnum (changed, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return changed;
}

/* webrtcbin makes its offer of the caps of its own pads, which are before these. */
static GstPadProbeReturn
event_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsTwcc *self = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    info->data = leave_out_extension (self, event);
  return GST_PAD_PROBE_OK;
}

static void
session_pad_added (GstElement *rtpsession, GstPad *pad, gpointer data)
{
  if (g_str_equal (GST_PAD_NAME (pad), "send_rtp_src"))
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
        packets_leave, gst_ivs_twcc_ref (data),
        (GDestroyNotify) gst_ivs_twcc_unref);
}

static void
funnel_pad_added (GstElement *rtpfunnel, GstPad *pad, gpointer data)
{
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, event_passed,
      gst_ivs_twcc_ref (data), (GDestroyNotify) gst_ivs_twcc_unref);
}

static void
release_closure (gpointer data, GClosure *closure)
{
  gst_ivs_twcc_unref (data);
}

static void
watch_pads (GstIvsTwcc *self, GstElement *element, GCallback pad_added)
{
  g_signal_connect_data (element, "pad-added", pad_added,
      gst_ivs_twcc_ref (self), release_closure, 0);
}

void
gst_ivs_twcc_attach (GstIvsTwcc *self, GstElement *element)
{
  const gchar *type = G_OBJECT_TYPE_NAME (element);

  if (g_str_equal (type, "GstRtpFunnel"))
    watch_pads (self, element, G_CALLBACK (funnel_pad_added));
  else if (g_str_equal (type, "GstRtpSession"))
    watch_pads (self, element, G_CALLBACK (session_pad_added));
}

/* -- What is said of it ---------------------------------------------------------------------- */

guint
gst_ivs_twcc_read (GstIvsTwcc *self, const guint8 *fci, gsize size,
    IvsRatePacket packets[IVS_TWCC_MEMORY])
{
  guint n;

  g_mutex_lock (&self->lock);
  n = ivs_twcc_read (&self->twcc, fci, size, packets);
  g_mutex_unlock (&self->lock);
  return n;
}
