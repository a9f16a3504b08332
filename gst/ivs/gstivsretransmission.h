/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which of the packets that are asked for are sent again.
 *
 * rtprtxsend answers every request. When a queue overflows, that is a second stream of
 * the size of the first one, into the same queue. So here are bounds: a packet is not
 * sent again while the last copy may be on its way, and to all a quarter of the packets
 * is added at most. A request that is not answered comes again, if it still matters.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The packets of video in about a second. */
#define GST_IVS_RETRANSMISSION_MEMORY 512

/* Of one stream; zeroed at first. */
typedef struct
{
  struct
  {
    guint seq;
    gint64 sent_us; /* again; 0 = never */
  } memory[GST_IVS_RETRANSMISSION_MEMORY];

  gint64 began_us; /* the time in which `quota` holds; 0 = none yet */
  guint began_seq, newest_seq; /* the newest that was asked for: then, ever */
  guint quota, used;
} GstIvsRetransmission;

/**
 * gst_ivs_retransmission_is_due:
 * @seq: of the packet that is asked for, 16 bits
 * @now_us: of a monotonic clock, not 0
 *
 * Returns: whether it is to be sent again now; it counts as sent then
 */
gboolean gst_ivs_retransmission_is_due (GstIvsRetransmission *self, guint seq,
    gint64 now_us);

/* How many packets were sent again; from any thread. */
typedef struct _GstIvsRetransmissionCount GstIvsRetransmissionCount;

guint gst_ivs_retransmission_count_get (GstIvsRetransmissionCount *self);
void gst_ivs_retransmission_count_unref (GstIvsRetransmissionCount *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsRetransmissionCount,
    gst_ivs_retransmission_count_unref)

/* Lets rtprtxsend, wherever it is in @webrtcbin, see only what is due.
 * Returns: (transfer full): the count of it */
GstIvsRetransmissionCount *gst_ivs_retransmission_bound (GstElement *webrtcbin);

G_END_DECLS
