/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a redirect may lead, and who may see the token.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"
#include "test-table.h"

#include <string.h>

static StageFixture *plain_stage, *tls_stage;

#define PUBLISH "audiotestsrc is-live=true ! ivsstagesink max-retries=0 "

/* A token that knows no endpoint, so that the documented one is asked. */
static PublishFixture *
make_publish (StageFixture *stage, const gchar *options)
{
  g_autofree gchar *id = NULL;
  g_autofree gchar *token =
      stage_fixture_mint (stage, "{\"whip_url\":false}", &id);

  return publish_fixture_new_as (stage, id,
      PUBLISH "auth-token=%s whip-endpoint=%s %s", token,
      stage_fixture_get_whip_url (stage), options);
}

static void
check_live (PublishFixture *publish)
{
  publish_fixture_wait_connection (publish, "connected", 20);
  json_node_unref (
      publish_fixture_wait_number (publish, "session.audio.packets", 10, 20));
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      1);
}

static void
check_refused (PublishFixture *publish, const gchar *name, const gchar *part)
{
  g_autoptr (GstMessage) message =
      publish_fixture_wait_failure (publish, name, 20);

  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_assert_says (message, part);
  publish_fixture_wait_connection (publish, "failed", 5);
  publish_fixture_stop (publish);
  g_assert_cmpuint (publish_fixture_count_failures (publish, GST_MESSAGE_ERROR),
      ==, 1);
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST", 201), ==,
      0);
}

/* -- Chains ---------------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *rule;        /* of the documented endpoint */
  guint status, redirects;  /* how many of them with that status */
  const gchar *failure;     /* NULL: it goes live */
  const gchar *sentence;    /* contains this */
  const gchar *behind_rule; /* of the endpoint behind the redirect, or NULL */
} Chain;

#define REDIRECT "\"rule\":\"redirect\","
#define TO(location) REDIRECT "\"location\":\"" location "\""

/* clang-format off */
static const Chain chains[] = {
  { "301", REDIRECT "\"status\":301", 301, 1 },
  { "302", REDIRECT "\"status\":302", 302, 1 },
  { "303", REDIRECT "\"status\":303", 303, 1 },
  { "307", REDIRECT "\"status\":307", 307, 1 },
  { "308", REDIRECT "\"status\":308", 308, 1 },
  { "relative", TO ("/hop/0/307"), 307, 2 },
  { "relative-to-path", TO ("hop/0/307"), 307, 2 },
  { "5-hops", REDIRECT "\"hops\":5", 307, 5 },
  { "6-hops", REDIRECT "\"hops\":6", 307, 6, "redirect", "More than 5 redirects" },
  { "loop", REDIRECT "\"loop\":true", 307, 6, "redirect", "More than 5 redirects" },
  { "no-location", "\"rule\":\"status\",\"status\":307", 307, 1, "redirect", "does not say where to" },
  { "other-scheme", TO ("ftp://127.0.0.1/whip"), 307, 1, "redirect", "redirects to" },
  { "nonsense", TO ("http://[::1/"), 307, 1, "redirect", "redirects to" },
  { "password", TO ("http://user:word@127.0.0.1/"), 307, 1, "redirect", "password" },
  { "other-host", TO ("https://stage.example/"), 307, 1, "redirect", "The token was not sent on to stage.example" },
  { "like-amazon", TO ("https://global.whip.live-video.net.example/"), 307, 1, "redirect", "The token was not sent on to global.whip.live-video.net.example" },
  { "other-host-without-encryption", TO ("http://global.whip.live-video.net/"), 307, 1, "redirect", "without encryption" },
  { "then-401", REDIRECT "\"status\":307", 307, 1, "authorization-lost", "behind a redirect", "\"rule\":\"status\",\"status\":401" },
  { "then-403", REDIRECT "\"status\":307", 307, 1, "authorization-lost", "behind a redirect", "\"rule\":\"status\",\"status\":403" },
  { "then-403-with-code", REDIRECT "\"status\":307", 307, 1, "no-permissions", "does not accept the participant token", "\"rule\":\"no-permissions\"" },
};
/* clang-format on */

static void
test_chain (gconstpointer data)
{
  const Chain *chain = data;
  g_autoptr (PublishFixture) publish = make_publish (plain_stage, "");

  stage_fixture_fault (plain_stage, "{\"on\":\"global\",%s}", chain->rule);
  if (chain->behind_rule != NULL)
    stage_fixture_fault (plain_stage, "{%s}", chain->behind_rule);
  publish_fixture_play (publish);
  if (chain->failure == NULL)
    check_live (publish);
  else
    check_refused (publish, chain->failure, chain->sentence);
  /* The journal finds a participant by the token: each request has carried it. */
  g_assert_cmpuint (publish_fixture_count_requests (publish, "POST",
                        chain->status),
      ==, chain->redirects);
  stage_fixture_fault (plain_stage, "{\"clear\":true}");
}

/* -- With encryption ----------------------------------------------------------------- */

static void
trust_tests (PublishFixture *publish)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database =
      g_tls_file_database_new (TEST_DATA_DIR "/whip-ca.pem", &error);

  g_assert_no_error (error);
  g_object_set (publish_fixture_get_sink (publish), "tls-database", database,
      NULL);
}

static void
test_https (void)
{
  g_autoptr (PublishFixture) publish = make_publish (tls_stage, "");

  trust_tests (publish);
  publish_fixture_play (publish);
  check_live (publish);
}

static void
test_https_untrusted (void)
{
  g_autoptr (PublishFixture) publish = make_publish (tls_stage, "");

  publish_fixture_play (publish);
  check_refused (publish, "tls", "it is signed by an unknown CA");
}

/* Nobody may ask the stub: it fails the test. */
static void
test_downgrade (void)
{
  g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");
  g_autoptr (PublishFixture) publish = make_publish (tls_stage, "");

  stage_fixture_fault (tls_stage,
      "{\"rule\":\"redirect\",\"on\":\"global\",\"location\":\"%s/\",\"count\":1}",
      stub_endpoint_get_url (stub));
  trust_tests (publish);
  publish_fixture_play (publish);
  check_refused (publish, "redirect", "without encryption");
  g_assert_cmpuint (stub_endpoint_count_connections (stub), ==, 0);
}

/* -- Another host ------------------------------------------------------------------------ */

/* 0.0.0.0 is a host like any other to the element, but leads to this computer, so
 * that what would be sent there can be seen. No certificate names it. */

#define TEST_TYPE_TRUST (test_trust_get_type ())
G_DECLARE_FINAL_TYPE (TestTrust, test_trust, TEST, TRUST, GTlsDatabase)

struct _TestTrust
{
  GTlsDatabase parent;
};

G_DEFINE_FINAL_TYPE (TestTrust, test_trust, G_TYPE_TLS_DATABASE)

static GTlsCertificateFlags
trust_everyone (GTlsDatabase *self, GTlsCertificate *chain,
    const gchar *purpose, GSocketConnectable *identity,
    GTlsInteraction *interaction, GTlsDatabaseVerifyFlags flags,
    GCancellable *cancellable, GError **error)
{
  return 0;
}

static void
test_trust_init (TestTrust *self)
{
}

static void
test_trust_class_init (TestTrustClass *klass)
{
  G_TLS_DATABASE_CLASS (klass)->verify_chain = trust_everyone;
}

static PublishFixture *
make_publish_elsewhere (const gchar *options)
{
  PublishFixture *publish = make_publish (tls_stage, options);
  g_autoptr (GTlsDatabase) trust = g_object_new (TEST_TYPE_TRUST, NULL);
  const gchar *port =
      strrchr (stage_fixture_get_regional_url (tls_stage), ':') + 1;

  stage_fixture_fault (tls_stage,
      "{\"rule\":\"redirect\",\"on\":\"global\",\"location\":\"https://0.0.0.0:%s/\",\"count\":1}",
      port);
  g_object_set (publish_fixture_get_sink (publish), "tls-database", trust,
      NULL);
  return publish;
}

static void
test_not_allowed (void)
{
  g_autoptr (PublishFixture) publish =
      make_publish_elsewhere ("allowed-hosts=stage.example,*.example");

  publish_fixture_play (publish);
  check_refused (publish, "redirect", "The token was not sent on to 0.0.0.0");
}

static void
test_allowed (void)
{
  g_autoptr (PublishFixture) publish =
      make_publish_elsewhere ("allowed-hosts=stage.example,0.0.0.0");

  publish_fixture_play (publish);
  check_live (publish);
}

int
main (int argc, char **argv)
{
  static const gchar *const tls_options[] = { "--tls-certificate",
    TEST_DATA_DIR "/whip-server.pem", "--tls-key",
    TEST_DATA_DIR "/whip-server.pem", NULL };
  static const TestCase cases[] = {
    { "https", test_https },
    { "https-untrusted", test_https_untrusted },
    { "https-to-http", test_downgrade },
    { "host-not-allowed", test_not_allowed },
    { "host-allowed", test_allowed },
  };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/redirects/", chains, test_chain);
  ADD_CASES ("/redirects/", cases);
  plain_stage = stage_fixture_start (NULL);
  tls_stage = stage_fixture_start (tls_options);
  result = g_test_run ();
  stage_fixture_stop (tls_stage);
  stage_fixture_stop (plain_stage);
  end_gstreamer ();
  return result;
}
