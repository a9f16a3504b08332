/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Offers: the rules of a stage, the posted text, and what a log shows of it.
 *
 * The offers in data/ were made by webrtcbin 1.22: two real streams, audio with a
 * dummy video transceiver, and video alone.
 */
#include "ivs-error.h"
#include "ivs-offer.h"
#include "ivs-section.h"
#include "read-sdp.h"
#include "test-table.h"

#include <string.h>

static GstSDPMessage *
parse (const gchar *text)
{
  GstSDPMessage *sdp;

  g_assert_cmpint (gst_sdp_message_new_from_text (text, &sdp), ==, GST_SDP_OK);

  return sdp;
}

static guint
count (const gchar *text, const gchar *part)
{
  guint n = 0;

  for (const gchar *c = strstr (text, part); c != NULL;
       c = strstr (c + 1, part))
    n++;

  return n;
}

/* -- The rules ----------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *base;
  const gchar *from, *to; /* every @from of the text becomes @to */
  gboolean audio, video;  /* what is wished */
  const gchar *rule;      /* part of the error; NULL: taken */
  gboolean no_retransmission;
} RuleCase;

#define TWCC "a=extmap:1 " IVS_TWCC_EXT_URI "\r\n"

/* clang-format off */
static const RuleCase rule_cases[] = {
  { "audio-video", "offer-audio-video", NULL, NULL, TRUE, TRUE, NULL },
  { "audio-dummy", "offer-audio-dummy", NULL, NULL, TRUE, TRUE, NULL },
  { "video", "offer-video", NULL, NULL, FALSE, TRUE, NULL },
  { "nothing-wished", "offer-video", NULL, NULL, FALSE, FALSE, "neither audio nor video" },
  { "video-missing", "offer-video", NULL, NULL, TRUE, TRUE, "has 1 media sections instead of 2 (a stage requires an H.264 video section)" },
  { "audio-not-wished", "offer-audio-video", NULL, NULL, FALSE, TRUE, "has 2 media sections instead of 1" },
  { "audio-instead-of-video", "offer-video", "m=video", "m=audio", FALSE, TRUE, "section 1 is not video" },
  { "video-first", "offer-audio-video", "m=audio", "m=video", TRUE, TRUE, "section 1 is not audio (audio goes first)" },
  { "second-not-video", "offer-audio-video", "m=video", "m=audio", TRUE, TRUE, "section 2 is not video" },
  { "no-group", "offer-audio-video", "a=group:BUNDLE audio0 video1\r\n", "", TRUE, TRUE, "no BUNDLE group" },
  { "other-group", "offer-audio-video", "a=group:BUNDLE", "a=group:LS", TRUE, TRUE, "no BUNDLE group" },
  { "group-incomplete", "offer-audio-video", "BUNDLE audio0 video1", "BUNDLE audio0", TRUE, TRUE, "video section is not in the BUNDLE group" },
  { "no-mid", "offer-audio-video", "a=mid:video1\r\n", "", TRUE, TRUE, "video section has no mid" },
  { "sendrecv", "offer-audio-video", "a=sendonly", "a=sendrecv", TRUE, TRUE, "audio section is not sendonly" },
  { "no-direction", "offer-audio-video", "a=sendonly\r\n", "", TRUE, TRUE, "audio section is not sendonly" },
  { "rtx-collides", "offer-audio-video", "SAVPF 97 98", "SAVPF 97 96", TRUE, TRUE, "payload type 96 stands for two streams" },
  { "same-payload-type", "offer-audio-video", "SAVPF 97 98", "SAVPF 96", TRUE, TRUE, "payload type 96 stands for two streams" },
  { "malformed-payload-type", "offer-audio-video", "SAVPF 97 98", "SAVPF 97 128", TRUE, TRUE, "malformed payload type" },
  { "audio-payload-type", "offer-audio-video", "SAVPF 96", "SAVPF 111", TRUE, TRUE, "no payload type 96" },
  { "video-payload-type", "offer-audio-video", "SAVPF 97", "SAVPF 102", TRUE, TRUE, "no payload type 97" },
  { "no-opus", "offer-audio-video", "OPUS/48000/2", "PCMU/8000", TRUE, TRUE, "no rtpmap 96 opus/48000/2" },
  { "no-h264", "offer-audio-dummy", "H264/90000", "VP8/90000", TRUE, TRUE, "no rtpmap 97 H264/90000" },
  { "no-h264-rtpmap", "offer-audio-dummy", "a=rtpmap:97 H264/90000\r\n", "", TRUE, TRUE, "no rtpmap 97 H264/90000" },
  { "no-ufrag", "offer-audio-video", "a=ice-ufrag", "a=x", TRUE, TRUE, "no ice-ufrag" },
  { "no-pwd", "offer-audio-video", "a=ice-pwd", "a=x", TRUE, TRUE, "no ice-pwd" },
  { "no-fingerprint", "offer-audio-video", "a=fingerprint", "a=x", TRUE, TRUE, "no fingerprint" },
  { "setup-active", "offer-audio-video", "a=setup:actpass", "a=setup:active", TRUE, TRUE, "has not setup:actpass" },
  { "no-rtcp-mux", "offer-audio-video", "a=rtcp-mux\r\n", "", TRUE, TRUE, "no rtcp-mux" },
  { "no-twcc", "offer-audio-video", TWCC, "", TRUE, TRUE, "no transport-wide sequence number (extmap 1)" },
  { "twcc-other-id", "offer-audio-video", "a=extmap:1 ", "a=extmap:4 ", TRUE, TRUE, "no transport-wide sequence number (extmap 1)" },
  { "no-nack", "offer-audio-video", "a=rtcp-fb:97 nack\r\n", "", TRUE, TRUE, "no rtcp-fb nack" },
  { "no-nack-wished", "offer-audio-video", "a=rtcp-fb:97 nack\r\n", "", TRUE, TRUE, NULL, TRUE },
  { "no-pli", "offer-audio-video", "a=rtcp-fb:97 nack pli\r\n", "", TRUE, TRUE, "no rtcp-fb nack pli" },
  { "no-fir", "offer-audio-video", "a=rtcp-fb:97 ccm fir\r\n", "", TRUE, TRUE, "no rtcp-fb ccm fir" },
  { "audio-nack", "offer-audio-video", "a=rtcp-fb:96 transport-cc", "a=rtcp-fb:96 nack", TRUE, TRUE, "audio section has rtcp-fb nack" },
  { "audio-rtx", "offer-audio-video", "SAVPF 96\r\n", "SAVPF 96 99\r\na=rtpmap:99 rtx/48000\r\n", TRUE, TRUE, "audio section has retransmission" },
};
/* clang-format on */

static void
rule_applied (gconstpointer data)
{
  const RuleCase *row = data;
  const IvsOfferWish wish = { row->audio, row->video, 2, 64000,
    !row->no_retransmission };
  g_autofree gchar *base = read_sdp (row->base);
  g_autoptr (GString) text = g_string_new (base);
  g_autoptr (GstSDPMessage) offer = NULL;
  g_autofree gchar *posted = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) post_error = NULL;

  if (row->from != NULL)
    g_assert_cmpuint (g_string_replace (text, row->from, row->to, 0), >, 0);
  offer = parse (text->str);
  posted = ivs_offer_to_posted_text (offer, &wish, &post_error);

  if (row->rule == NULL) {
    g_assert_true (ivs_offer_check (offer, &wish, &error));
    g_assert_no_error (error);
    g_assert_nonnull (posted);
    return;
  }

  g_assert_false (ivs_offer_check (offer, &wish, &error));
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_OFFER);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, row->rule));
  g_assert_null (posted);
  g_assert_cmpstr (post_error->message, ==, error->message);
}

/* -- The posted text ------------------------------------------------------------ */

static gchar *
post (const gchar *name, const IvsOfferWish *wish)
{
  g_autofree gchar *text = read_sdp (name);
  g_autoptr (GstSDPMessage) offer = parse (text);
  g_autoptr (GError) error = NULL;
  gchar *posted = ivs_offer_to_posted_text (offer, wish, &error);
  g_autofree gchar *after = gst_sdp_message_as_text (offer);

  g_assert_no_error (error);
  /* webrtcbin's own description stays as it is. */
  g_assert_cmpstr (after, ==, text);

  return posted;
}

static void
posted_text_describes_codecs (void)
{
  const IvsOfferWish stereo = { TRUE, TRUE, 2, 128000 };
  const IvsOfferWish mono = { TRUE, TRUE, 1, 0 };
  g_autofree gchar *a = post ("offer-audio-video", &stereo);
  g_autofree gchar *b = post ("offer-audio-dummy", &mono);

  g_assert_nonnull (strstr (a,
      "\r\na=fmtp:96 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;"
      "maxaveragebitrate=128000\r\n"));
  g_assert_nonnull (strstr (b, "\r\na=fmtp:96 minptime=10;useinbandfec=1\r\n"));
  g_assert_nonnull (strstr (a, "\r\na=rtpmap:96 opus/48000/2\r\n"));
  g_assert_nonnull (strstr (a, "\r\na=fmtp:98 apt=97\r\n"));
  /* Each line where its predecessor was: a type is named before it is used. */
  g_assert_true (strstr (a, "a=rtpmap:96") < strstr (a, "a=rtcp-fb:96"));
  g_assert_true (strstr (a, "a=fmtp:97") < strstr (a, "a=rtpmap:98"));

  g_assert_cmpuint (count (a, "a=fmtp:97 "), ==, 1);
  g_assert_nonnull (strstr (a,
      "\r\na=fmtp:97 packetization-mode=1;level-asymmetry-allowed=1;"
      "profile-level-id=42e01f\r\n"));
  g_assert_nonnull (strstr (b, ";profile-level-id=42e01f\r\n"));
}

/* A mono stream's rtpmap, or a description without fmtp, still ends the same. */
static void
posted_text_completes_codecs (void)
{
  const IvsOfferWish wish = { TRUE, TRUE, 1, 0 };
  g_autofree gchar *base = read_sdp ("offer-audio-dummy");
  g_autoptr (GString) text = g_string_new (base);
  g_autoptr (GstSDPMessage) offer = NULL;
  g_autofree gchar *posted = NULL;

  g_string_replace (text, "OPUS/48000/2", "OPUS/48000", 0);
  g_string_replace (text, "a=fmtp:9", "a=x:", 0);
  g_string_replace (text, "a=rtcp-mux-only\r\n", "", 0);
  offer = parse (text->str);
  posted = ivs_offer_to_posted_text (offer, &wish, NULL);

  g_assert_nonnull (strstr (posted, "\r\na=rtpmap:96 opus/48000/2\r\n"));
  g_assert_nonnull (strstr (posted, "\r\na=fmtp:96 minptime=10"));
  g_assert_nonnull (strstr (posted, "\r\na=fmtp:97 packetization-mode=1"));
  g_assert_cmpuint (count (posted, "\r\na=rtcp-mux-only\r\n"), ==, 2);
}

/* RFC 9725 §4.4.2 */
static void
posted_text_has_one_stream (void)
{
  const IvsOfferWish wish = { TRUE, TRUE, 2, 0 };
  g_autofree gchar *text = post ("offer-audio-video", &wish);

  g_assert_cmpuint (count (text,
                        "\r\na=msid:ivs-2166052602205396524 ivs-audio\r\n"),
      ==, 1);
  g_assert_cmpuint (count (text,
                        "\r\na=msid:ivs-2166052602205396524 ivs-video\r\n"),
      ==, 1);
  g_assert_cmpuint (count (text, "a=msid:"), ==, 2);
  /* The older form says the same: audio, video and its retransmission. */
  g_assert_cmpuint (count (text, " msid:"), ==, 3);
  g_assert_nonnull (strstr (text,
      "\r\na=ssrc:7654321 msid:ivs-2166052602205396524 ivs-video\r\n"));
  g_assert_cmpuint (count (text, " msid:ivs-2166052602205396524 ivs-"), ==, 3);
  g_assert_cmpuint (count (text, " cname:"), ==, 3);
}

/* Whatever was gathered by now is left out; nothing claims that this is all. */
static void
posted_text_has_no_candidates (void)
{
  const IvsOfferWish wish = { TRUE, TRUE, 2, 0 };
  g_autofree gchar *base = read_sdp ("offer-audio-video");
  g_autoptr (GString) text = g_string_new (base);
  g_autoptr (GstSDPMessage) offer = NULL;
  g_autofree gchar *posted = NULL;

  g_string_replace (text, "a=mid:",
      "a=candidate:1 1 UDP 2015363327 192.0.2.2 55857 typ host\r\n"
      "a=candidate:2 1 UDP 2015363583 fd00::2 52580 typ host\r\n"
      "a=end-of-candidates\r\na=mid:",
      0);
  offer = parse (text->str);
  posted = ivs_offer_to_posted_text (offer, &wish, NULL);

  g_assert_null (strstr (posted, "a=candidate"));
  g_assert_null (strstr (posted, "a=end-of-candidates"));
  g_assert_nonnull (strstr (posted, "\r\na=ice-options:trickle\r\n"));
}

/* RFC 8866 §5: each line "x=...", ended by CRLF; within the session and within a
 * section the types come in a fixed order. */
static void
assert_line_order (const gchar *text)
{
  static const gchar order[] = "vosiuepcbtrzka";
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  const gchar *at = order;

  g_assert_true (g_str_has_suffix (text, "\r\n"));
  for (guint i = 0; lines[i + 1] != NULL; i++) {
    g_assert_cmpint (lines[i][1], ==, '=');
    g_assert_null (strchr (lines[i], '\n'));
    g_assert_null (strchr (lines[i], '\r'));
    if (lines[i][0] == 'm') {
      at = order;
      continue;
    }
    g_assert_nonnull (strchr (at, lines[i][0]));
    at = strchr (at, lines[i][0]);
  }
}

static void
posted_text_is_valid (void)
{
  static const struct
  {
    const gchar *name;
    IvsOfferWish wish;
  } offers[] = {
    { "offer-audio-video", { TRUE, TRUE, 2, 64000 } },
    { "offer-audio-dummy", { TRUE, TRUE, 1, 0 } },
    { "offer-video", { FALSE, TRUE, 0, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (offers); i++) {
    g_autofree gchar *text = post (offers[i].name, &offers[i].wish);
    g_autoptr (GstSDPMessage) posted = parse (text);
    g_autofree gchar *again = gst_sdp_message_as_text (posted);
    g_autoptr (GError) error = NULL;

    assert_line_order (text);
    g_assert_cmpstr (again, ==, text);
    /* What is posted obeys the rules itself. */
    ivs_offer_check (posted, &offers[i].wish, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (count (text, "\r\na=rtcp-mux-only\r\n"), ==,
        gst_sdp_message_medias_len (posted));
  }
}

/* -- Facts ---------------------------------------------------------------------- */

static void
facts_are_told (void)
{
  g_autofree gchar *both = read_sdp ("offer-audio-dummy");
  g_autofree gchar *video = read_sdp ("offer-video");
  g_autoptr (GString) other = g_string_new (both);
  g_autoptr (GstSDPMessage) both_sdp = parse (both);
  g_autoptr (GstSDPMessage) video_sdp = parse (video);
  g_autoptr (GstSDPMessage) other_sdp = NULL;
  IvsOfferFacts facts;

  ivs_offer_get_facts (both_sdp, &facts);
  g_assert_true (facts.has_audio && facts.has_video);
  g_assert_true (facts.has_opus && facts.has_h264);

  ivs_offer_get_facts (video_sdp, &facts);
  g_assert_true (facts.has_video && facts.has_h264);
  g_assert_false (facts.has_audio || facts.has_opus);

  g_string_replace (other, "H264/", "VP8/", 0);
  other_sdp = parse (other->str);
  ivs_offer_get_facts (other_sdp, &facts);
  g_assert_true (facts.has_video && facts.has_opus);
  g_assert_false (facts.has_h264);
}

/* -- Redaction ------------------------------------------------------------------ */

typedef struct
{
  const gchar *name;
  const gchar *text;
  const gchar *expected;
} RedactCase;

/* clang-format off */
static const RedactCase redact_cases[] = {
  { "empty", "", "" },
  { "nothing", "v=0\r\na=mid:0\r\n", "v=0\r\na=mid:0\r\n" },
  { "crlf", "v=0\r\na=ice-ufrag:AbCd\r\na=ice-pwd:SeCrEt/+=\r\na=mid:0\r\n", "v=0\r\na=ice-ufrag:***\r\na=ice-pwd:***\r\na=mid:0\r\n" },
  { "lf", "a=ice-ufrag:AbCd\na=ice-pwd:SeCrEt\na=mid:0\n", "a=ice-ufrag:***\na=ice-pwd:***\na=mid:0\n" },
  { "cut", "v=0\r\na=ice-pwd:SeC", "v=0\r\na=ice-pwd:***" },
  { "cut-before-value", "a=ice-pwd:", "a=ice-pwd:***" },
  { "cut-in-name", "a=ice-pw", "a=ice-pw" },
  { "other-case-and-spaces", "A=ICE-PWD : SeC rEt\n", "A=ICE-PWD :***\n" },
  { "json", "{\"sdp\":\"a=ice-pwd:SeCrEt\\r\\na=mid:0\"}\n", "{\"sdp\":\"a=ice-pwd:***\n" },
  { "candidate", "a=candidate:1 1 udp 1 192.0.2.1 1 typ host ufrag AbCd network-id 1\r\n", "a=candidate:1 1 udp 1 192.0.2.1 1 typ host ufrag *** network-id 1\r\n" },
  { "any-bytes", "\xff\xfe\na=ice-pwd:\xe9\x01\xff\n\x80", "\xff\xfe\na=ice-pwd:***\n\x80" },
};
/* clang-format on */

static void
text_redacted (gconstpointer data)
{
  const RedactCase *row = data;
  g_autofree gchar *redacted = ivs_sdp_redact (row->text);

  g_assert_cmpstr (redacted, ==, row->expected);
}

static void
offer_redacted (void)
{
  const IvsOfferWish wish = { TRUE, TRUE, 2, 64000 };
  g_autofree gchar *text = post ("offer-audio-video", &wish);
  g_autofree gchar *redacted = ivs_sdp_redact (text);

  g_assert_nonnull (strstr (text, "28ddDMh1Rx7a7rHbUAZIbXJ2Ia5X/AHT"));
  g_assert_null (strstr (redacted, "28ddDMh1Rx7a7rHbUAZIbXJ2Ia5X/AHT"));
  g_assert_null (strstr (redacted, "XCN1xrA3GsnXfKYqgm+plS+H/Ty/MJJR"));
  g_assert_cmpuint (count (redacted, "***"), ==, 4);
}

static void
huge_line_redacted (void)
{
  g_autofree gchar *value = g_strnfill (4 * 1024 * 1024, 'x');
  g_autofree gchar *text = g_strconcat ("a=ice-pwd:", value, "\nend", NULL);
  g_autofree gchar *redacted = ivs_sdp_redact (text);

  g_assert_cmpstr (redacted, ==, "a=ice-pwd:***\nend");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/offer/rule/", rule_cases, rule_applied);
  ADD_ROWS ("/offer/redact/", redact_cases, text_redacted);
  g_test_add_func ("/offer/posted/describes-codecs",
      posted_text_describes_codecs);
  g_test_add_func ("/offer/posted/completes-codecs",
      posted_text_completes_codecs);
  g_test_add_func ("/offer/posted/has-one-stream", posted_text_has_one_stream);
  g_test_add_func ("/offer/posted/has-no-candidates",
      posted_text_has_no_candidates);
  g_test_add_func ("/offer/posted/is-valid", posted_text_is_valid);
  g_test_add_func ("/offer/facts", facts_are_told);
  g_test_add_func ("/offer/redact/offer", offer_redacted);
  g_test_add_func ("/offer/redact/huge-line", huge_line_redacted);

  return g_test_run ();
}
