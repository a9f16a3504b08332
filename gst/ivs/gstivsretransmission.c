/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which of the packets that are asked for are sent again.
 */
#include "gstivsretransmission.h"

#include "gstivsstream.h"

/* So long a copy is on its way at least. Receivers ask again after a round trip, which
 * they know; those who ask sooner ask without need. */
#define ON_ITS_WAY_US (30 * 1000)
/* A quarter of the packets, counted over half a second. The loss of 10 % which the rate
 * controller bears without a word takes an eighth, with copies that are lost too. */
#define SHARE 4
#define PERIOD_US (500 * 1000)
#define LEAST_QUOTA 4
/* A video of 2.5 Mbit/s has so much. After so long the numbers of the fastest stream may
 * have gone round. */
#define FIRST_QUOTA 32
#define LONG_AGO_US (20 * G_USEC_PER_SEC)

/* How many packets there were in a period since it began: by the sequence numbers that
 * were asked for, which go on as the packets do. */
static guint
measure_quota (const GstIvsRetransmission *self, gint64 now_us)
{
  gint64 elapsed_us = now_us - self->began_us;
  gint16 n_packets = (gint16) (self->newest_seq - self->began_seq);

  if (self->began_us == 0 || elapsed_us > LONG_AGO_US)
    return FIRST_QUOTA;
  return (guint) MAX (n_packets * PERIOD_US / elapsed_us / SHARE, LEAST_QUOTA);
}

static gboolean
has_quota (GstIvsRetransmission *self, guint seq, gint64 now_us)
{
  if (self->began_us == 0 || (gint16) (seq - self->newest_seq) > 0)
    self->newest_seq = seq;
  if (self->began_us == 0 || now_us - self->began_us >= PERIOD_US) {
    self->quota = measure_quota (self, now_us);
    self->used = 0;
    self->began_us = now_us;
    self->began_seq = self->newest_seq;
  }
  return self->used < self->quota;
}

gboolean
gst_ivs_retransmission_is_due (GstIvsRetransmission *self, guint seq,
    gint64 now_us)
{
  guint place = seq % GST_IVS_RETRANSMISSION_MEMORY;

  if (self->memory[place].sent_us != 0 && self->memory[place].seq == seq &&
      now_us - self->memory[place].sent_us < ON_ITS_WAY_US)
    return FALSE;
  if (!has_quota (self, seq, now_us))
    return FALSE;
  self->used++;
  self->memory[place].seq = seq;
  self->memory[place].sent_us = now_us;
  return TRUE;
}

struct _GstIvsRetransmissionCount
{
  gint n; /* atomic */
};

guint
gst_ivs_retransmission_count_get (GstIvsRetransmissionCount *self)
{
  return (guint) g_atomic_int_get (&self->n);
}

void
gst_ivs_retransmission_count_unref (GstIvsRetransmissionCount *self)
{
  g_atomic_rc_box_release (self);
}

/* A receiver asks for packets of the sound too, which rtprtxsend then has not. */
typedef struct
{
  struct
  {
    guint ssrc;
    GstIvsRetransmission bounds;
  } streams[GST_IVS_N_KINDS];
  guint n_streams;
  GstIvsRetransmissionCount *count;
} Bounds;

static void
bounds_free (gpointer data)
{
  gst_ivs_retransmission_count_unref (((Bounds *) data)->count);
  g_free (data);
}

static GstIvsRetransmission *
find_stream (Bounds *self, guint ssrc)
{
  for (guint i = 0; i < self->n_streams; i++)
    if (self->streams[i].ssrc == ssrc)
      return &self->streams[i].bounds;
  if (self->n_streams == G_N_ELEMENTS (self->streams))
    return NULL;
  self->streams[self->n_streams].ssrc = ssrc;
  return &self->streams[self->n_streams++].bounds;
}

/* From rtpsession, in the thread that RTCP comes on. */
static GstPadProbeReturn
upstream_event_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const GstStructure *request =
      gst_event_get_structure (GST_PAD_PROBE_INFO_EVENT (info));
  Bounds *bounds = data;
  GstIvsRetransmission *stream = NULL;
  guint seq = 0, ssrc = 0;

  if (request == NULL ||
      !gst_structure_has_name (request, "GstRTPRetransmissionRequest") ||
      !gst_structure_get (request, "seqnum", G_TYPE_UINT, &seq, "ssrc",
          G_TYPE_UINT, &ssrc, NULL))
    return GST_PAD_PROBE_OK;
  stream = find_stream (bounds, ssrc);
  if (stream == NULL ||
      !gst_ivs_retransmission_is_due (stream, seq, g_get_monotonic_time ()))
    return GST_PAD_PROBE_DROP;
  g_atomic_int_inc (&bounds->count->n);
  return GST_PAD_PROBE_OK;
}

static void
bound_sender (const GValue *element, gpointer data)
{
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (g_value_get_object (element), "src");
  Bounds *bounds = g_new0 (Bounds, 1);

  bounds->count = g_atomic_rc_box_acquire (data);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      upstream_event_passed, bounds, bounds_free);
}

GstIvsRetransmissionCount *
gst_ivs_retransmission_bound (GstElement *webrtcbin)
{
  GstIterator *senders =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (webrtcbin),
          "rtprtxsend");
  GstIvsRetransmissionCount *count =
      g_atomic_rc_box_new0 (GstIvsRetransmissionCount);

  gst_iterator_foreach (senders, bound_sender, count);
  gst_iterator_free (senders);
  return count;
}
