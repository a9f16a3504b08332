/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP server that others have made, in a process of its own, which tells what it
 * does by files in a folder.
 */
#include "peer-process.h"

#include <glib/gstdio.h>

#include "publish-fixture.h"

struct _PeerProcess
{
  GSubprocess *process;
  gchar *folder;
};

static gboolean
listens (gpointer data)
{
  g_autofree gchar *endpoint = peer_process_read (data, "endpoint");

  return endpoint != NULL;
}

PeerProcess *
peer_process_start (const gchar *const *command, guint seconds)
{
  PeerProcess *self = g_new0 (PeerProcess, 1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("ivs-peer-XXXXXX", &error);
  g_assert_no_error (error);
  for (; *command != NULL; command++)
    g_ptr_array_add (words, (gpointer) *command);
  g_ptr_array_add (words, self->folder);
  g_ptr_array_add (words, NULL);
  self->process = g_subprocess_newv ((const gchar *const *) words->pdata,
      G_SUBPROCESS_FLAGS_STDIN_PIPE, &error);
  g_assert_no_error (error);
  g_assert_true (publish_wait (listens, self, seconds * 1000));
  return self;
}

static void
remove_folder (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

void
peer_process_stop (PeerProcess *self)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_close (g_subprocess_get_stdin_pipe (self->process), NULL,
      NULL);
  g_subprocess_wait_check (self->process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (self->process);
  remove_folder (self->folder);
  g_free (self->folder);
  g_free (self);
}

const gchar *
peer_process_get_folder (PeerProcess *self)
{
  return self->folder;
}

gchar *
peer_process_read (PeerProcess *self, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (self->folder, name, NULL);
  gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}
