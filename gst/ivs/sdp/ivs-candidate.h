/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One ICE candidate of an answer: can we send to it?
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  IVS_CANDIDATE_USABLE,
  IVS_CANDIDATE_NOT_UDP, /* ICE over TCP is switched off */
  IVS_CANDIDATE_NAME,    /* a host or mDNS name: nothing here resolves it */
  IVS_CANDIDATE_MALFORMED,
  IVS_CANDIDATE_N_USES
} IvsCandidateUse;

IvsCandidateUse ivs_candidate_judge (const gchar *value, gchar **address);

G_END_DECLS
