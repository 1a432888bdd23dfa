// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. The counters of an element. Each has one writer, a streaming thread.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gst/common/counter.hpp"
#include "gst/packet/element.hpp"
#include "gst/packet/reflect.hpp"

namespace gstpacket::detail {

using gstcommon::Counter;

/** A number of packets and their bytes. */
struct Tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  Tally& operator+=(const Tally& other) noexcept {
    packets += other.packets;
    bytes += other.bytes;
    return *this;
  }
};

/** The fields of `stats`, in their order there and with dashes in their names. */
enum class Count {
  packets_in,
  bytes_in,
  packets_out,
  bytes_out,
  batches,
  copies,
  flooded,
  dropped,
  drop_unlinked,  // from here on the reasons of the runtime, behind those of the element
  drop_port_down,
  drop_loop,
  drop_unreadable,
};

/** Whether elements of this shape have the field. */
[[nodiscard]] constexpr bool counted_in(Shape shape, Count which) noexcept {
  switch (which) {
    case Count::flooded:
    case Count::drop_port_down:
      return shape != Shape::filter;
    case Count::drop_loop:
      return shape == Shape::switcher;
    default:
      return true;
  }
}

/** The counters of one sink pad. */
class Counters {
 public:
  [[nodiscard]] Counter& operator[](Count which) noexcept {
    return counters_[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] std::uint64_t get(Count which) const noexcept {
    return counters_[static_cast<std::size_t>(which)].get();
  }
  /** By enumerators of the element's enum Drop. */
  [[nodiscard]] Counter& reason(std::size_t i) noexcept { return counters_[kFields + i]; }
  [[nodiscard]] std::uint64_t get_reason(std::size_t i) const noexcept {
    return counters_[kFields + i].get();
  }
  void reset() noexcept {
    for (Counter& counter : counters_) counter.reset();
  }
  void add(const Counters& other) noexcept {
    for (std::size_t i = 0; i < counters_.size(); ++i) counters_[i].add(other.counters_[i].get());
  }

 private:
  static constexpr std::size_t kFields = enum_names<Count>().size();
  std::array<Counter, kFields + kMaxEnumerators> counters_;
};

}  // namespace gstpacket::detail
