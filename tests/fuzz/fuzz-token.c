/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: what a user pasted as the participant token.
 */
#include "fuzz.h"
#include "ivs-endpoint.h"

#define NOW 1700000000

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = fuzz_dup_text (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refusal = NULL;
  g_autoptr (GError) endpoint_error = NULL;
  g_autoptr (IvsToken) token = ivs_token_parse (text, &error);
  g_autoptr (IvsToken) copy = NULL;
  g_autofree gchar *redacted = NULL;
  g_autofree gchar *endpoint = NULL;

  RULE ((token == NULL) == (error != NULL));
  if (token == NULL) {
    RULE (g_utf8_validate (error->message, -1, NULL));
    return 0;
  }
  /* What goes into the header Authorization. */
  RULE (strlen (token->secret) <= IVS_TOKEN_MAX_LENGTH);
  for (const gchar *at = token->secret; *at != '\0'; at++)
    RULE (g_ascii_isgraph (*at));
  redacted = ivs_token_redact (token->secret);
  RULE (strstr (redacted, token->secret) == NULL);

  if (!ivs_token_check_publish (token, NOW, &refusal))
    RULE (refusal != NULL && strstr (refusal->message, token->secret) == NULL);
  copy = ivs_token_copy (token);
  RULE (g_str_equal (copy->secret, token->secret));
  endpoint = ivs_endpoint_choose (NULL, token, &endpoint_error);
  RULE ((endpoint == NULL) == (endpoint_error != NULL));
  return 0;
}
