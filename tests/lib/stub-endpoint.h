/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An HTTP endpoint that says what a test wrote down, byte by byte.
 *
 * Any request that the test did not expect fails it. Every answer is the last
 * one on its connection.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _StubEndpoint StubEndpoint;

/* On a free port of this address of the loopback interface. */
StubEndpoint *stub_endpoint_start (const gchar *address);

/* Ends it; whoever is connected must go first. */
void stub_endpoint_stop (StubEndpoint *stub);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StubEndpoint, stub_endpoint_stop)

/* Without a slash at the end: "http://127.0.0.1:1234". */
const gchar *stub_endpoint_get_url (StubEndpoint *stub);

/* Expects requests of that method from now on and answers them with these bytes;
 * an empty answer closes the connection. Line feeds of the head become CRLF. */
void stub_endpoint_answer (StubEndpoint *stub, const gchar *method,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

/* The same, with all line ends written out and nothing added; after it `again` (NULL:
 * silence) every `interval_ms`, or as fast as it is taken (0), until the client has
 * closed the connection. */
void stub_endpoint_go_on (StubEndpoint *stub, const gchar *method,
    GBytes *begin, GBytes *again, guint interval_ms);

guint stub_endpoint_count (StubEndpoint *stub, const gchar *method);

/* All that were ever made, with a request or without. */
guint stub_endpoint_count_connections (StubEndpoint *stub);

/* Waits until there were `n`; fails the test when they do not come. */
void stub_endpoint_wait (StubEndpoint *stub, const gchar *method, guint n);

/* Of the last request of that method; "" without one. */
gchar *stub_endpoint_get_path (StubEndpoint *stub, const gchar *method);
gchar *stub_endpoint_get_header (StubEndpoint *stub, const gchar *method,
    const gchar *name);
gchar *stub_endpoint_get_body (StubEndpoint *stub, const gchar *method);

G_END_DECLS
