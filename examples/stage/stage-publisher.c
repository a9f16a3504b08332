/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One session of somebody who publishes: receives, counts, passes on.
 */
#include "stage-publisher.h"
#include "stage-json.h"

#include <gst/app/app.h>
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>
#include <math.h>

/* Viewers of the service see a frozen picture for 10 to 30 s when a publisher
 * vanishes without a DELETE. */
#define SILENCE_LIMIT (15 * G_USEC_PER_SEC)
#define MAX_JITTERBUFFERS 8

typedef struct
{
  StagePublisher *publisher;
  StageMedia media;
} Track;

typedef struct
{
  guint ssrc;
  GstElement *element;
} JitterBuffer;

struct _StagePublisher
{
  gchar *id;
  StagePublisherEvents events;
  gpointer data;
  StagePeer *peer;
  StageSessionState state;
  gint64 began;        /* monotonic, when the POST came */
  gint64 connected_at; /* monotonic, or 0 */
  gint64 ended_at;
  gboolean impostor;
  gint packets_arrived; /* atomic: SRTP that could be decrypted */

  StageMeter *meters[STAGE_N_MEDIA];

  GMutex lock; /* everything below */
  gint64 active_at;
  StageArrivals arrivals;
  GstPad *video_pad;
  JitterBuffer buffers[MAX_JITTERBUFFERS];
  guint n_buffers;
};

const gchar *
stage_session_state_name (StageSessionState state)
{
  static const gchar *const names[] = { "answering", "connecting", "connected",
    "deleted", "replaced", "lost", "killed", "failed" };

  return names[state];
}

/* -- Streaming threads --------------------------------------------------------- */

static void
note_activity (StagePublisher *publisher, GstBuffer *packet)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&publisher->lock);

  publisher->active_at = g_get_monotonic_time ();
  if (packet != NULL)
    stage_arrivals_count (&publisher->arrivals, packet);
}

static GstFlowReturn
sample_came (GstAppSink *sink, gpointer data)
{
  Track *track = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  GstBuffer *packet = sample != NULL ? gst_sample_get_buffer (sample) : NULL;

  if (packet == NULL)
    return GST_FLOW_EOS;
  stage_meter_count_packet (track->publisher->meters[track->media], packet);
  track->publisher->events.packet (track->media, packet,
      track->publisher->data);
  return GST_FLOW_OK;
}

static GstElement *
make_sink (StagePublisher *publisher, StageMedia media)
{
  GstElement *sink = gst_element_factory_make ("appsink", NULL);
  GstAppSinkCallbacks callbacks = { .new_sample = sample_came };
  Track *track = g_new0 (Track, 1);

  track->publisher = publisher;
  track->media = media;
  g_object_set (sink, "sync", FALSE, "async", FALSE, "max-buffers", 500, "drop",
      TRUE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, track, g_free);
  return sink;
}

static void
pad_added (GstPad *pad, gpointer data)
{
  StagePublisher *publisher = data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstPad) sink_pad = NULL;
  GstElement *sink;
  const gchar *kind = NULL;
  StageMedia media;

  if (caps != NULL)
    kind = gst_structure_get_string (gst_caps_get_structure (caps, 0), "media");
  media =
      g_strcmp0 (kind, "video") == 0 ? STAGE_MEDIA_VIDEO : STAGE_MEDIA_AUDIO;
  sink = make_sink (publisher, media);
  gst_bin_add (stage_peer_get_pipeline (publisher->peer), sink);
  gst_element_sync_state_with_parent (sink);
  sink_pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_link (pad, sink_pad);
  if (media == STAGE_MEDIA_VIDEO) {
    g_mutex_lock (&publisher->lock);
    gst_object_replace ((GstObject **) &publisher->video_pad, GST_OBJECT (pad));
    g_mutex_unlock (&publisher->lock);
  }
}

static void
jitterbuffer_added (GstElement *element, guint ssrc, gpointer data)
{
  StagePublisher *publisher = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&publisher->lock);
  JitterBuffer *buffer;

  if (publisher->n_buffers == MAX_JITTERBUFFERS)
    return;
  buffer = &publisher->buffers[publisher->n_buffers++];
  buffer->ssrc = ssrc;
  buffer->element = gst_object_ref (element);
}

static void
rtp_received (GstBuffer *packet, gpointer data)
{
  StagePublisher *publisher = data;

  g_atomic_int_inc (&publisher->packets_arrived);
  note_activity (publisher, packet);
  publisher->events.arrived (packet, publisher->data);
}

static void
read_sender_report (StagePublisher *publisher, GstRTCPPacket *packet)
{
  guint32 ssrc, rtp;
  guint64 ntp;

  gst_rtcp_packet_sr_get_sender_info (packet, &ssrc, &ntp, &rtp, NULL, NULL);
  for (guint i = 0; i < STAGE_N_MEDIA; i++) {
    StageMeterSummary summary = stage_meter_summarise (publisher->meters[i]);

    if (summary.packets > 0 && summary.ssrc == ssrc)
      stage_meter_count_report (publisher->meters[i], ntp, rtp);
  }
}

static void
rtcp_received (GstBuffer *buffer, gpointer data)
{
  StagePublisher *publisher = data;
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  gboolean more;

  note_activity (publisher, NULL);
  if (!gst_rtcp_buffer_validate_reduced (buffer) ||
      !gst_rtcp_buffer_map (buffer, GST_MAP_READ, &rtcp))
    return;
  for (more = gst_rtcp_buffer_get_first_packet (&rtcp, &packet); more;
       more = gst_rtcp_packet_move_to_next (&packet))
    if (gst_rtcp_packet_get_type (&packet) == GST_RTCP_TYPE_SR)
      read_sender_report (publisher, &packet);
  gst_rtcp_buffer_unmap (&rtcp);
}

/* -- Main context ---------------------------------------------------------------- */

static void
answered (const gchar *sdp, const GError *error, gpointer data)
{
  StagePublisher *publisher = data;

  if (publisher->state == STAGE_SESSION_ANSWERING && error == NULL)
    publisher->state = STAGE_SESSION_CONNECTING;
  publisher->events.answered (publisher, sdp, error, publisher->data);
}

static void
state_changed (GstWebRTCPeerConnectionState state, gpointer data)
{
  StagePublisher *publisher = data;

  if (!stage_publisher_is_live (publisher))
    return;
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
    if (publisher->connected_at == 0)
      publisher->connected_at = g_get_monotonic_time ();
    publisher->state = STAGE_SESSION_CONNECTED;
    publisher->events.changed (publisher, publisher->data);
  } else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
      state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED) {
    stage_publisher_end (publisher, STAGE_SESSION_LOST);
  }
}

static const StagePeerEvents peer_events = {
  .answered = answered,
  .state_changed = state_changed,
  .pad_added = pad_added,
  .jitterbuffer_added = jitterbuffer_added,
  .rtp_received = rtp_received,
  .rtcp_received = rtcp_received,
};

StagePublisher *
stage_publisher_new (const gchar *address, const StageOffer *offer,
    const StagePublisherEvents *events, gpointer data, GError **error)
{
  g_autoptr (StagePublisher) publisher = g_new0 (StagePublisher, 1);

  g_mutex_init (&publisher->lock);
  publisher->id = g_uuid_string_random ();
  publisher->events = *events;
  publisher->data = data;
  publisher->began = publisher->active_at = g_get_monotonic_time ();
  for (guint i = 0; i < STAGE_N_MEDIA; i++)
    publisher->meters[i] = stage_meter_new ((StageMedia) i);
  publisher->peer = stage_peer_new (address, &peer_events, publisher, error);
  if (publisher->peer == NULL)
    return NULL;
  stage_peer_answer (publisher->peer, offer->text);
  return g_steal_pointer (&publisher);
}

static void
read_loss (StagePublisher *publisher, JitterBuffer *buffer)
{
  g_autoptr (GstStructure) stats = NULL;
  StageMeterLoss loss = { 0 };

  g_object_get (buffer->element, "stats", &stats, NULL);
  gst_structure_get (stats, "num-lost", G_TYPE_UINT64, &loss.lost, "num-late",
      G_TYPE_UINT64, &loss.late, "num-duplicates", G_TYPE_UINT64,
      &loss.duplicates, "rtx-success-count", G_TYPE_UINT64, &loss.retransmitted,
      NULL);
  for (guint i = 0; i < STAGE_N_MEDIA; i++)
    if (stage_meter_summarise (publisher->meters[i]).ssrc == buffer->ssrc)
      stage_meter_set_loss (publisher->meters[i], &loss);
}

static void
read_losses (StagePublisher *publisher)
{
  JitterBuffer buffers[MAX_JITTERBUFFERS];
  guint n_buffers;

  g_mutex_lock (&publisher->lock);
  n_buffers = publisher->n_buffers;
  for (guint i = 0; i < n_buffers; i++)
    buffers[i] = publisher->buffers[i];
  g_mutex_unlock (&publisher->lock);
  for (guint i = 0; i < n_buffers; i++)
    read_loss (publisher, &buffers[i]);
}

static void
drop_pads (StagePublisher *publisher)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&publisher->lock);

  gst_clear_object (&publisher->video_pad);
  while (publisher->n_buffers > 0)
    gst_object_unref (publisher->buffers[--publisher->n_buffers].element);
}

void
stage_publisher_end (StagePublisher *publisher, StageSessionState reason)
{
  if (!stage_publisher_is_live (publisher))
    return;
  publisher->state = reason;
  publisher->ended_at = g_get_monotonic_time ();
  read_losses (publisher);
  stage_peer_close (publisher->peer);
  drop_pads (publisher);
  publisher->events.changed (publisher, publisher->data);
}

void
stage_publisher_free (StagePublisher *publisher)
{
  if (publisher->peer != NULL) {
    stage_peer_close (publisher->peer);
    stage_peer_unref (publisher->peer);
  }
  drop_pads (publisher);
  for (guint i = 0; i < STAGE_N_MEDIA; i++)
    stage_meter_free (publisher->meters[i]);
  g_mutex_clear (&publisher->lock);
  g_free (publisher->id);
  g_free (publisher);
}

void
stage_publisher_tick (StagePublisher *publisher)
{
  gint64 active_at;

  if (!stage_publisher_is_live (publisher))
    return;
  for (guint i = 0; i < STAGE_N_MEDIA; i++)
    stage_meter_tick (publisher->meters[i]);
  g_mutex_lock (&publisher->lock);
  active_at = publisher->active_at;
  g_mutex_unlock (&publisher->lock);
  if (g_get_monotonic_time () - active_at > SILENCE_LIMIT)
    stage_publisher_end (publisher, STAGE_SESSION_LOST);
}

void
stage_publisher_request_key_unit (StagePublisher *publisher)
{
  g_autoptr (GstPad) pad = NULL;

  g_mutex_lock (&publisher->lock);
  if (publisher->video_pad != NULL)
    pad = gst_object_ref (publisher->video_pad);
  g_mutex_unlock (&publisher->lock);
  if (pad != NULL)
    gst_pad_send_event (pad,
        gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, FALSE,
            0));
}

const gchar *
stage_publisher_get_id (StagePublisher *publisher)
{
  return publisher->id;
}

StageSessionState
stage_publisher_get_state (StagePublisher *publisher)
{
  return publisher->state;
}

gboolean
stage_publisher_is_live (StagePublisher *publisher)
{
  return publisher->state <= STAGE_SESSION_CONNECTED;
}

StagePeer *
stage_publisher_get_peer (StagePublisher *publisher)
{
  return publisher->peer;
}

StageMeterSummary
stage_publisher_summarise (StagePublisher *publisher, StageMedia media)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&publisher->lock);
  StageMeterSummary summary = stage_meter_summarise (publisher->meters[media]);
  const StageArrival *arrival =
      stage_arrivals_find (&publisher->arrivals, summary.ssrc);

  if (arrival != NULL)
    summary.lost = arrival->expected - arrival->arrived;
  return summary;
}

void
stage_publisher_set_impostor (StagePublisher *publisher)
{
  publisher->impostor = TRUE;
}

/* -- JSON -------------------------------------------------------------------------- */

static void
write_milliseconds (JsonBuilder *builder, const gchar *name, gint64 from,
    gint64 to)
{
  json_builder_set_member_name (builder, name);
  if (to > 0)
    json_builder_add_double_value (builder, (gdouble) (to - from) / 1000.);
  else
    json_builder_add_null_value (builder);
}

/* Positive: the picture comes later than the sound that was captured with it. */
static void
write_av_offset (StagePublisher *publisher, JsonBuilder *builder)
{
  gdouble offset =
      stage_publisher_summarise (publisher, STAGE_MEDIA_VIDEO).latency_ms -
      stage_publisher_summarise (publisher, STAGE_MEDIA_AUDIO).latency_ms;

  json_builder_set_member_name (builder, "av_offset_ms");
  if (isfinite (offset))
    json_builder_add_double_value (builder, offset);
  else
    json_builder_add_null_value (builder);
}

static void
write_stream (StagePublisher *publisher, JsonBuilder *builder, StageMedia media)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&publisher->lock);
  StageMeterSummary summary = stage_meter_summarise (publisher->meters[media]);

  if (summary.packets > 0)
    stage_meter_write (publisher->meters[media], builder,
        stage_arrivals_find (&publisher->arrivals, summary.ssrc),
        publisher->began);
  else
    json_builder_add_null_value (builder);
}

void
stage_publisher_write (StagePublisher *publisher, JsonBuilder *builder)
{
  gint arrived = g_atomic_int_get (&publisher->packets_arrived);
  gint64 end =
      publisher->ended_at > 0 ? publisher->ended_at : g_get_monotonic_time ();

  if (stage_publisher_is_live (publisher))
    read_losses (publisher);
  json_builder_begin_object (builder);
  stage_json_add_string (builder, "id", publisher->id);
  stage_json_add_string (builder, "state",
      stage_session_state_name (publisher->state));
  write_milliseconds (builder, "connected_ms", publisher->began,
      publisher->connected_at);
  write_milliseconds (builder, "age_ms", publisher->began, end);
  stage_json_add_int (builder, "packets_arrived", arrived);
  stage_json_add_int (builder, "impostor_packets",
      publisher->impostor ? arrived : 0);
  for (guint i = 0; i < STAGE_N_MEDIA; i++) {
    json_builder_set_member_name (builder, stage_media_name ((StageMedia) i));
    write_stream (publisher, builder, (StageMedia) i);
  }
  write_av_offset (publisher, builder);
  json_builder_end_object (builder);
}
