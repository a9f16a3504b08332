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
  guint video_bitrate;      /* bits/s; 0 = 2500000 */
  guint audio_bitrate;      /* bits/s; 0 = 64000 mono, 128000 stereo */
  guint key_frame_interval; /* ms between IDR pictures; 0 = 2000 */
} GstIvsEncodingSettings;

/* Told of each encoder and payloader while it is in NULL and has its settings:
 * the element's signals encoder-setup and payloader-setup. */
typedef struct
{
  void (*encoder) (GstElement *encoder, gpointer data);
  void (*payloader) (GstElement *payloader, gpointer data);
  gpointer data;
} GstIvsEncodingHooks;

/**
 * gst_ivs_encoding_make_chain:
 * @caps: fixed caps of what comes in; not RTP, which needs no chain
 * @live: whether upstream is live: then raw frames are dropped rather than held
 *   back when the encoder is slower than they come
 * @settings: (nullable): %NULL = defaults
 * @hooks: (nullable): who wants to know
 *
 * Builds the chain for @caps as a bin with ghost pads "sink" and "src" (RTP out).
 *
 * Returns: (transfer floating): the bin in state NULL, or %NULL with @error of
 *   IVS_ERROR: _MISSING_PLUGIN names the Debian packages, _ENCODER says that none
 *   reached READY, _INPUT what is wrong with the caps.
 */
GstElement *gst_ivs_encoding_make_chain (const GstCaps *caps, GstIvsKind kind,
    gboolean live, const GstIvsEncodingSettings *settings,
    const GstIvsEncodingHooks *hooks, GError **error);

/* Whether @caps are of a kind that can be published, and of which. */
gboolean gst_ivs_encoding_kind_of_caps (const GstCaps *caps, GstIvsKind *kind);
/* Whether they go to the gate as they are. */
gboolean gst_ivs_encoding_is_rtp (const GstCaps *caps);
/* Whether a chain that was built for @old also serves @caps. */
gboolean
gst_ivs_encoding_chain_serves (const GstCaps *old, const GstCaps *caps);

/* Pad templates' caps. (transfer full) */
GstCaps *gst_ivs_encoding_audio_caps (void);
GstCaps *gst_ivs_encoding_video_caps (void);
GstCaps *gst_ivs_encoding_rtp_caps (void);

G_END_DECLS
