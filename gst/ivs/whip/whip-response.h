/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a WHIP server answered: status, body, session URL and links, as data.
 */
#pragma once

#include <glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Broken rules of the protocol and of our limits; transport errors are passed
 * through as GLib, TLS and resolver errors. */
#define WHIP_ERROR (whip_error_quark ())
GQuark whip_error_quark (void);

typedef enum
{
  WHIP_ERROR_URL, /* not an http(s) URL */
  WHIP_ERROR_TOO_MANY_REDIRECTS,
  WHIP_ERROR_REDIRECT,    /* a Location that is missing or unusable */
  WHIP_ERROR_NOT_ALLOWED, /* the token may not go there */
  WHIP_ERROR_BODY_TOO_LARGE,
  WHIP_ERROR_BODY_TYPE, /* a body that is not text */
  WHIP_ERROR_TOKEN,     /* a token that cannot stand in a header */
} WhipErrorCode;

/* An answer of a stage has a few KB. */
#define WHIP_MAX_BODY (256 * 1024)

/* A longer wait than a day is no advice to a publisher. */
#define WHIP_MAX_RETRY_AFTER (24 * 60 * 60)

/**
 * WhipResponse:
 * Text is UTF-8 and bounded whatever the server sent, and without control
 * characters but for @body. Never log @links (credentials of TURN servers) and
 * @body (ICE password).
 */
typedef struct
{
  guint status;
  gchar *reason; /* reason phrase, or NULL */
  gchar *body;   /* NUL terminated, never NULL, at most WHIP_MAX_BODY bytes */
  gsize body_length; /* bytes of @body */
  gboolean
      body_truncated;  /* longer than WHIP_MAX_BODY: the rest was not read */
  gchar *content_type; /* without parameters, lower case, or NULL */
  gchar *url;          /* that answered, after redirects */
  gchar *session_url;  /* Location of a 2xx resolved against @url, or NULL
                                   if none, not a URL or not to be followed */
  gchar *request_id;   /* x-amzn-requestid and relatives, or NULL */
  gint64 server_date;  /* Date header in UNIX seconds, 0 = none */
  guint retry_after;   /* seconds, both forms of Retry-After, 0 = none */
  guint n_redirects;
  GPtrArray *links; /* of WhipLink, never NULL (whip-link.h) */
} WhipResponse;

/**
 * whip_response_is_success:
 *
 * RFC 9725 section 4.2 wants 201; other answers of class 2 mean the same and are
 * taken as such.
 *
 * Returns: whether the status is 200 to 299
 */
gboolean whip_response_is_success (const WhipResponse *self);

WhipResponse *whip_response_new (void);

/**
 * whip_response_read_headers:
 * @headers: of the answer
 * @now: UNIX seconds, what a Retry-After date is measured against when the
 *   answer has no Date of its own
 *
 * Fills in what headers say, except @session_url, which is a matter of policy.
 */
void whip_response_read_headers (WhipResponse *self,
    SoupMessageHeaders *headers, gint64 now);

/**
 * whip_response_take_body:
 * @bytes: (transfer full): what was read, at most %WHIP_MAX_BODY bytes matter
 */
void whip_response_take_body (WhipResponse *self, GByteArray *bytes);

/**
 * whip_response_printable:
 *
 * Returns: (transfer full): @text cut to @max_length bytes, without control
 *   characters and broken UTF-8
 */
gchar *whip_response_printable (const gchar *text, gsize max_length);

void whip_response_free (WhipResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipResponse, whip_response_free)

G_END_DECLS
