/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts what the network brought of each RTP source, before any reordering.
 *
 * The jitter buffer takes a packet for lost when it comes too late; here only
 * what never came counts, so that a busy computer is not taken for a bad sender.
 */
#pragma once

#include "stage-opening.h"

G_BEGIN_DECLS

#define STAGE_MAX_SOURCES 8
#define STAGE_ARRIVAL_WINDOW 1024 /* packets; power of two */

typedef struct
{
  guint ssrc;
  guint payload_type;
  guint64 arrived;  /* different packets */
  guint64 expected; /* from the first to the highest */
  guint64 duplicates;
  guint64 reordered;
  guint64 marked; /* different packets with the marker: pictures that ended */
  StageOpening opening; /* means something for video */

  guint64 first, highest; /* extended sequence numbers */
  guint8 seen[STAGE_ARRIVAL_WINDOW / 8];
} StageArrival;

typedef struct
{
  StageArrival sources[STAGE_MAX_SOURCES];
  guint n_sources;
} StageArrivals;

/* The caller's lock protects it. */
void stage_arrivals_count (StageArrivals *arrivals, GstBuffer *packet);
const StageArrival *
stage_arrivals_find (const StageArrivals *arrivals, guint ssrc);

G_END_DECLS
