/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long this computer lets a thread wait that is due.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _StallMeter StallMeter;

/* Measures from now on, on a thread of its own. */
StallMeter *stall_meter_new (void);
void stall_meter_free (StallMeter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StallMeter, stall_meter_free)

/* In milliseconds, so far. */
gdouble stall_meter_get_longest (StallMeter *self);

/* A limit in milliseconds for what @limit is true of where every thread gets its turn:
 * with what this computer made them wait meanwhile, at most @most. */
gdouble stall_meter_stretch (StallMeter *self, gdouble limit, gdouble most);

G_END_DECLS
