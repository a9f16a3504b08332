/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The small parts of the control path that need no stage: liveness, inputs,
 * credential, worker.
 */
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "end-gstreamer.h"
#include "gstivscredential.h"
#include "gstivsinputs.h"
#include "gstivsliveness.h"
#include "gstivsworker.h"
#include "ivs-error.h"
#include "token-maker.h"

#define SECOND G_USEC_PER_SEC

/* -- Liveness ------------------------------------------------------------------ */

static const struct
{
  const gchar *name;
  gint64 report_us;   /* between two reports */
  gint64 feedback_us; /* between two feedback packets, 0 = there is none */
  guint seconds;      /* of that, before silence */
  gboolean is_sending;
  gint64 earliest_us, latest_us; /* after the last packet */
} lives[] = {
  { "every-second", SECOND, 0, 30, TRUE, 6 * SECOND, 6 * SECOND },
  { "every-five-seconds", 5 * SECOND, 0, 60, TRUE, 7500 * 1000, 8500 * 1000 },
  { "feedback", 5 * SECOND, SECOND / 4, 30, TRUE, 6 * SECOND, 6 * SECOND },
  /* No media, no feedback, and reports when it pleases. */
  { "feedback-paused", 5 * SECOND, SECOND / 4, 60, FALSE, 15 * SECOND,
      15 * SECOND },
  { "habit-unknown", SECOND, 0, 3, TRUE, 7500 * 1000, 7500 * 1000 },
};

static void
test_liveness (gconstpointer data)
{
  gsize row = GPOINTER_TO_SIZE (data);
  gint64 step = lives[row].feedback_us != 0 ? lives[row].feedback_us
                                            : lives[row].report_us;
  gint64 begin = 1000 * SECOND, now = begin;
  GstIvsLiveness liveness = { 0 };
  gint64 limit;

  for (; now <= begin + lives[row].seconds * SECOND; now += step) {
    gboolean is_report = (now - begin) % lives[row].report_us == 0;

    g_assert_cmpint (now, <, gst_ivs_liveness_get_deadline (&liveness));
    gst_ivs_liveness_heard (&liveness, is_report, now);
    gst_ivs_liveness_set_sending (&liveness, TRUE, now);
  }
  gst_ivs_liveness_set_sending (&liveness, lives[row].is_sending, now);
  limit = gst_ivs_liveness_get_deadline (&liveness) - (now - step);
  g_assert_cmpint (limit, >=, lives[row].earliest_us);
  g_assert_cmpint (limit, <=, lives[row].latest_us);
}

/* Media goes on after a pause: feedback has time to begin again. */
static void
test_liveness_resumed (void)
{
  GstIvsLiveness liveness = { 0 };
  gint64 now = 1000 * SECOND;

  for (guint i = 0; i < 100; i++, now += SECOND / 4)
    gst_ivs_liveness_heard (&liveness, i % 20 == 0, now);
  gst_ivs_liveness_set_sending (&liveness, FALSE, now);
  now += 14 * SECOND;
  g_assert_cmpint (gst_ivs_liveness_get_deadline (&liveness), >, now);
  gst_ivs_liveness_set_sending (&liveness, TRUE, now);
  g_assert_cmpint (gst_ivs_liveness_get_deadline (&liveness), >, now);
}

static void
test_liveness_never_heard (void)
{
  GstIvsLiveness liveness = { 0 };

  gst_ivs_liveness_set_sending (&liveness, TRUE, SECOND);
  g_assert_cmpint (gst_ivs_liveness_get_deadline (&liveness), ==, G_MAXINT64);
}

/* -- Inputs -------------------------------------------------------------------- */

/* Pads: - none, w waits for its caps, r ready, e ended. */
static const struct
{
  const gchar *name;
  gchar audio, video;
  guint n_undecided;
  GstIvsDummyVideo dummy;
  gboolean is_overdue;
  gboolean is_complete, is_eos, has_audio, has_video;
} cases[] = {
  { "audio", 'r', '-', 0, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, TRUE, FALSE, TRUE,
      TRUE },
  { "audio-never", 'r', '-', 0, GST_IVS_DUMMY_VIDEO_NEVER, FALSE, TRUE, FALSE,
      TRUE, FALSE },
  { "video", '-', 'r', 0, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, TRUE, FALSE, FALSE,
      TRUE },
  { "video-waits", 'r', 'w', 0, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, FALSE, FALSE,
      TRUE, TRUE },
  { "video-always", 'r', 'w', 0, GST_IVS_DUMMY_VIDEO_ALWAYS, FALSE, TRUE, FALSE,
      TRUE, TRUE },
  { "video-overdue", 'r', 'w', 0, GST_IVS_DUMMY_VIDEO_NEVER, TRUE, TRUE, FALSE,
      TRUE, FALSE },
  { "audio-overdue", 'w', 'r', 0, GST_IVS_DUMMY_VIDEO_AUTO, TRUE, TRUE, FALSE,
      FALSE, TRUE },
  { "undecided", 'r', '-', 1, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, FALSE, FALSE,
      TRUE, TRUE },
  { "nothing", '-', '-', 0, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, FALSE, FALSE,
      FALSE, TRUE },
  { "one-ended", 'e', 'r', 0, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, TRUE, FALSE,
      TRUE, TRUE },
  { "all-ended", 'e', 'e', 0, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, FALSE, TRUE,
      TRUE, TRUE },
  { "ended-undecided", 'e', '-', 1, GST_IVS_DUMMY_VIDEO_AUTO, FALSE, FALSE,
      FALSE, TRUE, TRUE },
};

static void
lane_init (GstIvsLane *lane, gchar state)
{
  lane->n_pads = state == '-' ? 0 : 1;
  lane->is_ready = state == 'r';
  lane->is_eos = state == 'e';
}

static void
test_inputs (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  GstIvsInputs inputs = { .n_undecided = cases[i].n_undecided };
  gboolean sections[GST_IVS_N_KINDS];

  lane_init (&inputs.lanes[GST_IVS_AUDIO], cases[i].audio);
  lane_init (&inputs.lanes[GST_IVS_VIDEO], cases[i].video);
  g_assert_cmpint (gst_ivs_inputs_are_complete (&inputs, cases[i].dummy,
                       cases[i].is_overdue),
      ==, cases[i].is_complete);
  g_assert_cmpint (gst_ivs_inputs_are_eos (&inputs), ==, cases[i].is_eos);
  gst_ivs_inputs_choose_sections (&inputs, cases[i].dummy, cases[i].is_overdue,
      sections);
  g_assert_cmpint (sections[GST_IVS_AUDIO], ==, cases[i].has_audio);
  g_assert_cmpint (sections[GST_IVS_VIDEO], ==, cases[i].has_video);
}

/* -- Credential ------------------------------------------------------------------ */

static gchar *
token_of (const gchar *participant)
{
  return token_maker_make_publisher (participant,
      G_GINT64_CONSTANT (4102444800), NULL);
}

static void
assert_found (const GstIvsSettings *settings, const gchar *requested,
    const gchar *participant)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsToken) token =
      gst_ivs_credential_find (settings, requested, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (token->participant_id, ==, participant);
}

/* One after the other goes: the next is asked. */
static void
test_credential_order (void)
{
  g_autofree gchar *requested = token_of ("signal");
  g_autofree gchar *in_file = token_of ("file");
  g_autofree gchar *in_variable = token_of ("variable");
  g_autofree gchar *folder = g_dir_make_tmp ("ivs-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "token", NULL);
  g_auto (GstIvsSettings) settings;
  g_autoptr (GError) error = NULL;

  gst_ivs_settings_init (&settings);
  settings.auth_token = token_of ("property");
  settings.auth_token_file = g_strdup (path);
  g_assert_true (g_file_set_contents (path, in_file, -1, NULL));
  g_setenv ("IVS_STAGE_TOKEN", in_variable, TRUE);

  assert_found (&settings, requested, "signal");
  assert_found (&settings, NULL, "file");
  g_clear_pointer (&settings.auth_token_file, g_free);
  assert_found (&settings, NULL, "property");
  g_clear_pointer (&settings.auth_token, g_free);
  assert_found (&settings, NULL, "variable");
  g_unsetenv ("IVS_STAGE_TOKEN");
  g_assert_null (gst_ivs_credential_find (&settings, NULL, &error));
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_TOKEN_MISSING);

  g_remove (path);
  g_rmdir (folder);
}

/* Nobody writes to it: to open it would take for ever. */
static void
test_credential_pipe (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("ivs-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "pipe", NULL);
  g_auto (GstIvsSettings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  gst_ivs_settings_init (&settings);
  settings.auth_token_file = g_strdup (path);
  g_assert_null (gst_ivs_credential_find (&settings, NULL, &error));
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_TOKEN_FILE);
  g_assert_nonnull (strstr (error->message, "a pipe or a device"));
  g_remove (path);
  g_rmdir (folder);
}

/* -- Worker -------------------------------------------------------------------- */

typedef struct
{
  GstIvsWorker *worker;
  GString *order;
  guint freed;
  GSource *timer;
} Work;

static void
note_a (gpointer data)
{
  g_string_append_c (((Work *) data)->order, 'a');
}

static void
note_b (gpointer data)
{
  Work *work = data;

  g_assert_true (gst_ivs_worker_is_current (work->worker));
  g_string_append_c (work->order, 'b');
}

static void
count_freed (gpointer data)
{
  ((Work *) data)->freed++;
}

static void
start_and_clear_timer (gpointer data)
{
  Work *work = data;

  work->timer = gst_ivs_worker_call_later (work->worker, 0, note_a, work);
  gst_ivs_timer_clear (&work->timer);
  gst_ivs_timer_clear (&work->timer);
}

/* In order; what was posted before the stop runs, what comes later is freed; a
 * timer that was cleared does not fire. */
static void
test_worker (void)
{
  Work work = { gst_ivs_worker_start ("test"), g_string_new (NULL) };

  g_assert_false (gst_ivs_worker_is_current (work.worker));
  gst_ivs_worker_call (work.worker, start_and_clear_timer, &work, count_freed);
  gst_ivs_worker_call (work.worker, note_a, &work, count_freed);
  gst_ivs_worker_call (work.worker, note_b, &work, count_freed);
  gst_ivs_worker_call (work.worker, note_a, &work, count_freed);
  gst_ivs_worker_stop_and_join (work.worker);
  gst_ivs_worker_call (work.worker, note_b, &work, count_freed);
  g_assert_cmpstr (work.order->str, ==, "aba");
  g_assert_cmpuint (work.freed, ==, 5);
  gst_ivs_worker_unref (work.worker);
  g_string_free (work.order, TRUE);
}

static void
add_tables (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lives); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/control/liveness/%s", lives[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_liveness);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/control/inputs/%s", cases[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_inputs);
  }
}

int
main (int argc, char **argv)
{
  int status;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  add_tables ();
  g_test_add_func ("/control/liveness/resumed", test_liveness_resumed);
  g_test_add_func ("/control/liveness/never-heard", test_liveness_never_heard);
  g_test_add_func ("/control/credential/order", test_credential_order);
  g_test_add_func ("/control/credential-pipe", test_credential_pipe);
  g_test_add_func ("/control/worker", test_worker);
  status = g_test_run ();
  end_gstreamer ();
  return status;
}
