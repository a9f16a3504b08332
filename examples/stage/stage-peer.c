/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One webrtcbin that answers: the WebRTC half of a publisher and of a viewer.
 *
 * webrtcbin reports from its own threads. Everything that is a step (an answer,
 * a change of state) is handed to the main context first, because webrtcbin must
 * not be stopped from inside its own callbacks.
 */
#include "stage-peer.h"

#include <gst/sdp/sdp.h>
#include <string.h>

/* How long what a cut has held back is thrown away. */
#define DISCARD_MS 50

static guint patience_ms = 200; /* set before the first peer */

struct _StagePeer
{
  StagePeerEvents events;
  gpointer data;
  gboolean closed;    /* main context only */
  gboolean answering; /* main context only */

  GstElement *pipeline;
  GstElement *webrtc;
  GObject *agent;    /* the NiceAgent, or NULL */
  gchar *extmaps[2]; /* of the offer's sound and picture, or NULL */
  gboolean has_fec;  /* the offer has RED and ULPFEC for the picture */

  gint loss_percent; /* atomic */
  gint muted;        /* atomic: freeze drops in both directions */
  GRand *dice;       /* the ICE thread only */

  GMutex freeze_lock;
  GCond freeze_cond;
  gboolean frozen; /* freeze_lock */
};

/* -- Handing a step to the main context ------------------------------------ */

typedef void (*StagePeerStep) (StagePeer *peer, gpointer detail);

typedef struct
{
  StagePeer *peer;
  StagePeerStep step;
  gpointer detail;
  GDestroyNotify destroy;
} Call;

static gboolean
call_made (gpointer data)
{
  Call *call = data;

  if (!call->peer->closed)
    call->step (call->peer, call->detail);
  return G_SOURCE_REMOVE;
}

static void
call_freed (gpointer data)
{
  Call *call = data;

  if (call->destroy != NULL)
    call->destroy (call->detail);
  stage_peer_unref (call->peer);
  g_free (call);
}

/* Never g_main_context_invoke(): that would run it here and now if this thread
 * happened to own the context. */
static void
call_on_main (StagePeer *peer, StagePeerStep step, gpointer detail,
    GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Call *call = g_new0 (Call, 1);

  call->peer = stage_peer_ref (peer);
  call->step = step;
  call->detail = detail;
  call->destroy = destroy;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, call_made, call, call_freed);
  g_source_attach (source, NULL);
}

/* -- The answer, step by step ----------------------------------------------- */

static void
finish_answer (StagePeer *peer, const gchar *sdp, const GError *error)
{
  if (!peer->answering)
    return;
  peer->answering = FALSE;
  peer->events.answered (sdp, error, peer->data);
}

static void
fail_answer (StagePeer *peer, gpointer detail)
{
  finish_answer (peer, NULL, detail);
}

static gboolean
check_reply (GstPromise *promise, GError **error)
{
  const GstStructure *reply = NULL;

  if (gst_promise_wait (promise) == GST_PROMISE_RESULT_REPLIED)
    reply = gst_promise_get_reply (promise);
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
        "webrtcbin gave no reply");
  if (reply != NULL && gst_structure_has_field (reply, "error"))
    return gst_structure_get (reply, "error", G_TYPE_ERROR, error, NULL), FALSE;
  return error == NULL || *error == NULL;
}

static void
send_answer (StagePeer *peer, gpointer unused)
{
  g_autoptr (GstWebRTCSessionDescription) local = NULL;
  g_autofree gchar *sdp = NULL;

  g_object_get (peer->webrtc, "local-description", &local, NULL);
  if (local == NULL)
    return;
  sdp = gst_sdp_message_as_text (local->sdp);
  finish_answer (peer, sdp, NULL);
}

static void
gathering_changed (GstElement *webrtc, GParamSpec *spec, gpointer data)
{
  GstWebRTCICEGatheringState state;

  g_object_get (webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    call_on_main (data, send_answer, NULL, NULL);
}

static void
answer_created (GstPromise *promise, gpointer data)
{
  StagePeer *peer = data;
  GError *error = NULL;
  g_autoptr (GstWebRTCSessionDescription) answer = NULL;

  if (check_reply (promise, &error))
    gst_structure_get (gst_promise_get_reply (promise), "answer",
        GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &answer, NULL);
  if (answer != NULL)
    g_signal_emit_by_name (peer->webrtc, "set-local-description", answer, NULL);
  else
    call_on_main (peer, fail_answer,
        error ? error
              : g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED,
                    "webrtcbin made no answer"),
        (GDestroyNotify) g_error_free);
  gst_promise_unref (promise);
}

static void
create_answer (StagePeer *peer, gpointer unused)
{
  g_signal_emit_by_name (peer->webrtc, "create-answer", NULL,
      gst_promise_new_with_change_func (answer_created, stage_peer_ref (peer),
          (GDestroyNotify) stage_peer_unref));
}

static void
offer_set (GstPromise *promise, gpointer data)
{
  StagePeer *peer = data;
  GError *error = NULL;

  if (check_reply (promise, &error))
    call_on_main (peer, create_answer, NULL, NULL);
  else
    call_on_main (peer, fail_answer, error, (GDestroyNotify) g_error_free);
  gst_promise_unref (promise);
}

#define TWCC_URI \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* RFC 8285, 5: "extmap:3 URI", "extmap:3/sendonly URI". As a field of caps, or NULL:
 * it is not offered. */
static gchar *
find_extmap (const GstSDPMedia *media)
{
  const gchar *value = NULL;

  for (guint i = 0;
       (value = gst_sdp_media_get_attribute_val_n (media, "extmap", i)) != NULL;
       i++) {
    guint64 id = g_ascii_strtoull (value, NULL, 10);

    if (g_str_has_suffix (value, " " TWCC_URI) && id >= 1 && id <= 14)
      return g_strdup_printf (",extmap-%" G_GUINT64_FORMAT
                              "=(string)\"" TWCC_URI "\"",
          id);
  }
  return NULL;
}

static gboolean
has_codec (const GstSDPMedia *media, const gchar *name)
{
  const gchar *value = NULL;

  for (guint i = 0;
       (value = gst_sdp_media_get_attribute_val_n (media, "rtpmap", i)) != NULL;
       i++) {
    const gchar *space = strchr (value, ' ');

    if (space != NULL &&
        g_ascii_strncasecmp (space + 1, name, strlen (name)) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Whoever publishes may ask to be told what arrived when, as a stage does. webrtcbin
 * answers with it only if the codec preferences say so. */
static void
read_extmaps (StagePeer *peer, const GstSDPMessage *offer)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (offer, i);
    gchar **extmap = &peer->extmaps[g_strcmp0 (gst_sdp_media_get_media (media),
                                        "video") == 0];

    if (gst_sdp_media_get_attribute_val (media, "recvonly") != NULL)
      continue;
    if (*extmap == NULL)
      *extmap = find_extmap (media);
    peer->has_fec |=
        has_codec (media, "red/90000") && has_codec (media, "ulpfec/90000");
  }
}

void
stage_peer_answer (StagePeer *peer, const gchar *offer)
{
  GstSDPMessage *sdp = NULL;
  g_autoptr (GstWebRTCSessionDescription) description = NULL;

  g_return_if_fail (!peer->answering);
  peer->answering = TRUE;
  if (gst_sdp_message_new_from_text (offer, &sdp) != GST_SDP_OK) {
    call_on_main (peer, fail_answer,
        g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
            "The offer is no SDP"),
        (GDestroyNotify) g_error_free);
    return;
  }
  read_extmaps (peer, sdp);
  description =
      gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_OFFER, sdp);
  g_signal_emit_by_name (peer->webrtc, "set-remote-description", description,
      gst_promise_new_with_change_func (offer_set, stage_peer_ref (peer),
          (GDestroyNotify) stage_peer_unref));
}

/* -- What webrtcbin tells --------------------------------------------------- */

static void
tell_state (StagePeer *peer, gpointer detail)
{
  peer->events.state_changed (GPOINTER_TO_INT (detail), peer->data);
}

static void
state_changed (GstElement *webrtc, GParamSpec *spec, gpointer data)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtc, "connection-state", &state, NULL);
  call_on_main (data, tell_state, GINT_TO_POINTER (state), NULL);
}

static void
pad_added (GstElement *webrtc, GstPad *pad, gpointer data)
{
  StagePeer *peer = data;

  if (GST_PAD_IS_SRC (pad) && peer->events.pad_added != NULL)
    peer->events.pad_added (pad, peer->data);
}

static void
jitterbuffer_added (GstElement *rtpbin, GstElement *buffer, guint session,
    guint ssrc, gpointer data)
{
  StagePeer *peer = data;

  /* What is missing is asked for, as browsers and SFUs do, and not what is guessed to
   * be late: of a picture whose packets leave together that is every first one. */
  g_object_set (buffer, "rtx-next-seqnum", FALSE, NULL);
  if (peer->events.jitterbuffer_added != NULL)
    peer->events.jitterbuffer_added (buffer, ssrc, peer->data);
}

/* Only what this stage can carry, and retransmission for the picture only:
 * a browser that publishes refuses it for sound. */
static void
transceiver_added (GstElement *webrtc, GstWebRTCRTPTransceiver *transceiver,
    gpointer data)
{
  StagePeer *peer = data;
  GstWebRTCKind kind;
  gboolean is_video;
  const gchar *extmap;
  g_autofree gchar *text = NULL;
  g_autoptr (GstCaps) caps = NULL;

  g_object_get (transceiver, "kind", &kind, NULL);
  if (kind != GST_WEBRTC_KIND_VIDEO && kind != GST_WEBRTC_KIND_AUDIO)
    return;
  is_video = kind == GST_WEBRTC_KIND_VIDEO;
  extmap = peer->extmaps[is_video];
  text = g_strconcat ("application/x-rtp,",
      is_video ? "media=video,encoding-name=H264,clock-rate=90000"
               : "media=audio,encoding-name=OPUS,clock-rate=48000",
      extmap, NULL);
  caps = gst_caps_from_string (text);
  if (is_video && peer->has_fec)
    g_object_set (transceiver, "fec-type", GST_WEBRTC_FEC_TYPE_ULP_RED, NULL);
  g_object_set (transceiver, "codec-preferences", caps, "do-nack",
      kind == GST_WEBRTC_KIND_VIDEO, NULL);
}

/* -- Probes ----------------------------------------------------------------- */

static GstPadProbeReturn
rtp_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  StagePeer *peer = data;

  peer->events.rtp_received (GST_PAD_PROBE_INFO_BUFFER (info), peer->data);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
rtcp_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  StagePeer *peer = data;

  peer->events.rtcp_received (GST_PAD_PROBE_INFO_BUFFER (info), peer->data);
  return GST_PAD_PROBE_OK;
}

static void
rtpbin_pad_added (GstElement *rtpbin, GstPad *pad, gpointer data)
{
  StagePeer *peer = data;

  if (g_str_has_prefix (GST_PAD_NAME (pad), "recv_rtp_sink_") &&
      peer->events.rtp_received != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, rtp_passed, peer, NULL);
  else if (g_str_has_prefix (GST_PAD_NAME (pad), "recv_rtcp_sink_") &&
      peer->events.rtcp_received != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, rtcp_passed, peer, NULL);
}

/* RFC 5761, 4: with rtcp-mux 192..223 in the second byte means RTCP; RFC 7983:
 * 128..191 in the first means RTP or RTCP. */
static gboolean
is_media (GstBuffer *packet)
{
  guint8 head[2];

  return gst_buffer_extract (packet, 0, head, sizeof head) == sizeof head &&
      head[0] >= 128 && head[0] <= 191 && !(head[1] >= 192 && head[1] <= 223);
}

static gboolean
is_lost (StagePeer *peer, GstBuffer *packet)
{
  gint percent = g_atomic_int_get (&peer->loss_percent);

  return percent > 0 && is_media (packet) &&
      g_rand_int_range (peer->dice, 0, 100) < percent;
}

static gboolean
lose_some (GstBuffer **packet, guint i, gpointer data)
{
  if (is_lost (data, *packet))
    gst_clear_buffer (packet);
  return TRUE;
}

/* Lists come from libnice 0.1.23 on. */
static GstPadProbeReturn
came_from_network (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  StagePeer *peer = data;

  if (g_atomic_int_get (&peer->muted))
    return GST_PAD_PROBE_DROP;
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *packets =
        gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));

    gst_buffer_list_foreach (packets, lose_some, peer);
    info->data = packets;
    return gst_buffer_list_length (packets) > 0 ? GST_PAD_PROBE_OK
                                                : GST_PAD_PROBE_DROP;
  }
  return is_lost (peer, GST_PAD_PROBE_INFO_BUFFER (info)) ? GST_PAD_PROBE_DROP
                                                          : GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
goes_to_network (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  StagePeer *peer = data;

  return g_atomic_int_get (&peer->muted) ? GST_PAD_PROBE_DROP
                                         : GST_PAD_PROBE_OK;
}

static void
probe_transport (StagePeer *peer, GstElement *element)
{
  g_autoptr (GstPad) pad = NULL;
  const gchar *type = G_OBJECT_TYPE_NAME (element);

  if (g_strcmp0 (type, "GstNiceSrc") == 0) {
    pad = gst_element_get_static_pad (element, "src");
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
        came_from_network, peer, NULL);
  } else if (g_strcmp0 (type, "GstNiceSink") == 0) {
    pad = gst_element_get_static_pad (element, "sink");
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
        goes_to_network, peer, NULL);
  }
}

static void
element_added (GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer data)
{
  probe_transport (data, element);
}

/* -- Making and closing ------------------------------------------------------ */

static void
set_if_there (GObject *object, const gchar *name, gboolean value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (object), name) != NULL)
    g_object_set (object, name, value, NULL);
}

/* UPnP costs 200 ms, and ICE over TCP sockets that nobody here uses. A local
 * address that is named is used even when it is the loopback one, which libnice
 * would leave out: so a machine with nothing but `lo` will do. */
static void
set_up_ice (StagePeer *peer, const gchar *address)
{
  g_autoptr (GObject) ice = NULL;
  gboolean added = FALSE;

  g_object_get (peer->webrtc, "ice-agent", &ice, NULL);
  if (ice == NULL)
    return;
  g_object_get (ice, "agent", &peer->agent, NULL);
  if (peer->agent != NULL) {
    set_if_there (peer->agent, "upnp", FALSE);
    set_if_there (peer->agent, "ice-tcp", FALSE);
    set_if_there (peer->agent, "keepalive-conncheck", TRUE);
  }
  if (address != NULL)
    g_signal_emit_by_name (ice, "add-local-ip-address", address, &added);
}

static void
connect_signals (StagePeer *peer)
{
  g_autoptr (GstElement) rtpbin =
      gst_bin_get_by_name (GST_BIN (peer->webrtc), "rtpbin");

  g_signal_connect (peer->webrtc, "pad-added", G_CALLBACK (pad_added), peer);
  g_signal_connect (peer->webrtc, "on-new-transceiver",
      G_CALLBACK (transceiver_added), peer);
  g_signal_connect (peer->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (gathering_changed), peer);
  g_signal_connect (peer->webrtc, "notify::connection-state",
      G_CALLBACK (state_changed), peer);
  g_signal_connect (peer->webrtc, "deep-element-added",
      G_CALLBACK (element_added), peer);
  g_signal_connect (rtpbin, "pad-added", G_CALLBACK (rtpbin_pad_added), peer);
  g_signal_connect (rtpbin, "new-jitterbuffer", G_CALLBACK (jitterbuffer_added),
      peer);
  /* SRs otherwise run at double speed now and then (GStreamer 1.22). */
  g_object_set (rtpbin, "rtcp-sync-send-time", FALSE, NULL);
}

void
stage_peer_set_patience (guint ms)
{
  patience_ms = ms;
}

StagePeer *
stage_peer_new (const gchar *address, const StagePeerEvents *events,
    gpointer data, GError **error)
{
  g_autoptr (StagePeer) peer = g_atomic_rc_box_new0 (StagePeer);

  g_mutex_init (&peer->freeze_lock);
  g_cond_init (&peer->freeze_cond);
  peer->events = *events;
  peer->data = data;
  peer->dice = g_rand_new_with_seed (1);
  peer->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  peer->webrtc = gst_element_factory_make ("webrtcbin", NULL);
  if (peer->webrtc == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "There is no webrtcbin: install the GStreamer 'bad' plugins and libnice's");
    return NULL;
  }
  g_object_set (peer->webrtc, "bundle-policy",
      GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency", patience_ms, NULL);
  gst_bin_add (GST_BIN (peer->pipeline), peer->webrtc);
  set_up_ice (peer, address);
  connect_signals (peer);
  if (gst_element_set_state (peer->pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "webrtcbin does not start: are libnice's GStreamer plugin, dtls, srtp and rtpmanager there?");
    return NULL;
  }
  return g_steal_pointer (&peer);
}

StagePeer *
stage_peer_ref (StagePeer *peer)
{
  return g_atomic_rc_box_acquire (peer);
}

static void
clear_peer (gpointer data)
{
  StagePeer *peer = data;

  stage_peer_close (peer);
  g_clear_object (&peer->agent);
  gst_clear_object (&peer->pipeline);
  g_rand_free (peer->dice);
  for (guint i = 0; i < G_N_ELEMENTS (peer->extmaps); i++)
    g_free (peer->extmaps[i]);
  g_mutex_clear (&peer->freeze_lock);
  g_cond_clear (&peer->freeze_cond);
}

void
stage_peer_unref (StagePeer *peer)
{
  g_atomic_rc_box_release_full (peer, clear_peer);
}

GstBin *
stage_peer_get_pipeline (StagePeer *peer)
{
  return GST_BIN (peer->pipeline);
}

GstElement *
stage_peer_get_webrtc (StagePeer *peer)
{
  return peer->webrtc;
}

void
stage_peer_close (StagePeer *peer)
{
  g_autoptr (GstBus) bus = NULL;

  if (peer->closed)
    return;
  peer->closed = TRUE;
  stage_peer_freeze (peer, FALSE);
  g_atomic_int_set (&peer->muted, TRUE);
  if (peer->webrtc != NULL)
    g_signal_handlers_disconnect_by_data (peer->webrtc, peer);
  bus = gst_element_get_bus (peer->pipeline);
  gst_bus_set_flushing (bus, TRUE);
  gst_element_set_state (peer->pipeline, GST_STATE_NULL);
}

/* -- Misbehaviour ------------------------------------------------------------ */

static gboolean
wait_for_thaw (gpointer data)
{
  StagePeer *peer = data;

  g_mutex_lock (&peer->freeze_lock);
  while (peer->frozen)
    g_cond_wait (&peer->freeze_cond, &peer->freeze_lock);
  g_mutex_unlock (&peer->freeze_lock);
  return G_SOURCE_REMOVE;
}

/* A frozen server answers nothing, not even a STUN check: so the thread of the
 * ICE agent is held, and what other threads would send is dropped. */
void
stage_peer_freeze (StagePeer *peer, gboolean freeze)
{
  GMainContext *context = NULL;
  gboolean was_frozen;

  g_mutex_lock (&peer->freeze_lock);
  was_frozen = peer->frozen;
  peer->frozen = freeze;
  g_cond_broadcast (&peer->freeze_cond);
  g_mutex_unlock (&peer->freeze_lock);
  g_atomic_int_set (&peer->muted, freeze);
  if (!freeze || was_frozen || peer->agent == NULL)
    return;
  g_object_get (peer->agent, "main-context", &context, NULL);
  g_main_context_invoke_full (context, G_PRIORITY_HIGH, wait_for_thaw,
      stage_peer_ref (peer), (GDestroyNotify) stage_peer_unref);
}

static gboolean
line_is_clear (gpointer data)
{
  StagePeer *peer = data;

  g_mutex_lock (&peer->freeze_lock);
  if (!peer->closed && !peer->frozen)
    g_atomic_int_set (&peer->muted, FALSE);
  g_mutex_unlock (&peer->freeze_lock);
  return G_SOURCE_REMOVE;
}

/* What waits in the socket since the cut was never delivered. */
void
stage_peer_reconnect (StagePeer *peer)
{
  g_mutex_lock (&peer->freeze_lock);
  peer->frozen = FALSE;
  g_cond_broadcast (&peer->freeze_cond);
  g_mutex_unlock (&peer->freeze_lock);
  g_timeout_add_full (G_PRIORITY_DEFAULT, DISCARD_MS, line_is_clear,
      stage_peer_ref (peer), (GDestroyNotify) stage_peer_unref);
}

/* EOS on the sink of dtlsenc is its way to send close_notify. */
static void
close_dtls_of (const GValue *item, gpointer data)
{
  GstElement *encoder = g_value_get_object (item);
  gboolean *done = data;
  g_autoptr (GstPad) pad = NULL;

  if (g_strcmp0 (G_OBJECT_TYPE_NAME (encoder), "GstDtlsEnc") != 0)
    return;
  pad = gst_element_get_static_pad (encoder, "sink");
  if (pad == NULL)
    pad = gst_element_request_pad_simple (encoder, "sink");
  if (pad != NULL)
    *done |= gst_pad_send_event (pad, gst_event_new_eos ());
}

gboolean
stage_peer_close_dtls (StagePeer *peer)
{
  gboolean done = FALSE;
  GstIterator *elements = gst_bin_iterate_recurse (GST_BIN (peer->pipeline));

  while (gst_iterator_foreach (elements, close_dtls_of, &done) ==
      GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
  gst_iterator_free (elements);
  return done;
}

void
stage_peer_set_loss (StagePeer *peer, guint percent)
{
  g_atomic_int_set (&peer->loss_percent, (gint) MIN (percent, 100));
}
