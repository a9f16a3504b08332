/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What was found: a line for each check, a verdict and an exit status, for people
 * or as JSON.
 *
 *     ok    dns        global.whip.live-video.net is 192.0.2.1
 *     FAIL  media      The stage's media server 192.0.2.1:443/udp does not answer
 *                      Let UDP to ports 443 and 3478 out: ...
 */
#include "check-report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "whip-response.h"

#define MAX_TEXT 2048
#define NAME_WIDTH 11

struct _CheckReport
{
  gboolean is_json;
  gboolean is_coloured;
  gchar *secret;
  JsonArray *checks;
  JsonObject *facts;

  guint n_warnings;
  gboolean has_failed;
  CheckExit exit_status;
  gchar *failure; /* the first one's name and sentence */
  gchar *sentence;
};

static const struct
{
  const gchar *text;
  const gchar *word; /* in JSON */
  const gchar *colour;
} results[] = {
  [CHECK_OK] = { "ok  ", "ok", "\033[32m" },
  [CHECK_WARN] = { "warn", "warn", "\033[33m" },
  [CHECK_FAIL] = { "FAIL", "fail", "\033[1;31m" },
  [CHECK_SKIPPED] = { "-   ", "skipped", "" },
};

/* A kind that is not here gives 0, which is made CHECK_EXIT_OTHER. */
static const guint8 exits[IVS_FAILURE_N_KINDS] = {
  [IVS_FAILURE_TOKEN_MISSING] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_TOKEN_MALFORMED] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_TOKEN_LOOKALIKE] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_TOKEN_EXPIRED] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_TOKEN_NO_PUBLISH] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_TOKEN_FILE] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_ENDPOINT_INVALID] = CHECK_EXIT_USAGE,
  [IVS_FAILURE_NAME_LOOKUP] = CHECK_EXIT_NETWORK,
  [IVS_FAILURE_CONNECTION_REFUSED] = CHECK_EXIT_NETWORK,
  [IVS_FAILURE_NETWORK_UNREACHABLE] = CHECK_EXIT_NETWORK,
  [IVS_FAILURE_TLS] = CHECK_EXIT_TLS,
  [IVS_FAILURE_TIMEOUT] = CHECK_EXIT_NETWORK,
  [IVS_FAILURE_NETWORK] = CHECK_EXIT_NETWORK,
  [IVS_FAILURE_REDIRECT] = CHECK_EXIT_NETWORK,
  [IVS_FAILURE_SESSION_REFUSED] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_SERVICE_TOKEN_EXPIRED] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_NO_PERMISSIONS] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_STAGE_NOT_FOUND] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_STAGE_FULL] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_SERVICE_INTERNAL] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_ALREADY_PUBLISHING] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_ACTION_NOT_FOUND] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_STATE_CONFLICT] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_THROTTLED] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_NO_MATCHING_CODEC] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_HTTP_REFUSED] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_AUTHORIZATION_LOST] = CHECK_EXIT_CREDENTIAL,
  [IVS_FAILURE_NOT_A_STAGE_ENDPOINT] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_BUSY] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_HTTP_SERVER] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_HTTP_CLIENT] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_HTTP_UNEXPECTED] = CHECK_EXIT_REFUSED,
  [IVS_FAILURE_OFFER] = CHECK_EXIT_INSTALLATION,
  [IVS_FAILURE_ANSWER] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_ANSWER_TOO_LARGE] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_MEDIA_REFUSED] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_FINGERPRINT] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_CONNECT_TIMEOUT] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_ICE] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_DTLS] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_NO_LOCAL_ADDRESS] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_LOST] = CHECK_EXIT_MEDIA,
  [IVS_FAILURE_WEBRTC] = CHECK_EXIT_INSTALLATION,
  [IVS_FAILURE_MISSING_PLUGIN] = CHECK_EXIT_INSTALLATION,
  [IVS_FAILURE_ENCODER] = CHECK_EXIT_INSTALLATION,
};

CheckReport *
check_report_new (gboolean is_json)
{
  CheckReport *self = g_new0 (CheckReport, 1);

  self->is_json = is_json;
  self->is_coloured = !is_json && isatty (STDOUT_FILENO);
  self->checks = json_array_new ();
  self->facts = json_object_new ();
  return self;
}

void
check_report_free (CheckReport *self)
{
  g_free (self->secret);
  json_array_unref (self->checks);
  json_object_unref (self->facts);
  g_free (self->failure);
  g_free (self->sentence);
  g_free (self);
}

void
check_report_hide (CheckReport *self, const gchar *secret)
{
  g_free (self->secret);
  self->secret = g_strdup (secret);
}

/* -- One line ------------------------------------------------------------------- */

/* Certificates, servers and tokens have their say in lines: without control
 * characters, and not with the secret. */
static gchar *
clean (CheckReport *self, const gchar *text)
{
  g_autoptr (GString) masked = g_string_new (text);

  if (self->secret != NULL && *self->secret != '\0')
    g_string_replace (masked, self->secret, "<redacted>", 0);
  return whip_response_printable (masked->str, MAX_TEXT);
}

static void
print_line (CheckReport *self, CheckResult result, const gchar *name,
    const gchar *text, const gchar *advice)
{
  printf ("%s%s%s  %-*s %s\n", self->is_coloured ? results[result].colour : "",
      results[result].text, self->is_coloured ? "\033[0m" : "", NAME_WIDTH,
      name, text);
  if (advice != NULL)
    printf ("      %*s %s\n", NAME_WIDTH, "", advice);
  fflush (stdout);
}

static void
add (CheckReport *self, CheckResult result, const gchar *name,
    const gchar *text, const gchar *advice, const gchar *failure)
{
  g_autofree gchar *clean_text = clean (self, text);
  g_autofree gchar *clean_advice = advice != NULL ? clean (self, advice) : NULL;
  JsonObject *check = json_object_new ();

  json_object_set_string_member (check, "name", name);
  json_object_set_string_member (check, "result", results[result].word);
  json_object_set_string_member (check, "text", clean_text);
  if (failure != NULL)
    json_object_set_string_member (check, "failure", failure);
  if (clean_advice != NULL)
    json_object_set_string_member (check, "advice", clean_advice);
  json_array_add_object_element (self->checks, check);

  if (result == CHECK_WARN)
    self->n_warnings++;
  if (!self->is_json)
    print_line (self, result, name, clean_text, clean_advice);
}

static void
note_failure (CheckReport *self, CheckExit exit_status, const gchar *failure,
    const gchar *sentence)
{
  if (self->has_failed)
    return;

  self->has_failed = TRUE;
  self->exit_status = exit_status;
  self->failure = g_strdup (failure);
  self->sentence = clean (self, sentence);
}

/* -- What the checks call -------------------------------------------------------- */

void
check_report_ok (CheckReport *self, const gchar *name, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  add (self, CHECK_OK, name, text, NULL, NULL);
}

void
check_report_warn (CheckReport *self, const gchar *name, const gchar *advice,
    const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  add (self, CHECK_WARN, name, text, advice, NULL);
}

void
check_report_skip (CheckReport *self, const gchar *name, const gchar *reason)
{
  add (self, CHECK_SKIPPED, name, reason, NULL, NULL);
}

void
check_report_fail (CheckReport *self, const gchar *name,
    const IvsFailure *failure)
{
  CheckExit exit_status =
      exits[failure->kind] != 0 ? exits[failure->kind] : CHECK_EXIT_OTHER;

  note_failure (self, exit_status, failure->name, failure->sentence);
  if (failure->http_status != 0)
    check_report_fact_number (self, "http_status", failure->http_status);
  if (failure->code != 0)
    check_report_fact_number (self, "code", failure->code);
  check_report_fact (self, "server_message", failure->server_message);
  add (self, CHECK_FAIL, name, failure->sentence, failure->advice,
      failure->name);
}

void
check_report_fail_with_error (CheckReport *self, const gchar *name,
    const GError *error)
{
  g_autoptr (IvsFailure) failure = ivs_failure_from_error (error, NULL);

  check_report_fail (self, name, failure);
}

void
check_report_interrupted (CheckReport *self, const gchar *name)
{
  note_failure (self, CHECK_EXIT_INTERRUPTED, "interrupted", "Interrupted");
  add (self, CHECK_FAIL, name, "Interrupted", NULL, "interrupted");
}

gboolean
check_report_has_failed (CheckReport *self)
{
  return self->has_failed;
}

void
check_report_fact (CheckReport *self, const gchar *name, const gchar *value)
{
  g_autofree gchar *text = value != NULL ? clean (self, value) : NULL;

  if (text != NULL)
    json_object_set_string_member (self->facts, name, text);
}

void
check_report_fact_number (CheckReport *self, const gchar *name, gint64 value)
{
  json_object_set_int_member (self->facts, name, value);
}

void
check_report_fact_flag (CheckReport *self, const gchar *name, gboolean value)
{
  json_object_set_boolean_member (self->facts, name, value);
}

/* -- The end --------------------------------------------------------------------- */

static CheckResult
judge (CheckReport *self)
{
  if (self->has_failed)
    return CHECK_FAIL;
  return self->n_warnings > 0 ? CHECK_WARN : CHECK_OK;
}

static void
print_verdict (CheckReport *self, const gchar *success)
{
  g_autofree gchar *text = NULL;

  if (self->has_failed)
    text = g_strdup_printf (
        "This computer cannot publish: %s (exit status %d, see docs/errors.md)",
        self->failure, self->exit_status);
  else if (self->n_warnings > 0)
    text = g_strdup_printf ("%s; %u warning%s, see above", success,
        self->n_warnings, self->n_warnings == 1 ? "" : "s");
  else
    text = g_strdup (success);
  print_line (self, judge (self), "verdict", text, NULL);
}

static void
print_json (CheckReport *self, const gchar *success)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree gchar *text = NULL;

  json_object_set_string_member (object, "version", IVS_VERSION);
  json_object_set_string_member (object, "verdict", results[judge (self)].word);
  json_object_set_int_member (object, "exit_status", self->exit_status);
  if (self->failure != NULL)
    json_object_set_string_member (object, "failure", self->failure);
  json_object_set_string_member (object, "text",
      self->has_failed ? self->sentence : success);
  json_object_set_array_member (object, "checks",
      json_array_ref (self->checks));
  json_object_set_object_member (object, "facts",
      json_object_ref (self->facts));

  json_node_init_object (node, object);
  text = json_to_string (node, TRUE);
  printf ("%s\n", text);
}

CheckExit
check_report_finish (CheckReport *self, const gchar *success)
{
  if (self->is_json)
    print_json (self, success);
  else
    print_verdict (self, success);
  fflush (stdout);
  return self->exit_status;
}
