/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The H.264 encoders of GStreamer: which one works here, and how each is told
 * what a stage needs.
 *
 * Properties are set by name and only if this version of the element has them.
 * Tested are x264enc and openh264enc; the rows of the others come from their
 * documentation.
 */
#include "gstivsencoders.h"
#include "ivs-error.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_encoders_debug);
#define GST_CAT_DEFAULT gst_ivs_encoders_debug

typedef struct
{
  const gchar *factory;
  const gchar *settings;     /* "property=value ..." */
  const gchar *bitrate;      /* property */
  guint bitrate_unit;        /* bits/s */
  const gchar *key_interval; /* property, in frames */
} EncoderRow;

/* clang-format off */
static const EncoderRow rows[] = {
  /* Not sliced-threads: AWS advises against it, and some decoders take each
   * slice for a frame. Each thread but the first is one frame of delay, so one, until
   * told that it is too few. Without scenecut: it makes IDR pictures five times per second of a noisy picture. With a
   * buffer of 600 ms, as it is by itself, it needs a second to obey another bit rate, and
   * an IDR picture fills the queue of a narrow uplink for a second and a half: with 130
   * instead of 250 ms pictures come 14 ms sooner there, at the same PSNR. */
  { "x264enc", "tune=zerolatency speed-preset=veryfast threads=1 bframes=0 "
    "sliced-threads=false rc-lookahead=0 byte-stream=true "
    "vbv-buf-capacity=130 option-string=scenecut=0",
    "bitrate", 1000, "key-int-max" },
  /* With qp-min=0 it takes its own limits and does not quantise beyond 42, at
   * whatever bit rate: six times the target of a noisy picture. */
  { "openh264enc", "usage-type=camera rate-control=bitrate complexity=low "
    "qp-min=12 qp-max=51 slice-mode=n-slices num-slices=1 scene-change-detection=false",
    "bitrate", 1, "gop-size" },
  { "vah264enc", "rate-control=cbr b-frames=0 target-usage=6",
    "bitrate", 1000, "key-int-max" },
  { "vah264lpenc", "rate-control=cbr b-frames=0 target-usage=6",
    "bitrate", 1000, "key-int-max" },
  { "vaapih264enc", "rate-control=cbr max-bframes=0",
    "bitrate", 1000, "keyframe-period" },
  { "nvh264enc", "preset=low-latency-hq rc-mode=cbr zerolatency=true bframes=0",
    "bitrate", 1000, "gop-size" },
  { "nvcudah264enc", "tune=low-latency rate-control=cbr b-frames=0 "
    "zero-reorder-delay=true repeat-sequence-header=true",
    "bitrate", 1000, "gop-size" },
  { "nvautogpuh264enc", "tune=low-latency rate-control=cbr b-frames=0 "
    "zero-reorder-delay=true repeat-sequence-header=true",
    "bitrate", 1000, "gop-size" },
  { "nvv4l2h264enc", "control-rate=constant_bitrate num-B-Frames=0 "
    "insert-sps-pps=true maxperf-enable=true",
    "bitrate", 1, "idrinterval" },
  { "qsvh264enc", "rate-control=cbr b-frames=0 low-latency=true",
    "bitrate", 1000, "gop-size" },
  { "msdkh264enc", "rate-control=cbr b-frames=0 low-delay-brc=on",
    "bitrate", 1000, "gop-size" },
  { "amfh264enc", "usage=low-latency rate-control=cbr",
    "bitrate", 1000, "gop-size" },
  { "mfh264enc", "rc-mode=cbr bframes=0 low-latency=true",
    "bitrate", 1000, "gop-size" },
  { "vtenc_h264", "realtime=true allow-frame-reordering=false",
    "bitrate", 1000, "max-keyframe-interval" },
  { "vtenc_h264_hw", "realtime=true allow-frame-reordering=false",
    "bitrate", 1000, "max-keyframe-interval" },
  { "omxh264enc", "control-rate=constant b-frames=0",
    "target-bitrate", 1, "periodicity-idr" },
  { "mpph264enc", "rc-mode=cbr", "bps", 1, "gop" },
};
/* clang-format on */

static const EncoderRow *
row_of (GstElement *encoder)
{
  GstElementFactory *factory = gst_element_get_factory (encoder);
  const gchar *name = factory != NULL ? GST_OBJECT_NAME (factory) : "";

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (rows[i].factory, name))
      return &rows[i];
  return NULL;
}

static gboolean
has_property (GstElement *element, const gchar *name)
{
  return name != NULL &&
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) != NULL;
}

static void
set_string (GstElement *element, const gchar *name, const gchar *value)
{
  if (has_property (element, name))
    gst_util_set_object_arg (G_OBJECT (element), name, value);
  else
    GST_DEBUG_OBJECT (element, "has no property %s", name);
}

static void
set_number (GstElement *element, const gchar *name, guint value)
{
  g_autofree gchar *text = g_strdup_printf ("%u", value);

  set_string (element, name, text);
}

static void
set_settings (GstElement *element, const gchar *settings)
{
  g_auto (GStrv) list = g_strsplit (settings, " ", -1);

  for (gsize i = 0; list[i] != NULL; i++) {
    gchar *value = strchr (list[i], '=');

    if (value == NULL)
      continue;
    *value = '\0';
    set_string (element, list[i], value + 1);
  }
}

/* The kernel's controls by name (V4L2_CID_MPEG_VIDEO_*): one structure, which
 * must be complete, because each set replaces the last. */
static void
set_v4l2_controls (GstElement *encoder, guint bitrate, guint frames)
{
  g_autoptr (GstStructure) controls = gst_structure_new ("controls",
      "video_bitrate", G_TYPE_INT, (gint) bitrate, "video_bitrate_mode",
      G_TYPE_INT, 1, "h264_i_frame_period", G_TYPE_INT, (gint) frames,
      "video_gop_size", G_TYPE_INT, (gint) frames, "video_b_frames", G_TYPE_INT,
      0, "repeat_sequence_header", G_TYPE_INT, 1, NULL);

  g_object_set (encoder, "extra-controls", controls, NULL);
}

static gboolean
is_v4l2 (GstElement *encoder)
{
  return has_property (encoder, "extra-controls");
}

static void
set_up (GstElement *encoder, guint bitrate)
{
  const EncoderRow *row = row_of (encoder);

  if (is_v4l2 (encoder)) {
    set_v4l2_controls (encoder, bitrate, 60);
  } else if (row != NULL) {
    set_settings (encoder, row->settings);
    set_number (encoder, row->bitrate, bitrate / row->bitrate_unit);
  } else {
    GST_INFO_OBJECT (encoder, "is not known: it keeps its own settings");
  }
}

/* -- Bit rate --------------------------------------------------------------------- */

static guint
get_v4l2_bitrate (GstElement *encoder)
{
  g_autoptr (GstStructure) controls = NULL;
  gint bitrate = 0;

  g_object_get (encoder, "extra-controls", &controls, NULL);
  if (controls != NULL)
    gst_structure_get_int (controls, "video_bitrate", &bitrate);
  return (guint) MAX (bitrate, 0);
}

guint
gst_ivs_encoders_get_bitrate (GstElement *encoder)
{
  const EncoderRow *row = row_of (encoder);
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) number = G_VALUE_INIT;

  if (is_v4l2 (encoder))
    return get_v4l2_bitrate (encoder);
  if (row == NULL || !has_property (encoder, row->bitrate))
    return 0;
  g_object_get_property (G_OBJECT (encoder), row->bitrate, &value);
  g_value_init (&number, G_TYPE_UINT);
  return g_value_transform (&value, &number)
      ? g_value_get_uint (&number) * row->bitrate_unit
      : 0;
}

/* v4l2object.c hands controls to the driver at once when the device is open. */
gboolean
gst_ivs_encoders_takes_bitrate (GstElement *encoder)
{
  const EncoderRow *row = row_of (encoder);
  GParamSpec *pspec = NULL;

  if (is_v4l2 (encoder))
    return get_v4l2_bitrate (encoder) > 0;
  if (row != NULL)
    pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (encoder),
        row->bitrate);
  return pspec != NULL && (pspec->flags & GST_PARAM_MUTABLE_PLAYING) != 0;
}

void
gst_ivs_encoders_set_bitrate (GstElement *encoder, guint bitrate)
{
  const EncoderRow *row = row_of (encoder);
  g_autoptr (GstStructure) controls = NULL;

  if (!gst_ivs_encoders_takes_bitrate (encoder))
    return;
  if (!is_v4l2 (encoder)) {
    set_number (encoder, row->bitrate, MAX (bitrate / row->bitrate_unit, 1));
    return;
  }
  g_object_get (encoder, "extra-controls", &controls, NULL);
  gst_structure_set (controls, "video_bitrate", G_TYPE_INT, (gint) bitrate,
      NULL);
  g_object_set (encoder, "extra-controls", controls, NULL);
}

/* -- Key frames ------------------------------------------------------------------- */

void
gst_ivs_encoders_set_key_interval (GstElement *encoder, guint frames)
{
  const EncoderRow *row = row_of (encoder);

  frames = MAX (frames, 1);
  if (is_v4l2 (encoder)) {
    g_autoptr (GstStructure) controls = NULL;

    g_object_get (encoder, "extra-controls", &controls, NULL);
    if (controls != NULL) {
      gst_structure_set (controls, "h264_i_frame_period", G_TYPE_INT,
          (gint) frames, "video_gop_size", G_TYPE_INT, (gint) frames, NULL);
      g_object_set (encoder, "extra-controls", controls, NULL);
    }
  } else if (row != NULL) {
    set_number (encoder, row->key_interval, frames);
  }
}

/* -- Threads ---------------------------------------------------------------------- */

/* Of the others none is known to wait for a picture more because of it. */
void
gst_ivs_encoders_set_threads (GstElement *encoder, guint threads)
{
  const EncoderRow *row = row_of (encoder);

  if (row != NULL && g_str_equal (row->factory, "x264enc"))
    set_number (encoder, "threads", threads);
}

/* -- Which one ------------------------------------------------------------------ */

/* (transfer full), highest rank first; system memory in, H.264 out. */
static GList *
list_factories (void)
{
  g_autoptr (GstCaps) raw = gst_caps_new_empty_simple ("video/x-raw");
  g_autoptr (GstCaps) h264 = gst_caps_new_empty_simple ("video/x-h264");
  GList *all, *takes_raw, *result;

  all = gst_element_factory_list_get_elements (
      GST_ELEMENT_FACTORY_TYPE_VIDEO_ENCODER, GST_RANK_MARGINAL);
  takes_raw = gst_element_factory_list_filter (all, raw, GST_PAD_SINK, FALSE);
  result =
      gst_element_factory_list_filter (takes_raw, h264, GST_PAD_SRC, FALSE);
  gst_plugin_feature_list_free (all);
  gst_plugin_feature_list_free (takes_raw);
  return g_list_sort (result, gst_plugin_feature_rank_compare_func);
}

/* Hardware encoders are registered where their library is, and find out at READY
 * that there is no device. */
static GstElement *
make_working (GstElementFactory *factory)
{
  GstElement *encoder = gst_element_factory_create (factory, NULL);

  if (encoder == NULL)
    return NULL;
  if (gst_element_set_state (encoder, GST_STATE_READY) !=
      GST_STATE_CHANGE_FAILURE) {
    gst_element_set_state (encoder, GST_STATE_NULL);
    return encoder;
  }
  GST_INFO ("%s does not work here", GST_OBJECT_NAME (factory));
  gst_element_set_state (encoder, GST_STATE_NULL);
  gst_object_ref_sink (encoder);
  gst_object_unref (encoder);
  return NULL;
}

GstElement *
gst_ivs_encoders_make_h264 (guint bitrate, GError **error)
{
  g_autoptr (GString) tried = g_string_new (NULL);
  GstElement *encoder = NULL;
  GList *factories;

  GST_DEBUG_CATEGORY_INIT (gst_ivs_encoders_debug, "ivsencoders", 0,
      "choice of encoder");
  factories = list_factories ();
  for (GList *l = factories; l != NULL && encoder == NULL; l = l->next) {
    g_string_append_printf (tried, "%s%s", tried->len > 0 ? ", " : "",
        GST_OBJECT_NAME (l->data));
    encoder = make_working (l->data);
  }

  if (encoder != NULL)
    set_up (encoder, bitrate);
  else if (factories == NULL)
    g_set_error (error, IVS_ERROR, IVS_FAILURE_MISSING_PLUGIN,
        "No H.264 encoder is installed: install gstreamer1.0-plugins-ugly "
        "(x264enc) or gstreamer1.0-plugins-bad (openh264enc, va), or give "
        "H.264 instead of raw video");
  else
    g_set_error (error, IVS_ERROR, IVS_FAILURE_ENCODER,
        "None of the installed H.264 encoders (%s) works on this machine: "
        "install gstreamer1.0-plugins-ugly (x264enc)",
        tried->str);
  gst_plugin_feature_list_free (factories);
  return encoder;
}
