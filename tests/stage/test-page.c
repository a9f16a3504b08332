/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The page of the local stage in a real browser: what is published is seen.
 */
#include <gst/app/app.h>
#include <gst/gst.h>
#include <signal.h>
#include <string.h>

#include "sender.h"

#define BROWSER_SECONDS 60

/* -- A browser ------------------------------------------------------------------- */

typedef struct
{
  GSubprocess *process;
  gchar *profile;
} Browser;

static Browser *
open_browser (const gchar *url)
{
  Browser *browser = g_new0 (Browser, 1);
  g_autofree gchar *profile_option = NULL;
  g_autoptr (GError) error = NULL;

  browser->profile = g_dir_make_tmp ("local-stage-page-XXXXXX", &error);
  g_assert_no_error (error);
  profile_option = g_strconcat ("--user-data-dir=", browser->profile, NULL);
  browser->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
          G_SUBPROCESS_FLAGS_STDERR_SILENCE,
      &error, CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
      "--autoplay-policy=no-user-gesture-required",
      "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--no-first-run", "--allow-loopback-in-peer-connection",
      profile_option, url, NULL);
  g_assert_no_error (error);
  return browser;
}

static void
remove_tree (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process =
      g_subprocess_new (0, &error, "rm", "-rf", path, NULL);

  g_assert_no_error (error);
  g_subprocess_wait (process, NULL, NULL);
}

/* SIGTERM ends a browser and its helper processes in good order. */
static void
close_browser (Browser *browser)
{
  g_subprocess_send_signal (browser->process, SIGTERM);
  g_subprocess_wait (browser->process, NULL, NULL);
  remove_tree (browser->profile);
  g_object_unref (browser->process);
  g_free (browser->profile);
  g_free (browser);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Browser, close_browser)

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

static void
save_picture (const gchar *url)
{
  const gchar *path = g_getenv ("STAGE_TEST_PICTURE");
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;

  if (path == NULL)
    return;
  buffer = decode_data_url (url);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_file_set_contents (path, (gchar *) map.data, (gssize) map.size, NULL);
  gst_buffer_unmap (buffer, &map);
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
  G_GNUC_UNUSED g_autoptr (Browser) browser = open_browser (page);
  g_autoptr (JsonNode) report = wait_for_report (stage);
  const gchar *picture = stage_state_string (report, "participants.0.png");
  guint8 rgb[3] = { 0 };

  g_assert_cmpstr (stage_state_string (report, "participants.0.id"), ==, id);
  g_assert_cmpint ((gint) stage_state_number (report, "participants.0.width"),
      ==, 320);
  g_assert_cmpint ((gint64) get_stat (report, "video", "framesDecoded"), >, 30);
  g_assert_cmpint ((gint64) get_stat (report, "audio", "packetsReceived"), >,
      50);
  g_assert_cmpint ((gint64) get_stat (report, "audio", "totalSamplesReceived"),
      >, 48000);
  save_picture (picture);
  read_pixel (picture, 21, 30, rgb); /* the second bar is yellow */
  g_assert_cmpint (rgb[0], >, 150);
  g_assert_cmpint (rgb[1], >, 150);
  g_assert_cmpint (rgb[2], <, 90);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/local-stage/page/browser-sees", test_browser_sees);
  return g_test_run ();
}
