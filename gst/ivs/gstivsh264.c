/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What an RTP packet of H.264 says about the stream: its NAL units, the sequence
 * parameter set, the first fields of a slice.
 *
 * Parameter sets are read by GStreamer's own parser (libgstcodecparsers, from the
 * same package as the WebRTC library that we need anyway): scaling lists, HRD and
 * VUI are not written once more here. It is called an unstable API, but the
 * function and the structure that are used have not changed from 1.22 to 1.28.
 * Its slice parser is not used: it wants to have seen the parameter sets before,
 * and a stream without those is one of the things we look for.
 */
#include "gstivsh264.h"
#include <gst/codecparsers/gsth264parser.h>
#include <gst/pbutils/pbutils.h>
#include <string.h>

#define MAX_SIDE (1055 * 16) /* pixels */
#define MAX_REORDER_FRAMES 16

/* -- NAL units ------------------------------------------------------------------- */

/* @data: with the byte of header. */
static gboolean
take_nal (GstIvsNal *nal, const guint8 *data, gsize size)
{
  if (size == 0)
    return FALSE;
  nal->type = data[0] & 0x1f;
  nal->body = data + 1;
  nal->size = size - 1;
  nal->is_whole = TRUE;
  return TRUE;
}

/* RFC 6184, 5.8: indicator, header with start and end bit, fragment. */
static gboolean
take_fragment (GstIvsNal *nal, const guint8 *payload, gsize size)
{
  if (size < 2 || (payload[1] & 0x80) == 0)
    return FALSE;
  nal->type = payload[1] & 0x1f;
  nal->body = payload + 2;
  nal->size = size - 2;
  nal->is_whole = FALSE;
  return TRUE;
}

/* RFC 6184, 5.7.1: a byte of header, then 16 bits of length before each unit. */
static gboolean
take_aggregated (GstIvsNal *nal, const guint8 *payload, gsize size, gsize *at)
{
  gsize begin = MAX (*at, 1);

  while (begin < size && size - begin > 2) {
    gsize length = ((gsize) payload[begin] << 8) | payload[begin + 1];

    begin += 2;
    if (length > size - begin)
      break;
    *at = begin + length;
    if (take_nal (nal, payload + begin, length))
      return TRUE;
    begin = *at;
  }
  *at = size;
  return FALSE;
}

gboolean
gst_ivs_h264_next_nal (const guint8 *payload, gsize size, gsize *at,
    GstIvsNal *nal)
{
  guint8 type;

  if (*at >= size)
    return FALSE;
  type = payload[0] & 0x1f;
  if (type == GST_IVS_NAL_STAP_A)
    return take_aggregated (nal, payload, size, at);

  *at = size;
  if (type == GST_IVS_NAL_FU_A)
    return take_fragment (nal, payload, size);
  return type < GST_IVS_NAL_STAP_A && take_nal (nal, payload, size);
}

/* The slice header starts with first_mb_in_slice as ue(v), whose value 0 is one
 * bit 1: a further slice of the same picture is told from its first (H.264, 7.3.3). */
gboolean
gst_ivs_h264_begins_picture (const GstIvsNal *nal)
{
  return (nal->type == GST_IVS_NAL_SLICE ||
             nal->type == GST_IVS_NAL_PARTITION_A ||
             nal->type == GST_IVS_NAL_IDR) &&
      nal->size > 0 && (nal->body[0] & 0x80) != 0;
}

/* -- Sequence parameter set -------------------------------------------------------- */

/* H.264, A.2.1: constraint_set0_flag promises that a Baseline decoder is enough;
 * the High profiles do not have the promise. */
static gboolean
suits_baseline (const GstH264SPS *sps)
{
  switch (sps->profile_idc) {
    case GST_H264_PROFILE_BASELINE:
      return TRUE;
    case GST_H264_PROFILE_MAIN:
    case GST_H264_PROFILE_EXTENDED:
      return sps->constraint_set0_flag;
    default:
      return FALSE;
  }
}

static void
take_sps (GstIvsSps *sps, const GstH264SPS *parsed, const guint8 *body,
    gsize size)
{
  gboolean is_cropped = parsed->frame_cropping_flag;

  sps->width = (guint) (is_cropped ? parsed->crop_rect_width : parsed->width);
  sps->height =
      (guint) (is_cropped ? parsed->crop_rect_height : parsed->height);
  sps->profile = parsed->profile_idc;
  sps->is_baseline = suits_baseline (parsed);
  sps->level = parsed->level_idc;
  sps->reorder_frames = 0;
  if (parsed->vui_parameters_present_flag &&
      parsed->vui_parameters.bitstream_restriction_flag)
    sps->reorder_frames = parsed->vui_parameters.num_reorder_frames;
  sps->name = gst_codec_utils_h264_get_profile (body, (guint) size);
}

/* GStreamer's parser takes every number for what it is. No level has longer sides
 * (H.264, A.3.1: at most sqrt (8 * 139264) macroblocks) or more frames in its
 * buffer (E.2.1); a side that was cropped away is less than zero, as guint huge. */
static gboolean
is_possible (const GstIvsSps *sps)
{
  return sps->width > 0 && sps->width <= MAX_SIDE && sps->height > 0 &&
      sps->height <= MAX_SIDE && sps->reorder_frames <= MAX_REORDER_FRAMES;
}

gboolean
gst_ivs_h264_read_sps (const guint8 *body, gsize size, GstIvsSps *sps)
{
  GstH264SPS parsed = { 0 };
  GstH264NalUnit nal = { .type = GST_H264_NAL_SPS,
    .idr_pic_flag = 0,
    .size = (guint) size,
    .data = (guint8 *) body,
    .valid = TRUE };
  GstIvsSps taken;
  gboolean is_read;

  /* profile_idc, flags, level_idc; a larger one fits no packet. */
  if (size < 4 || size > G_MAXUINT16)
    return FALSE;

  is_read = gst_h264_parse_sps (&nal, &parsed) == GST_H264_PARSER_OK;
  if (is_read) {
    take_sps (&taken, &parsed, body, size);
    is_read = is_possible (&taken);
  }
  if (is_read)
    *sps = taken;
  gst_h264_sps_clear (&parsed);
  return is_read;
}

/* -- Slice ------------------------------------------------------------------------- */

/* ue(v), H.264, 9.1: up to 16 bits, which no field that is read here exceeds. The highest
 * @n of @bits are there. */
static gboolean
read_ue (guint64 *bits, guint *n, guint *value)
{
  guint zeros = *bits != 0 ? (guint) __builtin_clzll (*bits) : 64;
  guint length = 2 * zeros + 1;

  if (zeros > 16 || length > *n)
    return FALSE;
  *value = (guint) (*bits >> (64 - length)) - 1;
  *bits <<= length;
  *n -= length;
  return TRUE;
}

/* H.264, 7.3.3: first_mb_in_slice and slice_type; table 7-6: 0 to 9, where 5 to 9
 * say that the whole picture is of the type. No emulation prevention byte (7.4.1)
 * can be among them: two bytes of zeros and one of at most 3 would be a number
 * that is not read. */
gboolean
gst_ivs_h264_read_slice (const guint8 *body, gsize size, gboolean *is_first,
    gboolean *is_b)
{
  guint8 bytes[8] = { 0 };
  guint n = 8 * (guint) MIN (size, sizeof bytes);
  guint first_mb, type;
  guint64 bits;

  if (n > 0)
    memcpy (bytes, body, n / 8);
  bits = GST_READ_UINT64_BE (bytes);
  if (!read_ue (&bits, &n, &first_mb) || !read_ue (&bits, &n, &type) ||
      type > 9)
    return FALSE;
  *is_first = first_mb == 0;
  *is_b = type % 5 == GST_H264_B_SLICE;
  return TRUE;
}
