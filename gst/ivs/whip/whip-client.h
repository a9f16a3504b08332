/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * WHIP over HTTP (RFC 9725): post an offer, delete a session, on the caller's
 * thread-default main context and never blocking.
 */
#pragma once

#include <gio/gio.h>
#include "whip-response.h"

G_BEGIN_DECLS

#define WHIP_TYPE_CLIENT (whip_client_get_type ())
G_DECLARE_FINAL_TYPE (WhipClient, whip_client, WHIP, CLIENT, GObject)

#define WHIP_MAX_REDIRECTS 5
#define WHIP_MAX_BODY (256 * 1024)

/**
 * WhipClientMayFollow:
 * @to: the URL that a redirect names
 * @from: the URL that answered with the redirect
 *
 * Decides whether the Authorization may be sent to @to; %FALSE with @error set
 * ends the request with that error.
 */
typedef gboolean (*WhipClientMayFollow) (const gchar *to, const gchar *from,
    gpointer user_data, GError **error);

/**
 * WhipClientTrace:
 * Told the head of each request and response ("> POST https://... ", "< 307 ..."),
 * Authorization already redacted. For logs.
 */
typedef void (*WhipClientTrace) (const gchar *line, gpointer user_data);

WhipClient *whip_client_new (const gchar *user_agent);
void whip_client_set_timeout (WhipClient *self, guint seconds);
void whip_client_set_tls_database (WhipClient *self, GTlsDatabase *database);
void whip_client_set_may_follow (WhipClient *self, WhipClientMayFollow func,
    gpointer user_data, GDestroyNotify notify);
void whip_client_set_trace (WhipClient *self, WhipClientTrace func,
    gpointer user_data, GDestroyNotify notify);

/* Opens a connection to @url in advance (DNS, TCP, TLS), so that the POST finds it warm. */
void whip_client_preconnect_async (WhipClient *self, const gchar *url,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean whip_client_preconnect_finish (WhipClient *self, GAsyncResult *result,
    GError **error);

void whip_client_post_offer_async (WhipClient *self, const gchar *url,
    const gchar *token, const gchar *offer, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
WhipResponse *whip_client_post_offer_finish (WhipClient *self,
    GAsyncResult *result, GError **error);

void whip_client_delete_async (WhipClient *self, const gchar *session_url,
    const gchar *token, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
WhipResponse *whip_client_delete_finish (WhipClient *self,
    GAsyncResult *result, GError **error);

G_END_DECLS
