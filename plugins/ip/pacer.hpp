// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Holds datagrams back so that no more than a bit rate leaves, in bursts of bounded length.
 */
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace ipplugin {

/** One thread waits and counts; any thread sets and interrupts. */
class Pacer {
 public:
  static constexpr GstClockTime kBurst = 10 * GST_MSECOND;

  /** In bits per second; 0: no limit. */
  void set_rate(std::uint64_t rate) {
    const std::lock_guard lock(mutex_);
    rate_ = rate;
    changed_.notify_all();
  }
  /** The time whose bits may leave at once. */
  void set_burst(GstClockTime burst) {
    const std::lock_guard lock(mutex_);
    burst_ = burst;
    changed_.notify_all();
  }
  [[nodiscard]] std::uint64_t rate() const { return rate_.load(); }
  [[nodiscard]] GstClockTime burst() const {
    const std::lock_guard lock(mutex_);
    return burst_;
  }

  /** Whether the next datagram may leave now: without a lock or the clock if there is no limit. */
  [[nodiscard]] bool ready() {
    return rate_.load(std::memory_order_relaxed) == 0 || ready_at_rate();
  }
  /** Waits until it may; false if it was interrupted. */
  bool wait();
  /** Waits for so long; false if it was interrupted. */
  bool sleep(GstClockTime time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, std::chrono::nanoseconds(time),
                              [this] { return interrupted_; });
  }
  /** A datagram of so many bytes leaves. */
  void sent(std::size_t bytes) {
    if (const auto rate = rate_.load(std::memory_order_relaxed); rate != 0) {
      sent_at_rate(bytes, rate);
    }
  }

  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  void resume() {
    const std::lock_guard lock(mutex_);
    interrupted_ = false;
  }

 private:
  [[nodiscard]] bool due(double now) const;
  bool ready_at_rate();
  void sent_at_rate(std::size_t bytes, std::uint64_t rate);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> rate_{0};
  GstClockTime burst_ = kBurst;
  bool interrupted_ = false;
  // When the datagrams before will have left at the rate, in nanoseconds of the monotonic clock.
  double next_ = 0;
};

}  // namespace ipplugin
