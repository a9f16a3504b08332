/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What leaves the gate, and where to.
 *
 * Of video, large pictures leave in the pacer's thread where the network is narrow;
 * everything else in that of upstream. Never both at a time.
 */
#include "gstivsgateprivate.h"
#include "gstivsmetadata.h"

#define GST_CAT_DEFAULT gst_ivs_gate_debug

/* Of metadata that waits for its picture; a picture comes 30 times a second. */
#define MAX_METADATA_PACKETS 32
/* Metadata is for the next picture; if none came for so long, none is expected. */
#define MAX_METADATA_WAIT (2 * GST_SECOND)

/* A paced picture has left before so much of the time to the next one is over. */
#define PACED_PART 0.6
/* What is taken for that time: 120 to 25 pictures per second. */
#define MIN_FRAME_TIME (GST_SECOND / 120)
#define MAX_FRAME_TIME (GST_SECOND / 25)

/* -- Metadata ------------------------------------------------------------------ */

/* What goes before the picture that begins now. */
static GPtrArray *
take_metadata (GstIvsGate *self, GstIvsPacketFlags flags)
{
  GPtrArray *taken;

  if (!(flags & GST_IVS_PACKET_PICTURE))
    return NULL;
  g_mutex_lock (&self->lock);
  taken = g_steal_pointer (&self->metadata);
  g_mutex_unlock (&self->lock);
  return taken;
}

/* With lock; metadata in the order in which they came. */
static void
append_metadata (GPtrArray **metadata, GPtrArray *more)
{
  if (*metadata == NULL)
    *metadata = more;
  else
    g_ptr_array_extend_and_steal (*metadata, more);
}

/* Its picture did not leave. */
static void
give_back_metadata (GstIvsGate *self, GPtrArray *taken)
{
  g_mutex_lock (&self->lock);
  if (self->metadata != NULL)
    append_metadata (&taken, self->metadata);
  self->metadata = taken;
  g_mutex_unlock (&self->lock);
}

/* With lock. */
static gboolean
expects_picture (GstIvsGate *self)
{
  GstClockTime now = (GstClockTime) g_get_monotonic_time () * GST_USECOND;

  return self->kind == GST_IVS_VIDEO && self->open &&
      GST_CLOCK_TIME_IS_VALID (self->stats.last_buffer) &&
      now - self->stats.last_buffer < MAX_METADATA_WAIT;
}

gboolean
gst_ivs_gate_send_metadata (GstIvsGate *self, const guint8 *data, gsize size)
{
  GPtrArray *payloads;
  gboolean is_taken;

  g_return_val_if_fail (GST_IS_IVS_GATE (self), FALSE);

  if (size == 0 || size > GST_IVS_METADATA_MAX_SIZE)
    return FALSE;
  payloads = gst_ivs_metadata_make_payloads (data, size);
  g_mutex_lock (&self->lock);
  is_taken = expects_picture (self) &&
      (self->metadata == NULL ||
          self->metadata->len + payloads->len <= MAX_METADATA_PACKETS);
  if (is_taken)
    append_metadata (&self->metadata, payloads);
  g_mutex_unlock (&self->lock);
  if (!is_taken)
    g_ptr_array_unref (payloads);
  return is_taken;
}

/* It belonged to a picture of now, not of the next session. */
void
gst_ivs_gate_forget_metadata (GstIvsGate *self)
{
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->metadata, g_ptr_array_unref);
  g_mutex_unlock (&self->lock);
}

/* -- Passing -------------------------------------------------------------------- */

/* What leaves has the payload of what came in, unless more than one packet leaves. */
static void
show_to_monitor (GstIvsGate *self, const GstIvsPacket *packet,
    GstBufferList *packets, guint first)
{
  GstClockTime now = (GstClockTime) self->now_us * GST_USECOND;
  guint n = gst_buffer_list_length (packets);

  if (self->monitor == NULL)
    return;
  if (first + 1 == n)
    gst_ivs_monitor_beginning (self->monitor, self->kind, packet->payload,
        packet->readable, packet->size, packet->has_marker,
        gst_ivs_stream_get_timestamp (self->stream), now);
  else
    for (guint i = first; i < n; i++)
      gst_ivs_monitor_buffer (self->monitor, self->kind,
          gst_buffer_list_get (packets, i), now);
}

static GstClockTimeDiff
outgoing_time (GstIvsGate *self, GstClockTime timestamp)
{
  GstClockTimeDiff time = gst_ivs_gate_get_running_time (self, timestamp);

  return GST_CLOCK_STIME_IS_VALID (time) ? time + self->used_offset : time;
}

/* All packets of a picture have the time of its first. */
static GstClockTimeDiff
arrival_time (GstIvsGate *self, const GstIvsPacket *packet)
{
  if (!self->is_in_picture || self->awaits_idr ||
      packet->timestamp != self->picture_timestamp)
    self->arrived = gst_ivs_gate_get_running_time_now (self);
  return self->arrived;
}

/* The times with which @packet leaves. Most that come at once have the same. Without
 * B-frames, which a stage does not take, one time is as good as the other; parsed from
 * a file, H.264 has DTS only, or nothing. */
static void
update_times (GstIvsGate *self, const GstIvsPacket *packet)
{
  const GstBuffer *buffer = packet->buffer;

  if (GST_BUFFER_PTS (buffer) == self->in_pts &&
      GST_BUFFER_DTS (buffer) == self->in_dts &&
      (GST_BUFFER_PTS_IS_VALID (buffer) || GST_BUFFER_DTS_IS_VALID (buffer)))
    return;
  self->in_pts = GST_BUFFER_PTS (buffer);
  self->in_dts = GST_BUFFER_DTS (buffer);
  self->dts = outgoing_time (self, self->in_dts);
  self->pts = outgoing_time (self, self->in_pts);
  if (!GST_CLOCK_STIME_IS_VALID (self->pts))
    self->pts = self->dts;
  if (!GST_CLOCK_STIME_IS_VALID (self->pts))
    self->pts = arrival_time (self, packet);
}

static void
stamp (GstIvsGate *self, GstBuffer *packet)
{
  if (GST_CLOCK_STIME_IS_VALID (self->pts))
    GST_BUFFER_PTS (packet) = (GstClockTime) MAX (self->pts, 0);
  if (GST_CLOCK_STIME_IS_VALID (self->dts))
    GST_BUFFER_DTS (packet) = (GstClockTime) MAX (self->dts, 0);
}

/* Everything that leaves for one incoming packet, from @first on. */
static void
finish_packets (GstIvsGate *self, GstIvsParcel *parcel, guint first)
{
  guint n = gst_buffer_list_length (parcel->packets);

  for (guint i = first; i < n; i++) {
    GstBuffer *packet = gst_buffer_list_get (parcel->packets, i); /* is ours */

    stamp (self, packet);
    parcel->bytes += gst_buffer_get_size (packet);
  }
}

/* A picture ends that the budget leaves out, not one that only waits for an IDR. */
static void
tell_withheld (GstIvsGate *self, GstIvsPacketFlags flags)
{
  if (self->budget.is_shedding && (flags & GST_IVS_PACKET_FRAME_END) &&
      self->monitor != NULL)
    gst_ivs_monitor_withheld (self->monitor,
        (GstClockTime) self->now_us * GST_USECOND);
}

static gboolean
continue_stream (GstIvsGate *self, GstIvsPacket *packet, GstIvsParcel *parcel)
{
  g_autoptr (GPtrArray) metadata = NULL;
  gboolean leaves;

  if (!gst_ivs_gate_lets_pass (self, packet)) {
    tell_withheld (self, packet->flags);
    gst_ivs_stream_interrupt (self->stream);
    return FALSE;
  }
  metadata = take_metadata (self, packet->flags);
  if (metadata != NULL)
    gst_ivs_packet_map_payload (packet);
  leaves = gst_ivs_stream_continue (self->stream, packet, self->pts, metadata,
      parcel->packets);
  if (!leaves && metadata != NULL)
    give_back_metadata (self, g_steal_pointer (&metadata));
  return leaves;
}

static void
share_live_time (GstIvsGate *self, GstClockTimeDiff time)
{
  g_mutex_lock (&self->shared->lock);
  self->shared->live_time = time;
  g_mutex_unlock (&self->shared->lock);
}

/* @time: of the packet that leaves now. Another one is another picture's. */
static void
advance (GstIvsGate *self, GstClockTimeDiff time)
{
  if (!GST_CLOCK_STIME_IS_VALID (time) || time == self->last_time)
    return;
  if (self->live)
    share_live_time (self, time);
  if (GST_CLOCK_STIME_IS_VALID (self->last_time) && time > self->last_time)
    self->frame_time = CLAMP ((GstClockTime) (time - self->last_time),
        MIN_FRAME_TIME, MAX_FRAME_TIME);
  self->last_time = time;
}

/* Returns whether it leaves. */
static gboolean
add_opened (GstIvsGate *self, GstIvsPacket *packet, GstIvsParcel *parcel)
{
  guint first = gst_buffer_list_length (parcel->packets);

  update_times (self, packet);
  self->is_in_picture = !(packet->flags & GST_IVS_PACKET_FRAME_END);
  self->picture_timestamp = packet->timestamp;
  if (!continue_stream (self, packet, parcel))
    return FALSE;
  finish_packets (self, parcel, first);
  show_to_monitor (self, packet, parcel->packets, first);
  parcel->frames += (packet->flags & GST_IVS_PACKET_FRAME_END) != 0;
  parcel->key_frames += (packet->flags & GST_IVS_PACKET_IDR) != 0;
  advance (self, GST_CLOCK_STIME_IS_VALID (self->dts) ? self->dts : self->pts);
  return TRUE;
}

static void
add_packet (GstIvsGate *self, GstBuffer *buffer, GstIvsParcel *parcel)
{
  GstIvsPacket packet;

  if (!gst_ivs_packet_open (&packet, self->kind, buffer)) {
    gst_ivs_stream_interrupt (self->stream);
    parcel->dropped++;
    return;
  }
  if (!add_opened (self, &packet, parcel))
    parcel->dropped++;
  gst_ivs_packet_close (&packet);
}

static void
push_headers (GstIvsGate *self)
{
  g_autofree gchar *id = NULL;
  GstEvent *start;
  GstSegment segment;

  if (self->has_headers)
    return;

  id = gst_pad_create_stream_id (self->srcpad, GST_ELEMENT (self),
      self->kind == GST_IVS_VIDEO ? "video" : "audio");
  start = gst_event_new_stream_start (id);
  gst_event_set_group_id (start, gst_util_group_id_next ());
  gst_segment_init (&segment, GST_FORMAT_TIME);

  /* They stay on the pad as sticky events: each new webrtcbin gets them before
   * its first packet. */
  gst_pad_push_event (self->srcpad, start);
  gst_pad_push_event (self->srcpad, gst_event_new_caps (self->stream_caps));
  gst_pad_push_event (self->srcpad, gst_event_new_segment (&segment));
  self->has_headers = TRUE;
}

/* Returns whether these are the first of this opening. */
static gboolean
count_passed (GstIvsGate *self, guint packets, const GstIvsParcel *parcel)
{
  gboolean is_first;

  g_mutex_lock (&self->lock);
  self->stats.packets += packets;
  self->stats.bytes += parcel->bytes;
  self->stats.frames += parcel->frames;
  self->stats.key_frames += parcel->key_frames;
  is_first = !self->announced;
  self->announced = TRUE;
  g_mutex_unlock (&self->lock);
  return is_first;
}

/* Sound comes packet by packet: the list of the one before serves the next. */
GstBufferList *
gst_ivs_gate_take_list (GstIvsGate *self)
{
  GstBufferList *list = g_atomic_pointer_get (&self->spare_list);

  if (list != NULL &&
      g_atomic_pointer_compare_and_exchange (&self->spare_list, list, NULL))
    return list;
  return gst_buffer_list_new_sized (1);
}

void
gst_ivs_gate_give_back_list (GstIvsGate *self, GstBufferList *list)
{
  if (!g_atomic_pointer_compare_and_exchange (&self->spare_list, NULL, list))
    gst_buffer_list_unref (list);
}

/* A flow return of a session that dies is the session's affair: upstream goes on,
 * whoever watches the session closes the gate. */
static void
push_parcel (GstIvsGate *self, GstIvsParcel *parcel)
{
  guint packets = gst_buffer_list_length (parcel->packets);
  GstFlowReturn flow;

  if (packets == 1) {
    /* The only reference, so that nobody has to copy it. */
    GstBuffer *packet =
        gst_buffer_ref (gst_buffer_list_get (parcel->packets, 0));

    gst_buffer_list_remove (parcel->packets, 0, 1);
    gst_ivs_gate_give_back_list (self, parcel->packets);
    flow = gst_pad_push (self->srcpad, packet);
  } else {
    flow = gst_pad_push_list (self->srcpad, parcel->packets);
  }

  if (flow != GST_FLOW_OK) {
    GST_DEBUG_OBJECT (self, "dropped downstream: %s", gst_flow_get_name (flow));
    gst_ivs_gate_count_dropped (self, packets);
  } else if (count_passed (self, packets, parcel)) {
    g_signal_emit (self, gst_ivs_gate_signals[GST_IVS_GATE_SIGNAL_FLOWING], 0);
  }
}

/* From the pacer: what is closed meanwhile has nothing to do with what is open now. */
void
gst_ivs_gate_parcel_due (GstIvsParcel *parcel, gpointer data)
{
  GstIvsGate *self = data;
  gboolean is_still_open;

  g_mutex_lock (&self->lock);
  is_still_open = self->open && parcel->opening == self->openings;
  g_mutex_unlock (&self->lock);
  if (is_still_open) {
    push_parcel (self, parcel);
  } else {
    gst_ivs_gate_count_dropped (self, gst_buffer_list_length (parcel->packets));
    gst_buffer_list_unref (parcel->packets);
  }
}

static gboolean
is_taken_by_pacer (GstIvsGate *self, GstIvsParcel *parcel)
{
  gdouble limit = PACED_PART * (gdouble) self->frame_time / GST_USECOND;

  parcel->opening = self->seen_openings;
  return self->kind == GST_IVS_VIDEO &&
      gst_ivs_pacer_take (self->pacer, parcel, (gint64) limit);
}

static void
finish_parcel (GstIvsGate *self, GstIvsParcel *parcel)
{
  if (parcel->dropped > 0)
    gst_ivs_gate_count_dropped (self, parcel->dropped);
  if (gst_buffer_list_length (parcel->packets) == 0) {
    gst_buffer_list_unref (parcel->packets);
    return;
  }
  push_headers (self);
  if (!is_taken_by_pacer (self, parcel))
    push_parcel (self, parcel);
}

/* Without reconfiguring: nothing that is on its way is asked for other caps. */
static gboolean
link_to_next (GstIvsGate *self)
{
  g_autoptr (GstPad) next = NULL, before = NULL;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&self->switching);

  next = g_steal_pointer (&self->next);
  if (next == NULL)
    return FALSE;
  before = gst_pad_get_peer (self->srcpad);
  if (before != NULL)
    gst_pad_unlink (self->srcpad, before);
  gst_pad_link_full (self->srcpad, next,
      GST_PAD_LINK_CHECK_NOTHING | GST_PAD_LINK_CHECK_NO_RECONFIGURE);
  return TRUE;
}

/* Whether a decoder can begin with it. */
static gboolean
is_beginning (GstIvsGate *self, GstBuffer *buffer)
{
  GstIvsPacket packet;

  if (!gst_ivs_packet_open (&packet, self->kind, buffer))
    return FALSE;
  gst_ivs_packet_close (&packet);
  return (packet.flags & (GST_IVS_PACKET_SPS | GST_IVS_PACKET_IDR)) != 0;
}

/* What came before has its way still; from now on it is another session's. */
static void
switch_over (GstIvsGate *self, GstIvsParcel *parcel)
{
  finish_parcel (self, parcel);
  gst_ivs_pacer_drain (self->pacer);
  *parcel = (GstIvsParcel){ gst_buffer_list_new () };
  if (link_to_next (self))
    g_signal_emit (self, gst_ivs_gate_signals[GST_IVS_GATE_SIGNAL_SWITCHED], 0);
}

static void
take_budget (GstIvsGate *self, GstBuffer *const *packets, guint n)
{
  gsize size = 0;
  guint bps;

  for (guint i = 0; i < n; i++)
    size += gst_buffer_get_size (packets[i]);
  g_mutex_lock (&self->lock);
  self->passed = GST_BUFFER_PTS_IS_VALID (packets[0])
      ? GST_BUFFER_PTS (packets[0])
      : GST_BUFFER_DTS (packets[0]);
  self->stats.offered += size;
  bps = self->budget_bps;
  g_mutex_unlock (&self->lock);
  if (bps != self->budget.bps)
    gst_ivs_budget_set (&self->budget, bps, self->now_us);
}

/* One that came too early would find no room. */
static gboolean
awaits_key_unit (GstIvsGate *self)
{
  if (self->kind != GST_IVS_VIDEO || !self->awaits_idr)
    return FALSE;
  return !self->budget.is_shedding ||
      gst_ivs_budget_wants_key_unit (&self->budget, self->now_us);
}

void
gst_ivs_gate_pass (GstIvsGate *self, GstBuffer **packets, guint n,
    GstBufferList *list)
{
  GstIvsParcel parcel = { list };
  gboolean is_switching = gst_ivs_gate_is_switching (self);

  self->now_us = g_get_monotonic_time ();
  self->in_pts = self->in_dts = GST_CLOCK_TIME_NONE;
  self->pts = self->dts = GST_CLOCK_STIME_NONE;
  take_budget (self, packets, n);
  for (guint i = 0; i < n; i++) {
    if (is_switching && is_beginning (self, packets[i])) {
      switch_over (self, &parcel);
      is_switching = FALSE;
    }
    add_packet (self, packets[i], &parcel);
    gst_buffer_unref (packets[i]);
  }
  finish_parcel (self, &parcel);

  if (awaits_key_unit (self))
    gst_ivs_gate_request_key_unit (self, FALSE);
}
