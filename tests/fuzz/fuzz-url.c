/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: a redirect. The lines of the input are the URL that answered, its
 * Location, the whip-endpoint and the allowed hosts.
 *
 * Whether the token may go there is decided once more, in the simplest way.
 */
#include <gio/gio.h>

#include "fuzz.h"
#include "ivs-endpoint.h"
#include "whip-url.h"

/* As it is looked up: in ASCII and lower case, without dots at its end; or NULL. */
static gchar *
get_plain_host (const gchar *host)
{
  gchar *plain =
      g_utf8_validate (host, -1, NULL) ? g_hostname_to_ascii (host) : NULL;
  gchar *lower = plain != NULL ? g_ascii_strdown (plain, -1) : NULL;

  g_free (plain);
  for (gsize n = lower != NULL ? strlen (lower) : 0;
       n > 0 && lower[n - 1] == '.';)
    lower[--n] = '\0';
  return lower;
}

static gchar *
get_host (const gchar *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_PARSE_RELAXED, NULL);
  const gchar *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  return host != NULL ? get_plain_host (host) : NULL;
}

static gboolean
is_allowed (const gchar *host, const gchar *allowed_hosts)
{
  g_auto (GStrv) entries = g_strsplit (allowed_hosts, ",", -1);

  for (guint i = 0; entries[i] != NULL; i++) {
    gchar *entry = g_strstrip (entries[i]);
    gboolean is_wild = g_str_has_prefix (entry, "*.");
    g_autofree gchar *name = get_plain_host (entry + 2 * is_wild);
    g_autofree gchar *end = g_strconcat (".", name, NULL);

    if (name != NULL && *name != '\0' &&
        (is_wild ? g_str_has_suffix (host, end) : g_str_equal (host, name)))
      return TRUE;
  }
  return FALSE;
}

static void
check_is_trusted (const gchar *to, const gchar *endpoint,
    const gchar *allowed_hosts)
{
  g_autofree gchar *host = get_host (to);
  g_autofree gchar *own = get_host (endpoint);

  RULE (host != NULL);
  RULE (g_str_has_suffix (host, ".live-video.net") ||
      g_strcmp0 (host, own) == 0 || is_allowed (host, allowed_hosts) ||
      (ivs_endpoint_is_loopback (to) && ivs_endpoint_is_loopback (endpoint)));
}

static void
check_resolved (const gchar *url)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GUri) uri = whip_url_parse (url, &error);
  g_autofree gchar *origin = whip_url_origin (url);
  g_autofree gchar *shown = whip_url_without_query (url);

  RULE (uri != NULL && strlen (url) <= WHIP_MAX_URL);
  RULE (g_uri_get_userinfo (uri) == NULL && *g_uri_get_host (uri) != '\0');
  RULE (fuzz_is_printable (url, WHIP_MAX_URL));
  RULE (fuzz_is_printable (origin, WHIP_MAX_URL));
  RULE (fuzz_is_printable (shown, WHIP_MAX_URL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = fuzz_dup_text (data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 5);
  guint n = g_strv_length (lines);
  const gchar *base = n > 0 ? lines[0] : "";
  const gchar *location = n > 1 ? lines[1] : "";
  const gchar *endpoint = n > 2 ? lines[2] : "";
  const gchar *allowed = n > 3 ? lines[3] : "";
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refusal = NULL;
  g_autofree gchar *to = whip_url_resolve (base, location, &error);

  RULE ((to == NULL) == (error != NULL));
  if (to == NULL)
    return 0;
  check_resolved (to);
  whip_url_is_downgrade (to, base);
  whip_url_may_follow_same_host (to, base, NULL, NULL);
  ivs_endpoint_is_loopback (to);
  if (ivs_endpoint_may_see_token (to, base, endpoint, allowed, &refusal))
    check_is_trusted (to, endpoint, allowed);
  else
    RULE (refusal != NULL);
  return 0;
}
