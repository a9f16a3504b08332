/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whether what flows is what a stage takes: one row per diagnosis, and the
 * judgement.
 *
 * Pure: figures go in, findings with sentence and advice come out. Who measures
 * and who is told are the business of others.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  IVS_DIAGNOSIS_RESOLUTION,
  IVS_DIAGNOSIS_RESOLUTION_SMALL,
  IVS_DIAGNOSIS_PROFILE,
  IVS_DIAGNOSIS_B_FRAMES,
  IVS_DIAGNOSIS_REORDERING,
  IVS_DIAGNOSIS_KEY_FRAME_INTERVAL,
  IVS_DIAGNOSIS_KEY_FRAMES_TOO_OFTEN,
  IVS_DIAGNOSIS_PARAMETER_SETS,
  IVS_DIAGNOSIS_FRAME_RATE_LOW,
  IVS_DIAGNOSIS_FRAME_RATE_HIGH,
  IVS_DIAGNOSIS_VIDEO_BITRATE,
  IVS_DIAGNOSIS_VIDEO_BITRATE_PEAK,
  IVS_DIAGNOSIS_VIDEO_BITRATE_ADVISED,
  IVS_DIAGNOSIS_NO_VIDEO,
  IVS_DIAGNOSIS_VIDEO_STOPPED,
  IVS_DIAGNOSIS_UPLINK_NARROW,
  IVS_DIAGNOSIS_AUDIO_BITRATE,
  IVS_DIAGNOSIS_AUDIO_CHANNELS,
  IVS_DIAGNOSIS_AUDIO_CLOCK,
  IVS_DIAGNOSIS_AUDIO_GAPS,
  IVS_DIAGNOSIS_NO_AUDIO,
  IVS_DIAGNOSIS_AUDIO_STOPPED,
  IVS_N_DIAGNOSES
} IvsDiagnosis;

/* What the service does about it. */
typedef enum
{
  IVS_SEVERITY_CUT,         /* it ends the publish */
  IVS_SEVERITY_UNSUPPORTED, /* outside of what it documents to take */
  IVS_SEVERITY_VIEWERS      /* nothing, but viewers suffer */
} IvsSeverity;

/* How we know the consequence. */
typedef enum
{
  IVS_CERTAINTY_KNOWN,   /* AWS says so, or it follows from the formats */
  IVS_CERTAINTY_INFERRED /* likely, but nobody documents it */
} IvsCertainty;

/* -- Figures ----------------------------------------------------------------------- */

/* Bit rates are of RTP payload, without headers and retransmissions. */
typedef struct
{
  gboolean is_expected; /* media ought to flow: there is a pad and a session */
  gboolean has_flowed;  /* since it is expected */
  gdouble silence;      /* s since the last packet, or since it is expected */
  gdouble window;     /* s, up to 10, that the rates below were measured over */
  gdouble bitrate;    /* bits/s over the window */
  gdouble bitrate_1s; /* bits/s over the last second; 0 before there is one */
  gdouble bitrate_peak;   /* the highest second in the window */
  guint64 packets, bytes; /* in all */
} IvsStreamFigures;

typedef struct
{
  IvsStreamFigures stream;
  guint width, height;       /* of the last SPS; 0 = none could be read yet */
  const gchar *profile;      /* static; NULL = not known */
  gboolean is_baseline;      /* whether a Baseline decoder takes the profile */
  guint reorder_frames;      /* as the SPS announces */
  gdouble frame_rate;        /* frames/s over the window */
  guint64 frames;            /* in all */
  guint64 key_frames;        /* IDR pictures, in all */
  guint withheld;            /* pictures of the window that we left out, for the
                              * uplink does not carry them */
  guint pictures;            /* in the window: begun, ... */
  guint b_pictures;          /* ... with B slices, */
  guint idr_pictures;        /* ... IDR, */
  guint bare_idr_pictures;   /* ... IDR without SPS and PPS before them */
  gdouble key_frame_spacing; /* s, the longest in the window, with the one that
                              * is still open */
  gdouble max_key_frame_spacing; /* s, the longest of all */
} IvsVideoFigures;

typedef struct
{
  IvsStreamFigures stream;
  guint channels;           /* 1 or 2 as in the last packet; 0 = none yet */
  guint announced_channels; /* by the offer; 0 = not known */
  guint bandwidth;          /* Hz, sample rate that the last packet codes */
  guint packet_duration;    /* microseconds */
  gdouble clock_rate;       /* Hz, of the RTP timestamps; 0 = not known yet */
  gdouble gaps;             /* part of the window without coded sound, 0 to 1 */
} IvsAudioFigures;

typedef struct
{
  IvsVideoFigures video;
  IvsAudioFigures audio;
} IvsFigures;

/* Packets are missing for this long: the stream has stopped. The slowest stream
 * that a stage takes has ten frames per second. */
#define IVS_DIAGNOSIS_STOPPED_AFTER 3 /* s */
/* Cameras, encoders and first key frames need some time. */
#define IVS_DIAGNOSIS_MISSING_AFTER 5 /* s */

/* -- Judgement --------------------------------------------------------------------- */

typedef struct
{
  const gchar *name; /* stable, for programs: "b-frames" */
  IvsSeverity severity;
  IvsCertainty certainty;
  gdouble limit;            /* the number, in the unit of the measured one */
  const gchar *sentence;    /* what is wrong: "The video has B-frames" */
  const gchar *allowed;     /* the limit in words: "at most 1280x720" */
  const gchar *consequence; /* on the stage */
} IvsDiagnosisRow;

typedef struct
{
  IvsDiagnosis diagnosis;
  const IvsDiagnosisRow *row;
  gdouble measured;
  gchar measured_text[64]; /* with its unit: "1920x1080" */
} IvsFinding;

/**
 * ivs_diagnosis_judge:
 * @diagnosis: which one
 * @figures: what was measured
 * @finding: (out): filled if the answer is %TRUE
 *
 * Returns: whether the limit is crossed
 */
gboolean ivs_diagnosis_judge (IvsDiagnosis diagnosis, const IvsFigures *figures,
    IvsFinding *finding);

const IvsDiagnosisRow *ivs_diagnosis_get_row (IvsDiagnosis diagnosis);

/* Whether `stage-limits=refuse` ends the pipeline: what is outside of the
 * service's specifications does, what only hurts viewers does not. */
gboolean ivs_diagnosis_is_refusable (const IvsDiagnosisRow *row);

/* "cut", "unsupported", "viewers"; "known", "inferred" */
const gchar *ivs_severity_to_string (IvsSeverity severity);
const gchar *ivs_certainty_to_string (IvsCertainty certainty);

/* What is wrong, what was measured and what is allowed, in one sentence. */
gchar *ivs_finding_dup_sentence (const IvsFinding *finding);

/* What cures it: the element's property, and the settings of encoders by name. */
gchar *ivs_diagnosis_dup_cure (IvsDiagnosis diagnosis);

/* The consequence on the stage and the cure. */
gchar *ivs_finding_dup_advice (const IvsFinding *finding);

G_END_DECLS
