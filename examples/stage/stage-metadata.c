/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The metadata in a stream of H.264: SEI with the UUID that marks them for a stage.
 */
#include "stage-metadata.h"
#include "stage-json.h"

#include <gst/codecparsers/gsth264parser.h>
#include <string.h>

#define MAX_SEI 4096 /* what is longer is no metadata */

static const guint8 stage_uuid[16] = { 0x9e, 0x50, 0x4e, 0xa5, 0xee, 0x5a, 0x4f,
  0x02, 0x94, 0x9f, 0xb0, 0x3b, 0xa3, 0x76, 0x8d, 0xa2 };

struct _StageMetadata
{
  guint64 count;
  guint64 bytes;
  guint64 late; /* behind a slice of their picture, where no player looks */
  GBytes *last;

  GByteArray *parts; /* of a NAL unit that comes in fragments, or NULL */
  guint16 next_seq;
};

StageMetadata *
stage_metadata_new (void)
{
  return g_new0 (StageMetadata, 1);
}

static void
forget_parts (StageMetadata *metadata)
{
  g_clear_pointer (&metadata->parts, g_byte_array_unref);
}

void
stage_metadata_free (StageMetadata *metadata)
{
  forget_parts (metadata);
  g_clear_pointer (&metadata->last, g_bytes_unref);
  g_free (metadata);
}

static void
take_message (StageMetadata *metadata, const GstH264SEIMessage *message,
    gboolean is_late)
{
  const GstH264UserDataUnregistered *user =
      &message->payload.user_data_unregistered;

  if (message->payloadType != GST_H264_SEI_USER_DATA_UNREGISTERED ||
      memcmp (user->uuid, stage_uuid, sizeof stage_uuid) != 0)
    return;
  metadata->count++;
  metadata->bytes += user->size;
  metadata->late += is_late;
  g_clear_pointer (&metadata->last, g_bytes_unref);
  metadata->last = g_bytes_new (user->data, user->size);
}

void
stage_metadata_take_nal (StageMetadata *metadata, const guint8 *nal, gsize size,
    gboolean is_late)
{
  static const guint8 start_code[] = { 0, 0, 0, 1 };
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (GArray) messages = NULL;
  GstH264NalParser *parser;
  GstH264NalUnit unit;

  if (size == 0 || size > MAX_SEI)
    return;
  g_byte_array_append (stream, start_code, sizeof start_code);
  g_byte_array_append (stream, nal, (guint) size);
  parser = gst_h264_nal_parser_new ();
  if (gst_h264_parser_identify_nalu_unchecked (parser, stream->data, 0,
          stream->len, &unit) == GST_H264_PARSER_OK &&
      gst_h264_parser_parse_sei (parser, &unit, &messages) ==
          GST_H264_PARSER_OK)
    for (guint i = 0; i < messages->len; i++)
      take_message (metadata, &g_array_index (messages, GstH264SEIMessage, i),
          is_late);
  gst_h264_nal_parser_free (parser);
}

/* RFC 6184, 5.8 */
void
stage_metadata_take_fragment (StageMetadata *metadata, const guint8 *payload,
    gsize size, guint16 seq, gboolean is_late)
{
  guint8 header = (guint8) ((payload[0] & 0xe0) | (payload[1] & 0x1f));

  if (payload[1] & 0x80) {
    forget_parts (metadata);
    metadata->parts = g_byte_array_new ();
    g_byte_array_append (metadata->parts, &header, 1);
  } else if (metadata->parts == NULL || seq != metadata->next_seq ||
      metadata->parts->len > MAX_SEI) {
    forget_parts (metadata);
    return;
  }
  metadata->next_seq = (guint16) (seq + 1);
  g_byte_array_append (metadata->parts, payload + 2, (guint) size - 2);
  if (payload[1] & 0x40) {
    stage_metadata_take_nal (metadata, metadata->parts->data,
        metadata->parts->len, is_late);
    forget_parts (metadata);
  }
}

void
stage_metadata_write (StageMetadata *metadata, JsonBuilder *builder)
{
  g_autofree gchar *last = NULL;
  gsize size = 0;
  const guchar *data;

  json_builder_set_member_name (builder, "metadata");
  json_builder_begin_object (builder);
  stage_json_add_int (builder, "count", metadata->count);
  stage_json_add_int (builder, "bytes", metadata->bytes);
  stage_json_add_int (builder, "late", metadata->late);
  if (metadata->last != NULL) {
    data = g_bytes_get_data (metadata->last, &size);
    last = g_base64_encode (data, size);
    stage_json_add_string (builder, "last", last);
  }
  json_builder_end_object (builder);
}
