/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is read from packets of H.264, from those of encoders and from those that
 * somebody has broken.
 */
#include "end-gstreamer.h"
#include "gstivsh264.h"
#include "test-table.h"
#include <gst/gst.h>
#include <string.h>

/* -- Sequence parameter sets --------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *hex; /* with the NAL unit's header */
  GstIvsSps sps;
} SpsCase;

/* clang-format off */
static const SpsCase sps_cases[] = {
  { "openh264-baseline", "6742c00d8c8d40a0f900f08846a0",
    { 320, 240, 66, TRUE, 13, 0, "constrained-baseline" } },
  { "openh264-high", "67640c1eac191a80a02ff9601e1108d4",
    { 640, 360, 100, FALSE, 30, 0, "constrained-high" } },
  { "x264-baseline", "6742c015d90141fb016a0c0c0d4a000003000200000300791e2c5c90",
    { 320, 240, 66, TRUE, 21, 0, "constrained-baseline" } },
  { "x264-baseline-1282", "6742c020d9005105be23c05a808080a0000003002000000791e30649",
    { 1282, 720, 66, TRUE, 32, 0, "constrained-baseline" } },
  { "x264-high-b-frames-1080p", "67640028acd940780227e5c05a808080a0000003002000000791e30632c0",
    { 1920, 1080, 100, FALSE, 40, 2, "high" } },
  { "x264-high-4:4:4", "67f4001e919b281405ff1380b506060640000003004000000f23c58b6580",
    { 640, 360, 244, FALSE, 30, 2, "high-4:4:4" } },
  { "x264-interlaced", "674d401feca05a126c05a830303528000003000800000301e4f8b16cb0",
    { 720, 576, 77, FALSE, 31, 2, "main" } },
  /* As the first, but Main with the promise of constraint_set0_flag. */
  { "main-for-baseline", "674dc00d8c8d40a0f900f08846a0",
    { 320, 240, 77, TRUE, 13, 0, "main" } },
  { "empty", "67", { 0 } },
  { "profile-only", "6742", { 0 } },
  { "cut-in-the-size", "6742c00d8c", { 0 } },
  { "zeros", "67000000000000000000000000", { 0 } },
  { "ones", "67ffffffffffffffffffffffff", { 0 } },
};
/* clang-format on */

/* A copy of exactly its size, so that a checker sees each byte that is read beyond. */
static guint8 *
from_hex (const gchar *hex, gsize *size)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 *exact;

  while (*hex != '\0') {
    if (*hex == ' ') {
      hex++;
      continue;
    }
    guint8 high = (guint8) g_ascii_xdigit_value (*hex++);
    while (*hex == ' ')
      hex++;
    guint8 low = (guint8) g_ascii_xdigit_value (*hex++);
    guint8 byte = (guint8) (high << 4 | low);
    g_byte_array_append (bytes, &byte, 1);
  }
  *size = bytes->len;
  exact = g_memdup2 (bytes->data, bytes->len);
  g_byte_array_unref (bytes);
  return exact;
}

static gboolean
read_copy (const guint8 *body, gsize size, GstIvsSps *sps)
{
  g_autofree guint8 *copy = g_memdup2 (body, size);

  return gst_ivs_h264_read_sps (copy, size, sps);
}

static void
test_sps (gconstpointer data)
{
  const SpsCase *row = data;
  gsize size;
  g_autofree guint8 *nal = from_hex (row->hex, &size);
  GstIvsSps sps = { 0 };

  g_assert_cmpint (read_copy (nal + 1, size - 1, &sps), ==,
      row->sps.width != 0);
  g_assert_cmpuint (sps.width, ==, row->sps.width);
  g_assert_cmpuint (sps.height, ==, row->sps.height);
  g_assert_cmpuint (sps.profile, ==, row->sps.profile);
  g_assert_cmpint (sps.is_baseline, ==, row->sps.is_baseline);
  g_assert_cmpuint (sps.level, ==, row->sps.level);
  g_assert_cmpuint (sps.reorder_frames, ==, row->sps.reorder_frames);
  g_assert_cmpstr (sps.name, ==, row->sps.name);
}

/* -- Slices -------------------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *hex; /* without the NAL unit's header */
  gboolean is_read, is_first, is_b;
} SliceCase;

/* clang-format off */
static const SliceCase slice_cases[] = {
  /* first_mb 0 = "1"; types: P 0 "1", B 1 "010", I 2 "011", P 5 "00110", B 6 "00111", I 7 "0001000" */
  { "p", "c0", TRUE, TRUE, FALSE },                /* 1 1 */
  { "b", "a0", TRUE, TRUE, TRUE },                 /* 1 010 */
  { "i", "b0", TRUE, TRUE, FALSE },                /* 1 011 */
  { "all-p", "98", TRUE, TRUE, FALSE },            /* 1 00110 */
  { "all-b", "9c", TRUE, TRUE, TRUE },             /* 1 00111 */
  { "all-i", "88", TRUE, TRUE, FALSE },            /* 1 0001000 */
  { "all-si", "8a", TRUE, TRUE, FALSE },           /* 1 0001010 */
  { "no-such-type", "8b", FALSE },                 /* 1 0001011: 10 */
  { "second-slice-b", "48", TRUE, FALSE, TRUE },   /* 010 010 */
  { "macroblock-2047-b", "00100080", TRUE, FALSE, TRUE },  /* 11 zeros, 1, 11 zeros; 010 */
  { "macroblock-65534-p", "0001ffff80", TRUE, FALSE, FALSE }, /* 15 zeros, 16 ones; 1 */
  { "empty", "", FALSE },
  { "zero", "00", FALSE },
  { "cut-after-macroblock", "0010", FALSE },
  { "zeros", "0000000000000000", FALSE },
  { "macroblock-too-large", "00000301ffffff", FALSE },
};
/* clang-format on */

static void
test_slice (gconstpointer data)
{
  const SliceCase *row = data;
  gsize size;
  g_autofree guint8 *body = from_hex (row->hex, &size);
  gboolean is_first = FALSE, is_b = FALSE;

  g_assert_cmpint (gst_ivs_h264_read_slice (body, size, &is_first, &is_b), ==,
      row->is_read);
  g_assert_cmpint (is_first, ==, row->is_first);
  g_assert_cmpint (is_b, ==, row->is_b);
}

/* -- Packets ------------------------------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *hex;
  const gchar *found; /* type:size of the body, and "+" if more of it follows */
} PacketCase;

/* clang-format off */
static const PacketCase packet_cases[] = {
  { "single", "6588", "5:1" },
  { "single-without-body", "67", "7:0" },
  { "aggregate", "78 0002 6742 0001 68 0003 658880", "7:1 8:0 5:2" },
  { "aggregate-of-nothing", "78", "" },
  { "aggregate-of-empty-units", "78 0000 0000 0002 6588", "5:1" },
  { "aggregate-cut-in-length", "78 0002 6742 00", "7:1" },
  { "aggregate-length-without-unit", "78 0002 6742 0001", "7:1" },
  { "aggregate-too-long", "78 0002 6742 0009 6588", "7:1" },
  { "aggregate-longest", "78 ffff 6742", "" },
  { "fragment-first", "7c 85 8880", "5:2+" },
  { "fragment-first-and-last", "7c c5 88", "5:1+" },
  { "fragment-next", "7c 05 8880", "" },
  { "fragment-without-body", "7c 85", "5:0+" },
  { "fragment-without-header", "7c", "" },
  { "stap-b", "79 0001 0002 6742", "" },
  { "fu-b", "7d 85 0001 88", "" },
  { "reserved", "7f 88", "" },
  { "empty", "", "" },
};
/* clang-format on */

static void
test_packet (gconstpointer data)
{
  const PacketCase *row = data;
  gsize size, at = 0;
  g_autofree guint8 *payload = from_hex (row->hex, &size);
  g_autoptr (GString) text = g_string_new (NULL);
  GstIvsNal nal;

  while (gst_ivs_h264_next_nal (payload, size, &at, &nal))
    g_string_append_printf (text, "%s%u:%" G_GSIZE_FORMAT "%s",
        text->len > 0 ? " " : "", nal.type, nal.size, nal.is_whole ? "" : "+");
  g_assert_cmpstr (text->str, ==, row->found);
}

/* -- Broken -------------------------------------------------------------------------- */

/* Whatever is said of a broken one must be sane. */
static void
read_broken_sps (const guint8 *body, gsize size)
{
  GstIvsSps sps = { 0 };

  if (!read_copy (body, size, &sps))
    return;
  g_assert_cmpuint (sps.width, >, 0);
  g_assert_cmpuint (sps.width, <=, G_MAXINT);
  g_assert_cmpuint (sps.height, >, 0);
  g_assert_cmpuint (sps.height, <=, G_MAXINT);
}

static void
test_cut_sps (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sps_cases); i++) {
    gsize size;
    g_autofree guint8 *nal = from_hex (sps_cases[i].hex, &size);

    for (gsize n = 0; n < size; n++)
      read_broken_sps (nal + 1, n);
  }
}

static void
mutate (guint8 *data, gsize size)
{
  for (gint n = g_test_rand_int_range (1, 5); n > 0 && size > 0; n--) {
    gsize at = (gsize) g_test_rand_int_range (0, (gint32) size);

    if (g_test_rand_bit ())
      data[at] ^= (guint8) (1 << g_test_rand_int_range (0, 8));
    else
      data[at] = (guint8) g_test_rand_int_range (0, 256);
  }
}

static void
test_mutated_sps (void)
{
  for (guint round = 0; round < 20000; round++) {
    gsize size;
    g_autofree guint8 *nal =
        from_hex (sps_cases[round % G_N_ELEMENTS (sps_cases)].hex, &size);

    mutate (nal, size);
    read_broken_sps (nal + 1, size - 1);
  }
}

static void
read_broken_packet (const guint8 *payload, gsize size)
{
  gsize at = 0;
  guint n = 0;
  GstIvsNal nal;

  while (gst_ivs_h264_next_nal (payload, size, &at, &nal)) {
    gboolean is_first, is_b;
    GstIvsSps sps;

    g_assert_true (nal.body >= payload && nal.body <= payload + size);
    g_assert_cmpuint (nal.size, <=, (gsize) (payload + size - nal.body));
    g_assert_cmpuint (++n, <=, size);
    gst_ivs_h264_read_slice (nal.body, nal.size, &is_first, &is_b);
    if (nal.type == GST_IVS_NAL_SPS)
      gst_ivs_h264_read_sps (nal.body, nal.size, &sps);
  }
}

static void
test_mutated_packets (void)
{
  for (guint round = 0; round < 20000; round++) {
    gsize size;
    g_autofree guint8 *payload =
        from_hex (packet_cases[round % G_N_ELEMENTS (packet_cases)].hex, &size);
    gsize cut = (gsize) g_test_rand_int_range (0, (gint32) size + 1);
    g_autofree guint8 *copy = NULL;

    mutate (payload, size);
    copy = g_memdup2 (payload, cut);
    read_broken_packet (copy, cut);
  }
}

int
main (int argc, char *argv[])
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);

  ADD_ROWS ("/h264/sps/", sps_cases, test_sps);
  ADD_ROWS ("/h264/slice/", slice_cases, test_slice);
  ADD_ROWS ("/h264/packet/", packet_cases, test_packet);
  g_test_add_func ("/h264/cut-sps", test_cut_sps);
  g_test_add_func ("/h264/mutated-sps", test_mutated_sps);
  g_test_add_func ("/h264/mutated-packets", test_mutated_packets);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
