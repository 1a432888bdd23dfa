// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers of a link lent to the application in place: with received packets, or empty ones to write
 * packets into.
 *
 * As slave the buffers are ours, so a ring slot whose buffer is lent gets another one at once, and
 * the application may modify and forward the packets. As master they are the peer's: those received
 * are read-only, and their slots are held until they are returned; empty ones are the slots that
 * are sent next.
 */
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gst/common/cache_line.hpp"
#include "gst/memif/export.hpp"

namespace gstmemif {

class Link;
class LoanBook;
class Region;
class SnapshotMapping;

/** Where one buffer lies. */
struct BufferPlace {
  std::uint32_t offset;  ///< bytes from the beginning of its region
  std::uint16_t region;
  std::uint16_t room;  ///< as master, of a slot to be sent: bytes of its packet; otherwise 0

  /** Made as one word, as g++ does not join stores of its members. */
  static BufferPlace at(std::uint32_t offset, std::uint16_t region, std::uint16_t room) noexcept {
    if constexpr (std::endian::native != std::endian::little) return {offset, region, room};
    return std::bit_cast<BufferPlace>(offset | std::uint64_t{region} << 32 |
                                      std::uint64_t{room} << 48);
  }

  bool operator==(const BufferPlace&) const = default;
};

/** The memory of one batch of packets. */
struct GSTMEMIF_API Loan {
  static constexpr std::size_t kMax = 256;

  /**
   * Where each packet's buffer lies, in the order of the packets; all in one region. Aligned, as
   * another thread may have the loan that lies next to this one.
   */
  alignas(gstcommon::kCacheLine) std::uint32_t count = 0;
  std::array<BufferPlace, kMax> buffers;
  /** Total size of the packets as received, or as copied to slots; 0 for empty buffers. */
  std::uint64_t bytes = 0;
  /**
   * Bytes lent at each place: as slave the whole buffer; as master the longest packet, or less at
   * the end of the region.
   */
  std::uint32_t buffer_size = 0;
  /** As slave, and of empty buffers: what is in them may be changed, and sent without a copy. */
  bool writable = false;

  Loan();
  ~Loan();
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  /** The region, as this loan sees it: the places are offsets in it. */
  std::byte* base() const noexcept { return base_; }
  /** In bytes. */
  std::size_t size() const noexcept { return size_; }
  /** The places that are in use. */
  std::span<const BufferPlace> places() const noexcept { return {buffers.data(), count}; }

  /** The link that the memory belongs to, kept alive by the loan. */
  const std::shared_ptr<Link>& link() const noexcept { return link_; }
  /** Whether it is still up. Any thread. */
  bool link_up() const noexcept;

  /** Returns the buffers. Any thread; the loan must not be accessed afterwards. */
  void give_back() noexcept;

 private:
  friend class HeldSlots;
  friend class LentTxSlots;
  friend class LoanBook;
  friend class RxQueue;
  friend class TxBufferPool;

  /** As slave: sets the region of the places. Receiving thread, as the two below. */
  void lie_in(const Region& region) noexcept;
  /** As master, of the peer's region: false if it cannot be lent. */
  bool map_peer(const Region& region, bool for_writing);
  /** As master: replaces the lent memory by a copy. False without memory. */
  bool detach_copy() noexcept;

  std::shared_ptr<Link> link_;
  LoanBook* book_ = nullptr;
  Loan* next_ = nullptr;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<SnapshotMapping> mapping_;  // as master
};

}  // namespace gstmemif
