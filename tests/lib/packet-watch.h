/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every RTP packet that an element sends, where it is encrypted: the last that happens
 * to it.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* In streaming threads, one packet after another. */
typedef void (*PacketFunc) (GstPad *pad, GstBuffer *packet, gpointer data);

/* From now on. @bin has one connection, which is there; @data lives as long as that. */
void packet_watch (GstElement *bin, PacketFunc func, gpointer data);

G_END_DECLS
