/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Fuzz target: metadata of an application, written as SEI and cut for RTP; a decoder
 * finds the same bytes in it.
 */
#include "fuzz.h"
#include "gstivsh264.h"
#include "gstivsmetadata.h"

/* A packet with headers and SRTP stays below every usual MTU. */
#define MAX_PAYLOAD 1100

/* RFC 6184, 5.6 and 5.8, the other way round. */
static GByteArray *
join (const GPtrArray *payloads)
{
  GByteArray *nal = g_byte_array_new ();

  for (guint i = 0; i < payloads->len; i++) {
    gsize size, skipped = payloads->len == 1 ? 0 : 2;
    const guint8 *data =
        g_bytes_get_data (g_ptr_array_index (payloads, i), &size);

    RULE (size > skipped && size <= MAX_PAYLOAD);
    if (skipped > 0) {
      RULE ((data[0] & 0x1f) == GST_IVS_NAL_FU_A);
      RULE ((data[1] & 0x1f) == GST_IVS_NAL_SEI);
      RULE (((data[1] & 0x80) != 0) == (i == 0));
      RULE (((data[1] & 0x40) != 0) == (i + 1 == payloads->len));
      if (i == 0)
        g_byte_array_append (nal, (const guint8[]){ GST_IVS_NAL_SEI }, 1);
    }
    g_byte_array_append (nal, data + skipped, (guint) (size - skipped));
  }
  return nal;
}

/* H.264, 7.3.1: without the emulation prevention bytes; there is no start code. */
static GByteArray *
unescape (const GByteArray *nal)
{
  GByteArray *raw = g_byte_array_new ();
  guint zeros = 0;

  for (guint i = 1; i < nal->len; i++) {
    RULE (zeros < 2 || nal->data[i] >= 3);
    if (zeros >= 2 && nal->data[i] == 3) {
      RULE (i + 1 == nal->len || nal->data[i + 1] <= 3);
      zeros = 0;
      continue;
    }
    zeros = nal->data[i] == 0 ? zeros + 1 : 0;
    g_byte_array_append (raw, &nal->data[i], 1);
  }
  return raw;
}

/* H.264, 7.3.2.3: type, size in steps of 255, UUID and data, the stop bit. */
static void
check_message (const GByteArray *raw, const guint8 *data, gsize size)
{
  gsize at = 1, announced = 0;

  RULE (raw->len > 1 && raw->data[0] == 5);
  for (; at < raw->len && raw->data[at] == 255; at++)
    announced += 255;
  RULE (at < raw->len);
  announced += raw->data[at++];
  RULE (announced == size + 16);
  RULE (raw->len == at + announced + 1);
  RULE (memcmp (raw->data + at + 16, data, size) == 0);
  RULE (raw->data[raw->len - 1] == 0x80);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize taken = MIN (size, GST_IVS_METADATA_MAX_SIZE);
  g_autoptr (GPtrArray) payloads = NULL;
  g_autoptr (GByteArray) nal = NULL;
  g_autoptr (GByteArray) raw = NULL;

  if (taken == 0) /* refused by the gate */
    return 0;
  payloads = gst_ivs_metadata_make_payloads (data, taken);
  RULE (payloads->len >= 1 && payloads->len <= 2);
  nal = join (payloads);
  RULE (nal->data[0] == GST_IVS_NAL_SEI);
  raw = unescape (nal);
  check_message (raw, data, taken);
  return 0;
}
