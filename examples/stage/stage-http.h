/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stage's two HTTP servers: the global one with page and API, the regional
 * one where WHIP is spoken.
 */
#pragma once

#include <libsoup/soup.h>

#include "stage-journal.h"
#include "stage.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *address;
  guint16 port; /* 0 = any */
  guint16 regional_port;
  GTlsCertificate *certificate; /* NULL = plain http */
} StageHttpOptions;

typedef struct _StageHttp StageHttp;

StageHttp *stage_http_new (Stage *stage, StageJournal *journal,
    const StageHttpOptions *options, GError **error);
void stage_http_free (StageHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageHttp, stage_http_free)

/* Without a slash at the end. */
const gchar *stage_http_get_global_url (StageHttp *http);
const gchar *stage_http_get_regional_url (StageHttp *http);
SoupServer *stage_http_get_global_server (StageHttp *http);

/* For those who answer other paths. */
void stage_http_respond (SoupServerMessage *message, guint status,
    const gchar *content_type, const gchar *body);
void stage_http_respond_json (SoupServerMessage *message, guint status,
    JsonNode *node);
void stage_http_respond_error (SoupServerMessage *message, guint status,
    const gchar *text);

G_END_DECLS
