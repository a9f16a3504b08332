/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tables of tests: a named test for each row.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const gchar *name;
  GTestFunc function;
} TestCase;

/* @prefix: "/program/"; @cases: an array of TestCase. */
#define ADD_CASES(prefix, cases) \
  G_STMT_START \
  { \
    for (gsize n = 0; n < G_N_ELEMENTS (cases); n++) { \
      g_autofree gchar *path = g_strconcat (prefix, (cases)[n].name, NULL); \
\
      g_test_add_func (path, (cases)[n].function); \
    } \
  } \
  G_STMT_END

/* @rows: an array of structures with a `name`; @test gets its row. */
#define ADD_ROWS(prefix, rows, test) \
  G_STMT_START \
  { \
    for (gsize n = 0; n < G_N_ELEMENTS (rows); n++) { \
      g_autofree gchar *path = g_strconcat (prefix, (rows)[n].name, NULL); \
\
      g_test_add_data_func (path, &(rows)[n], test); \
    } \
  } \
  G_STMT_END

G_END_DECLS
