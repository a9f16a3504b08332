/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whole sessions, small enough for valgrind: from the token to the DELETE.
 *
 * All of the control path is in them, with the real webrtcbin at the local stage,
 * which runs outside valgrind. There the first offer waits a minute for its certificate,
 * and a connection may be lost for want of answers in time; so nothing here is
 * measured, it only has to come.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"

#define SECONDS 900

/* What a slow machine needs longer for. */
#define PATIENCE \
  "timeout=300 connect-timeout=300 shutdown-timeout=60 " \
  "max-retries=-1 "
#define SOUND "audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=1"
#define PICTURE \
  "videotestsrc is-live=true ! video/x-raw,width=160,height=90,framerate=5/1"

static StageFixture *stage;

static gboolean
is_slow (void)
{
  return g_getenv ("IVS_TEST_IS_SLOW") != NULL;
}

/* What happens to an attempt whose answers come too late; another one follows. */
static const gchar *const hazards[] = { "lost", "ice", "dtls",
  "connect-timeout" };

static PublishFixture *
publish (const gchar *sources)
{
  PublishFixture *self = publish_fixture_new (stage,
      "ivsstagesink name=s " PATIENCE "%s", sources);

  for (guint i = 0; is_slow () && i < G_N_ELEMENTS (hazards); i++)
    publish_fixture_expect (self, hazards[i]);
  publish_fixture_play (self);
  publish_fixture_wait_connection (self, "connected", SECONDS);
  return self;
}

static void
wait_for_number (PublishFixture *self, const gchar *path, gdouble value)
{
  G_GNUC_UNUSED g_autoptr (JsonNode) state =
      publish_fixture_wait_number (self, path, value, SECONDS);
}

/* One session, and it was deleted; on a slow machine another may have been lost. */
static void
assert_deleted (PublishFixture *self)
{
  wait_for_number (self, "sessions.deleted", 1);
  if (!is_slow ())
    publish_fixture_assert_deleted (self, 1);
}

static void
test_sound (void)
{
  g_autoptr (PublishFixture) self = publish (SOUND " ! s.");

  wait_for_number (self, "session.audio.packets", 20);
  publish_fixture_stop (self);
  assert_deleted (self);
}

static void
test_sound_and_picture (void)
{
  g_autoptr (PublishFixture) self = publish (SOUND " ! s. " PICTURE " ! s.");

  wait_for_number (self, "session.audio.packets", 20);
  wait_for_number (self, "session.video.frames", 5);
  publish_fixture_stop (self);
  assert_deleted (self);
}

/* The stage ends the session: another one takes its place, and is deleted. */
static void
test_replaced (void)
{
  g_autoptr (PublishFixture) self = publish (SOUND " ! s.");

  wait_for_number (self, "session.audio.packets", 20);
  publish_fixture_expect (self, "lost");
  stage_fixture_fault (stage,
      "{\"rule\":\"dtls-close\",\"participant\":\"%s\"}",
      publish_fixture_get_participant (self));
  wait_for_number (self, "sessions.made", 2);
  publish_fixture_wait_connection (self, "connected", SECONDS);
  wait_for_number (self, "session.audio.packets", 20);
  publish_fixture_stop (self);
  wait_for_number (self, "sessions.deleted", 1);
}

static void
test_end_of_stream (void)
{
  g_autoptr (PublishFixture) self = publish (SOUND " ! s.");

  gst_element_send_event (publish_fixture_get_pipeline (self),
      gst_event_new_eos ());
  publish_fixture_wait_eos (self, SECONDS);
  assert_deleted (self);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/sound", test_sound);
  g_test_add_func ("/session/sound-and-picture", test_sound_and_picture);
  g_test_add_func ("/session/replaced", test_replaced);
  g_test_add_func ("/session/end-of-stream", test_end_of_stream);
  stage = stage_fixture_start (NULL);
  result = g_test_run ();
  stage_fixture_stop (stage);
  end_gstreamer ();
  return result;
}
