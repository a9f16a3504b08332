/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the programs of this folder are called, and when they end.
 */
#include "program.h"

void
program_parse_options (const GOptionEntry *entries, int *argc, char ***argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    g_error ("%s", error->message);
}

gchar *
program_read_text (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  gchar *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  return g_strstrip (text);
}

GMappedFile *
program_map_file (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  GMappedFile *file = g_mapped_file_new (path, FALSE, &error);

  if (file == NULL)
    g_error ("%s", error->message);
  return file;
}

static gboolean
input_ended (GIOChannel *input, GIOCondition condition, gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
program_end_with_input (GMainLoop *loop)
{
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);

  g_io_add_watch_full (input, G_PRIORITY_DEFAULT, G_IO_IN | G_IO_HUP,
      input_ended, g_main_loop_ref (loop), (GDestroyNotify) g_main_loop_unref);
}
