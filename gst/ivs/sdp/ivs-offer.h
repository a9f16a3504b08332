/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The offer: is it what a stage needs, and the text that is posted.
 */
#pragma once

#include <gst/sdp/gstsdpmessage.h>

G_BEGIN_DECLS

/* Payload types and header extension of every session: fixed and distinct, so
 * that a gate's stream fits any webrtcbin. RTX types are webrtcbin's choice. */
#define IVS_AUDIO_PT 96
#define IVS_VIDEO_PT 97
/* rtpredenc 1.22 knows no other for transport-wide numbers. */
#define IVS_TWCC_EXT_ID 1
#define IVS_TWCC_EXT_URI \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* Constrained Baseline 3.1, what a stage documents. */
#define IVS_PROFILE_LEVEL_ID "42e01f"

/* What the offer must contain. */
typedef struct
{
  gboolean audio;
  gboolean video;          /* real or dummy */
  guint audio_channels;    /* 1 or 2 */
  guint audio_bitrate;     /* bits/s, 0 = do not say */
  gboolean retransmission; /* of video: nack must be offered */
} IvsOfferWish;

/* Facts about an offer, for the error that may follow. */
typedef struct
{
  gboolean has_audio;
  gboolean has_video;
  gboolean has_opus;
  gboolean has_h264;
} IvsOfferFacts;

gboolean ivs_offer_check (const GstSDPMessage *offer, const IvsOfferWish *wish,
    GError **error);
gchar *ivs_offer_to_posted_text (const GstSDPMessage *offer,
    const IvsOfferWish *wish, GError **error);
void ivs_offer_get_facts (const GstSDPMessage *offer, IvsOfferFacts *facts);

/* An SDP text with ice-pwd and ice-ufrag values replaced, for logs. */
gchar *ivs_sdp_redact (const gchar *text);

G_END_DECLS
