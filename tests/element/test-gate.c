/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The gate between an upstream that a test plays and a session that a test plays.
 *
 * The clock is a test clock: nothing is measured, nothing sleeps. A thread that
 * shall be waiting inside the gate is known to be there by the gate's own
 * "waiting" time.
 */
#include "end-gstreamer.h"
#include "gstivsgate.h"
#include "gstivsheaders.h"
#include <gst/check/gstharness.h>
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>
#include <string.h>

#define DEADLINE (10 * G_USEC_PER_SEC)
#define FAR_AHEAD (3600 * GST_SECOND)
#define FRAME (GST_SECOND / 25)

/* NAL units: type, and the bit of first_mb_in_slice */
#define SPS "\x67\x42\xc0\x1f"
#define PPS "\x68\xce\x3c\x80"
#define IDR "\x65\x88\x84\x00"
#define SLICE "\x41\x9a\x00\x00"
#define SECOND_SLICE "\x65\x40\x84\x00"

static const GstIvsStreamId ids[GST_IVS_N_KINDS] = {
  { 0x11111111, 96, 48000, 1 },
  { 0x22222222, 97, 90000, 3 },
};

typedef struct
{
  GstIvsKind kind;
  GstIvsGate *gate;
  GstHarness *h;
  gint ended, flowing, lists;
  /* what comes in */
  guint32 ssrc;
  guint16 seq;
  guint32 time;
} Rig;

static void
count (GstIvsGate *gate, gint *counter)
{
  g_atomic_int_inc (counter);
}

static GstPadProbeReturn
list_left (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc ((gint *) data);
  return GST_PAD_PROBE_OK;
}

static const gchar *
input_caps (GstIvsKind kind)
{
  return kind == GST_IVS_VIDEO
      ? "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000"
      : "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000";
}

static Rig *
rig_new_at (GstIvsKind kind, gboolean live, GstClockTime now)
{
  Rig *rig = g_new0 (Rig, 1);

  rig->kind = kind;
  rig->gate = gst_ivs_gate_new (kind, &ids[kind]);
  g_signal_connect (rig->gate, "eos", G_CALLBACK (count), &rig->ended);
  g_signal_connect (rig->gate, "flowing", G_CALLBACK (count), &rig->flowing);
  rig->h =
      gst_harness_new_with_element (GST_ELEMENT (rig->gate), "sink", "src");
  gst_pad_add_probe (rig->h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER_LIST, list_left,
      &rig->lists, NULL);
  gst_harness_set_live (rig->h, live);
  gst_harness_set_time (rig->h, now);
  gst_harness_set_src_caps_str (rig->h, input_caps (kind));
  rig->ssrc = 0xabcdef01;
  rig->seq = 65534;
  rig->time = 4294960000u;
  return rig;
}

/* Everything is late: nothing waits for the clock. */
static Rig *
rig_new (GstIvsKind kind, gboolean live)
{
  return rig_new_at (kind, live, FAR_AHEAD);
}

static void
rig_free (Rig *rig)
{
  gst_object_unref (rig->gate);
  gst_harness_teardown (rig->h);
  g_free (rig);
}

static GstIvsGateStats
stats_of (Rig *rig)
{
  GstIvsGateStats stats;

  gst_ivs_gate_get_stats (rig->gate, &stats);
  return stats;
}

/* A packet of @rig's upstream at running time @at. */
static GstBuffer *
packet_at (Rig *rig, GstClockTime at, const gchar *payload, gboolean marker)
{
  GstBuffer *packet = gst_rtp_buffer_new_allocate (strlen (payload), 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_WRITE, &rtp));
  gst_rtp_buffer_set_ssrc (&rtp, rig->ssrc);
  gst_rtp_buffer_set_payload_type (&rtp, 110);
  gst_rtp_buffer_set_seq (&rtp, rig->seq++);
  gst_rtp_buffer_set_marker (&rtp, marker);
  gst_rtp_buffer_set_timestamp (&rtp,
      rig->time +
          (guint32) gst_util_uint64_scale (at, ids[rig->kind].clock_rate,
              GST_SECOND));
  memcpy (gst_rtp_buffer_get_payload (&rtp), payload, strlen (payload));
  gst_rtp_buffer_unmap (&rtp);
  GST_BUFFER_PTS (packet) = at;
  return packet;
}

static void
push_at (Rig *rig, GstClockTime at, const gchar *payload)
{
  g_assert_cmpint (gst_harness_push (rig->h,
                       packet_at (rig, at, payload, TRUE)),
      ==, GST_FLOW_OK);
}

typedef struct
{
  guint32 ssrc, time;
  guint16 seq;
  guint8 type;
  gboolean marker;
  GstClockTime pts;
  gchar payload[16];
} Seen;

/* The next packet that left; each must be well formed and ours. */
static Seen
pull (Rig *rig)
{
  g_autoptr (GstBuffer) packet = gst_harness_try_pull (rig->h);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  Seen seen = { 0 };
  gpointer extension;
  guint size;

  g_assert_nonnull (packet);
  g_assert_true (gst_buffer_is_writable (packet));
  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READWRITE, &rtp));
  seen.ssrc = gst_rtp_buffer_get_ssrc (&rtp);
  seen.time = gst_rtp_buffer_get_timestamp (&rtp);
  seen.seq = gst_rtp_buffer_get_seq (&rtp);
  seen.type = gst_rtp_buffer_get_payload_type (&rtp);
  seen.marker = gst_rtp_buffer_get_marker (&rtp);
  seen.pts = GST_BUFFER_PTS (packet);
  g_assert_true (gst_rtp_buffer_get_extension_onebyte_header (&rtp,
      ids[rig->kind].twcc_ext_id, 0, &extension, &size));
  g_assert_cmpuint (size, ==, 2);
  g_assert_cmpuint (gst_rtp_buffer_get_csrc_count (&rtp), ==, 0);
  memcpy (seen.payload, gst_rtp_buffer_get_payload (&rtp),
      MIN (gst_rtp_buffer_get_payload_len (&rtp), sizeof seen.payload - 1));
  gst_rtp_buffer_unmap (&rtp);

  g_assert_cmphex (seen.ssrc, ==, ids[rig->kind].ssrc);
  g_assert_cmpuint (seen.type, ==, ids[rig->kind].payload_type);
  return seen;
}

/* The payload is pulled into a variable: that of a returned struct is gone by the end of
 * the assignment in GLib's assertion. */
static void
expect_payload (Rig *rig, const gchar *expected, gsize size)
{
  Seen seen = pull (rig);

  g_assert_cmpmem (seen.payload, size, expected, size);
}

static void
assert_nothing_left (Rig *rig)
{
  g_assert_cmpuint (gst_harness_buffers_in_queue (rig->h), ==, 0);
}

static guint
count_key_unit_requests (Rig *rig)
{
  guint requests = 0;

  while (gst_harness_upstream_events_in_queue (rig->h) > 0) {
    g_autoptr (GstEvent) event = gst_harness_pull_upstream_event (rig->h);
    requests += gst_video_event_is_force_key_unit (event);
  }
  return requests;
}

/* -- A thread that pushes ------------------------------------------------------------ */

typedef struct
{
  Rig *rig;
  GThread *thread;
  guint packets;
  GstClockTime from;
  const gchar *first;
  gint done;
  GstFlowReturn flow;
} Pusher;

static gpointer
push_all (gpointer data)
{
  Pusher *pusher = data;

  for (guint i = 0; i < pusher->packets && pusher->flow == GST_FLOW_OK; i++) {
    pusher->flow = gst_harness_push (pusher->rig->h,
        packet_at (pusher->rig, pusher->from + i * FRAME,
            i == 0 ? pusher->first : SLICE, TRUE));
    g_atomic_int_inc (&pusher->done);
  }
  return NULL;
}

static void
start_pushing (Pusher *pusher)
{
  pusher->thread = g_thread_new ("pusher", push_all, pusher);
}

static void
wait_until_waiting (Rig *rig)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE;

  while (!GST_CLOCK_TIME_IS_VALID (
      gst_ivs_gate_get_waiting_running_time (rig->gate))) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_thread_yield ();
  }
}

/* -- Closed --------------------------------------------------------------------------- */

static void
test_live_drops (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);

  g_assert_false (gst_ivs_gate_is_open (rig->gate));
  g_assert_cmpuint (stats_of (rig).last_buffer, ==, GST_CLOCK_TIME_NONE);
  for (guint i = 0; i < 3; i++)
    push_at (rig, i * FRAME, "x");
  assert_nothing_left (rig);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 3);
  g_assert_cmpuint (stats_of (rig).last_buffer, !=, GST_CLOCK_TIME_NONE);
  rig_free (rig);
}

static void
test_non_live_waits_and_loses_nothing (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, FALSE);
  Pusher pusher = { rig, .packets = 5, .from = 7 * FRAME, .first = IDR };
  Seen first;

  start_pushing (&pusher);
  wait_until_waiting (rig);
  g_assert_cmpuint (gst_ivs_gate_get_waiting_running_time (rig->gate), ==,
      7 * FRAME);
  g_assert_cmpint (g_atomic_int_get (&pusher.done), ==, 0);

  gst_ivs_gate_open (rig->gate);
  g_thread_join (pusher.thread);
  first = pull (rig);
  for (guint i = 1; i < 5; i++)
    g_assert_cmpuint (pull (rig).seq, ==, (guint16) (first.seq + i));
  g_assert_cmpuint (stats_of (rig).packets, ==, 5);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 0);
  g_assert_cmpuint (stats_of (rig).key_frames, ==, 1);
  g_assert_cmpint (rig->flowing, ==, 1);
  rig_free (rig);
}

static void
test_flush_wakes (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, FALSE);
  Pusher pusher = { rig, .packets = 5, .first = "x" };

  start_pushing (&pusher);
  wait_until_waiting (rig);
  g_assert_true (gst_harness_push_event (rig->h, gst_event_new_flush_start ()));
  g_thread_join (pusher.thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  g_assert_true (
      gst_harness_push_event (rig->h, gst_event_new_flush_stop (TRUE)));

  /* The session behind has seen none of it. */
  g_assert_cmpuint (gst_harness_events_received (rig->h), ==, 0);
  rig_free (rig);
}

static void
test_ready_wakes (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, FALSE);
  Pusher pusher = { rig, .packets = 5, .first = "x" };

  start_pushing (&pusher);
  wait_until_waiting (rig);
  gst_element_set_state (GST_ELEMENT (rig->gate), GST_STATE_READY);
  g_thread_join (pusher.thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  rig_free (rig);
}

/* discard and unplugging: what waits goes nowhere, and without an error. */
static void
test_let_go (gconstpointer data)
{
  void (*let_go) (GstIvsGate *, gboolean) = data;
  Rig *rig = rig_new (GST_IVS_AUDIO, FALSE);
  Pusher pusher = { rig, .packets = 5, .first = "x" };

  start_pushing (&pusher);
  wait_until_waiting (rig);
  let_go (rig->gate, TRUE);
  g_thread_join (pusher.thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_OK);
  g_assert_cmpint (pusher.done, ==, 5);
  assert_nothing_left (rig);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 5);

  let_go (rig->gate, FALSE);
  gst_ivs_gate_open (rig->gate);
  push_at (rig, FRAME, "x");
  pull (rig);
  rig_free (rig);
}

static void
test_paused_waits (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, FALSE);
  Pusher pusher = { rig, .packets = 1, .first = "x" };

  gst_element_set_state (GST_ELEMENT (rig->gate), GST_STATE_PAUSED);
  gst_ivs_gate_open (rig->gate);
  start_pushing (&pusher);
  wait_until_waiting (rig);
  assert_nothing_left (rig);
  gst_element_set_state (GST_ELEMENT (rig->gate), GST_STATE_PLAYING);
  g_thread_join (pusher.thread);
  pull (rig);
  rig_free (rig);
}

/* -- Opening --------------------------------------------------------------------------- */

static void
test_opening_waits_for_idr (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);

  push_at (rig, 0, IDR);
  count_key_unit_requests (rig);
  gst_ivs_gate_open (rig->gate);
  g_assert_cmpuint (count_key_unit_requests (rig), ==, 1);
  for (guint i = 1; i < 10; i++)
    push_at (rig, i * FRAME, SLICE);
  push_at (rig, 10 * FRAME, SECOND_SLICE);
  assert_nothing_left (rig);
  g_assert_cmpint (rig->flowing, ==, 0);
  /* Within half a second at most one more. */
  g_assert_cmpuint (count_key_unit_requests (rig), <=, 1);

  push_at (rig, 11 * FRAME, IDR);
  push_at (rig, 12 * FRAME, SLICE);
  expect_payload (rig, IDR, 4);
  expect_payload (rig, SLICE, 4);
  g_assert_cmpint (rig->flowing, ==, 1);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 11);
  g_assert_cmpuint (count_key_unit_requests (rig), <=, 1);
  rig_free (rig);
}

/* clang-format off */
static const struct
{
  const gchar *name;
  const gchar *payload;
  gsize size;
  gboolean begins;
} beginnings[] = {
  { "sps", SPS, 4, TRUE },
  { "idr", IDR, 4, TRUE },
  { "idr-second-slice", SECOND_SLICE, 4, FALSE },
  { "slice", SLICE, 4, FALSE },
  { "pps", PPS, 4, FALSE },
  { "stap-sps", "\x78\x00\x02\x09\x10\x00\x04" SPS, 11, TRUE },
  { "stap-idr", "\x78\x00\x04" IDR, 7, TRUE },
  { "stap-slice", "\x78\x00\x04" SLICE, 7, FALSE },
  { "stap-beyond-end", "\x78\x00\x05" IDR, 7, FALSE },
  { "stap-empty", "\x78\x00\x00" IDR, 7, FALSE },
  { "stap-short", "\x78\x00", 2, FALSE },
  { "fu-idr-start", "\x7c\x85\x88\x84", 4, TRUE },
  { "fu-idr-middle", "\x7c\x05\x88\x84", 4, FALSE },
  { "fu-slice-start", "\x7c\x81\x88\x84", 4, FALSE },
  { "fu-short", "\x7c\x85", 2, FALSE },
  { "nothing", "", 0, FALSE },
};
/* clang-format on */

static void
test_beginning (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  GstBuffer *packet =
      gst_rtp_buffer_new_allocate ((guint) beginnings[i].size, 0, 0);

  gst_buffer_fill (packet, 12, beginnings[i].payload, beginnings[i].size);
  gst_ivs_gate_open (rig->gate);
  g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_in_queue (rig->h), ==,
      beginnings[i].begins ? 1 : 0);
  rig_free (rig);
}

/* -- One stream ----------------------------------------------------------------------- */

static void
test_identity (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  Seen a, b, c;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "abc");
  push_at (rig, 20 * GST_MSECOND, "def");
  rig->seq += 2; /* lost on the way here: the receiver shall see it */
  push_at (rig, 40 * GST_MSECOND, "ghi");
  a = pull (rig);
  b = pull (rig);
  c = pull (rig);
  g_assert_cmpstr (a.payload, ==, "abc");
  g_assert_cmpstr (b.payload, ==, "def");
  g_assert_true (a.marker);
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  g_assert_cmpuint (c.seq, ==, (guint16) (b.seq + 3));
  g_assert_cmpuint (b.time, ==, a.time + 960);
  g_assert_cmpuint (c.time, ==, b.time + 960);
  g_assert_cmpuint (stats_of (rig).frames, ==, 3);
  g_assert_cmpuint (stats_of (rig).bytes, ==, 3 * (12 + 8 + 3));
  rig_free (rig);
}

/* A number that was sent may not be sent again: srtpenc would fail. */
static void
test_duplicates_and_late_ones (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  rig->seq--;
  push_at (rig, 0, "a");
  rig->seq -= 3;
  push_at (rig, 0, "z");
  rig->seq += 2;
  push_at (rig, 20 * GST_MSECOND, "b");
  a = pull (rig);
  b = pull (rig);
  assert_nothing_left (rig);
  g_assert_cmpstr (b.payload, ==, "b");
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  rig_free (rig);
}

/* Extensions, CSRCs and padding of upstream stay here. */
static void
test_strips (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  GstBuffer *packet = gst_rtp_buffer_new_allocate (3, 4, 2);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  const guint8 level[] = { 0x80 };

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READWRITE, &rtp));
  memcpy (gst_rtp_buffer_get_payload (&rtp), "abc", 3);
  g_assert_true (
      gst_rtp_buffer_add_extension_onebyte_header (&rtp, 5, level, 1));
  gst_rtp_buffer_unmap (&rtp);
  gst_ivs_gate_open (rig->gate);
  g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
  expect_payload (rig, "abc", sizeof "abc");
  g_assert_cmpuint (stats_of (rig).bytes, ==, 12 + 8 + 3);
  rig_free (rig);
}

static void
test_not_rtp (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);

  gst_ivs_gate_open (rig->gate);
  for (gsize size = 0; size < 20; size++) {
    GstBuffer *packet = gst_buffer_new_allocate (NULL, size, NULL);

    gst_buffer_memset (packet, 0, 0xff, size);
    g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
  }
  assert_nothing_left (rig);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 20);
  rig_free (rig);
}

/* A new session: nothing of the outage is in the numbers, all of it in the time. */
static void
test_reopening_continues (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, IDR);
  gst_ivs_gate_close (rig->gate);
  for (guint i = 1; i < 50; i++)
    push_at (rig, i * FRAME, SLICE);
  gst_ivs_gate_open (rig->gate);
  push_at (rig, 50 * FRAME, SLICE);
  push_at (rig, 51 * FRAME, IDR);
  a = pull (rig);
  b = pull (rig);
  assert_nothing_left (rig);
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  g_assert_cmpuint (b.time, ==, a.time + 51 * 3600);
  g_assert_cmpint (rig->flowing, ==, 2);
  rig_free (rig);
}

static void
test_new_payloader_continues (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  Seen a, b, c;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  rig->ssrc = 77;
  rig->seq = 12;
  rig->time = 5;
  push_at (rig, GST_SECOND, "b");
  /* the same, but it does not even say so */
  rig->seq = 40000;
  rig->time = 123456789;
  push_at (rig, 2 * GST_SECOND, "c");
  a = pull (rig);
  b = pull (rig);
  c = pull (rig);
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  g_assert_cmpuint (c.seq, ==, (guint16) (a.seq + 2));
  g_assert_cmpuint (b.time, ==, a.time + 48000);
  g_assert_cmpuint (c.time, ==, a.time + 96000);
  rig_free (rig);
}

/* The payloader's exact steps survive small differences to the running time. */
static void
test_exact_steps (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  GstBuffer *packet;
  guint32 first;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  first = pull (rig).time;
  for (guint i = 1; i < 10; i++) {
    packet = packet_at (rig, i * 20 * GST_MSECOND, "a", TRUE);
    GST_BUFFER_PTS (packet) += (i % 3) * GST_MSECOND;
    g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
    g_assert_cmpuint (pull (rig).time, ==, first + i * 960);
  }
  rig_free (rig);
}

static void
push_segment (Rig *rig, GstClockTime start, GstClockTime base)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  segment.base = base;
  g_assert_true (
      gst_harness_push_event (rig->h, gst_event_new_segment (&segment)));
}

/* A segment says at which running time 600 s of media time are. */
static void
test_segment_is_kept (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  push_segment (rig, 600 * GST_SECOND, GST_SECOND);
  push_at (rig, 600 * GST_SECOND, "b");
  a = pull (rig);
  b = pull (rig);
  g_assert_cmpuint (a.pts, ==, 0);
  g_assert_cmpuint (b.pts, ==, GST_SECOND);
  g_assert_cmpuint (b.time, ==, a.time + 48000);
  rig_free (rig);
}

/* A flushing seek sets upstream's running time back to 0: here time goes on. */
static void
test_seek_goes_on (void)
{
  Rig *rig = rig_new_at (GST_IVS_AUDIO, TRUE, 10 * GST_SECOND);
  Seen a, b, c;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 10 * GST_SECOND, "a");
  gst_harness_push_event (rig->h, gst_event_new_flush_start ());
  gst_harness_push_event (rig->h, gst_event_new_flush_stop (TRUE));
  push_segment (rig, 600 * GST_SECOND, 0);
  push_at (rig, 600 * GST_SECOND, "b");
  push_at (rig, 601 * GST_SECOND, "c");
  a = pull (rig);
  b = pull (rig);
  c = pull (rig);
  g_assert_cmpuint (a.pts, ==, 10 * GST_SECOND);
  g_assert_cmpuint (b.pts, ==, 10 * GST_SECOND);
  g_assert_cmpuint (c.pts, ==, 11 * GST_SECOND);
  g_assert_cmpuint (b.time, ==, a.time);
  g_assert_cmpuint (c.time, ==, a.time + 48000);
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  rig_free (rig);
}

static void
seek_to_start (Rig *rig)
{
  gst_harness_push_event (rig->h, gst_event_new_flush_start ());
  gst_harness_push_event (rig->h, gst_event_new_flush_stop (TRUE));
  push_segment (rig, 0, 0);
}

/* Both streams of a file are moved by the same, however late the second comes. */
static void
test_seek_keeps_sync (void)
{
  Rig *audio = rig_new_at (GST_IVS_AUDIO, TRUE, 10 * GST_SECOND);
  Rig *video = rig_new_at (GST_IVS_VIDEO, TRUE, 10 * GST_SECOND);
  Seen a, v;

  gst_ivs_gate_share_time (audio->gate, video->gate);
  gst_ivs_gate_open (audio->gate);
  gst_ivs_gate_open (video->gate);
  push_at (audio, 10 * GST_SECOND, "a");
  push_at (video, 10 * GST_SECOND, IDR);
  for (guint i = 0; i < 2; i++) {
    seek_to_start (audio);
    seek_to_start (video);
    push_at (audio, 0, "b");
    gst_harness_set_time (video->h, (11 + 10 * i) * GST_SECOND);
    push_at (video, 100 * GST_MSECOND, IDR);
    pull (audio);
    pull (video);
    a = pull (audio);
    v = pull (video);
    g_assert_cmpuint (v.pts, ==, a.pts + 100 * GST_MSECOND);

    gst_harness_set_time (audio->h, (20 + 10 * i) * GST_SECOND);
    gst_harness_set_time (video->h, (20 + 10 * i) * GST_SECOND);
    push_at (audio, 10 * GST_SECOND, "c");
    push_at (video, 10 * GST_SECOND, IDR);
  }
  rig_free (audio);
  rig_free (video);
}

/* Another upstream, or the same one with another chain. */
static void
begin_stream (Rig *rig, const gchar *id)
{
  g_assert_true (
      gst_harness_push_event (rig->h, gst_event_new_stream_start (id)));
  gst_harness_set_src_caps_str (rig->h, input_caps (rig->kind));
  push_segment (rig, 0, 0);
}

static void
set_time (Rig *rig, Rig *other, GstClockTime now)
{
  gst_harness_set_time (rig->h, now);
  gst_harness_set_time (other->h, now);
}

/* With what time leaves what comes at @at? */
static GstClockTime
pass (Rig *rig, GstClockTime at)
{
  push_at (rig, at, rig->kind == GST_IVS_VIDEO ? IDR : "x");
  return pull (rig).pts;
}

/* A clip that begins at running time 0 is moved; the camera after it is right as it is,
 * and so is the microphone, which went on all the time. */
static void
test_camera_comes_back (void)
{
  Rig *audio = rig_new_at (GST_IVS_AUDIO, TRUE, 10 * GST_SECOND);
  Rig *video = rig_new_at (GST_IVS_VIDEO, TRUE, 10 * GST_SECOND);

  gst_ivs_gate_share_time (audio->gate, video->gate);
  gst_ivs_gate_open (audio->gate);
  gst_ivs_gate_open (video->gate);
  for (guint64 now = 10; now < 100; now += 30) {
    set_time (audio, video, now * GST_SECOND);
    begin_stream (video, "camera");
    g_assert_cmpuint (pass (video, now * GST_SECOND), ==, now * GST_SECOND);
    begin_stream (video, "clip");
    g_assert_cmpuint (pass (video, 0), ==, now * GST_SECOND);
    set_time (audio, video, (now + 10) * GST_SECOND);
    g_assert_cmpuint (pass (video, 10 * GST_SECOND), ==,
        (now + 10) * GST_SECOND);
    begin_stream (audio, "microphone");
    g_assert_cmpuint (pass (audio, (now + 10) * GST_SECOND), ==,
        (now + 10) * GST_SECOND);
  }
  rig_free (audio);
  rig_free (video);
}

/* A camera is behind by its latency. It must not be taken for a clip that goes on, for
 * then it is ahead of now, and frozen until now has come so far. */
static void
test_late_camera_comes_back (void)
{
  Rig *rig = rig_new_at (GST_IVS_VIDEO, TRUE, 8 * GST_SECOND);

  gst_ivs_gate_open (rig->gate);
  g_assert_cmpuint (pass (rig, 5 * GST_SECOND), ==, 5 * GST_SECOND);
  begin_stream (rig, "clip");
  g_assert_cmpuint (pass (rig, 0), ==, 8 * GST_SECOND);
  gst_harness_set_time (rig->h, 16 * GST_SECOND);
  g_assert_cmpuint (pass (rig, 8 * GST_SECOND), ==, 16 * GST_SECOND);
  begin_stream (rig, "camera");
  g_assert_cmpuint (pass (rig, 13 * GST_SECOND), ==, 16 * GST_SECOND);
  rig_free (rig);
}

/* Other caps: a chain is plugged anew, which says again that the stream starts. However
 * long that takes, both streams of a source stay together. */
static void
test_new_chain_keeps_sync (void)
{
  Rig *audio = rig_new_at (GST_IVS_AUDIO, TRUE, 10 * GST_SECOND);
  Rig *video = rig_new_at (GST_IVS_VIDEO, TRUE, 10 * GST_SECOND);

  gst_ivs_gate_share_time (audio->gate, video->gate);
  gst_ivs_gate_open (audio->gate);
  gst_ivs_gate_open (video->gate);
  pass (audio, 10 * GST_SECOND);
  pass (video, 10 * GST_SECOND);
  begin_stream (audio, "new sound");
  begin_stream (video, "new picture");
  g_assert_cmpuint (pass (audio, 0), ==, 10 * GST_SECOND);
  g_assert_cmpuint (pass (video, 0), ==, 10 * GST_SECOND);

  set_time (audio, video, 30 * GST_SECOND);
  begin_stream (video, "new picture");
  g_assert_cmpuint (pass (video, 20 * GST_SECOND), ==, 30 * GST_SECOND);
  g_assert_cmpuint (pass (audio, 20 * GST_SECOND), ==, 30 * GST_SECOND);
  rig_free (audio);
  rig_free (video);
}

/* A clip that is the first on its pad, long after the microphone has begun. */
static void
test_clip_comes_late (void)
{
  Rig *audio = rig_new_at (GST_IVS_AUDIO, TRUE, 12 * GST_SECOND);
  Rig *video = rig_new_at (GST_IVS_VIDEO, FALSE, 12 * GST_SECOND);

  gst_ivs_gate_share_time (audio->gate, video->gate);
  gst_ivs_gate_open (audio->gate);
  gst_ivs_gate_open (video->gate);
  g_assert_cmpuint (pass (audio, 12 * GST_SECOND), ==, 12 * GST_SECOND);
  g_assert_cmpuint (pass (video, 0), ==, 12 * GST_SECOND);
  rig_free (audio);
  rig_free (video);
}

static void
test_time_offset (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, FALSE);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  gst_ivs_gate_set_time_offset (rig->gate, 5 * GST_SECOND);
  push_at (rig, GST_SECOND, "b");
  a = pull (rig);
  b = pull (rig);
  g_assert_cmpuint (b.pts, ==, 6 * GST_SECOND);
  g_assert_cmpuint (b.time, ==, a.time + 6 * 48000);
  rig_free (rig);
}

/* A microphone beside a film that had to wait: webrtcbin would hold up each of its
 * packets for as long, and its queue would drop most of them. */
static void
test_time_offset_of_live (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  gst_ivs_gate_set_time_offset (rig->gate, 5 * GST_SECOND);
  push_at (rig, GST_SECOND, "b");
  a = pull (rig);
  b = pull (rig);
  g_assert_cmpuint (b.pts, ==, GST_SECOND);
  g_assert_cmpuint (b.time, ==, a.time + 48000);
  rig_free (rig);
}

static void
test_without_timestamps (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, FALSE);
  GstBuffer *packet;
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  for (guint i = 0; i < 2; i++) {
    packet = packet_at (rig, i * 20 * GST_MSECOND, "a", TRUE);
    GST_BUFFER_PTS (packet) = GST_CLOCK_TIME_NONE;
    g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
  }
  a = pull (rig);
  b = pull (rig);
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  g_assert_cmpuint (b.time, ==, a.time + 960);
  rig_free (rig);
}

/* A payloader without PTS to go by: its timestamps stand still. */
static void
push_stuck (Rig *rig, GstClockTime dts, const gchar *payload, gboolean marker)
{
  GstBuffer *packet = packet_at (rig, 0, payload, marker);

  GST_BUFFER_PTS (packet) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DTS (packet) = dts;
  g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
}

/* Both packets of a picture have its time, which is DTS (an H.264 file that
 * was parsed) or else when the first of them came. */
static void
test_stuck_timestamps (gconstpointer data)
{
  gboolean has_dts = data != NULL;
  Rig *rig = rig_new_at (GST_IVS_VIDEO, TRUE, GST_SECOND);
  guint32 first = 0;

  gst_ivs_gate_open (rig->gate);
  for (guint i = 0; i < 4; i++) {
    GstClockTime at = GST_SECOND + i * FRAME;
    Seen a, b;

    gst_harness_set_time (rig->h, at);
    push_stuck (rig, has_dts ? at : GST_CLOCK_TIME_NONE, i == 0 ? IDR : SLICE,
        FALSE);
    gst_harness_set_time (rig->h, at + FRAME / 2);
    push_stuck (rig, has_dts ? at : GST_CLOCK_TIME_NONE, SECOND_SLICE, TRUE);
    a = pull (rig);
    b = pull (rig);
    first = i == 0 ? a.time : first;
    g_assert_cmpuint (a.time, ==, first + i * 3600);
    g_assert_cmpuint (b.time, ==, a.time);
    g_assert_cmpuint (a.pts, ==, at);
    g_assert_cmpuint (b.pts, ==, at);
  }
  rig_free (rig);
}

/* Two pictures that waited for the same: to a receiver one timestamp is one picture. */
static void
test_stuck_timestamps_at_once (void)
{
  Rig *rig = rig_new_at (GST_IVS_VIDEO, TRUE, GST_SECOND);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_stuck (rig, GST_CLOCK_TIME_NONE, IDR, TRUE);
  gst_harness_set_time (rig->h, GST_SECOND + 1);
  push_stuck (rig, GST_CLOCK_TIME_NONE, SLICE, TRUE);
  a = pull (rig);
  b = pull (rig);
  g_assert_cmpuint (b.time, ==, a.time + 1);
  rig_free (rig);
}

/* A non-live upstream is let through at its time, and can be stopped before. */
static void
test_paced (void)
{
  Rig *rig = rig_new_at (GST_IVS_AUDIO, FALSE, 0);
  GstTestClock *clock = gst_harness_get_testclock (rig->h);
  Pusher pusher = { rig, .packets = 3, .first = "x" };
  GstClockID id;

  gst_ivs_gate_open (rig->gate);
  start_pushing (&pusher);
  for (guint i = 1; i < 3; i++) {
    gst_test_clock_wait_for_next_pending_id (clock, &id);
    g_assert_cmpuint (gst_clock_id_get_time (id), ==, i * FRAME);
    gst_clock_id_unref (id);
    g_assert_cmpuint (gst_harness_buffers_received (rig->h), ==, i);
    if (i == 2) {
      gst_ivs_gate_close (rig->gate);
      wait_until_waiting (rig);
      g_assert_cmpuint (gst_ivs_gate_get_waiting_running_time (rig->gate), ==,
          2 * FRAME);
      gst_ivs_gate_open (rig->gate);
      gst_test_clock_wait_for_next_pending_id (clock, NULL);
    }
    g_assert_true (gst_test_clock_crank (clock));
  }
  g_thread_join (pusher.thread);
  g_assert_cmpuint (gst_harness_buffers_received (rig->h), ==, 3);
  gst_object_unref (clock);
  rig_free (rig);
}

/* A seek gives the pipeline another base time: what was over is still to come. */
static void
test_paced_by_another_base_time (void)
{
  Rig *rig = rig_new_at (GST_IVS_AUDIO, FALSE, 10 * FRAME);
  GstTestClock *clock = gst_harness_get_testclock (rig->h);
  GstElement *gate = GST_ELEMENT (rig->gate);
  Pusher pusher = { rig, .packets = 2, .first = "x" };
  GstClockID id;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "x");
  gst_element_set_state (gate, GST_STATE_PAUSED);
  gst_element_set_base_time (gate, 10 * FRAME);
  gst_element_set_state (gate, GST_STATE_PLAYING);
  start_pushing (&pusher);
  gst_test_clock_wait_for_next_pending_id (clock, &id);
  g_assert_cmpuint (gst_clock_id_get_time (id), ==, 11 * FRAME);
  gst_clock_id_unref (id);
  g_assert_true (gst_test_clock_crank (clock));
  g_thread_join (pusher.thread);
  g_assert_cmpuint (gst_harness_buffers_received (rig->h), ==, 3);
  gst_object_unref (clock);
  rig_free (rig);
}

/* -- Parameter sets -------------------------------------------------------------------- */

static void
test_parameter_sets_from_caps (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  g_autofree gchar *sps = g_base64_encode ((const guchar *) SPS, 4);
  g_autofree gchar *pps = g_base64_encode ((const guchar *) PPS, 4);
  g_autofree gchar *caps =
      g_strdup_printf ("%s,sprop-parameter-sets=(string)\"%s,%s\"",
          input_caps (GST_IVS_VIDEO), sps, pps);
  Seen sets, idr, slice;

  gst_harness_set_src_caps_str (rig->h, caps);
  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, IDR);
  push_at (rig, FRAME, SLICE);
  /* An IDR picture that brings its own needs no others. */
  g_assert_cmpint (gst_harness_push (rig->h,
                       packet_at (rig, 2 * FRAME, SPS, FALSE)),
      ==, GST_FLOW_OK);
  push_at (rig, 2 * FRAME, IDR);

  sets = pull (rig);
  idr = pull (rig);
  slice = pull (rig);
  g_assert_cmpmem (sets.payload, 13, "\x78\x00\x04" SPS "\x00\x04" PPS, 13);
  g_assert_false (sets.marker);
  g_assert_cmpuint (sets.time, ==, idr.time);
  g_assert_cmpuint (sets.pts, ==, idr.pts);
  g_assert_cmpuint (idr.seq, ==, (guint16) (sets.seq + 1));
  g_assert_cmpuint (slice.seq, ==, (guint16) (idr.seq + 1));
  expect_payload (rig, SPS, 4);
  expect_payload (rig, IDR, 4);
  assert_nothing_left (rig);
  g_assert_cmpuint (stats_of (rig).frames, ==, 3);
  g_assert_cmpuint (stats_of (rig).key_frames, ==, 2);
  rig_free (rig);
}

static void
test_bad_parameter_sets (gconstpointer data)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  g_autoptr (GstCaps) caps = gst_caps_from_string (input_caps (GST_IVS_VIDEO));
  g_autofree gchar *huge = g_strnfill (100000, 'A');

  gst_caps_set_simple (caps, "sprop-parameter-sets", G_TYPE_STRING,
      data != NULL ? (const gchar *) data : huge, NULL);
  gst_harness_set_src_caps (rig->h, g_steal_pointer (&caps));
  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, IDR);
  expect_payload (rig, IDR, 4);
  assert_nothing_left (rig);
  rig_free (rig);
}

/* -- Lists ------------------------------------------------------------------------------ */

static void
test_lists_stay_lists (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  GstBufferList *list = gst_buffer_list_new ();
  GstPad *pad = gst_element_get_static_pad (GST_ELEMENT (rig->gate), "sink");

  /* The beginning of the list is the end of a frame that nobody can decode. */
  gst_buffer_list_add (list, packet_at (rig, 0, SLICE, TRUE));
  gst_buffer_list_add (list, packet_at (rig, FRAME, IDR, FALSE));
  gst_buffer_list_add (list, packet_at (rig, FRAME, SECOND_SLICE, TRUE));
  push_at (rig, 0, SLICE);
  gst_ivs_gate_open (rig->gate);
  g_assert_cmpint (gst_pad_push_list (rig->h->srcpad, list), ==, GST_FLOW_OK);
  g_assert_cmpint (rig->lists, ==, 1);
  expect_payload (rig, IDR, 4);
  expect_payload (rig, SECOND_SLICE, 4);
  assert_nothing_left (rig);
  g_assert_cmpuint (stats_of (rig).key_frames, ==, 1);
  g_assert_cmpuint (stats_of (rig).packets, ==, 2);
  g_assert_cmpint (gst_pad_push_list (rig->h->srcpad, gst_buffer_list_new ()),
      ==, GST_FLOW_OK);
  gst_object_unref (pad);
  rig_free (rig);
}

static gpointer
free_memory (gpointer memory)
{
  gst_memory_unref (memory);
  return NULL;
}

/* More than are kept, in other threads, and one when all else is gone. */
static void
test_headers_are_used_again (void)
{
  GstIvsHeaders *headers = gst_ivs_headers_new ();
  GstMemory *taken[100];
  guint8 *data, *same;
  GstMemory *copy;
  GstMapInfo map;

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    taken[i] = gst_ivs_headers_take (headers, 20, &data);
  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    g_thread_join (g_thread_new ("free", free_memory, taken[i]));

  taken[0] = gst_ivs_headers_take (headers, 3, &data);
  memcpy (data, "abc", 3);
  copy = gst_memory_copy (taken[0], 1, -1);
  gst_memory_unref (taken[0]);
  taken[0] = gst_ivs_headers_take (headers, GST_IVS_HEADERS_SIZE, &same);
  g_assert_true (same == data);
  g_assert_true (copy->allocator == taken[0]->allocator);
  memset (same, 'x', GST_IVS_HEADERS_SIZE);
  gst_object_unref (headers);
  gst_memory_unref (taken[0]);

  g_assert_true (gst_memory_map (copy, &map, GST_MAP_READ));
  g_assert_cmpmem (map.data, map.size, "bc", 2);
  gst_memory_unmap (copy, &map);
  gst_memory_unref (copy);
}

static void
test_payload_is_not_copied (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  GstBuffer *packet = packet_at (rig, 0, "abc", TRUE);
  g_autoptr (GstBuffer) out = NULL;
  GstMapInfo in_map, out_map;
  GstMemory *in = gst_buffer_get_memory (packet, 1), *memory;

  gst_ivs_gate_open (rig->gate);
  g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
  out = gst_harness_pull (rig->h);
  g_assert_cmpuint (gst_buffer_n_memory (out), ==, 2);
  memory = gst_buffer_peek_memory (out, 1);
  g_assert_true (gst_memory_map (in, &in_map, GST_MAP_READ));
  g_assert_true (gst_memory_map (memory, &out_map, GST_MAP_READ));
  g_assert_true (out_map.data == in_map.data);
  gst_memory_unmap (memory, &out_map);
  gst_memory_unmap (in, &in_map);
  gst_memory_unref (in);
  rig_free (rig);
}

/* Bytes of @packet as a payloader lays them out: the header, the first @first bytes of
 * the payload and the rest in a memory each. */
static GstBuffer *
lay_out (GstBuffer *packet, gsize first)
{
  GstBuffer *laid_out = gst_buffer_new ();
  gsize size = gst_buffer_get_size (packet);
  gsize ends[] = { 12, 12 + first, size };
  gsize at = 0;

  for (guint i = 0; i < G_N_ELEMENTS (ends); at = ends[i++]) {
    GstMemory *memory = gst_allocator_alloc (NULL, ends[i] - at, NULL);
    GstMapInfo map;

    g_assert_true (gst_memory_map (memory, &map, GST_MAP_WRITE));
    gst_buffer_extract (packet, at, map.data, map.size);
    gst_memory_unmap (memory, &map);
    gst_buffer_append_memory (laid_out, memory);
  }
  GST_BUFFER_PTS (laid_out) = GST_BUFFER_PTS (packet);
  gst_buffer_unref (packet);
  return laid_out;
}

/* A fragment's two bytes go into the header's memory: the rest stays where it is. */
static void
test_fragments (void)
{
  static const gchar *const payloads[] = { "\x7c\x85\x88slice", "\x7c\x05more",
    "\x7c\x45last", "\x5c\x05other" };
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);

  gst_ivs_gate_open (rig->gate);
  for (guint i = 0; i < G_N_ELEMENTS (payloads); i++) {
    GstBuffer *packet = lay_out (packet_at (rig, 0, payloads[i], i == 2), 2);
    GstMemory *rest = gst_buffer_get_memory (packet, 2);
    g_autoptr (GstBuffer) left = NULL;

    g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
    left = gst_harness_try_pull (rig->h);
    g_assert_nonnull (left);
    g_assert_cmpuint (gst_buffer_n_memory (left), ==, 2);
    g_assert_true (gst_buffer_peek_memory (left, 1) == rest);
    g_assert_cmpint (gst_buffer_memcmp (left, 20, payloads[i],
                         strlen (payloads[i])),
        ==, 0);
    g_assert_cmpuint (gst_buffer_get_size (left), ==,
        20 + strlen (payloads[i]));
    gst_memory_unref (rest);
  }
  g_assert_cmpuint (stats_of (rig).key_frames, ==, 1);
  g_assert_cmpuint (stats_of (rig).frames, ==, 1);
  rig_free (rig);
}

/* Parameter sets are looked at as a whole, which may join the packet's memories. */
static void
test_parameter_set_in_pieces (void)
{
  static const gchar payload[] = SPS "and more than is looked at of a slice";
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);

  gst_ivs_gate_open (rig->gate);
  for (guint i = 1; i < sizeof payload - 1; i++) {
    GstBuffer *packet = lay_out (packet_at (rig, 0, payload, TRUE), i);
    g_autoptr (GstBuffer) left = NULL;

    g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
    left = gst_harness_try_pull (rig->h);
    g_assert_nonnull (left);
    g_assert_cmpuint (gst_buffer_get_size (left), ==, 20 + sizeof payload - 1);
    g_assert_cmpint (gst_buffer_memcmp (left, 20, payload, sizeof payload - 1),
        ==, 0);
  }
  rig_free (rig);
}

static void
assert_same (GstBuffer *packet, GstBuffer *other)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (other, &map, GST_MAP_READ));
  g_assert_cmpuint (gst_buffer_get_size (packet), ==, map.size);
  g_assert_cmpint (gst_buffer_memcmp (packet, 0, map.data, map.size), ==, 0);
  gst_buffer_unmap (other, &map);
  g_assert_cmpuint (GST_BUFFER_PTS (packet), ==, GST_BUFFER_PTS (other));
}

/* What somebody else holds as well, one packet or the list with it, is left as it is. */
static void
test_shared_packets (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  GstBuffer *single = lay_out (packet_at (rig, 0, "single", FALSE), 2);
  GstBuffer *listed = lay_out (packet_at (rig, FRAME, "listed", FALSE), 2);
  g_autoptr (GstBuffer) single_copy = gst_buffer_copy_deep (single);
  g_autoptr (GstBuffer) listed_copy = gst_buffer_copy_deep (listed);
  g_autoptr (GstBufferList) list = gst_buffer_list_new ();

  gst_ivs_gate_open (rig->gate);
  gst_buffer_list_add (list, listed);
  g_assert_cmpint (gst_harness_push (rig->h, gst_buffer_ref (single)), ==,
      GST_FLOW_OK);
  g_assert_cmpint (gst_pad_push_list (rig->h->srcpad,
                       gst_buffer_list_ref (list)),
      ==, GST_FLOW_OK);

  expect_payload (rig, "single", 7);
  expect_payload (rig, "listed", 7);
  assert_same (single, single_copy);
  assert_same (listed, listed_copy);
  gst_buffer_unref (single);
  rig_free (rig);
}

/* What upstream said of a packet that is changed itself does not go on. */
static void
test_nothing_else_goes_on (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  GstBuffer *packet = lay_out (packet_at (rig, 0, "sound", FALSE), 2);
  g_autoptr (GstCaps) reference = gst_caps_new_empty_simple ("timestamp/x-any");
  g_autoptr (GstBuffer) left = NULL;

  gst_buffer_add_reference_timestamp_meta (packet, reference, 1, 2);
  GST_BUFFER_DURATION (packet) = FRAME;
  GST_BUFFER_OFFSET (packet) = 17;
  gst_ivs_gate_open (rig->gate);
  g_assert_cmpint (gst_harness_push (rig->h, packet), ==, GST_FLOW_OK);
  left = gst_harness_try_pull (rig->h);
  g_assert_nonnull (left);
  g_assert_null (gst_buffer_get_reference_timestamp_meta (left, NULL));
  g_assert_cmpuint (GST_BUFFER_DURATION (left), ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (GST_BUFFER_OFFSET (left), ==, GST_BUFFER_OFFSET_NONE);
  g_assert_cmpuint (GST_BUFFER_PTS (left), ==, 0);
  rig_free (rig);
}

/* -- What stays outside ------------------------------------------------------------------ */

static void
test_eos_is_swallowed (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  g_assert_true (gst_harness_push_event (rig->h, gst_event_new_eos ()));
  g_assert_cmpint (rig->ended, ==, 1);

  g_assert_true (
      gst_harness_push_event (rig->h, gst_event_new_stream_start ("again")));
  gst_harness_set_src_caps_str (rig->h, input_caps (GST_IVS_AUDIO));
  push_segment (rig, 0, 0);
  push_at (rig, FRAME, "b");
  g_assert_true (gst_harness_push_event (rig->h, gst_event_new_eos ()));
  g_assert_cmpint (rig->ended, ==, 2);

  g_assert_cmpuint (gst_harness_buffers_received (rig->h), ==, 2);
  while (gst_harness_events_in_queue (rig->h) > 0) {
    g_autoptr (GstEvent) event = gst_harness_pull_event (rig->h);
    g_assert_cmpint (GST_EVENT_TYPE (event), !=, GST_EVENT_EOS);
  }
  rig_free (rig);
}

static GstFlowReturn
fail (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_ERROR;
}

static void
test_flow_errors_are_swallowed (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  GstPad *src = gst_element_get_static_pad (GST_ELEMENT (rig->gate), "src");
  GstPad *bad = gst_pad_new ("bad", GST_PAD_SINK);

  gst_ivs_gate_open (rig->gate);
  g_assert_true (gst_pad_unlink (src, rig->h->sinkpad));
  push_at (rig, 0, "not linked");

  gst_pad_set_chain_function (bad, fail);
  g_assert_cmpint (gst_pad_link (src, bad), ==, GST_PAD_LINK_OK);
  push_at (rig, FRAME, "flushing");
  gst_pad_set_active (bad, TRUE);
  push_at (rig, 2 * FRAME, "error");
  gst_pad_unlink (src, bad);
  g_assert_cmpuint (stats_of (rig).packets, ==, 0);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 3);
  g_assert_cmpint (rig->flowing, ==, 0);

  g_assert_cmpint (gst_pad_link (src, rig->h->sinkpad), ==, GST_PAD_LINK_OK);
  push_at (rig, 3 * FRAME, "ok");
  expect_payload (rig, "ok", sizeof "ok");
  g_assert_cmpint (rig->flowing, ==, 1);
  gst_object_unref (bad);
  gst_object_unref (src);
  rig_free (rig);
}

/* Each session gets stream-start, the caps and the segment, and nothing else. */
static void
test_headers_for_each_session (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  GstPad *src = gst_element_get_static_pad (GST_ELEMENT (rig->gate), "src");
  GstHarness *second = gst_harness_new_with_padnames ("identity", "sink", NULL);
  GstPad *sink = gst_element_get_static_pad (second->element, "sink");
  g_autoptr (GstCaps) stream = gst_ivs_gate_get_stream_caps (rig->gate);
  g_autoptr (GstCaps) caps = NULL;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, IDR);
  g_assert_true (gst_harness_push_event (rig->h,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "title", NULL))));
  for (guint i = 0; i < 3; i++) {
    const GstEventType expected[] = { GST_EVENT_STREAM_START, GST_EVENT_CAPS,
      GST_EVENT_SEGMENT };
    g_autoptr (GstEvent) event = gst_harness_pull_event (rig->h);
    g_assert_cmpint (GST_EVENT_TYPE (event), ==, expected[i]);
  }
  g_assert_cmpuint (gst_harness_events_in_queue (rig->h), ==, 0);

  gst_ivs_gate_close (rig->gate);
  g_assert_true (gst_pad_unlink (src, rig->h->sinkpad));
  gst_pad_unlink (second->srcpad, sink);
  g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  gst_ivs_gate_open (rig->gate);
  push_at (rig, FRAME, IDR);
  caps = gst_pad_get_current_caps (sink);
  g_assert_nonnull (caps);
  g_assert_true (gst_caps_is_equal (caps, stream));
  gst_pad_unlink (src, sink);
  gst_object_unref (sink);
  gst_object_unref (src);
  gst_harness_teardown (second);
  rig_free (rig);
}

static void
test_stream_caps (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  g_autoptr (GstCaps) caps = gst_ivs_gate_get_stream_caps (rig->gate);
  g_autoptr (GstCaps) expected = gst_caps_from_string (
      "application/x-rtp, media=video, encoding-name=H264, clock-rate=90000, "
      "payload=97, ssrc=(uint)0x22222222, packetization-mode=(string)1, "
      "extmap-3=(string)\"" GST_IVS_TWCC_URI "\"");

  g_assert_true (gst_caps_is_fixed (caps));
  g_assert_true (gst_caps_is_equal (caps, expected));
  rig_free (rig);
}

static void
test_upstream_events (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);

  count_key_unit_requests (rig);
  gst_harness_push_upstream_event (rig->h, gst_event_new_reconfigure ());
  gst_harness_push_upstream_event (rig->h,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1.0, 0, GST_SECOND));
  g_assert_cmpuint (gst_harness_upstream_events_in_queue (rig->h), ==, 0);
  gst_harness_push_upstream_event (rig->h,
      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE,
          1));
  g_assert_cmpuint (count_key_unit_requests (rig), ==, 1);
  rig_free (rig);
}

static void
test_input_caps (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  GstPad *sink = gst_element_get_static_pad (GST_ELEMENT (rig->gate), "sink");
  g_autoptr (GstCaps) any = gst_pad_query_caps (sink, NULL);
  g_autoptr (GstCaps) full = gst_caps_from_string (
      "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,"
      "payload=111,ssrc=(uint)5,profile-level-id=42c01f,extmap-3=(string)urn:x");
  g_autoptr (GstCaps) other = gst_caps_from_string (
      "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000");

  g_assert_true (gst_caps_can_intersect (any, full));
  g_assert_true (gst_pad_query_accept_caps (sink, full));
  g_assert_false (gst_pad_query_accept_caps (sink, other));
  gst_object_unref (sink);
  rig_free (rig);
}

/* PAUSED to READY and back: closed, and the next life is complete. */
static void
test_second_life (void)
{
  Rig *rig = rig_new (GST_IVS_AUDIO, TRUE);
  Seen a, b;

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, "a");
  gst_element_set_state (GST_ELEMENT (rig->gate), GST_STATE_READY);
  g_assert_false (gst_ivs_gate_is_open (rig->gate));
  gst_element_set_state (GST_ELEMENT (rig->gate), GST_STATE_PLAYING);

  g_assert_true (
      gst_harness_push_event (rig->h, gst_event_new_stream_start ("again")));
  gst_harness_set_src_caps_str (rig->h, input_caps (GST_IVS_AUDIO));
  push_segment (rig, 0, 0);
  gst_ivs_gate_open (rig->gate);
  push_at (rig, FRAME, "b");
  a = pull (rig);
  b = pull (rig);
  g_assert_cmpuint (b.seq, ==, (guint16) (a.seq + 1));
  g_assert_cmpuint (b.time, ==, a.time + 1920);
  rig_free (rig);
}

/* -- Another session while this one goes on -------------------------------------------- */

static GstFlowReturn
packet_reached_next (GstPad *pad, GstObject *parent, GstBuffer *packet)
{
  g_queue_push_tail (gst_pad_get_element_private (pad), packet);
  return GST_FLOW_OK;
}

static GstPad *
make_next (GQueue *packets)
{
  GstPad *pad = gst_object_ref_sink (gst_pad_new ("next", GST_PAD_SINK));

  g_queue_init (packets);
  gst_pad_set_element_private (pad, packets);
  gst_pad_set_chain_function (pad, packet_reached_next);
  gst_pad_set_active (pad, TRUE);
  return pad;
}

static guint16
take_number (GQueue *packets)
{
  g_autoptr (GstBuffer) packet = g_queue_pop_head (packets);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint16 number;

  g_assert_nonnull (packet);
  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  number = gst_rtp_buffer_get_seq (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  return number;
}

static void
push_list (Rig *rig, GstClockTime at, const gchar *const *payloads)
{
  GstBufferList *list = gst_buffer_list_new ();

  for (guint i = 0; payloads[i] != NULL; i++)
    gst_buffer_list_add (list,
        packet_at (rig, at, payloads[i], payloads[i + 1] == NULL));
  g_assert_cmpint (gst_pad_push_list (rig->h->srcpad, list), ==, GST_FLOW_OK);
}

/* What exceeds the budget is left out up to an IDR picture, for which upstream is only
 * asked when it would find room. */
static void
test_budget (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);

  gst_ivs_gate_open (rig->gate);
  gst_ivs_gate_set_budget (rig->gate, 1);
  push_at (rig, 0, IDR);
  count_key_unit_requests (rig);
  push_at (rig, FRAME, SLICE);
  push_at (rig, 2 * FRAME, IDR);
  push_at (rig, 3 * FRAME, SLICE);
  g_assert_cmpuint (count_key_unit_requests (rig), ==, 0);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 3);

  gst_ivs_gate_set_budget (rig->gate, 0);
  push_at (rig, 4 * FRAME, SLICE);
  push_at (rig, 5 * FRAME, IDR);
  push_at (rig, 6 * FRAME, SLICE);
  expect_payload (rig, IDR, 4);
  expect_payload (rig, IDR, 4);
  expect_payload (rig, SLICE, 4);
  assert_nothing_left (rig);
  g_assert_cmpuint (stats_of (rig).dropped, ==, 4);
  g_assert_cmpuint (stats_of (rig).offered, >, stats_of (rig).bytes);
  rig_free (rig);
}

static void
test_target_event (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  g_autoptr (GstEvent) event = NULL;

  gst_ivs_gate_announce (rig->gate,
      gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
          gst_structure_new_empty ("anything")));
  while (event == NULL || gst_event_get_structure (event) == NULL ||
      !gst_event_has_name (event, "anything")) {
    g_clear_pointer (&event, gst_event_unref);
    event = gst_harness_try_pull_upstream_event (rig->h);
    g_assert_nonnull (event);
  }
  rig_free (rig);
}

/* Even within one list: what is before the picture still goes where it went. */
static void
test_switch (void)
{
  const gchar *const mixed[] = { SLICE, SPS, IDR, NULL };
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  GQueue packets;
  g_autoptr (GstPad) next = make_next (&packets);
  g_autoptr (GstCaps) caps = NULL, expected = NULL;
  gint switched = 0;
  guint16 last;

  g_signal_connect (rig->gate, "switched", G_CALLBACK (count), &switched);
  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, IDR);
  count_key_unit_requests (rig);
  gst_ivs_gate_switch_to (rig->gate, next);
  g_assert_cmpuint (count_key_unit_requests (rig), ==, 1);
  push_at (rig, FRAME, SLICE);
  g_assert_true (gst_ivs_gate_is_switching (rig->gate));
  g_assert_cmpint (switched, ==, 0);
  push_list (rig, 2 * FRAME, mixed);
  g_assert_false (gst_ivs_gate_is_switching (rig->gate));
  g_assert_cmpint (switched, ==, 1);
  push_at (rig, 3 * FRAME, SLICE);

  expect_payload (rig, IDR, 4);
  expect_payload (rig, SLICE, 4);
  last = pull (rig).seq;
  assert_nothing_left (rig);
  for (guint16 i = 1; i <= 3; i++)
    g_assert_cmpuint (take_number (&packets), ==, (guint16) (last + i));
  g_assert_true (g_queue_is_empty (&packets));
  caps = gst_pad_get_current_caps (next);
  expected = gst_ivs_gate_get_stream_caps (rig->gate);
  g_assert_true (gst_caps_is_equal (caps, expected));
  g_assert_cmpuint (stats_of (rig).dropped, ==, 0);
  rig_free (rig);
}

static void
test_switch_forgotten (void)
{
  Rig *rig = rig_new (GST_IVS_VIDEO, TRUE);
  GQueue packets, others;
  g_autoptr (GstPad) next = make_next (&packets);
  g_autoptr (GstPad) other = make_next (&others);

  gst_ivs_gate_open (rig->gate);
  push_at (rig, 0, IDR);
  gst_ivs_gate_switch_to (rig->gate, next);
  gst_ivs_gate_forget_switch (rig->gate, other);
  g_assert_true (gst_ivs_gate_is_switching (rig->gate));
  gst_ivs_gate_forget_switch (rig->gate, next);
  g_assert_false (gst_ivs_gate_is_switching (rig->gate));
  push_at (rig, FRAME, IDR);
  pull (rig);
  pull (rig);
  g_assert_true (g_queue_is_empty (&packets));
  rig_free (rig);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);

  g_test_add_func ("/gate/closed/live-drops", test_live_drops);
  g_test_add_func ("/gate/closed/non-live-waits-and-loses-nothing",
      test_non_live_waits_and_loses_nothing);
  g_test_add_func ("/gate/closed/flush-wakes", test_flush_wakes);
  g_test_add_func ("/gate/closed/ready-wakes", test_ready_wakes);
  g_test_add_data_func ("/gate/closed/discard-lets-go",
      gst_ivs_gate_set_discard, test_let_go);
  g_test_add_data_func ("/gate/closed/unplugging-lets-go",
      gst_ivs_gate_set_unplugging, test_let_go);
  g_test_add_func ("/gate/paused-waits", test_paused_waits);
  g_test_add_func ("/gate/opening/waits-for-idr", test_opening_waits_for_idr);
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/gate/opening/begins/%s", beginnings[i].name);
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_beginning);
  }
  g_test_add_func ("/gate/stream/identity", test_identity);
  g_test_add_func ("/gate/stream/duplicates-and-late-ones",
      test_duplicates_and_late_ones);
  g_test_add_func ("/gate/stream/strips", test_strips);
  g_test_add_func ("/gate/stream/not-rtp", test_not_rtp);
  g_test_add_func ("/gate/stream/reopening-continues",
      test_reopening_continues);
  g_test_add_func ("/gate/stream/new-payloader-continues",
      test_new_payloader_continues);
  g_test_add_func ("/gate/stream/exact-steps", test_exact_steps);
  g_test_add_func ("/gate/stream/fragments", test_fragments);
  g_test_add_func ("/gate/stream/parameter-set-in-pieces",
      test_parameter_set_in_pieces);
  g_test_add_func ("/gate/stream/shared-packets", test_shared_packets);
  g_test_add_func ("/gate/stream/nothing-else-goes-on",
      test_nothing_else_goes_on);
  g_test_add_func ("/gate/stream/payload-is-not-copied",
      test_payload_is_not_copied);
  g_test_add_func ("/gate/headers-are-used-again", test_headers_are_used_again);
  g_test_add_func ("/gate/time/segment-is-kept", test_segment_is_kept);
  g_test_add_func ("/gate/time/seek-goes-on", test_seek_goes_on);
  g_test_add_func ("/gate/time/seek-keeps-sync", test_seek_keeps_sync);
  g_test_add_func ("/gate/time/camera-comes-back", test_camera_comes_back);
  g_test_add_func ("/gate/time/late-camera-comes-back",
      test_late_camera_comes_back);
  g_test_add_func ("/gate/time/new-chain-keeps-sync",
      test_new_chain_keeps_sync);
  g_test_add_func ("/gate/time/clip-comes-late", test_clip_comes_late);
  g_test_add_func ("/gate/time/offset", test_time_offset);
  g_test_add_func ("/gate/time/offset-of-live", test_time_offset_of_live);
  g_test_add_func ("/gate/time/without-timestamps", test_without_timestamps);
  g_test_add_data_func ("/gate/time/stuck-timestamps/dts", "dts",
      test_stuck_timestamps);
  g_test_add_data_func ("/gate/time/stuck-timestamps/arrival", NULL,
      test_stuck_timestamps);
  g_test_add_func ("/gate/time/stuck-timestamps/at-once",
      test_stuck_timestamps_at_once);
  g_test_add_func ("/gate/time/paced", test_paced);
  g_test_add_func ("/gate/paced-by-another-base-time",
      test_paced_by_another_base_time);
  g_test_add_func ("/gate/parameter-sets/from-caps",
      test_parameter_sets_from_caps);
  g_test_add_data_func ("/gate/parameter-sets/garbage", "!!!,,;",
      test_bad_parameter_sets);
  g_test_add_data_func ("/gate/parameter-sets/empty", "",
      test_bad_parameter_sets);
  g_test_add_data_func ("/gate/parameter-sets/huge", NULL,
      test_bad_parameter_sets);
  g_test_add_func ("/gate/lists-stay-lists", test_lists_stay_lists);
  g_test_add_func ("/gate/outside/eos", test_eos_is_swallowed);
  g_test_add_func ("/gate/outside/flow-errors", test_flow_errors_are_swallowed);
  g_test_add_func ("/gate/headers-for-each-session",
      test_headers_for_each_session);
  g_test_add_func ("/gate/stream-caps", test_stream_caps);
  g_test_add_func ("/gate/upstream-events", test_upstream_events);
  g_test_add_func ("/gate/input-caps", test_input_caps);
  g_test_add_func ("/gate/second-life", test_second_life);
  g_test_add_func ("/gate/budget", test_budget);
  g_test_add_func ("/gate/target-event", test_target_event);
  g_test_add_func ("/gate/switch", test_switch);
  g_test_add_func ("/gate/switch-forgotten", test_switch_forgotten);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
