/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The size and frame rate in which raw video is encoded.
 *
 * The size is what the capsfilter behind the scaler asks for. Fewer pictures are
 * made by leaving out all but every n-th before the scaler, whose caps then say so
 * too: encoders portion their bits by the frame rate of their caps. No videorate:
 * that holds each picture back until the next one comes.
 */
#include "gstivsshape.h"

#include <gst/video/video.h>
#include "ivs-limits.h"

struct _GstIvsShape
{
  GstElement *filter; /* constant */
  gint is_stepping;   /* atomic */

  GMutex lock;     /* protects: */
  GstCaps *source; /* as it comes in; NULL: nothing came yet */
  guint width, height, fps_n, fps_d; /* in full */
  guint step_width, step_height;     /* 0 = in full */
  gboolean is_stepped;               /* and was not asked for yet */
  guint divisor;                     /* every n-th picture */
  gint64 paused_us;                  /* none until then */

  /* Streaming thread only. */
  guint announced_divisor;
  guint n_left_out;
  gboolean is_announcing;
  gint64 pause_began_us;         /* 0 = there is none */
  GstClockTime pause_began_time; /* of its first picture */
};

GstIvsShape *
gst_ivs_shape_ref (GstIvsShape *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  GstIvsShape *self = data;

  gst_clear_caps (&self->source);
  gst_object_unref (self->filter);
  g_mutex_clear (&self->lock);
}

void
gst_ivs_shape_unref (GstIvsShape *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

/* With lock. */
static void
learn_source (GstIvsShape *self, GstCaps *caps, const GstVideoInfo *info)
{
  guint64 width = gst_util_uint64_scale_int ((guint64) info->width,
      MAX (info->par_n, 1), MAX (info->par_d, 1));

  width = CLAMP (width, 1, G_MAXUINT16);
  ivs_limits_fit_size ((guint) width, (guint) info->height, &self->width,
      &self->height);
  self->fps_n = (guint) MAX (info->fps_n, 0);
  self->fps_d = (guint) MAX (info->fps_d, 1);
  gst_caps_replace (&self->source, caps);
  self->step_width = self->step_height = 0;
  self->is_stepped = FALSE;
  self->divisor = 1;
}

/* With lock. */
static GstCaps *
make_size (GstIvsShape *self)
{
  gboolean is_full = self->step_width == 0;

  return gst_caps_new_simple ("video/x-raw", "width", G_TYPE_INT,
      (gint) (is_full ? self->width : self->step_width), "height", G_TYPE_INT,
      (gint) (is_full ? self->height : self->step_height), "pixel-aspect-ratio",
      GST_TYPE_FRACTION, 1, 1, NULL);
}

/* With lock. The caps that come in, with the frame rate that is left of it. */
static GstCaps *
make_slower (GstIvsShape *self)
{
  GstCaps *caps = gst_caps_copy (self->source);

  if (self->fps_n > 0 && self->fps_d <= G_MAXINT / self->divisor)
    gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION,
        (gint) self->fps_n, (gint) (self->fps_d * self->divisor), NULL);
  return caps;
}

/* New caps of upstream begin in full. */
static void
take_source (GstIvsShape *self, GstCaps *caps)
{
  g_autoptr (GstCaps) size = NULL;
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, caps))
    return;
  g_mutex_lock (&self->lock);
  learn_source (self, caps, &info);
  size = make_size (self);
  self->announced_divisor = 1;
  g_mutex_unlock (&self->lock);
  g_object_set (self->filter, "caps", size, NULL);
}

static GstPadProbeReturn
caps_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsShape *self = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS || self->is_announcing)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  take_source (self, caps);
  return GST_PAD_PROBE_OK;
}

static void
announce_rate (GstIvsShape *self, GstPad *pad)
{
  g_autoptr (GstCaps) caps = NULL;

  g_mutex_lock (&self->lock);
  if (self->announced_divisor != self->divisor)
    caps = make_slower (self);
  self->announced_divisor = self->divisor;
  g_mutex_unlock (&self->lock);
  if (caps == NULL)
    return;
  self->n_left_out = 0;
  self->is_announcing = TRUE;
  gst_pad_send_event (pad, gst_event_new_caps (caps));
  self->is_announcing = FALSE;
}

/* Between two pictures and on their thread: a filter that changes its mind while the
 * scaler negotiates with it refuses what it had asked for. */
static void
ask_for_size (GstIvsShape *self)
{
  g_autoptr (GstCaps) size = NULL;

  g_mutex_lock (&self->lock);
  if (self->is_stepped)
    size = make_size (self);
  self->is_stepped = FALSE;
  g_mutex_unlock (&self->lock);
  if (size == NULL)
    return;
  g_atomic_int_set (&self->is_stepping, TRUE);
  g_object_set (self->filter, "caps", size, NULL);
  g_atomic_int_set (&self->is_stepping, FALSE);
}

/* A source that is not live brings pictures of seconds meanwhile: no more are left out
 * than the pause is long. */
#define PAUSE_SLACK (50 * GST_MSECOND)

static gboolean
is_paused (GstIvsShape *self, GstBuffer *picture)
{
  gint64 now_us = g_get_monotonic_time ();
  GstClockTime time = GST_BUFFER_PTS (picture);
  gboolean result;

  g_mutex_lock (&self->lock);
  result = now_us < self->paused_us;
  g_mutex_unlock (&self->lock);
  if (!result) {
    self->pause_began_us = 0;
    return FALSE;
  }
  if (self->pause_began_us == 0) {
    self->pause_began_us = now_us;
    self->pause_began_time = time;
  }
  return !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (self->pause_began_time) ||
      time <= self->pause_began_time + PAUSE_SLACK +
          (GstClockTime) (now_us - self->pause_began_us) * GST_USECOND;
}

static GstPadProbeReturn
picture_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsShape *self = data;

  if (is_paused (self, GST_PAD_PROBE_INFO_BUFFER (info)))
    return GST_PAD_PROBE_DROP;
  ask_for_size (self);
  announce_rate (self, pad);
  if (self->n_left_out + 1 < self->announced_divisor) {
    self->n_left_out++;
    return GST_PAD_PROBE_DROP;
  }
  self->n_left_out = 0;
  return GST_PAD_PROBE_OK;
}

/* That we want another size is no business of upstream, and whoever is changing its own
 * caps there would be asked for them in the middle of it. */
static GstPadProbeReturn
upstream_event_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstIvsShape *self = data;

  return g_atomic_int_get (&self->is_stepping) &&
          GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) ==
              GST_EVENT_RECONFIGURE
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

static void
watch (GstIvsShape *self, GstElement *scale)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (scale, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, caps_arrived,
      gst_ivs_shape_ref (self), (GDestroyNotify) gst_ivs_shape_unref);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      upstream_event_passed, gst_ivs_shape_ref (self),
      (GDestroyNotify) gst_ivs_shape_unref);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, picture_arrived,
      gst_ivs_shape_ref (self), (GDestroyNotify) gst_ivs_shape_unref);
}

GstIvsShape *
gst_ivs_shape_new (GstElement *scale, GstElement *filter)
{
  GstIvsShape *self = g_atomic_rc_box_new0 (GstIvsShape);

  g_mutex_init (&self->lock);
  self->filter = gst_object_ref (filter);
  self->divisor = self->announced_divisor = 1;
  watch (self, scale);
  return self;
}

gboolean
gst_ivs_shape_get_full (GstIvsShape *self, guint *width, guint *height,
    guint *fps_n, guint *fps_d)
{
  gboolean is_known;

  g_mutex_lock (&self->lock);
  is_known = self->source != NULL;
  *width = self->width;
  *height = self->height;
  *fps_n = self->fps_n;
  *fps_d = self->fps_d;
  g_mutex_unlock (&self->lock);
  return is_known;
}

void
gst_ivs_shape_set_step (GstIvsShape *self, const IvsQualityStep *step)
{
  g_mutex_lock (&self->lock);
  if (self->source != NULL) {
    /* A ladder of an unknown rate is one of 30/1. */
    guint fps_d = self->fps_n > 0 ? self->fps_d : 1;

    self->step_width = step->width;
    self->step_height = step->height;
    self->is_stepped = TRUE;
    self->divisor = MAX (step->fps_d / fps_d, 1);
  }
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_shape_pause (GstIvsShape *self, gint64 until_us)
{
  g_mutex_lock (&self->lock);
  self->paused_us = until_us;
  g_mutex_unlock (&self->lock);
}

#define ATTACHED "ivs-shape"

void
gst_ivs_shape_attach (GstIvsShape *self, GstElement *encoder)
{
  g_object_set_data_full (G_OBJECT (encoder), ATTACHED,
      gst_ivs_shape_ref (self), (GDestroyNotify) gst_ivs_shape_unref);
}

GstIvsShape *
gst_ivs_shape_of (GstElement *encoder)
{
  return g_object_get_data (G_OBJECT (encoder), ATTACHED);
}
