// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A limit for what people are told of links, which a peer can make come and go all the time.
 */
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

/** Twenty at once, and then one a second. Not thread-safe. */
class NewsLimit {
 public:
  /** How many were held back before this one; nothing if this one is, too. */
  std::optional<unsigned> pass() noexcept {
    const auto now = Clock::now();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - counted_until_);
    counted_until_ += seconds;
    left_ = static_cast<unsigned>(std::min<std::chrono::seconds::rep>(
        kAtOnce, std::chrono::seconds::rep{left_} + seconds.count()));
    if (left_ == 0) {
      ++held_back_;
      return {};
    }
    --left_;
    return std::exchange(held_back_, 0U);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned kAtOnce = 20;

  Clock::time_point counted_until_ = Clock::now();
  unsigned left_ = kAtOnce;
  unsigned held_back_ = 0;
};
