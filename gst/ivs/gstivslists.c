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

typedef struct
{
  GstPad *src; /* of the same element */
  GstPadChainListFunction take_apart;
} Bypass;

static void
bypass_free (gpointer data)
{
  Bypass *self = data;

  gst_object_unref (self->src);
  g_free (self);
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
  const Bypass *bypass = pad->chainlistdata;

  if (!has_passed_caps (pad, bypass->src))
    return bypass->take_apart (pad, parent, list);
  return gst_pad_push_list (bypass->src, list);
}

void
gst_ivs_lists_keep (GstElement *element)
{
  const gchar *type = G_OBJECT_TYPE_NAME (element);
  g_autoptr (GstPad) sink = NULL;
  Bypass *bypass;

  if (!g_str_equal (type, "GstRtpUlpFecEnc") &&
      !g_str_equal (type, "GstRtpRedEnc"))
    return;

  sink = gst_element_get_static_pad (element, "sink");
  bypass = g_new (Bypass, 1);
  bypass->src = gst_element_get_static_pad (element, "src");
  bypass->take_apart = GST_PAD_CHAINLISTFUNC (sink);
  gst_pad_set_chain_list_function_full (sink, list_came, bypass, bypass_free);
}
