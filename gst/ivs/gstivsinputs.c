/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the element's inputs stand, and what to offer for them: questions without
 * side effects.
 */
#include "gstivsinputs.h"

void
gst_ivs_inputs_clear (GstIvsInputs *self)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_clear_object (&self->lanes[kind].gate);
  g_clear_pointer (&self->silent_pads, g_free);
}

static gboolean
is_awaited (const GstIvsLane *lane)
{
  return lane->n_pads > 0 && !lane->is_ready && !lane->is_eos;
}

gboolean
gst_ivs_inputs_are_complete (const GstIvsInputs *self,
    GstIvsDummyVideo dummy_video, gboolean is_overdue)
{
  const GstIvsLane *audio = &self->lanes[GST_IVS_AUDIO];
  const GstIvsLane *video = &self->lanes[GST_IVS_VIDEO];

  if (!audio->is_ready && !video->is_ready)
    return FALSE;
  if (is_overdue)
    return TRUE;
  if (self->n_undecided > 0 || is_awaited (audio))
    return FALSE;
  return !is_awaited (video) || dummy_video == GST_IVS_DUMMY_VIDEO_ALWAYS;
}

gboolean
gst_ivs_inputs_are_eos (const GstIvsInputs *self)
{
  guint n_pads = 0;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (self->lanes[kind].n_pads > 0 && !self->lanes[kind].is_eos)
      return FALSE;
    n_pads += self->lanes[kind].n_pads;
  }
  return n_pads > 0 && self->n_undecided == 0;
}

gboolean
gst_ivs_inputs_go_on (const GstIvsInputs *self)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    if (self->lanes[kind].is_ready && !self->lanes[kind].is_eos)
      return TRUE;
  return FALSE;
}

void
gst_ivs_inputs_choose_sections (const GstIvsInputs *self,
    GstIvsDummyVideo dummy_video, gboolean is_overdue,
    gboolean sections[GST_IVS_N_KINDS])
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    const GstIvsLane *lane = &self->lanes[kind];

    sections[kind] = lane->is_ready || (lane->n_pads > 0 && !is_overdue);
  }
  if (dummy_video != GST_IVS_DUMMY_VIDEO_NEVER)
    sections[GST_IVS_VIDEO] = TRUE;
}
