// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers in any state: single packets, and batches that may be damaged.
 */
#pragma once

#include <utility>
#include <vector>

#include "fuzz.hpp"
#include "gst/packet/batch.hpp"

namespace fuzz {

/** Every packet that can be read, one after the other. */
inline std::vector<std::vector<guint8>> packets_of(GstBuffer* buffer) {
  std::vector<std::vector<guint8>> packets;
  const gstpacket::BatchMap map(buffer);
  for (guint i = 0; map && i < map.meta().n; ++i) {
    const GstPacketDesc& desc = map.meta().packets[i];
    const auto* bytes = reinterpret_cast<const guint8*>(map.bytes(desc));
    if (bytes != nullptr) packets.emplace_back(bytes, bytes + desc.length);
  }
  return packets;
}

inline GstMemory* memory_from(Input& input) {
  const auto bytes = input.bytes(input.around<std::uint8_t>({60, 0, 1}));
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.prefix = input.below(3) * 30U;
  params.padding = input.below(3) * 30U;
  GstMemory* memory = gst_allocator_alloc(nullptr, bytes.size(), &params);
  GstMapInfo map;
  require(gst_memory_map(memory, &map, GST_MAP_WRITE) != FALSE, "map");
  if (!bytes.empty()) std::memcpy(map.data, bytes.data(), bytes.size());
  gst_memory_unmap(memory, &map);
  if (input.below(8) == 0) GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_READONLY);
  return memory;
}

inline GstBuffer* plain_buffer(Input& input) {
  GstBuffer* buffer = gst_buffer_new();
  const unsigned memories = input.below(4) == 0 ? input.below(20) : 1;
  for (unsigned i = 0; i < memories; ++i) gst_buffer_append_memory(buffer, memory_from(input));
  return buffer;
}

/** Packets one behind the other, some of which are then somewhere else. */
inline GstBuffer* batch_buffer(Input& input) {
  const std::uint32_t n = input.around<std::uint8_t>({1, 2, 8, 0});
  const std::uint32_t size = input.around<std::uint8_t>({60, 1, 0}) % 64;
  const auto bytes = input.bytes(input.below(64));
  GstBuffer* batch = gst_packet_batch_new(std::size_t{n} * size);
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  GstMapInfo map;
  require(gst_memory_map(arena, &map, GST_MAP_WRITE) != FALSE, "map");
  std::memset(map.data, 0, map.size);
  for (std::size_t at = 0; !bytes.empty() && at < map.size; at += bytes.size()) {
    std::memcpy(map.data + at, bytes.data(), std::min(bytes.size(), map.size - at));
  }
  gst_memory_unmap(arena, &map);
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  meta->n = n;
  for (std::uint32_t i = 0; i < n && i < GST_PACKET_BATCH_MAX; ++i) {
    meta->packets[i] = {i * size, size, i, i};
  }
  if (input.flag()) return batch;
  for (unsigned i = input.below(5); i > 0; --i) {
    GstPacketDesc& desc = meta->packets[input.get<std::uint8_t>()];
    switch (input.below(3)) {
      case 0:
        desc.offset = input.around<guint32>({0, size, n * size, n * size - 1, G_MAXUINT32});
        break;
      case 1:
        desc.length = input.around<guint32>({0, 1, size + 1, n * size, G_MAXUINT32});
        break;
      default:
        desc.delay = input.get<guint32>();
    }
  }
  switch (input.below(8)) {
    case 0:
      meta->n = input.around<guint>({256, 257, G_MAXUINT32});
      break;
    case 1:
      gst_buffer_append_memory(batch, memory_from(input));
      break;
    case 2:
      gst_buffer_remove_all_memory(batch);
      break;
    case 3:
      gst_buffer_resize(batch, std::min<gssize>(1, n * size), -1);
      break;
    case 4:
      GST_MINI_OBJECT_FLAG_SET(arena, GST_MEMORY_FLAG_READONLY);
      break;
    default:
      break;
  }
  return batch;
}

/** A buffer that somebody else may have too: what it holds must not change. */
struct Made {
  GstBuffer* buffer;
  GstBuffer* other = nullptr;
  std::vector<guint8> was;

  explicit Made(Input& input)
      : buffer(input.below(3) != 0 ? batch_buffer(input) : plain_buffer(input)) {
    if (input.flag()) GST_BUFFER_PTS(buffer) = input.get<std::uint32_t>();
    switch (input.below(6)) {
      case 0:
        other = gst_buffer_ref(buffer);
        break;
      case 1:
        other = gst_buffer_copy(buffer);
        break;
      case 2:
        other = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_ALL, 0, gst_buffer_get_size(buffer));
        break;
      default:
        return;
    }
    was = content();
  }
  Made(Made&& from) noexcept
      : buffer(from.buffer), other(std::exchange(from.other, nullptr)), was(std::move(from.was)) {}
  ~Made() {
    if (other == nullptr) return;
    require(content() == was, "a packet that somebody else has was changed");
    gst_buffer_unref(other);
  }
  std::vector<guint8> content() const {
    std::vector<guint8> bytes(gst_buffer_get_size(other));
    if (!bytes.empty()) gst_buffer_extract(other, 0, bytes.data(), bytes.size());
    return bytes;
  }
};

}  // namespace fuzz
