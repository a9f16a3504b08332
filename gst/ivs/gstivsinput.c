/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One request pad: its kind, the chain that its first caps plug, its EOS.
 *
 * The ghost pad has no target until the first CAPS event; a probe sees that event
 * before the pad does, plugs the chain between them and lets the event go on into
 * it. The probe runs on the streaming thread, under the pad's stream lock: whoever
 * takes that lock knows that nobody is plugging.
 */
#include "gstivsinput.h"

#include <gst/video/video.h>

#include "ivs-error.h"

struct _GstIvsInput
{
  gint references; /* ours and the probe's */

  /* Constant after construction. */
  GstBin *bin;
  GstPad *pad;
  GstIvsInputEvents events;
  gpointer data;
  gboolean has_fixed_kind; /* audio_%u, video_%u */

  /* Written under both locks: the pad's stream lock and this one. */
  GMutex lock;
  gboolean has_kind;
  GstIvsKind kind;
  gboolean ready;
  gboolean eos;
  gboolean released;
  gboolean useless; /* nothing of what comes can be published */
  guint channels;
  GstIvsGate *gate;

  /* Protected by the pad's stream lock, as long as there are streaming threads. */
  gulong gate_eos;
  GstElement *chain; /* NULL with a gate: RTP, nothing is between */
  GstCaps *caps;     /* that plugged it; NULL: nothing is plugged */
  gboolean stale;    /* plugged in an earlier life of the element */
};

static GstIvsInput *
input_ref (GstIvsInput *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

static void
input_unref (gpointer data)
{
  GstIvsInput *self = data;

  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
read_locked (GstIvsInput *self, const gboolean *value)
{
  gboolean result;

  g_mutex_lock (&self->lock);
  result = *value;
  g_mutex_unlock (&self->lock);
  return result;
}

/* -- Telling the owner ------------------------------------------------------------ */

static void
report_eos (GstIvsInput *self)
{
  g_mutex_lock (&self->lock);
  self->eos = TRUE;
  g_mutex_unlock (&self->lock);
  self->events.eos (self, self->data);
}

static void
gate_ended (GstIvsGate *gate, gpointer data)
{
  report_eos (data);
}

/* Drops from now on. */
static void
give_up (GstIvsInput *self, const GError *error)
{
  g_mutex_lock (&self->lock);
  self->useless = TRUE;
  g_mutex_unlock (&self->lock);
  if (error != NULL)
    self->events.failed (self, error, self->data);
}

/* -- Plugging --------------------------------------------------------------------- */

static void
unplug_chain (GstIvsInput *self)
{
  if (self->chain == NULL)
    return;
  gst_element_set_locked_state (self->chain, TRUE);
  gst_element_set_state (self->chain, GST_STATE_NULL);
  gst_bin_remove (self->bin, self->chain);
  g_clear_object (&self->chain);
}

/* Nobody waits at the gate, or will. */
static void
unplug (GstIvsInput *self)
{
  unplug_chain (self);
  gst_ghost_pad_set_target (GST_GHOST_PAD (self->pad), NULL);
  gst_clear_caps (&self->caps);

  g_mutex_lock (&self->lock);
  self->ready = FALSE;
  g_mutex_unlock (&self->lock);
}

static void
set_gate (GstIvsInput *self, GstIvsGate *gate)
{
  g_mutex_lock (&self->lock);
  self->gate = gate;
  g_mutex_unlock (&self->lock);
}

static void
leave_gate (GstIvsInput *self)
{
  g_autoptr (GstIvsGate) gate = self->gate;

  if (gate == NULL)
    return;
  g_clear_signal_handler (&self->gate_eos, gate);
  set_gate (self, NULL);
}

static gboolean
enter_gate (GstIvsInput *self, GstIvsKind kind)
{
  GstIvsGate *gate;

  if (self->gate != NULL)
    return TRUE;

  gate = self->events.get_gate (self, kind, self->data);
  if (gate == NULL)
    return FALSE;
  set_gate (self, gate);
  self->gate_eos =
      g_signal_connect (gate, "eos", G_CALLBACK (gate_ended), self);
  return TRUE;
}

static gboolean
is_upstream_live (GstIvsInput *self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (self->pad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

static GstElement *
make_chain (GstIvsInput *self, const GstCaps *caps, GError **error)
{
  const GstIvsEncodingHooks hooks = { self->events.encoder,
    self->events.payloader, self->data };
  GstIvsEncodingSettings settings = { 0 };

  self->events.get_settings (&settings, self->data);
  return gst_ivs_encoding_make_chain (caps, self->kind, is_upstream_live (self),
      &settings, &hooks, error);
}

/* The chain of another pad may still be linked, which fed the gate in an earlier
 * life of the element. */
static void
clear_gate (GstIvsInput *self)
{
  g_autoptr (GstPad) sink =
      gst_element_get_static_pad (GST_ELEMENT (self->gate), "sink");
  g_autoptr (GstPad) peer = gst_pad_get_peer (sink);

  if (peer != NULL)
    gst_pad_unlink (peer, sink);
}

/* Puts @chain (floating) between the pad and the gate. */
static gboolean
plug_chain (GstIvsInput *self, GstElement *chain)
{
  g_autofree gchar *name =
      g_strdup_printf ("%s-chain", GST_PAD_NAME (self->pad));
  g_autoptr (GstPad) target = NULL;

  self->chain = gst_object_ref_sink (chain);
  gst_object_set_name (GST_OBJECT (chain), name);
  if (!gst_bin_add (self->bin, self->chain) ||
      !gst_element_link_pads (self->chain, "src", GST_ELEMENT (self->gate),
          "sink"))
    return FALSE;

  target = gst_element_get_static_pad (self->chain, "sink");
  return gst_element_sync_state_with_parent (self->chain) &&
      gst_ghost_pad_set_target (GST_GHOST_PAD (self->pad), target);
}

static gboolean
plug_gate (GstIvsInput *self)
{
  g_autoptr (GstPad) target =
      gst_element_get_static_pad (GST_ELEMENT (self->gate), "sink");

  return gst_ghost_pad_set_target (GST_GHOST_PAD (self->pad), target);
}

static gboolean
plug (GstIvsInput *self, const GstCaps *caps, GError **error)
{
  GstElement *chain = NULL;

  if (!gst_ivs_encoding_is_rtp (caps)) {
    chain = make_chain (self, caps, error);
    if (chain == NULL)
      return FALSE;
  }

  clear_gate (self);
  if (chain != NULL ? plug_chain (self, chain) : plug_gate (self)) {
    self->caps = gst_caps_copy (caps);
    return TRUE;
  }
  g_set_error (error, IVS_ERROR, IVS_FAILURE_INPUT,
      "The elements for pad %s cannot be put together",
      GST_PAD_NAME (self->pad));
  unplug (self);
  return FALSE;
}

/* -- What comes in ------------------------------------------------------------------ */

/* RFC 7587, 7: Opus over RTP always says two channels; sprop-stereo tells. */
static guint
count_channels (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *stereo = gst_structure_get_string (s, "sprop-stereo");
  gint channels = 0;

  if (gst_structure_get_int (s, "channels", &channels) && channels > 0)
    return MIN ((guint) channels, 2);
  return stereo == NULL ? 0 : g_str_equal (stereo, "1") ? 2 : 1;
}

static gboolean
learn_kind (GstIvsInput *self, const GstCaps *caps, GError **error)
{
  g_autofree gchar *text = NULL;
  GstIvsKind kind;
  gboolean known = gst_ivs_encoding_kind_of_caps (caps, &kind);

  if (known && (!self->has_kind || self->kind == kind)) {
    g_mutex_lock (&self->lock);
    self->has_kind = TRUE;
    self->kind = kind;
    self->channels = kind == GST_IVS_AUDIO ? count_channels (caps) : 0;
    g_mutex_unlock (&self->lock);
    return TRUE;
  }

  text = gst_caps_to_string (caps);
  if (known)
    g_set_error (error, IVS_ERROR, IVS_FAILURE_INPUT,
        "Pad %s cannot change between audio and video: %s",
        GST_PAD_NAME (self->pad), text);
  else
    g_set_error (error, IVS_ERROR, IVS_FAILURE_INPUT,
        "A stage takes H.264 and Opus; pad %s got %s: decode it",
        GST_PAD_NAME (self->pad), text);
  return FALSE;
}

/* The chain of other caps goes; a thread that waits at the gate comes back. */
static void
unplug_running (GstIvsInput *self)
{
  if (self->gate != NULL)
    gst_ivs_gate_set_unplugging (self->gate, TRUE);
  unplug (self);
  if (self->gate != NULL)
    gst_ivs_gate_set_unplugging (self->gate, FALSE);
}

/* FALSE if the kind is taken, of which the owner knows, or with @error. */
static gboolean
plug_anew (GstIvsInput *self, const GstCaps *caps, GError **error)
{
  if (self->caps != NULL)
    unplug_running (self);
  self->stale = FALSE;
  return enter_gate (self, self->kind) && plug (self, caps, error);
}

/* The event itself goes on, or stays on the pad, in pass_event(). */
static void
caps_arrived (GstIvsInput *self, GstEvent *event)
{
  g_autoptr (GError) error = NULL;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  if (!learn_kind (self, caps, &error)) {
    give_up (self, error);
    return;
  }
  if (self->caps != NULL && !self->stale &&
      gst_ivs_encoding_chain_serves (self->caps, caps))
    return;

  if (!plug_anew (self, caps, &error)) {
    give_up (self, error);
    return;
  }

  g_mutex_lock (&self->lock);
  self->ready = TRUE;
  g_mutex_unlock (&self->lock);
  self->events.ready (self, self->data);
}

/* @is_other: another upstream, perhaps one that can be published; else the same from
 * another place on. After an end it goes on. */
static void
begin_stream (GstIvsInput *self, gboolean is_other)
{
  gboolean goes_on = FALSE;

  g_mutex_lock (&self->lock);
  goes_on = self->eos && self->ready;
  self->eos = FALSE;
  if (is_other)
    self->useless = FALSE;
  g_mutex_unlock (&self->lock);
  if (goes_on)
    self->events.ready (self, self->data);
}

static GstPadProbeReturn
event_arrived (GstIvsInput *self, GstEvent *event, gboolean useless)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_FLUSH_STOP:
      begin_stream (self, GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START);
      return GST_PAD_PROBE_OK;
    case GST_EVENT_CAPS:
      if (!useless)
        caps_arrived (self, event);
      return GST_PAD_PROBE_OK;
    case GST_EVENT_EOS:
      /* With a chain it first has to drain; then the gate tells. */
      if (self->caps != NULL)
        return GST_PAD_PROBE_OK;
      report_eos (self);
      return GST_PAD_PROBE_DROP;
    default:
      return GST_PAD_PROBE_OK;
  }
}

static GstPadProbeReturn
data_arrived (GstIvsInput *self, gboolean useless)
{
  g_autoptr (GError) error = NULL;

  if (useless)
    return GST_PAD_PROBE_DROP;
  if (self->caps != NULL)
    return GST_PAD_PROBE_OK;

  error = g_error_new (IVS_ERROR, IVS_FAILURE_INPUT,
      "Pad %s got data without caps: put a parser or capsfilter before it",
      GST_PAD_NAME (self->pad));
  give_up (self, error);
  return GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
something_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsInput *self = data;
  gboolean released, useless;

  g_mutex_lock (&self->lock);
  released = self->released;
  useless = self->useless;
  g_mutex_unlock (&self->lock);

  if (released)
    return GST_PAD_PROBE_DROP;
  if (GST_PAD_PROBE_INFO_TYPE (info) &
      (GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH))
    return event_arrived (self, GST_PAD_PROBE_INFO_EVENT (info), useless);
  return data_arrived (self, useless);
}

/* An overlay (timeoverlay, textoverlay) may leave its text beside the picture for
 * a renderer at the end. Here an encoder would lose it, and the overlay, which
 * then takes its offer back, would make it again to each new chain: for ever. */
static gboolean
has_no_loose_overlay (GstCapsFeatures *features, GstStructure *structure,
    gpointer data)
{
  return features == NULL || gst_caps_features_is_any (features) ||
      !gst_caps_features_contains (features,
          GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
}

/* After the probe. As long as nothing is plugged, a segment stays on the pad, which
 * wants one before data, and is kept from the inner pad, which wants caps first. */
static gboolean
pass_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstIvsInput *self = gst_pad_get_element_private (pad);
  gboolean stays = GST_EVENT_IS_SERIALIZED (event) &&
      GST_EVENT_TYPE (event) != GST_EVENT_STREAM_START &&
      GST_EVENT_TYPE (event) != GST_EVENT_FLUSH_STOP;

  if (stays && (self->caps == NULL || read_locked (self, &self->useless))) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* Caps are those of the template, whatever is plugged now: the chain is replaced
 * if others come. */
static GstCaps *
answer_caps (GstPad *pad, GstCaps *asked)
{
  g_autoptr (GstCaps) caps = gst_pad_get_pad_template_caps (pad);
  GstCaps *result = asked != NULL
      ? gst_caps_intersect_full (caps, asked, GST_CAPS_INTERSECT_FIRST)
      : gst_caps_copy (caps);

  result = gst_caps_make_writable (result);
  gst_caps_filter_and_map_in_place (result, has_no_loose_overlay, NULL);
  return result;
}

static gboolean
query_arrived (GstPad *pad, GstObject *parent, GstQuery *query)
{
  g_autoptr (GstCaps) result = NULL;
  GstCaps *asked;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &asked);
      result = answer_caps (pad, asked);
      gst_query_set_caps_result (query, result);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      gst_query_parse_accept_caps (query, &asked);
      result = answer_caps (pad, asked);
      gst_query_set_accept_caps_result (query, !gst_caps_is_empty (result));
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* audio_%u and video_%u tell, sink_%u does not. */
static void
learn_kind_of_template (GstIvsInput *self, GstPadTemplate *templ)
{
  const gchar *name = GST_PAD_TEMPLATE_NAME_TEMPLATE (templ);

  if (g_str_has_prefix (name, "audio"))
    self->kind = GST_IVS_AUDIO;
  else if (g_str_has_prefix (name, "video"))
    self->kind = GST_IVS_VIDEO;
  else
    return;
  self->has_fixed_kind = TRUE;
  self->has_kind = TRUE;
}

/* -- For the owner -------------------------------------------------------------------- */

GstIvsInput *
gst_ivs_input_new (GstBin *bin, GstPadTemplate *templ, const gchar *pad_name,
    const GstIvsInputEvents *events, gpointer data)
{
  GstIvsInput *self = g_new0 (GstIvsInput, 1);

  self->references = 1;
  self->bin = bin;
  self->events = *events;
  self->data = data;
  g_mutex_init (&self->lock);

  self->pad = gst_object_ref_sink (
      gst_ghost_pad_new_no_target_from_template (pad_name, templ));
  gst_pad_set_element_private (self->pad, self);
  gst_pad_set_event_function (self->pad, pass_event);
  gst_pad_set_query_function (self->pad, query_arrived);
  gst_pad_add_probe (self->pad,
      GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH |
          GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      something_arrived, input_ref (self), input_unref);

  learn_kind_of_template (self, templ);
  gst_pad_set_active (self->pad, TRUE);
  return self;
}

GstPad *
gst_ivs_input_get_pad (GstIvsInput *self)
{
  return self->pad;
}

gboolean
gst_ivs_input_get_kind (GstIvsInput *self, GstIvsKind *kind)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = self->has_kind;
  if (known)
    *kind = self->kind;
  g_mutex_unlock (&self->lock);
  return known;
}

gboolean
gst_ivs_input_is_ready (GstIvsInput *self)
{
  return read_locked (self, &self->ready);
}

gboolean
gst_ivs_input_is_eos (GstIvsInput *self)
{
  return read_locked (self, &self->eos);
}

guint
gst_ivs_input_get_channels (GstIvsInput *self)
{
  guint channels;

  g_mutex_lock (&self->lock);
  channels = self->channels;
  g_mutex_unlock (&self->lock);
  return channels;
}

void
gst_ivs_input_reset (GstIvsInput *self)
{
  leave_gate (self);
  self->stale = TRUE;

  g_mutex_lock (&self->lock);
  self->has_kind = self->has_fixed_kind;
  self->ready = FALSE;
  self->eos = FALSE;
  self->useless = FALSE;
  self->channels = 0;
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_input_release (GstIvsInput *self)
{
  g_autoptr (GstIvsGate) gate = NULL;

  /* From here on nothing new gets past the probe ... */
  g_mutex_lock (&self->lock);
  self->released = TRUE;
  if (self->gate != NULL)
    gate = g_object_ref (self->gate);
  g_mutex_unlock (&self->lock);

  /* ... what waits at the gate comes back, and with the stream lock in hand
   * nobody is between the two. */
  if (gate != NULL)
    gst_ivs_gate_set_unplugging (gate, TRUE);
  GST_PAD_STREAM_LOCK (self->pad);
  unplug (self);
  leave_gate (self);
  GST_PAD_STREAM_UNLOCK (self->pad);
  if (gate != NULL)
    gst_ivs_gate_set_unplugging (gate, FALSE);

  /* The pad stays active and its probe stays on it: a thread that has waited for the
   * stream lock finds its data dropped. To a tee upstream that is no error, nor is a
   * pad that is not linked; a flushing one would be. */
  gst_element_remove_pad (GST_ELEMENT (self->bin), self->pad);
}

void
gst_ivs_input_free (GstIvsInput *self)
{
  leave_gate (self);
  gst_clear_caps (&self->caps);
  g_clear_object (&self->chain);

  g_mutex_lock (&self->lock);
  self->released = TRUE;
  g_mutex_unlock (&self->lock);
  g_clear_object (&self->pad);
  input_unref (self);
}
