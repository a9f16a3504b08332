/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The checks that need no network: the credential, the endpoint that is used, and
 * what is installed.
 */
#pragma once

#include "check-report.h"
#include "gstivssettings.h"
#include "ivs-token.h"

G_BEGIN_DECLS

/* Returns: (transfer full) (nullable): the token if the credential is one, whether
 * it is good or not */
IvsToken *
check_credential (CheckReport *report, const GstIvsSettings *settings);

/* Returns: (transfer full) (nullable): the URL to post to */
gchar *check_endpoint (CheckReport *report, const GstIvsSettings *settings,
    const IvsToken *token);

/* The server's clock, as its Date header says, against this computer's. */
void check_clock (CheckReport *report, const IvsToken *token, gint64 now,
    gint64 server_date);

void check_encoders (CheckReport *report, const GstIvsSettings *settings);

G_END_DECLS
