/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Remembers what was asked of the stage and what it refused, without secrets.
 */
#include "stage-journal.h"
#include "stage-json.h"

#define KEPT_REQUESTS 400
#define KEPT_REFUSALS 50

struct _StageJournal
{
  GQueue requests; /* StageEntry, newest first */
  GQueue refusals; /* copies of those with a reason, likewise */
};

static void
entry_free (gpointer data)
{
  StageEntry *entry = data;

  g_free (entry->method);
  g_free (entry->path);
  g_free (entry->authorization);
  g_strfreev (entry->headers);
  g_free (entry->participant);
  g_free (entry->reason);
  g_free (entry);
}

static StageEntry *
entry_copy (const StageEntry *entry)
{
  StageEntry *copy = g_memdup2 (entry, sizeof *entry);

  copy->method = g_strdup (entry->method);
  copy->path = g_strdup (entry->path);
  copy->authorization = g_strdup (entry->authorization);
  copy->headers = g_strdupv (entry->headers);
  copy->participant = g_strdup (entry->participant);
  copy->reason = g_strdup (entry->reason);
  return copy;
}

StageJournal *
stage_journal_new (void)
{
  return g_new0 (StageJournal, 1);
}

void
stage_journal_free (StageJournal *journal)
{
  g_queue_clear_full (&journal->requests, entry_free);
  g_queue_clear_full (&journal->refusals, entry_free);
  g_free (journal);
}

static void
push (GQueue *queue, StageEntry *entry, guint limit)
{
  g_queue_push_head (queue, entry);
  if (queue->length > limit)
    entry_free (g_queue_pop_tail (queue));
}

void
stage_journal_add (StageJournal *journal, StageEntry *entry)
{
  if (entry->reason != NULL)
    push (&journal->refusals, entry_copy (entry), KEPT_REFUSALS);
  push (&journal->requests, entry, KEPT_REQUESTS);
}

const StageEntry *
stage_journal_get_last_refusal (StageJournal *journal)
{
  return g_queue_peek_head (&journal->refusals);
}

static void
write_entry (const StageEntry *entry, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "time");
  json_builder_add_double_value (builder, (gdouble) entry->at / G_USEC_PER_SEC);
  stage_json_add_string (builder, "method", entry->method);
  stage_json_add_string (builder, "path", entry->path);
  stage_json_add_int (builder, "status", entry->status);
  stage_json_add_string (builder, "authorization", entry->authorization);
  stage_json_add_string (builder, "participant", entry->participant);
  stage_json_add_int (builder, "code", entry->code);
  stage_json_add_string (builder, "reason", entry->reason);
  json_builder_set_member_name (builder, "headers");
  json_builder_begin_array (builder);
  for (gchar **name = entry->headers; name != NULL && *name != NULL; name++)
    json_builder_add_string_value (builder, *name);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
write_queue (GQueue *queue, JsonBuilder *builder)
{
  json_builder_begin_array (builder);
  for (GList *link = queue->tail; link != NULL; link = link->prev)
    write_entry (link->data, builder);
  json_builder_end_array (builder);
}

void
stage_journal_write_requests (StageJournal *journal, JsonBuilder *builder)
{
  write_queue (&journal->requests, builder);
}

void
stage_journal_write_refusals (StageJournal *journal, JsonBuilder *builder)
{
  write_queue (&journal->refusals, builder);
}
