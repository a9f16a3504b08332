/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the element sends when the network between it and the stage gets narrow.
 */
#include "end-gstreamer.h"
#include "fake-estimator.h"
#include "packet-watch.h"
#include "publish-fixture.h"
#include "whip-relay.h"

#include <gst/rtp/rtp.h>

/* Fine structures that move: whatever bit rate it gets, the encoder uses. */
#define PICTURE \
  "videotestsrc is-live=true pattern=zone-plate kx2=30 ky2=20 kt=3 " \
  "! video/x-raw,width=640,height=360,framerate=30/1"
#define SOUND "audiotestsrc is-live=true ! s."
#define SINK "ivsstagesink name=s"
#define RAW PICTURE " ! " SINK " "
/* An encoder that does not listen. */
#define ENCODED \
  PICTURE \
  " ! x264enc name=own tune=zerolatency speed-preset=ultrafast bitrate=1500 " \
  "key-int-max=30 ! video/x-h264,profile=constrained-baseline ! " SINK " "

#define PATIENCE_MS 20000

static StageFixture *stage;

/* A stage behind a network, and who publishes there. */
typedef struct
{
  UdpRelay *relay;
  WhipRelay *whip;
  PublishFixture *publish;
  GstElement *encoder; /* our own of the picture, or NULL */

  GMutex lock; /* of what upstream was told: */
  guint n_events;
  guint bitrate, total;
  guint least; /* bits per second since it is limited */
  gboolean is_limited;
  guint n_sent[128]; /* packets of each payload type */
} Net;

static void
encoder_made (GstElement *sink, GstElement *encoder, Net *net)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (encoder),
          "key-int-max") != NULL)
    g_set_object (&net->encoder, encoder);
}

static void
net_init (Net *net, const gchar *description, const gchar *const *dropped)
{
  g_mutex_init (&net->lock);
  net->relay = udp_relay_start (1);
  net->whip =
      whip_relay_start (net->relay, stage_fixture_get_regional_url (stage));
  whip_relay_drop_lines (net->whip, dropped);
  net->publish = publish_fixture_new (stage, "%s", description);
  g_object_set (publish_fixture_get_sink (net->publish), "whip-endpoint",
      whip_relay_get_url (net->whip), NULL);
  /* A machine that is busy, and a network that is narrow, leave too few pictures. */
  publish_fixture_expect (net->publish, "frame-rate-low");
  publish_fixture_expect (net->publish, "uplink-narrow");
  publish_fixture_expect (net->publish, "key-frame-interval");
  publish_fixture_expect (net->publish, "audio-gaps");
  g_signal_connect (publish_fixture_get_sink (net->publish), "encoder-setup",
      G_CALLBACK (encoder_made), net);
}

static void
net_play (Net *net)
{
  publish_fixture_play (net->publish);
  publish_fixture_wait_connection (net->publish, "connected", 20);
}

static void
net_clear (Net *net)
{
  g_clear_object (&net->encoder);
  publish_fixture_free (net->publish);
  whip_relay_stop (net->whip);
  udp_relay_stop (net->relay);
  g_mutex_clear (&net->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Net, net_clear)

/* 0: nothing limits it. */
static void
net_limit (Net *net, guint kbps)
{
  udp_relay_set_path (net->relay, UDP_RELAY_UP,
      &(UdpRelayPath){ .rate_bps = kbps * 1000, .delay_ms = 20 });
}

static guint
get_estimate (Net *net)
{
  guint estimate = 0;

  g_object_get (publish_fixture_get_sink (net->publish), "estimated-bitrate",
      &estimate, NULL);
  return estimate;
}

/* Of our encoder, bits per second. */
static guint
get_bitrate (Net *net)
{
  guint kbps = 0;

  g_assert_nonnull (net->encoder);
  g_object_get (net->encoder, "bitrate", &kbps, NULL);
  return kbps * 1000;
}

static guint
get_stat (Net *net, const gchar *field)
{
  g_autoptr (GstStructure) stats = NULL;
  guint value = 0;

  g_object_get (publish_fixture_get_sink (net->publish), "stats", &stats, NULL);
  if (stats != NULL)
    gst_structure_get_uint (stats, field, &value);
  return value;
}

/* -- Raw video --------------------------------------------------------------------- */

#define NARROW_KBPS 1000

/* Pictures pass: what comes before is the connection's. */
static gboolean
is_flowing (gpointer data)
{
  Net *net = data;

  return get_estimate (net) > 0 && get_stat (net, "estimated-bitrate") > 0;
}

static gboolean
is_below_limit (gpointer data)
{
  Net *net = data;

  return get_bitrate (net) < NARROW_KBPS * 1000 &&
      get_estimate (net) < NARROW_KBPS * 1100;
}

static gboolean
is_told_in_stats (gpointer data)
{
  Net *net = data;

  return get_stat (net, "encoder-target-bitrate") < NARROW_KBPS * 1000 &&
      get_stat (net, "estimated-bitrate") < NARROW_KBPS * 1100;
}

/* From the least that it had: how fast depends on what the computer makes of it. */
static gboolean
has_risen (gpointer data)
{
  Net *net = data;
  guint bitrate = get_bitrate (net);

  if (net->least == 0 || bitrate < net->least)
    net->least = bitrate;
  return bitrate > net->least + net->least / 4;
}

static void
test_raw (void)
{
  g_auto (Net) net = { 0 };

  net_init (&net, RAW SOUND, NULL);
  net_play (&net);
  g_assert_true (publish_wait (is_flowing, &net, PATIENCE_MS));
  g_assert_cmpuint (get_bitrate (&net), ==, 2500000);

  net_limit (&net, NARROW_KBPS);
  g_assert_true (publish_wait (is_below_limit, &net, PATIENCE_MS));
  g_assert_true (publish_wait (is_told_in_stats, &net, PATIENCE_MS));

  net_limit (&net, 0);
  g_assert_true (publish_wait (has_risen, &net, PATIENCE_MS));
}

/* -- Without feedback -------------------------------------------------------------- */

static gboolean
has_fallen (gpointer data)
{
  return get_bitrate (data) < 2000000;
}

/* The stage is not asked for it: reports of RTCP are what is left. */
static void
test_without_feedback (void)
{
  static const gchar *const dropped[] = { "a=extmap:",
    "a=rtcp-fb:96 transport-cc", "a=rtcp-fb:97 transport-cc", NULL };
  g_auto (Net) net = { 0 };

  net_init (&net, RAW SOUND, dropped);
  net_play (&net);
  net_limit (&net, NARROW_KBPS);
  g_assert_true (publish_wait (is_flowing, &net, PATIENCE_MS));
  g_assert_true (publish_wait (has_fallen, &net, 2 * PATIENCE_MS));
}

/* -- Nothing is done --------------------------------------------------------------- */

static gboolean
has_lost_much (gpointer data)
{
  Net *net = data;
  UdpRelayStats stats;

  udp_relay_get_stats (net->relay, UDP_RELAY_UP, &stats);
  return stats.overflowed >= 300;
}

static void
test_none (void)
{
  g_auto (Net) net = { 0 };

  net_init (&net, RAW "congestion-control=none " SOUND, NULL);
  net_play (&net);
  net_limit (&net, NARROW_KBPS);
  g_assert_true (publish_wait (has_lost_much, &net, PATIENCE_MS));
  g_assert_cmpuint (get_bitrate (&net), ==, 2500000);
  g_assert_cmpuint (get_estimate (&net), ==, 0);
}

/* -- Another controller ------------------------------------------------------------- */

static gboolean
is_as_estimated (gpointer data)
{
  return get_estimate (data) == 700000 && get_bitrate (data) < 700000;
}

static void
test_other_controller (void)
{
  g_auto (Net) net = { 0 };

  fake_estimator_register ();
  net_init (&net, RAW "congestion-control=gcc-element " SOUND, NULL);
  net_play (&net);
  g_assert_true (publish_wait (is_flowing, &net, PATIENCE_MS));
  fake_estimator_set (700000);
  g_assert_true (publish_wait (is_as_estimated, &net, PATIENCE_MS));
}

/* Before that one is registered: said once, and the own one works. */
static void
test_no_other_controller (void)
{
  g_auto (Net) net = { 0 };
  g_autoptr (GstMessage) warning = NULL;

  net_init (&net, RAW "congestion-control=gcc-element " SOUND, NULL);
  publish_fixture_expect (net.publish, "no-gcc-element");
  net_play (&net);
  warning = publish_fixture_wait_failure (net.publish, "no-gcc-element", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (warning), ==, GST_MESSAGE_WARNING);
  g_assert_true (publish_wait (is_flowing, &net, PATIENCE_MS));
}

/* -- Forward error correction --------------------------------------------------------- */

static gdouble
get_at_stage (Net *net, const gchar *path)
{
  g_autoptr (JsonNode) state = publish_fixture_look (net->publish);

  return publish_fixture_number (net->publish, state, path);
}

/* Packets that the network lost, and the stage's decoder has all the same. */
static gboolean
is_repaired (gpointer data)
{
  return get_at_stage (data, "session.video.never_arrived") -
      get_at_stage (data, "session.video.missing") >=
      3;
}

static void
packet_left (GstPad *pad, GstBuffer *packet, gpointer data)
{
  Net *net = data;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint type;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  type = gst_rtp_buffer_get_payload_type (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  g_mutex_lock (&net->lock);
  net->n_sent[type]++;
  g_mutex_unlock (&net->lock);
}

#define H264_TYPE 97
#define RED_TYPE 98

static guint
count_sent (Net *net, guint type)
{
  guint n;

  g_mutex_lock (&net->lock);
  n = net->n_sent[type];
  g_mutex_unlock (&net->lock);
  return n;
}

static void
test_fec (void)
{
  g_auto (Net) net = { 0 };

  net_init (&net, RAW "do-fec=true do-retransmission=false " SOUND, NULL);
  net_play (&net);
  packet_watch (publish_fixture_get_sink (net.publish), packet_left, &net);
  udp_relay_set_path (net.relay, UDP_RELAY_UP, &(UdpRelayPath){ .loss = 0.02 });
  g_assert_true (publish_wait (is_repaired, &net, PATIENCE_MS));
  g_assert_cmpuint (count_sent (&net, RED_TYPE), >, 0);
}

static gboolean
has_pictures (gpointer data)
{
  return get_at_stage (data, "session.video.frames") >= 60;
}

/* The stage is not asked for it, and answers without: it goes live, and nothing is sent
 * that was not agreed on. */
static void
test_fec_refused (void)
{
  static const gchar *const dropped[] = { "a=rtpmap:98 red",
    "a=rtpmap:99 ulpfec", NULL };
  g_auto (Net) net = { 0 };

  net_init (&net, RAW "do-fec=true do-retransmission=false " SOUND, dropped);
  net_play (&net);
  packet_watch (publish_fixture_get_sink (net.publish), packet_left, &net);
  g_assert_true (publish_wait (has_pictures, &net, PATIENCE_MS));
  g_assert_cmpuint (count_sent (&net, H264_TYPE), >, 0);
  g_assert_cmpuint (count_sent (&net, RED_TYPE), ==, 0);
}

/* -- Encoded video ------------------------------------------------------------------ */

static GstPadProbeReturn
upstream_event_came (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Net *net = data;
  const GstStructure *structure =
      gst_event_get_structure (GST_PAD_PROBE_INFO_EVENT (info));

  if (structure == NULL ||
      !gst_structure_has_name (structure, "ivs-target-bitrate"))
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&net->lock);
  net->n_events++;
  g_assert_true (gst_structure_get (structure, "bitrate", G_TYPE_UINT,
      &net->bitrate, "total-bitrate", G_TYPE_UINT, &net->total, "limited",
      G_TYPE_BOOLEAN, &net->is_limited, NULL));
  if (net->least == 0 || net->bitrate < net->least)
    net->least = net->bitrate;
  g_mutex_unlock (&net->lock);
  return GST_PAD_PROBE_OK;
}

static void
listen_at_encoder (Net *net)
{
  g_autoptr (GstElement) own =
      gst_bin_get_by_name (GST_BIN (
                               publish_fixture_get_pipeline (net->publish)),
          "own");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (own, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      upstream_event_came, net, NULL);
}

static gboolean
is_told_of_limit (gpointer data)
{
  Net *net = data;
  gboolean is_told;

  g_mutex_lock (&net->lock);
  is_told = net->is_limited && net->bitrate < NARROW_KBPS * 1000 &&
      net->total > net->bitrate;
  g_mutex_unlock (&net->lock);
  return is_told;
}

/* Or that nothing limits it any more. */
static gboolean
is_told_of_more (gpointer data)
{
  Net *net = data;
  gboolean is_told;

  g_mutex_lock (&net->lock);
  is_told = net->n_events > 0 &&
      (!net->is_limited || net->bitrate > net->least + net->least / 4);
  g_mutex_unlock (&net->lock);
  return is_told;
}

/* More than the few that the closed gate drops. */
static gboolean
is_shedding (gpointer data)
{
  g_autoptr (GstStructure) stats = NULL, video = NULL;
  guint64 dropped = 0;

  g_object_get (publish_fixture_get_sink (((Net *) data)->publish), "stats",
      &stats, NULL);
  gst_structure_get (stats, "video", GST_TYPE_STRUCTURE, &video, NULL);
  gst_structure_get_uint64 (video, "dropped", &dropped);
  return dropped >= 100;
}

static void
test_encoded (void)
{
  g_auto (Net) net = { 0 };
  g_autoptr (GstMessage) warning = NULL;

  net_init (&net, ENCODED SOUND, NULL);
  listen_at_encoder (&net);
  net_play (&net);
  g_assert_true (publish_wait (is_flowing, &net, PATIENCE_MS));
  net_limit (&net, NARROW_KBPS);
  g_assert_true (publish_wait (is_told_of_limit, &net, PATIENCE_MS));
  g_assert_true (publish_wait (is_shedding, &net, PATIENCE_MS));
  warning = publish_fixture_wait_failure (net.publish, "uplink-narrow", 20);
  g_assert_cmpint (GST_MESSAGE_TYPE (warning), ==, GST_MESSAGE_WARNING);

  net_limit (&net, 0);
  g_assert_true (publish_wait (is_told_of_more, &net, PATIENCE_MS));
}

int
main (int argc, char **argv)
{
  gint status;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  stage = stage_fixture_start (NULL);

  g_test_add_func ("/network/raw/follows-the-uplink", test_raw);
  g_test_add_func ("/network/raw/without-feedback", test_without_feedback);
  g_test_add_func ("/network/raw/none-leaves-all-alone", test_none);
  g_test_add_func ("/network/raw/without-the-other-controller",
      test_no_other_controller);
  g_test_add_func ("/network/raw/other-controller", test_other_controller);
  g_test_add_func ("/network/fec", test_fec);
  g_test_add_func ("/network/fec-refused", test_fec_refused);
  g_test_add_func ("/network/encoded/is-told-and-shed", test_encoded);
  status = g_test_run ();

  stage_fixture_stop (stage);
  end_gstreamer ();
  return status;
}
