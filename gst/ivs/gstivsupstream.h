/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Seeks, and questions about position and duration, go upstream.
 */
#pragma once

#include "gstivsgate.h"

G_BEGIN_DECLS

/**
 * gst_ivs_upstream_send:
 * @pads: (transfer full) (element-type GstPad): the element's
 * @event: (transfer full): a seek
 *
 * To each stream, as GstBin does with sinks; who makes both knows it by its number.
 *
 * Returns: whether all took it
 */
gboolean gst_ivs_upstream_send (GList *pads, GstEvent *event);

/**
 * gst_ivs_upstream_answer:
 * @pads: (transfer full) (element-type GstPad): the element's; the first is asked first
 * @gates: what left last through them is the position
 * @query: position, duration or seeking
 *
 * Returns: whether it is answered
 */
gboolean gst_ivs_upstream_answer (GList *pads,
    GstIvsGate *const gates[GST_IVS_N_KINDS], GstQuery *query);

G_END_DECLS
