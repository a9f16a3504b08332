/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline with an ivsstagesink that publishes to a local stage, for tests.
 *
 * Any ERROR or WARNING on the bus fails the test unless it was expected; so does
 * a pipeline that outlives the fixture. While it waits it runs the default main
 * context.
 */
#pragma once

#include <gst/gst.h>

#include "stage-fixture.h"

G_BEGIN_DECLS

typedef struct _PublishFixture PublishFixture;

/* A pipeline from the gst-launch description, which holds one ivsstagesink, with a
 * token of its own; in state NULL. */
PublishFixture *publish_fixture_new (StageFixture *stage, const gchar *format,
    ...) G_GNUC_PRINTF (2, 3);

/* The same for a token minted before: `participant` is its id. The description
 * or the environment says where the element finds it. `stage` may be NULL where it
 * publishes elsewhere; then nothing can be asked about the stage. */
PublishFixture *publish_fixture_new_as (StageFixture *stage,
    const gchar *participant, const gchar *format, ...) G_GNUC_PRINTF (3, 4);

/* Stops the pipeline if it still runs and checks that nothing of it is left. */
void publish_fixture_free (PublishFixture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PublishFixture, publish_fixture_free)

GstElement *publish_fixture_get_pipeline (PublishFixture *self);
GstElement *publish_fixture_get_sink (PublishFixture *self);
const gchar *publish_fixture_get_participant (PublishFixture *self);

/* From now on it is this participant, maybe of another stage, that is looked at. */
void publish_fixture_follow (PublishFixture *self, StageFixture *stage,
    const gchar *participant);

/* Allows ERROR or WARNING messages whose details have this `name`; of other elements,
 * those of the element of this name. */
void publish_fixture_expect (PublishFixture *self, const gchar *name);

/* Waits for an ERROR or WARNING of that name, which it expects, and returns it
 * (transfer full). */
GstMessage *publish_fixture_wait_failure (PublishFixture *self,
    const gchar *name, guint seconds);

/* How many of them have come so far: GST_MESSAGE_ERROR or _WARNING. */
guint
publish_fixture_count_failures (PublishFixture *self, GstMessageType type);

/* The details of an ERROR or WARNING, owned by it; NULL: there are none. */
const GstStructure *publish_fixture_get_details (GstMessage *message);

/* The sentence of an ERROR or WARNING contains @part. */
void publish_fixture_assert_says (GstMessage *message, const gchar *part);

/* So many of each have come so far. */
void publish_fixture_assert_failures (PublishFixture *self, guint errors,
    guint warnings);

/* The number in the details of such a message; -1: there is none. */
gint publish_fixture_get_code (GstMessage *message);

/* How many failures of that name were posted since the fixture was made. */
guint publish_fixture_count_named (PublishFixture *self, const gchar *name);

/* Waits for the state change if it is asynchronous; it must not fail. */
void publish_fixture_set_state (PublishFixture *self, GstState state);
void publish_fixture_play (PublishFixture *self);

/* To NULL; what was posted meanwhile is collected. */
void publish_fixture_stop (PublishFixture *self);

/* Waits until the last connection-state that the bus told has this nick. */
void publish_fixture_wait_connection (PublishFixture *self, const gchar *nick,
    guint seconds);
void publish_fixture_wait_eos (PublishFixture *self, guint seconds);
gboolean publish_fixture_is_eos (PublishFixture *self);

/* What was posted since the last start: "start open", "complete open", ... of
 * PROGRESS, and the states that ivs-stage-state told, all joined by commas. */
gchar *publish_fixture_get_progress (PublishFixture *self);
gchar *publish_fixture_get_states (PublishFixture *self);

/* How often an element message of that name came since the last start. */
guint publish_fixture_count_messages (PublishFixture *self, const gchar *name);

/* Looks at, or waits for, what the stage knows of this participant: paths are
 * below it, as "session.video.frames". The nodes are the whole state. */
JsonNode *publish_fixture_look (PublishFixture *self);
JsonNode *
publish_fixture_at (PublishFixture *self, JsonNode *state, const gchar *path);
gdouble publish_fixture_number (PublishFixture *self, JsonNode *state,
    const gchar *path);
JsonNode *publish_fixture_wait_number (PublishFixture *self, const gchar *path,
    gdouble value, guint seconds);

#define publish_fixture_assert_int(self, state, path, op, value) \
  g_assert_cmpint ((gint) publish_fixture_number (self, state, path), op, value)

/* Waits until `n` sessions were deleted: by one DELETE each, and no others made. */
void publish_fixture_assert_deleted (PublishFixture *self, guint n);

/* How many requests of that method and status this participant sent. */
guint publish_fixture_count_requests (PublishFixture *self, const gchar *method,
    guint status);

/* -- Waiting ----------------------------------------------------------------- */

typedef gboolean (*PublishCondition) (gpointer data);

/* FALSE: it was not so in time. */
gboolean
publish_wait (PublishCondition condition, gpointer data, guint milliseconds);

G_END_DECLS
