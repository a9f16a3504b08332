/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a queue grows on the way, from when packets left and when they arrived.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Draft 5.2: packets sent within this time are one group, microseconds. */
#define IVS_ARRIVAL_BURST_US 5000
/* The time whose least delayed group stands for all of it, microseconds. */
#define IVS_ARRIVAL_BUCKET_US 100000
/* Buckets in the line that is fitted, and in the received rate: half a second. */
#define IVS_ARRIVAL_WINDOW 5
/* Buckets in which the empty path is looked for: ten seconds. */
#define IVS_ARRIVAL_MEMORY 100

/* Draft 5.4, Table 1, as slope: see ivs-arrival.c. Milliseconds per second. */
#define IVS_ARRIVAL_THRESHOLD 52.0
#define IVS_ARRIVAL_MIN_THRESHOLD 25.0
#define IVS_ARRIVAL_MAX_THRESHOLD 2500.0

/* What the detector says of the path (draft 5.4). */
typedef enum
{
  IVS_USAGE_NORMAL,
  IVS_USAGE_OVER,
  IVS_USAGE_UNDER
} IvsUsage;

typedef struct
{
  gint64 sent_us;    /* the first packet */
  gint64 first_us;   /* when its first group had arrived */
  gint64 arrived_us; /* the last packet */
  gdouble delay_us;  /* of the least delayed group, from an unknown zero */
  gdouble packet_us; /* of the least delayed packet */
  guint64 bytes;
  guint received_bps; /* 0 = count the bytes; else all this is a mean */
} IvsArrivalBucket;

/* Feedbacks that are remembered. */
#define IVS_ARRIVAL_GLANCES 8

/* What one feedback said. */
typedef struct
{
  guint n;         /* packets */
  gint64 first_us; /* arrival of the first packet */
  gint64 last_us;  /* and of the last */
  guint64 bytes;   /* of all but the first */
  gdouble least_us,
      end_us; /* delay of the least delayed packet, and of the last */
} IvsArrivalGlance;

/**
 * IvsArrival:
 * @usage: what the last bucket showed
 * @slope: how fast the queue grows, milliseconds per second
 * @threshold: which slope is over-use, milliseconds per second
 * @queue_us: delay above the least of the last ten seconds
 * @received_bps: what arrived in the last half second, 0 = not known yet
 * @best_bps: the most that this was while the last feedback was added
 * @passed_bps: what passed while there was a queue, 0 = there is none
 * @wait_us: what the least delayed packet of the last feedback waited
 * @is_empty: there was no queue in all of that half second
 * @growth: of the last collapse: by how much the queue grew of the time that passed
 *
 * Initialise with ivs_arrival_init(); the members named here may be read.
 */
typedef struct
{
  IvsUsage usage;
  gdouble slope;
  gdouble threshold;
  gint64 queue_us;
  guint received_bps;
  guint best_bps;
  guint passed_bps;
  gint64 wait_us;
  gboolean is_empty;
  gdouble growth;

  /* The group being collected (draft 5.2). */
  gboolean has_group;
  gint64 group_sent_us; /* its first packet */
  gint64 group_last_sent_us;
  gint64 group_arrived_us;
  guint64 group_bytes;

  /* The bucket being collected. */
  gboolean has_bucket;
  IvsArrivalBucket bucket;

  gdouble packet_us; /* the least delay of a packet in this bucket */
  IvsArrivalGlance glance;
  IvsArrivalGlance glances[IVS_ARRIVAL_GLANCES];
  guint n_glances; /* ever */

  IvsArrivalBucket ring[IVS_ARRIVAL_MEMORY];
  guint n_buckets; /* ever closed */
  guint n_over;    /* buckets in a row above the threshold */
  guint n_empty;   /* buckets in a row without a queue */
} IvsArrival;

void ivs_arrival_init (IvsArrival *self);
void ivs_arrival_add_packet (IvsArrival *self, gint64 sent_us,
    gint64 arrived_us, guint size);
void ivs_arrival_begin_feedback (IvsArrival *self);
gboolean ivs_arrival_end_feedback (IvsArrival *self);
void ivs_arrival_add_change (IvsArrival *self, gint64 now_us, gdouble change_us,
    guint received_bps);

G_END_DECLS
