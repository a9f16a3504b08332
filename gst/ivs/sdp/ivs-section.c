/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One media section of an offer or answer: its attributes, read and changed.
 */
#include "ivs-section.h"

#include <string.h>

static const gchar *const directions[] = { "sendrecv", "sendonly", "recvonly",
  "inactive", NULL };

GstSDPMedia *
ivs_section_of (GstSDPMessage *sdp, guint index)
{
  return (GstSDPMedia *) gst_sdp_message_get_media (sdp, index);
}

const gchar *
ivs_section_get_kind (const GstSDPMedia *section)
{
  const gchar *kind = gst_sdp_media_get_media (section);

  return kind != NULL ? kind : "";
}

static gboolean
is_named (const GstSDPAttribute *attribute, const gchar *name)
{
  return g_strcmp0 (attribute->key, name) == 0;
}

gboolean
ivs_section_has (const GstSDPMedia *section, const gchar *name)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    if (is_named (gst_sdp_media_get_attribute (section, i), name))
      return TRUE;
  }

  return FALSE;
}

gboolean
ivs_section_has_value (const GstSDPMedia *section, const gchar *name,
    const gchar *value)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);

    if (is_named (a, name) && g_strcmp0 (a->value, value) == 0)
      return TRUE;
  }

  return FALSE;
}

const gchar *
ivs_section_get (const GstSDPMedia *section, const gchar *name)
{
  const gchar *value = gst_sdp_media_get_attribute_val (section, name);

  return value != NULL && *value != '\0' ? value : NULL;
}

void
ivs_section_remove (GstSDPMedia *section, const gchar *name)
{
  for (guint i = gst_sdp_media_attributes_len (section); i > 0; i--) {
    if (is_named (gst_sdp_media_get_attribute (section, i - 1), name))
      gst_sdp_media_remove_attribute (section, i - 1);
  }
}

void
ivs_section_set (GstSDPMedia *section, const gchar *name, const gchar *value)
{
  ivs_section_remove (section, name);
  /* "" and not NULL: gst_sdp_media_attributes_to_caps() of 1.22, which webrtcbin
   * calls, reads every value. */
  gst_sdp_media_add_attribute (section, name, value != NULL ? value : "");
}

static GPtrArray *
collect_values (const GstSDPMedia *section, const gchar *name)
{
  GPtrArray *values = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);

    if (is_named (a, name))
      g_ptr_array_add (values, g_strdup (a->value != NULL ? a->value : ""));
  }

  return values;
}

static gboolean
are_same_values (const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;

  for (guint i = 0; i < a->len; i++) {
    if (!g_str_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  }

  return TRUE;
}

gboolean
ivs_section_copy (GstSDPMedia *section, const GstSDPMedia *from,
    const gchar *name)
{
  g_autoptr (GPtrArray) old = collect_values (section, name);
  g_autoptr (GPtrArray) values = collect_values (from, name);

  if (are_same_values (old, values))
    return FALSE;

  ivs_section_remove (section, name);
  for (guint i = 0; i < values->len; i++)
    gst_sdp_media_add_attribute (section, name, values->pdata[i]);

  return TRUE;
}

const gchar *
ivs_section_get_direction (const GstSDPMedia *section)
{
  for (guint i = 0; directions[i] != NULL; i++) {
    if (ivs_section_has (section, directions[i]))
      return directions[i];
  }

  return NULL;
}

void
ivs_section_set_direction (GstSDPMedia *section, const gchar *direction)
{
  for (guint i = 0; directions[i] != NULL; i++)
    ivs_section_remove (section, directions[i]);

  ivs_section_set (section, direction, NULL);
}

gboolean
ivs_section_has_format (const GstSDPMedia *section, guint payload_type)
{
  g_autofree gchar *wanted = g_strdup_printf ("%u", payload_type);

  for (guint i = 0; i < gst_sdp_media_formats_len (section); i++) {
    if (g_strcmp0 (gst_sdp_media_get_format (section, i), wanted) == 0)
      return TRUE;
  }

  return FALSE;
}

/* What follows "PT " in a value, or NULL if the value is of another type. */
static const gchar *
skip_payload_type (const gchar *value, guint payload_type)
{
  gchar *end = NULL;

  if (value == NULL || !g_ascii_isdigit (*value) ||
      g_ascii_strtoull (value, &end, 10) != payload_type || *end != ' ')
    return NULL;

  while (*end == ' ')
    end++;

  return end;
}

const gchar *
ivs_section_get_rtpmap (const GstSDPMedia *section, guint payload_type)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);
    const gchar *rest = is_named (a, "rtpmap")
        ? skip_payload_type (a->value, payload_type)
        : NULL;

    if (rest != NULL)
      return rest;
  }

  return NULL;
}

gboolean
ivs_rtpmap_is (const gchar *rtpmap, const gchar *codec)
{
  gsize length = strlen (codec);

  return g_ascii_strncasecmp (rtpmap, codec, length) == 0 &&
      rtpmap[length] == '/';
}

gint
ivs_section_find_codec (const GstSDPMedia *section, const gchar *codec)
{
  for (guint i = 0; i < gst_sdp_media_formats_len (section); i++) {
    const gchar *format = gst_sdp_media_get_format (section, i);
    guint64 payload_type;
    const gchar *rtpmap;

    if (!g_ascii_string_to_unsigned (format, 10, 0, 127, &payload_type, NULL))
      continue;

    rtpmap = ivs_section_get_rtpmap (section, (guint) payload_type);
    if (rtpmap != NULL && ivs_rtpmap_is (rtpmap, codec))
      return (gint) payload_type;
  }

  return -1;
}

gboolean
ivs_section_has_for (const GstSDPMedia *section, const gchar *name,
    guint payload_type, const gchar *rest)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (section); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i);
    const gchar *found =
        is_named (a, name) ? skip_payload_type (a->value, payload_type) : NULL;

    if (found != NULL && g_ascii_strcasecmp (found, rest) == 0)
      return TRUE;
  }

  return FALSE;
}

void
ivs_section_set_for (GstSDPMedia *section, const gchar *name,
    guint payload_type, const gchar *rest)
{
  g_autofree gchar *value = g_strdup_printf ("%u %s", payload_type, rest);
  GstSDPAttribute attribute = { NULL, NULL };
  guint place = gst_sdp_media_attributes_len (section);

  for (guint i = place; i > 0; i--) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (section, i - 1);

    if (is_named (a, name) && skip_payload_type (a->value, payload_type)) {
      gst_sdp_media_remove_attribute (section, i - 1);
      place = i - 1;
    }
  }

  gst_sdp_attribute_set (&attribute, name, value);
  /* -1 appends: the last place is not one before which can be inserted. */
  gst_sdp_media_insert_attribute (section,
      place < gst_sdp_media_attributes_len (section) ? (gint) place : -1,
      &attribute);
}
