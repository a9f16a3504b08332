/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tells what happens on the stage: as JSON, and as a line for a terminal.
 */
#pragma once

#include "stage-journal.h"
#include "stage.h"

G_BEGIN_DECLS

JsonNode *stage_status_build (Stage *stage, StageJournal *journal);
gchar *stage_status_line (Stage *stage, StageJournal *journal);

G_END_DECLS
