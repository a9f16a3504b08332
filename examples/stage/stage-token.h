/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Mints tokens that look like the service's.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* A JWT of `claims`; its signature is noise of the right shape. */
gchar *stage_token_sign (JsonNode *claims);

G_END_DECLS
