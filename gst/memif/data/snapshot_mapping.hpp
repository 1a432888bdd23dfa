// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A second mapping of a region of the peer's, to read packets from or to write them to.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/region.hpp"

namespace gstmemif {

/**
 * Maps a region a second time, at its own address, so that its pages can be replaced by a copy
 * while they are read: the addresses and the selected bytes stay the same.
 */
class SnapshotMapping {
 public:
  SnapshotMapping() = default;
  SnapshotMapping(const SnapshotMapping&) = delete;
  ~SnapshotMapping() { unmap(); }

  /**
   * Maps @p region, if that is not what is mapped already. False if it cannot be: it may be
   * truncated by the peer, or there is no memory.
   */
  bool attach(const Region& region, bool for_writing) noexcept;

  /**
   * Detaches the mapping from the region: keeps @p length bytes at each of @p places, and zeros
   * elsewhere. Any thread may read meanwhile, but what is written meanwhile may be lost. False
   * without memory; then nothing changed.
   */
  bool detach(std::span<const BufferPlace> places, std::uint32_t length) noexcept;

  std::byte* data() const noexcept { return base_; }
  std::size_t size() const noexcept { return size_; }

 private:
  void unmap() noexcept;

  const Region* region_ = nullptr;  // null: nothing mapped, or cut off
  bool for_writing_ = false;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gstmemif
