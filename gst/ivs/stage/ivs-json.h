/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON from strangers: a bounded parse and lookups that never fail loudly.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

JsonObject *ivs_json_parse_object (const gchar *text, gsize length);
const gchar *ivs_json_get_string (JsonObject *object, const gchar *member);
gboolean
ivs_json_get_integer (JsonObject *object, const gchar *member, gint64 *value);
gboolean ivs_json_get_true (JsonObject *object, const gchar *member);
JsonObject *ivs_json_get_object (JsonObject *object, const gchar *member);

G_END_DECLS
