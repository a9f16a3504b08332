/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element's writable properties as a value: copied once when a session
 * starts, so that a session never looks at the element again.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>
#include "gstivsencoding.h"

G_BEGIN_DECLS

/**
 * GstIvsDummyVideo:
 * @GST_IVS_DUMMY_VIDEO_AUTO: offer a silent H.264 section when there is no video pad
 * @GST_IVS_DUMMY_VIDEO_ALWAYS: offer it at once, without waiting for the data of
 *   a video pad; the pad takes it over when its data comes
 * @GST_IVS_DUMMY_VIDEO_NEVER: offer audio alone; a stage refuses that with code 2001
 *
 * A stage refuses an offer without H.264 video, also for audio alone
 * (https://docs.aws.amazon.com/ivs/latest/RealTimeUserGuide/broadcast-whip.html).
 */
typedef enum
{
  GST_IVS_DUMMY_VIDEO_AUTO,
  GST_IVS_DUMMY_VIDEO_ALWAYS,
  GST_IVS_DUMMY_VIDEO_NEVER,
} GstIvsDummyVideo;

/**
 * GstIvsStageLimits:
 * @GST_IVS_STAGE_LIMITS_IGNORE: say nothing of media that a stage does not take
 * @GST_IVS_STAGE_LIMITS_WARN: post a WARNING, once a minute at most for each limit
 * @GST_IVS_STAGE_LIMITS_REFUSE: post an ERROR and leave, before the stage cuts the
 *   publisher off without a word; what only hurts viewers stays a WARNING
 */
typedef enum
{
  GST_IVS_STAGE_LIMITS_IGNORE,
  GST_IVS_STAGE_LIMITS_WARN,
  GST_IVS_STAGE_LIMITS_REFUSE,
} GstIvsStageLimits;

/* With do-fec, packets of FEC for a hundred of media: what repairs scattered losses of
 * some per cent and leaves the most for the picture. */
#define GST_IVS_FEC_PERCENTAGE 20

/**
 * GstIvsCongestionControl:
 * @GST_IVS_CONGESTION_CONTROL_GCC: the element's own controller, modelled on
 *   draft-ietf-rmcat-gcc-02
 * @GST_IVS_CONGESTION_CONTROL_GCC_ELEMENT: the element rtpgccbwe of gst-plugins-rs
 * @GST_IVS_CONGESTION_CONTROL_NONE: what is sent does not depend on the network
 */
typedef enum
{
  GST_IVS_CONGESTION_CONTROL_GCC,
  GST_IVS_CONGESTION_CONTROL_GCC_ELEMENT,
  GST_IVS_CONGESTION_CONTROL_NONE,
} GstIvsCongestionControl;

#define GST_TYPE_IVS_CONGESTION_CONTROL (gst_ivs_congestion_control_get_type ())
GType gst_ivs_congestion_control_get_type (void);

#define GST_TYPE_IVS_STAGE_LIMITS (gst_ivs_stage_limits_get_type ())
GType gst_ivs_stage_limits_get_type (void);

#define GST_TYPE_IVS_DUMMY_VIDEO (gst_ivs_dummy_video_get_type ())
GType gst_ivs_dummy_video_get_type (void);

typedef struct
{
  gchar *auth_token; /* secret */
  gchar *auth_token_file;
  gchar *whip_endpoint;
  gchar *allowed_hosts;
  guint timeout;          /* s, one HTTP request */
  guint connect_timeout;  /* s, from the answer to connected */
  guint shutdown_timeout; /* s, for the DELETE */
  gint max_retries;       /* -1 = for ever */
  gboolean renew_session;
  guint session_limit; /* s */
  GstIvsDummyVideo dummy_video;
  GstIvsStageLimits stage_limits;
  gchar *stun_server;
  gchar **turn_servers; /* secret: user:password inside */
  GstWebRTCICETransportPolicy ice_transport_policy;
  gboolean do_retransmission;
  gboolean do_fec;
  GstIvsCongestionControl congestion_control;
  guint min_bitrate; /* bits/s of video */
  guint
      max_bitrate; /* bits/s of video; 0 = what the encoder or upstream begins with */
  GTlsDatabase *tls_database;
  GstIvsEncodingSettings encoding;
} GstIvsSettings;

void gst_ivs_settings_init (GstIvsSettings *self);
void gst_ivs_settings_copy (GstIvsSettings *to, const GstIvsSettings *from);
void gst_ivs_settings_clear (GstIvsSettings *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstIvsSettings, gst_ivs_settings_clear)

/* Installs the properties with ids from @first_id on; the next free id is returned.
 * _set and _get return FALSE for an id that is not theirs. */
guint gst_ivs_settings_install_properties (GObjectClass *klass, guint first_id);
gboolean gst_ivs_settings_set (GstIvsSettings *self, guint first_id, guint id,
    const GValue *value);
gboolean gst_ivs_settings_get (const GstIvsSettings *self, guint first_id,
    guint id, GValue *value);

G_END_DECLS
