/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a viewer gets when the network is narrow: whole pictures, and in time.
 */
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

#include "end-gstreamer.h"
#include "fake-estimator.h"
#include "packet-watch.h"
#include "publish-fixture.h"
#include "recording.h"

/* Each picture is another one, and takes whatever bit rate there is. */
#define PICTURE \
  "videotestsrc is-live=true pattern=zone-plate kx2=30 ky2=20 kt=3 " \
  "! video/x-raw,width=320,height=180,framerate=30/1"
#define ENCODED \
  PICTURE \
  " ! x264enc name=own tune=zerolatency threads=1 speed-preset=ultrafast " \
  "bitrate=800 key-int-max=15 ! video/x-h264,profile=constrained-baseline " \
  "! ivsstagesink name=s congestion-control=gcc-element " \
  "audiotestsrc is-live=true ! s."

#define VIDEO_RATE 90000
/* Bits per second: too little for it, and enough. */
#define NARROW 500000
#define ENOUGH 1200000
#define PATIENCE_MS 20000

static StageFixture *stage;
static gchar *folder;

/* Another controller than the element's own, so that nothing depends on how fast this
 * computer is. */
static PublishFixture *
make_publisher (void)
{
  PublishFixture *publish = publish_fixture_new (stage, ENCODED);

  publish_fixture_expect (publish, "frame-rate-low");
  publish_fixture_expect (publish, "key-frame-interval");
  publish_fixture_expect (publish, "audio-gaps");
  publish_fixture_expect (publish, "uplink-narrow");
  return publish;
}

/* (transfer full) */
static GstPad *
get_encoder_pad (PublishFixture *publish)
{
  g_autoptr (GstElement) own =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          "own");

  return gst_element_get_static_pad (own, "src");
}

static guint64
get_video_stat (PublishFixture *publish, const gchar *field)
{
  g_autoptr (GstStructure) stats = NULL, video = NULL;
  guint64 value = 0;

  g_object_get (publish_fixture_get_sink (publish), "stats", &stats, NULL);
  gst_structure_get (stats, "video", GST_TYPE_STRUCTURE, &video, NULL);
  gst_structure_get_uint64 (video, field, &value);
  return value;
}

/* -- What is left out does not harm what is left -------------------------------------- */

static GstPadProbeReturn
picture_encoded (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_ptr_array_add (data,
      gst_buffer_copy_deep (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

static gchar *
hash_picture (GstSample *sample)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  GstVideoInfo info;
  GstVideoFrame frame;

  g_assert_true (
      gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (&frame, &info,
      gst_sample_get_buffer (sample), GST_MAP_READ));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS (&frame); i++) {
    const guint8 *row = GST_VIDEO_FRAME_COMP_DATA (&frame, i);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, i); y++)
      g_checksum_update (checksum,
          row + y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, i),
          GST_VIDEO_FRAME_COMP_WIDTH (&frame, i));
  }
  gst_video_frame_unmap (&frame);
  return g_strdup (g_checksum_get_string (checksum));
}

/* (element-type utf8): of decoded pictures. */
static GPtrArray *
hash_pictures (const GPtrArray *samples)
{
  GPtrArray *hashes = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < samples->len; i++)
    g_ptr_array_add (hashes, hash_picture (samples->pdata[i]));
  return hashes;
}

static gboolean
has_begun (gpointer data)
{
  return get_video_stat (data, "frames") >= 30;
}

static gboolean
has_shed (gpointer data)
{
  return get_video_stat (data, "dropped") >= 200;
}

static gboolean
has_many_frames (gpointer data)
{
  return get_video_stat (data, "frames") >= 120;
}

static guint
count_pictures (const Recording *recording)
{
  guint n = 0;

  for (guint i = 0; i < recording->packets->len; i++) {
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

    g_assert_true (
        gst_rtp_buffer_map (recording->packets->pdata[i], GST_MAP_READ, &rtp));
    n += gst_rtp_buffer_get_marker (&rtp);
    gst_rtp_buffer_unmap (&rtp);
  }
  return n;
}

/* Every picture of @seen is one of @made, in their order. */
static void
assert_among (const GPtrArray *seen, const GPtrArray *made)
{
  guint at = 0;

  for (guint i = 0; i < seen->len; i++) {
    while (at < made->len && !g_str_equal (made->pdata[at], seen->pdata[i]))
      at++;
    if (at == made->len)
      g_error ("picture %u of %u was never made", i, seen->len);
    at++;
  }
}

static GPtrArray *
decode_encoded (const GPtrArray *encoded, GstCaps *caps)
{
  g_autofree gchar *format = gst_caps_to_string (caps);
  g_autofree gchar *description = g_strdup_printf (
      "appsrc name=in format=time max-bytes=0 caps=\"%s\" ! h264parse "
      "! openh264dec ! videoconvertscale ! video/x-raw,format=I420 "
      "! appsink name=out sync=false",
      format);

  return recording_decode (encoded, description);
}

/* What the stage got, decoded, are pictures as they come out of a decoder to which
 * nothing is missing, to the last bit. The network is a good one: what it loses is
 * another question. */
static void
test_shed (void)
{
  g_autoptr (GPtrArray) encoded =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  g_autoptr (GPtrArray) all = NULL, some = NULL, made = NULL, seen = NULL;
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_auto (Recording) recording = { 0 };
  g_autoptr (PublishFixture) publish = make_publisher ();

  pad = get_encoder_pad (publish);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, picture_encoded, encoded,
      NULL);
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  g_assert_true (publish_wait (has_begun, publish, PATIENCE_MS));
  fake_estimator_set (NARROW);
  g_assert_true (publish_wait (has_shed, publish, PATIENCE_MS));
  g_assert_true (publish_wait (has_many_frames, publish, PATIENCE_MS));
  recording_read (&recording, publish, folder, "video", VIDEO_RATE);
  caps = gst_pad_get_current_caps (pad);
  publish_fixture_stop (publish);

  all = decode_encoded (encoded, caps);
  g_assert_cmpuint (all->len, ==, encoded->len);
  made = hash_pictures (all);
  some = recording_decode_video (&recording);
  seen = hash_pictures (some);
  g_test_message ("%u pictures made, %u arrived, %u decoded", made->len,
      count_pictures (&recording), seen->len);
  g_assert_cmpuint (seen->len, ==, count_pictures (&recording));
  g_assert_cmpuint (seen->len + 15, <, made->len);
  assert_among (seen, made);
}

/* -- In time ------------------------------------------------------------------------------ */

#define FRAME_US (G_USEC_PER_SEC / 30)
/* In each part. */
#define N_PICTURES 90

typedef struct
{
  gint64 came_us, first_us, last_us; /* 0 = not yet */
} Passage;

/* When the pictures came to the element and left it, by their running time. */
typedef struct
{
  GMutex lock;
  GHashTable *passages;
  GArray *delays,
      *spreads; /* gint64, of those that have left, in microseconds */
} Watch;

static Passage *
get_passage (Watch *watch, GstPad *pad, GstBuffer *buffer)
{
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  gint64 time;
  Passage *passage;

  g_assert_nonnull (event);
  gst_event_parse_segment (event, &segment);
  time = (gint64) (gst_segment_to_running_time (segment, GST_FORMAT_TIME,
                       GST_BUFFER_PTS (buffer)) /
      GST_USECOND);
  passage = g_hash_table_lookup (watch->passages, &time);
  if (passage == NULL) {
    passage = g_new0 (Passage, 1);
    g_hash_table_insert (watch->passages, g_memdup2 (&time, sizeof time),
        passage);
  }
  return passage;
}

static GstPadProbeReturn
picture_came (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *watch = data;

  g_mutex_lock (&watch->lock);
  get_passage (watch, pad, GST_PAD_PROBE_INFO_BUFFER (info))->came_us =
      g_get_monotonic_time ();
  g_mutex_unlock (&watch->lock);
  return GST_PAD_PROBE_OK;
}

static void
packet_left (GstPad *pad, GstBuffer *packet, gpointer data)
{
  Watch *watch = data;
  gint64 now_us = g_get_monotonic_time ();
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  Passage *passage;
  gboolean is_video, is_last;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  is_video = gst_rtp_buffer_get_payload_type (&rtp) == 97;
  is_last = gst_rtp_buffer_get_marker (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  if (!is_video)
    return;
  g_mutex_lock (&watch->lock);
  passage = get_passage (watch, pad, packet);
  if (passage->first_us == 0)
    passage->first_us = now_us;
  if (is_last && passage->came_us > 0 && passage->last_us == 0) {
    gint64 delay = now_us - passage->came_us;
    gint64 spread = now_us - passage->first_us;

    passage->last_us = now_us;
    g_array_append_val (watch->delays, delay);
    g_array_append_val (watch->spreads, spread);
  }
  g_mutex_unlock (&watch->lock);
}

static gboolean
have_left (gpointer data)
{
  Watch *watch = data;
  guint n;

  g_mutex_lock (&watch->lock);
  n = watch->delays->len;
  g_mutex_unlock (&watch->lock);
  return n >= N_PICTURES;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *) a, second = *(const gint64 *) b;

  return first < second ? -1 : first > second;
}

static gint64
get_median (GArray *times)
{
  g_array_sort (times, compare_times);
  return g_array_index (times, gint64, times->len / 2);
}

/* Waits for pictures, forgets those before; what half of them took at most. */
static gint64
measure (Watch *watch, gint64 *spread)
{
  gint64 delay;

  g_mutex_lock (&watch->lock);
  g_array_set_size (watch->delays, 0);
  g_array_set_size (watch->spreads, 0);
  g_mutex_unlock (&watch->lock);
  g_assert_true (publish_wait (have_left, watch, PATIENCE_MS));
  g_mutex_lock (&watch->lock);
  delay = get_median (watch->delays);
  *spread = get_median (watch->spreads);
  g_test_message ("of %u pictures half left after %" G_GINT64_FORMAT
                  " us, nine of ten after %" G_GINT64_FORMAT
                  " us, and took %" G_GINT64_FORMAT " us to leave",
      watch->delays->len, delay,
      g_array_index (watch->delays, gint64, watch->delays->len * 9 / 10),
      *spread);
  g_mutex_unlock (&watch->lock);
  return delay;
}

static gboolean
is_told (gpointer data)
{
  guint estimate = 0;

  g_object_get (publish_fixture_get_sink (data), "estimated-bitrate", &estimate,
      NULL);
  return estimate == ENOUGH;
}

/* Before it is known how wide the network is, and when it is not as wide as it might be.
 * The middle one of the pictures: single ones wait for a processor. */
static void
test_delay (void)
{
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (PublishFixture) publish = make_publisher ();
  Watch watch = {
    .passages =
        g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free),
    .delays = g_array_new (FALSE, FALSE, sizeof (gint64)),
    .spreads = g_array_new (FALSE, FALSE, sizeof (gint64)),
  };
  gint64 delay, spread, wide_spread;

  g_mutex_init (&watch.lock);
  pad = get_encoder_pad (publish);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, picture_came, &watch,
      NULL);
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  packet_watch (publish_fixture_get_sink (publish), packet_left, &watch);
  delay = measure (&watch, &wide_spread);
  g_assert_cmpint (delay, <, FRAME_US);

  fake_estimator_set (ENOUGH);
  g_assert_true (publish_wait (is_told, publish, PATIENCE_MS));
  delay = measure (&watch, &spread);
  g_assert_cmpint (delay, <, FRAME_US);
  /* it was paced indeed */
  g_assert_cmpint (spread, >, wide_spread);
  g_assert_cmpint (spread, >, 3000);

  publish_fixture_stop (publish);
  g_hash_table_unref (watch.passages);
  g_array_unref (watch.delays);
  g_array_unref (watch.spreads);
  g_mutex_clear (&watch.lock);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const gchar *options[] = { "--record", NULL, NULL };
  gint status;

  gst_init (&argc, &argv);
  fake_estimator_register ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network-picture/shed-is-decoded", test_shed);
  g_test_add_func ("/network-picture/less-than-a-frame", test_delay);
  folder = g_dir_make_tmp ("stage-XXXXXX", &error);
  g_assert_no_error (error);
  options[1] = folder;
  stage = stage_fixture_start (options);
  status = g_test_run ();
  stage_fixture_stop (stage);
  recording_remove (folder);
  g_free (folder);
  end_gstreamer ();
  return status;
}
