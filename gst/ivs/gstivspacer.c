/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lets the packets of a picture leave one after another, in a thread of its own.
 *
 * A picture that leaves as one burst fills short queues, and what overflows is asked
 * for again. When which packet leaves is arithmetic, in rate/ivs-pacer.c. Here is the
 * queue and the thread, which is there from the first parcel that has to wait: an
 * uplink that was never seen to be narrow costs neither.
 */
#include "gstivspacer.h"
#include "ivs-pacer.h"

/* What is due so soon leaves with what is due now. */
#define SLACK_US (IVS_PACER_BURST_US / 2)
/* So late is nothing that is not stuck downstream. */
#define STUCK_US (500 * 1000)

typedef struct
{
  GstBuffer *packet;
  gint64 due_us;
  guint opening;
  guint frames, key_frames; /* that end with it */
} Item;

struct _GstIvsPacer
{
  GstIvsPacerFunc leave;
  gpointer data;
  GThread *thread; /* streaming thread, or when there is none */

  GMutex lock; /* protects: */
  GCond changed;
  IvsPacer pacer;
  GArray *items;
  gboolean is_leaving; /* some of it, at this moment */
  gboolean is_stopping;
};

static void
item_clear (gpointer item)
{
  gst_clear_buffer (&((Item *) item)->packet);
}

GstIvsPacer *
gst_ivs_pacer_new (GstIvsPacerFunc leave, gpointer data)
{
  GstIvsPacer *self = g_new0 (GstIvsPacer, 1);

  self->leave = leave;
  self->data = data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (self->items, item_clear);
  return self;
}

void
gst_ivs_pacer_free (GstIvsPacer *self)
{
  gst_ivs_pacer_stop (self);
  g_array_unref (self->items);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
gst_ivs_pacer_set_rate (GstIvsPacer *self, guint bps)
{
  g_mutex_lock (&self->lock);
  self->pacer.bps = bps;
  g_mutex_unlock (&self->lock);
}

/* -- What leaves ------------------------------------------------------------------- */

/* How many leave now that are due until @until_us: of one opening only. With lock. */
static guint
count_due (GstIvsPacer *self, gint64 until_us)
{
  const Item *items = (const Item *) (gpointer) self->items->data;
  guint n = 0;

  while (n < self->items->len && items[n].due_us <= until_us &&
      items[n].opening == items[0].opening)
    n++;
  return n;
}

/* With lock. */
static void
take_out (GstIvsPacer *self, guint n, GstIvsParcel *parcel)
{
  Item *items = (Item *) (gpointer) self->items->data;

  *parcel = (GstIvsParcel){ .packets = gst_buffer_list_new_sized (n),
    .opening = items[0].opening };
  for (guint i = 0; i < n; i++) {
    parcel->bytes += gst_buffer_get_size (items[i].packet);
    parcel->frames += items[i].frames;
    parcel->key_frames += items[i].key_frames;
    gst_buffer_list_add (parcel->packets, g_steal_pointer (&items[i].packet));
  }
  g_array_remove_range (self->items, 0, n);
}

/* With lock, which is released meanwhile. */
static void
let_leave (GstIvsPacer *self, guint n)
{
  GstIvsParcel parcel;

  take_out (self, n, &parcel);
  self->is_leaving = TRUE;
  g_mutex_unlock (&self->lock);
  self->leave (&parcel, self->data);
  g_mutex_lock (&self->lock);
  self->is_leaving = FALSE;
  g_cond_broadcast (&self->changed);
}

/* With lock, which is released while waiting. */
static void
wait_for_due (GstIvsPacer *self)
{
  if (self->items->len == 0 || self->is_leaving)
    g_cond_wait (&self->changed, &self->lock);
  else
    g_cond_wait_until (&self->changed, &self->lock,
        g_array_index (self->items, Item, 0).due_us);
}

static gpointer
run (gpointer data)
{
  GstIvsPacer *self = data;

  g_mutex_lock (&self->lock);
  while (!self->is_stopping) {
    guint n = self->is_leaving
        ? 0
        : count_due (self, g_get_monotonic_time () + SLACK_US);

    if (n > 0)
      let_leave (self, n);
    else
      wait_for_due (self);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* -- What comes ----------------------------------------------------------------------- */

/* With lock. */
static void
append (GstIvsPacer *self, GstIvsParcel *parcel)
{
  guint n = gst_buffer_list_length (parcel->packets);

  for (guint i = 0; i < n; i++) {
    GstBuffer *packet = gst_buffer_list_get (parcel->packets, i);
    Item item = { .packet = gst_buffer_ref (packet),
      .due_us = ivs_pacer_place (&self->pacer, gst_buffer_get_size (packet)),
      .opening = parcel->opening };

    if (i + 1 == n) {
      item.frames = parcel->frames;
      item.key_frames = parcel->key_frames;
    }
    g_array_append_val (self->items, item);
  }
  gst_clear_buffer_list (&parcel->packets);
  g_cond_broadcast (&self->changed);
}

/* With lock. */
static gboolean
is_stuck (GstIvsPacer *self, gint64 now_us)
{
  return self->items->len > 0 &&
      now_us - g_array_index (self->items, Item, 0).due_us > STUCK_US;
}

/* With lock. */
static gboolean
has_to_wait (GstIvsPacer *self, gint64 now_us, guint64 bytes, gint64 limit_us)
{
  gint64 gone_us;

  if (self->pacer.bps == 0 && self->items->len == 0 && !self->is_leaving)
    return FALSE;
  gone_us = ivs_pacer_begin (&self->pacer, now_us, bytes, limit_us);
  if (self->items->len > 0 || self->is_leaving ||
      gone_us - now_us > IVS_PACER_BURST_US)
    return TRUE;
  ivs_pacer_place (&self->pacer, bytes);
  return FALSE;
}

gboolean
gst_ivs_pacer_take (GstIvsPacer *self, GstIvsParcel *parcel, gint64 limit_us)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean is_taken;

  g_mutex_lock (&self->lock);
  if (is_stuck (self, now_us)) {
    g_mutex_unlock (&self->lock);
    gst_ivs_pacer_drain (self);
    return FALSE;
  }
  is_taken = has_to_wait (self, now_us, parcel->bytes, limit_us);
  if (is_taken)
    append (self, parcel);
  g_mutex_unlock (&self->lock);
  if (is_taken && self->thread == NULL)
    self->thread = g_thread_new ("ivs-pacer", run, self);
  return is_taken;
}

void
gst_ivs_pacer_drain (GstIvsPacer *self)
{
  g_mutex_lock (&self->lock);
  while (self->is_leaving || self->items->len > 0) {
    if (self->is_leaving)
      g_cond_wait (&self->changed, &self->lock);
    else
      let_leave (self, count_due (self, G_MAXINT64));
  }
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_pacer_stop (GstIvsPacer *self)
{
  g_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  g_array_set_size (self->items, 0);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->thread, g_thread_join);
  self->is_stopping = FALSE;
  self->pacer = (IvsPacer){ .bps = self->pacer.bps };
}
