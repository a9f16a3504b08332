/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP server that others have made, in a process of its own, which tells what it
 * does by files in a folder.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _PeerProcess PeerProcess;

/* Runs @command (ended by NULL) with the path of a new folder behind it, and waits until
 * the process listens: it writes the file "endpoint". */
PeerProcess *peer_process_start (const gchar *const *command, guint seconds);

/* Ends its standard input: it must end by itself, without an error. */
void peer_process_stop (PeerProcess *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PeerProcess, peer_process_stop)

const gchar *peer_process_get_folder (PeerProcess *self);

/* The file of this name, or NULL: it is not there yet. (transfer full) */
gchar *peer_process_read (PeerProcess *self, const gchar *name);

G_END_DECLS
