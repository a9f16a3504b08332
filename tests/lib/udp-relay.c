/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bad network in user space.
 */
#include "udp-relay.h"

#include <gio/gio.h>
#include <sys/socket.h>

#define MAX_DATAGRAM 65536
/* RFC 791, RFC 768: what a datagram takes on a link more than its bytes. */
#define OVERHEAD 28
#define CROSS_SIZE 1172 /* with the overhead, 1200 */
#define DEFAULT_QUEUE_MS 300
/* The longest nap: a change of the path is noticed after it. */
#define NAP_US 5000
/* What the kernel holds while this thread is not scheduled. */
#define SOCKET_BUFFER (4 * 1024 * 1024)

typedef struct
{
  gint64 at_us;  /* came, or may leave */
  GBytes *bytes; /* NULL: of the other flow */
  gsize size;
} Datagram;

typedef struct
{
  UdpRelayPath path;
  UdpRelayStats stats;
  GQueue queue;   /* Datagram, before the bottleneck */
  GQueue delayed; /* Datagram, behind it */
  gsize queued_bytes;
  gint64 free_us; /* when the bottleneck has sent the last one */
  gint64 last_us; /* when the last one leaves the relay */
  gint64 cross_us;
  gdouble cross_credit; /* bytes */
} Lane;

struct _UdpRelay
{
  GThread *thread;
  GSocket *sockets[UDP_RELAY_N_DIRECTIONS]; /* where that direction comes in */
  guint16 port;
  gint is_stopping; /* atomic */

  GMutex lock; /* everything below */
  GSocketAddress *client, *server;
  Lane lanes[UDP_RELAY_N_DIRECTIONS];
  GRand *random;
};

/* -- Datagrams ----------------------------------------------------------------- */

static void
datagram_free (gpointer data)
{
  Datagram *datagram = data;

  g_clear_pointer (&datagram->bytes, g_bytes_unref);
  g_free (datagram);
}

static guint64
get_room (const UdpRelayPath *path)
{
  guint ms = path->queue_ms > 0 ? path->queue_ms : DEFAULT_QUEUE_MS;

  return path->rate_bps > 0 ? (guint64) path->rate_bps * ms / 8000
                            : G_MAXUINT64;
}

static void
enqueue (Lane *lane, GBytes *bytes, gsize size, gint64 now_us)
{
  Datagram *datagram;

  if (lane->queued_bytes + size + OVERHEAD > get_room (&lane->path)) {
    lane->stats.overflowed += bytes != NULL;
    return;
  }
  datagram = g_new (Datagram, 1);
  *datagram = (Datagram){ .at_us = now_us, .size = size + OVERHEAD };
  if (bytes != NULL)
    datagram->bytes = g_bytes_ref (bytes);
  lane->queued_bytes += datagram->size;
  g_queue_push_tail (&lane->queue, datagram);
}

static void
enqueue_cross (Lane *lane, gint64 now_us)
{
  if (lane->path.cross_bps == 0 || lane->path.rate_bps == 0) {
    lane->cross_us = 0;
    return;
  }
  if (lane->cross_us > 0)
    lane->cross_credit += (gdouble) lane->path.cross_bps / 8 *
        (gdouble) (now_us - lane->cross_us) / G_USEC_PER_SEC;
  lane->cross_us = now_us;
  for (; lane->cross_credit > CROSS_SIZE + OVERHEAD;
       lane->cross_credit -= CROSS_SIZE + OVERHEAD)
    enqueue (lane, NULL, CROSS_SIZE, now_us);
}

/* -- A direction ------------------------------------------------------------------ */

/* When the bottleneck will have sent the first of its queue. */
static gint64
get_done (const Lane *lane, const Datagram *first)
{
  gint64 begin_us = MAX (lane->free_us, first->at_us);

  if (lane->path.rate_bps == 0)
    return begin_us;
  return begin_us +
      (gint64) (first->size * 8 * G_USEC_PER_SEC / lane->path.rate_bps);
}

/* Out of the bottleneck, at @done_us. Takes @datagram. */
static void
delay (UdpRelay *self, Lane *lane, Datagram *datagram, gint64 done_us)
{
  const UdpRelayPath *path = &lane->path;
  guint wait_ms = (guint) ((done_us - datagram->at_us) / 1000);

  lane->stats.longest_wait_ms = MAX (lane->stats.longest_wait_ms, wait_ms);
  if (datagram->bytes == NULL || g_rand_double (self->random) < path->loss) {
    lane->stats.lost += datagram->bytes != NULL;
    datagram_free (datagram);
    return;
  }
  datagram->at_us = done_us + (gint64) path->delay_ms * 1000;
  if (path->jitter_ms > 0)
    datagram->at_us +=
        g_rand_int_range (self->random, 0, (gint) path->jitter_ms * 1000);
  datagram->at_us = lane->last_us = MAX (datagram->at_us, lane->last_us);
  g_queue_push_tail (&lane->delayed, datagram);
}

static void
serve (UdpRelay *self, Lane *lane, gint64 now_us)
{
  Datagram *first;

  while ((first = g_queue_peek_head (&lane->queue)) != NULL) {
    gint64 done_us = get_done (lane, first);

    if (done_us > now_us)
      return;
    lane->free_us = done_us;
    lane->queued_bytes -= first->size;
    delay (self, lane, g_queue_pop_head (&lane->queue), done_us);
  }
}

/* What leaves now goes to @due. */
static void
take_due (Lane *lane, gint64 now_us, GQueue *due)
{
  Datagram *first;

  while ((first = g_queue_peek_head (&lane->delayed)) != NULL &&
      first->at_us <= now_us) {
    lane->stats.packets++;
    lane->stats.bytes += first->size - OVERHEAD;
    g_queue_push_tail (due, g_queue_pop_head (&lane->delayed));
  }
}

static gint64
get_next (const Lane *lane, gint64 next_us)
{
  const Datagram *queued = g_queue_peek_head ((GQueue *) &lane->queue);
  const Datagram *delayed = g_queue_peek_head ((GQueue *) &lane->delayed);

  if (queued != NULL)
    next_us = MIN (next_us, get_done (lane, queued));
  if (delayed != NULL)
    next_us = MIN (next_us, delayed->at_us);
  return next_us;
}

/* -- The thread ------------------------------------------------------------------- */

static void
receive (UdpRelay *self, UdpRelayDirection direction, gchar *buffer)
{
  for (;;) {
    g_autoptr (GSocketAddress) from = NULL;
    g_autoptr (GBytes) bytes = NULL;
    gssize size = g_socket_receive_from (self->sockets[direction], &from,
        buffer, MAX_DATAGRAM, NULL, NULL);

    if (size < 0)
      return;
    bytes = g_bytes_new (buffer, (gsize) size);
    g_mutex_lock (&self->lock);
    if (direction == UDP_RELAY_UP)
      g_set_object (&self->client, from);
    enqueue (&self->lanes[direction], bytes, (gsize) size,
        g_get_monotonic_time ());
    g_mutex_unlock (&self->lock);
  }
}

/* What comes in on one socket leaves by the other. */
static void
send_due (UdpRelay *self, UdpRelayDirection direction, GSocketAddress *to,
    GQueue *due)
{
  GSocket *socket = self->sockets[UDP_RELAY_N_DIRECTIONS - 1 - direction];
  Datagram *datagram;

  while ((datagram = g_queue_pop_head (due)) != NULL) {
    gsize size = 0;
    const gchar *data = g_bytes_get_data (datagram->bytes, &size);

    /* A server that is gone is a network that loses everything. */
    if (to != NULL)
      g_socket_send_to (socket, to, data, size, NULL, NULL);
    datagram_free (datagram);
  }
}

/* Returns when there is something to do again. */
static gint64
run_lane (UdpRelay *self, UdpRelayDirection direction, gint64 next_us)
{
  Lane *lane = &self->lanes[direction];
  g_autoptr (GSocketAddress) to = NULL;
  GQueue due = G_QUEUE_INIT;
  gint64 now_us = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  to = direction == UDP_RELAY_UP ? self->server : self->client;
  if (to != NULL)
    g_object_ref (to);
  enqueue_cross (lane, now_us);
  serve (self, lane, now_us);
  take_due (lane, now_us, &due);
  next_us = get_next (lane, next_us);
  g_mutex_unlock (&self->lock);
  send_due (self, direction, to, &due);
  return next_us;
}

static gpointer
run (gpointer data)
{
  UdpRelay *self = data;
  g_autofree gchar *buffer = g_malloc (MAX_DATAGRAM);
  GPollFD fds[UDP_RELAY_N_DIRECTIONS];

  for (guint i = 0; i < UDP_RELAY_N_DIRECTIONS; i++)
    fds[i] = (GPollFD){ .fd = g_socket_get_fd (self->sockets[i]),
      .events = G_IO_IN };
  while (!g_atomic_int_get (&self->is_stopping)) {
    gint64 next_us = g_get_monotonic_time () + NAP_US;

    for (guint i = 0; i < UDP_RELAY_N_DIRECTIONS; i++) {
      receive (self, i, buffer);
      next_us = run_lane (self, i, next_us);
    }
    next_us -= g_get_monotonic_time ();
    g_poll (fds, UDP_RELAY_N_DIRECTIONS,
        (gint) (MAX (next_us, 0) + 999) / 1000);
  }
  return NULL;
}

/* -- Life ------------------------------------------------------------------------- */

static GSocketAddress *
make_address (guint16 port)
{
  return g_inet_socket_address_new_from_string ("127.0.0.1", port);
}

static GSocket *
open_socket (void)
{
  g_autoptr (GSocketAddress) any = make_address (0);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_UDP, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, any, FALSE, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  /* More than a system may allow: it then gives what it does. */
  g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER, NULL);
  return socket;
}

UdpRelay *
udp_relay_start (guint32 seed)
{
  UdpRelay *self = g_new0 (UdpRelay, 1);
  g_autoptr (GSocketAddress) address = NULL;

  g_mutex_init (&self->lock);
  self->random = g_rand_new_with_seed (seed);
  for (guint i = 0; i < UDP_RELAY_N_DIRECTIONS; i++)
    self->sockets[i] = open_socket ();
  address = g_socket_get_local_address (self->sockets[UDP_RELAY_UP], NULL);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  self->thread = g_thread_new ("udp-relay", run, self);
  return self;
}

void
udp_relay_stop (UdpRelay *self)
{
  g_atomic_int_set (&self->is_stopping, TRUE);
  g_thread_join (self->thread);
  for (guint i = 0; i < UDP_RELAY_N_DIRECTIONS; i++) {
    g_queue_clear_full (&self->lanes[i].queue, datagram_free);
    g_queue_clear_full (&self->lanes[i].delayed, datagram_free);
    g_object_unref (self->sockets[i]);
  }
  g_clear_object (&self->client);
  g_clear_object (&self->server);
  g_rand_free (self->random);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint16
udp_relay_get_port (UdpRelay *self)
{
  return self->port;
}

void
udp_relay_set_server (UdpRelay *self, guint16 port)
{
  g_mutex_lock (&self->lock);
  g_clear_object (&self->server);
  self->server = make_address (port);
  g_mutex_unlock (&self->lock);
}

void
udp_relay_set_path (UdpRelay *self, UdpRelayDirection direction,
    const UdpRelayPath *path)
{
  g_mutex_lock (&self->lock);
  self->lanes[direction].path = *path;
  g_mutex_unlock (&self->lock);
}

void
udp_relay_get_stats (UdpRelay *self, UdpRelayDirection direction,
    UdpRelayStats *stats)
{
  g_mutex_lock (&self->lock);
  *stats = self->lanes[direction].stats;
  self->lanes[direction].stats.longest_wait_ms = 0;
  g_mutex_unlock (&self->lock);
}
