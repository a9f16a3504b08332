/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Mints tokens that look like the service's.
 */
#include "stage-token.h"

#include <string.h>

/* An ECDSA signature of P-384 in DER: two integers of 48 bytes. */
#define SIGNATURE_SIZE 102

static gchar *
encode (gconstpointer data, gsize size)
{
  gchar *text = g_base64_encode (data, size);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

static gchar *
make_signature (void)
{
  guint8 bytes[SIGNATURE_SIZE] = { 0x30, SIGNATURE_SIZE - 2, 0x02, 48 };

  for (guint i = 4; i < SIGNATURE_SIZE; i++)
    bytes[i] = (guint8) g_random_int_range (1, 128);
  bytes[52] = 0x02;
  bytes[53] = 48;
  return encode (bytes, sizeof bytes);
}

gchar *
stage_token_sign (JsonNode *claims)
{
  static const gchar header[] = "{\"alg\":\"KMS\",\"typ\":\"JWT\"}";
  g_autofree gchar *payload = json_to_string (claims, FALSE);
  g_autofree gchar *first = encode (header, strlen (header));
  g_autofree gchar *second = encode (payload, strlen (payload));
  g_autofree gchar *third = make_signature ();

  return g_strjoin (".", first, second, third, NULL);
}
