/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way to the endpoint: DNS, TCP, TLS and the server's clock. The token is not
 * sent.
 *
 * One HEAD request through libsoup, which tells how far it got: that takes the
 * proxies and certificates that publishing will take. What is answered does not
 * matter (a stage has no HEAD), but it has a Date.
 */
#include "check-network.h"

#include <libsoup/soup.h>
#include "check-credential.h"
#include "ivs-endpoint.h"
#include "whip-client.h"
#include "whip-url.h"

typedef struct
{
  GMainLoop *loop;
  GCancellable *cancellable;
  gboolean is_timed_out;

  /* When it was reached, monotonic microseconds, 0 = not. */
  gint64 reached[G_SOCKET_CLIENT_COMPLETE + 1];
  GTlsCertificateFlags tls_errors;
  GError *error;
} Probe;

typedef struct
{
  CheckReport *report;
  const gchar *host;
  SoupMessage *message;
  const Probe *probe;
} Finding;

/* -- The request ------------------------------------------------------------------ */

static void
network_event (SoupMessage *message, GSocketClientEvent event,
    GIOStream *connection, gpointer data)
{
  Probe *probe = data;

  if (event <= G_SOCKET_CLIENT_COMPLETE)
    probe->reached[event] = g_get_monotonic_time ();
}

static gboolean
certificate_refused (SoupMessage *message, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer data)
{
  Probe *probe = data;

  probe->tls_errors = errors;
  return FALSE;
}

static gboolean
time_ran_out (gpointer data)
{
  Probe *probe = data;

  probe->is_timed_out = TRUE;
  g_cancellable_cancel (probe->cancellable);
  return G_SOURCE_CONTINUE;
}

static void
head_answered (GObject *session, GAsyncResult *result, gpointer data)
{
  Probe *probe = data;
  G_GNUC_UNUSED g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (session), result, &probe->error);

  g_main_loop_quit (probe->loop);
}

static void
send_head (Probe *probe, SoupMessage *message, const GstIvsSettings *settings)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  guint timer = g_timeout_add_seconds (settings->timeout, time_ran_out, probe);

  if (settings->tls_database != NULL)
    soup_session_set_tls_database (session, settings->tls_database);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect (message, "network-event", G_CALLBACK (network_event),
      probe);
  g_signal_connect (message, "accept-certificate",
      G_CALLBACK (certificate_refused), probe);
  soup_session_send_async (session, message, G_PRIORITY_DEFAULT,
      probe->cancellable, head_answered, probe);
  g_main_loop_run (probe->loop);
  g_source_remove (timer);
  soup_session_abort (session);
}

/* -- What it tells ------------------------------------------------------------------ */

static gint
get_ms (const Probe *probe, GSocketClientEvent from, GSocketClientEvent to)
{
  return (gint) ((probe->reached[to] - probe->reached[from]) / 1000);
}

static GError *
explain (const Finding *finding, const GstIvsSettings *settings)
{
  const Probe *probe = finding->probe;

  if (probe->is_timed_out)
    return g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
        "no answer within %u s", settings->timeout);
  if (probe->error->domain == G_TLS_ERROR && probe->tls_errors != 0) {
    g_autofree gchar *reasons =
        whip_client_describe_tls_errors (probe->tls_errors);

    return g_error_new (G_TLS_ERROR, probe->error->code,
        "The certificate is not trusted: %s", reasons);
  }
  return g_error_copy (probe->error);
}

static void
fail (const Finding *finding, const gchar *name, const GstIvsSettings *settings)
{
  g_autoptr (GError) error = explain (finding, settings);
  g_autoptr (IvsFailure) failure =
      ivs_failure_from_error (error, finding->host);

  check_report_fail (finding->report, name, failure);
}

static gchar *
describe_address (SoupMessage *message)
{
  GSocketAddress *address = soup_message_get_remote_address (message);

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("an address that is not known");
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

static void
report_dns (const Finding *finding)
{
  if (!g_hostname_is_ip_address (finding->host))
    check_report_ok (finding->report, "dns", "%s is found in %d ms",
        finding->host,
        get_ms (finding->probe, G_SOCKET_CLIENT_RESOLVING,
            G_SOCKET_CLIENT_RESOLVED));
}

static void
report_tcp (const Finding *finding)
{
  const Probe *probe = finding->probe;
  g_autofree gchar *address = describe_address (finding->message);

  check_report_ok (finding->report, "tcp", "connected to %s in %d ms%s",
      address,
      get_ms (probe, G_SOCKET_CLIENT_CONNECTING, G_SOCKET_CLIENT_CONNECTED),
      probe->reached[G_SOCKET_CLIENT_PROXY_NEGOTIATING] != 0
          ? ", which is a proxy"
          : "");
  check_report_fact (finding->report, "remote_address", address);
}

static const gchar *
get_tls_version (SoupMessage *message)
{
  switch (soup_message_get_tls_protocol_version (message)) {
    case G_TLS_PROTOCOL_VERSION_TLS_1_3:
      return "TLS 1.3";
    case G_TLS_PROTOCOL_VERSION_TLS_1_2:
      return "TLS 1.2";
    default:
      return "TLS of another version";
  }
}

/* The issuer shows a proxy that looks into TLS. */
static void
report_tls (const Finding *finding)
{
  GTlsCertificate *certificate =
      soup_message_get_tls_peer_certificate (finding->message);
  g_autofree gchar *issuer = certificate != NULL
      ? g_tls_certificate_get_issuer_name (certificate)
      : NULL;
  g_autoptr (GDateTime) end = certificate != NULL
      ? g_tls_certificate_get_not_valid_after (certificate)
      : NULL;
  g_autofree gchar *day =
      end != NULL ? g_date_time_format (end, "%F") : g_strdup ("?");
  const gchar *version = get_tls_version (finding->message);

  check_report_ok (finding->report, "tls",
      "%s, certificate by %s, valid until %s", version,
      issuer != NULL ? issuer : "?", day);
  check_report_fact (finding->report, "tls_version", version);
  check_report_fact (finding->report, "tls_issuer", issuer);
}

static void
report_no_tls (const Finding *finding, const gchar *endpoint)
{
  if (ivs_endpoint_is_loopback (endpoint))
    check_report_ok (finding->report, "tls",
        "none, and none needed on this computer");
  else
    check_report_warn (finding->report, "tls",
        "Use a URL that begins with https://.",
        "None: whoever is on the way can read the token");
}

static void
report_date (const Finding *finding, const IvsToken *token)
{
  const gchar *date =
      soup_message_headers_get_one (soup_message_get_response_headers (
                                        finding->message),
          "Date");
  g_autoptr (GDateTime) time =
      date != NULL ? soup_date_time_new_from_http_string (date) : NULL;

  if (time != NULL)
    check_clock (finding->report, token, g_get_real_time () / G_USEC_PER_SEC,
        g_date_time_to_unix (time));
  else
    check_report_warn (finding->report, "clock", NULL,
        "The server does not tell its time%s%s",
        finding->probe->error != NULL ? ": " : "",
        finding->probe->error != NULL ? finding->probe->error->message : "");
}

static gboolean
has_failed_before (const Finding *finding, GSocketClientEvent event)
{
  return finding->probe->error != NULL && finding->probe->reached[event] == 0;
}

/* The name of the step that failed, or NULL. */
static const gchar *
report_way (const Finding *finding, const gchar *endpoint)
{
  gboolean is_https = g_str_has_prefix (endpoint, "https:");

  if (has_failed_before (finding, G_SOCKET_CLIENT_RESOLVED))
    return "dns";
  report_dns (finding);
  if (has_failed_before (finding, G_SOCKET_CLIENT_CONNECTED))
    return "tcp";
  report_tcp (finding);
  if (is_https && has_failed_before (finding, G_SOCKET_CLIENT_TLS_HANDSHAKED))
    return "tls";
  if (is_https)
    report_tls (finding);
  else
    report_no_tls (finding, endpoint);
  return NULL;
}

void
check_network (CheckReport *report, const GstIvsSettings *settings,
    const gchar *endpoint, const IvsToken *token)
{
  g_autoptr (GUri) uri = whip_url_parse (endpoint, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SoupMessage) message = NULL;
  Probe probe = { .loop = loop, .cancellable = cancellable };
  Finding finding = { .report = report, .probe = &probe };
  const gchar *failed = NULL;

  g_return_if_fail (uri != NULL);

  message = soup_message_new_from_uri (SOUP_METHOD_HEAD, uri);
  finding.host = g_uri_get_host (uri);
  finding.message = message;
  send_head (&probe, message, settings);
  failed = report_way (&finding, endpoint);
  if (failed != NULL)
    fail (&finding, failed, settings);
  else
    report_date (&finding, token);
  g_clear_error (&probe.error);
}
