// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * As master: free slots of a sending ring, lent before they are sent.
 *
 * The slots hold buffers of the peer, so packets that have to be copied may be written there at
 * once, instead of into memory of ours first. Slots are sent in order, so they are lent to one
 * holder at a time, who is to send them next. If something else is to be sent before, the packets
 * are moved to private memory, at the same addresses for whoever holds them.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "gst/memif/burst.hpp"
#include "gst/memif/data/link_memory.hpp"
#include "gst/memif/data/loan_book.hpp"
#include "gst/memif/data/ring.hpp"

namespace gstmemif {

/** Sending thread; loans come back from any. */
class LentTxSlots {
 public:
  /** Whether to look for slots to lend; to be called before each lend(). */
  bool may_lend() noexcept;
  /**
   * Lends the free slots from @p first on, one for each of @p packets, of which only the lengths
   * count: places()[i] of the loan is where packet i goes. Null if they do not fit, or the memory
   * cannot be lent.
   */
  Loan* lend(std::shared_ptr<Link> link, const LinkMemory& memory, const Ring& ring,
             std::uint16_t first, std::span<const PacketDesc> packets);
  /** Whether the slots from @p next on are those of @p loan. If so, they are no longer lent. */
  bool take(const Loan& loan, std::uint16_t next) noexcept;
  /** Moves the packets of @p loan away, whose slots were taken. False without memory. */
  bool withdraw(Loan& loan) noexcept;
  /** The slots are needed: moves packets away that lie there. False without memory. */
  bool vacate() noexcept { return loan_ == nullptr || move_away(); }

 private:
  // As for slots that are received: so many bursts are not lent after one had to be moved.
  static constexpr std::uint32_t kRest = 1024;

  bool place(Loan& loan, const Ring& ring, std::uint16_t first,
             std::span<const PacketDesc> packets) noexcept;
  bool move_away() noexcept;
  void collect() noexcept;

  LoanBook loans_;
  Loan* loan_ = nullptr;  // whose slots are not sent yet
  std::uint16_t first_ = 0;
  std::uint32_t rest_ = 0;  // bursts
};

}  // namespace gstmemif
