// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Access to the packets of a batch, for elements that are not written against the element API.
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gst/packet/batch.hpp"

namespace gstpacket::detail {

/// Whether the packet does not reach beyond an arena of `size` bytes.
[[nodiscard]] inline bool lies_within(const GstPacketDesc& desc, std::size_t size) noexcept {
  // 64 bits: in 32 the sum of two values wraps.
  return std::uint64_t{desc.offset} + desc.length <= size;
}

/// Makes `bytes`, of all packets together, the size of the batch. For who may write to it; nothing
/// happens where the memory is in other buffers, too.
inline void set_packet_bytes(GstMemory* arena, std::uint64_t bytes) noexcept {
  const gsize size = std::min<std::uint64_t>(bytes, arena->maxsize);
  // As nearly always: to ask whether it is writable costs more than all of this.
  if (arena->offset == 0 && arena->size == size) return;
  if (gst_memory_is_writable(arena) == FALSE) return;
  arena->offset = 0;
  arena->size = size;
}

/// Another memory for the same arena, so that a part of a batch can say its own size: 0 at first.
/// Null if the arena cannot be mapped. Transfer full.
[[nodiscard]] GSTPACKET_API GstMemory* new_view(GstMemory* arena);
/// What `arena` is a view of, or itself.
[[nodiscard]] GSTPACKET_API GstMemory* whole_arena(GstMemory* arena) noexcept;
/// Whether `memory` is from gst_packet_arena_allocator(): in a buffer that is no batch it holds no
/// packet.
[[nodiscard]] GSTPACKET_API bool is_arena(const GstMemory* memory) noexcept;

/// The arena of a batch, mapped while this lives. Mapped for reading even where packets are
/// written: see the rules in batch.hpp.
class BatchMap {
 public:
  explicit BatchMap(GstBuffer* batch) noexcept
      : BatchMap(batch, gst_buffer_get_packet_batch_meta(batch)) {}
  /// With its meta, which may be null.
  BatchMap(GstBuffer* batch, GstPacketBatchMeta* meta) noexcept
      : meta_(meta), map_(GST_MAP_INFO_INIT) {
    // One arena, and no more packets than there is room for. Anything else was put together by
    // somebody who does not know batches.
    if (meta_ == nullptr || meta_->n > GST_PACKET_BATCH_MAX || gst_buffer_n_memory(batch) != 1 ||
        gst_memory_map(gst_buffer_peek_memory(batch, 0), &map_, GST_MAP_READ) == FALSE) {
      meta_ = nullptr;
      return;
    }
    data_ = reinterpret_cast<std::byte*>(map_.data - map_.memory->offset);
    size_ = map_.memory->maxsize;
  }
  ~BatchMap() {
    if (meta_ != nullptr) gst_memory_unmap(map_.memory, &map_);
  }
  BatchMap(const BatchMap&) = delete;
  BatchMap& operator=(const BatchMap&) = delete;

  /// False if the buffer is no batch, a damaged one, or cannot be mapped.
  explicit operator bool() const noexcept { return meta_ != nullptr; }
  [[nodiscard]] GstPacketBatchMeta& meta() const noexcept { return *meta_; }
  [[nodiscard]] GstMemory* arena() const noexcept { return map_.memory; }
  /// All of it: see the rules in batch.hpp.
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The packet's bytes, or null if the descriptor reaches beyond the arena.
  [[nodiscard]] std::byte* bytes(const GstPacketDesc& desc) const noexcept {
    return lies_within(desc, size_) ? data_ + desc.offset : nullptr;
  }

 private:
  GstPacketBatchMeta* meta_;
  GstMapInfo map_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gstpacket::detail
