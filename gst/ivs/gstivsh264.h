/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an RTP packet of H.264 says about the stream: its NAL units, the sequence
 * parameter set, the first fields of a slice.
 *
 * Nothing here allocates, keeps anything, or reads outside of what it was given.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* H.264, table 7-1, and RFC 6184, table 1 */
enum
{
  GST_IVS_NAL_SLICE = 1,
  GST_IVS_NAL_PARTITION_A = 2,
  GST_IVS_NAL_IDR = 5,
  GST_IVS_NAL_SEI = 6,
  GST_IVS_NAL_SPS = 7,
  GST_IVS_NAL_PPS = 8,
  GST_IVS_NAL_STAP_A = 24,
  GST_IVS_NAL_FU_A = 28
};

/* A NAL unit, or the beginning of one. */
typedef struct
{
  guint8 type;
  const guint8 *body; /* what follows the one byte of header */
  gsize size;         /* of the body, as far as this packet has it */
  gboolean is_whole;
} GstIvsNal;

/**
 * gst_ivs_h264_next_nal:
 * @payload: of one RTP packet
 * @at: (inout): where to look on; 0 at first
 * @nal: (out): the NAL unit; its body lies in @payload
 *
 * Goes over the NAL units that begin in this packet (RFC 6184: single NAL unit,
 * STAP-A, first fragment of an FU-A). Further fragments, other kinds of packets
 * and what is cut short are passed over.
 *
 * Returns: whether there was one more
 */
gboolean gst_ivs_h264_next_nal (const guint8 *payload, gsize size, gsize *at,
    GstIvsNal *nal);

/* Whether it is the first slice of a picture. */
gboolean gst_ivs_h264_begins_picture (const GstIvsNal *nal);

/* Of a sequence parameter set. */
typedef struct
{
  guint width, height; /* pixels, after cropping */
  guint profile;       /* profile_idc */
  gboolean
      is_baseline; /* a Baseline or Constrained Baseline decoder reads it */
  guint level;     /* level_idc */
  guint reorder_frames; /* as announced; 0 where nothing is said */
  const gchar
      *name; /* of the profile as in caps, static; NULL if it has none */
} GstIvsSps;

/* @body: of a NAL unit of type SPS, whole. Returns: whether it could be read. */
gboolean gst_ivs_h264_read_sps (const guint8 *body, gsize size, GstIvsSps *sps);

/**
 * gst_ivs_h264_read_slice:
 * @body: of a NAL unit of a type with a slice header; 8 bytes are enough
 * @is_first: (out): whether the picture begins with it
 * @is_b: (out): whether it is predicted from two pictures
 *
 * Returns: whether it could be read
 */
gboolean gst_ivs_h264_read_slice (const guint8 *body, gsize size,
    gboolean *is_first, gboolean *is_b);

G_END_DECLS
