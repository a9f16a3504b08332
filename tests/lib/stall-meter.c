/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long this computer lets a thread wait that is due.
 *
 * What is measured of media in real time has that in it as well, several times: the
 * source, the encoder, the network and the receiver each wait for their turn.
 */
#include "stall-meter.h"

#include <stdio.h>

#define PERIOD_US 5000
/* Part of the time in which something waits for a processor. */
#define BUSY 0.3
/* Threads that media passes one after the other. */
#define SEVERAL 8

struct _StallMeter
{
  GThread *thread;
  GMutex lock;
  GCond ended;
  gboolean is_over;
  gint64 longest; /* us */

  /* Constant. */
  gint64 began, waited_before; /* us */
};

/* For how long something has waited for a processor so far, us: the kernel's pressure
 * stall information; 0 where it does not tell. */
static gint64
read_pressure (void)
{
  g_autofree gchar *text = NULL;
  gint64 total = 0;

  if (!g_file_get_contents ("/proc/pressure/cpu", &text, NULL, NULL) ||
      sscanf (text,
          "some avg10=%*f avg60=%*f avg300=%*f total=%" G_GINT64_FORMAT,
          &total) != 1)
    return 0;
  return total;
}

static gpointer
measure (gpointer data)
{
  StallMeter *self = data;

  g_mutex_lock (&self->lock);
  while (!self->is_over) {
    gint64 due = g_get_monotonic_time () + PERIOD_US;

    if (!g_cond_wait_until (&self->ended, &self->lock, due))
      self->longest = MAX (self->longest, g_get_monotonic_time () - due);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

StallMeter *
stall_meter_new (void)
{
  StallMeter *self = g_new0 (StallMeter, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  self->began = g_get_monotonic_time ();
  self->waited_before = read_pressure ();
  self->thread = g_thread_new ("stall-meter", measure, self);
  return self;
}

void
stall_meter_free (StallMeter *self)
{
  g_mutex_lock (&self->lock);
  self->is_over = TRUE;
  g_cond_signal (&self->ended);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->ended);
  g_free (self);
}

gdouble
stall_meter_get_longest (StallMeter *self)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (&self->lock);

  return (gdouble) self->longest / 1000.;
}

static gboolean
is_busy (StallMeter *self)
{
  gdouble seen = (gdouble) (g_get_monotonic_time () - self->began);

  return (gdouble) (read_pressure () - self->waited_before) > BUSY * seen;
}

gdouble
stall_meter_stretch (StallMeter *self, gdouble limit, gdouble most)
{
  gdouble longest = stall_meter_get_longest (self);

  g_test_message ("longest stall %.1f ms%s", longest,
      is_busy (self) ? ", on a busy computer" : "");
  return is_busy (self) ? most : MIN (limit + SEVERAL * longest, most);
}
