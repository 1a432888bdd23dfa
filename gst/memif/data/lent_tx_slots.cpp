// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/lent_tx_slots.hpp"

#include <algorithm>
#include <utility>

namespace gstmemif {

void LentTxSlots::collect() noexcept {
  loans_.collect([&](const Loan& loan) {
    if (loan_ == &loan) loan_ = nullptr;
  });
}

bool LentTxSlots::may_lend() noexcept {
  collect();
  if (rest_ != 0) --rest_;
  return rest_ == 0 && loan_ == nullptr;
}

bool LentTxSlots::place(Loan& loan, const Ring& ring, std::uint16_t first,
                        std::span<const PacketDesc> packets) noexcept {
  std::uint32_t longest = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const Descriptor slot = ring.read(static_cast<std::uint16_t>(first + i));
    const std::uint32_t length = packets[i].length;
    if (slot.region != loan.buffers[0].region || length == 0 || length > slot.length ||
        std::uint64_t{slot.offset} + slot.length > loan.size()) {
      return false;
    }
    loan.buffers[i] = {slot.offset, slot.region, 0};
    longest = std::max(longest, length);
  }
  loan.count = static_cast<std::uint32_t>(packets.size());
  loan.buffer_size = longest;
  return true;
}

Loan* LentTxSlots::lend(std::shared_ptr<Link> link, const LinkMemory& memory, const Ring& ring,
                        std::uint16_t first, std::span<const PacketDesc> packets) {
  if (packets.empty() || packets.size() > Loan::kMax) return nullptr;
  const std::uint16_t region = ring.read(first).region;
  // 4 GiB is what an offset of a loan reaches.
  if (region >= memory.regions().size() || memory.regions()[region].size() > std::uint64_t{1}
                                                                                 << 32) {
    return nullptr;
  }
  Loan* loan = loans_.lend(std::move(link));
  loan->writable = true;
  loan->bytes = 0;
  loan->buffers[0] = {0, region, 0};
  if (!loan->map_peer(memory.regions()[region], true) || !place(*loan, ring, first, packets)) {
    loans_.cancel(loan);
    return nullptr;
  }
  first_ = first;
  return loan_ = loan;
}

bool LentTxSlots::take(const Loan& loan, std::uint16_t next) noexcept {
  if (loan_ != &loan || first_ != next) return false;
  loan_ = nullptr;
  return true;
}

bool LentTxSlots::withdraw(Loan& loan) noexcept {
  rest_ = kRest;
  return loan.detach_copy();
}

bool LentTxSlots::move_away() noexcept {
  collect();
  if (loan_ == nullptr) return true;
  if (!withdraw(*loan_)) return false;
  loan_ = nullptr;
  return true;
}

}  // namespace gstmemif
