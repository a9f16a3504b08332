/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Both gates as one: opened onto a session, closed, moved in time together.
 */
#pragma once

#include "gstivsinputs.h"
#include "gstivssession.h"

G_BEGIN_DECLS

/* Zero is a valid start value: nothing is open. Worker only. */
typedef struct
{
  gboolean is_open[GST_IVS_N_KINDS]; /* linked to the session */
  GstClockTimeDiff time_offset;      /* how long non-live streams have waited */
} GstIvsOutlet;

/* Every gate that has an input takes the place of its stand-in in @session, and
 * opens. @element: whose running time counts. */
void gst_ivs_outlet_open (GstIvsOutlet *self, GstElement *element,
    const GstIvsInputs *inputs, GstIvsSession *session);
/* The picture of the session before goes on until one comes with which @session can
 * begin. FALSE: there is none to wait for. */
gboolean gst_ivs_outlet_await_picture (GstIvsOutlet *self,
    const GstIvsInputs *inputs, GstIvsSession *session);
/* Whether it is still waited for. */
gboolean
gst_ivs_outlet_is_waiting (GstIvsOutlet *self, const GstIvsInputs *inputs);
/* Leaves the session before: only what has come over to @session stays open. */
void gst_ivs_outlet_leave (GstIvsOutlet *self, const GstIvsInputs *inputs,
    GstIvsSession *session);
void gst_ivs_outlet_close (GstIvsOutlet *self, const GstIvsInputs *inputs);
/* A gate that nothing will ever open must not hold up its stream. */
void gst_ivs_outlet_discard (const GstIvsInputs *inputs);

G_END_DECLS
