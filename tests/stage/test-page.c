/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The page of the local stage in a real browser: what is published is seen.
 */
#include <gst/app/app.h>
#include <gst/gst.h>
#include <string.h>

#include "end-gstreamer.h"
#include "browser.h"
#include "publish-fixture.h"
#include "sender.h"

#define BROWSER_SECONDS 60

/* -- What it reports ------------------------------------------------------------- */

static JsonNode *
get_report (StageFixture *stage)
{
  g_autofree gchar *url =
      g_strconcat (stage_fixture_get_page_url (stage), "api/report", NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_autofree gchar *text = stage_fixture_send (stage, message);
  g_autoptr (JsonNode) reports = json_from_string (text, NULL);
  JsonNode *report = reports != NULL ? stage_state_at (reports, "0") : NULL;

  return report != NULL ? json_node_copy (report) : NULL;
}

static gboolean
is_report_there (JsonNode *state, gpointer data)
{
  JsonNode **report = data;

  *report = get_report (*(StageFixture **) (report + 1));
  return *report != NULL;
}

static JsonNode *
wait_for_report (StageFixture *stage)
{
  struct
  {
    JsonNode *report;
    StageFixture *stage;
  } wanted = { NULL, stage };
  G_GNUC_UNUSED g_autoptr (JsonNode) state = stage_fixture_wait (stage,
      "the browser reported", is_report_there, &wanted, BROWSER_SECONDS);

  return wanted.report;
}

/* -- What it saw -------------------------------------------------------------------- */

static GstBuffer *
decode_data_url (const gchar *url)
{
  const gchar *data = strchr (url, ',');
  guchar *png;
  gsize size;

  g_assert_nonnull (data);
  png = g_base64_decode (data + 1, &size);
  return gst_buffer_new_wrapped (png, size);
}

/* Red, green and blue at a place of the picture, given in per cent. */
static void
read_pixel (const gchar *url, guint x_percent, guint y_percent, guint8 rgb[3])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_parse_launch (
      "appsrc name=in caps=image/png ! pngdec ! videoconvert ! "
      "video/x-raw,format=RGBx ! appsink name=out sync=false",
      &error));
  g_autoptr (GstElement) in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_autoptr (GstSample) sample = NULL;
  GstStructure *caps;
  gint width, height;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer (GST_APP_SRC (in), decode_data_url (url));
  gst_app_src_end_of_stream (GST_APP_SRC (in));
  sample = gst_app_sink_try_pull_sample (GST_APP_SINK (out), 10 * GST_SECOND);
  g_assert_nonnull (sample);
  caps = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  gst_structure_get_int (caps, "width", &width);
  gst_structure_get_int (caps, "height", &height);
  gst_buffer_extract (gst_sample_get_buffer (sample),
      ((gsize) (height * (gint) y_percent / 100) * (gsize) width +
          (gsize) (width * (gint) x_percent / 100)) *
          4,
      rgb, 3);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static gdouble
get_stat (JsonNode *report, const gchar *kind, const gchar *name)
{
  JsonArray *stats =
      json_node_get_array (stage_state_at (report, "participants.0.stats"));

  for (guint i = 0; i < json_array_get_length (stats); i++) {
    JsonNode *entry = json_array_get_element (stats, i);

    if (g_strcmp0 (stage_state_string (entry, "type"), "inbound-rtp") == 0 &&
        g_strcmp0 (stage_state_string (entry, "kind"), kind) == 0)
      return stage_state_number (entry, name);
  }
  return -1;
}

/* To look at it: ivs-page-*.png in the build folder. */
static void
save_picture (const gchar *name, const gchar *url)
{
  const gchar *folder = g_getenv ("IVS_TEST_OUTPUT");
  g_autofree gchar *path = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;
  GstMapInfo map;

  if (folder == NULL)
    return;
  path = g_build_filename (folder, name, NULL);
  buffer = decode_data_url (url);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_file_set_contents (path, (gchar *) map.data, (gssize) map.size, &error);
  gst_buffer_unmap (buffer, &map);
  g_assert_no_error (error);
}

/* The second bar of videotestsrc is yellow. */
static void
check_picture (const gchar *picture)
{
  guint8 rgb[3] = { 0 };

  read_pixel (picture, 21, 30, rgb);
  g_assert_cmpint (rgb[0], >, 150);
  g_assert_cmpint (rgb[1], >, 150);
  g_assert_cmpint (rgb[2], <, 90);
}

static void
test_browser_sees (void)
{
  g_autoptr (StageFixture) stage = stage_fixture_start (NULL);
  g_autofree gchar *id = NULL;
  g_autofree gchar *token = stage_fixture_mint (stage, NULL, &id);
  g_autofree gchar *endpoint =
      g_strconcat (stage_fixture_get_regional_url (stage), "/publish/", id,
          NULL);
  g_autofree gchar *page = g_strconcat (stage_fixture_get_page_url (stage),
      "?report=1&after=5", NULL);
  g_autofree gchar *idrs = g_strconcat ("@", id, ".session.video.idrs", NULL);
  g_autoptr (Sender) sender = sender_new ();
  G_GNUC_UNUSED g_autofree gchar *location =
      sender_publish (sender, stage, endpoint, token);
  G_GNUC_UNUSED g_autoptr (JsonNode) flowing =
      stage_fixture_wait_number (stage, idrs, 1, 20);
  G_GNUC_UNUSED g_autoptr (Browser) browser = browser_open (page);
  g_autoptr (JsonNode) report = wait_for_report (stage);
  const gchar *picture = stage_state_string (report, "participants.0.png");

  g_assert_cmpstr (stage_state_string (report, "participants.0.id"), ==, id);
  g_assert_cmpint ((gint) stage_state_number (report, "participants.0.width"),
      ==, 320);
  g_assert_cmpint ((gint64) get_stat (report, "video", "framesDecoded"), >, 30);
  g_assert_cmpint ((gint64) get_stat (report, "audio", "packetsReceived"), >,
      50);
  g_assert_cmpint ((gint64) get_stat (report, "audio", "totalSamplesReceived"),
      >, 48000);
  save_picture ("ivs-page-sender.png", picture);
  check_picture (picture);
}

/* -- With the element ---------------------------------------------------------------- */

#define FRAME_RATE 30

/* Decoded frames per second from the first to the last of them. */
static gdouble
get_frame_rate (JsonNode *report)
{
  return get_stat (report, "video", "framesDecoded") /
      get_stat (report, "video", "totalInterFrameDelay");
}

/* A picture has arrived, so there is one to go with. */
static void
send_metadata (PublishFixture *publish, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  gboolean is_sent = FALSE;
  G_GNUC_UNUSED g_autoptr (JsonNode) state =
      publish_fixture_wait_number (publish, "session.video.frames", 1, 20);

  g_signal_emit_by_name (publish_fixture_get_sink (publish), "send-metadata",
      bytes, &is_sent);
  g_assert_true (is_sent);
}

static void
test_browser_sees_element (void)
{
  g_autoptr (StageFixture) stage = stage_fixture_start (NULL);
  g_autoptr (PublishFixture) publish = NULL;
  g_autofree gchar *page = NULL;
  g_autoptr (Browser) browser = NULL;
  g_autoptr (JsonNode) report = NULL;
  const gchar *picture;

  publish = publish_fixture_new (stage,
      "videotestsrc is-live=true ! "
      "video/x-raw,width=640,height=360,framerate=30/1 ! "
      "ivsstagesink name=s stage-limits=ignore "
      "audiotestsrc is-live=true ! s.");
  publish_fixture_play (publish);
  publish_fixture_wait_connection (publish, "connected", 20);
  send_metadata (publish, "two to one, naïve");
  page = g_strconcat (stage_fixture_get_page_url (stage), "?report=1&after=8",
      NULL);
  browser = browser_open (page);
  report = wait_for_report (stage);
  g_clear_pointer (&browser, browser_close);
  publish_fixture_stop (publish);

  g_assert_cmpint ((gint) stage_state_number (report, "participants.0.width"),
      ==, 640);
  g_assert_cmpstr (stage_state_string (report, "participants.0.metadata"), ==,
      "Metadata 1: two to one, naïve");
  g_assert_cmpfloat (get_stat (report, "video", "framesDecoded"), >,
      3 * FRAME_RATE);
  g_test_message ("decoded %.1f frames per second", get_frame_rate (report));
  g_assert_cmpfloat (get_frame_rate (report), >, 0.8 * FRAME_RATE);
  g_assert_cmpfloat (get_stat (report, "audio", "totalSamplesReceived"), >,
      3 * 48000);
  /* The page is silent until somebody turns its sound on, but it receives. */
  g_assert_cmpfloat (get_stat (report, "audio", "packetsReceived"), >, 3 * 50);
  picture = stage_state_string (report, "participants.0.png");
  save_picture ("ivs-page-element.png", picture);
  check_picture (picture);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/local-stage/page/browser-sees",
      browser_is_there () ? test_browser_sees : browser_skip);
  g_test_add_func ("/local-stage/page/browser-sees-element",
      browser_is_there () ? test_browser_sees_element : browser_skip);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
