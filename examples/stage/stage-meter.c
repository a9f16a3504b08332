/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counts what one RTP stream brought: packets, frames, key frames, gaps, sync.
 *
 * It looks at packets as they leave the jitter buffer, so they are in order and
 * unique; what the jitter buffer dropped is told by stage_meter_set_loss().
 */
#include "stage-meter.h"
#include "stage-json.h"
#include "stage-metadata.h"

#include <gst/base/gstbitreader.h>
#include <gst/codecparsers/gsth264parser.h>
#include <gst/rtp/rtp.h>
#include <math.h>
#include <string.h>

#define FIRST_NALS 12 /* how many NAL types of the start are kept */
#define KEPT_REPORTS 16
#define MAX_SPS 512

/* RFC 6184, table 1 and H.264 table 7-1 */
#define NAL_SLICE 1
#define NAL_IDR 5
#define NAL_SEI 6
#define NAL_SPS 7
#define NAL_STAP_A 24
#define NAL_FU_A 28

typedef struct
{
  guint64 ntp; /* 32.32, seconds since 1900 */
  guint32 rtp;
} Report;

struct _StageMeter
{
  GMutex lock; /* everything below */
  StageMedia media;

  guint ssrc;
  guint payload_type;
  guint64 packets;
  guint64 bytes;
  guint64 gaps;    /* holes in the sequence, each counted once */
  guint64 missing; /* packets that those holes stand for */
  guint sources;   /* how many SSRCs this stream has had */
  guint16 last_seq;
  guint32 last_timestamp;
  guint64 elapsed; /* RTP ticks since the first packet */
  gint64 first_at;
  gint64 last_at;
  gint64 longest_pause;
  gint64 longest_lead; /* of the media before real time, microseconds */
  StageMeterLoss loss;

  /* video */
  guint64 frames;
  guint64 idrs;
  guint64 idr_at;               /* in `elapsed` */
  guint64 longest_idr_interval; /* RTP ticks */
  gboolean frame_has_idr;
  gboolean first_frame_has_sps;
  gboolean first_frame_has_idr;
  guint8 first_nals[FIRST_NALS];
  guint n_first_nals;
  guint64 b_slices;
  guint64 seis;
  gboolean frame_has_slice;
  StageMetadata *metadata;
  guint profile, constraints, level, width, height;
  guint64 resolutions;

  /* audio */
  guint toc;
  guint64 stereo_packets;
  guint64 tiny_packets; /* DTX: nothing but a TOC */

  Report reports[KEPT_REPORTS];
  guint64 n_reports;
  gdouble latency_sum;
  guint latency_count;
  gdouble latency;

  /* rates */
  gint64 ticked_at;
  guint64 ticked_frames, ticked_bytes, ticked_packets;
  gdouble fps, kbps, pps;
};

const gchar *
stage_media_name (StageMedia media)
{
  return media == STAGE_MEDIA_AUDIO ? "audio" : "video";
}

static gdouble
clock_rate (StageMeter *meter)
{
  return meter->media == STAGE_MEDIA_AUDIO ? 48000. : 90000.;
}

StageMeter *
stage_meter_new (StageMedia media)
{
  StageMeter *meter = g_new0 (StageMeter, 1);

  g_mutex_init (&meter->lock);
  meter->media = media;
  meter->metadata = stage_metadata_new ();
  meter->latency = (gdouble) NAN;
  meter->ticked_at = g_get_monotonic_time ();
  return meter;
}

void
stage_meter_free (StageMeter *meter)
{
  stage_metadata_free (meter->metadata);
  g_mutex_clear (&meter->lock);
  g_free (meter);
}

/* -- H.264 ---------------------------------------------------------------- */

static gboolean
read_ue (GstBitReader *reader, guint32 *value)
{
  guint zeros = 0;
  guint8 bit = 0;
  guint32 rest = 0;

  while (gst_bit_reader_get_bits_uint8 (reader, &bit, 1) && bit == 0)
    zeros++;
  if (bit == 0 || zeros > 31)
    return FALSE;
  if (zeros > 0 && !gst_bit_reader_get_bits_uint32 (reader, &rest, zeros))
    return FALSE;
  *value = (guint32) ((G_GUINT64_CONSTANT (1) << zeros) - 1 + rest);
  return TRUE;
}

/* H.264 7.3.3: first_mb_in_slice, slice_type; 1 and 6 are B slices. */
static gboolean
is_b_slice (const guint8 *data, gsize size)
{
  GstBitReader reader = GST_BIT_READER_INIT (data, MIN (size, 16));
  guint32 first_mb, slice_type;

  return read_ue (&reader, &first_mb) && read_ue (&reader, &slice_type) &&
      slice_type % 5 == 1;
}

static void
read_sps (StageMeter *meter, const guint8 *nal, gsize size)
{
  guint8 data[MAX_SPS + 4] = { 0, 0, 0, 1 };
  GstH264NalParser *parser;
  GstH264NalUnit unit;
  GstH264SPS sps;
  gboolean parsed;
  guint width, height;

  if (size < 4 || size > MAX_SPS)
    return;
  memcpy (data + 4, nal, size);
  parser = gst_h264_nal_parser_new ();
  parsed = gst_h264_parser_identify_nalu_unchecked (parser, data, 0, size + 4,
               &unit) == GST_H264_PARSER_OK &&
      gst_h264_parse_sps (&unit, &sps) == GST_H264_PARSER_OK;
  gst_h264_nal_parser_free (parser);
  if (!parsed)
    return;

  width = (guint) (sps.frame_cropping_flag ? sps.crop_rect_width : sps.width);
  height =
      (guint) (sps.frame_cropping_flag ? sps.crop_rect_height : sps.height);
  if (meter->width != width || meter->height != height)
    meter->resolutions++;
  meter->profile = nal[1];
  meter->constraints = nal[2];
  meter->level = nal[3];
  meter->width = width;
  meter->height = height;
  gst_h264_sps_clear (&sps);
}

static void
count_idr (StageMeter *meter)
{
  if (meter->frame_has_idr)
    return; /* another slice of the same picture */
  meter->frame_has_idr = TRUE;
  if (meter->idrs++ > 0)
    meter->longest_idr_interval =
        MAX (meter->longest_idr_interval, meter->elapsed - meter->idr_at);
  meter->idr_at = meter->elapsed;
}

/* One NAL unit or its first fragment; `type` stands apart because a fragment
 * carries it in another byte. */
static void
count_nal (StageMeter *meter, guint type, const guint8 *nal, gsize size)
{
  if (meter->n_first_nals < FIRST_NALS)
    meter->first_nals[meter->n_first_nals++] = (guint8) type;
  if (meter->frames == 1) {
    meter->first_frame_has_sps |= type == NAL_SPS;
    meter->first_frame_has_idr |= type == NAL_IDR;
  }
  meter->frame_has_slice |= type == NAL_SLICE || type == NAL_IDR;
  if (type == NAL_IDR)
    count_idr (meter);
  else if (type == NAL_SPS)
    read_sps (meter, nal, size);
  else if (type == NAL_SEI)
    meter->seis++;
  else if (type == NAL_SLICE && size > 1 && is_b_slice (nal + 1, size - 1))
    meter->b_slices++;
}

static void
take_nal (StageMeter *meter, const guint8 *nal, gsize size)
{
  count_nal (meter, nal[0] & 0x1f, nal, size);
  if ((nal[0] & 0x1f) == NAL_SEI)
    stage_metadata_take_nal (meter->metadata, nal, size,
        meter->frame_has_slice);
}

static void
take_fragment (StageMeter *meter, const guint8 *payload, gsize size)
{
  guint type = payload[1] & 0x1f;

  if (payload[1] & 0x80) /* its first */
    count_nal (meter, type, payload + 1, size - 1);
  if (type == NAL_SEI)
    stage_metadata_take_fragment (meter->metadata, payload, size,
        meter->last_seq, meter->frame_has_slice);
}

static void
count_aggregate (StageMeter *meter, const guint8 *data, gsize size)
{
  while (size > 3) {
    gsize length = GST_READ_UINT16_BE (data);

    data += 2;
    size -= 2;
    if (length == 0 || length > size)
      return;
    take_nal (meter, data, length);
    data += length;
    size -= length;
  }
}

static void
count_video (StageMeter *meter, const guint8 *payload, gsize size)
{
  guint type;

  if (size < 2)
    return;
  type = payload[0] & 0x1f;
  if (type == NAL_STAP_A)
    count_aggregate (meter, payload + 1, size - 1);
  else if (type == NAL_FU_A)
    take_fragment (meter, payload, size);
  else
    take_nal (meter, payload, size);
}

static void
count_audio (StageMeter *meter, const guint8 *payload, gsize size)
{
  if (size == 0)
    return;
  meter->toc = payload[0]; /* RFC 6716, 3.1 */
  if (payload[0] & 0x04)
    meter->stereo_packets++;
  if (size <= 2)
    meter->tiny_packets++;
}

/* -- Packets -------------------------------------------------------------- */

static void
count_sequence (StageMeter *meter, guint16 seq, guint32 ssrc)
{
  guint16 step = (guint16) (seq - meter->last_seq);

  if (meter->packets == 0 || ssrc != meter->ssrc)
    meter->sources++;
  else if (step > 1 && step < 0x8000) {
    meter->gaps++;
    meter->missing += step - 1u;
  }
  meter->last_seq = seq;
  meter->ssrc = ssrc;
}

static gdouble
ntp_to_seconds (guint64 ntp)
{
  return (gdouble) ntp / 4294967296.;
}

/* From the sender's clock, through its last report, to our clock. */
static void
measure_latency (StageMeter *meter, guint32 timestamp)
{
  const Report *report;
  gdouble sent, now;

  if (meter->n_reports == 0)
    return;
  report = &meter->reports[(meter->n_reports - 1) % KEPT_REPORTS];
  sent = ntp_to_seconds (report->ntp) - 2208988800. +
      (gint32) (timestamp - report->rtp) / clock_rate (meter);
  now = (gdouble) g_get_real_time () / G_USEC_PER_SEC;
  meter->latency_sum += (now - sent) * 1000.;
  meter->latency_count++;
}

static void
count_timestamp (StageMeter *meter, guint32 timestamp)
{
  gint32 step = (gint32) (timestamp - meter->last_timestamp);

  if (meter->packets > 0 && step == 0)
    return;
  if (meter->packets > 0 && step > 0)
    meter->elapsed += (guint32) step;
  meter->last_timestamp = timestamp;
  meter->frames++;
  meter->frame_has_idr = FALSE;
  meter->frame_has_slice = FALSE;
  measure_latency (meter, timestamp);
}

/* How much more has been sent than time has passed: a burst of what had waited. */
static void
measure_lead (StageMeter *meter)
{
  gint64 sent =
      (gint64) ((gdouble) meter->elapsed * G_USEC_PER_SEC / clock_rate (meter));

  meter->longest_lead =
      MAX (meter->longest_lead, sent - (meter->last_at - meter->first_at));
}

static void
count_arrival (StageMeter *meter, gint64 now)
{
  if (meter->packets == 0)
    meter->first_at = now;
  else
    meter->longest_pause = MAX (meter->longest_pause, now - meter->last_at);
  meter->last_at = now;
}

void
stage_meter_count_packet (StageMeter *meter, GstBuffer *packet)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&meter->lock);

  if (!gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp))
    return;
  count_arrival (meter, g_get_monotonic_time ());
  count_timestamp (meter, gst_rtp_buffer_get_timestamp (&rtp));
  measure_lead (meter);
  count_sequence (meter, gst_rtp_buffer_get_seq (&rtp),
      gst_rtp_buffer_get_ssrc (&rtp));
  meter->payload_type = gst_rtp_buffer_get_payload_type (&rtp);
  if (meter->media == STAGE_MEDIA_VIDEO)
    count_video (meter, gst_rtp_buffer_get_payload (&rtp),
        gst_rtp_buffer_get_payload_len (&rtp));
  else
    count_audio (meter, gst_rtp_buffer_get_payload (&rtp),
        gst_rtp_buffer_get_payload_len (&rtp));
  meter->packets++;
  meter->bytes += gst_buffer_get_size (packet);
  gst_rtp_buffer_unmap (&rtp);
}

void
stage_meter_count_report (StageMeter *meter, guint64 ntp, guint32 rtp)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&meter->lock);
  Report *report = &meter->reports[meter->n_reports++ % KEPT_REPORTS];

  report->ntp = ntp;
  report->rtp = rtp;
}

void
stage_meter_set_loss (StageMeter *meter, const StageMeterLoss *loss)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&meter->lock);

  meter->loss = *loss;
}

void
stage_meter_tick (StageMeter *meter)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&meter->lock);
  gint64 now = g_get_monotonic_time ();
  gdouble seconds = (gdouble) (now - meter->ticked_at) / G_USEC_PER_SEC;

  if (seconds < 0.1)
    return;
  meter->fps = (gdouble) (meter->frames - meter->ticked_frames) / seconds;
  meter->pps = (gdouble) (meter->packets - meter->ticked_packets) / seconds;
  meter->kbps =
      (gdouble) (meter->bytes - meter->ticked_bytes) * 8. / 1000. / seconds;
  if (meter->latency_count > 0)
    meter->latency = meter->latency_sum / meter->latency_count;
  meter->latency_sum = 0.;
  meter->latency_count = 0;
  meter->ticked_at = now;
  meter->ticked_frames = meter->frames;
  meter->ticked_packets = meter->packets;
  meter->ticked_bytes = meter->bytes;
}

StageMeterSummary
stage_meter_summarise (StageMeter *meter)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&meter->lock);

  return (StageMeterSummary){ .packets = meter->packets,
    .lost = meter->missing,
    .width = meter->width,
    .height = meter->height,
    .ssrc = meter->ssrc,
    .fps = meter->fps,
    .kbps = meter->kbps,
    .latency_ms = meter->latency };
}

/* -- JSON ----------------------------------------------------------------- */

/* JSON has no NaN; one digit after the point is enough to read. */
static void
add_number (JsonBuilder *builder, const gchar *name, gdouble value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, round (value * 10.) / 10.);
  else
    json_builder_add_null_value (builder);
}

static void
write_video (StageMeter *meter, JsonBuilder *builder)
{
  stage_json_add_int (builder, "frames", meter->frames);
  stage_json_add_int (builder, "idrs", meter->idrs);
  add_number (builder, "max_idr_interval_ms",
      (gdouble) meter->longest_idr_interval / 90.);
  stage_json_add_bool (builder, "starts_with_idr",
      meter->first_frame_has_sps && meter->first_frame_has_idr);
  stage_json_add_int (builder, "b_slices", meter->b_slices);
  stage_json_add_int (builder, "seis", meter->seis);
  stage_json_add_int (builder, "profile", meter->profile);
  stage_json_add_int (builder, "constraints", meter->constraints);
  stage_json_add_int (builder, "level", meter->level);
  stage_json_add_int (builder, "width", meter->width);
  stage_json_add_int (builder, "height", meter->height);
  stage_json_add_int (builder, "resolutions", meter->resolutions);
  add_number (builder, "fps", meter->fps);
  json_builder_set_member_name (builder, "first_nals");
  json_builder_begin_array (builder);
  for (guint i = 0; i < meter->n_first_nals; i++)
    json_builder_add_int_value (builder, meter->first_nals[i]);
  json_builder_end_array (builder);
  stage_metadata_write (meter->metadata, builder);
}

static void
write_audio (StageMeter *meter, JsonBuilder *builder)
{
  stage_json_add_int (builder, "toc", meter->toc);
  stage_json_add_int (builder, "channels", meter->toc & 0x04 ? 2 : 1);
  stage_json_add_int (builder, "stereo_packets", meter->stereo_packets);
  stage_json_add_int (builder, "tiny_packets", meter->tiny_packets);
}

/* `rate` is RTP ticks per second of the sender's NTP clock since the report
 * before: 90000 or 48000 unless the sender's reports are wrong. */
static void
write_reports (StageMeter *meter, JsonBuilder *builder)
{
  guint64 first =
      meter->n_reports > KEPT_REPORTS ? meter->n_reports - KEPT_REPORTS : 0;

  stage_json_add_int (builder, "n_reports", meter->n_reports);
  json_builder_set_member_name (builder, "reports");
  json_builder_begin_array (builder);
  for (guint64 i = first; i < meter->n_reports; i++) {
    const Report *report = &meter->reports[i % KEPT_REPORTS];
    const Report *before = &meter->reports[(i - 1) % KEPT_REPORTS];

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "ntp");
    json_builder_add_double_value (builder, ntp_to_seconds (report->ntp));
    stage_json_add_int (builder, "rtp", report->rtp);
    add_number (builder, "rate",
        i == first ? (gdouble) NAN
                   : (gint32) (report->rtp - before->rtp) /
                ntp_to_seconds (report->ntp - before->ntp));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
write_arrival (const StageArrival *arrival, JsonBuilder *builder)
{
  stage_json_add_int (builder, "arrived", arrival->arrived);
  stage_json_add_int (builder, "never_arrived",
      arrival->expected - arrival->arrived);
  stage_json_add_int (builder, "arrived_twice", arrival->duplicates);
  stage_json_add_int (builder, "reordered", arrival->reordered);
  stage_json_add_int (builder, "marked", arrival->marked);
  stage_json_add_int (builder, "first_sequence", arrival->first & 0xffff);
  stage_json_add_int (builder, "last_sequence", arrival->highest & 0xffff);
}

static void
write_opening (const StageOpening *opening, JsonBuilder *builder)
{
  stage_json_add_int (builder, "first_picture_us",
      (guint64) opening->first_picture_us);
  add_number (builder, "arrived_lead_ms",
      (gdouble) opening->longest_lead_us / 1000.);
}

void
stage_meter_write (StageMeter *meter, JsonBuilder *builder,
    const StageArrival *arrival, gint64 began)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&meter->lock);
  gint64 now = g_get_monotonic_time ();

  json_builder_begin_object (builder);
  stage_json_add_int (builder, "ssrc", meter->ssrc);
  stage_json_add_int (builder, "sources", meter->sources);
  stage_json_add_int (builder, "payload_type", meter->payload_type);
  stage_json_add_int (builder, "packets", meter->packets);
  stage_json_add_int (builder, "bytes", meter->bytes);
  if (arrival != NULL)
    write_arrival (arrival, builder);
  if (arrival != NULL && meter->media == STAGE_MEDIA_VIDEO)
    write_opening (&arrival->opening, builder);
  stage_json_add_int (builder, "gaps", meter->gaps);
  stage_json_add_int (builder, "missing", meter->missing);
  stage_json_add_int (builder, "lost", meter->loss.lost);
  stage_json_add_int (builder, "late", meter->loss.late);
  stage_json_add_int (builder, "duplicates", meter->loss.duplicates);
  stage_json_add_int (builder, "retransmitted", meter->loss.retransmitted);
  add_number (builder, "first_packet_ms",
      meter->packets > 0 ? (gdouble) (meter->first_at - began) / 1000.
                         : (gdouble) NAN);
  add_number (builder, "last_packet_age_ms",
      meter->packets > 0 ? (gdouble) (now - meter->last_at) / 1000.
                         : (gdouble) NAN);
  add_number (builder, "max_pause_ms", (gdouble) meter->longest_pause / 1000.);
  add_number (builder, "media_ms",
      (gdouble) meter->elapsed * 1000. / clock_rate (meter));
  add_number (builder, "max_lead_ms", (gdouble) meter->longest_lead / 1000.);
  add_number (builder, "kbps", meter->kbps);
  add_number (builder, "packets_per_second", meter->pps);
  add_number (builder, "latency_ms", meter->latency);
  if (meter->media == STAGE_MEDIA_VIDEO)
    write_video (meter, builder);
  else
    write_audio (meter, builder);
  write_reports (meter, builder);
  json_builder_end_object (builder);
}
