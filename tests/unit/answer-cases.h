/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Answers as servers write them, whole and mangled, and what is to come of each.
 *
 * The unit test looks at what ivs_answer_new() says of each row; the element test
 * gives what it accepts to a real webrtcbin.
 */
#pragma once

#include "ivs-answer.h"
#include "ivs-error.h"
#include "read-sdp.h"

#include <string.h>

/* Where an edit applies: 0 and 1 are the media sections. */
#define SESSION -1
#define EVERYWHERE -2
#define WHOLE_TEXT -3

typedef struct
{
  gint where;
  const gchar *from; /* lines that begin so; NULL: no line, but the end */
  const gchar *to;   /* replaces the whole line; NULL: the line goes */
} AnswerEdit;

typedef struct
{
  const gchar *name;
  const gchar *base; /* answer-BASE.sdp */
  AnswerEdit edits[8];
  gint failure;      /* an IvsFailureKind, or -1: accepted */
  const gchar *text; /* part of the error, or of one repair; NULL: no repair */
  const gchar *accepted; /* "av", "a" or "v" */
} AnswerCase;

#define OK -1
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16
#define X256 X64 X64 X64 X64

/* clang-format off */
static const AnswerCase answer_cases[] = {
  /* As they come. */
  { "pion", "pion", { { 0 } }, OK, "session-level", "av" },
  { "chromium", "chromium", { { 0 } }, OK, NULL, "av" },
  { "webrtcbin", "webrtcbin", { { 0 } }, OK, "6 unusable candidates left out", "av" },
  { "lf-line-ends", "chromium", { { WHOLE_TEXT, "\r\n", "\n" } }, OK, NULL, "av" },
  { "no-rtcp-mux", "chromium", { { EVERYWHERE, "a=rtcp-mux", NULL } }, OK, NULL, "av" },
  { "rtp-avp", "chromium", { { WHOLE_TEXT, "UDP/TLS/RTP/SAVPF", "RTP/AVP" } }, OK, NULL, "av" },
  { "no-ice-lite", "pion", { { SESSION, "a=ice-lite", NULL } }, OK, "session-level", "av" },
  { "no-fmtp", "chromium", { { EVERYWHERE, "a=fmtp:", NULL } }, OK, NULL, "av" },

  /* Media sections by number, kind, mid and order. */
  { "no-sections", "chromium", { { 0, "m=", "x" }, { 1, "m=", "x" } }, IVS_FAILURE_ANSWER, "has 0 media sections, the offer has 2 (was the answer cut off?)" },
  { "one-section-less", "chromium", { { 1, "", NULL } }, IVS_FAILURE_ANSWER, "has 1 media sections, the offer has 2 (was the answer cut off?)" },
  { "one-section-more", "chromium", { { 1, NULL, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel" } }, IVS_FAILURE_ANSWER, "has 3 media sections, the offer has 2" },
  { "many-sections", "chromium", { { 1, NULL, "m=a 9 x 1\r\nm=a 9 x 1\r\nm=a 9 x 1\r\nm=a 9 x 1\r\nm=a 9 x 1\r\nm=a 9 x 1\r\nm=a 9 x 1" } }, IVS_FAILURE_ANSWER, "has 9 media sections; the offer has at most 2" },
  { "sections-swapped", "chromium", { { 0, "m=audio", "m=video 9 UDP/TLS/RTP/SAVPF 97" }, { 1, "m=video", "m=audio 9 UDP/TLS/RTP/SAVPF 96" }, { 0, "a=mid", "a=mid:video1" }, { 1, "a=mid", "a=mid:audio0" } }, IVS_FAILURE_ANSWER, "another order" },
  { "kinds-swapped", "chromium", { { 0, "m=audio", "m=video 9 UDP/TLS/RTP/SAVPF 97" }, { 1, "m=video", "m=audio 9 UDP/TLS/RTP/SAVPF 96" } }, IVS_FAILURE_ANSWER, "section 1 of the server's answer is video, but audio was offered" },
  { "mids-swapped", "chromium", { { 0, "a=mid", "a=mid:video1" }, { 1, "a=mid", "a=mid:audio0" } }, IVS_FAILURE_ANSWER, "another order" },
  { "mid-wrong", "chromium", { { 1, "a=mid", "a=mid:1" } }, IVS_FAILURE_ANSWER, "has the mid 1, the offer's has video1" },
  { "mid-missing", "chromium", { { 1, "a=mid", NULL } }, OK, "video: mid filled in", "av" },
  { "mids-and-group-missing", "chromium", { { EVERYWHERE, "a=mid", NULL }, { SESSION, "a=group", NULL } }, OK, "audio: mid filled in", "av" },

  /* The bundle. */
  { "group-missing", "chromium", { { SESSION, "a=group", NULL } }, OK, "BUNDLE group added", "av" },
  { "group-missing-one-transport", "chromium", { { SESSION, "a=group", NULL }, { 1, "a=ice-ufrag", NULL }, { 1, "a=ice-pwd", NULL }, { 1, "a=fingerprint", NULL }, { 1, "a=setup", NULL } }, OK, "BUNDLE group added", "av" },
  { "group-missing-two-transports", "chromium", { { SESSION, "a=group", NULL }, { 1, "a=ice-ufrag", "a=ice-ufrag:0ther" } }, IVS_FAILURE_ANSWER, "a connection of its own for video" },
  { "group-of-nobody", "chromium", { { SESSION, "a=group", "a=group:BUNDLE nobody" } }, OK, "BUNDLE group rewritten", "av" },
  { "group-empty", "chromium", { { SESSION, "a=group", "a=group:BUNDLE" } }, OK, "BUNDLE group rewritten", "av" },
  { "group-of-one", "chromium", { { SESSION, "a=group", "a=group:BUNDLE audio0" } }, OK, "BUNDLE group rewritten", "av" },
  { "group-of-three", "chromium", { { SESSION, "a=group", "a=group:BUNDLE audio0 video1 data2" } }, OK, "BUNDLE group rewritten", "av" },
  { "group-video-first", "chromium", { { SESSION, "a=group", "a=group:BUNDLE video1 audio0" } }, OK, "BUNDLE group rewritten", "av" },
  { "bundled-other-transport", "chromium", { { 1, "a=ice-ufrag", "a=ice-ufrag:0ther" } }, OK, "video: transport copied from the audio section", "av" },

  /* Directions. */
  { "no-direction", "chromium", { { EVERYWHERE, "a=recvonly", NULL } }, OK, "video: direction (none) made recvonly", "av" },
  { "sendrecv", "chromium", { { EVERYWHERE, "a=recvonly", "a=sendrecv" } }, OK, "audio: direction sendrecv made recvonly", "av" },
  { "two-directions", "chromium", { { 0, NULL, "a=inactive" } }, OK, NULL, "av" },
  { "sendonly", "chromium", { { 1, "a=recvonly", "a=sendonly" } }, IVS_FAILURE_ANSWER, "does not receive" },
  { "session-level-direction", "chromium", { { EVERYWHERE, "a=recvonly", NULL }, { SESSION, NULL, "a=recvonly" } }, OK, "session-level", "av" },
  { "session-level-direction-overridden", "chromium", { { SESSION, NULL, "a=sendonly" } }, OK, "session-level", "av" },
  { "video-inactive", "chromium", { { 1, "a=recvonly", "a=inactive" } }, OK, "video: refused (inactive)", "a" },
  { "audio-inactive", "chromium", { { 0, "a=recvonly", "a=inactive" } }, OK, "audio: refused (inactive)", "v" },
  { "all-inactive", "chromium", { { EVERYWHERE, "a=recvonly", "a=inactive" } }, IVS_FAILURE_MEDIA_REFUSED, "refuses everything" },

  /* Rejected sections. */
  { "video-port-0", "chromium", { { 1, "m=video", "m=video 0 UDP/TLS/RTP/SAVPF 97" } }, OK, "video: refused (port 0)", "a" },
  { "video-port-0-bare", "chromium", { { 1, "a=", NULL }, { 1, "m=video", "m=video 0 UDP/TLS/RTP/SAVPF 97\r\na=mid:video1" }, { SESSION, "a=group", "a=group:BUNDLE audio0" } }, OK, "video: transport copied from the audio section", "a" },
  { "video-port-0-no-mid", "chromium", { { 1, "a=", NULL }, { 1, "m=video", "m=video 0 UDP/TLS/RTP/SAVPF 0" }, { SESSION, "a=group", "a=group:BUNDLE audio0" } }, OK, "video: mid filled in", "a" },
  { "audio-port-0", "chromium", { { 0, "m=audio", "m=audio 0 UDP/TLS/RTP/SAVPF 96" } }, OK, "audio: refused (port 0)", "v" },
  { "audio-port-0-bare", "chromium", { { 0, "a=", NULL }, { 0, "m=audio", "m=audio 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:audio0" }, { SESSION, "a=group", "a=group:BUNDLE video1" }, { 1, NULL, "a=candidate:1 1 udp 1 192.0.2.1 443 typ host" } }, OK, "audio: refused (port 0)", "v" },
  { "all-port-0", "chromium", { { 0, "m=audio", "m=audio 0 UDP/TLS/RTP/SAVPF 96" }, { 1, "m=video", "m=video 0 UDP/TLS/RTP/SAVPF 97" } }, IVS_FAILURE_MEDIA_REFUSED, "refuses everything" },
  { "video-bundle-only-echoed", "chromium", { { 1, "m=video", "m=video 0 UDP/TLS/RTP/SAVPF 97\r\na=bundle-only" } }, OK, "port 0 with bundle-only taken as accepted", "av" },

  /* Codecs. */
  { "no-rtpmap", "chromium", { { EVERYWHERE, "a=rtpmap", NULL } }, OK, NULL, "av" },
  { "other-payload-type", "chromium", { { 1, "m=video", "m=video 9 UDP/TLS/RTP/SAVPF 120" }, { 1, "a=rtpmap:97", "a=rtpmap:120 H264/90000" } }, OK, "video: payload type 120 named instead of 97", "av" },
  { "other-codec", "chromium", { { 1, "m=video", "m=video 9 UDP/TLS/RTP/SAVPF 120" }, { 1, "a=rtpmap:97", "a=rtpmap:120 VP8/90000" } }, OK, "video: refused (none of the offered formats)", "a" },
  { "other-codec-same-type", "chromium", { { 1, "a=rtpmap:97", "a=rtpmap:97 VP8/90000" } }, OK, "video: refused (none of the offered formats)", "a" },
  { "rtpmap-cut", "chromium", { { 1, "a=rtpmap:97", "a=rtpmap:97" } }, OK, NULL, "av" },
  { "other-codec-of-like-name", "chromium", { { 1, "a=rtpmap:97", "a=rtpmap:97 H264-SVC/90000" } }, OK, "video: refused (none of the offered formats)", "a" },
  { "opus-in-capitals", "chromium", { { 0, "a=rtpmap:96", "a=rtpmap:96 OPUS/48000/2" } }, OK, NULL, "av" },

  /* The transport. */
  { "transport-in-first-only", "chromium", { { 1, "a=ice-", NULL }, { 1, "a=fingerprint", NULL }, { 1, "a=setup", NULL } }, OK, "video: transport copied from the audio section", "av" },
  { "session-level-ice", "chromium", { { EVERYWHERE, "a=ice-", NULL }, { SESSION, NULL, "a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g6a" } }, OK, "session-level", "av" },
  { "session-level-setup", "chromium", { { EVERYWHERE, "a=setup", NULL }, { SESSION, NULL, "a=setup:active" } }, OK, "session-level", "av" },
  { "session-level-candidates", "chromium", { { EVERYWHERE, "a=candidate", NULL }, { SESSION, NULL, "a=candidate:1 1 udp 1 192.0.2.1 443 typ host" } }, OK, "session-level", "av" },
  { "no-ufrag", "chromium", { { EVERYWHERE, "a=ice-ufrag", NULL } }, IVS_FAILURE_ANSWER, "no usable ice-ufrag" },
  { "empty-ufrag", "chromium", { { EVERYWHERE, "a=ice-ufrag", "a=ice-ufrag:" } }, IVS_FAILURE_ANSWER, "no usable ice-ufrag" },
  { "longest-ufrag", "chromium", { { EVERYWHERE, "a=ice-ufrag", "a=ice-ufrag:" X256 } }, OK, NULL, "av" },
  { "too-long-ufrag", "chromium", { { EVERYWHERE, "a=ice-ufrag", "a=ice-ufrag:x" X256 } }, IVS_FAILURE_ANSWER, "no usable ice-ufrag" },
  { "no-pwd", "chromium", { { EVERYWHERE, "a=ice-pwd", NULL } }, IVS_FAILURE_ANSWER, "no usable ice-pwd" },
  { "no-setup", "chromium", { { EVERYWHERE, "a=setup", NULL } }, OK, "setup (none) made passive", "av" },
  { "setup-actpass", "chromium", { { EVERYWHERE, "a=setup", "a=setup:actpass" } }, OK, "setup actpass made passive", "av" },
  { "setup-passive", "chromium", { { EVERYWHERE, "a=setup", "a=setup:passive" } }, OK, NULL, "av" },
  { "setup-holdconn", "chromium", { { EVERYWHERE, "a=setup", "a=setup:holdconn" } }, IVS_FAILURE_ANSWER, "no DTLS connection" },

  /* Fingerprints. */
  { "no-fingerprint", "chromium", { { EVERYWHERE, "a=fingerprint", NULL } }, IVS_FAILURE_ANSWER, "told from an impostor" },
  { "fingerprint-cut", "chromium", { { EVERYWHERE, "a=fingerprint", "a=fingerprint:sha-256 D2:FA:0E" } }, IVS_FAILURE_ANSWER, "that can be verified" },
  { "fingerprint-not-hex", "chromium", { { EVERYWHERE, "a=fingerprint", "a=fingerprint:sha-256 G2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F" } }, IVS_FAILURE_ANSWER, "that can be verified" },
  { "sha-512-label", "chromium", { { EVERYWHERE, "a=fingerprint", "a=fingerprint:sha-512 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F" } }, IVS_FAILURE_ANSWER, "that can be verified" },
  { "sha-1", "chromium", { { EVERYWHERE, "a=fingerprint", "a=fingerprint:sha-1 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0" } }, IVS_FAILURE_ANSWER, "that can be verified" },
  { "sha-1-beside-sha-256", "chromium", { { 0, "a=setup", "a=setup:active\r\na=fingerprint:sha-1 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0" } }, OK, "video: transport copied", "av" },
  { "fingerprint-in-small-letters", "chromium", { { EVERYWHERE, "a=fingerprint", "a=fingerprint:SHA-256 d2:fa:0e:c3:22:59:5e:14:95:69:92:3d:13:b4:84:24:2c:c2:a2:c0:3e:fd:34:8e:5e:ea:6f:af:52:ce:e6:0f" } }, OK, NULL, "av" },

  /* Candidates. */
  { "no-candidates", "pion", { { EVERYWHERE, "a=candidate", NULL } }, IVS_FAILURE_ANSWER, "no candidate" },
  { "no-candidates-but-trickle", "chromium", { { EVERYWHERE, "a=candidate", NULL } }, IVS_FAILURE_ANSWER, "none can follow" },
  { "candidates-in-second-section", "chromium", { { 0, "a=candidate", NULL }, { 1, NULL, "a=candidate:1 1 UDP 1 192.0.2.1 443 typ host" } }, OK, "candidates moved from the video section to the first", "av" },
  { "candidates-tcp", "pion", { { 0, "a=candidate", "a=candidate:1 1 tcp 1 192.0.2.1 443 typ host tcptype passive" } }, IVS_FAILURE_ANSWER, "1 are not UDP, 0 host names, 0 malformed" },
  { "candidates-mdns", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 2c1f.local 443 typ host" } }, IVS_FAILURE_ANSWER, "0 are not UDP, 1 host names, 0 malformed" },
  { "candidates-host-name", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 media.example.com 443 typ host" } }, IVS_FAILURE_ANSWER, "0 are not UDP, 1 host names, 0 malformed" },
  { "candidates-port-99999", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 192.0.2.1 99999 typ host" } }, IVS_FAILURE_ANSWER, "0 are not UDP, 0 host names, 1 malformed" },
  { "candidates-port-0", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 192.0.2.1 0 typ host" } }, IVS_FAILURE_ANSWER, "1 malformed" },
  { "candidates-component-2", "pion", { { 0, "a=candidate", "a=candidate:1 2 udp 1 192.0.2.1 443 typ host" } }, IVS_FAILURE_ANSWER, "1 malformed" },
  { "candidates-cut", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 192.0.2.1" } }, IVS_FAILURE_ANSWER, "1 malformed" },
  { "candidates-unspecified", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 0.0.0.0 443 typ host" } }, IVS_FAILURE_ANSWER, "1 malformed" },
  { "candidates-unspecified-v6", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 :: 443 typ host" } }, IVS_FAILURE_ANSWER, "1 malformed" },
  { "candidates-of-no-type", "pion", { { 0, "a=candidate", "a=candidate:1 1 udp 1 192.0.2.1 443 typ x" } }, IVS_FAILURE_ANSWER, "1 malformed" },
  { "candidates-good-among-bad", "chromium", { { 0, NULL, "a=candidate:1 1 udp 1 x.local 443 typ host\r\na=candidate:nonsense" } }, OK, "2 unusable candidates left out", "av" },
  { "candidates-v6", "chromium", { { 0, "a=candidate", "a=candidate:1 1 udp 1 2001:db8::1 443 typ host" } }, OK, NULL, "av" },
};
/* clang-format on */

static inline gboolean
edit_applies (const AnswerEdit *edit, const gchar *line, gint section)
{
  return edit->from != NULL && edit->where != WHOLE_TEXT &&
      (edit->where == section || edit->where == EVERYWHERE) &&
      g_str_has_prefix (line, edit->from);
}

/* Appends @line or what the edits make of it. */
static inline void
append_edited (GString *text, const AnswerCase *row, const gchar *line,
    gint section)
{
  for (guint i = 0; i < G_N_ELEMENTS (row->edits); i++) {
    if (!edit_applies (&row->edits[i], line, section))
      continue;
    if (row->edits[i].to != NULL)
      g_string_append_printf (text, "%s\r\n", row->edits[i].to);
    return;
  }

  g_string_append_printf (text, "%s\r\n", line);
}

static inline void
append_additions (GString *text, const AnswerCase *row, gint section)
{
  for (guint i = 0; i < G_N_ELEMENTS (row->edits); i++) {
    const AnswerEdit *edit = &row->edits[i];

    if (edit->from == NULL && edit->to != NULL && edit->where == section)
      g_string_append_printf (text, "%s\r\n", edit->to);
  }
}

static inline gchar *
make_answer (const AnswerCase *row)
{
  g_autofree gchar *name = g_strdup_printf ("answer-%s", row->base);
  g_autofree gchar *base = read_sdp (name);
  g_auto (GStrv) lines = g_strsplit (base, "\r\n", -1);
  GString *text = g_string_new (NULL);
  gint section = SESSION;

  for (guint i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++) {
    if (g_str_has_prefix (lines[i], "m=")) {
      append_additions (text, row, section);
      section++;
    }
    append_edited (text, row, lines[i], section);
  }
  append_additions (text, row, section);

  for (guint i = 0; i < G_N_ELEMENTS (row->edits); i++) {
    if (row->edits[i].where == WHOLE_TEXT && row->edits[i].from != NULL)
      g_string_replace (text, row->edits[i].from, row->edits[i].to, 0);
  }

  return g_string_free (text, FALSE);
}
