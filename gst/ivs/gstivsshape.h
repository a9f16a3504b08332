/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The size and frame rate in which raw video is encoded.
 */
#pragma once

#include <gst/gst.h>
#include "ivs-quality.h"

G_BEGIN_DECLS

typedef struct _GstIvsShape GstIvsShape;

/**
 * gst_ivs_shape_new:
 * @scale: the scaler of a chain
 * @filter: the capsfilter behind it, which says what size leaves
 *
 * Watches what comes into @scale: the size that fits a stage leaves, with square
 * pixels (a receiver of WebRTC knows no others), and smaller ones or fewer pictures
 * when told so. @scale and @filter keep what is needed alive.
 *
 * Returns: (transfer full): the shape
 */
GstIvsShape *gst_ivs_shape_new (GstElement *scale, GstElement *filter);

/* From any thread: the picture when nothing is made smaller. FALSE: not known yet. */
gboolean gst_ivs_shape_get_full (GstIvsShape *self, guint *width, guint *height,
    guint *fps_n, guint *fps_d);

/* From any thread, takes effect with the next picture: @step of a ladder that was
 * made of the full picture. */
void gst_ivs_shape_set_step (GstIvsShape *self, const IvsQualityStep *step);

/* From any thread: pictures that come until then, of g_get_monotonic_time(), are left
 * out; of a source that brings them sooner than they are seen, so many as are seen. */
void gst_ivs_shape_pause (GstIvsShape *self, gint64 until_us);

GstIvsShape *gst_ivs_shape_ref (GstIvsShape *self);
void gst_ivs_shape_unref (GstIvsShape *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsShape, gst_ivs_shape_unref)

/* The shape of what goes into an encoder, kept with it. */
void gst_ivs_shape_attach (GstIvsShape *self, GstElement *encoder);
/* (transfer none) (nullable) */
GstIvsShape *gst_ivs_shape_of (GstElement *encoder);

G_END_DECLS
