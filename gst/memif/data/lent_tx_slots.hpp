// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * As master: free slots of a sending ring, lent with packets in them before they are sent.
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
   * Copies @p packets, which lie in @p from, to the free slots from @p first on, one each, and
   * lends these: places()[i] of the loan is where packet i went, and @p copies[i] describes it.
   * Null if one is empty, reaches beyond @p from or does not fit, or the memory cannot be lent.
   */
  Loan* lend(std::shared_ptr<Link> link, const LinkMemory& memory, const Ring& ring,
             std::uint16_t first, TxSegment from, std::span<const PacketDesc> packets,
             PacketDesc* copies);
  /** Whether the slots from @p next on are those of @p loan. */
  bool are_next(const Loan& loan, std::uint16_t next) const noexcept {
    return loan_ == &loan && first_ == next;
  }
  /** The slots have been sent: they are no longer lent. */
  void take() noexcept { loan_ = nullptr; }
  /** Moves the packets of @p loan away, whose slots were taken. False without memory. */
  bool withdraw(Loan& loan) noexcept;
  /** The slots are needed: moves packets away that lie there. False without memory. */
  bool vacate() noexcept { return loan_ == nullptr || move_away(); }

 private:
  // As for slots that are received: so many bursts are not lent after one had to be moved.
  static constexpr std::uint32_t kRest = 1024;

  bool move_away() noexcept;
  void collect() noexcept;

  LoanBook loans_;
  Loan* loan_ = nullptr;  // whose slots are not sent yet
  std::uint16_t first_ = 0;
  std::uint32_t rest_ = 0;  // bursts
};

}  // namespace gstmemif
