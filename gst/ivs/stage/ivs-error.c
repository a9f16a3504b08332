/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From an HTTP answer or a GError to a failure that a person can act on.
 *
 * What a kind means is in ivs-error-table.c. What comes from the network is cut,
 * made printable and freed of anything that looks like a credential before it
 * becomes part of a failure: a failure goes to terminals and logs.
 */

#include "ivs-error-table.h"
#include "ivs-json.h"

#include <string.h>

/* As much of a body is looked at as the HTTP client reads. */
#define MAX_BODY (256 * 1024)
/* Looked at for a message, so that cutting it later is cheap, in bytes. */
#define MAX_RAW_TEXT 8192
#define MAX_SERVER_MESSAGE 300 /* characters */
#define MAX_SENTENCE 700       /* characters */
/* The longest run of base64url characters that is shown. An UUID has 36, a
 * request id 35; the payload and the signature of a token have far more. */
#define MAX_RUN 48
/* JSON in base64url, as the header of a token is, begins so, and is hidden when it
 * is longer than a word. */
#define JSON_RUN "eyJ"
#define MAX_JSON_RUN 12
#define MAX_RETRY_AFTER 3600 /* seconds */

G_DEFINE_QUARK (ivs - error - quark, ivs_error)

/* -- Text that may be shown --------------------------------------------- */

static gboolean
is_base64url (gunichar c)
{
  return c < 0x80 && (g_ascii_isalnum ((gchar) c) || c == '-' || c == '_');
}

static void
append_run (GString *shown, const gchar *run, gsize length)
{
  gboolean is_json =
      length > MAX_JSON_RUN && strncmp (run, JSON_RUN, strlen (JSON_RUN)) == 0;

  if (length > MAX_RUN || is_json)
    g_string_append (shown, "(hidden)");
  else
    g_string_append_len (shown, run, (gssize) length);
}

/* White space and what cannot be printed becomes one space, long runs that may
 * be a credential are hidden, the rest is cut after max_chars characters. */
static gchar *
make_presentable (const gchar *text, gsize length, glong max_chars)
{
  g_autofree gchar *valid =
      g_utf8_make_valid (text, (gssize) MIN (length, MAX_RAW_TEXT));
  g_autoptr (GString) shown = g_string_new (NULL);
  const gchar *run = valid;

  for (const gchar *p = valid;; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (is_base64url (c))
      continue;
    append_run (shown, run, (gsize) (p - run));
    if (c == 0)
      break;
    run = g_utf8_next_char (p);
    if (g_unichar_isgraph (c))
      g_string_append_len (shown, p, run - p);
    else if (shown->len > 0 && shown->str[shown->len - 1] != ' ')
      g_string_append_c (shown, ' ');
  }

  if (g_utf8_strlen (shown->str, -1) > max_chars) {
    g_string_truncate (shown,
        (gsize) (g_utf8_offset_to_pointer (shown->str, max_chars - 1) -
            shown->str));
    g_string_append (shown, "…");
  }
  return g_strchomp (g_string_free (g_steal_pointer (&shown), FALSE));
}

static gboolean
ends_a_sentence (const gchar *text)
{
  return *text != '\0' && strchr (".!?", text[strlen (text) - 1]) != NULL;
}

static gchar *
make_sentence (const gchar *start, const gchar *cause)
{
  g_autofree gchar *joined = cause != NULL && *cause != '\0'
      ? g_strconcat (start, ": ", cause, NULL)
      : g_strdup (start);
  g_autofree gchar *shown =
      make_presentable (joined, strlen (joined), MAX_SENTENCE);

  return g_strconcat (shown, ends_a_sentence (shown) ? NULL : ".", NULL);
}

/* -- Making failures ------------------------------------------------------ */

static IvsFailure *
make_failure (IvsFailureKind kind)
{
  const IvsFailureRow *row = &ivs_failure_rows[kind];
  IvsFailure *failure = g_new0 (IvsFailure, 1);

  failure->kind = kind;
  failure->name = row->name;
  failure->failure_class = row->failure_class;
  failure->retryable = row->retryable;
  failure->retry_capped = row->capped;
  failure->advice = g_strdup (row->advice);
  return failure;
}

/**
 * ivs_failure_new:
 * @kind: what happened
 * @cause: (nullable): what is known beyond that, without full stop
 *
 * The sentence of the result is the one of @kind, followed by a colon and @cause.
 *
 * Returns: (transfer full): the failure
 */
IvsFailure *
ivs_failure_new (IvsFailureKind kind, const gchar *cause)
{
  IvsFailure *failure;

  g_return_val_if_fail ((guint) kind < IVS_FAILURE_N_KINDS, NULL);

  failure = make_failure (kind);
  failure->sentence = make_sentence (ivs_failure_rows[kind].sentence, cause);
  return failure;
}

/**
 * ivs_failure_new_printf:
 * @kind: what happened
 * @format: format of the cause
 * @...: its arguments
 *
 * Returns: (transfer full): ivs_failure_new() with a formatted cause
 */
IvsFailure *
ivs_failure_new_printf (IvsFailureKind kind, const gchar *format, ...)
{
  g_autofree gchar *cause = NULL;
  va_list args;

  va_start (args, format);
  cause = g_strdup_vprintf (format, args);
  va_end (args);
  return ivs_failure_new (kind, cause);
}

/**
 * ivs_failure_copy:
 * @failure: a failure
 *
 * Returns: (transfer full): a copy of @failure
 */
IvsFailure *
ivs_failure_copy (const IvsFailure *failure)
{
  IvsFailure *copy;

  g_return_val_if_fail (failure != NULL, NULL);

  copy = g_memdup2 (failure, sizeof *failure);
  copy->server_message = g_strdup (failure->server_message);
  copy->sentence = g_strdup (failure->sentence);
  copy->advice = g_strdup (failure->advice);
  return copy;
}

/**
 * ivs_failure_free:
 * @failure: (nullable): a failure
 */
void
ivs_failure_free (IvsFailure *failure)
{
  if (failure == NULL)
    return;
  g_free (failure->server_message);
  g_free (failure->sentence);
  g_free (failure->advice);
  g_free (failure);
}

/**
 * ivs_failure_kind_name:
 * @kind: a kind
 *
 * Returns: (transfer none): the stable name of @kind, for programs
 */
const gchar *
ivs_failure_kind_name (IvsFailureKind kind)
{
  g_return_val_if_fail ((guint) kind < IVS_FAILURE_N_KINDS, NULL);

  return ivs_failure_rows[kind].name;
}

/* -- From an HTTP answer ---------------------------------------------------- */

/* A proxy or another web server speaks HTML; its title says most. */
static gchar *
find_page_title (const gchar *text, gsize length)
{
  g_autofree gchar *lower = g_ascii_strdown (text, (gssize) length);
  const gchar *open = strstr (lower, "<title");
  const gchar *start = open != NULL ? strchr (open, '>') : NULL;
  const gchar *end = start != NULL ? strchr (start, '<') : NULL;

  if (end == NULL)
    return NULL;
  return make_presentable (text + (start + 1 - lower),
      (gsize) (end - start - 1), MAX_SERVER_MESSAGE);
}

/* An image, say, or what stayed packed: of a text in another encoding than UTF-8 only
 * some characters were replaced. */
static gboolean
is_binary (const gchar *text, gsize length)
{
  gsize n_replaced = 0;

  for (gsize i = 0; i + 3 <= length; i++)
    n_replaced += memcmp (text + i, "\xef\xbf\xbd", 3) == 0;
  return n_replaced > length / 8;
}

static gchar *
describe_text (const gchar *text)
{
  gsize length = strnlen (text, MAX_RAW_TEXT);
  g_autofree gchar *title = NULL;

  if (is_binary (text, length))
    return NULL;
  if (text[strspn (text, " \t\r\n")] == '<')
    title = find_page_title (text, length);
  if (title != NULL && *title != '\0')
    return g_steal_pointer (&title);
  return make_presentable (text, length, MAX_SERVER_MESSAGE);
}

static gchar *
describe_object (JsonObject *object)
{
  /* The service writes "message"; AWS gateways before it write "Message". */
  static const gchar *const members[] = { "message", "Message", "error" };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    const gchar *text = ivs_json_get_string (object, members[i]);

    if (text != NULL)
      return make_presentable (text, strlen (text), MAX_SERVER_MESSAGE);
  }
  return NULL;
}

static void
decode_body (const gchar *body, gsize length, gint *code, gchar **message)
{
  g_autofree gchar *text =
      g_utf8_make_valid (body, (gssize) MIN (length, MAX_BODY));
  g_autoptr (JsonObject) object = ivs_json_parse_object (text, strlen (text));
  gint64 number = 0;

  if (object == NULL) {
    *message = describe_text (text);
  } else {
    *message = describe_object (object);
    /* json-glib reads what is beyond 64 bits as a negative number. */
    if (ivs_json_get_integer (object, "code", &number) && number > 0 &&
        number <= G_MAXINT)
      *code = (gint) number;
  }

  if (*message != NULL && **message == '\0')
    g_clear_pointer (message, g_free);
}

static const IvsServiceCode *
find_service_code (gint code)
{
  for (guint i = 0; i < IVS_N_SERVICE_CODES; i++) {
    if (ivs_service_codes[i].code == code)
      return &ivs_service_codes[i];
  }
  return NULL;
}

static IvsFailureKind
judge_status (guint status, gint code, const IvsRequestContext *context)
{
  IvsFailureKind kind = IVS_FAILURE_HTTP_UNEXPECTED;

  for (guint i = 0; i < IVS_N_HTTP_STATUSES; i++) {
    const IvsHttpStatus *row = &ivs_http_statuses[i];

    if (status >= row->first && status <= row->last) {
      kind = row->kind;
      break;
    }
  }

  /* A code, even an unknown one, is the service's own word: it read the request. */
  if (kind == IVS_FAILURE_HTTP_REFUSED && code == 0 && context != NULL &&
      context->redirected)
    return IVS_FAILURE_AUTHORIZATION_LOST;
  return kind;
}

/* "(code 2001, HTTP 400, global.whip.live-video.net)" */
static gchar *
describe_origin (const IvsFailure *failure, const IvsRequestContext *context)
{
  g_autoptr (GString) origin = g_string_new (NULL);

  if (failure->code != 0)
    g_string_append_printf (origin, "code %d, ", failure->code);
  g_string_append_printf (origin, "HTTP %u", failure->http_status);
  if (context != NULL && context->host != NULL)
    g_string_append_printf (origin, ", %s", context->host);
  return g_string_free (g_steal_pointer (&origin), FALSE);
}

/* The rules that one row cannot express. */
static void
judge_retry (IvsFailure *failure, const IvsServiceCode *known,
    const IvsRequestContext *context)
{
  guint status = failure->http_status;

  if (known != NULL && known->retry_needs_5xx && (status < 500 || status > 599))
    failure->retryable = failure->retry_capped = FALSE;

  /* The session that the participant has according to the service may be our
   * own that was lost: viewers see those for 10 to 30 seconds more. That the
   * service answers so is inferred; a few attempts cost nothing. */
  if (context != NULL && context->after_live &&
      (failure->kind == IVS_FAILURE_ALREADY_PUBLISHING ||
          failure->kind == IVS_FAILURE_STATE_CONFLICT))
    failure->retryable = failure->retry_capped = TRUE;
}

static void
tell (IvsFailure *failure, const gchar *message,
    const IvsRequestContext *context)
{
  g_autofree gchar *origin = describe_origin (failure, context);
  g_autofree gchar *start = g_strdup_printf ("%s (%s)",
      ivs_failure_rows[failure->kind].sentence, origin);

  /* 2001 says nothing by itself. Its known cause is named only if it is true of
   * the offer that was sent. */
  if (failure->kind == IVS_FAILURE_SESSION_REFUSED && context != NULL &&
      !context->offered_h264) {
    message = "the offer lacks H.264 video";
    g_free (failure->advice);
    failure->advice = g_strdup (ivs_advice_without_h264);
  }
  failure->sentence = make_sentence (start, message);
}

/**
 * ivs_failure_from_response:
 * @http_status: the status, 0 = no answer
 * @body: (nullable) (array length=body_length): the body, of any content
 * @body_length: its length in bytes
 * @context: (nullable): what is known of the request
 *
 * Judges an answer that is not the wanted one: by the service's code when it is
 * known, else by the HTTP status. Never fails, whatever the body is.
 *
 * Returns: (transfer full): the failure
 */
IvsFailure *
ivs_failure_from_response (guint http_status, const gchar *body,
    gsize body_length, const IvsRequestContext *context)
{
  g_autofree gchar *message = NULL;
  const IvsServiceCode *known;
  IvsFailure *failure;
  gint code = 0;

  if (body != NULL && body_length > 0)
    decode_body (body, body_length, &code, &message);

  known = find_service_code (code);
  failure = make_failure (
      known != NULL ? known->kind : judge_status (http_status, code, context));
  failure->http_status = http_status;
  failure->code = code;
  if (context != NULL)
    failure->retry_after = MIN (context->retry_after, MAX_RETRY_AFTER);
  judge_retry (failure, known, context);
  tell (failure, message, context);
  failure->server_message = g_steal_pointer (&message);
  return failure;
}

/* -- From a GError ---------------------------------------------------------- */

static const struct
{
  GIOErrorEnum code;
  IvsFailureKind kind;
} io_errors[] = {
  { G_IO_ERROR_CONNECTION_REFUSED, IVS_FAILURE_CONNECTION_REFUSED },
  { G_IO_ERROR_HOST_UNREACHABLE, IVS_FAILURE_NETWORK_UNREACHABLE },
  { G_IO_ERROR_NETWORK_UNREACHABLE, IVS_FAILURE_NETWORK_UNREACHABLE },
  { G_IO_ERROR_HOST_NOT_FOUND, IVS_FAILURE_NAME_LOOKUP },
  { G_IO_ERROR_TIMED_OUT, IVS_FAILURE_TIMEOUT },
};

static IvsFailureKind
judge_error (const GError *error)
{
  if (error->domain == G_RESOLVER_ERROR)
    return IVS_FAILURE_NAME_LOOKUP;
  if (error->domain == G_TLS_ERROR)
    return IVS_FAILURE_TLS;
  for (guint i = 0; i < G_N_ELEMENTS (io_errors); i++) {
    if (g_error_matches (error, G_IO_ERROR, (gint) io_errors[i].code))
      return io_errors[i].kind;
  }
  return IVS_FAILURE_NETWORK;
}

/**
 * ivs_failure_from_error:
 * @error: an error of %IVS_ERROR, or one of GIO's that a request ended with
 * @host: (nullable): the host that was to be reached
 *
 * An error of %IVS_ERROR brings its kind and its sentence along. Domains that
 * this storey does not know become %IVS_FAILURE_NETWORK.
 *
 * Returns: (transfer full): the failure
 */
IvsFailure *
ivs_failure_from_error (const GError *error, const gchar *host)
{
  IvsFailure *failure;

  g_return_val_if_fail (error != NULL, NULL);

  if (error->domain == IVS_ERROR && error->code >= 0 &&
      error->code < IVS_FAILURE_N_KINDS) {
    failure = make_failure ((IvsFailureKind) error->code);
    failure->sentence = make_sentence (error->message, NULL);
    return failure;
  }
  if (host != NULL && strstr (error->message, host) == NULL)
    return ivs_failure_new_printf (judge_error (error), "%s: %s", host,
        error->message);
  return ivs_failure_new (judge_error (error), error->message);
}
