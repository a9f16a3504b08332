/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One ICE candidate of an answer: can we send to it?
 */
#include "ivs-candidate.h"

#include <string.h>

/* RFC 8839 §5.1: foundation component transport priority address port "typ"
 * type, then extensions in pairs. */
enum
{
  FOUNDATION,
  COMPONENT,
  TRANSPORT,
  PRIORITY,
  ADDRESS,
  PORT,
  TYP,
  TYPE,
  N_WORDS
};

/* Component 2 would be RTCP by itself, which rtcp-mux rules out. */
static gboolean
has_valid_form (gchar **words)
{
  static const gchar *const types[] = { "host", "srflx", "prflx", "relay",
    NULL };

  return g_strv_length (words) >= N_WORDS &&
      g_str_equal (words[COMPONENT], "1") &&
      g_ascii_string_to_unsigned (words[PRIORITY], 10, 0, G_MAXUINT32, NULL,
          NULL) &&
      g_ascii_string_to_unsigned (words[PORT], 10, 1, G_MAXUINT16, NULL,
          NULL) &&
      g_str_equal (words[TYP], "typ") &&
      g_strv_contains ((const gchar *const *) types, words[TYPE]);
}

/**
 * ivs_candidate_judge:
 * @value: what follows "a=candidate:"
 * @address: (out) (optional): the address for messages, "192.0.2.1:443/udp"; set
 *   only if it is usable
 *
 * Judges a candidate. webrtcbin takes a bad one without a word and then waits for
 * ever, so only usable ones are passed on.
 *
 * Returns: whether we can send to it, or why not
 */
IvsCandidateUse
ivs_candidate_judge (const gchar *value, gchar **address)
{
  g_auto (GStrv) words = g_strsplit (value != NULL ? value : "", " ", 64);
  gboolean is_v6;

  if (!has_valid_form (words))
    return IVS_CANDIDATE_MALFORMED;
  if (g_ascii_strcasecmp (words[TRANSPORT], "udp") != 0)
    return IVS_CANDIDATE_NOT_UDP;
  if (!g_hostname_is_ip_address (words[ADDRESS]))
    return IVS_CANDIDATE_NAME;
  if (g_str_equal (words[ADDRESS], "0.0.0.0") ||
      g_str_equal (words[ADDRESS], "::"))
    return IVS_CANDIDATE_MALFORMED;

  is_v6 = strchr (words[ADDRESS], ':') != NULL;
  if (address != NULL)
    *address = g_strdup_printf (is_v6 ? "[%s]:%s/udp" : "%s:%s/udp",
        words[ADDRESS], words[PORT]);

  return IVS_CANDIDATE_USABLE;
}
