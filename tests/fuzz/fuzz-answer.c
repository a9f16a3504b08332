/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: an answer to an offer of audio and video, judged and repaired.
 */
#include "fuzz.h"
#include "ivs-answer.h"
#include "ivs-offer.h"

static const GstSDPMessage *
get_offer (void)
{
  static GstSDPMessage *offer = NULL;

  if (offer == NULL) {
    g_autofree gchar *text = NULL;

    if (!g_file_get_contents (TEST_DATA_DIR "/offer-audio-video.sdp", &text,
            NULL, NULL) ||
        gst_sdp_message_new_from_text (text, &offer) != GST_SDP_OK)
      g_error ("The offer of the tests cannot be read");
  }
  return offer;
}

/* What was repaired needs no repair. */
static void
check_is_stable (const IvsAnswer *answer)
{
  g_autofree gchar *text = gst_sdp_message_as_text (answer->sdp);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) again =
      ivs_answer_new (text, strlen (text), NULL, get_offer (), &error);

  if (again == NULL)
    g_error ("What was repaired is refused: %s", error->message);
  RULE (again->audio_accepted == answer->audio_accepted);
  RULE (again->video_accepted == answer->video_accepted);
  RULE (again->n_candidates == answer->n_candidates);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  /* As from whip_response_take_body(): a NUL behind it. */
  g_autofree gchar *text = g_malloc (size + 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer = NULL;

  if (size > 0)
    memcpy (text, data, size);
  text[size] = '\0';
  g_free (ivs_sdp_redact (text));
  answer = ivs_answer_new (text, size, "application/sdp", get_offer (), &error);
  RULE ((answer == NULL) == (error != NULL));
  if (answer == NULL) {
    RULE (g_utf8_validate (error->message, -1, NULL));
    return 0;
  }
  RULE (answer->audio_accepted || answer->video_accepted);
  RULE (answer->n_candidates <= IVS_ANSWER_MAX_CANDIDATES);
  RULE (answer->fingerprints->len > 0);
  check_is_stable (answer);
  return 0;
}
