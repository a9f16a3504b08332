/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What gst-launch-1.0 prints: the commonest mistakes, word by word, and no secrets.
 *
 * The words are those of docs/examples/mistakes.txt. After a change run
 *
 *     meson devenv -C build tests/test-launch --print-doc > docs/examples/mistakes.txt
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"

#define RUN_SECONDS 60
#define MISTAKES TEST_DATA_DIR "/../../../docs/examples/mistakes.txt"
#define PIECE 20 /* characters of a token that must not be seen anywhere */

static StageFixture *stage;

/* -- Running it ------------------------------------------------------------------- */

typedef struct
{
  GSubprocess *process;
  gchar *output; /* both streams, one after the other */
  gchar *errors; /* of the standard error alone */
  gint status;
  gboolean is_done;
  const gchar *participant; /* whose first pictures end it; NULL: nobody's */
} Run;

static void
run_ended (GObject *source, GAsyncResult *result, gpointer data)
{
  Run *run = data;
  g_autoptr (GBytes) out = NULL, err = NULL;
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate_finish (G_SUBPROCESS (source), result, &out, &err,
      &error);
  g_assert_no_error (error);
  text = g_strndup (g_bytes_get_data (out, NULL), g_bytes_get_size (out));
  run->errors =
      g_strndup (g_bytes_get_data (err, NULL), g_bytes_get_size (err));
  run->output = g_strconcat (text, "\n", run->errors, NULL);
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

static gboolean
is_done (gpointer data)
{
  Run *run = data;

  if (run->participant != NULL && has_pictures (run->participant)) {
    run->participant = NULL;
    g_subprocess_send_signal (run->process, SIGINT);
  }
  return run->is_done;
}

/* `environment`: "NAME=value", up to a NULL. */
static void
run_launch (Run *run, const gchar *options, const gchar *pipeline,
    const gchar *const *environment, const gchar *participant)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree gchar *line =
      g_strdup_printf ("gst-launch-1.0 %s %s", options, pipeline);
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;

  *run = (Run){ .participant = participant };
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
  run->status = g_subprocess_get_exit_status (run->process);
}

static void
run_clear (Run *run)
{
  g_clear_object (&run->process);
  g_free (run->output);
  g_free (run->errors);
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

/* -- Mistakes ------------------------------------------------------------------------ */

typedef struct
{
  const gchar *name;
  const gchar *title;
  const gchar *credential; /* a body for /api/token, or the credential itself */
  const gchar *pipeline;
  const gchar *phrases[4]; /* must be there whatever else the text is */
} Mistake;

#define VIDEO "videotestsrc is-live=true ! ivsstagesink"

/* clang-format off */
static const Mistake mistakes[] = {
  { "stream-key", "The stream key of a channel instead of a participant token",
    "sk_eu-central-1_AbCdEfGh1234_wxyzWXYZwxyzWXYZwxyzWXYZwxyz", VIDEO,
    { "stream key", "create-participant-token" } },
  { "expired", "A token that has expired", "{\"duration\":-10}", VIDEO,
    { "The participant token expired at", "--duration" } },
  { "subscribe-only", "A token to subscribe with", "{\"capabilities\":[\"SUBSCRIBE\"]}", VIDEO,
    { "allows subscribing, but not publishing", "--capabilities PUBLISH" } },
  { "audio-only", "Sound alone, without the video section that a stage wants", "{}",
    "audiotestsrc is-live=true ! ivsstagesink dummy-video=never",
    { "the offer lacks H.264 video", "set dummy-video=auto", "code 2001" } },
  { "nothing-listening", "Nothing listens at the endpoint", "{}",
    VIDEO " whip-endpoint=http://127.0.0.1:1/ max-retries=0",
    { "refuses the connection", "Check host and port of whip-endpoint" } },
};
/* clang-format on */

/* What the element says; the rest is gst-launch's own. */
static gchar *
keep_what_matters (const gchar *errors)
{
  g_auto (GStrv) lines = g_strsplit (errors, "\n", -1);
  GString *kept = g_string_new (NULL);
  gboolean is_inside = FALSE;

  for (guint i = 0; lines[i] != NULL; i++) {
    if (g_str_has_prefix (lines[i], "ERROR: from element") ||
        g_str_has_prefix (lines[i], "WARNING: from element"))
      is_inside = TRUE;
    if (is_inside)
      g_string_append_printf (kept, "%s\n", lines[i]);
    /* The last line of the debug text is in parentheses. */
    if (is_inside && g_str_has_prefix (lines[i], "("))
      is_inside = FALSE;
  }
  return g_string_free (kept, FALSE);
}

/* What is another one each time. */
static gchar *
normalise (const gchar *text)
{
  static const struct
  {
    const gchar *pattern, *instead;
  } rows[] = {
    { "[^ \n]*gstivsmessages\\.c\\(\\d+\\)", "gstivsmessages.c(1)" },
    { "127\\.0\\.0\\.1:\\d{2,5}", "127.0.0.1:8080" },
    { "\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "2026-01-02T03:04:05Z" },
    { "publish/[A-Za-z0-9]{12}", "publish/aBcDeFgHiJkL" },
    { "([Pp])articipant [A-Za-z0-9]{12}\\b", "\\1articipant aBcDeFgHiJkL" },
    { "--participant-id [A-Za-z0-9]{12}\\b", "--participant-id aBcDeFgHiJkL" },
  };
  gchar *result = g_strdup (text);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GRegex) regex = g_regex_new (rows[i].pattern, 0, 0, &error);
    g_autofree gchar *before = result;

    g_assert_no_error (error);
    result = g_regex_replace (regex, before, -1, 0, rows[i].instead, 0, &error);
    g_assert_no_error (error);
  }
  return result;
}

/* As the document has it. */
static gchar *
make_mistake (const Mistake *mistake)
{
  gboolean is_request = *mistake->credential == '{';
  g_autofree gchar *token = is_request
      ? stage_fixture_mint (stage, mistake->credential, NULL)
      : g_strdup (mistake->credential);
  g_autofree gchar *variable = g_strconcat ("IVS_STAGE_TOKEN=", token, NULL);
  const gchar *environment[] = { variable, NULL };
  g_autofree gchar *kept = NULL, *text = NULL;
  g_auto (Run) run;

  run_launch (&run, "", mistake->pipeline, environment, NULL);
  g_assert_cmpint (run.status, !=, 0);
  assert_hides_token ("gst-launch-1.0", run.output, token);
  for (guint i = 0; mistake->phrases[i] != NULL; i++)
    if (strstr (run.output, mistake->phrases[i]) == NULL)
      g_error ("It does not say \"%s\":\n%s", mistake->phrases[i], run.output);
  kept = keep_what_matters (run.errors);
  text = normalise (kept);
  return g_strdup_printf ("## %s\n\n$ gst-launch-1.0 %s\n%s\n", mistake->title,
      mistake->pipeline, text);
}

static void
test_mistake (gconstpointer data)
{
  g_autofree gchar *text = make_mistake (data);
  g_autofree gchar *document = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (MISTAKES, &document, NULL, &error);
  g_assert_no_error (error);
  if (strstr (document, text) == NULL)
    g_error ("docs/examples/mistakes.txt does not have this:\n%s", text);
}

static void
print_document (void)
{
  g_print (
      "SPDX-FileCopyrightText: 2026 The ivsstagesink authors\n"
      "SPDX-License-Identifier: LGPL-2.1-or-later\n\n"
      "# The commonest mistakes, as gst-launch-1.0 shows them\n\n"
      "Made by tests/stage/test-launch.c, which also compares them. The token is in\n"
      "IVS_STAGE_TOKEN; what gst-launch-1.0 says of itself is left out.\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    g_autofree gchar *text = make_mistake (&mistakes[i]);

    g_print ("%s", text);
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
      look->is_refused ? NULL : participant);
  g_test_message ("%zu bytes of output", strlen (run.output));
  if (stub_endpoint_count (stub, "POST") == 0)
    g_error ("Nobody asked the stage:\n%s", run.output);
  ice_password = find_ice_password (stub);
  if (strstr (run.output, look->must_say) == NULL)
    g_error ("\"%s\" is missing:\n%s", look->must_say, run.output);
  check_secrets ("The output", run.output, token, ice_password);
  g_assert_cmpuint (check_dot_files (folder, token, ice_password), >, 0);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  gboolean prints = argc > 1 && g_str_equal (argv[1], "--print-doc");
  int result = 0;

  gst_init (&argc, &argv);
  if (!prints)
    g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; !prints && i < G_N_ELEMENTS (mistakes); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/launch/mistakes/%s", mistakes[i].name);

    g_test_add_data_func (path, &mistakes[i], test_mistake);
  }
  for (gsize i = 0; !prints && i < G_N_ELEMENTS (looks); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/launch/secrets/%s", looks[i].name);

    g_test_add_data_func (path, &looks[i], test_secrets);
  }
  stage = stage_fixture_start (NULL);
  if (prints)
    print_document ();
  else
    result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
