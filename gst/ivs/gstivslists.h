/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The packets of a picture stay one list on their way through webrtcbin.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_ivs_lists_keep:
 * @element: that was added to a webrtcbin which sends no FEC
 *
 * Lets lists through where they would be taken apart, if @element is such a place. To be
 * called before anything flows.
 */
void gst_ivs_lists_keep (GstElement *element);

G_END_DECLS
