/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-error: what an answer or a GError means, the table, and its copy
 * in docs/errors.md (`test-error --print-doc` prints what belongs there).
 */

#include "ivs-diagnosis.h"
#include "ivs-error-table.h"
#include "test-table.h"

#include <stdio.h>
#include <string.h>

/* -- Answers ---------------------------------------------------------------- */

typedef enum
{
  FINAL,
  AGAIN,
  CAPPED
} Retry;

typedef struct
{
  const gchar *name;
  guint status;
  const gchar *body;
  IvsFailureKind kind;
  gint code;
  const gchar *message;
  Retry retry;
} Answer;

#define CODE(number) "{\"code\":" number ",\"message\":\"m\"}"

/* clang-format off */
static const Answer answers[] = {
  /* The service's codes, with the statuses that they come with */
  { "2001", 400, CODE ("2001"), IVS_FAILURE_SESSION_REFUSED, 2001, "m", FINAL },
  { "2002", 401, CODE ("2002"), IVS_FAILURE_SERVICE_TOKEN_EXPIRED, 2002, "m", FINAL },
  { "2003", 403, CODE ("2003"), IVS_FAILURE_NO_PERMISSIONS, 2003, "m", FINAL },
  { "2004", 404, CODE ("2004"), IVS_FAILURE_STAGE_NOT_FOUND, 2004, "m", FINAL },
  { "2005", 403, CODE ("2005"), IVS_FAILURE_STAGE_FULL, 2005, "m", FINAL },
  { "2006", 500, CODE ("2006"), IVS_FAILURE_SERVICE_INTERNAL, 2006, "m", CAPPED },
  { "2007-503", 503, CODE ("2007"), IVS_FAILURE_SERVICE_INTERNAL, 2007, "m", CAPPED },
  { "2007-400", 400, CODE ("2007"), IVS_FAILURE_SERVICE_INTERNAL, 2007, "m", FINAL },
  { "2007-600", 600, CODE ("2007"), IVS_FAILURE_SERVICE_INTERNAL, 2007, "m", FINAL },
  { "2008", 500, CODE ("2008"), IVS_FAILURE_SERVICE_INTERNAL, 2008, "m", CAPPED },
  { "2010", 500, CODE ("2010"), IVS_FAILURE_ALREADY_PUBLISHING, 2010, "m", FINAL },
  { "2011", 404, CODE ("2011"), IVS_FAILURE_ACTION_NOT_FOUND, 2011, "m", FINAL },
  { "2012", 412, CODE ("2012"), IVS_FAILURE_STATE_CONFLICT, 2012, "m", FINAL },
  { "2013", 429, CODE ("2013"), IVS_FAILURE_THROTTLED, 2013, "m", AGAIN },
  { "2014", 400, CODE ("2014"), IVS_FAILURE_NO_MATCHING_CODEC, 2014, "m", FINAL },
  /* Codes that are not known, and numbers in other dress */
  { "2009", 500, CODE ("2009"), IVS_FAILURE_HTTP_SERVER, 2009, "m", CAPPED },
  { "2015", 403, CODE ("2015"), IVS_FAILURE_HTTP_REFUSED, 2015, "m", FINAL },
  { "zero", 404, CODE ("0"), IVS_FAILURE_NOT_A_STAGE_ENDPOINT, 0, "m", FINAL },
  { "negative", 503, CODE ("-2001"), IVS_FAILURE_BUSY, 0, "m", AGAIN },
  { "string-code", 400, CODE ("\"2001\""), IVS_FAILURE_SESSION_REFUSED, 2001, "m", FINAL },
  { "double-code", 400, CODE ("2001.0"), IVS_FAILURE_SESSION_REFUSED, 2001, "m", FINAL },
  { "text-code", 400, CODE ("\"Nope\""), IVS_FAILURE_HTTP_CLIENT, 0, "m", FINAL },
  { "long-code", 400, CODE ("99999999999999"), IVS_FAILURE_HTTP_CLIENT, 0, "m", FINAL },
  { "very-long-code", 400, CODE ("99999999999999999999999999"), IVS_FAILURE_HTTP_CLIENT, 0, "m", FINAL },
  { "object-code", 400, CODE ("{\"code\":2001}"), IVS_FAILURE_HTTP_CLIENT, 0, "m", FINAL },
  { "null-code", 400, CODE ("null"), IVS_FAILURE_HTTP_CLIENT, 0, "m", FINAL },
  { "no-message", 400, "{\"code\":2001}", IVS_FAILURE_SESSION_REFUSED, 2001, NULL, FINAL },
  { "number-message", 400, "{\"code\":2001,\"message\":7}", IVS_FAILURE_SESSION_REFUSED, 2001, NULL, FINAL },
  { "gateway-message", 403, "{\"Message\":\"Forbidden\"}", IVS_FAILURE_HTTP_REFUSED, 0, "Forbidden", FINAL },
  { "error-text", 500, "{\"error\":\"oops\"}", IVS_FAILURE_HTTP_SERVER, 0, "oops", CAPPED },
  /* Statuses without a code */
  { "0", 0, NULL, IVS_FAILURE_NETWORK, 0, NULL, AGAIN },
  { "100", 100, NULL, IVS_FAILURE_HTTP_UNEXPECTED, 0, NULL, FINAL },
  { "200", 200, "v=0\r\n", IVS_FAILURE_HTTP_UNEXPECTED, 0, "v=0", FINAL },
  { "304", 304, NULL, IVS_FAILURE_HTTP_UNEXPECTED, 0, NULL, FINAL },
  { "400", 400, NULL, IVS_FAILURE_HTTP_CLIENT, 0, NULL, FINAL },
  { "401", 401, NULL, IVS_FAILURE_HTTP_REFUSED, 0, NULL, FINAL },
  { "402", 402, NULL, IVS_FAILURE_HTTP_CLIENT, 0, NULL, FINAL },
  { "403", 403, NULL, IVS_FAILURE_HTTP_REFUSED, 0, NULL, FINAL },
  { "404", 404, NULL, IVS_FAILURE_NOT_A_STAGE_ENDPOINT, 0, NULL, FINAL },
  { "405", 405, NULL, IVS_FAILURE_NOT_A_STAGE_ENDPOINT, 0, NULL, FINAL },
  { "406", 406, NULL, IVS_FAILURE_NOT_A_STAGE_ENDPOINT, 0, NULL, FINAL },
  { "407", 407, NULL, IVS_FAILURE_HTTP_CLIENT, 0, NULL, FINAL },
  { "412", 412, NULL, IVS_FAILURE_HTTP_CLIENT, 0, NULL, FINAL },
  { "415", 415, NULL, IVS_FAILURE_NOT_A_STAGE_ENDPOINT, 0, NULL, FINAL },
  { "429", 429, NULL, IVS_FAILURE_BUSY, 0, NULL, AGAIN },
  { "500", 500, NULL, IVS_FAILURE_HTTP_SERVER, 0, NULL, CAPPED },
  { "501", 501, NULL, IVS_FAILURE_HTTP_SERVER, 0, NULL, CAPPED },
  { "502", 502, NULL, IVS_FAILURE_BUSY, 0, NULL, AGAIN },
  { "503", 503, NULL, IVS_FAILURE_BUSY, 0, NULL, AGAIN },
  { "504", 504, NULL, IVS_FAILURE_BUSY, 0, NULL, AGAIN },
  { "599", 599, NULL, IVS_FAILURE_HTTP_SERVER, 0, NULL, CAPPED },
  { "600", 600, NULL, IVS_FAILURE_HTTP_UNEXPECTED, 0, NULL, FINAL },
  { "largest", G_MAXUINT, NULL, IVS_FAILURE_HTTP_UNEXPECTED, 0, NULL, FINAL },
  /* Bodies of strangers */
  { "empty", 502, "", IVS_FAILURE_BUSY, 0, NULL, AGAIN },
  { "white-space", 502, " \r\n\t ", IVS_FAILURE_BUSY, 0, NULL, AGAIN },
  { "latin-1", 403, "Acc\xe8s refus\xe9", IVS_FAILURE_HTTP_REFUSED, 0, "Acc\xef\xbf\xbds refus\xef\xbf\xbd", FINAL },
  { "image", 403, "\x89PNG\r\n\x1a\n\xff\xd8\xe0\x91I\xa7\x90\xfe\xc1\xff", IVS_FAILURE_HTTP_REFUSED, 0, NULL, FINAL },
  { "text", 502, "upstream\n  connect\terror\n", IVS_FAILURE_BUSY, 0, "upstream connect error", AGAIN },
  { "page", 403, "<!DOCTYPE html>\n<HTML><head><TITLE lang=en>\n403 Forbidden </TITLE></head><body>x</body>", IVS_FAILURE_HTTP_REFUSED, 0, "403 Forbidden", FINAL },
  { "two-values", 400, "040{\"code\":2001}", IVS_FAILURE_HTTP_CLIENT, 0, "040{\"code\":2001}", FINAL },
  { "two-objects", 400, CODE ("2001") CODE ("2001"), IVS_FAILURE_HTTP_CLIENT, 0, CODE ("2001") CODE ("2001"), FINAL },
  { "space-around", 400, "\r\n" CODE ("2001") "\n", IVS_FAILURE_SESSION_REFUSED, 2001, "m", FINAL },
  { "page-without-title", 502, "<html>bad</html>", IVS_FAILURE_BUSY, 0, "<html>bad</html>", AGAIN },
  { "page-with-open-title", 502, "<title>bad", IVS_FAILURE_BUSY, 0, "<title>bad", AGAIN },
  { "page-with-empty-title", 502, "<title></title>bad", IVS_FAILURE_BUSY, 0, "<title></title>bad", AGAIN },
  { "array", 400, "[{\"code\":2001}]", IVS_FAILURE_HTTP_CLIENT, 0, "[{\"code\":2001}]", FINAL },
  { "number", 400, "2001", IVS_FAILURE_HTTP_CLIENT, 0, "2001", FINAL },
  { "null", 400, "null", IVS_FAILURE_HTTP_CLIENT, 0, "null", FINAL },
  { "comment", 400, "{\"code\":2001/*\"*/}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001/*\"*/}", FINAL },
  { "surrogate", 400, "{\"code\":2001,\"message\":\"\\ud83d\\ude00\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "\xf0\x9f\x98\x80", FINAL },
  { "half-a-surrogate", 400, "{\"code\":2014,\"message\":\"a\\ud83d\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2014,\"message\":\"a\\ud83d\"}", FINAL },
  { "raw-line-break", 400, "{\"code\":2001,\"message\":\"a\nb\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001,\"message\":\"a b\"}", FINAL },
  { "raw-tab", 400, "{\"code\":2001,\"message\":\"a\tb\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001,\"message\":\"a b\"}", FINAL },
  { "escaped-line-break", 400, "{\"code\":2001,\"message\":\"a\\nb\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "a b", FINAL },
  { "nul-in-text", 400, "{\"code\":2001,\"message\":\"a\\u0000b\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001,\"message\":\"a\\u0000b\"}", FINAL },
  { "surrogates-swapped", 400, "{\"message\":\"\\ude00\\ud83d\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"message\":\"\\ude00\\ud83d\"}", FINAL },
  { "surrogate-and-text", 400, "{\"message\":\"\\ud83dabcdefg\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"message\":\"\\ud83dabcdefg\"}", FINAL },
  { "not-hexadecimal", 400, "{\"message\":\"\\u12g4\"}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"message\":\"\\u12g4\"}", FINAL },
  { "string-without-end", 400, "{\"code\":2001,\"message\":\"a}", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001,\"message\":\"a}", FINAL },
  { "escape-at-the-end", 400, "{\"code\":2001,\"message\":\"a\\", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001,\"message\":\"a\\", FINAL },
  { "unknown-escape", 400, "{\"code\":2001,\"message\":\"a\\qb\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "aqb", FINAL },
  { "nested", 400, "{\"code\":2001,\"message\":\"m\",\"x\":{\"y\":[[{}]]}}", IVS_FAILURE_SESSION_REFUSED, 2001, "m", FINAL },
  { "cut-json", 400, "{\"code\":2001,", IVS_FAILURE_HTTP_CLIENT, 0, "{\"code\":2001,", FINAL },
  { "control-characters", 400, "{\"code\":2001,\"message\":\"a\\u0007b\\u001b[31mc\\r\\nd\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "a b [31mc d", FINAL },
  { "text-direction", 400, "{\"code\":2001,\"message\":\"a\\u202eb\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "a b", FINAL },
  { "not-utf-8", 400, "{\"code\":2001,\"message\":\"a\xff" "b\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "a\xef\xbf\xbd" "b", FINAL },
  { "unicode", 400, "{\"code\":2001,\"message\":\"\\u00fcber \xe2\x82\xac\"}", IVS_FAILURE_SESSION_REFUSED, 2001, "\xc3\xbc" "ber \xe2\x82\xac", FINAL },
  { "credential", 400, "{\"message\":\"bad eyJhbGciOiJLTVMiLCJ0eXAiOiJKV1QifQ.eyJleHAiOjE3NjczMjMwNDUsImp0aSI6IlAxIiwicmVzb3VyY2UiOiJ4In0.dGhpcyBpcyBpbiB0aGUgcGxhY2Ugb2YgYSBzaWduYXR1cmUsIHdoaWNoIG9ubHkgdGhl!\"}", IVS_FAILURE_HTTP_CLIENT, 0, "bad (hidden).(hidden).(hidden)!", FINAL },
};
/* clang-format on */

static void
test_answer (gconstpointer data)
{
  const Answer *row = data;
  gsize length = row->body != NULL ? strlen (row->body) : 0;
  /* Not terminated, so that valgrind and ASan see a read too far. */
  g_autofree gchar *body = g_memdup2 (row->body, length);
  g_autoptr (IvsFailure) failure =
      ivs_failure_from_response (row->status, body, length, NULL);

  g_assert_cmpstr (failure->name, ==, ivs_failure_kind_name (row->kind));
  g_assert_cmpint (failure->kind, ==, row->kind);
  g_assert_cmpint (failure->code, ==, row->code);
  g_assert_cmpuint (failure->http_status, ==, row->status);
  g_assert_cmpstr (failure->server_message, ==, row->message);
  g_assert_cmpint (failure->retryable, ==, row->retry != FINAL);
  g_assert_cmpint (failure->retry_capped, ==, row->retry == CAPPED);
  g_assert_cmpuint (failure->retry_after, ==, 0);
  g_assert_true (g_str_has_prefix (failure->sentence,
      ivs_failure_rows[row->kind].sentence));
  g_assert_cmpstr (failure->advice, ==, ivs_failure_rows[row->kind].advice);
}

static void
test_sentence (void)
{
  static const gchar body[] = "{\"code\":2004,\"message\":\"no such stage\"}";
  IvsRequestContext context = { .offered_h264 = TRUE, .host = "a.example" };
  g_autoptr (IvsFailure) failure =
      ivs_failure_from_response (404, body, strlen (body), &context);
  g_autoptr (IvsFailure) copy = ivs_failure_copy (failure);

  g_clear_pointer (&failure, ivs_failure_free);
  g_assert_cmpstr (copy->sentence, ==,
      "The stage was not found (code 2004, HTTP 404, a.example): no such stage.");
  g_assert_cmpstr (copy->server_message, ==, "no such stage");
  g_assert_cmpstr (copy->name, ==, "stage-not-found");
}

/* The known cause of a 2001 is named only if it is true of our offer. */
static void
test_offer_without_h264 (void)
{
  static const gchar body[] =
      "{\"code\":2001,\"message\":\"failed to create publisher session\"}";
  IvsRequestContext with = { .offered_h264 = TRUE };
  IvsRequestContext without = { .offered_opus = TRUE };
  g_autoptr (IvsFailure) a =
      ivs_failure_from_response (400, body, strlen (body), &without);
  g_autoptr (IvsFailure) b =
      ivs_failure_from_response (400, body, strlen (body), &with);

  g_assert_nonnull (strstr (a->sentence, "offer lacks H.264 video"));
  g_assert_nonnull (strstr (a->advice, "dummy-video=auto"));
  g_assert_cmpstr (a->server_message, ==, "failed to create publisher session");
  g_assert_null (strstr (b->sentence, "lacks"));
  g_assert_null (strstr (b->advice, "dummy-video"));
  g_assert_nonnull (strstr (b->sentence, "failed to create publisher session"));
}

/* Our own session that was lost may be what the service still counts. */
static void
test_after_live (void)
{
  static const struct
  {
    const gchar *body;
    gboolean retryable;
  } rows[] = {
    { CODE ("2010"), TRUE },
    { CODE ("2012"), TRUE },
    { CODE ("2002"), FALSE },
    { CODE ("2003"), FALSE },
  };
  IvsRequestContext context = { .after_live = TRUE };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (IvsFailure) failure = ivs_failure_from_response (403,
        rows[i].body, strlen (rows[i].body), &context);

    g_assert_cmpint (failure->retryable, ==, rows[i].retryable);
    g_assert_cmpint (failure->retry_capped, ==, rows[i].retryable);
  }
}

static void
test_authorization_lost (void)
{
  static const struct
  {
    guint status;
    const gchar *body;
    gboolean redirected;
    IvsFailureKind expected;
  } rows[] = {
    { 403, "", TRUE, IVS_FAILURE_AUTHORIZATION_LOST },
    { 401, "<html>", TRUE, IVS_FAILURE_AUTHORIZATION_LOST },
    { 403, "{\"message\":\"Forbidden\"}", TRUE,
        IVS_FAILURE_AUTHORIZATION_LOST },
    { 403, "", FALSE, IVS_FAILURE_HTTP_REFUSED },
    { 403, CODE ("2003"), TRUE, IVS_FAILURE_NO_PERMISSIONS },
    { 403, CODE ("2009"), TRUE, IVS_FAILURE_HTTP_REFUSED },
    { 404, "", TRUE, IVS_FAILURE_NOT_A_STAGE_ENDPOINT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IvsRequestContext context = { .redirected = rows[i].redirected };
    g_autoptr (IvsFailure) failure = ivs_failure_from_response (rows[i].status,
        rows[i].body, strlen (rows[i].body), &context);

    g_assert_cmpstr (failure->name, ==,
        ivs_failure_kind_name (rows[i].expected));
  }
}

static void
test_retry_after (void)
{
  static const guint rows[][2] = { { 0, 0 }, { 7, 7 }, { 3600, 3600 },
    { 3601, 3600 }, { G_MAXUINT, 3600 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IvsRequestContext context = { .retry_after = rows[i][0] };
    g_autoptr (IvsFailure) failure =
        ivs_failure_from_response (503, NULL, 0, &context);

    g_assert_cmpuint (failure->retry_after, ==, rows[i][1]);
  }
}

/* -- Bodies that want to do harm --------------------------------------------- */

static void
assert_presentable (const gchar *text, glong max_chars)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpint (g_utf8_strlen (text, -1), <=, max_chars);
  for (; *text != '\0'; text = g_utf8_next_char (text))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (text)));
}

static void
assert_sound (const gchar *body, gsize length)
{
  g_autoptr (IvsFailure) failure =
      ivs_failure_from_response (400, body, length, NULL);

  g_assert_nonnull (failure);
  if (failure->server_message != NULL)
    assert_presentable (failure->server_message, 300);
  assert_presentable (failure->sentence, 701);
}

static void
test_long_message (void)
{
  g_autoptr (GString) body = g_string_new ("{\"code\":2001,\"message\":\"");
  g_autoptr (IvsFailure) failure = NULL;

  for (guint i = 0; i < 1000; i++)
    g_string_append (body, "\xc3\xa4 ");
  g_string_append (body, "\"}");
  failure = ivs_failure_from_response (400, body->str, body->len, NULL);
  g_assert_cmpint (failure->code, ==, 2001);
  g_assert_cmpint (g_utf8_strlen (failure->server_message, -1), ==, 300);
  g_assert_true (g_str_has_suffix (failure->server_message, "…"));
  assert_presentable (failure->server_message, 300);
}

static void
test_huge (void)
{
  static const gchar fillings[] = { 'a', ' ', '[', '{', '"', '\\', '<', '\xff',
    '\0', '\n', '.', '1' };

  for (guint i = 0; i < G_N_ELEMENTS (fillings); i++) {
    gsize length = 1024 * 1024;
    g_autofree gchar *body = g_malloc (length);

    memset (body, fillings[i], length);
    assert_sound (body, length);
    memcpy (body, "{\"a\":", 5);
    assert_sound (body, 200 * 1024);
  }
}

/* What does not end within 256 KB is not read as JSON, the rest is not read. */
static void
test_longer_than_read (void)
{
  static const gchar json[] = "{\"code\":2001,\"message\":\"m\"}";

  for (gsize length = 256 * 1024; length <= 256 * 1024 + 1; length++) {
    g_autofree gchar *body = g_strnfill (length, ' ');
    g_autoptr (IvsFailure) failure = NULL;

    memcpy (body + length - strlen (json), json, strlen (json));
    failure = ivs_failure_from_response (400, body, length, NULL);
    g_assert_cmpint (failure->code, ==, length == 256 * 1024 ? 2001 : 0);
  }
}

static void
test_nesting (void)
{
  static const struct
  {
    gsize depth;
    gint code;
  } rows[] = { { 63, 2001 }, { 64, 0 }, { 100000, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *open = g_strnfill (rows[i].depth, '[');
    g_autofree gchar *close = g_strnfill (rows[i].depth, ']');
    g_autofree gchar *body =
        g_strconcat ("{\"code\":2001,\"x\":", open, close, "}", NULL);
    g_autoptr (IvsFailure) failure =
        ivs_failure_from_response (400, body, strlen (body), NULL);

    g_assert_cmpint (failure->code, ==, rows[i].code);
  }
}

static void
test_mutations (void)
{
  static const gchar *const seeds[] = {
    "{\"code\":2001,\"message\":\"failed to create publisher session\"}",
    "{\"code\":\"2014\",\"message\":\"a\\u00e4\\ud83d\\ude00\\n\",\"x\":[1,{}]}",
    "<html><head><title>502 Bad Gateway</title></head></html>",
  };

  for (guint i = 0; i < 6000; i++) {
    g_autofree gchar *body = g_strdup (seeds[i % G_N_ELEMENTS (seeds)]);
    gsize length = strlen (body);

    for (gint j = g_test_rand_int_range (1, 6); j > 0; j--)
      body[g_test_rand_int_range (0, (gint32) length)] =
          (gchar) g_test_rand_int_range (0, 256);
    assert_sound (body, (gsize) g_test_rand_int_range (0, (gint32) length + 1));
  }
}

/* -- GErrors -------------------------------------------------------------------- */

static void
test_errors (void)
{
  const struct
  {
    GQuark domain;
    gint code;
    IvsFailureKind expected;
  } rows[] = {
    { G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, IVS_FAILURE_NAME_LOOKUP },
    { G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
        IVS_FAILURE_NAME_LOOKUP },
    { G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND, IVS_FAILURE_NAME_LOOKUP },
    { G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED,
        IVS_FAILURE_CONNECTION_REFUSED },
    { G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE,
        IVS_FAILURE_NETWORK_UNREACHABLE },
    { G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE,
        IVS_FAILURE_NETWORK_UNREACHABLE },
    { G_IO_ERROR, G_IO_ERROR_TIMED_OUT, IVS_FAILURE_TIMEOUT },
    { G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, IVS_FAILURE_NETWORK },
    { G_IO_ERROR, G_IO_ERROR_FAILED, IVS_FAILURE_NETWORK },
    { G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, IVS_FAILURE_TLS },
    { G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE, IVS_FAILURE_TLS },
    { g_quark_from_static_string ("stranger"), 3, IVS_FAILURE_NETWORK },
    { IVS_ERROR, -1, IVS_FAILURE_NETWORK },
    { IVS_ERROR, IVS_FAILURE_N_KINDS, IVS_FAILURE_NETWORK },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error =
        g_error_new_literal (rows[i].domain, rows[i].code, "it broke");
    g_autoptr (IvsFailure) failure =
        ivs_failure_from_error (error, "a.example");
    g_autofree gchar *sentence =
        g_strconcat (ivs_failure_rows[rows[i].expected].sentence,
            ": a.example: it broke.", NULL);

    g_assert_cmpstr (failure->name, ==,
        ivs_failure_kind_name (rows[i].expected));
    g_assert_cmpstr (failure->sentence, ==, sentence);
    g_assert_cmpuint (failure->http_status, ==, 0);
    g_assert_cmpint (failure->code, ==, 0);
  }
}

static void
test_bad_certificate (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_TLS_ERROR,
      G_TLS_ERROR_BAD_CERTIFICATE, "Unacceptable TLS certificate");
  g_autoptr (IvsFailure) failure = ivs_failure_from_error (error, NULL);

  g_assert_true (
      g_str_has_suffix (failure->sentence, ": Unacceptable TLS certificate."));
  g_assert_nonnull (strstr (failure->advice, "tls-database"));
  g_assert_nonnull (strstr (failure->advice, "proxy"));
  g_assert_nonnull (strstr (failure->advice, "clock"));
}

/* An error of our own is its sentence. */
static void
test_own_error (void)
{
  for (guint kind = 0; kind < IVS_FAILURE_N_KINDS; kind++) {
    g_autoptr (GError) error =
        g_error_new_literal (IVS_ERROR, (gint) kind, "Something is so");
    g_autoptr (IvsFailure) failure =
        ivs_failure_from_error (error, "a.example");

    g_assert_cmpint (failure->kind, ==, (gint) kind);
    g_assert_cmpstr (failure->sentence, ==, "Something is so.");
    g_assert_cmpstr (failure->advice, ==, ivs_failure_rows[kind].advice);
  }
}

static void
test_cause (void)
{
  g_autoptr (IvsFailure) none = ivs_failure_new (IVS_FAILURE_LOST, NULL);
  g_autoptr (IvsFailure) some = ivs_failure_new_printf (IVS_FAILURE_LOST,
      "nothing was heard for %d seconds", 10);
  g_autoptr (IvsFailure) dotted = ivs_failure_new (IVS_FAILURE_LOST, "gone.\n");

  g_assert_cmpstr (none->sentence, ==, "The session with the stage was lost.");
  g_assert_cmpstr (some->sentence, ==,
      "The session with the stage was lost: nothing was heard for 10 seconds.");
  g_assert_cmpstr (dotted->sentence, ==,
      "The session with the stage was lost: gone.");
}

/* -- The table -------------------------------------------------------------------- */

static void
test_rows (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint kind = 0; kind < IVS_FAILURE_N_KINDS; kind++) {
    const IvsFailureRow *row = &ivs_failure_rows[kind];

    g_assert_nonnull (row->name);
    g_assert_cmpuint (strspn (row->name,
                          "abcdefghijklmnopqrstuvwxyz0123456789-"),
        ==, strlen (row->name));
    g_assert_true (g_hash_table_add (names, (gpointer) row->name));
    g_assert_cmpstr (ivs_failure_kind_name ((IvsFailureKind) kind), ==,
        row->name);
    g_assert_cmpint (row->failure_class, <=, IVS_CLASS_FAILED);
    g_assert_true (row->retryable || !row->capped);
    g_assert_cmpuint (strlen (row->sentence), >, 15);
    g_assert_true (g_ascii_isalnum (row->sentence[strlen (row->sentence) - 1]));
    g_assert_cmpuint (strlen (row->advice), >, 15);
    g_assert_null (strchr (row->advice, '|')); /* of docs/errors.md */
    assert_presentable (row->sentence, 120);
    assert_presentable (row->advice, 500);
  }
}

/* -- docs/errors.md ------------------------------------------------------------ */

static const gchar doc_head[] =
    "<!--\n"
    "SPDX-FileCopyrightText: 2026 The ivsstagesink authors\n"
    "SPDX-License-Identifier: LGPL-2.1-or-later\n"
    "\n"
    "Made from gst/ivs/stage/ivs-error-table.c and ivs-diagnosis.c, do not edit. A test compares them; renew it with:\n"
    "    build/tests/unit/test-error --print-doc > docs/errors.md\n"
    "-->\n"
    "# Errors\n"
    "\n"
    "Every failure has a name that does not change. It is the field `name` in the details structure "
    "(`ivs-stage-error`) of the element's error and warning messages; the message text is the sentence, "
    "the debug text is what to do, and ends with the name in brackets. How `gst-launch-1.0` prints each is in "
    "[examples/errors.md](examples/errors.md).\n"
    "\n"
    "\"Tried again\" is what `ivsstagesink` does by itself, as often as `max-retries` allows: \"few times\" is at "
    "most three times in a row.\n"
    "\n"
    "A code is the number in the service's answer, `{\"code\":2001,\"message\":\"...\"}`. An answer with another "
    "code, or without one, is judged by its HTTP status; code and text are kept in the details.\n"
    "\n"
    "| Name | Comes from | What happened | What to do | Tried again |\n"
    "| --- | --- | --- | --- | --- |\n";

static const gchar doc_tail[] =
    "\n"
    "Notes\n"
    "\n"
    "- `session-refused` names the missing H.264 video, and how to add it, only if the offer had none: ";

static const gchar doc_end[] =
    "\n"
    "- `service-internal`: code 2007 is tried again only if its HTTP status is 5xx.\n"
    "- `already-publishing` and `state-conflict` are tried again few times after a live session was lost: the "
    "service may still count that one.\n"
    "- `authorization-lost` is a 401 or 403 without a code right after a redirect.\n"
    "- What the service means by its codes is taken from Amazon's public documentation, the official web SDK and "
    "public reports; it was not tested against the service.\n"
    "\n"
    "## What flows is not what a stage takes\n"
    "\n"
    "Measured on what is sent, and posted as a WARNING (`ivs-stage-limit`), not more than once a minute each. With "
    "`stage-limits=refuse` what is not about viewers alone is an ERROR; with `ignore` nothing is said.\n"
    "\n"
    "| Name | What happened | Limit | On the stage | What to do |\n"
    "| --- | --- | --- | --- | --- |\n";

static void
append_origin (GString *doc, IvsFailureKind kind)
{
  const gchar *separator = "";

  for (guint i = 0; i < IVS_N_SERVICE_CODES; i++) {
    if (ivs_service_codes[i].kind == kind) {
      g_string_append_printf (doc, "%scode %d", separator,
          ivs_service_codes[i].code);
      separator = ", ";
    }
  }
  for (guint i = 0; i < IVS_N_HTTP_STATUSES; i++) {
    const IvsHttpStatus *row = &ivs_http_statuses[i];

    if (row->kind != kind || row->last == 0)
      continue;
    if (row->last == G_MAXUINT)
      g_string_append_printf (doc, "%sany other HTTP status", separator);
    else if (row->first == row->last)
      g_string_append_printf (doc, "%sHTTP %u", separator, row->first);
    else
      g_string_append_printf (doc, "%sHTTP %u-%u", separator, row->first,
          row->last);
    separator = ", ";
  }
}

static void
append_diagnoses (GString *doc)
{
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++) {
    const IvsDiagnosisRow *row = ivs_diagnosis_get_row ((IvsDiagnosis) i);
    g_autofree gchar *cure = ivs_diagnosis_dup_cure ((IvsDiagnosis) i);

    g_assert_null (strchr (cure, '|'));
    g_string_append_printf (doc, "| `%s` | %s | %s | %s | %s |\n", row->name,
        row->sentence, row->allowed != NULL ? row->allowed : "",
        row->consequence, cure);
  }
}

static gchar *
make_doc (void)
{
  GString *doc = g_string_new (doc_head);

  for (guint kind = 0; kind < IVS_FAILURE_N_KINDS; kind++) {
    const IvsFailureRow *row = &ivs_failure_rows[kind];

    g_string_append_printf (doc, "| `%s` | ", row->name);
    append_origin (doc, (IvsFailureKind) kind);
    g_string_append_printf (doc, " | %s | %s | %s |\n", row->sentence,
        row->advice,
        row->capped          ? "few times"
            : row->retryable ? "yes"
                             : "no");
  }
  g_string_append (doc, doc_tail);
  g_string_append (doc, ivs_advice_without_h264);
  g_string_append (doc, doc_end);
  append_diagnoses (doc);
  return g_string_free (doc, FALSE);
}

static void
test_doc (void)
{
  g_autofree gchar *expected = make_doc ();
  g_autofree gchar *found = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (TOP_SOURCE_DIR "/docs/errors.md", &found, NULL, &error);
  g_assert_no_error (error);
  if (!g_str_equal (found, expected)) {
    g_test_message ("docs/errors.md is not what the table says; renew it with: "
                    "build/tests/unit/test-error --print-doc > docs/errors.md");
    g_test_fail ();
  }
}

int
main (int argc, char *argv[])
{
  if (argc == 2 && g_str_equal (argv[1], "--print-doc")) {
    g_autofree gchar *doc = make_doc ();

    return fputs (doc, stdout) < 0;
  }
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/error/answer/", answers, test_answer);
  g_test_add_func ("/error/sentence", test_sentence);
  g_test_add_func ("/error/offer-without-h264", test_offer_without_h264);
  g_test_add_func ("/error/after-live", test_after_live);
  g_test_add_func ("/error/authorization-lost", test_authorization_lost);
  g_test_add_func ("/error/retry-after", test_retry_after);
  g_test_add_func ("/error/long-message", test_long_message);
  g_test_add_func ("/error/huge", test_huge);
  g_test_add_func ("/error/longer-than-read", test_longer_than_read);
  g_test_add_func ("/error/nesting", test_nesting);
  g_test_add_func ("/error/mutations", test_mutations);
  g_test_add_func ("/error/errors", test_errors);
  g_test_add_func ("/error/bad-certificate", test_bad_certificate);
  g_test_add_func ("/error/own-error", test_own_error);
  g_test_add_func ("/error/cause", test_cause);
  g_test_add_func ("/error/rows", test_rows);
  g_test_add_func ("/error/doc", test_doc);
  return g_test_run ();
}
