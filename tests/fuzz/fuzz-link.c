/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the Link header.
 */
#include "fuzz.h"
#include "whip-link.h"
#include "whip-url.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = fuzz_dup_text (data, size);
  g_autoptr (GPtrArray) links = whip_link_parse_list (text);

  RULE (links->len <= WHIP_MAX_LINKS);
  for (guint i = 0; i < links->len; i++) {
    const WhipLink *link = g_ptr_array_index (links, i);
    G_GNUC_UNUSED g_autofree gchar *resolved =
        whip_url_resolve ("https://stage.example/whip", link->target, NULL);

    RULE (g_hash_table_size (link->params) <= WHIP_MAX_LINK_PARAMS);
    RULE (strlen (link->target) < WHIP_MAX_LINK_HEADER);
    if (whip_link_has_rel (link, "ice-server"))
      RULE (*link->rel != '\0');
    whip_link_get_param (link, "credential");
  }
  return 0;
}
