/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The monitor: measures what really leaves for the stage, and says when it is not
 * what a stage takes.
 *
 * What happens is counted in slots of 100 ms, of which the last ten seconds are
 * kept: all rates are sums over slots that are over. A ring begins with the first
 * packet, and anew with the first one after a stop, so that no rate is low because
 * nothing was sent yet.
 */
#include "gstivsmonitor.h"
#include "gstivsh264.h"
#include "ivs-limits.h"
#include <gst/rtp/rtp.h>
#include <string.h>

#define SLOT (100 * GST_MSECOND)
#define SLOTS_PER_SECOND 10
#define WINDOW_SLOTS 100           /* 10 s */
#define N_SLOTS (WINDOW_SLOTS + 1) /* and the one that is being filled */

#define STOPPED_AFTER (IVS_DIAGNOSIS_STOPPED_AFTER * GST_SECOND)
#define REPORT_INTERVAL (60 * GST_SECOND)

/* One that is larger is not read; it would not fit a packet of the usual MTU. */
#define MAX_SPS 1500

/* RFC 6716, 3.1 and 3.2.1: a TOC byte with no frame behind it, or with one byte
 * that says so, is what DTX leaves of a packet. */
#define MAX_DTX_SIZE 2

#define VIDEO_CLOCK_RATE 90000 /* RFC 6184, 5.1 */

typedef struct
{
  guint bytes;
  guint frames;
  guint withheld;
  guint pictures, b_pictures, idr_pictures, bare_idr_pictures;
  guint samples;        /* of Opus, at 48 kHz */
  guint silent_samples; /* ... in packets of DTX */
  guint missing_ticks;  /* RTP ticks that no packet covers */
  guint ticks;          /* RTP ticks from packet to packet, where ... */
  guint ticked_samples; /* ... that many samples ought to be */
  GstClockTime
      spacing; /* the longest between two IDR pictures that ended here */
} Slot;

typedef struct
{
  gboolean is_expected;
  GstClockTime expected_since;
  GstClockTime last_packet; /* since it is expected, or NONE */
  guint64 packets, bytes;   /* in all */

  GstClockTime begin; /* of slot 0 */
  guint64 slot;       /* since begin, which is being filled */
  Slot slots[N_SLOTS];
} Flow;

typedef struct
{
  guint8 sps_body[MAX_SPS];
  gsize sps_size;
  GstIvsSps sps; /* width 0: not known */

  gboolean has_sps, has_pps; /* since the last slice */
  gboolean awaits_frame;     /* the next marker ends a frame */
  guint64 frames, key_frames;
  GstClockTime last_idr; /* or, before the first, the first packet */
  guint32 idr_timestamp; /* of that one */
  guint32 timestamp;     /* of the last packet */
  GstClockTime max_spacing;
} Video;

typedef struct
{
  guint channels, announced_channels, bandwidth;
  guint samples; /* of the last packet */
  guint32 timestamp;
  gboolean has_timestamp;
} Audio;

/* Whether a crossing was told, and when the diagnosis was told the last time. */
typedef struct
{
  gboolean is_told;
  GstClockTime told_at; /* or NONE */
} Report;

struct _GstIvsMonitor
{
  GMutex lock;

  /* Protected by lock. */
  Flow flows[GST_IVS_N_KINDS];
  Video video;
  Audio audio;
  Report reports[IVS_N_DIAGNOSES];
};

static void
reset_flow (Flow *flow)
{
  flow->last_packet = GST_CLOCK_TIME_NONE;
  flow->begin = GST_CLOCK_TIME_NONE;
}

GstIvsMonitor *
gst_ivs_monitor_new (void)
{
  GstIvsMonitor *self = g_atomic_rc_box_new0 (GstIvsMonitor);

  g_mutex_init (&self->lock);
  for (guint i = 0; i < GST_IVS_N_KINDS; i++)
    reset_flow (&self->flows[i]);
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++)
    self->reports[i].told_at = GST_CLOCK_TIME_NONE;
  return self;
}

GstIvsMonitor *
gst_ivs_monitor_ref (GstIvsMonitor *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
monitor_clear (GstIvsMonitor *self)
{
  g_mutex_clear (&self->lock);
}

void
gst_ivs_monitor_unref (GstIvsMonitor *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) monitor_clear);
}

void
gst_ivs_monitor_expect (GstIvsMonitor *self, GstIvsKind kind,
    gboolean is_expected, GstClockTime now)
{
  Flow *flow = &self->flows[kind];

  g_mutex_lock (&self->lock);
  if (is_expected != flow->is_expected) {
    flow->is_expected = is_expected;
    flow->expected_since = now;
    reset_flow (flow);
  }
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_monitor_announce_channels (GstIvsMonitor *self, guint channels)
{
  g_mutex_lock (&self->lock);
  self->audio.announced_channels = channels;
  g_mutex_unlock (&self->lock);
}

/* -- Slots ------------------------------------------------------------------------- */

static Slot *
current_slot (Flow *flow)
{
  return &flow->slots[flow->slot % N_SLOTS];
}

/* Of the last @slots that are over, or as many as there are. */
static guint
sum_up (const Flow *flow, guint slots, Slot *sum)
{
  guint n = (guint) MIN (slots, flow->slot);

  memset (sum, 0, sizeof *sum);
  for (guint64 i = flow->slot - n; i < flow->slot; i++) {
    const Slot *slot = &flow->slots[i % N_SLOTS];

    sum->bytes += slot->bytes;
    sum->frames += slot->frames;
    sum->withheld += slot->withheld;
    sum->pictures += slot->pictures;
    sum->b_pictures += slot->b_pictures;
    sum->idr_pictures += slot->idr_pictures;
    sum->bare_idr_pictures += slot->bare_idr_pictures;
    sum->samples += slot->samples;
    sum->silent_samples += slot->silent_samples;
    sum->missing_ticks += slot->missing_ticks;
    sum->ticks += slot->ticks;
    sum->ticked_samples += slot->ticked_samples;
    sum->spacing = MAX (sum->spacing, slot->spacing);
  }
  return n;
}

/* Bytes of the last second that is over, or as much of it as is known. */
static guint
bytes_of_second (const Flow *flow)
{
  Slot sum;

  sum_up (flow, SLOTS_PER_SECOND, &sum);
  return sum.bytes;
}

/* Of the window: from one second to the one before, a slot comes in and one goes. */
static guint
bytes_of_fullest_second (const Flow *flow)
{
  guint64 oldest = flow->slot - MIN (flow->slot, WINDOW_SLOTS);
  guint64 begin = flow->slot - MIN (flow->slot, SLOTS_PER_SECOND);
  guint bytes = bytes_of_second (flow), peak = bytes;

  for (; begin > oldest; begin--) {
    bytes += flow->slots[(begin - 1) % N_SLOTS].bytes;
    bytes -= flow->slots[(begin - 1 + SLOTS_PER_SECOND) % N_SLOTS].bytes;
    peak = MAX (peak, bytes);
  }
  return peak;
}

/* The slot of @now becomes the current one. */
static void
advance (Flow *flow, GstClockTime now)
{
  guint64 slot;

  if (flow->begin == GST_CLOCK_TIME_NONE || now < flow->begin)
    return;

  slot = (now - flow->begin) / SLOT;
  if (slot > flow->slot + N_SLOTS) {
    /* More than the whole ring is over: it is empty. */
    memset (flow->slots, 0, sizeof flow->slots);
    flow->slot = slot;
  }
  while (flow->slot < slot) {
    flow->slot++;
    memset (current_slot (flow), 0, sizeof (Slot));
  }
}

/* The first packet of all, or after a stop. */
static void
begin_anew (GstIvsMonitor *self, GstIvsKind kind, guint32 timestamp,
    GstClockTime now)
{
  Flow *flow = &self->flows[kind];

  memset (flow->slots, 0, sizeof flow->slots);
  flow->slot = 0;
  flow->begin = now;
  if (kind == GST_IVS_VIDEO) {
    self->video.last_idr = now;
    self->video.idr_timestamp = timestamp;
  } else {
    self->audio.has_timestamp = FALSE;
  }
}

/* -- Video ------------------------------------------------------------------------- */

static void
take_sps (Video *video, const GstIvsNal *nal)
{
  video->has_sps = TRUE;
  if (!nal->is_whole || nal->size > MAX_SPS ||
      (nal->size == video->sps_size &&
          memcmp (nal->body, video->sps_body, nal->size) == 0))
    return;

  memcpy (video->sps_body, nal->body, nal->size);
  video->sps_size = nal->size;
  if (!gst_ivs_h264_read_sps (nal->body, nal->size, &video->sps))
    memset (&video->sps, 0, sizeof video->sps);
}

/* Since the last IDR picture, as the pictures' own times say: on a computer under
 * load they leave late, but no further apart. A time that jumps counts as the
 * clock does. */
static GstClockTime
since_idr (const Video *video, GstClockTime now)
{
  GstClockTime media =
      gst_util_uint64_scale (video->timestamp - video->idr_timestamp,
          GST_SECOND, VIDEO_CLOCK_RATE);

  return MIN (media, now - MIN (now, video->last_idr));
}

static void
take_idr (Video *video, Slot *slot, GstClockTime now)
{
  GstClockTime spacing = since_idr (video, now);

  slot->spacing = MAX (slot->spacing, spacing);
  video->max_spacing = MAX (video->max_spacing, spacing);
  video->last_idr = now;
  video->idr_timestamp = video->timestamp;
  video->key_frames++;
  slot->idr_pictures++;
  slot->bare_idr_pictures += !video->has_sps || !video->has_pps;
}

static void
take_slice (Video *video, const GstIvsNal *nal, Slot *slot, GstClockTime now)
{
  gboolean is_first, is_b;

  if (!gst_ivs_h264_read_slice (nal->body, nal->size, &is_first, &is_b))
    return;
  if (is_first) {
    slot->pictures++;
    slot->b_pictures += is_b;
    if (nal->type == GST_IVS_NAL_IDR)
      take_idr (video, slot, now);
  }
  video->has_sps = video->has_pps = FALSE;
  video->awaits_frame = TRUE;
}

static void
take_video (Video *video, Slot *slot, const guint8 *payload, gsize size,
    gboolean marker, guint32 timestamp, GstClockTime now)
{
  GstIvsNal nal;
  gsize at = 0;

  video->timestamp = timestamp;
  while (gst_ivs_h264_next_nal (payload, size, &at, &nal)) {
    switch (nal.type) {
      case GST_IVS_NAL_SPS:
        take_sps (video, &nal);
        break;
      case GST_IVS_NAL_PPS:
        video->has_pps = TRUE;
        break;
      case GST_IVS_NAL_SLICE:
      case GST_IVS_NAL_PARTITION_A:
      case GST_IVS_NAL_IDR:
        take_slice (video, &nal, slot, now);
        break;
      default:
        break;
    }
  }

  if (marker && video->awaits_frame) {
    video->awaits_frame = FALSE;
    video->frames++;
    slot->frames++;
  }
}

/* -- Audio ------------------------------------------------------------------------- */

/* RFC 6716, 3.1, table 2: by the five bits of the TOC's configuration. Written here
 * because it is all that libopus would be linked for. */
static guint
opus_bandwidth (guint config)
{
  static const guint by_config[] = { 8000, 12000, 16000, 24000,
    48000, /* CELT: */
    8000, 16000, 24000, 48000 };

  if (config < 12)
    return by_config[config / 4];
  if (config < 16)
    return by_config[3 + (config - 12) / 2];
  return by_config[5 + (config - 16) / 4];
}

/* Samples of one frame at 48 kHz. */
static guint
opus_frame_samples (guint config)
{
  static const guint silk[] = { 480, 960, 1920, 2880 };

  if (config < 12)
    return silk[config % 4];
  if (config < 16)
    return silk[config % 2];
  return 120u << (config % 4);
}

/* RFC 6716, 3.2: the code is in the lowest two bits. */
static guint
opus_frames (const guint8 *payload, gsize size)
{
  switch (payload[0] & 3) {
    case 0:
      return 1;
    case 3:
      return size > 1 ? payload[1] & 0x3f : 0;
    default:
      return 2;
  }
}

/* @step: RTP ticks from the last packet to this one, which holds the last one's
 * samples if the clock is right and nothing is missing. */
static void
take_step (const Audio *audio, Slot *slot, guint32 step)
{
  if (audio->samples == 0 || step == 0 || step > G_MAXINT32)
    return;
  if (step < 2 * audio->samples) {
    slot->ticks += step;
    slot->ticked_samples += audio->samples;
  } else {
    slot->missing_ticks +=
        MIN (step - audio->samples, 10 * IVS_LIMITS_AUDIO_CLOCK_RATE);
  }
}

static void
take_audio (Audio *audio, Slot *slot, const guint8 *payload, gsize readable,
    gsize size, guint32 timestamp)
{
  if (readable == 0)
    return;

  if (audio->has_timestamp)
    take_step (audio, slot, timestamp - audio->timestamp);
  audio->has_timestamp = TRUE;
  audio->timestamp = timestamp;
  audio->samples =
      opus_frames (payload, readable) * opus_frame_samples (payload[0] >> 3);
  audio->channels = (payload[0] & 0x04) != 0 ? 2 : 1;
  audio->bandwidth = opus_bandwidth (payload[0] >> 3);
  slot->frames++;
  slot->samples += audio->samples;
  if (size <= MAX_DTX_SIZE)
    slot->silent_samples += audio->samples;
}

void
gst_ivs_monitor_beginning (GstIvsMonitor *self, GstIvsKind kind,
    const guint8 *payload, gsize readable, gsize size, gboolean marker,
    guint32 timestamp, GstClockTime now)
{
  Flow *flow = &self->flows[kind];
  Slot *slot;

  g_mutex_lock (&self->lock);
  if (flow->last_packet == GST_CLOCK_TIME_NONE ||
      (now > flow->last_packet && now - flow->last_packet >= STOPPED_AFTER))
    begin_anew (self, kind, timestamp, now);
  flow->last_packet = now;
  advance (flow, now);

  flow->packets++;
  flow->bytes += size;
  slot = current_slot (flow);
  slot->bytes += (guint) size;
  if (kind == GST_IVS_VIDEO)
    take_video (&self->video, slot, payload, readable, marker, timestamp, now);
  else
    take_audio (&self->audio, slot, payload, readable, size, timestamp);
  g_mutex_unlock (&self->lock);
}

void
gst_ivs_monitor_packet (GstIvsMonitor *self, GstIvsKind kind,
    const guint8 *payload, gsize size, gboolean marker, guint32 timestamp,
    GstClockTime now)
{
  gst_ivs_monitor_beginning (self, kind, payload, size, size, marker, timestamp,
      now);
}

void
gst_ivs_monitor_buffer (GstIvsMonitor *self, GstIvsKind kind, GstBuffer *packet,
    GstClockTime now)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  if (!gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp))
    return;
  gst_ivs_monitor_packet (self, kind, gst_rtp_buffer_get_payload (&rtp),
      gst_rtp_buffer_get_payload_len (&rtp), gst_rtp_buffer_get_marker (&rtp),
      gst_rtp_buffer_get_timestamp (&rtp), now);
  gst_rtp_buffer_unmap (&rtp);
}

void
gst_ivs_monitor_withheld (GstIvsMonitor *self, GstClockTime now)
{
  Flow *flow = &self->flows[GST_IVS_VIDEO];

  g_mutex_lock (&self->lock);
  advance (flow, now);
  current_slot (flow)->withheld++;
  g_mutex_unlock (&self->lock);
}

/* -- Figures ----------------------------------------------------------------------- */

static gdouble
to_seconds (GstClockTime time)
{
  return (gdouble) time / GST_SECOND;
}

/* @sum: (out): of the window. */
static void
measure_flow (Flow *flow, GstClockTime now, IvsStreamFigures *figures,
    Slot *sum)
{
  GstClockTime since = flow->last_packet != GST_CLOCK_TIME_NONE
      ? flow->last_packet
      : flow->expected_since;
  guint slots;

  advance (flow, now);
  slots = flow->begin != GST_CLOCK_TIME_NONE
      ? sum_up (flow, WINDOW_SLOTS, sum)
      : (memset (sum, 0, sizeof *sum), 0);

  figures->is_expected = flow->is_expected;
  figures->has_flowed = flow->last_packet != GST_CLOCK_TIME_NONE;
  figures->silence = to_seconds (now - MIN (now, since));
  figures->window = (gdouble) slots / SLOTS_PER_SECOND;
  figures->bitrate = slots > 0 ? sum->bytes * 8.0 / figures->window : 0;
  if (slots >= SLOTS_PER_SECOND) {
    figures->bitrate_1s = bytes_of_second (flow) * 8.0;
    figures->bitrate_peak = bytes_of_fullest_second (flow) * 8.0;
  }
  figures->packets = flow->packets;
  figures->bytes = flow->bytes;
}

static void
measure_video (GstIvsMonitor *self, GstClockTime now, IvsVideoFigures *figures)
{
  Flow *flow = &self->flows[GST_IVS_VIDEO];
  const Video *video = &self->video;
  GstClockTime open = 0;
  Slot sum;

  measure_flow (flow, now, &figures->stream, &sum);
  /* To the last packet and not to now: a stop is something else. */
  if (flow->last_packet != GST_CLOCK_TIME_NONE)
    open = since_idr (video, flow->last_packet);

  figures->width = video->sps.width;
  figures->height = video->sps.height;
  figures->profile = video->sps.name;
  figures->is_baseline = video->sps.is_baseline;
  figures->reorder_frames = video->sps.reorder_frames;
  if (figures->stream.window > 0)
    figures->frame_rate = sum.frames / figures->stream.window;
  figures->frames = video->frames;
  figures->key_frames = video->key_frames;
  figures->withheld = sum.withheld + current_slot (flow)->withheld;
  figures->pictures = sum.pictures;
  figures->b_pictures = sum.b_pictures;
  figures->idr_pictures = sum.idr_pictures;
  figures->bare_idr_pictures = sum.bare_idr_pictures;
  /* The slot that is being filled as well: else a long one would be gone for a
   * moment when it ends. */
  figures->key_frame_spacing =
      to_seconds (MAX (MAX (sum.spacing, current_slot (flow)->spacing), open));
  figures->max_key_frame_spacing = to_seconds (MAX (video->max_spacing, open));
}

static void
measure_audio (GstIvsMonitor *self, GstClockTime now, IvsAudioFigures *figures)
{
  const Audio *audio = &self->audio;
  Slot sum;
  gdouble covered;

  measure_flow (&self->flows[GST_IVS_AUDIO], now, &figures->stream, &sum);
  figures->channels = audio->channels;
  figures->announced_channels = audio->announced_channels;
  figures->bandwidth = audio->bandwidth;
  figures->packet_duration =
      audio->samples * 1000 / (IVS_LIMITS_AUDIO_CLOCK_RATE / 1000);
  if (sum.ticked_samples > 0)
    figures->clock_rate =
        (gdouble) sum.ticks * IVS_LIMITS_AUDIO_CLOCK_RATE / sum.ticked_samples;
  covered = (gdouble) sum.samples + sum.missing_ticks;
  if (covered > 0)
    figures->gaps = (sum.silent_samples + sum.missing_ticks) / covered;
}

/* With lock. */
static void
measure (GstIvsMonitor *self, GstClockTime now, IvsFigures *figures)
{
  memset (figures, 0, sizeof *figures);
  measure_video (self, now, &figures->video);
  measure_audio (self, now, &figures->audio);
}

void
gst_ivs_monitor_get_figures (GstIvsMonitor *self, GstClockTime now,
    IvsFigures *figures)
{
  g_mutex_lock (&self->lock);
  measure (self, now, figures);
  g_mutex_unlock (&self->lock);
}

/* -- Judgement --------------------------------------------------------------------- */

/* Whether a crossing is to be told now. */
static gboolean
is_due (Report *report, gboolean is_crossed, GstClockTime now)
{
  if (!is_crossed) {
    report->is_told = FALSE;
    return FALSE;
  }
  if (report->is_told ||
      (report->told_at != GST_CLOCK_TIME_NONE &&
          now - MIN (now, report->told_at) < REPORT_INTERVAL))
    return FALSE;
  report->is_told = TRUE;
  report->told_at = now;
  return TRUE;
}

void
gst_ivs_monitor_judge (GstIvsMonitor *self, GstClockTime now,
    GstIvsMonitorFound found, gpointer data)
{
  IvsFinding findings[IVS_N_DIAGNOSES];
  IvsFigures figures;
  guint n = 0;

  g_mutex_lock (&self->lock);
  measure (self, now, &figures);
  for (guint i = 0; i < IVS_N_DIAGNOSES; i++)
    if (is_due (&self->reports[i],
            ivs_diagnosis_judge ((IvsDiagnosis) i, &figures, &findings[n]),
            now))
      n++;
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < n; i++)
    found (&findings[i], data);
}

/* -- For programs ------------------------------------------------------------------ */

static GstStructure *
make_stream_stats (const gchar *name, const IvsStreamFigures *stream)
{
  return gst_structure_new (name, "packets", G_TYPE_UINT64, stream->packets,
      "bytes", G_TYPE_UINT64, stream->bytes, "bitrate-1s", G_TYPE_UINT,
      (guint) stream->bitrate_1s, "bitrate-10s", G_TYPE_UINT,
      (guint) stream->bitrate, NULL);
}

static GstStructure *
make_video_stats (const IvsVideoFigures *video)
{
  GstStructure *stats = make_stream_stats ("video", &video->stream);

  gst_structure_set (stats, "frame-rate", G_TYPE_DOUBLE, video->frame_rate,
      "frames", G_TYPE_UINT64, video->frames, "key-frames", G_TYPE_UINT64,
      video->key_frames, "max-key-frame-spacing", G_TYPE_UINT64,
      (guint64) (video->max_key_frame_spacing * GST_SECOND), NULL);
  if (video->width > 0)
    gst_structure_set (stats, "width", G_TYPE_UINT, video->width, "height",
        G_TYPE_UINT, video->height, NULL);
  if (video->profile != NULL)
    gst_structure_set (stats, "profile", G_TYPE_STRING, video->profile, NULL);
  return stats;
}

static GstStructure *
make_audio_stats (const IvsAudioFigures *audio)
{
  GstStructure *stats = make_stream_stats ("audio", &audio->stream);

  if (audio->channels > 0)
    gst_structure_set (stats, "channels", G_TYPE_UINT, audio->channels,
        "sample-rate", G_TYPE_UINT, audio->bandwidth, "packet-duration",
        G_TYPE_UINT64, (guint64) audio->packet_duration * GST_USECOND, NULL);
  return stats;
}

GstStructure *
gst_ivs_monitor_make_stats (GstIvsMonitor *self, GstIvsKind kind,
    GstClockTime now)
{
  IvsFigures figures;

  gst_ivs_monitor_get_figures (self, now, &figures);
  return kind == GST_IVS_VIDEO ? make_video_stats (&figures.video)
                               : make_audio_stats (&figures.audio);
}

GstStructure *
gst_ivs_monitor_make_details (const IvsFinding *finding)
{
  const IvsDiagnosisRow *row = finding->row;
  g_autofree gchar *cure = ivs_diagnosis_dup_cure (finding->diagnosis);
  GstStructure *details =
      gst_structure_new ("ivs-stage-limit", "name", G_TYPE_STRING, row->name,
          "severity", G_TYPE_STRING, ivs_severity_to_string (row->severity),
          "measured", G_TYPE_DOUBLE, finding->measured, "measured-text",
          G_TYPE_STRING, finding->measured_text, "limit", G_TYPE_DOUBLE,
          row->limit, "consequence", G_TYPE_STRING, row->consequence,
          "certainty", G_TYPE_STRING, ivs_certainty_to_string (row->certainty),
          "hint", G_TYPE_STRING, cure, NULL);

  if (row->allowed != NULL)
    gst_structure_set (details, "limit-text", G_TYPE_STRING, row->allowed,
        NULL);
  return details;
}
