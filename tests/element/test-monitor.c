/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the monitor says of what real encoders and payloaders make, and of silence.
 *
 * Pipelines run as fast as they can; the monitor's clock is the running time of
 * their packets.
 */
#include "end-gstreamer.h"
#include "gstivsencoding.h"
#include "gstivsmonitor.h"
#include <gst/app/gstappsink.h>
#include <gst/rtp/rtp.h>
#include <string.h>
#include "gstivsh264.h"
#include "no-error-posted.h"
#include "test-table.h"

#define DEADLINE (60 * GST_SECOND)
/* GLib 2.84's assertion with an epsilon is a warning with clang (-Wdouble-promotion). */
#define assert_near(value, expected, epsilon) \
  g_assert_cmpfloat (ABS ((value) - (expected)), <, epsilon)
#define EPOCH (1000 * GST_SECOND) /* of the monitor's clock; anything but 0 */

/* -- A run ------------------------------------------------------------------------- */

typedef struct
{
  GstIvsMonitor *monitor;
  GstClockTime now, judged;
  guint counts[IVS_N_DIAGNOSES];
  IvsFinding findings[IVS_N_DIAGNOSES];
  GString *names; /* in the order of the table: "profile b-frames" */
} Run;

static void
found (const IvsFinding *finding, gpointer data)
{
  Run *run = data;
  g_autofree gchar *sentence = ivs_finding_dup_sentence (finding);

  g_test_message ("%.1f s: %s: %s", (gdouble) (run->now - EPOCH) / GST_SECOND,
      finding->row->name, sentence);
  run->counts[finding->diagnosis]++;
  run->findings[finding->diagnosis] = *finding;
}

static void
run_init (Run *run)
{
  memset (run, 0, sizeof *run);
  run->monitor = gst_ivs_monitor_new ();
  run->now = run->judged = EPOCH;
  run->names = g_string_new (NULL);
}

static void
run_clear (Run *run)
{
  g_string_free (run->names, TRUE);
  gst_ivs_monitor_unref (run->monitor);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* Judges at each full second on the way. */
static void
run_until (Run *run, GstClockTime now)
{
  while (run->judged + GST_SECOND <= now) {
    run->judged += GST_SECOND;
    run->now = MAX (run->now, run->judged);
    gst_ivs_monitor_judge (run->monitor, run->judged, found, run);
  }
  run->now = MAX (run->now, now);
}

static const gchar *
names_of_findings (Run *run)
{
  g_string_truncate (run->names, 0);
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++)
    if (run->counts[i] > 0)
      g_string_append_printf (run->names, "%s%s",
          run->names->len > 0 ? " " : "",
          ivs_diagnosis_get_row ((IvsDiagnosis) i)->name);
  return run->names->str;
}

static void
feed (Run *run, GstIvsKind kind, GstBuffer *packet, guint clock_divisor)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  if (clock_divisor == 1) {
    gst_ivs_monitor_buffer (run->monitor, kind, packet, run->now);
    return;
  }

  /* What a payloader with another clock would have made. */
  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  gst_ivs_monitor_packet (run->monitor, kind, gst_rtp_buffer_get_payload (&rtp),
      gst_rtp_buffer_get_payload_len (&rtp), gst_rtp_buffer_get_marker (&rtp),
      gst_rtp_buffer_get_timestamp (&rtp) / clock_divisor, run->now);
  gst_rtp_buffer_unmap (&rtp);
}

/* The time at which it would leave. */
static GstClockTime
time_of_sample (GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);

  return EPOCH +
      gst_segment_to_running_time (gst_sample_get_segment (sample),
          GST_FORMAT_TIME, GST_BUFFER_DTS_OR_PTS (buffer));
}

/* Takes @pipeline, which ends in an appsink of the name "sink", and runs it to its
 * end. */
static void
run_pipeline (Run *run, GstIvsKind kind, GstElement *pipeline,
    guint clock_divisor)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;
  guint packets = 0;

  gst_ivs_monitor_expect (run->monitor, kind, TRUE, run->now);
  g_object_set (sink, "sync", FALSE, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_try_pull_sample (GST_APP_SINK (sink),
              DEADLINE)) != NULL) {
    run_until (run, time_of_sample (sample));
    feed (run, kind, gst_sample_get_buffer (sample), clock_divisor);
    gst_sample_unref (sample);
    packets++;
  }
  assert_no_error_posted (pipeline);
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (sink)));
  g_assert_cmpuint (packets, >, 0);
  /* A look after the last packet. */
  run_until (run, run->now + GST_SECOND);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static GstElement *
parse_pipeline (const gchar *description)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);

  g_assert_no_error (error);
  return pipeline;
}

/* -- Encoders that users set up ------------------------------------------------------ */

typedef struct
{
  const gchar *name;
  const gchar *media;  /* properties of videotestsrc, and its caps */
  const gchar *encode; /* what makes H.264 of it */
  const gchar *pay;    /* properties of rtph264pay */
  const gchar *found;
  const gchar *measured; /* of the first that was found, a regular expression */
} VideoCase;

#define X264 \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=500 "
#define BASELINE " ! video/x-h264,profile=constrained-baseline"
#define HIGH " ! video/x-h264,profile=high"
#define OPENH264 "openh264enc gop-size=30 rate-control=bitrate bitrate=500000 "
#define QVGA \
  "num-buffers=60 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1"

/* clang-format off */
static const VideoCase video_cases[] = {
  { "x264", QVGA, X264 BASELINE, "", "" },
  { "x264-scene-cuts", "pattern=snow num-buffers=240 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1",
    X264 "key-int-max=60 speed-preset=veryfast" BASELINE, "", "key-frames-too-often", "^one every 0\\.2. s$" },
  { "x264-slices", QVGA, X264 "sliced-threads=true threads=4 ip-factor=1" BASELINE, "", "" },
  { "openh264", QVGA, OPENH264 BASELINE, "", "" },
  { "openh264-slices", QVGA, OPENH264 "slice-mode=n-slices num-slices=4" BASELINE, "", "" },
  { "aggregated", QVGA, X264 BASELINE, "aggregate-mode=max-stap", "" },
  { "small-packets", QVGA, X264 BASELINE, "mtu=200", "" },

  { "x264-b-frames", QVGA, "x264enc bframes=3 b-adapt=false key-int-max=30 bitrate=500 speed-preset=veryfast", "",
    "profile b-frames", "^high$" },
  { "x264-b-frames-main", QVGA, "x264enc bframes=1 b-adapt=false key-int-max=30 bitrate=500 ! video/x-h264,profile=main", "",
    "profile b-frames", "^main$" },
  { "x264-reordering", "num-buffers=1 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1",
    "x264enc bframes=3 b-adapt=false", "", "profile reordering", "^high$" },
  { "x264-high", QVGA, X264 "speed-preset=veryfast" HIGH, "", "profile", "^high$" },
  { "x264-main", QVGA, X264 "speed-preset=veryfast ! video/x-h264,profile=main", "", "profile", "^main$" },
  { "openh264-high", QVGA, OPENH264 HIGH, "", "profile", "^constrained-high$" },

  { "1080p", "num-buffers=5 ! video/x-raw,format=I420,width=1920,height=1080,framerate=30/1", X264 BASELINE, "",
    "resolution", "1920x1080" },
  { "1080p-portrait", "num-buffers=5 ! video/x-raw,format=I420,width=1080,height=1920,framerate=30/1", OPENH264 BASELINE, "",
    "resolution", "1080x1920" },
  { "720p", "num-buffers=5 ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1", X264 BASELINE, "", "" },
  { "720p-portrait", "num-buffers=5 ! video/x-raw,format=I420,width=720,height=1280,framerate=30/1", OPENH264 BASELINE, "", "" },
  { "just-too-large", "num-buffers=5 ! video/x-raw,format=I420,width=1282,height=720,framerate=30/1", X264 BASELINE, "",
    "resolution", "1282x720" },
  { "thumbnail", "num-buffers=5 ! video/x-raw,format=I420,width=160,height=120,framerate=30/1", X264 BASELINE, "",
    "resolution-small", "160x120" },

  { "gop-of-300", "num-buffers=360 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1", X264 "key-int-max=300" BASELINE, "",
    "key-frame-interval", "^none for (2\\.[5-9]|3\\..) s" },
  { "openh264-gop-of-300", "num-buffers=360 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1", OPENH264 "gop-size=300" BASELINE, "",
    "key-frame-interval", "^none for (2\\.[5-9]|3\\..) s" },
  { "intra-only", "num-buffers=240 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1", X264 "key-int-max=1" BASELINE, "",
    "key-frames-too-often", "one every 0.03 s" },

  { "5-frames", "num-buffers=50 ! video/x-raw,format=I420,width=320,height=240,framerate=5/1", X264 "key-int-max=5" BASELINE, "",
    "frame-rate-low", "^[45]\\.. frames/s" },
  { "10-frames", "num-buffers=80 ! video/x-raw,format=I420,width=320,height=240,framerate=10/1", X264 "key-int-max=10" BASELINE, "", "" },
  { "60-frames", "num-buffers=420 ! video/x-raw,format=I420,width=320,height=240,framerate=60/1", X264 "key-int-max=60" BASELINE, "", "" },
  { "90-frames", "num-buffers=630 ! video/x-raw,format=I420,width=320,height=240,framerate=90/1", X264 "key-int-max=90" BASELINE, "",
    "frame-rate-high", "^(90|89)\\.. frames/s" },

  { "9-megabit", "pattern=snow num-buffers=150 ! video/x-raw,format=I420,width=480,height=270,framerate=30/1",
    X264 "bitrate=9500 vbv-buf-capacity=300" BASELINE, "", "video-bitrate", "^(8\\.[5-9]|9\\..|10\\..) Mbit/s over 3 s" },
  { "4-megabit", "pattern=snow num-buffers=330 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1",
    X264 "bitrate=4000 vbv-buf-capacity=300" BASELINE, "", "video-bitrate-advised", "^[34]\\.. Mbit/s over 10 s" },

  { "sets-in-caps-only", QVGA, X264 "option-string=repeat-headers=0" BASELINE ",stream-format=avc", "config-interval=0",
    "no-parameter-sets", "^(.) of \\1 key frames" },
  { "sets-in-caps-sent", QVGA, X264 "option-string=repeat-headers=0" BASELINE ",stream-format=avc", "config-interval=-1", "" },
};
/* clang-format on */

/* The first diagnosis that was found. */
static const IvsFinding *
first_finding (Run *run)
{
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++)
    if (run->counts[i] > 0)
      return &run->findings[i];
  return NULL;
}

static void
test_video (gconstpointer data)
{
  const VideoCase *row = data;
  g_auto (Run) run;
  g_autofree gchar *description = g_strdup_printf (
      "videotestsrc %s ! %s ! rtph264pay mtu=1200 config-interval=-1 %s ! "
      "appsink name=sink",
      row->media, row->encode, row->pay);

  run_init (&run);
  run_pipeline (&run, GST_IVS_VIDEO, parse_pipeline (description), 1);
  g_assert_cmpstr (names_of_findings (&run), ==, row->found);
  if (row->measured != NULL) {
    const gchar *text = first_finding (&run)->measured_text;

    g_test_message ("measured: %s", text);
    g_assert_true (g_regex_match_simple (row->measured, text, 0, 0));
  }
}

static void
test_audio_stats (Run *run, guint channels, guint rate)
{
  g_autoptr (GstStructure) stats =
      gst_ivs_monitor_make_stats (run->monitor, GST_IVS_AUDIO, run->now);
  guint value = 0;

  g_assert_true (gst_structure_get_uint (stats, "channels", &value));
  g_assert_cmpuint (value, ==, channels);
  g_assert_true (gst_structure_get_uint (stats, "sample-rate", &value));
  g_assert_cmpuint (value, ==, rate);
}

typedef struct
{
  const gchar *name;
  guint rate, channels; /* that go into opusenc */
  const gchar *source;  /* properties of audiotestsrc */
  const gchar *encoder; /* properties of opusenc */
  const gchar *pay;     /* properties of rtpopuspay */
  guint announced;      /* channels */
  guint clock_divisor;
  guint bandwidth; /* that is coded; 0 = not looked at */
  const gchar *found;
  const gchar *measured;
} AudioCase;

/* clang-format off */
static const AudioCase audio_cases[] = {
  { "mono", 48000, 1, "", "bitrate=64000", "", 1, 1, 48000, "" },
  { "stereo", 48000, 2, "", "bitrate=128000", "", 2, 1, 48000, "" },
  { "stereo-unknown-offer", 48000, 2, "", "bitrate=128000", "", 0, 1, 48000, "" },
  { "mono-in-stereo-offer", 48000, 1, "", "bitrate=64000", "", 2, 1, 48000, "" },
  { "24-khz", 24000, 1, "", "bitrate=64000", "", 1, 1, 24000, "" },
  { "16-khz", 16000, 2, "", "bitrate=64000", "", 2, 1, 16000, "" },
  { "12-khz", 12000, 1, "", "bitrate=32000 audio-type=voice", "", 1, 1, 12000, "" },
  { "8-khz", 8000, 1, "", "bitrate=32000", "", 1, 1, 8000, "" },
  { "160-kbit", 48000, 2, "wave=white-noise", "bitrate=160000", "", 2, 1, 48000, "" },
  { "160-kbit-vbr", 48000, 2, "wave=white-noise", "bitrate=160000 bitrate-type=constrained-vbr", "", 2, 1, 48000, "" },
  { "frames-of-2.5-ms", 48000, 1, "", "bitrate=64000 frame-size=2.5", "", 1, 1, 48000, "" },
  { "frames-of-60-ms", 48000, 1, "", "bitrate=64000 frame-size=60", "", 1, 1, 0, "" },
  { "silence", 48000, 2, "wave=silence", "bitrate=64000", "", 2, 1, 0, "" },
  { "silence-vbr", 48000, 1, "wave=silence", "bitrate=64000 bitrate-type=vbr", "", 1, 1, 0, "" },

  { "256-kbit", 48000, 2, "wave=white-noise", "bitrate=256000", "", 2, 1, 48000,
    "audio-bitrate", "^25[0-9] kbit/s over 5 s" },
  { "stereo-in-mono-offer", 48000, 2, "", "bitrate=64000", "", 1, 1, 48000,
    "audio-channels", "^2 channels, 1 announced$" },
  { "clock-of-16-khz", 16000, 1, "", "bitrate=64000", "", 1, 3, 0,
    "audio-sample-rate", "^1(59|60)[0-9][0-9] Hz$" },
  { "dtx", 16000, 1, "wave=silence", "bitrate=24000 dtx=true audio-type=voice", "", 1, 1, 0,
    "audio-gaps", "^[5-9][0-9] % of the time$" },
  { "dtx-not-sent", 16000, 1, "wave=silence", "bitrate=24000 dtx=true audio-type=voice", "dtx=true", 1, 1, 0,
    "audio-gaps", "^[5-9][0-9] % of the time$" },
};
/* clang-format on */

static void
test_audio (gconstpointer data)
{
  const AudioCase *row = data;
  g_auto (Run) run;
  g_autofree gchar *description = g_strdup_printf (
      "audiotestsrc num-buffers=400 samplesperbuffer=%u %s ! "
      "audio/x-raw,rate=%u,channels=%u ! opusenc %s ! rtpopuspay %s ! "
      "appsink name=sink",
      row->rate / 50, row->source, row->rate, row->channels, row->encoder,
      row->pay);

  run_init (&run);
  gst_ivs_monitor_announce_channels (run.monitor, row->announced);
  run_pipeline (&run, GST_IVS_AUDIO, parse_pipeline (description),
      row->clock_divisor);
  g_assert_cmpstr (names_of_findings (&run), ==, row->found);
  if (row->measured != NULL) {
    const gchar *text = first_finding (&run)->measured_text;

    g_test_message ("measured: %s", text);
    g_assert_true (g_regex_match_simple (row->measured, text, 0, 0));
  }
  if (row->bandwidth != 0)
    test_audio_stats (&run, row->channels, row->bandwidth);
}

/* -- The chains that the element plugs ------------------------------------------------ */

typedef struct
{
  const gchar *name;
  GstIvsKind kind;
  const gchar *source; /* its caps are fixed by what follows */
  const gchar *caps;
  const gchar *encoder; /* that makes it; NULL = the best */
} DefaultCase;

/* clang-format off */
static const DefaultCase default_cases[] = {
  { "video-720p", GST_IVS_VIDEO, "videotestsrc num-buffers=100",
    "video/x-raw, format=(string)I420, width=(int)1280, height=(int)720, framerate=(fraction)30/1" },
  { "video-1080p-is-scaled", GST_IVS_VIDEO, "videotestsrc num-buffers=10",
    "video/x-raw, format=(string)I420, width=(int)1920, height=(int)1080, framerate=(fraction)30/1" },
  { "video-noise", GST_IVS_VIDEO, "videotestsrc pattern=snow num-buffers=330",
    "video/x-raw, format=(string)I420, width=(int)480, height=(int)270, framerate=(fraction)30/1" },
  { "video-720p-openh264", GST_IVS_VIDEO, "videotestsrc num-buffers=100",
    "video/x-raw, format=(string)I420, width=(int)1280, height=(int)720, framerate=(fraction)30/1", "openh264enc" },
  { "video-noise-openh264", GST_IVS_VIDEO, "videotestsrc pattern=snow num-buffers=330",
    "video/x-raw, format=(string)I420, width=(int)480, height=(int)270, framerate=(fraction)30/1", "openh264enc" },
  { "video-15-frames", GST_IVS_VIDEO, "videotestsrc pattern=ball num-buffers=100",
    "video/x-raw, format=(string)I420, width=(int)640, height=(int)360, framerate=(fraction)15/1" },
  { "audio-mono", GST_IVS_AUDIO, "audiotestsrc num-buffers=600 samplesperbuffer=960",
    "audio/x-raw, format=(string)S16LE, rate=(int)48000, channels=(int)1, layout=(string)interleaved" },
  { "audio-stereo-44.1", GST_IVS_AUDIO, "audiotestsrc wave=pink-noise num-buffers=600 samplesperbuffer=882",
    "audio/x-raw, format=(string)S16LE, rate=(int)44100, channels=(int)2, layout=(string)interleaved" },
  { "audio-silence", GST_IVS_AUDIO, "audiotestsrc wave=silence num-buffers=600 samplesperbuffer=960",
    "audio/x-raw, format=(string)S16LE, rate=(int)48000, channels=(int)2, layout=(string)interleaved" },
};
/* clang-format on */

/* Returns the rank that it had. */
static guint
set_rank (const gchar *encoder, guint rank)
{
  g_autoptr (GstPluginFeature) feature =
      gst_registry_find_feature (gst_registry_get (), encoder,
          GST_TYPE_ELEMENT_FACTORY);
  guint old;

  g_assert_nonnull (feature);
  old = gst_plugin_feature_get_rank (feature);
  gst_plugin_feature_set_rank (feature, rank);
  return old;
}

static GstElement *
make_default_pipeline (const DefaultCase *row)
{
  g_autofree gchar *source =
      g_strdup_printf ("%s ! capsfilter name=filter caps=\"%s\"", row->source,
          row->caps);
  g_autoptr (GstCaps) caps = gst_caps_from_string (row->caps);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = parse_pipeline (source);
  g_autoptr (GstElement) filter =
      gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  GstElement *sink = gst_element_factory_make ("appsink", "sink");
  GstElement *chain =
      gst_ivs_encoding_make_chain (caps, row->kind, FALSE, NULL, NULL, &error);

  g_assert_no_error (error);
  gst_bin_add_many (GST_BIN (pipeline), chain, sink, NULL);
  g_assert_true (gst_element_link_many (filter, chain, sink, NULL));
  return pipeline;
}

static void
test_default (gconstpointer data)
{
  const DefaultCase *row = data;
  g_auto (Run) run;
  guint rank = 0;

  run_init (&run);
  if (row->encoder != NULL)
    rank = set_rank (row->encoder, G_MAXINT);
  gst_ivs_monitor_announce_channels (run.monitor, 2);
  run_pipeline (&run, row->kind, make_default_pipeline (row), 1);
  if (row->encoder != NULL)
    set_rank (row->encoder, rank);
  g_assert_cmpstr (names_of_findings (&run), ==, "");
}

/* -- What is sent when --------------------------------------------------------------- */

/* The slice headers: first_mb 0, type P; first_mb 0, type I. */
static const guint8 p_slice[] = { 0x41, 0x9a, 0x00, 0x10 };
static const guint8 idr_slice[] = { 0x65, 0x88, 0x80, 0x10 };
static const guint8 pps[] = { 0x68, 0xce, 0x3c, 0x80 };
/* 320x240, Constrained Baseline, made by openh264enc. */
static const guint8 sps[] = { 0x67, 0x42, 0xc0, 0x0d, 0x8c, 0x8d, 0x40, 0xa0,
  0xf9, 0x00, 0xf0, 0x88, 0x46, 0xa0 };

static void
send_nal (Run *run, const guint8 *nal, gsize size, gsize padded_size)
{
  g_autofree guint8 *packet = g_malloc0 (MAX (size, padded_size));

  memcpy (packet, nal, size);
  gst_ivs_monitor_packet (run->monitor, GST_IVS_VIDEO, packet,
      MAX (size, padded_size), (nal[0] & 0x1f) <= GST_IVS_NAL_IDR,
      (guint32) gst_util_uint64_scale (run->now, 90000, GST_SECOND), run->now);
}

/* @seconds of 20 frames/s with an IDR picture each second; each frame is of
 * @frame_size bytes. */
static void
send_video (Run *run, guint seconds, gsize frame_size)
{
  for (guint i = 0; i < seconds * 20; i++) {
    if (i % 20 == 0) {
      send_nal (run, sps, sizeof sps, 0);
      send_nal (run, pps, sizeof pps, 0);
      send_nal (run, idr_slice, sizeof idr_slice, frame_size);
    } else {
      send_nal (run, p_slice, sizeof p_slice, frame_size);
    }
    run_until (run, run->now + 50 * GST_MSECOND);
  }
}

static void
send_audio (Run *run, guint seconds)
{
  static const guint8 mono[100] = { 0xf8 }; /* CELT, full band, 20 ms */

  for (guint i = 0; i < seconds * 50; i++) {
    gst_ivs_monitor_packet (run->monitor, GST_IVS_AUDIO, mono, sizeof mono,
        TRUE, (guint32) ((run->now - EPOCH) / (20 * GST_MSECOND) * 960),
        run->now);
    run_until (run, run->now + 20 * GST_MSECOND);
  }
}

static void
expect (Run *run, GstIvsKind kind, gboolean is_expected)
{
  gst_ivs_monitor_expect (run->monitor, kind, is_expected, run->now);
}

static void
test_nothing_expected (void)
{
  g_auto (Run) run;

  run_init (&run);
  run_until (&run, EPOCH + 60 * GST_SECOND);
  g_assert_cmpstr (names_of_findings (&run), ==, "");
}

static void
test_no_media (void)
{
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  expect (&run, GST_IVS_AUDIO, TRUE);
  run_until (&run, EPOCH + 4 * GST_SECOND);
  g_assert_cmpstr (names_of_findings (&run), ==, "");
  run_until (&run, EPOCH + 5 * GST_SECOND);
  g_assert_cmpstr (names_of_findings (&run), ==, "no-video no-audio");
}

static void
test_only_expected_media (void)
{
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_AUDIO, TRUE);
  send_audio (&run, 20);
  g_assert_cmpstr (names_of_findings (&run), ==, "");
}

static void
test_stopped (void)
{
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  expect (&run, GST_IVS_AUDIO, TRUE);
  send_video (&run, 1, 1000);
  send_audio (&run, 1);
  g_assert_cmpstr (names_of_findings (&run), ==, "");
  run_until (&run, run.now + 6 * GST_SECOND);
  g_assert_cmpstr (names_of_findings (&run), ==, "video-stopped audio-stopped");
  g_assert_cmpuint (run.counts[IVS_DIAGNOSIS_VIDEO_STOPPED], ==, 1);
}

/* Nothing is wrong with a stream that goes on after a stop, or after its session was
 * replaced. */
static void
test_goes_on (void)
{
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 12, 1000);
  run_until (&run, run.now + 4 * GST_SECOND);
  send_video (&run, 12, 1000);
  g_assert_cmpstr (names_of_findings (&run), ==, "video-stopped");

  expect (&run, GST_IVS_VIDEO, FALSE);
  run_until (&run, run.now + 120 * GST_SECOND);
  expect (&run, GST_IVS_VIDEO, TRUE);
  run_until (&run, run.now + 2 * GST_SECOND);
  send_video (&run, 12, 1000);
  g_assert_cmpstr (names_of_findings (&run), ==, "video-stopped");
  g_assert_cmpuint (run.counts[IVS_DIAGNOSIS_VIDEO_STOPPED], ==, 1);
}

/* Pictures that the gate leaves out: neither the source nor the encoder is blamed. */
static void
test_withheld (void)
{
  g_auto (Run) run;
  const GstClockTime picture = GST_SECOND / 30;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 3, 1000);
  for (guint i = 0; i < 4 * 30; i++) {
    gst_ivs_monitor_withheld (run.monitor, run.now);
    run_until (&run, run.now + picture);
  }
  g_assert_cmpstr (names_of_findings (&run), ==, "uplink-narrow");
  send_video (&run, 12, 1000);
  g_assert_cmpuint (run.counts[IVS_DIAGNOSIS_UPLINK_NARROW], ==, 1);
}

/* What was before a stop is in no rate after it. */
static void
test_begins_anew (void)
{
  g_auto (Run) run;
  IvsFigures figures;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 1, 1000);
  run_until (&run, run.now + 4 * GST_SECOND);
  send_video (&run, 2, 1000);
  gst_ivs_monitor_get_figures (run.monitor, run.now, &figures);
  g_assert_cmpuint (figures.video.idr_pictures, ==, 2);
  g_assert_cmpuint (figures.video.pictures, ==, 40);
  assert_near (figures.video.stream.window, 2, 0.01);
}

/* Both sets must come before each IDR picture. */
static void
test_parameter_sets (gconstpointer data)
{
  const gchar *sets =
      data; /* per second: s = SPS, p = PPS, b = both, - = none */
  g_auto (Run) run;
  IvsFigures figures;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  for (gsize i = 0; sets[i] != '\0'; i++) {
    if (sets[i] == 's' || sets[i] == 'b')
      send_nal (&run, sps, sizeof sps, 0);
    if (sets[i] == 'p' || sets[i] == 'b')
      send_nal (&run, pps, sizeof pps, 0);
    send_nal (&run, idr_slice, sizeof idr_slice, 0);
    for (guint j = 0; j < 20; j++) {
      run_until (&run, run.now + 50 * GST_MSECOND);
      send_nal (&run, p_slice, sizeof p_slice, 0);
    }
  }
  run_until (&run, run.now + GST_SECOND);
  gst_ivs_monitor_get_figures (run.monitor, run.now, &figures);
  g_assert_cmpuint (figures.video.idr_pictures, ==, strlen (sets));
  g_assert_cmpuint (figures.video.bare_idr_pictures, ==,
      strlen (sets) - (strchr (sets, 'b') != NULL));
  g_assert_cmpstr (names_of_findings (&run), ==, "no-parameter-sets");
}

/* Who watches learns that media flows while its first picture passes. */
static void
test_expected_in_a_picture (void)
{
  g_auto (Run) run;
  IvsFigures figures;

  run_init (&run);
  send_nal (&run, sps, sizeof sps, 0);
  send_nal (&run, pps, sizeof pps, 0);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_nal (&run, idr_slice, sizeof idr_slice, 0);
  gst_ivs_monitor_get_figures (run.monitor, run.now, &figures);
  g_assert_cmpuint (figures.video.key_frames, ==, 1);
  run_until (&run, run.now + GST_SECOND);
  g_assert_cmpstr (names_of_findings (&run), ==, "");
}

static void
test_peak (void)
{
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 9, 1000);
  send_video (&run, 1, 60000);
  send_video (&run, 9, 1000);
  g_assert_cmpstr (names_of_findings (&run), ==, "video-bitrate-peak");
  g_assert_cmpuint (run.counts[IVS_DIAGNOSIS_VIDEO_BITRATE_PEAK], ==, 1);
  assert_near (run.findings[IVS_DIAGNOSIS_VIDEO_BITRATE_PEAK].measured, 9.6e6,
      0.1e6);
}

/* What lasts is told once; what comes back is told again, but within a minute only
 * once. */
static void
test_told_once (void)
{
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 300, 60000);
  g_assert_cmpstr (names_of_findings (&run), ==, "video-bitrate");
  g_assert_cmpuint (run.counts[IVS_DIAGNOSIS_VIDEO_BITRATE], ==, 1);
}

static void
test_told_again (void)
{
  g_auto (Run) run;
  guint *count = &run.counts[IVS_DIAGNOSIS_VIDEO_STOPPED];

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  for (guint i = 0; i < 6; i++) { /* stops for 5 of each 10 seconds */
    send_video (&run, 5, 1000);
    run_until (&run, run.now + 5 * GST_SECOND);
  }
  g_assert_cmpuint (*count, ==, 1);
  send_video (&run, 5, 1000);
  run_until (&run, run.now + 5 * GST_SECOND);
  g_assert_cmpuint (*count, ==, 2);
}

static void
test_figures (void)
{
  g_auto (Run) run;
  IvsFigures figures;
  const IvsVideoFigures *video = &figures.video;
  g_autoptr (GstStructure) stats = NULL;
  guint bitrate = 0;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 10, 10000);
  send_video (&run, 2, 20000);
  gst_ivs_monitor_get_figures (run.monitor, run.now, &figures);
  g_assert_cmpuint (video->width, ==, 320);
  g_assert_cmpuint (video->height, ==, 240);
  g_assert_cmpstr (video->profile, ==, "constrained-baseline");
  g_assert_cmpuint (video->frames, ==, 240);
  g_assert_cmpuint (video->key_frames, ==, 12);
  g_assert_cmpuint (video->stream.packets, ==, 264);
  assert_near (video->frame_rate, 20, 0.01);
  assert_near (video->stream.bitrate, 1.92e6, 0.01e6);
  assert_near (video->stream.bitrate_1s, 3.2e6, 0.01e6);
  assert_near (video->max_key_frame_spacing, 1, 0.01);

  stats = gst_ivs_monitor_make_stats (run.monitor, GST_IVS_VIDEO, run.now);
  g_assert_true (gst_structure_get_uint (stats, "bitrate-1s", &bitrate));
  g_assert_cmpuint (bitrate / 100000, ==, 32);
}

static void
test_details (void)
{
  g_auto (Run) run;
  g_autoptr (GstStructure) details = NULL;
  const IvsFinding *finding;
  gdouble limit = 0;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  send_video (&run, 4, 60000);
  finding = first_finding (&run);
  g_assert_nonnull (finding);
  details = gst_ivs_monitor_make_details (finding);
  g_assert_cmpstr (gst_structure_get_string (details, "name"), ==,
      "video-bitrate");
  g_assert_cmpstr (gst_structure_get_string (details, "severity"), ==, "cut");
  g_assert_cmpstr (gst_structure_get_string (details, "certainty"), ==,
      "known");
  g_assert_true (gst_structure_get_double (details, "limit", &limit));
  g_assert_cmpfloat (limit, ==, 8500000);
  g_assert_nonnull (
      strstr (gst_structure_get_string (details, "hint"), "start-bitrate"));
}

/* Clocks of packets may jump; nothing breaks, and nothing loops for long. */
static void
test_hostile_times (void)
{
  static const GstClockTime times[] = { 0, EPOCH, EPOCH - 1, G_MAXUINT64 - 1,
    EPOCH + GST_SECOND, EPOCH + 1000000 * GST_SECOND, EPOCH };
  g_auto (Run) run;

  run_init (&run);
  expect (&run, GST_IVS_VIDEO, TRUE);
  expect (&run, GST_IVS_AUDIO, TRUE);
  for (guint i = 0; i < 2000; i++) {
    guint8 payload[32];
    GstClockTime time = times[g_test_rand_int_range (0, G_N_ELEMENTS (times))];

    for (guint j = 0; j < sizeof payload; j++)
      payload[j] = (guint8) g_test_rand_int_range (0, 256);
    gst_ivs_monitor_packet (run.monitor, (GstIvsKind) (i % GST_IVS_N_KINDS),
        payload, (gsize) g_test_rand_int_range (0, sizeof payload + 1), i % 3,
        (guint32) g_test_rand_int (), time);
    gst_ivs_monitor_judge (run.monitor, time, found, &run);
  }
}

/* -- Cures --------------------------------------------------------------------------- */

/* Whatever a cure says of an element that is installed is understood by it. */
static void
try_cure (const gchar *piece, guint *tried)
{
  const gchar *colon = g_strrstr (piece, ": ");
  const gchar *last = colon != NULL ? colon + 2 : piece;
  /* Caps cannot be the end. */
  g_autofree gchar *command = g_strconcat (last,
      strstr (last, " ! ") != NULL ? " ! fakesink" : NULL, NULL);
  g_auto (GStrv) words = g_strsplit (command, " ", 2);
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (words[0]);
  g_autoptr (GstElement) element = NULL;
  g_autoptr (GError) error = NULL;

  if (factory == NULL || words[1] == NULL)
    return;
  g_test_message ("trying: %s", command);
  element = gst_parse_launch (command, &error);
  g_assert_no_error (error);
  g_assert_nonnull (element);
  gst_object_ref_sink (element);
  (*tried)++;
}

static void
test_cures (void)
{
  guint tried = 0;

  for (guint i = 0; i < IVS_N_DIAGNOSES; i++) {
    g_autofree gchar *cure = ivs_diagnosis_dup_cure ((IvsDiagnosis) i);
    g_auto (GStrv) pieces = g_strsplit (cure, "; ", -1);

    for (guint j = 0; pieces[j] != NULL; j++)
      try_cure (pieces[j], &tried);
  }
  /* x264enc and openh264enc at least. */
  g_assert_cmpuint (tried, >=, 10);
}

int
main (int argc, char *argv[])
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);

  ADD_ROWS ("/monitor/video/", video_cases, test_video);
  ADD_ROWS ("/monitor/audio/", audio_cases, test_audio);
  ADD_ROWS ("/monitor/default/", default_cases, test_default);
  g_test_add_func ("/monitor/nothing-expected", test_nothing_expected);
  g_test_add_func ("/monitor/no-media", test_no_media);
  g_test_add_func ("/monitor/only-expected-media", test_only_expected_media);
  g_test_add_func ("/monitor/stopped", test_stopped);
  g_test_add_func ("/monitor/goes-on", test_goes_on);
  g_test_add_func ("/monitor/withheld", test_withheld);
  g_test_add_func ("/monitor/begins-anew", test_begins_anew);
  g_test_add_data_func ("/monitor/sets/first-only", "b--", test_parameter_sets);
  g_test_add_func ("/monitor/sets/expected-in-a-picture",
      test_expected_in_a_picture);
  g_test_add_data_func ("/monitor/sets/sps-only", "sss", test_parameter_sets);
  g_test_add_data_func ("/monitor/sets/pps-only", "ppp", test_parameter_sets);
  g_test_add_func ("/monitor/peak", test_peak);
  g_test_add_func ("/monitor/told-once", test_told_once);
  g_test_add_func ("/monitor/told-again", test_told_again);
  g_test_add_func ("/monitor/figures", test_figures);
  g_test_add_func ("/monitor/details", test_details);
  g_test_add_func ("/monitor/hostile-times", test_hostile_times);
  g_test_add_func ("/monitor/cures", test_cures);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
