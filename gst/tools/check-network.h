/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way to the endpoint: DNS, TCP, TLS and the server's clock. The token is not
 * sent.
 */
#pragma once

#include "check-report.h"
#include "gstivssettings.h"
#include "ivs-token.h"

G_BEGIN_DECLS

void check_network (CheckReport *report, const GstIvsSettings *settings,
    const gchar *endpoint, const IvsToken *token);

G_END_DECLS
