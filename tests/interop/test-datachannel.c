/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element publishes to libdatachannel, another WebRTC in C++ with ICE of its own
 * (libjuice), by way of its Node.js package; what it received is decoded here.
 *
 * whip-server.js (datachannel/) is the WHIP server. The package is not Debian's:
 * install.sh gets it.
 */
#include "end-gstreamer.h"
#include "peer-process.h"
#include "publish-fixture.h"
#include "receiver.h"
#include "token-maker.h"

#define SECONDS 30

#define SOURCES \
  "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! s. " \
  "audiotestsrc is-live=true ! s."

static PeerProcess *
start_server (const gchar *node, Receiver *receiver)
{
  g_autofree gchar *audio_port =
      g_strdup_printf ("%u", receiver_get_audio_port (receiver));
  g_autofree gchar *video_port =
      g_strdup_printf ("%u", receiver_get_video_port (receiver));
  const gchar *const command[] = { node, DATACHANNEL_SERVER,
    DATACHANNEL_MODULES, audio_port, video_port, NULL };

  return peer_process_start (command, SECONDS);
}

static gboolean
has_ended (gpointer data)
{
  g_autofree gchar *ended = peer_process_read (data, "ended");

  return ended != NULL;
}

static void
test_publish (void)
{
  g_autofree gchar *node = g_find_program_in_path ("node");
  g_autofree gchar *token = token_maker_make_publisher ("publisher",
      G_GINT64_CONSTANT (4102444800), NULL);
  g_autoptr (Receiver) receiver = receiver_start ();
  g_autoptr (PeerProcess) server = start_server (node, receiver);
  g_autofree gchar *endpoint = peer_process_read (server, "endpoint");
  g_autofree gchar *ended = NULL;
  g_autoptr (PublishFixture) publishing = NULL;

  publishing = publish_fixture_new_as (NULL, "publisher",
      SOURCES
      " ivsstagesink name=s stage-limits=ignore auth-token=%s whip-endpoint=%s",
      token, endpoint);
  publish_fixture_play (publishing);
  publish_fixture_wait_connection (publishing, "connected", SECONDS);
  receiver_wait (receiver, SECONDS);
  publish_fixture_stop (publishing);
  g_assert_true (publish_wait (has_ended, server, SECONDS * 1000));
  ended = peer_process_read (server, "ended");
  g_assert_cmpstr (ended, ==, "posts 1 deletes 1\n");
}

static void
skip (void)
{
  g_test_skip ("The npm package node-datachannel is not there: "
               "sh tests/interop/install.sh");
}

int
main (int argc, char **argv)
{
  g_autofree gchar *node = g_find_program_in_path ("node");
  gboolean is_there = node != NULL &&
      g_file_test (DATACHANNEL_MODULES "/node-datachannel/package.json",
          G_FILE_TEST_EXISTS);
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/datachannel/publish", is_there ? test_publish : skip);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
