/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The HTTP API that the page and tests use: tokens, faults, state, reports.
 */
#pragma once

#include "stage-http.h"

G_BEGIN_DECLS

typedef struct _StageApi StageApi;

StageApi *stage_api_new (Stage *stage, StageJournal *journal, StageHttp *http);
void stage_api_free (StageApi *api);

G_END_DECLS
