/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP endpoint before another one, whose answers send media through a bad network.
 *
 *     client -- POST offer -> WhipRelay -- POST offer -> endpoint
 *     client <- answer with the port of the UdpRelay  <- answer with its own
 *     client -- DELETE ----------------------------------> endpoint
 *
 * One session at a time. It serves on the thread-default main context of the caller.
 */
#pragma once

#include "udp-relay.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _WhipRelay WhipRelay;

/* @endpoint: where offers are posted to; it must not redirect. @relay outlives it. */
WhipRelay *whip_relay_start (UdpRelay *relay, const gchar *endpoint);

/* The same over https, with that certificate. */
WhipRelay *whip_relay_start_tls (UdpRelay *relay, const gchar *endpoint,
    GTlsCertificate *certificate);
void whip_relay_stop (WhipRelay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipRelay, whip_relay_stop)

/* "http://127.0.0.1:1234/", or https: where a client posts to. */
const gchar *whip_relay_get_url (WhipRelay *self);

/* Lines of an offer that begin so do not get to the endpoint (up to a NULL, static):
 * what it is then not asked for, it does not do. */
void whip_relay_drop_lines (WhipRelay *self, const gchar *const *prefixes);

G_END_DECLS
