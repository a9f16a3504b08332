/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where the participant token comes from, at each attempt anew.
 */
#pragma once

#include "gstivssettings.h"
#include "ivs-token.h"

G_BEGIN_DECLS

/* Asks, in this order: @requested (what the application answered to request-token, or
 * NULL), the token file, the property, the environment variable IVS_STAGE_TOKEN.
 * Returns what is there, unjudged: a secret, at most IVS_TOKEN_MAX_LENGTH bytes of
 * a file (transfer full). Errors are of IVS_ERROR. */
gchar *gst_ivs_credential_read (const GstIvsSettings *settings,
    const gchar *requested, GError **error);

/* The same, judged as the official SDK does before it sends anything. */
IvsToken *gst_ivs_credential_find (const GstIvsSettings *settings,
    const gchar *requested, GError **error);

/* The text in @path, whatever that is: a pipe is read to its end, however long that takes.
 * (transfer full) */
gchar *gst_ivs_credential_read_once (const gchar *path, GError **error);

G_END_DECLS
