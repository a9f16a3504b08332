/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The gate: an element whose doors others open and close.
 *
 *     upstream -> here -> gstivspassage.c: who may pass, and when
 *                      -> gstivsdeparture.c: what leaves, and where to
 *
 * Nothing of upstream but its packets goes on: webrtcbin ends all streams at one
 * EOS, and flushes, segments, caps, errors and late starts of upstream are no
 * business of a session. Downstream sees one stream-start, one caps, one time
 * segment from 0 in which each packet is stamped with its running time.
 */
#include "gstivsgateprivate.h"

GST_DEBUG_CATEGORY (gst_ivs_gate_debug);
#define GST_CAT_DEFAULT gst_ivs_gate_debug

/* From one picture to the next, as long as it is not known. */
#define FRAME_TIME (GST_SECOND / 30)

G_DEFINE_TYPE_WITH_CODE (GstIvsGate, gst_ivs_gate, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (gst_ivs_gate_debug, "ivsgate", 0,
        "gate before webrtcbin"))

guint gst_ivs_gate_signals[GST_IVS_GATE_N_SIGNALS];

enum
{
  PROP_0,
  PROP_PASSAGE,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));

/* @packets: (transfer full) (array length=n); @list: (transfer full): an empty one */
static GstFlowReturn
packets_arrived (GstIvsGate *self, GstBuffer **packets, guint n,
    GstBufferList *list)
{
  GstIvsPassage passage = gst_ivs_gate_await_passage (self, packets[0], n);

  if (passage == GST_IVS_PASSAGE_PASS) {
    gst_ivs_gate_pass (self, packets, n, list);
  } else {
    for (guint i = 0; i < n; i++)
      gst_buffer_unref (packets[i]);
    gst_buffer_list_unref (list);
  }
  return passage == GST_IVS_PASSAGE_FLUSHING ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

static GstFlowReturn
packet_arrived (GstPad *pad, GstObject *parent, GstBuffer *packet)
{
  GstIvsGate *self = (GstIvsGate *) parent;

  return packets_arrived (self, &packet, 1, gst_ivs_gate_take_list (self));
}

/* Out of the list, nobody else may have its packets, which then need not be made anew. */
static GstFlowReturn
list_arrived (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  guint n = gst_buffer_list_length (list);
  g_autofree GstBuffer **packets = g_new (GstBuffer *, n);

  if (n == 0) {
    gst_buffer_list_unref (list);
    return GST_FLOW_OK;
  }
  list = gst_buffer_list_make_writable (list);
  for (guint i = 0; i < n; i++)
    packets[i] = gst_buffer_ref (gst_buffer_list_get (list, i));
  gst_buffer_list_remove (list, 0, n);
  return packets_arrived ((GstIvsGate *) parent, packets, n, list);
}

/* -- Events and queries --------------------------------------------------------- */

static void
set_flushing (GstIvsGate *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  self->passed = GST_CLOCK_TIME_NONE;
  gst_ivs_gate_wake (self);
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

/* A chain that is plugged anew tells of the stream once more. */
static void
stream_started (GstIvsGate *self, GstEvent *event)
{
  const gchar *id = NULL;

  gst_event_parse_stream_start (event, &id);
  if (g_strcmp0 (id, self->upstream_id) != 0) {
    g_free (self->upstream_id);
    self->upstream_id = g_strdup (id);
    self->is_other_upstream = TRUE;
  }
  self->has_live = FALSE;
  start_anew (self);
}

static void
segment_arrived (GstIvsGate *self, GstEvent *event)
{
  gst_event_copy_segment (event, &self->segment);
  g_mutex_lock (&self->lock);
  self->passed = GST_CLOCK_TIME_NONE;
  self->passed_segment = self->segment;
  g_mutex_unlock (&self->lock);
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
      stream_started (self, event);
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
      g_signal_emit (self, gst_ivs_gate_signals[GST_IVS_GATE_SIGNAL_EOS], 0);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

/* From webrtcbin: key unit requests go on; what asks for other caps, speaks of lateness in
 * our own time or is a feedback of the network (rtpsession's, where that reads it) does
 * not. */
static gboolean
upstream_event_arrived (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean is_feedback = gst_event_has_name (event, "RTPTWCCPackets");

  switch (is_feedback ? GST_EVENT_QOS : GST_EVENT_TYPE (event)) {
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
  gst_ivs_gate_wake (self);
  g_mutex_unlock (&self->lock);

  if (self->kind == GST_IVS_VIDEO)
    gst_ivs_gate_request_key_unit (self, TRUE);
}

static void
set_door (GstIvsGate *self, gboolean *door, gboolean value)
{
  g_mutex_lock (&self->lock);
  *door = value;
  gst_ivs_gate_wake (self);
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_gate_close (GstIvsGate *self)
{
  g_return_if_fail (GST_IS_IVS_GATE (self));
  set_door (self, &self->open, FALSE);
  gst_ivs_gate_forget_metadata (self);
}

void
gst_ivs_gate_switch_to (GstIvsGate *self, GstPad *pad)
{
  g_return_if_fail (GST_IS_IVS_GATE (self) && GST_IS_PAD (pad));

  g_mutex_lock (&self->switching);
  gst_object_replace ((GstObject **) &self->next, GST_OBJECT (pad));
  g_mutex_unlock (&self->switching);
  gst_ivs_gate_request_key_unit (self, TRUE);
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
  gst_ivs_gate_wake (self);
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

GstClockTime
gst_ivs_gate_get_position (GstIvsGate *self)
{
  GstClockTime position = GST_CLOCK_TIME_NONE;

  g_mutex_lock (&self->lock);
  if (self->passed_segment.format == GST_FORMAT_TIME)
    position = gst_segment_to_stream_time (&self->passed_segment,
        GST_FORMAT_TIME, self->passed);
  g_mutex_unlock (&self->lock);
  return position;
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

/* The base time is another one now. */
static void
forget_clock (GstIvsGate *self)
{
  g_mutex_lock (&self->lock);
  self->reached = GST_CLOCK_STIME_NONE;
  g_mutex_unlock (&self->lock);
}

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
  self->shared->live_time = GST_CLOCK_STIME_NONE;
  g_mutex_unlock (&self->shared->lock);
  self->last_time = GST_CLOCK_STIME_NONE;
  self->frame_time = FRAME_TIME;
  self->budget = (GstIvsBudget){ 0 };

  gst_ivs_pacer_stop (self->pacer);
  gst_ivs_pacer_set_rate (self->pacer, 0);
  gst_ivs_gate_forget_metadata (self);
  g_mutex_lock (&self->lock);
  self->flushing = FALSE;
  self->passed = GST_CLOCK_TIME_NONE;
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
      forget_clock (self);
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
  g_mutex_clear (&((GstIvsSharedTime *) shared)->lock);
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
  g_free (self->upstream_id);
  gst_clear_object (&self->next);
  g_clear_pointer (&self->timer, gst_clock_id_unref);
  gst_clear_buffer_list (&self->spare_list);
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

  gst_ivs_gate_signals[GST_IVS_GATE_SIGNAL_EOS] =
      g_signal_new ("eos", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
          NULL, NULL, NULL, G_TYPE_NONE, 0);
  gst_ivs_gate_signals[GST_IVS_GATE_SIGNAL_FLOWING] =
      g_signal_new ("flowing", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
          NULL, NULL, NULL, G_TYPE_NONE, 0);
  gst_ivs_gate_signals[GST_IVS_GATE_SIGNAL_SWITCHED] =
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
  self->shared = g_atomic_rc_box_new0 (GstIvsSharedTime);
  g_mutex_init (&self->shared->lock);
  self->shared->live_time = GST_CLOCK_STIME_NONE;
  self->waiting = GST_CLOCK_TIME_NONE;
  self->passed = GST_CLOCK_TIME_NONE;
  self->reached = GST_CLOCK_STIME_NONE;
  self->stats.last_buffer = GST_CLOCK_TIME_NONE;
  self->last_time = GST_CLOCK_STIME_NONE;
  self->frame_time = FRAME_TIME;
  self->pacer = gst_ivs_pacer_new (gst_ivs_gate_parcel_due, self);
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
