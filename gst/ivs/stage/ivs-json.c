/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON from strangers: a bounded parse and lookups that never fail loudly.
 *
 * json-glib parses and frees recursively and knows no depth limit before 1.10,
 * so a body of nothing but brackets would end in a stack overflow; and 1.6 leaks
 * strings that do not end or hold half a surrogate pair, and the first of two values
 * in a row. So the brackets and the strings are walked over before. The lookups exist
 * because those of json-glib call g_critical() when a type is not the expected one.
 */

#include "ivs-json.h"

#include <math.h>
#include <string.h>

/* Neither tokens nor error bodies go deeper than three. */
#define MAX_DEPTH 64

/* The UTF-16 unit of the "\uXXXX" at p, 0 when there is none. */
static guint
read_unit (const gchar *p, const gchar *end)
{
  guint unit = 0;

  if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
    return 0;
  for (guint i = 2; i < 6; i++) {
    if (!g_ascii_isxdigit (p[i]))
      return 0;
    unit = unit << 4 | (guint) g_ascii_xdigit_value (p[i]);
  }
  return unit;
}

static const gchar *
skip_escape (const gchar *p, const gchar *end)
{
  guint unit;

  if (end - p < 2)
    return NULL;
  if (p[1] != 'u')
    return p + 2;

  unit = read_unit (p, end);
  if (unit < 0xd800 || unit > 0xdfff)
    return unit != 0 ? p + 6 : NULL;
  /* RFC 8259 section 7: a high surrogate, then a low one. */
  if (unit > 0xdbff || (read_unit (p + 6, end) & ~0x3ffu) != 0xdc00)
    return NULL;
  return p + 12;
}

/* A raw control character ends it: RFC 8259 section 7 wants it escaped, and so
 * does json-glib from 1.10 on, but not before. */
static const gchar *
skip_string (const gchar *p, const gchar *end)
{
  while (p != NULL && p < end && (guchar) *p >= 0x20) {
    if (*p == '"')
      return p + 1;
    p = *p == '\\' ? skip_escape (p, end) : p + 1;
  }
  return NULL;
}

/* Whether it is one object and nothing beside it, brackets are closed and not too
 * deep, strings end, and nothing stands between them that json-glib reads in its own
 * way, such as comments. */
static gboolean
is_well_formed (const gchar *text, gsize length)
{
  const gchar *end = text + length;
  const gchar *p = text;
  guint depth = 0;
  gboolean has_begun = FALSE;

  while (p != NULL && p < end) {
    gchar c = *p++;

    if (depth == 0 && strchr (" \t\r\n", c) == NULL) {
      if (has_begun || c != '{')
        return FALSE;
      has_begun = TRUE;
    }
    if (c == '"')
      p = skip_string (p, end);
    else if (c == '{' || c == '[')
      depth++;
    else if ((c == '}' || c == ']') && depth > 0)
      depth--;
    else if (!g_ascii_isalnum (c) && strchr (" \t\r\n,:+-.", c) == NULL)
      return FALSE;
    if (depth > MAX_DEPTH)
      return FALSE;
  }
  return p != NULL && depth == 0 && has_begun;
}

/**
 * ivs_json_parse_object:
 * @text: (array length=length): what may be JSON
 * @length: length of @text in bytes
 *
 * Returns: (transfer full) (nullable): the object that @text is, or %NULL when
 *   it is anything else
 */
JsonObject *
ivs_json_parse_object (const gchar *text, gsize length)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  if (length > G_MAXSSIZE || !g_utf8_validate_len (text, length, NULL) ||
      !is_well_formed (text, length))
    return NULL;

  parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, text, (gssize) length, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  return json_object_ref (json_node_get_object (root));
}

static JsonNode *
get_value (JsonObject *object, const gchar *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

/**
 * ivs_json_get_string:
 * @object: an object
 * @member: a member's name
 *
 * Returns: (transfer none) (nullable): the member, when it is a string that is
 *   not empty
 */
const gchar *
ivs_json_get_string (JsonObject *object, const gchar *member)
{
  JsonNode *node = get_value (object, member);
  const gchar *text;

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  text = json_node_get_string (node);
  return text != NULL && *text != '\0' ? text : NULL;
}

static gboolean
get_integer_of_double (gdouble number, gint64 *value)
{
  /* 2^53: beyond it a double no longer names one integer. */
  if (!isfinite (number) || fabs (number) > 9007199254740992.0)
    return FALSE;
  *value = (gint64) number;
  return TRUE;
}

/**
 * ivs_json_get_integer:
 * @object: an object
 * @member: a member's name
 * @value: (out): the number, rounded towards zero
 *
 * Takes an integer, a double and a string of decimal digits.
 *
 * Returns: whether the member is such a number
 */
gboolean
ivs_json_get_integer (JsonObject *object, const gchar *member, gint64 *value)
{
  JsonNode *node = get_value (object, member);
  GType type = node != NULL ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type == G_TYPE_INT64) {
    *value = json_node_get_int (node);
    return TRUE;
  }
  if (type == G_TYPE_DOUBLE)
    return get_integer_of_double (json_node_get_double (node), value);
  if (type == G_TYPE_STRING && json_node_get_string (node) != NULL)
    return g_ascii_string_to_signed (json_node_get_string (node), 10,
        G_MININT64, G_MAXINT64, value, NULL);
  return FALSE;
}

/**
 * ivs_json_get_true:
 * @object: an object
 * @member: a member's name
 *
 * Returns: whether the member is the literal `true`
 */
gboolean
ivs_json_get_true (JsonObject *object, const gchar *member)
{
  JsonNode *node = get_value (object, member);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN &&
      json_node_get_boolean (node);
}

/**
 * ivs_json_get_object:
 * @object: an object
 * @member: a member's name
 *
 * Returns: (transfer none) (nullable): the member, when it is an object
 */
JsonObject *
ivs_json_get_object (JsonObject *object, const gchar *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
      ? json_node_get_object (node)
      : NULL;
}
