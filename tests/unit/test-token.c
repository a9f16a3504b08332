/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-token: what is taken for a participant token, and what is said
 * of everything else.
 */

#include "ivs-error.h"
#include "ivs-token.h"
#include "test-table.h"
#include "token-maker.h"

#include <string.h>

#define CAN_PUBLISH "\"capabilities\":{\"allow_publish\":true}"
/* 2026-01-02T03:04:05Z */
#define NOW G_GINT64_CONSTANT (1767323045)

/* -- What is not a token --------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *credential;
  IvsFailureKind expected;
  const gchar *sentence; /* a part of it */
} Refused;

/* clang-format off */
static const Refused refused[] = {
  { "null", NULL, IVS_FAILURE_TOKEN_MISSING, "no participant token" },
  { "empty", "", IVS_FAILURE_TOKEN_MISSING, "empty" },
  { "white-space", " \t\r\n", IVS_FAILURE_TOKEN_MISSING, "empty" },
  { "only-quotes", "\"\"", IVS_FAILURE_TOKEN_MISSING, "empty" },
  { "only-bearer", "Bearer \n", IVS_FAILURE_TOKEN_MISSING, "empty" },
  { "stream-key", "sk_us-west-2_abcdABCDefgh_567890abcdef", IVS_FAILURE_TOKEN_LOOKALIKE, "stream key of a low-latency channel" },
  { "quoted-stream-key", "'sk_us-west-2_abcdABCDefgh_567890abcdef'", IVS_FAILURE_TOKEN_LOOKALIKE, "stream key of a low-latency channel" },
  { "rtmp-key", "rt_us-west-2_abcdABCDefgh_567890abcdef", IVS_FAILURE_TOKEN_LOOKALIKE, "RTMP ingest" },
  { "stage-arn", "arn:aws:ivs:eu-west-1:123456789012:stage/AbCdEfGhIjKl", IVS_FAILURE_TOKEN_LOOKALIKE, "ARN" },
  { "json-answer", "{\"participantToken\":{\"token\":\"eyJh.eyJh.AAAA\"}}", IVS_FAILURE_TOKEN_LOOKALIKE, "participantToken.token" },
  { "json-array", "[{\"token\":\"eyJh.eyJh.AAAA\"}]", IVS_FAILURE_TOKEN_LOOKALIKE, "participantToken.token" },
  { "access-key", "AKIAIOSFODNN7EXAMPLE", IVS_FAILURE_TOKEN_LOOKALIKE, "AWS access key" },
  { "temporary-access-key", "ASIAIOSFODNN7EXAMPLE", IVS_FAILURE_TOKEN_LOOKALIKE, "AWS access key" },
  { "not-an-access-key", "AKIAiosfodnn7example", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "chat-token-hash", "AQICAHzdzahcL0uH0BSGGdvr7pYjkGXm#dF6cX1Kz0", IVS_FAILURE_TOKEN_LOOKALIKE, "chat token" },
  { "chat-token-bang", "AQICAHzdzahcL0uH0BSGGdvr7pYjkGXm!dF6cX1Kz0", IVS_FAILURE_TOKEN_LOOKALIKE, "chat token" },
  { "url", "https://global.whip.live-video.net/", IVS_FAILURE_TOKEN_LOOKALIKE, "URL" },
  { "rtmps-url", "rtmps://a.global-contribute.live-video.net:443/app/", IVS_FAILURE_TOKEN_LOOKALIKE, "RTMP" },
  { "one-part", "hunter2hunter2", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "two-parts", "eyJh.eyJh", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "cut-before-signature", "eyJh.eyJh.", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "five-parts", "eyJh.eyJh.AAAA.BBBB.CCCC", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "only-dots", "..", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "line-break-inside", "eyJh.ey\nJh.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "line break" },
  { "space-inside", "eyJh.eyJh AAAA", IVS_FAILURE_TOKEN_MALFORMED, "space" },
  { "header-injection", "eyJh.eyJh.AAAA\r\nX-Evil: 1", IVS_FAILURE_TOKEN_MALFORMED, "line break" },
  { "not-ascii", "eyJh.eyJ\xc3\xa4.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "not-utf-8", "eyJh.\xff\xfe.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "three parts" },
  { "impossible-length", "eyJh.eyJhb.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
  { "stray-character", "eyJh.e30gI.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
  { "not-json", "eyJh.bm90IGpzb24.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
  { "only-padding", "eyJh.====.AAAA", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
};

typedef struct
{
  const gchar *name;
  const gchar *claims;
  IvsFailureKind expected;
  const gchar *sentence;
} RefusedClaims;

static const RefusedClaims refused_claims[] = {
  { "playback-token", "{\"aws:channel-arn\":\"arn:aws:ivs:x\",\"exp\":1}", IVS_FAILURE_TOKEN_LOOKALIKE, "playback token" },
  { "connection-token", "{\"account_id\":\"123456789012\",\"exp\":1}", IVS_FAILURE_TOKEN_LOOKALIKE, "connection token" },
  { "array", "[1,2]", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
  { "number", "42", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
  { "cut", "{\"exp\":1", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
  { "not-utf-8", "{\"exp\":1,\"jti\":\"\xff\"}", IVS_FAILURE_TOKEN_MALFORMED, "damaged" },
};
/* clang-format on */

static void
assert_refused (const gchar *credential, IvsFailureKind expected,
    const gchar *sentence)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsToken) token = ivs_token_parse (credential, &error);

  g_assert_null (token);
  g_assert_error (error, IVS_ERROR, (gint) expected);
  g_assert_nonnull (strstr (error->message, sentence));
  /* Sentences of the table and nothing else: no part of the credential. */
  if (credential != NULL && strlen (credential) > 6) {
    g_autofree gchar *part = g_strndup (credential, 6);

    g_assert_null (strstr (error->message, part));
  }
}

static void
test_refused (gconstpointer data)
{
  const Refused *row = data;

  assert_refused (row->credential, row->expected, row->sentence);
}

static void
test_refused_claims (gconstpointer data)
{
  const RefusedClaims *row = data;
  g_autofree gchar *credential = token_maker_make (row->claims);

  assert_refused (credential, row->expected, row->sentence);
}

static void
test_length (void)
{
  g_autofree gchar *filler = g_strnfill (8 * 1024, 'x');
  g_autofree gchar *claims =
      g_strdup_printf ("{\"exp\":1,\"attributes\":{\"a\":\"%s\"}," CAN_PUBLISH
                       "}",
          filler);
  g_autofree gchar *long_one = token_maker_make (claims);
  g_autofree gchar *endless = g_strnfill (IVS_TOKEN_MAX_LENGTH + 1, 'e');
  g_autofree gchar *longest = g_strnfill (IVS_TOKEN_MAX_LENGTH, 'e');
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsToken) token = ivs_token_parse (long_one, &error);

  g_assert_no_error (error);
  g_assert_true (token->allow_publish);
  assert_refused (endless, IVS_FAILURE_TOKEN_MALFORMED, "longer than any");
  assert_refused (longest, IVS_FAILURE_TOKEN_MALFORMED, "three parts");
}

/* Without a bound on nesting this ends in a stack overflow. */
static void
test_nesting (void)
{
  g_autofree gchar *open = g_strnfill (20 * 1024, '[');
  g_autofree gchar *close = g_strnfill (20 * 1024, ']');
  g_autofree gchar *claims = g_strconcat ("{\"exp\":", open, close, "}", NULL);
  g_autofree gchar *credential = token_maker_make (claims);

  assert_refused (credential, IVS_FAILURE_TOKEN_MALFORMED, "damaged");
}

/* -- What is taken out of a token ------------------------------------------- */

static const struct
{
  const gchar *name;
  const gchar *before;
  const gchar *after;
} wrappings[] = {
  { "bare", "", "" },
  { "newline", "", "\n" },
  { "crlf", "", "\r\n" },
  { "spaces", "  ", "\t " },
  { "double-quotes", "\"", "\"" },
  { "single-quotes", "'", "'" },
  { "json-line", " \"", "\",\n" },
  { "bearer", "Bearer ", "" },
  { "bearer-lower-case", "bearer  ", "" },
  { "quoted-bearer", "\"BEARER\t", "\" \n" },
  { "bearer-quoted", "Bearer \"", "\"" },
  { "byte-order-mark", "\xEF\xBB\xBF", "\r\n" },
};

static void
test_wrapping (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  g_autofree gchar *secret = token_maker_make_publisher ("P1", NOW, NULL);
  g_autofree gchar *credential =
      g_strconcat (wrappings[i].before, secret, wrappings[i].after, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsToken) token = ivs_token_parse (credential, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (token->secret, ==, secret);
  g_assert_cmpstr (token->participant_id, ==, "P1");
}

static void
test_claims (void)
{
  g_autofree gchar *secret = token_maker_make (
      "{\"exp\":1767323045,\"iat\":1767279845,\"jti\":\"P\","
      "\"resource\":\"arn:aws:ivs:eu-west-1:1:stage/S\",\"topic\":\"S\","
      "\"events_url\":\"wss://e.live-video.net\","
      "\"whip_url\":\"https://w.global-bm.whip.live-video.net\","
      "\"account_id\":\"1\",\"user_id\":\"J\\u00fcrgen M\",\"attributes\":{\"a\":\"b\"},"
      "\"capabilities\":{\"allow_publish\":true,\"allow_subscribe\":true},"
      "\"version\":\"1.0\"}");
  g_autoptr (IvsToken) token = ivs_token_parse (secret, NULL);
  g_autoptr (IvsToken) copy = ivs_token_copy (token);

  g_clear_pointer (&token, ivs_token_free);
  g_assert_cmpstr (copy->secret, ==, secret);
  g_assert_cmpstr (copy->participant_id, ==, "P");
  g_assert_cmpstr (copy->stage_arn, ==, "arn:aws:ivs:eu-west-1:1:stage/S");
  g_assert_cmpstr (copy->user_id, ==, "J\xc3\xbcrgen M");
  g_assert_cmpstr (copy->whip_url, ==,
      "https://w.global-bm.whip.live-video.net");
  g_assert_cmpstr (copy->events_url, ==, "wss://e.live-video.net");
  g_assert_cmpint (copy->issued_at, ==, 1767279845);
  g_assert_cmpint (copy->expires_at, ==, NOW);
  g_assert_true (copy->allow_publish);
  g_assert_true (copy->allow_subscribe);
}

/* Base64url with padding, as some libraries write it, and in the other alphabet. */
static void
test_base64_variants (void)
{
  static const gchar *const credentials[] = {
    /* {"jti":"a?>~"}, which is eyJqdGkiOiJhPz5-In0 */
    "eyJh.eyJqdGkiOiJhPz5-In0.AAAA",
    "eyJh.eyJqdGkiOiJhPz5-In0=.AAAA",
    "eyJh.eyJqdGkiOiJhPz5+In0.AAAA",
    "eyJh.eyJqdGkiOiJhPz5+In0=.AAAA",
  };

  for (guint i = 0; i < G_N_ELEMENTS (credentials); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (IvsToken) token = ivs_token_parse (credentials[i], &error);

    g_assert_no_error (error);
    g_assert_cmpstr (token->participant_id, ==, "a?>~");
  }
}

static void
test_strange_claims (void)
{
  g_autofree gchar *secret = token_maker_make (
      "{\"exp\":{},\"iat\":[1],\"jti\":7,\"resource\":\"two\\nlines\","
      "\"user_id\":null,\"whip_url\":\"\",\"events_url\":\"\\u001b[2J\","
      "\"capabilities\":\"allow_publish\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsToken) token = ivs_token_parse (secret, &error);

  g_assert_no_error (error);
  g_assert_null (token->participant_id);
  g_assert_null (token->stage_arn);
  g_assert_null (token->user_id);
  g_assert_null (token->whip_url);
  g_assert_null (token->events_url);
  g_assert_cmpint (token->issued_at, ==, 0);
  g_assert_cmpint (token->expires_at, ==, 0);
  g_assert_false (token->allow_publish);
}

/* -- Expiry and rights -------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *claims;
  gint expected; /* IvsFailureKind, -1 = may publish */
  const gchar *sentence;
} Check;

/* clang-format off */
static const Check checks[] = {
  { "good", "{\"exp\":1767323046," CAN_PUBLISH "}", -1, NULL },
  { "double", "{\"exp\":1767323046.75," CAN_PUBLISH "}", -1, NULL },
  { "string", "{\"exp\":\"1767323046\"," CAN_PUBLISH "}", -1, NULL },
  { "far-away", "{\"exp\":9223372036854775807," CAN_PUBLISH "}", -1, NULL },
  { "this-second", "{\"exp\":1767323045," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "expired at 2026-01-02T03:04:05Z (0 seconds ago)" },
  { "second", "{\"exp\":1767323044," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "expired at 2026-01-02T03:04:04Z (1 second ago)" },
  { "minutes", "{\"exp\":1767322865," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "(3 minutes ago)" },
  { "hours", "{\"exp\":1767312245," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "expired at 2026-01-02T00:04:05Z (3 hours ago)" },
  { "hours-and-minutes", "{\"exp\":1767312005," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "(3 hours 4 minutes ago)" },
  { "day", "{\"exp\":1767236645.5," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "(1 day ago)" },
  { "zero", "{\"exp\":0," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "expired at 1970-01-01" },
  { "negative", "{\"exp\":-9223372036854775808," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "expired at 1970-01-01" },
  { "no-exp", "{" CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "does not say when" },
  { "null-exp", "{\"exp\":null," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "does not say when" },
  { "huge-double", "{\"exp\":1e300," CAN_PUBLISH "}", IVS_FAILURE_TOKEN_EXPIRED, "does not say when" },
  { "expired-comes-first", "{\"exp\":1}", IVS_FAILURE_TOKEN_EXPIRED, "expired" },
  { "subscribe-only", "{\"exp\":1767323046,\"capabilities\":{\"allow_publish\":false,\"allow_subscribe\":true}}", IVS_FAILURE_TOKEN_NO_PUBLISH, "allows subscribing" },
  { "no-capabilities", "{\"exp\":1767323046}", IVS_FAILURE_TOKEN_NO_PUBLISH, "does not allow" },
  { "publish-is-1", "{\"exp\":1767323046,\"capabilities\":{\"allow_publish\":1}}", IVS_FAILURE_TOKEN_NO_PUBLISH, "does not allow" },
  { "publish-is-text", "{\"exp\":1767323046,\"capabilities\":{\"allow_publish\":\"true\"}}", IVS_FAILURE_TOKEN_NO_PUBLISH, "does not allow" },
  { "capabilities-list", "{\"exp\":1767323046,\"capabilities\":[\"PUBLISH\"]}", IVS_FAILURE_TOKEN_NO_PUBLISH, "does not allow" },
};
/* clang-format on */

static void
test_check (gconstpointer data)
{
  const Check *row = data;
  g_autofree gchar *secret = token_maker_make (row->claims);
  g_autoptr (IvsToken) token = ivs_token_parse (secret, NULL);
  g_autoptr (GError) error = NULL;
  gboolean may_publish;

  g_assert_nonnull (token);
  may_publish = ivs_token_check_publish (token, NOW, &error);
  g_assert_cmpint (may_publish, ==, row->expected == -1);
  if (may_publish) {
    g_assert_no_error (error);
  } else {
    g_assert_error (error, IVS_ERROR, row->expected);
    g_assert_nonnull (strstr (error->message, row->sentence));
  }
}

/* -- The form for logs --------------------------------------------------------- */

static void
test_redact (void)
{
  g_autofree gchar *secret = token_maker_make_publisher ("P1", NOW, NULL);
  g_autofree gchar *shown = ivs_token_redact (secret);
  g_autofree gchar *expected =
      g_strdup_printf ("eyJh...(%u characters, participant P1)",
          (guint) strlen (secret));
  g_autofree gchar *nothing = ivs_token_redact (NULL);
  g_autofree gchar *password = ivs_token_redact ("hunter2");
  g_autofree gchar *short_header = ivs_token_redact ("a.e30.c");

  g_assert_cmpstr (shown, ==, expected);
  g_assert_cmpstr (nothing, ==, "(no token)");
  g_assert_cmpstr (password, ==, "(7 characters, not a token)");
  g_assert_cmpstr (short_header, ==, "a...(7 characters)");
}

/* Whatever happens to a token on its way: an answer, and no crash. */
static void
test_mutations (void)
{
  g_autofree gchar *secret =
      token_maker_make_publisher ("P1", NOW, "https://w.live-video.net");
  gsize length = strlen (secret);

  for (guint i = 0; i < 5000; i++) {
    g_autofree gchar *mutant = g_strdup (secret);
    g_autoptr (GError) error = NULL;
    g_autoptr (IvsToken) token = NULL;
    g_autofree gchar *shown = NULL;

    for (gint j = g_test_rand_int_range (1, 4); j > 0; j--)
      mutant[g_test_rand_int_range (0, (gint32) length)] =
          (gchar) g_test_rand_int_range (0, 256);
    token = ivs_token_parse (mutant, &error);
    g_assert_true ((token == NULL) == (error != NULL));
    shown = ivs_token_redact (mutant);
    g_assert_cmpuint (strlen (shown), <, 120);
  }
}

/* The same for the JSON inside, which a mutated token rarely reaches. */
static void
test_claims_mutations (void)
{
  static const gchar seed[] =
      "{\"exp\":1767323045,\"jti\":\"P\\u00e4\\ud83d\\ude00\","
      "\"whip_url\":\"https://w\"," CAN_PUBLISH "}";

  for (guint i = 0; i < 5000; i++) {
    g_autofree gchar *claims = g_strdup (seed);
    g_autofree gchar *secret = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (IvsToken) token = NULL;

    for (gint j = g_test_rand_int_range (1, 4); j > 0; j--)
      claims[g_test_rand_int_range (0, sizeof seed - 1)] =
          (gchar) g_test_rand_int_range (1, 256);
    secret = token_maker_make (claims);
    token = ivs_token_parse (secret, &error);
    g_assert_true ((token == NULL) == (error != NULL));
    if (token != NULL)
      ivs_token_check_publish (token, NOW, NULL);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/token/refused/", refused, test_refused);
  ADD_ROWS ("/token/refused-claims/", refused_claims, test_refused_claims);
  for (guint i = 0; i < G_N_ELEMENTS (wrappings); i++) {
    g_autofree gchar *path =
        g_strconcat ("/token/wrapping/", wrappings[i].name, NULL);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_wrapping);
  }
  ADD_ROWS ("/token/check/", checks, test_check);
  g_test_add_func ("/token/length", test_length);
  g_test_add_func ("/token/nesting", test_nesting);
  g_test_add_func ("/token/claims", test_claims);
  g_test_add_func ("/token/base64-variants", test_base64_variants);
  g_test_add_func ("/token/strange-claims", test_strange_claims);
  g_test_add_func ("/token/redact", test_redact);
  g_test_add_func ("/token/mutations", test_mutations);
  g_test_add_func ("/token/claims-mutations", test_claims_mutations);
  return g_test_run ();
}
