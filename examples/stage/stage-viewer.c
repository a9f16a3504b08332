/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One session of somebody who watches: a publisher's packets, not re-encoded.
 *
 * A viewer outlives the sessions of the one he watches: his SSRC, sequence and
 * time run on when a publisher connects again.
 */
#include "stage-viewer.h"

#include <gst/app/app.h>
#include <gst/rtp/rtp.h>
#include <gst/video/video.h>
#include <string.h>

typedef struct
{
  GstElement *source; /* NULL: not wanted */
  guint8 payload;
  guint32 ssrc;
  guint32 clock_rate;

  /* below the viewer's lock */
  gboolean started;
  guint32 from_ssrc; /* whose packets the offsets belong to */
  guint16 seq_offset, last_seq;
  guint32 time_offset, last_time;
  gint64 last_at;
} Track;

struct _StageViewer
{
  gchar *id;
  StageViewerEvents events;
  gpointer data;
  StagePeer *peer;
  gchar *fmtp;
  gboolean ended; /* main context only */

  GMutex lock; /* tracks, packets, connected */
  Track tracks[STAGE_N_MEDIA];
  guint64 packets;
  gboolean connected;
};

/* -- Packets -------------------------------------------------------------------- */

/* The next packet follows the last one, whoever sent that. */
static void
continue_from (Track *track, GstRTPBuffer *in)
{
  guint16 seq = gst_rtp_buffer_get_seq (in);
  guint32 time = gst_rtp_buffer_get_timestamp (in);
  gint64 now = g_get_monotonic_time ();

  if (track->started) {
    gint64 pause = (now - track->last_at) * track->clock_rate / G_USEC_PER_SEC;

    track->seq_offset = (guint16) (track->last_seq + 1 - seq);
    track->time_offset = track->last_time + (guint32) MAX (pause, 1) - time;
  } else {
    track->seq_offset = (guint16) (g_random_int () - seq);
    track->time_offset = 0;
  }
  track->from_ssrc = gst_rtp_buffer_get_ssrc (in);
  track->started = TRUE;
}

/* A new packet and not a copy: header extensions and padding stay behind, they
 * were agreed upon with the publisher, not with this viewer. */
static GstBuffer *
rewrite (Track *track, GstRTPBuffer *in)
{
  guint length = gst_rtp_buffer_get_payload_len (in);
  GstBuffer *packet = gst_rtp_buffer_new_allocate (length, 0, 0);
  GstRTPBuffer out = GST_RTP_BUFFER_INIT;

  if (!track->started || track->from_ssrc != gst_rtp_buffer_get_ssrc (in))
    continue_from (track, in);
  track->last_seq = (guint16) (gst_rtp_buffer_get_seq (in) + track->seq_offset);
  track->last_time = gst_rtp_buffer_get_timestamp (in) + track->time_offset;
  track->last_at = g_get_monotonic_time ();
  gst_rtp_buffer_map (packet, GST_MAP_WRITE, &out);
  gst_rtp_buffer_set_payload_type (&out, track->payload);
  gst_rtp_buffer_set_ssrc (&out, track->ssrc);
  gst_rtp_buffer_set_seq (&out, track->last_seq);
  gst_rtp_buffer_set_timestamp (&out, track->last_time);
  gst_rtp_buffer_set_marker (&out, gst_rtp_buffer_get_marker (in));
  if (length > 0)
    memcpy (gst_rtp_buffer_get_payload (&out), gst_rtp_buffer_get_payload (in),
        length);
  gst_rtp_buffer_unmap (&out);
  return packet;
}

void
stage_viewer_push (StageViewer *viewer, StageMedia media, GstBuffer *packet)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&viewer->lock);
  Track *track = &viewer->tracks[media];
  GstRTPBuffer in = GST_RTP_BUFFER_INIT;
  GstBuffer *copy;

  if (!viewer->connected || track->source == NULL ||
      !gst_rtp_buffer_map (packet, GST_MAP_READ, &in))
    return;
  copy = rewrite (track, &in);
  gst_rtp_buffer_unmap (&in);
  viewer->packets++;
  gst_app_src_push_buffer (GST_APP_SRC (track->source), copy);
}

static GstPadProbeReturn
event_came_up (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  StageViewer *viewer = data;

  if (gst_video_event_is_force_key_unit (GST_PAD_PROBE_INFO_EVENT (info)))
    viewer->events.key_unit_needed (viewer, viewer->data);
  return GST_PAD_PROBE_OK;
}

/* -- Session --------------------------------------------------------------------- */

static void
answered (const gchar *sdp, const GError *error, gpointer data)
{
  StageViewer *viewer = data;

  viewer->events.answered (viewer, sdp, error, viewer->data);
}

static void
set_connected (StageViewer *viewer, gboolean connected)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&viewer->lock);

  viewer->connected = connected;
}

static void
state_changed (GstWebRTCPeerConnectionState state, gpointer data)
{
  StageViewer *viewer = data;

  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED) {
    set_connected (viewer, TRUE);
    viewer->events.key_unit_needed (viewer, viewer->data);
  } else if (!viewer->ended &&
      (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
          state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED)) {
    viewer->ended = TRUE;
    viewer->events.ended (viewer, viewer->data);
  }
}

static const StagePeerEvents peer_events = {
  .answered = answered,
  .state_changed = state_changed,
};

/* No profile-level-id here: with one, webrtcbin 1.22 finds nothing in common
 * with an offer that says level-asymmetry-allowed. */
static GstCaps *
make_caps (Track *track, StageMedia media)
{
  gboolean is_video = media == STAGE_MEDIA_VIDEO;
  GstCaps *caps = gst_caps_new_simple ("application/x-rtp", "media",
      G_TYPE_STRING, stage_media_name (media), "encoding-name", G_TYPE_STRING,
      is_video ? "H264" : "OPUS", "clock-rate", G_TYPE_INT,
      (gint) track->clock_rate, "payload", G_TYPE_INT, track->payload, "ssrc",
      G_TYPE_UINT, track->ssrc, NULL);

  if (is_video)
    gst_caps_set_simple (caps, "packetization-mode", G_TYPE_STRING, "1", NULL);
  return caps;
}

/* The answer is made from what webrtcbin knows of its pads. From appsrc it hears later,
 * on a thread that has yet to start, and a section without a pad is not sent. */
static void
tell_caps (GstPad *sink_pad, GstCaps *caps)
{
  gst_pad_send_event (sink_pad, gst_event_new_stream_start ("viewer"));
  gst_pad_send_event (sink_pad, gst_event_new_caps (caps));
}

static void
add_track (StageViewer *viewer, StageMedia media, gint payload)
{
  Track *track = &viewer->tracks[media];
  GstElement *webrtc = stage_peer_get_webrtc (viewer->peer);
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstPad) source_pad = NULL;
  g_autoptr (GstPad) sink_pad = NULL;

  track->payload = (guint8) payload;
  track->ssrc = g_random_int ();
  track->clock_rate = media == STAGE_MEDIA_VIDEO ? 90000 : 48000;
  caps = make_caps (track, media);
  track->source = gst_element_factory_make ("appsrc", NULL);
  g_object_set (track->source, "caps", caps, "is-live", TRUE, "do-timestamp",
      TRUE, "format", GST_FORMAT_TIME, "max-bytes",
      G_GUINT64_CONSTANT (4000000), "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM,
      NULL);
  gst_bin_add (stage_peer_get_pipeline (viewer->peer), track->source);
  source_pad = gst_element_get_static_pad (track->source, "src");
  gst_pad_add_probe (source_pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      event_came_up, viewer, NULL);
  sink_pad = gst_element_request_pad_simple (webrtc, "sink_%u");
  tell_caps (sink_pad, caps);
  gst_pad_link (source_pad, sink_pad);
  gst_element_sync_state_with_parent (track->source);
}

StageViewer *
stage_viewer_new (const gchar *address, const StageOffer *offer,
    const StageViewerEvents *events, gpointer data, GError **error)
{
  g_autoptr (StageViewer) viewer = g_atomic_rc_box_new0 (StageViewer);

  g_mutex_init (&viewer->lock);
  viewer->id = g_uuid_string_random ();
  viewer->events = *events;
  viewer->data = data;
  viewer->peer = stage_peer_new (address, &peer_events, viewer, error);
  if (viewer->peer == NULL)
    return NULL;
  if (offer->opus_payload >= 0)
    add_track (viewer, STAGE_MEDIA_AUDIO, offer->opus_payload);
  if (offer->h264_payload >= 0)
    add_track (viewer, STAGE_MEDIA_VIDEO, offer->h264_payload);
  if (offer->h264_fmtp != NULL)
    viewer->fmtp =
        g_strdup_printf ("%d %s", offer->h264_payload, offer->h264_fmtp);
  stage_peer_answer (viewer->peer, offer->text);
  return g_steal_pointer (&viewer);
}

StageViewer *
stage_viewer_ref (StageViewer *viewer)
{
  return g_atomic_rc_box_acquire (viewer);
}

static void
clear_viewer (gpointer data)
{
  StageViewer *viewer = data;

  g_clear_pointer (&viewer->peer, stage_peer_unref);
  g_mutex_clear (&viewer->lock);
  g_free (viewer->fmtp);
  g_free (viewer->id);
}

void
stage_viewer_unref (StageViewer *viewer)
{
  g_atomic_rc_box_release_full (viewer, clear_viewer);
}

void
stage_viewer_close (StageViewer *viewer)
{
  viewer->ended = TRUE;
  set_connected (viewer, FALSE);
  stage_peer_close (viewer->peer);
}

const gchar *
stage_viewer_get_id (StageViewer *viewer)
{
  return viewer->id;
}

gboolean
stage_viewer_is_connected (StageViewer *viewer)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&viewer->lock);

  return viewer->connected;
}

guint64
stage_viewer_count_packets (StageViewer *viewer)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&viewer->lock);

  return viewer->packets;
}

const gchar *
stage_viewer_get_fmtp (StageViewer *viewer)
{
  return viewer->fmtp;
}
