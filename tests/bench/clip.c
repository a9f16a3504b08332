/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-bench-clip: publishes a clip with numbered pictures, as a camera would.
 *
 *     ivs-bench-clip --sender element|bare --endpoint URL --tokens FILE --clip FILE --epoch US
 *
 * Picture n is captured n/30 s after the epoch, microseconds of the wall clock; one
 * that is missed is left out, as a camera does. With a tone. It ends with its standard
 * input and then prints how many pictures it captured per second.
 */
#include <gst/app/app.h>
#include <gst/gst.h>
#include <stdio.h>

#include "bare.h"
#include "clip-number.h"
#include "program.h"

#define CAPS \
  "video/x-raw,format=I420,width=640,height=360,framerate=30/1," \
  "pixel-aspect-ratio=1/1"
#define SOURCES \
  "appsrc name=camera is-live=true format=time do-timestamp=true " \
  "max-buffers=3 leaky-type=downstream caps=" CAPS \
  " %s audiotestsrc is-live=true ! audio/x-raw,channels=1,rate=48000 %s "

typedef struct
{
  const gchar *name;
  const gchar *video, *audio, *sink;
} Sender;

/* The bare one has the encoder as the element sets it up, but for the rate. */
static const Sender senders[] = {
  { "element", "! sink.", "! sink.", "ivsstagesink name=sink" },
  { "bare",
      "! queue ! x264enc tune=zerolatency speed-preset=veryfast threads=1 bframes=0 "
      "sliced-threads=false rc-lookahead=0 byte-stream=true "
      "option-string=scenecut=0 key-int-max=60 bitrate=2500 "
      "! video/x-h264,profile=constrained-baseline "
      "! rtph264pay pt=97 config-interval=-1 aggregate-mode=zero-latency "
      "! application/x-rtp,media=video,encoding-name=H264,payload=97,clock-rate=90000 "
      "! sink.sink_1",
      "! opusenc bitrate=64000 ! rtpopuspay pt=96 "
      "! application/x-rtp,media=audio,encoding-name=OPUS,payload=96,clock-rate=48000 "
      "! sink.sink_0",
      "webrtcbin name=sink bundle-policy=max-bundle" },
};

typedef struct
{
  gchar *sender, *endpoint, *tokens, *clip;
  gint64 epoch_us;
} Options;

typedef struct
{
  const Sender *sender;
  GMappedFile *clip;
  gint64 epoch_us;
  GstElement *pipeline;
  GMainLoop *loop;
  gint is_ending; /* atomic */
  gdouble rate;   /* the camera's thread's, while it runs */
} Program;

/* -- The camera ------------------------------------------------------------------- */

static GstBuffer *
take_picture (Program *program, guint16 number)
{
  guint8 *picture = g_memdup2 (clip_find (program->clip, number), CLIP_SIZE);

  clip_number_write (picture, number);
  return gst_buffer_new_wrapped (picture, CLIP_SIZE);
}

static gpointer
capture (gpointer data)
{
  Program *program = data;
  g_autoptr (GstElement) camera =
      gst_bin_get_by_name (GST_BIN (program->pipeline), "camera");
  gint64 began_us = g_get_monotonic_time ();
  guint captured = 0;

  while (!g_atomic_int_get (&program->is_ending)) {
    gint64 since_us = g_get_real_time () - program->epoch_us;
    gint64 next = MAX (since_us * CLIP_RATE / G_USEC_PER_SEC + 1, 0);

    g_usleep (
        (gulong) MAX (CLIP_TIME (program->epoch_us, next) - g_get_real_time (),
            0));
    gst_app_src_push_buffer (GST_APP_SRC (camera),
        take_picture (program, (guint16) next));
    captured++;
  }
  program->rate = captured * (gdouble) G_USEC_PER_SEC /
      (gdouble) (g_get_monotonic_time () - began_us);
  return NULL;
}

/* -- Life ------------------------------------------------------------------------- */

static gboolean
bus_message_came (GstBus *bus, GstMessage *message, gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return G_SOURCE_CONTINUE;
  gst_message_parse_error (message, &error, NULL);
  g_printerr ("%s: %s\n", GST_OBJECT_NAME (GST_MESSAGE_SRC (message)),
      error->message);
  g_main_loop_quit (((Program *) data)->loop);
  return G_SOURCE_CONTINUE;
}

static void
run (Program *program)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (program->pipeline);
  GThread *camera;

  program->loop = g_main_loop_new (NULL, FALSE);
  gst_bus_add_watch (bus, bus_message_came, program);
  program_end_with_input (program->loop);
  gst_element_set_state (program->pipeline, GST_STATE_PLAYING);
  camera = g_thread_new ("camera", capture, program);
  g_main_loop_run (program->loop);
  g_atomic_int_set (&program->is_ending, TRUE);
  g_thread_join (camera);
  gst_element_set_state (program->pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  g_main_loop_unref (program->loop);
}

static void
publish (Program *program, const Options *options, const gchar *token)
{
  g_autofree gchar *sources =
      g_strdup_printf (SOURCES, program->sender->video, program->sender->audio);
  g_autofree gchar *description =
      g_strconcat (program->sender->sink, " ", sources, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (SoupSession) session = soup_session_new ();
  Bare *bare = NULL;

  program->pipeline =
      gst_object_ref_sink (gst_parse_launch (description, &error));
  if (error != NULL)
    g_error ("%s", error->message);
  sink = gst_bin_get_by_name (GST_BIN (program->pipeline), "sink");
  if (g_str_equal (program->sender->name, "bare"))
    bare = bare_new (sink, session, options->endpoint, token, TRUE, FALSE);
  else
    g_object_set (sink, "whip-endpoint", options->endpoint, "auth-token", token,
        NULL);
  run (program);
  g_clear_pointer (&bare, bare_free);
  gst_object_unref (program->pipeline);
}

static const Sender *
find_sender (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    if (g_strcmp0 (name, senders[i].name) == 0)
      return &senders[i];
  g_error ("There is no sender \"%s\"", name);
}

static void
parse_options (Options *options, int *argc, char ***argv)
{
  const GOptionEntry entries[] = { { "sender", 0, 0, G_OPTION_ARG_STRING,
                                       &options->sender, "element or bare",
                                       "NAME" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &options->endpoint,
        "Where to publish", "URL" },
    { "tokens", 0, 0, G_OPTION_ARG_FILENAME, &options->tokens,
        "The token, in a file", "FILE" },
    { "clip", 0, 0, G_OPTION_ARG_FILENAME, &options->clip,
        "640x360, I420, without a head", "FILE" },
    { "epoch", 0, 0, G_OPTION_ARG_INT64, &options->epoch_us,
        "When picture 0 is captured, of the wall clock", "US" },
    { NULL } };

  program_parse_options (entries, argc, argv);
}

int
main (int argc, char **argv)
{
  Options options = { 0 };
  Program program = { 0 };
  g_autofree gchar *token = NULL;

  gst_init (&argc, &argv);
  parse_options (&options, &argc, &argv);
  program.sender = find_sender (options.sender);
  program.epoch_us = options.epoch_us;
  program.clip = program_map_file (options.clip);
  token = program_read_text (options.tokens);
  publish (&program, &options, token);
  g_mapped_file_unref (program.clip);
  printf ("{\"rate\":%.2f}\n", program.rate);
  return 0;
}
