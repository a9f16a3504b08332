/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a local stage kept of a participant (its option --record), decoded.
 */
#include "recording.h"

#include <glib/gstdio.h>
#include <gst/app/app.h>
#include <gst/rtp/rtp.h>

#include "no-error-posted.h"

#define PULL_TIMEOUT (20 * GST_SECOND)

void
recording_clear (Recording *recording)
{
  g_clear_pointer (&recording->packets, g_ptr_array_unref);
}

/* Once: a stage that is busy asks for packets again which are on their way. */
static gboolean
is_known (const Recording *recording, guint16 seq)
{
  return recording->packets->len > 0 && (gint16) (seq - recording->last) <= 0;
}

/* Packets of other sources are left out. */
static void
add_packet (Recording *recording, const gchar *data, gsize size, guint32 ssrc,
    guint rate)
{
  g_autoptr (GstBuffer) packet = gst_buffer_new_memdup (data, size);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint32 timestamp;
  gboolean is_wanted;

  g_assert_true (gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp));
  timestamp = gst_rtp_buffer_get_timestamp (&rtp);
  is_wanted = gst_rtp_buffer_get_ssrc (&rtp) == ssrc &&
      !is_known (recording, gst_rtp_buffer_get_seq (&rtp));
  if (is_wanted)
    recording->last = gst_rtp_buffer_get_seq (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  if (!is_wanted)
    return;
  if (recording->packets->len == 0)
    recording->first = timestamp;
  GST_BUFFER_PTS (packet) =
      gst_util_uint64_scale (timestamp - recording->first, GST_SECOND, rate);
  g_ptr_array_add (recording->packets, g_steal_pointer (&packet));
}

static guint32
get_ssrc (PublishFixture *publish, const gchar *media)
{
  g_autofree gchar *path = g_strdup_printf ("session.%s.ssrc", media);
  g_autoptr (JsonNode) state = publish_fixture_look (publish);

  return (guint32) publish_fixture_number (publish, state, path);
}

/* RFC 4571: length, packet, length, packet, ... */
void
recording_read (Recording *recording, PublishFixture *publish,
    const gchar *folder, const gchar *media, guint rate)
{
  g_autofree gchar *path = g_strdup_printf ("%s/%s.rtp", folder,
      publish_fixture_get_participant (publish));
  guint32 ssrc = get_ssrc (publish, media);
  g_autofree gchar *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0, at = 0;

  recording->packets =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  while (at + 2 <= size) {
    gsize length = GST_READ_UINT16_BE (data + at);

    g_assert_cmpuint (at + 2 + length, <=, size);
    add_packet (recording, data + at + 2, length, ssrc, rate);
    at += 2 + length;
  }
  g_assert_cmpuint (recording->packets->len, >, 0);
}

GPtrArray *
recording_decode (const GPtrArray *buffers, const gchar *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstElement) in = NULL, out = NULL;
  GPtrArray *samples =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_sample_unref);
  GstSample *sample;

  g_assert_no_error (error);
  in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < buffers->len; i++)
    gst_app_src_push_buffer (GST_APP_SRC (in),
        gst_buffer_ref (buffers->pdata[i]));
  gst_app_src_end_of_stream (GST_APP_SRC (in));
  while ((sample = gst_app_sink_try_pull_sample (GST_APP_SINK (out),
              PULL_TIMEOUT)) != NULL)
    g_ptr_array_add (samples, sample);
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (out)));
  assert_no_error_posted (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return samples;
}

#define RTP_IN "appsrc name=in format=time max-bytes=0 caps=application/x-rtp,"
#define OUT " ! appsink name=out sync=false"

GPtrArray *
recording_decode_video (const Recording *recording)
{
  return recording_decode (recording->packets,
      RTP_IN "media=video,payload=97,clock-rate=90000,encoding-name=H264 "
             "! rtph264depay ! h264parse ! openh264dec ! videoconvertscale "
             "! video/x-raw,format=I420" OUT);
}

GPtrArray *
recording_decode_audio (const Recording *recording)
{
  return recording_decode (recording->packets,
      RTP_IN "media=audio,payload=96,clock-rate=48000,encoding-name=OPUS "
             "! rtpopusdepay ! opusdec ! audioconvert "
             "! audio/x-raw,format=S16LE,rate=48000,channels=1" OUT);
}

void
recording_remove (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
}
