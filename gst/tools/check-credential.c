/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The checks that need no network: the credential, the endpoint that is used, and
 * what is installed.
 */
#include "check-credential.h"

#include <string.h>
#include "gstivscredential.h"
#include "gstivsencoders.h"
#include "ivs-endpoint.h"
#include "ivs-error-table.h"
#include "whip-url.h"

/* A token that ends sooner is hardly worth to begin with, seconds. */
#define SHORT_LIFE (10 * 60)
/* Further apart, a computer's clock is not kept by NTP; seconds. */
#define MAX_SKEW 30

/* -- The credential --------------------------------------------------------------- */

static gchar *
describe_source (const GstIvsSettings *settings)
{
  if (settings->auth_token_file == NULL)
    return g_strdup ("IVS_STAGE_TOKEN");
  if (g_str_equal (settings->auth_token_file, "/dev/stdin"))
    return g_strdup ("the standard input");
  return g_strdup_printf ("the file %s", settings->auth_token_file);
}

static void
report_identity (CheckReport *report, const GstIvsSettings *settings,
    const IvsToken *token)
{
  g_autofree gchar *source = describe_source (settings);

  check_report_ok (report, "token",
      "participant %s%s%s, %" G_GSIZE_FORMAT " characters, from %s",
      token->participant_id != NULL ? token->participant_id : "(not said)",
      token->user_id != NULL ? ", user " : "",
      token->user_id != NULL ? token->user_id : "", strlen (token->secret),
      source);
  check_report_ok (report, "stage", "%s",
      token->stage_arn != NULL ? token->stage_arn
                               : "the token does not say which");
  check_report_fact (report, "participant_id", token->participant_id);
  check_report_fact (report, "user_id", token->user_id);
  check_report_fact (report, "stage_arn", token->stage_arn);
}

/* Rights alone are judged by asking at a time when no token has expired. */
static void
report_rights (CheckReport *report, const IvsToken *token)
{
  g_autoptr (GError) error = NULL;

  check_report_fact_flag (report, "allow_publish", token->allow_publish);
  check_report_fact_flag (report, "allow_subscribe", token->allow_subscribe);
  if (!ivs_token_check_publish (token, 0, &error) &&
      g_error_matches (error, IVS_ERROR, IVS_FAILURE_TOKEN_NO_PUBLISH))
    check_report_fail_with_error (report, "rights", error);
  else
    check_report_ok (report, "rights", "%s%s",
        token->allow_publish ? "publish" : "not to publish",
        token->allow_subscribe ? ", subscribe" : "");
}

static gchar *
describe_age (const IvsToken *token, gint64 now)
{
  g_autofree gchar *duration = NULL;

  if (token->issued_at == 0)
    return g_strdup ("");
  duration = ivs_token_describe_duration (ABS (now - token->issued_at));
  return token->issued_at <= now
      ? g_strdup_printf ("made %s ago, ", duration)
      : g_strdup_printf ("made %s from now, ", duration);
}

static void
report_validity (CheckReport *report, const IvsToken *token, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDateTime) time =
      g_date_time_new_from_unix_utc (token->expires_at);
  g_autofree gchar *when = time != NULL ? g_date_time_format_iso8601 (time)
                                        : g_strdup ("in a far future");
  g_autofree gchar *age = describe_age (token, now);
  g_autofree gchar *left =
      ivs_token_describe_duration (MAX (token->expires_at - now, 0));

  if (token->issued_at != 0)
    check_report_fact_number (report, "issued_at", token->issued_at);
  if (token->expires_at != 0)
    check_report_fact_number (report, "expires_at", token->expires_at);

  if (!ivs_token_check_publish (token, now, &error) &&
      g_error_matches (error, IVS_ERROR, IVS_FAILURE_TOKEN_EXPIRED))
    check_report_fail_with_error (report, "validity", error);
  else if (token->expires_at - now < SHORT_LIFE)
    check_report_warn (report, "validity",
        ivs_failure_rows[IVS_FAILURE_TOKEN_EXPIRED].advice,
        "%sexpires in %s (%s)", age, left, when);
  else
    check_report_ok (report, "validity", "%sexpires in %s (%s)", age, left,
        when);
}

IvsToken *
check_credential (CheckReport *report, const GstIvsSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = settings->auth_token_file != NULL
      ? gst_ivs_credential_read_once (settings->auth_token_file, &error)
      : gst_ivs_credential_read (settings, NULL, &error);
  g_autoptr (IvsToken) token =
      text != NULL ? ivs_token_parse (text, &error) : NULL;

  if (token == NULL) {
    check_report_fail_with_error (report, "token", error);
    return NULL;
  }

  check_report_hide (report, token->secret);
  report_identity (report, settings, token);
  report_rights (report, token);
  report_validity (report, token, g_get_real_time () / G_USEC_PER_SEC);
  return g_steal_pointer (&token);
}

/* -- The endpoint ------------------------------------------------------------------ */

gchar *
check_endpoint (CheckReport *report, const GstIvsSettings *settings,
    const IvsToken *token)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *url =
      ivs_endpoint_choose (settings->whip_endpoint, token, &error);
  g_autofree gchar *shown = NULL;
  const gchar *source = "named by the token";

  if (url == NULL) {
    check_report_fail_with_error (report, "endpoint", error);
    return NULL;
  }

  shown = whip_url_without_query (url);
  if (settings->whip_endpoint != NULL)
    source = "from --whip-endpoint";
  else if (g_str_equal (url, IVS_GLOBAL_ENDPOINT))
    source = "the documented one";
  check_report_ok (report, "endpoint", "%s (%s)", shown, source);
  check_report_fact (report, "whip_endpoint", shown);
  return g_steal_pointer (&url);
}

/* -- The clock --------------------------------------------------------------------- */

static const gchar *
compare_expiry (const IvsToken *token, gint64 now, gint64 server_date)
{
  gboolean is_expired_here, is_expired_there;

  if (token == NULL || token->expires_at == 0)
    return "";
  is_expired_here = token->expires_at <= now;
  is_expired_there = token->expires_at <= server_date;
  if (is_expired_here == is_expired_there)
    return "";
  return is_expired_there ? "; by the server's clock the token has expired"
                          : "; by the server's clock the token is still valid";
}

void
check_clock (CheckReport *report, const IvsToken *token, gint64 now,
    gint64 server_date)
{
  gint64 skew = now - server_date;
  g_autofree gchar *apart = ivs_token_describe_duration (ABS (skew));

  check_report_fact_number (report, "clock_skew", skew);
  if (ABS (skew) <= MAX_SKEW)
    check_report_ok (report, "clock", "agrees with the server's (%s apart)",
        apart);
  else
    check_report_warn (report, "clock",
        "Set the clock: timedatectl set-ntp true",
        "This computer's clock is %s %s the server's%s", apart,
        skew > 0 ? "ahead of" : "behind",
        compare_expiry (token, now, server_date));
}

/* -- What is installed --------------------------------------------------------------- */

/* Who sends H.264 and Opus needs none. */
void
check_encoders (CheckReport *report, const GstIvsSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) video =
      gst_ivs_encoders_make_h264 (settings->encoding.video_bitrate, &error);
  g_autoptr (GstElementFactory) audio = gst_element_factory_find ("opusenc");
  GstElementFactory *factory = NULL;

  if (video != NULL) {
    gst_object_ref_sink (video);
    factory = gst_element_get_factory (video);
    check_report_fact (report, "h264_encoder", GST_OBJECT_NAME (factory));
  }
  if (video != NULL && audio != NULL)
    check_report_ok (report, "encoders", "%s, opusenc",
        GST_OBJECT_NAME (factory));
  else
    check_report_warn (report, "encoders",
        ivs_failure_rows[IVS_FAILURE_MISSING_PLUGIN].advice,
        "%s: only media that is encoded already can be published",
        video == NULL ? error->message
                      : "There is no encoder for Opus (opusenc)");
}
