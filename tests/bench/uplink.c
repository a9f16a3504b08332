/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishes to a local stage through a bad network, and says what became of it.
 *
 *     uplink [SCENARIO...]     one line per phase of each, as a table of Markdown
 *
 * A picture that uses every bit rate, encoded at 2.5 Mbps at first, and sound.
 */
#include "publish-fixture.h"
#include "whip-relay.h"

#define PIPELINE \
  "videotestsrc is-live=true pattern=zone-plate kx2=30 ky2=20 kt=3 " \
  "! video/x-raw,width=640,height=360,framerate=30/1 ! %s" \
  "ivsstagesink name=s %s whip-endpoint=%s audiotestsrc is-live=true ! s."
#define ENCODER \
  "x264enc tune=zerolatency speed-preset=veryfast bitrate=2000 key-int-max=60 " \
  "! video/x-h264,profile=constrained-baseline ! "
#define MAX_PHASES 5
#define TICK_MS 100
/* An uplink is used when so much of it, or of what would be sent at most, is. */
#define USED 0.9
#define MOST_BPS 2800000

typedef struct
{
  guint seconds; /* 0 = the phase before was the last one */
  UdpRelayPath up;
} Phase;

typedef struct
{
  const gchar *name;
  const gchar *settings;
  gboolean is_encoded;
  Phase phases[MAX_PHASES];
} Scenario;

#define RATE(kbps) .rate_bps = (kbps) *1000
#define RTT(ms) .delay_ms = (ms) / 2

/* clang-format off */
static const Scenario scenarios[] = {
  { "free", "", FALSE, { { 8, { 0 } } } },
  { "loss-1", "", FALSE, { { 12, { RTT (50), .loss = 0.01 } } } },
  { "loss-3", "", FALSE, { { 12, { RTT (50), .loss = 0.03 } } } },
  { "loss-10", "", FALSE, { { 12, { RTT (50), .loss = 0.10 } } } },
  { "rtt-300", "", FALSE, { { 12, { RTT (300), RATE (1500) } } } },
  { "jitter", "", FALSE, { { 12, { RTT (50), .jitter_ms = 30 } } } },
  { "steps", "", FALSE, { { 8, { RTT (50), RATE (4000) } }, { 12, { RTT (50), RATE (1000) } },
      { 12, { RTT (50), RATE (400) } }, { 15, { RTT (50), RATE (4000) } } } },
  { "competing", "", FALSE, { { 15, { RTT (50), RATE (1000), .cross_bps = 500000 } } } },
  { "small-queue", "", FALSE, { { 15, { RTT (50), RATE (1000), .queue_ms = 60 } } } },
  { "encoded", "", TRUE, { { 5, { RTT (50) } }, { 12, { RTT (50), RATE (1000) } },
      { 12, { RTT (50), RATE (4000) } } } },
  { "uncontrolled", "congestion-control=none", FALSE, { { 5, { RTT (50), RATE (4000) } },
      { 12, { RTT (50), RATE (1000) } } } },
};
/* clang-format on */

typedef struct
{
  UdpRelay *relay;
  WhipRelay *whip;
  PublishFixture *publish;
} Run;

static gboolean
never (gpointer data)
{
  return FALSE;
}

static gdouble
ask_stage (Run *run, const gchar *path)
{
  g_autoptr (JsonNode) state = publish_fixture_look (run->publish);

  return publish_fixture_number (run->publish, state, path);
}

static guint
get_bps (Run *run)
{
  guint bps = 0;

  g_object_get (publish_fixture_get_sink (run->publish), "estimated-bitrate",
      &bps, NULL);
  return bps;
}

static void
run_phase (Run *run, const Scenario *scenario, const Phase *phase)
{
  const UdpRelayPath down = { .delay_ms = phase->up.delay_ms };
  guint free_bps = phase->up.rate_bps > phase->up.cross_bps
      ? phase->up.rate_bps - phase->up.cross_bps
      : G_MAXUINT;
  gdouble wanted = USED * MIN (free_bps, MOST_BPS);
  gdouble frames = ask_stage (run, "session.video.frames");
  gdouble missing = ask_stage (run, "session.video.missing");
  guint ticks = phase->seconds * 1000 / TICK_MS, used_after = 0, wait = 0;
  UdpRelayStats before, now;

  udp_relay_set_path (run->relay, UDP_RELAY_UP, &phase->up);
  udp_relay_set_path (run->relay, UDP_RELAY_DOWN, &down);
  udp_relay_get_stats (run->relay, UDP_RELAY_UP, &before);
  for (guint i = 1; i <= ticks; i++) {
    publish_wait (never, NULL, TICK_MS);
    udp_relay_get_stats (run->relay, UDP_RELAY_UP, &now);
    wait += now.longest_wait_ms;
    if (used_after == 0 && get_bps (run) >= wanted)
      used_after = i;
  }
  g_print ("| %s | %u | %.0f | %u | %u | %" G_GUINT64_FORMAT
           " | %.1f | %.0f | %s%.1f |\n",
      scenario->name, phase->up.rate_bps / 1000,
      (gdouble) (now.bytes - before.bytes +
          28 * (now.packets - before.packets)) *
          8 / phase->seconds / 1000,
      get_bps (run) / 1000, wait / ticks, now.overflowed - before.overflowed,
      (ask_stage (run, "session.video.frames") - frames) / phase->seconds,
      ask_stage (run, "session.video.missing") - missing,
      used_after == 0 ? "> " : "",
      (used_after == 0 ? ticks : used_after) * TICK_MS / 1000.0);
}

static void
run_scenario (StageFixture *stage, const Scenario *scenario)
{
  static const gchar *const expected[] = { "frame-rate-low", "video-stopped",
    "key-frame-interval", "lost", "audio-gaps", "resolution-small",
    "uplink-narrow" };
  Run run = { .relay = udp_relay_start (1) };

  run.whip =
      whip_relay_start (run.relay, stage_fixture_get_regional_url (stage));
  run.publish =
      publish_fixture_new (stage, PIPELINE, scenario->is_encoded ? ENCODER : "",
          scenario->settings, whip_relay_get_url (run.whip));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    publish_fixture_expect (run.publish, expected[i]);
  publish_fixture_play (run.publish);
  publish_fixture_wait_connection (run.publish, "connected", 20);
  for (const Phase *phase = scenario->phases;
       phase < scenario->phases + MAX_PHASES && phase->seconds > 0; phase++)
    run_phase (&run, scenario, phase);
  publish_fixture_free (run.publish);
  whip_relay_stop (run.whip);
  udp_relay_stop (run.relay);
}

int
main (int argc, char **argv)
{
  StageFixture *stage;

  gst_init (&argc, &argv);
  stage = stage_fixture_start (NULL);
  g_print (
      "| Scenario | Uplink, kbit/s | Sent, kbit/s | Estimate at the end | "
      "Mean of the longest waits, ms | Overflowed | Frames/s at the stage | "
      "Packets missing there | Used after, s |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++)
    if (argc == 1 ||
        g_strv_contains ((const gchar *const *) argv + 1, scenarios[i].name))
      run_scenario (stage, &scenarios[i]);
  stage_fixture_stop (stage);
  return 0;
}
