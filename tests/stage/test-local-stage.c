/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The local stage: its rules over HTTP, its WebSocket, and media once.
 */
#include <gst/gst.h>
#include <string.h>

#include "end-gstreamer.h"
#include "sender.h"

/* -- Helpers -------------------------------------------------------------------- */

static const gchar offer_head[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
    "a=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n"
    "a=setup:actpass\r\na=msid:s a\r\n"
    "a=ice-ufrag:test\r\na=ice-pwd:testtesttesttesttesttest\r\n"
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
    "a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 minptime=10;useinbandfec=1\r\n";

static gchar *
make_offer (const gchar *codec)
{
  if (codec == NULL)
    return g_strdup (offer_head);
  return g_strdup_printf (
      "%sm=video 0 UDP/TLS/RTP/SAVPF 97\r\n"
      "c=IN IP4 0.0.0.0\r\na=bundle-only\r\n"
      "a=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n"
      "a=setup:actpass\r\na=msid:s v\r\n"
      "a=ice-ufrag:test\r\na=ice-pwd:testtesttesttesttesttest\r\n"
      "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
      "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
      "a=rtpmap:97 %s/90000\r\n"
      "a=fmtp:97 packetization-mode=1;profile-level-id=42e01f\r\n",
      offer_head, codec);
}

static void
assert_near (gdouble value, gdouble expected, gdouble tolerance)
{
  if (!(ABS (value - expected) <= tolerance))
    g_error ("%g is not %g, give or take %g", value, expected, tolerance);
}

static SoupMessage *
make_request (const gchar *method, const gchar *url, const gchar *token,
    const gchar *offer)
{
  SoupMessage *message = soup_message_new (method, url);

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (token != NULL) {
    g_autofree gchar *bearer = g_strconcat ("Bearer ", token, NULL);

    soup_message_headers_append (soup_message_get_request_headers (message),
        "Authorization", bearer);
  }
  if (offer != NULL) {
    g_autoptr (GBytes) body = g_bytes_new (offer, strlen (offer));

    soup_message_set_request_body_from_bytes (message, "application/sdp", body);
  }
  return message;
}

static const gchar *
get_header (SoupMessage *message, const gchar *name)
{
  return soup_message_headers_get_one (soup_message_get_response_headers (
                                           message),
      name);
}

static gint64
read_code (const gchar *body)
{
  g_autoptr (JsonNode) node = json_from_string (body, NULL);

  return node != NULL ? (gint64) stage_state_number (node, "code") : 0;
}

static gchar *
make_publish_url (StageFixture *stage, const gchar *id)
{
  return g_strconcat (stage_fixture_get_regional_url (stage), "/publish/", id,
      NULL);
}

/* -- Refusals ---------------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *fault;   /* body for /api/faults, or NULL */
  const gchar *request; /* body for /api/token, or NULL */
  const gchar *codec;   /* of the video section; NULL = no section */
  gboolean with_token;
  guint status;
  gint64 code;
} Refusal;

/* clang-format off */
static const Refusal refusals[] = {
  { "no-token", NULL, NULL, "H264", FALSE, 401, 2003 },
  { "expired", NULL, "{\"duration\":-1}", "H264", TRUE, 403, 2002 },
  { "subscribe-only", NULL, "{\"capabilities\":[\"SUBSCRIBE\"]}", "H264", TRUE, 403, 2003 },
  { "no-video", NULL, NULL, NULL, TRUE, 400, 2001 },
  { "no-h264", NULL, NULL, "VP8", TRUE, 400, 2014 },
  { "rule-capacity", "{\"rule\":\"capacity\",\"count\":1}", NULL, "H264", TRUE, 403, 2005 },
  { "rule-simulcast-account", "{\"rule\":\"simulcast-account\",\"count\":1}", NULL, "H264", TRUE, 404, 2011 },
  { "rule-throttled", "{\"rule\":\"throttled\",\"count\":1}", NULL, "H264", TRUE, 429, 2013 },
  { "rule-expired", "{\"rule\":\"expired\",\"count\":1}", NULL, "H264", TRUE, 403, 2002 },
  { "rule-no-permissions", "{\"rule\":\"no-permissions\",\"count\":1}", NULL, "H264", TRUE, 403, 2003 },
  { "rule-already-published", "{\"rule\":\"already-published\",\"count\":1}", NULL, "H264", TRUE, 500, 2010 },
  { "rule-aborted", "{\"rule\":\"aborted\",\"count\":1}", NULL, "H264", TRUE, 412, 2012 },
  { "rule-no-h264", "{\"rule\":\"no-h264\",\"count\":1}", NULL, "H264", TRUE, 400, 2014 },
  { "rule-internal", "{\"rule\":\"internal\",\"count\":1}", NULL, "H264", TRUE, 500, 2006 },
  { "rule-unknown-code", "{\"rule\":\"unknown-code\",\"count\":1}", NULL, "H264", TRUE, 400, 2999 },
  { "rule-html-body", "{\"rule\":\"html-body\",\"count\":1}", NULL, "H264", TRUE, 502, 0 },
  { "rule-empty-body", "{\"rule\":\"empty-body\",\"count\":1}", NULL, "H264", TRUE, 403, 0 },
  { "rule-huge-body", "{\"rule\":\"huge-body\",\"count\":1}", NULL, "H264", TRUE, 403, 2005 },
  { "rule-status", "{\"rule\":\"status\",\"status\":418,\"body\":\"tea\",\"count\":1}", NULL, "H264", TRUE, 418, 0 },
};
/* clang-format on */

static StageFixture *shared;

static void
test_refusal (gconstpointer data)
{
  const Refusal *refusal = data;
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (shared, refusal->request, &id);
  g_autofree gchar *url = make_publish_url (shared, id);
  g_autofree gchar *offer = make_offer (refusal->codec);
  g_autoptr (SoupMessage) message =
      make_request ("POST", url, refusal->with_token ? token : NULL, offer);
  G_GNUC_UNUSED g_autofree gchar *body = NULL;
  g_autoptr (JsonNode) state = NULL;

  if (refusal->fault != NULL)
    stage_fixture_fault (shared, "%s", refusal->fault);
  body = stage_fixture_send (shared, message);
  g_assert_cmpuint (soup_message_get_status (message), ==, refusal->status);
  g_assert_cmpint (read_code (body), ==, refusal->code);
  g_assert_cmpstr (get_header (message, "Access-Control-Allow-Origin"), ==,
      "*");
  state = stage_fixture_wait_number (shared, "refusals.-1.status",
      refusal->status, 5);
  g_assert_cmpint ((gint64) stage_state_number (state, "refusals.-1.code"), ==,
      refusal->code);
  g_assert_nonnull (stage_state_string (state, "refusals.-1.reason"));
  g_assert_cmpint (json_array_get_length (
                       json_node_get_array (stage_state_at (state, "faults"))),
      ==, 0);
}

/* -- HTTP ------------------------------------------------------------------------------ */

static void
test_redirect (void)
{
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, NULL);
  g_autofree gchar *offer = make_offer ("H264");
  g_autoptr (SoupMessage) message =
      make_request ("POST", stage_fixture_get_whip_url (shared), token, offer);
  G_GNUC_UNUSED g_autofree gchar *body = stage_fixture_send (shared, message);
  const gchar *location = get_header (message, "Location");
  g_autoptr (SoupMessage) second = NULL;
  g_autofree gchar *answer = NULL;

  g_assert_cmpuint (soup_message_get_status (message), ==, 307);
  g_assert_true (
      g_str_has_prefix (location, stage_fixture_get_regional_url (shared)));
  second = make_request ("POST", location, token, offer);
  answer = stage_fixture_send (shared, second);
  g_assert_cmpuint (soup_message_get_status (second), ==, 201);
  g_assert_true (g_str_has_prefix (answer, "v=0\r\n"));
}

static void
test_redirect_chain (void)
{
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, NULL);
  g_autofree gchar *offer = make_offer ("H264");
  g_autofree gchar *url = g_strdup (stage_fixture_get_whip_url (shared));
  guint hops = 0, status = 0;

  stage_fixture_fault (shared,
      "{\"rule\":\"redirect\",\"on\":\"global\",\"hops\":3,\"status\":308,\"count\":1}");
  while (hops < 10) {
    g_autoptr (SoupMessage) message = make_request ("POST", url, token, offer);
    G_GNUC_UNUSED g_autofree gchar *body = stage_fixture_send (shared, message);

    status = soup_message_get_status (message);
    if (status != 308)
      break;
    hops++;
    g_free (url);
    url = g_strdup (get_header (message, "Location"));
  }
  g_assert_cmpuint (hops, ==, 3);
  g_assert_cmpuint (status, ==, 201);
}

static void
test_session (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, &id);
  g_autofree gchar *url = make_publish_url (shared, id);
  g_autofree gchar *offer = make_offer ("H264");
  g_autofree gchar *path = g_strconcat ("@", id, ".sessions.deleted", NULL);
  g_autoptr (SoupMessage) post = make_request ("POST", url, token, offer);
  g_autofree gchar *answer = stage_fixture_send (shared, post);
  const gchar *location = get_header (post, "Location");
  g_autoptr (SoupMessage) bare = make_request ("DELETE", location, NULL, NULL);
  g_autoptr (SoupMessage) first =
      make_request ("DELETE", location, token, NULL);
  g_autoptr (SoupMessage) second =
      make_request ("DELETE", location, token, NULL);
  g_autoptr (JsonNode) state = NULL;

  g_assert_cmpuint (soup_message_get_status (post), ==, 201);
  g_assert_cmpstr (get_header (post, "Content-Type"), ==, "application/sdp");
  g_assert_nonnull (strstr (answer, "a=candidate:"));
  g_assert_nonnull (strstr (answer, "127.0.0.1"));
  g_free (stage_fixture_send (shared, bare));
  g_assert_cmpuint (soup_message_get_status (bare), ==, 401);
  g_free (stage_fixture_send (shared, first));
  g_assert_cmpuint (soup_message_get_status (first), ==, 200);
  g_free (stage_fixture_send (shared, second));
  g_assert_cmpuint (soup_message_get_status (second), ==, 404);
  state = stage_fixture_get_state (shared);
  g_assert_cmpint ((gint64) stage_state_number (state, path), ==, 1);
}

static void
test_cors (void)
{
  g_autofree gchar *url = make_publish_url (shared, "x");
  g_autoptr (SoupMessage) message = make_request ("OPTIONS", url, NULL, NULL);
  G_GNUC_UNUSED g_autofree gchar *body = NULL;

  soup_message_headers_append (soup_message_get_request_headers (message),
      "Access-Control-Request-Headers", "authorization,content-type");
  body = stage_fixture_send (shared, message);
  g_assert_cmpuint (soup_message_get_status (message), ==, 204);
  g_assert_cmpstr (get_header (message, "Access-Control-Allow-Origin"), ==,
      "*");
  g_assert_cmpstr (get_header (message, "Access-Control-Allow-Headers"), ==,
      "authorization,content-type");
  g_assert_nonnull (
      strstr (get_header (message, "Access-Control-Expose-Headers"),
          "Location"));
}

static void
test_foreign_origin (void)
{
  g_autofree gchar *url =
      g_strconcat (stage_fixture_get_page_url (shared), "api/token", NULL);
  g_autoptr (SoupMessage) message = make_request ("POST", url, NULL, NULL);

  soup_message_headers_append (soup_message_get_request_headers (message),
      "Origin", "https://example.com");
  g_free (stage_fixture_send (shared, message));
  g_assert_cmpuint (soup_message_get_status (message), ==, 403);
}

static void
test_no_secrets (void)
{
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, NULL);
  g_autoptr (SoupMessage) message =
      make_request ("POST", stage_fixture_get_whip_url (shared), token, "v=0");
  g_autoptr (JsonNode) state = NULL;
  g_autofree gchar *text = NULL;

  g_free (stage_fixture_send (shared, message));
  state = stage_fixture_wait_number (shared, "requests.-1.status", 307, 5);
  text = json_to_string (state, FALSE);
  g_assert_cmpstr (stage_state_string (state, "requests.-1.authorization"), ==,
      "bearer");
  g_assert_null (strstr (text, token));
}

/* -- Tokens ------------------------------------------------------------------------------- */

static JsonNode *
decode_claims (const gchar *token)
{
  g_auto (GStrv) parts = g_strsplit (token, ".", -1);
  g_autofree guint8 *data = NULL;
  g_autofree gchar *padded = NULL;
  g_autofree gchar *text = NULL;
  gsize size;

  g_assert_cmpuint (g_strv_length (parts), ==, 3);
  padded = g_strconcat (parts[1], "===", NULL);
  padded[(strlen (parts[1]) + 3) / 4 * 4] = '\0';
  g_strdelimit (padded, "-", '+');
  g_strdelimit (padded, "_", '/');
  data = g_base64_decode (padded, &size);
  text = g_strndup ((gchar *) data, size);
  return json_from_string (text, NULL);
}

static void
test_token (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (shared,
      "{\"userId\":\"ann\",\"capabilities\":[\"PUBLISH\"],\"duration\":60,"
      "\"attributes\":{\"seat\":\"7\"}}",
      &id);
  g_autoptr (JsonNode) claims = decode_claims (token);
  gdouble now = (gdouble) (g_get_real_time () / G_USEC_PER_SEC);

  g_assert_nonnull (claims);
  g_assert_cmpstr (stage_state_string (claims, "jti"), ==, id);
  g_assert_cmpstr (stage_state_string (claims, "user_id"), ==, "ann");
  g_assert_cmpstr (stage_state_string (claims, "attributes.seat"), ==, "7");
  g_assert_cmpstr (stage_state_string (claims, "whip_url"), ==,
      stage_fixture_get_regional_url (shared));
  g_assert_true (g_str_has_prefix (stage_state_string (claims, "events_url"),
      "ws://127.0.0.1:"));
  g_assert_true (stage_state_is_true (claims, "capabilities.allow_publish"));
  g_assert_false (stage_state_is_true (claims, "capabilities.allow_subscribe"));
  assert_near (stage_state_number (claims, "exp"), now + 3600, 5);
}

static void
test_token_without_whip_url (void)
{
  g_autofree gchar *token =
      stage_fixture_mint (shared, "{\"whip_url\":false}", NULL);
  g_autoptr (JsonNode) claims = decode_claims (token);

  g_assert_null (stage_state_at (claims, "whip_url"));
  g_assert_nonnull (stage_state_at (claims, "jti"));
}

/* -- WebSocket ------------------------------------------------------------------------------- */

typedef struct
{
  SoupWebsocketConnection *connection;
  JsonNode *message; /* the last one */
  GMainLoop *loop;
  gboolean timed_out;
} Guest;

static void
guest_heard (SoupWebsocketConnection *connection, gint type, GBytes *bytes,
    gpointer data)
{
  Guest *guest = data;
  gsize size;
  const gchar *text = g_bytes_get_data (bytes, &size);
  g_autofree gchar *copy = g_strndup (text, size);

  g_clear_pointer (&guest->message, json_node_unref);
  guest->message = json_from_string (copy, NULL);
  g_main_loop_quit (guest->loop);
}

static void
guest_joined (GObject *session, GAsyncResult *result, gpointer data)
{
  Guest *guest = data;
  g_autoptr (GError) error = NULL;

  guest->connection =
      soup_session_websocket_connect_finish (SOUP_SESSION (session), result,
          &error);
  g_assert_no_error (error);
  g_signal_connect (guest->connection, "message", G_CALLBACK (guest_heard),
      guest);
}

static gboolean
guest_waited (gpointer data)
{
  g_error ("No message on the events WebSocket after 10 s");
  return G_SOURCE_REMOVE;
}

static void
wait_for_message (Guest *guest)
{
  guint timer = g_timeout_add_seconds (10, guest_waited, NULL);

  g_main_loop_run (guest->loop);
  g_source_remove (timer);
}

static void
join (Guest *guest, const gchar *token)
{
  g_autoptr (JsonNode) claims = decode_claims (token);
  g_autofree gchar *url =
      g_strconcat (stage_state_string (claims, "events_url"),
          "?error_over_ws=1&topic=x/publishers", NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  const gchar *protocols[] = { token, NULL };

  guest->loop = g_main_loop_new (NULL, FALSE);
  soup_session_websocket_connect_async (stage_fixture_get_session (shared),
      message, NULL, (gchar **) protocols, G_PRIORITY_DEFAULT, NULL,
      guest_joined, guest);
  wait_for_message (guest);
}

static void
leave (Guest *guest)
{
  g_signal_handlers_disconnect_by_data (guest->connection, guest);
  if (soup_websocket_connection_get_state (guest->connection) ==
      SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (guest->connection, 1000, NULL);
  g_object_unref (guest->connection);
  g_clear_pointer (&guest->message, json_node_unref);
  g_main_loop_unref (guest->loop);
}

static void
test_events (void)
{
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, NULL);
  Guest guest = { 0 };

  join (&guest, token);
  g_assert_cmpstr (stage_state_string (guest.message, "type"), ==,
      "aws:ivs:STAGE_STATE");
  g_assert_nonnull (stage_state_at (guest.message, "payload.participants"));
  g_assert_cmpstr (soup_websocket_connection_get_protocol (guest.connection),
      ==, token);
  soup_websocket_connection_send_text (guest.connection, "{\"type\":\"PING\"}");
  wait_for_message (&guest);
  g_assert_cmpstr (stage_state_string (guest.message, "type"), ==, "PONG");
  leave (&guest);
}

static void
test_events_refused (void)
{
  Guest guest = { 0 };
  g_autofree gchar *token =
      stage_fixture_mint (shared, "{\"duration\":-1}", NULL);

  join (&guest, token);
  g_assert_cmpstr (stage_state_string (guest.message, "type"), ==,
      "aws:ivs:JOIN_ERROR");
  leave (&guest);
}

/* -- Lint ------------------------------------------------------------------------------------ */

static void
test_lint_clean (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, &id);
  g_autofree gchar *url = make_publish_url (shared, id);
  g_autofree gchar *offer = make_offer ("H264");
  g_autoptr (SoupMessage) message = make_request ("POST", url, token, offer);
  g_autoptr (JsonNode) state = NULL;
  g_autofree gchar *path = g_strconcat ("@", id, ".lint.0", NULL);

  g_free (stage_fixture_send (shared, message));
  state = stage_fixture_get_state (shared);
  g_assert_cmpstr (stage_state_string (state, path), ==, NULL);
}

static void
test_lint_complains (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (shared, NULL, &id);
  g_autofree gchar *url = make_publish_url (shared, id);
  g_autofree gchar *offer = make_offer ("H264");
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (JsonNode) state = NULL;
  g_autofree gchar *path = g_strconcat ("@", id, ".lint.0", NULL);

  memcpy (strstr (offer, "a=rtcp-mux-only"), "a=rtcp-mux-never", 15);
  message = make_request ("POST", url, token, offer);
  g_free (stage_fixture_send (shared, message));
  state = stage_fixture_get_state (shared);
  g_assert_nonnull (strstr (stage_state_string (state, path), "rtcp-mux-only"));
}

/* -- Media -------------------------------------------------------------------------------------- */

static void
test_media (void)
{
  g_autoptr (StageFixture) stage = stage_fixture_start (NULL);
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autofree gchar *url = make_publish_url (stage, id);
  g_autoptr (Sender) sender = sender_new ();
  G_GNUC_UNUSED g_autofree gchar *location =
      sender_publish (sender, stage, url, token);
  g_autofree gchar *idrs = g_strconcat ("@", id, ".session.video.idrs", NULL);
  g_autofree gchar *audio =
      g_strconcat ("@", id, ".session.audio.packets", NULL);
  g_autofree gchar *session = g_strconcat ("@", id, ".session", NULL);
  G_GNUC_UNUSED g_autoptr (JsonNode) first =
      stage_fixture_wait_number (stage, idrs, 3, 20);
  g_autoptr (JsonNode) state = stage_fixture_wait_number (stage, audio, 50, 20);
  JsonNode *node = stage_state_at (state, session);

  g_assert_cmpstr (stage_state_string (node, "state"), ==, "connected");
  g_assert_true (stage_state_is_true (node, "video.starts_with_idr"));
  g_assert_cmpint ((gint) stage_state_number (node, "video.width"), ==, 320);
  g_assert_cmpint ((gint) stage_state_number (node, "video.height"), ==, 240);
  g_assert_cmpint ((gint) stage_state_number (node, "video.profile"), ==, 66);
  g_assert_cmpint ((gint) stage_state_number (node, "video.b_slices"), ==, 0);
  g_assert_cmpint ((gint) stage_state_number (node, "video.never_arrived"), ==,
      0);
  g_assert_cmpint ((gint) stage_state_number (node, "audio.never_arrived"), ==,
      0);
  g_assert_cmpint ((gint) stage_state_number (node, "audio.channels"), ==, 1);
  g_assert_cmpint ((gint) stage_state_number (node, "impostor_packets"), ==, 0);
  stage_fixture_fault (stage, "{\"rule\":\"kill\",\"participant\":\"%s\"}", id);
  g_clear_pointer (&state, json_node_unref);
  g_free (session);
  session = g_strconcat ("@", id, ".session.state", NULL);
  state = stage_fixture_wait_string (stage, session, "killed", 5);
}

/* -- Misbehaviour ----------------------------------------------------------------- */

typedef struct
{
  StageFixture *stage;
  Sender *sender;
  gchar *id;
  gchar *token;
} Publishing;

static gchar *
in_session (Publishing *publishing, const gchar *path)
{
  return g_strconcat ("@", publishing->id, ".session.", path, NULL);
}

static gint64
count (Publishing *publishing, const gchar *name)
{
  g_autoptr (JsonNode) state = stage_fixture_get_state (publishing->stage);
  g_autofree gchar *path = in_session (publishing, name);

  return (gint64) stage_state_number (state, path);
}

static void
wait_for_count (Publishing *publishing, const gchar *name, gint64 value)
{
  g_autofree gchar *path = in_session (publishing, name);

  json_node_unref (
      stage_fixture_wait_number (publishing->stage, path, (gdouble) value, 20));
}

static void
start_publishing (Publishing *publishing, const gchar *fault)
{
  g_autofree gchar *url = NULL;

  publishing->stage = stage_fixture_start (NULL);
  publishing->token =
      stage_fixture_mint (publishing->stage, NULL, &publishing->id);
  if (fault != NULL)
    stage_fixture_fault (publishing->stage, "%s", fault);
  publishing->sender = sender_new ();
  url = make_publish_url (publishing->stage, publishing->id);
  g_free (sender_publish (publishing->sender, publishing->stage, url,
      publishing->token));
}

static void
stop_publishing (Publishing *publishing)
{
  sender_free (publishing->sender);
  stage_fixture_stop (publishing->stage);
  g_free (publishing->id);
  g_free (publishing->token);
}

/* A sender that does not compare fingerprints sends to whoever answers. */
static void
test_impostor (void)
{
  Publishing publishing = { 0 };

  start_publishing (&publishing,
      "{\"rule\":\"spoil\",\"spoil\":\"wrong-fingerprint\",\"count\":1}");
  wait_for_count (&publishing, "impostor_packets", 10);
  stop_publishing (&publishing);
}

static void
act (Publishing *publishing, const gchar *rule)
{
  stage_fixture_fault (publishing->stage,
      "{\"rule\":\"%s\",\"participant\":\"%s\"}", rule, publishing->id);
}

/* Nothing arrives while it is frozen, and all goes on afterwards. */
static void
test_freeze (void)
{
  Publishing publishing = { 0 };
  gint64 before;

  start_publishing (&publishing, NULL);
  wait_for_count (&publishing, "packets_arrived", 30);
  act (&publishing, "freeze");
  wait_for_count (&publishing, "video.last_packet_age_ms", 1000);
  before = count (&publishing, "packets_arrived");
  wait_for_count (&publishing, "video.last_packet_age_ms", 1500);
  g_assert_cmpint (count (&publishing, "packets_arrived"), ==, before);
  act (&publishing, "thaw");
  wait_for_count (&publishing, "packets_arrived", before + 30);
  stop_publishing (&publishing);
}

/* The sender is told, unlike when the stage is killed. */
static void
test_dtls_close (void)
{
  Publishing publishing = { 0 };
  g_autofree gchar *path = NULL;

  start_publishing (&publishing, NULL);
  wait_for_count (&publishing, "packets_arrived", 30);
  act (&publishing, "dtls-close");
  path = in_session (&publishing, "state");
  json_node_unref (
      stage_fixture_wait_string (publishing.stage, path, "killed", 10));
  sender_wait_closed (publishing.sender);
  stop_publishing (&publishing);
}

static void
test_loss (void)
{
  Publishing publishing = { 0 };

  start_publishing (&publishing, NULL);
  wait_for_count (&publishing, "audio.packets", 20);
  stage_fixture_fault (publishing.stage, "{\"rule\":\"loss\",\"percent\":20}");
  wait_for_count (&publishing, "audio.never_arrived", 5);
  stop_publishing (&publishing);
}

/* A second connection with a token ends the first. */
static void
test_second_connection (void)
{
  Publishing publishing = { 0 };
  g_autoptr (Sender) second = sender_new ();
  g_autofree gchar *url = NULL;
  g_autofree gchar *path = NULL;

  start_publishing (&publishing, NULL);
  wait_for_count (&publishing, "packets_arrived", 10);
  url = make_publish_url (publishing.stage, publishing.id);
  g_free (sender_publish (second, publishing.stage, url, publishing.token));
  path = g_strconcat ("@", publishing.id, ".sessions.replaced", NULL);
  json_node_unref (stage_fixture_wait_number (publishing.stage, path, 1, 10));
  wait_for_count (&publishing, "video.frames", 10);
  stop_publishing (&publishing);
}

/* Reports at the right rate, on the sender's clock, and in step. */
static void
test_sync (void)
{
  Publishing publishing = { 0 };
  g_autoptr (JsonNode) state = NULL;
  g_autofree gchar *session = NULL;
  JsonNode *node;

  start_publishing (&publishing, NULL);
  wait_for_count (&publishing, "video.n_reports", 2);
  wait_for_count (&publishing, "audio.n_reports", 2);
  wait_for_count (&publishing, "video.latency_ms", -1000);
  wait_for_count (&publishing, "audio.latency_ms", -1000);
  state = stage_fixture_get_state (publishing.stage);
  session = g_strconcat ("@", publishing.id, ".session", NULL);
  node = stage_state_at (state, session);
  assert_near (stage_state_number (node, "video.reports.-1.rate"), 90000, 2000);
  assert_near (stage_state_number (node, "audio.reports.-1.rate"), 48000, 1000);
  g_assert_nonnull (stage_state_at (node, "av_offset_ms"));
  assert_near (stage_state_number (node, "av_offset_ms"), 0, 400);
  stop_publishing (&publishing);
}

/* -- Table ---------------------------------------------------------------------------------------- */

static void
add_refusals (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autofree gchar *name =
        g_strconcat ("/local-stage/refusal/", refusals[i].name, NULL);

    g_test_add_data_func (name, &refusals[i], test_refusal);
  }
}

int
main (int argc, char **argv)
{
  gint result;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  shared = stage_fixture_start (NULL);
  add_refusals ();
  g_test_add_func ("/local-stage/redirect", test_redirect);
  g_test_add_func ("/local-stage/redirect-chain", test_redirect_chain);
  g_test_add_func ("/local-stage/session", test_session);
  g_test_add_func ("/local-stage/cors", test_cors);
  g_test_add_func ("/local-stage/foreign-origin", test_foreign_origin);
  g_test_add_func ("/local-stage/no-secrets", test_no_secrets);
  g_test_add_func ("/local-stage/token", test_token);
  g_test_add_func ("/local-stage/token-without-whip-url",
      test_token_without_whip_url);
  g_test_add_func ("/local-stage/events", test_events);
  g_test_add_func ("/local-stage/events-refused", test_events_refused);
  g_test_add_func ("/local-stage/lint-clean", test_lint_clean);
  g_test_add_func ("/local-stage/lint-complains", test_lint_complains);
  g_test_add_func ("/local-stage/media", test_media);
  g_test_add_func ("/local-stage/sync", test_sync);
  g_test_add_func ("/local-stage/impostor", test_impostor);
  g_test_add_func ("/local-stage/freeze", test_freeze);
  g_test_add_func ("/local-stage/dtls-close", test_dtls_close);
  g_test_add_func ("/local-stage/loss", test_loss);
  g_test_add_func ("/local-stage/second-connection", test_second_connection);
  result = g_test_run ();
  stage_fixture_stop (shared);
  end_gstreamer ();
  return result;
}
