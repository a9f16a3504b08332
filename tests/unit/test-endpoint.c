/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-endpoint: the URL that is posted to, and where a token may go.
 */

#include "ivs-endpoint.h"
#include "ivs-error.h"
#include "test-table.h"
#include "token-maker.h"

#include <string.h>

/* -- Where to publish ------------------------------------------------------ */

typedef struct
{
  const gchar *name;
  const gchar *configured;
  const gchar *whip_url; /* of the token */
  const gchar *participant_id;
  const gchar *expected; /* URL, or a part of the sentence of the error */
} Choice;

/* clang-format off */
static const Choice choices[] = {
  { "nothing", NULL, NULL, "P", IVS_GLOBAL_ENDPOINT },
  { "empty", "", NULL, "P", IVS_GLOBAL_ENDPOINT },
  { "configured", "https://stage.example/whip", NULL, "P", "https://stage.example/whip" },
  { "configured-wins", "https://stage.example/whip", "https://w.live-video.net", "P", "https://stage.example/whip" },
  { "configured-spaces", " https://stage.example/whip\n", NULL, "P", "https://stage.example/whip" },
  { "configured-no-path", "https://stage.example", NULL, "P", "https://stage.example/" },
  { "configured-http", "http://stage.lan:8080/whip", NULL, "P", "http://stage.lan:8080/whip" },
  { "configured-ipv6", "http://[::1]:8080/whip", NULL, "P", "http://[::1]:8080/whip" },
  { "configured-query", "https://stage.example/whip?room=a%20b", NULL, "P", "https://stage.example/whip?room=a%20b" },
  { "as-the-sdk", NULL, "https://abc.global-bm.whip.live-video.net", "P1", "https://abc.global-bm.whip.live-video.net/publish/P1" },
  { "trailing-slash", NULL, "https://abc.whip.live-video.net/", "P1", "https://abc.whip.live-video.net/publish/P1" },
  { "path-and-port", NULL, "https://abc.whip.live-video.net:4443/a/b//", "P1", "https://abc.whip.live-video.net:4443/a/b/publish/P1" },
  { "upper-case-host", NULL, "https://ABC.Live-Video.NET", "P1", "https://ABC.Live-Video.NET/publish/P1" },
  { "id-is-escaped", NULL, "https://a.live-video.net", "../x?y#z", "https://a.live-video.net/publish/..%2Fx%3Fy%23z" },
  { "local-stage", NULL, "http://127.0.0.1:8088", "P1", "http://127.0.0.1:8088/publish/P1" },
  { "local-stage-name", NULL, "http://localhost:8088/", "P1", "http://localhost:8088/publish/P1" },
  { "no-id", NULL, "https://a.live-video.net", "", IVS_GLOBAL_ENDPOINT },
  { "stranger", NULL, "https://evil.example", "P", IVS_GLOBAL_ENDPOINT },
  { "look-alike-host", NULL, "https://evil-live-video.net", "P", IVS_GLOBAL_ENDPOINT },
  { "service-as-subdomain", NULL, "https://live-video.net.evil.example", "P", IVS_GLOBAL_ENDPOINT },
  { "service-as-user", NULL, "https://a.live-video.net@evil.example", "P", IVS_GLOBAL_ENDPOINT },
  { "service-without-tls", NULL, "http://a.live-video.net", "P", IVS_GLOBAL_ENDPOINT },
  { "localhost-look-alike", NULL, "http://localhost.evil.example", "P", IVS_GLOBAL_ENDPOINT },
  { "with-query", NULL, "https://a.live-video.net/?x=", "P", IVS_GLOBAL_ENDPOINT },
  { "with-fragment", NULL, "https://a.live-video.net/#x", "P", IVS_GLOBAL_ENDPOINT },
  { "not-a-url", NULL, "live-video.net", "P", IVS_GLOBAL_ENDPOINT },
};

static const Choice refused_choices[] = {
  { "no-scheme", "global.whip.live-video.net", NULL, "P", "begins with https://" },
  { "host-and-port", "localhost:8080", NULL, "P", "https://" },
  { "spaces-only", "  ", NULL, "P", "begins with https://" },
  { "rtmps", "rtmps://a.global-contribute.live-video.net:443/app/", NULL, "P", "RTMP" },
  { "ftp", "ftp://stage.example/", NULL, "P", "does not begin with https://" },
  { "whip-scheme", "whip://stage.example/", NULL, "P", "does not begin with https://" },
  { "user", "https://me@stage.example/", NULL, "P", "user name or password" },
  { "password", "https://me:secret@stage.example/", NULL, "P", "user name or password" },
  { "channel", "https://g.webrtc.live-video.net:4443/v2/offer", NULL, "P", "low-latency channels" },
  { "no-host", "https:///whip", NULL, "P", "host name" },
  { "port-only", "https://:443/", NULL, "P", "host name" },
  { "bad-port", "https://stage.example:99999/", NULL, "P", "begins with https://" },
  { "line-break", "https://stage.example/a\nb", NULL, "P", "a URL cannot have" },
  { "not-utf-8", "https://stage.example/\xff", NULL, "P", "a URL cannot have" },
  { "delete-character", "https://stage.example/\x7f", NULL, "P", "a URL cannot have" },
  { "backslash", "https://stage.example\\@evil.example/", NULL, "P", "a URL cannot have" },
};
/* clang-format on */

static IvsToken *
make_token (const Choice *row)
{
  g_autofree gchar *secret =
      token_maker_make_publisher (row->participant_id, 1, row->whip_url);

  return ivs_token_parse (secret, NULL);
}

static void
test_choice (gconstpointer data)
{
  const Choice *row = data;
  g_autoptr (IvsToken) token = make_token (row);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *url = ivs_endpoint_choose (row->configured, token, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (url, ==, row->expected);
}

static void
test_refused_choice (gconstpointer data)
{
  const Choice *row = data;
  g_autoptr (IvsToken) token = make_token (row);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *url = ivs_endpoint_choose (row->configured, token, &error);

  g_assert_null (url);
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_ENDPOINT_INVALID);
  g_assert_nonnull (strstr (error->message, row->expected));
  g_assert_null (strstr (error->message, "secret"));
}

static void
test_without_token (void)
{
  g_autofree gchar *url = ivs_endpoint_choose (NULL, NULL, NULL);

  g_assert_cmpstr (url, ==, IVS_GLOBAL_ENDPOINT);
}

static void
test_long_url (void)
{
  g_autofree gchar *path = g_strnfill (10000, 'a');
  g_autofree gchar *configured =
      g_strconcat ("https://stage.example/", path, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (ivs_endpoint_choose (configured, NULL, &error));
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_ENDPOINT_INVALID);
  g_assert_nonnull (strstr (error->message, "too long"));
}

/* -- Who may see the token --------------------------------------------------- */

#define GLOBAL IVS_GLOBAL_ENDPOINT
#define OWN "https://stage.example/whip"
#define PLAIN "http://stage.lan:8080/whip"
#define LOCAL "http://127.0.0.1:8088/whip"

typedef struct
{
  const gchar *name;
  const gchar *url;
  const gchar *from; /* NULL = the endpoint */
  const gchar *endpoint;
  const gchar *allowed;
  const gchar *refused; /* NULL = allowed, else part of the sentence */
} Redirect;

/* clang-format off */
static const Redirect redirects[] = {
  { "regional", "https://x.whip.live-video.net/y", NULL, GLOBAL, NULL, NULL },
  { "regional-port", "https://x.whip.live-video.net:4443/y", NULL, GLOBAL, NULL, NULL },
  { "upper-case", "HTTPS://X.WHIP.LIVE-VIDEO.NET/y", NULL, GLOBAL, NULL, NULL },
  { "trailing-dot", "https://x.whip.live-video.net./y", NULL, GLOBAL, NULL, NULL },
  { "same-host", "https://stage.example/other", NULL, OWN, NULL, NULL },
  { "same-host-other-port", "https://stage.example:8443/other", NULL, OWN, NULL, NULL },
  { "same-host-upper-case", "https://STAGE.example./other", NULL, OWN, NULL, NULL },
  { "own-to-service", "https://x.live-video.net/", NULL, OWN, NULL, NULL },
  { "stranger", "https://evil.example/", NULL, GLOBAL, NULL, "neither" },
  { "prefix-trick", "https://evil-live-video.net/", NULL, GLOBAL, NULL, "neither" },
  { "suffix-trick", "https://live-video.net.evil.com/", NULL, GLOBAL, NULL, "neither" },
  { "path-trick", "https://evil.com/.live-video.net", NULL, GLOBAL, NULL, "neither" },
  { "query-trick", "https://evil.com?.live-video.net", NULL, GLOBAL, NULL, "neither" },
  { "fragment-trick", "https://evil.com#.live-video.net", NULL, GLOBAL, NULL, "neither" },
  { "apex", "https://live-video.net/", NULL, GLOBAL, NULL, "neither" },
  { "dot-apex", "https://.live-video.net/", NULL, GLOBAL, NULL, "host name" },
  { "two-trailing-dots", "https://x.live-video.net../", NULL, GLOBAL, NULL, "neither" },
  { "userinfo-trick", "https://x.live-video.net@evil.com/", NULL, GLOBAL, NULL, "user name" },
  { "userinfo-and-port-trick", "https://x.live-video.net:443@evil.com/", NULL, GLOBAL, NULL, "user name" },
  { "userinfo-at-the-service", "https://me:you@x.live-video.net/", NULL, GLOBAL, NULL, "user name" },
  { "backslash-trick", "https://evil.com\\.live-video.net/", NULL, GLOBAL, NULL, "a URL cannot have" },
  { "escaped-slash-trick", "https://evil.com%2f.live-video.net/", NULL, GLOBAL, NULL, "host name" },
  { "escaped-at-trick", "https://x.live-video.net%40evil.com/", NULL, GLOBAL, NULL, "host name" },
  { "escaped-nul-trick", "https://evil.com%00.live-video.net/", NULL, GLOBAL, NULL, "cannot be used" },
  { "idn-letter-trick", "https://x.l\xd1\x96ve-video.net/", NULL, GLOBAL, NULL, "neither" },
  { "idn-dot-is-a-dot", "https://x\xe3\x80\x82live-video.net/", NULL, GLOBAL, NULL, NULL },
  { "idn-dot-trick", "https://live-video.net\xe3\x80\x82" "evil.com/", NULL, GLOBAL, NULL, "neither" },
  { "downgrade", "http://x.whip.live-video.net/", NULL, GLOBAL, NULL, "without encryption" },
  { "downgrade-same-host", "http://stage.example/", NULL, OWN, NULL, "without encryption" },
  { "downgrade-allowed-host", "http://a.example/", NULL, OWN, "a.example", "without encryption" },
  { "downgrade-to-loopback", "http://127.0.0.1/", NULL, GLOBAL, "127.0.0.1", "without encryption" },
  { "downgrade-on-the-way-back", "http://stage.lan:8080/", "https://stage.lan/", PLAIN, NULL, "without encryption" },
  { "upgrade", "https://stage.lan/", NULL, PLAIN, NULL, NULL },
  { "plain-same-host", "http://stage.lan:9090/x", NULL, PLAIN, NULL, NULL },
  { "plain-other-host", "http://other.lan/", NULL, PLAIN, NULL, "without encryption" },
  { "plain-allowed-host", "http://other.lan/", NULL, PLAIN, "other.lan", "without encryption" },
  { "plain-to-service", "http://x.live-video.net/", NULL, PLAIN, NULL, "without encryption" },
  { "plain-to-loopback", "http://127.0.0.1:1/", NULL, PLAIN, NULL, "neither" },
  { "local-other-port", "http://127.0.0.1:9999/x", NULL, LOCAL, NULL, NULL },
  { "local-by-name", "http://localhost:9999/x", NULL, LOCAL, NULL, NULL },
  { "local-by-ipv6", "http://[::1]:9999/x", NULL, LOCAL, NULL, NULL },
  { "local-with-tls", "https://localhost/x", NULL, LOCAL, NULL, NULL },
  { "local-to-lan", "http://192.168.1.2/", NULL, LOCAL, NULL, "without encryption" },
  { "local-to-stranger", "https://evil.example/", NULL, LOCAL, NULL, "neither" },
  { "service-to-loopback-tls", "https://127.0.0.1/", NULL, GLOBAL, NULL, "neither" },
  { "allowed-exact", "https://a.example/", NULL, GLOBAL, "a.example", NULL },
  { "allowed-in-list", "https://b.example/", NULL, GLOBAL, "a.example, B.Example. ,c.example", NULL },
  { "allowed-exact-not-below", "https://x.a.example/", NULL, GLOBAL, "a.example", "neither" },
  { "allowed-wildcard", "https://x.y.a.example/", NULL, GLOBAL, "*.a.example", NULL },
  { "allowed-wildcard-not-itself", "https://a.example/", NULL, GLOBAL, "*.a.example", "neither" },
  { "allowed-wildcard-not-prefix", "https://xa.example/", NULL, GLOBAL, "*.a.example", "neither" },
  { "allowed-idn", "https://b\xc3\xbc" "cher.example/", NULL, GLOBAL, "b\xc3\xbc" "cher.example", NULL },
  { "allowed-idn-as-punycode", "https://xn--bcher-kva.example/", NULL, GLOBAL, "b\xc3\xbc" "cher.example", NULL },
  { "no-utf-8", "https://a.example/", NULL, GLOBAL, "\xff\xfc, *.\xf8, a.example\xf0", "neither" },
  { "star-is-nobody", "https://a.example/", NULL, GLOBAL, "*", "neither" },
  { "star-dot-is-nobody", "https://a.example/", NULL, GLOBAL, "*.", "neither" },
  { "empty-entries", "https://a.example/", NULL, GLOBAL, ",, ,", "neither" },
  { "relative", "/session/1", NULL, GLOBAL, NULL, "cannot be used" },
  { "empty", "", NULL, GLOBAL, NULL, "cannot be used" },
  { "javascript", "javascript:alert(1)", NULL, GLOBAL, NULL, "does not begin" },
  { "file", "file:///etc/passwd", NULL, GLOBAL, NULL, "does not begin" },
  { "header-injection", "https://x.live-video.net/\r\nX: y", NULL, GLOBAL, NULL, "a URL cannot have" },
};
/* clang-format on */

static void
test_redirect (gconstpointer data)
{
  const Redirect *row = data;
  g_autoptr (GError) error = NULL;
  gboolean may_see = ivs_endpoint_may_see_token (row->url,
      row->from != NULL ? row->from : row->endpoint, row->endpoint,
      row->allowed, &error);

  g_assert_cmpint (may_see, ==, row->refused == NULL);
  if (may_see) {
    g_assert_no_error (error);
  } else {
    g_assert_error (error, IVS_ERROR, IVS_FAILURE_REDIRECT);
    g_assert_nonnull (strstr (error->message, row->refused));
  }
}

/* -- This computer -------------------------------------------------------------- */

static const struct
{
  const gchar *url;
  gboolean is_loopback;
} places[] = {
  { "http://localhost/", TRUE },
  { "http://LOCALHOST.:8080/", TRUE },
  { "http://stage.localhost/", TRUE },
  { "http://127.0.0.1/", TRUE },
  { "https://127.255.255.254/", TRUE },
  { "http://[::1]/", TRUE },
  { "http://[0:0:0:0:0:0:0:1]/", TRUE },
  { "http://localhost.example/", FALSE },
  { "http://notlocalhost/", FALSE },
  { "http://127.0.0.1.example/", FALSE },
  { "http://128.0.0.1/", FALSE },
  { "http://[::2]/", FALSE },
  { "http://0.0.0.0/", FALSE },
  { "http://user@localhost/", FALSE },
  { "localhost", FALSE },
  { "", FALSE },
};

static void
test_loopback (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);

  g_assert_cmpint (ivs_endpoint_is_loopback (places[i].url), ==,
      places[i].is_loopback);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/endpoint/choose/", choices, test_choice);
  ADD_ROWS ("/endpoint/refuse/", refused_choices, test_refused_choice);
  ADD_ROWS ("/endpoint/redirect/", redirects, test_redirect);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree gchar *path = g_strdup_printf ("/endpoint/loopback/%u", i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_loopback);
  }
  g_test_add_func ("/endpoint/choose/without-token", test_without_token);
  g_test_add_func ("/endpoint/refuse/long", test_long_url);
  return g_test_run ();
}
