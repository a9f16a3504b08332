/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chromium without a window, for tests in a real browser.
 */
#include "browser.h"

#include <signal.h>
#include <sys/prctl.h>

struct _Browser
{
  GSubprocess *process;
  gchar *profile;
};

static gchar *
find_program (void)
{
  static const gchar *const names[] = { "chromium", "chromium-headless-shell",
    "google-chrome" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gchar *path = g_find_program_in_path (names[i]);

    if (path != NULL)
      return path;
  }
  return NULL;
}

gboolean
browser_is_there (void)
{
  g_autofree gchar *program = find_program ();

  return program != NULL;
}

void
browser_skip (void)
{
  g_test_skip ("there is no chromium (or google-chrome) on this computer");
}

/* In the child: a test that aborts does not leave a browser behind. */
static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

/* A page of 127.0.0.1 gets our loopback address, and no .local name for it: a
 * WHIP server must say where it is. */
static const gchar *const options[] = {
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
};

Browser *
browser_open (const gchar *url)
{
  Browser *browser = g_new0 (Browser, 1);
  g_autofree gchar *program = find_program ();
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  browser->profile = g_dir_make_tmp ("ivs-browser-XXXXXX", &error);
  g_assert_no_error (error);
  g_ptr_array_add (arguments, g_strdup (program));
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    g_ptr_array_add (arguments, g_strdup (options[i]));
  g_ptr_array_add (arguments,
      g_strconcat ("--user-data-dir=", browser->profile, NULL));
  g_ptr_array_add (arguments, g_strdup (url));
  g_ptr_array_add (arguments, NULL);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  browser->process = g_subprocess_launcher_spawnv (launcher,
      (const gchar *const *) arguments->pdata, &error);
  g_assert_no_error (error);
  return browser;
}

static void
remove_tree (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process =
      g_subprocess_new (0, &error, "rm", "-rf", path, NULL);

  g_assert_no_error (error);
  g_subprocess_wait (process, NULL, NULL);
}

/* SIGTERM ends a browser and its helper processes in good order. */
void
browser_close (Browser *browser)
{
  g_subprocess_send_signal (browser->process, SIGTERM);
  g_subprocess_wait (browser->process, NULL, NULL);
  remove_tree (browser->profile);
  g_object_unref (browser->process);
  g_free (browser->profile);
  g_free (browser);
}
