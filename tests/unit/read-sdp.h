/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The offers in data/, by their names.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full) */
static inline gchar *
read_sdp (const gchar *name)
{
  g_autofree gchar *path = g_strdup_printf (TEST_DATA_DIR "/%s.sdp", name);
  g_autoptr (GError) error = NULL;
  gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);

  return text;
}

G_END_DECLS
