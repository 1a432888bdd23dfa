// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Limits the memory used by copies of received packets.
 */
#pragma once

#include <atomic>
#include <cstdint>

namespace gstmemif {

/** Bytes that are in use, of so many at the most. Any thread. */
class CopyBudget {
 public:
  explicit CopyBudget(std::uint64_t limit) noexcept : limit_(limit) {}

  /** False if that would be too much; then nothing is taken. */
  bool take(std::uint64_t bytes) noexcept {
    const std::uint64_t limit = limit_.load(std::memory_order_relaxed);
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used > limit || bytes > limit - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::uint64_t bytes) noexcept {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  std::uint64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  void set_limit(std::uint64_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> limit_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace gstmemif
