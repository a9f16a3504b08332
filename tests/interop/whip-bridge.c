/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A WHIP endpoint whose offers are answered by a page in a browser.
 */
#include "whip-bridge.h"

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <string.h>

struct _WhipBridge
{
  SoupServer *server;
  gchar *page_url;
  gchar *endpoint;
  gchar *page;
  gsize page_size;

  SoupServerMessage *publisher; /* its POST, until the page has answered */
  SoupServerMessage *asking;    /* the page's GET, until there is an offer */

  gint n_offers; /* that the page got */
  guint n_posts, n_deletes;
  gchar *refusal;
  JsonNode *report;
};

/* -- Between the element and the page ------------------------------------------ */

static void
respond (SoupServerMessage *message, guint status, const gchar *type,
    const gchar *body, gsize size)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_COPY, body,
      size);
}

/* As soon as one waits for an offer and one has brought it. */
static void
hand_over (WhipBridge *self)
{
  SoupMessageBody *offer;

  if (self->publisher == NULL || self->asking == NULL)
    return;
  self->n_offers++;
  g_clear_pointer (&self->report, json_node_unref);
  offer = soup_server_message_get_request_body (self->publisher);
  respond (self->asking, 200, "application/sdp", offer->data,
      (gsize) offer->length);
  soup_server_message_unpause (self->asking);
  g_clear_object (&self->asking);
}

static void
keep_waiting (SoupServerMessage **slot, SoupServerMessage *message)
{
  g_assert_null (*slot);
  *slot = g_object_ref (message);
  soup_server_message_pause (message);
}

static void
answer_publisher (WhipBridge *self, guint status, const gchar *type,
    SoupMessageBody *body)
{
  g_assert_nonnull (self->publisher);
  respond (self->publisher, status, type, body->data, (gsize) body->length);
  if (status == 201)
    soup_message_headers_replace (soup_server_message_get_response_headers (
                                      self->publisher),
        "Location", "/session");
  soup_server_message_unpause (self->publisher);
  g_clear_object (&self->publisher);
}

/* -- Requests of the element ------------------------------------------------------ */

static void
publish_requested (SoupServer *server, SoupServerMessage *message,
    const gchar *path, GHashTable *query, gpointer data)
{
  WhipBridge *self = data;

  if (soup_server_message_get_method (message) != SOUP_METHOD_POST) {
    soup_server_message_set_status (message, 405, NULL);
    return;
  }
  self->n_posts++;
  keep_waiting (&self->publisher, message);
  hand_over (self);
}

static void
session_requested (SoupServer *server, SoupServerMessage *message,
    const gchar *path, GHashTable *query, gpointer data)
{
  WhipBridge *self = data;

  if (soup_server_message_get_method (message) == SOUP_METHOD_DELETE)
    self->n_deletes++;
  soup_server_message_set_status (message, 200, NULL);
}

/* -- Requests of the page ------------------------------------------------------------ */

static void
offer_requested (SoupServer *server, SoupServerMessage *message,
    const gchar *path, GHashTable *query, gpointer data)
{
  WhipBridge *self = data;

  keep_waiting (&self->asking, message);
  hand_over (self);
}

/* One of the session before may still come. */
static void
take_report (WhipBridge *self, SoupMessageBody *body)
{
  g_autofree gchar *text = g_strndup (body->data, (gsize) body->length);
  g_autoptr (GError) error = NULL;
  JsonNode *report = json_from_string (text, &error);

  g_assert_no_error (error);
  if (json_object_get_int_member (json_node_get_object (report), "session") !=
      self->n_offers) {
    json_node_unref (report);
    return;
  }
  g_clear_pointer (&self->report, json_node_unref);
  self->report = report;
}

static void
page_requested (SoupServer *server, SoupServerMessage *message,
    const gchar *path, GHashTable *query, gpointer data)
{
  WhipBridge *self = data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  soup_server_message_set_status (message, 200, NULL);
  if (g_str_equal (path, "/")) {
    respond (message, 200, "text/html", self->page, self->page_size);
  } else if (g_str_equal (path, "/answer")) {
    answer_publisher (self, 201, "application/sdp", body);
  } else if (g_str_equal (path, "/refuse")) {
    self->refusal = g_strndup (body->data, (gsize) body->length);
    answer_publisher (self, 400, "text/plain", body);
  } else if (g_str_equal (path, "/report")) {
    take_report (self, body);
  } else {
    soup_server_message_set_status (message, 404, NULL);
  }
}

/* -- Life ----------------------------------------------------------------------------- */

static gchar *
make_url (SoupServer *server, const gchar *path)
{
  GSList *uris = soup_server_get_uris (server);
  gchar *url = g_strdup_printf ("http://127.0.0.1:%d%s",
      g_uri_get_port (uris->data), path);

  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return url;
}

WhipBridge *
whip_bridge_start (void)
{
  WhipBridge *self = g_new0 (WhipBridge, 1);
  g_autoptr (GError) error = NULL;

  g_file_get_contents (WHIP_SERVER_PAGE, &self->page, &self->page_size, &error);
  g_assert_no_error (error);
  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, "/", page_requested, self, NULL);
  soup_server_add_handler (self->server, "/offer", offer_requested, self, NULL);
  soup_server_add_handler (self->server, "/whip", publish_requested, self,
      NULL);
  soup_server_add_handler (self->server, "/session", session_requested, self,
      NULL);
  soup_server_listen_local (self->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
      &error);
  g_assert_no_error (error);
  self->page_url = make_url (self->server, "/");
  self->endpoint = make_url (self->server, "/whip");
  return self;
}

void
whip_bridge_stop (WhipBridge *self)
{
  soup_server_disconnect (self->server);
  g_clear_object (&self->publisher);
  g_clear_object (&self->asking);
  whip_bridge_forget (self);
  g_object_unref (self->server);
  g_free (self->page_url);
  g_free (self->endpoint);
  g_free (self->page);
  g_free (self);
}

const gchar *
whip_bridge_get_page_url (WhipBridge *self)
{
  return self->page_url;
}

const gchar *
whip_bridge_get_endpoint (WhipBridge *self)
{
  return self->endpoint;
}

/* -- Looking ----------------------------------------------------------------------------- */

void
whip_bridge_forget (WhipBridge *self)
{
  self->n_posts = self->n_deletes = 0;
  g_clear_pointer (&self->refusal, g_free);
  g_clear_pointer (&self->report, json_node_unref);
}

guint
whip_bridge_get_n_posts (WhipBridge *self)
{
  return self->n_posts;
}

guint
whip_bridge_get_n_deletes (WhipBridge *self)
{
  return self->n_deletes;
}

const gchar *
whip_bridge_get_refusal (WhipBridge *self)
{
  return self->refusal;
}

gdouble
whip_bridge_get_stat (WhipBridge *self, const gchar *kind, const gchar *name)
{
  JsonObject *report, *stats;

  if (self->report == NULL)
    return -1;
  report = json_node_get_object (self->report);
  if (!json_object_has_member (report, kind))
    return -1;
  stats = json_object_get_object_member (report, kind);
  return json_object_get_double_member_with_default (stats, name, -1);
}
