/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element ivsstagesink.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_IVS_STAGE_SINK (gst_ivs_stage_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstIvsStageSink, gst_ivs_stage_sink, GST, IVS_STAGE_SINK,
    GstBin)
GST_ELEMENT_REGISTER_DECLARE (ivsstagesink)

G_END_DECLS
