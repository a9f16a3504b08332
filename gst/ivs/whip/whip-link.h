/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The Link header (RFC 8288), by which a WHIP server offers ICE servers
 * (RFC 9725 section 4.6) and extensions (section 4.9).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WHIP_MAX_LINKS 32
#define WHIP_MAX_LINK_PARAMS 16
#define WHIP_MAX_LINK_HEADER (16 * 1024)

/**
 * WhipLink:
 * @target: what stands between < and >, as it was sent: resolve it with
 *   whip_url_resolve() unless it is a stun: or turn: URI
 * @rel: relation types separated by spaces, "" without any
 * @params: every parameter: lower-case name to value, the first of each name; credentials are among them, so never log it
 */
typedef struct
{
  gchar *target;
  gchar *rel;
  GHashTable *params;
} WhipLink;

/**
 * whip_link_parse_list:
 * @value: (nullable): the value of a Link header, or of several joined by commas
 *
 * Links that break the grammar are left out, unknown relations are kept. At most
 * %WHIP_MAX_LINKS links of the first %WHIP_MAX_LINK_HEADER bytes are returned.
 *
 * Returns: (transfer full) (element-type WhipLink): the links, maybe none
 */
GPtrArray *whip_link_parse_list (const gchar *value);

/**
 * whip_link_has_rel:
 * @rel: a relation type, such as "ice-server"
 *
 * Returns: whether @rel is among the relation types, compared without case
 *   (RFC 8288 section 2.1)
 */
gboolean whip_link_has_rel (const WhipLink *self, const gchar *rel);

/**
 * whip_link_get_param:
 * @name: in lower case, such as "username", "credential", "credential-type"
 *
 * Returns: (nullable): the value, unquoted, or %NULL
 */
const gchar *whip_link_get_param (const WhipLink *self, const gchar *name);

void whip_link_free (WhipLink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipLink, whip_link_free)

G_END_DECLS
