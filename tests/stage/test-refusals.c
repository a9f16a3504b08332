/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a stage refuses, and what the element makes of it on the bus.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"
#include "test-table.h"

#include <string.h>

static StageFixture *stage;

/* Sound alone is the cheapest session; the element adds the video section. */
#define PUBLISH "audiotestsrc is-live=true ! ivsstagesink "

/* -- One refusal, one ERROR ------------------------------------------------------ */

typedef struct
{
  const gchar *name; /* of the case */
  const gchar *rule; /* of the stage, with its parameters */
  gint code;
  guint status;
  const gchar *failure;
  gint error;           /* GstResourceError, but for the stream errors */
  gboolean retryable;   /* by itself; these tests allow no retry */
  const gchar *said;    /* by the server, or NULL: nothing that can be shown */
  const gchar *happens; /* begins the sentence */
  const gchar *to_do;   /* stands in the advice */
} Refusal;

#define MINT \
  "aws ivs-realtime create-participant-token --stage-arn arn:aws:ivs:"
#define STATUS(n) "\"rule\":\"status\",\"status\":" #n

/* clang-format off */
static const Refusal refusals[] = {
  { "code/2001", "\"rule\":\"refused\"", 2001, 400, "session-refused", GST_RESOURCE_ERROR_OPEN_WRITE, FALSE,
    "failed to create publisher session",
    "The stage refused the session (code 2001, HTTP 400, 127.0.0.1): failed to create publisher session.", "Check that the video is H.264" },
  { "code/2002", "\"rule\":\"expired\"", 2002, 403, "service-token-expired", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE,
    "token expired", "The stage says that the participant token has expired (code 2002, HTTP 403", MINT },
  { "code/2003", "\"rule\":\"no-permissions\"", 2003, 403, "no-permissions", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE,
    "no permissions", "The stage does not accept the participant token (code 2003, HTTP 403", MINT },
  { "code/2003-with-400", "\"rule\":\"no-permissions\",\"status\":400", 2003, 400, "no-permissions", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE,
    "no permissions", "The stage does not accept the participant token (code 2003, HTTP 400", MINT },
  { "code/2004", "\"rule\":\"stage-deleted\"", 2004, 404, "stage-not-found", GST_RESOURCE_ERROR_NOT_FOUND, FALSE,
    "remote stream not found", "The stage was not found (code 2004, HTTP 404", "aws ivs-realtime get-stage" },
  { "code/2005", "\"rule\":\"capacity\"", 2005, 403, "stage-full", GST_RESOURCE_ERROR_NO_SPACE_LEFT, FALSE,
    "stage at capacity", "The stage is full (code 2005, HTTP 403", "12 publishers" },
  { "code/2006", "\"rule\":\"internal\"", 2006, 500, "service-internal", GST_RESOURCE_ERROR_FAILED, TRUE,
    "internal error", "The stage failed on the service's side (code 2006, HTTP 500", "AWS Health Dashboard" },
  { "code/2007", "\"rule\":\"uncategorized\"", 2007, 500, "service-internal", GST_RESOURCE_ERROR_FAILED, TRUE,
    "uncategorized error", "The stage failed on the service's side (code 2007, HTTP 500", "AWS Health Dashboard" },
  { "code/2007-with-400", "\"rule\":\"uncategorized\",\"status\":400", 2007, 400, "service-internal", GST_RESOURCE_ERROR_FAILED, FALSE,
    "uncategorized error", "The stage failed on the service's side (code 2007, HTTP 400", "AWS Health Dashboard" },
  { "code/2008", "\"rule\":\"unreachable\"", 2008, 500, "service-internal", GST_RESOURCE_ERROR_FAILED, TRUE,
    "unreachable", "The stage failed on the service's side (code 2008, HTTP 500", "AWS Health Dashboard" },
  { "code/2010", "\"rule\":\"already-published\"", 2010, 500, "already-publishing", GST_RESOURCE_ERROR_BUSY, FALSE,
    "invalid session status", "This participant already publishes (code 2010, HTTP 500", MINT },
  { "code/2011", "\"rule\":\"simulcast-account\"", 2011, 404, "action-not-found", GST_RESOURCE_ERROR_NOT_FOUND, FALSE,
    "action ID not found", "The stage does not take this way of publishing (code 2011, HTTP 404", "whether simulcast is enabled" },
  { "code/2012", "\"rule\":\"aborted\"", 2012, 412, "state-conflict", GST_RESOURCE_ERROR_BUSY, FALSE,
    "aborted", "The stage broke off, for this participant is in another state (code 2012, HTTP 412", "in use elsewhere" },
  { "code/2013", "\"rule\":\"throttled\"", 2013, 429, "throttled", GST_RESOURCE_ERROR_BUSY, TRUE,
    "throttled", "The stage asks for fewer requests (code 2013, HTTP 429", "one after the other" },
  { "code/2014", "\"rule\":\"no-h264\"", 2014, 400, "no-matching-codec", GST_STREAM_ERROR_WRONG_TYPE, FALSE,
    "no matching codec", "The stage found no codec that it takes (code 2014, HTTP 400", "profile-level-id 42e01f" },
  { "code/2009-is-unknown", "\"rule\":\"refused\",\"code\":2009,\"message\":\"hm\"", 2009, 400, "http-client", GST_RESOURCE_ERROR_OPEN_WRITE, FALSE,
    "hm", "The endpoint did not accept the request (code 2009, HTTP 400, 127.0.0.1): hm.", "Check whip-endpoint" },
  { "code/unknown", "\"rule\":\"unknown-code\"", 2999, 400, "http-client", GST_RESOURCE_ERROR_OPEN_WRITE, FALSE,
    "something new", "The endpoint did not accept the request (code 2999, HTTP 400", "Check whip-endpoint" },
  { "code/unknown-with-403", "\"rule\":\"unknown-code\",\"status\":403", 2999, 403, "http-refused", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE,
    "something new", "The endpoint refused the participant token (code 2999, HTTP 403", MINT },
  { "code/string", "\"rule\":\"string-code\"", 2005, 403, "stage-full", GST_RESOURCE_ERROR_NO_SPACE_LEFT, FALSE,
    "stage at capacity", "The stage is full (code 2005, HTTP 403", "12 publishers" },

  { "body/html", "\"rule\":\"html-body\"", 0, 502, "busy", GST_RESOURCE_ERROR_BUSY, TRUE,
    "502 Bad Gateway", "The endpoint is busy or cannot be reached through its gateway (HTTP 502, 127.0.0.1): 502 Bad Gateway.", "check the proxy" },
  { "body/empty", "\"rule\":\"empty-body\"", 0, 403, "http-refused", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE,
    NULL, "The endpoint refused the participant token (HTTP 403, 127.0.0.1).", MINT },
  { "body/huge", "\"rule\":\"huge-body\"", 0, 403, "http-refused", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE,
    "", "The endpoint refused the participant token (HTTP 403, 127.0.0.1)", MINT },

  { "status/400", STATUS (400), 0, 400, "http-client", GST_RESOURCE_ERROR_OPEN_WRITE, FALSE, NULL, "The endpoint did not accept the request (HTTP 400, 127.0.0.1).", "Check whip-endpoint" },
  { "status/401", STATUS (401), 0, 401, "http-refused", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE, NULL, "The endpoint refused the participant token (HTTP 401, 127.0.0.1).", MINT },
  { "status/403", STATUS (403), 0, 403, "http-refused", GST_RESOURCE_ERROR_NOT_AUTHORIZED, FALSE, NULL, "The endpoint refused the participant token (HTTP 403, 127.0.0.1).", MINT },
  { "status/404", STATUS (404), 0, 404, "not-a-stage-endpoint", GST_RESOURCE_ERROR_NOT_FOUND, FALSE, NULL, "What answered is not the WHIP endpoint of a stage (HTTP 404, 127.0.0.1).", "is another product" },
  { "status/405", STATUS (405), 0, 405, "not-a-stage-endpoint", GST_RESOURCE_ERROR_NOT_FOUND, FALSE, NULL, "What answered is not the WHIP endpoint of a stage (HTTP 405, 127.0.0.1).", "is another product" },
  { "status/406", STATUS (406), 0, 406, "not-a-stage-endpoint", GST_RESOURCE_ERROR_NOT_FOUND, FALSE, NULL, "What answered is not the WHIP endpoint of a stage (HTTP 406, 127.0.0.1).", "is another product" },
  { "status/415", STATUS (415), 0, 415, "not-a-stage-endpoint", GST_RESOURCE_ERROR_NOT_FOUND, FALSE, NULL, "What answered is not the WHIP endpoint of a stage (HTTP 415, 127.0.0.1).", "is another product" },
  { "status/422", STATUS (422), 0, 422, "http-client", GST_RESOURCE_ERROR_OPEN_WRITE, FALSE, NULL, "The endpoint did not accept the request (HTTP 422, 127.0.0.1).", "Check whip-endpoint" },
  { "status/429", STATUS (429), 0, 429, "busy", GST_RESOURCE_ERROR_BUSY, TRUE, NULL, "The endpoint is busy or cannot be reached through its gateway (HTTP 429, 127.0.0.1).", "check the proxy" },
  { "status/500", STATUS (500), 0, 500, "http-server", GST_RESOURCE_ERROR_FAILED, TRUE, NULL, "The endpoint failed (HTTP 500, 127.0.0.1).", "Try again later" },
  { "status/502", STATUS (502), 0, 502, "busy", GST_RESOURCE_ERROR_BUSY, TRUE, NULL, "The endpoint is busy or cannot be reached through its gateway (HTTP 502, 127.0.0.1).", "check the proxy" },
  { "status/503", STATUS (503), 0, 503, "busy", GST_RESOURCE_ERROR_BUSY, TRUE, NULL, "The endpoint is busy or cannot be reached through its gateway (HTTP 503, 127.0.0.1).", "check the proxy" },
  { "status/504", STATUS (504), 0, 504, "busy", GST_RESOURCE_ERROR_BUSY, TRUE, NULL, "The endpoint is busy or cannot be reached through its gateway (HTTP 504, 127.0.0.1).", "check the proxy" },
  { "status/304", STATUS (304), 0, 304, "http-unexpected", GST_RESOURCE_ERROR_OPEN_WRITE, FALSE, NULL, "The endpoint gave an answer that does not belong to WHIP (HTTP 304, 127.0.0.1).", "Check whip-endpoint" },
};
/* clang-format on */

static void
assert_contains (const gchar *text, const gchar *part)
{
  if (text == NULL || strstr (text, part) == NULL)
    g_error ("\"%s\" does not contain \"%s\"", text, part);
}

static void
assert_string (const GstStructure *details, const gchar *field,
    const gchar *value)
{
  const gchar *there = gst_structure_get_string (details, field);

  if (g_strcmp0 (there, value) != 0)
    g_error ("%s is \"%s\" instead of \"%s\"", field, there, value);
}

static void
check_message (GstMessage *message, const Refusal *refusal)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  g_autofree gchar *status =
      g_strdup_printf ("HTTP status %u", refusal->status);

  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s | %s", error->message, debug);
  g_assert_cmpint (error->code, ==, refusal->error);
  g_assert_true (error->domain ==
      (refusal->code == 2014 ? GST_STREAM_ERROR : GST_RESOURCE_ERROR));
  g_assert_true (g_str_has_prefix (error->message, refusal->happens));
  g_assert_true (g_str_has_suffix (error->message, ".") ||
      g_str_has_suffix (error->message, "…"));
  assert_contains (debug, refusal->to_do);
  assert_contains (debug, refusal->failure);
  assert_contains (debug, status);
}

static void
check_numbers (const GstStructure *details, const Refusal *refusal)
{
  gint code = -1;
  guint status = 0, attempt = 0;
  gboolean is_retryable = !refusal->retryable;

  g_assert_true (gst_structure_get_int (details, "code", &code));
  g_assert_cmpint (code, ==, refusal->code);
  g_assert_true (gst_structure_get_uint (details, "http-status-code", &status));
  g_assert_cmpuint (status, ==, refusal->status);
  g_assert_true (gst_structure_get_uint (details, "attempt", &attempt));
  g_assert_cmpuint (attempt, ==, 1);
  g_assert_true (
      gst_structure_get_boolean (details, "retryable", &is_retryable));
  g_assert_cmpint (is_retryable, ==, refusal->retryable);
}

static void
check_details (PublishFixture *publish, GstMessage *message,
    const Refusal *refusal)
{
  const GstStructure *details = publish_fixture_get_details (message);
  g_autoptr (JsonNode) state = publish_fixture_look (publish);
  g_autofree gchar *endpoint =
      g_strdup_printf ("%s/publish/%s", stage_fixture_get_regional_url (stage),
          publish_fixture_get_participant (publish));
  const gchar *said = gst_structure_get_string (details, "server-message");

  g_assert_true (gst_structure_has_name (details, "ivs-stage-error"));
  check_numbers (details, refusal);
  assert_string (details, "name", refusal->failure);
  assert_string (details, "participant-id",
      publish_fixture_get_participant (publish));
  assert_string (details, "stage-arn", stage_state_string (state, "stage"));
  assert_string (details, "endpoint", endpoint);
  g_assert_false (gst_structure_has_field (details, "request-id"));
  assert_contains (gst_structure_get_string (details, "hint"), refusal->to_do);
  if (refusal->said == NULL || *refusal->said != '\0')
    g_assert_cmpstr (said, ==, refusal->said);
  else
    g_assert_cmpuint (g_utf8_strlen (said, -1), <=, 300);
}

/* One ERROR and nothing else, not even when the pipeline ends; one request, and
 * no session was left behind. */
static void
check_end (PublishFixture *publish)
{
  publish_fixture_wait_connection (publish, "failed", 5);
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 1, 0);
}

static void
test_refusal (gconstpointer data)
{
  const Refusal *refusal = data;
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, PUBLISH "max-retries=0");
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (JsonNode) state = NULL;

  stage_fixture_fault (stage, "{%s,\"count\":1}", refusal->rule);
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, refusal->failure, 20);
  check_message (message, refusal);
  check_details (publish, message, refusal);
  check_end (publish);
  /* The stage does not always note a request whose answer nobody read up. */
  if (g_strcmp0 (refusal->said, "") != 0)
    g_assert_cmpuint (publish_fixture_count_requests (publish, "POST",
                          refusal->status),
        ==, 1);
  state = publish_fixture_look (publish);
  publish_fixture_assert_int (publish, state, "sessions.made", ==, 0);
}

/* -- Sound alone, without the section that the element would add --------------------- */

static void
test_without_video (void)
{
  static const Refusal refusal = { "", "", 2001, 400, "session-refused",
    GST_RESOURCE_ERROR_OPEN_WRITE, FALSE, "failed to create publisher session",
    "The stage refused the session (code 2001, HTTP 400, 127.0.0.1): the offer lacks H.264 video.",
    "set dummy-video=auto" };
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, PUBLISH "dummy-video=never");
  g_autoptr (GstMessage) message = NULL;

  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "session-refused", 20);
  check_message (message, &refusal);
  check_details (publish, message, &refusal);
  check_end (publish);
}

/* -- What an endpoint that is not of the local stage says ------------------------------ */

static void
test_request_id (void)
{
  g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      PUBLISH "whip-endpoint=%s/", stub_endpoint_get_url (stub));
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const GstStructure *details;

  stub_endpoint_answer (stub, "POST",
      "HTTP/1.1 403 Forbidden\nx-amzn-RequestId: 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n"
      "Content-Length: 0\n\n");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "http-refused", 20);
  details = publish_fixture_get_details (message);
  assert_string (details, "request-id", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
  gst_message_parse_error (message, &error, &debug);
  assert_contains (debug, "request id 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
  check_end (publish);
  g_assert_cmpuint (stub_endpoint_count (stub, "POST"), ==, 1);
}

/* A server that repeats what it got must not make the element say it. */
static void
test_echoed_token (void)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");
  g_autoptr (PublishFixture) publish = publish_fixture_new_as (stage, id,
      PUBLISH "auth-token=%s whip-endpoint=%s/", token,
      stub_endpoint_get_url (stub));
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL, *details = NULL;
  g_auto (GStrv) parts = g_strsplit (token, ".", 3);

  stub_endpoint_answer (stub, "POST",
      "HTTP/1.1 403 %s\nContent-Type: application/json\nx-request-id: %s\n\n"
      "{\"code\":2003,\"message\":\"no: Bearer %s\"}",
      token, token, token);
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "no-permissions", 20);
  gst_message_parse_error (message, &error, &debug);
  details = gst_structure_to_string (publish_fixture_get_details (message));
  g_test_message ("%s | %s | %s", error->message, debug, details);
  for (guint i = 0; parts[i] != NULL; i++) {
    g_autofree gchar *piece = g_strndup (parts[i], 20);

    g_assert_null (strstr (error->message, piece));
    g_assert_null (strstr (debug, piece));
    g_assert_null (strstr (details, piece));
  }
  check_end (publish);
}

static void
test_connection_refused (void)
{
  g_autofree gchar *url = NULL;
  g_autoptr (PublishFixture) publish = NULL;
  g_autoptr (GstMessage) message = NULL;

  {
    g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");

    url = g_strdup (stub_endpoint_get_url (stub));
  }
  publish = publish_fixture_new (stage,
      PUBLISH "whip-endpoint=%s/ max-retries=0", url);
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "connection-refused", 20);
  g_assert_cmpint (publish_fixture_get_code (message), ==, 0);
  check_end (publish);
}

/* -- Tried again ------------------------------------------------------------------------ */

static gint64
count_ms_since (gint64 begin)
{
  return (g_get_monotonic_time () - begin) / 1000;
}

/* The stage asks for four seconds; without that it would be 1.6 to 2.4. */
static void
test_retry (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, PUBLISH);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (JsonNode) state = NULL;
  gint64 refused;

  stage_fixture_fault (stage,
      "{\"rule\":\"throttled\",\"retry_after\":4,\"count\":1}");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "throttled", 20);
  refused = g_get_monotonic_time ();
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  publish_fixture_assert_says (message, "attempt 2 follows in 4.");
  publish_fixture_wait_connection (publish, "connected", 20);
  g_assert_cmpint (count_ms_since (refused), >=, 3800);
  state = publish_fixture_wait_number (publish, "session.audio.packets", 5, 20);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
  publish_fixture_assert_failures (publish, 0, 1);
}

/* What the service's side does wrong is tried again three times, not for ever. */
static void
test_retries_end (void)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, PUBLISH "max-retries=1");
  g_autoptr (GstMessage) message = NULL;

  stage_fixture_fault (stage, "{\"rule\":\"internal\",\"count\":2}");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "service-internal", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  publish_fixture_wait_connection (publish, "failed", 20);
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 1, 1);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 500), ==,
      2);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "without-video", test_without_video },
    { "request-id", test_request_id },
    { "echoed-token", test_echoed_token },
    { "connection-refused", test_connection_refused },
    { "retry/after-what-was-asked", test_retry },
    { "retry/ends", test_retries_end },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/refusals/", refusals, test_refusal);
  ADD_CASES ("/refusals/", cases);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
