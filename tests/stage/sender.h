/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bare WHIP publisher: test sources, webrtcbin and one POST.
 *
 * It knows nothing of a stage's rules. What it sends is what the local stage is
 * measured with, so that the two of them can be tested without the element.
 */
#pragma once

#include "stage-fixture.h"

G_BEGIN_DECLS

typedef struct _Sender Sender;

/* Tones and a test picture, 320x240 at 30 per second, an IDR every second. */
Sender *sender_new (void);
void sender_free (Sender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sender, sender_free)

/* Waits for the offer. */
const gchar *sender_get_offer (Sender *sender);

/* POSTs the offer to `url` and applies the answer; the session's URL. */
gchar *sender_publish (Sender *sender, StageFixture *stage, const gchar *url,
    const gchar *token);

/* Until the stage has closed DTLS. */
void sender_wait_closed (Sender *sender);

G_END_DECLS
