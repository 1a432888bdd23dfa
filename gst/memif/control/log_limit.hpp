// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Rate limiting of log lines that a peer can provoke.
 */
#pragma once

#include <chrono>
#include <optional>
#include <utility>

namespace gstmemif {

/** For messages that a peer can trigger at will: one a second passes, the rest is counted. */
class LogLimit {
 public:
  /** The number of lines suppressed since the last one; empty if this one is suppressed too. */
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
