/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When to try again, and when to give up.
 */
#pragma once

#include "ivs-error.h"

G_BEGIN_DECLS

/* Waits between attempts double from the first to the last, seconds. */
#define IVS_BACKOFF_FIRST 2
#define IVS_BACKOFF_LAST 30
/* The longest Retry-After that is waited for, seconds. */
#define IVS_BACKOFF_MAX_RETRY_AFTER 300
/* Retries of a failure that is retry_capped. The official SDK makes 4 attempts. */
#define IVS_BACKOFF_MAX_CAPPED 3
/* A session that lived this long (seconds) is one that worked. */
#define IVS_BACKOFF_STABLE 10

/* Returns: a number in [0, 1). */
typedef gdouble (*IvsBackoffRandom) (gpointer user_data);

/**
 * IvsBackoff:
 * @retries: retries since the last live session (or the start), for messages
 *
 * Initialise with ivs_backoff_init(); the other members are private.
 */
typedef struct
{
  guint retries;

  gint max_retries;
  guint capped_retries;
  guint step;   /* of the waits: 0 = at once, then doubling */
  guint losses; /* of sessions that lived shortly, in a row */
  gboolean is_live;
  gint64 live_since; /* monotonic, microseconds */
  IvsBackoffRandom random;
  gpointer random_data;
} IvsBackoff;

void ivs_backoff_init (IvsBackoff *self, gint max_retries,
    IvsBackoffRandom random, gpointer random_data);
void ivs_backoff_went_live (IvsBackoff *self, gint64 now_us);
gboolean ivs_backoff_next (IvsBackoff *self, const IvsFailure *failure,
    gint64 now_us, guint *delay_ms);

G_END_DECLS
