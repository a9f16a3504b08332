/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Decodes what a peer of the element has received and forwards to 127.0.0.1 as plain
 * RTP, with the payload types of the offer.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _Receiver Receiver;

Receiver *receiver_start (void);
void receiver_stop (Receiver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Receiver, receiver_stop)

guint receiver_get_audio_port (Receiver *self);
guint receiver_get_video_port (Receiver *self);

/* Waits for three seconds of sound and two seconds of pictures, 640x360; they must
 * come in time. */
void receiver_wait (Receiver *self, guint seconds);

G_END_DECLS
