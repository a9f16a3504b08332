/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether a queue grows on the way, from when packets left and when they arrived.
 *
 * Sections are those of draft-ietf-rmcat-gcc-02.
 *
 * 5.1 Arrival-time model: kept. A group's delay is its arrival minus its
 *   departure; the clocks differ, so only differences mean anything.
 *
 * 5.2 Pre-filtering: kept, both conditions.
 *
 * 5.3 Arrival-time filter: replaced. The Kalman filter estimates the change of
 *   delay per group, which has a meaning only if a pacer makes groups alike (4).
 *   Our encoders put a whole picture on the wire at once, and a stage wants an IDR
 *   picture every other second: its last packet waits behind all its others, and
 *   a filter of groups takes each IDR picture for congestion. So we look at what
 *   stands in the queue, as CoDel (RFC 8289, 3.2) does: of each 100 ms (of
 *   sending or of arriving) the least delay counts, then a straight line is fitted through half a second
 *   of them. This also takes out most jitter, and it lets us feed the same
 *   detector from statistics that only know a mean (ivs_arrival_add_change()).
 *   Fitting a line is what the successors of the draft do in practice too.
 *
 * 5.4 Over-use detector: kept, in other units. m(i) is there a change per group,
 *   amplified before it is compared with a threshold of 12.5 ms (the draft leaves
 *   out that factor; the known implementation has 240). 12.5 ms / 240 ms = 52 ms
 *   of delay per second, that is sending 5 % too much, and its range [6, 600] is
 *   [25, 2500]. The time an over-use must last is two buckets for 10 ms, and K_u is
 *   smaller by the same factor, so that the threshold does not outrun the slope
 *   before two buckets are over; K_d is as it was.
 *   Ours: without a queue of 40 ms no over-use is signalled, for threads that wait for a
 *   processor make delays grow too. Nor under-use without one of 15 ms: when the queue
 *   is empty there is nothing to wait for, and who sends only now and then, for most
 *   of his pictures are left out, would be told so each time.
 *   "If m(i) < m(i-1), over-use will not be signalled": we compare the delays
 *   themselves, which an IDR picture raises once while congestion raises them
 *   again and again.
 *
 * Collapse (ours). The line needs three buckets, and R_hat half a second, to see an
 *   uplink that became narrow: by then a queue of 300 ms has long overflowed, and what
 *   is believed to pass is a mean with what passed before. So each feedback is also
 *   looked at alone. When the least delayed of its packets had to wait for 50 ms, the
 *   last one waited 30 ms longer than the last one of the feedback before, and its
 *   packets came one by one at less than three quarters of R_hat, the queue fills fast,
 *   and that rate is what passes now. A stall, after which all comes at once, is not
 *   taken for it, nor a big picture, whose first packet does not wait.
 */

#include "ivs-arrival.h"

#include <math.h>

/* Draft 5.4: per millisecond. */
#define K_UP 0.001
#define K_DOWN 0.00018
/* Above the threshold by so much it is not followed (15 / 240 ms). */
#define MAX_EXCESS 62.0
/* Buckets above the threshold that make an over-use. A mean over 300 ms spreads
 * what an IDR picture raises once over two buckets more. */
#define OVER_BUCKETS 2
#define OVER_MEANS 4
/* A queue below this is none: on a computer that has more to do than it can, packets
 * wait for so long at either end. */
#define MIN_QUEUE_US 40000
/* With less than this the path carries what it gets. A packet of 1200 bytes takes
 * 10 ms at 1 Mbps. */
#define EMPTY_QUEUE_US 15000
/* Of a collapse: the least wait; by how much the last one grows from one feedback to
 * another, which of the time between them is at least this part; how far these are apart
 * at least, for what small pictures add is little; and in what time how many packets have
 * to come so that their rate says something. */
#define COLLAPSE_QUEUE_US 50000
#define COLLAPSE_GROWTH_US 30000
#define COLLAPSE_GROWTH 0.3
#define COLLAPSE_APART_US 60000
#define COLLAPSE_SPAN_US 20000
#define COLLAPSE_PACKETS 4
/* What comes is less than this part of what came. */
#define COLLAPSE_PART 0.75
/* No queue grows by so much from one packet to the next without a silence before it. */
#define MAX_JUMP_US 5000000
/* A gap in sending: what was before says nothing about the slope now. */
#define MAX_GAP_US 1000000

/**
 * ivs_arrival_init:
 * @self: uninitialised memory
 */
void
ivs_arrival_init (IvsArrival *self)
{
  *self = (IvsArrival){ .threshold = IVS_ARRIVAL_THRESHOLD,
    .packet_us = G_MAXDOUBLE };
}

/* The bucket closed so many before the last one. */
static const IvsArrivalBucket *
look_back (const IvsArrival *self, guint age)
{
  return &self->ring[(self->n_buckets - 1 - age) % IVS_ARRIVAL_MEMORY];
}

/* Least squares through the last buckets, milliseconds per second. */
static gdouble
fit_slope (const IvsArrival *self, guint n)
{
  const IvsArrivalBucket *last = look_back (self, 0);
  gdouble mean_x = 0, mean_y = 0, above = 0, below = 0;

  for (guint i = 0; i < n; i++) {
    mean_x += (gdouble) (look_back (self, i)->sent_us - last->sent_us) / n;
    mean_y += (look_back (self, i)->delay_us - last->delay_us) / n;
  }
  for (guint i = 0; i < n; i++) {
    gdouble x = (look_back (self, i)->sent_us - last->sent_us) - mean_x;
    gdouble y = look_back (self, i)->delay_us - last->delay_us - mean_y;

    above += x * y;
    below += x * x;
  }
  return below > 0 ? above / below * 1000 : 0;
}

static gint64
measure_queue (const IvsArrival *self)
{
  guint n = MIN (self->n_buckets, IVS_ARRIVAL_MEMORY);
  gdouble least = look_back (self, 0)->delay_us;

  for (guint i = 1; i < n; i++)
    least = MIN (least, look_back (self, i)->delay_us);
  return (gint64) (look_back (self, 0)->delay_us - least);
}

/* R_hat of draft 5.5, over half a second of arrivals. */
static guint
measure_received (const IvsArrival *self, guint n)
{
  const IvsArrivalBucket *last = look_back (self, 0);
  const IvsArrivalBucket *before = look_back (self, n - 1);
  gint64 took_us = last->arrived_us - before->arrived_us;
  guint64 bytes = 0;

  if (last->received_bps > 0)
    return last->received_bps;
  if (took_us < IVS_ARRIVAL_BUCKET_US / 2)
    return self->received_bps;
  for (guint i = 0; i + 1 < n; i++)
    bytes += look_back (self, i)->bytes;
  return (guint) MIN (bytes * 8 * G_USEC_PER_SEC / took_us, G_MAXINT);
}

/* Of the half second, the last part in which something waited all the time: only that
 * says what the path carries. Who leaves out most of his pictures sends nothing for most
 * of the time, and would believe that no more than that gets through. */
static guint
measure_passed (const IvsArrival *self, guint n)
{
  const IvsArrivalBucket *last = look_back (self, 0);
  gdouble least = last->delay_us - (gdouble) self->queue_us;
  gint64 took_us = 0;
  guint64 bytes = 0;

  for (guint i = 0; last->received_bps == 0 && i + 1 < n; i++) {
    const IvsArrivalBucket *before = look_back (self, i + 1);

    if (before->delay_us - least < EMPTY_QUEUE_US)
      break;
    bytes += look_back (self, i)->bytes;
    took_us = last->arrived_us - before->arrived_us;
  }
  return took_us >= IVS_ARRIVAL_BUCKET_US / 2
      ? (guint) MIN (bytes * 8 * G_USEC_PER_SEC / took_us, G_MAXINT)
      : 0;
}

/* Draft 5.4, the dynamic equation of del_var_th. */
static void
adapt_threshold (IvsArrival *self, gint64 dt_us)
{
  gdouble slope = fabs (self->slope);
  gdouble k = slope < self->threshold ? K_DOWN : K_UP;
  gdouble dt_ms = CLAMP (dt_us / 1000.0, 0, 100);

  if (slope - self->threshold > MAX_EXCESS)
    return;
  self->threshold += dt_ms * k * (slope - self->threshold);
  self->threshold = CLAMP (self->threshold, IVS_ARRIVAL_MIN_THRESHOLD,
      IVS_ARRIVAL_MAX_THRESHOLD);
}

static IvsUsage
detect (IvsArrival *self)
{
  const IvsArrivalBucket *last = look_back (self, 0);
  guint n_needed = last->received_bps > 0 ? OVER_MEANS : OVER_BUCKETS;
  gboolean is_rising = last->delay_us > look_back (self, 1)->delay_us;

  if (self->slope > self->threshold) {
    self->n_over++;
    if (self->n_over >= n_needed && is_rising && self->queue_us >= MIN_QUEUE_US)
      return IVS_USAGE_OVER;
    return IVS_USAGE_NORMAL;
  }
  self->n_over = 0;
  return self->slope < -self->threshold && self->queue_us >= EMPTY_QUEUE_US
      ? IVS_USAGE_UNDER
      : IVS_USAGE_NORMAL;
}

static void
judge (IvsArrival *self)
{
  guint n = MIN (self->n_buckets, IVS_ARRIVAL_WINDOW + 1);

  self->usage = IVS_USAGE_NORMAL;
  self->queue_us = measure_queue (self);
  self->n_empty =
      self->queue_us < EMPTY_QUEUE_US ? MIN (self->n_empty + 1, n) : 0;
  self->is_empty = self->n_empty > IVS_ARRIVAL_WINDOW;
  if (n < 3)
    return;
  self->received_bps = measure_received (self, n);
  self->best_bps = MAX (self->best_bps, self->received_bps);
  self->passed_bps = measure_passed (self, n);
  self->slope = fit_slope (self, MIN (n, IVS_ARRIVAL_WINDOW));
  self->usage = detect (self);
  adapt_threshold (self,
      look_back (self, 0)->sent_us - look_back (self, 1)->sent_us);
}

static void
close_bucket (IvsArrival *self)
{
  if (self->n_buckets > 0 &&
      self->bucket.sent_us - look_back (self, 0)->sent_us > MAX_GAP_US)
    self->n_buckets = self->n_over = 0;
  self->bucket.packet_us = self->packet_us;
  self->packet_us = G_MAXDOUBLE;
  self->ring[self->n_buckets % IVS_ARRIVAL_MEMORY] = self->bucket;
  self->n_buckets++;
  /* Never wraps into "nothing closed yet". */
  if (self->n_buckets == G_MAXUINT / IVS_ARRIVAL_MEMORY * IVS_ARRIVAL_MEMORY)
    self->n_buckets = IVS_ARRIVAL_MEMORY;
  self->has_bucket = FALSE;
  judge (self);
}

/* Behind a bottleneck that became narrow, little of what was sent has arrived:
 * to wait for all of it would be to see a fall to a quarter after four buckets. */
static gboolean
is_bucket_full (const IvsArrival *self)
{
  const IvsArrivalBucket *bucket = &self->bucket;

  return self->group_sent_us - bucket->sent_us >= IVS_ARRIVAL_BUCKET_US ||
      self->group_arrived_us - bucket->first_us >= IVS_ARRIVAL_BUCKET_US;
}

static void
close_group (IvsArrival *self)
{
  gdouble delay = (gdouble) (self->group_arrived_us - self->group_last_sent_us);

  self->has_group = FALSE;
  if (self->has_bucket && is_bucket_full (self))
    close_bucket (self);
  if (!self->has_bucket) {
    self->has_bucket = TRUE;
    self->bucket = (IvsArrivalBucket){ .sent_us = self->group_sent_us,
      .first_us = self->group_arrived_us,
      .arrived_us = self->group_arrived_us,
      .delay_us = delay };
  }
  self->bucket.delay_us = MIN (self->bucket.delay_us, delay);
  self->bucket.arrived_us =
      MAX (self->bucket.arrived_us, self->group_arrived_us);
  self->bucket.bytes += self->group_bytes;
}

/* Draft 5.2: whether the packet belongs to the group being collected. */
static gboolean
is_same_group (const IvsArrival *self, gint64 sent_us, gint64 arrived_us)
{
  gint64 departure_us = sent_us - self->group_last_sent_us;
  gint64 arrival_us = arrived_us - self->group_arrived_us;

  if (sent_us - self->group_sent_us < IVS_ARRIVAL_BURST_US)
    return TRUE;
  return arrival_us < IVS_ARRIVAL_BURST_US && arrival_us < departure_us &&
      sent_us - self->group_sent_us < IVS_ARRIVAL_BUCKET_US;
}

static void
glance_at (IvsArrivalGlance *glance, gint64 sent_us, gint64 arrived_us,
    guint size)
{
  gdouble delay_us = (gdouble) (arrived_us - sent_us);

  if (glance->n++ == 0) {
    glance->first_us = arrived_us;
    glance->least_us = delay_us;
  } else {
    glance->bytes += size;
  }
  glance->last_us = MAX (glance->last_us, arrived_us);
  glance->least_us = MIN (glance->least_us, delay_us);
  glance->end_us = delay_us;
}

/* The times of feedback count from a packet to the next in 16 bits of 250 us, and after a
 * pause not every receiver begins a new one: GStreamer 1.22's has wrapped then, and its
 * times are 16.384 s off until the next feedback. */
static void
begin_anew_after_jump (IvsArrival *self, gint64 sent_us, gint64 arrived_us)
{
  gint64 change_us = (arrived_us - self->group_arrived_us) -
      (sent_us - self->group_last_sent_us);
  guint received_bps = self->received_bps;

  if (!self->has_group || ABS (change_us) < MAX_JUMP_US)
    return;
  ivs_arrival_init (self);
  self->received_bps = self->best_bps = received_bps;
}

/**
 * ivs_arrival_add_packet:
 * @self: an arrival filter
 * @sent_us: when the packet left, microseconds of the sender's clock
 * @arrived_us: when it arrived, microseconds of the receiver's clock
 * @size: bytes
 *
 * To be called in order of sending, for packets that arrived.
 */
void
ivs_arrival_add_packet (IvsArrival *self, gint64 sent_us, gint64 arrived_us,
    guint size)
{
  begin_anew_after_jump (self, sent_us, arrived_us);
  glance_at (&self->glance, sent_us, arrived_us, size);
  self->packet_us = MIN (self->packet_us, (gdouble) (arrived_us - sent_us));
  if (self->has_group && sent_us < self->group_last_sent_us) {
    self->group_bytes += size;
    return; /* 5.1: out of order */
  }
  if (self->has_group && !is_same_group (self, sent_us, arrived_us))
    close_group (self);
  if (!self->has_group) {
    self->has_group = TRUE;
    self->group_bytes = 0;
    self->group_sent_us = sent_us;
    self->group_arrived_us = arrived_us;
  }
  self->group_last_sent_us = sent_us;
  self->group_arrived_us = MAX (self->group_arrived_us, arrived_us);
  self->group_bytes += size;
}

/* By how much more than on the empty path. */
static gdouble
measure_wait (const IvsArrival *self, gdouble delay_us)
{
  guint n = MIN (self->n_buckets, IVS_ARRIVAL_MEMORY);
  gdouble least = delay_us;

  for (guint i = 0; i < n; i++)
    least = MIN (least, look_back (self, i)->packet_us);
  return delay_us - least;
}

/* The rate at which the packets of the glance came one by one; 0: too few to say. */
static guint
measure_glance (const IvsArrivalGlance *glance)
{
  gint64 took_us = glance->last_us - glance->first_us;

  if (glance->n < COLLAPSE_PACKETS || took_us < COLLAPSE_SPAN_US)
    return 0;
  return (guint) MIN (glance->bytes * 8 * G_USEC_PER_SEC / (guint64) took_us,
      G_MAXINT);
}

/* With what this feedback is compared: the newest that is not of the same moment. */
static const IvsArrivalGlance *
find_before (const IvsArrival *self)
{
  const IvsArrivalGlance *before = NULL;
  guint n = MIN (self->n_glances, IVS_ARRIVAL_GLANCES);

  for (guint i = 1; i <= n; i++) {
    before = &self->glances[(self->n_glances - i) % IVS_ARRIVAL_GLANCES];
    if (self->glance.last_us - before->last_us >= COLLAPSE_APART_US)
      break;
  }
  return before;
}

/* By how much the queue grows of the time that passes at the receiver, if that is
 * much; else 0. */
static gdouble
measure_growth (const IvsArrival *self)
{
  const IvsArrivalGlance *now = &self->glance, *before = find_before (self);
  gdouble apart_us, growth_us;

  if (before == NULL || now->last_us <= before->last_us)
    return 0;
  apart_us = (gdouble) (now->last_us - before->last_us);
  growth_us = now->end_us - before->end_us;
  return growth_us >= MAX (COLLAPSE_GROWTH_US, COLLAPSE_GROWTH * apart_us)
      ? MIN (growth_us / apart_us, 1)
      : 0;
}

/**
 * ivs_arrival_begin_feedback:
 * @self: an arrival filter
 *
 * Before what one feedback says is added.
 */
void
ivs_arrival_begin_feedback (IvsArrival *self)
{
  self->best_bps = self->received_bps;
}

/**
 * ivs_arrival_end_feedback:
 * @self: an arrival filter
 *
 * All packets of a feedback have been added.
 *
 * Returns: whether the path has become much narrower; then @passed_bps is what passes
 *   now and @queue_us what its last packet waited
 */
gboolean
ivs_arrival_end_feedback (IvsArrival *self)
{
  guint passed_bps = measure_glance (&self->glance);
  gdouble growth = measure_growth (self);
  gboolean result = FALSE;

  if (self->glance.n > 0)
    self->wait_us = (gint64) measure_wait (self, self->glance.least_us);
  result = passed_bps > 0 && growth > 0 &&
      passed_bps < COLLAPSE_PART * self->received_bps &&
      self->wait_us >= COLLAPSE_QUEUE_US;
  if (result) {
    self->passed_bps = passed_bps;
    self->queue_us = (gint64) measure_wait (self, self->glance.end_us);
    self->growth = growth;
  }
  if (self->glance.n > 0)
    self->glances[self->n_glances++ % IVS_ARRIVAL_GLANCES] = self->glance;
  self->glance = (IvsArrivalGlance){ 0 };
  return result;
}

/**
 * ivs_arrival_add_change:
 * @self: an arrival filter
 * @now_us: monotonic time, microseconds
 * @change_us: by how much the delay grew since the last call, microseconds
 * @received_bps: bits per second that arrived
 *
 * Instead of ivs_arrival_add_packet() when only this is known.
 */
void
ivs_arrival_add_change (IvsArrival *self, gint64 now_us, gdouble change_us,
    guint received_bps)
{
  gdouble before = self->n_buckets > 0 ? look_back (self, 0)->delay_us : 0;

  if (self->n_buckets > 0 && now_us <= look_back (self, 0)->sent_us)
    return;
  self->bucket = (IvsArrivalBucket){ .sent_us = now_us,
    .arrived_us = now_us,
    .delay_us = before + change_us,
    .received_bps = received_bps };
  close_bucket (self);
}
