/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Gives the files of a corpus to a fuzz target: what was found once is looked at in
 * every test run, without libFuzzer.
 *
 *   fuzz-TARGET-replay FOLDER      every file, and every beginning of each
 *   fuzz-TARGET-replay FILE...     these files
 *
 * With a folder it is a test and speaks TAP.
 */
#include <gio/gio.h>
#include <gst/gst.h>

#include "fuzz.h"

/* In memory of just its size, so that a byte behind it is seen by the tools. */
static void
give (const gchar *bytes, gsize size)
{
  g_autofree guint8 *copy = g_malloc (MAX (size, 1)); /* never NULL */

  if (size > 0)
    memcpy (copy, bytes, size);
  LLVMFuzzerTestOneInput (copy, size);
}

static void
replay_file (const gchar *path, gboolean cut)
{
  g_autofree gchar *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0;

  if (!g_file_get_contents (path, &bytes, &size, &error))
    g_error ("%s", error->message);
  give (bytes, size);
  /* 64 beginnings of a long one. */
  for (gsize n = 0; cut && n < size; n += 1 + size / 64)
    give (bytes, n);
}

static gint
compare_paths (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const gchar *const *) a, *(const gchar *const *) b);
}

static GPtrArray *
list_files (const gchar *folder)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const gchar *name;

  if (dir == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (files, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (files, compare_paths);
  return files;
}

static void
test_corpus (gconstpointer data)
{
  const gchar *folder = data;
  g_autoptr (GPtrArray) files = list_files (folder);

  g_assert_cmpuint (files->len, >, 0);
  for (guint i = 0; i < files->len; i++) {
    /* Said before: an abort leaves the name of the last one. */
    g_test_message ("%s", (const gchar *) g_ptr_array_index (files, i));
    replay_file (g_ptr_array_index (files, i), TRUE);
  }
}

int
main (int argc, char **argv)
{
  g_autofree gchar *path = NULL;
  g_autofree gchar *name = NULL;

  g_test_init (&argc, &argv, NULL);
  LLVMFuzzerInitialize (&argc, &argv);
  if (argc != 2 || !g_file_test (argv[1], G_FILE_TEST_IS_DIR)) {
    for (int i = 1; i < argc; i++)
      replay_file (argv[i], FALSE);
    return argc > 1 ? 0 : 2;
  }
  name = g_path_get_basename (argv[1]);
  path = g_strdup_printf ("/fuzz/%s", name);
  g_test_add_data_func (path, argv[1], test_corpus);
  return g_test_run ();
}
