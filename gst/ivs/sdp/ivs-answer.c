/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The answer: judged against the offer and repaired before webrtcbin sees it.
 *
 * webrtcbin takes some answers that can never work and stays silent for ever,
 * and refuses some that the RFCs allow, after which it is of no more use. So an
 * answer goes through these steps, in this order: is it an SDP at all; has it the
 * sections of the offer; what is said for the whole session is written into each
 * section; which sections are accepted; what is the one transport of the bundle;
 * then everything is written the way webrtcbin wants it. Every step leaves what
 * it mended in `repairs`.
 */
#include "ivs-answer.h"
#include "ivs-candidate.h"
#include "ivs-offer.h"
#include "ivs-section.h"
#include "ivs-error.h"

#include <string.h>

#define MAX_EXCERPT 120
/* RFC 8839 §5.4: at most 256 characters. */
#define MAX_ICE_CREDENTIAL 256
/* A certificate of 16 KiB is beyond every size seen; 64 KiB in PEM is enough. */
#define MAX_PEM (64 * 1024)

/* What must be the same in all sections of a bundle; in a bundle only the first
 * needs to say it (RFC 9143 §7.1.3, categories TRANSPORT of RFC 8859). */
static const gchar *const transport_attributes[] = { "ice-ufrag", "ice-pwd",
  "fingerprint", "setup", NULL };

static void
    G_GNUC_PRINTF (2, 3) note (IvsAnswer *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (self->repairs, g_strdup_vprintf (format, args));
  va_end (args);
}

static gboolean
    G_GNUC_PRINTF (2, 3) refuse (GError **error, const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, IVS_ERROR, IVS_FAILURE_ANSWER, reason);

  return FALSE;
}

/* -- 1. Is it an SDP? -------------------------------------------------------- */

/* The title of a web page says most about it. */
static const gchar *
find_title (const gchar *text)
{
  const gchar *title = strstr (text, "<title>");

  return title != NULL ? title + strlen ("<title>") : text;
}

/* What the text begins with, fit for a sentence: printable ASCII in one line,
 * without anything that looks like a token or ICE password. */
static gchar *
make_excerpt (const gchar *text, gsize length)
{
  g_autofree gchar *head = g_strndup (text, MIN (length, 4 * 1024));
  g_autofree gchar *redacted = ivs_sdp_redact (find_title (head));
  g_autoptr (GRegex) token =
      g_regex_new ("eyJ[A-Za-z0-9_.-]*+", G_REGEX_RAW, 0, NULL);
  g_autofree gchar *clean =
      g_regex_replace_literal (token, redacted, -1, 0, "***", 0, NULL);
  GString *excerpt = g_string_new (NULL);

  for (const gchar *c = clean;
       c != NULL && *c != '\0' && excerpt->len < MAX_EXCERPT; c++) {
    if (g_str_has_prefix (c, "</title>"))
      break;
    if (g_ascii_isgraph (*c))
      g_string_append_c (excerpt, *c);
    else if (excerpt->len > 0 && excerpt->str[excerpt->len - 1] != ' ')
      g_string_append_c (excerpt, ' ');
  }

  g_strchomp (excerpt->str);
  return g_string_free (excerpt, FALSE);
}

static gboolean
is_sdp_type (const gchar *content_type)
{
  gsize length = strlen ("application/sdp");

  /* With parameters behind it or nothing: strchr() finds the NUL, too. */
  return content_type != NULL &&
      g_ascii_strncasecmp (content_type, "application/sdp", length) == 0 &&
      strchr ("; \t", content_type[length]) != NULL;
}

static gboolean
refuse_other_text (const gchar *text, gsize length, const gchar *content_type,
    GError **error)
{
  g_autofree gchar *excerpt = make_excerpt (text, length);
  g_autofree gchar *type = NULL;

  if (content_type == NULL || is_sdp_type (content_type))
    type = g_strdup ("a text");
  else
    type = make_excerpt (content_type, strlen (content_type));

  return refuse (error,
      "The server answered with %s instead of an SDP answer: \"%s\"", type,
      excerpt);
}

static guint
count_sections (const gchar *text, gsize length)
{
  guint n = 0;

  for (const gchar *c = text; c != NULL && c + 2 < text + length;) {
    if (c[0] == 'm' && c[1] == '=')
      n++;
    c = memchr (c, '\n', (gsize) (text + length - c));
    if (c != NULL)
      c++;
  }

  return n;
}

static gboolean
judge_text (const gchar *text, gsize length, const gchar *content_type,
    GError **error)
{
  if (length == 0)
    return refuse (error,
        "The server answered without an SDP: the body is empty");

  if (length > IVS_ANSWER_MAX_LENGTH) {
    g_set_error (error, IVS_ERROR, IVS_FAILURE_ANSWER_TOO_LARGE,
        "The server's answer has %" G_GSIZE_FORMAT
        " bytes; more than %d are not read",
        length, IVS_ANSWER_MAX_LENGTH);
    return FALSE;
  }

  /* RFC 8866 §5.1: v=0 comes first. Enough for a server that forgot the type. */
  if (length < 5 ||
      !(g_str_has_prefix (text, "v=0\r\n") || g_str_has_prefix (text, "v=0\n")))
    return refuse_other_text (text, length, content_type, error);

  /* With a length given, a NUL is no text either. */
  if (!g_utf8_validate (text, (gssize) length, NULL))
    return refuse (error,
        "The server's answer is not text: it has bytes that an SDP cannot have");

  if (count_sections (text, length) > IVS_ANSWER_MAX_MEDIA)
    return refuse (error,
        "The server's answer has %u media sections; the offer has at most 2",
        count_sections (text, length));

  return TRUE;
}

/* -- 2. Has it the sections of the offer? ------------------------------------ */

static gboolean
is_mid_of_other (const GstSDPMessage *offer, guint index, const gchar *mid)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (offer, i);

    if (i != index && g_strcmp0 (ivs_section_get (section, "mid"), mid) == 0)
      return TRUE;
  }

  return FALSE;
}

static gboolean
match_section (IvsAnswer *self, const GstSDPMessage *offer, guint index,
    GError **error)
{
  GstSDPMedia *section = ivs_section_of (self->sdp, index);
  const GstSDPMedia *ours = gst_sdp_message_get_media (offer, index);
  const gchar *kind = ivs_section_get_kind (ours);
  const gchar *our_mid = ivs_section_get (ours, "mid");
  const gchar *mid = ivs_section_get (section, "mid");

  if (mid != NULL && is_mid_of_other (offer, index, mid))
    return refuse (error,
        "The server's answer has the media sections in another order than the offer");

  if (!g_str_equal (ivs_section_get_kind (section), kind)) {
    g_autofree gchar *found = make_excerpt (ivs_section_get_kind (section),
        strlen (ivs_section_get_kind (section)));

    return refuse (error,
        "Media section %u of the server's answer is %s, but %s was offered",
        index + 1, found, kind);
  }

  if (mid == NULL && our_mid != NULL) {
    ivs_section_set (section, "mid", our_mid);
    note (self, "%s: mid filled in", kind);
  } else if (g_strcmp0 (mid, our_mid) != 0) {
    g_autofree gchar *found = make_excerpt (mid, strlen (mid));

    return refuse (error,
        "The %s section of the server's answer has the mid %s, the offer's has %s",
        kind, found, our_mid != NULL ? our_mid : "none");
  }

  return TRUE;
}

/* RFC 3264 §6: as many m-lines as the offer, in its order. */
static gboolean
match_sections (IvsAnswer *self, const GstSDPMessage *offer, GError **error)
{
  guint n = gst_sdp_message_medias_len (self->sdp);
  guint n_offered = gst_sdp_message_medias_len (offer);

  if (n != n_offered)
    return refuse (error,
        "The server's answer has %u media sections, the offer has %u%s", n,
        n_offered, n < n_offered ? " (was the answer cut off?)" : "");

  for (guint i = 0; i < n; i++) {
    if (!match_section (self, offer, i, error))
      return FALSE;
  }

  return TRUE;
}

/* -- 3. What is said for the session is written into each section ------------ */

static gboolean
is_inherited (const GstSDPAttribute *attribute)
{
  static const gchar *const names[] = { "ice-ufrag", "ice-pwd", "fingerprint",
    "setup", "candidate", "sendrecv", "sendonly", "recvonly", "inactive",
    NULL };

  return attribute->key != NULL && g_strv_contains (names, attribute->key);
}

static gboolean
is_direction (const gchar *name)
{
  return g_str_equal (name, "sendrecv") || g_str_equal (name, "sendonly") ||
      g_str_equal (name, "recvonly") || g_str_equal (name, "inactive");
}

/* Did the section say it itself, before anything was copied down? */
static gboolean
says_itself (const GstSDPMedia *section, const gchar *name)
{
  return is_direction (name) ? ivs_section_get_direction (section) != NULL
                             : ivs_section_has (section, name);
}

static void
inherit (GstSDPMedia *section, const GstSDPMessage *sdp)
{
  g_autoptr (GPtrArray) heirs = g_ptr_array_new ();

  for (guint i = 0; i < gst_sdp_message_attributes_len (sdp); i++) {
    const GstSDPAttribute *a = gst_sdp_message_get_attribute (sdp, i);

    if (is_inherited (a) && !says_itself (section, a->key))
      g_ptr_array_add (heirs, (gpointer) a);
  }

  for (guint i = 0; i < heirs->len; i++) {
    const GstSDPAttribute *a = heirs->pdata[i];

    gst_sdp_media_add_attribute (section, a->key,
        a->value != NULL ? a->value : "");
  }
}

/* RFC 8866 §5.13: attributes of the session hold for every section that does not
 * say otherwise. webrtcbin 1.22 looks for setup and candidates in sections only. */
static void
copy_down (IvsAnswer *self)
{
  gboolean any = FALSE;

  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++)
    inherit (ivs_section_of (self->sdp, i), self->sdp);

  for (guint i = gst_sdp_message_attributes_len (self->sdp); i > 0; i--) {
    if (!is_inherited (gst_sdp_message_get_attribute (self->sdp, i - 1)))
      continue;
    gst_sdp_message_remove_attribute (self->sdp, i - 1);
    any = TRUE;
  }

  if (any)
    note (self, "session-level transport attributes copied into the sections");
}

/* -- 4. Which sections are accepted? ----------------------------------------- */

static gboolean
group_has (const GstSDPMessage *sdp, const gchar *mid)
{
  const gchar *group = gst_sdp_message_get_attribute_val (sdp, "group");
  g_auto (GStrv) mids = g_strsplit (group != NULL ? group : "", " ", -1);

  return mid != NULL && g_strv_length (mids) > 1 &&
      g_strv_contains ((const gchar *const *) mids + 1, mid);
}

/* Port 0 rejects a section (RFC 3264 §6), unless a server copied the offer's
 * "0 and bundle-only", which an answer must not have (RFC 9143 §6), and means
 * to receive it: the section is still in its bundle. */
static gboolean
is_rejected (IvsAnswer *self, GstSDPMedia *section)
{
  if (gst_sdp_media_get_port (section) != 0)
    return FALSE;

  if (!ivs_section_has (section, "bundle-only") ||
      !group_has (self->sdp, ivs_section_get (section, "mid")))
    return TRUE;

  gst_sdp_media_set_port_info (section, 9, 1);
  ivs_section_remove (section, "bundle-only");
  note (self, "%s: port 0 with bundle-only taken as accepted",
      ivs_section_get_kind (section));

  return FALSE;
}

/* The formats must name our codec. Measured: webrtcbin sends with its own payload
 * type whatever the answer says, so another number or none is only noted. */
static gboolean
takes_codec (IvsAnswer *self, const GstSDPMedia *section)
{
  gboolean is_audio = g_str_equal (ivs_section_get_kind (section), "audio");
  const gchar *codec = is_audio ? "opus" : "H264";
  guint payload_type = is_audio ? IVS_AUDIO_PT : IVS_VIDEO_PT;
  const gchar *rtpmap = ivs_section_get_rtpmap (section, payload_type);
  gint other;

  if (ivs_section_has_format (section, payload_type) &&
      (rtpmap == NULL || ivs_rtpmap_is (rtpmap, codec)))
    return TRUE;

  other = ivs_section_find_codec (section, codec);
  if (other < 0)
    return FALSE;

  note (self, "%s: payload type %d named instead of %u",
      ivs_section_get_kind (section), other, payload_type);

  return TRUE;
}

/* The first section carries the bundle's transport in webrtcbin: with port 0 there
 * nothing connects, inactive does (measured on 1.22). In the others port 0 is
 * better, for into an inactive section webrtcbin still sends. */
static void
reject (IvsAnswer *self, GstSDPMedia *section, const gchar *why)
{
  gboolean is_first = section == ivs_section_of (self->sdp, 0);

  note (self, "%s: refused (%s)", ivs_section_get_kind (section), why);
  ivs_section_set_direction (section, "inactive");
  gst_sdp_media_set_port_info (section, is_first ? 9 : 0, 1);
}

/* To a sendonly offer an answer is recvonly or inactive (RFC 3264 §6.1). A server
 * that says sendrecv, or nothing, which means the same, takes our media too. */
static gboolean
judge_direction (IvsAnswer *self, GstSDPMedia *section, gboolean *accepted,
    GError **error)
{
  const gchar *direction = ivs_section_get_direction (section);

  if (g_strcmp0 (direction, "sendonly") == 0)
    return refuse (error,
        "The server does not receive: the %s section of its answer is sendonly",
        ivs_section_get_kind (section));

  *accepted = g_strcmp0 (direction, "inactive") != 0;
  if (!*accepted) {
    reject (self, section, "inactive");
    return TRUE;
  }

  if (g_strcmp0 (direction, "recvonly") != 0)
    note (self, "%s: direction %s made recvonly",
        ivs_section_get_kind (section),
        direction != NULL ? direction : "(none)");
  ivs_section_set_direction (section, "recvonly");

  return TRUE;
}

static gboolean
judge_section (IvsAnswer *self, GstSDPMedia *section, GError **error)
{
  gboolean accepted = FALSE;

  if (is_rejected (self, section))
    reject (self, section, "port 0");
  else if (!takes_codec (self, section))
    reject (self, section, "none of the offered formats");
  else if (!judge_direction (self, section, &accepted, error))
    return FALSE;

  if (accepted && g_str_equal (ivs_section_get_kind (section), "audio"))
    self->audio_accepted = TRUE;
  else if (accepted)
    self->video_accepted = TRUE;

  return TRUE;
}

/* A section that is refused was made inactive. */
static gboolean
is_accepted (const GstSDPMedia *section)
{
  return !ivs_section_has (section, "inactive");
}

static gboolean
judge_sections (IvsAnswer *self, GError **error)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++) {
    if (!judge_section (self, ivs_section_of (self->sdp, i), error))
      return FALSE;
  }

  if (!self->audio_accepted && !self->video_accepted) {
    g_set_error_literal (error, IVS_ERROR, IVS_FAILURE_MEDIA_REFUSED,
        "The server's answer refuses everything that was offered");
    return FALSE;
  }

  return TRUE;
}

/* -- 5. The one transport of the bundle --------------------------------------- */

/* The section that speaks for the bundle: the first of the group (RFC 9143 §7.3.1)
 * if it is accepted and says how to connect, else the first that does. */
static GstSDPMedia *
find_tagged (IvsAnswer *self)
{
  const gchar *group = gst_sdp_message_get_attribute_val (self->sdp, "group");
  g_auto (GStrv) mids = g_strsplit (group != NULL ? group : "", " ", -1);
  const gchar *tag = g_strv_length (mids) > 1 ? mids[1] : NULL;
  GstSDPMedia *first = NULL;

  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++) {
    GstSDPMedia *section = ivs_section_of (self->sdp, i);

    if (!is_accepted (section) || !ivs_section_has (section, "ice-ufrag"))
      continue;
    if (g_strcmp0 (ivs_section_get (section, "mid"), tag) == 0)
      return section;
    if (first == NULL)
      first = section;
  }

  return first;
}

static gboolean
check_credential (const GstSDPMedia *section, const gchar *name, GError **error)
{
  const gchar *value = ivs_section_get (section, name);

  if (value == NULL || strlen (value) > MAX_ICE_CREDENTIAL)
    return refuse (error, "The server's answer has no usable %s", name);

  return TRUE;
}

static gboolean
judge_setup (IvsAnswer *self, GstSDPMedia *section, GError **error)
{
  const gchar *setup = ivs_section_get (section, "setup");

  if (g_strcmp0 (setup, "active") == 0 || g_strcmp0 (setup, "passive") == 0)
    return TRUE;

  /* An answer must choose (RFC 8842 §5.3). One that does not is read as passive:
   * that is the default (RFC 4145 §4.1), and a WHIP server is one that can be the
   * DTLS server (RFC 9725 §4.4.4). */
  if (setup == NULL || g_str_equal (setup, "actpass")) {
    note (self, "setup %s made passive", setup != NULL ? setup : "(none)");
    ivs_section_set (section, "setup", "passive");
    return TRUE;
  }

  return refuse (error,
      "The server's answer wants no DTLS connection (a=setup is neither active nor passive)");
}

/* The hashes of a fingerprint that count. SHA-1 and older do not: RFC 8122 §5 lets
 * us choose those that are strong enough, and forbids MD5; every WebRTC stack
 * writes sha-256. */
static GChecksumType
get_checksum_type (const gchar *hash, gboolean *known)
{
  static const struct
  {
    const gchar *name;
    GChecksumType type;
  } hashes[] = {
    { "sha-256", G_CHECKSUM_SHA256 },
    { "sha-384", G_CHECKSUM_SHA384 },
    { "sha-512", G_CHECKSUM_SHA512 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++) {
    if (g_ascii_strcasecmp (hash, hashes[i].name) == 0) {
      *known = TRUE;
      return hashes[i].type;
    }
  }

  *known = FALSE;
  return G_CHECKSUM_SHA256;
}

/* "AB:CD:..." with exactly @n pairs? */
static gboolean
is_hex_pairs (const gchar *text, gssize n)
{
  if (n <= 0 || strlen (text) != (gsize) n * 3 - 1)
    return FALSE;

  for (gsize i = 0; text[i] != '\0'; i++) {
    if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit (text[i]))
      return FALSE;
  }

  return TRUE;
}

/* "sha-256 AB:CD:..." in one spelling, or NULL if it cannot be verified. */
static gchar *
normalize_fingerprint (const gchar *value)
{
  g_auto (GStrv) words = g_strsplit (value != NULL ? value : "", " ", 3);
  g_autofree gchar *hash = NULL;
  g_autofree gchar *pairs = NULL;
  GChecksumType type;
  gboolean known;

  if (g_strv_length (words) != 2)
    return NULL;

  type = get_checksum_type (words[0], &known);
  if (!known || !is_hex_pairs (words[1], g_checksum_type_get_length (type)))
    return NULL;

  hash = g_ascii_strdown (words[0], -1);
  pairs = g_ascii_strup (words[1], -1);

  return g_strconcat (hash, " ", pairs, NULL);
}

/* webrtcbin from 1.28 on compares fingerprints too, and knows one spelling only. */
static void
respell_fingerprints (GstSDPMedia *section)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);
    g_autofree gchar *fingerprint = NULL;
    GstSDPAttribute respelt;

    if (g_strcmp0 (a->key, "fingerprint") == 0)
      fingerprint = normalize_fingerprint (a->value);
    if (fingerprint == NULL)
      continue;
    gst_sdp_attribute_set (&respelt, "fingerprint", fingerprint);
    gst_sdp_media_replace_attribute (section, i, &respelt);
  }
}

static gboolean
collect_fingerprints (IvsAnswer *self, const GstSDPMedia *section,
    GError **error)
{
  guint n = 0;

  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);
    gchar *fingerprint;

    if (g_strcmp0 (a->key, "fingerprint") != 0)
      continue;

    n++;
    fingerprint = normalize_fingerprint (a->value);
    if (fingerprint != NULL)
      g_ptr_array_add (self->fingerprints, fingerprint);
  }

  if (n == 0)
    return refuse (error,
        "The server's answer has no fingerprint: the server could not be told from an impostor");
  if (self->fingerprints->len == 0)
    return refuse (error,
        "The server's answer has no fingerprint that can be verified (sha-256, sha-384 or sha-512)");

  return TRUE;
}

/* Do the sections belong together? Either the answer says so, or no section
 * names a transport other than the tagged one's. */
static gboolean
shares_transport (IvsAnswer *self, const GstSDPMedia *section,
    const GstSDPMedia *tagged)
{
  const gchar *ufrag = ivs_section_get (section, "ice-ufrag");

  return group_has (self->sdp, ivs_section_get (section, "mid")) ||
      ufrag == NULL ||
      g_strcmp0 (ufrag, ivs_section_get (tagged, "ice-ufrag")) == 0;
}

static gboolean
copy_transport (IvsAnswer *self, GstSDPMedia *tagged, GError **error)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++) {
    GstSDPMedia *section = ivs_section_of (self->sdp, i);
    gboolean changed = FALSE;

    if (section == tagged)
      continue;

    if (is_accepted (section) && !shares_transport (self, section, tagged))
      return refuse (error,
          "The server's answer wants a connection of its own for %s; the offer bundles all media into one",
          ivs_section_get_kind (section));

    for (guint j = 0; transport_attributes[j] != NULL; j++)
      changed |= ivs_section_copy (section, tagged, transport_attributes[j]);
    if (changed)
      note (self, "%s: transport copied from the %s section",
          ivs_section_get_kind (section), ivs_section_get_kind (tagged));
  }

  return TRUE;
}

static void
set_group (GstSDPMessage *sdp, const gchar *group)
{
  for (guint i = gst_sdp_message_attributes_len (sdp); i > 0; i--) {
    if (g_strcmp0 (gst_sdp_message_get_attribute (sdp, i - 1)->key, "group") ==
        0)
      gst_sdp_message_remove_attribute (sdp, i - 1);
  }

  gst_sdp_message_add_attribute (sdp, "group", group);
}

/* The group lists the sections that are not rejected, in the order of the offer,
 * whatever the server's first one is: webrtcbin takes a transport of its own for
 * another first one, and that never connects (measured on 1.22). Without a group it
 * warns "should not be reached" and connects nothing. */
static void
write_group (IvsAnswer *self)
{
  g_autoptr (GString) group = g_string_new ("BUNDLE");
  g_autofree gchar *old =
      g_strdup (gst_sdp_message_get_attribute_val (self->sdp, "group"));

  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (self->sdp, i);
    const gchar *mid = ivs_section_get (section, "mid");

    if (mid != NULL && gst_sdp_media_get_port (section) != 0)
      g_string_append_printf (group, " %s", mid);
  }

  set_group (self->sdp, group->str);
  if (g_strcmp0 (old, group->str) != 0)
    note (self, "BUNDLE group %s", old == NULL ? "added" : "rewritten");
}

static gboolean
judge_transport (IvsAnswer *self, GstSDPMedia *tagged, GError **error)
{
  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++)
    respell_fingerprints (ivs_section_of (self->sdp, i));

  return check_credential (tagged, "ice-ufrag", error) &&
      check_credential (tagged, "ice-pwd", error) &&
      judge_setup (self, tagged, error) &&
      collect_fingerprints (self, tagged, error) &&
      copy_transport (self, tagged, error);
}

/* -- 6. Candidates ------------------------------------------------------------ */

/* Takes the candidates out of @section: the usable ones into @usable. */
static void
take_candidates (GstSDPMedia *section, GPtrArray *usable, guint *counts)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);
    IvsCandidateUse use;

    if (g_strcmp0 (a->key, "candidate") != 0)
      continue;

    use = ivs_candidate_judge (a->value, NULL);
    if (use != IVS_CANDIDATE_USABLE || usable->len < IVS_ANSWER_MAX_CANDIDATES)
      counts[use]++;
    if (use == IVS_CANDIDATE_USABLE && usable->len < IVS_ANSWER_MAX_CANDIDATES)
      g_ptr_array_add (usable, g_strdup (a->value));
  }

  ivs_section_remove (section, "candidate");
}

/* The server must say all its candidates in the answer: WHIP has no way to send
 * more of them to a client (RFC 9725 §4.3), not even with ice-options:trickle. */
static gboolean
refuse_candidates (const guint *counts, GError **error)
{
  guint not_udp = counts[IVS_CANDIDATE_NOT_UDP];
  guint names = counts[IVS_CANDIDATE_NAME];
  guint malformed = counts[IVS_CANDIDATE_MALFORMED];

  if (not_udp + names + malformed == 0)
    return refuse (error,
        "The server's answer has no candidate: no address to send to, and none can follow");

  return refuse (error,
      "The server's answer has no address that we can send to: of its candidates %u are not UDP, %u host names, %u malformed",
      not_udp, names, malformed);
}

/* The candidates of the first section that has usable ones, for all are of one
 * transport; the tagged section goes first. */
static const GstSDPMedia *
gather_candidates (IvsAnswer *self, GstSDPMedia *tagged, GPtrArray *usable,
    guint *counts)
{
  const GstSDPMedia *source = tagged;

  take_candidates (tagged, usable, counts);
  for (guint i = 0; i < gst_sdp_message_medias_len (self->sdp); i++) {
    GstSDPMedia *section = ivs_section_of (self->sdp, i);

    if (usable->len > 0) {
      ivs_section_remove (section, "candidate");
    } else {
      source = section;
      take_candidates (section, usable, counts);
    }
  }

  return source;
}

/* They go to the first section, where webrtcbin looks for those of the bundle. */
static gboolean
judge_candidates (IvsAnswer *self, GstSDPMedia *tagged, GError **error)
{
  g_autoptr (GPtrArray) usable = g_ptr_array_new_with_free_func (g_free);
  guint counts[IVS_CANDIDATE_N_USES] = { 0 };
  GstSDPMedia *first = ivs_section_of (self->sdp, 0);
  const GstSDPMedia *source = gather_candidates (self, tagged, usable, counts);
  guint left_out;

  if (usable->len == 0)
    return refuse_candidates (counts, error);

  for (guint i = 0; i < usable->len; i++)
    gst_sdp_media_add_attribute (first, "candidate", usable->pdata[i]);
  ivs_candidate_judge (usable->pdata[0], &self->first_candidate);
  self->n_candidates = usable->len;
  if (source != first)
    note (self, "candidates moved from the %s section to the first",
        ivs_section_get_kind (source));

  left_out = counts[IVS_CANDIDATE_NOT_UDP] + counts[IVS_CANDIDATE_NAME] +
      counts[IVS_CANDIDATE_MALFORMED];
  if (left_out > 0)
    note (self, "%u unusable candidates left out", left_out);

  return TRUE;
}

/* -- The answer --------------------------------------------------------------- */

static gboolean
judge_and_repair (IvsAnswer *self, const GstSDPMessage *offer, GError **error)
{
  GstSDPMedia *tagged;

  if (!match_sections (self, offer, error))
    return FALSE;

  copy_down (self);
  if (!judge_sections (self, error))
    return FALSE;

  tagged = find_tagged (self);
  if (tagged == NULL)
    return refuse (error, "The server's answer has no usable ice-ufrag");

  if (!judge_transport (self, tagged, error) ||
      !judge_candidates (self, tagged, error))
    return FALSE;

  write_group (self);

  return TRUE;
}

/**
 * ivs_answer_new:
 * @text: the body of the server's response; any bytes, NUL terminated at @length
 * @length: of @text in bytes
 * @content_type: (nullable): of the response
 * @offer: what was offered, that passed ivs_offer_check(): webrtcbin's description
 *   or the posted text
 * @error: of IVS_ERROR: IVS_FAILURE_ANSWER, _ANSWER_TOO_LARGE, or _MEDIA_REFUSED
 *   if no section is accepted
 *
 * Judges an answer, and repairs it where the RFCs allow what webrtcbin does not.
 * Whether one refused section is a failure is for the caller to say: the video
 * may be one that nobody sends.
 *
 * Returns: (transfer full): the answer that webrtcbin takes, or %NULL
 */
IvsAnswer *
ivs_answer_new (const gchar *text, gsize length, const gchar *content_type,
    const GstSDPMessage *offer, GError **error)
{
  g_autoptr (IvsAnswer) self = NULL;

  if (!judge_text (text, length, content_type, error))
    return NULL;

  self = g_new0 (IvsAnswer, 1);
  self->fingerprints = g_ptr_array_new_with_free_func (g_free);
  self->repairs = g_ptr_array_new_with_free_func (g_free);
  gst_sdp_message_new (&self->sdp);

  if (!is_sdp_type (content_type))
    note (self, "taken as SDP although it is not said to be one");

  if (gst_sdp_message_parse_buffer ((const guint8 *) text, (guint) length,
          self->sdp) != GST_SDP_OK) {
    refuse (error, "The server's answer is not an SDP that can be read");
    return NULL;
  }
  /* GStreamer's parser keeps the last "v=" of all lines; the first was 0. */
  gst_sdp_message_set_version (self->sdp, "0");

  if (!judge_and_repair (self, offer, error))
    return NULL;

  return g_steal_pointer (&self);
}

/**
 * ivs_answer_free:
 * @self: (transfer full): an answer
 *
 * Frees @self.
 */
void
ivs_answer_free (IvsAnswer *self)
{
  g_clear_pointer (&self->sdp, gst_sdp_message_free);
  g_ptr_array_unref (self->fingerprints);
  g_ptr_array_unref (self->repairs);
  g_free (self->first_candidate);
  g_free (self);
}

/* -- The certificate ---------------------------------------------------------- */

/* The first certificate of @pem as DER, or NULL. */
static GBytes *
decode_pem (const gchar *pem)
{
  static const gchar begin[] = "-----BEGIN CERTIFICATE-----";
  static const gchar end[] = "-----END CERTIFICATE-----";
  const gchar *start, *stop;
  g_autofree gchar *base64 = NULL;
  guchar *der;
  gsize length = 0;

  if (pem == NULL || strnlen (pem, MAX_PEM) == MAX_PEM)
    return NULL;

  start = strstr (pem, begin);
  stop = start != NULL ? strstr (start, end) : NULL;
  if (stop == NULL)
    return NULL;

  start += strlen (begin);
  base64 = g_strndup (start, (gsize) (stop - start));
  der = g_base64_decode (base64, &length);

  return g_bytes_new_take (der, length);
}

/* Fingerprints are public: there is nothing that the time of a comparison tells. */
static gboolean
is_fingerprint_of (const gchar *fingerprint, GBytes *der)
{
  g_auto (GStrv) words = g_strsplit (fingerprint, " ", 2);
  g_auto (GStrv) pairs = g_strsplit (words[1], ":", -1);
  g_autofree gchar *wanted = g_strjoinv ("", pairs);
  g_autofree gchar *found = NULL;
  gboolean known;
  GChecksumType type = get_checksum_type (words[0], &known);

  found = g_compute_checksum_for_bytes (type, der);

  return known && g_ascii_strcasecmp (wanted, found) == 0;
}

/**
 * ivs_answer_certificate_matches:
 * @self: an answer
 * @pem: (nullable): the certificate that the peer showed in the DTLS handshake
 * @error: IVS_FAILURE_FINGERPRINT
 *
 * Compares the peer's certificate with the answer's fingerprints: webrtcbin does
 * not, up to 1.28. One match is enough (RFC 8122 §5).
 *
 * Returns: %FALSE with @error set if it is another certificate, or none
 */
gboolean
ivs_answer_certificate_matches (const IvsAnswer *self, const gchar *pem,
    GError **error)
{
  g_autoptr (GBytes) der = decode_pem (pem);

  if (der == NULL) {
    g_set_error_literal (error, IVS_ERROR, IVS_FAILURE_FINGERPRINT,
        "The server showed no certificate that can be read");
    return FALSE;
  }

  for (guint i = 0; i < self->fingerprints->len; i++) {
    if (is_fingerprint_of (self->fingerprints->pdata[i], der))
      return TRUE;
  }

  g_set_error_literal (error, IVS_ERROR, IVS_FAILURE_FINGERPRINT,
      "The server's certificate is not the one that its answer names");
  return FALSE;
}
