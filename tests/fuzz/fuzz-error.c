/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: an answer that is an error. The first line of the input is its HTTP
 * status, the rest its body.
 */
#include "fuzz.h"
#include "ivs-error.h"

#define MAX_MESSAGE 1024

static void
check (const IvsFailure *failure)
{
  RULE (failure->kind < IVS_FAILURE_N_KINDS);
  RULE (g_str_equal (failure->name, ivs_failure_kind_name (failure->kind)));
  RULE (fuzz_is_printable (failure->sentence, 2 * MAX_MESSAGE));
  RULE (fuzz_is_printable (failure->advice, 2 * MAX_MESSAGE));
  if (failure->server_message != NULL)
    RULE (fuzz_is_printable (failure->server_message, MAX_MESSAGE));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const guint8 *end = size > 0 ? memchr (data, '\n', size) : NULL;
  gsize head = end != NULL ? (gsize) (end - data) + 1 : size;
  g_autofree gchar *line = fuzz_dup_text (data, head);
  guint status = (guint) g_ascii_strtoull (line, NULL, 10);
  /* libsoup's bodies end with a NUL that their length does not count. */
  g_autofree gchar *body = g_malloc (size - head + 1);
  g_autoptr (IvsFailure) failure = NULL;
  g_autoptr (IvsFailure) copy = NULL;

  if (size > head)
    memcpy (body, data + head, size - head);
  body[size - head] = '\0';
  failure = ivs_failure_from_response (status, body, size - head,
      &(const IvsRequestContext){ .host = "stage.example" });
  check (failure);
  copy = ivs_failure_copy (failure);
  RULE (copy->kind == failure->kind && copy->code == failure->code);
  return 0;
}
