/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the first session of a process needs and takes long to make, begun beside it.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstIvsWarmUp GstIvsWarmUp;

/**
 * gst_ivs_warm_up_start:
 *
 * Makes on threads of their own what every webrtcbin of this process will use: the DTLS
 * certificate (an RSA key with GStreamer 1.22: 0.1 to 0.5 s) and the plugins that
 * webrtcbin opens one after the other. Who comes to need them meanwhile waits for them.
 *
 * Returns: (nullable): to be given to gst_ivs_warm_up_finish(), or %NULL when it was
 *   done before
 */
GstIvsWarmUp *gst_ivs_warm_up_start (void);

/**
 * gst_ivs_warm_up_finish:
 *
 * Waits for its end: a process that exits while OpenSSL works may crash.
 */
void gst_ivs_warm_up_finish (GstIvsWarmUp *self);

G_END_DECLS
