/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the stage received, decoded: pictures, pitch and lip sync.
 *
 * The stage keeps the packets; they are decoded here and compared with what went
 * into the element's encoder.
 */
#include <gst/video/video.h>
#include <math.h>

#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "recording.h"

static StageFixture *stage;
static gchar *folder;

#define VIDEO_RATE 90000
#define AUDIO_RATE 48000

/* -- Pictures ---------------------------------------------------------------------- */

/* In the encoder's thread, while the pipeline runs; afterwards here. */
static GstPadProbeReturn
picture_came (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstBuffer) copy =
      gst_buffer_copy_deep (GST_PAD_PROBE_INFO_BUFFER (info));

  g_ptr_array_add (data, gst_sample_new (copy, caps, NULL, NULL));
  return GST_PAD_PROBE_OK;
}

static void
encoder_set_up (GstElement *sink, GstElement *encoder, gpointer data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, picture_came, data, NULL);
}

static void
map_sample (GstSample *sample, GstVideoInfo *info, GstVideoFrame *frame)
{
  g_assert_true (gst_video_info_from_caps (info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (frame, info,
      gst_sample_get_buffer (sample), GST_MAP_READ));
}

/* Sum of the squared differences of brightness. */
static gdouble
compare_planes (const GstVideoFrame *a, const GstVideoFrame *b)
{
  gdouble sum = 0.;

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (a); y++) {
    const guint8 *row_a = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (a, 0) +
        y * GST_VIDEO_FRAME_PLANE_STRIDE (a, 0);
    const guint8 *row_b = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (b, 0) +
        y * GST_VIDEO_FRAME_PLANE_STRIDE (b, 0);

    for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (a); x++)
      sum += (row_a[x] - row_b[x]) * (row_a[x] - row_b[x]);
  }
  return sum;
}

/* Of the luma, in dB; identical pictures count as 60. */
static gdouble
measure_psnr (GstSample *encoded, GstSample *decoded)
{
  GstVideoInfo info_a, info_b;
  GstVideoFrame a, b;
  gdouble mean;

  map_sample (encoded, &info_a, &a);
  map_sample (decoded, &info_b, &b);
  g_assert_true (GST_VIDEO_INFO_IS_YUV (&info_a));
  g_assert_cmpint (GST_VIDEO_FRAME_WIDTH (&a), ==, GST_VIDEO_FRAME_WIDTH (&b));
  g_assert_cmpint (GST_VIDEO_FRAME_HEIGHT (&a), ==,
      GST_VIDEO_FRAME_HEIGHT (&b));
  mean = compare_planes (&a, &b) /
      (GST_VIDEO_FRAME_WIDTH (&a) * GST_VIDEO_FRAME_HEIGHT (&a));
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
  return mean > 0.065 ? 10. * log10 (255. * 255. / mean) : 60.;
}

/* Every picture of the source is at the stage, and looks like it. */
static void
check_pictures (GPtrArray *encoded, GPtrArray *decoded, gdouble bound)
{
  gdouble sum = 0., worst = 60.;

  g_assert_cmpuint (decoded->len, ==, encoded->len);
  for (guint i = 0; i < decoded->len; i++) {
    gdouble psnr = measure_psnr (encoded->pdata[i], decoded->pdata[i]);

    sum += psnr;
    worst = MIN (worst, psnr);
  }
  g_test_message ("%u pictures: PSNR mean %.1f dB, worst %.1f dB", decoded->len,
      sum / decoded->len, worst);
  g_assert_cmpfloat (sum / decoded->len, >=, bound);
  g_assert_cmpfloat (worst, >=, bound - 8.);
}

static void
publish_pictures (const gchar *source, guint at_least, gdouble bound)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "%s ! ivsstagesink", source);
  g_autoptr (GPtrArray) encoded =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_sample_unref);
  g_auto (Recording) recording = { 0 };
  g_autoptr (GPtrArray) decoded = NULL;

  g_signal_connect (publish_fixture_get_sink (publish), "encoder-setup",
      G_CALLBACK (encoder_set_up), encoded);
  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 30);
  publish_fixture_stop (publish);
  publish_fixture_assert_deleted (publish, 1);
  recording_read (&recording, publish, folder, "video", VIDEO_RATE);
  decoded = recording_decode_video (&recording);
  g_assert_cmpuint (encoded->len, >=, at_least);
  check_pictures (encoded, decoded, bound);
}

/* Real footage: a city at night, noise and movement. */
/* GStreamer 1.28 warns, once, that it is going to drop this decoder. */
static void
load_decoder (void)
{
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_autoptr (GstElement) decoder = gst_element_factory_make ("mpeg2dec", NULL);

  g_log_set_always_fatal (fatal);
  g_assert_nonnull (decoder);
  gst_object_ref_sink (decoder);
}

static void
test_clip (void)
{
  const gchar *clip = g_getenv ("IVS_TEST_CLIP");
  g_autofree gchar *source = NULL;

  if (clip == NULL || !g_file_test (clip, G_FILE_TEST_EXISTS)) {
    g_test_skip ("IVS_TEST_CLIP names no film; tests/run.sh sets it");
    return;
  }
  load_decoder ();
  source = g_strdup_printf (
      "filesrc location=\"%s\" ! mpegpsdemux ! mpegvideoparse ! mpeg2dec "
      "! identity eos-after=76",
      clip);
  publish_pictures (source, 75, 28.);
}

/* Larger than a stage takes: scaled before it is encoded. */
static void
test_large (void)
{
  publish_pictures ("videotestsrc num-buffers=15 "
                    "! video/x-raw,width=1920,height=1080,framerate=8/1",
      15, 28.);
}

/* -- Sound ---------------------------------------------------------------------------- */

/* All samples; a computer that is too busy leaves some out, and the time of the others
 * says so. */
typedef struct
{
  GArray *values; /* gint16 */
  GArray *gaps;   /* Gap */
  GstClockTime began;
} Sound;

/* From this value on so much later than those before it say. */
typedef struct
{
  guint at;
  GstClockTimeDiff late;
} Gap;

static void
sound_clear (Sound *sound)
{
  g_array_unref (sound->values);
  g_array_unref (sound->gaps);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sound, sound_clear)

/* When this value is heard. */
static GstClockTime
time_at (const Sound *sound, guint i)
{
  GstClockTimeDiff late = 0;

  for (guint n = 0; n < sound->gaps->len; n++) {
    const Gap *gap = &g_array_index (sound->gaps, Gap, n);

    if (gap->at <= i)
      late += gap->late;
  }
  return (GstClockTime) ((GstClockTimeDiff) sound->began + late) +
      gst_util_uint64_scale (i, GST_SECOND, AUDIO_RATE);
}

static void
note_gap (Sound *sound, GstClockTime pts)
{
  guint at = sound->values->len;
  GstClockTimeDiff more = GST_CLOCK_DIFF (time_at (sound, at), pts);
  Gap gap = { at, more };

  if (ABS (more) < 2 * GST_MSECOND)
    return;
  g_test_message ("the sound goes on %.1f ms later than it would",
      (gdouble) more / GST_MSECOND);
  g_array_append_val (sound->gaps, gap);
}

static void
join_samples (Sound *sound, GPtrArray *samples)
{
  sound->values = g_array_new (FALSE, FALSE, sizeof (gint16));
  sound->gaps = g_array_new (FALSE, FALSE, sizeof (Gap));
  for (guint i = 0; i < samples->len; i++) {
    GstBuffer *buffer = gst_sample_get_buffer (samples->pdata[i]);
    GstMapInfo map;

    if (i == 0)
      sound->began = GST_BUFFER_PTS (buffer);
    note_gap (sound, GST_BUFFER_PTS (buffer));
    g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_array_append_vals (sound->values, map.data,
        (guint) (map.size / sizeof (gint16)));
    gst_buffer_unmap (buffer, &map);
  }
}

static gint16
value_at (const Sound *sound, guint i)
{
  return g_array_index (sound->values, gint16, i);
}

/* Hz, from the waves in one second, half a second after the beginning. */
static guint
measure_pitch (const Sound *sound)
{
  guint waves = 0;

  g_assert_cmpuint (sound->values->len, >, AUDIO_RATE * 3 / 2);
  for (guint i = AUDIO_RATE / 2; i < AUDIO_RATE * 3 / 2; i++)
    waves += value_at (sound, i - 1) < 0 && value_at (sound, i) >= 0;
  return waves;
}

static gint
measure_level (const Sound *sound)
{
  gint level = 0;

  for (guint i = AUDIO_RATE / 2; i < AUDIO_RATE * 3 / 2; i++)
    level = MAX (level, ABS ((gint) value_at (sound, i)));
  return level;
}

static void
test_pitch (gconstpointer data)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "audiotestsrc freq=1000 volume=0.5 samplesperbuffer=960 num-buffers=100 "
      "! audio/x-raw,%s ! ivsstagesink",
      (const gchar *) data);
  g_auto (Recording) recording = { 0 };
  g_autoptr (GPtrArray) samples = NULL;
  g_auto (Sound) sound = { 0 };

  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 30);
  publish_fixture_stop (publish);
  recording_read (&recording, publish, folder, "audio", AUDIO_RATE);
  samples = recording_decode_audio (&recording);
  join_samples (&sound, samples);
  g_assert_cmpuint (measure_pitch (&sound), >=, 990);
  g_assert_cmpuint (measure_pitch (&sound), <=, 1010);
  g_assert_cmpint (measure_level (&sound), >=, 16384 * 8 / 10);
  g_assert_cmpint (measure_level (&sound), <=, 16384 * 12 / 10);
}

/* -- Lip sync ------------------------------------------------------------------------- */

#define FLASH_TIME (100 * GST_MSECOND)
#define BEEP_TIME (20 * GST_MSECOND)
#define HALF_WAVE 24 /* samples: 1000 Hz */
#define MAX_EVENTS 16

/* When the first one began. A live source begins when the computer gets round to it, and
 * both have their own grid: so it is told, not assumed. */
typedef struct
{
  GstClockTime flash, beep;
} Begun;

/* White for a moment at each full second. */
static GstPadProbeReturn
picture_made (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Begun *begun = data;
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));

  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  if (GST_BUFFER_PTS (buffer) % GST_SECOND >= FLASH_TIME)
    return GST_PAD_PROBE_OK;
  gst_buffer_memset (buffer, 0, 235, 320 * 240);
  if (begun->flash == GST_CLOCK_TIME_NONE &&
      GST_BUFFER_PTS (buffer) >= GST_SECOND)
    begun->flash = GST_BUFFER_PTS (buffer);
  return GST_PAD_PROBE_OK;
}

/* And a tone. */
static GstPadProbeReturn
sound_made (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Begun *begun = data;
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GstMapInfo map;
  gint16 *values;

  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  if (GST_BUFFER_PTS (buffer) % GST_SECOND >= BEEP_TIME)
    return GST_PAD_PROBE_OK;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  values = (gpointer) map.data;
  for (gsize i = 0; i < map.size / sizeof *values; i++)
    values[i] = i / HALF_WAVE % 2 == 0 ? 16000 : -16000;
  gst_buffer_unmap (buffer, &map);
  if (begun->beep == GST_CLOCK_TIME_NONE &&
      GST_BUFFER_PTS (buffer) >= GST_SECOND)
    begun->beep = GST_BUFFER_PTS (buffer);
  return GST_PAD_PROBE_OK;
}

static void
make_events (PublishFixture *publish, const gchar *source,
    GstPadProbeCallback made, Begun *begun)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          source);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, made, begun, NULL);
}

/* NTP seconds at which the sender says this RTP timestamp was captured. */
static gdouble
get_offset (PublishFixture *publish, JsonNode *state, const gchar *media,
    const Recording *recording, guint rate)
{
  g_autofree gchar *ntp = g_strdup_printf ("session.%s.reports.-1.ntp", media);
  g_autofree gchar *rtp = g_strdup_printf ("session.%s.reports.-1.rtp", media);
  guint32 at = (guint32) publish_fixture_number (publish, state, rtp);

  g_assert_nonnull (publish_fixture_at (publish, state, ntp));
  return publish_fixture_number (publish, state, ntp) +
      (gdouble) (gint32) (recording->first - at) / rate;
}

static guint
find_flashes (GPtrArray *pictures, gdouble offset, gdouble *times)
{
  gboolean was_bright = TRUE; /* the first may have begun before */
  guint n = 0;

  for (guint i = 0; i < pictures->len && n < MAX_EVENTS; i++) {
    GstBuffer *buffer = gst_sample_get_buffer (pictures->pdata[i]);
    guint8 centre = 0;
    gboolean is_bright;

    gst_buffer_extract (buffer, 320 * 120 + 160, &centre, 1);
    is_bright = centre > 128;
    if (is_bright && !was_bright)
      times[n++] = offset + (gdouble) GST_BUFFER_PTS (buffer) / GST_SECOND;
    was_bright = is_bright;
  }
  return n;
}

static guint
find_beeps (const Sound *sound, gdouble offset, gdouble *times)
{
  guint n = 0, quiet = 0;

  for (guint i = 0; i < sound->values->len && n < MAX_EVENTS; i++) {
    if (ABS ((gint) value_at (sound, i)) < 3000) {
      quiet++;
      continue;
    }
    if (quiet > AUDIO_RATE / 2)
      times[n++] = offset + (gdouble) time_at (sound, i) / GST_SECOND;
    quiet = 0;
  }
  return n;
}

/* Every flash but for those at the ends has its beep. */
static void
check_sync (const Begun *begun, const gdouble *flashes, guint n_flashes,
    const gdouble *beeps, guint n_beeps)
{
  gdouble begun_offset =
      (gdouble) GST_CLOCK_DIFF (begun->beep, begun->flash) / GST_SECOND;
  guint n_pairs = 0;

  g_assert_cmpfloat (fabs (begun_offset), <, 0.100);

  for (guint i = 0; i < n_flashes; i++)
    for (guint j = 0; j < n_beeps; j++) {
      gdouble offset = flashes[i] - beeps[j] - begun_offset;

      if (fabs (offset) > 0.5)
        continue;
      n_pairs++;
      g_test_message ("the picture comes %.1f ms after its sound",
          offset * 1000.);
      g_assert_cmpfloat (fabs (offset), <=, 0.040);
    }
  g_assert_cmpuint (n_pairs, >=, 3);
}

static void
test_sync (gconstpointer data)
{
  g_autoptr (PublishFixture) publish = publish_fixture_new (stage,
      "videotestsrc name=v pattern=black %s num-buffers=125 "
      "! video/x-raw,format=I420,width=320,height=240,framerate=25/1 "
      "! ivsstagesink name=s  audiotestsrc name=a wave=silence %s "
      "samplesperbuffer=480 num-buffers=500 "
      "! audio/x-raw,format=S16LE,rate=48000,channels=1 ! s.",
      (const gchar *) data, (const gchar *) data);
  Begun begun = { GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE };
  g_auto (Recording) video = { 0 }, audio = { 0 };
  g_autoptr (GPtrArray) pictures = NULL, samples = NULL;
  g_autoptr (JsonNode) state = NULL;
  g_auto (Sound) sound = { 0 };
  gdouble flashes[MAX_EVENTS], beeps[MAX_EVENTS];
  guint n_flashes, n_beeps;

  make_events (publish, "v", picture_made, &begun);
  make_events (publish, "a", sound_made, &begun);
  publish_fixture_play (publish);
  publish_fixture_wait_eos (publish, 30);
  publish_fixture_stop (publish);
  state = publish_fixture_look (publish);
  recording_read (&video, publish, folder, "video", VIDEO_RATE);
  recording_read (&audio, publish, folder, "audio", AUDIO_RATE);
  pictures = recording_decode_video (&video);
  samples = recording_decode_audio (&audio);
  join_samples (&sound, samples);
  n_flashes = find_flashes (pictures,
      get_offset (publish, state, "video", &video, VIDEO_RATE), flashes);
  n_beeps = find_beeps (&sound,
      get_offset (publish, state, "audio", &audio, AUDIO_RATE), beeps);
  check_sync (&begun, flashes, n_flashes, beeps, n_beeps);
}

/* -- Start and end ---------------------------------------------------------------------- */

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const gchar *options[] = { "--record", NULL, NULL };
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/publish/picture/clip", test_clip);
  g_test_add_func ("/publish/picture/large", test_large);
  g_test_add_data_func ("/publish/pitch/mono", "rate=48000,channels=1",
      test_pitch);
  g_test_add_data_func ("/publish/pitch/resampled", "rate=44100,channels=2",
      test_pitch);
  g_test_add_data_func ("/publish/sync/files", "", test_sync);
  g_test_add_data_func ("/publish/sync/live", "is-live=true", test_sync);
  folder = g_dir_make_tmp ("stage-XXXXXX", &error);
  g_assert_no_error (error);
  options[1] = folder;
  stage = stage_fixture_start (options);
  result = g_test_run ();
  stage_fixture_stop (stage);
  recording_remove (folder);
  g_free (folder);
  end_gstreamer ();
  return result;
}
