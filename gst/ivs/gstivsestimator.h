/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element rtpgccbwe of gst-plugins-rs, for those who prefer its estimate.
 */
#pragma once

#include "gstivssettings.h"

G_BEGIN_DECLS

#define GST_IVS_ESTIMATOR "rtpgccbwe"

gboolean gst_ivs_estimator_is_installed (void);

/* Returns: (transfer floating) (nullable): one with the range of @settings. It says
 * `notify::estimated-bitrate`, on threads of webrtcbin. */
GstElement *gst_ivs_estimator_new (const GstIvsSettings *settings);

/* Bits per second. */
guint gst_ivs_estimator_get (GstElement *estimator);

G_END_DECLS
