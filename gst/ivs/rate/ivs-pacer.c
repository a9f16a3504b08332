/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When each packet of a picture leaves, so that it does not leave as one burst.
 *
 * The pacer of section 4 of draft-ietf-rmcat-gcc-02, with another bound. There, what
 * waits for too long makes the rate higher, and "too long" is seconds; a sink is asked
 * to add less than a frame. So a picture leaves evenly at the rate that is given, or
 * faster, if it would not be gone in time: an IDR picture at a low bit rate is.
 */

#include "ivs-pacer.h"

/**
 * ivs_pacer_begin:
 * @self: a pacer
 * @now_us: monotonic time, microseconds
 * @bytes: of the packets that came now, 1 at least
 * @limit_us: after so long they have to be gone, microseconds
 *
 * Before ivs_pacer_place() for each of them.
 *
 * Returns: when the last of them will have left, not later than @now_us + @limit_us
 *   if the limit does not get shorter
 */
gint64
ivs_pacer_begin (IvsPacer *self, gint64 now_us, guint64 bytes, gint64 limit_us)
{
  gdouble left_us;

  self->free_us = MAX (self->free_us, (gdouble) now_us);
  left_us = MAX ((gdouble) (now_us + limit_us) - self->free_us, 0);
  self->us_per_byte = self->bps > 0 ? 8.0 * G_USEC_PER_SEC / self->bps : 0;
  self->us_per_byte = MIN (self->us_per_byte, left_us / (gdouble) bytes);
  return (gint64) (self->free_us + self->us_per_byte * (gdouble) bytes);
}

/**
 * ivs_pacer_place:
 * @self: a pacer
 * @bytes: size of the next packet
 *
 * Returns: when it may leave, monotonic time in microseconds
 */
gint64
ivs_pacer_place (IvsPacer *self, guint64 bytes)
{
  gint64 due_us = (gint64) self->free_us;

  self->free_us += self->us_per_byte * (gdouble) bytes;
  return due_us;
}
