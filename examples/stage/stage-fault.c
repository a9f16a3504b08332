/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rules that a test switches on: refusals, redirects, spoiled answers.
 */
#include "stage-fault.h"
#include "stage-json.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_FAULTS 256
#define MAX_HOPS 50
#define MAX_DELAY_MS (10 * 60 * 1000)
#define HUGE_BODY (4 * 1024 * 1024)

struct _StageFaults
{
  GQueue list; /* StageFault, oldest first */
};

typedef struct
{
  const gchar *rule;
  StageEffect effect;
  guint status;
  gint code;
  const gchar *message; /* also the body, where `code` is 0 */
  const gchar *content_type;
} Rule;

/* Codes and statuses are those that the official SDK knows. Of the texts only
 * those of 2001 and 2011 have been reported; the others are placeholders, which
 * no client may read anything from. */
/* clang-format off */
static const Rule rules[] = {
  { "refused",            STAGE_EFFECT_REFUSE, 400, 2001, "failed to create publisher session", NULL },
  { "expired",            STAGE_EFFECT_REFUSE, 403, 2002, "token expired", NULL },
  { "no-permissions",     STAGE_EFFECT_REFUSE, 403, 2003, "no permissions", NULL },
  { "subscribe-only",     STAGE_EFFECT_REFUSE, 403, 2003, "no permissions", NULL },
  { "stage-deleted",      STAGE_EFFECT_REFUSE, 404, 2004, "remote stream not found", NULL },
  { "capacity",           STAGE_EFFECT_REFUSE, 403, 2005, "stage at capacity", NULL },
  { "internal",           STAGE_EFFECT_REFUSE, 500, 2006, "internal error", NULL },
  { "uncategorized",      STAGE_EFFECT_REFUSE, 500, 2007, "uncategorized error", NULL },
  { "unreachable",        STAGE_EFFECT_REFUSE, 500, 2008, "unreachable", NULL },
  { "already-published",  STAGE_EFFECT_REFUSE, 500, 2010, "invalid session status", NULL },
  { "simulcast-account",  STAGE_EFFECT_REFUSE, 404, 2011, "action ID not found", NULL },
  { "aborted",            STAGE_EFFECT_REFUSE, 412, 2012, "aborted", NULL },
  { "throttled",          STAGE_EFFECT_REFUSE, 429, 2013, "throttled", NULL },
  { "no-h264",            STAGE_EFFECT_REFUSE, 400, 2014, "no matching codec", NULL },
  { "unknown-code",       STAGE_EFFECT_REFUSE, 400, 2999, "something new", NULL },
  { "string-code",        STAGE_EFFECT_REFUSE, 403, 0, "{\"code\":\"2005\",\"message\":\"stage at capacity\"}", "application/json" },
  { "html-body",          STAGE_EFFECT_REFUSE, 502, 0, "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>", "text/html" },
  { "empty-body",         STAGE_EFFECT_REFUSE, 403, 0, "", NULL },
  { "huge-body",          STAGE_EFFECT_REFUSE, 403, 2005, NULL, NULL },
  { "status",             STAGE_EFFECT_REFUSE, 500, 0, "", NULL },
  { "slow",               STAGE_EFFECT_DELAY, 0, 0, NULL, NULL },
  { "redirect",           STAGE_EFFECT_REDIRECT, 307, 0, NULL, NULL },
  { "spoil",              STAGE_EFFECT_SPOIL, 0, 0, NULL, NULL },
  { "no-location",        STAGE_EFFECT_NO_LOCATION, 0, 0, NULL, NULL },
  { "relative-location",  STAGE_EFFECT_RELATIVE_LOCATION, 0, 0, NULL, NULL },
  { "content-type",       STAGE_EFFECT_CONTENT_TYPE, 0, 0, NULL, "text/plain" },
  { "answer-status",      STAGE_EFFECT_ANSWER_STATUS, 200, 0, NULL, NULL },
  { "link",               STAGE_EFFECT_LINK, 0, 0, NULL, NULL },
};
/* clang-format on */

static const gchar *const targets[] = { "publish", "subscribe", "global",
  "delete" };

void
stage_fault_free (StageFault *fault)
{
  g_free (fault->rule);
  g_free (fault->body);
  g_free (fault->message);
  g_free (fault->value);
  g_free (fault);
}

static StageFault *
copy_fault (const StageFault *fault)
{
  StageFault *copy = g_memdup2 (fault, sizeof *fault);

  copy->rule = g_strdup (fault->rule);
  copy->body = g_strdup (fault->body);
  copy->message = g_strdup (fault->message);
  copy->value = g_strdup (fault->value);
  return copy;
}

gchar *
stage_fault_make_body (gint code, const gchar *message)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  stage_json_add_int (builder, "code", code);
  stage_json_add_string (builder, "message", message);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

StageFaults *
stage_faults_new (void)
{
  StageFaults *faults = g_new0 (StageFaults, 1);

  g_queue_init (&faults->list);
  return faults;
}

void
stage_faults_clear (StageFaults *faults)
{
  g_queue_clear_full (&faults->list, (GDestroyNotify) stage_fault_free);
}

void
stage_faults_free (StageFaults *faults)
{
  stage_faults_clear (faults);
  g_free (faults);
}

static const Rule *
find_rule (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (g_strcmp0 (rules[i].rule, name) == 0)
      return &rules[i];
  return NULL;
}

static gint64
get_number (JsonObject *object, const gchar *name, gint64 fallback, gint64 low,
    gint64 high)
{
  return CLAMP (json_object_get_int_member_with_default (object, name,
                    fallback),
      low, high);
}

static const gchar *
get_string (JsonObject *object, const gchar *name, const gchar *fallback)
{
  const gchar *value =
      json_object_get_string_member_with_default (object, name, fallback);

  return value != NULL ? value : fallback;
}

static gboolean
read_target (StageFault *fault, JsonObject *description, GError **error)
{
  const gchar *name = get_string (description, "on", "publish");

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    if (strcmp (name, targets[i]) == 0) {
      fault->target = (StageTarget) i;
      return TRUE;
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "'on' is '%.40s': use publish, subscribe, global or delete", name);
  return FALSE;
}

static void
read_refusal (StageFault *fault, const Rule *rule, JsonObject *description)
{
  const gchar *body = get_string (description, "body", NULL);

  fault->status =
      (guint) get_number (description, "status", rule->status, 200, 599);
  fault->code = (gint) get_number (description, "code", rule->code, 0, 99999);
  if (strcmp (rule->rule, "huge-body") == 0)
    fault->message = g_strnfill (HUGE_BODY, 'x');
  else
    fault->message =
        g_strdup (get_string (description, "message", rule->message));
  if (body != NULL)
    fault->body = g_strdup (body);
  else if (fault->code == 0)
    fault->body = g_strdup (rule->message);
}

static gboolean
read_effect (StageFault *fault, const Rule *rule, JsonObject *description,
    GError **error)
{
  const gchar *spoil = get_string (description, "spoil", "");

  fault->delay_ms =
      (guint) get_number (description, "ms", 1000, 0, MAX_DELAY_MS);
  fault->retry_after = (gint) get_number (description, "retry_after",
      rule->code == 2013 ? 1 : -1, -1, 3600);
  fault->hops = (guint) get_number (description, "hops", 1, 1, MAX_HOPS);
  fault->loops =
      json_object_get_boolean_member_with_default (description, "loop", FALSE);
  fault->value = g_strdup (get_string (description,
      rule->effect == STAGE_EFFECT_REDIRECT   ? "location"
          : rule->effect == STAGE_EFFECT_LINK ? "link"
                                              : "content_type",
      rule->content_type));
  fault->spoil = stage_spoil_from_name (spoil);
  if (rule->effect == STAGE_EFFECT_REFUSE)
    read_refusal (fault, rule, description);
  else
    fault->status =
        (guint) get_number (description, "status", rule->status, 200, 599);
  if (rule->effect != STAGE_EFFECT_SPOIL || fault->spoil != STAGE_SPOIL_NONE)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "There is no way called '%.40s' to spoil an answer", spoil);
  return FALSE;
}

gboolean
stage_faults_add (StageFaults *faults, JsonObject *description, GError **error)
{
  const gchar *name = get_string (description, "rule", "");
  const Rule *rule = find_rule (name);
  g_autoptr (StageFault) fault = g_new0 (StageFault, 1);

  if (rule == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "There is no rule '%.40s'", name);
    return FALSE;
  }
  if (faults->list.length >= MAX_FAULTS) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
        "%d rules are waiting already: clear them", MAX_FAULTS);
    return FALSE;
  }
  fault->rule = g_strdup (name);
  fault->effect = rule->effect;
  fault->remaining = get_number (description, "count", -1, -1, G_MAXINT32);
  if (!read_target (fault, description, error) ||
      !read_effect (fault, rule, description, error))
    return FALSE;
  g_queue_push_tail (&faults->list, g_steal_pointer (&fault));
  return TRUE;
}

StageFault *
stage_faults_take (StageFaults *faults, StageTarget target, StageEffect effect)
{
  for (GList *link = faults->list.head; link != NULL; link = link->next) {
    StageFault *fault = link->data;

    if (fault->target != target || fault->effect != effect)
      continue;
    if (fault->remaining > 1)
      fault->remaining--;
    else if (fault->remaining >= 0) {
      g_queue_delete_link (&faults->list, link);
      return fault;
    }
    return copy_fault (fault);
  }
  return NULL;
}

void
stage_faults_write (StageFaults *faults, JsonBuilder *builder)
{
  json_builder_begin_array (builder);
  for (GList *link = faults->list.head; link != NULL; link = link->next) {
    StageFault *fault = link->data;

    json_builder_begin_object (builder);
    stage_json_add_string (builder, "rule", fault->rule);
    stage_json_add_string (builder, "on", targets[fault->target]);
    stage_json_add_int (builder, "remaining", fault->remaining);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}
