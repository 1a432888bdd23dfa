// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Many packets in one GstBuffer, as audio travels in buffers of many samples: one memory (the
// arena) and a meta with a descriptor for each packet.
//
// Whether batches may be sent is negotiated by the ALLOCATION query: an element that takes them
// lists GST_PACKET_BATCH_META_API_TYPE in its answer. Who gets no such answer sends a packet per
// buffer. The rules:
//
// - A writable buffer with this meta means: the packets that its descriptors name are ours to read
//   and write, but for an arena with GST_MEMORY_FLAG_READONLY: its packets are copied to be changed
//   (gst_packet_batch_copy()). Nothing else of the arena is ours.
// - Dropping and splitting move descriptors, never bytes. Buffers with disjoint descriptors may
//   share an arena; so it is always mapped for reading, and written through that map.
// - The size of the buffer is that of its packets, as queues, limits and statistics expect. The
//   arena reaches further: from the beginning of the memory over all of its `maxsize`, whatever
//   its `offset` and `size` are. Who changes descriptors ends with gst_packet_batch_update_size(),
//   who splits a batch begins with gst_packet_batch_new_part().
// - Arena memory carries GST_MEMORY_FLAG_NO_SHARE, so that two buffers never name the same packet.
//   A copy of the whole buffer has the packets in an arena of its own.
// - The meta describes the memory and is tagged so: it is not copied to other memory. A copy of a
//   part of the buffer is a part of an arena without descriptors. That is no packet: what was
//   copied out of our arenas is dropped by our elements and counted as unreadable.
// - Who takes batches may also propose a pool that makes them, with the option
//   GST_BUFFER_POOL_OPTION_PACKET_BATCH: its arenas lie where the packets have to go in the end.
// - The timestamp of a packet is the PTS of the buffer plus its delay.
#pragma once

#include <gst/gst.h>

#include "gst/packet/export.hpp"

G_BEGIN_DECLS

/// The most packets in one buffer.
#define GST_PACKET_BATCH_MAX 256

/// One packet of a batch, 16 bytes.
struct GstPacketDesc {
  guint32 offset;  ///< of its first byte, from the start of the arena
  guint32 length;  ///< bytes
  guint32 delay;   ///< nanoseconds from the PTS of the buffer to that of the packet
  guint32 token;   ///< belongs to whoever made the batch; kept with the packet
};

/// The packets of a buffer.
struct GstPacketBatchMeta {
  GstMeta meta;
  guint n;  ///< descriptors in use
  GstPacketDesc packets[GST_PACKET_BATCH_MAX];
};

/// The option of a GstBufferPool whose buffers are batches to be filled. The size in its
/// configuration is that of the longest packet, 1 or more; a pool that has no room for such packets
/// refuses it.
///
/// A batch from the pool has one or more packets without content: each descriptor names a place of
/// at least that size that is ours to write to, and its length is all that there is. The producer
/// writes a packet to the beginning of each, or somewhat behind it, stores offset and length of
/// what it wrote, and the number of packets in `n`. It keeps the tokens. Then it calls
/// gst_packet_batch_update_size(). Each batch may have another number of packets.
#define GST_BUFFER_POOL_OPTION_PACKET_BATCH "GstBufferPoolOptionPacketBatch"

#define GST_PACKET_BATCH_META_API_TYPE (gst_packet_batch_meta_api_get_type())

GSTPACKET_API GType gst_packet_batch_meta_api_get_type(void);
GSTPACKET_API const GstMetaInfo* gst_packet_batch_meta_get_info(void);

/// The meta of `buffer`, or NULL if it is one packet.
GSTPACKET_API GstPacketBatchMeta* gst_buffer_get_packet_batch_meta(GstBuffer* buffer);

/// Adds an empty meta to `buffer`, which must be writable and hold one memory, the arena.
GSTPACKET_API GstPacketBatchMeta* gst_buffer_add_packet_batch_meta(GstBuffer* buffer);

/// Whether the answer to an ALLOCATION query says that batches are welcome.
GSTPACKET_API gboolean gst_query_allows_packet_batches(GstQuery* allocation);

/// A pool of batches for packets of up to `size` bytes that the answer to an ALLOCATION query
/// proposes, configured but not active; see GST_BUFFER_POOL_OPTION_PACKET_BATCH. NULL if there is
/// none. The caller unrefs it.
GSTPACKET_API GstBufferPool* gst_query_find_packet_batch_pool(GstQuery* allocation, guint size);

/// The allocator of ordinary memory for arenas. It belongs to the library.
GSTPACKET_API GstAllocator* gst_packet_arena_allocator(void);

/// A batch with a fresh arena of `size` bytes from that allocator, and no packet in it. It says
/// that size until gst_packet_batch_update_size() is called. NULL without memory.
GSTPACKET_API GstBuffer* gst_packet_batch_new(gsize size);

/// A batch in the arena of `batch`, with its flags and time, and no packet in it yet: for some of
/// its packets, whose descriptors move there. Each has a size of its own.
GSTPACKET_API GstBuffer* gst_packet_batch_new_part(GstBuffer* batch);

/// Makes the size of `batch`, which must be writable, that of its packets. It stays as it is where
/// the memory is in other buffers too, or the batch is damaged.
GSTPACKET_API void gst_packet_batch_update_size(GstBuffer* batch);

/// A copy of `batch` whose arena holds nothing but the packets, with `head` bytes to spare before
/// and `tail` bytes behind each. One outside of its arena stays so. NULL if the whole batch is
/// damaged or there is no memory.
GSTPACKET_API GstBuffer* gst_packet_batch_copy(GstBuffer* batch, gsize head, gsize tail);

/// The packets of `batch` as a list of buffers that hold one each, copied. Takes the reference.
GSTPACKET_API GstBufferList* gst_packet_batch_unpack(GstBuffer* batch);

G_END_DECLS
