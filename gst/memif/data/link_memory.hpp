// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the queues of one link share: its memory, and the way to say that the peer broke it.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/data/region.hpp"

namespace gstmemif {

/** Addresses of the regions of a link. A copy is valid as long as the link. */
class RegionTable {
 public:
  struct View {
    std::byte* base;
    std::uint64_t size;

    /** The bytes [offset, offset + length), or nullptr if they are not all in it. */
    std::byte* at(std::uint32_t offset, std::uint32_t length) const noexcept {
      // 64 bits: in 32 the sum of two values from the peer wraps.
      return std::uint64_t{offset} + length <= size ? base + offset : nullptr;
    }
  };
  explicit RegionTable(std::span<const View> views) noexcept : views_(views) {}

  /** The bytes [offset, offset + length) of a region, or nullptr if they are not all in it. */
  std::byte* resolve(std::uint16_t region, std::uint32_t offset,
                     std::uint32_t length) const noexcept {
    return view(region).at(offset, length);
  }

  /** One without memory if there is no such region. */
  View view(std::uint16_t region) const noexcept {
    return region < views_.size() ? views_[region] : View{nullptr, 0};
  }

  /** The memory at a place of our own, which needs no check. */
  std::byte* own_memory(std::uint16_t region, std::uint32_t offset) const noexcept {
    return views_[region].base + offset;
  }

 private:
  std::span<const View> views_;
};

/** The same for packets in a row: most lie in the region of the one before. */
class RegionCursor {
 public:
  explicit RegionCursor(RegionTable views) noexcept : views_(views) {}

  /** See RegionTable::resolve(). */
  std::byte* resolve(std::uint16_t region, std::uint32_t offset, std::uint32_t length) noexcept {
    if (region != region_) [[unlikely]] {
      region_ = region;
      view_ = views_.view(region);
    }
    return view_.at(offset, length);
  }
  /** Prefetches memory that will probably be written soon, in the region of the last packet. */
  void prefetch_for_writing(std::uint32_t offset) const noexcept {
    // Not checked, so it may point anywhere: as a number.
    const auto address = reinterpret_cast<std::uintptr_t>(view_.base) + offset;
    __builtin_prefetch(reinterpret_cast<const void*>(address), 1);
  }

 private:
  static constexpr std::uint32_t kNone = 1 << 16;

  RegionTable views_;
  std::uint32_t region_ = kNone;
  RegionTable::View view_{nullptr, 0};
};

/**
 * Memory and health of one link. The regions never change after the handshake; health only goes
 * from good to failed, once.
 */
class GSTMEMIF_API LinkMemory {
 public:
  /** @param control_wake eventfd that tells the control plane of a failure. */
  LinkMemory(std::vector<Region> regions, std::shared_ptr<const UniqueFd> control_wake);

  RegionTable views() const noexcept { return RegionTable(views_); }
  /** See RegionTable::resolve(). */
  std::byte* resolve(std::uint16_t region, std::uint32_t offset,
                     std::uint32_t length) const noexcept {
    return views().resolve(region, offset, length);
  }

  /**
   * As slave: the region that buffers may be lent from, or null. A loan has one region, and by
   * exchange any buffer of the link can get into it: so all must lie in the same one, beside that
   * of the rings.
   */
  const Region* only_buffer_region() const noexcept {
    return regions_.size() == 2 ? &regions_[1] : nullptr;
  }

  std::span<const Region> regions() const noexcept { return regions_; }
  std::uint64_t total_bytes() const noexcept { return total_bytes_; }

  /**
   * Reports a violation by the peer. The first report counts; the control plane takes the link
   * down. @p reason must be a string literal. Any thread.
   */
  void fail(const char* reason) noexcept;
  bool failed() const noexcept { return failure_.load(std::memory_order_acquire) != nullptr; }
  const char* failure() const noexcept { return failure_.load(std::memory_order_acquire); }

  /** Whether there is memory that the peer can take away; see BusGuard. */
  bool guarded() const noexcept { return !unsealed_.empty(); }

  /** Fails the link if a region was taken away by the peer. Free of cost for sealed memory. */
  bool check_memory() noexcept { return unsealed_.empty() || check_unsealed(); }

 private:
  bool lost() const noexcept;
  bool check_unsealed() noexcept;

  std::vector<Region> regions_;
  std::vector<RegionTable::View> views_;
  std::vector<const Region*> unsealed_;
  std::uint64_t total_bytes_ = 0;
  std::atomic<const char*> failure_{nullptr};
  // Shared: packets may keep the link longer than its interface lives.
  std::shared_ptr<const UniqueFd> control_wake_;
};

}  // namespace gstmemif
