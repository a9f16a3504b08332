/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element ivsstagesink: its pads, properties, signals and state changes.
 */

/**
 * SECTION:element-ivsstagesink
 * @title: ivsstagesink
 * @short_description: publishes to an Amazon IVS real-time stage over WHIP
 *
 * Publishes one participant's audio and video to a stage. Takes raw, encoded
 * (Opus, H.264) or RTP streams; what is raw is encoded as a stage wants it.
 *
 *     video_0 -> [convert, encode, parse, pay] -> gate -.
 *                                                        >- webrtcbin -> stage
 *     audio_0 -> [convert, encode, pay] --------> gate -'
 *
 * The webrtcbin is replaced with each session, the rest stays. The gates open
 * when the session is connected and its certificate verified; until then a live
 * source is dropped and any other one waits.
 *
 * Going to PAUSED prepares a session (token, connection, offer), going to PLAYING
 * publishes, going back to READY deletes the session at the stage. When all
 * streams have ended, the session is deleted, then the element posts EOS.
 *
 * ## Example
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! ivsstagesink name=stage audiotestsrc is-live=true ! stage.
 * ]| with a participant token in the environment variable `IVS_STAGE_TOKEN`.
 */
#include "gstivsstagesink.h"

#include "gstivsinput.h"
#include "gstivsmessages.h"
#include "gstivspublisher.h"
#include "gstivsupstream.h"

GST_DEBUG_CATEGORY_STATIC (gst_ivs_stage_sink_debug);
#define GST_CAT_DEFAULT gst_ivs_stage_sink_debug

struct _GstIvsStageSink
{
  GstBin parent;

  /* Set in init, constant afterwards. */
  GstIvsGate *gates[GST_IVS_N_KINDS];
  GstIvsMonitor *monitor;
  GstIvsAdaptation *adaptation;

  /* Protected by OBJECT_LOCK; the publisher copies the settings for each session. */
  GstIvsSettings settings;
  GList *inputs;                         /* of GstIvsInput */
  GstIvsInput *feeding[GST_IVS_N_KINDS]; /* whose chain is linked to the gate */
  GstIvsConnectionState connection_state;
  gchar *participant_id;
  gchar *stage_arn;
  gint64 token_expiry;
  GstStructure *stats;
  guint estimated_bitrate;
  guint next_pad;

  /* Written by change_state only (STATE_LOCK); read under OBJECT_LOCK, for it is
   * there from READY->PAUSED to PAUSED->READY only. */
  GstIvsPublisher *publisher;
};

enum
{
  PROP_0,
  PROP_CONNECTION_STATE,
  PROP_PARTICIPANT_ID,
  PROP_STAGE_ARN,
  PROP_TOKEN_EXPIRY,
  PROP_STATS,
  PROP_ESTIMATED_BITRATE,
  PROP_FIRST_SETTING,
};

enum
{
  SIGNAL_REQUEST_TOKEN,
  SIGNAL_ENCODER_SETUP,
  SIGNAL_PAYLOADER_SETUP,
  SIGNAL_SEND_METADATA,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_TYPE (GstIvsStageSink, gst_ivs_stage_sink, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE (ivsstagesink, "ivsstagesink", GST_RANK_NONE,
    GST_TYPE_IVS_STAGE_SINK)

/* What the publisher asks and is told; on the worker. */

static void
get_settings (GstElement *element, GstIvsSettings *settings)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);

  GST_OBJECT_LOCK (self);
  gst_ivs_settings_copy (settings, &self->settings);
  GST_OBJECT_UNLOCK (self);
}

/* With OBJECT_LOCK. */
static void
add_to_inputs (GstIvsInput *input, GstIvsInputs *inputs, GString *silent)
{
  GstIvsKind kind;
  GstIvsLane *lane = NULL;

  if (!gst_ivs_input_is_ready (input) && !gst_ivs_input_is_eos (input))
    g_string_append_printf (silent, "%s%s", silent->len > 0 ? ", " : "",
        GST_PAD_NAME (gst_ivs_input_get_pad (input)));
  if (!gst_ivs_input_get_kind (input, &kind)) {
    inputs->n_undecided++;
    return;
  }

  lane = &inputs->lanes[kind];
  lane->n_pads++;
  lane->is_ready |= gst_ivs_input_is_ready (input);
  lane->is_eos = gst_ivs_input_is_eos (input);
  lane->channels = gst_ivs_input_get_channels (input);
}

static void
get_inputs (GstElement *element, GstIvsInputs *inputs)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);
  GString *silent = g_string_new (NULL);

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    inputs->lanes[kind].gate = gst_object_ref (self->gates[kind]);

  GST_OBJECT_LOCK (self);
  for (GList *l = self->inputs; l != NULL; l = l->next)
    add_to_inputs (l->data, inputs, silent);
  GST_OBJECT_UNLOCK (self);

  inputs->silent_pads = g_string_free (silent, silent->len == 0);
}

static gchar *
request_token (GstElement *element)
{
  gchar *token = NULL;

  g_signal_emit (element, signals[SIGNAL_REQUEST_TOKEN], 0, &token);
  return token;
}

static void
state_changed (GstElement *element, GstIvsConnectionState state,
    const IvsToken *token)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);

  GST_OBJECT_LOCK (self);
  self->connection_state = state;
  if (token != NULL) {
    g_free (self->participant_id);
    self->participant_id = g_strdup (token->participant_id);
    g_free (self->stage_arn);
    self->stage_arn = g_strdup (token->stage_arn);
    self->token_expiry = token->expires_at;
  }
  GST_OBJECT_UNLOCK (self);

  g_object_notify (G_OBJECT (self), "connection-state");
}

static void
stats_made (GstElement *element, GstStructure *stats)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);

  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->stats, gst_structure_free);
  self->stats = stats;
  GST_OBJECT_UNLOCK (self);
}

static void
estimated (GstElement *element, guint bps)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);

  GST_OBJECT_LOCK (self);
  self->estimated_bitrate = bps;
  GST_OBJECT_UNLOCK (self);
  g_object_notify (G_OBJECT (self), "estimated-bitrate");
}

static void
drained (GstElement *element)
{
  gst_element_post_message (element,
      gst_message_new_eos (GST_OBJECT (element)));
}

static const GstIvsPublisherEvents publisher_events = {
  .get_settings = get_settings,
  .get_inputs = get_inputs,
  .request_token = request_token,
  .state_changed = state_changed,
  .stats_made = stats_made,
  .estimated = estimated,
  .drained = drained,
};

/* From any thread. The lock keeps the publisher alive for the call, which only
 * posts to the worker. */
static void
kick (GstIvsStageSink *self)
{
  GST_OBJECT_LOCK (self);
  if (self->publisher != NULL)
    gst_ivs_publisher_kick (self->publisher);
  GST_OBJECT_UNLOCK (self);
}

/* What the inputs tell; on streaming threads. */

static GstIvsGate *
claim_gate (GstIvsInput *input, GstIvsKind kind, gpointer data)
{
  GstIvsStageSink *self = data;
  g_autofree gchar *sentence = NULL;
  gboolean is_free = FALSE;

  GST_OBJECT_LOCK (self);
  is_free = self->feeding[kind] == NULL || self->feeding[kind] == input;
  if (is_free)
    self->feeding[kind] = input;
  GST_OBJECT_UNLOCK (self);
  if (is_free)
    return gst_object_ref (self->gates[kind]);

  sentence = g_strdup_printf (
      "The pad %s brings a second %s stream, which is dropped: a participant has one at most",
      GST_PAD_NAME (gst_ivs_input_get_pad (input)),
      kind == GST_IVS_AUDIO ? "audio" : "video");
  gst_ivs_post_notice (GST_ELEMENT (self), "second-stream", sentence,
      "Publish it with an ivsstagesink and a participant token of its own, or mix it in (audiomixer, compositor).",
      NULL);
  return NULL;
}

static void
input_ready (GstIvsInput *input, gpointer data)
{
  kick (data);
}

static void
input_ended (GstIvsInput *input, gpointer data)
{
  kick (data);
}

static void
gate_switched (GstIvsGate *gate, gpointer data)
{
  kick (data);
}

static void
input_failed (GstIvsInput *input, const GError *error, gpointer data)
{
  GstIvsStageSink *self = data;

  GST_OBJECT_LOCK (self);
  if (self->publisher != NULL)
    gst_ivs_publisher_input_failed (self->publisher, error);
  GST_OBJECT_UNLOCK (self);
}

static void
encoder_made (GstElement *encoder, gpointer data)
{
  GstIvsStageSink *self = data;

  g_signal_emit (self, signals[SIGNAL_ENCODER_SETUP], 0, encoder);
  gst_ivs_adaptation_take_encoder (self->adaptation, encoder);
}

static void
payloader_made (GstElement *payloader, gpointer data)
{
  g_signal_emit (data, signals[SIGNAL_PAYLOADER_SETUP], 0, payloader);
}

static void
copy_encoding (GstIvsEncodingSettings *settings, gpointer data)
{
  GstIvsStageSink *self = data;

  GST_OBJECT_LOCK (self);
  *settings = self->settings.encoding;
  GST_OBJECT_UNLOCK (self);
}

static const GstIvsInputEvents input_events = {
  .get_gate = claim_gate,
  .get_settings = copy_encoding,
  .ready = input_ready,
  .eos = input_ended,
  .failed = input_failed,
  .encoder = encoder_made,
  .payloader = payloader_made,
};

/* Request pads. */

/* With OBJECT_LOCK. */
static gboolean
has_input (GstIvsStageSink *self, GstIvsKind kind)
{
  for (GList *l = self->inputs; l != NULL; l = l->next) {
    GstIvsKind its_kind;

    if (gst_ivs_input_get_kind (l->data, &its_kind) && its_kind == kind)
      return TRUE;
  }
  return FALSE;
}

/* With OBJECT_LOCK. NULL if there is room for one more pad of @templ, else why not. */
static const gchar *
find_obstacle (GstIvsStageSink *self, GstPadTemplate *templ)
{
  const gchar *name = GST_PAD_TEMPLATE_NAME_TEMPLATE (templ);

  if (g_list_length (self->inputs) >= GST_IVS_N_KINDS)
    return "it has its two pads already";
  if (g_str_has_prefix (name, "audio") && has_input (self, GST_IVS_AUDIO))
    return "it has an audio pad already";
  if (g_str_has_prefix (name, "video") && has_input (self, GST_IVS_VIDEO))
    return "it has a video pad already";
  return NULL;
}

/* With OBJECT_LOCK. Also that of an input whose pad is only about to be added. */
static gboolean
is_taken (GstIvsStageSink *self, const gchar *name)
{
  for (GList *l = GST_ELEMENT_PADS (self); l != NULL; l = l->next)
    if (g_str_equal (GST_PAD_NAME (l->data), name))
      return TRUE;
  for (GList *l = self->inputs; l != NULL; l = l->next)
    if (g_str_equal (GST_PAD_NAME (gst_ivs_input_get_pad (l->data)), name))
      return TRUE;
  return FALSE;
}

/* With OBJECT_LOCK. A number that was asked for by name is left out. */
static gchar *
make_pad_name (GstIvsStageSink *self, GstPadTemplate *templ)
{
  g_autofree gchar *prefix = g_strdup (GST_PAD_TEMPLATE_NAME_TEMPLATE (templ));

  *strchr (prefix, '%') = '\0';
  for (;;) {
    g_autofree gchar *name = g_strdup_printf ("%s%u", prefix, self->next_pad++);

    if (!is_taken (self, name))
      return g_steal_pointer (&name);
  }
}

/* Whether there is room for one more is looked at in the same moment as it is taken:
 * pads are requested from several threads. */
static GstIvsInput *
add_input (GstIvsStageSink *self, GstPadTemplate *templ, const gchar *requested,
    const gchar **obstacle)
{
  g_autofree gchar *name = NULL;
  GstIvsInput *input = NULL;

  GST_OBJECT_LOCK (self);
  *obstacle = find_obstacle (self, templ);
  if (*obstacle == NULL && requested != NULL && is_taken (self, requested))
    *obstacle = "it has a pad of that name already";
  if (*obstacle == NULL) {
    name =
        requested != NULL ? g_strdup (requested) : make_pad_name (self, templ);
    input =
        gst_ivs_input_new (GST_BIN (self), templ, name, &input_events, self);
    self->inputs = g_list_append (self->inputs, input);
  }
  GST_OBJECT_UNLOCK (self);
  return input;
}

static void
refuse_pad (GstIvsStageSink *self, const gchar *obstacle)
{
  g_autofree gchar *sentence = g_strdup_printf (
      "No further pad: a participant publishes one audio and one video stream at most, and %s",
      obstacle);

  gst_ivs_post_notice (GST_ELEMENT (self), "too-many-pads", sentence,
      "Publish a further stream with an ivsstagesink and a participant token of its own, or mix it in (audiomixer, compositor).",
      NULL);
}

static GstPad *
request_new_pad (GstElement *element, GstPadTemplate *templ,
    const gchar *requested, const GstCaps *caps)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);
  const gchar *obstacle = NULL;
  GstIvsInput *input = add_input (self, templ, requested, &obstacle);

  if (input == NULL) {
    refuse_pad (self, obstacle);
    return NULL;
  }
  gst_element_add_pad (element, gst_ivs_input_get_pad (input));
  kick (self);
  return gst_ivs_input_get_pad (input);
}

static GstIvsInput *
take_input (GstIvsStageSink *self, GstPad *pad)
{
  GstIvsInput *input = NULL;

  GST_OBJECT_LOCK (self);
  for (GList *l = self->inputs; l != NULL && input == NULL; l = l->next) {
    if (gst_ivs_input_get_pad (l->data) == pad)
      input = l->data;
  }
  self->inputs = g_list_remove (self->inputs, input);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++) {
    if (input != NULL && self->feeding[kind] == input)
      self->feeding[kind] = NULL;
  }
  GST_OBJECT_UNLOCK (self);
  return input;
}

static void
release_pad (GstElement *element, GstPad *pad)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);
  GstIvsInput *input = take_input (self, pad);

  if (input == NULL)
    return;

  gst_ivs_input_release (input);
  gst_ivs_input_free (input);
  kick (self);
}

/* Messages from inside. */

/* Is @object below one of our sessions' webrtcbins? */
static gboolean
is_of_session (GstIvsStageSink *self, GstObject *object)
{
  g_autoptr (GstObject) child = gst_object_ref (object);

  while (child != NULL) {
    g_autoptr (GstObject) parent = gst_object_get_parent (child);
    g_autofree gchar *name = gst_object_get_name (child);

    if (parent == GST_OBJECT (self))
      return g_str_has_prefix (name, GST_IVS_PEER_NAME "-");
    gst_object_unref (child);
    child = g_steal_pointer (&parent);
  }
  return FALSE;
}

/* An error inside webrtcbin is the session's, not the pipeline's. */
static void
take_session_error (GstIvsStageSink *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  GST_INFO_OBJECT (self, "inside the session: %s (%s)", error->message, debug);
  GST_OBJECT_LOCK (self);
  if (self->publisher != NULL)
    gst_ivs_publisher_element_failed (self->publisher,
        GST_MESSAGE_SRC (message), error);
  GST_OBJECT_UNLOCK (self);
}

static void
handle_message (GstBin *bin, GstMessage *message)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (bin);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR &&
      GST_MESSAGE_SRC (message) != NULL &&
      is_of_session (self, GST_MESSAGE_SRC (message))) {
    take_session_error (self, message);
    gst_message_unref (message);
    return;
  }

  GST_BIN_CLASS (gst_ivs_stage_sink_parent_class)
      ->handle_message (bin, message);
}

/* What goes upstream. */

/* Those that are there just now, video first. (transfer full) */
static GList *
list_pads (GstIvsStageSink *self)
{
  GList *pads = NULL;

  GST_OBJECT_LOCK (self);
  for (GList *l = self->inputs; l != NULL; l = l->next) {
    GstPad *pad = gst_object_ref (gst_ivs_input_get_pad (l->data));
    GstIvsKind kind = GST_IVS_AUDIO;

    gst_ivs_input_get_kind (l->data, &kind);
    pads = kind == GST_IVS_VIDEO ? g_list_prepend (pads, pad)
                                 : g_list_append (pads, pad);
  }
  GST_OBJECT_UNLOCK (self);
  return pads;
}

static gboolean
send_event (GstElement *element, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
    return gst_ivs_upstream_send (list_pads (GST_IVS_STAGE_SINK (element)),
        event);
  return GST_ELEMENT_CLASS (gst_ivs_stage_sink_parent_class)
      ->send_event (element, event);
}

static gboolean
answer_query (GstElement *element, GstQuery *query)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_POSITION:
    case GST_QUERY_DURATION:
    case GST_QUERY_SEEKING:
      return gst_ivs_upstream_answer (list_pads (self), self->gates, query);
    default:
      return GST_ELEMENT_CLASS (gst_ivs_stage_sink_parent_class)
          ->query (element, query);
  }
}

/* States. */

static void
start (GstIvsStageSink *self)
{
  GstIvsPublisher *publisher = gst_ivs_publisher_new (GST_ELEMENT (self),
      self->monitor, self->adaptation, &publisher_events);

  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_ivs_gate_set_discard (self->gates[kind], FALSE);
  GST_OBJECT_LOCK (self);
  self->publisher = publisher;
  GST_OBJECT_UNLOCK (self);
  gst_ivs_publisher_start (publisher);
}

static GstIvsPublisher *
stop (GstIvsStageSink *self)
{
  GstIvsPublisher *publisher = NULL;

  GST_OBJECT_LOCK (self);
  publisher = g_steal_pointer (&self->publisher);
  GST_OBJECT_UNLOCK (self);
  if (publisher != NULL)
    gst_ivs_publisher_stop (publisher);
  return publisher;
}

static void
reset_inputs (GstIvsStageSink *self)
{
  GST_OBJECT_LOCK (self);
  for (GList *l = self->inputs; l != NULL; l = l->next)
    gst_ivs_input_reset (l->data);
  GST_OBJECT_UNLOCK (self);
}

/* A session outlives a pause: webrtcbin goes on PLAYING, so that the stage hears of
 * us (ICE consent, RTCP) and only the picture stands still. */
static void
hold_sessions (GstIvsStageSink *self, gboolean is_paused)
{
  GST_OBJECT_LOCK (self);
  for (GList *l = GST_BIN_CHILDREN (self); l != NULL; l = l->next) {
    if (g_str_has_prefix (GST_OBJECT_NAME (l->data), GST_IVS_PEER_NAME "-"))
      gst_element_set_locked_state (l->data, is_paused);
  }
  GST_OBJECT_UNLOCK (self);
}

/* Nothing here waits for the network but the way down from PAUSED: there the
 * session's DELETE is given shutdown-timeout seconds, outside every lock of
 * ours and after the parent has brought the streams to rest. */
static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (element);
  GstIvsPublisher *stopped = NULL;
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stopped = stop (self);
  else
    hold_sessions (self, transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED);

  ret = GST_ELEMENT_CLASS (gst_ivs_stage_sink_parent_class)
            ->change_state (element, transition);

  if (stopped != NULL) {
    gst_ivs_publisher_join_and_free (stopped);
    reset_inputs (self);
  }
  if (ret == GST_STATE_CHANGE_FAILURE)
    return ret;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      start (self);
      return GST_STATE_CHANGE_NO_PREROLL;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (self->publisher != NULL)
        gst_ivs_publisher_play (self->publisher);
      return ret;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      return GST_STATE_CHANGE_NO_PREROLL;
    default:
      return ret;
  }
}

/* GObject. */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (object);
  gboolean is_known = FALSE;

  GST_OBJECT_LOCK (self);
  is_known =
      gst_ivs_settings_set (&self->settings, PROP_FIRST_SETTING, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!is_known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (object);
  gboolean is_known = TRUE;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_CONNECTION_STATE:
      g_value_set_enum (value, self->connection_state);
      break;
    case PROP_PARTICIPANT_ID:
      g_value_set_string (value, self->participant_id);
      break;
    case PROP_STAGE_ARN:
      g_value_set_string (value, self->stage_arn);
      break;
    case PROP_TOKEN_EXPIRY:
      g_value_set_int64 (value, self->token_expiry);
      break;
    case PROP_ESTIMATED_BITRATE:
      g_value_set_uint (value, self->estimated_bitrate);
      break;
    case PROP_STATS:
      g_value_set_boxed (value, self->stats);
      break;
    default:
      is_known =
          gst_ivs_settings_get (&self->settings, PROP_FIRST_SETTING, id, value);
  }
  GST_OBJECT_UNLOCK (self);
  if (!is_known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
finalize (GObject *object)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (object);

  gst_ivs_adaptation_unref (self->adaptation);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_object_unref (self->gates[kind]);
  gst_ivs_monitor_unref (self->monitor);
  gst_ivs_settings_clear (&self->settings);
  g_clear_pointer (&self->stats, gst_structure_free);
  g_free (self->participant_id);
  g_free (self->stage_arn);
  G_OBJECT_CLASS (gst_ivs_stage_sink_parent_class)->finalize (object);
}

/* The bin's children go before its request pads in GstBin's dispose; the pads'
 * chains and gates must still be there when the pads are released. */
static void
dispose (GObject *object)
{
  GstIvsStageSink *self = GST_IVS_STAGE_SINK (object);

  while (self->inputs != NULL) {
    GstIvsInput *input = self->inputs->data;

    release_pad (GST_ELEMENT (self), gst_ivs_input_get_pad (input));
  }
  G_OBJECT_CLASS (gst_ivs_stage_sink_parent_class)->dispose (object);
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_status_properties (GObjectClass *klass)
{
  /**
   * GstIvsStageSink:connection-state:
   *
   * How things stand with the stage; notified from the element's own thread.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_CONNECTION_STATE,
      g_param_spec_enum ("connection-state", "Connection state",
          "How things stand with the stage", GST_TYPE_IVS_CONNECTION_STATE,
          GST_IVS_CONNECTION_NEW, READABLE));

  /**
   * GstIvsStageSink:participant-id:
   *
   * The participant that the token names (its claim `jti`), once it was read.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_PARTICIPANT_ID,
      g_param_spec_string ("participant-id", "Participant ID",
          "The participant that the token names", NULL, READABLE));

  /**
   * GstIvsStageSink:stage-arn:
   *
   * The stage that the token names (its claim `resource`), once it was read.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_STAGE_ARN,
      g_param_spec_string ("stage-arn", "Stage ARN",
          "The stage that the token names", NULL, READABLE));

  /**
   * GstIvsStageSink:token-expiry:
   *
   * When the token expires, in seconds since 1970 UTC; 0 before it was read. A
   * stage looks at it when a session is made, not afterwards.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_TOKEN_EXPIRY,
      g_param_spec_int64 ("token-expiry", "Token expiry",
          "When the token expires, in seconds since 1970 UTC (0 = not known yet)",
          0, G_MAXINT64, 0, READABLE));
}

static void
install_figures (GObjectClass *klass)
{
  /**
   * GstIvsStageSink:stats:
   *
   * The figures of a live session as they stood in the last second: a structure
   * `ivs-stage-stats`, whose fields docs/reference.md lists. Cheap to read. %NULL
   * before the first session is live.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Figures of the live session, by stream, renewed every second",
          GST_TYPE_STRUCTURE, READABLE));

  /**
   * GstIvsStageSink:estimated-bitrate:
   *
   * What the network carries, as far as #GstIvsStageSink:congestion-control knows:
   * bits per second on the wire, audio and all headers included. Never more than
   * would be sent at most; 0 before a session is live. Notified from a thread of the
   * element, about ten times per second at most, and at once when it fell.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_ESTIMATED_BITRATE,
      g_param_spec_uint ("estimated-bitrate", "Estimated bit rate",
          "Bits per second that the network carries, at most what would be sent (0 = not known)",
          0, G_MAXUINT, 0, READABLE));
}

/* The first handler that has a token is asked, the others are not. */
static gboolean
token_found (GSignalInvocationHint *hint, GValue *result,
    const GValue *returned, gpointer data)
{
  g_value_copy (returned, result);
  return g_value_get_string (returned) == NULL;
}

static gboolean
send_metadata (GstIvsStageSink *self, GBytes *bytes)
{
  gsize size = 0;
  const guint8 *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  gboolean is_taken =
      gst_ivs_gate_send_metadata (self->gates[GST_IVS_VIDEO], data, size);

  if (!is_taken)
    GST_INFO_OBJECT (self,
        "%" G_GSIZE_FORMAT " bytes of metadata are not sent: wanted are 1 to "
        "1024 bytes, a live session, video that flows, and few that wait",
        size);
  return is_taken;
}

static void
install_send_metadata (GstIvsStageSinkClass *klass)
{
  /**
   * GstIvsStageSink::send-metadata:
   * @bytes: 1 to 1024 bytes of any content
   *
   * Sends @bytes to the viewers, in step with the next picture: as SEI of H.264
   * (user_data_unregistered with the UUID of a stage's metadata), which an
   * Amazon IVS player hands to its page. Into encoded video as into raw. Several
   * before one picture all go with it, in their order. From any thread.
   *
   * Source: AWS, "Embed metadata within a video stream" of IVS real-time.
   *
   * Returns: %FALSE, and nothing is sent: @bytes is empty or too long, no session
   *   is live, no video flows, or more than about 30 wait for a picture
   *
   * Since: 0.1
   */
  signals[SIGNAL_SEND_METADATA] =
      g_signal_new_class_handler ("send-metadata", G_TYPE_FROM_CLASS (klass),
          G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (send_metadata), NULL,
          NULL, NULL, G_TYPE_BOOLEAN, 1, G_TYPE_BYTES);
}

static void
install_signals (GstIvsStageSinkClass *klass)
{
  /**
   * GstIvsStageSink::request-token:
   *
   * Asks for the participant token of the next attempt, so that a service can mint
   * a fresh one. Emitted on the element's own thread, where a handler that takes
   * its time delays only this attempt.
   *
   * Returns: (nullable) (transfer full): the token, or %NULL for what
   *   #GstIvsStageSink:auth-token-file, #GstIvsStageSink:auth-token or the
   *   environment say
   *
   * Since: 0.1
   */
  signals[SIGNAL_REQUEST_TOKEN] =
      g_signal_new ("request-token", G_TYPE_FROM_CLASS (klass),
          G_SIGNAL_RUN_LAST, 0, token_found, NULL, NULL, G_TYPE_STRING, 0);

  /**
   * GstIvsStageSink::encoder-setup:
   * @element: the encoder
   *
   * Emitted on a streaming thread when an encoder for raw input was made and
   * configured, before it starts: the place to change its properties.
   *
   * Since: 0.1
   */
  signals[SIGNAL_ENCODER_SETUP] = g_signal_new ("encoder-setup",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_NONE, 1, GST_TYPE_ELEMENT);

  /**
   * GstIvsStageSink::payloader-setup:
   * @element: the RTP payloader
   *
   * Emitted on a streaming thread when a payloader was made and configured,
   * before it starts.
   *
   * Since: 0.1
   */
  signals[SIGNAL_PAYLOADER_SETUP] = g_signal_new ("payloader-setup",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_NONE, 1, GST_TYPE_ELEMENT);
}

static void
add_template (GstElementClass *klass, const gchar *name, GstCaps *caps)
{
  gst_element_class_add_pad_template (klass,
      gst_pad_template_new (name, GST_PAD_SINK, GST_PAD_REQUEST, caps));
  gst_caps_unref (caps);
}

static void
gst_ivs_stage_sink_class_init (GstIvsStageSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ivs_stage_sink_debug, "ivsstagesink", 0,
      "Amazon IVS stage publisher");

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (change_state);
  element_class->request_new_pad = GST_DEBUG_FUNCPTR (request_new_pad);
  element_class->release_pad = GST_DEBUG_FUNCPTR (release_pad);
  element_class->send_event = GST_DEBUG_FUNCPTR (send_event);
  element_class->query = GST_DEBUG_FUNCPTR (answer_query);
  GST_BIN_CLASS (klass)->handle_message = GST_DEBUG_FUNCPTR (handle_message);

  install_status_properties (object_class);
  install_figures (object_class);
  gst_ivs_settings_install_properties (object_class, PROP_FIRST_SETTING);
  install_signals (klass);
  install_send_metadata (klass);
  gst_type_mark_as_plugin_api (GST_TYPE_IVS_CONNECTION_STATE, 0);

  add_template (element_class, "video_%u", gst_ivs_encoding_video_caps ());
  add_template (element_class, "audio_%u", gst_ivs_encoding_audio_caps ());
  add_template (element_class, "sink_%u", gst_ivs_encoding_rtp_caps ());
  gst_element_class_set_static_metadata (element_class,
      "Amazon IVS stage publisher", "Sink/Network/WebRTC",
      "Publishes audio and video to an Amazon IVS real-time stage over WHIP",
      "The ivsstagesink authors");
}

/* Random per element, constant over its sessions: a new session continues the
 * streams of the old one. */
static GstIvsGate *
make_gate (GstIvsStageSink *self, GstIvsKind kind)
{
  const GstIvsStreamId id = {
    .ssrc = g_random_int (),
    .payload_type = kind == GST_IVS_AUDIO ? IVS_AUDIO_PT : IVS_VIDEO_PT,
    .clock_rate = kind == GST_IVS_AUDIO ? 48000 : 90000,
    .twcc_ext_id = IVS_TWCC_EXT_ID,
  };
  GstIvsGate *gate = gst_ivs_gate_new (kind, &id);

  gst_object_set_name (GST_OBJECT (gate),
      kind == GST_IVS_AUDIO ? "audio-gate" : "video-gate");
  gst_ivs_gate_set_monitor (gate, self->monitor);
  g_signal_connect (gate, "switched", G_CALLBACK (gate_switched), self);
  gst_object_ref_sink (gate);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (gate));
  return gate;
}

/* A sink for its parent, which waits for the EOS of sinks only; whatever flags
 * the children come and go with. */
static void
gst_ivs_stage_sink_init (GstIvsStageSink *self)
{
  gst_bin_set_suppressed_flags (GST_BIN (self),
      GST_ELEMENT_FLAG_SINK | GST_ELEMENT_FLAG_SOURCE);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
  gst_ivs_settings_init (&self->settings);
  self->monitor = gst_ivs_monitor_new ();
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    self->gates[kind] = make_gate (self, kind);
  gst_ivs_gate_share_time (self->gates[GST_IVS_AUDIO],
      self->gates[GST_IVS_VIDEO]);
  self->adaptation = gst_ivs_adaptation_new (self->gates);
}
