/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * That no element of a pipeline has posted an ERROR; else the test fails with its text.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

static inline void
assert_no_error_posted (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  if (message != NULL)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
}

G_END_DECLS
