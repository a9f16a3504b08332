/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-bench-publish: publishes by one of several senders, and tells what it cost.
 *
 *     ivs-bench-publish --sender element --endpoint URL --tokens FILE [...]
 *
 * FILE has one line for each session: "TOKEN" or "TOKEN URL". It publishes until its
 * standard input ends or what was asked for is measured, then stops, and prints one line
 * of JSON. Times are microseconds of the monotonic clock.
 */
#include <dirent.h>
#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bare.h"
#include "program.h"

#ifdef HAVE_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

/* Until everything flows: loading, handshake, the first reports. */
#define SETTLE_MS 4000
#define SETTLE_FRAMES 60
#define LIVE_SECONDS 30

#define H264_RTP(settings) \
  " ! h264parse config-interval=-1 ! rtph264pay pt=97 config-interval=-1 " \
  "aggregate-mode=zero-latency" settings \
  " ! application/x-rtp,media=video,encoding-name=H264,payload=97," \
  "clock-rate=90000"
#define VIDEO_RTP H264_RTP ("")
/* With what the element does otherwise: packets that fit every path, and transport-wide
 * sequence numbers. */
#define SAME_VIDEO_RTP H264_RTP (" mtu=1200") TWCC
#define TWCC \
  ",extmap-3=(string)\"http://www.ietf.org/id/" \
  "draft-holmer-rmcat-transport-wide-cc-extensions-01\""
#define AUDIO_RTP \
  " ! opusparse ! rtpopuspay pt=96 ! application/x-rtp,media=audio," \
  "encoding-name=OPUS,payload=96,clock-rate=48000"

/* How a stream goes on, and what takes it. */
typedef struct
{
  const gchar *name;
  const gchar *element;
  const gchar *audio, *video;
} Sender;

static const Sender senders[] = {
  { "element", "ivsstagesink name=sink",
      " ! capsfilter caps=audio/x-opus ! sink.",
      " ! capsfilter caps=video/x-h264 ! sink." },
  { "bare", "webrtcbin name=sink bundle-policy=max-bundle",
      AUDIO_RTP " ! sink.sink_0", VIDEO_RTP " ! sink.sink_1" },
  { "bare-lean", "webrtcbin name=sink bundle-policy=max-bundle",
      AUDIO_RTP " ! sink.sink_0", VIDEO_RTP " ! sink.sink_1" },
  { "bare-same", "webrtcbin name=sink bundle-policy=max-bundle",
      AUDIO_RTP TWCC " ! sink.sink_0", SAME_VIDEO_RTP " ! sink.sink_1" },
  { "fakesink", "", AUDIO_RTP " ! fakesink sync=true",
      VIDEO_RTP " ! fakesink sync=true" },
  { "whipsink", "whipsink name=sink", AUDIO_RTP " ! sink.sink_0",
      VIDEO_RTP " ! sink.sink_1" },
  { "whipclientsink", "whipclientsink name=sink", " ! opusparse ! sink.",
      " ! h264parse ! sink." },
};

typedef struct
{
  gchar *sender_name, *endpoint, *tokens, *ca, *file;
  gboolean is_audio_only;
  gint paused_ms, measure_s, frames, cycles;
} Options;

typedef struct
{
  struct rusage usage;
  gint64 at;
} Mark;

typedef struct
{
  const Sender *sender;
  Options options;
  SoupSession *session;
  GTlsDatabase *database;
  GMainLoop *loop;
  GPtrArray *publications;
  gint64 started;
  Mark begin, end;
  guint threads, descriptors;
  glong rss_kb, settled_rss_kb; /* the latter: after a quarter of the cycles */
  gint64 stopping, stopped;
} Program;

typedef struct
{
  Program *program;
  GstElement *pipeline;
  Bare *bare;
  gint64 playing, live, stopped;
  gint frames; /* the streaming thread's */
  gchar *error;
  GstStructure *stats;
} Publication;

/* -- Pipelines -------------------------------------------------------------------- */

static gchar *
describe (const Program *program)
{
  const Sender *sender = program->sender;
  const Options *options = &program->options;
  g_autofree gchar *video = NULL;

  if (options->file != NULL) {
    if (!options->is_audio_only)
      video = g_strdup_printf ("demux.video_0 ! queue name=frames %s",
          sender->video);
    return g_strdup_printf (
        "%s filesrc location=\"%s\" ! matroskademux name=demux "
        "demux.audio_0 ! queue %s %s",
        sender->element, options->file, sender->audio,
        video != NULL ? video : "");
  }
  if (!options->is_audio_only)
    video =
        g_strdup_printf ("videotestsrc is-live=true ! "
                         "video/x-raw,width=640,height=360,framerate=30/1 ! "
                         "x264enc tune=zerolatency speed-preset=ultrafast "
                         "threads=1 key-int-max=60 bitrate=1000 ! "
                         "video/x-h264,profile=constrained-baseline %s",
            sender->video);
  return g_strdup_printf ("%s audiotestsrc is-live=true ! opusenc %s %s",
      sender->element, sender->audio, video != NULL ? video : "");
}

static void
connection_changed (GstElement *sink, GParamSpec *spec, gpointer data)
{
  Publication *self = data;
  gint state = 0;
  g_autoptr (GEnumClass) names = g_type_class_ref (spec->value_type);

  g_object_get (sink, "connection-state", &state, NULL);
  if (self->live == 0 &&
      g_strcmp0 (g_enum_get_value (names, state)->value_nick, "connected") == 0)
    self->live = g_get_monotonic_time ();
  g_main_context_wakeup (NULL);
}

static void
set_up_element (Publication *self, GstElement *sink, const gchar *endpoint,
    const gchar *token)
{
  g_object_set (sink, "whip-endpoint", endpoint, "auth-token", token, NULL);
  if (self->program->database != NULL)
    g_object_set (sink, "tls-database", self->program->database, NULL);
  g_signal_connect (sink, "notify::connection-state",
      G_CALLBACK (connection_changed), self);
}

static void
set_up_sink (Publication *self, const gchar *endpoint, const gchar *token)
{
  const gchar *name = self->program->sender->name;
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");

  if (g_str_equal (name, "element"))
    set_up_element (self, sink, endpoint, token);
  else if (g_str_has_prefix (name, "bare"))
    self->bare = bare_new (sink, self->program->session, endpoint, token,
        !g_str_equal (name, "bare"), g_str_equal (name, "bare-same"));
  else if (g_str_equal (name, "whipsink"))
    g_object_set (sink, "whip-endpoint", endpoint, "auth-token", token, NULL);
  else if (g_str_equal (name, "whipclientsink"))
    gst_child_proxy_set (GST_CHILD_PROXY (sink), "signaller::whip-endpoint",
        endpoint, "signaller::auth-token", token, NULL);
}

static gboolean
bus_message_came (GstBus *bus, GstMessage *message, gpointer data)
{
  Publication *self = data;
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    if (self->error == NULL)
      self->error = g_strdup (error->message);
  }
  return G_SOURCE_CONTINUE;
}

/* The same frames for every sender: those after the handshake. */
static GstPadProbeReturn
frame_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Publication *self = data;
  gint frame = self->frames++;

  if (frame == SETTLE_FRAMES) {
    CALLGRIND_START_INSTRUMENTATION;
  } else if (frame == SETTLE_FRAMES + self->program->options.frames) {
    CALLGRIND_STOP_INSTRUMENTATION;
    g_main_loop_quit (self->program->loop);
  }
  return GST_PAD_PROBE_OK;
}

static void
count_frames (Publication *self)
{
  g_autoptr (GstElement) queue =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "frames");
  g_autoptr (GstPad) pad = NULL;

  if (queue == NULL || self->program->options.frames == 0)
    return;
  pad = gst_element_get_static_pad (queue, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, frame_passed, self, NULL);
}

static void
add_publication (Program *program, const gchar *line)
{
  Publication *self = g_new0 (Publication, 1);
  g_auto (GStrv) words = g_strsplit (line, " ", 2);
  g_autofree gchar *description = describe (program);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = NULL;

  self->program = program;
  self->pipeline = gst_object_ref_sink (gst_parse_launch (description, &error));
  if (error != NULL)
    g_error ("%s: %s", program->sender->name, error->message);
  set_up_sink (self, words[1] != NULL ? words[1] : program->options.endpoint,
      words[0]);
  bus = gst_element_get_bus (self->pipeline);
  gst_bus_add_watch (bus, bus_message_came, self);
  count_frames (self);
  g_ptr_array_add (program->publications, self);
}

static void
add_publications (Program *program)
{
  g_autofree gchar *text = program_read_text (program->options.tokens);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    add_publication (program, lines[i]);
}

/* -- Running ---------------------------------------------------------------------- */

static void
play (Program *program)
{
  for (guint i = 0; i < program->publications->len; i++) {
    Publication *self = g_ptr_array_index (program->publications, i);

    self->playing = g_get_monotonic_time ();
    gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  }
}

static gboolean
pause_ended (gpointer data)
{
  play (data);
  return G_SOURCE_REMOVE;
}

static guint
count_entries (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static glong
get_rss_kb (void)
{
  g_autofree gchar *text = NULL;
  glong pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %ld", &pages);
  return pages * sysconf (_SC_PAGESIZE) / 1024;
}

static void
set_mark (Mark *mark)
{
  getrusage (RUSAGE_SELF, &mark->usage);
  mark->at = g_get_monotonic_time ();
}

static gboolean
measured (gpointer data)
{
  Program *program = data;

  set_mark (&program->end);
  program->threads = count_entries ("/proc/self/task");
  program->descriptors = count_entries ("/proc/self/fd");
  program->rss_kb = get_rss_kb ();
  g_main_loop_quit (program->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
settled (gpointer data)
{
  Program *program = data;

  set_mark (&program->begin);
  g_timeout_add_seconds ((guint) program->options.measure_s, measured, program);
  return G_SOURCE_REMOVE;
}

static gboolean
waited_enough (gpointer data)
{
  g_error ("A session did not go live");
  return G_SOURCE_REMOVE;
}

/* One session after the other, in one process. */
static void
run_cycles (Program *program)
{
  Publication *self = g_ptr_array_index (program->publications, 0);

  for (gint i = 0; i < program->options.cycles; i++) {
    guint limit = g_timeout_add_seconds (LIVE_SECONDS, waited_enough, NULL);

    self->live = 0;
    play (program);
    while (self->live == 0)
      g_main_context_iteration (NULL, TRUE);
    g_source_remove (limit);
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
    if (i == program->options.cycles / 4)
      program->settled_rss_kb = get_rss_kb ();
  }
  program->threads = count_entries ("/proc/self/task");
  program->descriptors = count_entries ("/proc/self/fd");
  program->rss_kb = get_rss_kb ();
}

static void
run (Program *program)
{
  if (program->options.paused_ms > 0) {
    for (guint i = 0; i < program->publications->len; i++) {
      Publication *self = g_ptr_array_index (program->publications, i);

      gst_element_set_state (self->pipeline, GST_STATE_PAUSED);
    }
    g_timeout_add ((guint) program->options.paused_ms, pause_ended, program);
  } else {
    play (program);
  }
  if (program->options.measure_s > 0)
    g_timeout_add (SETTLE_MS, settled, program);
  program_end_with_input (program->loop);
  g_main_loop_run (program->loop);
}

/* -- The end ---------------------------------------------------------------------- */

static void
collect (Publication *self)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");

  if (self->bare != NULL)
    self->live = bare_get_live (self->bare);
  else if (g_str_equal (self->program->sender->name, "element"))
    g_object_get (sink, "stats", &self->stats, NULL);
}

static gpointer
stop (gpointer data)
{
  Publication *self = data;

  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  self->stopped = g_get_monotonic_time ();
  return NULL;
}

static void
stop_all (Program *program)
{
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();

  for (guint i = 0; i < program->publications->len; i++)
    collect (g_ptr_array_index (program->publications, i));
  program->stopping = g_get_monotonic_time ();
  for (guint i = 0; i < program->publications->len; i++)
    g_ptr_array_add (threads,
        g_thread_new ("stop", stop,
            g_ptr_array_index (program->publications, i)));
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  program->stopped = g_get_monotonic_time ();
}

static void
add_int (JsonBuilder *builder, const gchar *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_step (JsonBuilder *builder, const GstStructure *stats, const gchar *name)
{
  guint64 value = 0;

  if (gst_structure_get_uint64 (stats, name, &value))
    add_int (builder, name, (gint64) (value / GST_USECOND));
}

static void
write_publication (Publication *self, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  add_int (builder, "playing", self->playing);
  add_int (builder, "live", self->live);
  if (self->bare != NULL) {
    add_int (builder, "posted", bare_get_posted (self->bare));
    add_int (builder, "answered", bare_get_answered (self->bare));
  }
  if (self->stats != NULL) {
    add_step (builder, self->stats, "time-to-offer");
    add_step (builder, self->stats, "time-to-answer");
    add_step (builder, self->stats, "time-to-live");
  }
  if (self->error != NULL) {
    json_builder_set_member_name (builder, "error");
    json_builder_add_string_value (builder, self->error);
  }
  json_builder_end_object (builder);
}

static gint64
to_us (const struct timeval *time)
{
  return time->tv_sec * G_USEC_PER_SEC + time->tv_usec;
}

static void
write_cost (Program *program, JsonBuilder *builder)
{
  const struct rusage *begin = &program->begin.usage,
                      *end = &program->end.usage;

  add_int (builder, "wall", program->end.at - program->begin.at);
  add_int (builder, "user", to_us (&end->ru_utime) - to_us (&begin->ru_utime));
  add_int (builder, "system",
      to_us (&end->ru_stime) - to_us (&begin->ru_stime));
  add_int (builder, "switches",
      end->ru_nvcsw + end->ru_nivcsw - begin->ru_nvcsw - begin->ru_nivcsw);
}

static void
write_result (Program *program)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree gchar *text = NULL;

  json_builder_begin_object (builder);
  add_int (builder, "started", program->started);
  add_int (builder, "stop", program->stopped - program->stopping);
  if (program->end.at > 0)
    write_cost (program, builder);
  add_int (builder, "threads", program->threads);
  add_int (builder, "descriptors", program->descriptors);
  add_int (builder, "rss_kb", program->rss_kb);
  add_int (builder, "settled_rss_kb", program->settled_rss_kb);
  json_builder_set_member_name (builder, "sessions");
  json_builder_begin_array (builder);
  for (guint i = 0; i < program->publications->len; i++)
    write_publication (g_ptr_array_index (program->publications, i), builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  printf ("%s\n", text);
}

static void
publication_free (gpointer data)
{
  Publication *self = data;
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  gst_bus_remove_watch (bus);
  g_clear_pointer (&self->bare, bare_free);
  g_clear_pointer (&self->stats, gst_structure_free);
  gst_object_unref (self->pipeline);
  g_free (self->error);
  g_free (self);
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
  const GOptionEntry entries[] = {
    { "sender", 0, 0, G_OPTION_ARG_STRING, &options->sender_name,
        "element, bare, bare-lean, bare-same, fakesink, whipsink or whipclientsink",
        "NAME" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &options->endpoint,
        "Where to publish", "URL" },
    { "tokens", 0, 0, G_OPTION_ARG_FILENAME, &options->tokens,
        "A token in each line", "FILE" },
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &options->ca,
        "The certificate to trust", "PEM" },
    { "file", 0, 0, G_OPTION_ARG_FILENAME, &options->file,
        "H.264 and Opus, instead of encoding", "MKV" },
    { "audio-only", 0, 0, G_OPTION_ARG_NONE, &options->is_audio_only,
        "No video", NULL },
    { "paused", 0, 0, G_OPTION_ARG_INT, &options->paused_ms,
        "In PAUSED for so long before PLAYING", "MS" },
    { "measure", 0, 0, G_OPTION_ARG_INT, &options->measure_s,
        "What it costs in so many seconds", "N" },
    { "frames", 0, 0, G_OPTION_ARG_INT, &options->frames,
        "callgrind counts so many, then it ends", "N" },
    { "cycles", 0, 0, G_OPTION_ARG_INT, &options->cycles,
        "Start and stop so often (element only)", "N" },
    { NULL }
  };

  program_parse_options (entries, argc, argv);
}

int
main (int argc, char **argv)
{
  Program program = { .started = g_get_monotonic_time () };
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  parse_options (&program.options, &argc, &argv);
  program.sender = find_sender (program.options.sender_name);
  program.loop = g_main_loop_new (NULL, FALSE);
  program.publications = g_ptr_array_new_with_free_func (publication_free);
  program.session = soup_session_new ();
  if (program.options.ca != NULL) {
    program.database = g_tls_file_database_new (program.options.ca, &error);
    if (program.database == NULL)
      g_error ("%s", error->message);
    soup_session_set_tls_database (program.session, program.database);
  }

  add_publications (&program);
  if (program.options.cycles > 0)
    run_cycles (&program);
  else
    run (&program);
  stop_all (&program);
  write_result (&program);
  g_ptr_array_unref (program.publications);
  g_clear_object (&program.database);
  g_object_unref (program.session);
  g_main_loop_unref (program.loop);
  return 0;
}
