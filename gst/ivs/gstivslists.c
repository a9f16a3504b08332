/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The packets of a picture stay one list on their way through webrtcbin.
 *
 * webrtcbin has an encoder for ULPFEC and one for RED before each stream, also where
 * neither was negotiated. They let packets through then, but one by one, and all that
 * follows (retransmission, session, SRTP, socket) works for one packet what it could work
 * for a list: with libnice one system call for each packet instead of one for a picture.
 */
#include "gstivslists.h"

/* A pad's function before it was replaced. */
static GQuark
get_quark (void)
{
  return g_quark_from_static_string ("ivs-chain-list");
}

/* The RED encoder keeps caps back until a packet has come by. */
static gboolean
has_passed_caps (GstPad *sink, GstPad *src)
{
  g_autoptr (GstCaps) came = gst_pad_get_current_caps (sink);
  g_autoptr (GstCaps) left = gst_pad_get_current_caps (src);

  return came != NULL && left != NULL && gst_caps_is_equal (came, left);
}

static GstFlowReturn
list_came (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  g_autoptr (GstPad) src =
      gst_element_get_static_pad (GST_ELEMENT (parent), "src");
  GstPadChainListFunction take_apart =
      (GstPadChainListFunction) g_object_get_qdata (G_OBJECT (pad),
          get_quark ());

  if (!has_passed_caps (pad, src))
    return take_apart (pad, parent, list);
  return gst_pad_push_list (src, list);
}

void
gst_ivs_lists_keep (GstElement *element)
{
  const gchar *type = G_OBJECT_TYPE_NAME (element);
  g_autoptr (GstPad) sink = NULL;

  if (!g_str_equal (type, "GstRtpUlpFecEnc") &&
      !g_str_equal (type, "GstRtpRedEnc"))
    return;

  sink = gst_element_get_static_pad (element, "sink");
  g_object_set_qdata (G_OBJECT (sink), get_quark (),
      (gpointer) GST_PAD_CHAINLISTFUNC (sink));
  gst_pad_set_chain_list_function (sink, list_came);
}
