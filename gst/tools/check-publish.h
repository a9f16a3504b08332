/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A dry publish: a session without media, deleted as soon as it is connected.
 */
#pragma once

#include "check-report.h"
#include "gstivssettings.h"
#include "ivs-token.h"

G_BEGIN_DECLS

/* Ends early, but with its DELETE, on SIGINT and SIGTERM. @is_verbose: the heads of
 * HTTP go to the standard error. */
void check_publish (CheckReport *report, const GstIvsSettings *settings,
    const gchar *endpoint, const IvsToken *token, gboolean is_verbose);

G_END_DECLS
