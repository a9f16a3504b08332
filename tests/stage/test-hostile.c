/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Servers that flood, dawdle and never end, against the whole element: one error,
 * in time, in little memory, and the token goes to nobody else.
 */
#include "end-gstreamer.h"
#include "publish-fixture.h"
#include "stub-endpoint.h"
#include "token-maker.h"

#include <string.h>

#define SHORT 1      /* s: a time limit that ends the request */
#define LONG 10      /* s: one that must not be what ends it */
#define SLACK 5      /* s: the machine may be busy */
#define MAX_MEMORY 8 /* MiB */
#define PIECE (256 * 1024)

/* What comes again and again. */
typedef enum
{
  SILENCE,
  TEXT,
  ZEROS_PACKED, /* gzip: from each piece a megabyte unfolds */
  EMPTY_PACKED  /* gzip: from no piece anything */
} Content;

typedef struct
{
  const gchar *name;
  const gchar *head;               /* behind status line and Location */
  const gchar *failure, *sentence; /* of a 201, or of any answer */
  const gchar *refused;            /* of a 403; NULL: the same */
  Content content;
  const gchar *text;
  guint interval_ms;
} Flood;

#define END "\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked" END

/* clang-format off */
static const Flood floods[] = {
  { "gzip-bomb", "Content-Encoding: gzip" END, "network", "is compressed", "http-refused", ZEROS_PACKED },
  { "gzip-of-nothing", "Content-Encoding: gzip" END, "network", "is compressed", "http-refused", EMPTY_PACKED },
  { "body-endless", "X: y" END, "answer-too-large", "longer than", "http-refused", TEXT, "v=0\r\n" },
  { "body-of-terabytes", "Content-Length: 99999999999999" END, "answer-too-large", "longer than", "http-refused", TEXT, "v=0\r\n" },
  { "body-of-no-number", "Content-Length: 99999999999999999999999" END, "answer-too-large", "longer than", "http-refused", TEXT, "v=0\r\n" },
  { "chunks-endless", CHUNKED, "answer-too-large", "longer than", "http-refused", TEXT, "5\r\nv=0\r\n\r\n" },
  { "chunk-of-terabytes", CHUNKED "7fffffffffff\r\n", "answer-too-large", "longer than", "http-refused", TEXT, "v=0\r\n" },
  { "chunk-with-endless-extension", CHUNKED "5;x=", "network", "terminated", "network", TEXT, "xxxx" },
  { "headers-endless", "", "network", "too big", NULL, TEXT, "X: y\r\n" },
  { "header-endless", "X: ", "network", "too big", NULL, TEXT, "yyyy" },
  { "body-drips", "Content-Length: 9999" END, "timeout", "did not answer", NULL, TEXT, "v", 300 },
  { "head-drips", "X: ", "timeout", "did not answer", NULL, TEXT, "y", 300 },
  { "chunks-drip", CHUNKED, "timeout", "did not answer", NULL, TEXT, "1\r\nv\r\n", 300 },
  { "body-stops", "Content-Length: 9999" END "v=0\r\n", "timeout", "did not answer", NULL, SILENCE },
  { "head-stops", "X: y\r\n", "timeout", "did not answer", NULL, SILENCE },
};

/* Up to 3.6 libsoup does not read them, in 3.8 it would until there are no more. */
static const Flood trailers = { "trailers-endless", CHUNKED "0\r\n", NULL, NULL, NULL, TEXT, "X: y\r\n" };

/* Before there is any status. */
static const Flood beginnings[] = {
  { "status-endless", "HTTP/1.1 201 ", "network", "too big", NULL, TEXT, "xxxx" },
  { "interim-endless", "", "network", "interim answers without end", NULL, TEXT, "HTTP/1.1 100 Continue" END },
  { "interim-drips", "", "timeout", "did not answer", NULL, TEXT, "HTTP/1.1 100 Continue" END, 200 },
  { "line-breaks-endless", "", "network", "", NULL, TEXT, "\r\n" },
  { "silence", "", "timeout", "did not answer", NULL, SILENCE },
};
/* clang-format on */

/* -- What comes again and again ---------------------------------------------------- */

/* A megabyte of zeros that ends at a whole byte. */
static void
append_zeros (GByteArray *packed, GConverter *compressor)
{
  static const guint8 zeros[1024 * 1024];
  guint8 out[4096];
  gsize at = 0, n_read, n_written;
  GConverterResult result;

  do {
    result = g_converter_convert (compressor, zeros + at, sizeof zeros - at,
        out, sizeof out, G_CONVERTER_FLUSH, &n_read, &n_written, NULL);
    g_assert_cmpint (result, !=, G_CONVERTER_ERROR);
    g_byte_array_append (packed, out, (guint) n_written);
    at += n_read;
  } while (result != G_CONVERTER_FLUSHED);
}

/* What the second megabyte is packed to can follow itself for ever: before each there
 * are zeros. */
static GByteArray *
make_zeros (GByteArray *begin)
{
  g_autoptr (GConverter) compressor =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
  GByteArray *again = g_byte_array_new ();

  append_zeros (begin, compressor);
  append_zeros (again, compressor);
  return again;
}

/* RFC 1952, 2.3, and RFC 1951, 3.2.4: a stored block of length 0, not the last one. */
static GByteArray *
make_nothing (GByteArray *begin)
{
  GByteArray *again = g_byte_array_new ();

  g_byte_array_append (begin,
      (const guint8[]){ 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 }, 10);
  g_byte_array_append (again, (const guint8[]){ 0, 0, 0, 0xff, 0xff }, 5);
  return again;
}

static GByteArray *
make_text (const gchar *text)
{
  GByteArray *again = g_byte_array_new ();

  g_byte_array_append (again, (const guint8 *) text, (guint) strlen (text));
  return again;
}

static void
make_large (GByteArray *bytes)
{
  while (bytes->len < PIECE) {
    g_autofree guint8 *copy = g_memdup2 (bytes->data, bytes->len);

    g_byte_array_append (bytes, copy, bytes->len);
  }
}

/* `beginning`: the status line and more. */
static void
open_flood (StubEndpoint *stub, const gchar *method, const gchar *beginning,
    const Flood *flood)
{
  GByteArray *begin = make_text (beginning);
  GByteArray *again = NULL;
  g_autoptr (GBytes) begin_bytes = NULL;
  g_autoptr (GBytes) again_bytes = NULL;

  g_byte_array_append (begin, (const guint8 *) flood->head,
      (guint) strlen (flood->head));
  if (flood->content == ZEROS_PACKED)
    again = make_zeros (begin);
  else if (flood->content == EMPTY_PACKED)
    again = make_nothing (begin);
  else if (flood->content == TEXT)
    again = make_text (flood->text);
  if (again != NULL && flood->interval_ms == 0)
    make_large (again);
  begin_bytes = g_byte_array_free_to_bytes (begin);
  if (again != NULL)
    again_bytes = g_byte_array_free_to_bytes (again);
  stub_endpoint_go_on (stub, method, begin_bytes, again_bytes,
      flood->interval_ms);
}

/* -- Memory -------------------------------------------------------------------------- */

static guint64
get_memory (const gchar *name)
{
  g_autofree gchar *status = NULL;
  const gchar *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    g_error ("There is no /proc/self/status");
  line = strstr (status, name);
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen (name) + 1, NULL, 10);
}

/* From here on VmHWM is the most that there was since (proc(5)). */
static guint64
begin_to_measure (void)
{
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents_full ("/proc/self/clear_refs", "5", 1,
          G_FILE_SET_CONTENTS_NONE, 0600, &error))
    g_test_message ("%s", error->message);
  return get_memory ("VmRSS");
}

/* AddressSanitizer keeps what was freed. */
static gint64
get_max_memory (void)
{
  return g_getenv ("IVS_TEST_IS_SLOW") != NULL ? 256 : MAX_MEMORY;
}

static void
check_memory (guint64 before)
{
  gint64 more = (gint64) (get_memory ("VmHWM") - before);

  g_test_message ("%" G_GINT64_FORMAT " KiB more", more);
  g_assert_cmpint (more / 1024, <, get_max_memory ());
}

/* -- One attempt ---------------------------------------------------------------------- */

typedef struct
{
  StubEndpoint *stub, *stranger;
  PublishFixture *publish;
  guint64 memory;
} Attempt;

static void
attempt_begin (Attempt *attempt, guint timeout)
{
  g_autofree gchar *token = token_maker_make_publisher ("publisher",
      G_GINT64_CONSTANT (4102444800), NULL);

  attempt->stub = stub_endpoint_start ("127.0.0.1");
  /* A host like any other to the element; it has no door, so nobody may come. */
  attempt->stranger = stub_endpoint_start ("0.0.0.0");
  attempt->publish = publish_fixture_new_as (NULL, "publisher",
      "audiotestsrc is-live=true ! ivsstagesink max-retries=0 timeout=%u "
      "shutdown-timeout=%u auth-token=%s whip-endpoint=%s/whip",
      timeout, SHORT, token, stub_endpoint_get_url (attempt->stub));
}

/* Whatever the server does, going down is not held up. */
static void
attempt_end (Attempt *attempt)
{
  gint64 began = g_get_monotonic_time ();

  publish_fixture_stop (attempt->publish);
  g_assert_cmpint (g_get_monotonic_time () - began, <,
      (SHORT + SLACK) * G_USEC_PER_SEC);
  publish_fixture_assert_failures (attempt->publish, 1, 0);
  check_memory (attempt->memory);
  publish_fixture_free (attempt->publish);
  g_assert_cmpuint (stub_endpoint_count_connections (attempt->stranger), ==, 0);
  stub_endpoint_stop (attempt->stranger);
  stub_endpoint_stop (attempt->stub);
}

/* A limit ends it, the shorter one of time or another. */
static guint
get_timeout (const Flood *flood)
{
  return g_str_equal (flood->failure, "timeout") ? SHORT : LONG;
}

static void
await_error (Attempt *attempt, const gchar *name, const gchar *part)
{
  g_autoptr (GstMessage) message = NULL;
  gint64 began = g_get_monotonic_time ();

  attempt->memory = begin_to_measure ();
  publish_fixture_play (attempt->publish);
  message = publish_fixture_wait_failure (attempt->publish, name, 30);
  g_assert_cmpint (g_get_monotonic_time () - began, <,
      (SHORT + SLACK) * G_USEC_PER_SEC);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  publish_fixture_assert_says (message, part);
}

/* What the first attempt of a process loads is not the server's doing. */
static void
warm_up (void)
{
  static gboolean is_warm = FALSE;
  Attempt attempt;

  if (is_warm)
    return;
  is_warm = TRUE;
  attempt_begin (&attempt, LONG);
  stub_endpoint_answer (attempt.stub, "POST", "HTTP/1.1 403 Forbidden\n\n");
  await_error (&attempt, "http-refused", "");
  attempt.memory = G_MAXINT64;
  attempt_end (&attempt);
}

/* -- The answer to the offer ------------------------------------------------------------ */

/* A session elsewhere, where the token may not go. */
static void
test_created (gconstpointer data)
{
  const Flood *flood = data;
  Attempt attempt;
  g_autofree gchar *head = NULL;

  warm_up ();
  attempt_begin (&attempt, get_timeout (flood));
  head = g_strdup_printf ("HTTP/1.1 201 Created\r\nLocation: %s/session\r\n",
      stub_endpoint_get_url (attempt.stranger));
  open_flood (attempt.stub, "POST", head, flood);
  await_error (&attempt, flood->failure, flood->sentence);
  attempt_end (&attempt);
}

static void
check_post (const Flood *flood, const gchar *beginning, const gchar *failure,
    const gchar *part)
{
  Attempt attempt;

  warm_up ();
  attempt_begin (&attempt, get_timeout (flood));
  open_flood (attempt.stub, "POST", beginning, flood);
  await_error (&attempt, failure, part);
  attempt_end (&attempt);
}

static void
test_without_status (gconstpointer data)
{
  const Flood *flood = data;

  check_post (flood, "", flood->failure, flood->sentence);
}

static gboolean
has_failed (gpointer data)
{
  return publish_fixture_count_failures (data, GST_MESSAGE_ERROR) > 0;
}

static void
test_trailers (gconstpointer data)
{
  Attempt attempt;

  warm_up ();
  attempt_begin (&attempt, LONG);
  open_flood (attempt.stub, "POST", "HTTP/1.1 201 Created\r\n", data);
  attempt.memory = begin_to_measure ();
  publish_fixture_expect (attempt.publish, "answer");  /* it is empty */
  publish_fixture_expect (attempt.publish, "network"); /* it has no end */
  publish_fixture_play (attempt.publish);
  g_assert_true (
      publish_wait (has_failed, attempt.publish, (SHORT + SLACK) * 1000));
  attempt_end (&attempt);
}

static void
test_refused (gconstpointer data)
{
  const Flood *flood = data;

  check_post (flood, "HTTP/1.1 403 Forbidden\r\n",
      flood->refused != NULL ? flood->refused : flood->failure, "");
}

static gboolean
has_head (const Flood *flood)
{
  return g_str_has_suffix (flood->head, END) ||
      g_str_has_prefix (flood->head, CHUNKED);
}

/* Five times to where the same comes again: no body is waited for. */
static void
test_redirected (gconstpointer data)
{
  const Flood *flood = data;

  check_post (flood, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /whip\r\n",
      has_head (flood) ? "redirect" : flood->failure, "");
}

/* -- The answer to the DELETE ------------------------------------------------------------ */

static void
test_deleted (gconstpointer data)
{
  const Flood *flood = data;
  gboolean has_status =
      flood < beginnings || flood >= beginnings + G_N_ELEMENTS (beginnings);
  Attempt attempt;

  warm_up ();
  attempt_begin (&attempt, LONG);
  stub_endpoint_answer (attempt.stub, "POST",
      "HTTP/1.1 201 Created\nContent-Type: application/sdp\n"
      "Location: /session\nContent-Length: 5\n\nv=0\r\n");
  open_flood (attempt.stub, "DELETE", has_status ? "HTTP/1.1 200 OK\r\n" : "",
      flood);
  await_error (&attempt, "answer", "");
  stub_endpoint_wait (attempt.stub, "DELETE", 1);
  attempt_end (&attempt);
}

/* -- All of them -------------------------------------------------------------------------- */

static void
add (const gchar *kind, const Flood *flood, GTestDataFunc function)
{
  g_autofree gchar *path =
      g_strdup_printf ("/hostile/%s/%s", kind, flood->name);

  g_test_add_data_func (path, flood, function);
}

int
main (int argc, char **argv)
{
  int result;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++) {
    add ("post", &beginnings[i], test_without_status);
    add ("delete", &beginnings[i], test_deleted);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (floods); i++) {
    add ("post", &floods[i], test_created);
    add ("delete", &floods[i], test_deleted);
    if (floods[i].content == SILENCE || floods[i].interval_ms > 0)
      continue;
    add ("post-refused", &floods[i], test_refused);
    add ("post-redirected", &floods[i], test_redirected);
  }
  add ("post", &trailers, test_trailers);
  add ("delete", &trailers, test_deleted);
  result = g_test_run ();
  end_gstreamer ();
  return result;
}
