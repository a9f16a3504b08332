/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What gst-launch-1.0 lets one look at: the log and the dot files, and no secrets.
 *
 * What it prints of failures is in errors.py.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"
#include "test-table.h"

#define RUN_SECONDS 60
#define PIECE 20 /* characters of a token that must not be seen anywhere */

static StageFixture *stage;

/* -- Running it ------------------------------------------------------------------- */

typedef struct
{
  GSubprocess *process;
  gchar *output; /* both streams, one after the other */
  gboolean is_done;
  const gchar *participant; /* whose first pictures end it; NULL: nobody's */
  const gchar *dot_folder;  /* where a snapshot is put before; or NULL */
} Run;

static void
run_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  Run *run = data;
  g_autoptr (GBytes) out = NULL, err = NULL;
  g_autofree gchar *text = NULL, *errors = NULL;
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate_finish (G_SUBPROCESS (source), result, &out, &err,
      &error);
  g_assert_no_error (error);
  text = g_strndup (g_bytes_get_data (out, NULL), g_bytes_get_size (out));
  errors = g_strndup (g_bytes_get_data (err, NULL), g_bytes_get_size (err));
  run->output = g_strconcat (text, "\n", errors, NULL);
  run->is_done = TRUE;
}

static gboolean
has_pictures (const gchar *participant)
{
  g_autoptr (JsonNode) state = stage_fixture_get_state (stage);
  g_autofree gchar *path =
      g_strdup_printf ("@%s.session.video.frames", participant);

  return stage_state_number (state, path) >= 5;
}

/* The dot file that gst-launch-1.0 writes at SIGHUP, once it is complete. */
static gchar *
read_snapshot (const gchar *folder)
{
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (files)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *text = NULL;

    if (strstr (name, "snapshot") != NULL &&
        g_file_get_contents (path, &text, NULL, NULL) &&
        g_str_has_suffix (text, "\n}\n"))
      return g_steal_pointer (&text);
  }
  return NULL;
}

static gboolean
has_snapshot (const gchar *folder)
{
  g_autofree gchar *text = read_snapshot (folder);

  return text != NULL;
}

static gboolean
is_done (gpointer data)
{
  Run *run = data;

  if (run->participant != NULL && has_pictures (run->participant)) {
    run->participant = NULL;
    g_subprocess_send_signal (run->process,
        run->dot_folder != NULL ? SIGHUP : SIGINT);
  } else if (run->participant == NULL && run->dot_folder != NULL &&
      has_snapshot (run->dot_folder)) {
    run->dot_folder = NULL;
    g_subprocess_send_signal (run->process, SIGINT);
  }
  return run->is_done;
}

/* `environment`: "NAME=value", up to a NULL. */
static void
run_launch (Run *run, const gchar *options, const gchar *pipeline,
    const gchar *const *environment, const gchar *participant,
    const gchar *dot_folder)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree gchar *line =
      g_strdup_printf ("gst-launch-1.0 %s %s", options, pipeline);
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;

  *run = (Run){ .participant = participant,
    .dot_folder = participant != NULL ? dot_folder : NULL };
  g_assert_true (g_shell_parse_argv (line, NULL, &arguments, &error));
  g_subprocess_launcher_unsetenv (launcher, "GST_TRACERS");
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C.UTF-8", TRUE);
  for (guint i = 0; environment[i] != NULL; i++) {
    g_auto (GStrv) pair = g_strsplit (environment[i], "=", 2);

    g_subprocess_launcher_setenv (launcher, pair[0], pair[1], TRUE);
  }
  run->process = g_subprocess_launcher_spawnv (launcher,
      (const gchar *const *) arguments, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_async (run->process, NULL, NULL, run_ended, run);
  if (!publish_wait (is_done, run, RUN_SECONDS * 1000)) {
    g_subprocess_force_exit (run->process);
    g_error ("gst-launch-1.0 %s does not end", pipeline);
  }
}

static void
run_clear (Run *run)
{
  g_clear_object (&run->process);
  g_free (run->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* -- Secrets ------------------------------------------------------------------------ */

static void
assert_hides (const gchar *where, const gchar *text, const gchar *what,
    const gchar *secret)
{
  if (strstr (text, secret) != NULL)
    g_error ("%s tells the %s: \"%s\"", where, what, secret);
}

/* No piece of it, wherever it begins. */
static void
assert_hides_token (const gchar *where, const gchar *text, const gchar *token)
{
  gsize length = strlen (token);

  for (gsize i = 0; i + PIECE <= length; i++) {
    g_autofree gchar *piece = g_strndup (token + i, PIECE);

    assert_hides (where, text, "token", piece);
  }
}

/* -- Everything that can be looked at -------------------------------------------------- */

#define TURN_PASSWORD "turn-password-nobody-may-see"

static void
check_secrets (const gchar *where, const gchar *text, const gchar *token,
    const gchar *ice_password)
{
  static const gchar *const patterns[] = {
    "ice-pwd[:=][ ]*[A-Za-z0-9+/]{22}",
    "[Bb]earer [A-Za-z0-9_-]{8}",
  };

  assert_hides_token (where, text, token);
  assert_hides (where, text, "ICE password", ice_password);
  assert_hides (where, text, "TURN password", TURN_PASSWORD);
  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++) {
    g_autoptr (GMatchInfo) match = NULL;
    g_autoptr (GRegex) regex = g_regex_new (patterns[i], 0, 0, NULL);

    if (g_regex_match (regex, text, 0, &match)) {
      g_autofree gchar *found = g_match_info_fetch (match, 0);

      g_error ("%s has \"%s\"", where, found);
    }
  }
}

static guint
check_dot_files (const gchar *folder, const gchar *token,
    const gchar *ice_password)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) files = g_dir_open (folder, 0, &error);
  const gchar *name;
  guint n = 0;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (files)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *text = NULL;

    g_file_get_contents (path, &text, NULL, &error);
    g_assert_no_error (error);
    check_secrets (name, text, token, ice_password);
    g_unlink (path);
    n++;
  }
  return n;
}

/* The stub sees the offer; without that the ICE password would not be known. */
static gchar *
find_ice_password (StubEndpoint *stub)
{
  g_autofree gchar *offer = stub_endpoint_get_body (stub, "POST");
  const gchar *start = strstr (offer, "a=ice-pwd:");

  g_assert_nonnull (start);
  start += strlen ("a=ice-pwd:");
  return g_strndup (start, strcspn (start, "\r\n"));
}

/* Pads, gates and how these stand. */
static void
check_snapshot (const gchar *folder)
{
  g_autofree gchar *text = read_snapshot (folder);

  g_assert_nonnull (text);
  g_assert_nonnull (strstr (text, "video_0"));
  g_assert_nonnull (strstr (text, "GstIvsGate\\nvideo-gate"));
  g_assert_nonnull (strstr (text, "passage=\\\"open\\\""));
  g_assert_nonnull (strstr (text, "GstIvsGate\\naudio-gate"));
  g_assert_nonnull (strstr (text, "passage=\\\"closed\\\""));
}

typedef struct
{
  const gchar *name;
  gboolean is_refused;
  const gchar *must_say; /* proof that the log is the one that is meant */
} Look;

static const Look looks[] = {
  { "published", FALSE, "session deleted (HTTP 200)" },
  { "refused", TRUE, "http-refused" },
};

static void
test_secrets (gconstpointer data)
{
  const Look *look = data;
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token =
      stage_fixture_mint (stage, "{\"whip_url\":false}", &participant);
  g_autofree gchar *variable = g_strconcat ("IVS_STAGE_TOKEN=", token, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *folder = g_dir_make_tmp ("dot-XXXXXX", &error);
  g_autofree gchar *dot = g_strconcat ("GST_DEBUG_DUMP_DOT_DIR=", folder, NULL);
  const gchar *environment[] = { variable, dot, "GST_DEBUG=3,ivs*:9",
    "GST_DEBUG_NO_COLOR=1", NULL };
  g_autoptr (StubEndpoint) stub = stub_endpoint_start ("127.0.0.1");
  g_autofree gchar *pipeline = NULL, *ice_password = NULL;
  g_auto (Run) run;

  if (look->is_refused)
    stub_endpoint_answer (stub, "POST",
        "HTTP/1.1 403 Forbidden\nx-request-id: %s\n\nBearer %s", token, token);
  else
    stub_endpoint_answer (stub, "POST",
        "HTTP/1.1 307 Temporary Redirect\nLocation: %s/?token=%s\nContent-Length: 0\n\n",
        stage_fixture_get_regional_url (stage), token);
  pipeline = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,framerate=30/1 ! "
      "ivsstagesink 'turn-servers=<\"turn://someone:" TURN_PASSWORD
      "@127.0.0.1:9\">' whip-endpoint=%s/",
      stub_endpoint_get_url (stub));
  run_launch (&run, "-v", pipeline, environment,
      look->is_refused ? NULL : participant, folder);
  g_test_message ("%zu bytes of output", strlen (run.output));
  if (stub_endpoint_count (stub, "POST") == 0)
    g_error ("Nobody asked the stage:\n%s", run.output);
  ice_password = find_ice_password (stub);
  if (strstr (run.output, look->must_say) == NULL)
    g_error ("\"%s\" is missing:\n%s", look->must_say, run.output);
  check_secrets ("The output", run.output, token, ice_password);
  if (!look->is_refused)
    check_snapshot (folder);
  g_assert_cmpuint (check_dot_files (folder, token, ice_password), >, 0);
  g_rmdir (folder);
}

/* -- The log ------------------------------------------------------------------------------ */

/* Lines of a level that our own categories wrote. */
static guint
count_lines (const gchar *output, const gchar *level)
{
  g_autofree gchar *pattern =
      g_strdup_printf ("^\\d:\\d\\d:\\S+ +\\d+ +\\S+ %s +ivs", level);
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint n = 0;

  for (g_regex_match (regex, output, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    n++;
  return n;
}

static void
run_logged (Run *run, const gchar *pipeline, const gchar *level,
    gboolean is_good)
{
  g_autofree gchar *participant = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &participant);
  g_autofree gchar *variable = g_strconcat ("IVS_STAGE_TOKEN=", token, NULL);
  g_autofree gchar *debug = g_strconcat ("GST_DEBUG=ivs*:", level, NULL);
  const gchar *environment[] = { variable, debug, "GST_DEBUG_NO_COLOR=1",
    NULL };

  run_launch (run, "", pipeline, environment, is_good ? participant : NULL,
      NULL);
  assert_hides_token ("The log", run->output, token);
}

#define VIDEO "videotestsrc is-live=true ! ivsstagesink "

/* One line for each step of a session that goes well, and nothing to worry about. */
static void
test_story (void)
{
  g_auto (Run) run;

  run_logged (&run, VIDEO, "4", TRUE);
  g_test_message ("%s", run.output);
  g_assert_cmpuint (count_lines (run.output, "INFO"), >=, 7);
  g_assert_cmpuint (count_lines (run.output, "INFO"), <=, 13);
  g_assert_cmpuint (count_lines (run.output, "WARN"), ==, 0);
  g_assert_cmpuint (count_lines (run.output, "ERROR"), ==, 0);
}

/* What fails is told on the bus, once. */
static void
test_story_of_failure (void)
{
  g_auto (Run) run;

  stage_fixture_fault (stage, "{\"rule\":\"capacity\",\"count\":1}");
  run_logged (&run, VIDEO "max-retries=0", "6", FALSE);
  g_assert_nonnull (strstr (run.output, "ERROR: from element"));
  g_assert_cmpuint (count_lines (run.output, "WARN"), ==, 0);
  g_assert_cmpuint (count_lines (run.output, "ERROR"), ==, 0);
}

static void
test_messages_of_protocol (void)
{
  static const gchar *const parts[] = { "> POST http://",
    "> Authorization: Bearer <redacted>", "< 201 Created",
    "< Location: ", "offer:", "answer:", "m=video ",
    "a=fingerprint:", "a=candidate:", "a=ice-pwd:***", "> DELETE http://" };
  g_auto (Run) run;

  run_logged (&run, VIDEO, "6", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strstr (run.output, parts[i]) == NULL)
      g_error ("The log lacks \"%s\":\n%s", parts[i], run.output);
  g_assert_false (g_regex_match_simple ("a=ice-pwd:[^*]", run.output, 0, 0));
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/launch/secrets/", looks, test_secrets);
  g_test_add_func ("/launch/log/story", test_story);
  g_test_add_func ("/launch/log/failure", test_story_of_failure);
  g_test_add_func ("/launch/log/protocol", test_messages_of_protocol);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
