/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which encoder, parser and payloader for which caps, and their settings for a
 * stage.
 *
 *   raw video   queue ! [deinterlace] ! [download] ! videorate ! videoconvertscale
 *               ! size ! ENCODER ! profile ! h264parse ! rtph264pay
 *   H.264       h264parse ! rtph264pay
 *   raw audio   queue ! audioconvert ! audioresample ! format ! opusenc ! rtpopuspay
 *   Opus        opusparse ! rtpopuspay
 *
 * The queue takes the encoder off the thread of the source. It holds a few frames
 * only, and for a live source drops the oldest when the encoder is too slow: a
 * camera must not be held up, and what is late is of no use. A source that is not
 * live waits instead.
 */
#include "gstivsencoding.h"
#include "gstivsencoders.h"
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

#define QUEUED_VIDEO_FRAMES 3
#define QUEUED_AUDIO_TIME (100 * GST_MSECOND)

/* What a variable frame rate is taken for. */
#define ASSUMED_FRAMERATE 30

#define RTP_H264 \
  "application/x-rtp, media=(string)video, encoding-name=(string)H264, " \
  "clock-rate=(int)90000"
#define RTP_OPUS \
  "application/x-rtp, media=(string)audio, encoding-name=(string)OPUS, " \
  "clock-rate=(int)48000"
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

static gboolean
append_payloader (Chain *chain, const gchar *factory)
{
  GstElement *payloader = append_new (chain, factory);

  if (payloader == NULL)
    return FALSE;
  g_object_set (payloader, "mtu", MTU, NULL);
  if (g_str_equal (factory, "rtph264pay")) {
    g_object_set (payloader, "config-interval", -1, NULL);
    gst_util_set_object_arg (G_OBJECT (payloader), "aggregate-mode",
        "zero-latency");
  }
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

/* Caps for the size that fits a stage, with square pixels: a receiver of WebRTC
 * knows no others. */
static GstCaps *
fit_caps (const GstVideoInfo *info)
{
  guint64 width = gst_util_uint64_scale_int ((guint64) info->width,
      MAX (info->par_n, 1), MAX (info->par_d, 1));
  guint fit_width, fit_height;

  width = CLAMP (width, 1, G_MAXUINT16);
  ivs_limits_fit_size ((guint) width, (guint) info->height, &fit_width,
      &fit_height);
  return gst_caps_new_simple ("video/x-raw", "width", G_TYPE_INT,
      (gint) fit_width, "height", G_TYPE_INT, (gint) fit_height,
      "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
}

/* Before the scaler: new caps come in, the size that goes out follows. */
static GstPadProbeReturn
size_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer filter)
{
  GstVideoInfo video;
  GstCaps *caps;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;

  gst_event_parse_caps (GST_PAD_PROBE_INFO_EVENT (info), &caps);
  if (gst_video_info_from_caps (&video, caps)) {
    g_autoptr (GstCaps) fit = fit_caps (&video);
    g_object_set (filter, "caps", fit, NULL);
  }
  return GST_PAD_PROBE_OK;
}

/* Before the encoder: the distance of IDR pictures is counted in frames. */
static GstPadProbeReturn
framerate_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  guint interval = GPOINTER_TO_UINT (data);
  g_autoptr (GstElement) encoder = NULL;
  GstVideoInfo video;
  GstCaps *caps;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;

  gst_event_parse_caps (GST_PAD_PROBE_INFO_EVENT (info), &caps);
  encoder = gst_pad_get_parent_element (pad);
  if (encoder != NULL && gst_video_info_from_caps (&video, caps)) {
    gint n = video.fps_n > 0 ? video.fps_n : ASSUMED_FRAMERATE;
    gint d = video.fps_n > 0 ? video.fps_d : 1;

    gst_ivs_encoders_set_key_interval (encoder,
        (guint) gst_util_uint64_scale_int (interval, n, 1000 * d));
  }
  return GST_PAD_PROBE_OK;
}

static void
watch_caps (GstElement *element, GstPadProbeCallback arrived, gpointer data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, arrived, data,
      NULL);
}

/* Memory that videoconvertscale cannot read is fetched first. */
static gboolean
append_download (Chain *chain, const GstCaps *caps)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, 0);

  if (features == NULL ||
      gst_caps_features_contains (features,
          GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY))
    return TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (downloads); i++) {
    if (!gst_caps_features_contains (features, downloads[i].feature))
      continue;
    for (gsize j = 0; j < 2 && downloads[i].elements[j] != NULL; j++)
      if (append_new (chain, downloads[i].elements[j]) == NULL)
        return FALSE;
    return TRUE;
  }
  return TRUE;
}

static gboolean
append_encoder (Chain *chain)
{
  GstElement *encoder =
      gst_ivs_encoders_make_h264 (chain->settings.video_bitrate, chain->error);

  if (encoder == NULL || !append (chain, encoder))
    return FALSE;
  watch_caps (encoder, framerate_arrived,
      GUINT_TO_POINTER (chain->settings.key_frame_interval));
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
  GstElement *rate, *scale, *filter;

  if (!append_queue (chain, QUEUED_VIDEO_FRAMES, 0) ||
      !append_download (chain, caps))
    return FALSE;
  if (is_interlaced (caps) && append_new (chain, "deinterlace") == NULL)
    return FALSE;

  if ((rate = append_new (chain, "videorate")) == NULL ||
      (scale = append_new (chain, "videoconvertscale")) == NULL ||
      (filter = append_capsfilter (chain, NULL)) == NULL)
    return FALSE;
  g_object_set (rate, "max-rate", IVS_LIMITS_MAX_FRAMERATE, NULL);
  watch_caps (scale, size_arrived, filter);

  return append_encoder (chain) && append_h264 (chain);
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
      "packet-loss-percentage", 5, "dtx", FALSE, NULL);
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

  if (!append_queue (chain, 0, QUEUED_AUDIO_TIME) ||
      append_new (chain, "audioconvert") == NULL ||
      append_new (chain, "audioresample") == NULL ||
      append_capsfilter (chain, format) == NULL ||
      (encoder = append_new (chain, "opusenc")) == NULL)
    return FALSE;
  set_up_opusenc (chain, encoder, channels);
  tell_of_encoder (chain, encoder);
  return append_payloader (chain, "rtpopuspay");
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

/* What the chain was chosen by. Size, frame rate, sample rate and so on may
 * change while it runs. */
gboolean
gst_ivs_encoding_chain_serves (const GstCaps *old, const GstCaps *caps)
{
  GstCapsFeatures *old_features = gst_caps_get_features (old, 0);
  GstCapsFeatures *features = gst_caps_get_features (caps, 0);

  return gst_structure_get_name_id (gst_caps_get_structure (old, 0)) ==
      gst_structure_get_name_id (gst_caps_get_structure (caps, 0)) &&
      gst_caps_features_is_equal (old_features, features) &&
      is_interlaced (old) == is_interlaced (caps) &&
      MIN (channels_of (old), 2) == MIN (channels_of (caps), 2);
}
