/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The offer: is it what a stage needs, and the text that is posted.
 *
 * webrtcbin makes the offer from caps, and when a caps field is missing it makes
 * a quietly different one: no video section, two streams of one payload type. A
 * stage answers that with 400 and a number. So the offer is judged here first,
 * and the sentence names the rule that it breaks.
 */
#include "ivs-offer.h"
#include "ivs-section.h"
#include "ivs-error.h"

#include <string.h>

/* RFC 7587 §7: always 48000 and 2, whatever the stream is. Lower case as the
 * registered name and as browsers write it; names are case-insensitive (RFC 4855
 * §3), but not every server knows. */
#define OPUS_RTPMAP "opus/48000/2"
#define H264_RTPMAP "H264/90000"
/* The three parameters of every H.264 offer to a stage; the profile that the
 * stage documents stands here whatever the encoder says, because a video pad may
 * still come, change or be replaced, and the stream's own SPS is in band. */
#define H264_FMTP \
  "packetization-mode=1;level-asymmetry-allowed=1;" \
  "profile-level-id=" IVS_PROFILE_LEVEL_ID

static gboolean
    G_GNUC_PRINTF (2, 3) refuse (GError **error, const gchar *format, ...)
{
  g_autofree gchar *rule = NULL;
  va_list args;

  va_start (args, format);
  rule = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, IVS_ERROR, IVS_FAILURE_OFFER,
      "The offer is not what a stage takes: %s", rule);

  return FALSE;
}

/* -- The rules -------------------------------------------------------------- */

static gboolean
check_sections (const GstSDPMessage *offer, const IvsOfferWish *wish,
    GError **error)
{
  const gchar *wanted[2];
  guint n_wanted = 0;

  if (wish->audio)
    wanted[n_wanted++] = "audio";
  if (wish->video)
    wanted[n_wanted++] = "video";

  if (n_wanted == 0)
    return refuse (error, "neither audio nor video is wished");

  if (gst_sdp_message_medias_len (offer) != n_wanted)
    return refuse (error, "it has %u media sections instead of %u%s",
        gst_sdp_message_medias_len (offer), n_wanted,
        wish->video ? " (a stage requires an H.264 video section)" : "");

  for (guint i = 0; i < n_wanted; i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (offer, i);

    if (!g_str_equal (ivs_section_get_kind (section), wanted[i]))
      return refuse (error, "media section %u is not %s (audio goes first)",
          i + 1, wanted[i]);
  }

  return TRUE;
}

/* One BUNDLE group with every section in it (RFC 9725 §4.4.1). */
static gboolean
check_bundle (const GstSDPMessage *offer, GError **error)
{
  const gchar *group = gst_sdp_message_get_attribute_val (offer, "group");
  g_auto (GStrv) mids = g_strsplit (group != NULL ? group : "", " ", -1);

  if (g_strcmp0 (mids[0], "BUNDLE") != 0)
    return refuse (error, "it has no BUNDLE group");

  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (offer, i);
    const gchar *mid = ivs_section_get (section, "mid");

    if (mid == NULL)
      return refuse (error, "the %s section has no mid",
          ivs_section_get_kind (section));
    if (!g_strv_contains ((const gchar *const *) mids + 1, mid))
      return refuse (error, "the %s section is not in the BUNDLE group",
          ivs_section_get_kind (section));
  }

  return TRUE;
}

/* RFC 9143 §9.1.1: in a bundle a payload type has one meaning. webrtcbin does
 * not see to it: it once gave RTX the number of the audio stream. */
static gboolean
check_payload_types (const GstSDPMessage *offer, GError **error)
{
  gboolean seen[128] = { FALSE };

  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (offer, i);

    for (guint j = 0; j < gst_sdp_media_formats_len (section); j++) {
      const gchar *format = gst_sdp_media_get_format (section, j);
      guint64 type;

      if (!g_ascii_string_to_unsigned (format, 10, 0, 127, &type, NULL))
        return refuse (error, "the %s section has a malformed payload type",
            ivs_section_get_kind (section));
      if (seen[type])
        return refuse (error,
            "payload type %u stands for two streams of the bundle",
            (guint) type);
      seen[type] = TRUE;
    }
  }

  return TRUE;
}

/* What every section needs for its transport, and its direction. */
static gboolean
check_transport (const GstSDPMedia *section, GError **error)
{
  static const gchar *const needed[] = { "ice-ufrag", "ice-pwd", "fingerprint",
    NULL };
  const gchar *kind = ivs_section_get_kind (section);

  for (guint i = 0; needed[i] != NULL; i++) {
    if (ivs_section_get (section, needed[i]) == NULL)
      return refuse (error, "the %s section has no %s", kind, needed[i]);
  }

  /* RFC 8842 §5.2: an offer leaves the DTLS role to the answerer. */
  if (g_strcmp0 (ivs_section_get (section, "setup"), "actpass") != 0)
    return refuse (error, "the %s section has not setup:actpass", kind);
  if (!ivs_section_has (section, "rtcp-mux"))
    return refuse (error, "the %s section has no rtcp-mux", kind);
  if (g_strcmp0 (ivs_section_get_direction (section), "sendonly") != 0)
    return refuse (error, "the %s section is not sendonly", kind);
  if (!ivs_section_has_value (section, "extmap",
          G_STRINGIFY (IVS_TWCC_EXT_ID) " " IVS_TWCC_EXT_URI))
    return refuse (error,
        "the %s section has no transport-wide sequence number (extmap %d)",
        kind, IVS_TWCC_EXT_ID);

  return TRUE;
}

static gboolean
check_codec (const GstSDPMedia *section, guint payload_type,
    const gchar *rtpmap, const gchar *codec, GError **error)
{
  const gchar *kind = ivs_section_get_kind (section);
  const gchar *found = ivs_section_get_rtpmap (section, payload_type);

  if (!ivs_section_has_format (section, payload_type))
    return refuse (error, "the %s section has no payload type %u", kind,
        payload_type);
  if (found == NULL || !ivs_rtpmap_is (found, codec))
    return refuse (error, "the %s section has no rtpmap %u %s", kind,
        payload_type, rtpmap);

  return TRUE;
}

static gboolean
check_audio (const GstSDPMedia *section, GError **error)
{
  if (!check_codec (section, IVS_AUDIO_PT, OPUS_RTPMAP, "opus", error))
    return FALSE;

  /* libwebrtc refuses a whole offer whose audio section has RTX at 48000. */
  if (ivs_section_find_codec (section, "rtx") >= 0)
    return refuse (error, "the audio section has retransmission (rtx)");
  if (ivs_section_has_for (section, "rtcp-fb", IVS_AUDIO_PT, "nack"))
    return refuse (error, "the audio section has rtcp-fb nack");

  return TRUE;
}

static gboolean
check_video (const GstSDPMedia *section, const IvsOfferWish *wish,
    GError **error)
{
  static const gchar *const feedback[] = { "nack", "nack pli", "ccm fir",
    NULL };

  if (!check_codec (section, IVS_VIDEO_PT, H264_RTPMAP, "H264", error))
    return FALSE;

  /* Plain nack, the first, asks for retransmission: that may be switched off. */
  for (guint i = wish->retransmission ? 0 : 1; feedback[i] != NULL; i++) {
    if (!ivs_section_has_for (section, "rtcp-fb", IVS_VIDEO_PT, feedback[i]))
      return refuse (error, "the video section has no rtcp-fb %s", feedback[i]);
  }

  return TRUE;
}

/**
 * ivs_offer_check:
 * @offer: an offer of webrtcbin, or the posted text parsed again
 * @wish: what it must contain
 *
 * Judges whether a stage can take @offer. The rules are those of a stage (AWS,
 * "IVS Real-Time Streaming, WHIP publishing": an H.264 video section even for
 * audio alone) and of RFC 9725 §4.4; the first that is broken is the error.
 *
 * Returns: %FALSE with @error set (IVS_FAILURE_OFFER) if a rule is broken.
 */
gboolean
ivs_offer_check (const GstSDPMessage *offer, const IvsOfferWish *wish,
    GError **error)
{
  if (!check_sections (offer, wish, error) || !check_bundle (offer, error) ||
      !check_payload_types (offer, error))
    return FALSE;

  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (offer, i);
    gboolean is_audio = wish->audio && i == 0;

    if (!check_transport (section, error))
      return FALSE;
    if (!(is_audio ? check_audio (section, error)
                   : check_video (section, wish, error)))
      return FALSE;
  }

  return TRUE;
}

/* -- The posted text --------------------------------------------------------- */

static gchar *
make_opus_fmtp (const IvsOfferWish *wish)
{
  GString *fmtp = g_string_new ("minptime=10;useinbandfec=1");

  if (wish->audio_channels == 2)
    g_string_append (fmtp, ";stereo=1;sprop-stereo=1");
  if (wish->audio_bitrate > 0)
    g_string_append_printf (fmtp, ";maxaveragebitrate=%u", wish->audio_bitrate);

  return g_string_free (fmtp, FALSE);
}

static void
write_codec (GstSDPMedia *section, const IvsOfferWish *wish)
{
  if (g_str_equal (ivs_section_get_kind (section), "audio")) {
    g_autofree gchar *fmtp = make_opus_fmtp (wish);

    ivs_section_set_for (section, "rtpmap", IVS_AUDIO_PT, OPUS_RTPMAP);
    ivs_section_set_for (section, "fmtp", IVS_AUDIO_PT, fmtp);
  } else {
    ivs_section_set_for (section, "rtpmap", IVS_VIDEO_PT, H264_RTPMAP);
    ivs_section_set_for (section, "fmtp", IVS_VIDEO_PT, H264_FMTP);
  }
}

/* The msid of "a=ssrc:N msid:STREAM TRACK" is what came before RFC 8830 and is
 * still read by some: it must not contradict a=msid. */
static void
write_ssrc_msid (GstSDPMedia *section, const gchar *msid)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);
    const gchar *space = g_strcmp0 (a->key, "ssrc") == 0 && a->value != NULL
        ? strchr (a->value, ' ')
        : NULL;
    GstSDPAttribute new_attribute = { NULL, NULL };
    g_autofree gchar *value = NULL;

    if (space == NULL || !g_str_has_prefix (space, " msid:"))
      continue;

    value = g_strdup_printf ("%.*s msid:%s", (int) (space - a->value), a->value,
        msid);
    gst_sdp_attribute_set (&new_attribute, "ssrc", value);
    gst_sdp_media_replace_attribute (section, i, &new_attribute);
  }
}

/* RFC 9725 §4.4.2: one MediaStream, so all sections name the same stream. The
 * second word names the track (RFC 8830 §2) and differs, as in a browser's
 * offer. webrtcbin's own id ("user1@host-2") is no token of RFC 8830. */
static void
write_msid (GstSDPMedia *section, const GstSDPMessage *offer)
{
  const GstSDPOrigin *origin = gst_sdp_message_get_origin (offer);
  g_autofree gchar *msid = g_strdup_printf ("ivs-%s ivs-%s",
      origin->sess_id != NULL ? origin->sess_id : "0",
      ivs_section_get_kind (section));

  ivs_section_set (section, "msid", msid);
  write_ssrc_msid (section, msid);
}

static void
write_section (GstSDPMedia *section, const GstSDPMessage *offer,
    const IvsOfferWish *wish)
{
  write_codec (section, wish);
  write_msid (section, offer);
  /* RFC 9725 §4.4.1; webrtcbin says it already, but has not always. */
  ivs_section_set (section, "rtcp-mux-only", NULL);
  /* Which candidates are there is a race, and none are needed: the server
   * learns ours from the first check (RFC 8445 §7.3.1.3), and RFC 9725 §4.3 allows
   * an empty list. Nor is the list said to be final: "ice-options:trickle" stays,
   * for only with it does 0.0.0.0 port 9 mean "no candidate yet" (RFC 8840 §4.1)
   * and not an address. */
  ivs_section_remove (section, "candidate");
  ivs_section_remove (section, "end-of-candidates");
}

/**
 * ivs_offer_to_posted_text:
 * @offer: an offer of webrtcbin
 * @wish: what it must contain, and how audio is to be described
 *
 * Writes what is posted for @offer. webrtcbin's own description stays as it is:
 * it does not compare the answer's formats with it.
 *
 * Returns: (transfer full): the text, lines ended by CRLF, or %NULL with @error
 *   set as by ivs_offer_check().
 */
gchar *
ivs_offer_to_posted_text (const GstSDPMessage *offer, const IvsOfferWish *wish,
    GError **error)
{
  g_autoptr (GstSDPMessage) posted = NULL;

  if (!ivs_offer_check (offer, wish, error))
    return NULL;

  gst_sdp_message_copy (offer, &posted);
  for (guint i = 0; i < gst_sdp_message_medias_len (posted); i++)
    write_section (ivs_section_of (posted, i), posted, wish);

  return gst_sdp_message_as_text (posted);
}

/**
 * ivs_offer_get_facts:
 * @offer: any offer
 * @facts: (out): what it contains
 *
 * Tells what @offer contains, for the sentence about a refusal.
 */
void
ivs_offer_get_facts (const GstSDPMessage *offer, IvsOfferFacts *facts)
{
  *facts = (IvsOfferFacts){ FALSE };

  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (offer, i);
    const gchar *kind = ivs_section_get_kind (section);

    if (g_str_equal (kind, "audio")) {
      facts->has_audio = TRUE;
      facts->has_opus |= ivs_section_find_codec (section, "opus") >= 0;
    } else if (g_str_equal (kind, "video")) {
      facts->has_video = TRUE;
      facts->has_h264 |= ivs_section_find_codec (section, "H264") >= 0;
    }
  }
}

/**
 * ivs_sdp_redact:
 * @text: an offer or answer, or anything that may contain one; any bytes
 *
 * Replaces the ICE credentials in @text, for logs: who has them may take part in
 * the connection.
 *
 * Returns: (transfer full): the text without them
 */
gchar *
ivs_sdp_redact (const gchar *text)
{
  /* The rest of the line goes, not a word: text that was escaped has no words.
   * The second form is the extension of a candidate line. */
  g_autoptr (GRegex) secret = g_regex_new ("(ice-(?:pwd|ufrag)[ \t]*:)[^\r\n]*+"
                                           "|([ \t]ufrag[ \t]+)[^ \t\r\n]++",
      G_REGEX_RAW | G_REGEX_CASELESS, 0, NULL);
  gchar *redacted = g_regex_replace (secret, text, (gssize) strlen (text), 0,
      "\\1\\2***", 0, NULL);

  return redacted != NULL ? redacted : g_strdup ("(not shown)");
}
