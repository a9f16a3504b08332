/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An estimator of congestion-control=gcc-element that estimates what a test says.
 */
#include "fake-estimator.h"

#include <gst/gst.h>

/* Stands for the rtpgccbwe of gst-plugins-rs: a place in webrtcbin, and an estimate. */
typedef struct
{
  GstBin parent;
  guint estimate;
} FakeEstimator;

typedef struct
{
  GstBinClass parent;
} FakeEstimatorClass;

static GType fake_estimator_get_type (void);
G_DEFINE_TYPE (FakeEstimator, fake_estimator, GST_TYPE_BIN)

static FakeEstimator *the_estimator; /* weak */

static void
fake_estimator_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  ((FakeEstimator *) object)->estimate = g_value_get_uint (value);
}

static void
fake_estimator_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  g_value_set_uint (value, ((FakeEstimator *) object)->estimate);
}

static void
fake_estimator_class_init (FakeEstimatorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = fake_estimator_set_property;
  object_class->get_property = fake_estimator_get_property;
  g_object_class_install_property (object_class, 1,
      g_param_spec_uint ("estimated-bitrate", NULL, NULL, 0, G_MAXUINT, 0,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Estimator",
      "Network", "Stands for another one", "The ivsstagesink authors");
}

static void
fake_estimator_init (FakeEstimator *self)
{
  GstElement *identity = gst_element_factory_make ("identity", NULL);
  static const gchar *const names[] = { "sink", "src" };

  gst_bin_add (GST_BIN (self), identity);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstPad) pad = gst_element_get_static_pad (identity, names[i]);

    gst_element_add_pad (GST_ELEMENT (self), gst_ghost_pad_new (names[i], pad));
  }
  the_estimator = self;
  g_object_add_weak_pointer (G_OBJECT (self), (gpointer *) &the_estimator);
}

void
fake_estimator_register (void)
{
  gst_element_register (NULL, "rtpgccbwe", GST_RANK_NONE,
      fake_estimator_get_type ());
}

void
fake_estimator_set (guint bps)
{
  g_assert_nonnull (the_estimator);
  g_object_set (the_estimator, "estimated-bitrate", bps, NULL);
}
