// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file Logs that a peer cannot flood. */
#pragma once

#include <chrono>
#include <optional>
#include <utility>

namespace gstmemif {

/**
 * For what others can make us say as often as they like: one line a second goes through, the rest
 * is counted.
 */
class LogLimit {
 public:
  /** How many lines were held back since the last one; nothing if this one is held back too. */
  std::optional<unsigned> pass() noexcept {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) {
      ++held_back_;
      return {};
    }
    next_ = now + std::chrono::seconds(1);
    return std::exchange(held_back_, 0U);
  }

 private:
  std::chrono::steady_clock::time_point next_{};
  unsigned held_back_ = 0;
};

}  // namespace gstmemif
