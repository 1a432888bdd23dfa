// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private. Counters with one writer: the streaming thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gst/packet/reflect.hpp"

namespace gstpacket::detail {

/// A load and a store instead of an atomic addition: there is only one writer at a time.
class Counter {
 public:
  void add(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void reset() noexcept { value_.store(0, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

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
