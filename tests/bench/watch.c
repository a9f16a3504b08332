/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ivs-bench-watch: a viewer of a stage, who looks at each picture of the clip.
 *
 *     ivs-bench-watch --endpoint URL --tokens FILE --clip FILE --epoch US --patience MS
 *
 * It decodes what comes, as a browser does: pictures whose references are missing are
 * not shown, and a key frame is asked for. A line for each picture that was decoded:
 *
 *     p NUMBER TIME PSNR WIDTH HEIGHT    (microseconds of the wall clock, dB)
 *
 * and one for each that should be seen, patience after its capture: how much what is
 * seen then, maybe an older picture, is like it:
 *
 *     s NUMBER PSNR
 *
 * Of the luma without the number; smaller pictures are enlarged first.
 */
#include <gst/app/app.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gst/webrtc/webrtc.h>
#include <math.h>
#include <stdio.h>

#include "bare.h"
#include "clip-number.h"
#include "program.h"

#define DECODER \
  "rtph264depay name=in wait-for-keyframe=true request-keyframe=true " \
  "! video/x-h264,stream-format=byte-stream,alignment=au " \
  "! h264parse ! openh264dec name=decoder ! videoscale " \
  "! video/x-raw,format=I420,width=640,height=360,pixel-aspect-ratio=1/1 " \
  "! appsink name=out sync=false"
#define CODECS \
  "application/x-rtp,media=video,encoding-name=H264,payload=97," \
  "clock-rate=90000,packetization-mode=(string)1"
/* A stage's own loss is none; it only delivers what comes. */
#define LATENCY_MS 100
/* After so long without a picture a key frame is asked for again. */
#define IMPATIENCE_US (G_USEC_PER_SEC / 2)
#define MAX_PSNR 60.0

typedef struct
{
  gchar *endpoint, *tokens, *clip;
  gint64 epoch_us;
  gint patience_ms;
} Options;

typedef struct
{
  guint16 number;
  GstSample *sample;
} Picture;

typedef struct
{
  Options options;
  GMappedFile *clip;
  GstElement *pipeline, *webrtcbin;
  GMainLoop *loop;

  GMutex lock;       /* everything below */
  GQueue pictures;   /* Picture, decoded and not yet to be seen */
  Picture *seen;     /* or NULL */
  guint next_slot;   /* the first that was not yet to be seen */
  gint64 decoded_us; /* the last one; of the monotonic clock */
} Program;

/* -- Looking ---------------------------------------------------------------------- */

static void
picture_free (Picture *picture)
{
  gst_sample_unref (picture->sample);
  g_free (picture);
}

static gdouble
get_psnr (const guint8 *luma, gsize stride, const guint8 *source)
{
  guint64 sum = 0;
  gdouble error;

  for (guint y = CLIP_NUMBER_HEIGHT; y < CLIP_HEIGHT; y++) {
    guint32 line = 0;

    for (guint x = 0; x < CLIP_WIDTH; x++) {
      gint difference = luma[y * stride + x] - source[y * CLIP_WIDTH + x];

      line += (guint32) (difference * difference);
    }
    sum += line;
  }
  error = (gdouble) sum / (CLIP_WIDTH * (CLIP_HEIGHT - CLIP_NUMBER_HEIGHT));
  return error > 0 ? MIN (10 * log10 (255.0 * 255.0 / error), MAX_PSNR)
                   : MAX_PSNR;
}

static gboolean
map_sample (GstSample *sample, GstVideoFrame *frame)
{
  GstVideoInfo info;

  return gst_video_info_from_caps (&info, gst_sample_get_caps (sample)) &&
      gst_video_frame_map (frame, &info, gst_sample_get_buffer (sample),
          GST_MAP_READ);
}

static gdouble
compare (Program *self, GstSample *sample, guint number)
{
  GstVideoFrame frame;
  gdouble psnr;

  if (!map_sample (sample, &frame))
    g_error ("A picture cannot be read");
  psnr = get_psnr (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0),
      (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
      clip_find (self->clip, (guint16) number));
  gst_video_frame_unmap (&frame);
  return psnr;
}

static gint
read_number (GstSample *sample)
{
  GstVideoFrame frame;
  gint number;

  if (!map_sample (sample, &frame))
    g_error ("A picture cannot be read");
  number = clip_number_read (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0),
      (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0));
  gst_video_frame_unmap (&frame);
  return number;
}

/* -- Seeing: a fixed time after the capture ------------------------------------------ */

static void
see_slot (Program *self, guint slot)
{
  Picture *first;

  while ((first = g_queue_peek_head (&self->pictures)) != NULL &&
      first->number <= slot) {
    g_clear_pointer (&self->seen, picture_free);
    self->seen = g_queue_pop_head (&self->pictures);
  }
  if (self->seen != NULL)
    printf ("s %u %.2f\n", slot, compare (self, self->seen->sample, slot));
}

/* Before a new picture is put to the others: those came before every slot of now. */
static void
see (Program *self)
{
  gint64 now_us =
      g_get_real_time () - (gint64) self->options.patience_ms * 1000;

  while (CLIP_TIME (self->options.epoch_us, self->next_slot) < now_us)
    see_slot (self, self->next_slot++);
}

/* Its size as it came. */
static void
print_picture (Program *self, GstSample *sample, guint number, gint64 now_us)
{
  g_autoptr (GstElement) decoder =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "decoder");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (decoder, "src");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstStructure *size = gst_caps_get_structure (caps, 0);
  gint width = 0, height = 0;

  gst_structure_get_int (size, "width", &width);
  gst_structure_get_int (size, "height", &height);
  printf ("p %u %" G_GINT64_FORMAT " %.2f %d %d\n", number, now_us,
      compare (self, sample, number), width, height);
}

static GstFlowReturn
picture_came (GstAppSink *sink, gpointer data)
{
  Program *self = data;
  gint64 now_us = g_get_real_time ();
  GstSample *sample = gst_app_sink_pull_sample (sink);
  gint number = sample != NULL ? read_number (sample) : -1;
  Picture *picture;

  if (number < 0) {
    g_clear_pointer (&sample, gst_sample_unref);
    return GST_FLOW_OK;
  }
  g_mutex_lock (&self->lock);
  if (self->decoded_us == 0)
    self->next_slot = (guint) number;
  self->decoded_us = g_get_monotonic_time ();
  see (self);
  print_picture (self, sample, (guint) number, now_us);
  picture = g_new (Picture, 1);
  *picture = (Picture){ (guint16) number, sample };
  g_queue_push_tail (&self->pictures, picture);
  fflush (stdout);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

/* -- The stage -------------------------------------------------------------------- */

static void
ask_for_key_frame (Program *self)
{
  g_autoptr (GstElement) in =
      gst_bin_get_by_name (GST_BIN (self->pipeline), "in");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (in, "sink");

  gst_pad_push_event (pad,
      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, FALSE,
          0));
}

static gboolean
is_impatient (Program *self, gint64 *asked_us)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean result;

  g_mutex_lock (&self->lock);
  result = self->decoded_us > 0 &&
      now_us - MAX (self->decoded_us, *asked_us) > IMPATIENCE_US;
  g_mutex_unlock (&self->lock);
  if (result)
    *asked_us = now_us;
  return result;
}

static gboolean
look_due (gpointer data)
{
  static gint64 asked_us;

  if (is_impatient (data, &asked_us))
    ask_for_key_frame (data);
  return G_SOURCE_CONTINUE;
}

static void
pad_added (GstElement *webrtcbin, GstPad *pad, gpointer data)
{
  Program *self = data;
  GstAppSinkCallbacks callbacks = { .new_sample = picture_came };
  g_autoptr (GstElement) bin = NULL;
  g_autoptr (GstElement) out = NULL;
  g_autoptr (GstPad) sink = NULL;
  g_autoptr (GError) error = NULL;

  if (!GST_PAD_IS_SRC (pad))
    return;
  bin = gst_object_ref_sink (
      gst_parse_bin_from_description (DECODER, TRUE, &error));
  if (error != NULL)
    g_error ("%s", error->message);
  out = gst_bin_get_by_name (GST_BIN (bin), "out");
  gst_app_sink_set_callbacks (GST_APP_SINK (out), &callbacks, self, NULL);
  gst_bin_add (GST_BIN (self->pipeline), bin);
  sink = gst_element_get_static_pad (bin, "sink");
  if (gst_pad_link (pad, sink) != GST_PAD_LINK_OK ||
      !gst_element_sync_state_with_parent (bin))
    g_error ("What the stage sends cannot be decoded");
}

static void
add_transceiver (Program *self)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (CODECS);
  g_autoptr (GstWebRTCRTPTransceiver) transceiver = NULL;

  g_signal_emit_by_name (self->webrtcbin, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
}

/* -- Life ------------------------------------------------------------------------- */

static void
watch (Program *self, const gchar *token)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  Bare *bare;

  self->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  self->webrtcbin = gst_element_factory_make ("webrtcbin", NULL);
  g_object_set (self->webrtcbin, "bundle-policy",
      GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE, "latency", LATENCY_MS, NULL);
  g_signal_connect (self->webrtcbin, "pad-added", G_CALLBACK (pad_added), self);
  gst_bin_add (GST_BIN (self->pipeline), self->webrtcbin);
  bare = bare_new (self->webrtcbin, session, self->options.endpoint, token,
      TRUE, FALSE);
  add_transceiver (self);
  g_timeout_add (50, look_due, self);
  self->loop = g_main_loop_new (NULL, FALSE);
  program_end_with_input (self->loop);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  g_main_loop_run (self->loop);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  see (self);
  bare_free (bare);
  g_main_loop_unref (self->loop);
  gst_object_unref (self->pipeline);
}

static void
parse_options (Options *options, int *argc, char ***argv)
{
  const GOptionEntry entries[] = { { "endpoint", 0, 0, G_OPTION_ARG_STRING,
                                       &options->endpoint, "Where to subscribe",
                                       "URL" },
    { "tokens", 0, 0, G_OPTION_ARG_FILENAME, &options->tokens,
        "The token, in a file", "FILE" },
    { "clip", 0, 0, G_OPTION_ARG_FILENAME, &options->clip,
        "640x360, I420, without a head", "FILE" },
    { "epoch", 0, 0, G_OPTION_ARG_INT64, &options->epoch_us,
        "When picture 0 was captured, of the wall clock", "US" },
    { "patience", 0, 0, G_OPTION_ARG_INT, &options->patience_ms,
        "How long after its capture a picture should be seen", "MS" },
    { NULL } };

  program_parse_options (entries, argc, argv);
}

int
main (int argc, char **argv)
{
  Program self = { 0 };
  g_autofree gchar *token = NULL;

  gst_init (&argc, &argv);
  g_mutex_init (&self.lock);
  parse_options (&self.options, &argc, &argv);
  self.clip = program_map_file (self.options.clip);
  token = program_read_text (self.options.tokens);
  watch (&self, token);
  g_queue_clear_full (&self.pictures, (GDestroyNotify) picture_free);
  g_clear_pointer (&self.seen, picture_free);
  g_mapped_file_unref (self.clip);
  g_mutex_clear (&self.lock);
  return 0;
}
