/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element's writable properties as a value type, with their defaults, ranges
 * and descriptions in one place.
 */
#include "gstivssettings.h"

#define DEFAULT_TIMEOUT 15
#define DEFAULT_CONNECT_TIMEOUT 10 /* the official SDK's */
#define DEFAULT_SHUTDOWN_TIMEOUT 3
#define DEFAULT_MAX_RETRIES 3 /* the official SDK makes 4 attempts */
#define DEFAULT_SESSION_LIMIT (24 * 3600)
#define DEFAULT_VIDEO_BITRATE 2500000 /* AWS's advice for 720p */
#define DEFAULT_MIN_BITRATE 100000
#define DEFAULT_MAX_BITRATE 0
#define DEFAULT_AUDIO_BITRATE 0
#define DEFAULT_KEY_FRAME_INTERVAL 2000
#define MAX_VIDEO_BITRATE 8500000 /* above it a stage disconnects */
#define MAX_AUDIO_BITRATE 160000

/* In the order of their ids. */
enum
{
  AUTH_TOKEN,
  AUTH_TOKEN_FILE,
  WHIP_ENDPOINT,
  ALLOWED_HOSTS,
  TIMEOUT,
  CONNECT_TIMEOUT,
  SHUTDOWN_TIMEOUT,
  MAX_RETRIES,
  RENEW_SESSION,
  SESSION_LIMIT,
  DUMMY_VIDEO,
  STAGE_LIMITS,
  STUN_SERVER,
  TURN_SERVERS,
  ICE_TRANSPORT_POLICY,
  DO_RETRANSMISSION,
  DO_FEC,
  TLS_DATABASE,
  CONGESTION_CONTROL,
  MIN_BITRATE,
  MAX_BITRATE,
  START_BITRATE,
  AUDIO_BITRATE,
  KEY_FRAME_INTERVAL,
  N_SETTINGS
};

GType
gst_ivs_dummy_video_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_IVS_DUMMY_VIDEO_AUTO,
        "Offer an empty video section when there is no video pad", "auto" },
    { GST_IVS_DUMMY_VIDEO_ALWAYS,
        "Offer video at once, without waiting for a video pad's data",
        "always" },
    { GST_IVS_DUMMY_VIDEO_NEVER, "Offer audio alone (a stage refuses that)",
        "never" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    g_once_init_leave (&type,
        g_enum_register_static ("GstIvsDummyVideo", values));
  }
  return type;
}

GType
gst_ivs_congestion_control_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_IVS_CONGESTION_CONTROL_GCC,
        "The element's own controller, modelled on draft-ietf-rmcat-gcc-02",
        "gcc" },
    { GST_IVS_CONGESTION_CONTROL_GCC_ELEMENT,
        "The element rtpgccbwe, if it is installed", "gcc-element" },
    { GST_IVS_CONGESTION_CONTROL_NONE,
        "What is sent does not depend on the network", "none" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    g_once_init_leave (&type,
        g_enum_register_static ("GstIvsCongestionControl", values));
  }
  return type;
}

GType
gst_ivs_stage_limits_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_IVS_STAGE_LIMITS_IGNORE, "Say nothing", "ignore" },
    { GST_IVS_STAGE_LIMITS_WARN, "Post a warning", "warn" },
    { GST_IVS_STAGE_LIMITS_REFUSE,
        "Post an error and leave before the stage cuts the publisher off",
        "refuse" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    g_once_init_leave (&type,
        g_enum_register_static ("GstIvsStageLimits", values));
  }
  return type;
}

void
gst_ivs_settings_init (GstIvsSettings *self)
{
  *self = (GstIvsSettings) {
    .timeout = DEFAULT_TIMEOUT,
    .connect_timeout = DEFAULT_CONNECT_TIMEOUT,
    .shutdown_timeout = DEFAULT_SHUTDOWN_TIMEOUT,
    .max_retries = DEFAULT_MAX_RETRIES,
    .session_limit = DEFAULT_SESSION_LIMIT,
    .dummy_video = GST_IVS_DUMMY_VIDEO_AUTO,
    .stage_limits = GST_IVS_STAGE_LIMITS_WARN,
    .ice_transport_policy = GST_WEBRTC_ICE_TRANSPORT_POLICY_ALL,
    .do_retransmission = TRUE,
    .congestion_control = GST_IVS_CONGESTION_CONTROL_GCC,
    .min_bitrate = DEFAULT_MIN_BITRATE,
    .max_bitrate = DEFAULT_MAX_BITRATE,
    .encoding = {
        .video_bitrate = DEFAULT_VIDEO_BITRATE,
        .audio_bitrate = DEFAULT_AUDIO_BITRATE,
        .key_frame_interval = DEFAULT_KEY_FRAME_INTERVAL,
    },
  };
}

void
gst_ivs_settings_copy (GstIvsSettings *to, const GstIvsSettings *from)
{
  *to = *from;
  to->auth_token = g_strdup (from->auth_token);
  to->auth_token_file = g_strdup (from->auth_token_file);
  to->whip_endpoint = g_strdup (from->whip_endpoint);
  to->allowed_hosts = g_strdup (from->allowed_hosts);
  to->stun_server = g_strdup (from->stun_server);
  to->turn_servers = g_strdupv (from->turn_servers);
  if (from->tls_database != NULL)
    g_object_ref (to->tls_database);
}

void
gst_ivs_settings_clear (GstIvsSettings *self)
{
  g_clear_pointer (&self->auth_token, g_free);
  g_clear_pointer (&self->auth_token_file, g_free);
  g_clear_pointer (&self->whip_endpoint, g_free);
  g_clear_pointer (&self->allowed_hosts, g_free);
  g_clear_pointer (&self->stun_server, g_free);
  g_clear_pointer (&self->turn_servers, g_strfreev);
  g_clear_object (&self->tls_database);
}

/* A property that is read when a session (an attempt) starts. */
#define NEXT_SESSION (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define SECRET (G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS)

static void
install_credential_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:auth-token:
   *
   * The participant token of the stage, as CreateParticipantToken returned it;
   * white space, quotes and a leading "Bearer " around it are taken off.
   * Write-only: it is a secret. Asked in this order, at every attempt anew: the
   * signal #GstIvsStageSink::request-token, #GstIvsStageSink:auth-token-file, this
   * property, the environment variable `IVS_STAGE_TOKEN`.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + AUTH_TOKEN,
      g_param_spec_string ("auth-token", "Participant token",
          "Participant token of the stage (auth-token-file is asked before it, the environment variable IVS_STAGE_TOKEN after it)",
          NULL, SECRET | GST_PARAM_MUTABLE_PLAYING));

  /**
   * GstIvsStageSink:auth-token-file:
   *
   * A file that holds the participant token; read again at every attempt, so that
   * a service may replace the token while the pipeline runs.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + AUTH_TOKEN_FILE,
      g_param_spec_string ("auth-token-file", "Token file",
          "File that holds the participant token, read at every attempt", NULL,
          NEXT_SESSION | GST_PARAM_MUTABLE_PLAYING));
}

static void
install_http_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:whip-endpoint:
   *
   * URL that the offer is posted to. Default: where the token says that the
   * official SDK would publish, else the documented global endpoint
   * https://global.whip.live-video.net/ .
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + WHIP_ENDPOINT,
      g_param_spec_string ("whip-endpoint", "WHIP endpoint",
          "URL to publish to (default: from the token, else https://global.whip.live-video.net/)",
          NULL, NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:allowed-hosts:
   *
   * Comma-separated hosts ("example.com" or "*.example.com") that may see the
   * token when a redirect leads there, besides *.live-video.net and the host of
   * #GstIvsStageSink:whip-endpoint.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + ALLOWED_HOSTS,
      g_param_spec_string ("allowed-hosts", "Allowed hosts",
          "Comma-separated further hosts that may see the token on a redirect",
          NULL, NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:tls-database:
   *
   * Certificates to trust instead of the system's, for a server with one of its own.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + TLS_DATABASE,
      g_param_spec_object ("tls-database", "TLS database",
          "Certificates to trust instead of the system's", G_TYPE_TLS_DATABASE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_timeout_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:timeout:
   *
   * Seconds that one HTTP request may take, redirects included.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + TIMEOUT,
      g_param_spec_uint ("timeout", "HTTP timeout",
          "Seconds that one HTTP request may take, redirects included", 1, 3600,
          DEFAULT_TIMEOUT, NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:connect-timeout:
   *
   * Seconds from the stage's answer to a connection (ICE and DTLS).
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + CONNECT_TIMEOUT,
      g_param_spec_uint ("connect-timeout", "Connect timeout",
          "Seconds from the stage's answer until media must be connected (ICE and DTLS)",
          1, 3600, DEFAULT_CONNECT_TIMEOUT,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:shutdown-timeout:
   *
   * Seconds that going to READY may wait for the session to be deleted at the
   * stage.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + SHUTDOWN_TIMEOUT,
      g_param_spec_uint ("shutdown-timeout", "Shutdown timeout",
          "Seconds that going to READY or an end of stream may wait for the session to be deleted",
          1, 3600, DEFAULT_SHUTDOWN_TIMEOUT,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_session_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:max-retries:
   *
   * Attempts that may fail in a row before the element gives up with an error; -1: it
   * never gives up. What a further attempt cannot cure (a token that expired, a
   * stage that was deleted) is never tried again. The waits are 2, 4, 8 ... 30
   * seconds, longer if the server asks for it (Retry-After); a session that was
   * live and is lost is tried again at once.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + MAX_RETRIES,
      g_param_spec_int ("max-retries", "Maximum retries",
          "Retries in a row before giving up (-1 = for ever)", -1, G_MAXINT,
          DEFAULT_MAX_RETRIES, NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:renew-session:
   *
   * Shortly before a stage ends a session by its age (#GstIvsStageSink:session-limit),
   * make a new one and hand the streams over at an IDR picture. A fresh token may
   * be needed: #GstIvsStageSink::request-token or #GstIvsStageSink:auth-token-file.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + RENEW_SESSION,
      g_param_spec_boolean ("renew-session", "Renew session",
          "Hand over to a new session shortly before a stage ends this one by its age",
          FALSE, NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:session-limit:
   *
   * Seconds after which a stage ends a session, whatever it does: 24 hours by AWS's
   * service quotas. When a twentieth of it (at most 15 minutes) is left, the element
   * message `ivs-stage-session-ending` says so.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + SESSION_LIMIT,
      g_param_spec_uint ("session-limit", "Session limit",
          "Seconds after which a stage ends a session by its age", 10,
          30 * 24 * 3600, DEFAULT_SESSION_LIMIT,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_stage_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:dummy-video:
   *
   * Whether to offer a video section that carries nothing. A stage refuses an
   * offer without one, even for audio alone.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + DUMMY_VIDEO,
      g_param_spec_enum ("dummy-video", "Dummy video",
          "Whether to offer a video section that carries nothing, so that a stage accepts audio alone",
          GST_TYPE_IVS_DUMMY_VIDEO, GST_IVS_DUMMY_VIDEO_AUTO,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:stage-limits:
   *
   * What to do when what really flows is not what a stage takes: resolution, profile,
   * B-frames, key frames, frame rate, bit rates, sound. The messages' details are
   * the structure `ivs-stage-limit`: what was measured, the limit, the consequence
   * on the stage and the setting that cures it.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + STAGE_LIMITS,
      g_param_spec_enum ("stage-limits", "Stage limits",
          "What to do when what flows is not what a stage takes",
          GST_TYPE_IVS_STAGE_LIMITS, GST_IVS_STAGE_LIMITS_WARN,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_ice_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:stun-server:
   *
   * stun://host:port. A stage needs none: it learns our address from the first
   * connectivity check.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
          "Server that tells our public address, stun://host:port (a stage needs none)",
          NULL, NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:turn-servers:
   *
   * turn(s)://username:password@host:port each. Write-only: the password is a secret.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + TURN_SERVERS,
      gst_param_spec_array ("turn-servers", "TURN servers",
          "Relays for networks that let no UDP out, turn(s)://username:password@host:port each",
          g_param_spec_string ("turn-server", "TURN server",
              "turn(s)://username:password@host:port", NULL, SECRET),
          SECRET | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:ice-transport-policy:
   *
   * "relay" sends media through the TURN servers only.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + ICE_TRANSPORT_POLICY,
      g_param_spec_enum ("ice-transport-policy", "ICE transport policy",
          "Which ICE candidates may be used",
          GST_TYPE_WEBRTC_ICE_TRANSPORT_POLICY,
          GST_WEBRTC_ICE_TRANSPORT_POLICY_ALL,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_repair_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:do-retransmission:
   *
   * Send lost video packets again (NACK, RTX: RFC 4588). Never for audio:
   * libwebrtc refuses an offer that has it there.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + DO_RETRANSMISSION,
      g_param_spec_boolean ("do-retransmission", "Retransmission",
          "Send lost video packets again (NACK and RTX)", TRUE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:do-fec:
   *
   * Offer forward error correction for video (RED and ULPFEC: RFC 2198, RFC 5109), and
   * send it if the answer takes it. It costs a share of the bit rate always;
   * retransmission costs it only when something is lost. Opus has its own, which
   * raw audio always gets.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + DO_FEC,
      g_param_spec_boolean ("do-fec", "Forward error correction",
          "Offer forward error correction for video (RED and ULPFEC)", FALSE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_congestion_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:congestion-control:
   *
   * How much is sent when the network carries less. "gcc" measures what it carries
   * (#GstIvsStageSink:estimated-bitrate) and adapts to it: the bit rate of the
   * element's own encoder, then size and frame rate; upstream of encoded video is
   * told with the event `ivs-target-bitrate`, and what is still too much is left out
   * by whole pictures up to the next IDR picture. Audio is kept whole.
   * "gcc-element" does the same with what the element rtpgccbwe estimates.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + CONGESTION_CONTROL,
      g_param_spec_enum ("congestion-control", "Congestion control",
          "Who decides how much is sent when the network carries less",
          GST_TYPE_IVS_CONGESTION_CONTROL, GST_IVS_CONGESTION_CONTROL_GCC,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:min-bitrate:
   *
   * Bits per second below which raw video is never encoded. On a network that
   * carries less, pictures are left out.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + MIN_BITRATE,
      g_param_spec_uint ("min-bitrate", "Minimum video bit rate",
          "Bits per second below which raw video is never encoded", 30000,
          MAX_VIDEO_BITRATE, DEFAULT_MIN_BITRATE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:max-bitrate:
   *
   * Bits per second of video that congestion control goes up to. 0: raw video never
   * gets more than it begins with (#GstIvsStageSink:start-bitrate), encoded video
   * what upstream makes.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + MAX_BITRATE,
      g_param_spec_uint ("max-bitrate", "Maximum video bit rate",
          "Bits per second of video that congestion control goes up to, at least min-bitrate (0 = what it begins with)",
          0, MAX_VIDEO_BITRATE, DEFAULT_MAX_BITRATE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

static void
install_encoding_properties (GObjectClass *klass, guint first)
{
  /**
   * GstIvsStageSink:start-bitrate:
   *
   * Bits per second that raw video is encoded at in the beginning, and for ever
   * without #GstIvsStageSink:congestion-control. AWS advises at most 2500000; above
   * 8500000 a stage disconnects the publisher.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + START_BITRATE,
      g_param_spec_uint ("start-bitrate", "Video bit rate",
          "Bits per second that raw video is encoded at in the beginning",
          50000, MAX_VIDEO_BITRATE, DEFAULT_VIDEO_BITRATE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:audio-bitrate:
   *
   * Bits per second that raw audio is encoded at; 0 = 64000 for mono and 128000
   * for stereo. A stage takes at most 160000.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + AUDIO_BITRATE,
      g_param_spec_uint ("audio-bitrate", "Audio bit rate",
          "Bits per second that raw audio is encoded at (0 = 64000 mono, 128000 stereo)",
          0, MAX_AUDIO_BITRATE, DEFAULT_AUDIO_BITRATE,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));

  /**
   * GstIvsStageSink:key-frame-interval:
   *
   * Milliseconds from one IDR picture to the next when raw video is encoded. A
   * stage asks for one every 1000 to 2000 ms.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, first + KEY_FRAME_INTERVAL,
      g_param_spec_uint ("key-frame-interval", "Key frame interval",
          "Milliseconds between IDR pictures when raw video is encoded", 100,
          10000, DEFAULT_KEY_FRAME_INTERVAL,
          NEXT_SESSION | GST_PARAM_MUTABLE_READY));
}

/* Where each setting lies; its type is its property's. */
#define AT(member) G_STRUCT_OFFSET (GstIvsSettings, member)
static const gsize offsets[N_SETTINGS] = {
  [AUTH_TOKEN] = AT (auth_token),
  [AUTH_TOKEN_FILE] = AT (auth_token_file),
  [WHIP_ENDPOINT] = AT (whip_endpoint),
  [ALLOWED_HOSTS] = AT (allowed_hosts),
  [TIMEOUT] = AT (timeout),
  [CONNECT_TIMEOUT] = AT (connect_timeout),
  [SHUTDOWN_TIMEOUT] = AT (shutdown_timeout),
  [MAX_RETRIES] = AT (max_retries),
  [RENEW_SESSION] = AT (renew_session),
  [SESSION_LIMIT] = AT (session_limit),
  [DUMMY_VIDEO] = AT (dummy_video),
  [STAGE_LIMITS] = AT (stage_limits),
  [STUN_SERVER] = AT (stun_server),
  [TURN_SERVERS] = AT (turn_servers),
  [ICE_TRANSPORT_POLICY] = AT (ice_transport_policy),
  [DO_RETRANSMISSION] = AT (do_retransmission),
  [DO_FEC] = AT (do_fec),
  [TLS_DATABASE] = AT (tls_database),
  [CONGESTION_CONTROL] = AT (congestion_control),
  [MIN_BITRATE] = AT (min_bitrate),
  [MAX_BITRATE] = AT (max_bitrate),
  [START_BITRATE] = AT (encoding.video_bitrate),
  [AUDIO_BITRATE] = AT (encoding.audio_bitrate),
  [KEY_FRAME_INTERVAL] = AT (encoding.key_frame_interval),
};
#undef AT

/* One that was forgotten would lie where the first one does. */
static void
check_offsets (void)
{
  for (guint i = 1; i < N_SETTINGS; i++)
    g_assert (offsets[i] != offsets[0]);
}

guint
gst_ivs_settings_install_properties (GObjectClass *klass, guint first_id)
{
  install_credential_properties (klass, first_id);
  install_http_properties (klass, first_id);
  install_timeout_properties (klass, first_id);
  install_session_properties (klass, first_id);
  install_stage_properties (klass, first_id);
  install_ice_properties (klass, first_id);
  install_repair_properties (klass, first_id);
  install_congestion_properties (klass, first_id);
  install_encoding_properties (klass, first_id);

  check_offsets ();
  gst_type_mark_as_plugin_api (GST_TYPE_IVS_CONGESTION_CONTROL, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_IVS_DUMMY_VIDEO, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_IVS_STAGE_LIMITS, 0);
  return first_id + N_SETTINGS;
}

static void
replace_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static void
replace_strv (gchar ***strv, const GValue *array)
{
  guint n = gst_value_array_get_size (array);

  g_strfreev (*strv);
  *strv = g_new0 (gchar *, n + 1);
  for (guint i = 0; i < n; i++)
    (*strv)[i] = g_value_dup_string (gst_value_array_get_value (array, i));
}

/* An enumeration is read and written as the gint that GValue has it as. */
G_STATIC_ASSERT (sizeof (GstIvsDummyVideo) == sizeof (gint));
G_STATIC_ASSERT (sizeof (GstWebRTCICETransportPolicy) == sizeof (gint));

gboolean
gst_ivs_settings_set (GstIvsSettings *self, guint first_id, guint id,
    const GValue *value)
{
  gpointer member;

  if (id < first_id || id - first_id >= N_SETTINGS)
    return FALSE;
  member = G_STRUCT_MEMBER_P (self, offsets[id - first_id]);
  if (G_VALUE_HOLDS_STRING (value))
    replace_string (member, value);
  else if (G_VALUE_HOLDS_UINT (value))
    *(guint *) member = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_INT (value))
    *(gint *) member = g_value_get_int (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(gboolean *) member = g_value_get_boolean (value);
  else if (G_VALUE_HOLDS_ENUM (value))
    *(gint *) member = g_value_get_enum (value);
  else if (G_VALUE_HOLDS_OBJECT (value))
    g_set_object ((GObject **) member, g_value_get_object (value));
  else if (GST_VALUE_HOLDS_ARRAY (value))
    replace_strv (member, value);
  else
    return FALSE;
  return TRUE;
}

gboolean
gst_ivs_settings_get (const GstIvsSettings *self, guint first_id, guint id,
    GValue *value)
{
  gconstpointer member;

  /* The write-only ones, of which the other is an array: a secret cannot be read
   * back. */
  if (id < first_id || id - first_id >= N_SETTINGS ||
      id - first_id == AUTH_TOKEN)
    return FALSE;
  member = G_STRUCT_MEMBER_P (self, offsets[id - first_id]);
  if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(gchar *const *) member);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const guint *) member);
  else if (G_VALUE_HOLDS_INT (value))
    g_value_set_int (value, *(const gint *) member);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const gboolean *) member);
  else if (G_VALUE_HOLDS_ENUM (value))
    g_value_set_enum (value, *(const gint *) member);
  else if (G_VALUE_HOLDS_OBJECT (value))
    g_value_set_object (value, *(GObject *const *) member);
  else
    return FALSE;
  return TRUE;
}
