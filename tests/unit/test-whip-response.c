/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is read from the headers and the body of an answer.
 */

#include <string.h>
#include "whip-link.h"
#include "whip-response.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7. */
#define NOW 784111777

/* clang-format off */
static const struct
{
  const gchar *name;
  const gchar *headers;         /* as on the wire, lines end in \n */
  guint retry_after;
  gint64 server_date;
  const gchar *content_type;
  const gchar *request_id;
} cases[] = {
  { "nothing", "", 0, 0, NULL, NULL },
  { "retry-seconds", "Retry-After: 120\n", 120, 0, NULL, NULL },
  { "retry-0", "Retry-After: 0\n", 0, 0, NULL, NULL },
  { "retry-huge", "Retry-After: 999999\n", WHIP_MAX_RETRY_AFTER, 0, NULL, NULL },
  { "retry-overflow", "Retry-After: 99999999999999999999999\n",
    WHIP_MAX_RETRY_AFTER, 0, NULL, NULL },
  { "retry-negative", "Retry-After: -5\n", 0, 0, NULL, NULL },
  { "retry-fraction", "Retry-After: 1.5\n", 0, 0, NULL, NULL },
  { "retry-nonsense", "Retry-After: soon\n", 0, 0, NULL, NULL },
  { "retry-date", "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\n", 60, 0, NULL, NULL },
  { "retry-date-passed", "Retry-After: Sun, 06 Nov 1994 08:48:37 GMT\n", 0, 0, NULL, NULL },
  { "retry-date-far", "Retry-After: Sun, 06 Nov 2094 08:50:37 GMT\n",
    WHIP_MAX_RETRY_AFTER, 0, NULL, NULL },
  { "retry-date-by-clock-of-server",
    "Date: Sun, 06 Nov 1994 09:49:37 GMT\n"
    "Retry-After: Sun, 06 Nov 1994 09:49:47 GMT\n", 10, NOW + 3600, NULL, NULL },
  { "date-nonsense", "Date: yesterday\n", 0, 0, NULL, NULL },
  { "type", "Content-Type: application/sdp\n", 0, 0, "application/sdp", NULL },
  { "type-params", "Content-Type: Application/JSON ; charset=utf-8\n", 0, 0,
    "application/json", NULL },
  { "type-empty", "Content-Type: ;\n", 0, 0, NULL, NULL },
  { "type-hostile", "Content-Type: a\033[2Jb\n", 0, 0, "a [2jb", NULL },
  { "id-amzn", "X-Amzn-RequestId: 1-abc\nx-request-id: other\n", 0, 0, NULL, "1-abc" },
  { "id-amz", "x-amz-request-id: Q1\n", 0, 0, NULL, "Q1" },
  { "id-cloudfront", "X-Amz-Cf-Id: kq==\n", 0, 0, NULL, "kq==" },
  { "id-plain", "X-Request-Id: r\n", 0, 0, NULL, "r" },
  { "id-hostile", "x-amzn-requestid: a\033b\nx-request-id: ok\n", 0, 0, NULL, "ok" },
  { "id-spaces", "x-amzn-requestid: a b\n", 0, 0, NULL, NULL },
};
/* clang-format on */

static WhipResponse *
read_headers (const gchar *text)
{
  WhipResponse *response = whip_response_new ();
  SoupMessageHeaders *headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
    gchar *colon = strchr (lines[i], ':');

    *colon = '\0';
    soup_message_headers_append (headers, lines[i], g_strstrip (colon + 1));
  }
  whip_response_read_headers (response, headers, NOW);
  soup_message_headers_unref (headers);
  return response;
}

static void
test_headers (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (WhipResponse) response = read_headers (cases[i].headers);

  g_assert_cmpuint (response->retry_after, ==, cases[i].retry_after);
  g_assert_cmpint (response->server_date, ==, cases[i].server_date);
  g_assert_cmpstr (response->content_type, ==, cases[i].content_type);
  g_assert_cmpstr (response->request_id, ==, cases[i].request_id);
  g_assert_cmpuint (response->links->len, ==, 0);
}

static void
test_links_of_several_headers (void)
{
  g_autoptr (WhipResponse) response = read_headers (
      "Link: <stun:a>; rel=\"ice-server\"\n"
      "Link: <turn:b>; rel=\"ice-server\"; username=\"u,1\", <c>; rel=x\n");
  const WhipLink *turn;

  g_assert_cmpuint (response->links->len, ==, 3);
  turn = g_ptr_array_index (response->links, 1);
  g_assert_cmpstr (turn->target, ==, "turn:b");
  g_assert_cmpstr (whip_link_get_param (turn, "username"), ==, "u,1");
}

static void
test_long_texts (void)
{
  g_autofree gchar *filler = g_strnfill (1000, 'x');
  g_autofree gchar *text =
      g_strdup_printf ("x-request-id: %s\nContent-Type: %s\n", filler, filler);
  g_autoptr (WhipResponse) response = read_headers (text);

  g_assert_cmpuint (strlen (response->request_id), ==, 128);
  g_assert_cmpuint (strlen (response->content_type), ==, 255);
}

static void
test_success (void)
{
  static const guint is_success[] = { 200, 201, 202, 204, 299 };
  static const guint is_not[] = { 0, 100, 199, 300, 307, 404, 500, 999 };
  g_autoptr (WhipResponse) response = whip_response_new ();

  for (guint i = 0; i < G_N_ELEMENTS (is_success); i++) {
    response->status = is_success[i];
    g_assert_true (whip_response_is_success (response));
  }
  for (guint i = 0; i < G_N_ELEMENTS (is_not); i++) {
    response->status = is_not[i];
    g_assert_false (whip_response_is_success (response));
  }
}

static void
test_new_is_empty (void)
{
  g_autoptr (WhipResponse) response = whip_response_new ();

  g_assert_cmpstr (response->body, ==, "");
  g_assert_cmpuint (response->body_length, ==, 0);
  g_assert_cmpuint (response->links->len, ==, 0);
  whip_response_free (NULL);
}

static WhipResponse *
take_body (gconstpointer data, gsize length)
{
  WhipResponse *response = whip_response_new ();
  GByteArray *bytes = g_byte_array_new ();

  if (length > 0)
    g_byte_array_append (bytes, data, length);
  whip_response_take_body (response, bytes);
  return response;
}

static void
test_body (void)
{
  g_autoptr (WhipResponse) empty = take_body (NULL, 0);
  g_autoptr (WhipResponse) text = take_body ("v=0\r\n", 5);
  g_autoptr (WhipResponse) binary = take_body ("a\0b\xff", 4);

  g_assert_cmpstr (empty->body, ==, "");
  g_assert_cmpstr (text->body, ==, "v=0\r\n");
  g_assert_cmpuint (text->body_length, ==, 5);
  g_assert_false (text->body_truncated);
  g_assert_cmpstr (binary->body, ==,
      "a\xef\xbf\xbd"
      "b\xef\xbf\xbd");
  g_assert_cmpuint (binary->body_length, ==, 8);
}

static void
test_big_body (void)
{
  g_autofree gchar *filler = g_strnfill (WHIP_MAX_BODY + 1, 'x');
  g_autoptr (WhipResponse) fits = take_body (filler, WHIP_MAX_BODY);
  g_autoptr (WhipResponse) cut = take_body (filler, WHIP_MAX_BODY + 1);
  g_autoptr (WhipResponse) grows = NULL;

  g_assert_false (fits->body_truncated);
  g_assert_cmpuint (fits->body_length, ==, WHIP_MAX_BODY);
  g_assert_true (cut->body_truncated);
  g_assert_cmpuint (cut->body_length, ==, WHIP_MAX_BODY);

  memset (filler, 0xff, WHIP_MAX_BODY);
  grows = take_body (filler, WHIP_MAX_BODY);
  g_assert_cmpuint (grows->body_length, <=, WHIP_MAX_BODY);
  g_assert_true (g_utf8_validate (grows->body, -1, NULL));
}

static void
test_printable (void)
{
  static const struct
  {
    const gchar *text;
    gsize max_length;
    const gchar *expected;
  } rows[] = {
    { "", 8, "" },
    { "plain", 8, "plain" },
    { "plain", 3, "pla" },
    { "a\r\nb\033c", 8, "a  b c" },
    { "a\xc2\x9b"
      "b",
        8, "a  b" },
    { "\xc3\xa4\xc3\xa4", 4, "\xc3\xa4\xc3\xa4" },
    { "\xc3\xa4\xc3\xa4", 3, "\xc3\xa4" },
    { "\xff", 8, "\xef\xbf\xbd" },
    { "\xff\xff", 2, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text =
        whip_response_printable (rows[i].text, rows[i].max_length);

    g_assert_cmpstr (text, ==, rows[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/whip-response/%s", cases[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_headers);
  }
  g_test_add_func ("/whip-response/links", test_links_of_several_headers);
  g_test_add_func ("/whip-response/long-texts", test_long_texts);
  g_test_add_func ("/whip-response/success", test_success);
  g_test_add_func ("/whip-response/new-is-empty", test_new_is_empty);
  g_test_add_func ("/whip-response/body", test_body);
  g_test_add_func ("/whip-response/big-body", test_big_body);
  g_test_add_func ("/whip-response/printable", test_printable);
  return g_test_run ();
}
