/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where to publish, and which hosts may see the token.
 *
 * Whoever sees a participant token can publish with it. It goes to where the user
 * said, and to Amazon IVS; every host of IVS that was ever seen ends in
 * .live-video.net. URLs are parsed with the flags of libsoup (SOUP_HTTP_URI_FLAGS),
 * so that the host that is judged is the host that is connected to.
 */

#include "ivs-endpoint.h"
#include "ivs-error.h"

#include <string.h>

#define URL_FLAGS \
  (G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH | \
      G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_FRAGMENT | \
      G_URI_FLAGS_SCHEME_NORMALIZE)

#define SERVICE_HOSTS "*.live-video.net"
#define MAX_URL 8192
#define MAX_HOST 253 /* RFC 1035 section 2.3.4, without the root's dot */

/* -- Hosts ---------------------------------------------------------------- */

/* Lower case, IDN as punycode, without the root's dot; NULL for what no host
 * name is made of, for it may mean one thing here and another elsewhere. */
static gchar *
normalise_host (const gchar *host)
{
  g_autofree gchar *ascii = NULL;
  g_autofree gchar *lower = NULL;
  gsize length;

  /* g_hostname_to_ascii() reads beyond the end of what is not UTF-8 (GLib 2.74). */
  if (host != NULL && g_utf8_validate (host, -1, NULL))
    ascii = g_hostname_to_ascii (host);
  if (ascii == NULL)
    return NULL;
  lower = g_ascii_strdown (ascii, -1);
  length = strlen (lower);
  if (length > 0 && lower[length - 1] == '.')
    lower[--length] = '\0';
  if (length == 0 || length > MAX_HOST || lower[0] == '.' ||
      strspn (lower, "abcdefghijklmnopqrstuvwxyz0123456789-_.:") != length)
    return NULL;
  return g_steal_pointer (&lower);
}

static gboolean
is_loopback_host (const gchar *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (address != NULL)
    return g_inet_address_get_is_loopback (address);
  /* RFC 6761 section 6.3; GResolver answers both with the loopback address. */
  return g_str_equal (host, "localhost") ||
      g_str_has_suffix (host, ".localhost");
}

/* An entry is a host, or "*." and a domain for every host below it. */
static gboolean
matches_entry (const gchar *host, const gchar *entry)
{
  gboolean is_wildcard = g_str_has_prefix (entry, "*.");
  g_autofree gchar *name = normalise_host (is_wildcard ? entry + 2 : entry);
  gsize prefix;

  if (name == NULL)
    return FALSE;
  if (!is_wildcard)
    return g_str_equal (host, name);
  if (!g_str_has_suffix (host, name))
    return FALSE;
  prefix = strlen (host) - strlen (name);
  return prefix > 1 && host[prefix - 1] == '.';
}

static gboolean
matches_list (const gchar *host, const gchar *list)
{
  g_auto (GStrv) entries = g_strsplit (list != NULL ? list : "", ",", -1);

  for (guint i = 0; entries[i] != NULL; i++) {
    if (matches_entry (host, g_strstrip (entries[i])))
      return TRUE;
  }
  return FALSE;
}

/* -- URLs ------------------------------------------------------------------- */

typedef struct
{
  GUri *uri;
  gchar *host; /* normalised */
  gboolean is_https;
  gboolean is_loopback;
} Place;

static void
place_clear (Place *place)
{
  g_clear_pointer (&place->uri, g_uri_unref);
  g_clear_pointer (&place->host, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static gboolean
has_strange_character (const gchar *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return TRUE;
  for (; *text != '\0'; text++) {
    if (g_ascii_iscntrl (*text) || g_ascii_isspace (*text) || *text == '\\')
      return TRUE;
  }
  return FALSE;
}

/* Returns: NULL, or what is wrong with the URL. */
static const gchar *
parse_place (const gchar *url, Place *place)
{
  const gchar *scheme;

  if (url == NULL || strnlen (url, MAX_URL + 1) > MAX_URL)
    return "it is too long";
  if (has_strange_character (url))
    return "it has a space, a backslash or another character in it that a URL cannot have";
  place->uri = g_uri_parse (url, URL_FLAGS, NULL);
  if (place->uri == NULL)
    return "it is not a URL that begins with https:// (or http://, for a stage on this computer)";

  scheme = g_uri_get_scheme (place->uri);
  place->is_https = g_ascii_strcasecmp (scheme, "https") == 0;
  if (g_ascii_strncasecmp (scheme, "rtmp", 4) == 0)
    return "it is an RTMP address, and a stage is published to over WHIP (https://)";
  if (!place->is_https && g_ascii_strcasecmp (scheme, "http") != 0)
    return "it does not begin with https://";
  if (g_uri_get_userinfo (place->uri) != NULL)
    return "it holds a user name or password, and a stage knows tokens only";
  place->host = normalise_host (g_uri_get_host (place->uri));
  if (place->host == NULL)
    return "it has no usable host name";
  place->is_loopback = is_loopback_host (place->host);
  return NULL;
}

/**
 * ivs_endpoint_is_loopback:
 * @url: a URL
 *
 * Returns: whether @url is one of this computer (localhost, 127.0.0.0/8, ::1)
 */
gboolean
ivs_endpoint_is_loopback (const gchar *url)
{
  g_auto (Place) place = { NULL };

  return parse_place (url, &place) == NULL && place.is_loopback;
}

/* -- Where to publish -------------------------------------------------------- */

static gchar *
use_configured (const gchar *configured, GError **error)
{
  g_autofree gchar *url = g_strstrip (g_strdup (configured));
  g_auto (Place) place = { NULL };
  const gchar *fault = parse_place (url, &place);

  if (fault == NULL && g_str_equal (place.host, "g.webrtc.live-video.net"))
    fault =
        "it is the endpoint of low-latency channels, which is another product";
  if (fault != NULL) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_ENDPOINT_INVALID,
        "The whip-endpoint cannot be used: %s", fault);
    return NULL;
  }
  return g_uri_to_string (place.uri);
}

/* The official SDK posts to <whip_url>/publish/<jti>, which saves the redirect.
 * The claim is not verified, so it is believed only where it cannot do harm: at
 * Amazon IVS, or on this computer (a local stage). Otherwise NULL. */
static gchar *
use_claims (const IvsToken *token)
{
  g_auto (Place) place = { NULL };
  g_autofree gchar *base = NULL;
  g_autofree gchar *id = NULL;
  gsize length;

  if (token->whip_url == NULL || token->participant_id == NULL ||
      parse_place (token->whip_url, &place) != NULL ||
      g_uri_get_query (place.uri) != NULL ||
      g_uri_get_fragment (place.uri) != NULL)
    return NULL;
  if (!place.is_loopback &&
      !(place.is_https && matches_list (place.host, SERVICE_HOSTS)))
    return NULL;

  base = g_uri_to_string (place.uri);
  for (length = strlen (base); length > 0 && base[length - 1] == '/'; length--)
    base[length - 1] = '\0';
  id = g_uri_escape_string (token->participant_id, NULL, FALSE);
  return g_strconcat (base, "/publish/", id, NULL);
}

/**
 * ivs_endpoint_choose:
 * @configured: (nullable): what the user set, %NULL or empty = nothing
 * @token: (nullable): the token to publish with
 * @error: return location for an error of %IVS_ERROR
 *
 * What the user set wins, else what the token names if that is a host of Amazon
 * IVS or of this computer, else %IVS_GLOBAL_ENDPOINT.
 *
 * Returns: (transfer full) (nullable): the URL to post to; %NULL when @configured
 *   is not one
 */
gchar *
ivs_endpoint_choose (const gchar *configured, const IvsToken *token,
    GError **error)
{
  gchar *url = NULL;

  if (configured != NULL && *configured != '\0')
    return use_configured (configured, error);
  if (token != NULL)
    url = use_claims (token);
  return url != NULL ? url : g_strdup (IVS_GLOBAL_ENDPOINT);
}

/* -- Who may see the token ---------------------------------------------------- */

static gboolean
is_trusted_host (const Place *to, const Place *endpoint,
    const gchar *allowed_hosts)
{
  return matches_list (to->host, SERVICE_HOSTS) ||
      g_str_equal (to->host, endpoint->host) ||
      (to->is_loopback && endpoint->is_loopback) ||
      matches_list (to->host, allowed_hosts);
}

/* Without encryption only where the user chose that himself. */
static gboolean
is_safe_scheme (const Place *to, const Place *from, const Place *endpoint)
{
  if (to->is_https)
    return TRUE;
  if (from->is_https)
    return FALSE;
  return to->is_loopback ||
      (!endpoint->is_https && g_str_equal (to->host, endpoint->host));
}

/**
 * ivs_endpoint_may_see_token:
 * @url: where the token would go: a redirect's target, or a session URL
 * @from_url: the URL that named @url
 * @endpoint: the URL that publishing began with, see ivs_endpoint_choose()
 * @allowed_hosts: (nullable): comma-separated hosts that the user trusts besides,
 *   `host.example` or `*.example` for all below it
 * @error: return location for an error of %IVS_ERROR
 *
 * Returns: whether the token may be sent to @url
 */
gboolean
ivs_endpoint_may_see_token (const gchar *url, const gchar *from_url,
    const gchar *endpoint, const gchar *allowed_hosts, GError **error)
{
  g_auto (Place) to = { NULL };
  g_auto (Place) from = { NULL };
  g_auto (Place) start = { NULL };
  const gchar *fault = parse_place (url, &to);

  if (fault == NULL)
    fault = parse_place (from_url, &from);
  if (fault == NULL)
    fault = parse_place (endpoint, &start);
  if (fault != NULL) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_REDIRECT,
        "The URL that the endpoint names cannot be used: %s", fault);
    return FALSE;
  }
  if (!is_safe_scheme (&to, &from, &start)) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_REDIRECT,
        "The token was not sent on to %s, because that would be without encryption (http://)",
        to.host);
    return FALSE;
  }
  if (!is_trusted_host (&to, &start, allowed_hosts)) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_REDIRECT,
        "The token was not sent on to %s, because that host is neither of Amazon IVS nor allowed",
        to.host);
    return FALSE;
  }
  return TRUE;
}
