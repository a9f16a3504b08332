/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts what the network brought of each RTP source, before any reordering.
 */
#include "stage-arrival.h"

#include <string.h>

static gboolean
was_seen (const StageArrival *source, guint64 number)
{
  guint bit = number % STAGE_ARRIVAL_WINDOW;

  return (source->seen[bit / 8] & (1u << bit % 8)) != 0;
}

static void
set_seen (StageArrival *source, guint64 number, gboolean seen)
{
  guint bit = number % STAGE_ARRIVAL_WINDOW;

  if (seen)
    source->seen[bit / 8] |= (guint8) (1u << bit % 8);
  else
    source->seen[bit / 8] &= (guint8) ~(1u << bit % 8);
}

static void
advance (StageArrival *source, guint step)
{
  for (guint i = 1; i <= MIN (step, STAGE_ARRIVAL_WINDOW); i++)
    set_seen (source, source->highest + i, FALSE);
  source->highest += step;
  source->expected += step;
  set_seen (source, source->highest, TRUE);
  source->arrived++;
}

static void
count_sequence (StageArrival *source, guint16 seq)
{
  gint16 step = (gint16) (seq - (guint16) source->highest);

  if (step > 0) {
    advance (source, (guint) step);
  } else if (-step < STAGE_ARRIVAL_WINDOW) {
    guint64 number = source->highest - (guint64) -step;

    if (number < source->first) {
      source->expected += source->first - number;
      source->first = number;
    }
    if (was_seen (source, number)) {
      source->duplicates++;
    } else {
      set_seen (source, number, TRUE);
      source->arrived++;
      source->reordered++;
    }
  }
}

/* Starts high enough that what comes before the first does not wrap. */
static void
add_source (StageArrivals *arrivals, guint ssrc, guint16 seq)
{
  StageArrival *source;

  if (arrivals->n_sources == STAGE_MAX_SOURCES)
    return;
  source = &arrivals->sources[arrivals->n_sources++];
  memset (source, 0, sizeof *source);
  source->ssrc = ssrc;
  source->first = source->highest = 0x10000u + seq;
  source->expected = source->arrived = 1;
  set_seen (source, source->highest, TRUE);
}

static StageArrival *
find (const StageArrivals *arrivals, guint ssrc)
{
  for (guint i = 0; i < arrivals->n_sources; i++)
    if (arrivals->sources[i].ssrc == ssrc)
      return (StageArrival *) &arrivals->sources[i];
  return NULL;
}

const StageArrival *
stage_arrivals_find (const StageArrivals *arrivals, guint ssrc)
{
  return find (arrivals, ssrc);
}

void
stage_arrivals_count (StageArrivals *arrivals, GstBuffer *packet)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  StageArrival *source;
  guint64 arrived = 0;
  guint ssrc;

  if (!gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp))
    return;
  ssrc = gst_rtp_buffer_get_ssrc (&rtp);
  source = find (arrivals, ssrc);
  if (source != NULL) {
    arrived = source->arrived;
    count_sequence (source, gst_rtp_buffer_get_seq (&rtp));
  } else {
    add_source (arrivals, ssrc, gst_rtp_buffer_get_seq (&rtp));
  }
  source = find (arrivals, ssrc);
  if (source != NULL) {
    source->payload_type = gst_rtp_buffer_get_payload_type (&rtp);
    source->marked +=
        source->arrived > arrived && gst_rtp_buffer_get_marker (&rtp);
    if (source->arrived > arrived)
      stage_opening_count (&source->opening, &rtp, g_get_monotonic_time ());
  }
  gst_rtp_buffer_unmap (&rtp);
}
