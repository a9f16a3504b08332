/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which pictures of a stream fit through an uplink that is narrower than it.
 *
 * A leaky bucket that is looked at between pictures. A packet that is left out
 * spoils all pictures up to the next IDR picture, at the side of the viewer, which
 * asks for it again and again meanwhile. So when the bucket is full, the rest of the
 * group of pictures is left out, and what was sent of it is whole.
 */
#include "gstivsbudget.h"

static void
drain (GstIvsBudget *self, gint64 now_us)
{
  gdouble seconds = (gdouble) (now_us - self->updated_us) / G_USEC_PER_SEC;

  self->updated_us = now_us;
  self->level = MAX (self->level - MAX (seconds, 0) * self->bps, 0);
}

static gboolean
is_beyond (const GstIvsBudget *self, gint64 us)
{
  return self->level > (gdouble) self->bps * (gdouble) us / G_USEC_PER_SEC;
}

/* What was too much at the rate before takes as long as it did, not longer: the queue in
 * the network gets no shorter or longer by what is believed of it, and after a fall to a
 * tenth nothing would pass for seconds. */
void
gst_ivs_budget_set (GstIvsBudget *self, guint bps, gint64 now_us)
{
  if (self->bps > 0) {
    drain (self, now_us);
    self->level *= (gdouble) bps / self->bps;
  } else {
    self->level = 0;
  }
  self->updated_us = now_us;
  self->bps = bps;
}

static gboolean
judge (GstIvsBudget *self, gboolean begins_group)
{
  if (self->bps == 0)
    return !self->is_shedding || begins_group;
  if (self->is_shedding)
    return begins_group && !is_beyond (self, GST_IVS_BUDGET_RESUME_US);
  return self->is_inside || !is_beyond (self, GST_IVS_BUDGET_DEPTH_US);
}

gboolean
gst_ivs_budget_admit (GstIvsBudget *self, GstIvsPacketFlags flags, gsize size,
    gint64 now_us)
{
  gboolean begins_group =
      (flags & (GST_IVS_PACKET_SPS | GST_IVS_PACKET_IDR)) != 0;
  gboolean passes;

  if (self->bps > 0)
    drain (self, now_us);
  passes = judge (self, begins_group);
  self->is_shedding = !passes;
  self->is_inside = passes && (flags & GST_IVS_PACKET_FRAME_END) == 0;
  if (passes && self->bps > 0)
    self->level += (gdouble) size * 8;
  return passes;
}

gboolean
gst_ivs_budget_wants_key_unit (GstIvsBudget *self, gint64 now_us)
{
  if (!self->is_shedding)
    return FALSE;
  if (self->bps == 0)
    return TRUE;
  drain (self, now_us);
  return !is_beyond (self, GST_IVS_BUDGET_RESUME_US);
}
