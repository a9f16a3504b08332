/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The participant token: from what a user pasted to claims, expiry and rights.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Attributes alone may be 1 KB (API reference, CreateParticipantToken): generous,
 * but not endless. */
#define IVS_TOKEN_MAX_LENGTH (64 * 1024)

/**
 * IvsToken:
 *
 * A participant token that has the shape of one. Its signature is not verified
 * (only the service can). Everything beyond three parts, `exp` and
 * `capabilities` is optional: the format is documented as opaque.
 */
typedef struct
{
  gchar *secret;         /* what goes behind "Bearer ", cleaned */
  gchar *participant_id; /* jti, or NULL */
  gchar *stage_arn;      /* resource, or NULL */
  gchar *user_id;        /* or NULL */
  gchar *whip_url;       /* where the official SDK publishes, or NULL */
  gchar *events_url;     /* or NULL */
  gint64 issued_at;      /* UNIX seconds, 0 = not said */
  gint64 expires_at;     /* UNIX seconds, 0 = not said */
  gboolean allow_publish;
  gboolean allow_subscribe;
} IvsToken;

IvsToken *ivs_token_parse (const gchar *credential, GError **error);
gboolean ivs_token_check_publish (const IvsToken *token, gint64 now_seconds,
    GError **error);
IvsToken *ivs_token_copy (const IvsToken *token);
void ivs_token_free (IvsToken *token);
gchar *ivs_token_redact (const gchar *secret);
gchar *ivs_token_describe_duration (gint64 seconds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (IvsToken, ivs_token_free)

G_END_DECLS
