/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Both gates as one: opened onto a session, closed, moved in time together.
 */
#include "gstivsoutlet.h"

/* The element's running time, or NONE without a clock. */
static GstClockTime
get_running_time (GstElement *element)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  GstClockTime base = gst_element_get_base_time (element);
  GstClockTime now;

  if (clock == NULL || !GST_CLOCK_TIME_IS_VALID (base))
    return GST_CLOCK_TIME_NONE;
  now = gst_clock_get_time (clock);
  return now > base ? now - base : 0;
}

static GstClockTime
get_first_waiting (const GstIvsInputs *inputs)
{
  GstClockTime first = GST_CLOCK_TIME_NONE;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    GstClockTime waiting =
        gst_ivs_gate_get_waiting_running_time (inputs->lanes[kind].gate);

    /* NONE is the greatest of all. */
    first = MIN (first, waiting);
  }
  return first;
}

/* A non-live stream has waited for the session: it goes on from now, all gates by
 * the same amount, instead of catching up in a burst. */
static void
shift_waiting_streams (GstIvsOutlet *self, GstElement *element,
    const GstIvsInputs *inputs)
{
  GstClockTime now = get_running_time (element);
  GstClockTime first = get_first_waiting (inputs);

  if (!GST_CLOCK_TIME_IS_VALID (first) || !GST_CLOCK_TIME_IS_VALID (now))
    return;

  self->time_offset = MAX (self->time_offset, GST_CLOCK_DIFF (first, now));
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_gate_set_time_offset (inputs->lanes[kind].gate, self->time_offset);
}

void
gst_ivs_outlet_open (GstIvsOutlet *self, GstElement *element,
    const GstIvsInputs *inputs, GstIvsSession *session)
{
  gboolean is_shifted = FALSE;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    const GstIvsLane *lane = &inputs->lanes[kind];

    if (self->is_open[kind] || !lane->is_ready ||
        !gst_ivs_session_set_gate (session, kind, lane->gate))
      continue;
    if (!is_shifted)
      shift_waiting_streams (self, element, inputs);
    is_shifted = TRUE;
    self->is_open[kind] = TRUE;
    gst_ivs_gate_open (lane->gate);
  }
}

/* Is there a picture that flows? */
static gboolean
has_picture (GstIvsOutlet *self, const GstIvsInputs *inputs)
{
  const GstIvsLane *lane = &inputs->lanes[GST_IVS_VIDEO];

  return self->is_open[GST_IVS_VIDEO] && lane->is_ready && !lane->is_eos;
}

gboolean
gst_ivs_outlet_await_picture (GstIvsOutlet *self, const GstIvsInputs *inputs,
    GstIvsSession *session)
{
  return has_picture (self, inputs) &&
      gst_ivs_session_await_gate (session, GST_IVS_VIDEO,
          inputs->lanes[GST_IVS_VIDEO].gate);
}

gboolean
gst_ivs_outlet_is_waiting (GstIvsOutlet *self, const GstIvsInputs *inputs)
{
  return has_picture (self, inputs) &&
      gst_ivs_gate_is_switching (inputs->lanes[GST_IVS_VIDEO].gate);
}

void
gst_ivs_outlet_leave (GstIvsOutlet *self, const GstIvsInputs *inputs,
    GstIvsSession *session)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    GstIvsGate *gate = inputs->lanes[kind].gate;

    if (self->is_open[kind] && gst_ivs_session_take_gate (session, kind, gate))
      continue;
    gst_ivs_gate_close (gate);
    self->is_open[kind] = FALSE;
  }
}

void
gst_ivs_outlet_close (GstIvsOutlet *self, const GstIvsInputs *inputs)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    gst_ivs_gate_close (inputs->lanes[kind].gate);
    self->is_open[kind] = FALSE;
  }
}

void
gst_ivs_outlet_discard (const GstIvsInputs *inputs)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_gate_set_discard (inputs->lanes[kind].gate, TRUE);
}
