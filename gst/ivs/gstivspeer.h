/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One WebRTC connection to a stage: its negotiation, its life and its death.
 *
 *      stand-in pad (caps only) -.
 *                                 >- webrtcbin.sink_0, sink_1 -> network
 *      gate.src (once verified) -'
 *
 * A connection is negotiated from caps alone. The stand-in pads give webrtcbin
 * those caps; the gates take their places when the certificate of the other side
 * has been verified. A section whose stand-in is never replaced is the "dummy"
 * that a stage wants for audio alone.
 */
#pragma once

#include "gstivscongestion.h"
#include "gstivsgate.h"
#include "gstivsrtcp.h"
#include "gstivssettings.h"
#include "gstivsworker.h"
#include "ivs-answer.h"

G_BEGIN_DECLS

typedef struct _GstIvsPeer GstIvsPeer;

/* All of them on the worker's thread, only `closed` after gst_ivs_peer_close(); the errors are of
 * IVS_ERROR. A callback may close the peer. */
typedef struct
{
  void (*offered) (GstIvsPeer *peer, const GstSDPMessage *offer, gpointer data);
  /* ICE and DTLS are up and the certificate is the answer's. */
  void (*connected) (GstIvsPeer *peer, gpointer data);
  void (*failed) (GstIvsPeer *peer, const GError *error, gpointer data);
  /* Nothing is heard of the other side any more, for @microseconds; it may come back. */
  void (*silent) (GstIvsPeer *peer, gint64 microseconds, gpointer data);
  void (*revived) (GstIvsPeer *peer, gpointer data);
  /* After gst_ivs_peer_close(): webrtcbin is gone. The last one. */
  void (*closed) (GstIvsPeer *peer, gpointer data);
} GstIvsPeerEvents;

/* Puts a webrtcbin into @bin with a section for each of @caps that is not NULL.
 * @has_played: the pipeline has been in PLAYING, so if it is in PAUSED, it is a pause.
 * On the worker's thread, like everything here. */
GstIvsPeer *
gst_ivs_peer_new (GstBin *bin, gboolean has_played, GstIvsWorker *worker,
    const GstIvsSettings *settings, GstCaps *const caps[GST_IVS_N_KINDS],
    const GstIvsPeerEvents *events, gpointer data, GError **error);
gboolean gst_ivs_peer_has_section (GstIvsPeer *self, GstIvsKind kind);

/* Starts the connection; "connected" or "failed" follows. Has no time limit of its own. */
void gst_ivs_peer_apply_answer (GstIvsPeer *self, IvsAnswer *answer);
/* The failure to report when the owner's timer on connecting has run out. */
GError *gst_ivs_peer_explain_timeout (GstIvsPeer *self);

/* Lets @gate, which is open, come over with its next picture that a decoder can begin
 * with. */
gboolean
gst_ivs_peer_await_gate (GstIvsPeer *self, GstIvsKind kind, GstIvsGate *gate);
/* It is not awaited any more. Returns whether it has come over. */
gboolean
gst_ivs_peer_take_gate (GstIvsPeer *self, GstIvsKind kind, GstIvsGate *gate);
/* Lets @gate take the place of the stand-in. */
gboolean
gst_ivs_peer_set_gate (GstIvsPeer *self, GstIvsKind kind, GstIvsGate *gate);

/* Where feedback and reports go from now on; NULL: nowhere. */
void
gst_ivs_peer_set_congestion (GstIvsPeer *self, GstIvsCongestion *congestion);

/* What the other side has reported of our stream so far. */
void gst_ivs_peer_get_report (GstIvsPeer *self, GstIvsKind kind,
    GstIvsReport *report);

/* An ERROR message of an element inside; the bin must not let it pass to the bus. */
gboolean gst_ivs_peer_owns (GstIvsPeer *self, GstObject *element);

/* Nothing is sent any more when it returns; `closed` follows, perhaps at once. */
void gst_ivs_peer_close (GstIvsPeer *self);
void gst_ivs_peer_unref (GstIvsPeer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsPeer, gst_ivs_peer_unref)

/* The name prefix of our webrtcbins, by which a bin knows its children apart. */
#define GST_IVS_PEER_NAME "session"

G_END_DECLS
