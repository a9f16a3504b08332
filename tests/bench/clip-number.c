/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A number within a picture that is still there when it was coded and scaled.
 */
#include "clip-number.h"

#include <string.h>

#define BITS 20
#define BLOCK (CLIP_WIDTH / BITS)
#define MARGIN 8 /* of a block, that its neighbours blur */
#define BLACK 16
#define WHITE 235
#define GREY 128 /* of luma: the threshold; of chroma: no colour */

static guint32
encode (guint16 number)
{
  guint32 gray = number ^ (number >> 1);
  guint32 check = gray ^ (gray >> 4) ^ (gray >> 8) ^ (gray >> 12) ^ 0x5;

  return gray << 4 | (check & 0xf);
}

static guint16
decode_gray (guint32 gray)
{
  for (guint shift = 8; shift > 0; shift /= 2)
    gray ^= gray >> shift;
  return (guint16) gray;
}

void
clip_number_write (guint8 *picture, guint16 number)
{
  guint32 bits = encode (number);

  for (guint i = 0; i < BITS; i++)
    memset (picture + i * BLOCK, bits >> (BITS - 1 - i) & 1 ? WHITE : BLACK,
        BLOCK);
  for (guint y = 1; y < CLIP_NUMBER_HEIGHT; y++)
    memcpy (picture + y * CLIP_WIDTH, picture, CLIP_WIDTH);
  /* Both planes of chroma have a quarter of the luma. */
  for (guint plane = 0; plane < 2; plane++)
    memset (picture + CLIP_LUMA + plane * CLIP_LUMA / 4, GREY,
        CLIP_WIDTH / 2 * CLIP_NUMBER_HEIGHT / 2);
}

static gboolean
is_white (const guint8 *luma, gsize stride, guint block)
{
  guint sum = 0, n = 0;

  for (guint y = MARGIN; y < CLIP_NUMBER_HEIGHT - MARGIN; y++)
    for (guint x = MARGIN; x < BLOCK - MARGIN; x++, n++)
      sum += luma[y * stride + block * BLOCK + x];
  return sum > n * GREY;
}

gint
clip_number_read (const guint8 *luma, gsize stride)
{
  guint32 bits = 0;
  guint16 number;

  for (guint i = 0; i < BITS; i++)
    bits = bits << 1 | (is_white (luma, stride, i) ? 1 : 0);
  number = decode_gray (bits >> 4);
  return encode (number) == bits ? number : -1;
}

const guint8 *
clip_find (GMappedFile *clip, guint16 number)
{
  gsize n = g_mapped_file_get_length (clip) / CLIP_SIZE;

  return (const guint8 *) g_mapped_file_get_contents (clip) +
      number % n * CLIP_SIZE;
}
