/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is posted when inputs come while the offer is being made.
 *
 * All that is asked of the session is asked in one go on its worker, so that no offer can
 * be ready in between.
 */
#include "end-gstreamer.h"
#include "gstivssession.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"
#include "test-table.h"
#include "token-maker.h"

static const GstIvsStreamId ids[GST_IVS_N_KINDS] = {
  [GST_IVS_AUDIO] = { 0x1111, IVS_AUDIO_PT, 48000, IVS_TWCC_EXT_ID },
  [GST_IVS_VIDEO] = { 0x2222, IVS_VIDEO_PT, 90000, IVS_TWCC_EXT_ID },
};

typedef struct
{
  GstElement *bin;
  GstIvsWorker *worker;
  StubEndpoint *stub;
  GstIvsSession *session;

  GMutex lock; /* protects: */
  gboolean is_closed;
  gchar *failure; /* its name */
} Rig;

/* -- What the session tells ---------------------------------------------------------------- */

static void
stepped (GstIvsSession *session, GstIvsStep step, gpointer data)
{
}

static void
failed (GstIvsSession *session, const IvsFailure *failure, gpointer data)
{
  Rig *rig = data;

  g_mutex_lock (&rig->lock);
  rig->failure = g_strdup (failure->name);
  g_mutex_unlock (&rig->lock);
}

static void
closed (GstIvsSession *session, gpointer data)
{
  Rig *rig = data;

  g_mutex_lock (&rig->lock);
  rig->is_closed = TRUE;
  g_mutex_unlock (&rig->lock);
}

static const GstIvsSessionEvents events = {
  .stepped = stepped,
  .failed = failed,
  .closed = closed,
};

/* -- A session ----------------------------------------------------------------------------- */

static void
make_session (gpointer data)
{
  Rig *rig = data;
  g_autofree gchar *secret =
      token_maker_make_publisher ("someone", G_MAXINT32, NULL);
  g_autoptr (IvsToken) token = ivs_token_parse (secret, NULL);
  g_auto (GstIvsSettings) settings = { 0 };
  g_autofree gchar *endpoint =
      g_strconcat (stub_endpoint_get_url (rig->stub), "/", NULL);

  gst_ivs_settings_init (&settings);
  rig->session =
      gst_ivs_session_new (&(GstIvsSessionConfig){ GST_BIN (rig->bin),
                               rig->worker, &settings, token, endpoint },
          &events, rig);
}

static Rig *
rig_new (void)
{
  Rig *rig = g_new0 (Rig, 1);

  g_mutex_init (&rig->lock);
  rig->stub = stub_endpoint_start ("127.0.0.1");
  stub_endpoint_answer (rig->stub, "POST",
      "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n");
  rig->bin = gst_object_ref_sink (gst_pipeline_new (NULL));
  gst_element_set_state (rig->bin, GST_STATE_PAUSED);
  rig->worker = gst_ivs_worker_start ("session-offer");
  gst_ivs_worker_call (rig->worker, make_session, rig, NULL);
  return rig;
}

static gboolean
is_over (gpointer data)
{
  Rig *rig = data;
  gboolean is_closed;

  g_mutex_lock (&rig->lock);
  is_closed = rig->is_closed;
  g_mutex_unlock (&rig->lock);
  return is_closed;
}

/* The answer is a refusal, after which it closes by itself. */
static void
await_refusal (Rig *rig)
{
  g_assert_true (publish_wait (is_over, rig, 30000));
  g_mutex_lock (&rig->lock);
  g_assert_cmpstr (rig->failure, ==, "not-a-stage-endpoint");
  g_mutex_unlock (&rig->lock);
}

static void
drop_session (gpointer data)
{
  g_clear_pointer (&((Rig *) data)->session, gst_ivs_session_unref);
}

static void
rig_free (Rig *rig)
{
  gst_ivs_worker_call (rig->worker, drop_session, rig, NULL);
  gst_ivs_worker_stop_and_join (rig->worker);
  gst_ivs_worker_unref (rig->worker);
  gst_element_set_state (rig->bin, GST_STATE_NULL);
  gst_object_unref (rig->bin);
  stub_endpoint_stop (rig->stub);
  g_free (rig->failure);
  g_mutex_clear (&rig->lock);
  g_free (rig);
}

/* -- What is asked of it ------------------------------------------------------------------- */

static void
prepare (Rig *rig, gboolean audio)
{
  GstCaps *caps[GST_IVS_N_KINDS] = { NULL };

  for (guint kind = audio ? GST_IVS_AUDIO : GST_IVS_VIDEO;
       kind < GST_IVS_N_KINDS; kind++)
    caps[kind] = gst_ivs_stream_make_caps (kind, &ids[kind]);
  gst_ivs_session_prepare (rig->session, caps);
  for (guint kind = 0; kind < GST_IVS_N_KINDS; kind++)
    gst_clear_caps (&caps[kind]);
}

static void
publish (Rig *rig, gboolean audio)
{
  IvsOfferWish wish = { .audio = audio,
    .video = TRUE,
    .audio_channels = 2,
    .retransmission = TRUE };
  const gboolean is_needed[GST_IVS_N_KINDS] = { audio, TRUE };

  gst_ivs_session_publish (rig->session, &wish, is_needed);
}

/* Video is ready, then sound is asked for, then that is ready too. */
static void
ask_for_more (gpointer data)
{
  prepare (data, FALSE);
  publish (data, FALSE);
  gst_ivs_session_hold (((Rig *) data)->session);
  prepare (data, TRUE);
  publish (data, TRUE);
}

/* Sound is asked for and is gone before it was ready. */
static void
hold_and_go_on (gpointer data)
{
  prepare (data, FALSE);
  publish (data, FALSE);
  gst_ivs_session_hold (((Rig *) data)->session);
  publish (data, FALSE);
}

/* Sound comes and is ready at once. */
static void
ask_for_more_at_once (gpointer data)
{
  prepare (data, FALSE);
  publish (data, FALSE);
  prepare (data, TRUE);
  publish (data, TRUE);
}

/* Sound is gone again before anything was posted. */
static void
ask_for_less (gpointer data)
{
  prepare (data, TRUE);
  publish (data, TRUE);
  prepare (data, FALSE);
  publish (data, FALSE);
}

static const struct
{
  const gchar *name;
  GstIvsWorkerFunc ask;
  gboolean has_audio; /* in the one offer that is posted */
} rows[] = {
  { "more", ask_for_more, TRUE },
  { "more-at-once", ask_for_more_at_once, TRUE },
  { "held", hold_and_go_on, FALSE },
  { "less", ask_for_less, FALSE },
};

static void
test_row (gconstpointer data)
{
  gsize row = GPOINTER_TO_SIZE (data);
  Rig *rig = rig_new ();
  g_autofree gchar *offer = NULL;

  gst_ivs_worker_call (rig->worker, rows[row].ask, rig, NULL);
  await_refusal (rig);
  g_assert_cmpuint (stub_endpoint_count (rig->stub, "POST"), ==, 1);
  offer = stub_endpoint_get_body (rig->stub, "POST");
  g_assert_nonnull (strstr (offer, "m=video "));
  g_assert_true ((strstr (offer, "m=audio ") != NULL) == rows[row].has_audio);
  rig_free (rig);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path =
        g_strconcat ("/session-offer/", rows[i].name, NULL);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_row);
  }
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
