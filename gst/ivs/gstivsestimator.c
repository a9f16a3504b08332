/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element rtpgccbwe of gst-plugins-rs, for those who prefer its estimate.
 *
 * It is written in Rust, and Debian does not have it. Its place is behind
 * webrtcbin's retransmission: the signal request-aux-sender asks for it there.
 */
#include "gstivsestimator.h"

#include "ivs-limits.h"

gboolean
gst_ivs_estimator_is_installed (void)
{
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find (GST_IVS_ESTIMATOR);

  return factory != NULL;
}

static void
set_number (GstElement *element, const gchar *name, guint value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) != NULL)
    g_object_set (element, name, value, NULL);
}

GstElement *
gst_ivs_estimator_new (const GstIvsSettings *settings)
{
  GstElement *estimator = gst_element_factory_make (GST_IVS_ESTIMATOR, NULL);

  if (estimator == NULL)
    return NULL;
  set_number (estimator, "max-bitrate",
      settings->max_bitrate > 0 ? settings->max_bitrate
                                : IVS_LIMITS_MAX_VIDEO_BITRATE);
  set_number (estimator, "min-bitrate", settings->min_bitrate);
  set_number (estimator, "estimated-bitrate", settings->encoding.video_bitrate);
  return estimator;
}

guint
gst_ivs_estimator_get (GstElement *estimator)
{
  guint bps = 0;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (estimator),
          "estimated-bitrate") != NULL)
    g_object_get (estimator, "estimated-bitrate", &bps, NULL);
  return bps;
}
