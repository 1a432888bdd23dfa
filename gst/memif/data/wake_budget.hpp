// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file How often a peer may wake us for nothing. */
#pragma once

#include <algorithm>
#include <cstdint>

namespace gstmemif {

/**
 * Wake-ups without news. An honest sender causes one per burst at the most: we took its
 * packets before its signal came. So each slot received is good for one, some more are forgiven,
 * and as many again as there is time for them to do no harm. A peer that goes on beyond that is out
 * to keep us busy.
 */
class WakeBudget {
 public:
  static constexpr std::int64_t kMost = 256;
  static constexpr std::int64_t kNsPerWake = 100'000'000;  ///< ten a second are always forgiven

  /**
   * Takes one wake-up off. Returns false if none was left.
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
