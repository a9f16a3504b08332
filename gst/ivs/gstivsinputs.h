/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the element's inputs stand, and what to offer for them.
 */
#pragma once

#include "gstivsgate.h"
#include "gstivssettings.h"

G_BEGIN_DECLS

/* How the inputs of one kind stand. */
typedef struct
{
  guint n_pads;      /* their kind is known, by name or caps */
  gboolean is_ready; /* caps seen, a chain feeds the gate */
  gboolean is_eos;
  guint channels;   /* audio; 0 = not known */
  GstIvsGate *gate; /* never NULL in a snapshot */
} GstIvsLane;

/* A snapshot of all inputs. */
typedef struct
{
  GstIvsLane lanes[GST_IVS_N_KINDS];
  guint n_undecided;  /* sink_%u pads whose caps are still to come */
  gchar *silent_pads; /* names of the pads without caps, or NULL */
} GstIvsInputs;

void gst_ivs_inputs_clear (GstIvsInputs *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstIvsInputs, gst_ivs_inputs_clear)

/* Is there something to publish, and nothing more to wait for? @is_overdue: pads without
 * data are not waited for any more. */
gboolean gst_ivs_inputs_are_complete (const GstIvsInputs *self,
    GstIvsDummyVideo dummy_video, gboolean is_overdue);
/* Has every stream ended? */
gboolean gst_ivs_inputs_are_eos (const GstIvsInputs *self);

/* After that: has a stream come that has something to publish? */
gboolean gst_ivs_inputs_go_on (const GstIvsInputs *self);
/* The sections of an offer: our inputs, and the silent video that a stage wants. */
void gst_ivs_inputs_choose_sections (const GstIvsInputs *self,
    GstIvsDummyVideo dummy_video, gboolean is_overdue,
    gboolean sections[GST_IVS_N_KINDS]);

G_END_DECLS
