/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which pictures of a stream fit through an uplink that is narrower than it.
 */
#pragma once

#include "gstivsstream.h"

G_BEGIN_DECLS

/* How much more than the rate may have left: time to send it in. A receiver waits so
 * long for what is in the queue then. */
#define GST_IVS_BUDGET_DEPTH_US (400 * 1000)
/* A group of pictures begins when no more than this is left of it. */
#define GST_IVS_BUDGET_RESUME_US (200 * 1000)

/**
 * GstIvsBudget:
 * @bps: that fit, with all headers; 0 = everything does
 * @is_shedding: nothing passes until a group of pictures begins
 *
 * All zero is the initial state. One thread at a time.
 */
typedef struct
{
  guint bps;
  gboolean is_shedding;
  gdouble level; /* bits that have left and not drained at @bps */
  gint64 updated_us;
  gboolean is_inside; /* a picture has begun and not ended */
} GstIvsBudget;

void gst_ivs_budget_set (GstIvsBudget *self, guint bps, gint64 now_us);

/* Whether a packet of @size bytes passes, which carries @flags. What passes is, from each
 * IDR picture on, whole pictures in order up to a last one: all of it can be decoded. */
gboolean gst_ivs_budget_admit (GstIvsBudget *self, GstIvsPacketFlags flags,
    gsize size, gint64 now_us);

/* While shedding: whether there is room for an IDR picture, so that asking for one
 * makes sense. */
gboolean gst_ivs_budget_wants_key_unit (GstIvsBudget *self, gint64 now_us);

G_END_DECLS
