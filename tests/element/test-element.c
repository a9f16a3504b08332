/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element alone: pads, properties, messages and state changes, without a
 * stage. Its endpoint is a port at which nothing listens.
 */
#include <gio/gio.h>
#include <gst/gst.h>
#include <string.h>
#include "end-gstreamer.h"
#include "token-maker.h"

/* Under valgrind the first certificate takes a minute. */
#define DEADLINE (900 * GST_SECOND)
/* Going down may take shutdown-timeout and a little; never more. */
#define STOP_LIMIT (5 * G_USEC_PER_SEC)

typedef struct
{
  GstElement *pipeline;
  GstElement *sink;
  GstBus *bus;
} Rig;

/* Port 9 of the loopback interface (discard) refuses at once. */
static gchar *
make_token (void)
{
  return token_maker_make_publisher ("participant",
      G_GINT64_CONSTANT (4102444800), "http://127.0.0.1:9");
}

static void
rig_init (Rig *rig, const gchar *sources, gboolean has_token)
{
  g_autofree gchar *description =
      g_strdup_printf ("ivsstagesink name=stage max-retries=0 %s",
          sources != NULL ? sources : "");
  g_autofree gchar *token = make_token ();
  g_autoptr (GError) error = NULL;

  rig->pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  if (!GST_IS_PIPELINE (rig->pipeline)) {
    GstElement *pipeline = gst_pipeline_new (NULL);

    gst_bin_add (GST_BIN (pipeline), rig->pipeline);
    rig->pipeline = pipeline;
  }
  rig->sink = gst_bin_get_by_name (GST_BIN (rig->pipeline), "stage");
  rig->bus = gst_element_get_bus (rig->pipeline);
  if (has_token)
    g_object_set (rig->sink, "auth-token", token, NULL);
}

static void
set_state_in_time (Rig *rig, GstState state)
{
  gint64 begin = g_get_monotonic_time ();

  g_assert_cmpint (gst_element_set_state (rig->pipeline, state), !=,
      GST_STATE_CHANGE_FAILURE);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, STOP_LIMIT);
}

static void
rig_clear (Rig *rig)
{
  set_state_in_time (rig, GST_STATE_NULL);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->sink);
  g_assert_cmpint (GST_OBJECT_REFCOUNT_VALUE (rig->pipeline), ==, 1);
  gst_object_unref (rig->pipeline);
}

static GstMessage *
wait_for (Rig *rig, GstMessageType type)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (rig->bus, DEADLINE, type | GST_MESSAGE_ERROR);

  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) != type) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_error ("unexpected error: %s", error->message);
  }
  return message;
}

/* -- Errors ------------------------------------------------------------------- */

static const struct
{
  const gchar *name;
  const gchar *property;
  const gchar *value; /* NULL: a good token */
  const gchar *expected_name;
  GQuark (*domain) (void);
  gint code;
} mistakes[] = {
  { "no-token", NULL, NULL, "token-missing", gst_resource_error_quark,
      GST_RESOURCE_ERROR_SETTINGS },
  { "stream-key", "auth-token", "sk_us-east-1_abcdefgh", "token-lookalike",
      gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
  { "device", "auth-token-file", "/dev/zero", "token-file",
      gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
  { "no-such-file", "auth-token-file", "/nonexistent/token", "token-file",
      gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
  { "endpoint", "whip-endpoint", "gopher://example.com/", "endpoint-invalid",
      gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
};

static void
test_mistake (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  gboolean is_about_token = mistakes[i].property == NULL ||
      g_str_has_prefix (mistakes[i].property, "auth");
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const GstStructure *details = NULL;
  Rig rig;

  rig_init (&rig, NULL, !is_about_token);
  if (mistakes[i].property != NULL)
    g_object_set (rig.sink, mistakes[i].property, mistakes[i].value, NULL);
  set_state_in_time (&rig, GST_STATE_PAUSED);
  message = wait_for (&rig, GST_MESSAGE_ERROR);

  gst_message_parse_error (message, &error, &debug);
  g_assert_error (error, mistakes[i].domain (), mistakes[i].code);
  g_assert_null (strstr (error->message, "abcdefgh"));
  g_assert_null (strstr (debug, "abcdefgh"));
  gst_message_parse_error_details (message, &details);
  g_assert_true (gst_structure_has_name (details, "ivs-stage-error"));
  g_assert_cmpstr (gst_structure_get_string (details, "name"), ==,
      mistakes[i].expected_name);
  g_assert_nonnull (gst_structure_get_string (details, "hint"));
  gst_message_unref (g_steal_pointer (&message));
  rig_clear (&rig);
}

static void
test_nothing_listens (void)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  const GstStructure *details = NULL;
  Rig rig;

  rig_init (&rig, "audiotestsrc is-live=true ! stage.", TRUE);
  set_state_in_time (&rig, GST_STATE_PLAYING);
  message = wait_for (&rig, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE);
  gst_message_parse_error_details (message, &details);
  g_assert_cmpstr (gst_structure_get_string (details, "name"), ==,
      "connection-refused");
  g_assert_cmpstr (gst_structure_get_string (details, "participant-id"), ==,
      "participant");
  g_assert_true (
      g_str_has_prefix (gst_structure_get_string (details, "stage-arn"),
          "arn:aws:ivs:"));
  gst_message_unref (g_steal_pointer (&message));
  rig_clear (&rig);
}

/* -- Pads --------------------------------------------------------------------- */

static const struct
{
  const gchar *name;
  const gchar *first, *second, *third;
  gboolean is_second_refused;
} requests[] = {
  { "audio-and-video", "audio_%u", "video_%u", "sink_%u", FALSE },
  { "two-audio", "audio_%u", "audio_%u", "video_%u", TRUE },
  { "two-video", "video_0", "video_7", "audio_%u", TRUE },
  { "sinks", "sink_0", "sink_1", "sink_2", FALSE },
  { "mixed", "sink_%u", "audio_%u", "video_%u", FALSE },
  { "by-name-then-any", "sink_0", "sink_%u", "sink_%u", FALSE },
  { "any-then-by-name", "sink_%u", "sink_1", "sink_%u", FALSE },
};

static void
expect_notice (Rig *rig, const gchar *name)
{
  g_autoptr (GstMessage) message = wait_for (rig, GST_MESSAGE_WARNING);
  const GstStructure *details = NULL;

  gst_message_parse_warning_details (message, &details);
  g_assert_cmpstr (gst_structure_get_string (details, "name"), ==, name);
}

static void
test_requests (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (GstPad) first = NULL;
  g_autoptr (GstPad) second = NULL;
  g_autoptr (GstPad) third = NULL;
  Rig rig;

  rig_init (&rig, NULL, TRUE);
  first = gst_element_request_pad_simple (rig.sink, requests[i].first);
  g_assert_nonnull (first);
  second = gst_element_request_pad_simple (rig.sink, requests[i].second);
  if (requests[i].is_second_refused) {
    g_assert_null (second);
    expect_notice (&rig, "too-many-pads");
    second = gst_element_request_pad_simple (rig.sink, requests[i].third);
  } else {
    third = gst_element_request_pad_simple (rig.sink, requests[i].third);
    g_assert_null (third);
    expect_notice (&rig, "too-many-pads");
  }
  g_assert_nonnull (second);

  /* What was released may be requested again. */
  gst_element_release_request_pad (rig.sink, first);
  gst_clear_object (&first);
  first = gst_element_request_pad_simple (rig.sink, requests[i].first);
  g_assert_nonnull (first);
  rig_clear (&rig);
}

typedef struct
{
  GstElement *sink;
  gint *ready; /* atomic: threads that are not there yet */
} Asking;

static gpointer
ask_for_audio (gpointer data)
{
  Asking *asking = data;

  g_atomic_int_dec_and_test (asking->ready);
  while (g_atomic_int_get (asking->ready) > 0)
    g_thread_yield ();
  return gst_element_request_pad_simple (asking->sink, "audio_%u");
}

/* Two threads ask at once: one gets it. */
static void
test_requests_at_once (void)
{
  for (guint round = 0; round < 300; round++) {
    g_autoptr (GstElement) sink =
        gst_object_ref_sink (gst_element_factory_make ("ivsstagesink", NULL));
    gint ready = 2;
    Asking asking = { sink, &ready };
    GThread *other = g_thread_new ("ask", ask_for_audio, &asking);
    g_autoptr (GstPad) one = ask_for_audio (&asking);
    g_autoptr (GstPad) two = g_thread_join (other);

    g_assert_true ((one == NULL) != (two == NULL));
    g_assert_cmpuint (sink->numsinkpads, ==, 1);
  }
}

/* Without a session, and with no sink in the element. */
static void
test_upstream (void)
{
  GstQuery *seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  gint64 position = -1, duration = -1;
  gboolean is_seekable = FALSE;
  gint64 deadline = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  Rig rig;

  rig_init (&rig,
      "videotestsrc num-buffers=300 ! video/x-raw,width=160,height=90,framerate=30/1 ! stage.",
      TRUE);
  set_state_in_time (&rig, GST_STATE_PAUSED);
  while (!gst_element_query_duration (rig.pipeline, GST_FORMAT_TIME, &duration))
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
  g_assert_cmpint (duration, ==, 10 * GST_SECOND);
  g_assert_true (
      gst_element_query_position (rig.pipeline, GST_FORMAT_TIME, &position));
  g_assert_cmpint (position, >=, 0);
  g_assert_true (gst_element_query (rig.pipeline, seeking));
  gst_query_parse_seeking (seeking, NULL, &is_seekable, NULL, NULL);
  g_assert_true (is_seekable);
  g_assert_true (gst_element_seek_simple (rig.pipeline, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, 8 * GST_SECOND));
  gst_query_unref (seeking);
  rig_clear (&rig);
}

/* -- States ------------------------------------------------------------------- */

static void
test_states (void)
{
  static const GstState walk[] = { GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED,
    GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_NULL, GST_STATE_PLAYING };
  Rig rig;

  rig_init (&rig, "videotestsrc is-live=true ! stage. audiotestsrc ! stage.",
      TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (walk); i++)
    set_state_in_time (&rig, walk[i]);
  rig_clear (&rig);
}

static void
wait_for_refusal (Rig *rig)
{
  g_autoptr (GstMessage) message = NULL;

  /* In PAUSED nothing is asked of the stage, so nobody refuses. */
  if (GST_STATE (rig->pipeline) == GST_STATE_PLAYING)
    message =
        gst_bus_timed_pop_filtered (rig->bus, DEADLINE, GST_MESSAGE_ERROR);
}

/* Neither a thread nor an object may be left behind, nor anything hang, however
 * quickly one follows the other. */
static void
test_storm (void)
{
  Rig rig;

  rig_init (&rig,
      "videotestsrc is-live=true ! video/x-raw,width=160,height=120 ! stage. "
      "audiotestsrc is-live=true ! stage.",
      TRUE);
  for (guint i = 0; i < 200; i++) {
    set_state_in_time (&rig, i % 3 == 0 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
    if (i % 5 == 0)
      wait_for_refusal (&rig);
    set_state_in_time (&rig, i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL);
  }
  rig_clear (&rig);
}

static GstBusSyncReply
stop_at_error (GstBus *bus, GstMessage *message, gpointer data)
{
  Rig *rig = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_element_set_state (rig->sink, GST_STATE_NULL);
  return GST_BUS_PASS;
}

typedef struct
{
  GMutex lock;
  GCond gone;
  gboolean is_gone;
} Farewell;

static void
element_gone (gpointer data, GObject *where_it_was)
{
  Farewell *farewell = data;

  g_mutex_lock (&farewell->lock);
  farewell->is_gone = TRUE;
  g_cond_signal (&farewell->gone);
  g_mutex_unlock (&farewell->lock);
}

static void
wait_until_gone (Farewell *farewell)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE / 1000;

  g_mutex_lock (&farewell->lock);
  while (!farewell->is_gone)
    g_assert_true (
        g_cond_wait_until (&farewell->gone, &farewell->lock, deadline));
  g_mutex_unlock (&farewell->lock);
}

/* An application that stops the element from a synchronous handler does so on the
 * element's own thread: that cannot wait for itself, so the end comes later. */
static void
test_stop_from_handler (void)
{
  static Farewell farewell;
  g_autoptr (GstMessage) message = NULL;
  Rig rig;

  rig_init (&rig, NULL, FALSE);
  g_object_weak_ref (G_OBJECT (rig.sink), element_gone, &farewell);
  gst_bus_set_sync_handler (rig.bus, stop_at_error, &rig, NULL);
  set_state_in_time (&rig, GST_STATE_PAUSED);
  message = wait_for (&rig, GST_MESSAGE_ERROR);
  gst_message_unref (g_steal_pointer (&message));
  gst_bus_set_sync_handler (rig.bus, NULL, NULL, NULL);
  rig_clear (&rig);
  wait_until_gone (&farewell);
}

typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean is_asked, may_answer, is_answered;
} SlowService;

static void
set_flag (SlowService *service, gboolean *flag)
{
  g_mutex_lock (&service->lock);
  *flag = TRUE;
  g_cond_broadcast (&service->changed);
  g_mutex_unlock (&service->lock);
}

static void
wait_for_flag (SlowService *service, const gboolean *flag)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE / 1000;

  g_mutex_lock (&service->lock);
  while (!*flag)
    g_assert_true (
        g_cond_wait_until (&service->changed, &service->lock, deadline));
  g_mutex_unlock (&service->lock);
}

/* On the element's own thread, which can do nothing else meanwhile. */
static gchar *
answer_late (GstElement *sink, SlowService *service)
{
  set_flag (service, &service->is_asked);
  wait_for_flag (service, &service->may_answer);
  set_flag (service, &service->is_answered);
  return g_strdup ("rt_this-is-a-key");
}

/* A service that mints tokens may hang: that keeps the element neither from going
 * down nor from being started again, and what it says at last is nobody's any more. */
static void
test_stop_while_token_is_awaited (void)
{
  static Farewell farewell;
  static SlowService service;
  g_autoptr (GstMessage) message = NULL;
  gulong handler;
  Rig rig;

  rig_init (&rig, NULL, TRUE);
  g_object_weak_ref (G_OBJECT (rig.sink), element_gone, &farewell);
  g_object_set (rig.sink, "shutdown-timeout", 1, NULL);
  handler = g_signal_connect (rig.sink, "request-token",
      G_CALLBACK (answer_late), &service);
  set_state_in_time (&rig, GST_STATE_PAUSED);
  wait_for_flag (&service, &service.is_asked);
  g_signal_handler_disconnect (rig.sink, handler);
  set_state_in_time (&rig, GST_STATE_READY);

  set_state_in_time (&rig, GST_STATE_PAUSED);
  set_flag (&service, &service.may_answer);
  wait_for_flag (&service, &service.is_answered);
  set_state_in_time (&rig, GST_STATE_READY);
  message = gst_bus_pop_filtered (rig.bus, GST_MESSAGE_ERROR);
  g_assert_null (message);
  rig_clear (&rig);
  wait_until_gone (&farewell);
}

static gchar *
answer_token (GstElement *sink, gint *asked)
{
  g_atomic_int_inc (asked);
  return g_strdup ("rt_this-is-a-key");
}

/* The signal goes before the property. */
static void
test_request_token (void)
{
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *details = NULL;
  gint asked = 0;
  Rig rig;

  rig_init (&rig, NULL, TRUE);
  g_signal_connect (rig.sink, "request-token", G_CALLBACK (answer_token),
      &asked);
  set_state_in_time (&rig, GST_STATE_PAUSED);
  message = wait_for (&rig, GST_MESSAGE_ERROR);
  gst_message_parse_error_details (message, &details);
  g_assert_cmpstr (gst_structure_get_string (details, "name"), ==,
      "token-lookalike");
  g_assert_cmpint (g_atomic_int_get (&asked), ==, 1);
  gst_message_unref (g_steal_pointer (&message));
  rig_clear (&rig);
}

/* -- What gst-inspect-1.0 shows ------------------------------------------------- */

static void
test_properties (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("ivsstagesink", NULL));
  g_autofree GParamSpec **specs = NULL;
  guint n = 0;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (sink), &n);
  for (guint i = 0; i < n; i++) {
    if (specs[i]->owner_type != G_OBJECT_TYPE (sink))
      continue;
    g_assert_cmpuint (strlen (g_param_spec_get_blurb (specs[i])), >, 10);
    g_assert_cmpstr (g_param_spec_get_blurb (specs[i]), !=,
        g_param_spec_get_nick (specs[i]));
    if (specs[i]->flags & G_PARAM_WRITABLE)
      g_assert_cmpint (specs[i]->flags &
              (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PLAYING),
          !=, 0);
  }
}

/* Another value than the default. */
static void
init_other_value (GParamSpec *spec, GValue *value)
{
  g_value_init (value, spec->value_type);
  if (G_IS_PARAM_SPEC_STRING (spec))
    g_value_set_string (value, "another");
  else if (G_IS_PARAM_SPEC_UINT (spec))
    g_value_set_uint (value, ((GParamSpecUInt *) spec)->default_value + 1);
  else if (G_IS_PARAM_SPEC_INT (spec))
    g_value_set_int (value, ((GParamSpecInt *) spec)->default_value + 1);
  else if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    g_value_set_boolean (value, !((GParamSpecBoolean *) spec)->default_value);
  else if (G_IS_PARAM_SPEC_ENUM (spec))
    g_value_set_enum (value, ((GParamSpecEnum *) spec)->default_value == 0);
  else if (G_IS_PARAM_SPEC_OBJECT (spec))
    g_value_take_object (value,
        g_tls_file_database_new (TEST_DATA_DIR "/whip-ca.pem", NULL));
  else
    g_assert_true (gst_value_deserialize (value, "<\"turn://u:p@127.0.0.1\">"));
}

/* What is set is what is read, before anything runs. Secrets cannot be read. */
static void
test_values (void)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("ivsstagesink", NULL));
  g_autofree GParamSpec **specs = NULL;
  guint n = 0, n_read = 0;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (sink), &n);
  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;
    g_auto (GValue) read = G_VALUE_INIT;

    if (specs[i]->owner_type != G_OBJECT_TYPE (sink) ||
        (specs[i]->flags & G_PARAM_WRITABLE) == 0)
      continue;
    init_other_value (specs[i], &value);
    g_object_set_property (G_OBJECT (sink), specs[i]->name, &value);
    if ((specs[i]->flags & G_PARAM_READABLE) == 0)
      continue;
    n_read++;
    g_object_get_property (G_OBJECT (sink), specs[i]->name, &read);
    if (g_param_values_cmp (specs[i], &value, &read) != 0)
      g_error ("%s is not what it was set to", specs[i]->name);
    g_assert_false (g_param_value_defaults (specs[i], &read));
  }
  g_assert_cmpuint (n_read, >, 15);
}

/* The head of its page in gst-inspect-1.0. */
static void
test_page (void)
{
  static const struct
  {
    const gchar *key, *text;
  } rows[] = {
    { GST_ELEMENT_METADATA_KLASS, "Sink/Network/WebRTC" },
    { GST_ELEMENT_METADATA_LONGNAME, "Amazon IVS" },
    { GST_ELEMENT_METADATA_DESCRIPTION, "WHIP" },
    { GST_ELEMENT_METADATA_AUTHOR, "ivsstagesink authors" },
  };
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("ivsstagesink");
  g_autoptr (GstPlugin) plugin =
      gst_plugin_feature_get_plugin (GST_PLUGIN_FEATURE (factory));

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gchar *text = gst_element_factory_get_metadata (factory, rows[i].key);

    g_assert_nonnull (text);
    if (strstr (text, rows[i].text) == NULL)
      g_error ("%s of the element: %s", rows[i].key, text);
  }
  /* Never picked by a player on its own. */
  g_assert_cmpuint (gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)),
      ==, GST_RANK_NONE);
  g_assert_cmpstr (gst_plugin_get_name (plugin), ==, "ivs");
  g_assert_cmpstr (gst_plugin_get_license (plugin), ==, "LGPL");
}

static void
test_pad_templates (void)
{
  static const struct
  {
    const gchar *name, *caps;
  } rows[] = {
    { "audio_%u", "audio/x-raw" },
    { "audio_%u", "audio/x-opus" },
    { "audio_%u", "application/x-rtp,media=audio,encoding-name=OPUS" },
    { "video_%u", "video/x-raw" },
    { "video_%u", "video/x-raw(memory:DMABuf)" },
    { "video_%u", "video/x-h264" },
    { "video_%u", "application/x-rtp,media=video,encoding-name=H264" },
    { "sink_%u", "application/x-rtp,media=audio,encoding-name=OPUS" },
    { "sink_%u", "application/x-rtp,media=video,encoding-name=H264" },
  };
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("ivsstagesink", NULL));

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstPadTemplate *template =
        gst_element_get_pad_template (sink, rows[i].name);
    g_autoptr (GstCaps) caps = gst_caps_from_string (rows[i].caps);
    g_autoptr (GstCaps) all = NULL;

    g_assert_nonnull (template);
    g_assert_cmpint (template->direction, ==, GST_PAD_SINK);
    g_assert_cmpint (template->presence, ==, GST_PAD_REQUEST);
    all = gst_pad_template_get_caps (template);
    if (!gst_caps_can_intersect (all, caps))
      g_error ("%s does not take %s", rows[i].name, rows[i].caps);
  }
}

static void
test_secrets (void)
{
  static const gchar *const secrets[] = { "auth-token", "turn-servers" };
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("ivsstagesink", NULL));

  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++) {
    GParamSpec *spec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (sink), secrets[i]);

    g_assert_nonnull (spec);
    g_assert_false (spec->flags & G_PARAM_READABLE);
  }
}

static void
add_tables (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/element/error/%s", mistakes[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_mistake);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/element/request/%s", requests[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_requests);
  }
}

int
main (int argc, char **argv)
{
  int status;

  g_unsetenv ("IVS_STAGE_TOKEN");
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  add_tables ();
  g_test_add_func ("/element/error/nothing-listens", test_nothing_listens);
  g_test_add_func ("/element/pads/requests-at-once", test_requests_at_once);
  g_test_add_func ("/element/pads/upstream", test_upstream);
  g_test_add_func ("/element/states/walk", test_states);
  g_test_add_func ("/element/states/storm", test_storm);
  g_test_add_func ("/element/states/stop-from-handler", test_stop_from_handler);
  g_test_add_func ("/element/states/stop-while-token-is-awaited",
      test_stop_while_token_is_awaited);
  g_test_add_func ("/element/token/request", test_request_token);
  g_test_add_func ("/element/inspect/properties", test_properties);
  g_test_add_func ("/element/inspect/values", test_values);
  g_test_add_func ("/element/inspect/page", test_page);
  g_test_add_func ("/element/inspect/pad-templates", test_pad_templates);
  g_test_add_func ("/element/inspect/secrets", test_secrets);
  status = g_test_run ();
  end_gstreamer ();
  return status;
}
