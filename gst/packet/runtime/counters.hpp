// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. Counters with one writer: the streaming thread.
#pragma once

#include <array>
#include <cstddef>

#include "gst/common/counter.hpp"
#include "gst/packet/reflect.hpp"

namespace gstpacket::detail {

using gstcommon::Counter;

struct Counters {
  Counter packets_in, bytes_in, packets_out, bytes_out, batches, copies, dropped;
  Counter unlinked, unreadable;
  std::array<Counter, kMaxEnumerators> reasons;

  void reset() noexcept {
    for (Counter Counters::*c : kAll) (this->*c).reset();
    for (Counter& c : reasons) c.reset();
  }
  void add(const Counters& other) noexcept {
    for (Counter Counters::*c : kAll) (this->*c).add((other.*c).get());
    for (std::size_t i = 0; i < reasons.size(); ++i) reasons[i].add(other.reasons[i].get());
  }

 private:
  static const std::array<Counter Counters::*, 9> kAll;
};

inline constexpr std::array<Counter Counters::*, 9> Counters::kAll{
    &Counters::packets_in, &Counters::bytes_in, &Counters::packets_out,
    &Counters::bytes_out,  &Counters::batches,  &Counters::copies,
    &Counters::dropped,    &Counters::unlinked, &Counters::unreadable};

}  // namespace gstpacket::detail
