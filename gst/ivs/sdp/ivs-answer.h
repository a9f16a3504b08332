/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The answer: judged against the offer and repaired before webrtcbin sees it.
 */
#pragma once

#include <gst/sdp/gstsdpmessage.h>

G_BEGIN_DECLS

#define IVS_ANSWER_MAX_LENGTH (256 * 1024)
#define IVS_ANSWER_MAX_MEDIA 8
#define IVS_ANSWER_MAX_CANDIDATES 64

/**
 * IvsAnswer:
 *
 * An answer that fits its offer and that webrtcbin will take.
 */
typedef struct
{
  GstSDPMessage *sdp; /* repaired */
  /* Into a section that is not accepted nothing must be sent. webrtcbin does not
   * see to it if it is the first: its gate stays closed. */
  gboolean audio_accepted;
  gboolean video_accepted;
  /* The certificate that the peer must show; several are alternatives (RFC 8122 §5). */
  GPtrArray *fingerprints; /* of gchar*, "sha-256 AB:CD:..." */
  guint n_candidates;      /* usable ones */
  gchar *first_candidate;  /* "192.0.2.1:443/udp", for messages, or NULL */
  GPtrArray *repairs;      /* of gchar*, what was mended, for the log */
} IvsAnswer;

/* @content_type may be NULL; errors are of IVS_ERROR (ivs-error.h):
 * IVS_FAILURE_ANSWER, _ANSWER_TOO_LARGE, _MEDIA_REFUSED. */
IvsAnswer *ivs_answer_new (const gchar *text, gsize length,
    const gchar *content_type, const GstSDPMessage *offer, GError **error);
void ivs_answer_free (IvsAnswer *self);
/* Does @pem (a PEM certificate) match one of the fingerprints? */
gboolean ivs_answer_certificate_matches (const IvsAnswer *self,
    const gchar *pem, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IvsAnswer, ivs_answer_free)

G_END_DECLS
