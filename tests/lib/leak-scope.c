/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tells LeakSanitizer to leave out what the constructors of libraries allocate.
 *
 * GLib makes a table of 2048 names there and drops it, by intention, when more are
 * registered. No suppression can name it, for the stacks that are quick enough to be
 * kept end at g_malloc(). What runs before the constructors of the libraries is in
 * .preinit_array; the constructors of a program run after them.
 */
#include <sanitizer/lsan_interface.h>

static void
leave_out (void)
{
  __lsan_disable ();
}

__attribute__ ((section (".preinit_array"),
    used)) static void (*const before_libraries) (void) = leave_out;

__attribute__ ((constructor)) static void
look_again (void)
{
  __lsan_enable ();
}
