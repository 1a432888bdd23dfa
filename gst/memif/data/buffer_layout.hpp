// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where the buffers of a slave lie in its regions.
 */
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gst/memif/loan.hpp"

namespace gstmemif {

/** Region 0 of a slave holds its rings, so its buffers begin in this one. */
inline constexpr std::uint16_t kFirstBufferRegion = 1;

/** Whether @p length bytes from @p offset on are all among the @p size bytes from @p buffer on. */
inline bool within(std::uint32_t offset, std::uint32_t length, std::uint32_t buffer,
                   std::uint64_t size) noexcept {
  // Wraps, and is too large, where the offset lies before the buffer.
  const std::uint64_t skipped = std::uint32_t{offset - buffer};
  return skipped + length <= size;
}

/** Buffers of equal size, numbered from 0, laid out over as many regions as needed. */
class BufferLayout {
 public:
  /** No buffers: the ring belongs to a peer that brings its own. */
  BufferLayout() = default;

  /** @param buffer_size bytes of a buffer, 1 or more */
  explicit BufferLayout(std::uint32_t buffer_size) noexcept : buffer_size_(buffer_size) {}

  /** 0: no buffers. */
  std::uint32_t buffer_size() const noexcept { return buffer_size_; }

  /**
   * Distance of two buffers in bytes: an odd number of cache lines. With an even number (2048 bytes
   * are 32 lines) the first lines of all buffers, the only ones that short packets touch, would
   * share a few sets of each cache and evict each other.
   */
  std::uint64_t stride() const noexcept {
    constexpr std::uint64_t kLine = 64;
    return ((buffer_size_ + kLine - 1) / kLine | 1) * kLine;
  }
  /** Buffers in each region: the offset of a descriptor reaches 4 GiB. */
  std::uint64_t per_region() const noexcept {
    constexpr std::uint64_t kReach = std::uint64_t{1} << 32;
    return std::max<std::uint64_t>(1, kReach / stride());
  }

  BufferPlace place(std::uint64_t number) const noexcept {
    return {static_cast<std::uint32_t>(number % per_region() * stride()),
            static_cast<std::uint16_t>(kFirstBufferRegion + number / per_region()), 0};
  }

  /** The places of @p count buffers from number @p first on. */
  std::vector<BufferPlace> places(std::uint64_t first, std::uint64_t count) const {
    std::vector<BufferPlace> places(count);
    for (std::uint64_t i = 0; i < count; ++i) places[i] = place(first + i);
    return places;
  }

 private:
  std::uint32_t buffer_size_ = 0;
};

/** The buffers of one ring of a slave; none for a master, whose peer brings them. */
struct QueueBuffers {
  std::uint32_t buffer_size = 0;
  std::vector<BufferPlace> slots;   ///< one for each slot
  std::vector<BufferPlace> spares;  ///< receiving: for slots whose own is lent; sending: to lend
};

}  // namespace gstmemif
