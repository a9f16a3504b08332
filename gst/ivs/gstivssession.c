/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One session, from an offer to its DELETE: an attempt to be on the stage.
 *
 * Read it from top to bottom: each step starts one operation and the next
 * function is what happens when that operation ends. All of it runs on the
 * worker, so nothing here takes a lock; nothing here posts on the bus either, the
 * owner is told through GstIvsSessionEvents.
 */
#include "gstivssession.h"

#include "ivs-endpoint.h"
#include "whip-client.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_session_debug);
#define GST_CAT_DEFAULT gst_ivs_session_debug

struct _GstIvsSession
{
  gint ref_count;

  /* Constant. */
  GstBin *bin;
  GstIvsWorker *worker;
  GstIvsSettings settings;
  IvsToken *token;
  gchar *endpoint;
  gboolean is_after_live;
  gboolean has_played;
  GstIvsSessionEvents events;
  gpointer data;

  GstIvsStep step;
  WhipClient *client;
  GCancellable *cancellable; /* of every HTTP request */
  GstIvsPeer *peer;          /* NULL before prepare() and after the close */
  guint n_closing_peers;     /* their webrtcbins are still there */
  gboolean is_deleted;       /* nothing is left to tell the stage */
  GSource *connect_timer;

  /* The offer. */
  GstSDPMessage *offer; /* as webrtcbin made it, once it has */
  gboolean is_wanted;   /* publish() was called */
  IvsOfferWish wish;
  gboolean is_needed[GST_IVS_N_KINDS];
  IvsOfferFacts facts; /* of the text that was posted */
  gboolean is_posting; /* it was posted and not answered yet */

  /* What the stage answered. */
  gchar *session_url; /* to be deleted, or NULL */
  gchar *request_id;
  gboolean is_refused[GST_IVS_N_KINDS]; /* a section that was offered */
  gchar *media_address;
  GstIvsSessionTimes times;
  gboolean has_failed;
};

static void init_debug (void);
static void post_offer (GstIvsSession *self);
static void offer_posted (GObject *source, GAsyncResult *result, gpointer data);
static void apply_answer (GstIvsSession *self, const WhipResponse *response);
static void delete_session (GstIvsSession *self);
static void finish_if_empty (GstIvsSession *self);

/* How every step ends that goes wrong. */

static void
fail (GstIvsSession *self, IvsFailure *failure_to_take)
{
  G_GNUC_UNUSED g_autoptr (GstIvsSession) alive = gst_ivs_session_ref (self);
  g_autoptr (IvsFailure) failure = failure_to_take;

  GST_DEBUG_OBJECT (self->bin, "session failed: %s (%s)", failure->sentence,
      failure->name);
  if (self->step < GST_IVS_STEP_CLOSING && !self->has_failed) {
    self->has_failed = TRUE;
    self->events.failed (self, failure, self->data);
  }
  gst_ivs_session_close (self);
}

/* The rules of WHIP that a server broke, in the words of the error table; other
 * errors (resolver, TLS, sockets, our own) speak for themselves. */
IvsFailure *
gst_ivs_session_explain_error (const gchar *endpoint, const GError *error)
{
  static const IvsFailureKind kinds[] = {
    [WHIP_ERROR_URL] = IVS_FAILURE_ENDPOINT_INVALID,
    [WHIP_ERROR_TOO_MANY_REDIRECTS] = IVS_FAILURE_REDIRECT,
    [WHIP_ERROR_REDIRECT] = IVS_FAILURE_REDIRECT,
    [WHIP_ERROR_NOT_ALLOWED] = IVS_FAILURE_REDIRECT,
    [WHIP_ERROR_BODY_TOO_LARGE] = IVS_FAILURE_ANSWER_TOO_LARGE,
    [WHIP_ERROR_BODY_TYPE] = IVS_FAILURE_ANSWER,
    [WHIP_ERROR_TOKEN] = IVS_FAILURE_TOKEN_MALFORMED,
  };
  g_autoptr (GUri) uri = g_uri_parse (endpoint, G_URI_FLAGS_NONE, NULL);

  if (error->domain == WHIP_ERROR && error->code >= 0 &&
      error->code < (gint) G_N_ELEMENTS (kinds))
    return ivs_failure_new (kinds[error->code], error->message);

  return ivs_failure_from_error (error,
      uri != NULL ? g_uri_get_host (uri) : NULL);
}

static void
fail_with_error (GstIvsSession *self, const GError *error)
{
  fail (self, gst_ivs_session_explain_error (self->endpoint, error));
}

static void
enter (GstIvsSession *self, GstIvsStep step)
{
  self->step = step;
  self->events.stepped (self, step, self->data);
}

/* 1. A connection to the endpoint's host, so that the POST finds it warm. What
 *    goes wrong here goes wrong again at the POST, and is reported there. */

static void
preconnected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GstIvsSession) self = data;
  g_autoptr (GError) error = NULL;

  if (!whip_client_preconnect_finish (WHIP_CLIENT (source), result, &error))
    GST_DEBUG_OBJECT (self->bin, "no connection ahead of the POST: %s",
        error->message);
}

void
gst_ivs_session_preconnect (GstIvsSession *self)
{
  whip_client_preconnect_async (self->client, self->endpoint, self->cancellable,
      preconnected, gst_ivs_session_ref (self));
}

/* 2. An offer, made from caps alone. */

static void
offered (GstIvsPeer *peer, const GstSDPMessage *offer, gpointer data)
{
  GstIvsSession *self = data;

  gst_sdp_message_copy (offer, &self->offer);
  if (self->is_wanted)
    post_offer (self);
}

static void
peer_failed (GstIvsPeer *peer, const GError *error, gpointer data)
{
  fail_with_error (data, error);
}

static void
peer_silent (GstIvsPeer *peer, gint64 microseconds, gpointer data)
{
  GstIvsSession *self = data;

  self->events.silent (self, microseconds, self->data);
}

static void
peer_revived (GstIvsPeer *peer, gpointer data)
{
  GstIvsSession *self = data;

  self->events.revived (self, self->data);
}

static void connected (GstIvsPeer *peer, gpointer data);

static void
peer_closed (GstIvsPeer *peer, gpointer data)
{
  GstIvsSession *self = data;

  self->n_closing_peers--;
  gst_ivs_peer_unref (peer);
  finish_if_empty (self);
}

static void
drop_peer (GstIvsSession *self)
{
  GstIvsPeer *peer = g_steal_pointer (&self->peer);

  if (peer != NULL) {
    self->n_closing_peers++;
    gst_ivs_peer_close (peer);
  }
  g_clear_pointer (&self->offer, gst_sdp_message_free);
}

void
gst_ivs_session_prepare (GstIvsSession *self,
    GstCaps *const caps[GST_IVS_N_KINDS])
{
  static const GstIvsPeerEvents events = { offered, connected, peer_failed,
    peer_silent, peer_revived, peer_closed };
  g_autoptr (GError) error = NULL;

  drop_peer (self);
  self->peer = gst_ivs_peer_new (self->bin, self->has_played, self->worker,
      &self->settings, caps, &events, self, &error);
  if (self->peer == NULL)
    fail_with_error (self, error);
}

gboolean
gst_ivs_session_has_section (GstIvsSession *self, GstIvsKind kind)
{
  return self->peer != NULL && !self->is_refused[kind] &&
      gst_ivs_peer_has_section (self->peer, kind);
}

gboolean
gst_ivs_session_is_prepared_for (GstIvsSession *self,
    const gboolean sections[GST_IVS_N_KINDS])
{
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (gst_ivs_session_has_section (self, kind) != sections[kind])
      return FALSE;
  }
  return self->peer != NULL;
}

/* 3. The offer goes to the endpoint as it is: a stage learns our address from the
 *    first connectivity check, so no candidate is waited for. */

void
gst_ivs_session_publish (GstIvsSession *self, const IvsOfferWish *wish,
    const gboolean is_needed[GST_IVS_N_KINDS])
{
  if (self->step != GST_IVS_STEP_OFFERING)
    return;

  self->is_wanted = TRUE;
  self->wish = *wish;
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    self->is_needed[kind] = is_needed[kind];
  if (self->offer != NULL)
    post_offer (self);
}

void
gst_ivs_session_hold (GstIvsSession *self)
{
  if (self->step == GST_IVS_STEP_OFFERING)
    self->is_wanted = FALSE;
}

static void
log_sdp (GstIvsSession *self, const gchar *what, const gchar *text)
{
  g_autofree gchar *redacted = NULL;

  if (gst_debug_category_get_threshold (GST_CAT_DEFAULT) < GST_LEVEL_LOG)
    return;
  redacted = ivs_sdp_redact (text);
  GST_LOG_OBJECT (self->bin, "%s:\n%s", what, redacted);
}

static void
post_offer (GstIvsSession *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;

  if (ivs_offer_check (self->offer, &self->wish, &error))
    text = ivs_offer_to_posted_text (self->offer, &self->wish, &error);
  if (text == NULL) {
    fail_with_error (self, error);
    return;
  }

  ivs_offer_get_facts (self->offer, &self->facts);
  log_sdp (self, "offer", text);
  self->is_posting = TRUE;
  self->times.posted = g_get_monotonic_time ();
  whip_client_post_offer_async (self->client, self->endpoint,
      self->token->secret, text, self->cancellable, offer_posted,
      gst_ivs_session_ref (self));
  enter (self, GST_IVS_STEP_POSTING);
}

static IvsFailure *
judge_response (GstIvsSession *self, const WhipResponse *response)
{
  g_autoptr (GUri) uri =
      g_uri_parse (response->url != NULL ? response->url : self->endpoint,
          G_URI_FLAGS_NONE, NULL);
  IvsRequestContext context = {
    .offered_h264 = self->facts.has_h264,
    .offered_opus = self->facts.has_opus,
    .redirected = response->n_redirects > 0,
    .host = uri != NULL ? g_uri_get_host (uri) : NULL,
    .retry_after = response->retry_after,
    .after_live = self->is_after_live,
  };

  return ivs_failure_from_response (response->status, response->body,
      response->body_length, &context);
}

static void
notice_missing_location (GstIvsSession *self)
{
  self->events.noticed (self, "no-session-url",
      "The stage named no session URL, so this session cannot be deleted when it ends",
      "Viewers may see a frozen picture for 10 to 30 seconds after the end. A WHIP server must send a Location header with its answer (RFC 9725 section 4.2); check whip-endpoint.",
      self->data);
}

/* A POST that was in flight when the session was closed has still made a session
 * at the stage: it is deleted, not forgotten. */
static void
offer_posted (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GstIvsSession) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WhipResponse) response =
      whip_client_post_offer_finish (WHIP_CLIENT (source), result, &error);

  self->is_posting = FALSE;
  self->times.answered = g_get_monotonic_time ();
  if (response != NULL) {
    self->request_id = g_strdup (response->request_id);
    if (whip_response_is_success (response))
      self->session_url = g_strdup (response->session_url);
  } else {
    /* The head said that there is a session, but the body never came. */
    self->session_url =
        g_strdup (whip_client_get_orphan (WHIP_CLIENT (source), result));
  }

  if (self->step == GST_IVS_STEP_CLOSING)
    delete_session (self);
  else if (response == NULL)
    fail_with_error (self, error);
  else if (!whip_response_is_success (response))
    fail (self, judge_response (self, response));
  else
    apply_answer (self, response);
}

/* 4. The answer, judged before webrtcbin sees it. */

/* A refused dummy matters to nobody; media that is there to be sent does. */
static gboolean
is_usable (GstIvsSession *self, const IvsAnswer *answer, GError **error)
{
  self->is_refused[GST_IVS_AUDIO] = !answer->audio_accepted;
  self->is_refused[GST_IVS_VIDEO] = !answer->video_accepted;

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (self->is_needed[kind] && self->is_refused[kind]) {
      g_set_error (error, IVS_ERROR, IVS_FAILURE_MEDIA_REFUSED,
          "The stage accepted the session, but not its %s",
          kind == GST_IVS_AUDIO ? "audio" : "video");
      return FALSE;
    }
  }
  return TRUE;
}

static void
connect_timed_out (gpointer data)
{
  GstIvsSession *self = data;
  g_autoptr (GError) error = gst_ivs_peer_explain_timeout (self->peer);

  gst_ivs_timer_clear (&self->connect_timer);
  fail_with_error (self, error);
}

static void
apply_answer (GstIvsSession *self, const WhipResponse *response)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer = NULL;

  if (response->body_truncated) {
    g_set_error (&error, IVS_ERROR, IVS_FAILURE_ANSWER_TOO_LARGE,
        "The stage's answer is longer than %d KB", WHIP_MAX_BODY / 1024);
  } else {
    log_sdp (self, "answer", response->body);
    answer = ivs_answer_new (response->body, response->body_length,
        response->content_type, self->offer, &error);
  }
  if (answer == NULL || !is_usable (self, answer, &error)) {
    fail_with_error (self, error);
    return;
  }

  if (self->session_url == NULL)
    notice_missing_location (self);
  for (guint i = 0; i < answer->repairs->len; i++)
    GST_DEBUG_OBJECT (self->bin, "answer repaired: %s",
        (const gchar *) g_ptr_array_index (answer->repairs, i));
  self->media_address = g_strdup (answer->first_candidate);
  self->connect_timer = gst_ivs_worker_call_later (self->worker,
      self->settings.connect_timeout * 1000, connect_timed_out, self);
  gst_ivs_peer_apply_answer (self->peer, g_steal_pointer (&answer));
  enter (self, GST_IVS_STEP_CONNECTING);
}

/* 5. Connected and verified: the owner may open its gates. */

static void
connected (GstIvsPeer *peer, gpointer data)
{
  GstIvsSession *self = data;

  gst_ivs_timer_clear (&self->connect_timer);
  self->times.live = g_get_monotonic_time ();
  /* The next request is the DELETE, hours later, which takes a connection of its own. */
  whip_client_hang_up (self->client);
  enter (self, GST_IVS_STEP_LIVE);
}

gboolean
gst_ivs_session_set_gate (GstIvsSession *self, GstIvsKind kind,
    GstIvsGate *gate)
{
  return gst_ivs_session_has_section (self, kind) &&
      gst_ivs_peer_set_gate (self->peer, kind, gate);
}

void
gst_ivs_session_set_congestion (GstIvsSession *self,
    GstIvsCongestion *congestion)
{
  if (self->peer != NULL)
    gst_ivs_peer_set_congestion (self->peer, congestion);
}

gboolean
gst_ivs_session_await_gate (GstIvsSession *self, GstIvsKind kind,
    GstIvsGate *gate)
{
  return gst_ivs_session_has_section (self, kind) &&
      gst_ivs_peer_await_gate (self->peer, kind, gate);
}

gboolean
gst_ivs_session_take_gate (GstIvsSession *self, GstIvsKind kind,
    GstIvsGate *gate)
{
  return gst_ivs_session_has_section (self, kind) &&
      gst_ivs_peer_take_gate (self->peer, kind, gate);
}

gboolean
gst_ivs_session_owns (GstIvsSession *self, GstObject *element)
{
  return self->peer != NULL && gst_ivs_peer_owns (self->peer, element);
}

/* Before the session lives, what the DTLS elements say is about the handshake. */
void
gst_ivs_session_element_failed (GstIvsSession *self, GstObject *element,
    const gchar *text)
{
  IvsFailureKind kind = IVS_FAILURE_WEBRTC;

  if (self->step == GST_IVS_STEP_LIVE)
    kind = IVS_FAILURE_LOST;
  else if (g_str_has_prefix (G_OBJECT_TYPE_NAME (element), "GstDtls"))
    kind = IVS_FAILURE_DTLS;
  fail (self,
      ivs_failure_new_printf (kind, "%s: %s",
          kind == IVS_FAILURE_DTLS ? "The DTLS handshake failed"
                                   : "The media connection failed",
          text));
}

/* 6. The end: first nothing more is sent, then the stage is told. */

static void
finish_if_empty (GstIvsSession *self)
{
  if (!self->is_deleted || self->n_closing_peers > 0 ||
      self->step != GST_IVS_STEP_CLOSING)
    return;

  self->step = GST_IVS_STEP_CLOSED;
  self->events.closed (self, self->data);
}

static void
finish (GstIvsSession *self)
{
  self->is_deleted = TRUE;
  finish_if_empty (self);
}

/* 404 is success (as in the official SDK: it is already gone), and whatever
 * else the server says, there is nothing more to do. */
static void
session_deleted (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GstIvsSession) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WhipResponse) response =
      whip_client_delete_finish (WHIP_CLIENT (source), result, &error);

  if (response != NULL)
    GST_INFO_OBJECT (self->bin, "session deleted (HTTP %u)", response->status);
  else
    GST_INFO_OBJECT (self->bin, "session not deleted: %s", error->message);
  finish (self);
}

static void
delete_session (GstIvsSession *self)
{
  if (self->session_url == NULL) {
    finish (self);
    return;
  }

  whip_client_delete_async (self->client, self->session_url,
      self->token->secret, self->cancellable, session_deleted,
      gst_ivs_session_ref (self));
}

void
gst_ivs_session_close (GstIvsSession *self)
{
  G_GNUC_UNUSED g_autoptr (GstIvsSession) alive = gst_ivs_session_ref (self);

  if (self->step >= GST_IVS_STEP_CLOSING)
    return;

  self->step = GST_IVS_STEP_CLOSING;
  gst_ivs_timer_clear (&self->connect_timer);
  drop_peer (self);
  if (!self->is_posting)
    delete_session (self);
}

void
gst_ivs_session_abandon (GstIvsSession *self)
{
  g_cancellable_cancel (self->cancellable);
  gst_ivs_session_close (self);
}

/* Life, and what is known of it. */

GstIvsStep
gst_ivs_session_get_step (GstIvsSession *self)
{
  return self->step;
}

const gchar *
gst_ivs_session_get_request_id (GstIvsSession *self)
{
  return self->request_id;
}

gchar *
gst_ivs_session_dup_host (GstIvsSession *self)
{
  g_autoptr (GUri) uri = self->session_url != NULL
      ? g_uri_parse (self->session_url, G_URI_FLAGS_NONE, NULL)
      : NULL;

  return uri != NULL ? g_strdup (g_uri_get_host (uri)) : NULL;
}

const gchar *
gst_ivs_session_get_media_address (GstIvsSession *self)
{
  return self->media_address;
}

void
gst_ivs_session_get_times (GstIvsSession *self, GstIvsSessionTimes *times)
{
  *times = self->times;
}

gboolean
gst_ivs_session_get_report (GstIvsSession *self, GstIvsKind kind,
    GstIvsReport *report)
{
  if (self->peer == NULL)
    return FALSE;
  gst_ivs_peer_get_report (self->peer, kind, report);
  return report->has_report;
}

const IvsToken *
gst_ivs_session_get_token (GstIvsSession *self)
{
  return self->token;
}

const gchar *
gst_ivs_session_get_endpoint (GstIvsSession *self)
{
  return self->endpoint;
}

void
gst_ivs_session_spare (GstIvsSession *self, GstIvsSession *other)
{
  if (g_strcmp0 (self->session_url, other->session_url) == 0)
    g_clear_pointer (&self->session_url, g_free);
}

static gboolean
may_follow (const gchar *to, const gchar *from, gpointer data, GError **error)
{
  GstIvsSession *self = data;

  return ivs_endpoint_may_see_token (to, from, self->endpoint,
      self->settings.allowed_hosts, error);
}

static void
trace (const gchar *line, gpointer data)
{
  GstIvsSession *self = data;

  GST_LOG_OBJECT (self->bin, "%s", line);
}

static WhipClient *
make_client (GstIvsSession *self)
{
  guint major, minor, micro, nano;
  g_autofree gchar *user_agent = NULL;
  WhipClient *client = NULL;

  gst_version (&major, &minor, &micro, &nano);
  user_agent =
      g_strdup_printf ("ivsstagesink/" IVS_VERSION " GStreamer/%u.%u.%u", major,
          minor, micro);
  client = whip_client_new (user_agent);
  whip_client_set_timeout (client, self->settings.timeout);
  whip_client_set_tls_database (client, self->settings.tls_database);
  whip_client_set_may_follow (client, may_follow, self, NULL);
  whip_client_set_trace (client, trace, self, NULL);
  return client;
}

GstIvsSession *
gst_ivs_session_new (const GstIvsSessionConfig *config,
    const GstIvsSessionEvents *events, gpointer data)
{
  GstIvsSession *self = g_new0 (GstIvsSession, 1);

  init_debug ();
  self->ref_count = 1;
  self->bin = config->bin;
  self->worker = gst_ivs_worker_ref (config->worker);
  gst_ivs_settings_copy (&self->settings, config->settings);
  self->token = ivs_token_copy (config->token);
  self->endpoint = g_strdup (config->endpoint);
  self->is_after_live = config->is_after_live;
  self->has_played = config->has_played;
  self->events = *events;
  self->data = data;
  self->cancellable = g_cancellable_new ();
  self->client = make_client (self);
  self->times.begun = g_get_monotonic_time ();
  return self;
}

GstIvsSession *
gst_ivs_session_ref (GstIvsSession *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
gst_ivs_session_unref (GstIvsSession *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_clear_pointer (&self->offer, gst_sdp_message_free);
  g_object_unref (self->client);
  g_object_unref (self->cancellable);
  ivs_token_free (self->token);
  gst_ivs_settings_clear (&self->settings);
  gst_ivs_worker_unref (self->worker);
  g_free (self->endpoint);
  g_free (self->session_url);
  g_free (self->request_id);
  g_free (self->media_address);
  g_free (self);
}

static void
init_debug (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    GST_DEBUG_CATEGORY_INIT (gst_ivs_session_debug, "ivssession", 0,
        "ivsstagesink: one session on the stage");
    g_once_init_leave (&done, 1);
  }
}
