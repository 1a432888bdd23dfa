// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file Received packets lent to the application where they lie.
 *
 * As slave the buffers are ours, so a ring slot whose buffer is lent gets another one at once, and
 * the packets are the application's to change and to send on. As master they are the peer's: they
 * may be read, and their slots are held until they come back, see HeldSlots.
 */
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/snapshot_mapping.hpp"
#include "gst/memif/export.hpp"

namespace gstmemif {

class Link;
class LoanBook;

/** The memory that one batch of packets lies in. */
struct Loan {
  static constexpr std::size_t kMax = 256;

  /** Where each packet's buffer lies, in the order of the packets; all in one region. */
  std::uint32_t count = 0;
  std::array<BufferPlace, kMax> buffers;
  /** Of all packets together, as they were received; 0 for empty buffers. */
  std::uint64_t bytes = 0;
  /**
   * Bytes that are lent at each place: as slave the whole buffer; as master the longest packet, or
   * less where the region ends before.
   */
  std::uint32_t reach = 0;
  /** As slave: the packets may be changed, and their buffers sent; see TxQueue::exchange(). */
  bool ours = false;

  /** The region, as this loan sees it: the places are offsets in it. */
  std::byte* base() const noexcept { return base_; }
  /** In bytes. */
  std::size_t size() const noexcept { return size_; }
  /** The places that are in use. */
  std::span<const BufferPlace> places() const noexcept { return {buffers.data(), count}; }

  /** The link whose memory this is: held, so that the memory stays. */
  const std::shared_ptr<Link>& link() const noexcept { return link_; }

  /** Gives the buffers back. Any thread; the loan must not be touched afterwards. */
  GSTMEMIF_API void give_back() noexcept;

  /** As slave: says which region the places are in. Receiving thread, as the two below. */
  void lie_in(const Region& region) noexcept;
  /** As master, of the peer's region: false if it cannot be lent. */
  bool map_peer(const Region& region) noexcept;
  /** As master: puts a copy in the place of what is lent. False if there is no memory for it. */
  bool detach_copy() noexcept { return view_.detach(places(), reach); }

 private:
  friend class LoanBook;
  std::shared_ptr<Link> link_;
  LoanBook* book_ = nullptr;
  Loan* next_ = nullptr;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  SnapshotMapping view_;
};

/**
 * The loans of one queue: those that are out, those that came back, and spare ones. The receiving
 * thread lends and collects; any thread gives back. No allocation once as many loans exist as are
 * out at a time.
 */
class GSTMEMIF_API LoanBook {
 public:
  LoanBook() = default;
  ~LoanBook();
  LoanBook(const LoanBook&) = delete;

  /** An empty loan, to be filled. Receiving thread. */
  Loan* lend(std::shared_ptr<Link> link);
  /** Takes it back before anybody else saw it. */
  void cancel(Loan* loan) noexcept;

  /** Calls @p take with each loan that came back since. Receiving thread. */
  template <class Take>
  void collect(Take take) noexcept {
    if (returned_.load(std::memory_order_relaxed) == nullptr) return;
    Loan* loan = returned_.exchange(nullptr, std::memory_order_acquire);
    while (loan != nullptr) {
      take(*loan);
      Loan* next = loan->next_;
      loan->next_ = idle_;
      idle_ = loan;
      loan = next;
    }
  }

 private:
  friend struct Loan;
  static void free_all(Loan* loan) noexcept;

  std::atomic<Loan*> returned_{nullptr};
  Loan* idle_ = nullptr;
};

}  // namespace gstmemif
