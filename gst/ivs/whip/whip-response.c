/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the headers and the body of an answer say, made safe to show.
 *
 * Nothing here judges the answer: a status is data, and so is a body of HTML. But
 * all of it comes from outside, thus each text is bounded and UTF-8, and all but
 * the body are without control characters.
 */

#include "whip-response.h"

#include <string.h>
#include "whip-link.h"

#define MAX_TEXT 128
#define MAX_CONTENT_TYPE 255

/* clang-format off: it would take the name for a subtraction */
G_DEFINE_QUARK (whip - error - quark, whip_error)
/* clang-format on */

gboolean
whip_response_is_success (const WhipResponse *self)
{
  return self->status >= 200 && self->status <= 299;
}

WhipResponse *
whip_response_new (void)
{
  WhipResponse *self = g_new0 (WhipResponse, 1);

  self->body = g_strdup ("");
  self->links = whip_link_parse_list (NULL);
  return self;
}

void
whip_response_free (WhipResponse *self)
{
  if (self == NULL)
    return;
  g_free (self->reason);
  g_free (self->body);
  g_free (self->content_type);
  g_free (self->url);
  g_free (self->session_url);
  g_free (self->request_id);
  g_ptr_array_unref (self->links);
  g_free (self);
}

/* Cuts @text at @max_length or just before, between two characters. */
static void
cut (gchar *text, gsize max_length)
{
  if (strlen (text) > max_length)
    *g_utf8_find_prev_char (text, text + max_length + 1) = '\0';
}

gchar *
whip_response_printable (const gchar *text, gsize max_length)
{
  g_autofree gchar *bounded = g_strndup (text, max_length);
  gchar *printable = g_utf8_make_valid (bounded, -1);

  /* U+0080 to U+009F too: to some terminals U+009B is an escape sequence. */
  for (gchar *at = printable, *next; *at != '\0'; at = next) {
    next = g_utf8_next_char (at);
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      memset (at, ' ', (gsize) (next - at));
  }
  cut (printable, max_length);
  return printable;
}

static gboolean
is_visible_ascii (const gchar *text)
{
  for (; *text != '\0'; text++) {
    if (!g_ascii_isgraph (*text))
      return FALSE;
  }
  return TRUE;
}

/* By this the operator of a service finds the request in his logs. */
static gchar *
read_request_id (SoupMessageHeaders *headers)
{
  static const gchar *const names[] = {
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amz-cf-id",
    "x-request-id",
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const gchar *id = soup_message_headers_get_one (headers, names[i]);

    if (id != NULL && *id != '\0' && is_visible_ascii (id))
      return g_strndup (id, MAX_TEXT);
  }
  return NULL;
}

static gint64
read_date (const gchar *text)
{
  g_autoptr (GDateTime) date =
      text == NULL ? NULL : soup_date_time_new_from_http_string (text);

  return date == NULL ? 0 : g_date_time_to_unix (date);
}

/* RFC 9110 section 10.2.3: seconds or a date. */
static guint
read_retry_after (const gchar *text, gint64 now)
{
  guint64 seconds;
  gint64 wait;

  if (text == NULL)
    return 0;
  if (g_ascii_isdigit (*text)) {
    if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &seconds, NULL))
      return (guint) MIN (seconds, WHIP_MAX_RETRY_AFTER);
    /* Digits only, but more than fit. */
    if (strspn (text, "0123456789") == strlen (text))
      return WHIP_MAX_RETRY_AFTER;
    return 0;
  }
  wait = read_date (text);
  return wait == 0 ? 0 : (guint) CLAMP (wait - now, 0, WHIP_MAX_RETRY_AFTER);
}

static gchar *
read_content_type (SoupMessageHeaders *headers)
{
  const gchar *value = soup_message_headers_get_one (headers, "Content-Type");
  g_autofree gchar *type = NULL;
  g_autofree gchar *lower = NULL;

  if (value == NULL)
    return NULL;
  type = g_strndup (value, strcspn (value, ";"));
  lower = g_ascii_strdown (g_strstrip (type), -1);
  return *lower == '\0' ? NULL
                        : whip_response_printable (lower, MAX_CONTENT_TYPE);
}

void
whip_response_read_headers (WhipResponse *self, SoupMessageHeaders *headers,
    gint64 now)
{
  g_clear_pointer (&self->content_type, g_free);
  g_clear_pointer (&self->request_id, g_free);
  g_clear_pointer (&self->links, g_ptr_array_unref);

  self->content_type = read_content_type (headers);
  self->request_id = read_request_id (headers);
  self->server_date =
      read_date (soup_message_headers_get_one (headers, "Date"));
  self->retry_after =
      read_retry_after (soup_message_headers_get_one (headers, "Retry-After"),
          self->server_date == 0 ? now : self->server_date);
  self->links =
      whip_link_parse_list (soup_message_headers_get_list (headers, "Link"));
}

void
whip_response_take_body (WhipResponse *self, GByteArray *bytes)
{
  self->body_truncated = bytes->len > WHIP_MAX_BODY;
  g_free (self->body);
  self->body = bytes->len == 0 ? g_strdup ("")
                               : g_utf8_make_valid ((const gchar *) bytes->data,
                                     MIN (bytes->len, WHIP_MAX_BODY));
  g_byte_array_unref (bytes);

  /* The replacement character is longer than what it replaces. */
  cut (self->body, WHIP_MAX_BODY);
  self->body_length = strlen (self->body);
}
