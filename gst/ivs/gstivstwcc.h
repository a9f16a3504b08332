/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Transport-wide sequence numbers of a connection: written into what leaves, and what its
 * receiver says of them.
 *
 *     gates -> rtpfunnel -> rtprtxsend -> rtpsession -> [numbers] -> srtpenc
 *                                         rtpsession <- [feedback] <- srtpdec
 */
#pragma once

#include <gst/gst.h>
#include "ivs-twcc.h"

G_BEGIN_DECLS

/* Reference-counted; any thread. */
typedef struct _GstIvsTwcc GstIvsTwcc;

/* @ext_id: of the header extension in which a packet has room for its number, 1 to 14. */
GstIvsTwcc *gst_ivs_twcc_new (guint8 ext_id);
GstIvsTwcc *gst_ivs_twcc_ref (GstIvsTwcc *self);
void gst_ivs_twcc_unref (GstIvsTwcc *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsTwcc, gst_ivs_twcc_unref)

/**
 * gst_ivs_twcc_attach:
 * @element: has just been added to a webrtcbin; others than rtpfunnel and rtpsession are
 *   left alone
 *
 * What the rtpsession sends is numbered; both do not do so themselves.
 */
void gst_ivs_twcc_attach (GstIvsTwcc *self, GstElement *element);

/* See ivs_twcc_read(). */
guint gst_ivs_twcc_read (GstIvsTwcc *self, const guint8 *fci, gsize size,
    IvsRatePacket packets[IVS_TWCC_MEMORY]);

G_END_DECLS
