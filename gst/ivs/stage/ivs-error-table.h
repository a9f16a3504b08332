/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The error table as data, for ivs-error.c, docs/errors.md and the tests.
 */
#pragma once

#include "ivs-error.h"

G_BEGIN_DECLS

/**
 * IvsFailureRow:
 * @name: stable, for programs
 * @failure_class: what an application that does not know us is told
 * @retryable: may a further attempt succeed without the user?
 * @capped: retryable, but few times only
 * @sentence: what happened; no full stop, so that a cause can follow
 * @advice: what to do, whole sentences
 */
typedef struct
{
  const gchar *name;
  IvsFailureClass failure_class;
  gboolean retryable;
  gboolean capped;
  const gchar *sentence;
  const gchar *advice;
} IvsFailureRow;

/* A code in an error body of the service. */
typedef struct
{
  gint code;
  IvsFailureKind kind;
  gboolean retry_needs_5xx; /* final when it comes with another status */
} IvsServiceCode;

/* A range of HTTP statuses; the first row that fits is taken. */
typedef struct
{
  guint first;
  guint last;
  IvsFailureKind kind;
} IvsHttpStatus;

#define IVS_N_SERVICE_CODES 13
#define IVS_N_HTTP_STATUSES 10

extern const IvsFailureRow ivs_failure_rows[IVS_FAILURE_N_KINDS];
extern const IvsServiceCode ivs_service_codes[IVS_N_SERVICE_CODES];
extern const IvsHttpStatus ivs_http_statuses[IVS_N_HTTP_STATUSES];

/* The advice for a 2001 (session refused) when the offer had no H.264 video. */
extern const gchar *const ivs_advice_without_h264;

G_END_DECLS
