/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The metadata in a stream of H.264: SEI with the UUID that marks them for a stage.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _StageMetadata StageMetadata;

StageMetadata *stage_metadata_new (void);
void stage_metadata_free (StageMetadata *metadata);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageMetadata, stage_metadata_free)

/* @nal: an SEI NAL unit, whole; @is_late: a slice of its picture came before it. */
void stage_metadata_take_nal (StageMetadata *metadata, const guint8 *nal,
    gsize size, gboolean is_late);

/* @payload: an FU-A of an SEI NAL unit; its parts are put together. */
void stage_metadata_take_fragment (StageMetadata *metadata,
    const guint8 *payload, gsize size, guint16 seq, gboolean is_late);

/* Adds the member `metadata`. */
void stage_metadata_write (StageMetadata *metadata, JsonBuilder *builder);

G_END_DECLS
