/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of lost sessions and of changing inputs look at.
 */
#pragma once

#include "publish-fixture.h"

G_BEGIN_DECLS

#define VIDEO_CAPS "video/x-raw,width=320,height=240,framerate=30/1"
#define LIVE_VIDEO "videotestsrc name=v is-live=true ! " VIDEO_CAPS
#define LIVE_AUDIO "audiotestsrc name=a is-live=true"
#define LIVE_BOTH(properties) \
  LIVE_VIDEO " ! ivsstagesink name=s " properties " " LIVE_AUDIO " ! s."

#define survival_assert(publish, state, path, op, value) \
  g_assert_cmpfloat (publish_fixture_number (publish, state, path), op, value)

/* Runs the main context for so long: for what must not happen meanwhile. */
static inline gboolean
survival_never (gpointer data)
{
  return FALSE;
}

static inline void
survival_pass_time (guint milliseconds)
{
  publish_wait (survival_never, NULL, milliseconds);
}

/* -- What one session of a stream leaves to the next ------------------------------- */

typedef struct
{
  gdouble ssrc, ntp, rtp, last_sequence;
} SurvivalMark;

typedef struct
{
  gchar *session;
  SurvivalMark audio, video;
} SurvivalTrace;

static inline void
survival_trace_clear (SurvivalTrace *trace)
{
  g_free (trace->session);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SurvivalTrace, survival_trace_clear)

static inline gdouble
survival_at (PublishFixture *publish, JsonNode *state, const gchar *kind,
    const gchar *field)
{
  g_autofree gchar *path = g_strdup_printf ("session.%s.%s", kind, field);

  g_assert_nonnull (publish_fixture_at (publish, state, path));
  return publish_fixture_number (publish, state, path);
}

static inline void
survival_read_mark (PublishFixture *publish, JsonNode *state, const gchar *kind,
    SurvivalMark *mark)
{
  mark->ssrc = survival_at (publish, state, kind, "ssrc");
  mark->ntp = survival_at (publish, state, kind, "reports.-1.ntp");
  mark->rtp = survival_at (publish, state, kind, "reports.-1.rtp");
  mark->last_sequence = survival_at (publish, state, kind, "last_sequence");
}

/* Waits until sound and picture flow and both clocks were reported. */
static inline JsonNode *
survival_wait_media (PublishFixture *publish, guint seconds)
{
  g_autoptr (JsonNode) video = publish_fixture_wait_number (publish,
      "session.video.n_reports", 1, seconds);
  g_autoptr (JsonNode) frames = publish_fixture_wait_number (publish,
      "session.video.frames", 15, seconds);

  return publish_fixture_wait_number (publish, "session.audio.n_reports", 1,
      seconds);
}

static inline void
survival_remember (PublishFixture *publish, SurvivalTrace *trace)
{
  g_autoptr (JsonNode) state = survival_wait_media (publish, 20);

  g_free (trace->session);
  trace->session = g_strdup (
      json_node_get_string (publish_fixture_at (publish, state, "session.id")));
  survival_read_mark (publish, state, "audio", &trace->audio);
  survival_read_mark (publish, state, "video", &trace->video);
}

/* RTP time goes on as the sender's clock does: across sessions too. That of both
 * streams means that they are as much in sync as they were. */
static inline void
survival_check_mark (PublishFixture *publish, JsonNode *state,
    const gchar *kind, const SurvivalMark *before, gdouble rate)
{
  SurvivalMark after;
  guint32 ticks;
  gint16 step;
  gdouble first = survival_at (publish, state, kind, "first_sequence");

  survival_read_mark (publish, state, kind, &after);
  g_assert_cmpfloat (after.ssrc, ==, before->ssrc);
  ticks = (guint32) after.rtp - (guint32) before->rtp;
  g_assert_cmpfloat (ABS (ticks / rate - (after.ntp - before->ntp)), <, 0.1);
  step = (gint16) ((guint16) first - (guint16) before->last_sequence);
  g_assert_cmpint (step, >, 0);
}

/* The streams are there in the second session, and it is as if nothing had been. */
static inline void
survival_check_continues (PublishFixture *publish, const SurvivalTrace *trace,
    guint seconds)
{
  g_autoptr (JsonNode) made =
      publish_fixture_wait_number (publish, "sessions.made", 2, seconds);
  g_autoptr (JsonNode) state = survival_wait_media (publish, seconds);

  survival_assert (publish, state, "sessions.made", ==, 2);
  g_assert_cmpstr (json_node_get_string (
                       publish_fixture_at (publish, state, "session.id")),
      !=, trace->session);
  g_assert_true (json_node_get_boolean (
      publish_fixture_at (publish, state, "session.video.starts_with_idr")));
  survival_check_mark (publish, state, "audio", &trace->audio, 48000);
  survival_check_mark (publish, state, "video", &trace->video, 90000);
  survival_assert (publish, state, "session.video.sources", ==, 1);
  survival_assert (publish, state, "session.video.never_arrived", ==, 0);
  survival_assert (publish, state, "session.audio.never_arrived", ==, 0);
}

static inline GstState
survival_get_state (PublishFixture *publish)
{
  GstState state = GST_STATE_NULL;

  gst_element_get_state (publish_fixture_get_pipeline (publish), &state, NULL,
      0);
  return state;
}

/* Stops, bounded; nothing stays at the stage. */
static inline void
survival_stop (PublishFixture *publish, guint seconds)
{
  gint64 began = g_get_monotonic_time ();

  publish_fixture_stop (publish);
  g_assert_cmpint (g_get_monotonic_time () - began, <=,
      seconds * G_USEC_PER_SEC);
}

static inline void
survival_assert_gone (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = publish_fixture_look (publish);
  JsonNode *node = publish_fixture_at (publish, state, "publishing");

  g_assert_false (json_node_get_boolean (node));
}

G_END_DECLS
