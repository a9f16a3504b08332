/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Answers that a stage spoiled: what is repaired, what is refused, and that no
 * session is left behind.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"
#include "test-table.h"

#include <string.h>

static StageFixture *stage;

#define SINK "ivsstagesink name=s max-retries=0 connect-timeout=2 "
#define AUDIO "audiotestsrc is-live=true ! "
#define VIDEO \
  "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=15/1 ! "
#define BOTH AUDIO SINK VIDEO "s."

typedef struct
{
  const gchar *name;
  const gchar *rule; /* of the stage */
  const gchar *pipeline;
  /* Nothing: it goes live, and there must be sound (a) and picture (v). */
  const gchar *failure;
  const gchar *sentence; /* or that of the warning with which it lives */
  const gchar *live;
  const gchar *warning;
} Answer;

#define SPOIL(name) "\"rule\":\"spoil\",\"spoil\":\"" name "\""

/* clang-format off */
static const Answer answers[] = {
  { "as-it-should-be", NULL, BOTH, NULL, NULL, "av" },
  { "status-200", "\"rule\":\"answer-status\",\"status\":200", BOTH, NULL, NULL, "av" },
  { "status-202", "\"rule\":\"answer-status\",\"status\":202", BOTH, NULL, NULL, "av" },
  { "slow", "\"rule\":\"slow\",\"ms\":1500", BOTH, NULL, NULL, "av" },
  { "content-type-parameter", "\"rule\":\"content-type\",\"content_type\":\"application/sdp; charset=utf-8\"", BOTH, NULL, NULL, "av" },
  { "content-type-other", "\"rule\":\"content-type\",\"content_type\":\"text/plain\"", BOTH, NULL, NULL, "av" },
  { "location-relative", "\"rule\":\"relative-location\"", BOTH, NULL, NULL, "av" },
  { "location-missing", "\"rule\":\"no-location\"", BOTH, NULL, "The stage named no session URL", "av", "no-session-url" },
  { "link-unknown", "\"rule\":\"link\",\"link\":\"<https://example.invalid/>; rel=\\\"ice-server\\\"; username=\\\"u\\\"; credential=\\\"c\\\"\"", BOTH, NULL, NULL, "av" },

  { "no-direction", SPOIL ("no-direction"), BOTH, NULL, NULL, "av" },
  { "session-level", SPOIL ("session-level"), BOTH, NULL, NULL, "av" },
  { "no-bundle", SPOIL ("no-bundle"), BOTH, NULL, NULL, "av" },
  { "line-feeds", SPOIL ("line-feeds"), BOTH, NULL, NULL, "av" },
  { "dummy-video-refused", SPOIL ("video-refused"), AUDIO SINK, NULL, NULL, "a" },
  { "dummy-video-refused-bare", SPOIL ("video-refused-bare"), AUDIO SINK, NULL, NULL, "a" },
  { "no-setup", SPOIL ("no-setup"), BOTH, "dtls", "The " },

  { "video-refused", SPOIL ("video-refused"), BOTH, "media-refused", "The stage accepted the session, but not its video." },
  { "video-refused-bare", SPOIL ("video-refused-bare"), BOTH, "media-refused", "The stage accepted the session, but not its video." },
  { "audio-refused", SPOIL ("audio-refused"), BOTH, "media-refused", "The stage accepted the session, but not its audio." },
  { "inactive", SPOIL ("inactive"), BOTH, "media-refused", "refuses everything" },
  { "sendonly", SPOIL ("sendonly"), BOTH, "answer", "does not receive" },
  { "no-fingerprint", SPOIL ("no-fingerprint"), BOTH, "answer", "told from an impostor" },
  { "no-candidates", SPOIL ("no-candidates"), BOTH, "answer", "no candidate" },
  { "wrong-mid", SPOIL ("wrong-mid"), BOTH, "answer", "mid" },
  { "swapped", SPOIL ("swapped"), BOTH, "answer", "another order" },
  { "one-section", SPOIL ("one-section"), BOTH, "answer", "has 1 media sections, the offer has 2" },
  { "setup-passive", SPOIL ("setup-passive"), BOTH, "dtls", "The " },
  { "truncated", SPOIL ("truncated"), BOTH, "answer", "cut off" },
  { "empty", SPOIL ("empty"), BOTH, "answer", "empty" },
  { "html", SPOIL ("html"), BOTH, "answer", "" },
  { "huge", SPOIL ("huge"), BOTH, "answer-too-large", "longer than" },
  { "wrong-password", SPOIL ("wrong-password"), BOTH, "connect-timeout", "does not answer" },
  { "many-candidates", SPOIL ("many-candidates"), BOTH, "connect-timeout", "does not answer" },
  { "unreachable", SPOIL ("unreachable"), BOTH, "connect-timeout", "192.0.2.1" },
  { "closed-port", SPOIL ("closed-port"), BOTH, "connect-timeout", "127.0.0.1:1/udp does not answer" },
};
/* clang-format on */

static void
check_media (PublishFixture *publish, const gchar *kinds)
{
  if (strchr (kinds, 'a') != NULL)
    json_node_unref (
        publish_fixture_wait_number (publish, "session.audio.packets", 10, 20));
  if (strchr (kinds, 'v') != NULL)
    json_node_unref (
        publish_fixture_wait_number (publish, "session.video.frames", 5, 20));
}

static void
check_live (PublishFixture *publish, const Answer *answer)
{
  if (answer->warning != NULL) {
    g_autoptr (GstMessage) message =
        publish_fixture_wait_failure (publish, answer->warning, 20);

    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
    publish_fixture_assert_says (message, answer->sentence);
  }
  publish_fixture_wait_connection (publish, "connected", 20);
  check_media (publish, answer->live);
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 0, answer->warning != NULL);
  /* Without a Location there is nothing to delete. */
  if (answer->warning == NULL)
    publish_fixture_assert_deleted (publish, 1);
  else
    g_assert_cmpuint (publish_fixture_count_requests (publish, "DELETE", 200),
        ==, 0);
}

/* One DELETE. Where the stage's own DTLS has failed it finds nothing any more. */
static gboolean
was_deleted_once (gpointer data)
{
  return publish_fixture_count_requests (data, "DELETE", 200) +
      publish_fixture_count_requests (data, "DELETE", 404) ==
      1;
}

static void
check_refused (PublishFixture *publish, const Answer *answer)
{
  g_autoptr (GstMessage) message =
      publish_fixture_wait_failure (publish, answer->failure, 20);

  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_assert_says (message, answer->sentence);
  publish_fixture_wait_connection (publish, "failed", 5);
  g_assert_true (publish_wait (was_deleted_once, publish, 10000));
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 1, 0);
  g_assert_true (was_deleted_once (publish));
  if (!g_str_equal (answer->failure, "dtls"))
    publish_fixture_assert_deleted (publish, 1);
}

static void
test_answer (gconstpointer data)
{
  const Answer *answer = data;
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "%s", answer->pipeline);

  if (answer->rule != NULL)
    stage_fixture_fault (stage, "{%s,\"count\":1}", answer->rule);
  publish_fixture_play (publish);
  if (answer->failure == NULL)
    check_live (publish, answer);
  else
    check_refused (publish, answer);
}

/* -- Somebody in between ----------------------------------------------------------- */

/* ICE and DTLS are complete, so media could flow: it must not, because the
 * certificate is not the one that the answer names (RFC 8122 section 5). */
static void
test_impostor (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, BOTH);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (JsonNode) state = NULL;

  stage_fixture_fault (stage, "{" SPOIL ("wrong-fingerprint") ",\"count\":1}");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "fingerprint", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_assert_says (message, "certificate");
  publish_fixture_wait_connection (publish, "failed", 5);
  publish_fixture_assert_deleted (publish, 1);
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 1, 0);
  state = publish_fixture_look (publish);
  g_assert_nonnull (
      publish_fixture_at (publish, state, "session.impostor_packets"));
  publish_fixture_assert_int (publish, state, "session.impostor_packets", ==,
      0);
}

/* The counter counts: without the spoil there are packets. */
static void
test_impostor_counter (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, BOTH);
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  state =
      publish_fixture_wait_number (publish, "session.packets_arrived", 10, 20);
  publish_fixture_assert_int (publish, state, "session.impostor_packets", ==,
      0);
}

/* -- In time --------------------------------------------------------------------------- */

static void
test_connect_timeout (void)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage, BOTH);
  g_autoptr (GstMessage) message = NULL;
  gint64 answered;

  stage_fixture_fault (stage, "{" SPOIL ("closed-port") ",\"count\":1}");
  publish_fixture_play (publish);
  json_node_unref (
      publish_fixture_wait_number (publish, "sessions.made", 1, 20));
  answered = g_get_monotonic_time ();
  message = publish_fixture_wait_failure (publish, "connect-timeout", 20);
  g_assert_cmpint ((g_get_monotonic_time () - answered) / 1000, <, 4000);
  publish_fixture_assert_deleted (publish, 1);
}

/* -- Cut off ------------------------------------------------------------------------------ */

/* The head names a session; then the connection breaks. */
static void
test_cut (void)
{
  g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      AUDIO SINK "whip-endpoint=%s/whip", stub_endpoint_get_url (stub));
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *path = NULL, *authorization = NULL;

  stub_endpoint_answer (stub, "POST",
      "HTTP/1.1 201 Created\nContent-Type: application/sdp\n"
      "Location: /session/7\nContent-Length: 1000\n\nv=0\r\no=- 1 1 IN");
  stub_endpoint_answer (stub, "DELETE",
      "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "network", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_assert_says (message, "closed in the middle of the answer");
  stub_endpoint_wait (stub, "DELETE", 1);
  path = stub_endpoint_get_path (stub, "DELETE");
  authorization = stub_endpoint_get_header (stub, "DELETE", "Authorization");
  g_assert_cmpstr (path, ==, "/session/7");
  g_assert_true (g_str_has_prefix (authorization, "Bearer "));
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 1, 0);
  g_assert_cmpuint (stub_endpoint_count (stub, "POST"), ==, 1);
  g_assert_cmpuint (stub_endpoint_count (stub, "DELETE"), ==, 1);
}

/* A session somewhere else, where the token may not go, is not deleted. */
static void
test_location_elsewhere (void)
{
  g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      AUDIO SINK "whip-endpoint=%s/whip", stub_endpoint_get_url (stub));
  g_autoptr (GstMessage) message = NULL;

  stub_endpoint_answer (stub, "POST",
      "HTTP/1.1 201 Created\nContent-Type: application/sdp\n"
      "Location: http://192.0.2.7/session/7\nContent-Length: 5\n\nv=0\r\n");
  publish_fixture_play (publish);
  message = publish_fixture_wait_failure (publish, "answer", 20);
  publish_fixture_stop (publish);
  publish_fixture_assert_failures (publish, 1, 0);
}

int
main (int argc, char **argv)
{
  static const TestCase cases[] = {
    { "impostor", test_impostor },
    { "impostor-counter", test_impostor_counter },
    { "connect-timeout", test_connect_timeout },
    { "cut", test_cut },
    { "location-elsewhere", test_location_elsewhere },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/answers/", answers, test_answer);
  ADD_CASES ("/answers/", cases);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
