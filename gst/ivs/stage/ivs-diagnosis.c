/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether what flows is what a stage takes: one row per diagnosis, and the
 * judgement.
 *
 * Sources. The limits are those of ivs-limits.h. What ends a publish: [media]
 * says "disconnected" of resolution and bit rate, and the errors that
 * `aws ivs-realtime list-participant-events` lists have B_FRAME_PRESENT among
 * them. Of all other limits AWS does not say what crossing them does; those
 * consequences are inferred, and their sentences say "may". How the service
 * measures is not known either; over which time we do stands in the functions
 * below, with what is granted to clocks and rate controls that are a little off.
 */

#include "ivs-diagnosis.h"
#include "ivs-limits.h"

/* Rates need some seconds to mean something. A bit rate that cuts is judged
 * earlier than one that does not hurry. */
#define MIN_WINDOW_TO_CUT 3.0 /* s */
#define MIN_WINDOW 5.0        /* s */
#define FULL_WINDOW 9.9       /* s */

/* Encoders count frames and not time between key frames, and cameras are slower
 * than they say. */
#define GRANTED_SPACING 0.5 /* s */

/* Viewers that join or lose packets ask for key frames: up to about two per
 * second come through without the encoder being to blame. */
#define MAX_IDR_RATE 3.0 /* per second */

#define GRANTED_RATE 1.02     /* frames per second, above */
#define GRANTED_LOW_RATE 0.95 /* frames per second, below */
#define GRANTED_ADVISED \
  1.2 /* rate controls meet their target in the long run */
#define GRANTED_AUDIO 1.05
#define MIN_CLOCK_PART 0.95 /* 44.1 kHz is below, drift above */
#define MAX_GAPS 0.1
/* One group of pictures that is cut short in the window is an accident. */
#define MAX_WITHHELD 0.2

#define MEGA 1e6

/* -- Measured or not ------------------------------------------------------------- */

static void G_GNUC_PRINTF (3, 4)
    measured (IvsFinding *finding, gdouble value, const gchar *format, ...)
{
  va_list args;

  finding->measured = value;
  va_start (args, format);
  g_vsnprintf (finding->measured_text, sizeof finding->measured_text, format,
      args);
  va_end (args);
}

static gboolean
is_flowing (const IvsStreamFigures *stream, gdouble window)
{
  return stream->is_expected && stream->has_flowed &&
      stream->silence < IVS_DIAGNOSIS_STOPPED_AFTER && stream->window >= window;
}

static gboolean
is_missing (const IvsStreamFigures *stream, IvsFinding *finding)
{
  measured (finding, stream->silence, "nothing for %.0f s", stream->silence);
  return stream->is_expected && !stream->has_flowed &&
      stream->silence >= IVS_DIAGNOSIS_MISSING_AFTER;
}

static gboolean
is_stopped (const IvsStreamFigures *stream, IvsFinding *finding)
{
  measured (finding, stream->silence, "nothing for %.0f s", stream->silence);
  return stream->is_expected && stream->has_flowed &&
      stream->silence >= IVS_DIAGNOSIS_STOPPED_AFTER;
}

/* [media] names 720p in either orientation; the area is what disconnects. */
static gboolean
is_too_large (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;
  guint64 area = (guint64) video->width * video->height;

  measured (finding, (gdouble) area, "%ux%u", video->width, video->height);
  return is_flowing (&video->stream, 0) &&
      area > IVS_LIMITS_MAX_LONG_SIDE * IVS_LIMITS_MAX_SHORT_SIDE;
}

static gboolean
is_too_small (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;
  guint short_side = MIN (video->width, video->height);

  measured (finding, short_side, "%ux%u", video->width, video->height);
  return is_flowing (&video->stream, 0) && short_side > 0 &&
      short_side < IVS_LIMITS_MIN_SHORT_SIDE;
}

static gboolean
is_of_other_profile (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;

  measured (finding, 0, "%s",
      video->profile != NULL ? video->profile : "an unknown one");
  return is_flowing (&video->stream, 0) && video->width > 0 &&
      !video->is_baseline;
}

static gboolean
has_b_frames (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;
  gdouble percent = 100.0 * video->b_pictures / MAX (video->pictures, 1);

  measured (finding, percent, "%.0f %% of the pictures", percent);
  return is_flowing (&video->stream, 0) && video->b_pictures > 0;
}

static gboolean
is_reordered (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;

  measured (finding, video->reorder_frames, "by up to %u frames",
      video->reorder_frames);
  return is_flowing (&video->stream, 0) && video->reorder_frames > 0 &&
      video->b_pictures == 0;
}

static gboolean
is_idr_late (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;

  measured (finding, video->key_frame_spacing, "none for %.1f s",
      video->key_frame_spacing);
  return is_flowing (&video->stream, 0) && video->withheld == 0 &&
      video->key_frame_spacing > IVS_LIMITS_MAX_IDR_INTERVAL + GRANTED_SPACING;
}

static gboolean
is_idr_too_often (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;
  gdouble interval = video->stream.window / MAX (video->idr_pictures, 1);

  measured (finding, interval, "one every %.2f s", interval);
  return is_flowing (&video->stream, MIN_WINDOW) &&
      video->idr_pictures > MAX_IDR_RATE * video->stream.window;
}

static gboolean
lacks_parameter_sets (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;

  measured (finding, video->bare_idr_pictures, "%u of %u key frames",
      video->bare_idr_pictures, video->idr_pictures);
  return is_flowing (&video->stream, 0) && video->bare_idr_pictures > 0;
}

static gboolean
is_frame_rate_low (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;

  measured (finding, video->frame_rate, "%.1f frames/s", video->frame_rate);
  return is_flowing (&video->stream, MIN_WINDOW) && video->withheld == 0 &&
      video->frame_rate < IVS_LIMITS_MIN_FRAMERATE * GRANTED_LOW_RATE;
}

static gboolean
is_frame_rate_high (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;

  measured (finding, video->frame_rate, "%.1f frames/s", video->frame_rate);
  return is_flowing (&video->stream, MIN_WINDOW) &&
      video->frame_rate > IVS_LIMITS_MAX_FRAMERATE * GRANTED_RATE;
}

static gboolean
is_video_bitrate_high (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsStreamFigures *stream = &figures->video.stream;

  measured (finding, stream->bitrate, "%.1f Mbit/s over %.0f s",
      stream->bitrate / MEGA, stream->window);
  return is_flowing (stream, MIN_WINDOW_TO_CUT) &&
      stream->bitrate > IVS_LIMITS_MAX_VIDEO_BITRATE;
}

/* Only a peak: otherwise the row above says so, now or in two seconds. */
static gboolean
is_video_peak_high (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsStreamFigures *stream = &figures->video.stream;

  measured (finding, stream->bitrate_peak, "%.1f Mbit/s in one second",
      stream->bitrate_peak / MEGA);
  return is_flowing (stream, MIN_WINDOW_TO_CUT) &&
      stream->bitrate_peak > IVS_LIMITS_MAX_VIDEO_BITRATE &&
      stream->bitrate <= IVS_LIMITS_MAX_VIDEO_BITRATE;
}

static gboolean
is_video_bitrate_unadvised (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsStreamFigures *stream = &figures->video.stream;

  measured (finding, stream->bitrate, "%.1f Mbit/s over %.0f s",
      stream->bitrate / MEGA, stream->window);
  return is_flowing (stream, FULL_WINDOW) &&
      stream->bitrate > IVS_LIMITS_ADVISED_VIDEO_BITRATE * GRANTED_ADVISED &&
      stream->bitrate <= IVS_LIMITS_MAX_VIDEO_BITRATE;
}

static gboolean
is_video_missing (const IvsFigures *figures, IvsFinding *finding)
{
  return is_missing (&figures->video.stream, finding);
}

static gboolean
is_video_stopped (const IvsFigures *figures, IvsFinding *finding)
{
  return is_stopped (&figures->video.stream, finding) &&
      figures->video.withheld == 0;
}

/* The source is not to blame then, so what follows from it is not told: few frames, key
 * frames far apart, nothing at all for seconds. */
static gboolean
is_uplink_narrow (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsVideoFigures *video = &figures->video;
  gdouble all = video->frame_rate * video->stream.window + video->withheld;
  gdouble part = all > 0 ? video->withheld / all : 0;

  measured (finding, part * 100, "%.0f %% of the pictures left out",
      part * 100);
  return video->stream.is_expected && video->stream.has_flowed &&
      video->stream.window >= MIN_WINDOW && part > MAX_WITHHELD;
}

static gboolean
is_audio_bitrate_high (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsStreamFigures *stream = &figures->audio.stream;

  measured (finding, stream->bitrate, "%.0f kbit/s over %.0f s",
      stream->bitrate / 1000, stream->window);
  return is_flowing (stream, MIN_WINDOW) &&
      stream->bitrate > IVS_LIMITS_MAX_AUDIO_BITRATE * GRANTED_AUDIO;
}

/* More than two cannot be: Opus over RTP (RFC 7587) has no more. */
static gboolean
has_unannounced_channels (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsAudioFigures *audio = &figures->audio;

  measured (finding, audio->channels, "%u channels, %u announced",
      audio->channels, audio->announced_channels);
  return is_flowing (&audio->stream, 0) && audio->announced_channels > 0 &&
      audio->channels > audio->announced_channels;
}

static gboolean
is_audio_clock_wrong (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsAudioFigures *audio = &figures->audio;

  measured (finding, audio->clock_rate, "%.0f Hz", audio->clock_rate);
  return is_flowing (&audio->stream, MIN_WINDOW_TO_CUT) &&
      audio->clock_rate > 0 &&
      audio->clock_rate < IVS_LIMITS_AUDIO_CLOCK_RATE * MIN_CLOCK_PART;
}

static gboolean
has_audio_gaps (const IvsFigures *figures, IvsFinding *finding)
{
  const IvsAudioFigures *audio = &figures->audio;

  measured (finding, audio->gaps * 100, "%.0f %% of the time",
      audio->gaps * 100);
  return is_flowing (&audio->stream, MIN_WINDOW) && audio->gaps > MAX_GAPS;
}

static gboolean
is_audio_missing (const IvsFigures *figures, IvsFinding *finding)
{
  return is_missing (&figures->audio.stream, finding);
}

static gboolean
is_audio_stopped (const IvsFigures *figures, IvsFinding *finding)
{
  return is_stopped (&figures->audio.stream, finding);
}

/* -- The table --------------------------------------------------------------------- */

typedef enum
{
  SETTING_NONE,
  SETTING_B_FRAMES,
  SETTING_KEY_INTERVAL,
  SETTING_BITRATE,
  SETTING_HEADERS,
  N_SETTINGS
} Setting;

typedef struct
{
  IvsDiagnosisRow row;
  gboolean (*is_crossed) (const IvsFigures *figures, IvsFinding *finding);
  const gchar *cure; /* without the encoders' settings */
  Setting setting;   /* of an encoder, or none */
} Diagnosis;

#define CUT IVS_SEVERITY_CUT
#define UNSUPPORTED IVS_SEVERITY_UNSUPPORTED
#define VIEWERS IVS_SEVERITY_VIEWERS
#define KNOWN IVS_CERTAINTY_KNOWN
#define INFERRED IVS_CERTAINTY_INFERRED

#define OR_RAW "Give raw video and the element encodes it as a stage wants it"
#define FRAMES_OF_TWO_SECONDS "; 60 is two seconds at 30 frames/s"

/* clang-format off */
static const Diagnosis diagnoses[IVS_N_DIAGNOSES] = {
  [IVS_DIAGNOSIS_RESOLUTION] = {
    { "resolution", CUT, KNOWN, IVS_LIMITS_MAX_LONG_SIDE * IVS_LIMITS_MAX_SHORT_SIDE,
      "The picture is too large", "a stage takes at most the area of 1280x720, in either orientation",
      "The service disconnects the publisher (RESOLUTION_EXCEEDED)" },
    is_too_large,
    "Give raw video and the element scales it, or scale before the encoder: "
    "videoscale ! video/x-raw,width=1280,height=720", SETTING_NONE },
  [IVS_DIAGNOSIS_RESOLUTION_SMALL] = {
    { "resolution-small", UNSUPPORTED, INFERRED, IVS_LIMITS_MIN_SHORT_SIDE,
      "The picture is too small", "a stage takes 160 pixels at least on the shorter side",
      "The stage may not show it" },
    is_too_small,
    "Scale before the encoder: videoscale ! video/x-raw,width=640,height=360", SETTING_NONE },
  [IVS_DIAGNOSIS_PROFILE] = {
    { "profile", UNSUPPORTED, INFERRED, 66,
      "The H.264 profile is not the one that was offered", "a stage takes Baseline and Constrained Baseline",
      "The stage may refuse it, and viewers whose decoder keeps to the offer see nothing" },
    is_of_other_profile,
    OR_RAW ", or put a filter behind the encoder (x264enc, openh264enc, vah264enc, nvh264enc, v4l2h264enc, vtenc_h264): "
    "video/x-h264,profile=constrained-baseline", SETTING_NONE },
  [IVS_DIAGNOSIS_B_FRAMES] = {
    { "b-frames", CUT, KNOWN, 0,
      "The video has B-frames", "a stage takes none",
      "The service ends the publish (B_FRAME_PRESENT); viewers would see the picture jump" },
    has_b_frames,
    OR_RAW ", or tell the encoder", SETTING_B_FRAMES },
  [IVS_DIAGNOSIS_REORDERING] = {
    { "reordering", VIEWERS, INFERRED, 0,
      "The video announces frames out of order, though it has none", "a stage wants them in order",
      "Decoders may hold frames back, which delays the picture" },
    is_reordered,
    OR_RAW ", or tell the encoder", SETTING_B_FRAMES },
  [IVS_DIAGNOSIS_KEY_FRAME_INTERVAL] = {
    { "key-frame-interval", UNSUPPORTED, INFERRED, IVS_LIMITS_MAX_IDR_INTERVAL,
      "Key frames (IDR) are too far apart", "a stage wants one every 1 to 2 s",
      "Who joins or loses a packet may see a black or frozen picture until the next one" },
    is_idr_late,
    "Give raw video and set the element's key-frame-interval (ms), or tell the encoder"
    FRAMES_OF_TWO_SECONDS, SETTING_KEY_INTERVAL },
  [IVS_DIAGNOSIS_KEY_FRAMES_TOO_OFTEN] = {
    { "key-frames-too-often", VIEWERS, INFERRED, IVS_LIMITS_MIN_IDR_INTERVAL,
      "Key frames (IDR) come too often", "a stage wants one every 1 to 2 s",
      "They take the bits from the other frames: the picture is worse than the bit rate allows" },
    is_idr_too_often,
    "Give raw video and set the element's key-frame-interval (ms), or tell the encoder"
    FRAMES_OF_TWO_SECONDS, SETTING_KEY_INTERVAL },
  [IVS_DIAGNOSIS_PARAMETER_SETS] = {
    { "no-parameter-sets", VIEWERS, KNOWN, 0,
      "Key frames come without SPS and PPS", "each needs them before it",
      "Viewers who join later cannot decode the video" },
    lacks_parameter_sets,
    "Set config-interval=-1 on h264parse and rtph264pay, or tell the encoder", SETTING_HEADERS },
  [IVS_DIAGNOSIS_FRAME_RATE_LOW] = {
    { "frame-rate-low", UNSUPPORTED, INFERRED, IVS_LIMITS_MIN_FRAMERATE,
      "There are too few frames", "a stage takes 10 to 60 frames/s",
      "Viewers see the picture stutter; the stage may not accept it" },
    is_frame_rate_low,
    "Look whether the source or the encoder is too slow (a smaller picture, a faster preset), or repeat frames "
    "before the encoder: videorate ! video/x-raw,framerate=30/1", SETTING_NONE },
  [IVS_DIAGNOSIS_FRAME_RATE_HIGH] = {
    { "frame-rate-high", UNSUPPORTED, INFERRED, IVS_LIMITS_MAX_FRAMERATE,
      "There are too many frames", "a stage takes 10 to 60 frames/s",
      "The stage may not accept it" },
    is_frame_rate_high,
    "Give raw video, or drop frames before the encoder: videorate ! video/x-raw,framerate=30/1", SETTING_NONE },
  [IVS_DIAGNOSIS_VIDEO_BITRATE] = {
    { "video-bitrate", CUT, KNOWN, IVS_LIMITS_MAX_VIDEO_BITRATE,
      "The video's bit rate is too high", "a stage takes at most 8.5 Mbit/s and advises up to 2.5",
      "The service disconnects the publisher (BITRATE_EXCEEDED)" },
    is_video_bitrate_high,
    "Give raw video and set the element's start-bitrate (bits/s), or tell the encoder", SETTING_BITRATE },
  [IVS_DIAGNOSIS_VIDEO_BITRATE_PEAK] = {
    { "video-bitrate-peak", VIEWERS, INFERRED, IVS_LIMITS_MAX_VIDEO_BITRATE,
      "The video's bit rate has peaks that are too high", "a stage takes at most 8.5 Mbit/s",
      "Over which time the service measures is not known: it may disconnect the publisher" },
    is_video_peak_high,
    "Use a constant bit rate. Give raw video and set the element's start-bitrate (bits/s), "
    "or tell the encoder", SETTING_BITRATE },
  [IVS_DIAGNOSIS_VIDEO_BITRATE_ADVISED] = {
    { "video-bitrate-advised", VIEWERS, KNOWN, IVS_LIMITS_ADVISED_VIDEO_BITRATE,
      "The video's bit rate is higher than advised", "AWS advises at most 2.5 Mbit/s",
      "Viewers whose network does not carry it see the picture freeze" },
    is_video_bitrate_unadvised,
    "Give raw video and set the element's start-bitrate (bits/s), or tell the encoder", SETTING_BITRATE },
  [IVS_DIAGNOSIS_NO_VIDEO] = {
    { "no-video", VIEWERS, KNOWN, IVS_DIAGNOSIS_MISSING_AFTER,
      "No video has come yet", NULL,
      "Viewers see no picture" },
    is_video_missing,
    "Look whether the source delivers, and whether the encoder makes a key frame when it is asked "
    "(a stream can begin with an IDR picture only)", SETTING_KEY_INTERVAL },
  [IVS_DIAGNOSIS_VIDEO_STOPPED] = {
    { "video-stopped", VIEWERS, KNOWN, IVS_DIAGNOSIS_STOPPED_AFTER,
      "The video has stopped", NULL,
      "Viewers see a frozen picture" },
    is_video_stopped,
    "Look whether the source still delivers, and whether something before the element blocks", SETTING_NONE },
  [IVS_DIAGNOSIS_UPLINK_NARROW] = {
    { "uplink-narrow", VIEWERS, KNOWN, MAX_WITHHELD * 100,
      "The uplink does not carry the video", NULL,
      "Viewers see the picture freeze where something was left out" },
    is_uplink_narrow,
    "Use a network that carries more. Of encoded video: give raw video instead, which is fitted to the uplink, or lower "
    "the encoder's bit rate to what the event ivs-target-bitrate tells and make a key frame each second. Of raw video: "
    "lower min-bitrate, or use an encoder whose bit rate can be changed", SETTING_NONE },
  [IVS_DIAGNOSIS_AUDIO_BITRATE] = {
    { "audio-bitrate", UNSUPPORTED, INFERRED, IVS_LIMITS_MAX_AUDIO_BITRATE,
      "The audio's bit rate is too high", "a stage takes at most 160 kbit/s",
      "The stage may not accept it" },
    is_audio_bitrate_high,
    "Give raw audio and set the element's audio-bitrate (bits/s), or tell the encoder: "
    "opusenc bitrate=128000 bitrate-type=constrained-vbr", SETTING_NONE },
  [IVS_DIAGNOSIS_AUDIO_CHANNELS] = {
    { "audio-channels", VIEWERS, INFERRED, IVS_LIMITS_MAX_AUDIO_CHANNELS,
      "The audio is stereo, but mono was offered", NULL,
      "Viewers may hear it mixed down to mono" },
    has_unannounced_channels,
    "Let the caps say it before the session begins (RTP: sprop-stereo=(string)1), or mix down: "
    "audioconvert ! audio/x-raw,channels=1", SETTING_NONE },
  [IVS_DIAGNOSIS_AUDIO_CLOCK] = {
    { "audio-sample-rate", UNSUPPORTED, KNOWN, IVS_LIMITS_AUDIO_CLOCK_RATE,
      "The audio's RTP timestamps do not count 48000 per second", "Opus has no other clock (RFC 7587)",
      "Viewers hear it too fast, broken or not at all" },
    is_audio_clock_wrong,
    "Give raw audio, or payload Opus with rtpopuspay (clock-rate=48000), at whatever sample rate it was encoded", SETTING_NONE },
  [IVS_DIAGNOSIS_AUDIO_GAPS] = {
    { "audio-gaps", VIEWERS, INFERRED, MAX_GAPS * 100,
      "The audio has gaps", NULL,
      "Viewers hear silence or clicks, and the stage may take the audio for stopped" },
    has_audio_gaps,
    "Give raw audio, or switch DTX off: opusenc dtx=false; rtpopuspay dtx=false; "
    "where it is off, the source does not deliver in time", SETTING_NONE },
  [IVS_DIAGNOSIS_NO_AUDIO] = {
    { "no-audio", VIEWERS, KNOWN, IVS_DIAGNOSIS_MISSING_AFTER,
      "No audio has come yet", NULL,
      "Viewers hear nothing" },
    is_audio_missing,
    "Look whether the source delivers; without sound to send, do not request an audio pad", SETTING_NONE },
  [IVS_DIAGNOSIS_AUDIO_STOPPED] = {
    { "audio-stopped", VIEWERS, KNOWN, IVS_DIAGNOSIS_STOPPED_AFTER,
      "The audio has stopped", NULL,
      "Viewers hear nothing" },
    is_audio_stopped,
    "Look whether the source still delivers, and whether something before the element blocks", SETTING_NONE },
};

/* As gst-launch-1.0 takes them. The same names as in gstivsencoders.c. */
static const struct
{
  const gchar *element;
  const gchar *settings[N_SETTINGS];
} encoders[] = {
  { "x264enc", {
    [SETTING_B_FRAMES] = "bframes=0 tune=zerolatency sliced-threads=false",
    [SETTING_KEY_INTERVAL] = "key-int-max=60 option-string=scenecut=0",
    [SETTING_BITRATE] = "bitrate=2500" } },
  { "openh264enc", { /* never makes B-frames */
    [SETTING_KEY_INTERVAL] = "gop-size=60 scene-change-detection=false",
    [SETTING_BITRATE] = "rate-control=bitrate bitrate=2500000 qp-min=12" } },
  { "vah264enc", {
    [SETTING_B_FRAMES] = "b-frames=0",
    [SETTING_KEY_INTERVAL] = "key-int-max=60",
    [SETTING_BITRATE] = "rate-control=cbr bitrate=2500" } },
  { "nvh264enc", {
    [SETTING_B_FRAMES] = "bframes=0 zerolatency=true",
    [SETTING_KEY_INTERVAL] = "gop-size=60",
    [SETTING_BITRATE] = "rc-mode=cbr bitrate=2500" } },
  { "v4l2h264enc", {
    [SETTING_B_FRAMES] = "extra-controls=\"controls,video_b_frames=0\"",
    [SETTING_KEY_INTERVAL] = "extra-controls=\"controls,h264_i_frame_period=60,video_gop_size=60\"",
    [SETTING_BITRATE] = "extra-controls=\"controls,video_bitrate=2500000\"",
    [SETTING_HEADERS] = "extra-controls=\"controls,repeat_sequence_header=1\"" } },
  { "vtenc_h264", {
    [SETTING_B_FRAMES] = "allow-frame-reordering=false realtime=true",
    [SETTING_KEY_INTERVAL] = "max-keyframe-interval=60",
    [SETTING_BITRATE] = "bitrate=2500" } },
};
/* clang-format on */

/* -- Judgement and words ------------------------------------------------------------ */

const IvsDiagnosisRow *
ivs_diagnosis_get_row (IvsDiagnosis diagnosis)
{
  g_return_val_if_fail (diagnosis < IVS_N_DIAGNOSES, NULL);

  return &diagnoses[diagnosis].row;
}

gboolean
ivs_diagnosis_judge (IvsDiagnosis diagnosis, const IvsFigures *figures,
    IvsFinding *finding)
{
  g_return_val_if_fail (diagnosis < IVS_N_DIAGNOSES, FALSE);

  finding->diagnosis = diagnosis;
  finding->row = &diagnoses[diagnosis].row;
  return diagnoses[diagnosis].is_crossed (figures, finding);
}

gboolean
ivs_diagnosis_is_refusable (const IvsDiagnosisRow *row)
{
  return row->severity != IVS_SEVERITY_VIEWERS;
}

const gchar *
ivs_severity_to_string (IvsSeverity severity)
{
  static const gchar *const names[] = { "cut", "unsupported", "viewers" };

  return names[severity];
}

const gchar *
ivs_certainty_to_string (IvsCertainty certainty)
{
  return certainty == IVS_CERTAINTY_KNOWN ? "known" : "inferred";
}

gchar *
ivs_finding_dup_sentence (const IvsFinding *finding)
{
  const IvsDiagnosisRow *row = finding->row;

  return g_strconcat (row->sentence, ": ", finding->measured_text,
      row->allowed != NULL ? ", " : "",
      row->allowed != NULL ? row->allowed : "", ".", NULL);
}

gchar *
ivs_diagnosis_dup_cure (IvsDiagnosis diagnosis)
{
  GString *cure;
  Setting setting;
  const gchar *separator = ": ";

  g_return_val_if_fail (diagnosis < IVS_N_DIAGNOSES, NULL);

  cure = g_string_new (diagnoses[diagnosis].cure);
  setting = diagnoses[diagnosis].setting;
  for (gsize i = 0; i < G_N_ELEMENTS (encoders); i++) {
    if (encoders[i].settings[setting] == NULL)
      continue;
    g_string_append_printf (cure, "%s%s %s", separator, encoders[i].element,
        encoders[i].settings[setting]);
    separator = "; ";
  }
  return g_string_free (cure, FALSE);
}

gchar *
ivs_finding_dup_advice (const IvsFinding *finding)
{
  g_autofree gchar *cure = ivs_diagnosis_dup_cure (finding->diagnosis);

  return g_strconcat (finding->row->consequence, ". ", cure, NULL);
}
