/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chromium without a window, for tests in a real browser.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _Browser Browser;

gboolean browser_is_there (void);

/* A test for where there is none: it is skipped, and says why. */
void browser_skip (void);

/* Opens `url` with a profile of its own. It ends with the test program. */
Browser *browser_open (const gchar *url);
void browser_close (Browser *browser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Browser, browser_close)

G_END_DECLS
