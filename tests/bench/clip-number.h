/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A number within a picture that is still there when it was coded and scaled.
 *
 * A row of black and white blocks at the top: 16 bits in Gray code, so that one block
 * changes from one picture to the next, then 4 bits to check them. clip-page.html writes the same.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The clip: I420, without gaps between the lines. */
#define CLIP_WIDTH 640
#define CLIP_HEIGHT 360
#define CLIP_RATE 30 /* pictures per second */
#define CLIP_LUMA (CLIP_WIDTH * CLIP_HEIGHT)
#define CLIP_SIZE (CLIP_LUMA * 3 / 2)
/* Lines of luma that the number takes. */
#define CLIP_NUMBER_HEIGHT 24

/* When the picture of that number was captured: microseconds of the wall clock. */
#define CLIP_TIME(epoch, number) \
  ((epoch) + (gint64) (number) *G_USEC_PER_SEC / CLIP_RATE)

void clip_number_write (guint8 *picture, guint16 number);

/* -1: there is none, or it cannot be read. @stride: of the luma. */
gint clip_number_read (const guint8 *luma, gsize stride);

/* The clip repeated for ever, from a file in memory: where that picture is. */
const guint8 *clip_find (GMappedFile *clip, guint16 number);

G_END_DECLS
