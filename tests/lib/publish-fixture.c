/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline with an ivsstagesink that publishes to a local stage, for tests.
 */
#include "publish-fixture.h"

#include <string.h>

#define STATE_SECONDS 20
#define GONE_MS 5000

struct _PublishFixture
{
  StageFixture *stage;
  gchar *participant;
  GstElement *pipeline;
  GstElement *sink;
  guint watch;
  GPtrArray *expected; /* gchar *, names */
  GPtrArray *failures; /* GstMessage *, the expected ones that came */

  /* Since the last start. */
  GPtrArray *progress;
  GPtrArray *states;
  GPtrArray *elements; /* gchar *, names of element messages */
  gboolean is_eos;
};

/* -- Waiting -------------------------------------------------------------------- */

static gboolean
time_passed (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* The tick is for what changes on other threads, without a message. */
gboolean
publish_wait (PublishCondition condition, gpointer data, guint milliseconds)
{
  gboolean is_late = FALSE, is_met;
  guint timer = g_timeout_add (milliseconds, time_passed, &is_late);
  guint ticks = g_timeout_add (10, tick, NULL);

  while (!(is_met = condition (data)) && !is_late)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (ticks);
  if (!is_late)
    g_source_remove (timer);
  return is_met;
}

/* -- The bus -------------------------------------------------------------------- */

static gchar *
join (GPtrArray *list)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < list->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "",
        (const gchar *) list->pdata[i]);
  return g_string_free (text, FALSE);
}

const GstStructure *
publish_fixture_get_details (GstMessage *message)
{
  const GstStructure *details = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error_details (message, &details);
  else
    gst_message_parse_warning_details (message, &details);
  return details;
}

/* Other elements give no details: the name is theirs then. */
static const gchar *
get_name (GstMessage *message)
{
  const GstStructure *details = publish_fixture_get_details (message);
  const gchar *name =
      details != NULL ? gst_structure_get_string (details, "name") : NULL;

  return name != NULL ? name : GST_MESSAGE_SRC_NAME (message);
}

gint
publish_fixture_get_code (GstMessage *message)
{
  const GstStructure *details = publish_fixture_get_details (message);
  gint code = -1;

  if (details != NULL)
    gst_structure_get_int (details, "code", &code);
  return code;
}

static void
parse_failure (GstMessage *message, GError **error, gchar **debug)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, debug);
  else
    gst_message_parse_warning (message, error, debug);
}

void
publish_fixture_assert_says (GstMessage *message, const gchar *part)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  parse_failure (message, &error, &debug);
  g_test_message ("%s | %s", error->message, debug != NULL ? debug : "");
  if (strstr (error->message, part) == NULL)
    g_error ("\"%s\" does not contain \"%s\"", error->message, part);
}

static void
fail_unexpectedly (PublishFixture *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  g_autofree gchar *progress = join (self->progress);

  parse_failure (message, &error, &debug);
  g_error ("Unexpected %s of %s: %s\n%s\nSo far: %s",
      GST_MESSAGE_TYPE_NAME (message), GST_MESSAGE_SRC_NAME (message),
      error->message, debug != NULL ? debug : "", progress);
}

/* Where the computer is known to be too slow for media in real time (built with
 * sanitizers), a warning that too little of it leaves is right. */
static gboolean
is_excused (GstMessage *message)
{
  const GstStructure *details = publish_fixture_get_details (message);

  return g_getenv ("IVS_TEST_IS_SLOW") != NULL && details != NULL &&
      GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING &&
      gst_structure_has_name (details, "ivs-stage-limit");
}

static void
take_failure (PublishFixture *self, GstMessage *message)
{
  const gchar *name = get_name (message);

  for (guint i = 0; i < self->expected->len; i++)
    if (g_str_equal (self->expected->pdata[i], name)) {
      g_ptr_array_add (self->failures, gst_message_ref (message));
      return;
    }
  if (!is_excused (message))
    fail_unexpectedly (self, message);
}

static void
take_progress (PublishFixture *self, GstMessage *message)
{
  g_autofree gchar *code = NULL;
  GstProgressType type;
  g_autofree gchar *nick = NULL;
  GEnumClass *types = g_type_class_ref (GST_TYPE_PROGRESS_TYPE);

  gst_message_parse_progress (message, &type, &code, NULL);
  nick = g_strdup (g_enum_get_value (types, (gint) type)->value_nick);
  g_ptr_array_add (self->progress, g_strdup_printf ("%s %s", nick, code));
  g_type_class_unref (types);
}

static void
take_element (PublishFixture *self, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (GST_MESSAGE_SRC (message) != GST_OBJECT (self->sink))
    return;
  g_ptr_array_add (self->elements,
      g_strdup (gst_structure_get_name (structure)));
  if (gst_structure_has_name (structure, "ivs-stage-state"))
    g_ptr_array_add (self->states,
        g_strdup (gst_structure_get_string (structure, "state")));
}

static gboolean
message_arrived (GstBus *bus, GstMessage *message, gpointer data)
{
  PublishFixture *self = data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_WARNING:
      take_failure (self, message);
      break;
    case GST_MESSAGE_PROGRESS:
      take_progress (self, message);
      break;
    case GST_MESSAGE_ELEMENT:
      take_element (self, message);
      break;
    case GST_MESSAGE_EOS:
      self->is_eos = TRUE;
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

static void
drain_bus (PublishFixture *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus)) != NULL) {
    message_arrived (bus, message, self);
    gst_message_unref (message);
  }
}

static void
forget (PublishFixture *self)
{
  g_ptr_array_set_size (self->progress, 0);
  g_ptr_array_set_size (self->states, 0);
  g_ptr_array_set_size (self->elements, 0);
  self->is_eos = FALSE;
}

/* -- Life ----------------------------------------------------------------------- */

static GstElement *
find_sink (GstElement *pipeline)
{
  g_autoptr (GstIterator) sinks =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (pipeline),
          "ivsstagesink");
  g_auto (GValue) item = G_VALUE_INIT;

  if (gst_iterator_next (sinks, &item) != GST_ITERATOR_OK)
    g_error ("There is no ivsstagesink in the pipeline");
  return g_value_dup_object (&item);
}

static PublishFixture *
make (StageFixture *stage, const gchar *description)
{
  PublishFixture *self = g_new0 (PublishFixture, 1);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GError) error = NULL;

  self->stage = stage;
  self->expected = g_ptr_array_new_with_free_func (g_free);
  self->failures =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  self->progress = g_ptr_array_new_with_free_func (g_free);
  self->states = g_ptr_array_new_with_free_func (g_free);
  self->elements = g_ptr_array_new_with_free_func (g_free);
  self->pipeline = gst_parse_launch_full (description, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS | GST_PARSE_FLAG_PLACE_IN_BIN, &error);
  g_assert_no_error (error);
  if (!GST_IS_PIPELINE (self->pipeline)) {
    GstElement *bin = self->pipeline;

    self->pipeline = gst_pipeline_new (NULL);
    gst_bin_add (GST_BIN (self->pipeline), bin);
  }
  self->sink = find_sink (self->pipeline);
  /* What is said on the way to NULL shall be heard. */
  g_object_set (self->pipeline, "auto-flush-bus", FALSE, NULL);
  bus = gst_element_get_bus (self->pipeline);
  self->watch = gst_bus_add_watch (bus, message_arrived, self);
  return self;
}

PublishFixture *
publish_fixture_new (StageFixture *stage, const gchar *format, ...)
{
  g_autofree gchar *description = NULL;
  g_autofree gchar *token = NULL;
  PublishFixture *self;
  va_list args;

  va_start (args, format);
  description = g_strdup_vprintf (format, args);
  va_end (args);
  self = make (stage, description);
  token = stage_fixture_mint (stage, NULL, &self->participant);
  g_object_set (self->sink, "auth-token", token, NULL);
  return self;
}

PublishFixture *
publish_fixture_new_as (StageFixture *stage, const gchar *participant,
    const gchar *format, ...)
{
  g_autofree gchar *description = NULL;
  PublishFixture *self;
  va_list args;

  va_start (args, format);
  description = g_strdup_vprintf (format, args);
  va_end (args);
  self = make (stage, description);
  self->participant = g_strdup (participant);
  return self;
}

/* Some GStreamer threads hold the last reference for a moment. */
static gboolean
is_gone (gpointer data)
{
  return *(gpointer *) data == NULL;
}

static void
drop_pipeline (PublishFixture *self)
{
  GstElement *pipeline = g_steal_pointer (&self->pipeline);
  GstElement *sink = g_steal_pointer (&self->sink);
  gpointer is_pipeline = pipeline, is_sink = sink;

  g_source_remove (self->watch);
  g_object_add_weak_pointer (G_OBJECT (pipeline), &is_pipeline);
  g_object_add_weak_pointer (G_OBJECT (sink), &is_sink);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  if (!publish_wait (is_gone, &is_pipeline, GONE_MS))
    g_error ("The pipeline is still there: %u references",
        G_OBJECT (pipeline)->ref_count);
  if (!publish_wait (is_gone, &is_sink, GONE_MS))
    g_error ("The element is still there: %u references",
        G_OBJECT (sink)->ref_count);
}

void
publish_fixture_free (PublishFixture *self)
{
  publish_fixture_stop (self);
  g_ptr_array_unref (self->failures);
  drop_pipeline (self);
  g_ptr_array_unref (self->expected);
  g_ptr_array_unref (self->progress);
  g_ptr_array_unref (self->states);
  g_ptr_array_unref (self->elements);
  g_free (self->participant);
  g_free (self);
}

GstElement *
publish_fixture_get_pipeline (PublishFixture *self)
{
  return self->pipeline;
}

GstElement *
publish_fixture_get_sink (PublishFixture *self)
{
  return self->sink;
}

const gchar *
publish_fixture_get_participant (PublishFixture *self)
{
  return self->participant;
}

void
publish_fixture_follow (PublishFixture *self, StageFixture *stage,
    const gchar *participant)
{
  self->stage = stage;
  g_free (self->participant);
  self->participant = g_strdup (participant);
}

/* -- What may go wrong ------------------------------------------------------------ */

void
publish_fixture_expect (PublishFixture *self, const gchar *name)
{
  g_ptr_array_add (self->expected, g_strdup (name));
}

typedef struct
{
  PublishFixture *self;
  const gchar *text;
} Wanted;

static GstMessage *
find_failure (PublishFixture *self, const gchar *name)
{
  for (guint i = 0; i < self->failures->len; i++)
    if (g_str_equal (get_name (self->failures->pdata[i]), name))
      return self->failures->pdata[i];
  return NULL;
}

static gboolean
has_failed (gpointer data)
{
  Wanted *wanted = data;

  return find_failure (wanted->self, wanted->text) != NULL;
}

GstMessage *
publish_fixture_wait_failure (PublishFixture *self, const gchar *name,
    guint seconds)
{
  Wanted wanted = { self, name };
  g_autofree gchar *progress = NULL;

  publish_fixture_expect (self, name);
  if (publish_wait (has_failed, &wanted, seconds * 1000))
    return gst_message_ref (find_failure (self, name));
  progress = join (self->progress);
  g_error ("No message %s after %u s; so far: %s", name, seconds, progress);
}

guint
publish_fixture_count_failures (PublishFixture *self, GstMessageType type)
{
  guint n = 0;

  for (guint i = 0; i < self->failures->len; i++)
    n += GST_MESSAGE_TYPE (self->failures->pdata[i]) == type;
  return n;
}

void
publish_fixture_assert_failures (PublishFixture *self, guint errors,
    guint warnings)
{
  g_assert_cmpuint (publish_fixture_count_failures (self, GST_MESSAGE_ERROR),
      ==, errors);
  g_assert_cmpuint (publish_fixture_count_failures (self, GST_MESSAGE_WARNING),
      ==, warnings);
}

guint
publish_fixture_count_named (PublishFixture *self, const gchar *name)
{
  guint n = 0;

  for (guint i = 0; i < self->failures->len; i++)
    n += g_str_equal (get_name (self->failures->pdata[i]), name);
  return n;
}

/* -- States ----------------------------------------------------------------------- */

void
publish_fixture_set_state (PublishFixture *self, GstState state)
{
  GstStateChangeReturn result;

  if (state == GST_STATE_NULL) {
    publish_fixture_stop (self);
    return;
  }
  result = gst_element_set_state (self->pipeline, state);
  if (result == GST_STATE_CHANGE_ASYNC)
    result = gst_element_get_state (self->pipeline, NULL, NULL,
        STATE_SECONDS * GST_SECOND);
  if (result == GST_STATE_CHANGE_FAILURE || result == GST_STATE_CHANGE_ASYNC) {
    drain_bus (self);
    g_error ("The pipeline does not go to %s: %s",
        gst_element_state_get_name (state),
        gst_element_state_change_return_get_name (result));
  }
}

void
publish_fixture_play (PublishFixture *self)
{
  forget (self);
  publish_fixture_set_state (self, GST_STATE_PLAYING);
}

void
publish_fixture_stop (PublishFixture *self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  drain_bus (self);
}

static gboolean
was_in_connection (gpointer data)
{
  Wanted *wanted = data;
  GPtrArray *states = wanted->self->states;

  return states->len > 0 &&
      g_str_equal (states->pdata[states->len - 1], wanted->text);
}

static void
fail_waiting (PublishFixture *self, const gchar *what, guint seconds)
{
  g_autofree gchar *progress = join (self->progress);
  g_autofree gchar *states = join (self->states);
  g_autoptr (JsonNode) state =
      self->stage != NULL ? stage_fixture_get_state (self->stage) : NULL;
  g_autofree gchar *text = state != NULL ? json_to_string (state, TRUE) : NULL;

  g_error ("%s: not after %u s. Progress: %s. States: %s. The stage:\n%s", what,
      seconds, progress, states, text != NULL ? text : "(none)");
}

void
publish_fixture_wait_connection (PublishFixture *self, const gchar *nick,
    guint seconds)
{
  Wanted wanted = { self, nick };

  if (!publish_wait (was_in_connection, &wanted, seconds * 1000))
    fail_waiting (self, nick, seconds);
}

static gboolean
came_eos (gpointer data)
{
  PublishFixture *self = data;

  return self->is_eos;
}

void
publish_fixture_wait_eos (PublishFixture *self, guint seconds)
{
  if (!publish_wait (came_eos, self, seconds * 1000))
    fail_waiting (self, "EOS", seconds);
}

gboolean
publish_fixture_is_eos (PublishFixture *self)
{
  return self->is_eos;
}

gchar *
publish_fixture_get_progress (PublishFixture *self)
{
  return join (self->progress);
}

gchar *
publish_fixture_get_states (PublishFixture *self)
{
  return join (self->states);
}

guint
publish_fixture_count_messages (PublishFixture *self, const gchar *name)
{
  guint n = 0;

  for (guint i = 0; i < self->elements->len; i++)
    n += g_str_equal (self->elements->pdata[i], name);
  return n;
}

/* -- At the stage ----------------------------------------------------------------- */

static gchar *
make_path (PublishFixture *self, const gchar *path)
{
  return g_strdup_printf ("@%s.%s", self->participant, path);
}

JsonNode *
publish_fixture_look (PublishFixture *self)
{
  return stage_fixture_get_state (self->stage);
}

JsonNode *
publish_fixture_at (PublishFixture *self, JsonNode *state, const gchar *path)
{
  g_autofree gchar *full = make_path (self, path);

  return stage_state_at (state, full);
}

gdouble
publish_fixture_number (PublishFixture *self, JsonNode *state,
    const gchar *path)
{
  g_autofree gchar *full = make_path (self, path);

  return stage_state_number (state, full);
}

JsonNode *
publish_fixture_wait_number (PublishFixture *self, const gchar *path,
    gdouble value, guint seconds)
{
  g_autofree gchar *full = make_path (self, path);

  return stage_fixture_wait_number (self->stage, full, value, seconds);
}

guint
publish_fixture_count_requests (PublishFixture *self, const gchar *method,
    guint status)
{
  g_autoptr (JsonNode) state = publish_fixture_look (self);
  JsonArray *requests =
      json_node_get_array (stage_state_at (state, "requests"));
  guint n = 0;

  for (guint i = 0; i < json_array_get_length (requests); i++) {
    JsonNode *request = json_array_get_element (requests, i);

    n += g_strcmp0 (stage_state_string (request, "participant"),
             self->participant) == 0 &&
        g_strcmp0 (stage_state_string (request, "method"), method) == 0 &&
        (guint) stage_state_number (request, "status") == status;
  }
  return n;
}

void
publish_fixture_assert_deleted (PublishFixture *self, guint n)
{
  g_autoptr (JsonNode) state =
      publish_fixture_wait_number (self, "sessions.deleted", n, 10);

  publish_fixture_assert_int (self, state, "sessions.deleted", ==, n);
  publish_fixture_assert_int (self, state, "sessions.made", ==, n);
  g_assert_cmpuint (publish_fixture_count_requests (self, "DELETE", 200), ==,
      n);
}
