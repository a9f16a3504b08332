/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bare webrtcbin that publishes over WHIP, to compare with.
 *
 * From top to bottom it is the recipe of webrtcbin's own examples.
 */
#include "bare.h"

#include <gst/sdp/sdp.h>
#include <gst/webrtc/webrtc.h>
#include <string.h>

struct _Bare
{
  GstElement *webrtcbin;
  SoupSession *session;
  gchar *url; /* of the endpoint, or where it redirected to */
  gchar *token;
  gchar *session_url;
  gboolean is_lean;
  gint is_offered; /* atomic: the offer was asked for */
  gint is_sent;    /* atomic: ... and given to the main context */
  gint64 posted, answered;
  gint64 live; /* atomic by its width: written once */
};

/* -- The answer ------------------------------------------------------------------- */

static void
apply_answer (Bare *self, GBytes *body)
{
  GstSDPMessage *sdp = NULL;
  g_autoptr (GstWebRTCSessionDescription) answer = NULL;

  gst_sdp_message_new (&sdp);
  gst_sdp_message_parse_buffer (g_bytes_get_data (body, NULL),
      (guint) g_bytes_get_size (body), sdp);
  answer = gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, sdp);
  g_signal_emit_by_name (self->webrtcbin, "set-remote-description", answer,
      NULL);
}

static void post (Bare *self, GBytes *offer);

static gchar *
get_location (Bare *self, SoupMessage *message)
{
  const gchar *location =
      soup_message_headers_get_one (soup_message_get_response_headers (message),
          "Location");

  return location != NULL
      ? g_uri_resolve_relative (self->url, location, G_URI_FLAGS_NONE, NULL)
      : NULL;
}

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Bare *self = data;
  SoupMessage *message =
      soup_session_get_async_result_message (SOUP_SESSION (source), result);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);
  guint status = soup_message_get_status (message);

  if (body != NULL && status == SOUP_STATUS_TEMPORARY_REDIRECT) {
    GBytes *offer = g_object_get_data (G_OBJECT (message), "offer");
    g_autofree gchar *location = get_location (self, message);

    g_free (self->url);
    self->url = g_steal_pointer (&location);
    post (self, offer);
  } else if (body != NULL && status == SOUP_STATUS_CREATED) {
    self->answered = g_get_monotonic_time ();
    self->session_url = get_location (self, message);
    apply_answer (self, body);
  } else {
    g_printerr ("bare: HTTP %u %s\n", status,
        error != NULL ? error->message : "");
  }
}

/* -- The offer -------------------------------------------------------------------- */

static SoupMessage *
make_message (Bare *self, const gchar *method, const gchar *url)
{
  SoupMessage *message = soup_message_new (method, url);
  g_autofree gchar *bearer = g_strconcat ("Bearer ", self->token, NULL);

  soup_message_headers_append (soup_message_get_request_headers (message),
      "Authorization", bearer);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  return message;
}

static void
post (Bare *self, GBytes *offer)
{
  g_autoptr (SoupMessage) message = make_message (self, "POST", self->url);

  g_object_set_data_full (G_OBJECT (message), "offer", g_bytes_ref (offer),
      (GDestroyNotify) g_bytes_unref);
  soup_message_set_request_body_from_bytes (message, "application/sdp", offer);
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT,
      NULL, answered, self);
}

static gboolean
post_offer (gpointer data)
{
  Bare *self = data;
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gchar *text;

  g_object_get (self->webrtcbin, "local-description", &offer, NULL);
  text = gst_sdp_message_as_text (offer->sdp);
  bytes = g_bytes_new_take (text, strlen (text));
  self->posted = g_get_monotonic_time ();
  post (self, bytes);
  return G_SOURCE_REMOVE;
}

static void
post_once (Bare *self)
{
  if (g_atomic_int_compare_and_exchange (&self->is_sent, FALSE, TRUE))
    g_idle_add_full (G_PRIORITY_DEFAULT, post_offer, self, NULL);
}

static void
local_description_set (GstPromise *promise, gpointer data)
{
  gst_promise_unref (promise);
  post_once (data);
}

static void
gathering_changed (GstElement *webrtcbin, GParamSpec *spec, gpointer data)
{
  GstWebRTCICEGatheringState state;

  g_object_get (webrtcbin, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    post_once (data);
}

static void
offer_created (GstPromise *promise, gpointer data)
{
  Bare *self = data;
  g_autoptr (GstWebRTCSessionDescription) offer = NULL;

  gst_structure_get (gst_promise_get_reply (promise), "offer",
      GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, NULL);
  gst_promise_unref (promise);
  g_signal_emit_by_name (self->webrtcbin, "set-local-description", offer,
      self->is_lean
          ? gst_promise_new_with_change_func (local_description_set, self, NULL)
          : NULL);
}

static void
negotiation_needed (GstElement *webrtcbin, gpointer data)
{
  Bare *self = data;

  if (!g_atomic_int_compare_and_exchange (&self->is_offered, FALSE, TRUE))
    return;
  g_signal_emit_by_name (webrtcbin, "create-offer", NULL,
      gst_promise_new_with_change_func (offer_created, self, NULL));
}

static void
state_changed (GstElement *webrtcbin, GParamSpec *spec, gpointer data)
{
  Bare *self = data;
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtcbin, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED && self->live == 0)
    self->live = g_get_monotonic_time ();
}

/* -- Life ------------------------------------------------------------------------- */

/* The stage is on this computer. */
static void
set_up_ice (Bare *self)
{
  g_autoptr (GObject) ice = NULL, agent = NULL;
  gboolean is_added = FALSE;

  g_object_get (self->webrtcbin, "ice-agent", &ice, NULL);
  g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &is_added);
  if (!self->is_lean)
    return;
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "upnp", FALSE, "ice-tcp", FALSE, NULL);
}

static void
set_up_transceivers (Bare *self, gboolean do_nack)
{
  GArray *transceivers = NULL;

  g_signal_emit_by_name (self->webrtcbin, "get-transceivers", &transceivers);
  for (guint i = 0; i < transceivers->len; i++)
    g_object_set (g_array_index (transceivers, GObject *, i), "direction",
        GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "do-nack",
        do_nack && i == 1, NULL);
  g_array_unref (transceivers);
}

Bare *
bare_new (GstElement *webrtcbin, SoupSession *session, const gchar *endpoint,
    const gchar *token, gboolean is_lean, gboolean do_nack)
{
  Bare *self = g_new0 (Bare, 1);

  self->webrtcbin = gst_object_ref (webrtcbin);
  self->session = g_object_ref (session);
  self->url = g_strdup (endpoint);
  self->token = g_strdup (token);
  self->is_lean = is_lean;
  set_up_ice (self);
  set_up_transceivers (self, do_nack);
  g_signal_connect (webrtcbin, "on-negotiation-needed",
      G_CALLBACK (negotiation_needed), self);
  g_signal_connect (webrtcbin, "notify::connection-state",
      G_CALLBACK (state_changed), self);
  if (!is_lean)
    g_signal_connect (webrtcbin, "notify::ice-gathering-state",
        G_CALLBACK (gathering_changed), self);
  return self;
}

gint64
bare_get_posted (Bare *self)
{
  return self->posted;
}

gint64
bare_get_answered (Bare *self)
{
  return self->answered;
}

gint64
bare_get_live (Bare *self)
{
  return self->live;
}

void
bare_free (Bare *self)
{
  if (self->session_url != NULL) {
    g_autoptr (SoupMessage) message =
        make_message (self, "DELETE", self->session_url);
    GBytes *body =
        soup_session_send_and_read (self->session, message, NULL, NULL);

    g_clear_pointer (&body, g_bytes_unref);
  }
  g_signal_handlers_disconnect_by_data (self->webrtcbin, self);
  gst_object_unref (self->webrtcbin);
  g_object_unref (self->session);
  g_free (self->session_url);
  g_free (self->url);
  g_free (self->token);
  g_free (self);
}
