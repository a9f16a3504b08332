/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One session of somebody who publishes: receives, counts, passes on.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "stage-meter.h"
#include "stage-offer.h"
#include "stage-peer.h"

G_BEGIN_DECLS

typedef enum
{
  STAGE_SESSION_ANSWERING,
  STAGE_SESSION_CONNECTING,
  STAGE_SESSION_CONNECTED,
  /* over, and why */
  STAGE_SESSION_DELETED,  /* the publisher said so */
  STAGE_SESSION_REPLACED, /* by a second connection with its token */
  STAGE_SESSION_LOST,     /* ICE or DTLS broke, or nothing came any more */
  STAGE_SESSION_KILLED,   /* by a test */
  STAGE_SESSION_FAILED    /* never had an answer */
} StageSessionState;

const gchar *stage_session_state_name (StageSessionState state);

typedef struct _StagePublisher StagePublisher;

typedef struct
{
  /* On the main context. */
  void (*answered) (StagePublisher *publisher, const gchar *sdp,
      const GError *error, gpointer data);
  void (*changed) (StagePublisher *publisher, gpointer data);
  /* On a streaming thread: as it came, of any source; and in order, of a medium. */
  void (*arrived) (GstBuffer *packet, gpointer data);
  void (*packet) (StageMedia media, GstBuffer *packet, gpointer data);
} StagePublisherEvents;

StagePublisher *
stage_publisher_new (const gchar *address, const StageOffer *offer,
    const StagePublisherEvents *events, gpointer data, GError **error);
void stage_publisher_free (StagePublisher *publisher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StagePublisher, stage_publisher_free)

void stage_publisher_end (StagePublisher *publisher, StageSessionState reason);
void stage_publisher_tick (StagePublisher *publisher);
void stage_publisher_request_key_unit (StagePublisher *publisher);

const gchar *stage_publisher_get_id (StagePublisher *publisher);
StageSessionState stage_publisher_get_state (StagePublisher *publisher);
gboolean stage_publisher_is_live (StagePublisher *publisher);
StagePeer *stage_publisher_get_peer (StagePublisher *publisher);
StageMeterSummary
stage_publisher_summarise (StagePublisher *publisher, StageMedia media);

/* The answer it got carried another certificate's fingerprint: whatever media
 * comes now was sent to an impostor. */
void stage_publisher_set_impostor (StagePublisher *publisher);

void stage_publisher_write (StagePublisher *publisher, JsonBuilder *builder);

G_END_DECLS
