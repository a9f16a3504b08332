/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: an offer, judged and prepared for the POST; what is posted must pass the
 * same judgement and need no further preparation.
 */
#include "fuzz.h"
#include "ivs-offer.h"

static void
check_posted (const gchar *posted, const IvsOfferWish *wish)
{
  g_autoptr (GstSDPMessage) sdp = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *again = NULL;
  g_autofree gchar *redacted = ivs_sdp_redact (posted);
  IvsOfferFacts facts;

  RULE (gst_sdp_message_new_from_text (posted, &sdp) == GST_SDP_OK);
  again = ivs_offer_to_posted_text (sdp, wish, &error);
  if (again == NULL)
    g_error ("What was prepared is refused: %s", error->message);
  if (!g_str_equal (again, posted))
    g_error ("What was prepared is not left as it is:\n%s\n%s", posted, again);
  for (guint i = 0; i < gst_sdp_message_medias_len (sdp); i++)
    RULE (gst_sdp_media_get_attribute_val (gst_sdp_message_get_media (sdp, i),
              "candidate") == NULL);
  RULE (strstr (posted, "profile-level-id=" IVS_PROFILE_LEVEL_ID) != NULL ||
      !wish->video);
  RULE (strstr (redacted, "\na=ice-pwd:***") != NULL);
  ivs_offer_get_facts (sdp, &facts);
  RULE (!wish->audio || (facts.has_audio && facts.has_opus));
  RULE (!wish->video || (facts.has_video && facts.has_h264));
}

static void
prepare (const GstSDPMessage *offer, const IvsOfferWish *wish)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *posted = ivs_offer_to_posted_text (offer, wish, &error);

  RULE ((posted == NULL) == (error != NULL));
  if (posted != NULL)
    check_posted (posted, wish);
  else
    RULE (g_utf8_validate (error->message, -1, NULL));
}

/* GStreamer writes the line "i=" of a section without its line break. */
static gboolean
can_be_written (const GstSDPMessage *offer)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++)
    if (gst_sdp_media_get_information (gst_sdp_message_get_media (offer, i)) !=
        NULL)
      return FALSE;
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const IvsOfferWish wishes[] = {
    { TRUE, TRUE, 2, 64000, TRUE },
    { TRUE, TRUE, 1, 0, FALSE },
    { FALSE, TRUE, 0, 0, TRUE },
    { TRUE, FALSE, 1, 0, FALSE },
  };
  g_autofree gchar *text = fuzz_dup_text (data, size);
  g_autoptr (GstSDPMessage) offer = NULL;
  IvsOfferFacts facts;

  /* An offer is made by webrtcbin, of caps: it is text of ours, in UTF-8. */
  if (*text == '\0' || !g_utf8_validate (text, -1, NULL) ||
      gst_sdp_message_new_from_text (text, &offer) != GST_SDP_OK ||
      !can_be_written (offer))
    return 0;
  ivs_offer_get_facts (offer, &facts);
  for (gsize i = 0; i < G_N_ELEMENTS (wishes); i++)
    prepare (offer, &wishes[i]);
  return 0;
}
