/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Decodes what a peer of the element has received and forwards to 127.0.0.1 as plain
 * RTP, with the payload types of the offer.
 */
#include "receiver.h"

#include "no-error-posted.h"
#include "publish-fixture.h"

/* Packets of sound, pictures. */
#define ENOUGH_AUDIO 150
#define ENOUGH_VIDEO 60

#define PIPELINE \
  "udpsrc name=audio-in address=127.0.0.1 port=0 caps=\"application/x-rtp," \
  "media=audio,encoding-name=OPUS,clock-rate=48000,payload=96\" ! " \
  "rtpopusdepay ! opusdec ! fakesink name=audio signal-handoffs=true " \
  "udpsrc name=video-in address=127.0.0.1 port=0 caps=\"application/x-rtp," \
  "media=video,encoding-name=H264,clock-rate=90000,payload=97\" ! " \
  "rtph264depay ! h264parse ! openh264dec ! video/x-raw,width=640,height=360 ! " \
  "fakesink name=video signal-handoffs=true"

struct _Receiver
{
  GstElement *pipeline;
  gint n_audio, n_video; /* atomic */
};

static void
decoded (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

static void
count (Receiver *self, const gchar *name, gint *n)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (self->pipeline), name);

  g_object_set (sink, "async", FALSE, "sync", FALSE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (decoded), n);
}

static guint
get_port (Receiver *self, const gchar *name)
{
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (self->pipeline), name);
  gint port = 0;

  g_object_get (source, "port", &port, NULL);
  g_assert_cmpint (port, >, 0);
  return (guint) port;
}

Receiver *
receiver_start (void)
{
  Receiver *self = g_new0 (Receiver, 1);
  g_autoptr (GError) error = NULL;

  self->pipeline = gst_parse_launch (PIPELINE, &error);
  g_assert_no_error (error);
  count (self, "audio", &self->n_audio);
  count (self, "video", &self->n_video);
  g_assert_cmpint (gst_element_set_state (self->pipeline, GST_STATE_PLAYING),
      !=, GST_STATE_CHANGE_FAILURE);
  return self;
}

void
receiver_stop (Receiver *self)
{
  assert_no_error_posted (self->pipeline);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_object_unref (self->pipeline);
  g_free (self);
}

guint
receiver_get_audio_port (Receiver *self)
{
  return get_port (self, "audio-in");
}

guint
receiver_get_video_port (Receiver *self)
{
  return get_port (self, "video-in");
}

static gboolean
has_enough (gpointer data)
{
  Receiver *self = data;

  return g_atomic_int_get (&self->n_audio) >= ENOUGH_AUDIO &&
      g_atomic_int_get (&self->n_video) >= ENOUGH_VIDEO;
}

void
receiver_wait (Receiver *self, guint seconds)
{
  if (!publish_wait (has_enough, self, seconds * 1000))
    g_error ("Only %d pieces of sound and %d pictures came",
        g_atomic_int_get (&self->n_audio), g_atomic_int_get (&self->n_video));
}
