/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * URLs that a WHIP client may talk to: checked, resolved, and shortened for
 * messages.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* RFC 9110 section 4.1 asks recipients for at least 8000 octets. */
#define WHIP_MAX_URL 8192

/**
 * whip_url_parse:
 * @url: an absolute URL
 *
 * Accepts http and https URLs of printable ASCII, at most %WHIP_MAX_URL bytes,
 * with a host and without user name or password (RFC 9110 section 4.2.4). A
 * fragment is dropped: it is never sent (section 7.1).
 *
 * Returns: (transfer full): the URL, or %NULL with %WHIP_ERROR_URL
 */
GUri *whip_url_parse (const gchar *url, GError **error);

/**
 * whip_url_resolve:
 * @base: the URL that answered
 * @reference: what its Location (RFC 9110 section 10.2.2) or Link says
 *
 * Resolves @reference (absolute, //host/path, /path, path, ?query) by RFC 3986
 * section 5 and judges the outcome as whip_url_parse() does.
 *
 * Returns: (transfer full): an absolute URL, or %NULL with %WHIP_ERROR_URL
 */
gchar *
whip_url_resolve (const gchar *base, const gchar *reference, GError **error);

/**
 * whip_url_may_follow_same_host:
 *
 * The default rule of a client for redirects: only the host that was asked may
 * see the token. Ports may differ. Has the shape of WhipClientMayFollow.
 *
 * Returns: whether @to has the host of @from; if not, %WHIP_ERROR_NOT_ALLOWED
 */
gboolean whip_url_may_follow_same_host (const gchar *to, const gchar *from,
    gpointer unused, GError **error);

/**
 * whip_url_is_downgrade:
 *
 * Returns: whether @to would send in clear what @from got encrypted
 */
gboolean whip_url_is_downgrade (const gchar *to, const gchar *from);

/**
 * whip_url_origin:
 *
 * Returns: (transfer full): scheme, host and port, for error messages: paths
 *   and queries of a session may be secrets
 */
gchar *whip_url_origin (const gchar *url);

/**
 * whip_url_without_query:
 *
 * Returns: (transfer full): @url with "..." instead of its query, for logs
 */
gchar *whip_url_without_query (const gchar *url);

G_END_DECLS
