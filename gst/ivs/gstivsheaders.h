/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory for the headers that packets leave with, used again and again.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_IVS_HEADERS (gst_ivs_headers_get_type ())
G_DECLARE_FINAL_TYPE (GstIvsHeaders, gst_ivs_headers, GST, IVS_HEADERS,
    GstAllocator)

/* An RTP header, an extension and the beginning of a payload. */
#define GST_IVS_HEADERS_SIZE 40

GstIvsHeaders *gst_ivs_headers_new (void);

/**
 * gst_ivs_headers_take:
 * @size: bytes, at most %GST_IVS_HEADERS_SIZE
 * @data: (out) (transfer none): where they are to be written, before it is handed on
 *
 * Any thread. The memory may be freed when this is gone.
 *
 * Returns: (transfer full): a memory with nothing in it
 */
GstMemory *
gst_ivs_headers_take (GstIvsHeaders *self, gsize size, guint8 **data);

/**
 * gst_ivs_headers_peek:
 * @memory: any memory
 * @size: so many bytes are wanted
 *
 * Returns: (nullable): its bytes, if it was taken here and has so many; else %NULL
 */
guint8 *gst_ivs_headers_peek (GstMemory *memory, gsize size);

G_END_DECLS
