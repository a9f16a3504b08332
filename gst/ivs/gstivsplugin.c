/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plugin's entry point, and nothing else.
 */
#include "gstivsstagesink.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (ivsstagesink, plugin);
}

#define PACKAGE "gst-ivs-stage"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ivs,
    "Publish to Amazon IVS real-time stages over WHIP", plugin_init,
    IVS_VERSION, "LGPL", PACKAGE, "https://docs.aws.amazon.com/ivs/")
