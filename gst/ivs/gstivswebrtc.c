/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A webrtcbin with the settings that a stage and a live source ask for.
 */
#include "gstivswebrtc.h"

#include <gst/webrtc/webrtc.h>
#include "ivs-error.h"

/* Between two connectivity checks: three of libnice's 20 ms pass with a server at hand.
 * RFC 8445 section 14.2 allows 5 ms; there are few candidates to check. */
#define ICE_PACING_MS 5

/* Everything that webrtcbin needs at run time, and who brings it. */
static gboolean
check_plugins (GError **error)
{
  static const struct
  {
    const gchar *element;
    const gchar *package;
  } needed[] = {
    { "webrtcbin", "gstreamer1.0-plugins-bad" },
    { "dtlssrtpenc", "gstreamer1.0-plugins-bad" },
    { "srtpenc", "gstreamer1.0-plugins-bad" },
    { "rtpbin", "gstreamer1.0-plugins-good" },
    { "nicesink", "gstreamer1.0-nice" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (needed); i++) {
    g_autoptr (GstElementFactory) factory =
        gst_element_factory_find (needed[i].element);

    if (factory == NULL) {
      g_set_error (error, IVS_ERROR, IVS_FAILURE_MISSING_PLUGIN,
          "The GStreamer element \"%s\" is not installed (Debian and Ubuntu: apt install %s)",
          needed[i].element, needed[i].package);
      return FALSE;
    }
  }
  return TRUE;
}

static void
set_if_present (gpointer object, const gchar *property, gboolean value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (object), property))
    g_object_set (object, property, value, NULL);
}

/* No UPnP (its timeout is what gathering waits for) and no TCP: a stage takes
 * media over UDP only, and each TCP candidate costs two descriptors. */
static void
configure_ice (GstElement *webrtcbin)
{
  g_autoptr (GstObject) ice = NULL;
  g_autoptr (GObject) agent = NULL;

  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (ice == NULL)
    return;

  set_if_present (ice, "ice-tcp", FALSE);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (ice), "agent"))
    g_object_get (ice, "agent", &agent, NULL);
  if (agent == NULL)
    return;

  set_if_present (agent, "upnp", FALSE);
  set_if_present (agent, "keepalive-conncheck", TRUE);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (agent),
          "stun-pacing-timer"))
    g_object_set (agent, "stun-pacing-timer", ICE_PACING_MS, NULL);
}

static void
configure (GstElement *webrtcbin, const GstIvsSettings *settings)
{
  g_autoptr (GstElement) rtpbin = NULL;

  g_object_set (webrtcbin, "bundle-policy", GST_WEBRTC_BUNDLE_POLICY_MAX_BUNDLE,
      "ice-transport-policy", settings->ice_transport_policy, NULL);
  if (settings->stun_server != NULL)
    g_object_set (webrtcbin, "stun-server", settings->stun_server, NULL);
  for (guint i = 0;
       settings->turn_servers != NULL && settings->turn_servers[i] != NULL;
       i++) {
    gboolean is_added = FALSE;

    g_signal_emit_by_name (webrtcbin, "add-turn-server",
        settings->turn_servers[i], &is_added);
  }
  configure_ice (webrtcbin);

  /* With send times, sender reports may advance at twice the clock rate: the
   * latency they subtract is known only if its event wins a race. */
  rtpbin = gst_bin_get_by_name (GST_BIN (webrtcbin), "rtpbin");
  if (rtpbin != NULL)
    g_object_set (rtpbin, "rtcp-sync-send-time", FALSE, NULL);
}

GstElement *
gst_ivs_webrtc_make (const gchar *name, const GstIvsSettings *settings,
    GError **error)
{
  GstElement *webrtcbin;

  if (!check_plugins (error))
    return NULL;
  webrtcbin =
      gst_object_ref_sink (gst_element_factory_make ("webrtcbin", name));
  configure (webrtcbin, settings);
  return webrtcbin;
}
