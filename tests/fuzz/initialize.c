/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What each fuzz target begins with: a warning of GLib is a finding.
 */
#include <gst/gst.h>
#include <signal.h>
#include <stdlib.h>

#include "fuzz.h"

/* GLib ends with a trap. libFuzzer does not look out for it, and what was found would
 * be lost. */
static void
trapped (int number)
{
  abort ();
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (
      G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
  signal (SIGTRAP, trapped);
  /* Without an argument, for libFuzzer's are none of GStreamer's. */
  gst_init (NULL, NULL);
  return 0;
}
