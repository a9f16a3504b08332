/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The names that ivsstagesink uses on the bus, in its statistics and as the nicks
 * of its properties, for applications that compare them.
 *
 * Nothing but strings: an application that includes this needs not link the
 * plugin. What each means is in docs/reference.md, of the errors in docs/errors.md.
 * Names are added, none is changed or taken away.
 *
 * The lines between "made" and "end" come from the sources, do not edit them. A
 * test compares them; renew them with:
 *     ninja -C build && python3 tests/repository/test-header.py . build build/tests/repository/describe-element --write
 */
#pragma once

/* Names of structures: of ELEMENT messages, of the details of ERROR and WARNING
 * (error, limit), of the property `stats`. */
/* made: message */
#define IVS_STAGE_MESSAGE_ERROR "ivs-stage-error"
#define IVS_STAGE_MESSAGE_LOST "ivs-stage-lost"
#define IVS_STAGE_MESSAGE_STATE "ivs-stage-state"
#define IVS_STAGE_MESSAGE_LIMIT "ivs-stage-limit"
#define IVS_STAGE_MESSAGE_STATS "ivs-stage-stats"
#define IVS_STAGE_MESSAGE_TOKEN_EXPIRING "ivs-stage-token-expiring"
#define IVS_STAGE_MESSAGE_SESSION_ENDING "ivs-stage-session-ending"
/* end */

/* Names of custom upstream events. */
/* made: event */
#define IVS_STAGE_EVENT_TARGET_BITRATE "ivs-target-bitrate"
/* end */

/* Fields of these structures. */
/* made: field */
#define IVS_STAGE_FIELD_ATTEMPT "attempt"
#define IVS_STAGE_FIELD_CODE "code"
#define IVS_STAGE_FIELD_NAME "name"
#define IVS_STAGE_FIELD_HTTP_STATUS_CODE "http-status-code"
#define IVS_STAGE_FIELD_RETRYABLE "retryable"
#define IVS_STAGE_FIELD_SENTENCE "sentence"
#define IVS_STAGE_FIELD_SESSION_AGE "session-age"
#define IVS_STAGE_FIELD_SILENT_FOR "silent-for"
#define IVS_STAGE_FIELD_POSSIBLE_CAUSES "possible-causes"
#define IVS_STAGE_FIELD_LOOK_UP "look-up"
#define IVS_STAGE_FIELD_SECONDS_LEFT "seconds-left"
#define IVS_STAGE_FIELD_HINT "hint"
#define IVS_STAGE_FIELD_STATE "state"
#define IVS_STAGE_FIELD_PARTICIPANT_ID "participant-id"
#define IVS_STAGE_FIELD_STAGE_ARN "stage-arn"
#define IVS_STAGE_FIELD_ENDPOINT "endpoint"
#define IVS_STAGE_FIELD_REQUEST_ID "request-id"
#define IVS_STAGE_FIELD_SESSION_HOST "session-host"
#define IVS_STAGE_FIELD_SERVER_MESSAGE "server-message"
#define IVS_STAGE_FIELD_PACKETS "packets"
#define IVS_STAGE_FIELD_BYTES "bytes"
#define IVS_STAGE_FIELD_BITRATE_1S "bitrate-1s"
#define IVS_STAGE_FIELD_BITRATE_10S "bitrate-10s"
#define IVS_STAGE_FIELD_FRAME_RATE "frame-rate"
#define IVS_STAGE_FIELD_FRAMES "frames"
#define IVS_STAGE_FIELD_KEY_FRAMES "key-frames"
#define IVS_STAGE_FIELD_MAX_KEY_FRAME_SPACING "max-key-frame-spacing"
#define IVS_STAGE_FIELD_WIDTH "width"
#define IVS_STAGE_FIELD_HEIGHT "height"
#define IVS_STAGE_FIELD_PROFILE "profile"
#define IVS_STAGE_FIELD_CHANNELS "channels"
#define IVS_STAGE_FIELD_SAMPLE_RATE "sample-rate"
#define IVS_STAGE_FIELD_PACKET_DURATION "packet-duration"
#define IVS_STAGE_FIELD_SEVERITY "severity"
#define IVS_STAGE_FIELD_MEASURED "measured"
#define IVS_STAGE_FIELD_MEASURED_TEXT "measured-text"
#define IVS_STAGE_FIELD_LIMIT "limit"
#define IVS_STAGE_FIELD_CONSEQUENCE "consequence"
#define IVS_STAGE_FIELD_CERTAINTY "certainty"
#define IVS_STAGE_FIELD_LIMIT_TEXT "limit-text"
#define IVS_STAGE_FIELD_PACKETS_LOST "packets-lost"
#define IVS_STAGE_FIELD_FRACTION_LOST "fraction-lost"
#define IVS_STAGE_FIELD_JITTER "jitter"
#define IVS_STAGE_FIELD_NACK_COUNT "nack-count"
#define IVS_STAGE_FIELD_PLI_COUNT "pli-count"
#define IVS_STAGE_FIELD_FIR_COUNT "fir-count"
#define IVS_STAGE_FIELD_RETRANSMITTED "retransmitted"
#define IVS_STAGE_FIELD_ROUND_TRIP_TIME "round-trip-time"
#define IVS_STAGE_FIELD_SSRC "ssrc"
#define IVS_STAGE_FIELD_DROPPED "dropped"
#define IVS_STAGE_FIELD_TIME_TO_OFFER "time-to-offer"
#define IVS_STAGE_FIELD_TIME_TO_ANSWER "time-to-answer"
#define IVS_STAGE_FIELD_TIME_TO_LIVE "time-to-live"
#define IVS_STAGE_FIELD_MEDIA_ADDRESS "media-address"
#define IVS_STAGE_FIELD_ATTEMPTS "attempts"
#define IVS_STAGE_FIELD_SESSIONS "sessions"
#define IVS_STAGE_FIELD_VIDEO "video"
#define IVS_STAGE_FIELD_BITRATE "bitrate"
#define IVS_STAGE_FIELD_TOTAL_BITRATE "total-bitrate"
#define IVS_STAGE_FIELD_LIMITED "limited"
#define IVS_STAGE_FIELD_ESTIMATED_BITRATE "estimated-bitrate"
#define IVS_STAGE_FIELD_ENCODER_TARGET_BITRATE "encoder-target-bitrate"
#define IVS_STAGE_FIELD_AUDIO "audio"
/* end */

/* What the field `name` of `ivs-stage-error` says: failures ... */
/* made: error */
#define IVS_STAGE_ERROR_TOKEN_MISSING "token-missing"
#define IVS_STAGE_ERROR_TOKEN_MALFORMED "token-malformed"
#define IVS_STAGE_ERROR_TOKEN_LOOKALIKE "token-lookalike"
#define IVS_STAGE_ERROR_TOKEN_EXPIRED "token-expired"
#define IVS_STAGE_ERROR_TOKEN_NO_PUBLISH "token-no-publish"
#define IVS_STAGE_ERROR_TOKEN_FILE "token-file"
#define IVS_STAGE_ERROR_ENDPOINT_INVALID "endpoint-invalid"
#define IVS_STAGE_ERROR_NAME_LOOKUP "name-lookup"
#define IVS_STAGE_ERROR_CONNECTION_REFUSED "connection-refused"
#define IVS_STAGE_ERROR_NETWORK_UNREACHABLE "network-unreachable"
#define IVS_STAGE_ERROR_TLS "tls"
#define IVS_STAGE_ERROR_TIMEOUT "timeout"
#define IVS_STAGE_ERROR_NETWORK "network"
#define IVS_STAGE_ERROR_REDIRECT "redirect"
#define IVS_STAGE_ERROR_SESSION_REFUSED "session-refused"
#define IVS_STAGE_ERROR_SERVICE_TOKEN_EXPIRED "service-token-expired"
#define IVS_STAGE_ERROR_NO_PERMISSIONS "no-permissions"
#define IVS_STAGE_ERROR_STAGE_NOT_FOUND "stage-not-found"
#define IVS_STAGE_ERROR_STAGE_FULL "stage-full"
#define IVS_STAGE_ERROR_SERVICE_INTERNAL "service-internal"
#define IVS_STAGE_ERROR_ALREADY_PUBLISHING "already-publishing"
#define IVS_STAGE_ERROR_ACTION_NOT_FOUND "action-not-found"
#define IVS_STAGE_ERROR_STATE_CONFLICT "state-conflict"
#define IVS_STAGE_ERROR_THROTTLED "throttled"
#define IVS_STAGE_ERROR_NO_MATCHING_CODEC "no-matching-codec"
#define IVS_STAGE_ERROR_HTTP_REFUSED "http-refused"
#define IVS_STAGE_ERROR_AUTHORIZATION_LOST "authorization-lost"
#define IVS_STAGE_ERROR_NOT_A_STAGE_ENDPOINT "not-a-stage-endpoint"
#define IVS_STAGE_ERROR_BUSY "busy"
#define IVS_STAGE_ERROR_HTTP_SERVER "http-server"
#define IVS_STAGE_ERROR_HTTP_CLIENT "http-client"
#define IVS_STAGE_ERROR_HTTP_UNEXPECTED "http-unexpected"
#define IVS_STAGE_ERROR_OFFER "offer"
#define IVS_STAGE_ERROR_ANSWER "answer"
#define IVS_STAGE_ERROR_ANSWER_TOO_LARGE "answer-too-large"
#define IVS_STAGE_ERROR_MEDIA_REFUSED "media-refused"
#define IVS_STAGE_ERROR_FINGERPRINT "fingerprint"
#define IVS_STAGE_ERROR_CONNECT_TIMEOUT "connect-timeout"
#define IVS_STAGE_ERROR_ICE "ice"
#define IVS_STAGE_ERROR_DTLS "dtls"
#define IVS_STAGE_ERROR_NO_LOCAL_ADDRESS "no-local-address"
#define IVS_STAGE_ERROR_LOST "lost"
#define IVS_STAGE_ERROR_WEBRTC "webrtc"
#define IVS_STAGE_ERROR_MISSING_PLUGIN "missing-plugin"
#define IVS_STAGE_ERROR_ENCODER "encoder"
#define IVS_STAGE_ERROR_INPUT "input"
/* end */

/* ... and notices, which have no failure behind them. */
/* made: notice */
#define IVS_STAGE_NOTICE_NO_INPUT "no-input"
#define IVS_STAGE_NOTICE_RENEWAL_WITH_OLD_TOKEN "renewal-with-old-token"
#define IVS_STAGE_NOTICE_SECOND_STREAM "second-stream"
#define IVS_STAGE_NOTICE_TOO_MANY_PADS "too-many-pads"
#define IVS_STAGE_NOTICE_NO_SESSION_URL "no-session-url"
#define IVS_STAGE_NOTICE_NO_GCC_ELEMENT "no-gcc-element"
/* end */

/* What the field `name` of `ivs-stage-limit` says. */
/* made: finding */
#define IVS_STAGE_FINDING_RESOLUTION "resolution"
#define IVS_STAGE_FINDING_RESOLUTION_SMALL "resolution-small"
#define IVS_STAGE_FINDING_PROFILE "profile"
#define IVS_STAGE_FINDING_B_FRAMES "b-frames"
#define IVS_STAGE_FINDING_REORDERING "reordering"
#define IVS_STAGE_FINDING_KEY_FRAME_INTERVAL "key-frame-interval"
#define IVS_STAGE_FINDING_KEY_FRAMES_TOO_OFTEN "key-frames-too-often"
#define IVS_STAGE_FINDING_NO_PARAMETER_SETS "no-parameter-sets"
#define IVS_STAGE_FINDING_FRAME_RATE_LOW "frame-rate-low"
#define IVS_STAGE_FINDING_FRAME_RATE_HIGH "frame-rate-high"
#define IVS_STAGE_FINDING_VIDEO_BITRATE "video-bitrate"
#define IVS_STAGE_FINDING_VIDEO_BITRATE_PEAK "video-bitrate-peak"
#define IVS_STAGE_FINDING_VIDEO_BITRATE_ADVISED "video-bitrate-advised"
#define IVS_STAGE_FINDING_NO_VIDEO "no-video"
#define IVS_STAGE_FINDING_VIDEO_STOPPED "video-stopped"
#define IVS_STAGE_FINDING_UPLINK_NARROW "uplink-narrow"
#define IVS_STAGE_FINDING_AUDIO_BITRATE "audio-bitrate"
#define IVS_STAGE_FINDING_AUDIO_CHANNELS "audio-channels"
#define IVS_STAGE_FINDING_AUDIO_SAMPLE_RATE "audio-sample-rate"
#define IVS_STAGE_FINDING_AUDIO_GAPS "audio-gaps"
#define IVS_STAGE_FINDING_NO_AUDIO "no-audio"
#define IVS_STAGE_FINDING_AUDIO_STOPPED "audio-stopped"
/* end */

/* Codes of PROGRESS messages. */
/* made: progress */
#define IVS_STAGE_PROGRESS_CONNECT "connect"
#define IVS_STAGE_PROGRESS_OPEN "open"
#define IVS_STAGE_PROGRESS_DISCONNECT "disconnect"
#define IVS_STAGE_PROGRESS_REQUEST "request"
/* end */

/* Nicks of the property `connection-state`, and what the field `state` says. */
/* made: connection-state */
#define IVS_STAGE_CONNECTION_STATE_NEW "new"
#define IVS_STAGE_CONNECTION_STATE_CONNECTING "connecting"
#define IVS_STAGE_CONNECTION_STATE_CONNECTED "connected"
#define IVS_STAGE_CONNECTION_STATE_RECONNECTING "reconnecting"
#define IVS_STAGE_CONNECTION_STATE_FAILED "failed"
#define IVS_STAGE_CONNECTION_STATE_CLOSED "closed"
/* end */

/* Nicks of the property `dummy-video`. */
/* made: dummy-video */
#define IVS_STAGE_DUMMY_VIDEO_AUTO "auto"
#define IVS_STAGE_DUMMY_VIDEO_ALWAYS "always"
#define IVS_STAGE_DUMMY_VIDEO_NEVER "never"
/* end */

/* Nicks of the property `congestion-control`. */
/* made: congestion-control */
#define IVS_STAGE_CONGESTION_CONTROL_GCC "gcc"
#define IVS_STAGE_CONGESTION_CONTROL_GCC_ELEMENT "gcc-element"
#define IVS_STAGE_CONGESTION_CONTROL_NONE "none"
/* end */

/* Nicks of the property `stage-limits`. */
/* made: stage-limits */
#define IVS_STAGE_LIMITS_IGNORE "ignore"
#define IVS_STAGE_LIMITS_WARN "warn"
#define IVS_STAGE_LIMITS_REFUSE "refuse"
/* end */
