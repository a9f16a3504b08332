/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every answer that ivs_answer_new() accepts is one that a real webrtcbin takes.
 *
 * webrtcbin makes the offer, as the product has it made; each row of
 * answer-cases.h is judged against it, repaired and given to set-remote-
 * description, whose promise must come back without an error. A warning of GLib
 * ends the test (G_DEBUG=fatal-warnings).
 */
#include "end-gstreamer.h"
#include "answer-cases.h"
#include "no-error-posted.h"
#include "ivs-offer.h"

#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>

#define AUDIO_CAPS \
  "application/x-rtp, media=(string)audio, encoding-name=(string)OPUS, " \
  "payload=(int)96, clock-rate=(int)48000, encoding-params=(string)2, " \
  "ssrc=(uint)1234567, extmap-1=(string)\"" IVS_TWCC_EXT_URI "\""
#define VIDEO_CAPS \
  "application/x-rtp, media=(string)video, encoding-name=(string)H264, " \
  "payload=(int)97, clock-rate=(int)90000, packetization-mode=(string)1, " \
  "ssrc=(uint)7654321, extmap-1=(string)\"" IVS_TWCC_EXT_URI "\""

typedef struct
{
  GstElement *pipeline;
  GstElement *webrtcbin;
} Peer;

static void
set_send_only (GstWebRTCRTPTransceiver *transceiver, gboolean do_nack)
{
  g_object_set (transceiver, "direction",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "do-nack", do_nack, NULL);
}

/* UPnP would only make the gathering slow, and leaks (libnice 0.1.21). */
static void
switch_off_upnp (Peer *peer)
{
  g_autoptr (GObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;

  g_object_get (peer->webrtcbin, "ice-agent", &ice, NULL);
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "upnp", FALSE, NULL);
}

/* A pad with complete caps. */
static void
add_pad (Peer *peer, const gchar *pad_name, const gchar *caps_text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  GstElement *filter = gst_element_factory_make ("capsfilter", NULL);
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_object_set (filter, "caps", caps, NULL);
  gst_bin_add (GST_BIN (peer->pipeline), filter);
  g_assert_true (
      gst_element_link_pads (filter, "src", peer->webrtcbin, pad_name));

  pad = gst_element_get_static_pad (peer->webrtcbin, pad_name);
  g_object_get (pad, "transceiver", &transceiver, NULL);
  set_send_only (transceiver,
      strstr (caps_text, "media=(string)video") != NULL);
}

/* webrtcbin must have seen the caps, or RTX gets the payload type of audio. */
static void
send_caps (Peer *peer, const gchar *pad_name, const gchar *caps_text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (peer->webrtcbin, pad_name);
  g_autoptr (GstCaps) seen = NULL;

  g_assert_true (
      gst_pad_send_event (pad, gst_event_new_stream_start (pad_name)));
  g_assert_true (gst_pad_send_event (pad, gst_event_new_caps (caps)));

  seen = gst_pad_get_current_caps (pad);
  g_assert_true (gst_caps_is_equal (seen, caps));
}

static void
add_dummy_video (Peer *peer)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (VIDEO_CAPS);
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (peer->webrtcbin, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, caps, &transceiver);
  g_assert_nonnull (transceiver);
  set_send_only (transceiver, TRUE);
}

static void
start_peer (Peer *peer, gboolean dummy_video)
{
  peer->pipeline = gst_pipeline_new (NULL);
  peer->webrtcbin = gst_element_factory_make ("webrtcbin", NULL);
  g_assert_nonnull (peer->webrtcbin);
  gst_util_set_object_arg (G_OBJECT (peer->webrtcbin), "bundle-policy",
      "max-bundle");
  gst_bin_add (GST_BIN (peer->pipeline), peer->webrtcbin);
  switch_off_upnp (peer);

  add_pad (peer, "sink_0", AUDIO_CAPS);
  if (dummy_video)
    add_dummy_video (peer);
  else
    add_pad (peer, "sink_1", VIDEO_CAPS);

  g_assert_cmpint (gst_element_set_state (peer->pipeline, GST_STATE_PLAYING),
      !=, GST_STATE_CHANGE_FAILURE);

  send_caps (peer, "sink_0", AUDIO_CAPS);
  if (!dummy_video)
    send_caps (peer, "sink_1", VIDEO_CAPS);
}

static void
stop_peer (Peer *peer)
{
  gst_element_set_state (peer->pipeline, GST_STATE_NULL);
  gst_clear_object (&peer->pipeline);
}

/* Waits for the reply of @signal, which has no error. */
static GstPromise *
call (Peer *peer, const gchar *signal, gpointer argument)
{
  GstPromise *promise = gst_promise_new ();
  const GstStructure *reply;

  g_signal_emit_by_name (peer->webrtcbin, signal, argument, promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);

  reply = gst_promise_get_reply (promise);
  if (reply != NULL && gst_structure_has_field (reply, "error")) {
    g_autoptr (GError) error = NULL;

    gst_structure_get (reply, "error", G_TYPE_ERROR, &error, NULL);
    g_assert_no_error (error);
  }

  return promise;
}

static GstWebRTCSessionDescription *
make_offer (Peer *peer)
{
  g_autoptr (GstPromise) made = call (peer, "create-offer", NULL);
  g_autoptr (GstPromise) set = NULL;
  GstWebRTCSessionDescription *offer = NULL;

  gst_structure_get (gst_promise_get_reply (made), "offer",
      GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL);
  g_assert_nonnull (offer);
  set = call (peer, "set-local-description", offer);

  return offer;
}

static void
give_answer (const AnswerCase *row, gboolean dummy_video)
{
  Peer peer;
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  g_autofree gchar *text = make_answer (row);
  g_autoptr (IvsAnswer) answer = NULL;
  g_autoptr (GstPromise) set = NULL;
  g_autoptr (GError) error = NULL;
  GstSDPMessage *copy = NULL;
  GstWebRTCSignalingState state;

  start_peer (&peer, dummy_video);
  offer = make_offer (&peer);

  answer = ivs_answer_new (text, strlen (text), "application/sdp", offer->sdp,
      &error);
  g_assert_no_error (error);
  gst_sdp_message_copy (answer->sdp, &copy);
  description =
      gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, copy);
  set = call (&peer, "set-remote-description", description);

  g_object_get (peer.webrtcbin, "signaling-state", &state, NULL);
  g_assert_cmpint (state, ==, GST_WEBRTC_SIGNALING_STATE_STABLE);
  /* An error of an inner element would reach the bus, too. */
  assert_no_error_posted (peer.pipeline);
  stop_peer (&peer);
}

static void
answer_taken_with_video (gconstpointer data)
{
  give_answer (data, FALSE);
}

static void
answer_taken_with_dummy (gconstpointer data)
{
  give_answer (data, TRUE);
}

/* The promise does tell: without its repair the answer is an error. */
static void
unrepaired_answer_refused (void)
{
  AnswerCase row = { "", "chromium",
    { { EVERYWHERE, "a=setup", "a=setup:actpass" } } };
  g_autofree gchar *text = make_answer (&row);
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  g_autoptr (GstWebRTCSessionDescription) description = NULL;
  g_autoptr (GstPromise) promise = gst_promise_new ();
  GstSDPMessage *sdp = NULL;
  Peer peer;

  start_peer (&peer, FALSE);
  offer = make_offer (&peer);
  gst_sdp_message_new_from_text (text, &sdp);
  description =
      gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, sdp);
  g_signal_emit_by_name (peer.webrtcbin, "set-remote-description", description,
      promise);
  gst_promise_wait (promise);
  g_assert_nonnull (gst_promise_get_reply (promise));
  g_assert_true (
      gst_structure_has_field (gst_promise_get_reply (promise), "error"));
  stop_peer (&peer);
}

/* What the product posts comes from a real offer: it obeys the rules. */
static void
offer_is_what_a_stage_takes (gconstpointer data)
{
  const IvsOfferWish wish = { TRUE, TRUE, 2, 64000, TRUE };
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;
  Peer peer;

  start_peer (&peer, GPOINTER_TO_INT (data));
  offer = make_offer (&peer);
  text = ivs_offer_to_posted_text (offer->sdp, &wish, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, "a=fmtp:97 packetization-mode=1"));
  stop_peer (&peer);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/answer-webrtcbin/offer/video", GINT_TO_POINTER (0),
      offer_is_what_a_stage_takes);
  g_test_add_data_func ("/answer-webrtcbin/offer/dummy", GINT_TO_POINTER (1),
      offer_is_what_a_stage_takes);
  g_test_add_func ("/answer-webrtcbin/unrepaired", unrepaired_answer_refused);

  for (guint i = 0; i < G_N_ELEMENTS (answer_cases); i++) {
    const AnswerCase *row = &answer_cases[i];
    g_autofree gchar *video =
        g_strconcat ("/answer-webrtcbin/video/", row->name, NULL);
    g_autofree gchar *dummy =
        g_strconcat ("/answer-webrtcbin/dummy/", row->name, NULL);

    if (row->failure != OK)
      continue;
    g_test_add_data_func (video, row, answer_taken_with_video);
    g_test_add_data_func (dummy, row, answer_taken_with_dummy);
  }

  result = g_test_run ();
  end_gstreamer ();
  return result;
}
