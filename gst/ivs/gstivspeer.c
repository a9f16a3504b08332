/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One WebRTC connection to a stage: its negotiation, its life and its death.
 *
 * webrtcbin's own threads only post to the worker here: a state change of
 * webrtcbin from one of its callbacks would wait for itself for ever.
 */
#include "gstivspeer.h"

#include <string.h>
#include <gst/webrtc/webrtc.h>
#include "gstivsestimator.h"
#include "gstivsflight.h"
#include "gstivsfunnel.h"
#include "gstivshearing.h"
#include "gstivslists.h"
#include "gstivsretransmission.h"
#include "gstivssection.h"
#include "gstivswebrtc.h"
#include "ivs-error.h"
#include "ivs-offer.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_peer_debug);
#define GST_CAT_DEFAULT gst_ivs_peer_debug

/* "failed" may flap while candidates are tried (0.2 s measured). */
#define FAILED_DEBOUNCE_MS 1000

/* The last flight of the DTLS handshake leaves webrtcbin on a thread of its own, and
 * "connected" is told before (0.2 ms measured). Media that overtook it would find a
 * stage without a key, which drops the beginning of the first picture. It is seen when
 * it leaves; this is for a DTLS that looks different. */
#define LAST_FLIGHT_MS 30

struct _GstIvsPeer
{
  gint ref_count;

  /* Constant after gst_ivs_peer_new(). */
  GstBin *bin;
  GstIvsWorker *worker;
  GstElement *webrtcbin;
  GstIvsPeerEvents events;
  gpointer data;
  gboolean sends_fec; /* if the answer takes it */
  GstIvsHearing *hearing;

  /* Worker only. */
  GstIvsSection sections[GST_IVS_N_KINDS];
  GstWebRTCSessionDescription *offer;
  IvsAnswer *answer;
  gboolean is_connected;
  gboolean is_closed;
  guint n_pending; /* questions that webrtcbin has not answered yet */
  GSource *failed_timer;
  GSource *flight_timer;

  GstElement *estimator; /* inside webrtcbin, or NULL */
  GstIvsTwcc *twcc; /* or NULL: rtpsession does it, as the estimator wants */
  GstWebRTCDTLSTransport *transport;

  gint n_local_candidates; /* atomic: counted on the ICE thread */
  gint has_flight_left;    /* atomic: seen on the DTLS thread */

  /* webrtcbin's thread, while it works on a question of ours. */
  GstPad *socket_pad;
  gulong flight_probe;
  GstElement *retransmitter;
};

/* What webrtcbin's threads post to the worker. */
typedef struct
{
  GstIvsPeer *peer;
  GstPromise *promise; /* or NULL */
} Event;

static void init_debug (void);

static GstIvsPeer *
peer_ref (GstIvsPeer *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
gst_ivs_peer_unref (GstIvsPeer *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_clear_pointer (&self->offer, gst_webrtc_session_description_free);
  g_clear_pointer (&self->answer, ivs_answer_free);
  gst_ivs_hearing_unref (self->hearing);
  gst_clear_object (&self->estimator);
  g_clear_pointer (&self->twcc, gst_ivs_twcc_unref);
  gst_object_unref (self->webrtcbin);
  gst_ivs_worker_unref (self->worker);
  g_free (self);
}

static void
event_free (gpointer data)
{
  Event *event = data;

  g_clear_pointer (&event->promise, gst_promise_unref);
  gst_ivs_peer_unref (event->peer);
  g_free (event);
}

static void
post_event (GstIvsPeer *self, GstIvsWorkerFunc func, GstPromise *promise)
{
  Event *event = g_new (Event, 1);

  event->peer = peer_ref (self);
  event->promise = promise != NULL ? gst_promise_ref (promise) : NULL;
  gst_ivs_worker_call (self->worker, func, event, event_free);
}

static void
fail (GstIvsPeer *self, IvsFailureKind kind, const gchar *sentence)
{
  g_autoptr (GError) error = g_error_new_literal (IVS_ERROR, kind, sentence);

  self->events.failed (self, error, self->data);
}

static void
release_closure (gpointer data, GClosure *closure)
{
  gst_ivs_peer_unref (data);
}

static void
connect_until_closed (GstIvsPeer *self, gpointer object, const gchar *signal,
    GCallback callback)
{
  g_signal_connect_data (object, signal, callback, peer_ref (self),
      release_closure, 0);
}

static void
disconnect (GstIvsPeer *self, gpointer object)
{
  if (object != NULL)
    g_signal_handlers_disconnect_by_data (object, self);
}

static void finish_close (GstIvsPeer *self);

/* Every answer of webrtcbin comes by here. FALSE: nobody wants it any more. */
static gboolean
take_answer (GstIvsPeer *self)
{
  self->n_pending--;
  if (self->is_closed && self->n_pending == 0)
    finish_close (self);
  return !self->is_closed;
}

/* The reply of @promise, or NULL with the reason why there is none. */
static const GstStructure *
get_reply (GstPromise *promise, const gchar *what, gchar **ret_reason)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *reply = NULL;

  if (gst_promise_wait (promise) != GST_PROMISE_RESULT_REPLIED) {
    *ret_reason = g_strdup_printf ("webrtcbin did not answer %s", what);
    return NULL;
  }

  reply = gst_promise_get_reply (promise);
  if (reply != NULL &&
      gst_structure_get (reply, "error", G_TYPE_ERROR, &error, NULL)) {
    *ret_reason =
        g_strdup_printf ("webrtcbin refused %s: %s", what, error->message);
    return NULL;
  }

  return reply;
}

/* 1. A webrtcbin in the bin. */

/* On a thread of webrtcbin. */
static void
estimate_notified (GObject *estimator, GParamSpec *pspec, gpointer data)
{
  GstIvsPeer *self = data;

  gst_ivs_hearing_take_estimate (self->hearing,
      gst_ivs_estimator_get (GST_ELEMENT (estimator)));
}

/* Still floating: webrtcbin 1.22 sinks what it gets whether that floats or not, and
 * would keep a reference. */
static GstElement *
aux_sender_requested (GstElement *webrtcbin, GObject *transport, gpointer data)
{
  GstIvsPeer *self = data;

  return self->estimator != NULL ? gst_object_ref (self->estimator) : NULL;
}

static void
add_estimator (GstIvsPeer *self, const GstIvsSettings *settings)
{
  if (settings->congestion_control != GST_IVS_CONGESTION_CONTROL_GCC_ELEMENT)
    return;
  self->estimator = gst_ivs_estimator_new (settings);
  if (self->estimator == NULL)
    return;
  connect_until_closed (self, self->estimator, "notify::estimated-bitrate",
      G_CALLBACK (estimate_notified));
  connect_until_closed (self, self->webrtcbin, "request-aux-sender",
      G_CALLBACK (aux_sender_requested));
}

/* 2. A section for each kind: a request pad that has caps, but never a buffer. */

static gboolean
add_sections (GstIvsPeer *self, GstCaps *const caps[GST_IVS_N_KINDS],
    const GstIvsSettings *settings, GError **error)
{
  guint mline = 0;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (caps[kind] == NULL)
      continue;
    gst_ivs_hearing_add_stream (self->hearing, kind, caps[kind]);
    if (!gst_ivs_section_add (&self->sections[kind], self->webrtcbin, kind,
            mline++, caps[kind], settings)) {
      g_set_error (error, IVS_ERROR, IVS_FAILURE_WEBRTC,
          "webrtcbin did not accept the %s stream",
          kind == GST_IVS_AUDIO ? "audio" : "video");
      return FALSE;
    }
  }
  return TRUE;
}

/* 3. The offer. */

static void
offer_ready (gpointer data)
{
  Event *event = data;
  GstIvsPeer *self = event->peer;
  g_autofree gchar *reason = NULL;
  const GstStructure *reply = NULL;

  if (!take_answer (self))
    return;

  reply = get_reply (event->promise, "to make an offer", &reason);
  if (reply != NULL)
    gst_structure_get (reply, "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION,
        &self->offer, NULL);
  if (self->offer == NULL) {
    fail (self, IVS_FAILURE_WEBRTC,
        reason != NULL ? reason : "webrtcbin made an empty offer");
    return;
  }

  self->events.offered (self, self->offer->sdp, self->data);
}

/* The promise that was given away with the question comes back here. */
static void
offer_created (GstPromise *promise, gpointer data)
{
  post_event (data, offer_ready, promise);
  gst_promise_unref (promise);
}

/* One offer per webrtcbin, ever: a second one may abort the process. */
static void
create_offer (GstIvsPeer *self)
{
  GstPromise *promise = gst_promise_new_with_change_func (offer_created,
      peer_ref (self), (GDestroyNotify) gst_ivs_peer_unref);

  self->n_pending++;
  g_signal_emit_by_name (self->webrtcbin, "create-offer", NULL, promise);
}

/* 4. The answer: our description first, then theirs. */

/* A bin gives a clock to its children first and then to those that come later. What
 * webrtcbin adds in between, while the pipeline goes to PLAYING, has none for ever, and an
 * rtpsession without a clock has no time for the feedback that it gets. */
static void
hand_out_clock (GstIvsPeer *self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (self->webrtcbin);

  if (clock == NULL)
    clock = gst_element_get_clock (GST_ELEMENT (self->bin));
  if (clock != NULL)
    gst_element_set_clock (self->webrtcbin, clock);
}

static void
answer_ready (gpointer data)
{
  Event *event = data;
  GstIvsPeer *self = event->peer;
  g_autofree gchar *reason = NULL;

  if (!take_answer (self))
    return;

  get_reply (event->promise, "the answer", &reason);
  if (reason != NULL)
    fail (self, IVS_FAILURE_ANSWER, reason);
  else
    hand_out_clock (self);
}

static void
answer_set (GstPromise *promise, gpointer data)
{
  post_event (data, answer_ready, promise);
  gst_promise_unref (promise);
}

/* A stage on this computer is reached from 127.0.0.1, which libnice leaves out by
 * itself: on a machine without any network there would be no candidate at all. */
static void
choose_local_address (GstIvsPeer *self)
{
  g_autoptr (GstObject) ice = NULL;
  gboolean is_added = FALSE;
  const gchar *remote = self->answer->first_candidate;

  if (remote == NULL || !g_str_has_prefix (remote, "127."))
    return;

  g_object_get (self->webrtcbin, "ice-agent", &ice, NULL);
  if (ice != NULL &&
      g_signal_lookup ("add-local-ip-address", G_OBJECT_TYPE (ice)) != 0)
    g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &is_added);
  GST_DEBUG_OBJECT (self->webrtcbin, "loopback peer: 127.0.0.1 %s",
      is_added ? "added" : "not added");
}

void
gst_ivs_peer_apply_answer (GstIvsPeer *self, IvsAnswer *answer)
{
  GstPromise *promise = NULL;
  GstSDPMessage *sdp = NULL;
  GstWebRTCSessionDescription *description = NULL;

  g_return_if_fail (self->answer == NULL && self->offer != NULL);

  self->answer = answer;
  choose_local_address (self);

  promise = gst_promise_new ();
  g_signal_emit_by_name (self->webrtcbin, "set-local-description", self->offer,
      promise);
  gst_promise_unref (promise);

  gst_sdp_message_copy (answer->sdp, &sdp);
  description =
      gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, sdp);
  promise = gst_promise_new_with_change_func (answer_set, peer_ref (self),
      (GDestroyNotify) gst_ivs_peer_unref);
  self->n_pending++;
  g_signal_emit_by_name (self->webrtcbin, "set-remote-description", description,
      promise);
  gst_webrtc_session_description_free (description);
}

/* 5. Connected: but to whom? webrtcbin does not compare the certificate with the
 *    answer's fingerprint (RFC 8827 §5.6.4 asks for it), so it is done here,
 *    before any media leaves. */

static GstWebRTCDTLSTransport *
get_transport (GstIvsPeer *self)
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;
    g_autoptr (GstWebRTCRTPSender) sender = NULL;
    GstWebRTCDTLSTransport *transport = NULL;

    if (self->sections[kind].sink == NULL)
      continue;
    g_object_get (self->sections[kind].sink, "transceiver", &transceiver, NULL);
    g_object_get (transceiver, "sender", &sender, NULL);
    if (sender != NULL)
      g_object_get (sender, "transport", &transport, NULL);
    if (transport != NULL)
      return transport;
  }
  return NULL;
}

static void watch (GstIvsPeer *self);

static void
flight_left (gpointer data)
{
  GstIvsPeer *self = data;

  gst_ivs_timer_clear (&self->flight_timer);
  self->events.connected (self, self->data);
}

static void
flight_told (gpointer data)
{
  Event *event = data;

  if (event->peer->flight_timer != NULL)
    flight_left (event->peer);
}

static void
flight_seen (gpointer data)
{
  GstIvsPeer *self = data;

  g_atomic_int_set (&self->has_flight_left, TRUE);
  post_event (self, flight_told, NULL);
}

static void
verify (GstIvsPeer *self)
{
  g_autofree gchar *pem = NULL;
  g_autoptr (GError) error = NULL;

  self->transport = get_transport (self);
  if (self->transport != NULL)
    g_object_get (self->transport, "remote-certificate", &pem, NULL);
  if (!ivs_answer_certificate_matches (self->answer, pem, &error)) {
    self->events.failed (self, error, self->data);
    return;
  }

  self->is_connected = TRUE;
  watch (self);
  if (g_atomic_int_get (&self->has_flight_left))
    flight_left (self);
  else
    self->flight_timer = gst_ivs_worker_call_later (self->worker,
        LAST_FLIGHT_MS, flight_left, self);
}

static void
failed_for_good (gpointer data)
{
  GstIvsPeer *self = data;

  gst_ivs_timer_clear (&self->failed_timer);
  if (self->is_connected)
    fail (self, IVS_FAILURE_LOST, "The connection to the stage broke off");
  else
    fail (self, IVS_FAILURE_ICE,
        "No network path to the stage's media server was found");
}

static void
connection_changed (gpointer data)
{
  Event *event = data;
  GstIvsPeer *self = event->peer;
  GstWebRTCPeerConnectionState state;

  if (self->is_closed || self->answer == NULL)
    return;

  g_object_get (self->webrtcbin, "connection-state", &state, NULL);
  GST_DEBUG_OBJECT (self->webrtcbin, "connection state %d", state);

  if (state != GST_WEBRTC_PEER_CONNECTION_STATE_FAILED)
    gst_ivs_timer_clear (&self->failed_timer);

  switch (state) {
    case GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED:
      if (!self->is_connected)
        verify (self);
      break;
    case GST_WEBRTC_PEER_CONNECTION_STATE_FAILED:
      if (self->failed_timer == NULL)
        self->failed_timer = gst_ivs_worker_call_later (self->worker,
            FAILED_DEBOUNCE_MS, failed_for_good, self);
      break;
    case GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED:
      fail (self, self->is_connected ? IVS_FAILURE_LOST : IVS_FAILURE_DTLS,
          "The stage closed the media connection");
      break;
    default:
      break;
  }
}

/* 6. Is the other side still there? webrtcbin tells of a DTLS close by its transport
 *    only, and of a server that is gone not at all: RTCP's silence does. */

static void
dtls_changed (gpointer data)
{
  Event *event = data;
  GstIvsPeer *self = event->peer;
  GstWebRTCDTLSTransportState state;

  if (self->is_closed)
    return;

  g_object_get (self->transport, "state", &state, NULL);
  if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED)
    fail (self, IVS_FAILURE_LOST, "The stage closed the media connection");
  else if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_FAILED)
    fail (self, IVS_FAILURE_LOST, "The encrypted media connection failed");
}

static void
dtls_state_notified (GObject *transport, GParamSpec *pspec, gpointer data)
{
  post_event (data, dtls_changed, NULL);
}

static guint64
count_packets (gpointer data)
{
  GstIvsPeer *self = data;
  guint64 n_packets = 0;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    GstIvsGateStats stats = { 0 };

    if (self->sections[kind].gate != NULL)
      gst_ivs_gate_get_stats (self->sections[kind].gate, &stats);
    n_packets += stats.packets + stats.dropped;
  }
  return n_packets;
}

static void
became_silent (gint64 microseconds, gpointer data)
{
  GstIvsPeer *self = data;

  self->events.silent (self, microseconds, self->data);
}

static void
revived (gpointer data)
{
  GstIvsPeer *self = data;

  self->events.revived (self, self->data);
}

static const GstIvsHearingEvents hearing_events = {
  .count_packets = count_packets,
  .silent = became_silent,
  .revived = revived,
};

static void
watch (GstIvsPeer *self)
{
  g_autoptr (GstElement) rtpbin =
      gst_bin_get_by_name (GST_BIN (self->webrtcbin), "rtpbin");

  gst_ivs_hearing_begin (self->hearing, rtpbin,
      rtpbin != NULL ? gst_ivs_retransmission_bound (self->webrtcbin) : NULL,
      self->twcc);
  connect_until_closed (self, self->transport, "notify::state",
      G_CALLBACK (dtls_state_notified));
}

void
gst_ivs_peer_set_congestion (GstIvsPeer *self, GstIvsCongestion *congestion)
{
  gst_ivs_hearing_set_congestion (self->hearing, congestion);
}

/* On webrtcbin's threads. */

static void
connection_state_notified (GstElement *webrtcbin, GParamSpec *pspec,
    gpointer data)
{
  post_event (data, connection_changed, NULL);
}

/* From GStreamer 1.26 on an empty one says that there are no more. */
static void
local_candidate_found (GstElement *webrtcbin, guint mline,
    const gchar *candidate, gpointer data)
{
  GstIvsPeer *self = data;

  if (*candidate != '\0')
    g_atomic_int_inc (&self->n_local_candidates);
}

/* The bundle has one socket, and one element that retransmits. */
static void
element_added (GstBin *bin, GstBin *child, GstElement *element, gpointer data)
{
  GstIvsPeer *self = data;
  const gchar *type = G_OBJECT_TYPE_NAME (element);

  gst_ivs_funnel_quieten (element);
  if (!self->sends_fec)
    gst_ivs_lists_keep (element);
  if (self->twcc != NULL)
    gst_ivs_twcc_attach (self->twcc, element);
  if (g_str_equal (type, "GstRtpRtxSend"))
    g_set_object (&self->retransmitter, element);
  if (self->socket_pad != NULL || !g_str_equal (type, "GstNiceSink"))
    return;
  self->socket_pad = gst_element_get_static_pad (element, "sink");
  self->flight_probe = gst_ivs_flight_watch (self->socket_pad, flight_seen,
      peer_ref (self), (GDestroyNotify) gst_ivs_peer_unref);
}

static void
connect_signals (GstIvsPeer *self)
{
  connect_until_closed (self, self->webrtcbin, "notify::connection-state",
      G_CALLBACK (connection_state_notified));
  connect_until_closed (self, self->webrtcbin, "on-ice-candidate",
      G_CALLBACK (local_candidate_found));
  connect_until_closed (self, self->webrtcbin, "deep-element-added",
      G_CALLBACK (element_added));
}

GError *
gst_ivs_peer_explain_timeout (GstIvsPeer *self)
{
  GstWebRTCICEConnectionState ice;
  GstWebRTCICETransportPolicy policy;
  const gchar *remote =
      self->answer != NULL ? self->answer->first_candidate : NULL;

  g_object_get (self->webrtcbin, "ice-connection-state", &ice,
      "ice-transport-policy", &policy, NULL);

  if (g_atomic_int_get (&self->n_local_candidates) == 0 &&
      policy == GST_WEBRTC_ICE_TRANSPORT_POLICY_RELAY) {
    return g_error_new_literal (IVS_ERROR, IVS_FAILURE_ICE,
        "No TURN server relays for this computer, and ice-transport-policy=relay "
        "allows no other way: set turn-servers, or ice-transport-policy=all");
  }
  if (g_atomic_int_get (&self->n_local_candidates) == 0) {
    return g_error_new_literal (IVS_ERROR, IVS_FAILURE_NO_LOCAL_ADDRESS,
        "This computer has no network address to send media from");
  }
  if (ice == GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED ||
      ice == GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED) {
    return g_error_new (IVS_ERROR, IVS_FAILURE_DTLS,
        "The stage's media server %s is reached, but does not complete the DTLS handshake",
        remote != NULL ? remote : "");
  }
  return g_error_new (IVS_ERROR, IVS_FAILURE_CONNECT_TIMEOUT,
      "The stage's media server %s does not answer",
      remote != NULL ? remote : "");
}

/* The gates. */

gboolean
gst_ivs_peer_has_section (GstIvsPeer *self, GstIvsKind kind)
{
  return self->sections[kind].sink != NULL;
}

gboolean
gst_ivs_peer_await_gate (GstIvsPeer *self, GstIvsKind kind, GstIvsGate *gate)
{
  return !self->is_closed &&
      gst_ivs_section_await_gate (&self->sections[kind], gate);
}

gboolean
gst_ivs_peer_take_gate (GstIvsPeer *self, GstIvsKind kind, GstIvsGate *gate)
{
  return !self->is_closed &&
      gst_ivs_section_take_gate (&self->sections[kind], gate);
}

gboolean
gst_ivs_peer_set_gate (GstIvsPeer *self, GstIvsKind kind, GstIvsGate *gate)
{
  return !self->is_closed &&
      gst_ivs_section_set_gate (&self->sections[kind], gate);
}

void
gst_ivs_peer_get_report (GstIvsPeer *self, GstIvsKind kind,
    GstIvsReport *report)
{
  gst_ivs_hearing_get_report (self->hearing, kind, report);
  /* Only the video has RTX. */
  if (kind == GST_IVS_VIDEO && self->retransmitter != NULL)
    g_object_get (self->retransmitter, "num-rtx-packets",
        &report->retransmitted, NULL);
}

gboolean
gst_ivs_peer_owns (GstIvsPeer *self, GstObject *element)
{
  return element == GST_OBJECT (self->webrtcbin) ||
      gst_object_has_as_ancestor (element, GST_OBJECT (self->webrtcbin));
}

/* Life and death. */

/* In NULL before it leaves the bin: that takes its clock away, and RTCP which comes
 * without one is a CRITICAL. The pipeline may change its state at the same time and
 * reach for this child: the state lock is held until it is locked in NULL. */
static void
shut_down (GstIvsPeer *self)
{
  GST_STATE_LOCK (self->webrtcbin);
  gst_element_set_locked_state (self->webrtcbin, TRUE);
  gst_element_set_state (self->webrtcbin, GST_STATE_NULL);
  GST_STATE_UNLOCK (self->webrtcbin);
  gst_bin_remove (self->bin, self->webrtcbin);
}

static void
take_down (GstIvsPeer *self)
{
  shut_down (self);
  /* It has removed itself once it has seen what it waits for. */
  if (self->socket_pad != NULL && !g_atomic_int_get (&self->has_flight_left))
    gst_pad_remove_probe (self->socket_pad, self->flight_probe);
  gst_clear_object (&self->socket_pad);
  gst_clear_object (&self->retransmitter);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_section_clear (&self->sections[kind], self->webrtcbin);
}

static void
finish_close (GstIvsPeer *self)
{
  G_GNUC_UNUSED g_autoptr (GstIvsPeer) alive = peer_ref (self);

  take_down (self);
  self->events.closed (self, self->data);
}

/* Signals off first: webrtcbin announces "connected" once more while it is torn
 * down. While it works on an offer or an answer it adds transports, and one that
 * comes after NULL would run for ever: so its answer is waited for. */
void
gst_ivs_peer_close (GstIvsPeer *self)
{
  if (self->is_closed)
    return;

  self->is_closed = TRUE;
  gst_ivs_timer_clear (&self->failed_timer);
  gst_ivs_timer_clear (&self->flight_timer);
  gst_ivs_hearing_end (self->hearing);
  disconnect (self, self->webrtcbin);
  disconnect (self, self->transport);
  disconnect (self, self->estimator);
  gst_clear_object (&self->transport);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_section_unlink (&self->sections[kind]);
  if (self->n_pending == 0)
    finish_close (self);
}

/* A pipeline that goes on playing meanwhile has unlocked it before, or finds it so. */
static gboolean
play_in_pause (GstIvsPeer *self)
{
  gboolean plays;

  gst_element_set_locked_state (self->webrtcbin, TRUE);
  plays = gst_element_set_state (self->webrtcbin, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE;
  if (GST_STATE_TARGET (self->bin) == GST_STATE_PLAYING)
    gst_element_set_locked_state (self->webrtcbin, FALSE);
  return plays;
}

/* Its pads take caps from PAUSED on. When the element is on its way down, this one
 * comes too late and will be closed, but it shall not fail before. In a pause it plays
 * as the ones do that were there before: in PAUSED it would hear nothing. */
static gboolean
start_webrtcbin (GstIvsPeer *self, gboolean has_played)
{
  if (has_played && GST_STATE_TARGET (self->bin) == GST_STATE_PAUSED)
    return play_in_pause (self);
  if (!gst_element_sync_state_with_parent (self->webrtcbin))
    return FALSE;
  return GST_STATE (self->webrtcbin) >= GST_STATE_PAUSED ||
      gst_element_set_state (self->webrtcbin, GST_STATE_PAUSED) !=
      GST_STATE_CHANGE_FAILURE;
}

/* Before anybody knows of it. */
static void
give_up (GstIvsPeer *self)
{
  self->is_closed = TRUE;
  disconnect (self, self->webrtcbin);
  disconnect (self, self->estimator);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_section_unlink (&self->sections[kind]);
  take_down (self);
}

GstIvsPeer *
gst_ivs_peer_new (GstBin *bin, gboolean has_played, GstIvsWorker *worker,
    const GstIvsSettings *settings, GstCaps *const caps[GST_IVS_N_KINDS],
    const GstIvsPeerEvents *events, gpointer data, GError **error)
{
  static gint serial = 0;
  g_autofree gchar *name = NULL;
  g_autoptr (GstIvsPeer) self = NULL;
  GstElement *webrtcbin;

  init_debug ();
  name =
      g_strdup_printf (GST_IVS_PEER_NAME "-%d", g_atomic_int_add (&serial, 1));
  webrtcbin = gst_ivs_webrtc_make (name, settings, error);
  if (webrtcbin == NULL)
    return NULL;

  self = g_new0 (GstIvsPeer, 1);
  self->ref_count = 1;
  self->bin = bin;
  self->worker = gst_ivs_worker_ref (worker);
  self->events = *events;
  self->data = data;
  self->sends_fec = settings->do_fec;
  self->webrtcbin = webrtcbin;
  self->hearing = gst_ivs_hearing_new (worker, &hearing_events, self);

  add_estimator (self, settings);
  if (self->estimator == NULL)
    self->twcc = gst_ivs_twcc_new (IVS_TWCC_EXT_ID);
  connect_signals (self);
  gst_bin_add (bin, self->webrtcbin);
  if (!start_webrtcbin (self, has_played)) {
    g_set_error_literal (error, IVS_ERROR, IVS_FAILURE_WEBRTC,
        "webrtcbin could not be started");
    give_up (self);
    return NULL;
  }
  if (!add_sections (self, caps, settings, error)) {
    give_up (self);
    return NULL;
  }

  create_offer (self);
  return g_steal_pointer (&self);
}

static void
init_debug (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    GST_DEBUG_CATEGORY_INIT (gst_ivs_peer_debug, "ivspeer", 0,
        "ivsstagesink: the WebRTC connection");
    g_once_init_leave (&done, 1);
  }
}
