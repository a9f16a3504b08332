/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The gate: who may pass, and when.
 *
 *   closed    live upstream: drop                 non-live: wait
 *   opening   video: drop until an IDR picture begins, ask for one
 *   open      live: pass at once                  non-live: pass at its time
 *
 * Nothing of upstream but its packets goes on: webrtcbin ends all streams at one
 * EOS, and flushes, segments, caps, errors and late starts of upstream are no
 * business of a session. Downstream sees one stream-start, one caps, one time
 * segment from 0 in which each packet is stamped with its running time.
 *
 * Of video, large pictures leave in the pacer's thread where the network is narrow;
 * everything else in that of upstream. Never both at a time.
 *
 * Locks: the state is under "lock", which is never held while anything is pushed,
 * queried or emitted. The stream's own data belong to the thread that holds the
 * sink pad's stream lock. "switching" is held while the source pad is linked anew.
 */
#include "gstivsgate.h"
#include "gstivsbudget.h"
#include "gstivsmetadata.h"
#include "gstivspacer.h"
#include <gst/video/video.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (gst_ivs_gate_debug);
#define GST_CAT_DEFAULT gst_ivs_gate_debug

/* At most two requests for a key unit per second. */
#define KEY_UNIT_INTERVAL (G_USEC_PER_SEC / 2)

/* Of metadata that waits for its picture; a picture comes 30 times a second. */
#define MAX_METADATA_PACKETS 32
/* Metadata is for the next picture; if none came for so long, none is expected. */
#define MAX_METADATA_WAIT (2 * GST_SECOND)

/* Upstream's running time may fall back by this much before it counts as having
 * started anew (a seek, another upstream). */
#define MAX_STEP_BACK GST_SECOND

/* A paced picture has left before so much of the time to the next one is over. */
#define PACED_PART 0.6
/* What is taken for that time: 120 to 25 pictures per second, 30 if not known. */
#define MIN_FRAME_TIME (GST_SECOND / 120)
#define MAX_FRAME_TIME (GST_SECOND / 25)
#define FRAME_TIME (GST_SECOND / 30)

/* What upstream's running time is moved by, of gates that share it. */
typedef struct
{
  GMutex lock;
  GstClockTimeDiff shift;
} SharedTime;

struct _GstIvsGate
{
  GstElement parent;

  /* Constant after construction. */
  GstIvsKind kind;
  GstPad *sinkpad;
  GstPad *srcpad;
  GstCaps *stream_caps;
  GstIvsMonitor *monitor; /* or NULL */
  SharedTime *shared;     /* an rc box */
  GstIvsPacer *pacer;

  GMutex lock;
  GCond changed;

  /* Protected by lock. */
  gboolean active; /* PAUSED or higher */
  gboolean playing;
  gboolean flushing;
  gboolean open;
  gboolean discard;
  gboolean unplugging;
  guint openings;
  guint64 packets_before;    /* those that had passed when it was opened */
  gint64 key_unit_requested; /* monotonic */
  guint key_units;
  GstClockTimeDiff time_offset;
  guint budget_bps;
  GstClockTime waiting;
  GstClockID timer;
  GstIvsGateStats stats;
  GPtrArray *metadata; /* payloads for the next picture, or NULL */
  gboolean announced;  /* "flowing" emitted for this opening */

  GMutex switching;
  GstPad *next; /* protected by it: where the next IDR picture goes, or NULL */

  /* Protected by the stream lock of sinkpad. */
  GstIvsStream *stream;
  GstIvsBudget budget;
  GstSegment segment;
  gboolean has_live; /* was upstream asked? */
  gboolean live;
  gboolean started_anew; /* upstream's time may have jumped */
  gboolean awaits_idr;
  gboolean has_headers; /* stream-start, caps and segment are on srcpad */
  guint seen_openings;
  GstClockTimeDiff shift; /* added to upstream's running time: it fell back */
  GstClockTimeDiff used_offset;
  GstClockTimeDiff last_time; /* of the last packet that left, or NONE */
  GstClockTime frame_time;    /* from one picture to the next */
};

G_DEFINE_TYPE_WITH_CODE (GstIvsGate, gst_ivs_gate, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (gst_ivs_gate_debug, "ivsgate", 0,
        "gate before webrtcbin"))

enum
{
  SIGNAL_EOS,
  SIGNAL_FLOWING,
  SIGNAL_SWITCHED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

enum
{
  PROP_0,
  PROP_PASSAGE,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));

/* -- Time ---------------------------------------------------------------------- */

static GstClockTime
dts_or_pts (GstBuffer *buffer)
{
  return GST_BUFFER_DTS_IS_VALID (buffer) ? GST_BUFFER_DTS (buffer)
                                          : GST_BUFFER_PTS (buffer);
}

/* Upstream's running time of @timestamp, plus shift; NONE if it has none. */
static GstClockTimeDiff
running_time (GstIvsGate *self, GstClockTime timestamp)
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

static GstClockTimeDiff
running_time_now (GstIvsGate *self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));

  if (clock == NULL)
    return GST_CLOCK_STIME_NONE;
  return GST_CLOCK_DIFF (gst_element_get_base_time (GST_ELEMENT (self)),
      gst_clock_get_time (clock));
}

/* Has upstream, with @shift, fallen back behind what has left? */
static gboolean
is_behind (GstIvsGate *self, GstClockTimeDiff time)
{
  return GST_CLOCK_STIME_IS_VALID (self->last_time) &&
      self->last_time - time > (GstClockTimeDiff) MAX_STEP_BACK;
}

/* Moves by what the other gate has moved by, if that is enough, else by what is
 * missing to now. */
static void
move_forward (GstIvsGate *self, GstClockTimeDiff time)
{
  GstClockTimeDiff goal = MAX (self->last_time, running_time_now (self));

  g_mutex_lock (&self->shared->lock);
  if (is_behind (self, time + self->shared->shift))
    self->shared->shift = goal - time;
  self->shift = self->shared->shift;
  g_mutex_unlock (&self->shared->lock);
  GST_INFO_OBJECT (self,
      "upstream started anew, is moved by %" GST_STIME_FORMAT,
      GST_STIME_ARGS (self->shift));
}

/* A seek or a new upstream starts again at running time 0 where webrtcbin and the
 * clock are far beyond: what follows is moved to where the stream is. */
static GstClockTimeDiff
follow_restart (GstIvsGate *self, GstClockTimeDiff time,
    GstClockTimeDiff offset)
{
  GstClockTimeDiff upstream = time - self->shift;

  if (!self->started_anew || !GST_CLOCK_STIME_IS_VALID (time))
    return time;

  self->started_anew = FALSE;
  if (is_behind (self, time + offset))
    move_forward (self, upstream + offset);
  return upstream + self->shift;
}

/* -- Key units ----------------------------------------------------------------- */

/* @now: at an opening, however long ago the last request was. */
static void
request_key_unit (GstIvsGate *self, gboolean now)
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

typedef enum
{
  PASSAGE_PASS,
  PASSAGE_DROP,
  PASSAGE_FLUSHING
} Passage;

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

/* With lock, which is released while waiting. Returns whether @time has come. */
static gboolean
wait_for_clock (GstIvsGate *self, GstClockTimeDiff time)
{
  g_autoptr (GstClock) clock = NULL;
  GstClockTimeDiff at;
  GstClockReturn result;

  clock = gst_element_get_clock (GST_ELEMENT (self));
  at = time + (GstClockTimeDiff) gst_element_get_base_time (GST_ELEMENT (self));
  if (clock == NULL || at <= (GstClockTimeDiff) gst_clock_get_time (clock))
    return TRUE;

  self->timer = gst_clock_new_single_shot_id (clock, (GstClockTime) at);
  g_mutex_unlock (&self->lock);
  result = gst_clock_id_wait (self->timer, NULL);
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->timer, gst_clock_id_unref);
  return result != GST_CLOCK_UNSCHEDULED;
}

/* With lock. Wakes a thread that waits here, for whatever it waits. */
static void
wake (GstIvsGate *self)
{
  if (self->timer != NULL)
    gst_clock_id_unschedule (self->timer);
  g_cond_broadcast (&self->changed);
}

/* With lock. @time: of the packet, without offset. */
static Passage
wait_for_passage (GstIvsGate *self, GstClockTimeDiff time)
{
  gboolean timed = GST_CLOCK_STIME_IS_VALID (time);

  for (;;) {
    if (self->flushing || !self->active)
      return PASSAGE_FLUSHING;
    if (self->discard || self->unplugging)
      return PASSAGE_DROP;
    if (self->live)
      return self->open ? PASSAGE_PASS : PASSAGE_DROP;

    if (!self->open || !self->playing) {
      self->waiting = timed && time > 0 ? (GstClockTime) time : 0;
      g_cond_wait (&self->changed, &self->lock);
      self->waiting = GST_CLOCK_TIME_NONE;
    } else if (!timed || wait_for_clock (self, time + self->time_offset)) {
      return PASSAGE_PASS;
    }
  }
}

static void
count_dropped (GstIvsGate *self, guint packets)
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
static Passage
await_passage (GstIvsGate *self, GstBuffer *first, guint packets)
{
  GstClockTimeDiff time;
  Passage passage;

  ask_whether_live (self);
  time = running_time (self, dts_or_pts (first));

  g_mutex_lock (&self->lock);
  self->stats.last_buffer =
      (GstClockTime) g_get_monotonic_time () * GST_USECOND;
  passage = wait_for_passage (self,
      follow_restart (self, time, current_offset (self)));
  if (passage != PASSAGE_PASS) {
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
static gboolean
begins_or_continues (GstIvsGate *self, GstIvsPacketFlags flags, gsize size)
{
  if (self->kind == GST_IVS_AUDIO)
    return TRUE;
  if (self->awaits_idr &&
      (flags & (GST_IVS_PACKET_SPS | GST_IVS_PACKET_IDR)) == 0)
    return FALSE;
  self->awaits_idr = !gst_ivs_budget_admit (&self->budget, flags,
      size + GST_IVS_WIRE_OVERHEAD, g_get_monotonic_time ());
  return !self->awaits_idr;
}

/* -- Passing -------------------------------------------------------------------- */

/* What leaves has the payload of what came in, unless more than one packet leaves. */
static void
show_to_monitor (GstIvsGate *self, GstRTPBuffer *rtp, GstBufferList *packets,
    guint first)
{
  const GstIvsPayload *payload = gst_ivs_stream_get_payload (self->stream);
  GstClockTime now = (GstClockTime) g_get_monotonic_time () * GST_USECOND;
  guint n = gst_buffer_list_length (packets);

  if (self->monitor == NULL)
    return;
  if (first + 1 == n)
    gst_ivs_monitor_beginning (self->monitor, self->kind, payload->data,
        payload->readable, payload->size, gst_rtp_buffer_get_marker (rtp),
        gst_ivs_stream_get_timestamp (self->stream), now);
  else
    for (guint i = first; i < n; i++)
      gst_ivs_monitor_buffer (self->monitor, self->kind,
          gst_buffer_list_get (packets, i), now);
}

static void
stamp (GstIvsGate *self, GstBuffer *packet, GstClockTimeDiff pts,
    GstClockTimeDiff dts)
{
  if (GST_CLOCK_STIME_IS_VALID (pts))
    GST_BUFFER_PTS (packet) = (GstClockTime) MAX (pts, 0);
  if (GST_CLOCK_STIME_IS_VALID (dts))
    GST_BUFFER_DTS (packet) = (GstClockTime) MAX (dts, 0);
}

static GstClockTimeDiff
outgoing_time (GstIvsGate *self, GstClockTime timestamp)
{
  GstClockTimeDiff time = running_time (self, timestamp);

  return GST_CLOCK_STIME_IS_VALID (time) ? time + self->used_offset : time;
}

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

/* Everything that leaves for one incoming packet, from @first on. */
static void
finish_packets (GstIvsGate *self, GstIvsParcel *parcel, guint first,
    GstClockTimeDiff pts, GstClockTimeDiff dts)
{
  for (guint i = first; i < gst_buffer_list_length (parcel->packets); i++) {
    GstBuffer *packet = gst_buffer_list_get (parcel->packets, i); /* is ours */

    stamp (self, packet, pts, dts);
    parcel->bytes += gst_buffer_get_size (packet);
  }
}

static gboolean
continue_stream (GstIvsGate *self, GstRTPBuffer *rtp, GstIvsPacketFlags flags,
    GstClockTimeDiff pts, GstIvsParcel *parcel)
{
  g_autoptr (GPtrArray) metadata = NULL;
  gboolean leaves;

  if (!begins_or_continues (self, flags, gst_buffer_get_size (rtp->buffer))) {
    gst_ivs_stream_interrupt (self->stream);
    return FALSE;
  }
  metadata = take_metadata (self, flags);
  leaves = gst_ivs_stream_continue (self->stream, rtp, flags, pts, metadata,
      parcel->packets);
  if (!leaves && metadata != NULL)
    give_back_metadata (self, g_steal_pointer (&metadata));
  return leaves;
}

/* @time: of the packet that leaves now. Another one is another picture's. */
static void
advance (GstIvsGate *self, GstClockTimeDiff time)
{
  if (!GST_CLOCK_STIME_IS_VALID (time))
    return;
  if (GST_CLOCK_STIME_IS_VALID (self->last_time) && time > self->last_time)
    self->frame_time = CLAMP ((GstClockTime) (time - self->last_time),
        MIN_FRAME_TIME, MAX_FRAME_TIME);
  self->last_time = time;
}

/* Returns whether it leaves. */
static gboolean
add_mapped (GstIvsGate *self, GstRTPBuffer *rtp, GstIvsPacketFlags flags,
    GstIvsParcel *parcel)
{
  GstClockTimeDiff pts = outgoing_time (self, GST_BUFFER_PTS (rtp->buffer));
  GstClockTimeDiff dts = outgoing_time (self, GST_BUFFER_DTS (rtp->buffer));
  guint first = gst_buffer_list_length (parcel->packets);

  if (!continue_stream (self, rtp, flags, pts, parcel))
    return FALSE;
  finish_packets (self, parcel, first, pts, dts);
  show_to_monitor (self, rtp, parcel->packets, first);
  parcel->frames += (flags & GST_IVS_PACKET_FRAME_END) != 0;
  parcel->key_frames += (flags & GST_IVS_PACKET_IDR) != 0;
  advance (self, GST_CLOCK_STIME_IS_VALID (dts) ? dts : pts);
  return TRUE;
}

static void
add_packet (GstIvsGate *self, GstBuffer *packet, GstIvsParcel *parcel)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstIvsPacketFlags flags = gst_ivs_stream_inspect (self->stream, packet, &rtp);

  if (flags & GST_IVS_PACKET_INVALID) {
    gst_ivs_stream_interrupt (self->stream);
    parcel->dropped++;
    return;
  }
  if (!add_mapped (self, &rtp, flags, parcel))
    parcel->dropped++;
  gst_rtp_buffer_unmap (&rtp);
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

/* A flow return of a session that dies is the session's affair: upstream goes on,
 * whoever watches the session closes the gate. */
static void
push_parcel (GstIvsGate *self, GstIvsParcel *parcel)
{
  guint packets = gst_buffer_list_length (parcel->packets);
  GstFlowReturn flow;

  if (packets == 1) {
    /* The only reference: rtpsession writes into it. */
    GstBuffer *packet =
        gst_buffer_ref (gst_buffer_list_get (parcel->packets, 0));

    gst_buffer_list_unref (parcel->packets);
    flow = gst_pad_push (self->srcpad, packet);
  } else {
    flow = gst_pad_push_list (self->srcpad, parcel->packets);
  }

  if (flow != GST_FLOW_OK) {
    GST_DEBUG_OBJECT (self, "dropped downstream: %s", gst_flow_get_name (flow));
    count_dropped (self, packets);
  } else if (count_passed (self, packets, parcel)) {
    g_signal_emit (self, signals[SIGNAL_FLOWING], 0);
  }
}

/* From the pacer: what is closed meanwhile has nothing to do with what is open now. */
static void
parcel_due (GstIvsParcel *parcel, gpointer data)
{
  GstIvsGate *self = data;
  gboolean is_still_open;

  g_mutex_lock (&self->lock);
  is_still_open = self->open && parcel->opening == self->openings;
  g_mutex_unlock (&self->lock);
  if (is_still_open) {
    push_parcel (self, parcel);
  } else {
    count_dropped (self, gst_buffer_list_length (parcel->packets));
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
  count_dropped (self, parcel->dropped);
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

/* Packets before @packet have their way still; with it another session begins. */
static void
switch_before (GstIvsGate *self, GstBuffer *packet, GstIvsParcel *parcel)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstIvsPacketFlags flags = gst_ivs_stream_inspect (self->stream, packet, &rtp);

  if (!(flags & GST_IVS_PACKET_INVALID))
    gst_rtp_buffer_unmap (&rtp);
  if (!(flags & (GST_IVS_PACKET_SPS | GST_IVS_PACKET_IDR)))
    return;

  finish_parcel (self, parcel);
  gst_ivs_pacer_drain (self->pacer);
  *parcel = (GstIvsParcel){ gst_buffer_list_new () };
  if (link_to_next (self))
    g_signal_emit (self, signals[SIGNAL_SWITCHED], 0);
}

/* @size: of what has come, in bytes. */
static void
take_budget (GstIvsGate *self, gsize size)
{
  guint bps;

  g_mutex_lock (&self->lock);
  self->stats.offered += size;
  bps = self->budget_bps;
  g_mutex_unlock (&self->lock);
  if (bps != self->budget.bps)
    gst_ivs_budget_set (&self->budget, bps, g_get_monotonic_time ());
}

/* One that came too early would find no room. */
static gboolean
awaits_key_unit (GstIvsGate *self)
{
  if (self->kind != GST_IVS_VIDEO || !self->awaits_idr)
    return FALSE;
  return !self->budget.is_shedding ||
      gst_ivs_budget_wants_key_unit (&self->budget, g_get_monotonic_time ());
}

/* What passes of @list, continued. @list: (transfer full): when it is gone nobody else
 * may have its packets, which then need not be made anew. */
static void
pass_list (GstIvsGate *self, GstBufferList *list)
{
  guint n = gst_buffer_list_length (list);
  g_autofree GstBuffer **packets = g_new (GstBuffer *, n);
  GstIvsParcel parcel = { gst_buffer_list_new_sized (n + 1) };

  take_budget (self, gst_buffer_list_calculate_size (list));
  for (guint i = 0; i < n; i++)
    packets[i] = gst_buffer_ref (gst_buffer_list_get (list, i));
  gst_buffer_list_unref (list);

  for (guint i = 0; i < n; i++) {
    if (gst_ivs_gate_is_switching (self))
      switch_before (self, packets[i], &parcel);
    add_packet (self, packets[i], &parcel);
    gst_buffer_unref (packets[i]);
  }
  finish_parcel (self, &parcel);

  if (awaits_key_unit (self))
    request_key_unit (self, FALSE);
}

static GstFlowReturn
list_arrived (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  GstIvsGate *self = GST_IVS_GATE (parent);
  guint n = gst_buffer_list_length (list);
  Passage passage = PASSAGE_DROP;

  if (n > 0)
    passage = await_passage (self, gst_buffer_list_get (list, 0), n);
  if (passage == PASSAGE_PASS)
    pass_list (self, list);
  else
    gst_buffer_list_unref (list);
  return passage == PASSAGE_FLUSHING ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

static GstFlowReturn
packet_arrived (GstPad *pad, GstObject *parent, GstBuffer *packet)
{
  GstBufferList *list = gst_buffer_list_new_sized (1);

  gst_buffer_list_add (list, packet);
  return list_arrived (pad, parent, list);
}

/* -- Events and queries --------------------------------------------------------- */

static void
set_flushing (GstIvsGate *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  wake (self);
  g_mutex_unlock (&self->lock);
}

/* The next packet is the first of something new. */
static void
start_anew (GstIvsGate *self)
{
  gst_ivs_stream_interrupt (self->stream);
  self->started_anew = TRUE;
  self->awaits_idr = TRUE;
}

static void
segment_arrived (GstIvsGate *self, GstEvent *event)
{
  gst_event_copy_segment (event, &self->segment);
  if (self->segment.format != GST_FORMAT_TIME)
    GST_INFO_OBJECT (self, "segment is not in time: packets pass unpaced");
  gst_ivs_stream_interrupt (self->stream);
  self->started_anew = TRUE;
}

static void
caps_arrived (GstIvsGate *self, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  gst_ivs_stream_set_input_caps (self->stream, caps);
}

/* Everything ends here. */
static gboolean
event_arrived (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstIvsGate *self = GST_IVS_GATE (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      self->has_live = FALSE;
      start_anew (self);
      break;
    case GST_EVENT_CAPS:
      caps_arrived (self, event);
      break;
    case GST_EVENT_SEGMENT:
      segment_arrived (self, event);
      break;
    case GST_EVENT_FLUSH_START:
      set_flushing (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      set_flushing (self, FALSE);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      start_anew (self);
      break;
    case GST_EVENT_EOS:
      GST_INFO_OBJECT (self, "upstream ended");
      gst_ivs_pacer_drain (self->pacer);
      g_signal_emit (self, signals[SIGNAL_EOS], 0);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

/* From webrtcbin: key unit requests go on; what asks for other caps or speaks of
 * lateness in our own time does not. */
static gboolean
upstream_event_arrived (GstPad *pad, GstObject *parent, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_RECONFIGURE:
    case GST_EVENT_QOS:
      gst_event_unref (event);
      return TRUE;
    default:
      return gst_pad_event_default (pad, parent, event);
  }
}

static GstCaps *
make_input_caps (GstIvsGate *self)
{
  gboolean video = self->kind == GST_IVS_VIDEO;

  /* Any payload type, ssrc and header extension: all are replaced. */
  return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING,
      video ? "video" : "audio", "encoding-name", G_TYPE_STRING,
      video ? "H264" : "OPUS", "clock-rate", G_TYPE_INT, video ? 90000 : 48000,
      NULL);
}

static void
answer_caps (GstIvsGate *self, GstQuery *query)
{
  g_autoptr (GstCaps) caps = make_input_caps (self);
  g_autoptr (GstCaps) result = NULL;
  GstCaps *filter;

  gst_query_parse_caps (query, &filter);
  result = filter != NULL
      ? gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST)
      : gst_caps_ref (caps);
  gst_query_set_caps_result (query, result);
}

static void
answer_accept_caps (GstIvsGate *self, GstQuery *query)
{
  g_autoptr (GstCaps) caps = make_input_caps (self);
  GstCaps *asked;

  gst_query_parse_accept_caps (query, &asked);
  gst_query_set_accept_caps_result (query,
      gst_caps_can_intersect (asked, caps));
}

static gboolean
query_arrived (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstIvsGate *self = GST_IVS_GATE (parent);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      answer_caps (self, query);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      answer_accept_caps (self, query);
      return TRUE;
    default:
      /* ALLOCATION, DRAIN: nothing of webrtcbin concerns upstream, and a
       * serialized query must not get stuck in it. */
      if (GST_QUERY_IS_SERIALIZED (query))
        return FALSE;
      return gst_pad_query_default (pad, parent, query);
  }
}

static gboolean
downstream_query_arrived (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstIvsGate *self = GST_IVS_GATE (parent);
  g_autoptr (GstCaps) result = NULL;
  GstCaps *filter;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);

  gst_query_parse_caps (query, &filter);
  result = filter != NULL ? gst_caps_intersect (self->stream_caps, filter)
                          : gst_caps_ref (self->stream_caps);
  gst_query_set_caps_result (query, result);
  return TRUE;
}

/* -- Doors ---------------------------------------------------------------------- */

void
gst_ivs_gate_open (GstIvsGate *self)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));

  g_mutex_lock (&self->lock);
  self->open = TRUE;
  self->openings++;
  self->packets_before = self->stats.packets;
  wake (self);
  g_mutex_unlock (&self->lock);

  if (self->kind == GST_IVS_VIDEO)
    request_key_unit (self, TRUE);
}

static void
set_door (GstIvsGate *self, gboolean *door, gboolean value)
{
  g_mutex_lock (&self->lock);
  *door = value;
  wake (self);
  g_mutex_unlock (&self->lock);
}

/* It belonged to a picture of now, not of the next session. */
static void
forget_metadata (GstIvsGate *self)
{
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->metadata, g_ptr_array_unref);
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_gate_close (GstIvsGate *self)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  set_door (self, &self->open, FALSE);
  forget_metadata (self);
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

void
gst_ivs_gate_switch_to (GstIvsGate *self, GstPad *pad)
{
  g_return_if_fail (GST_IS_IVS_GATE (self) && GST_IS_PAD (pad));

  g_mutex_lock (&self->switching);
  gst_object_replace ((GstObject **) &self->next, GST_OBJECT (pad));
  g_mutex_unlock (&self->switching);
  request_key_unit (self, TRUE);
}

gboolean
gst_ivs_gate_is_switching (GstIvsGate *self)
{
  gboolean is_switching = FALSE;

  g_return_val_if_fail (GST_IS_IVS_GATE (self), FALSE);
  g_mutex_lock (&self->switching);
  is_switching = self->next != NULL;
  g_mutex_unlock (&self->switching);
  return is_switching;
}

void
gst_ivs_gate_forget_switch (GstIvsGate *self, GstPad *pad)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));

  g_mutex_lock (&self->switching);
  if (self->next == pad)
    gst_clear_object (&self->next);
  g_mutex_unlock (&self->switching);
}

void
gst_ivs_gate_set_discard (GstIvsGate *self, gboolean discard)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  set_door (self, &self->discard, discard);
}

void
gst_ivs_gate_set_unplugging (GstIvsGate *self, gboolean unplugging)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  set_door (self, &self->unplugging, unplugging);
}

gboolean
gst_ivs_gate_is_open (GstIvsGate *self)
{
  gboolean open;

  g_return_val_if_fail (GST_IS_IVS_GATE (self), FALSE);
  g_mutex_lock (&self->lock);
  open = self->open;
  g_mutex_unlock (&self->lock);
  return open;
}

GstClockTime
gst_ivs_gate_get_waiting_running_time (GstIvsGate *self)
{
  GstClockTime waiting;

  g_return_val_if_fail (GST_IS_IVS_GATE (self), GST_CLOCK_TIME_NONE);
  g_mutex_lock (&self->lock);
  waiting = self->waiting;
  g_mutex_unlock (&self->lock);
  return waiting;
}

void
gst_ivs_gate_set_time_offset (GstIvsGate *self, GstClockTimeDiff offset)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  g_mutex_lock (&self->lock);
  self->time_offset = offset;
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_gate_set_budget (GstIvsGate *self, guint bps)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  g_mutex_lock (&self->lock);
  self->budget_bps = bps;
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_gate_set_pace (GstIvsGate *self, guint bps)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  gst_ivs_pacer_set_rate (self->pacer, bps);
}

void
gst_ivs_gate_announce (GstIvsGate *self, GstEvent *event)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  gst_pad_push_event (self->sinkpad, event);
}

void
gst_ivs_gate_set_monitor (GstIvsGate *self, GstIvsMonitor *monitor)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  g_return_if_fail (self->monitor == NULL);
  self->monitor = gst_ivs_monitor_ref (monitor);
}

void
gst_ivs_gate_get_stats (GstIvsGate *self, GstIvsGateStats *stats)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  g_mutex_lock (&self->lock);
  *stats = self->stats;
  g_mutex_unlock (&self->lock);
}

GstCaps *
gst_ivs_gate_get_stream_caps (GstIvsGate *self)
{
  g_return_val_if_fail (GST_IS_IVS_GATE (self), NULL);
  return gst_caps_ref (self->stream_caps);
}

/* -- Life ----------------------------------------------------------------------- */

/* No streaming thread is left: what it owned begins again, the stream goes on. */
static void
forget_upstream (GstIvsGate *self)
{
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  start_anew (self);
  self->started_anew = FALSE;
  self->has_live = FALSE;
  self->has_headers = FALSE;
  self->shift = 0;
  g_mutex_lock (&self->shared->lock);
  self->shared->shift = 0;
  g_mutex_unlock (&self->shared->lock);
  self->last_time = GST_CLOCK_STIME_NONE;
  self->frame_time = FRAME_TIME;
  self->budget = (GstIvsBudget){ 0 };

  gst_ivs_pacer_stop (self->pacer);
  gst_ivs_pacer_set_rate (self->pacer, 0);
  forget_metadata (self);
  g_mutex_lock (&self->lock);
  self->flushing = FALSE;
  self->open = FALSE;
  self->discard = FALSE;
  self->time_offset = 0;
  self->budget_bps = 0;
  g_mutex_unlock (&self->lock);
}

static GstStateChangeReturn
gst_ivs_gate_change_state (GstElement *element, GstStateChange transition)
{
  GstIvsGate *self = GST_IVS_GATE (element);
  GstStateChangeReturn result;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      set_door (self, &self->active, TRUE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      set_door (self, &self->playing, TRUE);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      set_door (self, &self->playing, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      /* First wake whoever waits here, then wait for him (pad deactivation). */
      set_door (self, &self->active, FALSE);
      break;
    default:
      break;
  }

  result = GST_ELEMENT_CLASS (gst_ivs_gate_parent_class)
               ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    forget_upstream (self);
  return result;
}

static void
shared_time_clear (gpointer shared)
{
  g_mutex_clear (&((SharedTime *) shared)->lock);
}

void
gst_ivs_gate_share_time (GstIvsGate *self, GstIvsGate *other)
{
  g_return_if_fail (GST_IS_IVS_GATE (self) && GST_IS_IVS_GATE (other));

  g_atomic_rc_box_acquire (other->shared);
  g_atomic_rc_box_release_full (self->shared, shared_time_clear);
  self->shared = other->shared;
}

static void
gst_ivs_gate_finalize (GObject *object)
{
  GstIvsGate *self = GST_IVS_GATE (object);

  g_atomic_rc_box_release_full (self->shared, shared_time_clear);
  gst_ivs_pacer_free (self->pacer);
  gst_clear_object (&self->next);
  g_mutex_clear (&self->switching);
  gst_clear_caps (&self->stream_caps);
  g_clear_pointer (&self->metadata, g_ptr_array_unref);
  g_clear_pointer (&self->monitor, gst_ivs_monitor_unref);
  g_clear_pointer (&self->stream, gst_ivs_stream_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (gst_ivs_gate_parent_class)->finalize (object);
}

static const gchar *
describe_passage (GstIvsGate *self)
{
  const gchar *passage = "open";

  g_mutex_lock (&self->lock);
  if (!self->open)
    passage = GST_CLOCK_TIME_IS_VALID (self->waiting) ? "waiting" : "closed";
  else if (self->stats.packets == self->packets_before)
    passage = "opening";
  g_mutex_unlock (&self->lock);
  return passage;
}

static void
gst_ivs_gate_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  if (id == PROP_PASSAGE)
    g_value_set_static_string (value, describe_passage (GST_IVS_GATE (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ivs_gate_class_init (GstIvsGateClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ivs_gate_finalize;
  G_OBJECT_CLASS (klass)->get_property = gst_ivs_gate_get_property;
  element_class->change_state = gst_ivs_gate_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "IVS gate",
      "Generic/Network/WebRTC", "Keeps one RTP stream alive over many sessions",
      "The ivsstagesink authors");

  /* A dot file shows what differs from the default: this always does. */
  g_object_class_install_property (G_OBJECT_CLASS (klass), PROP_PASSAGE,
      g_param_spec_string ("passage", "Passage",
          "closed, waiting (closed, and upstream waits), opening (for what a "
          "stream can begin with), open",
          NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  signals[SIGNAL_EOS] = g_signal_new ("eos", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_FLOWING] = g_signal_new ("flowing", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_SWITCHED] =
      g_signal_new ("switched", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gst_ivs_gate_init (GstIvsGate *self)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);

  g_mutex_init (&self->lock);
  g_mutex_init (&self->switching);
  g_cond_init (&self->changed);
  self->shared = g_atomic_rc_box_new0 (SharedTime);
  g_mutex_init (&self->shared->lock);
  self->waiting = GST_CLOCK_TIME_NONE;
  self->stats.last_buffer = GST_CLOCK_TIME_NONE;
  self->last_time = GST_CLOCK_STIME_NONE;
  self->frame_time = FRAME_TIME;
  self->pacer = gst_ivs_pacer_new (parcel_due, self);
  self->awaits_idr = TRUE;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);

  self->sinkpad =
      gst_pad_new_from_template (gst_element_class_get_pad_template (klass,
                                     "sink"),
          "sink");
  gst_pad_set_chain_function (self->sinkpad, packet_arrived);
  gst_pad_set_chain_list_function (self->sinkpad, list_arrived);
  gst_pad_set_event_function (self->sinkpad, event_arrived);
  gst_pad_set_query_function (self->sinkpad, query_arrived);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad =
      gst_pad_new_from_template (gst_element_class_get_pad_template (klass,
                                     "src"),
          "src");
  gst_pad_set_event_function (self->srcpad, upstream_event_arrived);
  gst_pad_set_query_function (self->srcpad, downstream_query_arrived);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

GstIvsGate *
gst_ivs_gate_new (GstIvsKind kind, const GstIvsStreamId *id)
{
  GstIvsGate *self = g_object_new (GST_TYPE_IVS_GATE, NULL);

  self->kind = kind;
  self->stream = gst_ivs_stream_new (kind, id);
  self->stream_caps = gst_ivs_stream_make_caps (kind, id);
  return self;
}
