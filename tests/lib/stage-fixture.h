/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs a local stage for a test: start, mint, misbehave, look, wait, stop.
 *
 * Everything here fails the test by itself when it does not work. While it
 * waits it runs the default main context.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _StageFixture StageFixture;

/* Starts ivs-local-stage on free ports of the loopback interface and waits
 * until it is ready. `options`: further ones, up to a NULL; or NULL. The program
 * is the one of the build or that in the environment variable IVS_LOCAL_STAGE. */
StageFixture *stage_fixture_start (const gchar *const *options);

/* Ends it and checks that it ends well. */
void stage_fixture_stop (StageFixture *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageFixture, stage_fixture_stop)

/* SIGSTOP, SIGCONT ... */
void stage_fixture_signal (StageFixture *stage, gint signal_number);

/* Kills it: it says goodbye to nobody. */
void stage_fixture_kill (StageFixture *stage);

/* With a slash at the end: the documented endpoint, which answers 307. */
const gchar *stage_fixture_get_whip_url (StageFixture *stage);

/* Without one: what a token's whip_url says. */
const gchar *stage_fixture_get_regional_url (StageFixture *stage);
const gchar *stage_fixture_get_page_url (StageFixture *stage);

/* To be asked by tests that speak HTTP themselves. */
SoupSession *stage_fixture_get_session (StageFixture *stage);

/* A token. `request` is the body for /api/token, or NULL for the defaults;
 * `id`, if not NULL, gets the participant's. */
gchar *
stage_fixture_mint (StageFixture *stage, const gchar *request, gchar **id);

/* Switches a rule on or does something to publishers: the body for
 * /api/faults. */
void stage_fixture_fault (StageFixture *stage, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

JsonNode *stage_fixture_get_state (StageFixture *stage);

/* Sends a request and waits for its end; the answer's body, never NULL. */
gchar *stage_fixture_send (StageFixture *stage, SoupMessage *message);

/* -- Looking into the state ------------------------------------------------
 *
 * A path names members and indices: "refusals.0.code". "@ID" stands for the
 * participant of that id: "@aBcD.session.video.packets". Negative indices count
 * from the end. */

/* NULL: there is nothing (or null) at the path. */
JsonNode *stage_state_at (JsonNode *state, const gchar *path);
gdouble stage_state_number (JsonNode *state, const gchar *path);
const gchar *stage_state_string (JsonNode *state, const gchar *path);
gboolean stage_state_is_true (JsonNode *state, const gchar *path);

/* The state when the number at `path` first was `value` or more. */
JsonNode *stage_fixture_wait_number (StageFixture *stage, const gchar *path,
    gdouble value, guint seconds);
JsonNode *stage_fixture_wait_string (StageFixture *stage, const gchar *path,
    const gchar *value, guint seconds);

typedef gboolean (*StageCondition) (JsonNode *state, gpointer data);

/* `name` is what the failure message says. */
JsonNode *stage_fixture_wait (StageFixture *stage, const gchar *name,
    StageCondition condition, gpointer data, guint seconds);

G_END_DECLS
