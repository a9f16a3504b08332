/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bit rate that the loss on the way allows.
 */
#pragma once

#include "ivs-arrival.h"

G_BEGIN_DECLS

/* Draft 6: below the first the estimate grows, above the second it falls. */
#define IVS_LOSS_LOW 0.02
#define IVS_LOSS_HIGH 0.10
/* Loss is judged over this many packets and this time, at least. */
#define IVS_LOSS_MIN_PACKETS 40
#define IVS_LOSS_MIN_ROUND_US 300000
/* More loss than this is never taken for the nature of the path. */
#define IVS_LOSS_MAX_INHERENT 0.25

/**
 * IvsLoss:
 * @estimate: As_hat, bits per second
 * @inherent: part of the packets that is lost whatever is sent, 0 to 1
 *
 * Initialise with ivs_loss_init(); the other members are private.
 */
typedef struct
{
  gdouble estimate;
  gdouble inherent;

  /* The round being counted. */
  gint64 round_us; /* its start, 0 = none */
  guint sent;
  guint lost;
  guint round_bps; /* the most that was the target in it */

  guint n_good;        /* rounds in a row */
  gdouble mean;        /* loss of the last rounds */
  gdouble slow_mean;   /* the same, by which inherent loss is forgotten */
  gint64 steady_us;    /* since when it was between low and high, 0 = is not */
  gdouble episode_bps; /* what was sent when it got high, 0 = is not */
  gdouble episode_loss;
} IvsLoss;

void ivs_loss_init (IvsLoss *self, guint bps);
gboolean ivs_loss_update (IvsLoss *self, gint64 now_us, guint sent, guint lost,
    guint current_bps, gint64 rtt_us, const IvsArrival *arrival);
void
ivs_loss_report (IvsLoss *self, gint64 now_us, gdouble loss, guint current_bps);

G_END_DECLS
