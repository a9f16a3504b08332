/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A simulated path: a sender whose rate is controlled, and a bottleneck.
 *
 * An encoder (IDR pictures are four times as big), whose pictures are paced while the
 * target is not the most there is, and audio go, together with a flow that does not care, through a queue that is
 * served at a given rate and drops what does not fit; then a delay, jitter
 * without reordering and random loss. Feedback comes as from a transport-wide
 * receiver every 100 ms, receiver reports every second. Time is simulated, chance has a
 * seed: each run is the same.
 */
#pragma once

#include "ivs-pacer.h"
#include "ivs-quality.h"
#include "ivs-rate.h"

#define TICK_US 1000
#define RECORD_US 100000
#define PACKET_SIZE 1200
#define AUDIO_SIZE 160
#define AUDIO_US 20000
#define AUDIO_BPS (AUDIO_SIZE * 8 * (G_USEC_PER_SEC / AUDIO_US))
#define FRAME_US 33333
#define IDR_FRAMES 60
#define IDR_SIZE 4
/* As the element does it. */
#define PACE 2.5
#define PACE_LIMIT_US 25000
#define MAX_RECORDS 6000
/* The clocks of both ends have nothing in common. */
#define CLOCK_OFFSET_US G_GINT64_CONSTANT (987654321000)
#define NOT_YET G_MAXINT64

typedef enum
{
  FEEDBACK_PACKETS, /* times of each packet */
  FEEDBACK_SUMMARY, /* means over 300 ms, as GStreamer's twcc-stats */
  FEEDBACK_NONE     /* receiver reports only */
} FeedbackKind;

/* The other flow takes what it gets, as TCP does (Reno without slow start). */
#define GREEDY G_MAXUINT

/* From @at_s on. */
typedef struct
{
  gdouble at_s;
  guint kbps; /* of the bottleneck; 0 = the last phase was the last one */
  guint cross_kbps;
} Phase;

typedef struct
{
  const gchar *name;
  FeedbackKind feedback;
  guint seconds;
  guint rtt_ms;   /* with an empty queue */
  guint queue_ms; /* what fits into the queue, at the rate of the first phase */
  gdouble loss;
  guint jitter_ms;
  guint start_kbps;
  guint max_kbps;
  guint encoder_kbps;  /* it never makes more, 0 = as told */
  gdouble deaf_from_s; /* feedback does not come back */
  gdouble deaf_to_s;
  gboolean loses_reports; /* nor do reports, then */
  Phase phases[8];
  gboolean is_unpaced;
} PathConfig;

/* What was so in the 100 ms before it. */
typedef struct
{
  gdouble capacity; /* without the other flow, bits per second */
  gdouble target;
  gdouble sent;
  gdouble received;
  gdouble queue_ms; /* the longest */
  gdouble gap_ms;   /* since the picture before, the longest */
  gdouble lost;     /* packets */
  IvsUsage usage;
  IvsAimdState state;
  guint step; /* of the quality */
} Record;

typedef struct
{
  gint64 sent_us;
  gint64 arrived_us; /* -1 = lost */
  guint size;
  gboolean ends_frame;
} Packet;

typedef struct
{
  gint64 due_us;
  guint size;
  gboolean ends_frame;
} Paced;

typedef struct
{
  gint index; /* of the packet, -1 = of the other flow */
  guint size;
} Queued;

typedef struct
{
  gint64 at_us;
  guint first, end; /* packets */
} Feedback;

typedef struct
{
  const PathConfig *config;
  IvsRate rate;
  IvsQuality quality;
  GRand *random;
  gint64 now_us;

  guint target;
  guint n_frames; /* begins anywhere between two IDR pictures */
  gint64 next_frame_us, next_audio_us;
  gdouble cross_credit;

  IvsPacer pacer;
  GQueue paced;    /* Paced */
  GArray *packets; /* Packet */
  GQueue queue;    /* Queued */
  guint queue_bytes;
  gdouble window; /* of a greedy flow, packets */
  guint in_flight;
  gint64 halved_us;
  GQueue acks;            /* gint64, when they come back */
  gdouble service_credit; /* bytes */
  gint64 last_arrival_us;
  gint64 last_frame_us;

  guint n_seen;     /* by feedback */
  GQueue feedbacks; /* Feedback, on their way */
  guint report_sent, report_lost;
  guint summary_first;

  guint n_records;
  Record *record; /* the current one */
  Record records[MAX_RECORDS + 1];
} Path;

static const Phase *
path_get_phase (const Path *path)
{
  const Phase *phase = path->config->phases;

  while (
      phase + 1 < path->config->phases + G_N_ELEMENTS (path->config->phases) &&
      phase[1].kbps > 0 &&
      phase[1].at_s * G_USEC_PER_SEC <= (gdouble) path->now_us)
    phase++;
  return phase;
}

static void
path_drop (Path *path, gint index)
{
  if (index >= 0) {
    g_array_index (path->packets, Packet, index).arrived_us = -1;
    path->record->lost++;
  } else if (path->in_flight > 0) {
    path->in_flight--;
    if (path->now_us - path->halved_us > 2 * path->config->rtt_ms * 1000)
      path->window = MAX (path->window / 2, 2);
    path->halved_us = path->now_us;
  }
}

static void
path_enqueue (Path *path, gint index, guint size)
{
  const PathConfig *config = path->config;
  guint limit = config->phases[0].kbps * config->queue_ms / 8;
  Queued *queued;

  if (path->queue_bytes + size > limit) {
    path_drop (path, index);
    return;
  }
  queued = g_new (Queued, 1);
  *queued = (Queued){ .index = index, .size = size };
  g_queue_push_tail (&path->queue, queued);
  path->queue_bytes += size;
}

static void
path_send (Path *path, guint size, gboolean ends_frame)
{
  Packet packet = { .sent_us = path->now_us,
    .arrived_us = NOT_YET,
    .size = size,
    .ends_frame = ends_frame };

  g_array_append_val (path->packets, packet);
  path->record->sent += size * 8;
  path_enqueue (path, (gint) path->packets->len - 1, size);
}

static void
path_pace (Path *path, guint bytes)
{
  gboolean is_paced =
      !path->config->is_unpaced && path->target < path->config->max_kbps * 1000;

  path->pacer.bps = is_paced ? (guint) (PACE * path->target) : 0;
  ivs_pacer_begin (&path->pacer, path->now_us, bytes, PACE_LIMIT_US);
  while (bytes > 0) {
    Paced paced = { .size = MIN (bytes, PACKET_SIZE) };

    bytes -= paced.size;
    paced.ends_frame = bytes == 0;
    paced.due_us = ivs_pacer_place (&path->pacer, paced.size);
    g_queue_push_tail (&path->paced, g_memdup2 (&paced, sizeof paced));
  }
}

static void
path_send_paced (Path *path)
{
  Paced *paced;

  while ((paced = g_queue_peek_head (&path->paced)) != NULL &&
      paced->due_us <= path->now_us) {
    path_send (path, paced->size, paced->ends_frame);
    g_free (g_queue_pop_head (&path->paced));
  }
}

static void
path_send_media (Path *path)
{
  gdouble video = path->target;

  if (path->config->encoder_kbps > 0)
    video = MIN (video, path->config->encoder_kbps * 1000.0);
  if (path->now_us >= path->next_audio_us) {
    path->next_audio_us += AUDIO_US;
    path_send (path, AUDIO_SIZE, FALSE);
  }
  if (path->now_us >= path->next_frame_us &&
      ivs_rate_get_pause (&path->rate, path->now_us) > 0) {
    path->next_frame_us += FRAME_US;
  } else if (path->now_us >= path->next_frame_us) {
    gdouble mean =
        MAX (video - AUDIO_BPS, 20000) / 8 * FRAME_US / G_USEC_PER_SEC;
    gdouble part = path->n_frames++ % IDR_FRAMES == 0
        ? IDR_SIZE
        : g_rand_double_range (path->random, 0.8, 1.2) *
            (IDR_FRAMES - IDR_SIZE) / (IDR_FRAMES - 1);

    path->next_frame_us += FRAME_US;
    path_pace (path, (guint) (mean * part) + 1);
  }
  path_send_paced (path);
}

static void
path_send_greedy (Path *path)
{
  gint64 *ack;

  while (
      (ack = g_queue_peek_head (&path->acks)) != NULL && *ack <= path->now_us) {
    g_free (g_queue_pop_head (&path->acks));
    path->window += 1 / path->window;
    path->in_flight--;
  }
  path->window = MAX (path->window, 2);
  while (path->in_flight + 1 <= path->window) {
    path->in_flight++;
    path_enqueue (path, -1, PACKET_SIZE);
    if (path->halved_us == path->now_us)
      return;
  }
}

static void
path_send_cross (Path *path, guint kbps)
{
  if (kbps == GREEDY) {
    path_send_greedy (path);
    return;
  }
  path->cross_credit += kbps / 8.0; /* bytes per millisecond */
  for (; path->cross_credit >= PACKET_SIZE; path->cross_credit -= PACKET_SIZE)
    path_enqueue (path, -1, PACKET_SIZE);
}

static void
path_arrive (Path *path, Packet *packet, gint64 left_us)
{
  const PathConfig *config = path->config;
  gint64 at_us = left_us + config->rtt_ms * 500;

  path->record->queue_ms =
      MAX (path->record->queue_ms, (left_us - packet->sent_us) / 1000.0);
  if (g_rand_double (path->random) < config->loss) {
    packet->arrived_us = -1;
    path->record->lost++;
    return;
  }
  if (config->jitter_ms > 0)
    at_us +=
        g_rand_int_range (path->random, 0, (gint) config->jitter_ms * 1000);
  at_us = path->last_arrival_us = MAX (at_us, path->last_arrival_us + 10);
  packet->arrived_us = at_us;
  path->record->received += packet->size * 8;
  if (!packet->ends_frame)
    return;
  if (path->last_frame_us > 0)
    path->record->gap_ms =
        MAX (path->record->gap_ms, (at_us - path->last_frame_us) / 1000.0);
  path->last_frame_us = at_us;
}

static void
path_serve (Path *path, guint kbps)
{
  gdouble per_tick = kbps / 8.0;

  path->service_credit += per_tick;
  while (!g_queue_is_empty (&path->queue)) {
    Queued *head = g_queue_peek_head (&path->queue);
    gdouble left;

    if (head->size > path->service_credit)
      return;
    path->service_credit -= head->size;
    left = 1 - MIN (path->service_credit / per_tick, 1);
    path->queue_bytes -= head->size;
    if (head->index >= 0)
      path_arrive (path, &g_array_index (path->packets, Packet, head->index),
          path->now_us + (gint64) (left * TICK_US));
    else if (path->in_flight > 0)
      g_queue_push_tail (&path->acks,
          g_memdup2 (&(gint64){ path->now_us + path->config->rtt_ms * 1000 },
              sizeof (gint64)));
    g_free (g_queue_pop_head (&path->queue));
  }
  path->service_credit = MIN (path->service_credit, per_tick);
}

/* The receiver tells what came up to now. */
static void
path_make_feedback (Path *path)
{
  guint end = path->n_seen;
  Feedback *feedback;

  for (guint i = path->n_seen; i < path->packets->len; i++) {
    const Packet *packet = &g_array_index (path->packets, Packet, i);

    if (packet->arrived_us >= 0 && packet->arrived_us <= path->now_us)
      end = i + 1;
  }
  if (end == path->n_seen)
    return;
  feedback = g_new (Feedback, 1);
  *feedback = (Feedback){ .at_us = path->now_us + path->config->rtt_ms * 500,
    .first = path->n_seen,
    .end = end };
  path->n_seen = end;
  g_queue_push_tail (&path->feedbacks, feedback);
}

static void
path_give_packets (Path *path, const Feedback *feedback)
{
  guint n = feedback->end - feedback->first;
  g_autofree IvsRatePacket *packets = g_new (IvsRatePacket, n);
  IvsRateFeedback given = { .now_us = path->now_us,
    .packets = packets,
    .n_packets = n };

  for (guint i = 0; i < n; i++) {
    const Packet *packet =
        &g_array_index (path->packets, Packet, feedback->first + i);

    packets[i] = (IvsRatePacket){ .sent_us = packet->sent_us,
      .size = packet->size,
      .arrived_us = packet->arrived_us < 0
          ? -1
          : packet->arrived_us / 250 * 250 + CLOCK_OFFSET_US };
  }
  ivs_rate_feedback (&path->rate, &given);
}

/* As rtpsession does: over the last 300 ms, pairs without a lost packet. */
static void
path_give_summary (Path *path, const Feedback *feedback)
{
  const Packet *before = NULL, *first = NULL, *last = NULL;
  const Packet *end = &g_array_index (path->packets, Packet, feedback->end - 1);
  IvsRateFeedback given = { .now_us = path->now_us,
    .packets_sent = feedback->end - feedback->first };
  gint64 sum = 0, n = 0, bits = 0;

  for (guint i = path->summary_first; i < feedback->end; i++) {
    const Packet *packet = &g_array_index (path->packets, Packet, i);
    gboolean has_come = packet->arrived_us >= 0;

    if (i >= feedback->first)
      given.packets_received += has_come;
    if (end->sent_us - packet->sent_us > 300000) {
      path->summary_first = i + 1;
      continue;
    }
    if (has_come && before != NULL) {
      sum += packet->arrived_us - before->arrived_us -
          (packet->sent_us - before->sent_us);
      n++;
    }
    before = has_come ? packet : NULL;
    if (!has_come)
      continue;
    first = first != NULL ? first : packet;
    last = packet;
    bits += packet->size * 8;
  }
  if (n > 0 && last->arrived_us > first->arrived_us) {
    given.delta_of_delta_ns = sum * 1000 / n;
    given.received_bps = (guint) (bits * G_USEC_PER_SEC /
        (last->arrived_us - first->arrived_us));
  }
  ivs_rate_feedback (&path->rate, &given);
}

static void
path_hear (Path *path, gboolean is_deaf)
{
  Feedback *feedback = g_queue_peek_head (&path->feedbacks);

  if (feedback == NULL || feedback->at_us > path->now_us)
    return;
  for (guint i = feedback->first; i < feedback->end; i++) {
    path->report_sent++;
    path->report_lost +=
        g_array_index (path->packets, Packet, i).arrived_us < 0;
  }
  if (!is_deaf && path->config->feedback == FEEDBACK_PACKETS)
    path_give_packets (path, feedback);
  else if (!is_deaf && path->config->feedback == FEEDBACK_SUMMARY)
    path_give_summary (path, feedback);
  g_free (g_queue_pop_head (&path->feedbacks));
  /* Less is obeyed at once. */
  path->target =
      MIN (path->target, ivs_rate_get_target (&path->rate, path->now_us));
}

static void
path_report (Path *path, gboolean is_deaf, guint kbps)
{
  gint64 queue_us = (gint64) path->queue_bytes * 8000 / kbps;

  if (path->report_sent == 0)
    return;
  if (!is_deaf || !path->config->loses_reports)
    ivs_rate_report (&path->rate, path->now_us,
        (gdouble) path->report_lost / path->report_sent,
        path->config->rtt_ms * 1000 + queue_us);
  path->report_sent = path->report_lost = 0;
}

/* Closes a record and opens the next. */
static void
path_record (Path *path, const Phase *phase)
{
  Record *record = path->record;
  gdouble per_second = (gdouble) G_USEC_PER_SEC / RECORD_US;

  record->capacity = phase->cross_kbps == GREEDY
      ? 500.0 * phase->kbps /* the fair share */
      : 1000.0 * (phase->kbps - phase->cross_kbps);
  record->target = path->target;
  record->sent *= per_second;
  record->received *= per_second;
  record->usage = path->rate.arrival.usage;
  record->state = path->rate.aimd.state;
  record->step = path->quality.step;
  path->n_records++;
  g_assert_cmpuint (path->n_records, <=, MAX_RECORDS);
  path->record++;
}

static void
path_tick (Path *path)
{
  const PathConfig *config = path->config;
  const Phase *phase = path_get_phase (path);
  gdouble now_s = path->now_us / (gdouble) G_USEC_PER_SEC;
  gboolean is_deaf = now_s >= config->deaf_from_s && now_s < config->deaf_to_s;

  path_send_media (path);
  path_send_cross (path, phase->cross_kbps);
  path_serve (path, phase->kbps);
  if (path->now_us % RECORD_US == 0)
    path_make_feedback (path);
  path_hear (path, is_deaf);
  if (path->now_us % G_USEC_PER_SEC == 0)
    path_report (path, is_deaf, phase->kbps);
  if (path->now_us % RECORD_US == 0) {
    path->target = ivs_rate_get_target (&path->rate, path->now_us);
    ivs_quality_update (&path->quality, path->now_us,
        ivs_quality_get_video_share (path->target, AUDIO_BPS, 0));
    path_record (path, phase);
  }
}

static Path *
path_run (const PathConfig *config, guint seed)
{
  Path *path = g_new0 (Path, 1);
  IvsRateConfig range = { .min_bps = 100000,
    .max_bps = config->max_kbps * 1000,
    .start_bps = config->start_kbps * 1000 };

  path->config = config;
  path->random = g_rand_new_with_seed (seed);
  path->n_frames = g_rand_int_range (path->random, 0, IDR_FRAMES);
  path->packets = g_array_new (FALSE, FALSE, sizeof (Packet));
  path->record = path->records;
  path->now_us = TICK_US;
  path->target = range.start_bps;
  ivs_rate_init (&path->rate, &range, path->now_us);
  ivs_quality_init (&path->quality,
      &(IvsQualitySource){ 1280, 720, 30, 1, 160, 10 });
  for (; path->now_us <= (gint64) config->seconds * G_USEC_PER_SEC;
       path->now_us += TICK_US)
    path_tick (path);
  return path;
}

static void
path_free (Path *path)
{
  g_rand_free (path->random);
  g_array_unref (path->packets);
  g_queue_clear_full (&path->paced, g_free);
  g_queue_clear_full (&path->queue, g_free);
  g_queue_clear_full (&path->acks, g_free);
  g_queue_clear_full (&path->feedbacks, g_free);
  g_free (path);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Path, path_free)
