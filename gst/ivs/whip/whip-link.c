/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parser for the Link header, after the algorithm of RFC 8288 appendix B.
 *
 *     Link: <turn:turn.example.net?transport=udp>; rel="ice-server";
 *         username="u,1"; credential="p\"w", <https://e.net/x>; rel=next
 *
 * libsoup has a parser for parameter lists, but it splits at the comma in the
 * <target> and at semicolons there, so it cannot be used for this header.
 */

#include "whip-link.h"

#include <string.h>

void
whip_link_free (WhipLink *self)
{
  g_free (self->target);
  g_free (self->rel);
  g_hash_table_unref (self->params);
  g_free (self);
}

static void
skip_space (const gchar **at)
{
  while (**at == ' ' || **at == '\t')
    (*at)++;
}

/* To the comma that ends this link, over those in quotes. */
static void
skip_link (const gchar **at)
{
  gboolean is_quoted = FALSE;

  for (; **at != '\0' && (is_quoted || **at != ','); (*at)++) {
    if (is_quoted && **at == '\\' && (*at)[1] != '\0')
      (*at)++;
    else if (**at == '"')
      is_quoted = !is_quoted;
  }
}

static gboolean
is_token_character (gchar c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c));
}

static gboolean
is_printable (const gchar *text)
{
  for (; *text != '\0'; text++) {
    if (g_ascii_iscntrl (*text) || (guchar) *text >= 0x80)
      return FALSE;
  }
  return TRUE;
}

/* Name of a parameter, in lower case, or NULL. */
static gchar *
read_name (const gchar **at)
{
  const gchar *start = *at;

  while (is_token_character (**at))
    (*at)++;
  return *at == start ? NULL : g_ascii_strdown (start, *at - start);
}

/* RFC 9110 section 5.6.4; NULL when the closing quote is missing. */
static gchar *
read_quoted (const gchar **at)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for ((*at)++; **at != '"'; (*at)++) {
    if (**at == '\\')
      (*at)++;
    if (**at == '\0')
      return NULL;
    g_string_append_c (value, **at);
  }
  (*at)++;
  return g_string_free (g_steal_pointer (&value), FALSE);
}

static gchar *
read_value (const gchar **at)
{
  const gchar *start = *at;

  if (**at == '"')
    return read_quoted (at);
  while (**at != '\0' && strchr (" \t;,", **at) == NULL)
    (*at)++;
  return g_strndup (start, *at - start);
}

/* The first parameter of a name wins: section 3.3 says so of rel. */
static void
add_param (WhipLink *self, gchar *name, gchar *value)
{
  g_autofree gchar *owned_name = name;
  g_autofree gchar *owned_value = value;

  if (g_hash_table_size (self->params) < WHIP_MAX_LINK_PARAMS &&
      !g_hash_table_contains (self->params, name))
    g_hash_table_insert (self->params, g_steal_pointer (&owned_name),
        g_steal_pointer (&owned_value));
}

/* ( OWS ";" OWS [ name [ BWS "=" BWS value ] ] )* up to the comma */
static gboolean
read_params (WhipLink *self, const gchar **at)
{
  for (skip_space (at); **at == ';'; skip_space (at)) {
    g_autofree gchar *name = NULL;
    g_autofree gchar *value = NULL;

    (*at)++;
    skip_space (at);
    if ((name = read_name (at)) == NULL)
      continue; /* ";;" and a ";" at the end are harmless */

    skip_space (at);
    if (**at == '=') {
      (*at)++;
      skip_space (at);
      if ((value = read_value (at)) == NULL || !is_printable (value))
        return FALSE;
    } else {
      value = g_strdup ("");
    }
    add_param (self, g_steal_pointer (&name), g_steal_pointer (&value));
  }
  return **at == ',' || **at == '\0';
}

static WhipLink *
read_link (const gchar **at)
{
  g_autoptr (WhipLink) self = NULL;
  const gchar *end;
  const gchar *rel;

  if (**at != '<' || (end = strchr (*at, '>')) == NULL)
    return NULL;
  self = g_new0 (WhipLink, 1);
  self->params =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->target = g_strndup (*at + 1, end - *at - 1);
  *at = end + 1;
  if (!is_printable (self->target) || !read_params (self, at))
    return NULL;

  rel = g_hash_table_lookup (self->params, "rel");
  self->rel = g_strdup (rel == NULL ? "" : rel);
  return g_steal_pointer (&self);
}

GPtrArray *
whip_link_parse_list (const gchar *value)
{
  GPtrArray *links =
      g_ptr_array_new_with_free_func ((GDestroyNotify) whip_link_free);
  g_autofree gchar *bounded =
      value == NULL ? NULL : g_strndup (value, WHIP_MAX_LINK_HEADER);
  const gchar *at = bounded;

  while (at != NULL && *at != '\0' && links->len < WHIP_MAX_LINKS) {
    WhipLink *link;

    skip_space (&at);
    link = read_link (&at);
    if (link != NULL)
      g_ptr_array_add (links, link);
    skip_link (&at);
    if (*at == ',')
      at++;
  }
  return links;
}

gboolean
whip_link_has_rel (const WhipLink *self, const gchar *rel)
{
  g_auto (GStrv) types = g_strsplit (self->rel, " ", -1);

  for (guint i = 0; types[i] != NULL; i++) {
    if (g_ascii_strcasecmp (types[i], rel) == 0)
      return TRUE;
  }
  return FALSE;
}

const gchar *
whip_link_get_param (const WhipLink *self, const gchar *name)
{
  return g_hash_table_lookup (self->params, name);
}
