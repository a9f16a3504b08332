/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the participant token comes from, at each attempt anew: a service may
 * mint a fresh one or replace the file while the pipeline runs.
 */
#include "gstivscredential.h"

#include <gio/gio.h>
#include "ivs-error.h"

#define VARIABLE "IVS_STAGE_TOKEN"

/* Of a longer one the head is enough to say what it is instead. */
gchar *
gst_ivs_credential_read_once (const gchar *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, &cause);
  g_autofree gchar *text = g_malloc0 (IVS_TOKEN_MAX_LENGTH + 1);
  gsize length = 0;

  if (stream == NULL ||
      !g_input_stream_read_all (G_INPUT_STREAM (stream), text,
          IVS_TOKEN_MAX_LENGTH, &length, NULL, &cause)) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_TOKEN_FILE,
        "The token file %s cannot be read: %s", path, cause->message);
    return NULL;
  }
  return g_steal_pointer (&text);
}

/* A token file is a token and a newline. A pipe or a device would have nothing left to
 * say at the next attempt, and may never say anything, which the worker cannot wait for. */
static gchar *
read_file (const gchar *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);

  if (g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, NULL) ==
      G_FILE_TYPE_SPECIAL) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_TOKEN_FILE,
        "The token file %s cannot be read: it is a pipe or a device, and it is read again at every attempt",
        path);
    return NULL;
  }
  return gst_ivs_credential_read_once (path, error);
}

gchar *
gst_ivs_credential_read (const GstIvsSettings *settings, const gchar *requested,
    GError **error)
{
  const gchar *variable = g_getenv (VARIABLE);

  if (requested != NULL)
    return g_strdup (requested);
  if (settings->auth_token_file != NULL)
    return read_file (settings->auth_token_file, error);
  if (settings->auth_token != NULL)
    return g_strdup (settings->auth_token);
  if (variable != NULL)
    return g_strdup (variable);

  g_set_error_literal (error, IVS_ERROR, IVS_FAILURE_TOKEN_MISSING,
      "There is no participant token");
  return NULL;
}

IvsToken *
gst_ivs_credential_find (const GstIvsSettings *settings, const gchar *requested,
    GError **error)
{
  g_autofree gchar *text = gst_ivs_credential_read (settings, requested, error);
  g_autoptr (IvsToken) token = NULL;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  if (text == NULL)
    return NULL;
  token = ivs_token_parse (text, error);
  if (token == NULL || !ivs_token_check_publish (token, now, error))
    return NULL;
  return g_steal_pointer (&token);
}
