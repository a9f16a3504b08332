/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which URLs are taken, and where a Location leads to.
 */

#include <string.h>
#include "whip-response.h"
#include "whip-url.h"

#define BASE "https://h.example:8443/a/b?q=1"

/* @expected NULL: refused. */
typedef struct
{
  const gchar *name;
  const gchar *text;
  const gchar *expected;
} Case;

/* clang-format off */
static const Case parsed[] = {
  { "plain", "https://h.example/x", "https://h.example/x" },
  { "no-path", "https://h.example", "https://h.example/" },
  { "http", "http://h.example/", "http://h.example/" },
  { "port", "https://h.example:4443/v2", "https://h.example:4443/v2" },
  { "default-port", "https://h.example:443/", "https://h.example/" },
  { "upper-case-scheme", "HTTPS://h.example/", "https://h.example/" },
  { "ipv4", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/" },
  { "ipv6", "http://[::1]:8080/", "http://[::1]:8080/" },
  { "query", "https://h.example/x?a=b%20c", "https://h.example/x?a=b%20c" },
  { "encoded-path-kept", "https://h.example/a%2Fb", "https://h.example/a%2Fb" },
  { "fragment-dropped", "https://h.example/x?q#f", "https://h.example/x?q" },
  { "empty", "", NULL },
  { "relative", "/x", NULL },
  { "no-scheme", "h.example/x", NULL },
  { "scheme-relative", "//h.example/x", NULL },
  { "rtmps", "rtmps://h.example/x", NULL },
  { "file", "file:///etc/passwd", NULL },
  { "javascript", "javascript:alert(1)", NULL },
  { "data", "data:text/plain,x", NULL },
  { "no-slashes", "https:h.example", NULL },
  { "no-host", "https:///x", NULL },
  { "only-port", "https://:443/x", NULL },
  { "user", "https://me@h.example/", NULL },
  { "user-and-password", "https://me:pw@h.example/", NULL },
  { "host-as-user", "https://good.example@evil.example/", NULL },
  { "empty-user", "https://@h.example/", NULL },
  { "backslash", "https://good.example\\@evil.example/", NULL },
  { "backslash-in-host", "https://good.example\\.evil.example/", NULL },
  { "encoded-host", "https://good%2eexample/", "https://good.example/" },
  { "encoded-slash-in-host", "https://evil.example%2f.good.example/", NULL },
  { "encoded-nul-in-host", "https://evil.example%00.good.example/", NULL },
  { "port-0", "https://h.example:0/", NULL },
  { "port-too-big", "https://h.example:65536/", NULL },
  { "port-not-a-number", "https://h.example:x/", NULL },
  { "ipv6-open", "https://[::1/", NULL },
  { "ipv6-scope", "https://[fe80::1%25eth0]/", NULL },
  { "space", "https://h.example/a b", NULL },
  { "leading-space", " https://h.example/", NULL },
  { "line-break", "https://h.example/\r\nX: y", NULL },
  { "tab", "https://h.example/\t", NULL },
  { "delete", "https://h.example/\177", NULL },
  { "not-ascii", "https://h.example/\xc3\xa4", NULL },
  { "not-utf8", "https://h.example/\xff", NULL },
};

static const Case resolved[] = {
  { "absolute", "https://o.example/s", "https://o.example/s" },
  { "absolute-http", "http://o.example/s", "http://o.example/s" },
  { "path-absolute", "/s/1", "https://h.example:8443/s/1" },
  { "relative", "s/1", "https://h.example:8443/a/s/1" },
  { "dot-relative", "./s", "https://h.example:8443/a/s" },
  { "parent", "../s", "https://h.example:8443/s" },
  { "too-many-parents", "../../../s", "https://h.example:8443/s" },
  { "query-only", "?x=2", "https://h.example:8443/a/b?x=2" },
  { "scheme-relative", "//o.example:1/s", "https://o.example:1/s" },
  { "fragment-dropped", "/s#f", "https://h.example:8443/s" },
  { "fragment-only", "#f", "https://h.example:8443/a/b?q=1" },
  { "user", "//me:pw@o.example/s", NULL },
  { "other-scheme", "ftp://o.example/s", NULL },
  { "javascript", "javascript:alert(1)", NULL },
  { "empty", "", NULL },
  { "space", "/a b", NULL },
  { "line-break", "/a\r\nb", NULL },
  { "empty-host", "///s", NULL },
};

static const struct
{
  const gchar *name;
  const gchar *to;
  const gchar *from;
  gboolean is_same_host;
  gboolean is_downgrade;
} pairs[] = {
  { "same", "https://h/a", "https://h/b", TRUE, FALSE },
  { "other-port", "https://h:1/", "https://h:2/", TRUE, FALSE },
  { "other-case", "https://H/", "https://h/", TRUE, FALSE },
  { "other-host", "https://g/", "https://h/", FALSE, FALSE },
  { "subdomain", "https://x.h/", "https://h/", FALSE, FALSE },
  { "suffix", "https://h.evil/", "https://h/", FALSE, FALSE },
  { "downgrade", "http://h/", "https://h/", TRUE, TRUE },
  { "downgrade-in-capitals", "HTTP://h/", "HTTPS://h/", TRUE, TRUE },
  { "upgrade", "https://h/", "http://h/", TRUE, FALSE },
  { "clear", "http://h/", "http://h/", TRUE, FALSE },
  { "not-a-url", "h", "https://h/", FALSE, TRUE },
};
/* clang-format on */

static void
check (const Case *row, gchar *url, const GError *error)
{
  g_autofree gchar *owned = url;

  g_assert_cmpstr (owned, ==, row->expected);
  if (row->expected == NULL) {
    g_assert_error (error, WHIP_ERROR, WHIP_ERROR_URL);
    g_assert_cmpuint (strlen (error->message), >, 10);
  } else {
    g_assert_no_error (error);
  }
}

static void
test_parse (gconstpointer data)
{
  const Case *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GUri) uri = whip_url_parse (row->text, &error);

  check (row, uri == NULL ? NULL : g_uri_to_string (uri), error);
}

static void
test_resolve (gconstpointer data)
{
  const Case *row = data;
  g_autoptr (GError) error = NULL;
  gchar *url = whip_url_resolve (BASE, row->text, &error);

  check (row, url, error);
}

static void
test_lengths (void)
{
  g_autofree gchar *filler = g_strnfill (WHIP_MAX_URL, 'x');
  g_autofree gchar *url = g_strconcat ("https://h/", filler, NULL);
  g_autoptr (GUri) longest = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *joined = NULL;

  url[WHIP_MAX_URL] = '\0';
  longest = whip_url_parse (url, &error);
  g_assert_no_error (error);
  g_assert_nonnull (longest);

  /* Short enough by itself, but not with the base before it. */
  filler[WHIP_MAX_URL - 5] = '\0';
  joined = whip_url_resolve (BASE, filler, &error);
  g_assert_error (error, WHIP_ERROR, WHIP_ERROR_URL);
  g_clear_error (&error);

  url[WHIP_MAX_URL] = 'x';
  g_assert_null (whip_url_parse (url, &error));
  g_assert_error (error, WHIP_ERROR, WHIP_ERROR_URL);
}

static void
test_bad_base (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (whip_url_resolve ("nonsense", "https://h/", &error));
  g_assert_error (error, WHIP_ERROR, WHIP_ERROR_URL);
}

static void
test_pair (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;
  gboolean may =
      whip_url_may_follow_same_host (pairs[i].to, pairs[i].from, NULL, &error);

  g_assert_cmpint (may, ==, pairs[i].is_same_host);
  g_assert_true (may == (error == NULL));
  g_assert_cmpint (whip_url_is_downgrade (pairs[i].to, pairs[i].from), ==,
      pairs[i].is_downgrade);
}

static void
test_shortened (void)
{
  g_autofree gchar *origin = whip_url_origin (BASE "#f");
  g_autofree gchar *origin6 = whip_url_origin ("http://[::1]:8080/secret");
  g_autofree gchar *none = whip_url_origin ("https://me:secret@h/");
  g_autofree gchar *bare = whip_url_without_query (BASE);
  g_autofree gchar *same = whip_url_without_query ("https://h/x");

  g_assert_cmpstr (origin, ==, "https://h.example:8443");
  g_assert_cmpstr (origin6, ==, "http://[::1]:8080");
  g_assert_cmpstr (none, ==, "(not a URL)");
  g_assert_cmpstr (bare, ==, "https://h.example:8443/a/b?...");
  g_assert_cmpstr (same, ==, "https://h/x");
}

static void
add_cases (const gchar *prefix, const Case *rows, gsize n_rows,
    GTestDataFunc test)
{
  for (gsize i = 0; i < n_rows; i++) {
    g_autofree gchar *path = g_strdup_printf ("%s/%s", prefix, rows[i].name);

    g_test_add_data_func (path, &rows[i], test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ("/whip-url/parse", parsed, G_N_ELEMENTS (parsed), test_parse);
  add_cases ("/whip-url/resolve", resolved, G_N_ELEMENTS (resolved),
      test_resolve);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/whip-url/follow/%s", pairs[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_pair);
  }
  g_test_add_func ("/whip-url/lengths", test_lengths);
  g_test_add_func ("/whip-url/bad-base", test_bad_base);
  g_test_add_func ("/whip-url/shortened", test_shortened);
  return g_test_run ();
}
