// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Single packets of a batch, for programs in C and Python: every index and descriptor is checked.
 */
#include <algorithm>
#include <cstring>
#include <span>

#include "gst/packet/arena.hpp"
#include "gst/packet/batch.hpp"

using gstpacket::BatchMap;
using gstpacket::lies_within;

namespace {

/** The descriptor of a packet; null if there is none. */
GstPacketDesc* find(GstBuffer* batch, guint index) {
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  if (meta == nullptr || meta->n > GST_PACKET_BATCH_MAX || index >= meta->n) return nullptr;
  return gst_buffer_n_memory(batch) == 1 ? &meta->packets[index] : nullptr;
}

/** The descriptor of a packet that may be moved and cut; null if there is none. */
GstPacketDesc* find_writable(GstBuffer* batch, guint index) {
  return gst_buffer_is_writable(batch) ? find(batch, index) : nullptr;
}

/** Whether the bytes of its packets may be written to, too. */
bool has_writable_bytes(GstBuffer* batch) {
  return gst_buffer_is_writable(batch) && gst_buffer_n_memory(batch) == 1 &&
         !GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(batch, 0));
}

/**
 * Whether all of the arena is the batch's own, not only the places of its packets: that is known
 * of our own arenas that no other batch, and no view, refers to.
 */
bool owns_arena(GstBuffer* batch) {
  GstMemory* memory = gst_buffer_peek_memory(batch, 0);
  return gst_is_packet_arena_memory(memory) && has_writable_bytes(batch) &&
         GST_MINI_OBJECT_REFCOUNT_VALUE(memory) == 1;
}

/** Where the last packet ends. */
gsize end_of_packets(const BatchMap& map) {
  gsize end = 0;
  for (guint i = 0; i < map.meta().n; ++i) {
    const GstPacketDesc& desc = map.meta().packets[i];
    if (lies_within(desc, map.size())) end = std::max(end, gsize{desc.offset} + desc.length);
  }
  return end;
}

/**
 * Moves the packets to an arena with `spare` bytes behind them. Their places in it are all that
 * changes in the descriptors.
 */
bool move_packets(GstBuffer* batch, gsize spare) {
  GstBuffer* moved = nullptr;
  {
    const BatchMap map(batch);
    if (map) moved = gstpacket::detail::copy_packets(map, 0, 0, spare);
  }
  if (moved == nullptr) return false;
  GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(batch);
  const GstPacketBatchMeta* from = gst_buffer_get_packet_batch_meta(moved);
  std::memcpy(to->packets, from->packets, from->n * sizeof(GstPacketDesc));
  // Taken out of the other buffer, so that it is in one only.
  GstMemory* arena = gst_buffer_get_memory(moved, 0);
  gst_buffer_unref(moved);
  gst_buffer_replace_all_memory(batch, arena);
  return true;
}

/** Makes room for `size` bytes behind all packets; returns where, or G_MAXSIZE. */
gsize make_place(GstBuffer* batch, gsize size) {
  constexpr gsize kNowhere = G_MAXSIZE;
  if (size > G_MAXUINT32) return kNowhere;
  for (const bool moved : {false, true}) {
    gsize used = 0;
    {
      const BatchMap map(batch);
      if (!map) return kNowhere;
      used = end_of_packets(map);
      if (owns_arena(batch) && size <= map.size() - used) return used;
    }
    // As much again for what comes next, so that appending moves packets only now and then.
    const gsize spare = std::min<gsize>(std::max(used, size), G_MAXUINT32 - size) + size;
    if (moved || !move_packets(batch, spare)) return kNowhere;
  }
  return kNowhere;
}

void copy_in(GstBuffer* batch, gsize offset, const guint8* data, gsize size) {
  const BatchMap map(batch);
  if (map && size != 0) std::memcpy(map.data() + offset, data, size);
}

}  // namespace

guint gst_packet_batch_get_n_packets(GstBuffer* batch) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  if (meta == nullptr || gst_buffer_n_memory(batch) != 1) return 0;
  return meta->n <= GST_PACKET_BATCH_MAX ? meta->n : 0;
}

GBytes* gst_packet_batch_get_packet(GstBuffer* batch, guint index) {
  GstPacketMapInfo info;
  if (!gst_packet_batch_map_packet(batch, index, &info, GST_MAP_READ)) return nullptr;
  GBytes* bytes = g_bytes_new(info.data, info.size);
  gst_packet_batch_unmap_packet(&info);
  return bytes;
}

GstClockTime gst_packet_batch_get_packet_pts(GstBuffer* batch, guint index) {
  const GstPacketDesc* desc = find(batch, index);
  if (desc == nullptr || !GST_BUFFER_PTS_IS_VALID(batch)) return GST_CLOCK_TIME_NONE;
  return GST_BUFFER_PTS(batch) + desc->delay;
}

gboolean gst_packet_batch_set_packet_pts(GstBuffer* batch, guint index, GstClockTime pts) {
  GstPacketDesc* desc = find_writable(batch, index);
  if (desc == nullptr || !GST_BUFFER_PTS_IS_VALID(batch) || pts < GST_BUFFER_PTS(batch)) {
    return FALSE;
  }
  const GstClockTime delay = pts - GST_BUFFER_PTS(batch);
  if (delay > G_MAXUINT32) return FALSE;
  desc->delay = static_cast<guint32>(delay);
  return TRUE;
}

gboolean gst_packet_batch_map_packet(GstBuffer* batch, guint index, GstPacketMapInfo* info,
                                     GstMapFlags flags) {
  *info = {};
  const GstPacketDesc* desc = find(batch, index);
  if (desc == nullptr) return FALSE;
  if ((flags & GST_MAP_WRITE) != 0 && !has_writable_bytes(batch)) return FALSE;
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  // Also to write: see the rules in packetbatch.h.
  if (!lies_within(*desc, arena->maxsize) || !gst_memory_map(arena, &info->arena, GST_MAP_READ)) {
    return FALSE;
  }
  info->data = info->arena.data - arena->offset + desc->offset;
  info->size = desc->length;
  info->batch = gst_buffer_ref(batch);
  return TRUE;
}

void gst_packet_batch_unmap_packet(GstPacketMapInfo* info) {
  if (info->batch == nullptr) return;
  gst_memory_unmap(info->arena.memory, &info->arena);
  gst_buffer_unref(info->batch);
  *info = {};
}

gboolean gst_packet_batch_append_packet(GstBuffer* batch, const guint8* data, gsize size) {
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  if (meta == nullptr || meta->n >= GST_PACKET_BATCH_MAX || !gst_buffer_is_writable(batch)) {
    return FALSE;
  }
  const gsize place = make_place(batch, size);
  if (place > G_MAXUINT32) return FALSE;
  copy_in(batch, place, data, size);
  meta->packets[meta->n++] = {static_cast<guint32>(place), static_cast<guint32>(size), 0, 0};
  gst_packet_batch_update_size(batch);
  return TRUE;
}

gboolean gst_packet_batch_replace_packet(GstBuffer* batch, guint index, const guint8* data,
                                         gsize size) {
  GstPacketDesc* desc = find_writable(batch, index);
  if (desc == nullptr) return FALSE;
  gsize place = desc->offset;
  const gsize arena_size = gst_buffer_peek_memory(batch, 0)->maxsize;
  if (size > desc->length || !lies_within(*desc, arena_size) || !has_writable_bytes(batch)) {
    place = make_place(batch, size);
    if (place > G_MAXUINT32) return FALSE;
  }
  copy_in(batch, place, data, size);
  desc->offset = static_cast<guint32>(place);
  desc->length = static_cast<guint32>(size);
  gst_packet_batch_update_size(batch);
  return TRUE;
}

gboolean gst_packet_batch_write_packet(GstBuffer* batch, guint index, gsize offset,
                                       const guint8* data, gsize size) {
  GstPacketMapInfo info;
  if (!gst_packet_batch_map_packet(batch, index, &info, GST_MAP_WRITE)) return FALSE;
  const bool fits = offset <= info.size && size <= info.size - offset;
  if (fits && size != 0) std::memcpy(info.data + offset, data, size);
  gst_packet_batch_unmap_packet(&info);
  return fits;
}

gboolean gst_packet_batch_truncate_packet(GstBuffer* batch, guint index, gsize size) {
  GstPacketDesc* desc = find_writable(batch, index);
  if (desc == nullptr || size > desc->length ||
      !lies_within(*desc, gst_buffer_peek_memory(batch, 0)->maxsize)) {
    return FALSE;
  }
  desc->length = static_cast<guint32>(size);
  gst_packet_batch_update_size(batch);
  return TRUE;
}

gboolean gst_packet_batch_remove_packet(GstBuffer* batch, guint index) {
  GstPacketDesc* desc = find_writable(batch, index);
  if (desc == nullptr) return FALSE;
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  --meta->n;
  std::memmove(desc, desc + 1, (meta->n - index) * sizeof *desc);
  gst_packet_batch_update_size(batch);
  return TRUE;
}

GstBuffer* gst_packet_batch_new_from_packets(const GPtrArray* packets) {
  if (packets->len > GST_PACKET_BATCH_MAX) return nullptr;
  const std::span all(reinterpret_cast<GBytes**>(packets->pdata), packets->len);
  gsize size = 0;
  for (GBytes* packet : all) size += g_bytes_get_size(packet);
  GstBuffer* batch = size <= G_MAXUINT32 ? gst_packet_batch_new(size) : nullptr;
  if (batch == nullptr) return nullptr;
  const BatchMap map(batch);
  guint32 offset = 0;
  for (GBytes* packet : all) {
    gsize length = 0;
    const void* bytes = g_bytes_get_data(packet, &length);
    if (length != 0) std::memcpy(map.data() + offset, bytes, length);
    map.meta().packets[map.meta().n++] = {offset, static_cast<guint32>(length), 0, 0};
    offset += static_cast<guint32>(length);
  }
  gstpacket::set_packet_bytes(map.arena(), size);
  return batch;
}
