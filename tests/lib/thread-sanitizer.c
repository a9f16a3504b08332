/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lets ThreadSanitizer see the locks of GLib, which is not built with it.
 *
 * GLib's mutexes are made of futexes, and reference counts of atomic operations in
 * libraries that are not instrumented: without this everything that they guard looks
 * like a race. In every test program that is built with -Db_sanitize=thread; the
 * program's functions are found before those of the libraries.
 */
#include <dlfcn.h>
#include <glib-object.h>
#include <sanitizer/tsan_interface.h>

/* The unit tests are built without it. */
#if __has_include(<gst/gst.h>)
#include <gst/gst.h>
#endif

/* Not to be looked at itself. */
#define UNSEEN __attribute__ ((no_sanitize ("thread")))

/* -- Locks and references --------------------------------------------------------------- */

/* The library's own function of this name and type. */
#define REAL(name) \
  static __typeof__ (&name) real = NULL; \
  if (G_UNLIKELY (real == NULL)) \
  real = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name)

#undef g_mutex_lock
#undef g_mutex_trylock
#undef g_mutex_unlock

UNSEEN void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock);
  real (mutex);
  __tsan_acquire (mutex);
}

UNSEEN gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean is_locked;

  REAL (g_mutex_trylock);
  is_locked = real (mutex);
  if (is_locked)
    __tsan_acquire (mutex);
  return is_locked;
}

UNSEEN void
g_mutex_unlock (GMutex *mutex)
{
  REAL (g_mutex_unlock);
  __tsan_release (mutex);
  real (mutex);
}

UNSEEN void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  __tsan_release (mutex);
  real (cond, mutex);
  __tsan_acquire (mutex);
}

UNSEEN gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean is_signalled;

  REAL (g_cond_wait_until);
  __tsan_release (mutex);
  is_signalled = real (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return is_signalled;
}

/* Whoever drops the last reference sees what all others did before theirs. */
#undef g_object_unref
#undef g_object_ref

UNSEEN void
g_object_unref (gpointer object)
{
  REAL (g_object_unref);
  __tsan_acquire (object);
  __tsan_release (object);
  real (object);
}

#ifdef __GST_H__
UNSEEN void
gst_object_unref (gpointer object)
{
  REAL (gst_object_unref);
  __tsan_acquire (object);
  __tsan_release (object);
  real (object);
}

UNSEEN void
gst_mini_object_unref (GstMiniObject *object)
{
  REAL (gst_mini_object_unref);
  __tsan_acquire (object);
  __tsan_release (object);
  real (object);
}
#endif

/* -- Sources: what is called sees what was done before it was set ---------------------- */

typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} Handed;

UNSEEN static gboolean
handed_due (gpointer data)
{
  Handed *handed = data;

  __tsan_acquire (handed->data);
  return handed->func (handed->data);
}

UNSEEN static void
handed_free (gpointer data)
{
  Handed *handed = data;

  __tsan_acquire (handed->data);
  if (handed->notify != NULL)
    handed->notify (handed->data);
  g_free (handed);
}

/* Of other kinds of sources the callback has another type. */
UNSEEN void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data,
    GDestroyNotify notify)
{
  Handed *handed;

  REAL (g_source_set_callback);
  if (source->source_funcs != &g_idle_funcs &&
      source->source_funcs != &g_timeout_funcs) {
    real (source, func, data, notify);
    return;
  }
  handed = g_new (Handed, 1);
  handed->func = func;
  handed->data = data;
  handed->notify = notify;
  __tsan_release (data);
  real (source, handed_due, handed, handed_free);
}
