/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Metadata that an application sends arrives at the stage, with each kind of video.
 */
#include <string.h>

#include "end-gstreamer.h"
#include "publish-fixture.h"

static StageFixture *stage;

#define RAW \
  "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1"
#define X264 \
  " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 " \
  "bitrate=500 ! video/x-h264,profile=constrained-baseline"

static const struct
{
  const gchar *name, *description;
} inputs[] = {
  { "raw", RAW " ! ivsstagesink" },
  { "h264", RAW X264 " ! ivsstagesink" },
  { "rtp", RAW X264 " ! rtph264pay aggregate-mode=max-stap ! ivsstagesink" },
};

static gboolean
send_metadata (PublishFixture *publish, gconstpointer data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  gboolean is_sent = FALSE;

  g_signal_emit_by_name (publish_fixture_get_sink (publish), "send-metadata",
      bytes, &is_sent);
  return is_sent;
}

static void
assert_arrives (PublishFixture *publish, guint count, gconstpointer data,
    gsize size)
{
  g_autoptr (JsonNode) state = publish_fixture_wait_number (publish,
      "session.video.metadata.count", count, 20);
  JsonNode *last =
      publish_fixture_at (publish, state, "session.video.metadata.last");
  gsize arrived_size;
  g_autofree guchar *arrived =
      g_base64_decode (json_node_get_string (last), &arrived_size);

  g_assert_cmpmem (arrived, arrived_size, data, size);
  publish_fixture_assert_int (publish, state, "session.video.metadata.count",
      ==, count);
  publish_fixture_assert_int (publish, state, "session.video.metadata.late", ==,
      0);
}

static void
test_input (gconstpointer description)
{
  static const guint8 zeros[1024];
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "%s", (const gchar *) description);
  g_autoptr (JsonNode) state = NULL;

  g_assert_false (send_metadata (publish, "early", 5));
  publish_fixture_play (publish);
  state = publish_fixture_wait_number (publish, "session.video.frames", 5, 20);

  g_assert_true (send_metadata (publish, "{\"score\":1}", 11));
  assert_arrives (publish, 1, "{\"score\":1}", 11);
  g_assert_true (send_metadata (publish, zeros, sizeof zeros));
  assert_arrives (publish, 2, zeros, sizeof zeros);
  g_assert_false (send_metadata (publish, "", 0));

  publish_fixture_stop (publish);
  g_assert_false (send_metadata (publish, "late", 4));
}

static void
test_audio_alone (void)
{
  g_autoptr (PublishFixture) publish =
      publish_fixture_new (stage, "audiotestsrc is-live=true ! ivsstagesink");
  g_autoptr (JsonNode) state = NULL;

  publish_fixture_play (publish);
  state =
      publish_fixture_wait_number (publish, "session.audio.packets", 20, 20);
  g_assert_false (send_metadata (publish, "nobody", 6));
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  stage = stage_fixture_start (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++) {
    g_autofree gchar *path =
        g_strconcat ("/send-metadata/", inputs[i].name, NULL);

    g_test_add_data_func (path, inputs[i].description, test_input);
  }
  g_test_add_func ("/send-metadata/audio-alone", test_audio_alone);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
