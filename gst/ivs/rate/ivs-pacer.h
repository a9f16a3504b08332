/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When each packet of a picture leaves, so that it does not leave as one burst.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What leaves within this time leaves at once, microseconds: a thread that is woken
 * more often costs more than it helps. */
#define IVS_PACER_BURST_US 5000

/**
 * IvsPacer:
 * @bps: bits per second at which a picture leaves at least; 0 = at once
 *
 * All zero is the initial state; @bps may be written at any time, the other members
 * are private. Not thread-safe. Nothing to free.
 */
typedef struct
{
  guint bps;

  gdouble free_us; /* when what was placed has left */
  gdouble us_per_byte;
} IvsPacer;

gint64
ivs_pacer_begin (IvsPacer *self, gint64 now_us, guint64 bytes, gint64 limit_us);
gint64 ivs_pacer_place (IvsPacer *self, guint64 bytes);

G_END_DECLS
