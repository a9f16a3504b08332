/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An estimator of congestion-control=gcc-element that estimates what a test says.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* From now on there is one. */
void fake_estimator_register (void);

/* The one of the session that is there estimates @bps bits per second. */
void fake_estimator_set (guint bps);

G_END_DECLS
