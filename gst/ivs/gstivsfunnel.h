/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The funnel in which webrtcbin joins its streams says nothing twice.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* @element: has just been added to a webrtcbin; others than rtpfunnel are left alone. */
void gst_ivs_funnel_quieten (GstElement *element);

G_END_DECLS
