/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When to try again, and when to give up.
 *
 * Pure: time and chance come from the caller. A session that was live is tried
 * again at once, for viewers look at a frozen picture. But not over and over:
 * two publishers with the same token end each other's session for ever (one token
 * is one connection), so sessions that live shortly wait longer each time.
 */

#include "ivs-backoff.h"

/**
 * ivs_backoff_init:
 * @self: uninitialised memory
 * @max_retries: retries in a row before giving up, -1 = for ever
 * @random: (nullable) (scope forever): source of jitter, %NULL = g_random_double()
 * @random_data: for @random
 */
void
ivs_backoff_init (IvsBackoff *self, gint max_retries, IvsBackoffRandom random,
    gpointer random_data)
{
  *self = (IvsBackoff){
    .max_retries = max_retries,
    .random = random,
    .random_data = random_data,
  };
}

/**
 * ivs_backoff_went_live:
 * @self: a backoff
 * @now_us: monotonic time in microseconds
 *
 * Media flows: what failed before no longer counts against the retries.
 */
void
ivs_backoff_went_live (IvsBackoff *self, gint64 now_us)
{
  self->retries = 0;
  self->capped_retries = 0;
  self->is_live = TRUE;
  self->live_since = now_us;
}

static gboolean
is_worth_a_retry (const IvsBackoff *self, const IvsFailure *failure)
{
  if (!failure->retryable)
    return FALSE;
  if (failure->retry_capped && self->capped_retries >= IVS_BACKOFF_MAX_CAPPED)
    return FALSE;
  return self->max_retries < 0 || self->retries < (guint) self->max_retries;
}

static gdouble
draw (IvsBackoff *self)
{
  return self->random != NULL ? self->random (self->random_data)
                              : g_random_double ();
}

/* 2, 4, 8, 16, 30, 30 ... seconds; the first after a session that was live: 0, if sessions before it
 * worked, and what failed between two sessions does not slow the next one down. */
static guint
choose_wait (IvsBackoff *self, gint64 now_us)
{
  if (self->is_live) {
    if (now_us - self->live_since >= IVS_BACKOFF_STABLE * G_USEC_PER_SEC)
      self->losses = 0;
    self->step = self->losses++;
  } else {
    self->step++;
  }
  self->is_live = FALSE;
  if (self->step == 0)
    return 0;
  return MIN (IVS_BACKOFF_FIRST << MIN (self->step - 1, 8), IVS_BACKOFF_LAST);
}

/**
 * ivs_backoff_next:
 * @self: a backoff
 * @failure: what ended the attempt or the live session
 * @now_us: monotonic time in microseconds
 * @delay_ms: (out): milliseconds until the next attempt
 *
 * Waits vary by a fifth to both sides, so that publishers who were cut off
 * together do not come back together; a Retry-After is never undercut (up to
 * five minutes).
 *
 * Returns: whether to try again
 */
gboolean
ivs_backoff_next (IvsBackoff *self, const IvsFailure *failure, gint64 now_us,
    guint *delay_ms)
{
  gdouble jitter = draw (self);
  guint wait = choose_wait (self, now_us);
  gdouble asked = failure->retry_after * (1000 + 200 * jitter);

  *delay_ms = 0;
  if (!is_worth_a_retry (self, failure))
    return FALSE;

  self->retries++;
  if (failure->retry_capped)
    self->capped_retries++;
  asked = MIN (asked, IVS_BACKOFF_MAX_RETRY_AFTER * 1000.0);
  *delay_ms = (guint) MAX (wait * (800 + 400 * jitter), asked);
  return TRUE;
}
