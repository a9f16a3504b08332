/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tests of ivs-limits: the size that a picture is sent in.
 */

#include "ivs-limits.h"
#include "test-table.h"

typedef struct
{
  const gchar *name;
  guint width, height;
  guint fit_width, fit_height;
  gboolean is_taken;
} Size;

/* clang-format off */
static const Size sizes[] = {
  { "720p", 1280, 720, 1280, 720, TRUE },
  { "1080p", 1920, 1080, 1280, 720, TRUE },
  { "4k", 3840, 2160, 1280, 720, TRUE },
  { "portrait-1080p", 1080, 1920, 720, 1280, TRUE },
  { "vga-stays", 640, 480, 640, 480, TRUE },
  { "xga", 1024, 768, 960, 720, TRUE },
  { "square", 1080, 1080, 720, 720, TRUE },
  { "laptop", 1366, 768, 1280, 720, TRUE },
  { "cinema", 2560, 1080, 1280, 540, TRUE },
  { "just-too-wide", 1282, 720, 1280, 718, TRUE },
  { "odd", 641, 361, 640, 360, TRUE },
  { "odd-at-the-limit", 1280, 719, 1280, 718, TRUE },
  { "smallest", 284, 160, 284, 160, TRUE },
  { "smallest-portrait", 160, 284, 160, 284, TRUE },
  { "too-small", 212, 158, 212, 158, FALSE },
  { "odd-is-too-small", 320, 159, 320, 158, FALSE },
  { "banner", 3840, 200, 1280, 66, FALSE },
  { "line", 100000, 1, 1280, 2, FALSE },
  { "nothing", 0, 0, 2, 2, FALSE },
  { "no-height", 1280, 0, 1280, 2, FALSE },
  { "point", 1, 1, 2, 2, FALSE },
  { "largest-numbers", G_MAXUINT, G_MAXUINT, 720, 720, TRUE },
};
/* clang-format on */

static void
test_size (gconstpointer data)
{
  const Size *row = data;
  guint width = 99, height = 99;
  gboolean is_taken =
      ivs_limits_fit_size (row->width, row->height, &width, &height);

  g_assert_cmpuint (width, ==, row->fit_width);
  g_assert_cmpuint (height, ==, row->fit_height);
  g_assert_cmpint (is_taken, ==, row->is_taken);
}

static void
test_every_size_fits (void)
{
  for (guint i = 0; i < 20000; i++) {
    guint width = (guint) g_test_rand_int_range (2, 8192);
    guint height = (guint) g_test_rand_int_range (2, 8192);
    guint w, h;
    gboolean is_taken = ivs_limits_fit_size (width, height, &w, &h);

    g_assert_cmpuint (MAX (w, h), <=, 1280);
    g_assert_cmpuint (MIN (w, h), <=, 720);
    g_assert_cmpuint (w, <=, width);
    g_assert_cmpuint (h, <=, height);
    g_assert_cmpuint (w % 2 + h % 2, ==, 0);
    g_assert_cmpuint (MIN (w, h), >=, 2);
    g_assert_cmpint (is_taken, ==, MIN (w, h) >= 160);
    /* The shape stays, but for the rounding to even numbers. */
    g_assert_cmpint (ABS ((gint) (w * height) - (gint) (h * width)), <=,
        (gint) (2 * (width + height)));
  }
}

static void
test_bitrate (void)
{
  g_assert_cmpuint (ivs_limits_max_video_bitrate (), ==, 7650000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/limits/size/", sizes, test_size);
  g_test_add_func ("/limits/every-size-fits", test_every_size_fits);
  g_test_add_func ("/limits/bitrate", test_bitrate);
  return g_test_run ();
}
