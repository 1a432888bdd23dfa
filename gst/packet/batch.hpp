// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Batches in C++. What a batch is, the rules for it and all functions are in packetbatch.h; here is
 * the map of a whole batch, for elements that are not written against the element API.
 */
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gst/packet/export.hpp"
#include "gst/packet/packetbatch.h"

namespace gstpacket {

/** Whether the packet does not reach beyond an arena of `size` bytes. */
[[nodiscard]] inline bool lies_within(const GstPacketDesc& desc, std::size_t size) noexcept {
  // 64 bits: in 32 the sum of two values wraps.
  return std::uint64_t{desc.offset} + desc.length <= size;
}

/**
 * Makes `bytes`, the sum of all packets, the size of the batch whose memory is `arena`: as
 * gst_packet_batch_update_size(), for callers that have counted already. Nothing happens where the
 * memory is in other buffers, too.
 */
inline void set_packet_bytes(GstMemory* arena, std::uint64_t bytes) noexcept {
  const gsize size = std::min<std::uint64_t>(bytes, arena->maxsize);
  // As nearly always: to ask whether it is writable costs more than all of this.
  if (arena->offset == 0 && arena->size == size) return;
  if (gst_memory_is_writable(arena) == FALSE) return;
  arena->offset = 0;
  arena->size = size;
}

/**
 * A flag of allocators: the address of a memory never changes, and is that which GstAllocator's
 * `mem_map` returns for all of it, without a need to unmap it. The last bit: others begin with the
 * first ones that are free, as GstV4l2Allocator does, and must not be taken for ours.
 */
inline constexpr guint kSteadyMemory = 1U << 31;

/**
 * The arena of a batch, mapped while this lives. Mapped for reading even where packets are
 * written: see the rules in packetbatch.h. The buffer must outlive it. One thread at a time.
 */
class BatchMap {
 public:
  explicit BatchMap(GstBuffer* batch) noexcept
      : BatchMap(batch, gst_buffer_get_packet_batch_meta(batch)) {}
  /** With its meta, which may be null, where that is known. */
  BatchMap(GstBuffer* batch, GstPacketBatchMeta* meta) noexcept : meta_(meta) {
    // One arena, and no more packets than there is room for. Anything else was assembled by code
    // that does not know batches.
    if (meta_ == nullptr || meta_->n > GST_PACKET_BATCH_MAX || gst_buffer_n_memory(batch) != 1 ||
        !map(gst_buffer_peek_memory(batch, 0))) {
      meta_ = nullptr;
    }
  }
  ~BatchMap() {
    if (mapped_) gst_memory_unmap(map_.memory, &map_);
  }
  BatchMap(const BatchMap&) = delete;
  BatchMap& operator=(const BatchMap&) = delete;

  /**
   * False if the buffer is no batch, a damaged one, or cannot be mapped. Nothing below may be
   * called then.
   */
  explicit operator bool() const noexcept { return meta_ != nullptr; }
  [[nodiscard]] GstPacketBatchMeta& meta() const noexcept { return *meta_; }
  /** The memory of the buffer. */
  [[nodiscard]] GstMemory* arena() const noexcept { return arena_; }
  /** The first byte of the arena, from which descriptors count. */
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  /** All of the arena, in bytes. */
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /** The packet's bytes, or null if the descriptor reaches beyond the arena. */
  [[nodiscard]] std::byte* bytes(const GstPacketDesc& desc) const noexcept {
    return lies_within(desc, size_) ? data_ + desc.offset : nullptr;
  }

 private:
  bool map(GstMemory* arena) noexcept {
    arena_ = arena;
    size_ = arena->maxsize;
    GstAllocator* const allocator = arena->allocator;
    if (GST_OBJECT_FLAG_IS_SET(allocator, kSteadyMemory)) [[likely]] {
      // gst_memory_map() would cost more than the packets of a small batch.
      data_ = static_cast<std::byte*>(allocator->mem_map(arena, size_, GST_MAP_READ));
      return true;
    }
    mapped_ = gst_memory_map(arena, &map_, GST_MAP_READ) != FALSE;
    if (mapped_) data_ = reinterpret_cast<std::byte*>(map_.data - arena->offset);
    return mapped_;
  }

  GstPacketBatchMeta* meta_;
  GstMemory* arena_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  bool mapped_ = false;
  GstMapInfo map_;  // if it is
};

}  // namespace gstpacket
