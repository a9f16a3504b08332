/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pictures that leave packet by packet: the pacer alone, and the gate with it.
 *
 * Where the pacer is alone, time does not matter: what is not due leaves hours later,
 * or when it is drained.
 */
#include "end-gstreamer.h"
#include "gstivsgate.h"
#include "gstivspacer.h"
#include <gst/check/gstharness.h>
#include <gst/rtp/rtp.h>
#include <string.h>

#define DEADLINE (10 * G_USEC_PER_SEC)
#define FRAME (GST_SECOND / 25)
#define FOR_EVER (24 * G_TIME_SPAN_HOUR)
#define PACKET 1000

/* -- The pacer alone ------------------------------------------------------------------ */

/* What has left. */
typedef struct
{
  GstIvsPacer *pacer;
  GMutex lock;
  GCond changed;
  GThread *thread; /* of the last parcel */
  guint parcels, packets, frames, key_frames;
  guint64 bytes;
  guint last_opening;
  gint64 stuck_until; /* until then nothing comes back, 0 = it does */
} Yard;

static void
parcel_left (GstIvsParcel *parcel, gpointer data)
{
  Yard *yard = data;
  guint n = gst_buffer_list_length (parcel->packets);

  g_mutex_lock (&yard->lock);
  yard->thread = g_thread_self ();
  yard->parcels++;
  yard->frames += parcel->frames;
  yard->key_frames += parcel->key_frames;
  yard->bytes += parcel->bytes;
  yard->last_opening = parcel->opening;
  for (guint i = 0; i < n; i++) {
    GstBuffer *packet = gst_buffer_list_get (parcel->packets, i);

    g_assert_true (gst_buffer_is_writable (packet));
    g_assert_cmpuint (GST_BUFFER_OFFSET (packet), ==, yard->packets);
    yard->packets++;
  }
  g_cond_broadcast (&yard->changed);
  while (g_get_monotonic_time () < yard->stuck_until)
    g_cond_wait_until (&yard->changed, &yard->lock, yard->stuck_until);
  g_mutex_unlock (&yard->lock);
  gst_buffer_list_unref (parcel->packets);
}

static void
yard_init (Yard *yard, guint bps)
{
  g_mutex_init (&yard->lock);
  g_cond_init (&yard->changed);
  yard->pacer = gst_ivs_pacer_new (parcel_left, yard);
  gst_ivs_pacer_set_rate (yard->pacer, bps);
}

static void
yard_clear (Yard *yard)
{
  gst_ivs_pacer_free (yard->pacer);
  g_cond_clear (&yard->changed);
  g_mutex_clear (&yard->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Yard, yard_clear)

static void
yard_wait (Yard *yard, guint packets)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;

  g_mutex_lock (&yard->lock);
  while (yard->packets < packets)
    g_assert_true (g_cond_wait_until (&yard->changed, &yard->lock, deadline));
  g_mutex_unlock (&yard->lock);
}

/* A picture of @n packets, the first of which is number @first. */
static GstIvsParcel
make_parcel (guint first, guint n)
{
  GstIvsParcel parcel = { .packets = gst_buffer_list_new (),
    .bytes = n * PACKET,
    .frames = 1 };

  for (guint i = 0; i < n; i++) {
    GstBuffer *packet = gst_buffer_new_allocate (NULL, PACKET, NULL);

    GST_BUFFER_OFFSET (packet) = first + i;
    gst_buffer_list_add (parcel.packets, packet);
  }
  return parcel;
}

static void
assert_taken (Yard *yard, GstIvsParcel parcel)
{
  g_assert_true (gst_ivs_pacer_take (yard->pacer, &parcel, FOR_EVER));
}

static void
assert_not_taken (Yard *yard, GstIvsParcel parcel)
{
  g_assert_false (gst_ivs_pacer_take (yard->pacer, &parcel, FOR_EVER));
  gst_buffer_list_unref (parcel.packets);
}

static void
test_straight (void)
{
  g_auto (Yard) yard = { 0 };

  yard_init (&yard, 0);
  assert_not_taken (&yard, make_parcel (0, 1000));
  /* gone within 5 ms */
  gst_ivs_pacer_set_rate (yard.pacer, 20 * 1000 * 1000);
  assert_not_taken (&yard, make_parcel (0, 10));
  g_assert_cmpuint (yard.packets, ==, 0);
}

/* The first at once, the others when it is time, or when drained. */
static void
test_later (void)
{
  g_auto (Yard) yard = { 0 };
  GstIvsParcel parcel = make_parcel (0, 5);

  parcel.key_frames = 1;
  yard_init (&yard, 1);
  assert_taken (&yard, parcel);
  yard_wait (&yard, 1);
  g_assert_cmpuint (yard.packets, ==, 1);
  g_assert_cmpuint (yard.frames, ==, 0);
  g_assert_true (yard.thread != g_thread_self ());

  /* even what is small, even when nothing is paced any more */
  gst_ivs_pacer_set_rate (yard.pacer, 0);
  assert_taken (&yard, make_parcel (5, 1));
  gst_ivs_pacer_drain (yard.pacer);
  g_assert_true (yard.thread == g_thread_self ());
  g_assert_cmpuint (yard.packets, ==, 6);
  g_assert_cmpuint (yard.bytes, ==, 6 * PACKET);
  g_assert_cmpuint (yard.frames, ==, 2);
  g_assert_cmpuint (yard.key_frames, ==, 1);
  g_assert_cmpuint (yard.parcels, ==, 2);
  assert_not_taken (&yard, make_parcel (6, 100));
}

/* What passed the gate at another opening is another parcel. */
static void
test_openings (void)
{
  g_auto (Yard) yard = { 0 };
  GstIvsParcel parcel = make_parcel (3, 2);

  yard_init (&yard, 1);
  assert_taken (&yard, make_parcel (0, 3));
  parcel.opening = 7;
  assert_taken (&yard, parcel);
  yard_wait (&yard, 1);
  gst_ivs_pacer_drain (yard.pacer);
  g_assert_cmpuint (yard.packets, ==, 5);
  g_assert_cmpuint (yard.parcels, ==, 3);
  g_assert_cmpuint (yard.last_opening, ==, 7);
}

static void
test_stop (void)
{
  g_auto (Yard) yard = { 0 };

  yard_init (&yard, 1);
  assert_taken (&yard, make_parcel (0, 5));
  yard_wait (&yard, 1);
  gst_ivs_pacer_stop (yard.pacer);
  gst_ivs_pacer_drain (yard.pacer);
  g_assert_cmpuint (yard.packets, ==, 1);

  /* a second life */
  assert_taken (&yard, make_parcel (1, 5));
  yard_wait (&yard, 2);
  gst_ivs_pacer_drain (yard.pacer);
  g_assert_cmpuint (yard.packets, ==, 6);
}

/* Evenly, and all of it in time. */
static void
test_due (void)
{
  g_auto (Yard) yard = { 0 };
  GstIvsParcel parcel = make_parcel (0, 20);

  yard_init (&yard, 1);
  g_assert_true (gst_ivs_pacer_take (yard.pacer, &parcel, 50 * 1000));
  yard_wait (&yard, 20);
  g_assert_true (yard.thread != g_thread_self ());
  g_assert_cmpuint (yard.frames, ==, 1);
}

/* Downstream does not come back: the streaming thread waits with it, as it would without
 * a pacer, instead of filling the memory. */
static void
test_stuck (void)
{
  g_auto (Yard) yard = { 0 };
  guint first = 0;

  yard_init (&yard, 1);
  yard.stuck_until = g_get_monotonic_time () + G_USEC_PER_SEC;
  for (;;) {
    GstIvsParcel parcel = make_parcel (first, 2);

    if (!gst_ivs_pacer_take (yard.pacer, &parcel, 50 * 1000)) {
      gst_buffer_list_unref (parcel.packets);
      break;
    }
    first += 2;
    g_usleep (10000); /* the source is live */
  }
  g_assert_cmpuint (yard.packets, ==, first);
  g_assert_cmpint (g_get_monotonic_time (), >=, yard.stuck_until);
}

/* -- The gate with it -------------------------------------------------------------------- */

#define IDR "\x65\x88\x84\x00"
#define SLICE "\x41\x9a\x00\x00"
/* So low that each picture takes all of the time that it has. */
#define SLOW 1

static const GstIvsStreamId id = { 0x22222222, 97, 90000, 3 };

typedef struct
{
  GstIvsGate *gate;
  GstHarness *h;
  guint16 seq;

  GMutex lock;
  GCond changed;
  gboolean is_held; /* what reaches the session stays in it */
  guint reached;
} Rig;

static GstPadProbeReturn
packet_reached (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Rig *rig = data;

  g_mutex_lock (&rig->lock);
  rig->reached++;
  g_cond_broadcast (&rig->changed);
  while (rig->is_held)
    g_cond_wait (&rig->changed, &rig->lock);
  g_mutex_unlock (&rig->lock);
  return GST_PAD_PROBE_OK;
}

static void
rig_init (Rig *rig)
{
  g_mutex_init (&rig->lock);
  g_cond_init (&rig->changed);
  rig->gate = gst_ivs_gate_new (GST_IVS_VIDEO, &id);
  rig->h =
      gst_harness_new_with_element (GST_ELEMENT (rig->gate), "sink", "src");
  /* Of a list each packet: the harness takes no lists. */
  gst_pad_add_probe (rig->h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, packet_reached,
      rig, NULL);
  gst_harness_set_live (rig->h, TRUE);
  gst_harness_set_src_caps_str (rig->h,
      "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000");
  gst_ivs_gate_open (rig->gate);
  gst_ivs_gate_set_pace (rig->gate, SLOW);
}

static void
rig_clear (Rig *rig)
{
  gst_object_unref (rig->gate);
  gst_harness_teardown (rig->h);
  g_cond_clear (&rig->changed);
  g_mutex_clear (&rig->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rig, rig_clear)

static void
rig_hold (Rig *rig, gboolean is_held)
{
  g_mutex_lock (&rig->lock);
  rig->is_held = is_held;
  g_cond_broadcast (&rig->changed);
  g_mutex_unlock (&rig->lock);
}

static void
rig_wait (Rig *rig, guint reached)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;

  g_mutex_lock (&rig->lock);
  while (rig->reached < reached)
    g_assert_true (g_cond_wait_until (&rig->changed, &rig->lock, deadline));
  g_mutex_unlock (&rig->lock);
}

static GstIvsGateStats
stats_of (Rig *rig)
{
  GstIvsGateStats stats;

  gst_ivs_gate_get_stats (rig->gate, &stats);
  return stats;
}

/* A picture of @n packets, one list. */
static void
push_picture (Rig *rig, GstClockTime at, const gchar *payload, guint n)
{
  GstBufferList *list = gst_buffer_list_new ();

  for (guint i = 0; i < n; i++) {
    GstBuffer *packet = gst_rtp_buffer_new_allocate (PACKET, 0, 0);
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

    g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_WRITE, &rtp));
    gst_rtp_buffer_set_seq (&rtp, rig->seq++);
    gst_rtp_buffer_set_marker (&rtp, i + 1 == n);
    gst_rtp_buffer_set_timestamp (&rtp, (guint32) (at * 9 / 100000));
    memcpy (gst_rtp_buffer_get_payload (&rtp), payload, 4);
    if (i > 0) /* not the first slice: first_mb_in_slice is not 0 */
      ((guint8 *) gst_rtp_buffer_get_payload (&rtp))[1] = 0x40;
    gst_rtp_buffer_unmap (&rtp);
    GST_BUFFER_PTS (packet) = at;
    gst_buffer_list_add (list, packet);
  }
  g_assert_cmpint (gst_pad_push_list (rig->h->srcpad, list), ==, GST_FLOW_OK);
}

static guint16
get_seq (GstBuffer *packet)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint16 seq;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  seq = gst_rtp_buffer_get_seq (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  return seq;
}

/* All that came is @n packets in order. */
static void
assert_order (Rig *rig, guint n)
{
  guint16 last = 0;

  g_assert_cmpuint (gst_harness_buffers_in_queue (rig->h), ==, n);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBuffer) packet = gst_harness_pull (rig->h);
    guint16 seq = get_seq (packet);

    if (i > 0)
      g_assert_cmpuint (seq, ==, (guint16) (last + 1));
    last = seq;
  }
}

static void
test_pictures (void)
{
  g_auto (Rig) rig = { 0 };

  rig_init (&rig);
  push_picture (&rig, 0, IDR, 20);
  push_picture (&rig, FRAME, SLICE, 1);
  push_picture (&rig, 2 * FRAME, SLICE, 10);
  gst_ivs_gate_set_pace (rig.gate, 0);
  push_picture (&rig, 3 * FRAME, SLICE, 5);
  rig_wait (&rig, 36);
  g_assert_true (gst_harness_push_event (rig.h, gst_event_new_eos ()));
  assert_order (&rig, 36);
  g_assert_cmpuint (stats_of (&rig).packets, ==, 36);
  g_assert_cmpuint (stats_of (&rig).frames, ==, 4);
  g_assert_cmpuint (stats_of (&rig).key_frames, ==, 1);
  g_assert_cmpuint (stats_of (&rig).dropped, ==, 0);
  g_assert_cmpuint (stats_of (&rig).bytes, >, 36 * PACKET);
}

/* A picture that is on its way does not hold up the thread that brings the next. */
static void
test_does_not_block (void)
{
  g_auto (Rig) rig = { 0 };

  rig_init (&rig);
  rig_hold (&rig, TRUE);
  push_picture (&rig, 0, IDR, 20);
  push_picture (&rig, FRAME, SLICE, 20);
  rig_wait (&rig, 1);
  g_assert_cmpuint (rig.reached, ==, 1);
  rig_hold (&rig, FALSE);
  rig_wait (&rig, 40);
}

static void
test_eos (void)
{
  g_auto (Rig) rig = { 0 };

  rig_init (&rig);
  push_picture (&rig, 0, IDR, 20);
  g_assert_true (gst_harness_push_event (rig.h, gst_event_new_eos ()));
  assert_order (&rig, 20);
}

/* What has not left when the gate closes does not reach another session. */
static void
test_close (void)
{
  g_auto (Rig) rig = { 0 };
  guint64 dropped;

  rig_init (&rig);
  rig_hold (&rig, TRUE);
  push_picture (&rig, 0, IDR, 20);
  rig_wait (&rig, 1);
  push_picture (&rig, FRAME, SLICE, 20);
  gst_ivs_gate_close (rig.gate);
  gst_ivs_gate_open (rig.gate);
  rig_hold (&rig, FALSE);
  push_picture (&rig, 2 * FRAME, IDR, 10);
  g_assert_true (gst_harness_push_event (rig.h, gst_event_new_eos ()));

  /* of the first picture what was already on its way, of the second nothing */
  dropped = stats_of (&rig).dropped;
  g_assert_cmpuint (dropped, >=, 20);
  g_assert_cmpuint (dropped, <, 40);
  g_assert_cmpuint (rig.reached, ==, 50 - dropped);
  g_assert_cmpuint (stats_of (&rig).packets, ==, 50 - dropped);
}

static GstFlowReturn
packet_reached_next (GstPad *pad, GstObject *parent, GstBuffer *packet)
{
  ++*(guint *) gst_pad_get_element_private (pad);
  gst_buffer_unref (packet);
  return GST_FLOW_OK;
}

/* All of the pictures before still go where they went. */
static void
test_switch (void)
{
  g_autoptr (GstPad) next =
      gst_object_ref_sink (gst_pad_new ("next", GST_PAD_SINK));
  g_auto (Rig) rig = { 0 };
  guint reached_next = 0;

  gst_pad_set_element_private (next, &reached_next);
  gst_pad_set_chain_function (next, packet_reached_next);
  gst_pad_set_active (next, TRUE);
  rig_init (&rig);
  push_picture (&rig, 0, IDR, 20);
  gst_ivs_gate_switch_to (rig.gate, next);
  push_picture (&rig, FRAME, IDR, 10);
  g_assert_true (gst_harness_push_event (rig.h, gst_event_new_eos ()));
  assert_order (&rig, 20);
  g_assert_cmpuint (reached_next, ==, 10);
  gst_element_set_state (GST_ELEMENT (rig.gate), GST_STATE_NULL);
}

static void
test_ready (void)
{
  g_auto (Rig) rig = { 0 };

  rig_init (&rig);
  push_picture (&rig, 0, IDR, 20);
  gst_element_set_state (GST_ELEMENT (rig.gate), GST_STATE_READY);
  g_assert_cmpuint (rig.reached, <=, 20);
  g_assert_cmpuint (gst_harness_buffers_in_queue (rig.h), ==, rig.reached);
}

int
main (int argc, char **argv)
{
  gint status;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/pacing/pacer/straight", test_straight);
  g_test_add_func ("/pacing/pacer/later", test_later);
  g_test_add_func ("/pacing/pacer/openings", test_openings);
  g_test_add_func ("/pacing/pacer/stop", test_stop);
  g_test_add_func ("/pacing/pacer/due", test_due);
  g_test_add_func ("/pacing/pacer/stuck", test_stuck);
  g_test_add_func ("/pacing/gate/pictures", test_pictures);
  g_test_add_func ("/pacing/gate/does-not-block", test_does_not_block);
  g_test_add_func ("/pacing/gate/eos", test_eos);
  g_test_add_func ("/pacing/gate/close", test_close);
  g_test_add_func ("/pacing/gate/switch", test_switch);
  g_test_add_func ("/pacing/gate/ready", test_ready);
  status = g_test_run ();
  end_gstreamer ();
  return status;
}
