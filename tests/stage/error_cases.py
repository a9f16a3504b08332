# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ways to fail that errors.py tries: one row each, in the order of docs/errors.md."""

import dataclasses
import typing


@dataclasses.dataclass
class Case:
    name: str      # of docs/errors.md; in brackets behind the message
    title: str
    pipeline: str  # {http} ... is the URL of an endpoint
    # What is in IVS_STAGE_TOKEN: the credential; what the stage is asked for; claims
    # of a token that the stage did not make; a function of a good one; None.
    token: typing.Any = dataclasses.field(default_factory=dict)
    fault: typing.Optional[dict] = None      # the stage shall misbehave so
    once_live: typing.Optional[dict] = None  # ... as soon as the session is live
    until: typing.Optional[str] = None       # ends with Ctrl-C when this was said
    environment: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)
    without: tuple = ()                      # plugins that are not installed
    wrap: typing.Optional[str] = None
    # Two clocks run, here and at the server: this may be said instead of what is shown.
    or_else: typing.Optional[tuple] = None   # (what, instead of what)
    own_words: bool = False                  # gst-launch-1.0 says it itself
    seconds: float = 1                       # about how long it takes


VIDEO = "videotestsrc is-live=true ! ivsstagesink"
AUDIO = "audiotestsrc is-live=true ! ivsstagesink"
ONCE = " max-retries=0"


def at(endpoint, more=""):
    return f"{VIDEO} whip-endpoint={endpoint}{more}"


def refused(name, title, rule, **more):
    return Case(name, title, VIDEO + ONCE, fault={"rule": rule, "count": 1, **more})


def spoiled(name, title, spoil, more="", seconds=1, pipeline=VIDEO):
    return Case(name, title, pipeline + ONCE + more, seconds=seconds,
                fault={"rule": "spoil", "spoil": spoil, "count": 1})


CREDENTIALS = [
    Case("token-missing", "No token anywhere", VIDEO, token=None),
    Case("token-missing", "An empty variable", VIDEO, token=""),
    Case("token-missing", "The file is empty", f"{VIDEO} auth-token-file=token.txt", token=None,
         files={"token.txt": "\n"}),
    Case("token-malformed", "A word that is no token", VIDEO, token="correct-horse-battery-staple"),
    Case("token-malformed", "The end was not copied", VIDEO, token=lambda good: good.rpartition(".")[0]),
    Case("token-malformed", "Copied with a line break", VIDEO,
         token=lambda good: good[:100] + "\n" + good[100:]),
    Case("token-malformed", "A character is missing in the middle", VIDEO,
         token=lambda good: good.replace(".ey", ".y", 1)),
    Case("token-lookalike", "The stream key of a channel", VIDEO,
         token="sk_eu-central-1_AbCdEfGh1234_wxyzWXYZwxyzWXYZwxyzWXYZwxyz"),
    Case("token-lookalike", "A stream key for RTMP ingest into a stage", VIDEO, token="rt_123456789012_eu-central-1_AbCdEfGh1234_wxyzWXYZ"),
    Case("token-lookalike", "The ARN of the stage", VIDEO,
         token="arn:aws:ivs:eu-central-1:123456789012:stage/AbCdEfGh1234"),
    Case("token-lookalike", "The whole answer of create-participant-token", VIDEO,
         token='{"participantToken": {"participantId": "AbCdEfGh1234"}}'),
    Case("token-lookalike", "The URL of the endpoint", VIDEO, token="https://global.whip.live-video.net/"),
    Case("token-lookalike", "An RTMP address", VIDEO,
         token="rtmps://1234567890ab.global-contribute.live-video.net:443/app/"),
    Case("token-lookalike", "The access key of an AWS account", VIDEO, token="AKIAIOSFODNN7EXAMPLE"),
    Case("token-lookalike", "A chat token", VIDEO, token="AQICAHhAbCdEfGhIjKlMnOp#wxyzWXYZwxyzWXYZwxyz"),
    Case("token-lookalike", "A playback token of a channel", VIDEO,
         token={"claims": {"aws:channel-arn": "arn:aws:ivs:eu-central-1:123456789012:channel/AbCd"}}),
    Case("token-expired", "A token that has expired", VIDEO, token={"duration": -10}),
    Case("token-expired", "A token that does not say when it expires", VIDEO,
         token={"claims": {"jti": "AbCdEfGh1234", "capabilities": {"allow_publish": True}}}),
    Case("token-no-publish", "A token to subscribe with", VIDEO, token={"capabilities": ["SUBSCRIBE"]}),
    Case("token-no-publish", "A token without any right", VIDEO,
         token={"claims": {"jti": "AbCdEfGh1234", "exp": 4102444800}}),
    Case("token-file", "The file does not exist", f"{VIDEO} auth-token-file=token.txt", token=None),
    Case("token-file", "The file may not be read", f"{VIDEO} auth-token-file=token.txt", token=None,
         files={"token.txt": "unreadable"}, wrap="without-rights"),
    Case("token-file", "It is a folder", f"{VIDEO} auth-token-file=secrets", token=None,
         files={"secrets": "a folder"}),
]

ENDPOINTS = [
    Case("endpoint-invalid", "The address of a channel", at("rtmps://1234567890ab.global-contribute.live-video.net/app/")),
    Case("endpoint-invalid", "The WHIP endpoint of channels", at("https://g.webrtc.live-video.net:4443/v2/offer")),
    Case("endpoint-invalid", "Without https://", at("global.whip.live-video.net")),
    Case("endpoint-invalid", "With a password", at("https://me:secret@global.whip.live-video.net/")),
    Case("name-lookup", "A name that does not exist", at("https://global.whip.live-video.invalid/", ONCE), seconds=3),
    Case("connection-refused", "Nothing listens there", at("http://127.0.0.1:1/", ONCE)),
    Case("connection-refused", "Still nothing at the second attempt", at("http://127.0.0.1:1/", " max-retries=1"), seconds=4),
    Case("network-unreachable", "No network", at("https://192.0.2.1/", ONCE), wrap="offline"),
    Case("tls", "An authority that this computer does not know", at("{https}/", ONCE)),
    Case("tls", "A certificate that has expired", at("{expired}/", ONCE), wrap="trusting"),
    Case("tls", "The certificate of another host", at("{other}/", ONCE), wrap="trusting"),
    Case("timeout", "https:// to a server that speaks http://", at("{plain_as_tls}/", ONCE + " timeout=1"), seconds=2),
    Case("timeout", "An endpoint that takes the offer and is silent", at("{http}/silent", ONCE + " timeout=1"), seconds=2),
    Case("network", "An endpoint that closes the connection", at("{http}/close", ONCE)),
    Case("network", "Something that is no HTTP server", at("{http}/garbage", ONCE)),
    Case("redirect", "In a circle", at("{http}/loop", ONCE)),
    Case("redirect", "To a stranger", at("{http}/stranger", ONCE)),
    Case("redirect", "From https:// to http://", at("{https}/downgrade", ONCE), wrap="trusting"),
    Case("redirect", "To nowhere", at("{http}/no-location", ONCE)),
]

ANSWERS = [
    Case("session-refused", "Sound alone, without the video section that a stage wants", f"{AUDIO} dummy-video=never"),
    refused("session-refused", "With video: the service gives no reason", "refused"),
    refused("service-token-expired", "The service's clock is ahead of this computer's", "expired"),
    refused("no-permissions", "A token that was revoked", "no-permissions"),
    Case("no-permissions", "A token that is not valid yet", at("{stage}/", ONCE),
         token={"claims": {"jti": "AbCdEfGh1234", "nbf": 4000000000, "exp": 4102444800, "capabilities": {"allow_publish": True}}}),
    refused("stage-not-found", "The stage was deleted", "stage-deleted"),
    refused("stage-full", "The thirteenth publisher", "capacity"),
    refused("service-internal", "Code 2006", "internal"),
    refused("service-internal", "Code 2007", "uncategorized"),
    refused("service-internal", "Code 2008", "unreachable"),
    refused("already-publishing", "The same token twice", "already-published"),
    refused("action-not-found", "An account with simulcast", "simulcast-account"),
    refused("state-conflict", "Another connection at the same moment", "aborted"),
    refused("throttled", "Too many publishers at once", "throttled"),
    refused("no-matching-codec", "A stage that does not find H.264 in the offer", "no-h264"),
    Case("http-refused", "Refused without a code", at("{http}/refused", ONCE)),
    refused("http-refused", "With a code that nobody knows yet", "unknown-code", status=403),
    Case("authorization-lost", "Refused after a redirect", at("{http}/moved", ONCE)),
    Case("not-a-stage-endpoint", "A web server", at("{http}/site", ONCE)),
    Case("busy", "A gateway in between", at("{http}/gateway", ONCE)),
    Case("http-server", "An endpoint that is broken", at("{http}/broken", ONCE)),
    Case("http-client", "An answer that is not JSON", at("{http}/text", ONCE)),
    Case("http-client", "An answer that is very long", at("{http}/huge", ONCE)),
    Case("http-client", "A proxy that wants a password", at("{http}/proxy", ONCE)),
    Case("http-unexpected", "An answer to another question", at("{http}/not-modified", ONCE)),
    spoiled("answer", "A web page", "html"),
    Case("answer", "The page of a hotel's network", at("{http}/portal", ONCE)),
    spoiled("answer", "Nothing", "empty"),
    spoiled("answer", "Cut off", "truncated"),
    spoiled("answer", "One section for two", "one-section", pipeline="audiotestsrc is-live=true ! ivsstagesink"),
    spoiled("answer", "Sections in another order", "swapped", pipeline="audiotestsrc is-live=true ! ivsstagesink"),
    spoiled("answer", "Sections with other names", "wrong-mid"),
    spoiled("answer", "A server that only sends", "sendonly"),
    spoiled("answer", "No fingerprint", "no-fingerprint"),
    spoiled("answer", "No address", "no-candidates"),
    spoiled("answer-too-large", "Megabytes", "huge"),
    spoiled("media-refused", "No video", "video-refused"),
    spoiled("media-refused", "No audio", "audio-refused", pipeline="audiotestsrc is-live=true ! ivsstagesink"),
    spoiled("media-refused", "Nothing at all", "inactive"),
    spoiled("fingerprint", "An impostor", "wrong-fingerprint"),
]

MEDIA = [
    spoiled("connect-timeout", "UDP does not get through", "unreachable", " connect-timeout=1", 2),
    spoiled("connect-timeout", "Nobody listens at the address of the answer", "closed-port", " connect-timeout=1", 2),
    spoiled("ice", "No answer for long", "wrong-password", " connect-timeout=40", 20),
    Case("ice", "Relays only, but no TURN server", VIDEO + ONCE + " ice-transport-policy=relay connect-timeout=1", seconds=2),
    spoiled("dtls", "A server that does not do its part of the handshake", "no-setup", " connect-timeout=2", 3),
    spoiled("no-local-address", "Only the loopback interface, and a stage elsewhere", "unreachable", " connect-timeout=1", 3),
    Case("lost", "The server closes the media connection", VIDEO + ONCE, once_live={"rule": "dtls-close"}, seconds=3),
    Case("missing-plugin", "No H.264 encoder", VIDEO, without=("x264", "openh264")),
    Case("missing-plugin", "Without gstreamer1.0-nice", VIDEO, without=("nice",)),
    Case("missing-plugin", "No Opus encoder", AUDIO, without=("opus",)),
    Case("input", "Surround sound that was encoded already", "audiotestsrc is-live=true ! audio/x-raw,channels=6 ! opusenc ! ivsstagesink"),
]

X264 = "x264enc tune=zerolatency speed-preset=ultrafast bitrate=500"
BASELINE = "video/x-h264,profile=constrained-baseline"
HD = "videotestsrc is-live=true ! video/x-raw,width=1920,height=1080,framerate=10/1"
QVGA = "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1"


def limit(name, title, pipeline, said, seconds=4, **more):
    return Case(name, title, pipeline, until=said, seconds=seconds, **more)


FLOWING = [
    limit("resolution", "A picture that is too large, encoded already", f"{HD} ! {X264} key-int-max=20 ! {BASELINE} ! ivsstagesink", "picture is too large"),
    Case("resolution", "The same with stage-limits=refuse", f"{HD} ! {X264} key-int-max=20 ! {BASELINE} ! ivsstagesink stage-limits=refuse", until="picture is too large", seconds=4),
    limit("profile", "High profile", f"{QVGA} ! x264enc tune=zerolatency key-int-max=60 bitrate=500 ! video/x-h264,profile=high ! ivsstagesink", "profile is not"),
    limit("b-frames", "B-frames", f"{QVGA} ! x264enc bframes=2 b-adapt=false speed-preset=ultrafast key-int-max=60 "
          "bitrate=500 ! video/x-h264,profile=main ! ivsstagesink", "has B-frames", 7),
    limit("key-frame-interval", "Ten seconds between key frames", f"{QVGA} ! {X264} key-int-max=300 ! {BASELINE} ! ivsstagesink", "too far apart", 6),
    limit("frame-rate-low", "Five frames a second", f"videotestsrc is-live=true ! video/x-raw,framerate=5/1 ! {X264} "
          f"key-int-max=10 ! {BASELINE} ! ivsstagesink", "too few frames", 9),
    limit("no-video", "An encoder that makes no key frame", f"{QVGA} ! {X264} ! {BASELINE} ! h264parse ! "
          "identity drop-probability=1 ! ivsstagesink", "No video has come", 9),
    limit("audio-channels", "Stereo that the caps call mono", "audiotestsrc is-live=true ! audio/x-raw,channels=2 ! opusenc ! "
          "rtpopuspay ! capssetter join=false caps=application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,"
          "sprop-stereo=(string)0,encoding-params=(string)1 ! ivsstagesink", "stereo, but mono"),
    limit("audio-gaps", "Silence with DTX", "audiotestsrc is-live=true wave=silence ! audio/x-raw,rate=16000,channels=1 ! "
          "opusenc dtx=true bitrate=24000 audio-type=voice ! ivsstagesink", "audio has gaps", 9),
]

NOTICES = [
    limit("no-input", "A pad on which nothing comes", f"{AUDIO} name=stage videotestsrc is-live=true ! valve drop=true ! stage.",
          "No data came", 7),
    limit("second-stream", "Two of a kind", "audiotestsrc is-live=true ! opusenc ! rtpopuspay ! stage.sink_0 "
          "audiotestsrc is-live=true ! opusenc ! rtpopuspay ! stage.sink_1 ivsstagesink name=stage",
          "a second audio stream"),
    limit("renewal-with-old-token", "Renewed, but not the token", VIDEO + " renew-session=true session-limit=10",
          "is renewed with the token", 11),
    refused("no-session-url", "A server that names no session", "no-location"),
]
next(case for case in MEDIA if case.name == "dtls").or_else = (
    r"The stage's media server \S+ is reached, but does not complete the DTLS handshake\.",
    "The media connection to the stage could not be encrypted: The DTLS handshake failed: "
    "Could not read from resource.")
NOTICES[-1].until = "named no session URL"
next(case for case in MEDIA if case.name == "no-local-address").wrap = "loopback"

COMMAND_LINE = [
    Case("too-many-pads", "A third pad: gst-launch-1.0 does not listen yet when the element says why", f"{VIDEO} name=stage audiotestsrc ! stage. videotestsrc ! stage.", own_words=True),
    Case("caps", "A codec that a stage does not take", "fakesrc ! video/x-vp8 ! ivsstagesink", own_words=True),
    Case("property", "A value that does not exist", f"{VIDEO} stage-limits=strict", own_words=True),
    Case("property", "A property that does not exist", f"{VIDEO} bitrate=2500000", own_words=True),
]

CASES = CREDENTIALS + ENDPOINTS + ANSWERS + MEDIA + FLOWING + NOTICES + COMMAND_LINE

# Names of docs/errors.md and docs/reference.md that no pipeline leads to, or not soon.
IN_MONITOR = "looks like the other limits; made with encoders in tests/element/test-monitor.c"
NOT_SHOWN = {
    "offer": "an offer of ours that breaks a rule: no caps are known to lead there",
    "webrtc": "webrtcbin refuses what it should take: nothing is known to lead there",
    "encoder": "encoders are installed and none works: it takes a computer with broken ones",
    "resolution-small": IN_MONITOR,
    "reordering": IN_MONITOR,
    "no-parameter-sets": IN_MONITOR,
    "frame-rate-high": IN_MONITOR,
    "key-frames-too-often": IN_MONITOR,
    "video-bitrate": IN_MONITOR,
    "video-bitrate-peak": IN_MONITOR,
    "video-bitrate-advised": IN_MONITOR,
    "audio-bitrate": IN_MONITOR,
    "audio-sample-rate": IN_MONITOR,
    "no-audio": "as `no-video`",
    "video-stopped": IN_MONITOR,
    "audio-stopped": IN_MONITOR,
    "uplink-narrow": "the uplink has to be narrow; made in tests/stage/test-network.c",
    "no-gcc-element": "only where `rtpgccbwe` is not installed; made in tests/stage/test-network.c",
}
