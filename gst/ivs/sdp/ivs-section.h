/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One media section of an offer or answer: its attributes, read and changed.
 */
#pragma once

#include <gst/sdp/gstsdpmessage.h>

G_BEGIN_DECLS

/* The section as something that can be changed: GstSDPMessage owns it, but hands
 * it out const only. */
GstSDPMedia *ivs_section_of (GstSDPMessage *sdp, guint index);

/* "audio", "video", ... for sentences; never NULL. */
const gchar *ivs_section_get_kind (const GstSDPMedia *section);
gboolean ivs_section_has (const GstSDPMedia *section, const gchar *name);
gboolean ivs_section_has_value (const GstSDPMedia *section, const gchar *name,
    const gchar *value);
/* The first value of @name, or NULL if there is none or it is empty. */
const gchar *ivs_section_get (const GstSDPMedia *section, const gchar *name);
void ivs_section_remove (GstSDPMedia *section, const gchar *name);
/* Replaces every @name by one with @value (NULL or "": a property attribute). */
void
ivs_section_set (GstSDPMedia *section, const gchar *name, const gchar *value);
/* Replaces every @name of @section by those of @from; FALSE if they were the same. */
gboolean ivs_section_copy (GstSDPMedia *section, const GstSDPMedia *from,
    const gchar *name);

/* "sendrecv", "sendonly", "recvonly", "inactive" (static), or NULL if not said. */
const gchar *ivs_section_get_direction (const GstSDPMedia *section);
void ivs_section_set_direction (GstSDPMedia *section, const gchar *direction);

/* Is @payload_type one of the m-line's formats? */
gboolean
ivs_section_has_format (const GstSDPMedia *section, guint payload_type);
/* What rtpmap calls @payload_type ("H264/90000"), or NULL. */
const gchar *
ivs_section_get_rtpmap (const GstSDPMedia *section, guint payload_type);
/* Is @rtpmap ("H264/90000") of @codec ("h264")? Names are case-insensitive. */
gboolean ivs_rtpmap_is (const gchar *rtpmap, const gchar *codec);
/* The first payload type whose rtpmap is of @codec, or -1. */
gint ivs_section_find_codec (const GstSDPMedia *section, const gchar *codec);
/* Has a line "NAME:PT REST", REST compared without regard to case? */
gboolean ivs_section_has_for (const GstSDPMedia *section, const gchar *name,
    guint payload_type, const gchar *rest);
/* Replaces the "NAME:PT ..." lines by one, at the place of the first. */
void ivs_section_set_for (GstSDPMedia *section, const gchar *name,
    guint payload_type, const gchar *rest);

G_END_DECLS
