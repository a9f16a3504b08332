/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The publisher: which session there is, and when; from the first token to the
 * end of the last stream.
 */
#pragma once

#include "gstivsadaptation.h"
#include "gstivsinputs.h"
#include "gstivssession.h"

G_BEGIN_DECLS

typedef struct _GstIvsPublisher GstIvsPublisher;

/**
 * GstIvsConnectionState:
 * @GST_IVS_CONNECTION_NEW: nothing was asked of the stage yet
 * @GST_IVS_CONNECTION_CONNECTING: the stage was asked
 * @GST_IVS_CONNECTION_CONNECTED: live: media flows
 * @GST_IVS_CONNECTION_RECONNECTING: the session was lost, or is silent; a new one is tried
 * @GST_IVS_CONNECTION_FAILED: it ended with an error
 * @GST_IVS_CONNECTION_CLOSED: it ended because the streams ended or the element stopped
 */
typedef enum
{
  GST_IVS_CONNECTION_NEW,
  GST_IVS_CONNECTION_CONNECTING,
  GST_IVS_CONNECTION_CONNECTED,
  GST_IVS_CONNECTION_RECONNECTING,
  GST_IVS_CONNECTION_FAILED,
  GST_IVS_CONNECTION_CLOSED,
} GstIvsConnectionState;

#define GST_TYPE_IVS_CONNECTION_STATE (gst_ivs_connection_state_get_type ())
GType gst_ivs_connection_state_get_type (void);

/* What the publisher asks and tells its element, on the worker's thread. */
typedef struct
{
  void (*get_settings) (GstElement *element, GstIvsSettings *settings);
  void (*get_inputs) (GstElement *element, GstIvsInputs *inputs);
  /* The token for one attempt, or NULL: the signal request-token. */
  gchar *(*request_token) (GstElement *element);
  void (*state_changed) (GstElement *element, GstIvsConnectionState state,
      const IvsToken *token);
  /* The figures of now, about once a second; @stats is taken. */
  void (*stats_made) (GstElement *element, GstStructure *stats);
  /* What the network carries, bits/s; only with congestion control. */
  void (*estimated) (GstElement *element, guint bps);
  /* Every session is over: all streams have ended (or it failed). */
  void (*drained) (GstElement *element);
} GstIvsPublisherEvents;

GstIvsPublisher *
gst_ivs_publisher_new (GstElement *element, GstIvsMonitor *monitor,
    GstIvsAdaptation *adaptation, const GstIvsPublisherEvents *events);

/* From any thread; they return at once, the worker does the rest. */
void gst_ivs_publisher_start (GstIvsPublisher *self);
void gst_ivs_publisher_play (GstIvsPublisher *self);
/* The inputs have changed. */
void gst_ivs_publisher_kick (GstIvsPublisher *self);
/* An element inside a session's webrtcbin posted an error. */
void gst_ivs_publisher_element_failed (GstIvsPublisher *self,
    GstObject *element, const GError *error);
/* What a pad brings cannot be published: everything ends. */
void
gst_ivs_publisher_input_failed (GstIvsPublisher *self, const GError *error);
/* Ends what there is. */
void gst_ivs_publisher_stop (GstIvsPublisher *self);
/* Waits until gst_ivs_publisher_stop() is done, at most shutdown-timeout and two
 * seconds, and frees. Called on the worker (from a signal handler) it does not wait. */
void gst_ivs_publisher_join_and_free (GstIvsPublisher *self);

G_END_DECLS
