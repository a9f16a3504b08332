/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which encoder, parser and payloader for which caps, and their settings for a
 * stage.
 */
#pragma once

#include <gst/gst.h>
#include "gstivsgate.h"

G_BEGIN_DECLS

/* Copied from the element's properties when a chain is plugged. */
typedef struct
{
  guint video_bitrate;          /* bits/s */
  guint audio_bitrate;          /* bits/s */
  guint key_frame_interval;     /* ms between IDR pictures */
} GstIvsEncodingSettings;

/* Told of each encoder and payloader before it goes beyond NULL: the element's
 * signals encoder-setup and payloader-setup. */
typedef struct
{
  void (*encoder) (GstElement *encoder, gpointer data);
  void (*payloader) (GstElement *payloader, gpointer data);
  gpointer data;
} GstIvsEncodingHooks;

/* Builds the chain for @caps as a bin with ghost pads "sink" and "src" (RTP out).
 * (transfer floating), or NULL with @error of IVS_ERROR: _MISSING_PLUGIN names the
 * Debian packages, _ENCODER that none reached READY, _INPUT what caps are wrong. */
GstElement *gst_ivs_encoding_make_chain (const GstCaps *caps, GstIvsKind kind,
    const GstIvsEncodingSettings *settings, const GstIvsEncodingHooks *hooks,
    GError **error);
gboolean gst_ivs_encoding_kind_of_caps (const GstCaps *caps, GstIvsKind *kind);

/* Pad templates' caps. */
GstCaps *gst_ivs_encoding_audio_caps (void);
GstCaps *gst_ivs_encoding_video_caps (void);
GstCaps *gst_ivs_encoding_rtp_caps (void);

G_END_DECLS
