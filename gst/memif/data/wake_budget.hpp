// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Limits how often a peer may wake us without packets.
 */
#pragma once

#include <algorithm>
#include <cstdint>

namespace gstmemif {

/**
 * Wake-ups without packets. An honest sender causes at most one per burst, when its packets were
 * taken before its signal arrived. So each received slot pays for one, a fixed number more is
 * tolerated, and a few per second are harmless. A peer beyond that is hostile.
 */
class WakeBudget {
 public:
  static constexpr std::int64_t kMost = 256;
  static constexpr std::int64_t kNsPerWake = 100'000'000;  ///< ten a second are always forgiven

  /**
   * Consumes one wake-up. Returns false if none is left.
   * @param slots received since the last call
   * @param now_ns of a clock that never goes back
   */
  bool spend(std::int64_t slots, std::int64_t now_ns) noexcept {
    const std::int64_t forgiven = (now_ns - since_ns_) / kNsPerWake;
    since_ns_ += forgiven * kNsPerWake;
    left_ = std::min(kMost, left_ + slots + forgiven) - 1;
    return left_ >= 0;
  }

 private:
  std::int64_t left_ = kMost;
  std::int64_t since_ns_ = 0;
};

}  // namespace gstmemif
