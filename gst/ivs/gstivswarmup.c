/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the first session of a process needs and takes long to make.
 *
 * Both threads go on while the worker opens the connection to the endpoint, whose TLS
 * library takes its time to be loaded as well.
 */
#include "gstivswarmup.h"

struct _GstIvsWarmUp
{
  GThread *certificate;
  GThread *plugins;
};

/* The plugin makes the certificate of the process with its first decoder. */
static gpointer
make_certificate (gpointer data)
{
  GstElement *decoder = gst_element_factory_make ("dtlsdec", NULL);

  gst_clear_object (&decoder);
  return NULL;
}

/* In the order in which they are needed. What is missing is reported by who needs it. */
static gpointer
load_plugins (gpointer data)
{
  static const gchar *const elements[] = { "webrtcbin", "rtpbin", "nicesink",
    "srtpenc" };

  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autoptr (GstElementFactory) factory =
        gst_element_factory_find (elements[i]);
    GstPluginFeature *loaded = factory != NULL
        ? gst_plugin_feature_load (GST_PLUGIN_FEATURE (factory))
        : NULL;

    gst_clear_object (&loaded);
  }
  return NULL;
}

GstIvsWarmUp *
gst_ivs_warm_up_start (void)
{
  static gint was_started = FALSE; /* atomic */
  GstIvsWarmUp *self = NULL;

  if (!g_atomic_int_compare_and_exchange (&was_started, FALSE, TRUE))
    return NULL;
  self = g_new (GstIvsWarmUp, 1);
  self->certificate = g_thread_new ("ivs-certificate", make_certificate, NULL);
  self->plugins = g_thread_new ("ivs-plugins", load_plugins, NULL);
  return self;
}

void
gst_ivs_warm_up_finish (GstIvsWarmUp *self)
{
  g_thread_join (self->certificate);
  g_thread_join (self->plugins);
  g_free (self);
}
