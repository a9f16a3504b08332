/* SPDX-FileCopyrightText: 2026 The ivsstagesink authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a local stage kept of a participant (its option --record), decoded.
 */
#pragma once

#include "publish-fixture.h"

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *packets; /* GstBuffer, stamped by their RTP timestamps */
  guint32 first;      /* RTP timestamp of the first */
  guint16 last;       /* sequence number of the last */
} Recording;

/* The packets of the participant's "video" or "audio", each once. @folder: that of the
 * stage; @rate: of the RTP timestamps. */
void recording_read (Recording *recording, PublishFixture *publish,
    const gchar *folder, const gchar *media, guint rate);
void recording_clear (Recording *recording);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recording, recording_clear)

/* (transfer full) (element-type GstSample): I420, or S16LE at 48 kHz with one channel.
 * That a decoder errs fails the test. */
GPtrArray *recording_decode_video (const Recording *recording);
GPtrArray *recording_decode_audio (const Recording *recording);

/* The same of any buffers: @description goes from "appsrc name=in" to "appsink
 * name=out". */
GPtrArray *
recording_decode (const GPtrArray *buffers, const gchar *description);

/* With all that is in it. */
void recording_remove (const gchar *folder);

G_END_DECLS
