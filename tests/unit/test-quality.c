/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-quality: the ladder, when it is climbed, and the share of audio.
 */

#include "ivs-quality.h"

static const struct
{
  const gchar *name;
  IvsQualitySource source;
  const gchar *expected; /* WIDTHxHEIGHT@FPS>NEED ..., need in kbit/s */
} ladders[] = {
  { "720p30", { 1280, 720, 30, 1, 160, 10 },
      "1280x720@30>967 960x540@30>544 640x360@30>241 640x360@15>120 "
      "320x180@15>30 " },
  { "portrait", { 720, 1280, 30, 1, 160, 10 },
      "720x1280@30>967 540x960@30>544 360x640@30>241 360x640@15>120 "
      "180x320@15>30 " },
  { "square", { 720, 720, 30, 1, 160, 10 },
      "720x720@30>544 540x540@30>306 360x360@30>136 360x360@15>68 "
      "180x180@15>17 " },
  { "ntsc", { 1280, 720, 60000, 1001, 160, 10 },
      "1280x720@59>1933 960x540@59>1087 640x360@59>483 640x360@29>241 "
      "320x180@29>60 " },
  { "even-sizes", { 854, 480, 30, 1, 160, 10 },
      "854x480@30>430 640x360@30>241 428x240@30>107 428x240@15>53 " },
  { "slow-source", { 1280, 720, 15, 1, 160, 10 },
      "1280x720@15>483 960x540@15>272 640x360@15>120 " },
  { "small-source", { 200, 200, 30, 1, 160, 10 }, "200x200@30>42 " },
  { "below-the-least", { 100, 100, 5, 1, 160, 10 }, "100x100@5>1 " },
  { "rate-not-known", { 1280, 720, 0, 1, 160, 20 },
      "1280x720@30>967 960x540@30>544 640x360@30>241 " },
  { "no-denominator", { 640, 360, 30, 0, 200, 20 },
      "640x360@30>241 480x270@30>136 " },
  { "huge", { G_MAXINT, G_MAXINT, G_MAXUINT, 1, 160, 10 }, NULL },
  { "huge-denominator", { 1280, 720, 30, G_MAXUINT, 160, 0 }, NULL },
};

static void
test_ladder (gconstpointer data)
{
  guint row = GPOINTER_TO_UINT (data);
  g_autoptr (GString) found = g_string_new (NULL);
  IvsQuality quality;

  ivs_quality_init (&quality, &ladders[row].source);
  g_assert_cmpuint (quality.n_steps, >=, 1);
  for (guint i = 0; i < quality.n_steps; i++) {
    const IvsQualityStep *step = &quality.steps[i];

    g_assert_cmpuint (step->fps_d, >, 0);
    g_assert_true (i == 0 || step->needs_bps <= step[-1].needs_bps);
    g_string_append_printf (found, "%ux%u@%u>%u ", step->width, step->height,
        step->fps_n / step->fps_d, step->needs_bps / 1000);
  }
  if (ladders[row].expected != NULL)
    g_assert_cmpstr (found->str, ==, ladders[row].expected);
}

/* So many kbit/s for so many tenths of a second, then it is that step. */
typedef struct
{
  guint kbps;
  guint tenths;
  guint step;
} Spell;

static const struct
{
  const gchar *name;
  Spell spells[8];
} stories[] = {
  { "stays", { { 2500, 100, 0 }, { 970, 100, 0 } } },
  { "down-after-a-second", { { 2500, 10, 0 }, { 900, 10, 0 }, { 900, 1, 1 } } },
  { "a-dip-is-nothing",
      { { 900, 9, 0 }, { 1000, 1, 0 }, { 900, 9, 0 }, { 1000, 1, 0 } } },
  { "far-too-little-at-once", { { 2500, 10, 0 }, { 250, 1, 2 } } },
  { "nothing-left", { { 0, 1, 4 }, { 0, 100, 4 } } },
  { "up-after-four-seconds",
      { { 600, 11, 1 }, { 1260, 40, 1 }, { 1260, 1, 0 }, { 1260, 100, 0 } } },
  { "a-little-more-is-not-enough", { { 600, 11, 1 }, { 1250, 200, 1 } } },
  { "a-peak-is-nothing",
      { { 600, 11, 1 }, { 2000, 39, 1 }, { 1000, 1, 1 }, { 2000, 39, 1 } } },
  { "up-one-at-a-time",
      { { 0, 1, 4 }, { 2500, 41, 3 }, { 2500, 41, 2 }, { 2500, 41, 1 },
          { 2500, 41, 0 }, { 2500, 100, 0 } } },
  { "does-not-swing", { { 900, 11, 1 }, { 1100, 50, 1 }, { 900, 50, 1 } } },
};

static void
test_story (gconstpointer data)
{
  guint row = GPOINTER_TO_UINT (data);
  gint64 now_us = 1;
  IvsQuality quality;

  ivs_quality_init (&quality, &ladders[0].source);
  for (guint i = 0; i < G_N_ELEMENTS (stories[row].spells); i++) {
    const Spell *spell = &stories[row].spells[i];

    for (guint j = 0; j < spell->tenths; j++, now_us += 100000) {
      guint before = quality.step;
      gboolean has_changed =
          ivs_quality_update (&quality, now_us, spell->kbps * 1000);

      g_assert_cmpint (has_changed, ==, quality.step != before);
    }
    if (spell->tenths > 0)
      g_assert_cmpuint (quality.step, ==, spell->step);
  }
}

static void
test_share (void)
{
  static const struct
  {
    guint total;
    guint audio;
    guint repeated;
    guint video;
  } rows[] = {
    { 1000000, 80000, 0, 920000 },
    { 110000, 80000, 0, 30000 },
    { 109999, 80000, 0, 0 },
    { 80000, 80000, 0, 0 },
    { 50000, 80000, 0, 0 },
    { 1000000, 0, 0, 1000000 },
    { 0, G_MAXUINT, 0, 0 },
    { 1000000, 80000, 120000, 800000 },
    { 1000000, 80000, 460001, 460000 },
    { 1000000, 80000, G_MAXUINT, 460000 },
    { 120000, 80000, 30000, 30000 },
    { 100000, 80000, 10000, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (ivs_quality_get_video_share (rows[i].total, rows[i].audio,
                          rows[i].repeated),
        ==, rows[i].video);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (ladders); i++) {
    g_autofree gchar *name =
        g_strconcat ("/quality/ladder/", ladders[i].name, NULL);

    g_test_add_data_func (name, GUINT_TO_POINTER (i), test_ladder);
  }
  for (guint i = 0; i < G_N_ELEMENTS (stories); i++) {
    g_autofree gchar *name =
        g_strconcat ("/quality/story/", stories[i].name, NULL);

    g_test_add_data_func (name, GUINT_TO_POINTER (i), test_story);
  }
  g_test_add_func ("/quality/share", test_share);
  return g_test_run ();
}
