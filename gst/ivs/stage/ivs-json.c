/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON from strangers: a bounded parse and lookups that never fail loudly.
 *
 * json-glib parses and frees recursively and knows no depth limit before 1.10,
 * so a body of nothing but brackets would end in a stack overflow. The lookups
 * exist because those of json-glib call g_critical() when a type is not the
 * expected one.
 */

#include "ivs-json.h"

#include <math.h>

/* More opening brackets than any token or error body has, wherever they stand:
 * what is not opened cannot be nested. */
#define MAX_BRACKETS 512

static gboolean
is_shallow (const gchar *text, gsize length)
{
  guint brackets = 0;

  for (gsize i = 0; i < length; i++) {
    if (text[i] == '{' || text[i] == '[')
      brackets++;
  }
  return brackets <= MAX_BRACKETS;
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
      !is_shallow (text, length))
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
