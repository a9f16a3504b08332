/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One session of somebody who watches: a publisher's packets, not re-encoded.
 */
#pragma once

#include "stage-meter.h"
#include "stage-offer.h"
#include "stage-peer.h"

G_BEGIN_DECLS

typedef struct _StageViewer StageViewer;

typedef struct
{
  /* On the main context. */
  void (*answered) (StageViewer *viewer, const gchar *sdp, const GError *error,
      gpointer data);
  void (*ended) (StageViewer *viewer, gpointer data);
  /* On any thread: the viewer needs a whole picture. */
  void (*key_unit_needed) (StageViewer *viewer, gpointer data);
} StageViewerEvents;

StageViewer *stage_viewer_new (const gchar *address, const StageOffer *offer,
    const StageViewerEvents *events, gpointer data, GError **error);
StageViewer *stage_viewer_ref (StageViewer *viewer);
void stage_viewer_unref (StageViewer *viewer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageViewer, stage_viewer_unref)

/* The owner's last word: nothing is reported afterwards. */
void stage_viewer_close (StageViewer *viewer);

const gchar *stage_viewer_get_id (StageViewer *viewer);
gboolean stage_viewer_is_connected (StageViewer *viewer);
guint64 stage_viewer_count_packets (StageViewer *viewer);

/* One line of fmtp that the answer has to carry, or NULL. */
const gchar *stage_viewer_get_fmtp (StageViewer *viewer);

/* On a streaming thread. */
void
stage_viewer_push (StageViewer *viewer, StageMedia media, GstBuffer *packet);

G_END_DECLS
