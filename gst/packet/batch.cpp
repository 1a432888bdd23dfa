// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/batch.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "gst/packet/arena.hpp"
#include "gst/packet/copy_pool.hpp"

using gstpacket::BatchMap;
using gstpacket::lies_within;
using gstpacket::set_packet_bytes;
using gstpacket::detail::copy_flags_and_time;

namespace {

gboolean init_meta(GstMeta* meta, gpointer, GstBuffer*) {
  reinterpret_cast<GstPacketBatchMeta*>(meta)->n = 0;
  return TRUE;
}

/** A packet outside of any arena: what stands in a copy for one that is damaged. */
constexpr GstPacketDesc kOutside{G_MAXUINT32, G_MAXUINT32, 0, 0};

/** Whether the memory of `to` is a copy of the whole arena of `from`. */
bool has_whole_arena(GstBuffer* to, GstBuffer* from) {
  if (gst_buffer_n_memory(to) != 1 || gst_buffer_n_memory(from) != 1) return false;
  const GstMemory* copy = gst_buffer_peek_memory(to, 0);
  return gst_is_packet_arena_memory(copy) &&
         copy->maxsize == gst_buffer_peek_memory(from, 0)->maxsize;
}

// Our own arenas are copied whole. Of other memory the beginning was copied, as much as the packets
// have, but not where they lie: they are copied again, each from its place.
gboolean transform_meta(GstBuffer* to, GstMeta* meta, GstBuffer* buffer, GQuark type,
                        gpointer data) {
  if (!GST_META_TRANSFORM_IS_COPY(type)) return FALSE;
  if (static_cast<GstMetaTransformCopy*>(data)->region) return FALSE;
  if (gst_buffer_n_memory(to) > 1) return FALSE;
  const auto* from = reinterpret_cast<GstPacketBatchMeta*>(meta);
  GstPacketBatchMeta* copy = gst_buffer_add_packet_batch_meta(to);
  if (copy == nullptr) return FALSE;
  GstBuffer* own = has_whole_arena(to, buffer) ? nullptr : gst_packet_batch_copy(buffer, 0, 0);
  if (own != nullptr) {
    const GstPacketBatchMeta* moved = gst_buffer_get_packet_batch_meta(own);
    copy->n = moved->n;
    std::memcpy(copy->packets, moved->packets, moved->n * sizeof(GstPacketDesc));
    gst_buffer_replace_all_memory(to, gst_buffer_get_memory(own, 0));
    gst_buffer_unref(own);
    return TRUE;
  }
  copy->n = from->n;  // a damaged batch has a damaged copy
  const std::size_t packets = std::min<std::size_t>(from->n, GST_PACKET_BATCH_MAX);
  std::memcpy(copy->packets, from->packets, packets * sizeof(GstPacketDesc));
  return TRUE;
}

bool configure_for_batches(GstBufferPool* pool, GstCaps* caps, guint size, guint min, guint max) {
  if (gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_PACKET_BATCH) == FALSE) return false;
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, min, max);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_PACKET_BATCH);
  return gst_buffer_pool_set_config(pool, config) != FALSE;
}

gsize size_of_copy(const BatchMap& from, gsize around) {
  gsize size = 0;
  for (const GstPacketDesc& desc : std::span(from.meta().packets, from.meta().n)) {
    if (from.bytes(desc) != nullptr) size += desc.length + around;
  }
  return size;
}

bool fill_copy(const BatchMap& from, GstBuffer* copy, guint32 head, guint32 tail) {
  const BatchMap to(copy);
  if (!to) return false;
  // In locals: the packets are written over memory that could be a map's.
  const GstPacketDesc* const packets = from.meta().packets;
  const guint n = from.meta().n;
  const std::byte* const arena = from.data();
  const gsize arena_size = from.size();
  GstPacketDesc* const copies = to.meta().packets;
  std::byte* const start = to.data();
  guint32 offset = head;
  std::uint64_t bytes = 0;
  for (guint i = 0; i < n; ++i) {
    // What another core has just written is in no cache of this one.
    constexpr guint kAhead = 8;
    if (i + kAhead < n) __builtin_prefetch(arena + packets[i + kAhead].offset);
    const GstPacketDesc desc = packets[i];
    if (!lies_within(desc, arena_size)) {
      copies[i] = kOutside;
      continue;
    }
    if (desc.length != 0) std::memcpy(start + offset, arena + desc.offset, desc.length);
    copies[i] = {offset, desc.length, desc.delay, 0};
    offset += desc.length + tail + head;
    bytes += desc.length;
  }
  to.meta().n = n;
  set_packet_bytes(to.arena(), bytes);
  return true;
}

/**
 * When packets were recorded goes where they go. As the PTS of a batch it is the time of its first
 * packet, `delay` nanoseconds before that of the packet in `to`.
 */
void copy_reference_time(GstBuffer* to, const GstReferenceTimestampMeta* time, guint32 delay) {
  if (time == nullptr) return;
  gst_buffer_add_reference_timestamp_meta(to, time->reference, time->timestamp + delay,
                                          time->duration);
}

}  // namespace

void gstpacket::detail::copy_flags_and_time(GstBuffer* to, GstBuffer* from) {
  // As gst_buffer_copy_into(), which takes longer than a packet does.
  constexpr guint kOfTheMemory = GST_BUFFER_FLAG_TAG_MEMORY;
  GST_BUFFER_FLAGS(to) =
      (GST_BUFFER_FLAGS(from) & ~kOfTheMemory) | (GST_BUFFER_FLAGS(to) & kOfTheMemory);
  GST_BUFFER_PTS(to) = GST_BUFFER_PTS(from);
  GST_BUFFER_DTS(to) = GST_BUFFER_DTS(from);
  GST_BUFFER_DURATION(to) = GST_BUFFER_DURATION(from);
  GST_BUFFER_OFFSET(to) = GST_BUFFER_OFFSET(from);
  GST_BUFFER_OFFSET_END(to) = GST_BUFFER_OFFSET_END(from);
  copy_reference_time(to, gst_buffer_get_reference_timestamp_meta(from, nullptr), 0);
}

GstBuffer* gstpacket::detail::copy_packets(const BatchMap& from, gsize head, gsize tail,
                                           gsize spare, CopyPool* pool) {
  // Each alone, so that their sum does not wrap.
  if (std::max({head, tail, spare}) > G_MAXUINT32) return nullptr;
  const gsize size = size_of_copy(from, head + tail) + spare;
  if (size > G_MAXUINT32) return nullptr;
  GstBuffer* copy = pool != nullptr ? pool->take(size) : gst_packet_batch_new(size);
  if (copy == nullptr) return nullptr;
  if (!fill_copy(from, copy, static_cast<guint32>(head), static_cast<guint32>(tail))) {
    gst_clear_buffer(&copy);
  }
  return copy;
}

GstBuffer* gstpacket::detail::copy_batch(GstBuffer* batch, CopyPool& pool) {
  const BatchMap from(batch);
  if (!from) return nullptr;
  GstBuffer* copy = copy_packets(from, 0, 0, 0, &pool);
  if (copy != nullptr) copy_flags_and_time(copy, batch);
  return copy;
}

GType gst_packet_batch_meta_api_get_type(void) {
  // Other memory has other packets: base classes must not copy the meta to it.
  static const gchar* kTags[] = {GST_META_TAG_MEMORY_STR, nullptr};
  static const GType type = gst_meta_api_type_register("GstPacketBatchMetaAPI", kTags);
  return type;
}

const GstMetaInfo* gst_packet_batch_meta_get_info(void) {
  static const GstMetaInfo* const info =
      gst_meta_register(GST_PACKET_BATCH_META_API_TYPE, "GstPacketBatchMeta",
                        sizeof(GstPacketBatchMeta), init_meta, nullptr, transform_meta);
  return info;
}

GstPacketBatchMeta* gst_buffer_get_packet_batch_meta(GstBuffer* buffer) {
  return reinterpret_cast<GstPacketBatchMeta*>(
      gst_buffer_get_meta(buffer, GST_PACKET_BATCH_META_API_TYPE));
}

GstPacketBatchMeta* gst_buffer_add_packet_batch_meta(GstBuffer* buffer) {
  return reinterpret_cast<GstPacketBatchMeta*>(
      gst_buffer_add_meta(buffer, gst_packet_batch_meta_get_info(), nullptr));
}

gboolean gst_query_allows_packet_batches(GstQuery* allocation) {
  return gst_query_find_allocation_meta(allocation, GST_PACKET_BATCH_META_API_TYPE, nullptr);
}

GstBufferPool* gst_query_find_packet_batch_pool(GstQuery* allocation, guint size) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(allocation, &caps, nullptr);
  const guint pools = gst_query_get_n_allocation_pools(allocation);
  for (guint i = 0; i < pools; ++i) {
    GstBufferPool* pool = nullptr;
    guint min = 0;
    guint max = 0;
    gst_query_parse_nth_allocation_pool(allocation, i, &pool, nullptr, &min, &max);
    if (pool != nullptr && configure_for_batches(pool, caps, size, min, max)) return pool;
    gst_clear_object(&pool);
  }
  return nullptr;
}

GstBuffer* gst_packet_batch_new(gsize size) {
  GstMemory* arena = gst_allocator_alloc(gst_packet_arena_allocator(), size, nullptr);
  if (arena == nullptr) return nullptr;
  GstBuffer* batch = gst_buffer_new();
  gst_buffer_append_memory(batch, arena);
  gst_buffer_add_packet_batch_meta(batch);
  return batch;
}

GstBuffer* gst_packet_batch_new_part(GstBuffer* batch) {
  if (gst_buffer_n_memory(batch) != 1) return nullptr;
  GstBuffer* part = gst_buffer_new();
  copy_flags_and_time(part, batch);
  GstMemory* view = gstpacket::detail::new_view(gst_buffer_peek_memory(batch, 0));
  // Without one, which does not happen where the packets could be read, it has the size of all.
  gst_buffer_append_memory(part, view != nullptr ? view : gst_buffer_get_memory(batch, 0));
  gst_buffer_add_packet_batch_meta(part);
  return part;
}

GstMemory* gst_packet_batch_peek_arena(GstBuffer* batch) {
  if (gst_buffer_n_memory(batch) != 1) return nullptr;
  return gstpacket::detail::whole_arena(gst_buffer_peek_memory(batch, 0));
}

void gst_packet_batch_update_size(GstBuffer* batch) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  if (meta == nullptr || meta->n > GST_PACKET_BATCH_MAX || gst_buffer_n_memory(batch) != 1) return;
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  const gsize arena_size = arena->maxsize;
  std::uint64_t bytes = 0;
  for (guint i = 0; i < meta->n; ++i) {
    const GstPacketDesc& desc = meta->packets[i];
    bytes += lies_within(desc, arena_size) ? desc.length : 0;
  }
  set_packet_bytes(arena, bytes);
}

gboolean gst_packet_batch_is_valid(GstBuffer* buffer) {
  const BatchMap map(buffer);
  if (!map) return FALSE;
  return std::ranges::all_of(
      std::span(map.meta().packets, map.meta().n),
      [&map](const GstPacketDesc& desc) { return lies_within(desc, map.size()); });
}

GstBuffer* gst_packet_batch_copy(GstBuffer* batch, gsize head, gsize tail) {
  const BatchMap from(batch);
  if (!from) return nullptr;
  GstBuffer* copy = gstpacket::detail::copy_packets(from, head, tail, 0);
  if (copy != nullptr) copy_flags_and_time(copy, batch);
  return copy;
}

GstBuffer* gst_packet_batch_make_writable(GstBuffer* batch) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  const bool whole =
      meta != nullptr && meta->n <= GST_PACKET_BATCH_MAX && gst_buffer_n_memory(batch) == 1;
  if (whole && gst_buffer_is_writable(batch) &&
      !GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(batch, 0))) {
    return batch;
  }
  GstBuffer* copy = whole ? gst_packet_batch_copy(batch, 0, 0) : nullptr;
  gst_buffer_unref(batch);
  return copy;
}

GstBufferList* gst_packet_batch_unpack(GstBuffer* batch) {
  GstBufferList* list = gst_buffer_list_new();
  {
    const BatchMap from(batch);
    const GstReferenceTimestampMeta* time = gst_buffer_get_reference_timestamp_meta(batch, nullptr);
    for (guint i = 0; from && i < from.meta().n; ++i) {
      const GstPacketDesc& desc = from.meta().packets[i];
      const std::byte* bytes = from.bytes(desc);
      if (bytes == nullptr) continue;
      GstBuffer* buffer = gst_buffer_new_allocate(nullptr, desc.length, nullptr);
      if (buffer == nullptr) break;
      gst_buffer_fill(buffer, 0, bytes, desc.length);
      if (GST_BUFFER_PTS_IS_VALID(batch))
        GST_BUFFER_PTS(buffer) = GST_BUFFER_PTS(batch) + desc.delay;
      copy_reference_time(buffer, time, desc.delay);
      gst_buffer_list_add(list, buffer);
    }
  }
  gst_buffer_unref(batch);
  return list;
}

gboolean gst_pad_probe_info_set_packet_batch(GstPadProbeInfo* info, GstBuffer* batch) {
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) == 0 || info->data == nullptr) return FALSE;
  GstBuffer* before = GST_PAD_PROBE_INFO_BUFFER(info);
  info->data = gst_buffer_ref(batch);
  gst_buffer_unref(before);
  return TRUE;
}

gulong gst_pad_accept_packet_batches(GstPad* pad) {
  if (!GST_PAD_IS_SINK(pad)) return 0;
  constexpr auto kQueries =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH);
  return gst_pad_add_probe(
      pad, kQueries,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
        if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return GST_PAD_PROBE_OK;
        if (!gst_query_allows_packet_batches(query)) {
          gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
        }
        // Not passed on: base classes refuse what they have nothing to propose for.
        return GST_PAD_PROBE_HANDLED;
      },
      nullptr, nullptr);
}
