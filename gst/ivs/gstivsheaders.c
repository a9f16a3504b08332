/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Memory for the headers that packets leave with, used again and again.
 *
 * To allocate one and to free it were the two dearest things that happened to a packet
 * on its way through a gate.
 */
#include "gstivsheaders.h"
#include <string.h>

/* What is freed at once, mostly: the packets of a picture. */
#define MAX_SPARE 64

typedef struct
{
  GstMemory memory;
  guint8 data[GST_IVS_HEADERS_SIZE];
} Header;

struct _GstIvsHeaders
{
  GstAllocator parent;

  GMutex lock; /* protects: */
  Header *spare[MAX_SPARE];
  guint n_spare;
};

G_DEFINE_TYPE (GstIvsHeaders, gst_ivs_headers, GST_TYPE_ALLOCATOR)

static Header *
take_spare (GstIvsHeaders *self)
{
  Header *header = NULL;

  g_mutex_lock (&self->lock);
  if (self->n_spare > 0)
    header = self->spare[--self->n_spare];
  g_mutex_unlock (&self->lock);
  return header;
}

GstMemory *
gst_ivs_headers_take (GstIvsHeaders *self, gsize size, guint8 **data)
{
  Header *header = take_spare (self);

  g_assert (size <= GST_IVS_HEADERS_SIZE);
  if (header == NULL)
    header = g_new (Header, 1);
  /* A part of it would keep all of it, and its allocator: it is copied. */
  gst_memory_init (&header->memory, GST_MEMORY_FLAG_NO_SHARE,
      GST_ALLOCATOR_CAST (self), NULL, GST_IVS_HEADERS_SIZE, 0, 0, size);
  *data = header->data;
  return &header->memory;
}

guint8 *
gst_ivs_headers_peek (GstMemory *memory, gsize size)
{
  if (!GST_IS_IVS_HEADERS (memory->allocator) || memory->size < size)
    return NULL;
  return ((Header *) memory)->data + memory->offset;
}

static void
gst_ivs_headers_free (GstAllocator *allocator, GstMemory *memory)
{
  GstIvsHeaders *self = (GstIvsHeaders *) allocator;
  Header *header = (Header *) memory;

  g_mutex_lock (&self->lock);
  if (self->n_spare < MAX_SPARE)
    self->spare[self->n_spare++] = g_steal_pointer (&header);
  g_mutex_unlock (&self->lock);
  g_free (header);
}

static gpointer
memory_mapped (GstMemory *memory, gsize max_size, GstMapFlags flags)
{
  return ((Header *) memory)->data;
}

static void
memory_unmapped (GstMemory *memory)
{
}

/* A packet that is sent again begins with a copy. */
static GstMemory *
memory_copied (GstMemory *memory, gssize offset, gssize size)
{
  gsize begin = MIN ((gsize) offset, memory->size);
  gsize rest = memory->size - begin;
  gsize length = size >= 0 ? MIN ((gsize) size, rest) : rest;
  guint8 *data;
  GstMemory *copy =
      gst_ivs_headers_take ((GstIvsHeaders *) memory->allocator, length, &data);

  memcpy (data, ((Header *) memory)->data + memory->offset + begin, length);
  return copy;
}

static void
gst_ivs_headers_finalize (GObject *object)
{
  GstIvsHeaders *self = GST_IVS_HEADERS (object);

  while (self->n_spare > 0)
    g_free (self->spare[--self->n_spare]);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_ivs_headers_parent_class)->finalize (object);
}

static void
gst_ivs_headers_class_init (GstIvsHeadersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ivs_headers_finalize;
  GST_ALLOCATOR_CLASS (klass)->free = gst_ivs_headers_free;
}

static void
gst_ivs_headers_init (GstIvsHeaders *self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = "IvsHeader";
  allocator->mem_map = memory_mapped;
  allocator->mem_unmap = memory_unmapped;
  allocator->mem_copy = memory_copied;
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
  g_mutex_init (&self->lock);
}

GstIvsHeaders *
gst_ivs_headers_new (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_IVS_HEADERS, NULL));
}
