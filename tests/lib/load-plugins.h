/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Loads every plugin that a test sees, before there are threads: glibc loses a little
 * memory in dlopen() otherwise, and valgrind counts it.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

static inline void
load_plugins (void)
{
  GList *plugins = gst_registry_get_plugin_list (gst_registry_get ());

  for (GList *l = plugins; l != NULL; l = l->next) {
    GstPlugin *plugin = gst_plugin_load (l->data);

    g_assert_nonnull (plugin);
    gst_object_unref (plugin);
  }
  gst_plugin_list_free (plugins);
}

G_END_DECLS
