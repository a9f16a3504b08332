/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is heard of the other side of a connection: its reports, its feedback, its silence.
 */
#include "gstivshearing.h"

#include "gstivsliveness.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_hearing_debug);
#define GST_CAT_DEFAULT gst_ivs_hearing_debug

/* Between two of our sender reports. */
#define RTCP_INTERVAL GST_SECOND
/* At most this long between two looks at the liveness. */
#define LIVENESS_CHECK_MS 2000
/* Without a packet for so long nothing is sent; two looks may be closer together. */
#define PAUSE_US G_USEC_PER_SEC

struct _GstIvsHearing
{
  gint ref_count;

  /* Constant. */
  GstIvsWorker *worker;
  GstIvsHearingEvents events;
  gpointer data;

  /* Worker only. */
  gboolean has_ended;
  GSource *liveness_timer;
  guint64 n_packets;    /* that had come at the last look */
  gint64 grown_us;      /* when there were more than at the look before */
  GObject *rtp_session; /* its signal tells of RTCP */
  GstPad *feedback_pad; /* where transport-wide feedback comes by */
  gulong feedback_probe;

  GstIvsRetransmissionCount
      *n_repeated; /* or NULL; constant once it has begun */

  GMutex lock; /* protects what RTCP's thread writes: */
  GstIvsLiveness liveness;
  GstIvsReport reports[GST_IVS_N_KINDS];
  GstIvsCongestion *congestion; /* or NULL */
  gboolean is_silent;
};

static void init_debug (void);

GstIvsHearing *
gst_ivs_hearing_ref (GstIvsHearing *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
gst_ivs_hearing_unref (GstIvsHearing *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_clear_pointer (&self->congestion, gst_ivs_congestion_unref);
  g_clear_pointer (&self->n_repeated, gst_ivs_retransmission_count_unref);
  g_mutex_clear (&self->lock);
  gst_ivs_worker_unref (self->worker);
  g_free (self);
}

GstIvsHearing *
gst_ivs_hearing_new (GstIvsWorker *worker, const GstIvsHearingEvents *events,
    gpointer data)
{
  GstIvsHearing *self = g_new0 (GstIvsHearing, 1);

  init_debug ();
  self->ref_count = 1;
  self->worker = gst_ivs_worker_ref (worker);
  self->events = *events;
  self->data = data;
  g_mutex_init (&self->lock);
  return self;
}

void
gst_ivs_hearing_add_stream (GstIvsHearing *self, GstIvsKind kind, GstCaps *caps)
{
  GstIvsReport *report = &self->reports[kind];
  const GstStructure *stream = gst_caps_get_structure (caps, 0);
  gint clock_rate = 0;

  gst_structure_get_uint (stream, "ssrc", &report->ssrc);
  gst_structure_get_int (stream, "clock-rate", &clock_rate);
  report->clock_rate = (guint) clock_rate;
  report->round_trip = GST_CLOCK_TIME_NONE;
}

/* Where it goes. */

void
gst_ivs_hearing_set_congestion (GstIvsHearing *self,
    GstIvsCongestion *congestion)
{
  GstIvsCongestion *before = NULL;

  g_mutex_lock (&self->lock);
  before = self->congestion;
  self->congestion =
      congestion != NULL ? gst_ivs_congestion_ref (congestion) : NULL;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&before, gst_ivs_congestion_unref);
}

static GstIvsCongestion *
ref_congestion (GstIvsHearing *self)
{
  GstIvsCongestion *congestion = NULL;

  g_mutex_lock (&self->lock);
  if (self->congestion != NULL)
    congestion = gst_ivs_congestion_ref (self->congestion);
  g_mutex_unlock (&self->lock);
  return congestion;
}

void
gst_ivs_hearing_take_estimate (GstIvsHearing *self, guint bps)
{
  g_autoptr (GstIvsCongestion) congestion = ref_congestion (self);

  if (congestion != NULL)
    gst_ivs_congestion_take_estimate (congestion, bps);
}

void
gst_ivs_hearing_get_report (GstIvsHearing *self, GstIvsKind kind,
    GstIvsReport *report)
{
  g_mutex_lock (&self->lock);
  *report = self->reports[kind];
  g_mutex_unlock (&self->lock);
}

/* Is the other side still there? */

static void arm_liveness_timer (GstIvsHearing *self);

static void
check_liveness (gpointer data)
{
  GstIvsHearing *self = data;
  gint64 now = g_get_monotonic_time ();
  guint64 n_packets = self->events.count_packets (self->data);
  gint64 silent_since = 0;

  if (n_packets > self->n_packets)
    self->grown_us = now;
  self->n_packets = n_packets;
  gst_ivs_timer_clear (&self->liveness_timer);
  g_mutex_lock (&self->lock);
  gst_ivs_liveness_set_sending (&self->liveness,
      now - self->grown_us < PAUSE_US, now);
  self->is_silent = now >= gst_ivs_liveness_get_deadline (&self->liveness);
  if (self->is_silent)
    silent_since = self->liveness.feedback.last_us;
  g_mutex_unlock (&self->lock);

  if (silent_since != 0)
    self->events.silent (now - silent_since, self->data);
  else
    arm_liveness_timer (self);
}

/* At the deadline as it stands: when that moves on, the timer finds out and waits
 * again. A side that was never heard is looked at now and then. */
static void
arm_liveness_timer (GstIvsHearing *self)
{
  gint64 wait_us = 0;

  g_mutex_lock (&self->lock);
  wait_us =
      gst_ivs_liveness_get_deadline (&self->liveness) - g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);

  gst_ivs_timer_clear (&self->liveness_timer);
  self->liveness_timer = gst_ivs_worker_call_later (self->worker,
      CLAMP (wait_us / 1000 + 1, 1, LIVENESS_CHECK_MS), check_liveness, self);
}

static void
revived (gpointer data)
{
  GstIvsHearing *self = data;

  if (self->has_ended)
    return;

  self->events.revived (self->data);
  if (!self->has_ended)
    arm_liveness_timer (self);
}

/* On RTCP's thread. */

/* With lock, or a reference to the congestion. */
static void
tell_repeated (GstIvsHearing *self, GstIvsCongestion *congestion)
{
  if (self->n_repeated != NULL)
    gst_ivs_congestion_set_repeated (congestion,
        gst_ivs_retransmission_count_get (self->n_repeated));
}

static void
rtcp_received (GObject *rtp_session, GstBuffer *buffer, gpointer data)
{
  GstIvsHearing *self = data;
  gboolean was_silent = FALSE;
  gboolean is_report = FALSE;

  g_mutex_lock (&self->lock);
  is_report =
      gst_ivs_rtcp_read (buffer, gst_ivs_rtcp_get_ntp_time (), self->reports);
  gst_ivs_liveness_heard (&self->liveness, is_report, g_get_monotonic_time ());
  if (is_report && self->congestion != NULL) {
    tell_repeated (self, self->congestion);
    gst_ivs_congestion_take_reports (self->congestion, self->reports);
  }
  was_silent = self->is_silent;
  self->is_silent = FALSE;
  g_mutex_unlock (&self->lock);

  if (was_silent)
    gst_ivs_worker_call (self->worker, revived, gst_ivs_hearing_ref (self),
        (GDestroyNotify) gst_ivs_hearing_unref);
}

/* rtpsession sends what a transport-wide feedback said of each packet upstream. It
 * ends here: it is no business of whoever makes our media. */
static GstPadProbeReturn
upstream_event_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsHearing *self = data;
  const GstStructure *structure =
      gst_event_get_structure (GST_PAD_PROBE_INFO_EVENT (info));
  g_autoptr (GstIvsCongestion) congestion = NULL;

  if (structure == NULL ||
      !gst_structure_has_name (structure, "RTPTWCCPackets"))
    return GST_PAD_PROBE_OK;

  congestion = ref_congestion (self);
  if (congestion != NULL) {
    tell_repeated (self, congestion);
    gst_ivs_congestion_take_feedback (congestion, structure);
  }
  return GST_PAD_PROBE_DROP;
}

/* From the beginning to the end. */

static void
watch_feedback (GstIvsHearing *self, GstElement *rtpbin)
{
  self->feedback_pad = gst_element_get_static_pad (rtpbin, "send_rtp_sink_0");
  if (self->feedback_pad == NULL) {
    GST_INFO_OBJECT (rtpbin, "no place to see feedback at");
    return;
  }
  self->feedback_probe = gst_pad_add_probe (self->feedback_pad,
      GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, upstream_event_passed,
      gst_ivs_hearing_ref (self), (GDestroyNotify) gst_ivs_hearing_unref);
}

static void
release_closure (gpointer data, GClosure *closure)
{
  gst_ivs_hearing_unref (data);
}

static void
watch_rtcp (GstIvsHearing *self, GstElement *rtpbin)
{
  g_signal_emit_by_name (rtpbin, "get-internal-session", 0, &self->rtp_session);
  if (self->rtp_session == NULL)
    return;
  /* Five seconds by default, and two streams take turns: a viewer would wait
   * that long for lip-sync. RFC 3550 6.2 allows less where the bandwidth does. */
  g_object_set (self->rtp_session, "rtcp-min-interval", RTCP_INTERVAL, NULL);
  g_signal_connect_data (self->rtp_session, "on-receiving-rtcp",
      G_CALLBACK (rtcp_received), gst_ivs_hearing_ref (self), release_closure,
      0);
}

void
gst_ivs_hearing_begin (GstIvsHearing *self, GstElement *rtpbin,
    GstIvsRetransmissionCount *n_repeated)
{
  self->n_repeated = n_repeated;
  if (rtpbin != NULL) {
    watch_feedback (self, rtpbin);
    watch_rtcp (self, rtpbin);
  }
  arm_liveness_timer (self);
}

void
gst_ivs_hearing_end (GstIvsHearing *self)
{
  self->has_ended = TRUE;
  gst_ivs_timer_clear (&self->liveness_timer);
  if (self->rtp_session != NULL)
    g_signal_handlers_disconnect_by_data (self->rtp_session, self);
  g_clear_object (&self->rtp_session);
  if (self->feedback_probe != 0)
    gst_pad_remove_probe (self->feedback_pad, self->feedback_probe);
  self->feedback_probe = 0;
  gst_clear_object (&self->feedback_pad);
}

static void
init_debug (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    GST_DEBUG_CATEGORY_INIT (gst_ivs_hearing_debug, "ivshearing", 0,
        "ivsstagesink: what is heard of the other side");
    g_once_init_leave (&done, 1);
  }
}
