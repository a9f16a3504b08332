/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Answers: which are taken, what is mended, and the sentence for the rest.
 */
#include "answer-cases.h"
#include "ivs-section.h"
#include "test-table.h"

static GstSDPMessage *
parse (const gchar *text)
{
  GstSDPMessage *sdp;

  g_assert_cmpint (gst_sdp_message_new_from_text (text, &sdp), ==, GST_SDP_OK);

  return sdp;
}

static GstSDPMessage *
read_offer (void)
{
  g_autofree gchar *text = read_sdp ("offer-audio-video");

  return parse (text);
}

static IvsAnswer *
judge (const gchar *text, gsize length, const gchar *content_type,
    GError **error)
{
  g_autoptr (GstSDPMessage) offer = read_offer ();

  return ivs_answer_new (text, length, content_type, offer, error);
}

static gboolean
has_repair (const IvsAnswer *answer, const gchar *part)
{
  for (guint i = 0; i < answer->repairs->len; i++) {
    g_test_message ("repair: %s", (gchar *) answer->repairs->pdata[i]);
    if (strstr (answer->repairs->pdata[i], part) != NULL)
      return TRUE;
  }

  return FALSE;
}

/* What every section must have so that webrtcbin takes it (measured on 1.22). */
static void
assert_complete (const IvsAnswer *answer)
{
  static const gchar *const needed[] = { "mid", "ice-ufrag", "ice-pwd",
    "fingerprint", "setup" };
  guint n_candidates = 0;

  g_assert_cmpuint (gst_sdp_message_medias_len (answer->sdp), ==, 2);
  for (guint i = 0; i < 2; i++) {
    const GstSDPMedia *section = gst_sdp_message_get_media (answer->sdp, i);
    gboolean accepted =
        i == 0 ? answer->audio_accepted : answer->video_accepted;

    for (guint j = 0; j < G_N_ELEMENTS (needed); j++)
      g_assert_nonnull (ivs_section_get (section, needed[j]));
    g_assert_cmpstr (ivs_section_get_direction (section), ==,
        accepted ? "recvonly" : "inactive");
    if (accepted || i == 0)
      g_assert_cmpuint (gst_sdp_media_get_port (section), !=, 0);
    else
      g_assert_cmpuint (gst_sdp_media_get_port (section), ==, 0);

    for (guint j = 0; j < gst_sdp_media_attributes_len (section); j++) {
      const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, j);
      gboolean is_candidate = g_str_equal (a->key, "candidate");

      /* In the first section, where webrtcbin looks for them. */
      g_assert_true (i == 0 || !is_candidate);
      n_candidates += is_candidate;
      /* webrtcbin 1.22 reads every value without looking. */
      g_assert_nonnull (a->value);
    }
  }

  /* The first section leads the group even if it is refused. */
  g_assert_cmpstr (gst_sdp_message_get_attribute_val (answer->sdp, "group"), ==,
      answer->video_accepted ? "BUNDLE audio0 video1" : "BUNDLE audio0");
  g_assert_cmpuint (n_candidates, ==, answer->n_candidates);
  g_assert_cmpuint (answer->n_candidates, >=, 1);
  g_assert_nonnull (answer->first_candidate);
  g_assert_cmpuint (answer->fingerprints->len, >=, 1);
}

/* A repaired answer needs no further repair. */
static void
assert_settled (const IvsAnswer *answer)
{
  g_autofree gchar *text = gst_sdp_message_as_text (answer->sdp);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) again =
      judge (text, strlen (text), "application/sdp", &error);

  g_assert_no_error (error);
  for (guint i = 0; i < again->repairs->len; i++) {
    const gchar *repair = again->repairs->pdata[i];

    /* Not repairs, but remarks on what stays as it is. */
    g_assert_true (strstr (repair, ": refused (") != NULL ||
        strstr (repair, " named instead of ") != NULL);
  }
}

static void
row_judged (gconstpointer data)
{
  const AnswerCase *row = data;
  g_autofree gchar *text = make_answer (row);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer =
      judge (text, strlen (text), "application/sdp", &error);

  if (row->failure != OK) {
    g_assert_error (error, IVS_ERROR, row->failure);
    g_assert_null (answer);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, row->text));
    return;
  }

  g_assert_no_error (error);
  g_assert_cmpint (answer->audio_accepted, ==,
      strchr (row->accepted, 'a') != NULL);
  g_assert_cmpint (answer->video_accepted, ==,
      strchr (row->accepted, 'v') != NULL);
  assert_complete (answer);
  assert_settled (answer);
  if (row->text != NULL)
    g_assert_true (has_repair (answer, row->text));
  else
    g_assert_false (has_repair (answer, ""));
}

/* -- Texts that are no SDP ----------------------------------------------------- */

typedef struct
{
  const gchar *name;
  const gchar *content_type;
  const gchar *body;
  gssize length; /* -1: up to NUL */
  gint failure;
  const gchar *text; /* part of the error */
} BodyCase;

/* clang-format off */
static const BodyCase body_cases[] = {
  { "empty", "application/sdp", "", -1, IVS_FAILURE_ANSWER, "the body is empty" },
  { "garbage", "application/sdp", "\x01\xff\xfe?", -1, IVS_FAILURE_ANSWER, "a text instead of an SDP answer: \"?\"" },
  { "html", "text/html", "<html>\n<head><title>502 Bad Gateway</title></head>secret", -1, IVS_FAILURE_ANSWER, "text/html instead of an SDP answer: \"502 Bad Gateway\"" },
  { "json", "application/json", "{\"sdp\": \"v=0\\r\\n\"}", -1, IVS_FAILURE_ANSWER, "application/json instead of an SDP answer: \"{\"sdp\": \"v=0\\r\\n\"}\"" },
  { "token-not-shown", NULL, "no such token eyJhbGciOiJF.eyJhIjoi.QUJD here", -1, IVS_FAILURE_ANSWER, "no such token *** here" },
  { "password-not-shown", NULL, "{sdp: a=ice-pwd:hunter2hunter2hunter2hunter2", -1, IVS_FAILURE_ANSWER, "a=ice-pwd:***" },
  { "version-1", "application/sdp", "v=1\r\n", -1, IVS_FAILURE_ANSWER, "instead of an SDP answer: \"v=1\"" },
  { "version-01", "application/sdp", "v=01\r\n", -1, IVS_FAILURE_ANSWER, "instead of an SDP answer: \"v=01\"" },
  { "version-only", "application/sdp", "v=0\r\n", -1, IVS_FAILURE_ANSWER, "has 0 media sections" },
  { "version-cut", "application/sdp", "v=0", -1, IVS_FAILURE_ANSWER, "an SDP" },
  { "nul", "application/sdp", "v=0\r\no=-\0\r\n", 11, IVS_FAILURE_ANSWER, "is not text" },
  { "nul-first", NULL, "\0\0\0\0\0\0\0", 7, IVS_FAILURE_ANSWER, "instead of an SDP answer: \"\"" },
  { "latin-1", "application/sdp", "v=0\r\ns=\xe9t\xe9\r\n", -1, IVS_FAILURE_ANSWER, "is not text" },
};
/* clang-format on */

static void
body_refused (gconstpointer data)
{
  const BodyCase *row = data;
  gsize length = row->length < 0 ? strlen (row->body) : (gsize) row->length;
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer =
      judge (row->body, length, row->content_type, &error);

  g_assert_error (error, IVS_ERROR, row->failure);
  g_assert_null (answer);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, row->text));
}

static void
excerpt_is_bounded (void)
{
  g_autofree gchar *body = g_strnfill (100 * 1000, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_null (judge (body, strlen (body), body, &error));
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_ANSWER);
  g_assert_cmpuint (strlen (error->message), <, 400);
}

static void
length_is_bounded (void)
{
  AnswerCase row = { "", "chromium", { { 0 } } };
  g_autofree gchar *text = make_answer (&row);
  g_autofree gchar *filler =
      g_strnfill (IVS_ANSWER_MAX_LENGTH - strlen (text) - 6, 'x');
  g_autofree gchar *longest = g_strconcat (text, "a=x:", filler, "\r\n", NULL);
  g_autofree gchar *too_long = g_strconcat (longest, "\n", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer =
      judge (longest, strlen (longest), "application/sdp", &error);

  g_assert_no_error (error);
  g_assert_nonnull (answer);

  g_assert_null (
      judge (too_long, strlen (too_long), "application/sdp", &error));
  g_assert_error (error, IVS_ERROR, IVS_FAILURE_ANSWER_TOO_LARGE);
}

static void
content_type_is_tolerated (void)
{
  static const struct
  {
    const gchar *type;
    gboolean is_noted;
  } types[] = {
    { "application/sdp", FALSE },
    { "Application/SDP; charset=utf-8", FALSE },
    { "text/plain", TRUE },
    { "application/sdpx", TRUE },
    { NULL, TRUE },
  };
  AnswerCase row = { "", "chromium", { { 0 } } };
  g_autofree gchar *text = make_answer (&row);

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (IvsAnswer) answer =
        judge (text, strlen (text), types[i].type, &error);

    g_assert_no_error (error);
    g_assert_cmpint (has_repair (answer, "taken as SDP"), ==,
        types[i].is_noted);
  }
}

/* Cut anywhere an answer is an error or complete, never half of one. */
static void
cut_anywhere (void)
{
  AnswerCase row = { "", "webrtcbin", { { 0 } } };
  g_autofree gchar *text = make_answer (&row);
  g_autoptr (GstSDPMessage) offer = read_offer ();

  for (gsize length = strlen (text) - 1; length > 0; length--) {
    g_autofree gchar *part = g_strndup (text, length);
    g_autoptr (GError) error = NULL;
    g_autoptr (IvsAnswer) answer =
        ivs_answer_new (part, length, "application/sdp", offer, &error);

    if (answer != NULL)
      assert_complete (answer);
    else
      g_assert_true (error->domain == IVS_ERROR);
  }
}

static void
candidates_are_bounded (void)
{
  AnswerCase row = { "", "pion", { { 0, "a=candidate", NULL } } };
  g_autofree gchar *text = make_answer (&row);
  GString *lines = g_string_new ("a=mid:audio0\r\n");
  g_autoptr (GString) many = g_string_new (text);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer = NULL;

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (lines,
        "a=candidate:%u 1 udp 1 192.0.2.1 %u typ host\r\n", i, i + 1);
  g_string_replace (many, "a=mid:audio0\r\n", lines->str, 1);
  g_string_free (lines, TRUE);

  answer = judge (many->str, many->len, "application/sdp", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (answer->n_candidates, ==, IVS_ANSWER_MAX_CANDIDATES);
  g_assert_cmpstr (answer->first_candidate, ==, "192.0.2.1:1/udp");
  assert_complete (answer);
}

/* One section: no bundle to speak of, but webrtcbin wants its group. */
static void
video_alone (void)
{
  AnswerCase row = { "", "chromium",
    { { 0, "", NULL }, { SESSION, "a=group", NULL },
        { 1, "a=mid", "a=mid:video0" },
        { 1, NULL, "a=candidate:1 1 udp 1 192.0.2.1 443 typ host" } } };
  g_autofree gchar *text = make_answer (&row);
  g_autofree gchar *offer_text = read_sdp ("offer-video");
  g_autoptr (GstSDPMessage) offer = parse (offer_text);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer =
      ivs_answer_new (text, strlen (text), "application/sdp", offer, &error);

  g_assert_no_error (error);
  g_assert_true (answer->video_accepted);
  g_assert_false (answer->audio_accepted);
  g_assert_cmpstr (gst_sdp_message_get_attribute_val (answer->sdp, "group"), ==,
      "BUNDLE video0");
}

static void
first_candidate_is_named (void)
{
  AnswerCase row = { "", "pion",
    { { 0, "a=candidate",
        "a=candidate:1 1 udp 1 2001:db8::1 3478 typ host" } } };
  g_autofree gchar *text = make_answer (&row);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer =
      judge (text, strlen (text), "application/sdp", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (answer->first_candidate, ==, "[2001:db8::1]:3478/udp");
}

/* -- Certificates -------------------------------------------------------------- */

/* Made for this test; nobody has the key. Fingerprints by `openssl x509
 * -fingerprint`. */
#define PEM \
  "-----BEGIN CERTIFICATE-----\n" \
  "MIIBdTCCARugAwIBAgIUcFkF6Pt9GUedypFH+jsQc67aQtEwCgYIKoZIzj0EAwIw\n" \
  "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIxNjMxMDJaGA8yMTI2MTAyOTE2MzEw\n" \
  "MlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEsO\n" \
  "e1C5B1yen0l/3pNMdV9AC+FDUREdVNnhW6wgxNLmTLm7f2JpAyXDLjMQhAeSk7pK\n" \
  "3Ig2MiQFt+ibOxawunqjUzBRMB0GA1UdDgQWBBQDY5gocVv8RlqlCe7lgiSr9qkR\n" \
  "cTAfBgNVHSMEGDAWgBQDY5gocVv8RlqlCe7lgiSr9qkRcTAPBgNVHRMBAf8EBTAD\n" \
  "AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDNKVMJxr7m/64BaB5ZrhdVwdU4GztMnk/l\n" \
  "/8i3+y4bnQIgMMVX0eCq1/VoxFu5HL03BZ6dA+VZyxx6b/7e/kJya84=\n" \
  "-----END CERTIFICATE-----\n"
#define SHA256 \
  "2C:76:B0:D4:3C:96:DE:93:6B:DB:4E:6A:20:96:36:3D:6B:66:6F:FC:82:28:" \
  "1A:0E:7C:AB:63:D0:5A:E6:3C:C2"
#define SHA384 \
  "20:F0:2A:59:E2:A7:44:95:50:C0:AA:2F:65:A5:3C:BD:A7:54:C6:B4:DB:3D:" \
  "9C:86:32:C2:9D:F4:5E:93:C1:8A:9E:98:E8:45:A0:F0:BF:47:5D:CA:A2:6B:" \
  "61:5B:D6:CE"
#define SHA512 \
  "97:AE:8F:7F:08:18:01:56:2C:3B:35:3F:10:AA:DE:4C:12:76:22:1D:84:3E:" \
  "3A:7C:A8:3A:63:CF:62:91:B3:91:55:4B:0E:58:CA:E4:C5:A3:6B:B2:38:EF:" \
  "84:A4:70:67:27:6A:0D:BC:B4:21:AE:CE:36:4F:8C:F3:8F:F2:EC:84"

typedef struct
{
  const gchar *name;
  const gchar *fingerprints[3];
  const gchar *pem;
  gboolean matches;
} CertificateCase;

#define OTHER_SHA256 \
  "sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F"

/* clang-format off */
static const CertificateCase certificate_cases[] = {
  { "sha-256", { "sha-256 " SHA256 }, PEM, TRUE },
  { "sha-384", { "sha-384 " SHA384 }, PEM, TRUE },
  { "sha-512", { "sha-512 " SHA512 }, PEM, TRUE },
  { "capitals", { "SHA-256 " SHA256 }, PEM, TRUE },
  { "other", { OTHER_SHA256 }, PEM, FALSE },
  { "one-of-two", { OTHER_SHA256, "sha-512 " SHA512 }, PEM, TRUE },
  { "text-around", { "sha-256 " SHA256 }, "Bag Attributes\n" PEM "trailing", TRUE },
  { "no-certificate", { "sha-256 " SHA256 }, NULL, FALSE },
  { "empty", { "sha-256 " SHA256 }, "", FALSE },
  { "not-pem", { "sha-256 " SHA256 }, "-----BEGIN CERTIFICATE-----\nMIIB", FALSE },
  { "empty-pem", { "sha-256 " SHA256 }, "-----BEGIN CERTIFICATE----------END CERTIFICATE-----", FALSE },
  { "broken-pem", { "sha-256 " SHA256 }, "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", FALSE },
};
/* clang-format on */

static void
certificate_judged (gconstpointer data)
{
  const CertificateCase *row = data;
  AnswerCase no_fingerprint = { "", "chromium",
    { { EVERYWHERE, "a=fingerprint", NULL } } };
  g_autofree gchar *text = make_answer (&no_fingerprint);
  g_autoptr (GString) answer_text = g_string_new (text);
  g_autoptr (GError) error = NULL;
  g_autoptr (IvsAnswer) answer = NULL;

  for (guint i = 0; row->fingerprints[i] != NULL; i++)
    g_string_append_printf (answer_text, "a=fingerprint:%s\r\n",
        row->fingerprints[i]);
  /* They are at the end of the video section, so that speaks for the bundle. */
  g_string_replace (answer_text, "BUNDLE audio0 video1", "BUNDLE video1 audio0",
      1);

  answer = judge (answer_text->str, answer_text->len, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ivs_answer_certificate_matches (answer, row->pem, &error),
      ==, row->matches);
  if (row->matches)
    g_assert_no_error (error);
  else
    g_assert_error (error, IVS_ERROR, IVS_FAILURE_FINGERPRINT);
}

/* -- Mutations ----------------------------------------------------------------- */

#define N_MUTATIONS 10000

static void
mutate_bytes (GRand *rand, GString *text)
{
  gint n = g_rand_int_range (rand, 1, 20);

  for (gint i = 0; i < n && text->len > 0; i++)
    text->str[g_rand_int_range (rand, 0, (gint) text->len)] =
        (gchar) g_rand_int_range (rand, 0, 256);
}

/* Drops, doubles or cuts a line, or moves it behind the next. */
static void
mutate_lines (GRand *rand, GString *text)
{
  g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);
  guint n = g_strv_length (lines);
  guint at = (guint) g_rand_int_range (rand, 0, (gint) n);
  gint what = g_rand_int_range (rand, 0, 4);

  g_string_truncate (text, 0);
  for (guint i = 0; i < n; i++) {
    if (i == at && what == 0)
      continue;
    if (i == at && what == 1)
      g_string_append_printf (text, "%s\n", lines[i]);
    if (i == at && what == 2 && lines[i][0] != '\0')
      lines[i][g_rand_int_range (rand, 0, (gint) strlen (lines[i]))] = '\0';
    if (i == at && what == 3 && i + 1 < n) {
      g_string_append_printf (text, "%s\n%s\n", lines[i + 1], lines[i]);
      i++;
      continue;
    }
    g_string_append_printf (text, i + 1 < n ? "%s\n" : "%s", lines[i]);
  }
}

static GStrv
read_bases (void)
{
  static const gchar *const names[] = { "pion", "chromium", "webrtcbin" };
  GStrv bases = g_new0 (gchar *, G_N_ELEMENTS (names) + 1);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    AnswerCase row = { "", names[i], { { 0 } } };

    bases[i] = make_answer (&row);
  }

  return bases;
}

static void
mutations_end_in_answer_or_error (void)
{
  g_auto (GStrv) bases = read_bases ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (20260101);
  g_autoptr (GstSDPMessage) offer = read_offer ();
  guint n_taken = 0;

  for (guint i = 0; i < N_MUTATIONS; i++) {
    g_autoptr (GString) text = g_string_new (bases[i % g_strv_length (bases)]);
    g_autoptr (GError) error = NULL;
    g_autoptr (IvsAnswer) answer = NULL;
    gint n_lines = g_rand_int_range (rand, 0, 6);

    for (gint j = 0; j < n_lines; j++)
      mutate_lines (rand, text);
    if (g_rand_boolean (rand))
      mutate_bytes (rand, text);

    answer = ivs_answer_new (text->str, text->len, NULL, offer, &error);
    g_assert_true ((answer == NULL) == (error != NULL));
    if (answer != NULL) {
      assert_complete (answer);
      n_taken++;
    } else {
      g_assert_true (error->domain == IVS_ERROR);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
  }

  /* Both ends were reached, or the mutations are too wild or too tame. */
  g_test_message ("%u of %u taken", n_taken, N_MUTATIONS);
  g_assert_cmpuint (n_taken, >, N_MUTATIONS / 100);
  g_assert_cmpuint (n_taken, <, N_MUTATIONS - N_MUTATIONS / 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD_ROWS ("/answer/", answer_cases, row_judged);
  ADD_ROWS ("/answer/body/", body_cases, body_refused);
  ADD_ROWS ("/answer/certificate/", certificate_cases, certificate_judged);
  g_test_add_func ("/answer/body/excerpt-is-bounded", excerpt_is_bounded);
  g_test_add_func ("/answer/body/length-is-bounded", length_is_bounded);
  g_test_add_func ("/answer/body/content-type-is-tolerated",
      content_type_is_tolerated);
  g_test_add_func ("/answer/cut-anywhere", cut_anywhere);
  g_test_add_func ("/answer/candidates-are-bounded", candidates_are_bounded);
  g_test_add_func ("/answer/video-alone", video_alone);
  g_test_add_func ("/answer/first-candidate-is-named",
      first_candidate_is_named);
  g_test_add_func ("/answer/mutations-end-in-answer-or-error",
      mutations_end_in_answer_or_error);

  return g_test_run ();
}
