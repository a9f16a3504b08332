/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The H.264 encoders of GStreamer: which one works here, and how each is told
 * what a stage needs.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Returns: (transfer floating): the encoder of the highest rank that reaches READY,
 * back in NULL and set for low delay without B-frames, or NULL with @error of
 * IVS_ERROR. @bitrate in bits/s. */
GstElement *gst_ivs_encoders_make_h264 (guint bitrate, GError **error);

/* Bits per second that it is set to; 0 = not known. In any state. */
guint gst_ivs_encoders_get_bitrate (GstElement *encoder);
/* Whether it can be told another bit rate while it runs; and telling it. */
gboolean gst_ivs_encoders_takes_bitrate (GstElement *encoder);
void gst_ivs_encoders_set_bitrate (GstElement *encoder, guint bitrate);

/* @frames: from one IDR picture to the next. In state NULL. */
void gst_ivs_encoders_set_key_interval (GstElement *encoder, guint frames);

/* Of x264enc, which holds back one picture for each thread but the first. In state NULL. */
void gst_ivs_encoders_set_threads (GstElement *encoder, guint threads);

G_END_DECLS
