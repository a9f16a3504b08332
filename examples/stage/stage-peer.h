/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One webrtcbin that answers: the WebRTC half of a publisher and of a viewer.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <gst/webrtc/webrtc.h>

G_BEGIN_DECLS

typedef struct _StagePeer StagePeer;

typedef struct
{
  /* On the main context, and never after stage_peer_close(). */
  void (*answered) (const gchar *sdp, const GError *error, gpointer data);
  void (*state_changed) (GstWebRTCPeerConnectionState state, gpointer data);

  /* On a streaming thread; may be NULL. */
  void (*pad_added) (GstPad *pad, gpointer data);
  void (*jitterbuffer_added) (GstElement *buffer, guint ssrc, gpointer data);
  void (*rtp_received) (GstBuffer *packet, gpointer data);
  void (*rtcp_received) (GstBuffer *packet, gpointer data);
} StagePeerEvents;

/* How long those that are made from now on wait for a lost packet, which may come
 * again; before, it is 200 ms. */
void stage_peer_set_patience (guint ms);

/* `address`: the one local address for ICE, or NULL for all but loopback. */
StagePeer *stage_peer_new (const gchar *address, const StagePeerEvents *events,
    gpointer data, GError **error);
StagePeer *stage_peer_ref (StagePeer *peer);
void stage_peer_unref (StagePeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StagePeer, stage_peer_unref)

GstBin *stage_peer_get_pipeline (StagePeer *peer);
GstElement *stage_peer_get_webrtc (StagePeer *peer);

/* Once per peer; leads to one `answered`. */
void stage_peer_answer (StagePeer *peer, const gchar *offer);

/* Stops without a word to the other side. */
void stage_peer_close (StagePeer *peer);

/* Ways to misbehave. */
void stage_peer_freeze (StagePeer *peer, gboolean freeze);
void stage_peer_reconnect (StagePeer *peer); /* ends a freeze that was a cut */
gboolean stage_peer_close_dtls (StagePeer *peer);
void stage_peer_set_loss (StagePeer *peer, guint percent);

G_END_DECLS
