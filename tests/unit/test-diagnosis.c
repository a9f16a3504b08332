/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-diagnosis: what is found in figures on both sides of each limit.
 */

#include "ivs-diagnosis.h"
#include "test-table.h"
#include <string.h>

/* Nothing is wrong with it. */
static const IvsFigures good = {
  .video = { .stream = { .is_expected = TRUE,
                 .has_flowed = TRUE,
                 .silence = 0.03,
                 .window = 10,
                 .bitrate = 2500000,
                 .bitrate_1s = 2600000,
                 .bitrate_peak = 4000000,
                 .packets = 3000,
                 .bytes = 3000000 },
      .width = 1280,
      .height = 720,
      .profile = "constrained-baseline",
      .is_baseline = TRUE,
      .frame_rate = 30,
      .frames = 300,
      .key_frames = 5,
      .pictures = 300,
      .idr_pictures = 5,
      .key_frame_spacing = 2,
      .max_key_frame_spacing = 2 },
  .audio = { .stream = { .is_expected = TRUE,
                 .has_flowed = TRUE,
                 .silence = 0.02,
                 .window = 10,
                 .bitrate = 128000,
                 .bitrate_1s = 128000,
                 .bitrate_peak = 130000,
                 .packets = 500,
                 .bytes = 160000 },
      .channels = 2,
      .announced_channels = 2,
      .bandwidth = 48000,
      .packet_duration = 20000,
      .clock_rate = 48000 },
};

/* What is other than in `good`. */
typedef struct
{
  enum
  {
    NOTHING,
    UINT,
    DOUBLE
  } type;
  gsize offset;
  gdouble value;
} Change;

typedef struct
{
  const gchar *name;
  Change changes[4];
  const gchar *found; /* in the order of the table */
  const gchar *text;  /* that was measured, of the first */
} Row;

#define U(member, value) \
  { \
    UINT, G_STRUCT_OFFSET (IvsFigures, member), value \
  }
#define D(member, value) \
  { \
    DOUBLE, G_STRUCT_OFFSET (IvsFigures, member), value \
  }

/* clang-format off */
static const Row rows[] = {
  { "good", { { NOTHING } }, "" },

  { "1080p", { U (video.width, 1920), U (video.height, 1080) }, "resolution", "1920x1080" },
  { "largest-numbers", { U (video.width, G_MAXINT), U (video.height, G_MAXINT) }, "resolution" },
  { "720p-portrait", { U (video.width, 720), U (video.height, 1280) }, "" },
  { "square-of-the-area", { U (video.width, 960), U (video.height, 960) }, "" },
  { "a-macroblock-wider", { U (video.width, 1296) }, "resolution" },
  { "160p", { U (video.width, 284), U (video.height, 160) }, "" },
  { "158p", { U (video.width, 280), U (video.height, 158) }, "resolution-small", "280x158" },
  { "no-sps", { U (video.width, 0), U (video.height, 0), U (video.is_baseline, FALSE) }, "" },
  { "profile", { U (video.is_baseline, FALSE) }, "profile", "constrained-baseline" },

  { "one-b-picture", { U (video.b_pictures, 1) }, "b-frames", "0 % of the pictures" },
  { "b-pictures", { U (video.b_pictures, 200), U (video.reorder_frames, 2) }, "b-frames", "67 % of the pictures" },
  { "reordering", { U (video.reorder_frames, 2) }, "reordering", "by up to 2 frames" },

  { "spacing-2.4", { D (video.key_frame_spacing, 2.4) }, "" },
  { "spacing-2.6", { D (video.key_frame_spacing, 2.6) }, "key-frame-interval", "none for 2.6 s" },
  { "idr-asked-for", { U (video.idr_pictures, 25) }, "" },
  { "idr-too-often", { U (video.idr_pictures, 31) }, "key-frames-too-often", "one every 0.32 s" },
  { "idr-at-first", { U (video.idr_pictures, 4), D (video.stream.window, 1) }, "" },
  { "bare-idr", { U (video.bare_idr_pictures, 1) }, "no-parameter-sets", "1 of 5 key frames" },

  { "10-frames", { D (video.frame_rate, 9.6) }, "" },
  { "9-frames", { D (video.frame_rate, 9) }, "frame-rate-low", "9.0 frames/s" },
  { "9-frames-so-far", { D (video.frame_rate, 9), D (video.stream.window, 4.9) }, "" },
  { "60-frames", { D (video.frame_rate, 60.9) }, "" },
  { "62-frames", { D (video.frame_rate, 62) }, "frame-rate-high", "62.0 frames/s" },

  { "8.5-megabit", { D (video.stream.bitrate, 8500000) }, "video-bitrate-advised" },
  { "9-megabit", { D (video.stream.bitrate, 9000000), D (video.stream.bitrate_peak, 9500000) },
    "video-bitrate", "9.0 Mbit/s over 10 s" },
  { "9-megabit-for-3-s", { D (video.stream.bitrate, 9000000), D (video.stream.window, 3) }, "video-bitrate" },
  { "9-megabit-for-2-s", { D (video.stream.bitrate, 9000000), D (video.stream.window, 2) }, "" },
  { "9-megabit-in-one-second", { D (video.stream.bitrate_peak, 9000000) }, "video-bitrate-peak", "9.0 Mbit/s in one second" },
  { "3-megabit", { D (video.stream.bitrate, 3000000) }, "" },
  { "4-megabit", { D (video.stream.bitrate, 4000000) }, "video-bitrate-advised", "4.0 Mbit/s over 10 s" },
  { "4-megabit-for-9-s", { D (video.stream.bitrate, 4000000), D (video.stream.window, 9) }, "" },

  { "no-video-for-4-s", { U (video.stream.has_flowed, FALSE), D (video.stream.silence, 4.9) }, "" },
  { "no-video-for-5-s", { U (video.stream.has_flowed, FALSE), D (video.stream.silence, 5) }, "no-video", "nothing for 5 s" },
  { "video-late", { D (video.stream.silence, 2.9) }, "" },
  { "video-stopped", { D (video.stream.silence, 3) }, "video-stopped", "nothing for 3 s" },
  { "stopped-and-nothing-else", { D (video.stream.silence, 9), D (video.frame_rate, 1), U (video.b_pictures, 9) }, "video-stopped" },
  { "some-left-out", { D (video.stream.window, 10), D (video.frame_rate, 24), U (video.withheld, 60) }, "" },
  { "many-left-out", { D (video.stream.window, 10), D (video.frame_rate, 20), U (video.withheld, 100) }, "uplink-narrow", "33 % of the pictures left out" },
  { "left-out-so-far", { D (video.stream.window, 4.9), D (video.frame_rate, 20), U (video.withheld, 100) }, "" },
  { "left-out-for-3-s", { D (video.stream.silence, 3), U (video.withheld, 90), D (video.frame_rate, 21) }, "uplink-narrow", "30 % of the pictures left out" },
  { "left-out-and-what-follows", { U (video.withheld, 200), D (video.frame_rate, 5), D (video.key_frame_spacing, 9) }, "uplink-narrow" },
  { "video-not-expected", { U (video.stream.is_expected, FALSE), D (video.stream.silence, 99), U (video.b_pictures, 9) }, "" },

  { "160-kbit", { D (audio.stream.bitrate, 164000) }, "" },
  { "170-kbit", { D (audio.stream.bitrate, 170000) }, "audio-bitrate", "170 kbit/s over 10 s" },
  { "stereo-in-mono-offer", { U (audio.announced_channels, 1) }, "audio-channels", "2 channels, 1 announced" },
  { "mono-in-stereo-offer", { U (audio.channels, 1) }, "" },
  { "unknown-offer", { U (audio.announced_channels, 0) }, "" },
  { "clock-44.1", { D (audio.clock_rate, 44100) }, "audio-sample-rate", "44100 Hz" },
  { "clock-drifts", { D (audio.clock_rate, 47800) }, "" },
  { "clock-unknown", { D (audio.clock_rate, 0) }, "" },
  { "some-gaps", { D (audio.gaps, 0.09) }, "" },
  { "gaps", { D (audio.gaps, 0.5) }, "audio-gaps", "50 % of the time" },
  { "no-audio", { U (audio.stream.has_flowed, FALSE), D (audio.stream.silence, 6) }, "no-audio", "nothing for 6 s" },
  { "audio-stopped", { D (audio.stream.silence, 4) }, "audio-stopped", "nothing for 4 s" },
  { "audio-not-expected", { U (audio.stream.is_expected, FALSE), D (audio.stream.silence, 99), D (audio.gaps, 1) }, "" },
};
/* clang-format on */

static void
apply (const Change *change, IvsFigures *figures)
{
  guint8 *at = (guint8 *) figures + change->offset;
  guint number = (guint) change->value;

  if (change->type == UINT)
    memcpy (at, &number, sizeof number);
  else if (change->type == DOUBLE)
    memcpy (at, &change->value, sizeof change->value);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GString) names = g_string_new (NULL);
  IvsFigures figures = good;
  IvsFinding finding, first = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (row->changes); i++)
    apply (&row->changes[i], &figures);
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++) {
    if (!ivs_diagnosis_judge ((IvsDiagnosis) i, &figures, &finding))
      continue;
    g_assert_cmpuint (finding.diagnosis, ==, i);
    g_assert_true (finding.row == ivs_diagnosis_get_row ((IvsDiagnosis) i));
    g_string_append_printf (names, "%s%s", names->len > 0 ? " " : "",
        finding.row->name);
    if (first.row == NULL)
      first = finding;
  }
  g_assert_cmpstr (names->str, ==, row->found);
  if (row->text != NULL)
    g_assert_cmpstr (first.measured_text, ==, row->text);
}

/* Every diagnosis is crossed by a row above, has a name of its own, and says what to
 * do about it. */
static void
test_table (void)
{
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++) {
    const IvsDiagnosisRow *row = ivs_diagnosis_get_row ((IvsDiagnosis) i);
    g_autofree gchar *cure = ivs_diagnosis_dup_cure ((IvsDiagnosis) i);
    gboolean is_tested = FALSE;

    g_assert_nonnull (row->name);
    g_assert_nonnull (row->sentence);
    g_assert_nonnull (row->consequence);
    g_assert_cmpuint (strlen (cure), >, 20);
    for (gsize j = 0; j < G_N_ELEMENTS (rows); j++)
      is_tested |= g_str_equal (rows[j].found, row->name);
    g_assert_true (is_tested);
    for (guint j = 0; j < i; j++)
      g_assert_cmpstr (ivs_diagnosis_get_row ((IvsDiagnosis) j)->name, !=,
          row->name);
  }
}

/* `stage-limits=refuse` must not end what a stage would have taken. */
static void
test_refusable (void)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < IVS_N_DIAGNOSES; i++) {
    const IvsDiagnosisRow *row = ivs_diagnosis_get_row ((IvsDiagnosis) i);

    if (ivs_diagnosis_is_refusable (row))
      g_string_append_printf (names, "%s ", row->name);
  }
  g_assert_cmpstr (names->str, ==,
      "resolution resolution-small profile b-frames key-frame-interval "
      "frame-rate-low frame-rate-high video-bitrate audio-bitrate "
      "audio-sample-rate ");
}

static void
test_words (void)
{
  IvsFigures figures = good;
  IvsFinding finding;
  g_autofree gchar *sentence = NULL, *advice = NULL, *silence = NULL;

  figures.video.b_pictures = 100;
  g_assert_true (
      ivs_diagnosis_judge (IVS_DIAGNOSIS_B_FRAMES, &figures, &finding));
  sentence = ivs_finding_dup_sentence (&finding);
  advice = ivs_finding_dup_advice (&finding);
  g_assert_cmpstr (sentence, ==,
      "The video has B-frames: 33 % of the pictures, a stage takes none.");
  g_assert_true (g_str_has_prefix (advice,
      "The service ends the publish (B_FRAME_PRESENT)"));
  for (const gchar *const *name = (const gchar *const[]){ "x264enc bframes=0",
           "vah264enc b-frames=0", "nvh264enc bframes=0",
           "v4l2h264enc extra-controls=\"controls,video_b_frames=0\"",
           "vtenc_h264 allow-frame-reordering=false", NULL };
       *name != NULL; name++)
    g_assert_nonnull (strstr (advice, *name));

  figures.video.stream.silence = 3;
  g_assert_true (
      ivs_diagnosis_judge (IVS_DIAGNOSIS_VIDEO_STOPPED, &figures, &finding));
  silence = ivs_finding_dup_sentence (&finding);
  g_assert_cmpstr (silence, ==, "The video has stopped: nothing for 3 s.");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/diagnosis/row/", rows, test_row);
  g_test_add_func ("/diagnosis/table", test_table);
  g_test_add_func ("/diagnosis/refusable", test_refusable);
  g_test_add_func ("/diagnosis/words", test_words);
  return g_test_run ();
}
