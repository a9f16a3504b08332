/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inside of the gate, for the three files that it is made of.
 *
 * Locks: the state is under "lock", which is never held while anything is pushed,
 * queried or emitted. The stream's own data belong to the thread that holds the
 * sink pad's stream lock. "switching" is held while the source pad is linked anew.
 */
#pragma once

#include "gstivsbudget.h"
#include "gstivsgate.h"
#include "gstivspacer.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ivs_gate_debug);

enum
{
  GST_IVS_GATE_SIGNAL_EOS,
  GST_IVS_GATE_SIGNAL_FLOWING,
  GST_IVS_GATE_SIGNAL_SWITCHED,
  GST_IVS_GATE_N_SIGNALS
};

extern guint gst_ivs_gate_signals[GST_IVS_GATE_N_SIGNALS];

/* What gates share that belong together. */
typedef struct
{
  GMutex lock;
  GstClockTimeDiff shift;     /* the last: upstream was moved by this */
  GstClockTimeDiff live_time; /* last of a live upstream, or NONE */
} GstIvsSharedTime;

struct _GstIvsGate
{
  GstElement parent;

  /* Constant after construction. */
  GstIvsKind kind;
  GstPad *sinkpad;
  GstPad *srcpad;
  GstCaps *stream_caps;
  GstIvsMonitor *monitor;   /* or NULL */
  GstIvsSharedTime *shared; /* an rc box */
  GstIvsPacer *pacer;

  GMutex lock;
  GCond changed;

  /* Protected by lock. */
  gboolean active; /* PAUSED or higher */
  gboolean playing;
  gboolean flushing;
  gboolean open;
  gboolean discard;
  gboolean unplugging;
  guint openings;
  guint64 packets_before;    /* those that had passed when it was opened */
  gint64 key_unit_requested; /* monotonic */
  guint key_units;
  GstClockTimeDiff time_offset;
  GstClockTimeDiff
      reached; /* running time that is over, or NONE; since PLAYING */
  guint budget_bps;
  GstClockTime waiting;
  GstClockID timer;
  GstIvsGateStats stats;
  GPtrArray *metadata;       /* payloads for the next picture, or NULL */
  gboolean announced;        /* "flowing" emitted for this opening */
  GstClockTime passed;       /* timestamp of what left last, or NONE ... */
  GstSegment passed_segment; /* ... in this */

  GstBufferList *spare_list; /* atomic: an empty one, or NULL */

  GMutex switching;
  GstPad *next; /* protected by it: where the next IDR picture goes, or NULL */

  /* Protected by the stream lock of sinkpad. */
  GstIvsStream *stream;
  GstIvsBudget budget;
  GstSegment segment;
  gboolean has_live; /* was upstream asked? */
  gboolean live;
  gboolean started_anew;      /* upstream's time may have jumped */
  gchar *upstream_id;         /* of its stream, or NULL */
  gboolean is_other_upstream; /* than the one that was shifted */
  gboolean awaits_idr;
  gboolean has_headers; /* stream-start, caps and segment are on srcpad */
  guint seen_openings;
  gint64 now_us;               /* monotonic, when what passes now came */
  GstClockTime in_pts, in_dts; /* of the packet that passes now ... */
  GstClockTimeDiff pts, dts;   /* ... and what it leaves with, or NONE */
  gboolean is_in_picture; /* the last packet was not the last of its own ... */
  guint32 picture_timestamp; /* ... which has this */
  GstClockTimeDiff arrived;  /* when its first packet came, if without time */
  GstClockTimeDiff shift; /* added to upstream's running time: it fell back */
  GstClockTimeDiff used_offset;
  GstClockTimeDiff last_time; /* of the last packet that left, or NONE */
  GstClockTime frame_time;    /* from one picture to the next */
};

/* -- gstivspassage.c ---------------------------------------------------------------- */

typedef enum
{
  GST_IVS_PASSAGE_PASS,
  GST_IVS_PASSAGE_DROP,
  GST_IVS_PASSAGE_FLUSHING
} GstIvsPassage;

/* Decides on @packets packets that came at once, of which @first is the first; waits for
 * as long as they have to wait. */
GstIvsPassage
gst_ivs_gate_await_passage (GstIvsGate *self, GstBuffer *first, guint packets);

/* Whether a decoder can begin with, or goes on with, this packet, and it fits. */
gboolean gst_ivs_gate_lets_pass (GstIvsGate *self, const GstIvsPacket *packet);

/* Upstream's running time of @timestamp, plus shift; NONE if it has none. */
GstClockTimeDiff
gst_ivs_gate_get_running_time (GstIvsGate *self, GstClockTime timestamp);

/* NONE without a clock. */
GstClockTimeDiff gst_ivs_gate_get_running_time_now (GstIvsGate *self);

/* @now: at an opening, however long ago the last request was. */
void gst_ivs_gate_request_key_unit (GstIvsGate *self, gboolean now);

/* With lock. Wakes a thread that waits here, for whatever it waits. */
void gst_ivs_gate_wake (GstIvsGate *self);
void gst_ivs_gate_count_dropped (GstIvsGate *self, guint packets);

/* -- gstivsdeparture.c -------------------------------------------------------------- */

/* What passes of @packets, continued. @packets: (transfer full) (array length=n)
 * @list: (transfer full): an empty one, for what leaves */
void gst_ivs_gate_pass (GstIvsGate *self, GstBuffer **packets, guint n,
    GstBufferList *list);

/* (transfer full): an empty list; and back, when it is empty again. */
GstBufferList *gst_ivs_gate_take_list (GstIvsGate *self);
void gst_ivs_gate_give_back_list (GstIvsGate *self, GstBufferList *list);

/* From the pacer: what is closed meanwhile has nothing to do with what is open now. */
void gst_ivs_gate_parcel_due (GstIvsParcel *parcel, gpointer data);

/* It belonged to a picture of now, not of the next session. */
void gst_ivs_gate_forget_metadata (GstIvsGate *self);

G_END_DECLS
