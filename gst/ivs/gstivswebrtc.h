/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A webrtcbin with the settings that a stage and a live source ask for.
 */
#pragma once

#include <gst/gst.h>
#include "gstivssettings.h"

G_BEGIN_DECLS

/* (transfer full): in NULL, without pads; or %NULL and an IVS_ERROR that says which
 * package is missing. */
GstElement *gst_ivs_webrtc_make (const gchar *name,
    const GstIvsSettings *settings, GError **error);

G_END_DECLS
