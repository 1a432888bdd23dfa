// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// When packets are due: sleeps until the next one, then lets out all that are due by then, so that
// batches grow with the rate.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "plugins/packet/gen_settings.hpp"

namespace gstpacket {

class Pacer {
 public:
  /// Starts anew: the next packet is due at once. Any thread; also ends a wait for a packet that
  /// was far away.
  void set_rate(const Rate& rate);

  /// Waits until a packet is due, or interrupt(): then false. `now` is what the clock said last.
  bool wait(std::uint64_t& now);
  /// Whether one more packet is due at `now`.
  [[nodiscard]] bool due(std::uint64_t now) const noexcept {
    return rate_.unlimited() || due_ <= static_cast<double>(now);
  }
  void sent(std::uint32_t size) noexcept { due_ += rate_.ns_per_packet + rate_.ns_per_byte * size; }

  /// Any thread: wait() fails until resume().
  void interrupt();
  void resume();

 private:
  // What a stall of the pipeline may make up for afterwards; beyond that it is lost.
  static constexpr double kMostDebt = 100e6;

  // Streaming thread.
  Rate rate_;
  double due_ = 0;  // of the next packet, in nanoseconds of the clock; 0: now

  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;       // mutex_
  std::optional<Rate> next_rate_;  // mutex_
};

}  // namespace gstpacket
