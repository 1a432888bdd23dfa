// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file Where the buffers of a slave lie in its regions. */
#pragma once

#include <cstdint>

#include "gst/memif/protocol.hpp"

namespace gstmemif {

/** A run of equal buffers, numbered from 0, laid out over as many regions as they need. */
class BufferLayout {
 public:
  /** No buffers: the ring belongs to a peer that brings its own. */
  BufferLayout() = default;

  /**
   * @param buffer_size bytes of a buffer, 1 or more
   * @param per_region  buffers in each region: descriptors reach the first 4 GiB of one
   * @param first       number of this run's first buffer, counted over all runs of the link
   */
  BufferLayout(std::uint32_t buffer_size, std::uint64_t per_region, std::uint64_t first) noexcept
      : buffer_size_(buffer_size), per_region_(per_region), first_(first) {}

  std::uint32_t buffer_size() const noexcept { return buffer_size_; }

  /** The descriptor of empty buffer number @p index. Region 0 holds the rings. */
  Descriptor empty_buffer(std::uint32_t index) const noexcept {
    const std::uint64_t number = first_ + index;
    Descriptor descriptor{};
    descriptor.region = static_cast<std::uint16_t>(1 + number / per_region_);
    descriptor.offset = static_cast<std::uint32_t>(number % per_region_ * buffer_size_);
    descriptor.length = buffer_size_;
    return descriptor;
  }

 private:
  std::uint32_t buffer_size_ = 0;
  std::uint64_t per_region_ = 1;
  std::uint64_t first_ = 0;
};

}  // namespace gstmemif
