/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One session, from an offer to its DELETE: an attempt to be on the stage.
 */
#pragma once

#include "gstivspeer.h"
#include "ivs-error.h"
#include "ivs-offer.h"
#include "ivs-token.h"

G_BEGIN_DECLS

typedef struct _GstIvsSession GstIvsSession;

typedef enum
{
  GST_IVS_STEP_OFFERING,   /* webrtcbin makes the offer; nothing was sent yet */
  GST_IVS_STEP_POSTING,    /* the stage was asked */
  GST_IVS_STEP_CONNECTING, /* the stage has answered: ICE, DTLS */
  GST_IVS_STEP_LIVE,       /* connected to whom the answer named */
  GST_IVS_STEP_CLOSING,    /* the DELETE, or the POST before it, is under way */
  GST_IVS_STEP_CLOSED,
} GstIvsStep;

/* On the worker's thread. */
typedef struct
{
  /* POSTING, CONNECTING and LIVE, as they are reached. */
  void (*stepped) (GstIvsSession *session, GstIvsStep step, gpointer data);
  /* Once at most; the session then closes by itself. */
  void (*failed) (GstIvsSession *session, const IvsFailure *failure,
      gpointer data);
  /* A live session: nothing is heard of the stage any more; and: it is heard again. */
  void (*silent) (GstIvsSession *session, gint64 microseconds, gpointer data);
  void (*revived) (GstIvsSession *session, gpointer data);
  /* Something the user should know, but nothing fails. */
  void (*noticed) (GstIvsSession *session, const gchar *name,
      const gchar *sentence, const gchar *advice, gpointer data);
  /* Nothing is left at the stage or here. The last call. */
  void (*closed) (GstIvsSession *session, gpointer data);
} GstIvsSessionEvents;

/* What a session is made of; all of it is copied. */
typedef struct
{
  GstBin *bin;
  GstIvsWorker *worker;
  const GstIvsSettings *settings;
  const IvsToken *token;
  const gchar *endpoint;
  gboolean
      is_after_live;   /* was a live session of this element lost just now? */
  gboolean has_played; /* has the pipeline been in PLAYING? */
} GstIvsSessionConfig;

GstIvsSession *gst_ivs_session_new (const GstIvsSessionConfig *config,
    const GstIvsSessionEvents *events, gpointer data);

/* Connects to the endpoint's host ahead of the POST. */
void gst_ivs_session_preconnect (GstIvsSession *self);
/* Makes the offer, with a section for each of @caps that is not NULL; sends nothing.
 * Called again before publish(), it makes another one instead. */
void gst_ivs_session_prepare (GstIvsSession *self,
    GstCaps *const caps[GST_IVS_N_KINDS]);
gboolean gst_ivs_session_has_section (GstIvsSession *self, GstIvsKind kind);
gboolean gst_ivs_session_is_prepared_for (GstIvsSession *self,
    const gboolean sections[GST_IVS_N_KINDS]);
/* Posts the offer as soon as it is made; called again before that, it is with what is
 * wished then. @is_needed: a refusal of this section is a failure of the session. */
void gst_ivs_session_publish (GstIvsSession *self, const IvsOfferWish *wish,
    const gboolean is_needed[GST_IVS_N_KINDS]);
/* Another input has come to be waited for: does not post yet, if it has not done so. */
void gst_ivs_session_hold (GstIvsSession *self);

GstIvsStep gst_ivs_session_get_step (GstIvsSession *self);
gboolean gst_ivs_session_set_gate (GstIvsSession *self, GstIvsKind kind,
    GstIvsGate *gate);
/* See gst_ivs_peer_await_gate() and gst_ivs_peer_take_gate(). */
gboolean gst_ivs_session_await_gate (GstIvsSession *self, GstIvsKind kind,
    GstIvsGate *gate);
gboolean gst_ivs_session_take_gate (GstIvsSession *self, GstIvsKind kind,
    GstIvsGate *gate);
/* See gst_ivs_peer_set_congestion(). */
void gst_ivs_session_set_congestion (GstIvsSession *self,
    GstIvsCongestion *congestion);
const gchar *gst_ivs_session_get_request_id (GstIvsSession *self);
/* Of the session URL, or NULL. (transfer full) */
gchar *gst_ivs_session_dup_host (GstIvsSession *self);
/* Monotonic microseconds of each step, 0 before it. */
typedef struct
{
  gint64 begun, posted, answered, live;
} GstIvsSessionTimes;

void gst_ivs_session_get_times (GstIvsSession *self, GstIvsSessionTimes *times);
/* See gst_ivs_peer_get_report(). FALSE: there is none. */
gboolean gst_ivs_session_get_report (GstIvsSession *self, GstIvsKind kind,
    GstIvsReport *report);
const IvsToken *gst_ivs_session_get_token (GstIvsSession *self);
const gchar *gst_ivs_session_get_endpoint (GstIvsSession *self);
/* @self gives way to @other. A server may give both the same URL: then there is
 * nothing to delete for @self, it would end @other. */
void gst_ivs_session_spare (GstIvsSession *self, GstIvsSession *other);
/* Where media goes ("192.0.2.1:443/udp"), or NULL before the answer. */
const gchar *gst_ivs_session_get_media_address (GstIvsSession *self);
gboolean gst_ivs_session_owns (GstIvsSession *self, GstObject *element);
/* This element inside webrtcbin posted an error. */
void gst_ivs_session_element_failed (GstIvsSession *self, GstObject *element,
    const gchar *text);

/* Ends the session at the stage too: "closed" follows, bounded by the HTTP timeout. */
void gst_ivs_session_close (GstIvsSession *self);
/* No more time: cancels what is under way; "closed" follows at once. */
void gst_ivs_session_abandon (GstIvsSession *self);

/* What an error of a request to @endpoint, or of the peer, means. (transfer full) */
IvsFailure *
gst_ivs_session_explain_error (const gchar *endpoint, const GError *error);

GstIvsSession *gst_ivs_session_ref (GstIvsSession *self);
void gst_ivs_session_unref (GstIvsSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstIvsSession, gst_ivs_session_unref)

G_END_DECLS
