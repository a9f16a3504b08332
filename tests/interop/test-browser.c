/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element publishes to a browser: its offer, its packets and its H.264 before
 * the judge that the viewers of a stage have.
 */
#include "end-gstreamer.h"
#include "browser.h"
#include "publish-fixture.h"
#include "token-maker.h"
#include "whip-bridge.h"

#define SECONDS 30
#define FRAME_RATE 30
/* Over how many frames a rate is taken. */
#define MEASURED 90

#define LIVE_VIDEO \
  "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1"
#define LIVE_AUDIO "audiotestsrc is-live=true"

static WhipBridge *bridge;

/* -- The publisher ---------------------------------------------------------------- */

/* What a busy computer does to the source is no matter of the offer's. */
static PublishFixture *
publish (const gchar *sources)
{
  g_autofree gchar *token = token_maker_make_publisher ("publisher",
      G_GINT64_CONSTANT (4102444800), NULL);
  PublishFixture *publishing;

  whip_bridge_forget (bridge);
  publishing = publish_fixture_new_as (NULL, "publisher",
      "%s ivsstagesink name=s stage-limits=ignore auth-token=%s whip-endpoint=%s",
      sources, token, whip_bridge_get_endpoint (bridge));
  publish_fixture_play (publishing);
  publish_fixture_wait_connection (publishing, "connected", SECONDS);
  g_assert_null (whip_bridge_get_refusal (bridge));
  return publishing;
}

static gboolean
was_deleted (gpointer data)
{
  return whip_bridge_get_n_deletes (bridge) > 0;
}

static void
stop (PublishFixture *publishing)
{
  publish_fixture_stop (publishing);
  g_assert_true (publish_wait (was_deleted, NULL, 5000));
  g_assert_cmpuint (whip_bridge_get_n_posts (bridge), ==, 1);
  g_assert_cmpuint (whip_bridge_get_n_deletes (bridge), ==, 1);
}

/* -- What the browser counts -------------------------------------------------------- */

typedef struct
{
  const gchar *kind, *name;
  gdouble value;
} Wanted;

static gboolean
has_counted (gpointer data)
{
  Wanted *wanted = data;

  return whip_bridge_get_stat (bridge, wanted->kind, wanted->name) >=
      wanted->value;
}

static void
wait_stat (const gchar *kind, const gchar *name, gdouble value)
{
  Wanted wanted = { kind, name, value };

  if (!publish_wait (has_counted, &wanted, SECONDS * 1000))
    g_error ("%s of %s: %g after %u s, expected were %g", name, kind,
        whip_bridge_get_stat (bridge, kind, name), SECONDS, value);
}

/* How much a count grows per second, by the browser's own clock. */
static gdouble
measure_rate (const gchar *kind, const gchar *name, gdouble amount)
{
  gdouble count = whip_bridge_get_stat (bridge, kind, name);
  gdouble time = whip_bridge_get_stat (bridge, kind, "timestamp");
  gdouble rate;

  wait_stat (kind, name, count + amount);
  rate = (whip_bridge_get_stat (bridge, kind, name) - count) * 1000 /
      (whip_bridge_get_stat (bridge, kind, "timestamp") - time);
  g_test_message ("%s of %s: %.1f per second", name, kind, rate);
  return rate;
}

/* The first frames of a browser that was just started take their time. */
static void
check_video (void)
{
  gdouble rate;

  wait_stat ("video", "framesDecoded", FRAME_RATE);
  rate = measure_rate ("video", "framesDecoded", MEASURED);
  g_assert_cmpfloat (rate, >, 0.8 * FRAME_RATE);
  g_assert_cmpfloat (rate, <, 1.2 * FRAME_RATE);
  g_assert_cmpfloat (whip_bridge_get_stat (bridge, "video", "frameWidth"), ==,
      640);
}

static void
check_audio (void)
{
  gdouble rate;

  wait_stat ("audio", "totalSamplesReceived", 48000);
  rate = measure_rate ("audio", "totalSamplesReceived", 2 * 48000);
  g_assert_cmpfloat (rate, >, 0.8 * 48000);
  /* A tone, and not what the browser plays for what is missing. */
  g_assert_cmpfloat (whip_bridge_get_stat (bridge, "audio", "totalAudioEnergy"),
      >, 0);
}

/* -- The cases ------------------------------------------------------------------------ */

static void
test_both (void)
{
  g_autoptr (PublishFixture) publishing =
      publish (LIVE_VIDEO " ! s. " LIVE_AUDIO " ! s.");

  check_video ();
  check_audio ();
  stop (publishing);
}

static void
test_audio_only (void)
{
  g_autoptr (PublishFixture) publishing = publish (LIVE_AUDIO " ! s.");

  check_audio ();
  g_assert_cmpfloat (whip_bridge_get_stat (bridge, "video", "framesDecoded"),
      <=, 0);
  stop (publishing);
}

/* A camera that is switched on later takes the empty video section over, without
 * another session. */
static void
test_late_video (void)
{
  g_autoptr (PublishFixture) publishing = publish (LIVE_AUDIO " ! s.");
  g_autoptr (GError) error = NULL;
  GstElement *camera;

  wait_stat ("audio", "totalSamplesReceived", 48000);
  camera =
      gst_parse_bin_from_description (LIVE_VIDEO " ! identity", TRUE, &error);
  g_assert_no_error (error);
  gst_bin_add (GST_BIN (publish_fixture_get_pipeline (publishing)), camera);
  g_assert_true (
      gst_element_link (camera, publish_fixture_get_sink (publishing)));
  g_assert_true (gst_element_sync_state_with_parent (camera));
  check_video ();
  check_audio ();
  stop (publishing);
}

int
main (int argc, char **argv)
{
  gboolean has_browser = browser_is_there ();
  Browser *browser = NULL;
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/browser/audio-and-video",
      has_browser ? test_both : browser_skip);
  g_test_add_func ("/browser/audio-only",
      has_browser ? test_audio_only : browser_skip);
  g_test_add_func ("/browser/late-video",
      has_browser ? test_late_video : browser_skip);
  bridge = whip_bridge_start ();
  if (has_browser)
    browser = browser_open (whip_bridge_get_page_url (bridge));
  result = g_test_run ();
  g_clear_pointer (&browser, browser_close);
  whip_bridge_stop (bridge);
  end_gstreamer ();
  return result;
}
