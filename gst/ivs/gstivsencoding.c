/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which encoder, parser and payloader for which caps, and their settings for a
 * stage.
 *
 *   raw video   queue ! [download] ! [videoconvert ! deinterlace] ! [videorate]
 *               ! videoconvertscale ! size ! ENCODER ! profile ! h264parse ! rtph264pay ! [queue]
 *   H.264       h264parse ! rtph264pay
 *   raw audio   queue ! audioconvert ! audioresample ! format ! opusenc ! rtpopuspay
 *               ! [queue]
 *   Opus        opusparse ! rtpopuspay
 *
 * The first queue takes the encoder off the thread of the source. It holds two frames
 * only, and for a live source drops the oldest when the encoder is too slow: a
 * camera must not be held up, and what is late is of no use. A source that is not
 * live waits instead. The last queue, for a live source, holds what comes before its
 * time: webrtcbin lets it wait for the latency of the pipeline, up to seconds with an
 * RTSP camera, which would fill the first queue as a slow encoder does.
 */
#include "gstivsencoding.h"
#include "gstivsencoders.h"
#include "gstivsshape.h"
#include "ivs-error.h"
#include "ivs-limits.h"
#include <gst/video/video.h>

#define DEFAULT_VIDEO_BITRATE 2500000
#define DEFAULT_MONO_BITRATE 64000
#define DEFAULT_STEREO_BITRATE 128000
#define DEFAULT_KEY_FRAME_INTERVAL 2000

/* With our 8 bytes of header extension, SRTP, RTX, UDP and IPv6 it stays below
 * 1280 octets, which every IPv6 link carries (RFC 8200, 5). */
#define MTU 1200

/* What one thread of an encoder has to be enough for, pixels per second; and the frame
 * rate of video that does not tell. */
#define ONE_THREAD_PIXELS G_GUINT64_CONSTANT (1280 * 720 * 30)
#define USUAL_FRAMERATE 30

#define QUEUED_VIDEO_FRAMES 2
#define QUEUED_AUDIO_TIME (100 * GST_MSECOND)

#define RTP_H264 \
  "application/x-rtp, media=(string)video, encoding-name=(string)H264, " \
  "clock-rate=(int)90000"
#define RTP_OPUS \
  "application/x-rtp, media=(string)audio, encoding-name=(string)OPUS, " \
  "clock-rate=(int)48000"
/* Any other format deinterlace passes on as it is, and no encoder of ours takes fields. */
#define DEINTERLACEABLE \
  "video/x-raw, format=(string){ I420, YV12, NV12, NV21, YUY2, YVYU, UYVY, " \
  "Y42B, Y41B, Y444, AYUV }"
/* In this order: an encoder that is free to choose takes the first. */
#define ENCODED_H264 \
  "video/x-h264, stream-format=(string){ byte-stream, avc, avc3 }, " \
  "profile=(string){ constrained-baseline, baseline, main, " \
  "constrained-high, high, progressive-high }"

GstCaps *
gst_ivs_encoding_audio_caps (void)
{
  return gst_caps_from_string ("audio/x-raw; audio/x-opus; " RTP_OPUS);
}

GstCaps *
gst_ivs_encoding_video_caps (void)
{
  return gst_caps_from_string (
      "video/x-raw; video/x-raw(ANY); " ENCODED_H264 "; " RTP_H264);
}

GstCaps *
gst_ivs_encoding_rtp_caps (void)
{
  return gst_caps_from_string (RTP_H264 "; " RTP_OPUS);
}

gboolean
gst_ivs_encoding_is_rtp (const GstCaps *caps)
{
  return gst_structure_has_name (gst_caps_get_structure (caps, 0),
      "application/x-rtp");
}

gboolean
gst_ivs_encoding_kind_of_caps (const GstCaps *caps, GstIvsKind *kind)
{
  g_autoptr (GstCaps) audio = gst_ivs_encoding_audio_caps ();
  g_autoptr (GstCaps) video = gst_ivs_encoding_video_caps ();

  if (gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return FALSE;
  if (gst_caps_can_intersect (caps, video))
    *kind = GST_IVS_VIDEO;
  else if (gst_caps_can_intersect (caps, audio))
    *kind = GST_IVS_AUDIO;
  else
    return FALSE;
  return TRUE;
}

/* -- A chain in the making ------------------------------------------------------- */

typedef struct
{
  GstBin *bin;
  GstElement *first;
  GstElement *last;
  gboolean live;
  GstIvsEncodingSettings settings;
  const GstIvsEncodingHooks *hooks;
  GError **error;
} Chain;

/* clang-format off */
static const struct
{
  const gchar *factory;
  const gchar *package;
} packages[] = {
  { "queue", "libgstreamer1.0-0" },
  { "capsfilter", "libgstreamer1.0-0" },
  { "videorate", "gstreamer1.0-plugins-base" },
  { "videoconvert", "gstreamer1.0-plugins-base" },
  { "videoconvertscale", "gstreamer1.0-plugins-base" },
  { "audioconvert", "gstreamer1.0-plugins-base" },
  { "audioresample", "gstreamer1.0-plugins-base" },
  { "opusenc", "gstreamer1.0-plugins-base" },
  { "deinterlace", "gstreamer1.0-plugins-good" },
  { "rtph264pay", "gstreamer1.0-plugins-good" },
  { "rtpopuspay", "gstreamer1.0-plugins-good" },
  { "h264parse", "gstreamer1.0-plugins-bad" },
  { "opusparse", "gstreamer1.0-plugins-bad" },
  { "vapostproc", "gstreamer1.0-plugins-bad" },
  { "cudadownload", "gstreamer1.0-plugins-bad" },
  { "vulkandownload", "gstreamer1.0-plugins-bad" },
  { "d3d11download", "gstreamer1.0-plugins-bad" },
  { "glcolorconvert", "gstreamer1.0-gl" },
  { "gldownload", "gstreamer1.0-gl" },
  { "vaapipostproc", "gstreamer1.0-vaapi" },
  { "nvvidconv", "nvidia-l4t-gstreamer" },
};

/* Memory that has to be fetched, and who fetches it. */
static const struct
{
  const gchar *feature;
  const gchar *elements[2];
} downloads[] = {
  { "memory:GLMemory", { "glcolorconvert", "gldownload" } },
  { "memory:VAMemory", { "vapostproc" } },
  { "memory:DMABuf", { "vapostproc" } },
  { "memory:VASurface", { "vaapipostproc" } },
  { "memory:CUDAMemory", { "cudadownload" } },
  { "memory:D3D11Memory", { "d3d11download" } },
  { "memory:VulkanImage", { "vulkandownload" } },
  { "memory:NVMM", { "nvvidconv" } },
};
/* clang-format on */

static const gchar *
package_of (const gchar *factory)
{
  for (gsize i = 0; i < G_N_ELEMENTS (packages); i++)
    if (g_str_equal (packages[i].factory, factory))
      return packages[i].package;
  return "GStreamer plugin";
}

/* Takes @element (floating) as the next of the chain. */
static gboolean
append (Chain *chain, GstElement *element)
{
  gst_bin_add (chain->bin, element);
  if (chain->first == NULL)
    chain->first = element;
  if (chain->last != NULL && !gst_element_link (chain->last, element)) {
    g_set_error (chain->error, IVS_ERROR, IVS_FAILURE_ENCODER,
        "%s and %s do not fit together", GST_OBJECT_NAME (chain->last),
        GST_OBJECT_NAME (element));
    return FALSE;
  }
  chain->last = element;
  return TRUE;
}

/* Makes it, sets properties as gst-launch would, "name=value ...", and takes it. */
static GstElement *
append_new (Chain *chain, const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element == NULL) {
    g_set_error (chain->error, IVS_ERROR, IVS_FAILURE_MISSING_PLUGIN,
        "The element %s is missing: install the package %s", factory,
        package_of (factory));
    return NULL;
  }
  return append (chain, element) ? element : NULL;
}

static GstElement *
append_capsfilter (Chain *chain, const gchar *caps)
{
  GstElement *filter = append_new (chain, "capsfilter");

  if (filter != NULL && caps != NULL)
    gst_util_set_object_arg (G_OBJECT (filter), "caps", caps);
  return filter;
}

static gboolean
append_queue (Chain *chain, guint buffers, GstClockTime time)
{
  GstElement *queue = append_new (chain, "queue");

  if (queue == NULL)
    return FALSE;
  g_object_set (queue, "max-size-buffers", buffers, "max-size-bytes", 0,
      "max-size-time", time, NULL);
  gst_util_set_object_arg (G_OBJECT (queue), "leaky",
      chain->live ? "downstream" : "no");
  return TRUE;
}

/* appsrc says bytes unless it is told otherwise. Its buffers may have times all the
 * same; but encoders refuse such a segment, and then there is nothing to say where the
 * times belong. A time is taken for running time then, as in a segment from 0. */
static GstPadProbeReturn
make_segment_time (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  const GstSegment *given;
  GstSegment segment;

  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
    return GST_PAD_PROBE_OK;
  gst_event_parse_segment (event, &given);
  if (given->format == GST_FORMAT_TIME)
    return GST_PAD_PROBE_OK;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  info->data = gst_event_new_segment (&segment);
  gst_event_set_seqnum (info->data, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return GST_PAD_PROBE_OK;
}

/* Before an encoder. */
static gboolean
append_first_queue (Chain *chain, guint buffers, GstClockTime time)
{
  g_autoptr (GstPad) pad = NULL;

  if (!append_queue (chain, buffers, time))
    return FALSE;
  pad = gst_element_get_static_pad (chain->last, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      make_segment_time, NULL, NULL);
  return TRUE;
}

/* Nothing is dropped here. By bytes, four seconds of the most that a stage takes. */
static gboolean
append_waiting_room (Chain *chain)
{
  GstElement *queue = NULL;

  if (!chain->live)
    return TRUE;
  queue = append_new (chain, "queue");
  if (queue == NULL)
    return FALSE;
  g_object_set (queue, "max-size-buffers", 0, "max-size-bytes",
      4 * IVS_LIMITS_MAX_VIDEO_BITRATE / 8, "max-size-time", (guint64) 0, NULL);
  return TRUE;
}

/* At this event rtph264pay sends the parameter sets in a packet that ends a frame of
 * its own, and then once more before the IDR picture, where we want them. */
static GstPadProbeReturn
drop_key_unit_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return gst_video_event_is_force_key_unit (GST_PAD_PROBE_INFO_EVENT (info))
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

static void
set_up_rtph264pay (GstElement *payloader)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (payloader, "sink");

  g_object_set (payloader, "config-interval", -1, NULL);
  gst_util_set_object_arg (G_OBJECT (payloader), "aggregate-mode",
      "zero-latency");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      drop_key_unit_event, NULL, NULL);
}

static gboolean
append_payloader (Chain *chain, const gchar *factory)
{
  GstElement *payloader = append_new (chain, factory);

  if (payloader == NULL)
    return FALSE;
  g_object_set (payloader, "mtu", MTU, NULL);
  if (g_str_equal (factory, "rtph264pay"))
    set_up_rtph264pay (payloader);
  if (chain->hooks != NULL && chain->hooks->payloader != NULL)
    chain->hooks->payloader (payloader, chain->hooks->data);
  return TRUE;
}

static void
tell_of_encoder (Chain *chain, GstElement *encoder)
{
  if (chain->hooks != NULL && chain->hooks->encoder != NULL)
    chain->hooks->encoder (encoder, chain->hooks->data);
}

/* -- Video ----------------------------------------------------------------------- */

/* Encoders count frames between IDR pictures, but frame rates are variable, wrong or
 * change, and not every encoder can be told while it runs. So time is watched as
 * well: what goes in is asked to be an IDR picture when the last that came out, or
 * was asked for, is too old. */
typedef struct
{
  GstClockTime interval;
  GMutex lock;       /* some encoders push from threads of their own */
  GstClockTime last; /* running time */
} KeyTimer;

static void
key_timer_free (gpointer data)
{
  KeyTimer *timer = data;

  g_mutex_clear (&timer->lock);
  g_free (timer);
}

/* Not the PTS: x264enc adds a thousand hours to it. */
static GstClockTime
running_time_of (GstPad *pad, GstBuffer *buffer)
{
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (event == NULL)
    return GST_CLOCK_TIME_NONE;
  gst_event_parse_segment (event, &segment);
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
}

static gboolean
is_key_time (KeyTimer *timer, GstClockTime now)
{
  gboolean due;

  g_mutex_lock (&timer->lock);
  due = GST_CLOCK_TIME_IS_VALID (timer->last) && now >= timer->last &&
      now - timer->last >= timer->interval;
  if (due || !GST_CLOCK_TIME_IS_VALID (timer->last) || now < timer->last)
    timer->last = now;
  g_mutex_unlock (&timer->lock);
  return due;
}

static GstPadProbeReturn
before_encoder (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  KeyTimer *timer = data;
  GstClockTime now = running_time_of (pad, GST_PAD_PROBE_INFO_BUFFER (info));

  if (GST_CLOCK_TIME_IS_VALID (now) && is_key_time (timer, now))
    gst_pad_send_event (pad,
        gst_video_event_new_downstream_force_key_unit (GST_CLOCK_TIME_NONE,
            GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, TRUE, 0));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
after_encoder (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  KeyTimer *timer = data;
  GstBuffer *picture = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime now = running_time_of (pad, picture);

  if (GST_BUFFER_FLAG_IS_SET (picture, GST_BUFFER_FLAG_DELTA_UNIT) ||
      !GST_CLOCK_TIME_IS_VALID (now))
    return GST_PAD_PROBE_OK;

  g_mutex_lock (&timer->lock);
  if (GST_CLOCK_TIME_IS_VALID (timer->last))
    timer->last = MAX (timer->last, now);
  g_mutex_unlock (&timer->lock);
  return GST_PAD_PROBE_OK;
}

static void
set_key_interval (GstElement *encoder, const GstCaps *caps, guint interval)
{
  GstVideoInfo video;
  guint64 n = IVS_LIMITS_MAX_FRAMERATE, d = 1;

  if (gst_video_info_from_caps (&video, caps) && video.fps_n > 0 &&
      video.fps_n <= IVS_LIMITS_MAX_FRAMERATE * video.fps_d) {
    n = (guint64) video.fps_n;
    d = (guint64) video.fps_d;
  }
  gst_ivs_encoders_set_key_interval (encoder,
      (guint) MIN (gst_util_uint64_scale (interval, n, 1000 * d), G_MAXINT32));
}

static void
watch_encoder (GstElement *encoder, guint interval)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (encoder, "sink");
  g_autoptr (GstPad) src = gst_element_get_static_pad (encoder, "src");
  KeyTimer *timer = g_new0 (KeyTimer, 1);

  timer->interval = interval * GST_MSECOND;
  timer->last = GST_CLOCK_TIME_NONE;
  g_mutex_init (&timer->lock);
  g_object_set_data_full (G_OBJECT (encoder), "ivs-key-timer", timer,
      key_timer_free);
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, before_encoder, timer,
      NULL);
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, after_encoder, timer,
      NULL);
}

/* The first feature that is a kind of memory other than the system's, or NULL. */
static const gchar *
foreign_memory (const GstCaps *caps)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, 0);

  for (guint i = 0; i < gst_caps_features_get_size (features); i++) {
    const gchar *feature = gst_caps_features_get_nth (features, i);

    if (g_str_has_prefix (feature, "memory:") &&
        !g_str_equal (feature, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY))
      return feature;
  }
  return NULL;
}

/* Memory that videoconvertscale cannot read is fetched first. */
static gboolean
append_download (Chain *chain, const GstCaps *caps)
{
  const gchar *memory = foreign_memory (caps);

  if (memory == NULL)
    return TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (downloads); i++) {
    if (!g_str_equal (memory, downloads[i].feature))
      continue;
    for (gsize j = 0; j < 2 && downloads[i].elements[j] != NULL; j++)
      if (append_new (chain, downloads[i].elements[j]) == NULL)
        return FALSE;
    return TRUE;
  }
  g_set_error (chain->error, IVS_ERROR, IVS_FAILURE_INPUT,
      "Video in %s cannot be fetched from there: put an element that downloads it "
      "before this one",
      memory);
  return FALSE;
}

/* Two hold each picture back until the next one comes. One encodes 720p of a film
 * at 75 to 100 pictures per second on a core of an AMD EPYC: 60 would be too close. */
static guint
count_threads (const GstCaps *caps)
{
  GstVideoInfo video;
  guint width = 0, height = 0;
  guint64 n = USUAL_FRAMERATE, d = 1;

  if (!gst_video_info_from_caps (&video, caps) || video.width <= 0 ||
      video.height <= 0)
    return 1;
  if (video.fps_n > 0 && video.fps_d > 0) {
    n = (guint64) video.fps_n;
    d = (guint64) video.fps_d;
  }
  if (n > IVS_LIMITS_MAX_FRAMERATE * d) {
    n = IVS_LIMITS_MAX_FRAMERATE;
    d = 1;
  }
  ivs_limits_fit_size ((guint) video.width, (guint) video.height, &width,
      &height);
  return width * height * n > ONE_THREAD_PIXELS * d ? 2 : 1;
}

static gboolean
append_encoder (Chain *chain, const GstCaps *caps, GstIvsShape *shape)
{
  GstElement *encoder =
      gst_ivs_encoders_make_h264 (chain->settings.video_bitrate, chain->error);

  if (encoder == NULL || !append (chain, encoder))
    return FALSE;
  gst_ivs_encoders_set_threads (encoder, count_threads (caps));
  set_key_interval (encoder, caps, chain->settings.key_frame_interval);
  watch_encoder (encoder, chain->settings.key_frame_interval);
  gst_ivs_shape_attach (shape, encoder);
  tell_of_encoder (chain, encoder);
  /* Without B-frames, CABAC and 8x8 transform, whatever the encoder would like. */
  return append_capsfilter (chain,
             "video/x-h264, profile=(string){ constrained-baseline, baseline }") !=
      NULL;
}

static gboolean
is_interlaced (const GstCaps *caps)
{
  const gchar *mode =
      gst_structure_get_string (gst_caps_get_structure (caps, 0),
          "interlace-mode");

  return mode != NULL && !g_str_equal (mode, "progressive");
}

/* One picture per frame: one per field would double the cost of encoding. */
static gboolean
append_deinterlace (Chain *chain, const GstCaps *caps)
{
  GstElement *deinterlace;

  if (!is_interlaced (caps))
    return TRUE;
  if (append_new (chain, "videoconvert") == NULL ||
      append_capsfilter (chain, DEINTERLACEABLE) == NULL)
    return FALSE;
  deinterlace = append_new (chain, "deinterlace");
  if (deinterlace != NULL)
    gst_util_set_object_arg (G_OBJECT (deinterlace), "fields", "top");
  return deinterlace != NULL;
}

static gboolean
is_too_fast (const GstCaps *caps)
{
  gint n, d;

  return gst_structure_get_fraction (gst_caps_get_structure (caps, 0),
             "framerate", &n, &d) &&
      n > IVS_LIMITS_MAX_FRAMERATE * d;
}

/* Only where it is needed: videorate holds each picture until the next one comes. It
 * would fill the time before the first one, from where the segment starts, and every
 * gap. Not drop-only, which duplicates and holds back nothing: after a gap as long as
 * the gap was, and without skip-to-first as long as the segment was before the first,
 * it lets every picture through while its caps say max-rate (1.22). */
static gboolean
append_rate (Chain *chain, const GstCaps *caps)
{
  GstElement *rate;

  if (!is_too_fast (caps))
    return TRUE;
  rate = append_new (chain, "videorate");
  if (rate != NULL)
    g_object_set (rate, "max-rate", IVS_LIMITS_MAX_FRAMERATE, "skip-to-first",
        TRUE, "max-duplication-time", GST_SECOND / IVS_LIMITS_MIN_FRAMERATE,
        NULL);
  return rate != NULL;
}

static gboolean
append_h264 (Chain *chain)
{
  GstElement *parse = append_new (chain, "h264parse");

  if (parse == NULL)
    return FALSE;
  g_object_set (parse, "config-interval", -1, NULL);
  return append_payloader (chain, "rtph264pay");
}

static gboolean
append_raw_video (Chain *chain, const GstCaps *caps)
{
  GstElement *scale, *filter;
  g_autoptr (GstIvsShape) shape = NULL;

  if (!append_first_queue (chain, QUEUED_VIDEO_FRAMES, 0) ||
      !append_download (chain, caps) || !append_deinterlace (chain, caps))
    return FALSE;
  if (!append_rate (chain, caps) ||
      (scale = append_new (chain, "videoconvertscale")) == NULL ||
      (filter = append_capsfilter (chain, NULL)) == NULL)
    return FALSE;
  shape = gst_ivs_shape_new (scale, filter);

  return append_encoder (chain, caps, shape) && append_h264 (chain) &&
      append_waiting_room (chain);
}

/* -- Audio ----------------------------------------------------------------------- */

static gint
channels_of (const GstCaps *caps)
{
  gint channels = 0;

  gst_structure_get_int (gst_caps_get_structure (caps, 0), "channels",
      &channels);
  return channels;
}

static void
set_up_opusenc (Chain *chain, GstElement *encoder, gint channels)
{
  guint bitrate = chain->settings.audio_bitrate;

  if (bitrate == 0)
    bitrate = channels == 1 ? DEFAULT_MONO_BITRATE : DEFAULT_STEREO_BITRATE;
  g_object_set (encoder, "bitrate",
      (gint) MIN (bitrate, IVS_LIMITS_MAX_AUDIO_BITRATE), "inband-fec", TRUE,
      /* Without an expected loss libopus spends nothing on FEC. */
      "packet-loss-percentage", 5, "dtx", FALSE,
      /* Gaps up to this are closed, and the sound comes earlier by as much for ever:
       * half of the default, less than anybody sees (ITU-R BT.1359: 45 ms). */
      "tolerance", (gint64) (20 * GST_MSECOND), NULL);
  gst_util_set_object_arg (G_OBJECT (encoder), "frame-size", "20");
}

static gboolean
append_raw_audio (Chain *chain, const GstCaps *caps)
{
  gint channels = channels_of (caps);
  g_autofree gchar *format =
      g_strdup_printf ("audio/x-raw, rate=(int)48000, channels=(int)%d",
          channels == 1 ? 1 : 2);
  GstElement *encoder;

  if (!append_first_queue (chain, 0, QUEUED_AUDIO_TIME) ||
      append_new (chain, "audioconvert") == NULL ||
      append_new (chain, "audioresample") == NULL ||
      append_capsfilter (chain, format) == NULL ||
      (encoder = append_new (chain, "opusenc")) == NULL)
    return FALSE;
  set_up_opusenc (chain, encoder, channels);
  tell_of_encoder (chain, encoder);
  return append_payloader (chain, "rtpopuspay") && append_waiting_room (chain);
}

static gboolean
append_opus (Chain *chain, const GstCaps *caps)
{
  gint channels = channels_of (caps);

  if (channels > IVS_LIMITS_MAX_AUDIO_CHANNELS) {
    g_set_error (chain->error, IVS_ERROR, IVS_FAILURE_INPUT,
        "A stage takes one or two channels of Opus, not %d: give raw audio, "
        "which is mixed down",
        channels);
    return FALSE;
  }
  return append_new (chain, "opusparse") != NULL &&
      append_payloader (chain, "rtpopuspay");
}

/* -- Any ------------------------------------------------------------------------- */

static gboolean
append_all (Chain *chain, const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  g_autofree gchar *text = NULL;

  if (gst_structure_has_name (s, "video/x-raw"))
    return append_raw_video (chain, caps);
  if (gst_structure_has_name (s, "video/x-h264"))
    return append_h264 (chain);
  if (gst_structure_has_name (s, "audio/x-raw"))
    return append_raw_audio (chain, caps);
  if (gst_structure_has_name (s, "audio/x-opus"))
    return append_opus (chain, caps);

  text = gst_caps_to_string (caps);
  g_set_error (chain->error, IVS_ERROR, IVS_FAILURE_INPUT,
      "A stage takes H.264 and Opus; %s cannot be published: decode it", text);
  return FALSE;
}

static void
add_ghost_pad (GstBin *bin, GstElement *element, const gchar *name)
{
  g_autoptr (GstPad) target = gst_element_get_static_pad (element, name);

  gst_element_add_pad (GST_ELEMENT (bin), gst_ghost_pad_new (name, target));
}

static void
take_settings (Chain *chain, const GstIvsEncodingSettings *settings)
{
  if (settings != NULL)
    chain->settings = *settings;
  if (chain->settings.video_bitrate == 0)
    chain->settings.video_bitrate = DEFAULT_VIDEO_BITRATE;
  if (chain->settings.key_frame_interval == 0)
    chain->settings.key_frame_interval = DEFAULT_KEY_FRAME_INTERVAL;
}

GstElement *
gst_ivs_encoding_make_chain (const GstCaps *caps, GstIvsKind kind,
    gboolean live, const GstIvsEncodingSettings *settings,
    const GstIvsEncodingHooks *hooks, GError **error)
{
  Chain chain = { .live = live, .hooks = hooks, .error = error };

  g_return_val_if_fail (caps != NULL && gst_caps_is_fixed (caps), NULL);

  take_settings (&chain, settings);
  chain.bin = GST_BIN (
      gst_bin_new (kind == GST_IVS_VIDEO ? "video-chain" : "audio-chain"));
  if (!append_all (&chain, caps)) {
    gst_object_ref_sink (chain.bin);
    gst_object_unref (chain.bin);
    return NULL;
  }
  add_ghost_pad (chain.bin, chain.first, "sink");
  add_ghost_pad (chain.bin, chain.last, "src");
  return GST_ELEMENT (chain.bin);
}

/* What the chain was chosen by. Size, sample rate, channels and so on may change
 * while it runs. */
gboolean
gst_ivs_encoding_chain_serves (const GstCaps *old, const GstCaps *caps)
{
  gboolean is_raw =
      gst_structure_has_name (gst_caps_get_structure (old, 0), "video/x-raw");

  return gst_structure_get_name_id (gst_caps_get_structure (old, 0)) ==
      gst_structure_get_name_id (gst_caps_get_structure (caps, 0)) &&
      gst_caps_features_is_equal (gst_caps_get_features (old, 0),
          gst_caps_get_features (caps, 0)) &&
      is_interlaced (old) == is_interlaced (caps) &&
      is_too_fast (old) == is_too_fast (caps) &&
      (!is_raw || count_threads (caps) <= count_threads (old));
}
