/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rules that a test switches on: refusals, redirects, spoiled answers.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "stage-answer.h"

G_BEGIN_DECLS

typedef enum
{
  STAGE_TARGET_PUBLISH,
  STAGE_TARGET_SUBSCRIBE,
  STAGE_TARGET_GLOBAL,
  STAGE_TARGET_DELETE
} StageTarget;

typedef enum
{
  STAGE_EFFECT_REFUSE,
  STAGE_EFFECT_DELAY,
  STAGE_EFFECT_REDIRECT,
  STAGE_EFFECT_SPOIL,
  STAGE_EFFECT_NO_LOCATION,
  STAGE_EFFECT_RELATIVE_LOCATION,
  STAGE_EFFECT_CONTENT_TYPE,
  STAGE_EFFECT_ANSWER_STATUS,
  STAGE_EFFECT_LINK
} StageEffect;

typedef struct
{
  gchar *rule;
  StageTarget target;
  StageEffect effect;
  gint64 remaining; /* requests; -1 = until cleared */

  guint status; /* refuse, redirect, answer-status */
  gint code;    /* of the service; 0 = none */
  gchar *body;  /* refuse; NULL = made from code and message */
  gchar *message;
  gchar *value;     /* content type, link, location */
  gint retry_after; /* s; -1 = no header */
  guint delay_ms;
  guint hops;
  gboolean loops;
  StageSpoil spoil;
} StageFault;

void stage_fault_free (StageFault *fault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageFault, stage_fault_free)

/* {"code":N,"message":"..."} as the service writes it. */
gchar *stage_fault_make_body (gint code, const gchar *message);

typedef struct _StageFaults StageFaults;

StageFaults *stage_faults_new (void);
void stage_faults_free (StageFaults *faults);

/* See the table in README.md. */
gboolean
stage_faults_add (StageFaults *faults, JsonObject *description, GError **error);
void stage_faults_clear (StageFaults *faults);

/* What a request meets, if anything; counts down. */
StageFault *
stage_faults_take (StageFaults *faults, StageTarget target, StageEffect effect);
void stage_faults_write (StageFaults *faults, JsonBuilder *builder);

G_END_DECLS
