/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of lost sessions and of changing inputs look at.
 */
#pragma once

#include <string.h>

#include "publish-fixture.h"

G_BEGIN_DECLS

#define VIDEO_CAPS "video/x-raw,width=320,height=240,framerate=30/1"
#define LIVE_VIDEO "videotestsrc name=v is-live=true ! " VIDEO_CAPS
#define LIVE_AUDIO "audiotestsrc name=a is-live=true"
/* What too little time for media does to them is the subject of other tests. */
#define SURVIVAL_SINK "ivsstagesink stage-limits=ignore"
#define LIVE_BOTH(properties) \
  LIVE_VIDEO " ! " SURVIVAL_SINK " name=s " properties " " LIVE_AUDIO " ! s."

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

/* -- Tokens that the application hands out one after the other --------------------- */

typedef struct
{
  GAsyncQueue *queue;
  GPtrArray *ids; /* of the participants, in order */
} SurvivalTokens;

static inline void
survival_tokens_clear (SurvivalTokens *tokens)
{
  g_async_queue_unref (tokens->queue);
  g_ptr_array_unref (tokens->ids);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SurvivalTokens, survival_tokens_clear)

static inline void
survival_tokens_init (SurvivalTokens *tokens)
{
  tokens->queue = g_async_queue_new_full (g_free);
  tokens->ids = g_ptr_array_new_with_free_func (g_free);
}

/* `request`: as for stage_fixture_mint(). */
static inline void
survival_tokens_add (SurvivalTokens *tokens, StageFixture *stage,
    const gchar *request)
{
  gchar *id = NULL;

  g_async_queue_push (tokens->queue, stage_fixture_mint (stage, request, &id));
  g_ptr_array_add (tokens->ids, id);
}

/* On the element's worker. */
static inline gchar *
survival_token_requested (GstElement *sink, gpointer data)
{
  SurvivalTokens *tokens = data;

  return g_async_queue_try_pop (tokens->queue);
}

/* A pipeline that asks for `tokens`; the first one's participant is looked at. */
static inline PublishFixture *
survival_publish (SurvivalTokens *tokens, StageFixture *stage,
    const gchar *description)
{
  PublishFixture *publish =
      publish_fixture_new_as (stage, tokens->ids->pdata[0], "%s", description);

  g_signal_connect (publish_fixture_get_sink (publish), "request-token",
      G_CALLBACK (survival_token_requested), tokens);
  return publish;
}

/* -- Messages ---------------------------------------------------------------------- */

typedef struct
{
  PublishFixture *publish;
  const gchar *name;
} SurvivalTold;

static inline gboolean
survival_was_told (gpointer data)
{
  SurvivalTold *told = data;

  return publish_fixture_count_messages (told->publish, told->name) > 0;
}

static inline void
survival_wait_told (PublishFixture *publish, const gchar *name,
    guint milliseconds)
{
  SurvivalTold told = { publish, name };

  if (!publish_wait (survival_was_told, &told, milliseconds))
    g_error ("No message %s within %u ms", name, milliseconds);
}

/* -- Another encoder's habits ------------------------------------------------------- */

/* H.264 with an IDR picture every `frames` only, whatever is asked for once
 * survival_turn_deaf() was called. */
#define LONG_GOP_VIDEO(frames) \
  LIVE_VIDEO " ! x264enc name=deaf tune=zerolatency speed-preset=ultrafast " \
             "option-string=scenecut=0 key-int-max=" frames " bitrate=500 ! " \
             "video/x-h264,profile=constrained-baseline"

static inline GstPadProbeReturn
survival_drop_request (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = gst_pad_probe_info_get_event (info);

  return gst_event_has_name (event, "GstForceKeyUnit") ? GST_PAD_PROBE_DROP
                                                       : GST_PAD_PROBE_OK;
}

static inline void
survival_turn_deaf (PublishFixture *publish)
{
  g_autoptr (GstElement) encoder =
      gst_bin_get_by_name (GST_BIN (publish_fixture_get_pipeline (publish)),
          "deaf");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      survival_drop_request, NULL, NULL);
}

/* What the offer has no section for: another session is made, and the streams are
 * handed over. */
static inline void
survival_add_microphone (PublishFixture *publish)
{
  GstElement *sink = publish_fixture_get_sink (publish);
  g_autoptr (GError) error = NULL;
  GstElement *microphone =
      gst_parse_bin_from_description (LIVE_AUDIO, TRUE, &error);

  g_assert_no_error (error);
  gst_bin_add (GST_BIN (GST_OBJECT_PARENT (sink)), microphone);
  g_assert_true (gst_element_link_pads (microphone, "src", sink, "audio_%u"));
  g_assert_true (gst_element_sync_state_with_parent (microphone));
}

/* -- Requests ---------------------------------------------------------------------- */

static inline gboolean
survival_has_asked_twice (gpointer data)
{
  g_autofree gchar *progress = publish_fixture_get_progress (data);
  const gchar *first = strstr (progress, "start request");

  return first != NULL && strstr (first + 1, "start request") != NULL;
}

/* Until the stage is asked for a second session. */
static inline void
survival_wait_second_request (PublishFixture *publish)
{
  if (!publish_wait (survival_has_asked_twice, publish, 10000))
    g_error ("There is no second request");
}

/* Waits until sound and picture flow and both clocks were reported. */
static inline JsonNode *
survival_wait_media (PublishFixture *publish, guint seconds)
{
  G_GNUC_UNUSED g_autoptr (JsonNode) video =
      publish_fixture_wait_number (publish, "session.video.n_reports", 1,
          seconds);
  G_GNUC_UNUSED g_autoptr (JsonNode) frames =
      publish_fixture_wait_number (publish, "session.video.frames", 15,
          seconds);

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
  G_GNUC_UNUSED g_autoptr (JsonNode) made =
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

/* At the stage; the session may be one that no media comes to yet. */
static inline JsonNode *
survival_wait_connected (PublishFixture *publish, StageFixture *stage,
    guint seconds)
{
  g_autofree gchar *path = g_strdup_printf ("@%s.session.state",
      publish_fixture_get_participant (publish));

  return stage_fixture_wait_string (stage, path, "connected", seconds);
}

typedef struct
{
  guint posts;
  guint made;    /* those that were answered with a session */
  guint deleted; /* sessions that a DELETE came for, however it was answered */
} SurvivalRequests;

static inline void
survival_count_requests (JsonNode *state, const gchar *participant,
    SurvivalRequests *result)
{
  JsonArray *requests =
      json_node_get_array (stage_state_at (state, "requests"));
  g_autoptr (GHashTable) deleted = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < json_array_get_length (requests); i++) {
    JsonNode *request = json_array_get_element (requests, i);
    const gchar *method = stage_state_string (request, "method");

    if (g_strcmp0 (stage_state_string (request, "participant"), participant) !=
        0)
      continue;
    if (g_str_equal (method, "DELETE"))
      g_hash_table_add (deleted,
          (gpointer) stage_state_string (request, "path"));
    result->posts += g_str_equal (method, "POST");
    result->made += g_str_equal (method, "POST") &&
        stage_state_number (request, "status") == 201;
  }
  result->deleted = g_hash_table_size (deleted);
}

static inline void
survival_assert_all_deleted (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = publish_fixture_look (publish);
  SurvivalRequests requests = { 0 };

  survival_count_requests (state, publish_fixture_get_participant (publish),
      &requests);
  g_assert_cmpuint (requests.made, >, 0);
  g_assert_cmpuint (requests.deleted, ==, requests.made);
}

static inline void
survival_assert_gone (PublishFixture *publish)
{
  g_autoptr (JsonNode) state = publish_fixture_look (publish);
  JsonNode *node = publish_fixture_at (publish, state, "publishing");

  g_assert_false (json_node_get_boolean (node));
}

G_END_DECLS
