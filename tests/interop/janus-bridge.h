/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP endpoint whose offers are answered by Janus, in a room of its plugin
 * VideoRoom, which forwards what it receives as plain RTP.
 *
 *     element -- POST, DELETE --> bridge -- Unix socket --> janus -- RTP --> 127.0.0.1
 *
 * It runs in the default main context.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _JanusBridge JanusBridge;

/* Runs @program with a configuration of its own, as ICE-lite or full agent; what it
 * receives goes to these ports of 127.0.0.1. */
JanusBridge *janus_bridge_start (const gchar *program, gboolean is_lite,
    guint audio_port, guint video_port);
void janus_bridge_stop (JanusBridge *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JanusBridge, janus_bridge_stop)

const gchar *janus_bridge_get_endpoint (JanusBridge *self);
guint janus_bridge_get_n_posts (JanusBridge *self);
guint janus_bridge_get_n_deletes (JanusBridge *self);

/* How often it said that a connection is there, and that one has ended. */
guint janus_bridge_get_n_connected (JanusBridge *self);
guint janus_bridge_get_n_ended (JanusBridge *self);

G_END_DECLS
