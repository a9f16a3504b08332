/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element publishes to Pion, which most other stages and WHIP servers are made
 * of: as ICE-lite and as full agent, in both roles of DTLS.
 *
 * pion-whip (pion/) counts what it receives and keeps it; what it kept is decoded
 * here.
 */
#include <stdio.h>

#include "end-gstreamer.h"
#include "peer-process.h"
#include "publish-fixture.h"
#include "token-maker.h"

#define SECONDS 30
/* Packets of sound, three seconds of them; pictures, two seconds. */
#define ENOUGH_AUDIO 150
#define ENOUGH_VIDEO 60

#define SOURCES \
  "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! s. " \
  "audiotestsrc is-live=true ! s."

static const struct
{
  const gchar *name;
  const gchar *command[5];
} cases[] = {
  { "lite-dtls-client", { PION_PROGRAM, "-lite", "-role", "client" } },
  { "lite-dtls-server", { PION_PROGRAM, "-lite", "-role", "server" } },
  { "full-dtls-client", { PION_PROGRAM, "-role", "client" } },
  { "full-dtls-server", { PION_PROGRAM, "-role", "server" } },
};

/* -- What it received ------------------------------------------------------------------- */

typedef struct
{
  gint audio, video, posts, deletes, closed;
} Counts;

static Counts
get_counts (PeerProcess *pion)
{
  g_autofree gchar *text = peer_process_read (pion, "counts");
  Counts counts = { 0 };

  if (text != NULL)
    g_assert_cmpint (sscanf (text,
                         "audio %d video %d posts %d deletes %d closed %d",
                         &counts.audio, &counts.video, &counts.posts,
                         &counts.deletes, &counts.closed),
        ==, 5);
  return counts;
}

static gboolean
has_enough (gpointer data)
{
  Counts counts = get_counts (data);

  return counts.audio >= ENOUGH_AUDIO && counts.video >= ENOUGH_VIDEO;
}

/* The files are complete when both tracks have ended. */
static gboolean
has_ended (gpointer data)
{
  Counts counts = get_counts (data);

  return counts.deletes == 1 && counts.closed == 2;
}

static void
decoded (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  (*(guint *) data)++;
}

/* How many buffers the decoder makes of a file. */
static guint
decode (PeerProcess *pion, const gchar *name, const gchar *decoder)
{
  g_autofree gchar *line = g_strdup_printf (
      "filesrc location=%s/%s ! %s ! fakesink name=end signal-handoffs=true",
      peer_process_get_folder (pion), name, decoder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) end = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  guint n = 0;

  g_assert_no_error (error);
  end = gst_bin_get_by_name (GST_BIN (pipeline), "end");
  g_signal_connect (end, "handoff", G_CALLBACK (decoded), &n);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, SECONDS * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  return n;
}

static void
test_case (gconstpointer data)
{
  g_autofree gchar *token = token_maker_make_publisher ("publisher",
      G_GINT64_CONSTANT (4102444800), NULL);
  g_autoptr (PeerProcess) pion = peer_process_start (data, SECONDS);
  g_autofree gchar *endpoint = peer_process_read (pion, "endpoint");
  g_autoptr (PublishFixture) publishing = NULL;

  publishing = publish_fixture_new_as (NULL, "publisher",
      SOURCES
      " ivsstagesink name=s stage-limits=ignore auth-token=%s whip-endpoint=%s",
      token, endpoint);
  publish_fixture_play (publishing);
  publish_fixture_wait_connection (publishing, "connected", SECONDS);
  g_assert_true (publish_wait (has_enough, pion, SECONDS * 1000));
  publish_fixture_stop (publishing);
  g_assert_true (publish_wait (has_ended, pion, SECONDS * 1000));
  g_assert_cmpint (get_counts (pion).posts, ==, 1);

  g_assert_cmpuint (decode (pion, "video.h264",
                        "h264parse ! openh264dec ! video/x-raw,width=640"),
      >=, ENOUGH_VIDEO * 9 / 10);
  g_assert_cmpuint (decode (pion, "audio.ogg", "oggdemux ! opusdec"), >=,
      ENOUGH_AUDIO * 9 / 10);
}

static void
skip (gconstpointer data)
{
  g_test_skip ("pion-whip was not built: it needs Debian's golang-go and "
               "golang-github-pion-webrtc.v3-dev");
}

int
main (int argc, char **argv)
{
  gboolean is_there = *PION_PROGRAM != '\0';
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strdup_printf ("/pion/%s", cases[i].name);

    g_test_add_data_func (path, cases[i].command, is_there ? test_case : skip);
  }
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
