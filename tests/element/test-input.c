/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pad of the element, between an application's pipeline and the gates, with a
 * bin in the place of the element.
 */
#include "end-gstreamer.h"
#include "gstivsinput.h"
#include "ivs-error.h"
#include "load-plugins.h"
#include "no-error-posted.h"
#include <gst/app/gstappsrc.h>
#include <gst/rtp/rtp.h>
#include <string.h>

#define DEADLINE (30 * G_USEC_PER_SEC)

static const GstIvsStreamId ids[GST_IVS_N_KINDS] = {
  { 1, 96, 48000, 1 },
  { 2, 97, 90000, 3 },
};

/* -- An element in miniature -------------------------------------------------------- */

typedef struct _Stage Stage;

/* What a streaming thread counts, under the stage's lock. */
typedef struct
{
  Stage *stage;
  guint n;
} Counter;

struct _Stage
{
  GstElement *pipeline;
  GstBin *bin;
  GstIvsGate *gates[GST_IVS_N_KINDS];
  Counter arrived[GST_IVS_N_KINDS]; /* buffers at the gates */
  Counter packets[GST_IVS_N_KINDS]; /* that left the gates */
  GstIvsInput *owners[GST_IVS_N_KINDS];
  guint n_pads;

  GMutex lock;
  GCond changed;
  guint ready, ended, failed;
  gint encoders, payloaders;
  GError *error; /* the last */
};

static GstIvsGate *
get_gate (GstIvsInput *input, GstIvsKind kind, gpointer data)
{
  Stage *stage = data;
  gboolean mine;

  g_mutex_lock (&stage->lock);
  mine = stage->owners[kind] == NULL || stage->owners[kind] == input;
  if (mine)
    stage->owners[kind] = input;
  g_mutex_unlock (&stage->lock);
  return mine ? gst_object_ref (stage->gates[kind]) : NULL;
}

static void
get_settings (GstIvsEncodingSettings *settings, gpointer data)
{
  settings->video_bitrate = 500000;
}

static void
count (Stage *stage, guint *counter)
{
  g_mutex_lock (&stage->lock);
  (*counter)++;
  g_cond_broadcast (&stage->changed);
  g_mutex_unlock (&stage->lock);
}

static void
encoder_made (GstElement *encoder, gpointer data)
{
  g_atomic_int_inc (&((Stage *) data)->encoders);
}

static void
payloader_made (GstElement *payloader, gpointer data)
{
  g_atomic_int_inc (&((Stage *) data)->payloaders);
}

static void
ready (GstIvsInput *input, gpointer data)
{
  g_assert_true (gst_ivs_input_is_ready (input));
  count (data, &((Stage *) data)->ready);
}

static void
ended (GstIvsInput *input, gpointer data)
{
  g_assert_true (gst_ivs_input_is_eos (input));
  count (data, &((Stage *) data)->ended);
}

static void
failed (GstIvsInput *input, const GError *error, gpointer data)
{
  Stage *stage = data;

  g_mutex_lock (&stage->lock);
  g_clear_error (&stage->error);
  stage->error = g_error_copy (error);
  g_mutex_unlock (&stage->lock);
  count (stage, &stage->failed);
}

static const GstIvsInputEvents events = {
  .get_gate = get_gate,
  .get_settings = get_settings,
  .encoder = encoder_made,
  .payloader = payloader_made,
  .ready = ready,
  .eos = ended,
  .failed = failed,
};

static GstPadProbeReturn
buffer_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Counter *counter = data;

  count (counter->stage, &counter->n);
  return GST_PAD_PROBE_OK;
}

static void
count_buffers (GstElement *element, Counter *counter)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, buffer_passed,
      counter, NULL);
}

static void
add_gate (Stage *stage, GstIvsKind kind)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  stage->gates[kind] = gst_ivs_gate_new (kind, &ids[kind]);
  gst_object_ref (stage->gates[kind]);
  gst_bin_add_many (stage->bin, GST_ELEMENT (stage->gates[kind]), sink, NULL);
  g_assert_true (gst_element_link (GST_ELEMENT (stage->gates[kind]), sink));
  stage->arrived[kind].stage = stage->packets[kind].stage = stage;
  count_buffers (GST_ELEMENT (stage->gates[kind]), &stage->arrived[kind]);
  count_buffers (sink, &stage->packets[kind]);
}

static Stage *
stage_new (void)
{
  Stage *stage = g_new0 (Stage, 1);

  g_mutex_init (&stage->lock);
  g_cond_init (&stage->changed);
  stage->pipeline = gst_pipeline_new (NULL);
  stage->bin = GST_BIN (gst_bin_new ("stage"));
  gst_bin_add (GST_BIN (stage->pipeline), GST_ELEMENT (stage->bin));
  add_gate (stage, GST_IVS_AUDIO);
  add_gate (stage, GST_IVS_VIDEO);
  return stage;
}

static void
stage_free (Stage *stage)
{
  gst_element_set_state (stage->pipeline, GST_STATE_NULL);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_object_unref (stage->gates[kind]);
  gst_object_unref (stage->pipeline);
  g_clear_error (&stage->error);
  g_mutex_clear (&stage->lock);
  g_cond_clear (&stage->changed);
  g_free (stage);
}

/* @template: "audio_%u", "video_%u" or "sink_%u" */
static GstIvsInput *
add_input (Stage *stage, const gchar *template)
{
  g_autoptr (GstCaps) caps = template[0] == 'a' ? gst_ivs_encoding_audio_caps ()
      : template[0] == 'v'                      ? gst_ivs_encoding_video_caps ()
                                                : gst_ivs_encoding_rtp_caps ();
  GstPadTemplate *templ = gst_object_ref_sink (
      gst_pad_template_new (template, GST_PAD_SINK, GST_PAD_REQUEST, caps));
  g_autofree gchar *name = g_strdup_printf ("pad_%u", stage->n_pads++);
  GstIvsInput *input =
      gst_ivs_input_new (stage->bin, templ, name, &events, stage);

  g_assert_true (gst_element_add_pad (GST_ELEMENT (stage->bin),
      gst_ivs_input_get_pad (input)));
  gst_object_unref (templ);
  return input;
}

static void
free_input (GstIvsInput *input)
{
  gst_ivs_input_release (input);
  gst_ivs_input_free (input);
}

/* @description: of a source, to be linked to @input. (transfer none) */
static GstElement *
add_source (Stage *stage, const gchar *description, GstIvsInput *input)
{
  g_autoptr (GError) error = NULL;
  GstElement *source =
      gst_parse_bin_from_description (description, TRUE, &error);
  GstPad *pad;

  g_assert_no_error (error);
  gst_bin_add (GST_BIN (stage->pipeline), source);
  pad = gst_element_get_static_pad (source, "src");
  g_assert_cmpint (gst_pad_link (pad, gst_ivs_input_get_pad (input)), ==,
      GST_PAD_LINK_OK);
  gst_object_unref (pad);
  return source;
}

static void
play (Stage *stage)
{
  g_assert_cmpint (gst_element_set_state (stage->pipeline, GST_STATE_PLAYING),
      !=, GST_STATE_CHANGE_FAILURE);
}

static void
open_gates (Stage *stage)
{
  gst_ivs_gate_open (stage->gates[GST_IVS_AUDIO]);
  gst_ivs_gate_open (stage->gates[GST_IVS_VIDEO]);
}

static void
wait_for (Stage *stage, guint *counter, guint value)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;

  g_mutex_lock (&stage->lock);
  while (*counter < value)
    g_assert_true (g_cond_wait_until (&stage->changed, &stage->lock, deadline));
  g_mutex_unlock (&stage->lock);
}

static guint
get_count (Counter *counter)
{
  guint n;

  g_mutex_lock (&counter->stage->lock);
  n = counter->n;
  g_mutex_unlock (&counter->stage->lock);
  return n;
}

static void
wait_for_more (Counter *counter, guint more)
{
  wait_for (counter->stage, &counter->n, get_count (counter) + more);
}

/* Between the probe and the wait the thread does nothing that takes time. */
static void
wait_until_waiting (Stage *stage, GstIvsKind kind)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;

  wait_for (stage, &stage->arrived[kind].n, 1);
  while (!GST_CLOCK_TIME_IS_VALID (
      gst_ivs_gate_get_waiting_running_time (stage->gates[kind]))) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_thread_yield ();
  }
}

/* -- What goes in -------------------------------------------------------------------- */

#define RAW_VIDEO \
  "videotestsrc num-buffers=20 ! " \
  "video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! identity"
#define RAW_AUDIO \
  "audiotestsrc num-buffers=40 ! audio/x-raw,channels=1 ! identity"

/* clang-format off */
static const struct
{
  const gchar *name;
  const gchar *template;
  const gchar *source;
  GstIvsKind kind;
  gint encoders, payloaders;
  guint channels;
} rows[] = {
  { "raw-video", "video_%u", RAW_VIDEO, GST_IVS_VIDEO, 1, 1, 0 },
  { "h264", "video_%u", "videotestsrc num-buffers=20 ! x264enc", GST_IVS_VIDEO, 0, 1, 0 },
  { "rtp-h264", "video_%u", "videotestsrc num-buffers=20 ! x264enc tune=zerolatency ! rtph264pay", GST_IVS_VIDEO, 0, 0, 0 },
  { "rtp-h264-sink", "sink_%u", "videotestsrc num-buffers=20 ! x264enc tune=zerolatency ! rtph264pay", GST_IVS_VIDEO, 0, 0, 0 },
  { "raw-audio", "audio_%u", RAW_AUDIO, GST_IVS_AUDIO, 1, 1, 1 },
  { "opus", "audio_%u", "audiotestsrc num-buffers=40 ! audio/x-raw,channels=2 ! opusenc", GST_IVS_AUDIO, 0, 1, 2 },
  { "rtp-opus", "audio_%u", "audiotestsrc num-buffers=40 ! audio/x-raw,channels=2 ! opusenc ! rtpopuspay", GST_IVS_AUDIO, 0, 0, 2 },
  { "rtp-opus-sink", "sink_%u", "audiotestsrc num-buffers=40 ! audio/x-raw,channels=2 ! opusenc ! rtpopuspay", GST_IVS_AUDIO, 0, 0, 2 },
};
/* clang-format on */

static void
test_row (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, rows[i].template);
  GstIvsGateStats stats;
  GstIvsKind kind;

  g_assert_cmpint (gst_ivs_input_get_kind (input, &kind), ==,
      rows[i].template[0] != 's');
  g_assert_false (gst_ivs_input_is_ready (input));
  add_source (stage, rows[i].source, input);
  play (stage);
  wait_for (stage, &stage->ready, 1);
  open_gates (stage);
  wait_for (stage, &stage->ended, 1);

  g_assert_true (gst_ivs_input_get_kind (input, &kind));
  g_assert_cmpint (kind, ==, rows[i].kind);
  g_assert_cmpint (stage->encoders, ==, rows[i].encoders);
  g_assert_cmpint (stage->payloaders, ==, rows[i].payloaders);
  g_assert_cmpuint (gst_ivs_input_get_channels (input), ==, rows[i].channels);
  gst_ivs_gate_get_stats (stage->gates[kind], &stats);
  g_assert_cmpuint (stats.frames, >=, 20);
  /* A delimiter that comes alone before the first SPS is not waited for. */
  g_assert_cmpuint (stats.dropped, <=,
      kind == GST_IVS_VIDEO && rows[i].payloaders == 0 ? 1 : 0);
  g_assert_cmpuint (stage->failed, ==, 0);
  assert_no_error_posted (stage->pipeline);
  free_input (input);
  stage_free (stage);
}

/* Both at once, and the element goes with its pads never released. */
static void
test_both (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *video = add_input (stage, "video_%u");
  GstIvsInput *audio = add_input (stage, "audio_%u");

  add_source (stage, RAW_VIDEO, video);
  add_source (stage, RAW_AUDIO, audio);
  play (stage);
  open_gates (stage);
  wait_for (stage, &stage->ended, 2);
  g_assert_cmpuint (get_count (&stage->packets[GST_IVS_AUDIO]), >, 30);
  g_assert_cmpuint (get_count (&stage->packets[GST_IVS_VIDEO]), >=, 20);
  gst_element_set_state (stage->pipeline, GST_STATE_NULL);
  gst_ivs_input_free (video);
  gst_ivs_input_free (audio);
  stage_free (stage);
}

/* -- What cannot be published ---------------------------------------------------------- */

static void
test_taken (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *first = add_input (stage, "audio_%u");
  GstIvsInput *second = add_input (stage, "audio_%u");

  stage->owners[GST_IVS_AUDIO] = first;
  add_source (stage, RAW_AUDIO, second);
  play (stage);
  wait_for (stage, &stage->ended, 1);
  g_assert_true (gst_ivs_input_is_eos (second));
  g_assert_false (gst_ivs_input_is_ready (second));
  g_assert_cmpuint (stage->failed, ==, 0);
  assert_no_error_posted (stage->pipeline);
  free_input (first);
  free_input (second);
  stage_free (stage);
}

static void
assert_fails (const gchar *template, const gchar *source, gint code)
{
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, template);

  add_source (stage, source, input);
  play (stage);
  wait_for (stage, &stage->ended, 1);
  g_assert_cmpuint (stage->failed, ==, 1);
  g_assert_error (stage->error, IVS_ERROR, code);
  g_assert_false (gst_ivs_input_is_ready (input));
  assert_no_error_posted (stage->pipeline);
  free_input (input);
  stage_free (stage);
}

static void
test_without_caps (void)
{
  assert_fails ("video_%u", "fakesrc num-buffers=3 sizetype=fixed sizemax=100",
      IVS_FAILURE_INPUT);
}

static void
set_rank (const gchar *factory, guint rank)
{
  g_autoptr (GstPluginFeature) feature =
      gst_registry_lookup_feature (gst_registry_get (), factory);

  gst_plugin_feature_set_rank (feature, rank);
}

static void
test_without_encoder (void)
{
  set_rank ("x264enc", GST_RANK_NONE);
  set_rank ("openh264enc", GST_RANK_NONE);
  assert_fails ("video_%u", RAW_VIDEO, IVS_FAILURE_MISSING_PLUGIN);
  set_rank ("x264enc", GST_RANK_PRIMARY);
  set_rank ("openh264enc", GST_RANK_MARGINAL);
}

static void
test_eos_without_data (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, "audio_%u");

  add_source (stage, "fakesrc num-buffers=0", input);
  play (stage);
  wait_for (stage, &stage->ended, 1);
  assert_no_error_posted (stage->pipeline);
  free_input (input);
  stage_free (stage);
}

/* -- Release ------------------------------------------------------------------------------ */

/* A thread waits at the closed gate, deep in the chain; the other branch of the tee
 * must not notice. */
static void
test_release_while_waiting (gconstpointer data)
{
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, "audio_%u");
  Counter others = { stage, 0 };
  GstElement *source = add_source (stage, data, input);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (source), "other");

  count_buffers (sink, &others);
  play (stage);
  wait_until_waiting (stage, GST_IVS_AUDIO);
  free_input (input);
  wait_for_more (&others, 50);
  assert_no_error_posted (stage->pipeline);
  gst_object_unref (sink);
  stage_free (stage);
}

static void
test_release_while_flowing (void)
{
  Stage *stage = stage_new ();
  GstElement *source = NULL;

  play (stage);
  open_gates (stage);
  for (guint i = 0; i < 5; i++) {
    GstIvsInput *input = add_input (stage, "audio_%u");
    guint before = get_count (&stage->packets[GST_IVS_AUDIO]);

    source = add_source (stage,
        "audiotestsrc is-live=true samplesperbuffer=240 ! "
        "audio/x-raw,rate=48000 ! identity",
        input);
    gst_element_sync_state_with_parent (source);
    wait_for (stage, &stage->packets[GST_IVS_AUDIO].n, before + 5);
    stage->owners[GST_IVS_AUDIO] = NULL;
    free_input (input);
    gst_element_set_state (source, GST_STATE_NULL);
    gst_bin_remove (GST_BIN (stage->pipeline), source);
  }
  stage_free (stage);
}

/* -- Changes ------------------------------------------------------------------------------ */

static GstBuffer *
make_frame (guint index)
{
  GstBuffer *frame = gst_buffer_new_allocate (NULL, 160 * 120 * 3 / 2, NULL);

  gst_buffer_memset (frame, 0, (guint8) index, gst_buffer_get_size (frame));
  GST_BUFFER_PTS (frame) = index * 40 * GST_MSECOND;
  GST_BUFFER_DURATION (frame) = 40 * GST_MSECOND;
  return frame;
}

/* An application that goes over from raw pictures to packets of its own. */
static void
test_caps_change_the_chain (void)
{
  const guint8 packet[] = { 0x80, 0xe0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x65,
    0x88, 0x84, 0 };
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, "video_%u");
  GstElement *source = add_source (stage,
      "appsrc name=app format=time block=true max-buffers=1", input);
  GstElement *app = gst_bin_get_by_name (GST_BIN (source), "app");
  g_autoptr (GstCaps) raw = gst_caps_from_string (
      "video/x-raw,format=I420,width=160,height=120,framerate=25/1");
  g_autoptr (GstCaps) rtp = gst_caps_from_string (
      "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000");
  GstBuffer *buffer;
  guint before;

  play (stage);
  open_gates (stage);
  gst_app_src_set_caps (GST_APP_SRC (app), raw);
  for (guint i = 0; i < 10; i++)
    gst_app_src_push_buffer (GST_APP_SRC (app), make_frame (i));
  wait_for (stage, &stage->packets[GST_IVS_VIDEO].n, 3);
  g_assert_cmpuint (stage->ready, ==, 1);

  gst_app_src_set_caps (GST_APP_SRC (app), rtp);
  buffer = gst_buffer_new_memdup (packet, sizeof packet);
  GST_BUFFER_PTS (buffer) = 400 * GST_MSECOND;
  gst_app_src_push_buffer (GST_APP_SRC (app), buffer);
  wait_for (stage, &stage->ready, 2);
  before = get_count (&stage->packets[GST_IVS_VIDEO]);

  gst_app_src_set_caps (GST_APP_SRC (app), raw);
  for (guint i = 10; i < 20; i++)
    gst_app_src_push_buffer (GST_APP_SRC (app), make_frame (i));
  wait_for (stage, &stage->ready, 3);
  wait_for (stage, &stage->packets[GST_IVS_VIDEO].n, before + 3);
  g_assert_cmpuint (stage->failed, ==, 0);
  gst_app_src_end_of_stream (GST_APP_SRC (app));
  wait_for (stage, &stage->ended, 1);
  assert_no_error_posted (stage->pipeline);
  gst_object_unref (app);
  free_input (input);
  stage_free (stage);
}

/* A pad that was refused, because its kind was taken, is taken with the next stream. */
static void
test_refused_then_taken (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, "audio_%u");
  GstIvsInput *owner = add_input (stage, "audio_%u");
  GstElement *source;

  stage->owners[GST_IVS_AUDIO] = owner;
  source = add_source (stage, RAW_AUDIO, input);
  play (stage);
  open_gates (stage);
  wait_for (stage, &stage->ended, 1);
  g_assert_cmpuint (stage->ready, ==, 0);

  gst_element_set_state (source, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (stage->pipeline), source);
  stage->owners[GST_IVS_AUDIO] = NULL;
  source = add_source (stage, RAW_AUDIO, input);
  g_assert_true (gst_element_sync_state_with_parent (source));
  wait_for (stage, &stage->ended, 2);
  g_assert_cmpuint (stage->ready, ==, 1);
  g_assert_cmpuint (get_count (&stage->packets[GST_IVS_AUDIO]), >, 30);
  free_input (input);
  free_input (owner);
  stage_free (stage);
}

/* -- A stream by hand ---------------------------------------------------------------------- */

#define SOUND_CAPS \
  "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1"
#define SOUND_SIZE (960 * 2)

static GstPad *
add_hand (GstIvsInput *input)
{
  GstPad *pad = gst_object_ref_sink (gst_pad_new ("hand", GST_PAD_SRC));

  gst_pad_set_active (pad, TRUE);
  g_assert_cmpint (gst_pad_link (pad, gst_ivs_input_get_pad (input)), ==,
      GST_PAD_LINK_OK);
  return pad;
}

static void
push_segment (GstPad *pad)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static void
begin_stream (GstPad *pad, const gchar *id)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (SOUND_CAPS);

  gst_pad_push_event (pad, gst_event_new_stream_start (id));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  push_segment (pad);
}

static void
push_sound (GstPad *pad, guint i)
{
  GstBuffer *sound = gst_buffer_new_allocate (NULL, SOUND_SIZE, NULL);

  gst_buffer_memset (sound, 0, 0, SOUND_SIZE);
  GST_BUFFER_PTS (sound) = i * 20 * GST_MSECOND;
  GST_BUFFER_DURATION (sound) = 20 * GST_MSECOND;
  gst_pad_push (pad, sound);
}

/* A second stream of its kind is dropped, also after a seek, after which caps do not come
 * again. */
static void
test_taken_and_flushed (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *owner = add_input (stage, "sink_%u");
  GstIvsInput *input = add_input (stage, "audio_%u");
  GstPad *hand = add_hand (input);

  stage->owners[GST_IVS_AUDIO] = owner;
  play (stage);
  begin_stream (hand, "one");
  push_sound (hand, 0);
  gst_pad_push_event (hand, gst_event_new_flush_start ());
  gst_pad_push_event (hand, gst_event_new_flush_stop (TRUE));
  push_segment (hand);
  push_sound (hand, 0);
  g_assert_cmpuint (stage->failed, ==, 0);
  gst_pad_set_active (hand, FALSE);
  gst_object_unref (hand);
  free_input (owner);
  free_input (input);
  stage_free (stage);
}

/* READY and PLAYING again, the two pads in each other's role. */
static void
test_second_life (void)
{
  const gchar *sources[] = {
    "audiotestsrc num-buffers=40 ! opusenc ! rtpopuspay",
    "videotestsrc num-buffers=20 ! x264enc tune=zerolatency ! rtph264pay",
  };
  Stage *stage = stage_new ();
  GstIvsInput *inputs[2] = { add_input (stage, "sink_%u"),
    add_input (stage, "sink_%u") };
  GstIvsKind kind;

  for (guint life = 0; life < 2; life++) {
    GstElement *added[2];

    for (guint i = 0; i < 2; i++)
      added[i] = add_source (stage, sources[(i + life) % 2], inputs[i]);
    play (stage);
    open_gates (stage);
    wait_for (stage, &stage->ended, 2 * (life + 1));
    for (guint i = 0; i < 2; i++) {
      g_assert_true (gst_ivs_input_get_kind (inputs[i], &kind));
      g_assert_cmpint (kind, ==,
          (i + life) % 2 ? GST_IVS_VIDEO : GST_IVS_AUDIO);
    }

    gst_element_set_state (stage->pipeline, GST_STATE_READY);
    for (guint i = 0; i < 2; i++) {
      gst_ivs_input_reset (inputs[i]);
      g_assert_false (gst_ivs_input_is_ready (inputs[i]));
      g_assert_false (gst_ivs_input_is_eos (inputs[i]));
      g_assert_false (gst_ivs_input_get_kind (inputs[i], &kind));
      gst_element_set_state (added[i], GST_STATE_NULL);
      gst_bin_remove (GST_BIN (stage->pipeline), added[i]);
      stage->owners[i] = NULL;
      g_assert_cmpuint (get_count (&stage->packets[i]), >=,
          20 * (gint) (life + 1));
    }
  }
  free_input (inputs[0]);
  free_input (inputs[1]);
  stage_free (stage);
}

/* The same with a chain, which is plugged anew for the settings of then. */
static void
test_second_life_of_a_chain (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, "audio_%u");

  add_source (stage, RAW_AUDIO, input);
  for (guint life = 1; life <= 3; life++) {
    play (stage);
    open_gates (stage);
    wait_for (stage, &stage->ended, life);
    gst_element_set_state (stage->pipeline, GST_STATE_READY);
    gst_ivs_input_reset (input);
    g_assert_cmpuint (stage->ready, ==, life);
    g_assert_cmpint (stage->encoders, ==, (gint) life);
    g_assert_cmpuint (get_count (&stage->packets[GST_IVS_AUDIO]), >=,
        30 * life);
  }
  g_assert_cmpuint (GST_BIN_NUMCHILDREN (stage->bin), ==, 5);
  free_input (input);
  g_assert_cmpuint (GST_BIN_NUMCHILDREN (stage->bin), ==, 4);
  stage_free (stage);
}

/* Down while a thread waits at the closed gate. */
static void
test_down_while_waiting (void)
{
  Stage *stage = stage_new ();
  GstIvsInput *input = add_input (stage, "video_%u");

  add_source (stage, RAW_VIDEO, input);
  play (stage);
  wait_until_waiting (stage, GST_IVS_VIDEO);
  gst_element_set_state (stage->pipeline, GST_STATE_NULL);
  free_input (input);
  stage_free (stage);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  load_plugins ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = g_strdup_printf ("/input/plugs/%s", rows[i].name);
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_row);
  }
  g_test_add_func ("/input/both", test_both);
  g_test_add_func ("/input/taken", test_taken);
  g_test_add_func ("/input/refused-then-taken", test_refused_then_taken);
  g_test_add_func ("/input/taken-and-flushed", test_taken_and_flushed);
  g_test_add_func ("/input/without-caps", test_without_caps);
  g_test_add_func ("/input/without-encoder", test_without_encoder);
  g_test_add_func ("/input/eos-without-data", test_eos_without_data);
  g_test_add_data_func ("/input/release/waiting-chain",
      "audiotestsrc ! audio/x-raw,rate=48000 ! tee name=t ! queue ! "
      "fakesink name=other async=false t. ! queue leaky=downstream ! identity",
      test_release_while_waiting);
  g_test_add_data_func ("/input/release/waiting-tee",
      "audiotestsrc ! audio/x-raw,rate=48000 ! opusenc ! tee name=t ! "
      "fakesink name=other async=false t. ! identity",
      test_release_while_waiting);
  g_test_add_func ("/input/release/flowing", test_release_while_flowing);
  g_test_add_func ("/input/caps-change-the-chain", test_caps_change_the_chain);
  g_test_add_func ("/input/second-life", test_second_life);
  g_test_add_func ("/input/second-life-of-a-chain",
      test_second_life_of_a_chain);
  g_test_add_func ("/input/down-while-waiting", test_down_while_waiting);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
