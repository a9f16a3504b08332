/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Link headers: those of RFC 8288 and RFC 9725, and those of a hostile server.
 */

#include <string.h>
#include "test-table.h"
#include "whip-link.h"

#define MAX_EXPECTED 3

/* Each expected link is written "target|rel|name=value|..." with the parameters
 * in alphabetical order. */
typedef struct
{
  const gchar *name;
  const gchar *header;
  const gchar *expected[MAX_EXPECTED];
} Case;

/* clang-format off */
static const Case cases[] = {
  { "none", "", { NULL } },
  { "spaces", " \t ", { NULL } },
  { "one", "<https://e.net/x>; rel=\"next\"", { "https://e.net/x|next|rel=next" } },
  { "token-value", "<x>;rel=next", { "x|next|rel=next" } },
  { "no-params", "<x>", { "x|" } },
  { "empty-target", "<>; rel=self", { "|self|rel=self" } },
  { "stun", "<stun:stun.example.net>; rel=\"ice-server\"",
    { "stun:stun.example.net|ice-server|rel=ice-server" } },
  { "turn",
    "<turn:turn.example.net?transport=udp>; rel=\"ice-server\"; "
    "username=\"user\"; credential=\"myPassword\"; credential-type=\"password\"",
    { "turn:turn.example.net?transport=udp|ice-server|credential=myPassword|"
      "credential-type=password|rel=ice-server|username=user" } },
  { "two", "<a>; rel=x, <b>; rel=y", { "a|x|rel=x", "b|y|rel=y" } },
  { "no-space", "<a>;rel=x,<b>;rel=y", { "a|x|rel=x", "b|y|rel=y" } },
  { "comma-and-semicolon-in-target", "<a,b;c>; rel=x", { "a,b;c|x|rel=x" } },
  { "comma-and-semicolon-in-quotes", "<a>; rel=x; title=\"1, <2>; 3\", <b>",
    { "a|x|rel=x|title=1, <2>; 3", "b|" } },
  { "escapes", "<a>; credential=\"p\\\"w\\\\,\"", { "a||credential=p\"w\\," } },
  { "names-without-case", "<a>; REL=x; Title=T", { "a|x|rel=x|title=T" } },
  { "first-wins", "<a>; rel=x; rel=y; t=1; t=2", { "a|x|rel=x|t=1" } },
  { "spaces-at-equals", "<a> ; rel = \"x\" ; t\t=\t1", { "a|x|rel=x|t=1" } },
  { "no-value", "<a>; crossorigin; rel=x", { "a|x|crossorigin=|rel=x" } },
  { "extended-name", "<a>; title*=UTF-8''%e2", { "a||title*=UTF-8''%e2" } },
  { "unknown-relation-kept",
    "<https://h/s>; rel=\"urn:ietf:params:whip:ivs-stages:session-delete\"",
    { "https://h/s|urn:ietf:params:whip:ivs-stages:session-delete|"
      "rel=urn:ietf:params:whip:ivs-stages:session-delete" } },
  { "empty-parts", ",, <a>;; rel=x ; ,,", { "a|x|rel=x" } },
  { "no-bracket-skipped", "a; rel=x, <b>; rel=y", { "b|y|rel=y" } },
  { "open-bracket", "<a; rel=x", { NULL } },
  { "open-quote", "<a>; rel=\"x, <b>; rel=y", { NULL } },
  { "escape-at-end", "<a>; rel=\"x\\", { NULL } },
  { "junk-after-target-skipped", "<a> junk, <b>", { "b|" } },
  { "junk-after-value-skipped", "<a>; rel=\"x\"y, <b>", { "b|" } },
  { "quotes-in-junk-skipped", "<a> \"x\\\", <z>\", <b>", { "b|" } },
  { "control-in-target", "<a\001b>, <c>", { "c|" } },
  { "control-in-value", "<a>; t=\"\033[2J\", <c>", { "c|" } },
  { "not-ascii", "<a\xff>, <c>", { "c|" } },
};
/* clang-format on */

static gchar *
describe (const WhipLink *link)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GList) names =
      g_list_sort (g_hash_table_get_keys (link->params), (GCompareFunc) strcmp);

  g_string_append_printf (text, "%s|%s", link->target, link->rel);
  for (GList *at = names; at != NULL; at = at->next)
    g_string_append_printf (text, "|%s=%s", (gchar *) at->data,
        whip_link_get_param (link, at->data));
  return g_string_free (text, FALSE);
}

static void
test_case (gconstpointer data)
{
  const Case *row = data;
  g_autoptr (GPtrArray) links = whip_link_parse_list (row->header);
  guint n_expected = 0;

  while (n_expected < MAX_EXPECTED && row->expected[n_expected] != NULL)
    n_expected++;
  g_assert_cmpuint (links->len, ==, n_expected);
  for (guint i = 0; i < links->len; i++) {
    g_autofree gchar *text = describe (g_ptr_array_index (links, i));

    g_assert_cmpstr (text, ==, row->expected[i]);
  }
}

static void
test_null (void)
{
  g_autoptr (GPtrArray) links = whip_link_parse_list (NULL);

  g_assert_cmpuint (links->len, ==, 0);
}

static void
test_relations (void)
{
  g_autoptr (GPtrArray) links =
      whip_link_parse_list ("<a>; rel=\"next ICE-Server\"");
  const WhipLink *link = g_ptr_array_index (links, 0);

  g_assert_true (whip_link_has_rel (link, "ice-server"));
  g_assert_true (whip_link_has_rel (link, "next"));
  g_assert_false (whip_link_has_rel (link, "ice"));
  g_assert_false (whip_link_has_rel (link, "next ice-server"));
  g_assert_null (whip_link_get_param (link, "username"));
}

static gchar *
repeat (const gchar *part, guint times)
{
  GString *text = g_string_new (NULL);

  while (times-- > 0)
    g_string_append (text, part);
  return g_string_free (text, FALSE);
}

static void
test_too_many_links (void)
{
  g_autofree gchar *header = repeat ("<a>; rel=x,", WHIP_MAX_LINKS + 1);
  g_autoptr (GPtrArray) links = whip_link_parse_list (header);

  g_assert_cmpuint (links->len, ==, WHIP_MAX_LINKS);
}

static void
test_too_many_params (void)
{
  GString *header = g_string_new ("<a>");
  g_autoptr (GPtrArray) links = NULL;
  const WhipLink *link;

  for (guint i = 0; i <= WHIP_MAX_LINK_PARAMS; i++)
    g_string_append_printf (header, "; p%u=1", i);
  links = whip_link_parse_list (header->str);
  g_string_free (header, TRUE);

  g_assert_cmpuint (links->len, ==, 1);
  link = g_ptr_array_index (links, 0);
  g_assert_cmpuint (g_hash_table_size (link->params), ==, WHIP_MAX_LINK_PARAMS);
}

static void
test_too_long (void)
{
  g_autofree gchar *filler = repeat ("x", WHIP_MAX_LINK_HEADER);
  g_autofree gchar *header = g_strdup_printf ("<a>, <b>; t=\"%s\"", filler);
  g_autoptr (GPtrArray) links = whip_link_parse_list (header);

  g_assert_cmpuint (links->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/whip-link/", cases, test_case);
  g_test_add_func ("/whip-link/null", test_null);
  g_test_add_func ("/whip-link/relations", test_relations);
  g_test_add_func ("/whip-link/too-many-links", test_too_many_links);
  g_test_add_func ("/whip-link/too-many-params", test_too_many_params);
  g_test_add_func ("/whip-link/too-long", test_too_long);
  return g_test_run ();
}
