/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lays an SDP answer out as a stage does, or spoils it as a test asks.
 *
 * It works on lines, because a parser would mend what is to stay broken.
 */
#include "stage-answer.h"

#include <string.h>

#define HUGE_SIZE (5 * 1024 * 1024)
#define N_FLOOD 3000

/* Called for each line; section 0 is the session, 1 the first m-line. What is
 * returned is written instead of the line; NULL leaves it out. */
typedef gchar *(*EditLine) (const gchar *line, guint section, gpointer data);

static gchar *
edit_lines (const gchar *sdp, EditLine edit, gpointer data)
{
  g_auto (GStrv) lines = g_strsplit (sdp, "\n", -1);
  GString *text = g_string_sized_new (strlen (sdp) + 64);
  guint section = 0;

  for (guint i = 0; lines[i] != NULL; i++) {
    g_autofree gchar *edited = NULL;
    gchar *line = g_strchomp (lines[i]);

    if (line[0] == '\0')
      continue;
    if (g_str_has_prefix (line, "m="))
      section++;
    edited = edit (line, section, data);
    if (edited != NULL)
      g_string_append_printf (text, "%s\r\n", edited);
  }
  return g_string_free (text, FALSE);
}

static gboolean
is_candidate (const gchar *line)
{
  return g_str_has_prefix (line, "a=candidate:") ||
      g_str_has_prefix (line, "a=end-of-candidates");
}

/* -- The layout of a stage ---------------------------------------------------- */

static gboolean
is_fmtp_of_same_payload (const gchar *line, const gchar *fmtp)
{
  gsize length = strcspn (fmtp, " ") + 1;

  return g_str_has_prefix (line, "a=fmtp:") &&
      strncmp (line + 7, fmtp, length) == 0;
}

static gboolean
is_rtpmap_of_same_payload (const gchar *line, const gchar *fmtp)
{
  gsize length = strcspn (fmtp, " ") + 1;

  return g_str_has_prefix (line, "a=rtpmap:") &&
      strncmp (line + 9, fmtp, length) == 0;
}

static gchar *
lay_out_line (const gchar *line, guint section, gpointer data)
{
  const gchar *fmtp = data;

  if (section > 1 && is_candidate (line))
    return NULL;
  if (fmtp != NULL && is_fmtp_of_same_payload (line, fmtp))
    return NULL;
  if (fmtp != NULL && is_rtpmap_of_same_payload (line, fmtp))
    return g_strdup_printf ("%s\r\na=fmtp:%s", line, fmtp);
  return g_strdup (line);
}

gchar *
stage_answer_lay_out (const gchar *sdp, const gchar *fmtp)
{
  return edit_lines (sdp, lay_out_line, (gpointer) fmtp);
}

/* -- Spoiling line by line ------------------------------------------------------ */

static gchar *
replace_value (const gchar *line, const gchar *prefix, const gchar *value)
{
  return g_str_has_prefix (line, prefix) ? g_strconcat (prefix, value, NULL)
                                         : g_strdup (line);
}

static gchar *
drop_prefix (const gchar *line, const gchar *prefix)
{
  return g_str_has_prefix (line, prefix) ? NULL : g_strdup (line);
}

static gboolean
is_direction (const gchar *line)
{
  return strcmp (line, "a=recvonly") == 0 || strcmp (line, "a=sendrecv") == 0 ||
      strcmp (line, "a=sendonly") == 0 || strcmp (line, "a=inactive") == 0;
}

/* Another certificate's: each hex digit is exchanged for another one. */
static gchar *
falsify_fingerprint (const gchar *line)
{
  gchar *copy = g_strdup (line);
  gchar *space = strchr (copy, ' ');

  for (gchar *c = space; c != NULL && *c != '\0'; c++)
    if (g_ascii_isxdigit (*c))
      *c = "123456789ABCDEF0"[g_ascii_xdigit_value (*c)];
  return copy;
}

/* Word 4 of a candidate is its address, word 5 its port (RFC 8839 section 5.1). */
static gchar *
move_candidate (const gchar *line, guint word, const gchar *value)
{
  g_auto (GStrv) words = NULL;

  if (!g_str_has_prefix (line, "a=candidate:"))
    return g_strdup (line);
  words = g_strsplit (line, " ", -1);
  if (g_strv_length (words) > 5) {
    g_free (words[word]);
    words[word] = g_strdup (value);
  }
  return g_strjoinv (" ", words);
}

static gchar *
spoil_line (const gchar *line, guint section, gpointer data)
{
  switch (GPOINTER_TO_UINT (data)) {
    case STAGE_SPOIL_WRONG_FINGERPRINT:
      return g_str_has_prefix (line, "a=fingerprint:")
          ? falsify_fingerprint (line)
          : g_strdup (line);
    case STAGE_SPOIL_NO_FINGERPRINT:
      return drop_prefix (line, "a=fingerprint:");
    case STAGE_SPOIL_NO_DIRECTION:
      return is_direction (line) ? NULL : g_strdup (line);
    case STAGE_SPOIL_SENDONLY:
      return g_strdup (is_direction (line) ? "a=sendonly" : line);
    case STAGE_SPOIL_INACTIVE:
      return g_strdup (is_direction (line) ? "a=inactive" : line);
    case STAGE_SPOIL_NO_CANDIDATES:
      return is_candidate (line) ? NULL : g_strdup (line);
    case STAGE_SPOIL_UNREACHABLE:
      return move_candidate (line, 4, "192.0.2.1"); /* RFC 5737 */
    case STAGE_SPOIL_CLOSED_PORT:
      return move_candidate (line, 5, "1"); /* tcpmux: nobody has it */
    case STAGE_SPOIL_NO_BUNDLE:
      return drop_prefix (line, "a=group:");
    case STAGE_SPOIL_WRONG_MID:
      return replace_value (line, "a=mid:", "nobody");
    case STAGE_SPOIL_WRONG_PASSWORD:
      return replace_value (line, "a=ice-pwd:", "thisisnotthepasswordofours");
    case STAGE_SPOIL_SETUP_PASSIVE:
      return replace_value (line, "a=setup:", "passive");
    case STAGE_SPOIL_NO_SETUP:
      return drop_prefix (line, "a=setup:");
    default:
      return g_strdup (line);
  }
}

/* -- Spoiling sections ------------------------------------------------------------ */

typedef struct
{
  GString *session;
  GPtrArray *media; /* GString */
} Sections;

static void
free_string (gpointer data)
{
  g_string_free (data, TRUE);
}

static gchar *
sort_line (const gchar *line, guint section, gpointer data)
{
  Sections *sections = data;
  GString *target = sections->session;

  if (section > sections->media->len)
    g_ptr_array_add (sections->media, g_string_new (NULL));
  if (section > 0)
    target = sections->media->pdata[section - 1];
  g_string_append_printf (target, "%s\r\n", line);
  return NULL;
}

static void
split_sections (const gchar *sdp, Sections *sections)
{
  sections->session = g_string_new (NULL);
  sections->media = g_ptr_array_new_with_free_func (free_string);
  g_free (edit_lines (sdp, sort_line, sections)); /* nothing is left of them */
}

static gchar *
join_sections (Sections *sections)
{
  for (guint i = 0; i < sections->media->len; i++) {
    GString *media = sections->media->pdata[i];

    g_string_append_len (sections->session, media->str, (gssize) media->len);
  }
  g_ptr_array_unref (sections->media);
  return g_string_free (sections->session, FALSE);
}

static gchar *
keep_one_section (const gchar *sdp)
{
  Sections sections;

  split_sections (sdp, &sections);
  if (sections.media->len > 1)
    g_ptr_array_set_size (sections.media, 1);
  return join_sections (&sections);
}

static gchar *
swap_sections (const gchar *sdp)
{
  Sections sections;

  split_sections (sdp, &sections);
  if (sections.media->len > 1) {
    gpointer first = sections.media->pdata[0];

    sections.media->pdata[0] = sections.media->pdata[1];
    sections.media->pdata[1] = first;
  }
  return join_sections (&sections);
}

typedef struct
{
  const gchar *kind; /* "m=video " */
  gboolean bare;
  guint section; /* being refused, or 0 */
} Refusal;

static gchar *
refuse_line (const gchar *line, guint section, gpointer data)
{
  Refusal *refusal = data;

  if (g_str_has_prefix (line, refusal->kind)) {
    const gchar *rest = strchr (line + strlen (refusal->kind), ' ');

    refusal->section = section;
    return g_strconcat (refusal->kind, "0", rest, NULL);
  }
  if (refusal->bare && section > 0 && section == refusal->section &&
      !g_str_has_prefix (line, "c=") && !g_str_has_prefix (line, "a=mid:"))
    return NULL;
  return g_strdup (line);
}

static gchar *
refuse_section (const gchar *sdp, const gchar *kind, gboolean bare)
{
  Refusal refusal = { kind, bare, 0 };

  return edit_lines (sdp, refuse_line, &refusal);
}

static gboolean
is_transport (const gchar *line)
{
  return g_str_has_prefix (line, "a=ice-") || is_candidate (line) ||
      g_str_has_prefix (line, "a=fingerprint:") ||
      g_str_has_prefix (line, "a=setup:");
}

static gchar *
take_transport (const gchar *line, guint section, gpointer data)
{
  GString *moved = data;

  if (section == 0 || !is_transport (line))
    return g_strdup (line);
  if (section == 1)
    g_string_append_printf (moved, "%s\r\n", line);
  return NULL;
}

static gchar *
lift_transport (const gchar *sdp)
{
  g_autoptr (GString) moved = g_string_new (NULL);
  g_autofree gchar *rest = edit_lines (sdp, take_transport, moved);
  const gchar *media = strstr (rest, "\r\nm=");

  if (media == NULL)
    return g_steal_pointer (&rest);
  media += 2;
  return g_strdup_printf ("%.*s%s%s", (gint) (media - rest), rest, moved->str,
      media);
}

static gchar *
remove_returns (const gchar *sdp)
{
  g_auto (GStrv) lines = g_strsplit (sdp, "\r\n", -1);

  return g_strjoinv ("\n", lines);
}

static gchar *
make_huge (const gchar *sdp)
{
  GString *text = g_string_new (sdp);

  while (text->len < HUGE_SIZE)
    g_string_append (text, "a=filler:................................\r\n");
  return g_string_free (text, FALSE);
}

/* In front of the right ones: who takes them all has much to do. */
static gchar *
flood_candidates (const gchar *sdp)
{
  const gchar *first = strstr (sdp, "a=candidate:");
  GString *text;

  if (first == NULL)
    return g_strdup (sdp);
  text = g_string_new_len (sdp, first - sdp);
  for (guint i = 0; i < N_FLOOD; i++)
    g_string_append_printf (text,
        "a=candidate:%u 1 udp 2130706431 127.0.0.1 %u typ host\r\n", i + 1,
        i + 1);
  g_string_append (text, first);
  return g_string_free (text, FALSE);
}

gchar *
stage_answer_spoil (const gchar *sdp, StageSpoil spoil)
{
  switch (spoil) {
    case STAGE_SPOIL_VIDEO_REFUSED:
      return refuse_section (sdp, "m=video ", FALSE);
    case STAGE_SPOIL_VIDEO_REFUSED_BARE:
      return refuse_section (sdp, "m=video ", TRUE);
    case STAGE_SPOIL_AUDIO_REFUSED:
      return refuse_section (sdp, "m=audio ", FALSE);
    case STAGE_SPOIL_SESSION_LEVEL:
      return lift_transport (sdp);
    case STAGE_SPOIL_SWAPPED:
      return swap_sections (sdp);
    case STAGE_SPOIL_ONE_SECTION:
      return keep_one_section (sdp);
    case STAGE_SPOIL_LINE_FEEDS:
      return remove_returns (sdp);
    case STAGE_SPOIL_TRUNCATED:
      return g_strndup (sdp, strlen (sdp) / 2);
    case STAGE_SPOIL_EMPTY:
      return g_strdup ("");
    case STAGE_SPOIL_HTML:
      return g_strdup ("<html><body><h1>Welcome</h1></body></html>");
    case STAGE_SPOIL_HUGE:
      return make_huge (sdp);
    case STAGE_SPOIL_MANY_CANDIDATES:
      return flood_candidates (sdp);
    default:
      return edit_lines (sdp, spoil_line, GUINT_TO_POINTER (spoil));
  }
}

/* -- Names -------------------------------------------------------------------- */

static const gchar *const names[STAGE_N_SPOILS] = {
  [STAGE_SPOIL_NONE] = "none",
  [STAGE_SPOIL_WRONG_FINGERPRINT] = "wrong-fingerprint",
  [STAGE_SPOIL_NO_FINGERPRINT] = "no-fingerprint",
  [STAGE_SPOIL_VIDEO_REFUSED] = "video-refused",
  [STAGE_SPOIL_VIDEO_REFUSED_BARE] = "video-refused-bare",
  [STAGE_SPOIL_AUDIO_REFUSED] = "audio-refused",
  [STAGE_SPOIL_NO_DIRECTION] = "no-direction",
  [STAGE_SPOIL_SENDONLY] = "sendonly",
  [STAGE_SPOIL_INACTIVE] = "inactive",
  [STAGE_SPOIL_SESSION_LEVEL] = "session-level",
  [STAGE_SPOIL_NO_CANDIDATES] = "no-candidates",
  [STAGE_SPOIL_UNREACHABLE] = "unreachable",
  [STAGE_SPOIL_CLOSED_PORT] = "closed-port",
  [STAGE_SPOIL_NO_BUNDLE] = "no-bundle",
  [STAGE_SPOIL_WRONG_MID] = "wrong-mid",
  [STAGE_SPOIL_SWAPPED] = "swapped",
  [STAGE_SPOIL_ONE_SECTION] = "one-section",
  [STAGE_SPOIL_WRONG_PASSWORD] = "wrong-password",
  [STAGE_SPOIL_SETUP_PASSIVE] = "setup-passive",
  [STAGE_SPOIL_NO_SETUP] = "no-setup",
  [STAGE_SPOIL_LINE_FEEDS] = "line-feeds",
  [STAGE_SPOIL_TRUNCATED] = "truncated",
  [STAGE_SPOIL_EMPTY] = "empty",
  [STAGE_SPOIL_HTML] = "html",
  [STAGE_SPOIL_HUGE] = "huge",
  [STAGE_SPOIL_MANY_CANDIDATES] = "many-candidates",
};

StageSpoil
stage_spoil_from_name (const gchar *name)
{
  for (guint i = 1; i < STAGE_N_SPOILS; i++)
    if (g_strcmp0 (name, names[i]) == 0)
      return (StageSpoil) i;
  return STAGE_SPOIL_NONE;
}

const gchar *
stage_spoil_name (StageSpoil spoil)
{
  return names[spoil];
}
