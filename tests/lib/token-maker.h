/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Makes participant tokens for tests: right in shape, wrong in signature.
 */
#pragma once

#include <glib.h>

/* The claims as JSON text (anything goes, for tests of what is not JSON). */
gchar *token_maker_make (const gchar *claims);

/* A token that may publish, as the service mints them; whip_url may be NULL. */
gchar *token_maker_make_publisher (const gchar *participant_id,
    gint64 expires_at, const gchar *whip_url);
