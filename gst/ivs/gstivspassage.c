/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who may pass the gate, and when.
 *
 *   closed    live upstream: drop                 non-live: wait
 *   opening   video: drop until an IDR picture begins, ask for one
 *   open      live: pass at once                  non-live: pass at its time
 */
#include "gstivsgateprivate.h"
#include <gst/video/video.h>

#define GST_CAT_DEFAULT gst_ivs_gate_debug

/* At most two requests for a key unit per second. */
#define KEY_UNIT_INTERVAL (G_USEC_PER_SEC / 2)

/* Upstream's running time may fall back by this much before it counts as having
 * started anew (a seek, another upstream). */
#define MAX_STEP_BACK GST_SECOND

/* -- Time ---------------------------------------------------------------------- */

static GstClockTime
dts_or_pts (GstBuffer *buffer)
{
  return GST_BUFFER_DTS_IS_VALID (buffer) ? GST_BUFFER_DTS (buffer)
                                          : GST_BUFFER_PTS (buffer);
}

/* Upstream's running time of @timestamp, plus shift; NONE if it has none. */
GstClockTimeDiff
gst_ivs_gate_get_running_time (GstIvsGate *self, GstClockTime timestamp)
{
  guint64 distance;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (timestamp) ||
      self->segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_STIME_NONE;

  sign = gst_segment_to_running_time_full (&self->segment, GST_FORMAT_TIME,
      timestamp, &distance);
  if (sign == 0)
    return GST_CLOCK_STIME_NONE;
  return (sign > 0 ? (GstClockTimeDiff) distance
                   : -(GstClockTimeDiff) distance) +
      self->shift;
}

GstClockTimeDiff
gst_ivs_gate_get_running_time_now (GstIvsGate *self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT_CAST (self));

  if (clock == NULL)
    return GST_CLOCK_STIME_NONE;
  return GST_CLOCK_DIFF (gst_element_get_base_time (GST_ELEMENT_CAST (self)),
      gst_clock_get_time (clock));
}

/* Where the stream is. One that is not live and has not begun is to begin where a live
 * one of the other gate is; live ones differ by their latencies. With shared lock. */
static GstClockTimeDiff
departed_time (GstIvsGate *self)
{
  return GST_CLOCK_STIME_IS_VALID (self->last_time) || self->live
      ? self->last_time
      : self->shared->live_time;
}

/* With shared lock. Has upstream fallen back behind what has left? */
static gboolean
is_behind (GstIvsGate *self, GstClockTimeDiff time)
{
  GstClockTimeDiff departed = departed_time (self);

  return GST_CLOCK_STIME_IS_VALID (departed) &&
      departed - time > (GstClockTimeDiff) MAX_STEP_BACK;
}

/* With shared lock. Nothing live comes before its time. */
static gboolean
fits (GstIvsGate *self, GstClockTimeDiff time)
{
  GstClockTimeDiff now = self->live ? gst_ivs_gate_get_running_time_now (self)
                                    : GST_CLOCK_STIME_NONE;

  return !is_behind (self, time) &&
      (!GST_CLOCK_STIME_IS_VALID (now) ||
          time - now <= (GstClockTimeDiff) MAX_STEP_BACK);
}

/* With shared lock. The same upstream goes on as it was; another one has nothing to do
 * with the shift of the one before. Who needs one is moved by what the other gate was,
 * so that both streams of a file stay together, else by what is missing to now. */
static GstClockTimeDiff
choose_shift (GstIvsGate *self, GstClockTimeDiff time)
{
  if (!self->is_other_upstream && fits (self, time + self->shift))
    return self->shift;
  if (!is_behind (self, time))
    return 0;
  if (!fits (self, time + self->shared->shift))
    self->shared->shift =
        MAX (departed_time (self), gst_ivs_gate_get_running_time_now (self)) -
        time;
  return self->shared->shift;
}

/* A seek or a new upstream starts again at running time 0 where webrtcbin and the
 * clock are far beyond: what follows is moved to where the stream is. */
static GstClockTimeDiff
follow_restart (GstIvsGate *self, GstClockTimeDiff time,
    GstClockTimeDiff offset)
{
  GstClockTimeDiff upstream = time - self->shift;
  GstClockTimeDiff before = self->shift;

  if (!self->started_anew || !GST_CLOCK_STIME_IS_VALID (time))
    return time;

  self->started_anew = FALSE;
  g_mutex_lock (&self->shared->lock);
  self->shift = choose_shift (self, upstream + offset);
  g_mutex_unlock (&self->shared->lock);
  self->is_other_upstream = FALSE;
  if (self->shift != before)
    GST_INFO_OBJECT (self,
        "upstream started anew, is moved by %" GST_STIME_FORMAT,
        GST_STIME_ARGS (self->shift));
  return upstream + self->shift;
}

/* -- Key units ----------------------------------------------------------------- */

/* @now: at an opening, however long ago the last request was. */
void
gst_ivs_gate_request_key_unit (GstIvsGate *self, gboolean now)
{
  gint64 time = g_get_monotonic_time ();
  guint count;

  g_mutex_lock (&self->lock);
  if (!now && time - self->key_unit_requested < KEY_UNIT_INTERVAL) {
    g_mutex_unlock (&self->lock);
    return;
  }
  self->key_unit_requested = time;
  count = self->key_units++;
  g_mutex_unlock (&self->lock);

  gst_pad_push_event (self->sinkpad,
      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE,
          count));
}

/* -- Who may pass -------------------------------------------------------------- */

/* Asked once per upstream, in its own thread, without lock. An upstream that does
 * not answer is not live: it then waits rather than loses something. */
static void
ask_whether_live (GstIvsGate *self)
{
  g_autoptr (GstQuery) query = NULL;

  if (self->has_live)
    return;

  query = gst_query_new_latency ();
  self->live = FALSE;
  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_latency (query, &self->live, NULL, NULL);
  self->has_live = TRUE;
  GST_DEBUG_OBJECT (self, "upstream is %slive", self->live ? "" : "not ");
}

/* With lock. The timer of the last wait, if the clock is the same. */
static void
set_timer (GstIvsGate *self, GstClock *clock, GstClockTime at)
{
  if (self->timer != NULL && gst_clock_id_uses_clock (self->timer, clock) &&
      gst_clock_single_shot_id_reinit (clock, self->timer, at))
    return;
  g_clear_pointer (&self->timer, gst_clock_id_unref);
  self->timer = gst_clock_new_single_shot_id (clock, at);
}

/* With lock, which is released while waiting. Returns whether @time has come. */
static gboolean
wait_for_clock (GstIvsGate *self, GstClockTimeDiff time)
{
  g_autoptr (GstClock) clock = NULL;
  GstClockTimeDiff base;
  GstClockReturn result;

  if (time <= self->reached) /* of the same picture, mostly */
    return TRUE;

  clock = gst_element_get_clock (GST_ELEMENT_CAST (self));
  if (clock == NULL)
    return TRUE;
  base = (GstClockTimeDiff) gst_element_get_base_time (GST_ELEMENT_CAST (self));
  self->reached = (GstClockTimeDiff) gst_clock_get_time (clock) - base;
  if (time <= self->reached)
    return TRUE;

  set_timer (self, clock, (GstClockTime) (base + time));
  g_mutex_unlock (&self->lock);
  result = gst_clock_id_wait (self->timer, NULL);
  g_mutex_lock (&self->lock);
  if (result != GST_CLOCK_UNSCHEDULED)
    self->reached = time;
  return result != GST_CLOCK_UNSCHEDULED;
}

/* With lock. Wakes a thread that waits here, for whatever it waits. */
void
gst_ivs_gate_wake (GstIvsGate *self)
{
  if (self->timer != NULL)
    gst_clock_id_unschedule (self->timer);
  g_cond_broadcast (&self->changed);
}

/* With lock. @time: of the packet, without offset. */
static GstIvsPassage
wait_for_passage (GstIvsGate *self, GstClockTimeDiff time)
{
  gboolean timed = GST_CLOCK_STIME_IS_VALID (time);

  for (;;) {
    if (self->flushing || !self->active)
      return GST_IVS_PASSAGE_FLUSHING;
    if (self->discard || self->unplugging)
      return GST_IVS_PASSAGE_DROP;
    if (self->live)
      return self->open ? GST_IVS_PASSAGE_PASS : GST_IVS_PASSAGE_DROP;

    if (!self->open || !self->playing) {
      self->waiting = timed && time > 0 ? (GstClockTime) time : 0;
      g_cond_wait (&self->changed, &self->lock);
      self->waiting = GST_CLOCK_TIME_NONE;
    } else if (!timed || wait_for_clock (self, time + self->time_offset)) {
      return GST_IVS_PASSAGE_PASS;
    }
  }
}

void
gst_ivs_gate_count_dropped (GstIvsGate *self, guint packets)
{
  g_mutex_lock (&self->lock);
  self->stats.dropped += packets;
  g_mutex_unlock (&self->lock);
}

/* With lock. What a live upstream brings has not waited: its time is now. */
static GstClockTimeDiff
current_offset (GstIvsGate *self)
{
  return self->live ? 0 : self->time_offset;
}

/* Decides on @packets packets that came at once, of which @first is the first. */
GstIvsPassage
gst_ivs_gate_await_passage (GstIvsGate *self, GstBuffer *first, guint packets)
{
  GstClockTimeDiff time;
  GstIvsPassage passage;

  ask_whether_live (self);
  time = gst_ivs_gate_get_running_time (self, dts_or_pts (first));

  g_mutex_lock (&self->lock);
  self->stats.last_buffer =
      (GstClockTime) g_get_monotonic_time () * GST_USECOND;
  passage = wait_for_passage (self,
      follow_restart (self, time, current_offset (self)));
  if (passage != GST_IVS_PASSAGE_PASS) {
    self->stats.dropped += packets;
    gst_ivs_stream_interrupt (self->stream);
    self->awaits_idr = TRUE;
  } else if (self->seen_openings != self->openings) {
    self->seen_openings = self->openings;
    self->awaits_idr = TRUE;
    self->announced = FALSE;
  }
  if (self->used_offset != current_offset (self))
    gst_ivs_stream_interrupt (self->stream);
  self->used_offset = current_offset (self);
  g_mutex_unlock (&self->lock);
  return passage;
}

/* Whether a decoder can begin with, or goes on with, this packet, and it fits. */
gboolean
gst_ivs_gate_lets_pass (GstIvsGate *self, const GstIvsPacket *packet)
{
  if (self->kind == GST_IVS_AUDIO)
    return TRUE;
  if (self->awaits_idr &&
      (packet->flags & (GST_IVS_PACKET_SPS | GST_IVS_PACKET_IDR)) == 0)
    return FALSE;
  self->awaits_idr = !gst_ivs_budget_admit (&self->budget, packet->flags,
      packet->header_size + packet->size + GST_IVS_WIRE_OVERHEAD, self->now_us);
  return !self->awaits_idr;
}
