/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the chains make of what comes in, as a receiver sees it: the RTP is taken
 * apart, parsed and decoded.
 */
#include "end-gstreamer.h"
#include "gstivsencoding.h"
#include "gstivsshape.h"
#include "ivs-error.h"
#include "load-plugins.h"
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>
#include <string.h>

#define DEADLINE (60 * GST_SECOND)

/* -- A receiver -------------------------------------------------------------------- */

typedef struct
{
  GstElement *pipeline;
  guint packets;
  gsize largest; /* packet */
  guint frames;  /* access units, or Opus packets */
  guint slices;  /* in all access units */
  guint idrs;
  GstClockTime last_idr, longest; /* time between two IDR pictures */
  GstClockTime last_pts;
  gboolean reordered;
  guint decoded;
  GstCaps *caps; /* of the parsed stream */
  GstCaps *raw;  /* of the decoded stream */
} Receiver;

static GstPadProbeReturn
list_or_packet_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Receiver *self = data;
  GstBufferList *list = NULL;
  guint n = 1;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);
    n = gst_buffer_list_length (list);
  }
  for (guint i = 0; i < n; i++) {
    GstBuffer *packet = list != NULL ? gst_buffer_list_get (list, i)
                                     : GST_PAD_PROBE_INFO_BUFFER (info);
    self->largest = MAX (self->largest, gst_buffer_get_size (packet));
  }
  self->packets += n;
  return GST_PAD_PROBE_OK;
}

/* Start codes are found, the bytes after them counted by type. */
static void
look_at_nals (Receiver *self, GstBuffer *unit, gboolean *idr)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (unit, &map, GST_MAP_READ));
  for (gsize i = 0; i + 3 < map.size; i++) {
    if (map.data[i] != 0 || map.data[i + 1] != 0 || map.data[i + 2] != 1)
      continue;
    *idr |= (map.data[i + 3] & 0x1f) == 5;
    self->slices +=
        (map.data[i + 3] & 0x1f) == 5 || (map.data[i + 3] & 0x1f) == 1;
  }
  gst_buffer_unmap (unit, &map);
}

static GstPadProbeReturn
unit_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Receiver *self = data;
  GstBuffer *unit = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime pts = GST_BUFFER_PTS (unit);
  gboolean idr = FALSE;

  g_assert_true (GST_CLOCK_TIME_IS_VALID (pts));
  look_at_nals (self, unit, &idr);
  if (self->frames++ > 0 && pts <= self->last_pts)
    self->reordered = TRUE;
  self->last_pts = pts;
  if (idr && self->idrs++ > 0)
    self->longest = MAX (self->longest, pts - self->last_idr);
  if (idr)
    self->last_idr = pts;
  if (self->caps == NULL)
    self->caps = gst_pad_get_current_caps (pad);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
decoded_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Receiver *self = data;

  self->decoded++;
  if (self->raw == NULL)
    self->raw = gst_pad_get_current_caps (pad);
  return GST_PAD_PROBE_OK;
}

static void
watch (Receiver *self, const gchar *name, const gchar *pad_name,
    GstPadProbeType type, GstPadProbeCallback callback)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (self->pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, type, callback, self, NULL);
}

/* @source ! @chain ! receiver. @chain: (transfer floating) */
static Receiver *
receiver_new (const gchar *source, GstElement *chain, GstIvsKind kind)
{
  Receiver *self = g_new0 (Receiver, 1);
  g_autoptr (GError) error = NULL;
  GstElement *from, *to;

  g_assert_nonnull (chain);
  self->pipeline = gst_pipeline_new (NULL);
  from = gst_parse_bin_from_description (source, TRUE, &error);
  g_assert_no_error (error);
  to = gst_parse_bin_from_description (kind == GST_IVS_VIDEO
          ? "rtph264depay name=depay ! h264parse name=parse ! "
            "video/x-h264,stream-format=byte-stream,alignment=au ! "
            "openh264dec ! fakesink name=sink"
          : "rtpopusdepay name=depay ! identity name=parse ! opusdec ! "
            "fakesink name=sink",
      TRUE, &error);
  g_assert_no_error (error);
  gst_bin_add_many (GST_BIN (self->pipeline), from, chain, to, NULL);
  g_assert_true (gst_element_link_many (from, chain, to, NULL));

  watch (self, "depay", "sink",
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      list_or_packet_arrived);
  watch (self, "parse", "src", GST_PAD_PROBE_TYPE_BUFFER, unit_arrived);
  watch (self, "sink", "sink", GST_PAD_PROBE_TYPE_BUFFER, decoded_arrived);
  return self;
}

/* Until everything has arrived. */
static void
receiver_run (Receiver *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, DEADLINE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
}

static void
receiver_free (Receiver *self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_object_unref (self->pipeline);
  gst_clear_caps (&self->caps);
  gst_clear_caps (&self->raw);
  g_free (self);
}

static GstElement *
make_chain (const gchar *caps_string, GstIvsKind kind,
    const GstIvsEncodingSettings *settings, const GstIvsEncodingHooks *hooks)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_string);
  g_autoptr (GError) error = NULL;
  GstElement *chain =
      gst_ivs_encoding_make_chain (caps, kind, FALSE, settings, hooks, &error);

  g_assert_no_error (error);
  return chain;
}

static gint
get_int (GstCaps *caps, const gchar *field)
{
  gint value = -1;

  g_assert_nonnull (caps);
  gst_structure_get_int (gst_caps_get_structure (caps, 0), field, &value);
  return value;
}

/* What a stage asks of H.264: Constrained Baseline, no B-frames, one slice per
 * picture, packets that fit. */
static void
assert_fit_for_a_stage (Receiver *self, guint frames)
{
  const GstStructure *s = gst_caps_get_structure (self->caps, 0);

  g_assert_cmpstr (gst_structure_get_string (s, "profile"), ==,
      "constrained-baseline");
  g_assert_false (self->reordered);
  g_assert_cmpuint (self->frames, ==, frames);
  g_assert_cmpuint (self->slices, ==, frames);
  g_assert_cmpuint (self->decoded, ==, frames);
  g_assert_cmpuint (self->largest, <=, 1200);
}

/* -- Latency ------------------------------------------------------------------------- */

static void
count_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  (*(guint *) data)++;
}

/* The encoder gets several times the time that it has: when it has none, because the
 * computer is busy or valgrind's, something is dropped with good reason. */
static void
slow_down (GstElement *pipeline)
{
  g_autoptr (GstClock) clock =
      gst_object_ref_sink (g_object_new (GST_TYPE_SYSTEM_CLOCK, NULL));
  GstClockTime now = gst_clock_get_internal_time (clock);

  gst_clock_set_calibration (clock, now, now, 1,
      g_getenv ("IVS_TEST_IS_SLOW") != NULL ? 16 : 4);
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
}

/* What comes before its time, as from an RTSP camera with its latency, waits in the
 * chain until webrtcbin takes it: nothing is dropped as if the encoder were slow. */
static void
test_early (void)
{
  g_autoptr (GstElement) pipeline = gst_pipeline_new (NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "audio/x-raw, format=S16LE, layout=interleaved, rate=48000, channels=1");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  GstElement *source = gst_element_factory_make ("audiotestsrc", NULL);
  GstElement *chain = gst_ivs_encoding_make_chain (caps, GST_IVS_AUDIO, TRUE,
      NULL, NULL, &error);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  guint packets = 0;

  g_assert_no_error (error);
  g_object_set (source, "is-live", TRUE, "num-buffers", 30, "samplesperbuffer",
      960, NULL);
  g_object_set (sink, "sync", TRUE, "ts-offset", 500 * GST_MSECOND,
      "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (count_buffer), &packets);
  gst_bin_add_many (GST_BIN (pipeline), source, chain, sink, NULL);
  g_assert_true (gst_element_link_filtered (source, chain, caps));
  g_assert_true (gst_element_link (chain, sink));

  slow_down (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, DEADLINE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (packets, >=, 30);
}

/* -- Hiding what is installed -------------------------------------------------------- */

static void
set_rank (const gchar *factory, guint rank)
{
  g_autoptr (GstPluginFeature) feature =
      gst_registry_lookup_feature (gst_registry_get (), factory);

  g_assert_nonnull (feature);
  gst_plugin_feature_set_rank (feature, rank);
}

/* -- Video ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct
{
  const gchar *name;
  const gchar *caps;
  gint width, height;           /* that arrive */
} pictures[] = {
  { "360p", "format=I420,width=640,height=360,framerate=10/1", 640, 360 },
  { "rgb", "format=RGBx,width=320,height=240,framerate=10/1", 320, 240 },
  { "720p", "format=I420,width=1280,height=720,framerate=10/1", 1280, 720 },
  { "1080p", "format=NV12,width=1920,height=1080,framerate=10/1", 1280, 720 },
  { "4k", "format=I420,width=3840,height=2160,framerate=10/1", 1280, 720 },
  { "portrait", "format=I420,width=1080,height=1920,framerate=10/1", 720, 1280 },
  { "odd", "format=RGBx,width=321,height=241,framerate=10/1", 320, 240 },
  { "anamorphic", "format=I420,width=720,height=576,pixel-aspect-ratio=16/15,framerate=10/1", 768, 576 },
  { "interlaced", "format=I420,width=640,height=480,framerate=10/1,interlace-mode=interleaved", 640, 480 },
  { "interlaced-10-bit", "format=v210,width=640,height=480,framerate=10/1,interlace-mode=interleaved", 640, 480 },
};
/* clang-format on */

static void
test_picture (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autofree gchar *caps = g_strdup_printf ("video/x-raw,%s", pictures[i].caps);
  g_autofree gchar *source = g_strdup_printf (
      "videotestsrc num-buffers=5 pattern=black ! capssetter caps=\"%s\" "
      "replace=false ! capsfilter caps=\"%s\"",
      caps, caps);
  Receiver *receiver = receiver_new (source,
      make_chain (caps, GST_IVS_VIDEO, NULL, NULL), GST_IVS_VIDEO);

  receiver_run (receiver);
  assert_fit_for_a_stage (receiver, receiver->frames);
  g_assert_cmpuint (receiver->frames, >=, 4);
  g_assert_cmpint (get_int (receiver->caps, "width"), ==, pictures[i].width);
  g_assert_cmpint (get_int (receiver->caps, "height"), ==, pictures[i].height);
  receiver_free (receiver);
}

/* x264enc and openh264enc: data is the one to hide. */
static void
test_key_frame_interval (gconstpointer data)
{
  const gchar *caps =
      "video/x-raw,format=I420,width=160,height=120,framerate=25/1";
  const GstIvsEncodingSettings settings = { 500000, 0, 2000 };
  Receiver *receiver;

  if (data != NULL)
    set_rank (data, GST_RANK_NONE);
  receiver = receiver_new (
      "videotestsrc num-buffers=160 pattern=ball ! "
      "video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! "
      "identity",
      make_chain (caps, GST_IVS_VIDEO, &settings, NULL), GST_IVS_VIDEO);
  if (data != NULL)
    set_rank (data, GST_RANK_PRIMARY);

  receiver_run (receiver);
  assert_fit_for_a_stage (receiver, 160);
  g_assert_cmpuint (receiver->idrs, ==, 4);
  g_assert_cmpuint (receiver->longest, ==, 2 * GST_SECOND);
  receiver_free (receiver);
}

/* The frame rate that the chain was made for is not that of the pictures: 0/1 says
 * nothing, and 60/1 is wrong or has changed since. */
static void
test_other_framerate (gconstpointer data)
{
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-raw,format=I420,width=160,height=120,framerate=%s",
      (const gchar *) data);
  const GstIvsEncodingSettings settings = { 500000, 0, 2000 };
  Receiver *receiver = receiver_new (
      "videotestsrc num-buffers=60 ! "
      "video/x-raw,format=I420,width=160,height=120,framerate=10/1 ! "
      "identity",
      make_chain (caps, GST_IVS_VIDEO, &settings, NULL), GST_IVS_VIDEO);

  receiver_run (receiver);
  assert_fit_for_a_stage (receiver, 60);
  g_assert_cmpuint (receiver->longest, ==, 2 * GST_SECOND);
  g_assert_cmpuint (receiver->idrs, ==, 3);
  receiver_free (receiver);
}

static GstPadProbeReturn
leave_out_ten_seconds (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstClockTime time = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

  return time >= GST_SECOND / 2 && time < 21 * GST_SECOND / 2
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

/* clang-format off */
static const struct
{
  const gchar *name;
  const gchar *source;
} too_fast[] = {
  { "at-once", "num-buffers=120" },
  { "late", "num-buffers=120 timestamp-offset=20000000000" },
  { "gap", "num-buffers=1320" },
};
/* clang-format on */

/* Half of them, of what comes: nothing fills the time before the first or a gap. */
static void
test_too_many_frames_per_second (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  const gchar *caps =
      "video/x-raw,format=I420,width=160,height=120,framerate=120/1";
  g_autofree gchar *source = g_strdup_printf (
      "videotestsrc pattern=black %s ! capsfilter caps=\"%s\" ! "
      "identity name=source",
      too_fast[i].source, caps);
  Receiver *receiver = receiver_new (source,
      make_chain (caps, GST_IVS_VIDEO, NULL, NULL), GST_IVS_VIDEO);

  if (g_str_equal (too_fast[i].name, "gap"))
    watch (receiver, "source", "sink", GST_PAD_PROBE_TYPE_BUFFER,
        leave_out_ten_seconds);
  receiver_run (receiver);
  assert_fit_for_a_stage (receiver, receiver->frames);
  g_assert_cmpuint (receiver->frames, >=, 59);
  g_assert_cmpuint (receiver->frames, <=, 61);
  receiver_free (receiver);
}

/* appsrc does so unless it is told otherwise. */
static GstPadProbeReturn
make_segment_bytes (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstSegment segment;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_SEGMENT)
    return GST_PAD_PROBE_OK;
  gst_event_unref (GST_PAD_PROBE_INFO_EVENT (info));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  info->data = gst_event_new_segment (&segment);
  return GST_PAD_PROBE_OK;
}

/* Pictures and sound that have times, though their segment speaks of bytes. */
static void
test_segment_in_bytes (gconstpointer data)
{
  gboolean is_video = data != NULL;
  const gchar *caps = is_video
      ? "video/x-raw,format=I420,width=160,height=120,framerate=25/1"
      : "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";
  g_autofree gchar *source =
      g_strdup_printf ("%s ! capsfilter caps=\"%s\" ! identity name=source",
          is_video ? "videotestsrc num-buffers=10"
                   : "audiotestsrc num-buffers=10 samplesperbuffer=960",
          caps);
  GstIvsKind kind = is_video ? GST_IVS_VIDEO : GST_IVS_AUDIO;
  Receiver *receiver =
      receiver_new (source, make_chain (caps, kind, NULL, NULL), kind);

  watch (receiver, "source", "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      make_segment_bytes);
  receiver_run (receiver);
  g_assert_cmpuint (receiver->frames, >=, 10);
  g_assert_cmpuint (receiver->last_pts % GST_SECOND, >=, 180 * GST_MSECOND);
  receiver_free (receiver);
}

static void
test_size_changes (void)
{
  const gchar *caps =
      "video/x-raw,format=I420,width=1920,height=1080,framerate=10/1";
  Receiver *receiver = receiver_new (
      "concat name=c videotestsrc num-buffers=3 pattern=black ! "
      "video/x-raw,format=I420,width=1920,height=1080,framerate=10/1 ! c. "
      "videotestsrc num-buffers=3 pattern=black ! "
      "video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! c.",
      make_chain (caps, GST_IVS_VIDEO, NULL, NULL), GST_IVS_VIDEO);

  receiver_run (receiver);
  g_assert_cmpuint (receiver->decoded, ==, 6);
  g_assert_cmpuint (receiver->idrs, ==, 2);
  g_assert_cmpint (get_int (receiver->caps, "width"), ==, 1280);
  receiver_free (receiver);
}

/* -- Steps ------------------------------------------------------------------------------ */

typedef struct
{
  GstIvsShape *shape;
  gint is_over; /* atomic */
} Stepper;

static void
take_shape (GstElement *encoder, gpointer data)
{
  Stepper *self = data;

  self->shape = gst_ivs_shape_ref (gst_ivs_shape_of (encoder));
}

static gpointer
step_up_and_down (gpointer data)
{
  static const IvsQualityStep steps[] = { { 320, 240, 30, 1, 0 },
    { 240, 180, 30, 1, 0 }, { 160, 120, 30, 1, 0 } };
  Stepper *self = data;

  for (guint i = 0; !g_atomic_int_get (&self->is_over); i++) {
    gst_ivs_shape_set_step (self->shape, &steps[i % G_N_ELEMENTS (steps)]);
    g_thread_yield ();
  }
  return NULL;
}

/* As a pad of the element does: whoever asks while the size changes would else be told that
 * nothing fits, of the size before and that of now. */
static GstPadProbeReturn
answer_caps (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstCaps) caps = NULL;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS ||
      !(info->type & GST_PAD_PROBE_TYPE_PUSH))
    return GST_PAD_PROBE_OK;
  caps = gst_ivs_encoding_video_caps ();
  gst_query_set_caps_result (query, caps);
  return GST_PAD_PROBE_HANDLED;
}

/* Another size may be wanted while the scaler still agrees on the one before. */
static void
test_steps_in_quick_succession (void)
{
  const gchar *caps =
      "video/x-raw,format=I420,width=320,height=240,framerate=30/1";
  Stepper stepper = { NULL, FALSE };
  const GstIvsEncodingHooks hooks = { take_shape, NULL, &stepper };
  g_autofree gchar *source = g_strdup_printf (
      "videotestsrc num-buffers=300 pattern=black ! capsfilter caps=\"%s\" ! "
      "identity name=source",
      caps);
  Receiver *receiver = receiver_new (source,
      make_chain (caps, GST_IVS_VIDEO, NULL, &hooks), GST_IVS_VIDEO);
  GThread *thread;

  g_assert_nonnull (stepper.shape);
  watch (receiver, "source", "src", GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
      answer_caps);
  thread = g_thread_new ("stepper", step_up_and_down, &stepper);
  receiver_run (receiver);
  g_atomic_int_set (&stepper.is_over, TRUE);
  g_thread_join (thread);
  g_assert_cmpuint (receiver->frames, ==, 300);
  receiver_free (receiver);
  gst_ivs_shape_unref (stepper.shape);
}

/* Of a source that is not live no more is left out than the pause is long, however fast
 * it brings its pictures. */
static void
test_pause (void)
{
  const gchar *caps =
      "video/x-raw,format=I420,width=320,height=240,framerate=30/1";
  Stepper stepper = { NULL, FALSE };
  const GstIvsEncodingHooks hooks = { take_shape, NULL, &stepper };
  g_autofree gchar *source = g_strdup_printf (
      "videotestsrc num-buffers=300 pattern=black ! capsfilter caps=\"%s\"",
      caps);
  Receiver *receiver = receiver_new (source,
      make_chain (caps, GST_IVS_VIDEO, NULL, &hooks), GST_IVS_VIDEO);
  gint64 began_us = g_get_monotonic_time ();
  gint64 most;

  gst_ivs_shape_pause (stepper.shape, began_us + DEADLINE / GST_USECOND);
  receiver_run (receiver);
  most = (g_get_monotonic_time () - began_us) * 30 / G_USEC_PER_SEC + 3;
  g_test_message ("%u of 300 pictures", receiver->frames);
  g_assert_cmpuint (receiver->frames, <, 300);
  g_assert_cmpint (receiver->frames, >=, 300 - most);
  receiver_free (receiver);
  gst_ivs_shape_unref (stepper.shape);
}

/* -- Delay ------------------------------------------------------------------------------- */

typedef struct
{
  GMutex lock;
  GCond changed;
  guint frames; /* that have left */
} Exit;

static GstPadProbeReturn
packets_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Exit *self = data;
  GstBuffer *last = GST_PAD_PROBE_INFO_BUFFER (info);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    last = gst_buffer_list_get (list, gst_buffer_list_length (list) - 1);
  }
  g_assert_true (gst_rtp_buffer_map (last, GST_MAP_READ, &rtp));
  g_mutex_lock (&self->lock);
  self->frames += gst_rtp_buffer_get_marker (&rtp) ? 1 : 0;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  gst_rtp_buffer_unmap (&rtp);
  return GST_PAD_PROBE_OK;
}

/* Whether so many have left before the deadline. */
static gboolean
wait_for_frames (Exit *self, guint frames)
{
  gint64 until_us = g_get_monotonic_time () + DEADLINE / GST_USECOND;
  gboolean is_in_time = TRUE;

  g_mutex_lock (&self->lock);
  while (is_in_time && self->frames < frames)
    is_in_time = g_cond_wait_until (&self->changed, &self->lock, until_us);
  g_mutex_unlock (&self->lock);
  return is_in_time;
}

static void
push_picture (GstElement *source, guint number)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstSample) sample = NULL;
  GstVideoInfo info;
  GstBuffer *picture = NULL;
  GstFlowReturn result;

  g_object_get (source, "caps", &caps, NULL);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  picture = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (picture, 0, 128, info.size);
  GST_BUFFER_PTS (picture) = number * GST_SECOND / 30;
  sample = gst_sample_new (picture, caps, NULL, NULL);
  gst_buffer_unref (picture);
  g_signal_emit_by_name (source, "push-sample", sample, &result);
  g_assert_cmpint (result, ==, GST_FLOW_OK);
}

/* No picture waits in the chain for the one after it, whatever its size: the next is
 * given only when the one before has left. */
static void
test_one_by_one (void)
{
  static const gchar *const sizes[] = { "width=640,height=360",
    "width=1280,height=720", "width=320,height=240" };
  Exit exit = { .frames = 0 };
  guint pushed = 0;
  g_autoptr (GstElement) pipeline = gst_pipeline_new (NULL);
  GstElement *source = gst_element_factory_make ("appsrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstElement *chain =
      make_chain ("video/x-raw,format=I420,width=640,height=360,framerate=30/1",
          GST_IVS_VIDEO, NULL, NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  g_object_set (source, "format", GST_FORMAT_TIME, NULL);
  g_object_set (sink, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, chain, sink, NULL);
  g_assert_true (gst_element_link_many (source, chain, sink, NULL));
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, packets_left,
      &exit, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *text =
        g_strdup_printf ("video/x-raw,format=I420,%s,framerate=30/1", sizes[i]);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);

    g_object_set (source, "caps", caps, NULL);
    for (guint n = 0; n < 3; n++) {
      push_picture (source, pushed++);
      g_assert_true (wait_for_frames (&exit, pushed));
    }
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* clang-format off */
static const struct
{
  const gchar *caps;
  guint threads;
} loads[] = {
  { "width=640,height=360,framerate=30/1", 1 },
  { "width=1280,height=720,framerate=30/1", 1 },
  { "width=3840,height=2160,framerate=30/1", 1 }, /* made smaller first */
  { "width=1280,height=720,framerate=0/1", 1 },
  { "width=640,height=360,framerate=60/1", 1 },
  { "width=1280,height=720,framerate=60/1", 2 },
  { "width=1280,height=720,framerate=120/1", 2 },
};
/* clang-format on */

static void
note_threads (GstElement *encoder, gpointer data)
{
  g_object_get (encoder, "threads", data, NULL);
}

/* As many as are needed, and another chain when that changes. */
static void
test_threads (void)
{
  g_autoptr (GstCaps) first = gst_caps_from_string (
      "video/x-raw,format=I420,width=640,height=360,framerate=30/1");

  for (gsize i = 0; i < G_N_ELEMENTS (loads); i++) {
    g_autofree gchar *text =
        g_strdup_printf ("video/x-raw,format=I420,%s", loads[i].caps);
    g_autoptr (GstCaps) caps = gst_caps_from_string (text);
    guint threads = 0;
    const GstIvsEncodingHooks hooks = { note_threads, NULL, &threads };
    g_autoptr (GstElement) chain =
        make_chain (text, GST_IVS_VIDEO, NULL, &hooks);

    g_test_message ("%s", text);
    gst_object_ref_sink (chain);
    g_assert_cmpuint (threads, ==, loads[i].threads);
    g_assert_true (
        gst_ivs_encoding_chain_serves (first, caps) == (loads[i].threads == 1));
  }
}

/* What the user encoded passes as it is; the parameter sets come with each IDR. */
static void
test_encoded (gconstpointer data)
{
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-h264,stream-format=%s,alignment=au,profile=constrained-baseline",
      (const gchar *) data);
  g_autofree gchar *source = g_strdup_printf (
      "videotestsrc num-buffers=50 ! "
      "video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! "
      "x264enc tune=zerolatency sliced-threads=false key-int-max=25 ! "
      "capsfilter caps=\"video/x-h264,stream-format=%s,profile=constrained-baseline\"",
      (const gchar *) data);
  Receiver *receiver = receiver_new (source,
      make_chain (caps, GST_IVS_VIDEO, NULL, NULL), GST_IVS_VIDEO);

  receiver_run (receiver);
  assert_fit_for_a_stage (receiver, 50);
  g_assert_cmpuint (receiver->idrs, ==, 2);
  receiver_free (receiver);
}

/* `x264enc ! ivsstagesink`, without a capsfilter: the templates' order decides. */
static void
test_bare_x264enc (void)
{
  g_autoptr (GstCaps) template = gst_ivs_encoding_video_caps ();
  g_autofree gchar *text = gst_caps_to_string (template);
  g_autofree gchar *source = g_strdup_printf (
      "videotestsrc num-buffers=50 ! x264enc ! capsfilter caps=\"%s\"", text);
  Receiver *receiver = receiver_new (source,
      make_chain ("video/x-h264", GST_IVS_VIDEO, NULL, NULL), GST_IVS_VIDEO);

  receiver_run (receiver);
  assert_fit_for_a_stage (receiver, 50);
  receiver_free (receiver);
}

/* -- Audio ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct
{
  const gchar *name;
  const gchar *caps;
  gint channels;                /* that arrive */
  gint bitrate;
} sounds[] = {
  { "mono", "format=S16LE,rate=48000,channels=1,layout=interleaved", 1, 64000 },
  { "stereo", "format=S16LE,rate=48000,channels=2,channel-mask=(bitmask)3,layout=interleaved", 2, 128000 },
  { "cd", "format=S32LE,rate=44100,channels=2,channel-mask=(bitmask)3,layout=interleaved", 2, 128000 },
  { "telephone", "format=F32LE,rate=8000,channels=1,layout=non-interleaved", 1, 64000 },
  { "surround", "format=F32LE,rate=48000,channels=6,channel-mask=(bitmask)0x3f,layout=interleaved", 2, 128000 },
};
/* clang-format on */

static void
get_bitrate (GstElement *encoder, gpointer data)
{
  g_object_get (encoder, "bitrate", data, NULL);
}

static void
test_sound (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  gint bitrate = 0;
  const GstIvsEncodingHooks hooks = { get_bitrate, NULL, &bitrate };
  g_autofree gchar *caps = g_strdup_printf ("audio/x-raw,%s", sounds[i].caps);
  g_autofree gchar *source =
      g_strdup_printf ("audiotestsrc num-buffers=50 samplesperbuffer=1024 ! "
                       "audioconvert ! capsfilter caps=\"%s\"",
          caps);
  Receiver *receiver = receiver_new (source,
      make_chain (caps, GST_IVS_AUDIO, NULL, &hooks), GST_IVS_AUDIO);

  receiver_run (receiver);
  g_assert_cmpuint (receiver->decoded, >, 40);
  g_assert_cmpint (get_int (receiver->raw, "channels"), ==, sounds[i].channels);
  g_assert_cmpint (get_int (receiver->raw, "rate"), ==, 48000);
  g_assert_cmpint (bitrate, ==, sounds[i].bitrate);
  receiver_free (receiver);
}

static void
test_opus (void)
{
  Receiver *receiver =
      receiver_new ("audiotestsrc num-buffers=50 ! "
                    "audio/x-raw,rate=48000,channels=2 ! opusenc",
          make_chain ("audio/x-opus,channels=2,channel-mapping-family=0",
              GST_IVS_AUDIO, NULL, NULL),
          GST_IVS_AUDIO);

  receiver_run (receiver);
  g_assert_cmpuint (receiver->decoded, >, 40);
  g_assert_cmpint (get_int (receiver->raw, "channels"), ==, 2);
  receiver_free (receiver);
}

/* -- What is told --------------------------------------------------------------------- */

typedef struct
{
  GString *encoders, *payloaders;
} Told;

static void
note (GString *names, GstElement *element)
{
  GstState state;

  gst_element_get_state (element, &state, NULL, 0);
  g_assert_cmpint (state, ==, GST_STATE_NULL);
  g_string_append_printf (names, "%s ",
      GST_OBJECT_NAME (gst_element_get_factory (element)));
}

static void
encoder_made (GstElement *encoder, gpointer data)
{
  note (((Told *) data)->encoders, encoder);
}

static void
payloader_made (GstElement *payloader, gpointer data)
{
  note (((Told *) data)->payloaders, payloader);
}

static gchar *
chain_told (const gchar *caps, GstIvsKind kind)
{
  Told told = { g_string_new (NULL), g_string_new (NULL) };
  const GstIvsEncodingHooks hooks = { encoder_made, payloader_made, &told };
  GstElement *chain = make_chain (caps, kind, NULL, &hooks);

  gst_object_ref_sink (chain);
  gst_object_unref (chain);
  g_string_append (told.encoders, told.payloaders->str);
  g_string_free (told.payloaders, TRUE);
  return g_string_free (told.encoders, FALSE);
}

static void
test_hooks (void)
{
  g_autofree gchar *raw =
      chain_told ("video/x-raw,format=I420,width=320,height=240,framerate=25/1",
          GST_IVS_VIDEO);
  g_autofree gchar *h264 =
      chain_told ("video/x-h264,stream-format=avc", GST_IVS_VIDEO);
  g_autofree gchar *audio =
      chain_told ("audio/x-raw,format=S16LE,rate=48000,channels=1",
          GST_IVS_AUDIO);

  g_assert_cmpstr (raw, ==, "x264enc rtph264pay ");
  g_assert_cmpstr (h264, ==, "rtph264pay ");
  g_assert_cmpstr (audio, ==, "opusenc rtpopuspay ");
}

/* -- What is missing or wrong ---------------------------------------------------------- */

static void
assert_no_chain (const gchar *caps_string, GstIvsKind kind, gint code,
    const gchar *words)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_string);
  g_autoptr (GError) error = NULL;

  g_assert_null (
      gst_ivs_encoding_make_chain (caps, kind, FALSE, NULL, NULL, &error));
  g_assert_error (error, IVS_ERROR, code);
  g_assert_nonnull (strstr (error->message, words));
}

#define RAW "video/x-raw,format=I420,width=320,height=240,framerate=25/1"

static void
test_no_encoder (void)
{
  set_rank ("x264enc", GST_RANK_NONE);
  set_rank ("openh264enc", GST_RANK_NONE);
  assert_no_chain (RAW, GST_IVS_VIDEO, IVS_FAILURE_MISSING_PLUGIN,
      "gstreamer1.0-plugins-ugly");
  set_rank ("x264enc", GST_RANK_PRIMARY);
  set_rank ("openh264enc", GST_RANK_MARGINAL);
}

static void
test_missing_element (gconstpointer data)
{
  GstRegistry *registry = gst_registry_get ();
  g_autoptr (GstPluginFeature) feature =
      gst_registry_lookup_feature (registry, data);

  gst_registry_remove_feature (registry, feature);
  assert_no_chain ("video/x-h264,stream-format=avc", GST_IVS_VIDEO,
      IVS_FAILURE_MISSING_PLUGIN, "gstreamer1.0-plugins-");
  gst_registry_add_feature (registry, gst_object_ref (feature));
}

static void
test_foreign_memory (void)
{
  assert_no_chain ("video/x-raw(memory:GLMemory),format=RGBA,width=320,"
                   "height=240,framerate=25/1",
      GST_IVS_VIDEO, IVS_FAILURE_MISSING_PLUGIN, "gstreamer1.0-gl");
  assert_no_chain ("video/x-raw(memory:Elsewhere),format=RGBA,width=320,"
                   "height=240,framerate=25/1",
      GST_IVS_VIDEO, IVS_FAILURE_INPUT, "memory:Elsewhere");
}

static void
test_wrong_caps (void)
{
  assert_no_chain ("audio/x-opus,channels=6,channel-mapping-family=1",
      GST_IVS_AUDIO, IVS_FAILURE_INPUT, "not 6");
  assert_no_chain ("video/x-vp8", GST_IVS_VIDEO, IVS_FAILURE_INPUT,
      "video/x-vp8");
}

/* An encoder whose device is not there. */
typedef GstElement NoDevice;
typedef GstElementClass NoDeviceClass;
GType no_device_get_type (void);
G_DEFINE_TYPE (NoDevice, no_device, GST_TYPE_ELEMENT)

static GstStateChangeReturn
no_device_change_state (GstElement *element, GstStateChange transition)
{
  return transition == GST_STATE_CHANGE_NULL_TO_READY
      ? GST_STATE_CHANGE_FAILURE
      : GST_STATE_CHANGE_SUCCESS;
}

static void
no_device_class_init (NoDeviceClass *klass)
{
  g_autoptr (GstCaps) raw = gst_caps_from_string ("video/x-raw");
  g_autoptr (GstCaps) h264 = gst_caps_from_string ("video/x-h264");

  klass->change_state = no_device_change_state;
  gst_element_class_set_static_metadata (klass, "none",
      "Codec/Encoder/Video/Hardware", "none", "none");
  gst_element_class_add_pad_template (klass,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, raw));
  gst_element_class_add_pad_template (klass,
      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, h264));
}

static void
no_device_init (NoDevice *self)
{
}

static void
test_encoder_without_device (void)
{
  g_autofree gchar *told = NULL;

  g_assert_true (gst_element_register (NULL, "nodeviceenc",
      GST_RANK_PRIMARY + 100, no_device_get_type ()));
  told = chain_told (RAW, GST_IVS_VIDEO);
  g_assert_cmpstr (told, ==, "x264enc rtph264pay ");

  set_rank ("x264enc", GST_RANK_NONE);
  set_rank ("openh264enc", GST_RANK_NONE);
  assert_no_chain (RAW, GST_IVS_VIDEO, IVS_FAILURE_ENCODER, "nodeviceenc");
  set_rank ("x264enc", GST_RANK_PRIMARY);
  set_rank ("openh264enc", GST_RANK_MARGINAL);
  set_rank ("nodeviceenc", GST_RANK_NONE);
}

/* -- Caps ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct
{
  const gchar *caps;
  gint kind;                    /* -1 = none */
  gboolean rtp;
} kinds[] = {
  { "video/x-raw,format=NV12,width=320,height=240", GST_IVS_VIDEO, FALSE },
  { "video/x-raw(memory:GLMemory),format=RGBA", GST_IVS_VIDEO, FALSE },
  { "video/x-h264,stream-format=avc,alignment=au", GST_IVS_VIDEO, FALSE },
  { "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000", GST_IVS_VIDEO, TRUE },
  { "audio/x-raw,format=S16LE,rate=8000,channels=1", GST_IVS_AUDIO, FALSE },
  { "audio/x-opus", GST_IVS_AUDIO, FALSE },
  { "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000", GST_IVS_AUDIO, TRUE },
  { "video/x-vp8", -1, FALSE },
  { "audio/mpeg", -1, FALSE },
  { "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000", -1, TRUE },
};
/* clang-format on */

static void
test_kinds (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (kinds[i].caps);
    GstIvsKind kind = GST_IVS_N_KINDS;

    g_assert_cmpint (gst_ivs_encoding_kind_of_caps (caps, &kind), ==,
        kinds[i].kind >= 0);
    if (kinds[i].kind >= 0)
      g_assert_cmpint (kind, ==, kinds[i].kind);
    g_assert_cmpint (gst_ivs_encoding_is_rtp (caps), ==, kinds[i].rtp);
  }
}

static void
add_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/encoding/video/%s", pictures[i].name);
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_picture);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (too_fast); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/encoding/video/too-many-frames-per-second/%s",
            too_fast[i].name);
    g_test_add_data_func (path, GSIZE_TO_POINTER (i),
        test_too_many_frames_per_second);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (sounds); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/encoding/audio/%s", sounds[i].name);
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_sound);
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  load_plugins ();

  add_rows ();
  g_test_add_data_func ("/encoding/key-frame-interval/x264enc", NULL,
      test_key_frame_interval);
  g_test_add_data_func ("/encoding/key-frame-interval/openh264enc", "x264enc",
      test_key_frame_interval);
  g_test_add_data_func ("/encoding/key-frame-interval/variable-framerate",
      "0/1", test_other_framerate);
  g_test_add_data_func ("/encoding/key-frame-interval/other-framerate", "60/1",
      test_other_framerate);
  g_test_add_data_func ("/encoding/segment-in-bytes/video", "video",
      test_segment_in_bytes);
  g_test_add_data_func ("/encoding/segment-in-bytes/audio", NULL,
      test_segment_in_bytes);
  g_test_add_func ("/encoding/video/size-changes", test_size_changes);
  g_test_add_func ("/encoding/video/steps-in-quick-succession",
      test_steps_in_quick_succession);
  g_test_add_func ("/encoding/video/pause", test_pause);
  g_test_add_func ("/encoding/video/one-by-one", test_one_by_one);
  g_test_add_func ("/encoding/video/threads", test_threads);
  g_test_add_data_func ("/encoding/h264/byte-stream", "byte-stream",
      test_encoded);
  g_test_add_data_func ("/encoding/h264/avc", "avc", test_encoded);
  g_test_add_func ("/encoding/h264/bare-x264enc", test_bare_x264enc);
  g_test_add_func ("/encoding/opus", test_opus);
  g_test_add_func ("/encoding/latency/early", test_early);
  g_test_add_func ("/encoding/hooks", test_hooks);
  g_test_add_func ("/encoding/missing/encoder", test_no_encoder);
  g_test_add_data_func ("/encoding/missing/parser", "h264parse",
      test_missing_element);
  g_test_add_data_func ("/encoding/missing/payloader", "rtph264pay",
      test_missing_element);
  g_test_add_func ("/encoding/foreign-memory", test_foreign_memory);
  g_test_add_func ("/encoding/wrong-caps", test_wrong_caps);
  g_test_add_func ("/encoding/encoder-without-device",
      test_encoder_without_device);
  g_test_add_func ("/encoding/kinds", test_kinds);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
