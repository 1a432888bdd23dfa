// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/held_slots.hpp"

namespace gstmemif {

void HeldSlots::push(std::uint32_t slots, Loan* loan) noexcept {
  bursts_[end_] = {loan, slots};
  end_ = after(end_);
  if (loan == nullptr) return;
  lent_ += slots;
  ++loans_out_;
  bytes_out_ += loan->bytes;
}

void HeldSlots::returned(const Loan& loan) noexcept {
  --loans_out_;
  bytes_out_ -= loan.bytes;
  for (std::uint32_t i = first_; i != end_; i = after(i)) {
    if (bursts_[i].loan != &loan) continue;
    bursts_[i].loan = nullptr;
    lent_ -= bursts_[i].slots;
    return;
  }
}

std::uint32_t HeldSlots::pop() noexcept {
  std::uint32_t slots = 0;
  for (; first_ != end_ && bursts_[first_].loan == nullptr; first_ = after(first_)) {
    slots += bursts_[first_].slots;
  }
  return slots;
}

void HeldSlots::vacate() noexcept {
  for (std::uint32_t i = first_; i != end_; i = after(i)) {
    Burst& burst = bursts_[i];
    if (burst.loan == nullptr || !burst.loan->detach_copy()) continue;
    burst.loan = nullptr;
    lent_ -= burst.slots;
  }
}

}  // namespace gstmemif
