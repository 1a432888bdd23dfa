// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * As master: ring slots whose packets are lent.
 *
 * A master returns slots in order, so a packet that is held delays all that follow. So at most half
 * of a ring is lent, and when the ring runs short, outstanding packets are copied to private
 * memory, at the same addresses for their readers. Each loan is a mapping, and the number of
 * mappings of a process is limited: a consumer that holds everything soon gets copies.
 */
#pragma once

#include <cstdint>
#include <vector>

#include "gst/memif/loan.hpp"

namespace gstmemif {

/** The slots that were taken from a ring and not given back yet, oldest first. */
class HeldSlots {
 public:
  explicit HeldSlots(std::uint32_t ring_size) : ring_size_(ring_size), bursts_(ring_size + 1) {}

  bool empty() const noexcept { return first_ == end_; }
  /** Whether @p slots more may be lent. */
  bool may_lend(std::uint32_t slots) const noexcept {
    return rest_ == 0 && loans_out_ < kMostLoans && lent_ + slots <= ring_size_ / 2;
  }
  /** Whether @p bytes more may be lent: detached, they are memory of ours. */
  bool may_hold(std::uint64_t bytes) const noexcept { return bytes_out_ + bytes <= kMostBytes; }
  /** Counts down the bursts that are copied after lending has failed; to be called for each. */
  void count_copied() noexcept {
    if (rest_ != 0) --rest_;
  }

  /** The slots of a burst; @p loan is null if they may be given back in their turn. */
  void push(std::uint32_t slots, Loan* loan) noexcept;
  /** @p loan came back. */
  void returned(const Loan& loan) noexcept;
  /** Removes what may be given back now; returns how many slots that is. */
  std::uint32_t pop() noexcept;
  /**
   * The ring is short of slots: copies all that is lent, and keeps from lending for a while.
   * @param one_by_one whether packets are lent, and copied, by themselves
   */
  void vacate_under_pressure(bool one_by_one) noexcept {
    vacate();
    rest_ = one_by_one ? kRestOfSingles : kRest;
  }
  /** Copies all that is lent. */
  void vacate() noexcept;

 private:
  // Bursts to copy before lending is tried again.
  static constexpr std::uint32_t kRest = 1024;
  // Of long packets: to copy one at once, and to copy it later, cost the same.
  static constexpr std::uint32_t kRestOfSingles = 16;
  static constexpr std::uint32_t kMostLoans = 64;
  // What so many loans of batches come to at most, and packets that are lent one by one, too.
  static constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;

  struct Burst {
    Loan* loan;
    std::uint32_t slots;
  };
  std::uint32_t after(std::uint32_t i) const noexcept {
    return i + 1 == bursts_.size() ? 0 : i + 1;
  }

  std::uint32_t ring_size_;
  std::vector<Burst> bursts_;  // a ring of its own: each burst has a slot at least
  std::uint32_t first_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t lent_ = 0;       // slots
  std::uint32_t loans_out_ = 0;  // those that were moved out, too
  std::uint64_t bytes_out_ = 0;  // the same in bytes
  std::uint32_t rest_ = 0;       // bursts yet to be copied
};

}  // namespace gstmemif
