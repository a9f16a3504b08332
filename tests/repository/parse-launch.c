/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Parses a launch line as gst-launch-1.0 does, and does not run it.
 *
 *     parse-launch ELEMENT ! ELEMENT ...
 *
 * It is linked with the plugin, so that the one that was just built is taken, and
 * an installed one is not.
 */
#include <gst/gst.h>

GST_PLUGIN_STATIC_DECLARE (ivs);

int
main (int argc, char **argv)
{
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GError) error = NULL;

  gst_init (NULL, NULL);
  GST_PLUGIN_STATIC_REGISTER (ivs);
  if (argc < 2) {
    g_printerr ("parse-launch: say a launch line\n");
    return 2;
  }
  pipeline = gst_parse_launchv_full ((const gchar **) argv + 1, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline != NULL)
    gst_object_ref_sink (pipeline);
  if (pipeline == NULL || error != NULL) {
    g_printerr ("%s\n", error != NULL ? error->message : "no pipeline");
    return 1;
  }
  return 0;
}
