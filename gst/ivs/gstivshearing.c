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
  guint64 n_packets; /* that had come at the last look */
  gint64 grown_us;   /* when there were more than at the look before */
  GstPad *rtcp_pad;  /* where RTCP comes by, on a thread of its own */
  gulong rtcp_probe;

  /* Constant once it has begun, or NULL. */
  GstIvsRetransmissionCount *n_repeated;
  GstIvsTwcc *twcc;

  /* RTCP's thread. */
  IvsRatePacket *packets; /* (array length=IVS_TWCC_MEMORY): room for them */

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
  g_clear_pointer (&self->twcc, gst_ivs_twcc_unref);
  g_free (self->packets);
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

/* With lock. */
static void
tell_repeated (GstIvsHearing *self, GstIvsCongestion *congestion)
{
  if (self->n_repeated != NULL)
    gst_ivs_congestion_set_repeated (congestion,
        gst_ivs_retransmission_count_get (self->n_repeated));
}

static void
feedback_received (const guint8 *fci, gsize size, gpointer data)
{
  GstIvsHearing *self = data;
  guint n = gst_ivs_twcc_read (self->twcc, fci, size, self->packets);

  if (self->congestion == NULL)
    return;
  tell_repeated (self, self->congestion);
  gst_ivs_congestion_take_feedback (self->congestion, self->packets, n);
}

/* Returns whether it was silent before. */
static gboolean
hear (GstIvsHearing *self, GstBuffer *compound)
{
  gboolean was_silent = FALSE;
  gboolean is_report = FALSE;

  g_mutex_lock (&self->lock);
  is_report = gst_ivs_rtcp_read (compound, gst_ivs_rtcp_get_ntp_time (),
      self->reports, self->twcc != NULL ? feedback_received : NULL, self);
  gst_ivs_liveness_heard (&self->liveness, is_report, g_get_monotonic_time ());
  if (is_report && self->congestion != NULL) {
    tell_repeated (self, self->congestion);
    gst_ivs_congestion_take_reports (self->congestion, self->reports);
  }
  was_silent = self->is_silent;
  self->is_silent = FALSE;
  g_mutex_unlock (&self->lock);
  return was_silent;
}

/* What is read here need not be read once more: rtpsession would. */
static GstPadProbeReturn
rtcp_received (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsHearing *self = data;
  GstBuffer *compound = GST_PAD_PROBE_INFO_BUFFER (info);

  if (hear (self, compound))
    gst_ivs_worker_call (self->worker, revived, gst_ivs_hearing_ref (self),
        (GDestroyNotify) gst_ivs_hearing_unref);
  if (self->twcc == NULL)
    return GST_PAD_PROBE_OK;
  info->data = gst_ivs_rtcp_leave_out_twcc (compound);
  return info->data != NULL ? GST_PAD_PROBE_OK : GST_PAD_PROBE_HANDLED;
}

/* From the beginning to the end. */

static void
watch_rtcp (GstIvsHearing *self, GstElement *rtpbin)
{
  g_autoptr (GstElement) session = NULL;

  g_signal_emit_by_name (rtpbin, "get-session", 0, &session);
  if (session != NULL)
    self->rtcp_pad = gst_element_get_static_pad (session, "recv_rtcp_sink");
  if (self->rtcp_pad == NULL) {
    GST_INFO_OBJECT (rtpbin, "no place to hear RTCP at");
    return;
  }
  self->rtcp_probe = gst_pad_add_probe (self->rtcp_pad,
      GST_PAD_PROBE_TYPE_BUFFER, rtcp_received, gst_ivs_hearing_ref (self),
      (GDestroyNotify) gst_ivs_hearing_unref);
}

/* Five seconds by default, and two streams take turns: a viewer would wait that long for
 * lip-sync. RFC 3550 6.2 allows less where the bandwidth does. */
static void
report_often (GstElement *rtpbin)
{
  g_autoptr (GObject) session = NULL;

  g_signal_emit_by_name (rtpbin, "get-internal-session", 0, &session);
  if (session != NULL)
    g_object_set (session, "rtcp-min-interval", RTCP_INTERVAL, NULL);
}

void
gst_ivs_hearing_begin (GstIvsHearing *self, GstElement *rtpbin,
    GstIvsRetransmissionCount *n_repeated, GstIvsTwcc *twcc)
{
  self->n_repeated = n_repeated;
  if (twcc != NULL) {
    self->twcc = gst_ivs_twcc_ref (twcc);
    self->packets = g_new (IvsRatePacket, IVS_TWCC_MEMORY);
  }
  if (rtpbin != NULL) {
    report_often (rtpbin);
    watch_rtcp (self, rtpbin);
  }
  arm_liveness_timer (self);
}

void
gst_ivs_hearing_end (GstIvsHearing *self)
{
  self->has_ended = TRUE;
  gst_ivs_timer_clear (&self->liveness_timer);
  if (self->rtcp_probe != 0)
    gst_pad_remove_probe (self->rtcp_pad, self->rtcp_probe);
  self->rtcp_probe = 0;
  gst_clear_object (&self->rtcp_pad);
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
