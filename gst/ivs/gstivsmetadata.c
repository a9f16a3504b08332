/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes of the application as the SEI of H.264 that viewers of a stage look for.
 *
 * gst_h264_create_sei_memory () would be the library's way, but up to 1.22 it does
 * not know this type of message.
 */
#include "gstivsmetadata.h"
#include "gstivsh264.h"

/* H.264, table D.1.1 */
#define USER_DATA_UNREGISTERED 5

/* A packet with headers and SRTP stays below every usual MTU. */
#define MAX_PAYLOAD 1100

/* AWS, IVS real-time, "Embed metadata within a video stream". */
static const guint8 stage_uuid[16] = { 0x9e, 0x50, 0x4e, 0xa5, 0xee, 0x5a, 0x4f,
  0x02, 0x94, 0x9f, 0xb0, 0x3b, 0xa3, 0x76, 0x8d, 0xa2 };

/* H.264, 7.4.1: no three bytes of a NAL unit look like a start code. */
static void
append_escaped (GByteArray *nal, const guint8 *data, gsize size, guint *zeros)
{
  for (gsize i = 0; i < size; i++) {
    if (*zeros == 2 && data[i] <= 3) {
      g_byte_array_append (nal, (const guint8[]){ 3 }, 1);
      *zeros = 0;
    }
    g_byte_array_append (nal, &data[i], 1);
    *zeros = data[i] == 0 ? *zeros + 1 : 0;
  }
}

/* H.264, 7.3.2.3: type, size in steps of 255, UUID, data, the stop bit. */
static GByteArray *
make_sei (const guint8 *data, gsize size)
{
  GByteArray *nal = g_byte_array_new ();
  gsize left = size + sizeof stage_uuid;
  guint zeros = 0;

  g_byte_array_append (nal,
      (const guint8[]){ GST_IVS_NAL_SEI, USER_DATA_UNREGISTERED }, 2);
  for (; left >= 255; left -= 255)
    g_byte_array_append (nal, (const guint8[]){ 255 }, 1);
  append_escaped (nal, (const guint8[]){ (guint8) left }, 1, &zeros);
  append_escaped (nal, stage_uuid, sizeof stage_uuid, &zeros);
  append_escaped (nal, data, size, &zeros);
  append_escaped (nal, (const guint8[]){ 0x80 }, 1, &zeros);
  return nal;
}

/* RFC 6184, 5.8: indicator, header with start and end bit, a part of the body. */
static GBytes *
make_fragment (const GByteArray *nal, guint at, guint size)
{
  GByteArray *fragment = g_byte_array_sized_new (size + 2);
  guint8 header = nal->data[0] & 0x1f;

  if (at == 1)
    header |= 0x80;
  if (at + size == nal->len)
    header |= 0x40;
  g_byte_array_append (fragment,
      (const guint8[]){ (nal->data[0] & 0x60) | GST_IVS_NAL_FU_A, header }, 2);
  g_byte_array_append (fragment, nal->data + at, size);
  return g_byte_array_free_to_bytes (fragment);
}

GPtrArray *
gst_ivs_metadata_make_payloads (const guint8 *data, gsize size)
{
  GPtrArray *payloads =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  GByteArray *nal;

  g_return_val_if_fail (data != NULL && size > 0, payloads);
  g_return_val_if_fail (size <= GST_IVS_METADATA_MAX_SIZE, payloads);

  nal = make_sei (data, size);
  if (nal->len <= MAX_PAYLOAD) {
    g_ptr_array_add (payloads, g_byte_array_free_to_bytes (nal));
    return payloads;
  }
  for (guint at = 1; at < nal->len; at += MAX_PAYLOAD - 2)
    g_ptr_array_add (payloads,
        make_fragment (nal, at, MIN (nal->len - at, MAX_PAYLOAD - 2)));
  g_byte_array_unref (nal);
  return payloads;
}
