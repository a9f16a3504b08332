/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-stage-check: can this computer publish with this token? If not, why not, and
 * what to do.
 *
 * It asks the code of the element, not a copy: the same judgement of the token, the
 * same HTTP, the same webrtcbin, and the same sentences.
 */
#include <locale.h>
#include <stdio.h>
#include <gst/gst.h>

#include "check-credential.h"
#include "check-network.h"
#include "check-publish.h"

#define MAX_SECONDS 3600

typedef struct
{
  gchar *token_file;
  gchar *whip_endpoint;
  gchar *allowed_hosts;
  gchar *ca_file;
  gint timeout;
  gint connect_timeout;
  gboolean no_publish;
  gboolean is_json;
  gboolean is_verbose;
  gboolean wants_version;
} Options;

static const gchar description[] =
    "The token is taken from the environment variable IVS_STAGE_TOKEN, or from\n"
    "--token-file; not from the command line, which every user of this computer\n"
    "can read.\n"
    "\n"
    "The last check is a dry publish: a session without sound and picture, which is\n"
    "deleted at once. A stage takes one connection per token, so that ends another\n"
    "that uses the same token. --no-publish leaves it out.\n"
    "\n"
    "Exit status: 0 can publish, 1 other, 2 usage, 3 credential, 4 network, 5 TLS,\n"
    "6 refused by the stage or its endpoint, 7 media path, 8 installation,\n"
    "130 interrupted.";

static void
options_clear (Options *options)
{
  g_free (options->token_file);
  g_free (options->whip_endpoint);
  g_free (options->allowed_hosts);
  g_free (options->ca_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* -- The command line ----------------------------------------------------------------- */

static gboolean
has_bad_timeout (const Options *options)
{
  return options->timeout < 0 || options->timeout > MAX_SECONDS ||
      options->connect_timeout < 0 || options->connect_timeout > MAX_SECONDS;
}

/* What was written is not repeated: it may be a token. */
static const gchar *
find_fault (const Options *options, gint n_arguments, const GError *error)
{
  if (error != NULL && error->code == G_OPTION_ERROR_UNKNOWN_OPTION)
    return "There is an option that this program does not have.";
  if (error != NULL)
    return "An option lacks its value, or has one that it does not take.";
  if (n_arguments > 1)
    return "It takes options only.";
  if (has_bad_timeout (options))
    return "Timeouts are from 1 to 3600 seconds.";
  return NULL;
}

static gboolean
parse_options (Options *options, int *argc, char ***argv)
{
  /* clang-format off */
  const GOptionEntry entries[] = {
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file,
      "Read the token from FILE; - is the standard input", "FILE" },
    { "whip-endpoint", 0, 0, G_OPTION_ARG_STRING, &options->whip_endpoint,
      "Where to publish, as the element's property", "URL" },
    { "allowed-hosts", 0, 0, G_OPTION_ARG_STRING, &options->allowed_hosts,
      "Who may see the token at a redirect, as the property", "HOSTS" },
    { "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file,
      "Trust these authorities (PEM) and no others", "FILE" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &options->timeout,
      "For one HTTP request, as the property", "SECONDS" },
    { "connect-timeout", 0, 0, G_OPTION_ARG_INT, &options->connect_timeout,
      "For the media connection, as the property", "SECONDS" },
    { "no-publish", 0, 0, G_OPTION_ARG_NONE, &options->no_publish,
      "Look only: send neither token nor offer", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->is_json,
      "One JSON object on the standard output", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->is_verbose,
      "The heads of HTTP, without secrets, on the standard error", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->wants_version,
      "Print the version", NULL },
    { NULL },
  };
  /* clang-format on */
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- can this computer publish to an IVS stage?");
  g_autoptr (GError) error = NULL;
  const gchar *fault;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_description (context, description);
  g_option_context_parse (context, argc, argv, &error);
  fault = find_fault (options, *argc, error);
  if (fault == NULL)
    return TRUE;

  fprintf (stderr,
      "ivs-stage-check: %s See --help. A token is not taken here: put it into IVS_STAGE_TOKEN or a file.\n",
      fault);
  return FALSE;
}

static gboolean
fill_settings (GstIvsSettings *settings, const Options *options)
{
  gboolean is_stdin = g_strcmp0 (options->token_file, "-") == 0;
  g_autoptr (GError) error = NULL;

  gst_ivs_settings_init (settings);
  settings->auth_token_file =
      g_strdup (is_stdin ? "/dev/stdin" : options->token_file);
  settings->whip_endpoint = g_strdup (options->whip_endpoint);
  settings->allowed_hosts = g_strdup (options->allowed_hosts);
  if (options->timeout != 0)
    settings->timeout = (guint) options->timeout;
  if (options->connect_timeout != 0)
    settings->connect_timeout = (guint) options->connect_timeout;
  if (options->ca_file == NULL)
    return TRUE;

  settings->tls_database = g_tls_file_database_new (options->ca_file, &error);
  if (settings->tls_database == NULL)
    fprintf (stderr, "ivs-stage-check: %s cannot be used: %s\n",
        options->ca_file, error->message);
  return settings->tls_database != NULL;
}

/* -- The checks ----------------------------------------------------------------------- */

static const gchar *
publish (CheckReport *report, const GstIvsSettings *settings,
    const Options *options, const gchar *endpoint, const IvsToken *token)
{
  if (check_report_has_failed (report)) {
    check_report_skip (report, "publish", "not tried, for what failed above");
    return "";
  }
  if (options->no_publish) {
    check_report_skip (report, "publish", "not tried (--no-publish)");
    return "Nothing is wrong as far as was looked";
  }

  check_publish (report, settings, endpoint, token, options->is_verbose);
  return "This computer can publish to this stage";
}

static CheckExit
check (const GstIvsSettings *settings, const Options *options)
{
  g_autoptr (CheckReport) report = check_report_new (options->is_json);
  g_autoptr (IvsToken) token = check_credential (report, settings);
  g_autofree gchar *endpoint = check_endpoint (report, settings, token);

  if (endpoint != NULL)
    check_network (report, settings, endpoint, token);
  check_encoders (report, settings);
  return check_report_finish (report,
      publish (report, settings, options, endpoint, token));
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_auto (GstIvsSettings) settings = { 0 };

  setlocale (LC_ALL, "");
  gst_init (NULL, NULL);
  if (!parse_options (&options, &argc, &argv) ||
      !fill_settings (&settings, &options))
    return CHECK_EXIT_USAGE;
  if (options.wants_version) {
    printf ("ivs-stage-check %s\n", IVS_VERSION);
    return CHECK_EXIT_OK;
  }

  return check (&settings, &options);
}
