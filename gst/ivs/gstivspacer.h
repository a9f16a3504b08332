/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lets the packets of a picture leave one after another, in a thread of its own.
 *
 *     streaming thread --take--> pacer --leave--> the same code that would have
 *                                                 sent them at once
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstIvsParcel:
 * @packets: (transfer full): what leaves together
 * @opening: of the gate that it passed
 * @bytes: the size of all packets
 * @frames: pictures that end with the last packet
 * @key_frames: of them, IDR pictures
 * @dropped: packets that were left out
 */
typedef struct
{
  GstBufferList *packets;
  guint opening;
  guint64 bytes;
  guint frames, key_frames, dropped;
} GstIvsParcel;

/* @parcel: its packets are the function's. Never for two at a time. */
typedef void (*GstIvsPacerFunc) (GstIvsParcel *parcel, gpointer data);

typedef struct _GstIvsPacer GstIvsPacer;

/* @leave: for what leaves later, in the pacer's own thread, or in the one that drains. */
GstIvsPacer *gst_ivs_pacer_new (GstIvsPacerFunc leave, gpointer data);
void gst_ivs_pacer_free (GstIvsPacer *self);

/* Bits per second at which what is taken leaves, or faster; 0 = at once. Any thread. */
void gst_ivs_pacer_set_rate (GstIvsPacer *self, guint bps);

/**
 * gst_ivs_pacer_take:
 * @parcel: has a packet at least
 * @limit_us: after so long all of it has left, microseconds
 *
 * Of the streaming thread only, in whose order all leaves. It does not wait, unless
 * what was taken before is stuck downstream, as the thread itself would be.
 *
 * Returns: %TRUE if its packets are the pacer's now; %FALSE: nothing is before it and
 *   it is small enough, or nothing is to be paced, it may leave at once
 */
gboolean
gst_ivs_pacer_take (GstIvsPacer *self, GstIvsParcel *parcel, gint64 limit_us);

/* When this returns all that was taken has left. Of the streaming thread only. */
void gst_ivs_pacer_drain (GstIvsPacer *self);

/* Nothing leaves any more when this returns, what was taken is forgotten; with the next
 * parcel it begins anew. When no streaming thread is there. */
void gst_ivs_pacer_stop (GstIvsPacer *self);

G_END_DECLS
