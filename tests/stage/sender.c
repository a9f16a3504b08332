/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bare WHIP publisher: test sources, webrtcbin and one POST.
 */
#include "sender.h"

#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <string.h>

#include <gst/webrtc/webrtc.h>

struct _Sender
{
  GstElement *pipeline;
  GstElement *webrtc;
  gchar *offer;
};

#define PIPELINE \
  "webrtcbin name=webrtc bundle-policy=max-bundle " \
  "audiotestsrc is-live=true wave=ticks ! opusenc ! rtpopuspay pt=96 ! " \
  "application/x-rtp,media=audio,encoding-name=OPUS,payload=96," \
  "clock-rate=48000 ! webrtc.sink_0 " \
  "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! " \
  "x264enc tune=zerolatency sliced-threads=false threads=1 " \
  "speed-preset=ultrafast key-int-max=30 bitrate=500 ! " \
  "video/x-h264,profile=constrained-baseline ! " \
  "rtph264pay pt=97 config-interval=-1 aggregate-mode=zero-latency ! " \
  "application/x-rtp,media=video,encoding-name=H264,payload=97," \
  "clock-rate=90000 ! webrtc.sink_1"

/* The agent has to use the loopback interface, like the stage. */
static void
set_up_ice (Sender *sender)
{
  g_autoptr (GObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;
  gboolean added;

  g_object_get (sender->webrtc, "ice-agent", &ice, NULL);
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "upnp", FALSE, "ice-tcp", FALSE, NULL);
  g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &added);
}

/* Else 1.22's sender reports run at double speed in some runs. */
static void
set_up_reports (Sender *sender)
{
  g_autoptr (GstElement) rtpbin =
      gst_bin_get_by_name (GST_BIN (sender->webrtc), "rtpbin");

  g_object_set (rtpbin, "rtcp-sync-send-time", FALSE, NULL);
}

static void
set_send_only (Sender *sender)
{
  GArray *transceivers = NULL;

  g_signal_emit_by_name (sender->webrtc, "get-transceivers", &transceivers);
  for (guint i = 0; i < transceivers->len; i++)
    g_object_set (g_array_index (transceivers, GObject *, i), "direction",
        GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, NULL);
  g_array_unref (transceivers);
}

Sender *
sender_new (void)
{
  Sender *sender = g_new0 (Sender, 1);
  g_autoptr (GError) error = NULL;

  sender->pipeline = gst_object_ref_sink (gst_parse_launch (PIPELINE, &error));
  g_assert_no_error (error);
  sender->webrtc = gst_bin_get_by_name (GST_BIN (sender->pipeline), "webrtc");
  set_up_ice (sender);
  set_up_reports (sender);
  set_send_only (sender);
  gst_element_set_state (sender->pipeline, GST_STATE_PLAYING);
  return sender;
}

void
sender_free (Sender *sender)
{
  gst_element_set_state (sender->pipeline, GST_STATE_NULL);
  gst_object_unref (sender->webrtc);
  gst_object_unref (sender->pipeline);
  g_free (sender->offer);
  g_free (sender);
}

static gchar *
create_offer (Sender *sender)
{
  GstPromise *promise = gst_promise_new ();
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  gchar *text;

  g_signal_emit_by_name (sender->webrtc, "create-offer", NULL, promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);
  gst_structure_get (gst_promise_get_reply (promise), "offer",
      GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL);
  gst_promise_unref (promise);
  g_assert_nonnull (offer);
  g_signal_emit_by_name (sender->webrtc, "set-local-description", offer, NULL);
  text = gst_sdp_message_as_text (offer->sdp);
  return text;
}

const gchar *
sender_get_offer (Sender *sender)
{
  if (sender->offer == NULL)
    sender->offer = create_offer (sender);
  return sender->offer;
}

static void
apply_answer (Sender *sender, const gchar *text)
{
  GstPromise *promise = gst_promise_new ();
  g_autoptr (GstWebRTCSessionDescription) answer = NULL;
  GstSDPMessage *sdp = NULL;

  g_assert_cmpint (gst_sdp_message_new_from_text (text, &sdp), ==, GST_SDP_OK);
  answer = gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, sdp);
  g_signal_emit_by_name (sender->webrtc, "set-remote-description", answer,
      promise);
  g_assert_cmpint (gst_promise_wait (promise), ==, GST_PROMISE_RESULT_REPLIED);
  gst_promise_unref (promise);
}

gchar *
sender_publish (Sender *sender, StageFixture *stage, const gchar *url,
    const gchar *token)
{
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  g_autofree gchar *bearer = g_strconcat ("Bearer ", token, NULL);
  const gchar *offer = sender_get_offer (sender);
  g_autoptr (GBytes) body = g_bytes_new (offer, strlen (offer));
  g_autofree gchar *answer = NULL;

  soup_message_headers_append (soup_message_get_request_headers (message),
      "Authorization", bearer);
  soup_message_set_request_body_from_bytes (message, "application/sdp", body);
  answer = stage_fixture_send (stage, message);
  g_assert_cmpuint (soup_message_get_status (message), ==, 201);
  apply_answer (sender, answer);
  return g_strdup (
      soup_message_headers_get_one (soup_message_get_response_headers (message),
          "Location"));
}

static gboolean
is_closed (Sender *sender)
{
  g_autoptr (GObject) transceiver = NULL;
  g_autoptr (GObject) rtp_sender = NULL;
  g_autoptr (GObject) transport = NULL;
  GstWebRTCDTLSTransportState state;

  g_signal_emit_by_name (sender->webrtc, "get-transceiver", 0, &transceiver);
  g_object_get (transceiver, "sender", &rtp_sender, NULL);
  g_object_get (rtp_sender, "transport", &transport, NULL);
  g_object_get (transport, "state", &state, NULL);
  return state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED;
}

static gboolean
poll_due (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
sender_wait_closed (Sender *sender)
{
  guint poll = g_timeout_add (20, poll_due, NULL);
  gint64 deadline = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  while (!is_closed (sender)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (poll);
}
