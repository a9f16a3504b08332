/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP endpoint whose offers are answered by a page in a browser.
 *
 *     element -- POST, DELETE --> bridge <-- GET /offer, POST /answer -- page
 *
 * It runs in the default main context. The page is whip-server.html.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WhipBridge WhipBridge;

/* On a free port of the loopback interface. */
WhipBridge *whip_bridge_start (void);
void whip_bridge_stop (WhipBridge *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipBridge, whip_bridge_stop)

const gchar *whip_bridge_get_page_url (WhipBridge *self);
const gchar *whip_bridge_get_endpoint (WhipBridge *self);

/* Forgets what was counted and reported so far. */
void whip_bridge_forget (WhipBridge *self);
guint whip_bridge_get_n_posts (WhipBridge *self);
guint whip_bridge_get_n_deletes (WhipBridge *self);

/* What the browser said when it refused the last offer; NULL: it did not. */
const gchar *whip_bridge_get_refusal (WhipBridge *self);

/* A number of the newest RTCInboundRtpStreamStats of "audio" or "video"; -1: there
 * is none. */
gdouble
whip_bridge_get_stat (WhipBridge *self, const gchar *kind, const gchar *name);

G_END_DECLS
