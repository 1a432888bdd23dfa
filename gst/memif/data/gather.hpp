// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A packet of many segments, as a run of bytes. Internal.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "gst/memif/burst.hpp"
#include "gst/memif/data/stream_copy.hpp"

namespace gstmemif {

/** Reads the bytes of a packet in order, across its segments. */
class Gather {
 public:
  Gather(TxPacket packet, std::uint64_t total) noexcept
      : segments_(packet), streams_(total >= kStreamedSize) {}
  ~Gather() {
    if (streams_) finish_stream_copies();
  }
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  void copy_to(std::byte* out, std::size_t length) noexcept {
    while (length != 0) {
      const TxSegment segment = segments_.front().subspan(offset_);
      const std::size_t n = std::min(length, segment.size());
      // An empty segment may have no address, which memcpy() must not see.
      if (n != 0 && streams_) {
        stream_copy(out, segment.data(), n);
      } else if (n != 0) {
        std::memcpy(out, segment.data(), n);
      }
      out += n;
      length -= n;
      offset_ += n;
      if (offset_ == segments_.front().size()) {
        segments_ = segments_.subspan(1);
        offset_ = 0;
      }
    }
  }

 private:
  TxPacket segments_;
  const bool streams_;
  std::size_t offset_ = 0;
};

inline std::uint64_t total_length(TxPacket packet) noexcept {
  std::uint64_t total = 0;
  for (const TxSegment& segment : packet) total += segment.size();
  return total;
}

}  // namespace gstmemif
