/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element publishes to Pion, which most other stages and WHIP servers are made
 * of: as ICE-lite and as full agent, in both roles of DTLS.
 *
 * pion-whip (pion/) counts what it receives and keeps it; what it kept is decoded
 * here.
 */
#include <glib/gstdio.h>
#include <stdio.h>

#include "end-gstreamer.h"
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
  const gchar *arguments[4];
} cases[] = {
  { "lite-dtls-client", { "-lite", "-role", "client" } },
  { "lite-dtls-server", { "-lite", "-role", "server" } },
  { "full-dtls-client", { "-role", "client" } },
  { "full-dtls-server", { "-role", "server" } },
};

/* -- The server ---------------------------------------------------------------------- */

typedef struct
{
  GSubprocess *process;
  gchar *folder;
} Pion;

typedef struct
{
  gint audio, video, posts, deletes, closed;
} Counts;

static gchar *
read_file (Pion *pion, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (pion->folder, name, NULL);
  gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static Counts
get_counts (Pion *pion)
{
  g_autofree gchar *text = read_file (pion, "counts");
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
listens (gpointer data)
{
  g_autofree gchar *endpoint = read_file (data, "endpoint");

  return endpoint != NULL;
}

static void
pion_start (Pion *pion, const gchar *const *arguments)
{
  g_autoptr (GPtrArray) command = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  pion->folder = g_dir_make_tmp ("ivs-pion-XXXXXX", &error);
  g_assert_no_error (error);
  g_ptr_array_add (command, (gpointer) PION_PROGRAM);
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (command, (gpointer) *arguments);
  g_ptr_array_add (command, pion->folder);
  g_ptr_array_add (command, NULL);
  pion->process = g_subprocess_newv ((const gchar *const *) command->pdata,
      G_SUBPROCESS_FLAGS_STDIN_PIPE, &error);
  g_assert_no_error (error);
  g_assert_true (publish_wait (listens, pion, SECONDS * 1000));
}

static void
pion_stop (Pion *pion)
{
  static const gchar *const files[] = { "endpoint", "counts", "video.h264",
    "audio.ogg" };

  g_output_stream_close (g_subprocess_get_stdin_pipe (pion->process), NULL,
      NULL);
  g_assert_true (g_subprocess_wait_check (pion->process, NULL, NULL));
  g_object_unref (pion->process);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree gchar *path = g_build_filename (pion->folder, files[i], NULL);

    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (pion->folder), ==, 0);
  g_free (pion->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pion, pion_stop)

/* -- What it received ------------------------------------------------------------------- */

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
decode (Pion *pion, const gchar *name, const gchar *decoder)
{
  g_autofree gchar *line = g_strdup_printf (
      "filesrc location=%s/%s ! %s ! fakesink name=end signal-handoffs=true",
      pion->folder, name, decoder);
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
  const gchar *const *arguments = data;
  g_autofree gchar *token = token_maker_make_publisher ("publisher",
      G_GINT64_CONSTANT (4102444800), NULL);
  g_auto (Pion) pion = { NULL };
  g_autofree gchar *endpoint = NULL;
  g_autoptr (PublishFixture) publishing = NULL;

  pion_start (&pion, arguments);
  endpoint = read_file (&pion, "endpoint");
  publishing = publish_fixture_new_as (NULL, "publisher",
      SOURCES
      " ivsstagesink name=s stage-limits=ignore auth-token=%s whip-endpoint=%s",
      token, endpoint);
  publish_fixture_play (publishing);
  publish_fixture_wait_connection (publishing, "connected", SECONDS);
  g_assert_true (publish_wait (has_enough, &pion, SECONDS * 1000));
  publish_fixture_stop (publishing);
  g_assert_true (publish_wait (has_ended, &pion, SECONDS * 1000));
  g_assert_cmpint (get_counts (&pion).posts, ==, 1);

  g_assert_cmpuint (decode (&pion, "video.h264",
                        "h264parse ! openh264dec ! video/x-raw,width=640"),
      >=, ENOUGH_VIDEO * 9 / 10);
  g_assert_cmpuint (decode (&pion, "audio.ogg", "oggdemux ! opusdec"), >=,
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

    g_test_add_data_func (path, cases[i].arguments,
        is_there ? test_case : skip);
  }
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
