/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A section of the offer: webrtcbin's pad for a stream, and who feeds it.
 *
 * A stand-in that has caps, but never a buffer, until a gate takes its place.
 */
#include "gstivssection.h"

#include <gst/webrtc/webrtc.h>

static void
configure_transceiver (GstPad *sink, GstIvsKind kind,
    const GstIvsSettings *settings)
{
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_object_get (sink, "transceiver", &transceiver, NULL);
  g_object_set (transceiver, "direction",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, NULL);
  if (kind == GST_IVS_VIDEO)
    g_object_set (transceiver, "do-nack", settings->do_retransmission, NULL);
  /* webrtcbin sends it only if the answer takes it. */
  if (kind == GST_IVS_VIDEO && settings->do_fec)
    g_object_set (transceiver, "fec-type", GST_WEBRTC_FEC_TYPE_ULP_RED,
        "fec-percentage", GST_IVS_FEC_PERCENTAGE, NULL);
}

static GstPad *
make_stand_in (GstIvsKind kind, GstCaps *caps)
{
  GstPad *pad =
      gst_pad_new (kind == GST_IVS_AUDIO ? "audio" : "video", GST_PAD_SRC);
  g_autofree gchar *stream_id =
      g_strdup_printf ("%s/%u", GST_PAD_NAME (pad), g_random_int ());
  GstSegment segment;

  gst_object_ref_sink (pad);
  gst_pad_set_active (pad, TRUE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start (stream_id));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  return pad;
}

/* Sticky events travel with the next serialized one: this brings the caps over. */
static gboolean
push_caps_over (GstIvsSection *self)
{
  g_autoptr (GstCaps) caps = NULL;

  gst_pad_push_event (self->stand_in,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("ivs-stand-in")));
  caps = gst_pad_get_current_caps (self->sink);
  return caps != NULL;
}

/* Requested by name, in the order of the m-lines. A pad without caps must never
 * meet create-offer (it may loop for ever), hence the check. */
gboolean
gst_ivs_section_add (GstIvsSection *self, GstElement *webrtcbin,
    GstIvsKind kind, guint mline, GstCaps *caps, const GstIvsSettings *settings)
{
  g_autofree gchar *name = g_strdup_printf ("sink_%u", mline);
  GstPadTemplate *template =
      gst_element_get_pad_template (webrtcbin, "sink_%u");

  self->sink = gst_element_request_pad (webrtcbin, template, name, NULL);
  if (self->sink == NULL)
    return FALSE;

  configure_transceiver (self->sink, kind, settings);
  self->stand_in = make_stand_in (kind, caps);
  return gst_pad_link (self->stand_in, self->sink) == GST_PAD_LINK_OK &&
      push_caps_over (self);
}

void
gst_ivs_section_unlink (GstIvsSection *self)
{
  g_autoptr (GstPad) src = NULL;

  if (self->sink == NULL)
    return;
  if (self->awaited != NULL)
    gst_ivs_gate_forget_switch (self->awaited, self->sink);
  gst_clear_object (&self->awaited);
  src = gst_pad_get_peer (self->sink);
  if (src != NULL)
    gst_pad_unlink (src, self->sink);
  gst_clear_object (&self->gate);
}

gboolean
gst_ivs_section_await_gate (GstIvsSection *self, GstIvsGate *gate)
{
  if (self->sink == NULL || self->gate != NULL)
    return FALSE;

  gst_ivs_section_unlink (self);
  self->awaited = gst_object_ref (gate);
  gst_ivs_gate_switch_to (gate, self->sink);
  return TRUE;
}

gboolean
gst_ivs_section_take_gate (GstIvsSection *self, GstIvsGate *gate)
{
  g_autoptr (GstPad) src = NULL;

  if (self->awaited != gate)
    return FALSE;

  gst_ivs_gate_forget_switch (gate, self->sink);
  src = gst_pad_get_peer (self->sink);
  if (src == NULL)
    return FALSE;
  self->gate = g_steal_pointer (&self->awaited);
  return TRUE;
}

gboolean
gst_ivs_section_set_gate (GstIvsSection *self, GstIvsGate *gate)
{
  g_autoptr (GstPad) src = NULL, before = NULL;

  if (self->sink == NULL)
    return FALSE;
  if (self->gate == gate)
    return TRUE;

  gst_ivs_section_unlink (self);
  self->gate = gst_object_ref (gate);
  src = gst_element_get_static_pad (GST_ELEMENT (gate), "src");
  before = gst_pad_get_peer (src);
  if (before != NULL) /* of the session that this one follows */
    gst_pad_unlink (src, before);
  return gst_pad_link (src, self->sink) == GST_PAD_LINK_OK;
}

void
gst_ivs_section_clear (GstIvsSection *self, GstElement *webrtcbin)
{
  if (self->sink == NULL)
    return;

  gst_element_release_request_pad (webrtcbin, self->sink);
  gst_clear_object (&self->sink);
  if (self->stand_in != NULL)
    gst_pad_set_active (self->stand_in, FALSE);
  gst_clear_object (&self->stand_in);
}
