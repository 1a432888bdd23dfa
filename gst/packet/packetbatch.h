// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#ifndef GST_PACKET_BATCH_H
#define GST_PACKET_BATCH_H

#include <gst/gst.h>

#include "gst/packet/packet-prelude.h"

G_BEGIN_DECLS

/**
 * SECTION:packetbatch
 * @title: GstPacketBatchMeta
 * @short_description: Many packets in one buffer
 *
 * A batch is one #GstBuffer with up to %GST_PACKET_BATCH_MAX packets, as a buffer of audio holds
 * many samples: one #GstMemory (the arena) and a #GstPacketBatchMeta with a descriptor for each
 * packet.
 *
 * The ALLOCATION query negotiates whether batches may be sent: an element that takes them lists
 * %GST_PACKET_BATCH_META_API_TYPE in its answer; otherwise it gets one packet per buffer.
 *
 * The functions named `gst_packet_batch_..._packet()` read and change single packets. They check
 * everything, so they are safe with any index and any buffer: one that is no batch, or whose
 * descriptors are damaged. An element that handles many packets per second in C uses the meta and
 * the map of the arena instead, by these rules:
 *
 * - In a writable buffer with this meta, the packets that its descriptors name may be read and
 *   written, unless the arena has %GST_MEMORY_FLAG_READONLY: gst_packet_batch_make_writable()
 *   copies the packets then. Everything else in the arena belongs to others.
 * - Dropping and splitting move descriptors, never bytes. Buffers with disjoint descriptors may
 *   share an arena; therefore it is always mapped with %GST_MAP_READ, and written through that map.
 * - Descriptors count from the beginning of the arena, which is all `maxsize` bytes of the memory
 *   from its start, whatever `offset` and `size` of the memory are. The size of the buffer is that
 *   of its packets, as queues, limits and statistics expect: call gst_packet_batch_update_size()
 *   after changing descriptors, and begin a split with gst_packet_batch_new_part().
 * - Arena memory carries %GST_MEMORY_FLAG_NO_SHARE, so that two buffers never name the same packet.
 *   A copy of the whole buffer has the packets in an arena of its own.
 * - The meta is tagged as describing the memory, and is not copied to other memory. A copy of
 *   a part of the buffer is a part of an arena without descriptors, which is no packet.
 * - A packet may lie in memory that another process can write to. Read each byte once, and decide
 *   on the copy.
 *
 * Since: 0.2
 */

/**
 * GST_PACKET_BATCH_MAX:
 *
 * The most packets in one buffer.
 *
 * Since: 0.2
 */
#define GST_PACKET_BATCH_MAX 256

/**
 * GST_BUFFER_POOL_OPTION_PACKET_BATCH:
 *
 * The option of a #GstBufferPool whose buffers are batches to be filled. The size in its
 * configuration is that of the longest packet, 1 or more; a pool that has no room for such packets
 * refuses it.
 *
 * A batch from the pool has one or more packets without content: each descriptor names a place of
 * at least that size that may be written to, and its length is all that there is. The producer
 * writes a packet to the beginning of each, or somewhat behind it, stores offset and length of
 * what it wrote, and the number of packets in `n`. It keeps the tokens, and then calls
 * gst_packet_batch_update_size(). The number of packets may differ from batch to batch.
 *
 * Since: 0.2
 */
#define GST_BUFFER_POOL_OPTION_PACKET_BATCH "GstBufferPoolOptionPacketBatch"

typedef struct _GstPacketDesc GstPacketDesc;
typedef struct _GstPacketBatchMeta GstPacketBatchMeta;
typedef struct _GstPacketMapInfo GstPacketMapInfo;

/**
 * GstPacketDesc:
 * @offset: of the first byte, from the start of the arena
 * @length: in bytes
 * @delay: nanoseconds from the PTS of the buffer to that of the packet
 * @token: belongs to the maker of the batch; kept with the packet
 *
 * One packet of a batch, 16 bytes.
 *
 * Since: 0.2
 */
struct _GstPacketDesc {
  guint32 offset;
  guint32 length;
  guint32 delay;
  guint32 token;
};

/**
 * GstPacketBatchMeta:
 * @meta: parent #GstMeta
 * @n: number of descriptors in use
 * @packets: (array fixed-size=256): the descriptors
 *
 * The packets of a buffer.
 *
 * Since: 0.2
 */
struct _GstPacketBatchMeta {
  GstMeta meta;
  guint n;
  GstPacketDesc packets[GST_PACKET_BATCH_MAX];
};

/**
 * GstPacketMapInfo:
 * @data: (array length=size): the bytes of the packet
 * @size: how many there are
 *
 * A packet that gst_packet_batch_map_packet() has mapped.
 *
 * Since: 0.2
 */
struct _GstPacketMapInfo {
  guint8* data;
  gsize size;

  /*< private >*/
  GstBuffer* batch;
  GstMapInfo arena;
};

/**
 * GST_PACKET_BATCH_META_API_TYPE:
 *
 * What an element lists in its answer to an ALLOCATION query if it takes batches.
 *
 * Since: 0.2
 */
#define GST_PACKET_BATCH_META_API_TYPE (gst_packet_batch_meta_api_get_type())
/**
 * GST_PACKET_BATCH_META_INFO:
 *
 * The #GstMetaInfo of #GstPacketBatchMeta.
 *
 * Since: 0.2
 */
#define GST_PACKET_BATCH_META_INFO (gst_packet_batch_meta_get_info())

GST_PACKET_API
GType gst_packet_batch_meta_api_get_type(void);

/**
 * gst_packet_batch_meta_get_info:
 *
 * Returns: (transfer none): the #GstMetaInfo of #GstPacketBatchMeta
 *
 * Since: 0.2
 */
GST_PACKET_API
const GstMetaInfo* gst_packet_batch_meta_get_info(void);

/**
 * gst_buffer_get_packet_batch_meta:
 * @buffer: a #GstBuffer
 *
 * Nothing in the meta is checked: see gst_packet_batch_is_valid().
 *
 * Returns: (transfer none) (nullable): the meta of @buffer, or %NULL if it is one packet
 *
 * Since: 0.2
 */
GST_PACKET_API
GstPacketBatchMeta* gst_buffer_get_packet_batch_meta(GstBuffer* buffer);

/**
 * gst_buffer_add_packet_batch_meta:
 * @buffer: (transfer none): a writable #GstBuffer with one memory, the arena
 *
 * Adds a meta without packets to @buffer.
 *
 * Returns: (transfer none): the meta
 *
 * Since: 0.2
 */
GST_PACKET_API
GstPacketBatchMeta* gst_buffer_add_packet_batch_meta(GstBuffer* buffer);

/* ---- negotiation ---- */

/**
 * gst_query_allows_packet_batches:
 * @query: the answer to an ALLOCATION query
 *
 * Returns: whether @query says that batches may be sent
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_query_allows_packet_batches(GstQuery* query);

/**
 * gst_query_find_packet_batch_pool:
 * @query: the answer to an ALLOCATION query
 * @size: of the longest packet, in bytes
 *
 * Finds a proposed pool with %GST_BUFFER_POOL_OPTION_PACKET_BATCH and configures it, but does not
 * activate it.
 *
 * Returns: (transfer full) (nullable): the pool, or %NULL if there is none
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBufferPool* gst_query_find_packet_batch_pool(GstQuery* query, guint size);

/**
 * gst_pad_accept_packet_batches:
 * @pad: the sink pad of an element that does not know batches itself, such as an appsink
 *
 * Answers the ALLOCATION queries that @pad gets in place of its element, and says that batches may
 * be sent. Call it before caps are negotiated. To undo, call gst_pad_remove_probe().
 *
 * Returns: the id of the pad probe that does it, or 0 if @pad is no sink pad
 *
 * Since: 0.2
 */
GST_PACKET_API
gulong gst_pad_accept_packet_batches(GstPad* pad);

/**
 * gst_pad_probe_info_set_packet_batch:
 * @info: what a pad probe got, of type %GST_PAD_PROBE_TYPE_BUFFER
 * @batch: (transfer none): the buffer that is to travel on
 *
 * Puts @batch in place of the buffer that triggered a pad probe. In languages whose wrappers hold
 * a reference of their own, that buffer is never writable: change a copy, and pass it on with this
 * function.
 *
 * Returns: %FALSE, and nothing changed, if @info holds no buffer
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_pad_probe_info_set_packet_batch(GstPadProbeInfo* info, GstBuffer* batch);

/* ---- whole batches ---- */

/**
 * gst_packet_arena_allocator:
 *
 * Returns: (transfer none): the allocator of ordinary memory for arenas, which belongs to the
 *     library
 *
 * Since: 0.2
 */
GST_PACKET_API
GstAllocator* gst_packet_arena_allocator(void);

/**
 * gst_is_packet_arena_memory:
 * @memory: (transfer none): a #GstMemory
 *
 * In a buffer that is no batch such memory holds no packet.
 *
 * Returns: whether @memory is from gst_packet_arena_allocator()
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_is_packet_arena_memory(const GstMemory* memory);

/**
 * gst_packet_batch_new:
 * @size: of the arena, in bytes
 *
 * Makes a batch without packets, in an arena from gst_packet_arena_allocator(). Its size is that of
 * the arena until packets are appended or gst_packet_batch_update_size() is called.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL if there is no memory
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBuffer* gst_packet_batch_new(gsize size);

/**
 * gst_packet_batch_new_from_packets:
 * @packets: (element-type GLib.Bytes) (transfer none): up to %GST_PACKET_BATCH_MAX packets
 *
 * Makes a batch with copies of @packets.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL if there are too many packets or there
 *     is no memory
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBuffer* gst_packet_batch_new_from_packets(const GPtrArray* packets);

/**
 * gst_packet_batch_new_part:
 * @batch: (transfer none): a batch
 *
 * Makes a batch in the arena of @batch, with its flags and time, and without packets: for some of
 * its packets, whose descriptors are moved there. Each of the two has a size of its own.
 *
 * Returns: (transfer full) (nullable): the batch, or %NULL if @batch is none
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBuffer* gst_packet_batch_new_part(GstBuffer* batch);

/**
 * gst_packet_batch_peek_arena:
 * @batch: a batch
 *
 * The memory of a batch may be a view of an arena that other batches share. This is the arena
 * itself, by whose allocator an element knows memory of its own.
 *
 * Returns: (transfer none) (nullable): the arena, or %NULL if @batch has not exactly one memory
 *
 * Since: 0.2
 */
GST_PACKET_API
GstMemory* gst_packet_batch_peek_arena(GstBuffer* batch);

/**
 * gst_packet_batch_update_size:
 * @batch: a writable batch
 *
 * Makes the size of @batch that of its packets. Nothing happens where the memory is in other
 * buffers too, or the batch is damaged.
 *
 * Since: 0.2
 */
GST_PACKET_API
void gst_packet_batch_update_size(GstBuffer* batch);

/**
 * gst_packet_batch_is_valid:
 * @buffer: a #GstBuffer
 *
 * Returns: whether @buffer is a batch that can be read: it has one memory, no more packets than
 *     %GST_PACKET_BATCH_MAX, and each lies within the arena
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_is_valid(GstBuffer* buffer);

/**
 * gst_packet_batch_copy:
 * @batch: (transfer none): a batch
 * @head: bytes to spare before each packet
 * @tail: bytes to spare behind each packet
 *
 * Makes a copy whose arena holds nothing but the packets and the room around them. The copy of a
 * packet that lies outside of its arena does so, too.
 *
 * Returns: (transfer full) (nullable): the copy, or %NULL if @batch is no batch, is damaged as a
 *     whole, or there is no memory
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBuffer* gst_packet_batch_copy(GstBuffer* batch, gsize head, gsize tail);

/**
 * gst_packet_batch_make_writable:
 * @batch: (transfer full): a batch
 *
 * Returns: (transfer full) (nullable): @batch if its packets may be changed, otherwise a copy;
 *     %NULL if @batch is no batch, is damaged as a whole, or there is no memory
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBuffer* gst_packet_batch_make_writable(GstBuffer* batch);

/**
 * gst_packet_batch_unpack:
 * @batch: (transfer full): a batch
 *
 * Copies the packets to buffers that hold one each. Damaged ones are left out.
 *
 * Returns: (transfer full): the list of these buffers
 *
 * Since: 0.2
 */
GST_PACKET_API
GstBufferList* gst_packet_batch_unpack(GstBuffer* batch);

/* ---- single packets ---- */

/**
 * gst_packet_batch_get_n_packets:
 * @batch: a batch
 *
 * Returns: the number of packets, damaged ones included; 0 if @batch is no batch or is damaged as
 *     a whole
 *
 * Since: 0.2
 */
GST_PACKET_API
guint gst_packet_batch_get_n_packets(GstBuffer* batch);

/**
 * gst_packet_batch_get_packet:
 * @batch: a batch
 * @index: of the packet
 *
 * Returns: (transfer full) (nullable): a copy of the packet; %NULL if there is no such packet, or
 * it lies outside of the arena
 *
 * Since: 0.2
 */
GST_PACKET_API
GBytes* gst_packet_batch_get_packet(GstBuffer* batch, guint index);

/**
 * gst_packet_batch_get_packet_pts:
 * @batch: a batch
 * @index: of the packet
 *
 * Returns: the time of the packet in nanoseconds, or %GST_CLOCK_TIME_NONE if it has none or there
 * is no such packet
 *
 * Since: 0.2
 */
GST_PACKET_API
GstClockTime gst_packet_batch_get_packet_pts(GstBuffer* batch, guint index);

/**
 * gst_packet_batch_set_packet_pts:
 * @batch: a writable batch with a PTS
 * @index: of the packet
 * @pts: up to 4.29 seconds behind the PTS of @batch, in nanoseconds
 *
 * Returns: %FALSE, and nothing changed, if @batch is not writable or has no time, there is no such
 *     packet, or @pts is out of range
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_set_packet_pts(GstBuffer* batch, guint index, GstClockTime pts);

/**
 * gst_packet_batch_map_packet:
 * @batch: a batch
 * @index: of the packet
 * @info: (out caller-allocates): where the packet lies
 * @flags: %GST_MAP_READ, %GST_MAP_WRITE or both
 *
 * Gives access to the packet in place. Until gst_packet_batch_unmap_packet() @info holds a
 * reference to @batch, which is not writable for others meanwhile.
 *
 * Returns: %FALSE if there is no such packet, it lies outside of the arena, or @flags ask for
 *     writing and it may not be written to
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_map_packet(GstBuffer* batch, guint index, GstPacketMapInfo* info,
                                     GstMapFlags flags);

/**
 * gst_packet_batch_unmap_packet:
 * @info: a packet that gst_packet_batch_map_packet() mapped
 *
 * Since: 0.2
 */
GST_PACKET_API
void gst_packet_batch_unmap_packet(GstPacketMapInfo* info);

/**
 * gst_packet_batch_append_packet:
 * @batch: a writable batch
 * @data: (array length=size) (nullable): the bytes
 * @size: how many
 *
 * Appends a copy of @data as a packet of its own. If there is no room in the arena, or it belongs
 * to others as well, the packets move to a new one.
 *
 * Returns: %FALSE, and nothing changed, if @batch is not writable, is full or damaged as a whole,
 * or there is no memory
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_append_packet(GstBuffer* batch, const guint8* data, gsize size);

/**
 * gst_packet_batch_replace_packet:
 * @batch: a writable batch
 * @index: of the packet
 * @data: (array length=size) (nullable): the new bytes
 * @size: how many
 *
 * Puts a copy of @data, which may be longer, in place of the packet, damaged or not.
 *
 * Returns: %FALSE, and nothing changed, if @batch may not be changed, there is no such packet, or
 *     there is no memory
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_replace_packet(GstBuffer* batch, guint index, const guint8* data,
                                         gsize size);

/**
 * gst_packet_batch_write_packet:
 * @batch: a writable batch
 * @index: of the packet
 * @offset: within the packet
 * @data: (array length=size) (nullable): the bytes
 * @size: how many
 *
 * Overwrites bytes of the packet.
 *
 * Returns: %FALSE, and nothing changed, if @batch may not be changed, there is no such packet, it
 *     lies outside of the arena, or it is shorter
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_write_packet(GstBuffer* batch, guint index, gsize offset,
                                       const guint8* data, gsize size);

/**
 * gst_packet_batch_truncate_packet:
 * @batch: a writable batch
 * @index: of the packet
 * @size: what is left of it, in bytes
 *
 * Keeps the first @size bytes of the packet.
 *
 * Returns: %FALSE, and nothing changed, if @batch is not writable, there is no such packet, it lies
 *     outside of the arena, or it is shorter
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_truncate_packet(GstBuffer* batch, guint index, gsize size);

/**
 * gst_packet_batch_remove_packet:
 * @batch: a writable batch
 * @index: of the packet
 *
 * Takes the packet out of the batch; those behind it move up by one.
 *
 * Returns: %FALSE, and nothing changed, if @batch is not writable or there is no such packet
 *
 * Since: 0.2
 */
GST_PACKET_API
gboolean gst_packet_batch_remove_packet(GstBuffer* batch, guint index);

G_END_DECLS

#endif /* GST_PACKET_BATCH_H */
