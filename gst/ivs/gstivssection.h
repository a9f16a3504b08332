/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A section of the offer: webrtcbin's pad for a stream, and who feeds it.
 */
#pragma once

#include "gstivsgate.h"
#include "gstivssettings.h"

G_BEGIN_DECLS

/* Zero is a valid start value: there is no such section. Worker only. */
typedef struct
{
  GstPad *sink; /* webrtcbin's request pad, NULL = no section */
  GstPad *stand_in;
  GstIvsGate *gate;    /* linked instead of the stand-in, or NULL */
  GstIvsGate *awaited; /* will link itself, or NULL */
} GstIvsSection;

/* Requests pad @mline of @webrtcbin, sets its transceiver up, and lets a stand-in bring
 * @caps over. FALSE: webrtcbin does not want it. */
gboolean gst_ivs_section_add (GstIvsSection *self, GstElement *webrtcbin,
    GstIvsKind kind, guint mline, GstCaps *caps,
    const GstIvsSettings *settings);

/* See the peer's functions of these names. */
gboolean gst_ivs_section_await_gate (GstIvsSection *self, GstIvsGate *gate);
gboolean gst_ivs_section_take_gate (GstIvsSection *self, GstIvsGate *gate);
gboolean gst_ivs_section_set_gate (GstIvsSection *self, GstIvsGate *gate);

/* Nothing comes in any more. */
void gst_ivs_section_unlink (GstIvsSection *self);
/* Gives the pad back; @webrtcbin is in NULL: that wakes a streaming thread which waits
 * inside. */
void gst_ivs_section_clear (GstIvsSection *self, GstElement *webrtcbin);

G_END_DECLS
