/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What was found: a line for each check, a verdict and an exit status, for people
 * or as JSON.
 */
#pragma once

#include <json-glib/json-glib.h>
#include "ivs-error.h"

G_BEGIN_DECLS

/* Documented in docs/check.md and --help. */
typedef enum
{
  CHECK_EXIT_OK = 0,
  CHECK_EXIT_OTHER = 1, /* what the error table has no kind for */
  CHECK_EXIT_USAGE = 2,
  CHECK_EXIT_CREDENTIAL = 3,
  CHECK_EXIT_NETWORK = 4,
  CHECK_EXIT_TLS = 5,
  CHECK_EXIT_REFUSED = 6,
  CHECK_EXIT_MEDIA = 7,
  CHECK_EXIT_INSTALLATION = 8,
  CHECK_EXIT_INTERRUPTED = 130, /* 128 + SIGINT, as shells count */
} CheckExit;

typedef enum
{
  CHECK_OK,
  CHECK_WARN,
  CHECK_FAIL,
  CHECK_SKIPPED,
} CheckResult;

typedef struct _CheckReport CheckReport;

/* Lines are printed as they come, JSON at the end. One thread at a time. */
CheckReport *check_report_new (gboolean is_json);
void check_report_free (CheckReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckReport, check_report_free)

/* What no line may ever show, whoever sent it. */
void check_report_hide (CheckReport *self, const gchar *secret);

void check_report_ok (CheckReport *self, const gchar *name, const gchar *format,
    ...) G_GNUC_PRINTF (3, 4);
/* @advice may be NULL. */
void check_report_warn (CheckReport *self, const gchar *name,
    const gchar *advice, const gchar *format, ...) G_GNUC_PRINTF (4, 5);
void
check_report_skip (CheckReport *self, const gchar *name, const gchar *reason);
/* The first failure decides the exit status. */
void check_report_fail (CheckReport *self, const gchar *name,
    const IvsFailure *failure);
void check_report_fail_with_error (CheckReport *self, const gchar *name,
    const GError *error);
void check_report_interrupted (CheckReport *self, const gchar *name);
gboolean check_report_has_failed (CheckReport *self);

/* The member "facts" of the JSON: what lines say, for programs. @value is hidden in
 * and cut like lines are; NULL is left out. */
void
check_report_fact (CheckReport *self, const gchar *name, const gchar *value);
void
check_report_fact_number (CheckReport *self, const gchar *name, gint64 value);
void
check_report_fact_flag (CheckReport *self, const gchar *name, gboolean value);

/* Prints the verdict. @success is what to say when nothing failed. */
CheckExit check_report_finish (CheckReport *self, const gchar *success);

G_END_DECLS
