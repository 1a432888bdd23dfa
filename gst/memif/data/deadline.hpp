// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The time that is left of a wait.
 */
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "gst/memif/queue_user.hpp"

namespace gstmemif {

/** The time that is left of a wait. No clock is read for one without a limit. */
class Deadline {
 public:
  explicit Deadline(std::int64_t timeout_ns)
      : endless_(timeout_ns < 0),
        end_(endless_ ? std::chrono::steady_clock::time_point()
                      : std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout_ns)) {}

  bool passed() const { return !endless_ && std::chrono::steady_clock::now() >= end_; }
  std::int64_t left_ns() const {
    if (endless_) return kForever;
    return std::max<std::int64_t>(
        0, std::chrono::nanoseconds(end_ - std::chrono::steady_clock::now()).count());
  }
  std::int64_t shorter_of(std::int64_t other_ns) const {
    const std::int64_t left = left_ns();
    return left < 0 ? other_ns : std::min(left, other_ns);
  }

 private:
  bool endless_;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace gstmemif
