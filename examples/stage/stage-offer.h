/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads an SDP offer: what it offers, and where it departs from RFC 9725.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A browser's offer is about 8 KB. */
#define STAGE_OFFER_MAX (256 * 1024)

typedef struct
{
  gchar *text;
  gboolean has_audio;
  gboolean has_video;
  gint h264_payload; /* -1: not offered */
  gchar *h264_fmtp;  /* parameters only; or NULL */
  gint opus_payload; /* -1: not offered */
  gchar *opus_fmtp;
  GPtrArray *lint; /* sentences; empty = nothing to complain of */
} StageOffer;

StageOffer *stage_offer_parse (const gchar *text, gsize length, GError **error);
void stage_offer_free (StageOffer *offer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageOffer, stage_offer_free)

/* For complaints about the request around the offer. */
void stage_offer_complain (StageOffer *offer, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Complains of what a WHIP publisher must or should do otherwise. */
void stage_offer_lint_publisher (StageOffer *offer);

G_END_DECLS
