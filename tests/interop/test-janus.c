/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element publishes to a room of Janus, as ICE-lite and as full agent; what Janus
 * forwards is decoded here.
 */
#include <ifaddrs.h>
#include <net/if.h>

#include "end-gstreamer.h"
#include "janus-bridge.h"
#include "publish-fixture.h"
#include "receiver.h"
#include "token-maker.h"

#define SECONDS 30

#define SOURCES \
  "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! s. " \
  "audiotestsrc is-live=true ! s."

/* -- Publishing ---------------------------------------------------------------------------- */

static gboolean
has_ended (gpointer data)
{
  return janus_bridge_get_n_ended (data) >= 1;
}

static void
test_room (gconstpointer data)
{
  g_autofree gchar *program = g_find_program_in_path ("janus");
  g_autofree gchar *token = token_maker_make_publisher ("publisher",
      G_GINT64_CONSTANT (4102444800), NULL);
  g_autoptr (Receiver) receiver = receiver_start ();
  g_autoptr (JanusBridge) janus = NULL;
  g_autoptr (PublishFixture) publishing = NULL;

  janus = janus_bridge_start (program, GPOINTER_TO_INT (data),
      receiver_get_audio_port (receiver), receiver_get_video_port (receiver));
  publishing = publish_fixture_new_as (NULL, "publisher",
      SOURCES
      " ivsstagesink name=s stage-limits=ignore auth-token=%s whip-endpoint=%s",
      token, janus_bridge_get_endpoint (janus));
  publish_fixture_play (publishing);
  publish_fixture_wait_connection (publishing, "connected", SECONDS);
  receiver_wait (receiver, SECONDS);
  publish_fixture_stop (publishing);
  g_assert_true (publish_wait (has_ended, janus, SECONDS * 1000));
  g_assert_cmpuint (janus_bridge_get_n_connected (janus), ==, 1);
  g_assert_cmpuint (janus_bridge_get_n_posts (janus), ==, 1);
  g_assert_cmpuint (janus_bridge_get_n_deletes (janus), ==, 1);
}

/* -- Whether it can be ------------------------------------------------------------------------ */

/* Janus leaves the loopback interface out. */
static gboolean
has_address (void)
{
  struct ifaddrs *all = NULL;
  gboolean is_found = FALSE;

  if (getifaddrs (&all) != 0)
    return FALSE;
  for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next)
    is_found |= one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
        (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
  freeifaddrs (all);
  return is_found;
}

static void
skip_without_janus (gconstpointer data)
{
  g_test_skip ("Janus is not installed: Debian's package janus");
}

static void
skip_without_address (gconstpointer data)
{
  g_test_skip ("This computer has no address but that of the loopback "
               "interface, which Janus leaves out");
}

int
main (int argc, char **argv)
{
  g_autofree gchar *program = g_find_program_in_path ("janus");
  GTestDataFunc test = program == NULL ? skip_without_janus
      : !has_address ()                ? skip_without_address
                                       : test_room;
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/janus/full", GINT_TO_POINTER (FALSE), test);
  g_test_add_data_func ("/janus/lite", GINT_TO_POINTER (TRUE), test);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
