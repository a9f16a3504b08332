/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a WHIP server answered: status, body, session URL and links, as data.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Broken rules of the protocol and of our limits; transport errors are passed
 * through as GLib, TLS and resolver errors. */
#define WHIP_ERROR (whip_error_quark ())
GQuark whip_error_quark (void);

typedef enum
{
  WHIP_ERROR_URL,               /* not an http(s) URL */
  WHIP_ERROR_TOO_MANY_REDIRECTS,
  WHIP_ERROR_REDIRECT,          /* a Location that is missing or unusable */
  WHIP_ERROR_NOT_ALLOWED,       /* the token may not go there */
  WHIP_ERROR_BODY_TOO_LARGE,
  WHIP_ERROR_BODY_TYPE,         /* a body that is not text */
} WhipErrorCode;

typedef struct
{
  guint status;
  gchar *reason;                /* reason phrase, or NULL */
  gchar *body;                  /* NUL terminated, never NULL, at most WHIP_MAX_BODY bytes */
  gsize body_length;
  gboolean body_truncated;      /* longer than WHIP_MAX_BODY: the rest was not read */
  gchar *content_type;          /* without parameters, lower case, or NULL */
  gchar *url;                   /* that answered, after redirects */
  gchar *session_url;           /* Location resolved against @url, or NULL */
  gchar *request_id;            /* x-amzn-requestid and relatives, or NULL */
  gint64 server_date;           /* Date header in UNIX seconds, 0 = none */
  guint retry_after;            /* seconds, both forms of Retry-After, 0 = none */
  guint n_redirects;
  GPtrArray *links;             /* of WhipLink, never NULL (whip-link.h) */
} WhipResponse;

gboolean whip_response_is_success (const WhipResponse *self);
WhipResponse *whip_response_new (void);
void whip_response_free (WhipResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipResponse, whip_response_free)

G_END_DECLS
