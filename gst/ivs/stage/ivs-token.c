/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The participant token: from what a user pasted to claims, expiry and rights.
 *
 * Refused is only what the official SDK refuses too (not three parts or no JSON,
 * expired, no right to publish) and what is plainly another credential. AWS asks
 * to treat tokens as opaque (API reference, ParticipantToken), so all else is the
 * service's to judge. No error ever quotes the credential.
 */

#include "ivs-token.h"
#include "ivs-error.h"
#include "ivs-json.h"

#include <string.h>

/* 9999-12-31: what a date can be printed for. */
#define MAX_TIME G_GINT64_CONSTANT (253402300799)
/* Participant ids have 12 to 36 characters; longer ones are not shown. */
#define MAX_SHOWN_ID 64

static void
set_error (GError **error, IvsFailureKind kind, const gchar *sentence)
{
  g_set_error_literal (error, IVS_ERROR, (gint) kind, sentence);
}

/* -- What was pasted around the token ------------------------------------- */

/* What may stand around a token: white space, quotes of shells and JSON, the
 * comma of a copied JSON line, the byte order mark of an editor. */
static gsize
count_wrapping (const gchar *text)
{
  if (*text != '\0' && strchr (" \t\r\n\v\f\"'`,;", *text) != NULL)
    return 1;
  if (g_str_has_prefix (text, "\xEF\xBB\xBF"))
    return 3;
  if (g_ascii_strncasecmp (text, "Bearer", 6) == 0 && g_ascii_isspace (text[6]))
    return 7;
  return 0;
}

static gchar *
unwrap (const gchar *credential)
{
  gsize wrapping;
  gsize length;

  while ((wrapping = count_wrapping (credential)) > 0)
    credential += wrapping;
  length = strlen (credential);
  while (length > 0 && count_wrapping (credential + length - 1) > 0)
    length--;
  return g_strndup (credential, length);
}

/* -- Other credentials ------------------------------------------------------ */

static const struct
{
  const gchar *prefix;
  const gchar *sentence;
} lookalikes[] = {
  { "sk_",
      "The credential is the stream key of a low-latency channel, not a participant token of a stage" },
  { "rt_",
      "The credential is a stream key for RTMP ingest, not a participant token" },
  { "arn:",
      "The credential is an ARN, the name of a resource, not a participant token" },
  { "{",
      "The credential is a whole JSON answer: take only the value of participantToken.token out of it" },
  { "[",
      "The credential is a whole JSON answer: take only the value of participantToken.token out of it" },
  { "https://",
      "The credential is a URL, not a participant token (a URL belongs into whip-endpoint)" },
  { "http://",
      "The credential is a URL, not a participant token (a URL belongs into whip-endpoint)" },
  { "rtmp", "The credential is an RTMP address, not a participant token" },
};

static gboolean
is_access_key (const gchar *text)
{
  return (g_str_has_prefix (text, "AKIA") || g_str_has_prefix (text, "ASIA")) &&
      strlen (text) == 20 &&
      strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == 20;
}

static const gchar *
find_lookalike (const gchar *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (lookalikes); i++) {
    if (g_str_has_prefix (text, lookalikes[i].prefix))
      return lookalikes[i].sentence;
  }
  if (is_access_key (text))
    return "The credential is an AWS access key, not a participant token";
  if (strchr (text, '.') == NULL && strpbrk (text, "#!") != NULL)
    return "The credential is a chat token, not a participant token";
  return NULL;
}

static const gchar *
find_lookalike_claims (JsonObject *claims)
{
  if (json_object_has_member (claims, "aws:channel-arn"))
    return "The credential is a playback token of a channel, not a participant token";
  if (json_object_has_member (claims, "account_id") &&
      !json_object_has_member (claims, "resource"))
    return "The credential is a connection token, not a participant token";
  return NULL;
}

/* -- JSON Web Token ----------------------------------------------------------- */

/* Between the dots; the plain base64 alphabet and padding are tolerated. */
#define BASE64_CHARACTERS \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/="

static gboolean
has_three_parts (const gchar *text)
{
  for (guint part = 0; part < 3; part++) {
    gsize length = strspn (text, BASE64_CHARACTERS);

    if (length == 0 || text[length] != (part < 2 ? '.' : '\0'))
      return FALSE;
    text += length + 1;
  }
  return TRUE;
}

static JsonObject *
decode_claims (const gchar *secret)
{
  const gchar *payload = strchr (secret, '.') + 1;
  gsize length = strcspn (payload, ".=");
  g_autoptr (GString) base64 = g_string_new_len (payload, (gssize) length);
  g_autofree guchar *decoded = NULL;

  if (length % 4 == 1)
    return NULL;
  g_strdelimit (base64->str, "-", '+');
  g_strdelimit (base64->str, "_", '/');
  while (base64->len % 4 != 0)
    g_string_append_c (base64, '=');

  decoded = g_base64_decode (base64->str, &length);
  return ivs_json_parse_object ((const gchar *) decoded, length);
}

/* Claims go to messages and URLs: only text that can be shown. */
static gchar *
dup_claim (JsonObject *claims, const gchar *name)
{
  const gchar *text = ivs_json_get_string (claims, name);

  if (text == NULL || !g_utf8_validate (text, -1, NULL))
    return NULL;
  for (const gchar *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isprint (g_utf8_get_char (p)))
      return NULL;
  }
  return g_strdup (text);
}

/* 0 stands for "not said", so a claim that is there begins at 1. */
static gint64
get_time (JsonObject *claims, const gchar *name)
{
  gint64 seconds;

  return ivs_json_get_integer (claims, name, &seconds)
      ? CLAMP (seconds, 1, MAX_TIME)
      : 0;
}

static IvsToken *
read_claims (const gchar *secret, JsonObject *claims)
{
  JsonObject *capabilities = ivs_json_get_object (claims, "capabilities");
  IvsToken *token = g_new0 (IvsToken, 1);

  token->secret = g_strdup (secret);
  token->participant_id = dup_claim (claims, "jti");
  token->stage_arn = dup_claim (claims, "resource");
  token->user_id = dup_claim (claims, "user_id");
  token->whip_url = dup_claim (claims, "whip_url");
  token->events_url = dup_claim (claims, "events_url");
  token->issued_at = get_time (claims, "iat");
  token->expires_at = get_time (claims, "exp");
  if (capabilities != NULL) {
    token->allow_publish = ivs_json_get_true (capabilities, "allow_publish");
    token->allow_subscribe =
        ivs_json_get_true (capabilities, "allow_subscribe");
  }
  return token;
}

static gchar *
clean (const gchar *credential, GError **error)
{
  g_autofree gchar *secret = NULL;

  if (credential == NULL) {
    set_error (error, IVS_FAILURE_TOKEN_MISSING,
        "There is no participant token");
    return NULL;
  }
  if (strnlen (credential, IVS_TOKEN_MAX_LENGTH + 1) > IVS_TOKEN_MAX_LENGTH) {
    set_error (error, IVS_FAILURE_TOKEN_MALFORMED,
        "The credential is longer than any participant token (64 KB)");
    return NULL;
  }
  secret = unwrap (credential);
  if (*secret == '\0') {
    set_error (error, IVS_FAILURE_TOKEN_MISSING,
        "The participant token is empty");
    return NULL;
  }
  return g_steal_pointer (&secret);
}

/**
 * ivs_token_parse:
 * @credential: (nullable): what the user gave
 * @error: return location for an error of %IVS_ERROR
 *
 * Takes a token out of its quotes, white space and `Bearer`, and reads its
 * claims. Expiry and rights are not judged, see ivs_token_check_publish().
 *
 * Returns: (transfer full) (nullable): the token
 */
IvsToken *
ivs_token_parse (const gchar *credential, GError **error)
{
  g_autofree gchar *secret = clean (credential, error);
  g_autoptr (JsonObject) claims = NULL;
  const gchar *lookalike;

  if (secret == NULL)
    return NULL;

  lookalike = find_lookalike (secret);
  if (lookalike != NULL) {
    set_error (error, IVS_FAILURE_TOKEN_LOOKALIKE, lookalike);
    return NULL;
  }
  if (!has_three_parts (secret)) {
    set_error (error, IVS_FAILURE_TOKEN_MALFORMED,
        strpbrk (secret, " \t\r\n") != NULL
            ? "The participant token has a space or a line break in it"
            : "The credential is not a participant token: "
              "it is not three parts with two dots between them");
    return NULL;
  }

  claims = decode_claims (secret);
  if (claims == NULL) {
    set_error (error, IVS_FAILURE_TOKEN_MALFORMED,
        "The participant token is damaged: its middle part cannot be read");
    return NULL;
  }
  lookalike = find_lookalike_claims (claims);
  if (lookalike != NULL) {
    set_error (error, IVS_FAILURE_TOKEN_LOOKALIKE, lookalike);
    return NULL;
  }
  return read_claims (secret, claims);
}

/* -- Expiry and rights ------------------------------------------------------- */

static gchar *
describe_count (gint64 count, const gchar *unit)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT " %s%s", count, unit,
      count == 1 ? "" : "s");
}

/**
 * ivs_token_describe_duration:
 * @seconds: 0 or more
 *
 * Returns: (transfer full): in words, rounded down: "3 minutes", "3 hours 5 minutes"
 */
gchar *
ivs_token_describe_duration (gint64 seconds)
{
  static const struct
  {
    gint64 seconds;
    const gchar *name;
  } units[] = { { 24 * 60 * 60, "day" }, { 60 * 60, "hour" }, { 60, "minute" },
    { 1, "second" } };
  g_autofree gchar *words = NULL, *more = NULL;
  gint64 rest;
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (units) && seconds < units[i].seconds)
    i++;
  words = describe_count (seconds / units[i].seconds, units[i].name);
  if (i > 1) /* the seconds of a minute are of no interest */
    return g_steal_pointer (&words);
  rest = seconds % units[i].seconds / units[i + 1].seconds;
  if (rest == 0)
    return g_steal_pointer (&words);
  more = describe_count (rest, units[i + 1].name);
  return g_strjoin (" ", words, more, NULL);
}

static void
set_expired (GError **error, gint64 expired_at, gint64 now)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (expired_at);
  g_autofree gchar *when = g_date_time_format_iso8601 (time);
  g_autofree gchar *ago = ivs_token_describe_duration (now - expired_at);

  g_set_error (error, IVS_ERROR, IVS_FAILURE_TOKEN_EXPIRED,
      "The participant token expired at %s (%s ago)", when, ago);
}

/**
 * ivs_token_check_publish:
 * @token: a token
 * @now_seconds: the time, UNIX seconds
 * @error: return location for an error of %IVS_ERROR
 *
 * Judges what the official SDK judges before it publishes.
 *
 * Returns: whether @token is not expired and allows publishing
 */
gboolean
ivs_token_check_publish (const IvsToken *token, gint64 now_seconds,
    GError **error)
{
  g_return_val_if_fail (token != NULL, FALSE);

  if (token->expires_at == 0) {
    set_error (error, IVS_FAILURE_TOKEN_EXPIRED,
        "The participant token does not say when it expires (claim exp)");
    return FALSE;
  }
  if (token->expires_at <= now_seconds) {
    set_expired (error, token->expires_at, now_seconds);
    return FALSE;
  }
  if (!token->allow_publish) {
    set_error (error, IVS_FAILURE_TOKEN_NO_PUBLISH,
        token->allow_subscribe
            ? "The participant token allows subscribing, but not publishing"
            : "The participant token does not allow publishing");
    return FALSE;
  }
  return TRUE;
}

/* -- The rest ------------------------------------------------------------------ */

/**
 * ivs_token_copy:
 * @token: a token
 *
 * Returns: (transfer full): a copy of @token
 */
IvsToken *
ivs_token_copy (const IvsToken *token)
{
  IvsToken *copy;

  g_return_val_if_fail (token != NULL, NULL);

  copy = g_memdup2 (token, sizeof *token);
  copy->secret = g_strdup (token->secret);
  copy->participant_id = g_strdup (token->participant_id);
  copy->stage_arn = g_strdup (token->stage_arn);
  copy->user_id = g_strdup (token->user_id);
  copy->whip_url = g_strdup (token->whip_url);
  copy->events_url = g_strdup (token->events_url);
  return copy;
}

/**
 * ivs_token_free:
 * @token: (nullable): a token
 */
void
ivs_token_free (IvsToken *token)
{
  if (token == NULL)
    return;
  g_free (token->secret);
  g_free (token->participant_id);
  g_free (token->stage_arn);
  g_free (token->user_id);
  g_free (token->whip_url);
  g_free (token->events_url);
  g_free (token);
}

/**
 * ivs_token_redact:
 * @secret: (nullable): a credential
 *
 * Describes a credential for logs: length, and of a participant token its public
 * name (every participant of the stage sees that id). Nothing of a credential
 * that is no participant token is shown, for it may be any password.
 *
 * Returns: (transfer full): such as `eyJh...(1234 characters, participant ABC)`
 */
gchar *
ivs_token_redact (const gchar *secret)
{
  g_autoptr (IvsToken) token = NULL;
  const gchar *id;
  gsize header;

  if (secret == NULL)
    return g_strdup ("(no token)");
  token = ivs_token_parse (secret, NULL);
  if (token == NULL)
    return g_strdup_printf ("(%" G_GSIZE_FORMAT " characters, not a token)",
        strlen (secret));

  /* The header says how a token is signed, the same in all. */
  header = strcspn (token->secret, ".");
  id = token->participant_id;
  if (id != NULL && strlen (id) > MAX_SHOWN_ID)
    id = NULL;
  return g_strdup_printf ("%.*s...(%" G_GSIZE_FORMAT " characters%s%s)",
      (gint) MIN (header, 4), token->secret, strlen (token->secret),
      id != NULL ? ", participant " : "", id != NULL ? id : "");
}
