/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bit rate that the delay on the way allows.
 */
#pragma once

#include "ivs-arrival.h"

G_BEGIN_DECLS

/* Draft 5.5: a decrease goes to this part of what arrives. */
#define IVS_AIMD_BETA 0.85
/* Draft 5.5: growth per second far from convergence, and ours beyond it; both with
 * something in the queue, and without. */
#define IVS_AIMD_GROWTH 1.08
#define IVS_AIMD_EMPTY_GROWTH 1.16
#define IVS_AIMD_QUICK_GROWTH 1.5
#define IVS_AIMD_EMPTY_QUICK_GROWTH 1.8
/* Near convergence, after so long without over-use, growth is as if far. */
#define IVS_AIMD_PATIENCE_US (2 * G_USEC_PER_SEC)

typedef enum
{
  IVS_AIMD_INCREASE,
  IVS_AIMD_HOLD,
  IVS_AIMD_DECREASE
} IvsAimdState;

/**
 * IvsAimd:
 * @state: of draft 5.5
 * @estimate: A_hat, bits per second
 *
 * Initialise with ivs_aimd_init(); the other members are private.
 */
typedef struct
{
  IvsAimdState state;
  gdouble estimate;

  gint64 updated_us;   /* 0 = never */
  gint64 congested_us; /* the last over-use */
  gdouble mean;        /* of R_hat at decreases, kbit/s; 0 = not known */
  gdouble variance;    /* of the same, divided by the mean */
} IvsAimd;

void ivs_aimd_init (IvsAimd *self, guint start_bps);
void ivs_aimd_update (IvsAimd *self, gint64 now_us, IvsUsage usage,
    gboolean is_empty, guint received_bps, gint64 rtt_us);
void ivs_aimd_restart (IvsAimd *self, gint64 now_us, guint bps);

G_END_DECLS
