/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A far server in user space: TCP connections whose bytes take their time.
 *
 *     client -- half a round trip --> server
 *     client <-- half a round trip -- server
 *
 * The kernel opens a connection to the relay at once; so what a client sends in the
 * round trip that this would have taken is sent on as if it had been sent after it.
 * It serves on the thread-default main context of the caller.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TcpRelay TcpRelay;

/* From a free port of 127.0.0.1 to @server_port there. */
TcpRelay *tcp_relay_start (guint16 server_port);
void tcp_relay_stop (TcpRelay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TcpRelay, tcp_relay_stop)

guint16 tcp_relay_get_port (TcpRelay *self);

/* In milliseconds; of what is sent from now on. */
void tcp_relay_set_round_trip (TcpRelay *self, guint ms);

G_END_DECLS
