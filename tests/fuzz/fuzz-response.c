/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: the head and the body of an answer. Lines up to an empty one are
 * headers.
 */
#include "fuzz.h"
#include "whip-response.h"

#define NOW 1700000000
#define MAX_HEADER (64 * 1024)

static void
check_text (const gchar *text)
{
  RULE (text == NULL || fuzz_is_printable (text, MAX_HEADER));
}

/* As libsoup hands them on: no NUL, no line breaks in a value, names without blanks. */
static gchar *
read_headers (SoupMessageHeaders *headers, gchar *text)
{
  gchar *at = text;

  while (*at != '\0' && *at != '\n') {
    gchar *line = at;
    gchar *end = strchr (line, '\n');
    gchar *colon;

    at = end != NULL ? end + 1 : line + strlen (line);
    if (end != NULL)
      *end = '\0';
    colon = strchr (line, ':');
    if (colon == NULL)
      continue;
    *colon = '\0';
    if (*line != '\0' && strpbrk (line, " \t\r") == NULL &&
        strchr (colon + 1, '\r') == NULL)
      soup_message_headers_append (headers, line, g_strstrip (colon + 1));
  }
  return *at == '\n' ? at + 1 : at;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = fuzz_dup_text (data, size);
  SoupMessageHeaders *headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  gsize head = (gsize) (read_headers (headers, text) - text);
  g_autoptr (WhipResponse) response = whip_response_new ();
  GByteArray *body = g_byte_array_new ();

  whip_response_read_headers (response, headers, NOW);
  soup_message_headers_unref (headers);
  g_byte_array_append (body, data + head, (guint) (size - head));
  whip_response_take_body (response, body);

  check_text (response->content_type);
  check_text (response->request_id);
  RULE (response->retry_after <= WHIP_MAX_RETRY_AFTER);
  RULE (response->body_length <= WHIP_MAX_BODY);
  RULE (response->body[response->body_length] == '\0');
  RULE (g_utf8_validate (response->body, (gssize) response->body_length, NULL));
  return 0;
}
