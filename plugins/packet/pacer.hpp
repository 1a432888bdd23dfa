// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Paces packets: sleeps until the next one is due, then releases all that are due by then, so
 * batches grow with the rate.
 */
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "plugins/packet/gen_settings.hpp"

namespace packetplugin {

using namespace gstpacket;

class Pacer {
 public:
  /** Restarts: the next packet is due at once. Any thread; ends a wait() in progress. */
  void set_rate(const Rate& rate);

  /**
   * Waits until a packet is due; false after interrupt(). `now` is set to the time of the clock.
   */
  bool wait(std::uint64_t& now);
  /** Whether one more packet is due at `now`. */
  [[nodiscard]] bool due(std::uint64_t now) const noexcept {
    return rate_.unlimited() || due_ <= static_cast<double>(now);
  }
  void sent(std::uint32_t size) noexcept { due_ += rate_.ns_per_packet + rate_.ns_per_byte * size; }

  /** Makes wait() return false until resume(). Any thread. */
  void interrupt();
  void resume();

 private:
  // Time that may be made up for after a stall of the pipeline.
  static constexpr double kMostDebt = 100e6;

  // Streaming thread.
  Rate rate_;
  double due_ = 0;  // of the next packet, in nanoseconds of the clock; 0: now

  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;       // mutex_
  std::optional<Rate> next_rate_;  // mutex_
};

}  // namespace packetplugin
