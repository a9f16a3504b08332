/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where to publish, and which hosts may see the token.
 */
#pragma once

#include "ivs-token.h"

G_BEGIN_DECLS

#define IVS_GLOBAL_ENDPOINT "https://global.whip.live-video.net/"

gchar *ivs_endpoint_choose (const gchar *configured, const IvsToken *token,
    GError **error);
gboolean ivs_endpoint_may_see_token (const gchar *url, const gchar *from_url,
    const gchar *endpoint, const gchar *allowed_hosts, GError **error);
gboolean ivs_endpoint_is_loopback (const gchar *url);

G_END_DECLS
