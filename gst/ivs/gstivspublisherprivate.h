/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inside of the publisher, for the three files that it is made of.
 */
#pragma once

#include "gstivsmessages.h"
#include "gstivsoutlet.h"
#include "gstivspublisher.h"
#include "gstivsstats.h"
#include "gstivswarmup.h"
#include "ivs-backoff.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ivs_publisher_debug);

struct _GstIvsPublisher
{
  /* Constant. */
  GstElement *element;
  GstIvsWorker *worker;
  GstIvsMonitor *monitor;
  GstIvsAdaptation *adaptation;
  GstIvsPublisherEvents events;

  /* Worker only. */
  GstIvsSettings settings;
  GstIvsConnectionState state;
  GstIvsSession *active;
  GstIvsSession *attempt;
  GstIvsWarmUp
      *warm_up;       /* of the process, if it was this one's first session */
  GPtrArray *closing; /* of GstIvsSession: they still have to say "closed" */
  IvsBackoff backoff;
  IvsToken *token; /* of the last attempt */
  GstIvsCounts counts;
  gboolean was_live;   /* some session has been */
  gboolean is_silent;  /* nothing is heard of the active session */
  GstIvsOutlet outlet; /* the gates, before the active session */
  gboolean is_playing;
  gboolean is_overdue;  /* pads without data are not waited for any more */
  gboolean is_draining; /* every stream has ended */
  gboolean has_drained; /* the element was told that all is over */
  gboolean is_stopping;
  gboolean has_failed;
  IvsFailure *verdict; /* the end, not told yet; or NULL */
  GstIvsIncident verdict_incident;
  GSource *verdict_timer;
  GSource *input_timer;
  GSource *retry_timer;
  GSource *picture_timer; /* the attempt is live and waits for a picture */
  GSource *drain_timer;
  GSource *monitor_timer;
  GSource *limit_timer;  /* the active session's age */
  GSource *expiry_timer; /* the token's */

  gint is_going_down; /* atomic: the application has said stop */
  gint is_left;       /* atomic: and does not wait any more */

  GMutex lock; /* protects is_stopped */
  GCond stopped;
  gboolean is_stopped;
};

/* The application does not wait any more. The element may have been started again, and
 * its gates and what watches over them are another publisher's. */
static inline gboolean
gst_ivs_publisher_is_left (GstIvsPublisher *self)
{
  return g_atomic_int_get (&self->is_left);
}

/* All of these on the worker. */

/* -- gstivsstory.c ------------------------------------------------------------------ */

void gst_ivs_publisher_begin_attempt (GstIvsPublisher *self);
void gst_ivs_publisher_enter_playing (GstIvsPublisher *self);
/* The one place that looks at the inputs and decides what comes next. */
void gst_ivs_publisher_check_inputs (GstIvsPublisher *self);
/* Another session in place of the live one, before that grows too old. */
void gst_ivs_publisher_renew_session (GstIvsPublisher *self);
/* The end, once somebody can hear of it. @session: see describe_incident(). */
void gst_ivs_publisher_give_up (GstIvsPublisher *self,
    const IvsFailure *failure, GstIvsSession *session);
/* The end, after the ERROR message. */
void gst_ivs_publisher_end_failed (GstIvsPublisher *self);
/* The end because the element stops. */
void gst_ivs_publisher_end (GstIvsPublisher *self);
/* No more time for the sessions that are closing; of a publisher that nobody waits for,
 * after shutdown-timeout. */
void gst_ivs_publisher_abandon_all (GstIvsPublisher *self);

/* @session: whose token, endpoint and request it is about, or NULL: the last token. */
void gst_ivs_publisher_describe_incident (GstIvsPublisher *self,
    GstIvsSession *session, GstIvsIncident *incident);
/* Microseconds for which the active session has been live. */
gint64 gst_ivs_publisher_get_age (GstIvsPublisher *self);

/* -- gstivswatch.c ------------------------------------------------------------------ */

/* Of the last attempt, until the next. */
void gst_ivs_publisher_watch_token (GstIvsPublisher *self);
/* The active one, from its beginning to its end. */
void gst_ivs_publisher_watch_session (GstIvsPublisher *self);
void gst_ivs_publisher_unwatch_session (GstIvsPublisher *self);
/* How much to send from now on, by what is heard of the active session. */
void gst_ivs_publisher_watch_network (GstIvsPublisher *self);

/* -- gstivspublisher.c -------------------------------------------------------------- */

/* Wakes who waits for the end. */
void gst_ivs_publisher_tell_stopped (GstIvsPublisher *self);
void gst_ivs_publisher_clear_timers (GstIvsPublisher *self);

G_END_DECLS
