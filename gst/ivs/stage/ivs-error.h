/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What went wrong, as data: kind, sentence, advice and whether to try again.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * IvsFailureKind:
 *
 * What a failure means to the person who publishes. Every kind has one row in
 * the table of ivs-error-table.c: its stable name, sentence, advice, whether a new
 * attempt can help, and the class that the bus message takes.
 */
typedef enum
{
  /* The credential, judged before any network. */
  IVS_FAILURE_TOKEN_MISSING,
  IVS_FAILURE_TOKEN_MALFORMED,
  IVS_FAILURE_TOKEN_LOOKALIKE, /* a stream key, a playback token, an ARN ... */
  IVS_FAILURE_TOKEN_EXPIRED,
  IVS_FAILURE_TOKEN_NO_PUBLISH,
  IVS_FAILURE_TOKEN_FILE, /* auth-token-file cannot be read */

  /* The endpoint and the way to it. */
  IVS_FAILURE_ENDPOINT_INVALID,
  IVS_FAILURE_NAME_LOOKUP,
  IVS_FAILURE_CONNECTION_REFUSED,
  IVS_FAILURE_NETWORK_UNREACHABLE,
  IVS_FAILURE_TLS,
  IVS_FAILURE_TIMEOUT,
  IVS_FAILURE_NETWORK, /* any other transport failure */
  IVS_FAILURE_REDIRECT, /* loop, too many, a host that may not see the token, https to http */

  /* The service's own words (codes in ivs-error-table.c). */
  IVS_FAILURE_SESSION_REFUSED,       /* 2001 */
  IVS_FAILURE_SERVICE_TOKEN_EXPIRED, /* 2002 */
  IVS_FAILURE_NO_PERMISSIONS,        /* 2003 */
  IVS_FAILURE_STAGE_NOT_FOUND,       /* 2004 */
  IVS_FAILURE_STAGE_FULL,            /* 2005 */
  IVS_FAILURE_SERVICE_INTERNAL,      /* 2006, 2007, 2008 */
  IVS_FAILURE_ALREADY_PUBLISHING,    /* 2010 */
  IVS_FAILURE_ACTION_NOT_FOUND,      /* 2011 */
  IVS_FAILURE_STATE_CONFLICT,        /* 2012 */
  IVS_FAILURE_THROTTLED,             /* 2013 */
  IVS_FAILURE_NO_MATCHING_CODEC,     /* 2014 */

  /* No code that is known: judged by the HTTP status. */
  IVS_FAILURE_HTTP_REFUSED,       /* 401, 403 */
  IVS_FAILURE_AUTHORIZATION_LOST, /* 401/403 without a code right after a redirect */
  IVS_FAILURE_NOT_A_STAGE_ENDPOINT, /* 404, 405, 406, 415 */
  IVS_FAILURE_BUSY,                 /* 429, 502, 503, 504 */
  IVS_FAILURE_HTTP_SERVER,          /* 500 and other 5xx */
  IVS_FAILURE_HTTP_CLIENT,          /* other 4xx */
  IVS_FAILURE_HTTP_UNEXPECTED,      /* 1xx, 3xx without a Location, ... */

  /* The offer, the answer and the media path. */
  IVS_FAILURE_OFFER,  /* ours: an offer that a stage must refuse */
  IVS_FAILURE_ANSWER, /* an answer that cannot be used */
  IVS_FAILURE_ANSWER_TOO_LARGE,
  IVS_FAILURE_MEDIA_REFUSED, /* the answer rejects our audio or video section */
  IVS_FAILURE_FINGERPRINT,   /* the peer's certificate is not the answer's */
  IVS_FAILURE_CONNECT_TIMEOUT, /* no ICE/DTLS connection within connect-timeout */
  IVS_FAILURE_ICE,
  IVS_FAILURE_DTLS,
  IVS_FAILURE_NO_LOCAL_ADDRESS,
  IVS_FAILURE_LOST,           /* a live session went silent */
  IVS_FAILURE_WEBRTC,         /* webrtcbin said no */
  IVS_FAILURE_MISSING_PLUGIN, /* an element that we need is not installed */
  IVS_FAILURE_ENCODER,
  IVS_FAILURE_INPUT, /* caps that cannot be published */

  IVS_FAILURE_N_KINDS
} IvsFailureKind;

/* The class of a failure: what a GStreamer application knows without us. The
 * top storey maps it to a domain and code of GST_RESOURCE_ERROR and so on. */
typedef enum
{
  IVS_CLASS_NOT_AUTHORIZED,
  IVS_CLASS_NOT_FOUND,
  IVS_CLASS_BUSY,
  IVS_CLASS_SETTINGS,
  IVS_CLASS_OPEN_WRITE,
  IVS_CLASS_WRITE,
  IVS_CLASS_NO_SPACE_LEFT, /* a full stage */
  IVS_CLASS_MISSING_PLUGIN,
  IVS_CLASS_ENCODE,
  IVS_CLASS_WRONG_TYPE,
  IVS_CLASS_FAILED,
} IvsFailureClass;

/**
 * IvsFailure:
 *
 * One failure with everything that a message about it needs. No member ever
 * holds a secret.
 */
typedef struct
{
  IvsFailureKind kind;
  const gchar *name; /* stable, for programs: "token-expired" */
  IvsFailureClass failure_class;
  gint code;             /* the service's code, 0 = none */
  guint http_status;     /* 0 = no HTTP answer */
  gchar *server_message; /* bounded, printable, or NULL */
  gchar *sentence;       /* what happened, one sentence, ends without newline */
  gchar *advice;         /* what to do */
  gboolean retryable;    /* may a further attempt succeed without the user? */
  gboolean
      retry_capped;  /* retryable, but few times only (5xx of the service) */
  guint retry_after; /* seconds asked for by the server, 0 = none */
} IvsFailure;

/* What is known of the request that a response answers; it sharpens the advice. */
typedef struct
{
  gboolean offered_h264; /* had the offer an H.264 video section? */
  gboolean offered_opus;
  gboolean redirected; /* did the response come after a redirect? */
  const gchar *host;   /* that answered, or NULL */
  guint retry_after;   /* parsed Retry-After in seconds, 0 = none */
  gboolean after_live; /* was a live session of this token lost just now? */
} IvsRequestContext;

IvsFailure *ivs_failure_new (IvsFailureKind kind, const gchar *cause);
IvsFailure *ivs_failure_new_printf (IvsFailureKind kind, const gchar *format,
    ...) G_GNUC_PRINTF (2, 3);
IvsFailure *ivs_failure_from_response (guint http_status, const gchar *body,
    gsize body_length, const IvsRequestContext *context);
IvsFailure *ivs_failure_from_error (const GError *error, const gchar *host);
IvsFailure *ivs_failure_copy (const IvsFailure *failure);
void ivs_failure_free (IvsFailure *failure);
const gchar *ivs_failure_kind_name (IvsFailureKind kind);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IvsFailure, ivs_failure_free)

/* A GError of this domain carries an IvsFailureKind as its code: lower functions
 * return it, ivs_failure_from_error() turns it into the whole story. */
#define IVS_ERROR (ivs_error_quark ())
GQuark ivs_error_quark (void);

G_END_DECLS
