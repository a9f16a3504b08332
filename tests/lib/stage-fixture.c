/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs a local stage for a test: start, mint, misbehave, look, wait, stop.
 */
#include "stage-fixture.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>

#define START_SECONDS 60 /* under valgrind plugins load slowly */
#define STOP_SECONDS 30
#define REQUEST_SECONDS 60
#define POLL_MS 30

struct _StageFixture
{
  GSubprocess *process;
  JsonNode *ready;
  SoupSession *session;
};

/* -- Waiting with a deadline ---------------------------------------------------- */

static gboolean
time_passed (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Runs the main context until `done`, at most so many milliseconds. */
static void
run_until (const gboolean *done, guint milliseconds)
{
  gboolean late = FALSE;
  guint timer = g_timeout_add (milliseconds, time_passed, &late);

  while (!*done && !late)
    g_main_context_iteration (NULL, TRUE);
  if (!late)
    g_source_remove (timer);
}

typedef struct
{
  gboolean done;
  GAsyncResult *result;
} Operation;

static void
operation_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  Operation *operation = data;

  operation->done = TRUE;
  operation->result = g_object_ref (result);
}

static GAsyncResult *
wait_for (Operation *operation, guint seconds, const gchar *what)
{
  run_until (&operation->done, seconds * 1000);
  if (!operation->done)
    g_error ("%s: not done after %u s", what, seconds);
  return operation->result;
}

/* -- Start and stop --------------------------------------------------------------- */

static gchar *
read_line (StageFixture *stage)
{
  g_autoptr (GDataInputStream) stream =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (stage->process));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  Operation operation = { 0 };
  gchar *line;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (stream),
      FALSE);
  g_data_input_stream_read_line_async (stream, G_PRIORITY_DEFAULT, NULL,
      operation_ended, &operation);
  result = wait_for (&operation, START_SECONDS, "start of ivs-local-stage");
  line =
      g_data_input_stream_read_line_finish_utf8 (stream, result, NULL, &error);
  g_assert_no_error (error);
  if (line == NULL)
    g_error ("ivs-local-stage ended before it was ready");
  return line;
}

static const gchar *
get_program (void)
{
  const gchar *program = g_getenv ("IVS_LOCAL_STAGE");

  return program != NULL ? program : IVS_LOCAL_STAGE_PROGRAM;
}

/* Built with sanitizers the stage looks for all of their errors but leaks: libsoup
 * 3.2.3 loses a GSocket with each connection that it accepts, and OpenSSL what
 * belongs to the threads that still run when a process ends. It unwinds quickly, for
 * it has media to count in real time. */
static GSubprocessLauncher *
make_launcher (void)
{
  GSubprocessLauncher *launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  const gchar *options = g_getenv ("ASAN_OPTIONS");

  if (options != NULL) {
    g_autofree gchar *own =
        g_strconcat (options, ":detect_leaks=0:fast_unwind_on_malloc=1", NULL);

    g_subprocess_launcher_setenv (launcher, "ASAN_OPTIONS", own, TRUE);
  }
  return launcher;
}

static void
spawn (StageFixture *stage, GPtrArray *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher = make_launcher ();
  g_autoptr (GError) error = NULL;

  stage->process = g_subprocess_launcher_spawnv (launcher,
      (const gchar *const *) arguments->pdata, &error);
  g_assert_no_error (error);
}

StageFixture *
stage_fixture_start (const gchar *const *options)
{
  StageFixture *stage = g_new0 (StageFixture, 1);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree gchar *line = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (arguments, (gpointer) get_program ());
  g_ptr_array_add (arguments, (gpointer) "--quiet");
  g_ptr_array_add (arguments, (gpointer) "--die-with-parent");
  for (guint i = 0; options != NULL && options[i] != NULL; i++)
    g_ptr_array_add (arguments, (gpointer) options[i]);
  g_ptr_array_add (arguments, NULL);
  spawn (stage, arguments);
  line = read_line (stage);
  stage->ready = json_from_string (line, &error);
  g_assert_no_error (error);
  g_assert_nonnull (stage_fixture_get_whip_url (stage));
  stage->session =
      soup_session_new_with_options ("timeout", REQUEST_SECONDS, NULL);
  return stage;
}

static void
end_by (StageFixture *stage, gint signal_number)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  Operation operation = { 0 };

  soup_session_abort (stage->session);
  g_subprocess_send_signal (stage->process, signal_number);
  g_subprocess_wait_async (stage->process, NULL, operation_ended, &operation);
  result = wait_for (&operation, STOP_SECONDS, "end of ivs-local-stage");
  g_subprocess_wait_finish (stage->process, result, &error);
  g_assert_no_error (error);
}

static void
stage_fixture_free (StageFixture *stage)
{
  g_object_unref (stage->process);
  g_object_unref (stage->session);
  json_node_unref (stage->ready);
  g_free (stage);
}

void
stage_fixture_stop (StageFixture *stage)
{
  end_by (stage, SIGTERM);
  g_assert_true (g_subprocess_get_if_exited (stage->process));
  g_assert_cmpint (g_subprocess_get_exit_status (stage->process), ==, 0);
  stage_fixture_free (stage);
}

void
stage_fixture_kill (StageFixture *stage)
{
  end_by (stage, SIGKILL);
  stage_fixture_free (stage);
}

void
stage_fixture_signal (StageFixture *stage, gint signal_number)
{
  g_subprocess_send_signal (stage->process, signal_number);
}

const gchar *
stage_fixture_get_whip_url (StageFixture *stage)
{
  return stage_state_string (stage->ready, "whip");
}

const gchar *
stage_fixture_get_regional_url (StageFixture *stage)
{
  return stage_state_string (stage->ready, "regional");
}

const gchar *
stage_fixture_get_page_url (StageFixture *stage)
{
  return stage_state_string (stage->ready, "page");
}

SoupSession *
stage_fixture_get_session (StageFixture *stage)
{
  return stage->session;
}

/* -- Asking --------------------------------------------------------------------------- */

/* A stage with --tls-certificate is our own all the same. */
static gboolean
certificate_came (SoupMessage *message, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer data)
{
  return TRUE;
}

gchar *
stage_fixture_send (StageFixture *stage, SoupMessage *message)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GError) error = NULL;
  Operation operation = { 0 };
  gsize size;
  const gchar *data;

  g_signal_connect (message, "accept-certificate",
      G_CALLBACK (certificate_came), NULL);
  soup_session_send_and_read_async (stage->session, message, G_PRIORITY_DEFAULT,
      NULL, operation_ended, &operation);
  result = wait_for (&operation, REQUEST_SECONDS, "request to the stage");
  body = soup_session_send_and_read_finish (stage->session, result, &error);
  g_assert_no_error (error);
  data = g_bytes_get_data (body, &size);
  return g_strndup (data != NULL ? data : "", size);
}

static JsonNode *
ask_api (StageFixture *stage, const gchar *method, const gchar *path,
    const gchar *body)
{
  g_autofree gchar *url =
      g_strconcat (stage_state_string (stage->ready, "api"), path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new (method, url);
  g_autofree gchar *answer = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  if (body != NULL) {
    g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

    soup_message_set_request_body_from_bytes (message, "application/json",
        bytes);
  }
  answer = stage_fixture_send (stage, message);
  if (soup_message_get_status (message) != SOUP_STATUS_OK)
    g_error ("%s %s: %u %s", method, path, soup_message_get_status (message),
        answer);
  node = json_from_string (answer, &error);
  g_assert_no_error (error);
  return node;
}

gchar *
stage_fixture_mint (StageFixture *stage, const gchar *request, gchar **id)
{
  g_autoptr (JsonNode) answer =
      ask_api (stage, "POST", "/token", request != NULL ? request : "{}");

  if (id != NULL)
    *id = g_strdup (
        stage_state_string (answer, "participantToken.participantId"));
  return g_strdup (stage_state_string (answer, "participantToken.token"));
}

void
stage_fixture_fault (StageFixture *stage, const gchar *format, ...)
{
  g_autofree gchar *body = NULL;
  va_list args;

  va_start (args, format);
  body = g_strdup_vprintf (format, args);
  va_end (args);
  json_node_unref (ask_api (stage, "POST", "/faults", body));
}

JsonNode *
stage_fixture_get_state (StageFixture *stage)
{
  return ask_api (stage, "GET", "/state", NULL);
}

/* -- Looking ------------------------------------------------------------------------------ */

static JsonNode *
find_participant (JsonNode *state, const gchar *id)
{
  JsonNode *list = stage_state_at (state, "participants");
  guint n =
      list != NULL ? json_array_get_length (json_node_get_array (list)) : 0;

  for (guint i = 0; i < n; i++) {
    JsonNode *node = json_array_get_element (json_node_get_array (list), i);

    if (g_strcmp0 (stage_state_string (node, "id"), id) == 0)
      return node;
  }
  return NULL;
}

static JsonNode *
step_into (JsonNode *node, const gchar *name)
{
  if (*name == '@')
    return find_participant (node, name + 1);
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_member (json_node_get_object (node), name);
  if (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);
    gint64 index = g_ascii_strtoll (name, NULL, 10);

    index += index < 0 ? json_array_get_length (array) : 0;
    if (index >= 0 && index < json_array_get_length (array))
      return json_array_get_element (array, (guint) index);
  }
  return NULL;
}

JsonNode *
stage_state_at (JsonNode *state, const gchar *path)
{
  g_auto (GStrv) names = g_strsplit (path, ".", -1);
  JsonNode *node = state;

  for (guint i = 0; names[i] != NULL && node != NULL; i++)
    node = step_into (node, names[i]);
  return node != NULL && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

gdouble
stage_state_number (JsonNode *state, const gchar *path)
{
  JsonNode *node = stage_state_at (state, path);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
      ? json_node_get_double (node)
      : 0.;
}

const gchar *
stage_state_string (JsonNode *state, const gchar *path)
{
  JsonNode *node = stage_state_at (state, path);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
      ? json_node_get_string (node)
      : NULL;
}

gboolean
stage_state_is_true (JsonNode *state, const gchar *path)
{
  JsonNode *node = stage_state_at (state, path);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
      json_node_get_boolean (node);
}

/* -- Waiting for a state ------------------------------------------------------------------ */

static void
fail_with_state (const gchar *name, guint seconds, JsonNode *state)
{
  g_autofree gchar *text = json_to_string (state, TRUE);

  g_error ("Not so after %u s: %s\n%s", seconds, name, text);
}

JsonNode *
stage_fixture_wait (StageFixture *stage, const gchar *name,
    StageCondition condition, gpointer data, guint seconds)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;

  while (TRUE) {
    const gboolean never = FALSE;
    g_autoptr (JsonNode) state = stage_fixture_get_state (stage);

    if (condition (state, data))
      return g_steal_pointer (&state);
    if (g_get_monotonic_time () > deadline)
      fail_with_state (name, seconds, state);
    run_until (&never, POLL_MS);
  }
}

typedef struct
{
  const gchar *path;
  gdouble number;
  const gchar *string;
} Expectation;

static gboolean
is_number_reached (JsonNode *state, gpointer data)
{
  const Expectation *expectation = data;

  return stage_state_at (state, expectation->path) != NULL &&
      stage_state_number (state, expectation->path) >= expectation->number;
}

static gboolean
is_string_there (JsonNode *state, gpointer data)
{
  const Expectation *expectation = data;

  return g_strcmp0 (stage_state_string (state, expectation->path),
             expectation->string) == 0;
}

JsonNode *
stage_fixture_wait_number (StageFixture *stage, const gchar *path,
    gdouble value, guint seconds)
{
  Expectation expectation = { path, value, NULL };
  g_autofree gchar *name = g_strdup_printf ("%s >= %g", path, value);

  return stage_fixture_wait (stage, name, is_number_reached, &expectation,
      seconds);
}

JsonNode *
stage_fixture_wait_string (StageFixture *stage, const gchar *path,
    const gchar *value, guint seconds)
{
  Expectation expectation = { path, 0., value };
  g_autofree gchar *name = g_strdup_printf ("%s = \"%s\"", path, value);

  return stage_fixture_wait (stage, name, is_string_there, &expectation,
      seconds);
}
