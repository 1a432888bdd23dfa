// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file Where the buffers of a slave lie in its regions. */
#pragma once

#include <cstdint>
#include <vector>

#include "gst/memif/protocol.hpp"

namespace gstmemif {

/** Where one buffer of a slave lies. */
struct BufferPlace {
  std::uint32_t offset = 0;
  std::uint16_t region = 0;

  bool operator==(const BufferPlace&) const = default;
};

/** Equal buffers, numbered from 0, laid out over as many regions as they need. */
class BufferLayout {
 public:
  /** No buffers: the ring belongs to a peer that brings its own. */
  BufferLayout() = default;

  /**
   * @param buffer_size bytes of a buffer, 1 or more
   * @param per_region  buffers in each region: descriptors reach the first 4 GiB of one
   */
  BufferLayout(std::uint32_t buffer_size, std::uint64_t per_region) noexcept
      : buffer_size_(buffer_size), per_region_(per_region) {}

  /** 0: no buffers. */
  std::uint32_t buffer_size() const noexcept { return buffer_size_; }

  /** Region 0 holds the rings, so buffers begin in region 1. */
  BufferPlace place(std::uint64_t number) const noexcept {
    return {static_cast<std::uint32_t>(number % per_region_ * buffer_size_),
            static_cast<std::uint16_t>(1 + number / per_region_)};
  }

  /** The places of @p count buffers from number @p first on. */
  std::vector<BufferPlace> places(std::uint64_t first, std::uint64_t count) const {
    std::vector<BufferPlace> places(count);
    for (std::uint64_t i = 0; i < count; ++i) places[i] = place(first + i);
    return places;
  }

 private:
  std::uint32_t buffer_size_ = 0;
  std::uint64_t per_region_ = 1;
};

/** The buffers of one ring of a slave; none for a master, whose peer brings them. */
struct QueueBuffers {
  std::uint32_t buffer_size = 0;
  std::vector<BufferPlace> slots;   ///< one for each slot
  std::vector<BufferPlace> spares;  ///< to put into slots whose own is lent
};

}  // namespace gstmemif
