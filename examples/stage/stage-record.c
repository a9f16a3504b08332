/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps what a participant published: its RTP packets in the file ID.rtp.
 */
#include "stage-record.h"

#include <glib/gstdio.h>
#include <stdio.h>

static gchar *folder; /* set before the first packet */

void
stage_record_into (const gchar *path)
{
  g_free (folder);
  folder = g_strdup (path);
}

static gboolean
write_packet (FILE *file, const GstMapInfo *map)
{
  guint8 length[2];

  GST_WRITE_UINT16_BE (length, map->size);
  return fwrite (length, sizeof length, 1, file) == 1 &&
      fwrite (map->data, map->size, 1, file) == 1;
}

/* Opened for each packet: nothing to flush or to close when anything ends. */
void
stage_record (const gchar *participant, GstBuffer *packet)
{
  g_autofree gchar *path = NULL;
  GstMapInfo map;
  FILE *file;

  if (folder == NULL || !gst_buffer_map (packet, &map, GST_MAP_READ))
    return;
  path = g_strdup_printf ("%s/%s.rtp", folder, participant);
  file = g_fopen (path, "ab");
  if (file == NULL || map.size > G_MAXUINT16 || !write_packet (file, &map))
    g_warning ("Cannot record into %s", path);
  if (file != NULL)
    fclose (file);
  gst_buffer_unmap (packet, &map);
}
