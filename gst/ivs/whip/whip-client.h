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

/* RFC 9110 section 15.4 asks to stop loops; more hops than this are no help. */
#define WHIP_MAX_REDIRECTS 5
#define WHIP_DEFAULT_TIMEOUT 10

/**
 * WhipClientMayFollow:
 * @to: the URL that a redirect, or the Location of a new session, names
 * @from: the URL that answered so
 *
 * Decides whether the Authorization may be sent to @to; %FALSE with @error set
 * ends the request with that error. It is not asked about steps from https to
 * http: those are always refused (RFC 6750 section 5.3 wants TLS for tokens).
 */
typedef gboolean (*WhipClientMayFollow) (const gchar *to, const gchar *from,
    gpointer user_data, GError **error);

/**
 * WhipClientTrace:
 * @line: one line of the head of a request or a response ("> POST https://...",
 *   "< 307 Temporary Redirect", "< Location: ..."), or of a decision ("* ...")
 *
 * For logs. The Authorization, queries of URLs and headers that may carry
 * credentials are left out; the token is masked even if the server repeats it.
 */
typedef void (*WhipClientTrace) (const gchar *line, gpointer user_data);

/**
 * whip_client_new:
 * @user_agent: product and version, such as "ivsstagesink/0.1.0"
 *
 * Use a client from the one thread whose default main context runs when it is
 * called; callbacks come there. Operations may overlap.
 */
WhipClient *whip_client_new (const gchar *user_agent);

/**
 * whip_client_set_timeout:
 * @seconds: 1 to 3600 for one operation in all: DNS, TLS, redirects and body
 *   (%WHIP_DEFAULT_TIMEOUT unless set)
 *
 * For operations that start later. Beyond it they end in %G_IO_ERROR_TIMED_OUT.
 */
void whip_client_set_timeout (WhipClient *self, guint seconds);

/**
 * whip_client_set_tls_database:
 * @database: (nullable): whom to trust, %NULL = what the system trusts
 */
void whip_client_set_tls_database (WhipClient *self, GTlsDatabase *database);

/**
 * whip_client_set_may_follow:
 * @func: (nullable): asked at every redirect, and whether a session URL may be
 *   used; %NULL = the same host only
 */
void whip_client_set_may_follow (WhipClient *self, WhipClientMayFollow func,
    gpointer user_data, GDestroyNotify notify);

void whip_client_set_trace (WhipClient *self, WhipClientTrace func,
    gpointer user_data, GDestroyNotify notify);

/**
 * whip_client_preconnect_async:
 *
 * Opens a connection to @url in advance (DNS, TCP, TLS), so that the POST finds it
 * warm. Also tells early of names that do not resolve and bad certificates.
 */
void whip_client_preconnect_async (WhipClient *self, const gchar *url,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean whip_client_preconnect_finish (WhipClient *self, GAsyncResult *result,
    GError **error);

/**
 * whip_client_post_offer_async:
 * @url: the WHIP endpoint
 * @token: (nullable): the bearer token, %NULL = no Authorization
 * @offer: SDP
 *
 * Posts the offer and follows at most %WHIP_MAX_REDIRECTS redirects. Cancelling
 * ends the wait, but the server may make the session nevertheless: who must not
 * leave one behind waits for the answer and deletes it.
 */
void whip_client_post_offer_async (WhipClient *self, const gchar *url,
    const gchar *token, const gchar *offer, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);

/**
 * whip_client_post_offer_finish:
 *
 * Returns: (transfer full): an answer of any status, or %NULL with an error of
 *   the transport: %WHIP_ERROR, %G_IO_ERROR, %G_TLS_ERROR, %G_RESOLVER_ERROR...
 */
WhipResponse *whip_client_post_offer_finish (WhipClient *self,
    GAsyncResult *result, GError **error);

/**
 * whip_client_get_orphan:
 * @result: of whip_client_post_offer_async(), in its callback
 *
 * When the server said 201 but the rest of its answer never came (cut, timeout,
 * cancelled), there is a session that nobody uses.
 *
 * Returns: (nullable): its URL, to be deleted, or %NULL
 */
const gchar *whip_client_get_orphan (WhipClient *self, GAsyncResult *result);

/**
 * whip_client_delete_async:
 * @session_url: from #WhipResponse or whip_client_get_orphan()
 * @token: (nullable): as it was posted (RFC 9725 section 4.7)
 *
 * Ends a session (RFC 9725 section 4.2). Redirects 307 and 308 are followed.
 */
void whip_client_delete_async (WhipClient *self, const gchar *session_url,
    const gchar *token, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
WhipResponse *whip_client_delete_finish (WhipClient *self, GAsyncResult *result,
    GError **error);

/**
 * whip_client_hang_up:
 *
 * Closes the connections that are kept for another request; that of the last answer is
 * among them once the main context has run. To be called when no request is under way: it
 * would be cancelled.
 */
void whip_client_hang_up (WhipClient *self);

/* "it is signed by an unknown CA, it is made out for another host" (transfer full) */
gchar *whip_client_describe_tls_errors (GTlsCertificateFlags flags);

G_END_DECLS
