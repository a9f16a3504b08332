/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How the programs of this folder are called, and when they end. What is wrong with the
 * call ends them with a sentence.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @entries: ended by an empty one. */
void
program_parse_options (const GOptionEntry *entries, int *argc, char ***argv);

/* The file's text without white space around it. (transfer full) */
gchar *program_read_text (const gchar *path);

/* (transfer full) */
GMappedFile *program_map_file (const gchar *path);

/* Quits @loop when the standard input ends. */
void program_end_with_input (GMainLoop *loop);

G_END_DECLS
