/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bad network in user space: UDP datagrams between one client and one server, with
 * delay, jitter, loss and a bottleneck with a queue.
 *
 *     client -> [queue -> rate] -> delay, jitter -> loss -> server     UP
 *     client <- the same, with figures of its own        <- server     DOWN
 *
 * Runs on a thread of its own. Every function may be called from any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _UdpRelay UdpRelay;

typedef enum
{
  UDP_RELAY_UP,
  UDP_RELAY_DOWN,
  UDP_RELAY_N_DIRECTIONS
} UdpRelayDirection;

/* All 0: nothing is done to the datagrams. */
typedef struct
{
  guint delay_ms;  /* one way */
  guint jitter_ms; /* up to so much more; never changes the order */
  gdouble loss;    /* 0 to 1, at random, behind the bottleneck */
  guint
      rate_bps; /* of the bottleneck, with 28 bytes of IP and UDP each; 0 = none */
  guint
      queue_ms; /* what fits before it, at its rate; 0 = 300. More is dropped. */
  guint
      cross_bps; /* of another flow that shares queue and rate, without asking */
} UdpRelayPath;

typedef struct
{
  guint64 packets;       /* that were sent on */
  guint64 bytes;         /* of them, as datagrams */
  guint64 overflowed;    /* dropped before the queue */
  guint64 lost;          /* dropped at random */
  guint longest_wait_ms; /* in the queue, since the last look */
} UdpRelayStats;

/* On a free port of 127.0.0.1. @seed: of the chances, so that a run can be repeated. */
UdpRelay *udp_relay_start (guint32 seed);
void udp_relay_stop (UdpRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UdpRelay, udp_relay_stop)

/* Where a client sends to. Whoever sends there last gets what the server says. */
guint16 udp_relay_get_port (UdpRelay *relay);

/* Where its datagrams go: a port of 127.0.0.1. Nothing goes before it is known. */
void udp_relay_set_server (UdpRelay *relay, guint16 port);

/* From now on, also for what is in the queue. */
void udp_relay_set_path (UdpRelay *relay, UdpRelayDirection direction,
    const UdpRelayPath *path);
void udp_relay_get_stats (UdpRelay *relay, UdpRelayDirection direction,
    UdpRelayStats *stats);

G_END_DECLS
