/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tells what happens on the stage: as JSON, and as a line for a terminal.
 */
#include "stage-status.h"
#include "stage-json.h"

#include <math.h>

/* -- JSON ------------------------------------------------------------------------ */

static void
write_sessions (StageParticipant *participant, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "sessions");
  json_builder_begin_object (builder);
  stage_json_add_int (builder, "made", participant->n_sessions);
  for (guint i = STAGE_SESSION_DELETED; i <= STAGE_SESSION_FAILED; i++)
    stage_json_add_int (builder,
        stage_session_state_name ((StageSessionState) i),
        participant->sessions[i]);
  json_builder_end_object (builder);
}

static void
write_lint (StageParticipant *participant, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "lint");
  json_builder_begin_array (builder);
  for (guint i = 0; participant->lint != NULL && i < participant->lint->len;
       i++)
    json_builder_add_string_value (builder, participant->lint->pdata[i]);
  json_builder_end_array (builder);
}

static void
write_viewers (StageParticipant *participant, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "viewers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < participant->viewers->len; i++) {
    StageViewer *viewer = participant->viewers->pdata[i];

    json_builder_begin_object (builder);
    stage_json_add_string (builder, "id", stage_viewer_get_id (viewer));
    stage_json_add_bool (builder, "connected",
        stage_viewer_is_connected (viewer));
    stage_json_add_int (builder, "packets",
        (gint64) stage_viewer_count_packets (viewer));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
write_participant (StageParticipant *participant, JsonBuilder *builder)
{
  JsonNode *attributes = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (attributes, participant->attributes);
  json_builder_begin_object (builder);
  stage_json_add_string (builder, "id", participant->id);
  stage_json_add_string (builder, "userId", participant->user_id);
  json_builder_set_member_name (builder, "attributes");
  json_builder_add_value (builder, attributes);
  stage_json_add_bool (builder, "publishing",
      stage_participant_is_publishing (participant));
  stage_json_add_bool (builder, "canPublish", participant->can_publish);
  stage_json_add_bool (builder, "canSubscribe", participant->can_subscribe);
  stage_json_add_int (builder, "expires", participant->expires_at);
  write_sessions (participant, builder);
  write_viewers (participant, builder);
  write_lint (participant, builder);
  json_builder_set_member_name (builder, "session");
  if (participant->publisher != NULL)
    stage_publisher_write (participant->publisher, builder);
  else
    json_builder_add_null_value (builder);
  json_builder_end_object (builder);
}

JsonNode *
stage_status_build (Stage *stage, StageJournal *journal)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  GPtrArray *participants = stage_list (stage);

  json_builder_begin_object (builder);
  stage_json_add_string (builder, "stage", STAGE_ARN);
  stage_json_add_int (builder, "publishers", stage_count_publishers (stage));
  json_builder_set_member_name (builder, "participants");
  json_builder_begin_array (builder);
  for (guint i = 0; i < participants->len; i++)
    write_participant (participants->pdata[i], builder);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "refusals");
  stage_journal_write_refusals (journal, builder);
  json_builder_set_member_name (builder, "requests");
  stage_journal_write_requests (journal, builder);
  json_builder_set_member_name (builder, "faults");
  stage_faults_write (stage_get_faults (stage), builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* -- Terminal ---------------------------------------------------------------------- */

static void
describe_video (StagePublisher *publisher, GString *line)
{
  StageMeterSummary video =
      stage_publisher_summarise (publisher, STAGE_MEDIA_VIDEO);

  if (video.packets > 0)
    g_string_append_printf (line,
        "  video %ux%u %.0f fps %.0f kbit/s lost %" G_GUINT64_FORMAT,
        video.width, video.height, video.fps, video.kbps, video.lost);
}

static void
describe_audio (StagePublisher *publisher, GString *line)
{
  StageMeterSummary audio =
      stage_publisher_summarise (publisher, STAGE_MEDIA_AUDIO);

  if (audio.packets > 0)
    g_string_append_printf (line, "  audio %.0f kbit/s lost %" G_GUINT64_FORMAT,
        audio.kbps, audio.lost);
}

static void
describe_participant (StageParticipant *participant, GString *line)
{
  g_string_append_printf (line, "%s%s: %s", line->len > 0 ? "  |  " : "",
      *participant->user_id != '\0' ? participant->user_id : participant->id,
      stage_session_state_name (
          stage_publisher_get_state (participant->publisher)));
  describe_video (participant->publisher, line);
  describe_audio (participant->publisher, line);
  if (participant->viewers->len > 0)
    g_string_append_printf (line, "  viewers %u", participant->viewers->len);
}

/* What users call themselves must not steer the terminal. */
static void
disarm (gchar *text)
{
  for (gchar *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = '?';
}

gchar *
stage_status_line (Stage *stage, StageJournal *journal)
{
  GPtrArray *participants = stage_list (stage);
  const StageEntry *refusal = stage_journal_get_last_refusal (journal);
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < participants->len; i++)
    if (stage_participant_is_publishing (participants->pdata[i]))
      describe_participant (participants->pdata[i], line);
  if (line->len == 0)
    g_string_append (line, "nobody publishes");
  if (refusal != NULL && g_get_real_time () - refusal->at < 10 * G_USEC_PER_SEC)
    g_string_append_printf (line, "  |  refused: %u %s", refusal->status,
        refusal->reason);
  disarm (line->str);
  return g_string_free (line, FALSE);
}
