/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The events WebSocket: tells those who joined who is on the stage.
 */
#pragma once

#include "stage-http.h"

G_BEGIN_DECLS

typedef struct _StageEvents StageEvents;

StageEvents *stage_events_new (Stage *stage, StageHttp *http);
void stage_events_free (StageEvents *events);

G_END_DECLS
