/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Remembers what was asked of the stage and what it refused, without secrets.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  gint64 at; /* UNIX microseconds */
  gchar *method;
  gchar *path;
  guint status;
  gchar *authorization; /* "absent", "bearer" or "other" */
  gchar **headers;      /* names only */
  gchar *participant;   /* id, or NULL */
  gint code;            /* of the service; 0 = none */
  gchar *reason;        /* of a refusal, for people; or NULL */
} StageEntry;

typedef struct _StageJournal StageJournal;

StageJournal *stage_journal_new (void);
void stage_journal_free (StageJournal *journal);

/* Takes the entry. */
void stage_journal_add (StageJournal *journal, StageEntry *entry);

const StageEntry *stage_journal_get_last_refusal (StageJournal *journal);
void stage_journal_write_requests (StageJournal *journal, JsonBuilder *builder);
void stage_journal_write_refusals (StageJournal *journal, JsonBuilder *builder);

G_END_DECLS
