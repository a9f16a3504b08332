/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bare webrtcbin that publishes over WHIP, to compare with: nothing is checked,
 * repaired or tried again. For programs that measure only.
 */
#pragma once

#include <gst/gst.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _Bare Bare;

/* @webrtcbin has its pads linked and is in state NULL. @is_lean: without UPnP and ICE
 * over TCP, and the offer does not wait until candidates are gathered. @do_nack: the
 * video, which is the second pad, is retransmitted. @session: for HTTP, on the default
 * main context. */
Bare *
bare_new (GstElement *webrtcbin, SoupSession *session, const gchar *endpoint,
    const gchar *token, gboolean is_lean, gboolean do_nack);

/* Of the monotonic clock: 0 = not yet. */
gint64 bare_get_posted (Bare *self);
gint64 bare_get_answered (Bare *self);
gint64 bare_get_live (Bare *self);

/* Ends the session at the stage; the pipeline is in NULL. */
void bare_free (Bare *self);

G_END_DECLS
