/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether our part of the DTLS handshake has left: only then may media follow it.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_ivs_flight_is_finished:
 * @datagram: what goes to the network
 *
 * Returns: whether it is DTLS and has a handshake record that is encrypted: that is
 *   our Finished, with which the handshake ends (RFC 6347 section 4.1: the epoch is 0
 *   up to the ChangeCipherSpec)
 */
gboolean gst_ivs_flight_is_finished (GstBuffer *datagram);

/**
 * gst_ivs_flight_watch:
 * @pad: the sink pad before the socket
 * @left: called once, on the thread that sends, when our Finished goes to the socket;
 *   what comes to the same pad afterwards goes behind it
 * @data: (destroy destroy): for @left
 *
 * Returns: the probe, which may be removed at any time
 */
gulong gst_ivs_flight_watch (GstPad *pad, void (*left) (gpointer data),
    gpointer data, GDestroyNotify destroy);

G_END_DECLS
