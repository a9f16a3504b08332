/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which URLs a token may travel to at all, and how a Location becomes one.
 *
 * A Location is the word of a stranger: what is not plainly an http or https URL
 * is refused here, before any policy about hosts is asked.
 */

#include "whip-url.h"

#include <libsoup/soup.h>
#include <string.h>
#include "whip-response.h"

/* Letters, digits and the punctuation of names and IP addresses. GUri decodes
 * percent signs in hosts, so "a%2Eb" and "a%00b" are seen here as what they are. */
#define HOST_CHARACTERS \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"

static gboolean
refuse (GError **error, const gchar *why)
{
  g_set_error_literal (error, WHIP_ERROR, WHIP_ERROR_URL, why);
  return FALSE;
}

static gboolean
check_text (const gchar *text, GError **error)
{
  gsize length = strlen (text);

  if (length == 0)
    return refuse (error, "The URL is empty");
  if (length > WHIP_MAX_URL)
    return refuse (error, "The URL is longer than 8 KB");
  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isgraph (text[i]))
      return refuse (error,
          "The URL has a space, a control character or a "
          "character outside ASCII; write it %-encoded");
  }
  return TRUE;
}

static gboolean
check_parts (GUri *uri, GError **error)
{
  const gchar *scheme = g_uri_get_scheme (uri);
  const gchar *host = g_uri_get_host (uri);

  if (g_strcmp0 (scheme, "https") != 0 && g_strcmp0 (scheme, "http") != 0)
    return refuse (error, "The URL does not start with https:// or http://");
  if (host == NULL || *host == '\0')
    return refuse (error, "The URL names no host");
  if (strspn (host, HOST_CHARACTERS) != strlen (host))
    return refuse (error, "The URL has a host that cannot be one");
  if (g_uri_get_userinfo (uri) != NULL)
    return refuse (error,
        "The URL has a user name or password; remove the "
        "part before the @");
  if (g_uri_get_port (uri) == 0)
    return refuse (error, "The URL has port 0");
  return TRUE;
}

/* Parses, or resolves against @base if there is one. */
static GUri *
parse (GUri *base, const gchar *text, GError **error)
{
  g_autoptr (GUri) uri = NULL;
  g_autofree gchar *without_fragment = NULL;

  if (!check_text (text, error))
    return NULL;
  uri = g_uri_parse_relative (base, text, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL) {
    refuse (error, "This is not a URL");
    return NULL;
  }
  if (!check_parts (uri, error))
    return NULL;

  without_fragment = g_uri_to_string_partial (uri, G_URI_HIDE_FRAGMENT);
  if (!check_text (without_fragment, error))
    return NULL;
  return g_uri_parse (without_fragment, SOUP_HTTP_URI_FLAGS, error);
}

GUri *
whip_url_parse (const gchar *url, GError **error)
{
  return parse (NULL, url, error);
}

gchar *
whip_url_resolve (const gchar *base, const gchar *reference, GError **error)
{
  g_autoptr (GUri) base_uri = whip_url_parse (base, error);
  g_autoptr (GUri) uri = NULL;

  if (base_uri == NULL)
    return NULL;
  uri = parse (base_uri, reference, error);
  return uri == NULL ? NULL : g_uri_to_string (uri);
}

gboolean
whip_url_may_follow_same_host (const gchar *to, const gchar *from,
    gpointer unused, GError **error)
{
  g_autoptr (GUri) to_uri = whip_url_parse (to, error);
  g_autoptr (GUri) from_uri = NULL;

  if (to_uri == NULL)
    return FALSE;
  from_uri = whip_url_parse (from, error);
  if (from_uri == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (g_uri_get_host (to_uri), g_uri_get_host (from_uri)) ==
      0)
    return TRUE;

  g_set_error (error, WHIP_ERROR, WHIP_ERROR_NOT_ALLOWED,
      "%s sends to %s, another host, which may not see the token",
      g_uri_get_host (from_uri), g_uri_get_host (to_uri));
  return FALSE;
}

gboolean
whip_url_is_downgrade (const gchar *to, const gchar *from)
{
  return g_ascii_strncasecmp (from, "https:", 6) == 0 &&
      g_ascii_strncasecmp (to, "https:", 6) != 0;
}

gchar *
whip_url_origin (const gchar *url)
{
  g_autoptr (GUri) uri = whip_url_parse (url, NULL);
  g_autoptr (GUri) origin = NULL;

  if (uri == NULL)
    return g_strdup ("(not a URL)");
  origin = g_uri_build (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL,
      g_uri_get_host (uri), g_uri_get_port (uri), "", NULL, NULL);
  return g_uri_to_string (origin);
}

gchar *
whip_url_without_query (const gchar *url)
{
  const gchar *query = strchr (url, '?');

  if (query == NULL)
    return g_strdup (url);
  return g_strdup_printf ("%.*s?...", (int) (query - url), url);
}
