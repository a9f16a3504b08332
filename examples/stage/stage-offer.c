/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads an SDP offer: what it offers, and where it departs from RFC 9725.
 */
#include "stage-offer.h"

#include <gst/sdp/sdp.h>
#include <string.h>

static gboolean
is_media (const GstSDPMedia *media, const gchar *kind)
{
  return g_strcmp0 (gst_sdp_media_get_media (media), kind) == 0;
}

static gboolean
has_attribute (const GstSDPMedia *media, const gchar *name)
{
  return gst_sdp_media_get_attribute_val (media, name) != NULL;
}

/* The part behind "PT " of an attribute such as rtpmap or fmtp, or NULL. */
static const gchar *
get_for_payload (const GstSDPMedia *media, const gchar *name,
    const gchar *payload)
{
  gsize length = strlen (payload);
  const gchar *value;

  for (guint i = 0;
       (value = gst_sdp_media_get_attribute_val_n (media, name, i)) != NULL;
       i++)
    if (g_str_has_prefix (value, payload) && value[length] == ' ')
      return value + length + 1;
  return NULL;
}

/* A stage takes (constrained) baseline in packetization mode 1; other H.264
 * is better than none. */
static guint
rate_h264 (const gchar *fmtp)
{
  guint rating = 1;

  if (fmtp != NULL && strstr (fmtp, "packetization-mode=1") != NULL)
    rating += 4;
  if (fmtp != NULL && strstr (fmtp, "profile-level-id=42") != NULL)
    rating += 2;
  if (fmtp != NULL && strstr (fmtp, "profile-level-id=42e0") != NULL)
    rating += 1;
  return rating;
}

static void
read_payloads (StageOffer *offer, const GstSDPMedia *media)
{
  guint best = 0;

  for (guint i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *payload = gst_sdp_media_get_format (media, i);
    const gchar *rtpmap = get_for_payload (media, "rtpmap", payload);
    const gchar *fmtp = get_for_payload (media, "fmtp", payload);
    gint64 number = g_ascii_strtoll (payload, NULL, 10);

    if (rtpmap == NULL || number < 0 || number > 127)
      continue;
    if (is_media (media, "audio") && offer->opus_payload < 0 &&
        g_ascii_strncasecmp (rtpmap, "opus/48000", 10) == 0) {
      offer->opus_payload = (gint) number;
      offer->opus_fmtp = g_strdup (fmtp);
    } else if (is_media (media, "video") && rate_h264 (fmtp) > best &&
        g_ascii_strncasecmp (rtpmap, "h264/90000", 10) == 0) {
      best = rate_h264 (fmtp);
      offer->h264_payload = (gint) number;
      g_free (offer->h264_fmtp);
      offer->h264_fmtp = g_strdup (fmtp);
    }
  }
}

StageOffer *
stage_offer_parse (const gchar *text, gsize length, GError **error)
{
  g_autoptr (StageOffer) offer = g_new0 (StageOffer, 1);
  GstSDPMessage *sdp = NULL;

  offer->h264_payload = offer->opus_payload = -1;
  offer->lint = g_ptr_array_new_with_free_func (g_free);
  if (length < 4 || length > STAGE_OFFER_MAX || strncmp (text, "v=0", 3) != 0 ||
      memchr (text, 0, length) != NULL ||
      !g_utf8_validate (text, (gssize) length, NULL)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "the body is no SDP");
    return NULL;
  }
  offer->text = g_strndup (text, length);
  if (gst_sdp_message_new_from_text (offer->text, &sdp) != GST_SDP_OK) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "the SDP cannot be parsed");
    return NULL;
  }
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

    offer->has_audio |= is_media (media, "audio");
    offer->has_video |= is_media (media, "video");
    read_payloads (offer, media);
  }
  gst_sdp_message_free (sdp);
  return g_steal_pointer (&offer);
}

void
stage_offer_free (StageOffer *offer)
{
  g_free (offer->text);
  g_free (offer->h264_fmtp);
  g_free (offer->opus_fmtp);
  g_clear_pointer (&offer->lint, g_ptr_array_unref);
  g_free (offer);
}

/* -- Lint --------------------------------------------------------------------- */

void
stage_offer_complain (StageOffer *offer, const gchar *format, ...)
{
  va_list args;

  if (offer->lint->len >= 64)
    return;
  va_start (args, format);
  g_ptr_array_add (offer->lint, g_strdup_vprintf (format, args));
  va_end (args);
}

/* RFC 9725, 4.2 and 4.4: one stream of each kind, sendonly. */
static void
lint_direction (StageOffer *offer, const GstSDPMedia *media, const gchar *mid)
{
  if (!has_attribute (media, "sendonly"))
    stage_offer_complain (offer, "%s: is not a=sendonly (RFC 9725, 4.2)", mid);
}

/* RFC 9725, 4.4.1: bundle only; RFC 8858: no separate RTCP. */
static void
lint_multiplexing (StageOffer *offer, const GstSDPMedia *media,
    const gchar *mid, gboolean first)
{
  if (!has_attribute (media, "rtcp-mux"))
    stage_offer_complain (offer, "%s: has no a=rtcp-mux", mid);
  if (!has_attribute (media, "rtcp-mux-only"))
    stage_offer_complain (offer, "%s: has no a=rtcp-mux-only (RFC 9725, 4.4.1)",
        mid);
  if (!first && !has_attribute (media, "bundle-only"))
    stage_offer_complain (offer,
        "%s: has no a=bundle-only, so this is not max-bundle", mid);
  if (first && gst_sdp_media_get_port (media) == 0)
    stage_offer_complain (offer, "%s: the first section has port 0", mid);
}

static void
lint_transport (StageOffer *offer, const GstSDPMessage *sdp,
    const GstSDPMedia *media, const gchar *mid)
{
  static const gchar *const needed[] = { "ice-ufrag", "ice-pwd",
    "fingerprint" };
  const gchar *setup = gst_sdp_media_get_attribute_val (media, "setup");

  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    if (!has_attribute (media, needed[i]) &&
        gst_sdp_message_get_attribute_val (sdp, needed[i]) == NULL)
      stage_offer_complain (offer, "%s: has no a=%s", mid, needed[i]);
  if (setup == NULL)
    setup = gst_sdp_message_get_attribute_val (sdp, "setup");
  if (g_strcmp0 (setup, "actpass") != 0)
    stage_offer_complain (offer, "%s: a=setup is not actpass (RFC 9725, 4.4)",
        mid);
}

static void
lint_audio (StageOffer *offer, const GstSDPMedia *media, const gchar *mid)
{
  const gchar *feedback;

  for (guint i = 0; (feedback = gst_sdp_media_get_attribute_val_n (media,
                         "rtcp-fb", i)) != NULL;
       i++)
    if (g_str_has_suffix (feedback, " nack"))
      stage_offer_complain (offer,
          "%s: NACK for audio, which browsers' WebRTC refuses", mid);
}

static void
lint_video (StageOffer *offer, const GstSDPMedia *media, const gchar *mid)
{
  const gchar *fmtp = offer->h264_fmtp;

  if (offer->h264_payload < 0)
    stage_offer_complain (offer, "%s: offers no H.264", mid);
  else if (fmtp == NULL || strstr (fmtp, "packetization-mode=1") == NULL)
    stage_offer_complain (offer, "%s: H.264 without packetization-mode=1", mid);
  else if (strstr (fmtp, "profile-level-id=42") == NULL)
    stage_offer_complain (offer, "%s: H.264 is not (constrained) baseline: %s",
        mid, fmtp);
}

/* RFC 8843, 9.1: one payload type, one meaning in a bundle. */
static void
lint_payload_types (StageOffer *offer, const GstSDPMedia *media,
    const gchar *mid, GHashTable *seen)
{
  for (guint i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *payload = gst_sdp_media_get_format (media, i);

    if (!g_hash_table_add (seen, g_strdup (payload)))
      stage_offer_complain (offer, "%s: payload type %s is taken already", mid,
          payload);
  }
}

/* RFC 9725, 4.2: all of one MediaStream. */
static void
lint_stream (StageOffer *offer, const GstSDPMedia *media, const gchar *mid,
    gchar **stream)
{
  const gchar *msid = gst_sdp_media_get_attribute_val (media, "msid");
  g_autofree gchar *id = NULL;

  if (msid == NULL) {
    stage_offer_complain (offer, "%s: has no a=msid", mid);
    return;
  }
  id = g_strndup (msid, strcspn (msid, " "));
  if (*stream == NULL)
    *stream = g_steal_pointer (&id);
  else if (strcmp (*stream, id) != 0)
    stage_offer_complain (offer, "%s: a=msid names another stream", mid);
}

static gboolean
is_in_bundle (const GstSDPMessage *sdp, const gchar *mid)
{
  const gchar *group;

  for (guint i = 0;
       (group = gst_sdp_message_get_attribute_val_n (sdp, "group", i)) != NULL;
       i++) {
    g_auto (GStrv) words = g_strsplit (group, " ", 32);

    if (g_strcmp0 (words[0], "BUNDLE") == 0)
      return g_strv_contains ((const gchar *const *) words, mid);
  }
  return FALSE;
}

static void
lint_media (StageOffer *offer, const GstSDPMessage *sdp,
    const GstSDPMedia *media, gboolean first)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");

  if (mid == NULL)
    stage_offer_complain (offer, "a %s section has no a=mid",
        gst_sdp_media_get_media (media));
  else if (!is_in_bundle (sdp, mid))
    stage_offer_complain (offer, "%s: is not in a=group:BUNDLE", mid);
  if (mid == NULL)
    mid = gst_sdp_media_get_media (media);
  lint_direction (offer, media, mid);
  lint_multiplexing (offer, media, mid, first);
  lint_transport (offer, sdp, media, mid);
  if (is_media (media, "audio"))
    lint_audio (offer, media, mid);
  else if (is_media (media, "video"))
    lint_video (offer, media, mid);
  else
    stage_offer_complain (offer, "%s: a section of kind %s", mid,
        gst_sdp_media_get_media (media));
}

static void
lint_session (StageOffer *offer, const GstSDPMessage *sdp)
{
  guint n_audio = 0, n_video = 0;

  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    n_audio += is_media (gst_sdp_message_get_media (sdp, i), "audio");
    n_video += is_media (gst_sdp_message_get_media (sdp, i), "video");
  }
  if (n_audio > 1 || n_video > 1)
    stage_offer_complain (offer,
        "more than one section of a kind (RFC 9725, 4.2)");
  if (gst_sdp_message_get_attribute_val (sdp, "ice-lite") != NULL)
    stage_offer_complain (offer, "the client is ICE-lite (RFC 9725, 4.4)");
}

void
stage_offer_lint_publisher (StageOffer *offer)
{
  g_autoptr (GHashTable) payloads =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree gchar *stream = NULL;
  GstSDPMessage *sdp = NULL;

  if (gst_sdp_message_new_from_text (offer->text, &sdp) != GST_SDP_OK)
    return;
  lint_session (offer, sdp);
  for (guint i = 0; i < MIN (gst_sdp_message_medias_len (sdp), 16); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);
    const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");

    mid = mid != NULL ? mid : gst_sdp_media_get_media (media);
    lint_media (offer, sdp, media, i == 0);
    lint_payload_types (offer, media, mid, payloads);
    lint_stream (offer, media, mid, &stream);
  }
  gst_sdp_message_free (sdp);
}
