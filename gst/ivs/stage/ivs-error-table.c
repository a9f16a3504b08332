/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The error table: every kind of failure, and which code or status means it.
 *
 * Nothing is decided here, ivs-error.c does that. docs/errors.md is made from
 * these rows; after a change run
 *
 *     build/tests/unit/test-error --print-doc > docs/errors.md
 *
 * Sources. "Guide" is the Amazon IVS Real-Time Streaming User Guide
 * (docs.aws.amazon.com/ivs/latest/RealTimeUserGuide), "SDK" the official
 * amazon-ivs-web-broadcast 1.41.0, whose names for the codes are given beside
 * them. "Reports" are public issue threads and questions. "Inferred" is a guess
 * that none of these confirms. The service's texts are known for 2001 and 2011
 * only, so the code decides and never the text.
 */

#include "ivs-error-table.h"

#define NO FALSE, FALSE
#define YES TRUE, FALSE
#define CAPPED TRUE, TRUE

#define MINT \
  "aws ivs-realtime create-participant-token --stage-arn ... --capabilities PUBLISH"
#define MINT_INTO_ENVIRONMENT \
  "export IVS_STAGE_TOKEN=$(" MINT \
  " --query participantToken.token --output text)"
#define EVENTS \
  "aws ivs-realtime list-participant-events --stage-arn ... --session-id ... --participant-id ..."

/* clang-format off */
const IvsFailureRow ivs_failure_rows[IVS_FAILURE_N_KINDS] = {
  /* -- The credential, judged before any network -------------------------- */
  [IVS_FAILURE_TOKEN_MISSING] = {
    "token-missing", IVS_CLASS_SETTINGS, NO,
    "There is no participant token",
    "Set auth-token or auth-token-file, or put the token into the environment variable IVS_STAGE_TOKEN. "
    "Make one with: " MINT_INTO_ENVIRONMENT },
  [IVS_FAILURE_TOKEN_MALFORMED] = {
    /* SDK 1000: not three parts, not JSON */
    "token-malformed", IVS_CLASS_SETTINGS, NO,
    "The credential is not a participant token",
    "A participant token is one line of three parts with two dots between them. Copy all of it, "
    "the field participantToken.token of the answer of: " MINT },
  [IVS_FAILURE_TOKEN_LOOKALIKE] = {
    "token-lookalike", IVS_CLASS_SETTINGS, NO,
    "The credential belongs to something else than a stage",
    "A stage wants a participant token. Make one with: " MINT_INTO_ENVIRONMENT },
  [IVS_FAILURE_TOKEN_EXPIRED] = {
    /* SDK 1001: exp missing or passed; Guide: 12 h unless asked, at most 14 days */
    "token-expired", IVS_CLASS_NOT_AUTHORIZED, NO,
    "The participant token has expired",
    "If the token is new, check the clock of this computer. Otherwise make a new one "
    "(12 hours by default, --duration takes minutes, at most 20160): " MINT },
  [IVS_FAILURE_TOKEN_NO_PUBLISH] = {
    /* SDK 1026: allow_publish not true */
    "token-no-publish", IVS_CLASS_NOT_AUTHORIZED, NO,
    "The participant token does not allow publishing",
    "Make a token with the capability PUBLISH: " MINT },
  [IVS_FAILURE_TOKEN_FILE] = {
    "token-file", IVS_CLASS_SETTINGS, NO,
    "The file of auth-token-file cannot be used",
    "Check that the file exists, that this user may read it, and that it holds the token and nothing else." },

  /* -- The endpoint and the way to it ------------------------------------- */
  [IVS_FAILURE_ENDPOINT_INVALID] = {
    "endpoint-invalid", IVS_CLASS_SETTINGS, NO,
    "The whip-endpoint is not a URL that can be published to",
    "Set whip-endpoint to an https:// URL, or leave it unset for Amazon IVS "
    "(https://global.whip.live-video.net/)." },
  [IVS_FAILURE_NAME_LOOKUP] = {
    "name-lookup", IVS_CLASS_NOT_FOUND, YES,
    "The name of the stage's endpoint cannot be looked up",
    "Check whip-endpoint, the network connection and the name server of this computer." },
  [IVS_FAILURE_CONNECTION_REFUSED] = {
    "connection-refused", IVS_CLASS_OPEN_WRITE, YES,
    "The stage's endpoint refuses the connection",
    "Check host and port of whip-endpoint. A local stage must be running before publishing starts." },
  [IVS_FAILURE_NETWORK_UNREACHABLE] = {
    "network-unreachable", IVS_CLASS_OPEN_WRITE, YES,
    "The network of the stage's endpoint cannot be reached",
    "Check the network connection, its default route, and whether IPv6 works where it is offered." },
  [IVS_FAILURE_TLS] = {
    "tls", IVS_CLASS_OPEN_WRITE, CAPPED,
    "The TLS connection to the stage's endpoint failed",
    "Check the clock of this computer and that glib-networking and ca-certificates are installed. Behind a "
    "proxy that looks into TLS, or with a private authority, set tls-database to its certificates." },
  [IVS_FAILURE_TIMEOUT] = {
    "timeout", IVS_CLASS_OPEN_WRITE, YES,
    "The stage's endpoint did not answer in time",
    "Check the network connection, and that a firewall or proxy lets HTTPS through. "
    "On a slow network raise timeout." },
  [IVS_FAILURE_NETWORK] = {
    "network", IVS_CLASS_OPEN_WRITE, YES,
    "The request to the stage's endpoint failed",
    "Check the network connection, the proxy settings and the firewall." },
  [IVS_FAILURE_REDIRECT] = {
    /* Guide: the global endpoint answers 307; RFC 9725 section 4.5 */
    "redirect", IVS_CLASS_OPEN_WRITE, NO,
    "The stage's endpoint sends a redirect that is not followed",
    "Check whip-endpoint: a proxy or the login page of a network redirects too. If the host that the redirect names "
    "is trusted, add it to allowed-hosts." },

  /* -- The service's own words -------------------------------------------- */
  [IVS_FAILURE_SESSION_REFUSED] = {
    /* SDK "Unspecified". Reports: the answer to an offer without H.264 video. */
    "session-refused", IVS_CLASS_OPEN_WRITE, NO,
    "The stage refused the session",
    "The service does not say why. Check that the video is H.264 (constrained baseline, packetization-mode 1) and "
    "the audio Opus, that both are sent only, and that token and endpoint belong to the same stage." },
  [IVS_FAILURE_SERVICE_TOKEN_EXPIRED] = {
    /* SDK "TokenExpired" */
    "service-token-expired", IVS_CLASS_NOT_AUTHORIZED, NO,
    "The stage says that the participant token has expired",
    "If the token is new, check the clock of the computer that makes it. Otherwise make a new one: " MINT },
  [IVS_FAILURE_NO_PERMISSIONS] = {
    /* SDK "NoPermissions"; disconnected participants: Guide, DisconnectParticipant */
    "no-permissions", IVS_CLASS_NOT_AUTHORIZED, NO,
    "The stage does not accept the participant token",
    "The token lacks PUBLISH, is of another stage, is not valid yet (check the clock of the computer that made it), was "
    "revoked, or its participant was disconnected. Make a new one: "
    MINT },
  [IVS_FAILURE_STAGE_NOT_FOUND] = {
    /* SDK "RemoteStreamNotFound"; that regions differ: inferred */
    "stage-not-found", IVS_CLASS_NOT_FOUND, NO,
    "The stage was not found",
    "Check that the stage still exists (aws ivs-realtime get-stage --arn ...), and that token and whip-endpoint "
    "belong to the same stage and region." },
  [IVS_FAILURE_STAGE_FULL] = {
    /* SDK "StageAtCapacity"; Guide, service quotas: 12 publishers per stage */
    "stage-full", IVS_CLASS_NO_SPACE_LEFT, NO,
    "The stage is full",
    "A stage takes 12 publishers, an account has its own quota. End another session "
    "(aws ivs-realtime disconnect-participant ...), or ask for a higher quota." },
  [IVS_FAILURE_SERVICE_INTERNAL] = {
    /* SDK "InternalMHCPError", "UncategorizedMHCPError", "UnreachableMHCP" */
    "service-internal", IVS_CLASS_FAILED, CAPPED,
    "The stage failed on the service's side",
    "Try again later. If it stays, look at the AWS Health Dashboard and contact AWS Support with the request id." },
  [IVS_FAILURE_ALREADY_PUBLISHING] = {
    /* SDK "InvalidSessionStatus" */
    "already-publishing", IVS_CLASS_BUSY, NO,
    "This participant already publishes",
    "Every publisher needs its own token. End the other session, or make a token for this one: " MINT },
  [IVS_FAILURE_ACTION_NOT_FOUND] = {
    /* SDK "PostWithoutOptions"; reports: text "action ID not found", simulcast
     * enabled on the stages of an account, resolved by AWS Support */
    "action-not-found", IVS_CLASS_NOT_FOUND, NO,
    "The stage does not take this way of publishing",
    "Check that the token is one of a stage and whip-endpoint the endpoint of a stage, not of a channel. "
    "If both are, ask AWS Support whether simulcast is enabled for the account's stages: that was the cause before." },
  [IVS_FAILURE_STATE_CONFLICT] = {
    /* SDK "AbortedMHCPError"; that the token is in use elsewhere: inferred */
    "state-conflict", IVS_CLASS_BUSY, NO,
    "The stage broke off, for this participant is in another state",
    "The token may be in use elsewhere, or was a moment ago. Wait half a minute, or make a token for this publisher alone: " MINT },
  [IVS_FAILURE_THROTTLED] = {
    /* SDK "StageAuthThrottled" */
    "throttled", IVS_CLASS_BUSY, YES,
    "The stage asks for fewer requests",
    "Start publishers one after the other, not all at once." },
  [IVS_FAILURE_NO_MATCHING_CODEC] = {
    /* SDK "NoMatchingCodec" */
    "no-matching-codec", IVS_CLASS_WRONG_TYPE, NO,
    "The stage found no codec that it takes",
    "Send H.264 constrained baseline with packetization-mode 1 (profile-level-id 42e01f), and Opus." },

  /* -- No code that is known: judged by the HTTP status -------------------- */
  [IVS_FAILURE_HTTP_REFUSED] = {
    "http-refused", IVS_CLASS_NOT_AUTHORIZED, NO,
    "The endpoint refused the participant token",
    "Check that token and whip-endpoint belong together, or make a new token: " MINT },
  [IVS_FAILURE_AUTHORIZATION_LOST] = {
    /* SDK: a 403 without code 2003 after a redirect */
    "authorization-lost", IVS_CLASS_NOT_AUTHORIZED, NO,
    "The endpoint behind a redirect got no participant token, or refused it",
    "Set whip-endpoint to the URL that the redirect names, and check that no proxy removes the header Authorization." },
  [IVS_FAILURE_NOT_A_STAGE_ENDPOINT] = {
    "not-a-stage-endpoint", IVS_CLASS_NOT_FOUND, NO,
    "What answered is not the WHIP endpoint of a stage",
    "Check whip-endpoint, for Amazon IVS https://global.whip.live-video.net/. An endpoint of a channel "
    "(rtmps://..., g.webrtc.live-video.net) is another product." },
  [IVS_FAILURE_BUSY] = {
    "busy", IVS_CLASS_BUSY, YES,
    "The endpoint is busy or cannot be reached through its gateway",
    "Wait. If it stays, check the proxy, and start fewer publishers at once." },
  [IVS_FAILURE_HTTP_SERVER] = {
    "http-server", IVS_CLASS_FAILED, CAPPED,
    "The endpoint failed",
    "Try again later. If it stays, contact who runs the endpoint, for Amazon IVS AWS Support with the request id." },
  [IVS_FAILURE_HTTP_CLIENT] = {
    "http-client", IVS_CLASS_OPEN_WRITE, NO,
    "The endpoint did not accept the request",
    "Check whip-endpoint and the proxy settings (407 is the proxy asking for a password)." },
  [IVS_FAILURE_HTTP_UNEXPECTED] = {
    "http-unexpected", IVS_CLASS_OPEN_WRITE, NO,
    "The endpoint gave an answer that does not belong to WHIP",
    "Check whip-endpoint, and whether a proxy or a login page stands between." },

  /* -- The offer, the answer and the media path ---------------------------- */
  [IVS_FAILURE_OFFER] = {
    "offer", IVS_CLASS_FAILED, NO,
    "The offer is not one that a stage takes",
    "Check the caps of the pads: H.264 and Opus. If they are, please report this with the log of GST_DEBUG=ivs*:6." },
  [IVS_FAILURE_ANSWER] = {
    "answer", IVS_CLASS_OPEN_WRITE, NO,
    "The endpoint's answer cannot be used",
    "Check that whip-endpoint is the endpoint of a stage, and that no proxy or login page of a network answers in its "
    "place." },
  [IVS_FAILURE_ANSWER_TOO_LARGE] = {
    "answer-too-large", IVS_CLASS_OPEN_WRITE, NO,
    "The endpoint's answer is longer than any answer of a stage",
    "Check that whip-endpoint is the endpoint of a stage." },
  [IVS_FAILURE_MEDIA_REFUSED] = {
    "media-refused", IVS_CLASS_WRONG_TYPE, NO,
    "The stage refused the audio or the video",
    "Send H.264 constrained baseline with packetization-mode 1 (profile-level-id 42e01f), and Opus." },
  [IVS_FAILURE_FINGERPRINT] = {
    /* RFC 8122 section 5: no media without the certificate of the fingerprint */
    "fingerprint", IVS_CLASS_FAILED, NO,
    "The media server's certificate is not the one that the answer names",
    "Nothing was sent. Somebody may stand between this computer and the stage: try another network." },
  [IVS_FAILURE_CONNECT_TIMEOUT] = {
    /* Guide: UDP 443 and 3478; "TCP fallback is not supported for publishing" */
    "connect-timeout", IVS_CLASS_OPEN_WRITE, YES,
    "The media connection to the stage did not come up in time",
    "Let UDP to ports 443 and 3478 out: a stage takes no media over TCP. On a slow network raise connect-timeout." },
  [IVS_FAILURE_ICE] = {
    "ice", IVS_CLASS_OPEN_WRITE, YES,
    "No network path to the stage's media server works",
    "Let UDP to ports 443 and 3478 out: a stage takes no media over TCP. A VPN or firewall may be in the way." },
  [IVS_FAILURE_DTLS] = {
    "dtls", IVS_CLASS_OPEN_WRITE, YES,
    "The media connection to the stage could not be encrypted",
    "A firewall may let small packets through only: try another network. Check that the DTLS plugin is complete: "
    "gst-inspect-1.0 dtls" },
  [IVS_FAILURE_NO_LOCAL_ADDRESS] = {
    "no-local-address", IVS_CLASS_OPEN_WRITE, YES,
    "This computer has no network address to publish from",
    "Connect to a network." },
  [IVS_FAILURE_LOST] = {
    /* Inferred: a publisher is told nothing when it is cut off. Guide: limits, 24 h;
     * one token is one connection; names of events: API reference, ParticipantEvent. */
    "lost", IVS_CLASS_WRITE, YES,
    "The session with the stage was lost",
    "The network, a limit of the stage (720p, 8.5 Mbps, no B-frames, 24 hours), the same token used elsewhere or a "
    "deleted stage ends a session without a word. The reason is found with: " EVENTS },
  [IVS_FAILURE_WEBRTC] = {
    "webrtc", IVS_CLASS_FAILED, NO,
    "webrtcbin could not set up the session",
    "Please report this with the log of GST_DEBUG=ivs*:6,webrtcbin:6." },
  [IVS_FAILURE_MISSING_PLUGIN] = {
    "missing-plugin", IVS_CLASS_MISSING_PLUGIN, NO,
    "An element that is needed is not installed",
    "On Debian and Ubuntu: apt install gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad "
    "gstreamer1.0-plugins-ugly gstreamer1.0-nice" },
  [IVS_FAILURE_ENCODER] = {
    "encoder", IVS_CLASS_ENCODE, NO,
    "The media cannot be encoded for a stage",
    "Send encoded H.264 or Opus, or change the encoder in the signal encoder-setup." },
  [IVS_FAILURE_INPUT] = {
    "input", IVS_CLASS_WRONG_TYPE, NO,
    "The media of a pad cannot be published to a stage",
    "A stage takes raw or H.264 video (baseline, no B-frames) and raw or Opus audio." },
};

/* SDK, and the Guide for 2001; HTTP statuses seen beside them are in the doc of
 * each kind. 2009 and codes above 2014 are unknown: the status decides. */
const IvsServiceCode ivs_service_codes[IVS_N_SERVICE_CODES] = {
  { 2001, IVS_FAILURE_SESSION_REFUSED, FALSE },
  { 2002, IVS_FAILURE_SERVICE_TOKEN_EXPIRED, FALSE },
  { 2003, IVS_FAILURE_NO_PERMISSIONS, FALSE },
  { 2004, IVS_FAILURE_STAGE_NOT_FOUND, FALSE },
  { 2005, IVS_FAILURE_STAGE_FULL, FALSE },
  { 2006, IVS_FAILURE_SERVICE_INTERNAL, FALSE },
  { 2007, IVS_FAILURE_SERVICE_INTERNAL, TRUE },
  { 2008, IVS_FAILURE_SERVICE_INTERNAL, FALSE },
  { 2010, IVS_FAILURE_ALREADY_PUBLISHING, FALSE },
  { 2011, IVS_FAILURE_ACTION_NOT_FOUND, FALSE },
  { 2012, IVS_FAILURE_STATE_CONFLICT, FALSE },
  { 2013, IVS_FAILURE_THROTTLED, FALSE },
  { 2014, IVS_FAILURE_NO_MATCHING_CODEC, FALSE },
};

const IvsHttpStatus ivs_http_statuses[IVS_N_HTTP_STATUSES] = {
  { 0, 0, IVS_FAILURE_NETWORK },
  { 401, 401, IVS_FAILURE_HTTP_REFUSED },
  { 403, 403, IVS_FAILURE_HTTP_REFUSED },
  { 404, 406, IVS_FAILURE_NOT_A_STAGE_ENDPOINT },
  { 415, 415, IVS_FAILURE_NOT_A_STAGE_ENDPOINT },
  { 429, 429, IVS_FAILURE_BUSY },
  { 502, 504, IVS_FAILURE_BUSY },
  { 400, 499, IVS_FAILURE_HTTP_CLIENT },
  { 500, 599, IVS_FAILURE_HTTP_SERVER },
  { 1, G_MAXUINT, IVS_FAILURE_HTTP_UNEXPECTED },
};
/* clang-format on */

/* Guide, OBS and WHIP: "Your SDP offer must include an H.264 video track, even if
 * you are only publishing audio." */
const gchar *const ivs_advice_without_h264 =
    "A stage wants an H.264 video section even for audio alone: set dummy-video=auto, or request a video pad.";
