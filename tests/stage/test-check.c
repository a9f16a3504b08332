/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-stage-check against a local stage: each way to fail has its line, its name
 * and its exit status; nothing is left at the stage, and no secret comes out.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "stage-fixture.h"
#include "test-table.h"

#define MAX_SECONDS 60

static StageFixture *stage;

/* -- Running it ------------------------------------------------------------------- */

typedef struct
{
  GSubprocess *process;
  gchar *secret;
  gchar *output;
  gchar *errors;
  JsonNode *json; /* of the output, or NULL */
  gboolean is_done;
} Run;

static void
run_free (Run *run)
{
  g_object_unref (run->process);
  g_free (run->secret);
  g_free (run->output);
  g_free (run->errors);
  g_clear_pointer (&run->json, json_node_unref);
  g_free (run);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

static gboolean
time_ran_out (gpointer data)
{
  g_error ("ivs-stage-check is not done after %d s", MAX_SECONDS);
  return G_SOURCE_REMOVE;
}

/* `options`: separated by spaces. `token`, or NULL, goes into the environment. */
static Run *
spawn (const gchar *token, const gchar *options, GSubprocessFlags flags)
{
  g_autofree gchar *line =
      g_strconcat (IVS_STAGE_CHECK_PROGRAM, " ", options, NULL);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      flags | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  Run *run = g_new0 (Run, 1);

  g_shell_parse_argv (line, NULL, &argv, &error);
  g_assert_no_error (error);
  g_subprocess_launcher_unsetenv (launcher, "IVS_STAGE_TOKEN");
  if (token != NULL)
    g_subprocess_launcher_setenv (launcher, "IVS_STAGE_TOKEN", token, TRUE);
  run->secret = g_strdup (token);
  run->process = g_subprocess_launcher_spawnv (launcher,
      (const gchar *const *) argv, &error);
  g_assert_no_error (error);
  return run;
}

/* Nothing of the three parts of a token but its constant head. */
static void
assert_no_secret (const Run *run)
{
  g_auto (GStrv) parts =
      g_strsplit (run->secret != NULL ? run->secret : "", ".", 3);
  guint n = g_strv_length (parts);

  for (guint i = n == 3 ? 1 : 0; i < n; i++) {
    g_assert_null (strstr (run->output, parts[i]));
    g_assert_null (strstr (run->errors, parts[i]));
  }
}

static void
communicated (GObject *process, GAsyncResult *result, gpointer data)
{
  Run *run = data;
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate_utf8_finish (G_SUBPROCESS (process), result,
      &run->output, &run->errors, &error);
  g_assert_no_error (error);
  run->is_done = TRUE;
}

static void
finish (Run *run, const gchar *input)
{
  guint timer = g_timeout_add_seconds (MAX_SECONDS, time_ran_out, NULL);

  g_subprocess_communicate_utf8_async (run->process, input, NULL, communicated,
      run);
  while (!run->is_done)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  g_assert_true (g_subprocess_get_if_exited (run->process));
  g_test_message ("%s%s", run->output, run->errors);
  assert_no_secret (run);
}

static Run *
check (const gchar *token, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

/* As programs ask it. */
static Run *
check (const gchar *token, const gchar *format, ...)
{
  g_autofree gchar *options = NULL;
  g_autofree gchar *all = NULL;
  g_autoptr (GError) error = NULL;
  Run *run = NULL;
  va_list args;

  va_start (args, format);
  options = g_strdup_vprintf (format, args);
  va_end (args);
  all = g_strconcat ("--json -v ", options, NULL);
  run = spawn (token, all, 0);
  finish (run, NULL);
  run->json = json_from_string (run->output, &error);
  g_assert_no_error (error);
  return run;
}

/* -- What it said -------------------------------------------------------------------- */

static gint
get_exit_status (const Run *run)
{
  return g_subprocess_get_exit_status (run->process);
}

static void
assert_exit (const Run *run, gint status)
{
  g_assert_cmpint (get_exit_status (run), ==, status);
  g_assert_cmpint ((gint) stage_state_number (run->json, "exit_status"), ==,
      status);
}

/* The line of that name, or NULL. */
static JsonObject *
find_check (const Run *run, const gchar *name)
{
  JsonArray *checks =
      json_node_get_array (stage_state_at (run->json, "checks"));

  for (guint i = 0; i < json_array_get_length (checks); i++) {
    JsonObject *row = json_array_get_object_element (checks, i);

    if (g_str_equal (json_object_get_string_member (row, "name"), name))
      return row;
  }
  return NULL;
}

static void
assert_result (const Run *run, const gchar *name, const gchar *result)
{
  JsonObject *row = find_check (run, name);

  g_assert_nonnull (row);
  g_assert_cmpstr (json_object_get_string_member (row, "result"), ==, result);
}

/* That line fails, for that reason, with something to do; and no other fails. */
static void
assert_failure (const Run *run, const gchar *name, const gchar *failure)
{
  JsonObject *row = find_check (run, name);
  guint n_failures = 0;
  JsonArray *checks =
      json_node_get_array (stage_state_at (run->json, "checks"));

  assert_result (run, name, "fail");
  g_assert_cmpstr (json_object_get_string_member (row, "failure"), ==, failure);
  g_assert_cmpuint (strlen (json_object_get_string_member (row, "advice")), >,
      10);
  g_assert_cmpstr (stage_state_string (run->json, "failure"), ==, failure);
  g_assert_cmpstr (stage_state_string (run->json, "verdict"), ==, "fail");
  for (guint i = 0; i < json_array_get_length (checks); i++)
    n_failures += g_str_equal ("fail",
        json_object_get_string_member (json_array_get_object_element (checks,
                                           i),
            "result"));
  g_assert_cmpuint (n_failures, ==, 1);
}

static void
assert_sessions (const gchar *participant, gint made, gint deleted)
{
  g_autoptr (JsonNode) state = stage_fixture_get_state (stage);
  g_autofree gchar *made_path = NULL;
  g_autofree gchar *deleted_path = NULL;

  made_path = g_strdup_printf ("@%s.sessions.made", participant);
  deleted_path = g_strdup_printf ("@%s.sessions.deleted", participant);
  g_assert_cmpint ((gint) stage_state_number (state, made_path), ==, made);
  g_assert_cmpint ((gint) stage_state_number (state, deleted_path), ==,
      deleted);
}

/* -- Ways to fail ---------------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *request; /* for the token */
  const gchar *fault;
  const gchar *options;
  gint exit_status;
  const gchar *line; /* that fails */
  const gchar *failure;
  gint n_sessions; /* that were made, and deleted again */
} Row;

/* clang-format off */
static const Row rows[] = {
  { "expired", "{\"duration\":-60}", NULL, "", 3, "validity", "token-expired", 0 },
  { "subscribe-only", "{\"capabilities\":[\"SUBSCRIBE\"]}", NULL, "", 3, "rights", "token-no-publish", 0 },
  { "stage-says-expired", NULL, "{\"rule\":\"expired\"}", "", 3, "publish", "service-token-expired", 0 },
  { "stage-says-no-permissions", NULL, "{\"rule\":\"no-permissions\"}", "", 3, "publish", "no-permissions", 0 },
  { "nothing-listens", NULL, NULL, "--whip-endpoint http://127.0.0.1:1/", 4, "tcp", "connection-refused", 0 },
  { "redirect-loop", NULL, "{\"rule\":\"redirect\",\"loop\":true,\"on\":\"global\"}", "GLOBAL", 4, "publish", "redirect", 0 },
  { "redirect-to-stranger", NULL, "{\"rule\":\"redirect\",\"location\":\"https://stranger.example/\",\"on\":\"global\"}",
    "GLOBAL", 4, "publish", "redirect", 0 },
  { "timeout", NULL, "{\"rule\":\"slow\",\"ms\":3000}", "--timeout 1", 4, "publish", "timeout", 0 },
  { "bad-endpoint", NULL, NULL, "--whip-endpoint rtmps://example.com/app", 2, "endpoint", "endpoint-invalid", 0 },
  { "full", NULL, "{\"rule\":\"capacity\"}", "", 6, "publish", "stage-full", 0 },
  { "simulcast-account", NULL, "{\"rule\":\"simulcast-account\"}", "", 6, "publish", "action-not-found", 0 },
  { "internal", NULL, "{\"rule\":\"internal\"}", "", 6, "publish", "service-internal", 0 },
  { "huge-body", NULL, "{\"rule\":\"huge-body\"}", "", 3, "publish", "http-refused", 0 },
  { "not-a-stage", NULL, "{\"rule\":\"status\",\"status\":404,\"body\":\"<html>\"}", "", 6, "publish", "not-a-stage-endpoint", 0 },
  { "wrong-fingerprint", NULL, "{\"rule\":\"spoil\",\"spoil\":\"wrong-fingerprint\"}", "", 7, "media", "fingerprint", 1 },
  { "media-unreachable", NULL, "{\"rule\":\"spoil\",\"spoil\":\"unreachable\"}", "--connect-timeout 1", 7, "media", "connect-timeout", 1 },
  { "video-refused", NULL, "{\"rule\":\"spoil\",\"spoil\":\"video-refused\"}", "", 7, "answer", "media-refused", 1 },
  { "audio-refused", NULL, "{\"rule\":\"spoil\",\"spoil\":\"audio-refused\"}", "", 7, "answer", "media-refused", 1 },
  { "answer-html", NULL, "{\"rule\":\"spoil\",\"spoil\":\"html\"}", "", 7, "answer", "answer", 1 },
  { "answer-huge", NULL, "{\"rule\":\"spoil\",\"spoil\":\"huge\"}", "", 7, "answer", "answer-too-large", 1 },
};
/* clang-format on */

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token =
      stage_fixture_mint (stage, row->request, &participant);
  g_autofree gchar *global = g_strconcat ("--whip-endpoint ",
      stage_fixture_get_whip_url (stage), NULL);
  g_autoptr (Run) run = NULL;

  if (row->fault != NULL)
    stage_fixture_fault (stage, "%s", row->fault);
  run = check (token, "%s",
      g_str_equal (row->options, "GLOBAL") ? global : row->options);
  stage_fixture_fault (stage, "{\"clear\":true}");

  assert_exit (run, row->exit_status);
  assert_failure (run, row->line, row->failure);
  assert_sessions (participant, row->n_sessions, row->n_sessions);
}

static void
test_lookalike (void)
{
  g_autoptr (Run) run = check ("sk_us-west-2_AbCdEfGhIjKl",
      "--whip-endpoint %s", stage_fixture_get_whip_url (stage));

  assert_exit (run, 3);
  assert_failure (run, "token", "token-lookalike");
  assert_result (run, "publish", "skipped");
  assert_result (run, "clock", "ok");
}

static void
test_no_token (void)
{
  g_autoptr (Run) run =
      check (NULL, "--whip-endpoint %s", stage_fixture_get_whip_url (stage));

  assert_exit (run, 3);
  assert_failure (run, "token", "token-missing");
}

/* -- Success ------------------------------------------------------------------------------ */

static void
assert_success (const Run *run)
{
  static const gchar *const names[] = { "token", "stage", "rights", "validity",
    "endpoint", "tcp", "tls", "clock", "encoders", "redirects", "publish",
    "answer", "media", "delete" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_result (run, names[i], "ok");
  assert_exit (run, 0);
  g_assert_cmpstr (stage_state_string (run->json, "verdict"), ==, "ok");
  g_assert_true (stage_state_is_true (run->json, "facts.deleted"));
  g_assert_true (stage_state_is_true (run->json, "facts.allow_publish"));
  g_assert_cmpint ((gint) stage_state_number (run->json, "facts.http_status"),
      ==, 201);
}

static void
test_good (void)
{
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &participant);
  g_autoptr (Run) run = check (token, "%s", "");

  assert_success (run);
  g_assert_cmpstr (stage_state_string (run->json, "facts.participant_id"), ==,
      participant);
  g_assert_cmpint ((gint) stage_state_number (run->json, "facts.redirects"), ==,
      0);
  assert_sessions (participant, 1, 1);
  g_assert_nonnull (strstr (run->errors, "> DELETE "));
}

static void
test_redirect (void)
{
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &participant);
  g_autoptr (Run) run =
      check (token, "--whip-endpoint %s", stage_fixture_get_whip_url (stage));
  const gchar *text;

  assert_success (run);
  g_assert_cmpint ((gint) stage_state_number (run->json, "facts.redirects"), ==,
      1);
  text = json_object_get_string_member (find_check (run, "redirects"), "text");
  g_assert_true (
      g_str_has_suffix (text, stage_fixture_get_regional_url (stage)));
  assert_sessions (participant, 1, 1);
}

static void
test_no_publish (void)
{
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &participant);
  g_autoptr (Run) run = check (token, "--no-publish");

  assert_exit (run, 0);
  assert_result (run, "publish", "skipped");
  assert_sessions (participant, 0, 0);
}

static void
test_no_location (void)
{
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, NULL);
  g_autoptr (Run) run = NULL;

  stage_fixture_fault (stage, "{\"rule\":\"no-location\"}");
  run = check (token, "%s", "");
  stage_fixture_fault (stage, "{\"clear\":true}");
  assert_exit (run, 0);
  assert_result (run, "delete", "warn");
  g_assert_cmpstr (stage_state_string (run->json, "verdict"), ==, "warn");
}

/* -- Where the token comes from --------------------------------------------------------------- */

static void
test_stdin (void)
{
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &participant);
  g_autofree gchar *line = g_strconcat (token, "\n", NULL);
  g_autoptr (Run) run =
      spawn (NULL, "--token-file -", G_SUBPROCESS_FLAGS_STDIN_PIPE);

  run->secret = g_strdup (token);
  finish (run, line);
  g_assert_cmpint (get_exit_status (run), ==, 0);
  g_assert_nonnull (strstr (run->output, "from the standard input"));
  assert_sessions (participant, 1, 1);
}

static void
test_file (void)
{
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, NULL);
  g_autofree gchar *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (Run) run = NULL;
  gint fd = g_file_open_tmp ("token-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, token, -1, &error);
  g_assert_no_error (error);
  run = check (NULL, "--token-file %s", path);
  assert_success (run);
  g_assert_null (strstr (run->output, token));
  g_unlink (path);
}

static void
test_no_file (void)
{
  g_autoptr (Run) run =
      check (NULL, "--token-file /nonexistent/token --whip-endpoint %s",
          stage_fixture_get_whip_url (stage));

  assert_exit (run, 3);
  assert_failure (run, "token", "token-file");
}

/* Whatever is typed: it may be a token, and terminals are recorded. */
static void
test_command_line (gconstpointer data)
{
  g_autofree gchar *options =
      g_strconcat (data, "abcdefgh.ijklmnop.qrstuvwx", NULL);
  g_autoptr (Run) run = spawn (NULL, options, 0);

  run->secret = g_strdup ("abcdefgh.ijklmnop.qrstuvwx");
  finish (run, NULL);
  g_assert_cmpint (get_exit_status (run), ==, 2);
  g_assert_cmpstr (run->output, ==, "");
  g_assert_nonnull (strstr (run->errors, "IVS_STAGE_TOKEN"));
}

/* -- For people --------------------------------------------------------------------------------- */

/* Every line begins with its result, or is advice far to the right. */
static void
assert_layout (const Run *run)
{
  g_auto (GStrv) lines = g_strsplit (run->output, "\n", -1);
  guint n = g_strv_length (lines);

  g_assert_cmpuint (n, >, 5);
  g_assert_cmpuint (n, <, 25);
  g_assert_cmpstr (lines[n - 1], ==, "");
  for (guint i = 0; i < n - 1; i++)
    g_assert_true (
        g_regex_match_simple ("^(ok  |warn|FAIL|-   )  [a-z]+ +[^ ]|^ {18}[^ ]",
            lines[i], 0, 0));
  g_assert_nonnull (strstr (lines[n - 2], "  verdict  "));
  g_assert_null (strchr (run->output, '\033'));
}

static void
test_text (void)
{
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, NULL);
  g_autoptr (Run) run = spawn (token, "", 0);

  finish (run, NULL);
  g_assert_cmpint (get_exit_status (run), ==, 0);
  g_assert_cmpstr (run->errors, ==, "");
  assert_layout (run);
  g_assert_nonnull (strstr (run->output, "\nok    verdict "));
}

static void
test_text_of_failure (void)
{
  g_autofree gchar *token =
      stage_fixture_mint (stage, "{\"duration\":-60}", NULL);
  g_autoptr (Run) run = spawn (token, "", 0);

  finish (run, NULL);
  g_assert_cmpint (get_exit_status (run), ==, 3);
  assert_layout (run);
  g_assert_nonnull (strstr (run->output, "\nFAIL  validity "));
  g_assert_nonnull (strstr (run->output, "\nFAIL  verdict "));
}

/* -- Ctrl-C ------------------------------------------------------------------------------------- */

static void
line_read (GObject *stream, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  gchar **line = data;

  *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (stream),
      result, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (*line);
}

/* Reads the standard error up to the line that the offer is sent. */
static void
wait_for_post (Run *run)
{
  g_autoptr (GDataInputStream) stream =
      g_data_input_stream_new (g_subprocess_get_stderr_pipe (run->process));
  guint timer = g_timeout_add_seconds (MAX_SECONDS, time_ran_out, NULL);
  gboolean is_posting = FALSE;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (stream),
      FALSE);
  while (!is_posting) {
    g_autofree gchar *line = NULL;

    g_data_input_stream_read_line_async (stream, G_PRIORITY_DEFAULT, NULL,
        line_read, &line);
    while (line == NULL)
      g_main_context_iteration (NULL, TRUE);
    is_posting = g_str_has_prefix (line, "> Authorization");
  }
  g_source_remove (timer);
}

/* The stage makes the session after the signal: it is deleted all the same. */
static void
test_interrupted (void)
{
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &participant);
  g_autoptr (Run) run = NULL;

  stage_fixture_fault (stage, "{\"rule\":\"slow\",\"ms\":1000}");
  run = spawn (token, "-v", 0);
  wait_for_post (run);
  g_subprocess_send_signal (run->process, SIGINT);
  finish (run, NULL);
  stage_fixture_fault (stage, "{\"clear\":true}");

  g_assert_cmpint (get_exit_status (run), ==, 130);
  assert_sessions (participant, 1, 1);
}

/* -- TLS and the clock: another server ------------------------------------------------------------ */

static gint64 date_offset; /* s */

/* Up to the end of the head, or of the connection. */
static void
read_head (GInputStream *stream)
{
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stream);
  gboolean is_over = FALSE;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (lines),
      FALSE);
  g_data_input_stream_set_newline_type (lines,
      G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  while (!is_over) {
    g_autofree gchar *line =
        g_data_input_stream_read_line (lines, NULL, NULL, NULL);

    is_over = line == NULL || *line == '\0';
  }
}

/* On a thread for each connection. A handshake that fails is the client's affair. */
static gboolean
connection_came (GThreadedSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer certificate)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) time = g_date_time_add_seconds (now, date_offset);
  g_autofree gchar *date = soup_date_time_to_string (time, SOUP_DATE_HTTP);
  g_autoptr (GIOStream) stream = G_IO_STREAM (g_object_ref (connection));

  if (certificate != NULL) {
    g_object_unref (stream);
    stream = g_tls_server_connection_new (G_IO_STREAM (connection), certificate,
        NULL);
  }
  read_head (g_io_stream_get_input_stream (stream));
  g_output_stream_printf (g_io_stream_get_output_stream (stream), NULL, NULL,
      NULL,
      "HTTP/1.1 404 Not Found\r\nDate: %s\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n",
      date);
  g_io_stream_close (stream, NULL, NULL);
  return TRUE;
}

/* Not libsoup's: that loses a socket for each connection, as leak checks tell. */
static GSocketService *
start_server (const gchar *certificate_name, gchar **url)
{
  GSocketService *server = g_threaded_socket_service_new (4);
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetAddress) loopback =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;

  if (certificate_name != NULL) {
    g_autofree gchar *path =
        g_build_filename (TEST_DATA_DIR, certificate_name, NULL);

    certificate = g_tls_certificate_new_from_file (path, &error);
    g_assert_no_error (error);
    g_object_set_data_full (G_OBJECT (server), "certificate",
        g_object_ref (certificate), g_object_unref);
  }
  g_signal_connect (server, "run", G_CALLBACK (connection_came), certificate);
  g_socket_listener_add_address (G_SOCKET_LISTENER (server), any,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &address, &error);
  g_assert_no_error (error);
  *url =
      g_strdup_printf ("http%s://127.0.0.1:%u/", certificate != NULL ? "s" : "",
          g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  return server;
}

#define CA_FILE "--ca-file " TEST_DATA_DIR "/whip-ca.pem "

static const struct
{
  const gchar *name;
  const gchar *certificate;
  const gchar *ca;
  const gchar *text; /* NULL: it is trusted */
} tls_rows[] = {
  { "trusted", "whip-server.pem", CA_FILE, NULL },
  { "unknown-authority", "whip-server.pem", "", "signed by an unknown CA" },
  { "wrong-host", "whip-other-host.pem", CA_FILE, "for another host" },
  { "expired", "whip-expired.pem", CA_FILE, "has expired" },
};

static void
test_tls (gconstpointer data)
{
  const typeof (tls_rows[0]) *row = data;
  g_autofree gchar *url = NULL;
  g_autoptr (GSocketService) server = start_server (row->certificate, &url);
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, NULL);
  g_autoptr (Run) run = check (token, "%s--whip-endpoint %s", row->ca, url);

  if (row->text != NULL) {
    assert_exit (run, 5);
    assert_failure (run, "tls", "tls");
    g_assert_nonnull (strstr (run->output, row->text));
    return;
  }
  assert_exit (run, 6);
  assert_failure (run, "publish", "not-a-stage-endpoint");
  assert_result (run, "tls", "ok");
  g_assert_nonnull (strstr (stage_state_string (run->json, "facts.tls_issuer"),
      "ivsstagesink test CA"));
  g_assert_cmpstr (stage_state_string (run->json, "facts.tls_version"), ==,
      "TLS 1.3");
}

/* A server that speaks no TLS waits for a line, and so do we. */
static void
test_tls_silent (void)
{
  g_autofree gchar *url = NULL;
  g_autoptr (GSocketService) server = start_server (NULL, &url);
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, NULL);
  g_autoptr (Run) run = check (token, "--timeout 1 --whip-endpoint https%s",
      url + strlen ("http"));

  assert_exit (run, 4);
  assert_failure (run, "tls", "timeout");
}

static const struct
{
  const gchar *name;
  gint64 offset; /* s */
  gint duration; /* of the token, min */
  const gchar *result;
  const gchar *text;
} clock_rows[] = {
  { "agrees", 0, 60, "ok", "agrees" },
  { "ahead", -2 * 3600, 60, "warn", "2 hours ahead of" },
  { "behind-and-expired", 2 * 3600, 60, "warn",
      "by the server's clock the token has expired" },
  { "ahead-and-valid", -3 * 3600, -60, "warn",
      "by the server's clock the token is still valid" },
};

static void
test_clock (gconstpointer data)
{
  const typeof (clock_rows[0]) *row = data;
  g_autofree gchar *url = NULL;
  g_autoptr (GSocketService) server = start_server (NULL, &url);
  g_autofree gchar *request =
      g_strdup_printf ("{\"duration\":%d}", row->duration);
  g_autofree gchar *token = stage_fixture_mint (stage, request, NULL);
  g_autoptr (Run) run = NULL;
  gint64 skew;

  date_offset = row->offset;
  run = check (token, "--no-publish --whip-endpoint %s", url);
  date_offset = 0;

  assert_result (run, "clock", row->result);
  g_assert_nonnull (
      strstr (json_object_get_string_member (find_check (run, "clock"), "text"),
          row->text));
  skew = (gint64) stage_state_number (run->json, "facts.clock_skew");
  g_assert_cmpint (ABS (skew + row->offset), <=, 5);
  assert_exit (run, row->duration > 0 ? 0 : 3);
}

/* -- All --------------------------------------------------------------------------------------------- */

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  stage = stage_fixture_start (NULL);

  g_test_add_func ("/check/good", test_good);
  g_test_add_func ("/check/redirect", test_redirect);
  g_test_add_func ("/check/no-publish", test_no_publish);
  g_test_add_func ("/check/no-location", test_no_location);
  ADD_ROWS ("/check/fails/", rows, test_row);
  g_test_add_func ("/check/fails/lookalike", test_lookalike);
  g_test_add_func ("/check/fails/no-token", test_no_token);
  g_test_add_func ("/check/token/stdin", test_stdin);
  g_test_add_func ("/check/token/file", test_file);
  g_test_add_func ("/check/token/no-file", test_no_file);
  g_test_add_data_func ("/check/command-line/argument", "", test_command_line);
  g_test_add_data_func ("/check/command-line/unknown-option",
      "--token=", test_command_line);
  g_test_add_data_func ("/check/command-line/bad-value",
      "--timeout=", test_command_line);
  g_test_add_func ("/check/text/success", test_text);
  g_test_add_func ("/check/text/failure", test_text_of_failure);
  g_test_add_func ("/check/interrupted", test_interrupted);
  ADD_ROWS ("/check/tls/", tls_rows, test_tls);
  g_test_add_func ("/check/tls/silent", test_tls_silent);
  ADD_ROWS ("/check/clock/", clock_rows, test_clock);

  result = g_test_run ();
  g_clear_pointer (&stage, stage_fixture_stop);
  return result;
}
