/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a fuzz target is: a file that reads bytes from strangers, with rules that
 * hold whatever they are.
 *
 * A target does one thing, LLVMFuzzerTestOneInput(): it gives the bytes to one reader
 * of ours and aborts if the outcome breaks a rule. libFuzzer calls it with what it
 * thinks up, replay.c with the files of corpus/TARGET.
 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* In every build, unlike g_assert(). */
#define RULE(holds) \
  G_STMT_START \
  { \
    if (G_UNLIKELY (!(holds))) \
      g_error ("%s:%d: broken: %s", __FILE__, __LINE__, #holds); \
  } \
  G_STMT_END

/* The bytes as the C string that our readers get from GLib and libsoup. */
static inline gchar *
fuzz_dup_text (const guint8 *data, gsize size)
{
  return g_strndup ((const gchar *) data, size);
}

/* May it stand in a log, a message, a terminal? */
static inline gboolean
fuzz_is_printable (const gchar *text, gsize max_length)
{
  gsize length = strlen (text);

  if (length > max_length || !g_utf8_validate (text, (gssize) length, NULL))
    return FALSE;
  for (const gchar *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return FALSE;
  return TRUE;
}

G_END_DECLS
