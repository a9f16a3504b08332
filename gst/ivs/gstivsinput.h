/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One request pad: its kind, the chain that its first caps plug, its EOS.
 */
#pragma once

#include "gstivsencoding.h"
#include "gstivsgate.h"

G_BEGIN_DECLS

/*     ghost pad ("video_0") -> [chain: convert, encode, parse, pay] -> gate.sink
 *
 * The chain is plugged on the streaming thread when the first CAPS event comes.
 */
typedef struct _GstIvsInput GstIvsInput;

/* What an input tells its owner; called on streaming threads, without locks held. */
typedef struct
{
  /* The kind is known (for sink_%u: only now). Returns the gate to feed, (transfer full),
   * or NULL if this kind is taken: then the input drops what comes. */
  GstIvsGate *(*get_gate) (GstIvsInput *input, GstIvsKind kind, gpointer data);
  /* The encoding settings of now, asked when a chain is plugged. */
  void (*get_settings) (GstIvsEncodingSettings *settings, gpointer data);
  /* Each encoder and payloader that was made, before it goes beyond NULL. */
  void (*encoder) (GstElement *encoder, gpointer data);
  void (*payloader) (GstElement *payloader, gpointer data);
  void (*ready) (GstIvsInput *input,
      gpointer data); /* caps seen, chain plugged */
  void (*eos) (GstIvsInput *input, gpointer data);
  /* something cannot be published: @error of IVS_ERROR (ivs-error.h) */
  void (*failed) (GstIvsInput *input, const GError *error, gpointer data);
} GstIvsInputEvents;

GstIvsInput *gst_ivs_input_new (GstBin *bin, GstPadTemplate *templ,
    const gchar *pad_name, const GstIvsInputEvents *events, gpointer data);
/* (transfer none): the ghost pad, active; the caller adds it to the element. */
GstPad *gst_ivs_input_get_pad (GstIvsInput *self);
/* FALSE while it is not known: a pad of the template sink_%u before its caps. */
gboolean gst_ivs_input_get_kind (GstIvsInput *self, GstIvsKind *kind);
gboolean gst_ivs_input_is_ready (GstIvsInput *self);
gboolean gst_ivs_input_is_eos (GstIvsInput *self);
guint gst_ivs_input_get_channels (GstIvsInput *self); /* audio; 0 = not known */

/* Forget EOS and caps: the element has gone to READY, no streaming thread is left.
 * Takes no lock of the element; the next caps plug the chain anew. */
void gst_ivs_input_reset (GstIvsInput *self);

/* Unplugs the chain, removes the pad from the element. Data may flow, or wait at the
 * gate: it is dropped. Not while holding a lock that the events take, nor the
 * element's OBJECT_LOCK. */
void gst_ivs_input_release (GstIvsInput *self);
/* After release. */
void gst_ivs_input_free (GstIvsInput *self);

G_END_DECLS
