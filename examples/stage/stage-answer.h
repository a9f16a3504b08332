/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lays an SDP answer out as a stage does, or spoils it as a test asks.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Candidates in the first section only. `fmtp` ("97 a=b;c") takes the place of
 * the line for the same payload type; or NULL. */
gchar *stage_answer_lay_out (const gchar *sdp, const gchar *fmtp);

typedef enum
{
  STAGE_SPOIL_NONE,
  STAGE_SPOIL_WRONG_FINGERPRINT,
  STAGE_SPOIL_NO_FINGERPRINT,
  STAGE_SPOIL_VIDEO_REFUSED,      /* port 0, attributes kept */
  STAGE_SPOIL_VIDEO_REFUSED_BARE, /* port 0 and nothing else, as RFC 8843 */
  STAGE_SPOIL_AUDIO_REFUSED,
  STAGE_SPOIL_NO_DIRECTION,
  STAGE_SPOIL_SENDONLY,
  STAGE_SPOIL_INACTIVE,
  STAGE_SPOIL_SESSION_LEVEL, /* ICE, DTLS and candidates above all sections */
  STAGE_SPOIL_NO_CANDIDATES,
  STAGE_SPOIL_UNREACHABLE, /* candidates at TEST-NET-1 */
  STAGE_SPOIL_CLOSED_PORT, /* candidates where nobody listens */
  STAGE_SPOIL_NO_BUNDLE,
  STAGE_SPOIL_WRONG_MID,
  STAGE_SPOIL_SWAPPED, /* sections in another order */
  STAGE_SPOIL_ONE_SECTION,
  STAGE_SPOIL_WRONG_PASSWORD,
  STAGE_SPOIL_SETUP_PASSIVE, /* both wait for the other's DTLS hello */
  STAGE_SPOIL_NO_SETUP,
  STAGE_SPOIL_LINE_FEEDS,
  STAGE_SPOIL_TRUNCATED,
  STAGE_SPOIL_EMPTY,
  STAGE_SPOIL_HTML,
  STAGE_SPOIL_HUGE,
  STAGE_SPOIL_MANY_CANDIDATES, /* thousands, the right ones come last */
  STAGE_N_SPOILS
} StageSpoil;

/* STAGE_SPOIL_NONE if there is no such name. */
StageSpoil stage_spoil_from_name (const gchar *name);
const gchar *stage_spoil_name (StageSpoil spoil);

gchar *stage_answer_spoil (const gchar *sdp, StageSpoil spoil);

G_END_DECLS
