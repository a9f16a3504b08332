/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An application that publishes: shows state and errors, hands out fresh tokens.
 *
 *   publish [--seconds N] COMMAND...
 *
 * COMMAND prints a participant token. It is run at every attempt: at the start, when
 * a session was lost, shortly before one ends by its age. With AWS's command line:
 *
 *   publish aws ivs-realtime create-participant-token --stage-arn ARN \
 *     --query participantToken.token --output text
 */
#include <glib-unix.h>
#include <gst/gst.h>
#include <gst/ivs/ivsstagesink.h>

#define PIPELINE \
  "videotestsrc is-live=true ! video/x-raw,width=1280,height=720,framerate=30/1 " \
  "! timeoverlay ! ivsstagesink name=stage renew-session=true max-retries=-1 " \
  "audiotestsrc is-live=true wave=ticks ! stage."

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline;
  gchar **command;
  gboolean has_failed;
  gboolean is_ending;
} App;

/* -- Tokens ------------------------------------------------------------------------ */

/* On a thread of the element that may wait, but while it waits nothing else of the
 * control path happens. NULL: the element asks its properties and the environment. */
static gchar *
token_requested (GstElement *stage, gpointer data)
{
  App *app = data;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *token = NULL;
  gint status = 0;

  if (!g_spawn_sync (NULL, app->command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
          &token, NULL, &status, &error) ||
      !g_spawn_check_wait_status (status, &error)) {
    g_printerr ("No token: %s\n", error->message);
    return NULL;
  }
  return g_strdup (g_strstrip (token));
}

/* -- What the element tells ---------------------------------------------------------- */

static void
show_state (const GstStructure *message)
{
  const gchar *participant =
      gst_structure_get_string (message, IVS_STAGE_FIELD_PARTICIPANT_ID);

  g_print ("state: %s (participant %s)\n",
      gst_structure_get_string (message, IVS_STAGE_FIELD_STATE),
      participant != NULL ? participant : "not known yet");
}

/* Not an error: the element comes back by itself. */
static void
show_lost (const GstStructure *message)
{
  g_print ("lost: %s\n  It may be: %s\n  Look it up: %s\n",
      gst_structure_get_string (message, IVS_STAGE_FIELD_SENTENCE),
      gst_structure_get_string (message, IVS_STAGE_FIELD_POSSIBLE_CAUSES),
      gst_structure_get_string (message, IVS_STAGE_FIELD_LOOK_UP));
}

static void
show_time_left (const gchar *what, const GstStructure *message)
{
  guint64 seconds = 0;

  gst_structure_get_uint64 (message, IVS_STAGE_FIELD_SECONDS_LEFT, &seconds);
  g_print ("%s ends in %" G_GUINT64_FORMAT " s\n", what, seconds);
}

static void
element_told (GstBus *bus, GstMessage *message, gpointer data)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (gst_structure_has_name (structure, IVS_STAGE_MESSAGE_STATE))
    show_state (structure);
  else if (gst_structure_has_name (structure, IVS_STAGE_MESSAGE_LOST))
    show_lost (structure);
  else if (gst_structure_has_name (structure, IVS_STAGE_MESSAGE_TOKEN_EXPIRING))
    show_time_left ("the token", structure);
  else if (gst_structure_has_name (structure, IVS_STAGE_MESSAGE_SESSION_ENDING))
    show_time_left ("the session", structure);
}

/* The sentence says what happened, the hint what to do; "name" is for programs. */
static void
show_failure (const gchar *severity, const GError *error,
    const GstStructure *details)
{
  const gchar *name = details != NULL
      ? gst_structure_get_string (details, IVS_STAGE_FIELD_NAME)
      : NULL;
  const gchar *hint = details != NULL
      ? gst_structure_get_string (details, IVS_STAGE_FIELD_HINT)
      : NULL;

  g_printerr ("%s%s%s%s: %s\n", severity, name != NULL ? " (" : "",
      name != NULL ? name : "", name != NULL ? ")" : "", error->message);
  if (hint != NULL)
    g_printerr ("  %s\n", hint);
}

static void
warned (GstBus *bus, GstMessage *message, gpointer data)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *details = NULL;

  gst_message_parse_warning (message, &error, NULL);
  gst_message_parse_warning_details (message, &details);
  show_failure ("warning", error, details);
}

/* It will not come back by itself. */
static void
failed (GstBus *bus, GstMessage *message, gpointer data)
{
  App *app = data;
  g_autoptr (GError) error = NULL;
  const GstStructure *details = NULL;

  gst_message_parse_error (message, &error, NULL);
  gst_message_parse_error_details (message, &details);
  show_failure ("error", error, details);
  app->has_failed = TRUE;
  g_main_loop_quit (app->loop);
}

static void
ended (GstBus *bus, GstMessage *message, gpointer data)
{
  App *app = data;

  g_main_loop_quit (app->loop);
}

static void
watch_bus (App *app)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (app->pipeline);

  gst_bus_add_signal_watch (bus);
  g_signal_connect (bus, "message::element", G_CALLBACK (element_told), app);
  g_signal_connect (bus, "message::warning", G_CALLBACK (warned), app);
  g_signal_connect (bus, "message::error", G_CALLBACK (failed), app);
  g_signal_connect (bus, "message::eos", G_CALLBACK (ended), app);
}

/* -- From start to end ------------------------------------------------------------------ */

/* The first time: the streams end, what is on its way leaves, the session is deleted
 * at the stage, then EOS comes. The second time: at once. */
static gboolean
end_requested (gpointer data)
{
  App *app = data;

  if (app->is_ending)
    g_main_loop_quit (app->loop);
  app->is_ending = TRUE;
  gst_element_send_event (app->pipeline, gst_event_new_eos ());
  return G_SOURCE_CONTINUE;
}

static void
run (App *app, gint seconds)
{
  g_autoptr (GstElement) stage =
      gst_bin_get_by_name (GST_BIN (app->pipeline), "stage");

  app->loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (stage, "request-token", G_CALLBACK (token_requested), app);
  watch_bus (app);
  g_unix_signal_add (SIGINT, end_requested, app);
  if (seconds > 0)
    g_timeout_add_seconds ((guint) seconds, end_requested, app);
  gst_element_set_state (app->pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app->loop);
  gst_element_set_state (app->pipeline, GST_STATE_NULL);
  g_main_loop_unref (app->loop);
}

int
main (int argc, char **argv)
{
  App app = { 0 };
  gint seconds = 0;
  const GOptionEntry entries[] = { { "seconds", 's', 0, G_OPTION_ARG_INT,
                                       &seconds, "End after so long", "N" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &app.command,
        "Prints a participant token", "COMMAND..." },
    { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_set_description (context,
      "COMMAND is run before each attempt; the participant token is what it prints:\n"
      "  publish -- aws ivs-realtime create-participant-token --stage-arn ... \\\n"
      "      --query participantToken.token --output text");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  if (app.command == NULL) {
    g_printerr ("Say which command prints a participant token (--help)\n");
    return 2;
  }
  app.pipeline = gst_parse_launch (PIPELINE, &error);
  if (app.pipeline == NULL) {
    g_printerr ("%s (is the plugin's folder in GST_PLUGIN_PATH?)\n",
        error->message);
    return 1;
  }
  run (&app, seconds);
  gst_object_unref (app.pipeline);
  g_strfreev (app.command);
  return app.has_failed ? 1 : 0;
}
