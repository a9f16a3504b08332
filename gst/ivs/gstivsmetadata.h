/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes of the application as the SEI of H.264 that viewers of a stage look for.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What an Amazon IVS player takes of one message; bytes. */
#define GST_IVS_METADATA_MAX_SIZE 1024

/**
 * gst_ivs_metadata_make_payloads:
 * @data: what the viewers shall get
 * @size: 1 to %GST_IVS_METADATA_MAX_SIZE
 *
 * Writes one SEI message user_data_unregistered (H.264, D.1.7) with the UUID that
 * marks metadata of a stage, and cuts it for RTP (RFC 6184, 5.6 and 5.8).
 *
 * Returns: (transfer full) (element-type GBytes): the payloads of the packets to
 *   send before a picture's first slice, in order
 */
GPtrArray *gst_ivs_metadata_make_payloads (const guint8 *data, gsize size);

G_END_DECLS
