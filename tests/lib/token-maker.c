/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Makes participant tokens for tests: right in shape, wrong in signature.
 */

#include "token-maker.h"

#include <string.h>

static gchar *
encode_base64url (const gchar *text)
{
  gchar *encoded = g_base64_encode ((const guchar *) text, strlen (text));

  g_strdelimit (encoded, "+", '-');
  g_strdelimit (encoded, "/", '_');
  encoded[strcspn (encoded, "=")] = '\0';
  return encoded;
}

gchar *
token_maker_make (const gchar *claims)
{
  g_autofree gchar *header =
      encode_base64url ("{\"alg\":\"KMS\",\"typ\":\"JWT\"}");
  g_autofree gchar *payload = encode_base64url (claims);
  g_autofree gchar *signature = encode_base64url (
      "this is in the place of a signature, which only the service can make");

  return g_strjoin (".", header, payload, signature, NULL);
}

gchar *
token_maker_make_publisher (const gchar *participant_id, gint64 expires_at,
    const gchar *whip_url)
{
  g_autofree gchar *url = whip_url != NULL
      ? g_strdup_printf ("\"whip_url\":\"%s\",", whip_url)
      : g_strdup ("");
  g_autofree gchar *claims = g_strdup_printf (
      "{\"exp\":%" G_GINT64_FORMAT ",\"iat\":1,\"jti\":\"%s\","
      "\"resource\":\"arn:aws:ivs:eu-west-1:123456789012:stage/AbCdEfGhIjKl\","
      "\"topic\":\"AbCdEfGhIjKl\",%s\"user_id\":\"tester\","
      "\"capabilities\":{\"allow_publish\":true,\"allow_subscribe\":true}}",
      expires_at, participant_id, url);

  return token_maker_make (claims);
}
