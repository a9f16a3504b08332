/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A dry publish: a session without media, deleted as soon as it is connected.
 *
 * The offer is that of the element for sound alone: Opus, and an H.264 section that
 * stays silent. Read it downwards: each step starts one thing and the next
 * function is what happens when that ends. All of it runs on a worker; the main
 * thread waits and listens for signals. Whatever fails, everything comes by end().
 *
 * UDP is judged by the connectivity checks of ICE: these are STUN bindings to the
 * answer's candidates. A bare binding of our own would tell less, for ICE servers
 * may be silent to requests without their password (RFC 8445 section 7.3).
 */
#include "check-publish.h"

#include <glib-unix.h>
#include <stdio.h>
#include "gstivspeer.h"
#include "gstivssession.h"
#include "gstivsstream.h"
#include "ivs-endpoint.h"
#include "ivs-offer.h"
#include "whip-client.h"
#include "whip-url.h"

typedef struct
{
  /* Constant. */
  CheckReport *report;
  const GstIvsSettings *settings;
  const gchar *endpoint;
  const IvsToken *token;
  gboolean is_verbose;
  GstElement *pipeline;
  GstIvsWorker *worker;
  GMainLoop *loop; /* of the main thread */

  /* On the worker. */
  const gchar *step; /* the name of the line that comes next */
  gint64 began;      /* monotonic microseconds, of that step */
  WhipClient *client;
  GstIvsPeer *peer;
  GSource *timer;
  GPtrArray
      *hops; /* of gchar*: origins where the offer went, and the session's */
  IvsOfferFacts facts;
  GstSDPMessage *offer;
  gboolean is_posting;
  gboolean is_created; /* the stage has made a session */
  gchar *session_url;
  gboolean is_ending;
} DryPublish;

/* As the element offers them for sound alone. */
static const IvsOfferWish wish = {
  .audio = TRUE,
  .video = TRUE,
  .audio_channels = 2,
  .retransmission = TRUE,
};

static void end (DryPublish *self);
static void offer_posted (GObject *source, GAsyncResult *result, gpointer data);

static void
enter (DryPublish *self, const gchar *step)
{
  self->step = step;
  self->began = g_get_monotonic_time ();
}

static gint
get_ms (DryPublish *self)
{
  return (gint) ((g_get_monotonic_time () - self->began) / 1000);
}

static void
fail (DryPublish *self, const IvsFailure *failure)
{
  if (self->is_ending)
    return;

  check_report_fail (self->report, self->step, failure);
  end (self);
}

static void
fail_with_error (DryPublish *self, const GError *error)
{
  g_autoptr (IvsFailure) failure =
      gst_ivs_session_explain_error (self->endpoint, error);

  fail (self, failure);
}

/* 1. An offer from caps alone. */

static void
post_offer (DryPublish *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;

  if (ivs_offer_check (self->offer, &wish, &error))
    text = ivs_offer_to_posted_text (self->offer, &wish, &error);
  if (text == NULL) {
    fail_with_error (self, error);
    return;
  }

  ivs_offer_get_facts (self->offer, &self->facts);
  enter (self, "publish");
  self->is_posting = TRUE;
  whip_client_post_offer_async (self->client, self->endpoint,
      self->token->secret, text, NULL, offer_posted, self);
}

static void
offered (GstIvsPeer *peer, const GstSDPMessage *offer, gpointer data)
{
  DryPublish *self = data;

  gst_sdp_message_copy (offer, &self->offer);
  post_offer (self);
}

/* 2. The stage's answer. */

static void
report_redirects (DryPublish *self, guint n_redirects)
{
  GString *way = g_string_new (NULL);

  for (guint i = 0; i <= n_redirects && i < self->hops->len; i++)
    g_string_append_printf (way, "%s%s", i == 0 ? "" : " -> ",
        (const gchar *) g_ptr_array_index (self->hops, i));
  if (n_redirects == 0)
    check_report_ok (self->report, "redirects", "none");
  else
    check_report_ok (self->report, "redirects", "%u: %s", n_redirects,
        way->str);
  check_report_fact_number (self->report, "redirects", n_redirects);
  g_string_free (way, TRUE);
}

static IvsFailure *
judge_response (DryPublish *self, const WhipResponse *response)
{
  g_autoptr (GUri) uri = g_uri_parse (response->url, G_URI_FLAGS_NONE, NULL);
  IvsRequestContext context = {
    .offered_h264 = self->facts.has_h264,
    .offered_opus = self->facts.has_opus,
    .redirected = response->n_redirects > 0,
    .host = uri != NULL ? g_uri_get_host (uri) : NULL,
    .retry_after = response->retry_after,
  };

  return ivs_failure_from_response (response->status, response->body,
      response->body_length, &context);
}

static IvsAnswer *
read_answer (DryPublish *self, const WhipResponse *response)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer = NULL;

  if (response->body_truncated)
    g_set_error (&error, IVS_ERROR, IVS_FAILURE_ANSWER_TOO_LARGE,
        "The stage's answer is longer than %d KB", WHIP_MAX_BODY / 1024);
  else
    answer = ivs_answer_new (response->body, response->body_length,
        response->content_type, self->offer, &error);
  if (answer == NULL)
    fail_with_error (self, error);
  return g_steal_pointer (&answer);
}

/* Whoever publishes wants either or both: here each refusal is a failure. */
static gboolean
report_answer (DryPublish *self, const IvsAnswer *answer)
{
  check_report_fact (self->report, "media_address", answer->first_candidate);
  check_report_fact_number (self->report, "media_addresses",
      answer->n_candidates);
  if (!answer->audio_accepted || !answer->video_accepted) {
    g_autoptr (GError) error =
        g_error_new (IVS_ERROR, IVS_FAILURE_MEDIA_REFUSED,
            "The stage accepted the session, but not its %s",
            answer->audio_accepted ? "video" : "audio");

    fail_with_error (self, error);
    return FALSE;
  }

  check_report_ok (self->report, "answer",
      "audio and video are taken, %u media address%s: %s%s",
      answer->n_candidates, answer->n_candidates == 1 ? "" : "es",
      answer->first_candidate != NULL ? answer->first_candidate : "none",
      answer->n_candidates > 1 ? ", ..." : "");
  return TRUE;
}

static void
connect_timed_out (gpointer data)
{
  DryPublish *self = data;
  g_autoptr (GError) error = gst_ivs_peer_explain_timeout (self->peer);

  fail_with_error (self, error);
}

static void
apply_answer (DryPublish *self, const WhipResponse *response)
{
  g_autoptr (IvsAnswer) answer = NULL;

  enter (self, "answer");
  answer = read_answer (self, response);
  if (answer == NULL || !report_answer (self, answer))
    return;

  enter (self, "media");
  self->timer = gst_ivs_worker_call_later (self->worker,
      self->settings->connect_timeout * 1000, connect_timed_out, self);
  gst_ivs_peer_apply_answer (self->peer, g_steal_pointer (&answer));
}

/* Whether it comes in time or not: a session that it made is to be deleted. */
static void
note_session (DryPublish *self, GObject *source, GAsyncResult *result,
    const WhipResponse *response)
{
  const gchar *orphan = whip_client_get_orphan (WHIP_CLIENT (source), result);

  self->is_posting = FALSE;
  self->is_created =
      response != NULL ? whip_response_is_success (response) : orphan != NULL;
  self->session_url =
      g_strdup (response != NULL ? response->session_url : orphan);
}

static void
report_response (DryPublish *self, const WhipResponse *response)
{
  const gchar *id = response->request_id;

  report_redirects (self, response->n_redirects);
  check_report_fact (self->report, "request_id", id);
  if (!whip_response_is_success (response)) {
    g_autoptr (IvsFailure) failure = judge_response (self, response);

    fail (self, failure);
    return;
  }

  check_report_ok (self->report, "publish", "HTTP %u in %d ms%s%s",
      response->status, get_ms (self), id != NULL ? ", request " : "",
      id != NULL ? id : "");
  check_report_fact_number (self->report, "http_status", response->status);
  apply_answer (self, response);
}

static void
offer_posted (GObject *source, GAsyncResult *result, gpointer data)
{
  DryPublish *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WhipResponse) response =
      whip_client_post_offer_finish (WHIP_CLIENT (source), result, &error);

  note_session (self, source, result, response);
  if (self->is_ending)
    end (self);
  else if (response == NULL)
    fail_with_error (self, error);
  else
    report_response (self, response);
}

/* 3. Connected, and to whom the answer named. */

static void
connected (GstIvsPeer *peer, gpointer data)
{
  DryPublish *self = data;

  if (self->is_ending)
    return;
  check_report_ok (self->report, "media",
      "UDP, ICE and DTLS are up in %d ms, with the certificate of the answer",
      get_ms (self));
  check_report_fact_number (self->report, "connect_ms", get_ms (self));
  end (self);
}

static void
peer_failed (GstIvsPeer *peer, const GError *error, gpointer data)
{
  fail_with_error (data, error);
}

static void
silence_changed (GstIvsPeer *peer, gpointer data)
{
}

static void
fell_silent (GstIvsPeer *peer, gint64 microseconds, gpointer data)
{
}

/* 4. The end, at the stage too. */

static void
finish (DryPublish *self)
{
  g_clear_object (&self->client);
  g_main_loop_quit (self->loop);
}

static void
session_deleted (GObject *source, GAsyncResult *result, gpointer data)
{
  DryPublish *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WhipResponse) response =
      whip_client_delete_finish (WHIP_CLIENT (source), result, &error);
  gboolean is_gone = response != NULL &&
      (whip_response_is_success (response) || response->status == 404);

  if (is_gone)
    check_report_ok (self->report, "delete", "HTTP %u, the session is gone",
        response->status);
  else if (response != NULL)
    check_report_warn (self->report, "delete", NULL,
        "The stage did not delete the session (HTTP %u)", response->status);
  else
    check_report_warn (self->report, "delete", NULL,
        "The session could not be deleted: %s", error->message);
  check_report_fact_flag (self->report, "deleted", is_gone);
  finish (self);
}

static void
delete_session (DryPublish *self)
{
  if (self->session_url != NULL) {
    whip_client_delete_async (self->client, self->session_url,
        self->token->secret, NULL, session_deleted, self);
    return;
  }

  if (self->is_created) {
    check_report_warn (self->report, "delete",
        "Check the endpoint: a WHIP server must send a Location header with its answer (RFC 9725 section 4.2).",
        "The stage named no session URL that can be used: the session stays until it is found dead");
    check_report_fact_flag (self->report, "deleted", FALSE);
  }
  finish (self);
}

static void
peer_closed (GstIvsPeer *peer, gpointer data)
{
  gst_ivs_peer_unref (peer);
  delete_session (data);
}

/* Comes again when a POST that was in flight is answered. */
static void
end (DryPublish *self)
{
  GstIvsPeer *peer = NULL;

  self->is_ending = TRUE;
  gst_ivs_timer_clear (&self->timer);
  if (self->is_posting)
    return;

  peer = g_steal_pointer (&self->peer);
  if (peer != NULL)
    gst_ivs_peer_close (peer);
  else
    delete_session (self);
}

static void
interrupt (gpointer data)
{
  DryPublish *self = data;

  if (self->is_ending)
    return;
  check_report_interrupted (self->report, self->step);
  end (self);
}

/* The beginning. */

static gboolean
may_follow (const gchar *to, const gchar *from, gpointer data, GError **error)
{
  DryPublish *self = data;

  g_ptr_array_add (self->hops, whip_url_origin (to));
  return ivs_endpoint_may_see_token (to, from, self->endpoint,
      self->settings->allowed_hosts, error);
}

static void
trace (const gchar *line, gpointer data)
{
  fprintf (stderr, "%s\n", line);
}

static void
make_client (DryPublish *self)
{
  self->client = whip_client_new ("ivs-stage-check/" IVS_VERSION);
  whip_client_set_timeout (self->client, self->settings->timeout);
  whip_client_set_tls_database (self->client, self->settings->tls_database);
  whip_client_set_may_follow (self->client, may_follow, self, NULL);
  if (self->is_verbose)
    whip_client_set_trace (self->client, trace, self, NULL);
}

static GstCaps *
make_caps (GstIvsKind kind)
{
  const GstIvsStreamId id = {
    .ssrc = g_random_int (),
    .payload_type = kind == GST_IVS_AUDIO ? IVS_AUDIO_PT : IVS_VIDEO_PT,
    .clock_rate = kind == GST_IVS_AUDIO ? 48000 : 90000,
    .twcc_ext_id = IVS_TWCC_EXT_ID,
  };

  return gst_ivs_stream_make_caps (kind, &id);
}

static void
start (gpointer data)
{
  static const GstIvsPeerEvents events = { offered, connected, peer_failed,
    fell_silent, silence_changed, peer_closed };
  DryPublish *self = data;
  g_autoptr (GError) error = NULL;
  GstCaps *caps[GST_IVS_N_KINDS];

  make_client (self);
  enter (self, "offer");
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    caps[kind] = make_caps (kind);
  self->peer = gst_ivs_peer_new (GST_BIN (self->pipeline), FALSE, self->worker,
      self->settings, caps, &events, self, &error);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_caps_unref (caps[kind]);
  if (self->peer == NULL)
    fail_with_error (self, error);
}

/* On the main thread. */

typedef struct
{
  DryPublish *publish;
  gchar *text;
} ElementError;

static void
element_error_free (gpointer data)
{
  ElementError *error = data;

  g_free (error->text);
  g_free (error);
}

static void
element_failed (gpointer data)
{
  ElementError *error = data;
  g_autoptr (IvsFailure) failure =
      ivs_failure_new (IVS_FAILURE_WEBRTC, error->text);

  fail (error->publish, failure);
}

static gboolean
message_posted (GstBus *bus, GstMessage *message, gpointer data)
{
  DryPublish *self = data;
  g_autoptr (GError) error = NULL;
  ElementError *element_error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return G_SOURCE_CONTINUE;

  gst_message_parse_error (message, &error, NULL);
  element_error = g_new0 (ElementError, 1);
  element_error->publish = self;
  element_error->text = g_strdup (error->message);
  gst_ivs_worker_call (self->worker, element_failed, element_error,
      element_error_free);
  return G_SOURCE_CONTINUE;
}

static gboolean
signal_came (gpointer data)
{
  DryPublish *self = data;

  gst_ivs_worker_call (self->worker, interrupt, self, NULL);
  return G_SOURCE_CONTINUE;
}

static void
run (DryPublish *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  guint sigint = g_unix_signal_add (SIGINT, signal_came, self);
  guint sigterm = g_unix_signal_add (SIGTERM, signal_came, self);

  gst_bus_add_watch (bus, message_posted, self);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  gst_ivs_worker_call (self->worker, start, self, NULL);
  g_main_loop_run (self->loop);

  gst_bus_remove_watch (bus);
  g_source_remove (sigint);
  g_source_remove (sigterm);
  gst_ivs_worker_stop_and_join (self->worker);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
}

void
check_publish (CheckReport *report, const GstIvsSettings *settings,
    const gchar *endpoint, const IvsToken *token, gboolean is_verbose)
{
  DryPublish self = {
    .report = report,
    .settings = settings,
    .endpoint = endpoint,
    .token = token,
    .is_verbose = is_verbose,
  };

  self.hops = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self.hops, whip_url_origin (endpoint));
  self.pipeline = gst_object_ref_sink (gst_pipeline_new ("check"));
  self.worker = gst_ivs_worker_start ("ivs-stage-check");
  self.loop = g_main_loop_new (NULL, FALSE);
  run (&self);

  g_main_loop_unref (self.loop);
  gst_ivs_worker_unref (self.worker);
  gst_object_unref (self.pipeline);
  g_ptr_array_unref (self.hops);
  g_clear_pointer (&self.offer, gst_sdp_message_free);
  g_free (self.session_url);
}
