/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-local-stage: an IVS stage on this computer, for tests and for people
 * without an AWS account.
 */
#include <gio/gio.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "stage-api.h"
#include "stage-events.h"
#include "stage-record.h"
#include "stage-status.h"

typedef struct
{
  gint port;
  gint regional_port;
  gchar *address;
  gchar *certificate;
  gchar *key;
  gchar *record;
  gboolean quiet;
  gboolean die_with_parent;
  gint seconds;
  gint patience_ms;
} Options;

typedef struct
{
  Options options;
  GMainLoop *loop;
  Stage *stage;
  StageJournal *journal;
  StageHttp *http;
  StageApi *api;
  StageEvents *events;
  StagePeer *warm_up;
  gchar *last_line;
} Program;

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &options->port,
        "Port of the global endpoint, page and API (0 = any)", "PORT" },
    { "regional-port", 0, 0, G_OPTION_ARG_INT, &options->regional_port,
        "Port of the regional endpoint (0 = any)", "PORT" },
    { "bind", 'b', 0, G_OPTION_ARG_STRING, &options->address,
        "Address to listen at (127.0.0.1)", "ADDRESS" },
    { "tls-certificate", 0, 0, G_OPTION_ARG_FILENAME, &options->certificate,
        "Serve https with this certificate", "PEM" },
    { "tls-key", 0, 0, G_OPTION_ARG_FILENAME, &options->key, "... and this key",
        "PEM" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "No line per second",
        NULL },
    { "record", 0, 0, G_OPTION_ARG_FILENAME, &options->record,
        "Keep the RTP packets of all participants in this folder", "FOLDER" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &options->seconds,
        "End after so many seconds", "N" },
    { "patience", 0, 0, G_OPTION_ARG_INT, &options->patience_ms,
        "Wait so long for a lost packet (200 ms)", "MS" },
    { "die-with-parent", 0, 0, G_OPTION_ARG_NONE, &options->die_with_parent,
        "End when the program that started this one ends", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
      "An Amazon IVS stage on this computer: publish to it over WHIP, watch it "
      "in a browser.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (options->port < 0 || options->port > 65535 ||
      options->regional_port < 0 || options->regional_port > 65535) {
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "A port is a number from 0 to 65535");
    return FALSE;
  }
  if (options->patience_ms < 0) {
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--patience is a number of milliseconds, 1 or more");
    return FALSE;
  }
  return TRUE;
}

/* -- While it runs ------------------------------------------------------------------ */

static gboolean
second_passed (gpointer data)
{
  Program *program = data;
  g_autofree gchar *line = NULL;

  stage_tick (program->stage);
  if (program->options.quiet)
    return G_SOURCE_CONTINUE;
  line = stage_status_line (program->stage, program->journal);
  if (g_strcmp0 (line, program->last_line) != 0)
    fprintf (stderr, "%s\n", line);
  g_free (program->last_line);
  program->last_line = g_steal_pointer (&line);
  return G_SOURCE_CONTINUE;
}

static gboolean
end_came (gpointer data)
{
  Program *program = data;

  g_main_loop_quit (program->loop);
  return G_SOURCE_CONTINUE;
}

/* For programs that start this one: which ports it got. It is all that ever
 * stands on the standard output; what is for people goes to the other one. */
static void
print_ready (Program *program)
{
  const gchar *global = stage_http_get_global_url (program->http);

  printf (
      "{\"ready\":true,\"page\":\"%s/\",\"whip\":\"%s/\",\"api\":\"%s/api\","
      "\"regional\":\"%s\"}\n",
      global, global, global, stage_http_get_regional_url (program->http));
  fflush (stdout);
  if (!program->options.quiet)
    fprintf (stderr, "Look at the stage:  %s/\n", global);
}

static void
become_ready (Program *program)
{
  print_ready (program);
  g_timeout_add_seconds (1, second_passed, program);
  if (program->options.seconds > 0)
    g_timeout_add_seconds ((guint) program->options.seconds, end_came, program);
}

/* -- Warming up --------------------------------------------------------------------- */

/* The first answer of a process loads plugins and makes a certificate, which
 * takes up to 0.6 s; the one for this offer is thrown away. */
static const gchar warm_up_offer[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 97\r\nc=IN IP4 0.0.0.0\r\n"
    "a=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=setup:actpass\r\n"
    "a=ice-ufrag:warm\r\na=ice-pwd:warmwarmwarmwarmwarmwarm\r\n"
    "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
    "a=rtpmap:97 H264/90000\r\n"
    "a=fmtp:97 packetization-mode=1;profile-level-id=42e01f\r\n";

static void
warmed_up (const gchar *sdp, const GError *error, gpointer data)
{
  Program *program = data;

  if (error != NULL)
    g_printerr ("The stage cannot answer offers: %s\n", error->message);
  stage_peer_close (program->warm_up);
  become_ready (program);
}

static void
warm_up_changed (GstWebRTCPeerConnectionState state, gpointer data)
{
}

static gboolean
warm_up (Program *program, GError **error)
{
  static const StagePeerEvents events = { .answered = warmed_up,
    .state_changed = warm_up_changed };

  program->warm_up = stage_peer_new (stage_get_ice_address (program->stage),
      &events, program, error);
  if (program->warm_up == NULL)
    return FALSE;
  stage_peer_answer (program->warm_up, warm_up_offer);
  return TRUE;
}

/* -- Start and end --------------------------------------------------------------------- */

static gboolean
read_certificate (const Options *options, GTlsCertificate **certificate,
    GError **error)
{
  *certificate = NULL;
  if (options->certificate == NULL && options->key == NULL)
    return TRUE;
  if (options->certificate == NULL || options->key == NULL) {
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "--tls-certificate and --tls-key belong together");
    return FALSE;
  }
  *certificate = g_tls_certificate_new_from_files (options->certificate,
      options->key, error);
  return *certificate != NULL;
}

static void
warn_of_address (GInetAddress *address, const gchar *text)
{
  if (!g_inet_address_get_is_loopback (address))
    g_printerr (
        "Warning: everybody who reaches %s can mint tokens, publish and "
        "watch here; this is a test tool, not a server for the internet.\n",
        text);
}

static gboolean
set_up (Program *program, GError **error)
{
  const gchar *text =
      program->options.address != NULL ? program->options.address : "127.0.0.1";
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  g_autoptr (GTlsCertificate) certificate = NULL;
  StageHttpOptions options = { text, (guint16) program->options.port,
    (guint16) program->options.regional_port };

  if (address == NULL) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "'%s' is no IP address", text);
    return FALSE;
  }
  if (!read_certificate (&program->options, &certificate, error))
    return FALSE;
  options.certificate = certificate;
  warn_of_address (address, text);
  stage_record_into (program->options.record);
  if (program->options.patience_ms > 0)
    stage_peer_set_patience ((guint) program->options.patience_ms);
  program->journal = stage_journal_new ();
  program->stage =
      stage_new (g_inet_address_get_is_any (address) ? NULL : text);
  program->http =
      stage_http_new (program->stage, program->journal, &options, error);
  if (program->http == NULL)
    return FALSE;
  program->api =
      stage_api_new (program->stage, program->journal, program->http);
  program->events = stage_events_new (program->stage, program->http);
  return warm_up (program, error);
}

static void
tear_down (Program *program)
{
  g_clear_pointer (&program->events, stage_events_free);
  if (program->warm_up != NULL)
    stage_peer_close (program->warm_up);
  g_clear_pointer (&program->warm_up, stage_peer_unref);
  g_clear_pointer (&program->stage, stage_free);
  g_clear_pointer (&program->http, stage_http_free);
  g_clear_pointer (&program->api, stage_api_free);
  g_clear_pointer (&program->journal, stage_journal_free);
  g_clear_pointer (&program->loop, g_main_loop_unref);
  g_free (program->last_line);
  g_free (program->options.address);
  g_free (program->options.certificate);
  g_free (program->options.key);
  g_free (program->options.record);
  stage_record_into (NULL);
}

static void
die_with_parent (pid_t parent)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  if (getppid () != parent) /* it was faster */
    raise (SIGTERM);
}

int
main (int argc, char **argv)
{
  Program program = { 0 };
  g_autoptr (GError) error = NULL;
  pid_t parent = getppid ();
  gboolean well;

  gst_init (NULL, NULL);
  well = parse_options (&program.options, &argc, &argv, &error);
  if (well && program.options.die_with_parent)
    die_with_parent (parent);
  program.loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGINT, end_came, &program);
  g_unix_signal_add (SIGTERM, end_came, &program);
  well = well && set_up (&program, &error);
  if (well)
    g_main_loop_run (program.loop);
  else
    g_printerr ("%s\n", error->message);
  tear_down (&program);
  return well ? 0 : 1;
}
