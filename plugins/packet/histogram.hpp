// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A histogram of durations with bounded error and bounded size: each power of two is divided into
 * 64 steps, so values below 128 are exact and all others are known to 1.6 per cent.
 */
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace packetplugin {

/** Of 64-bit values, such as nanoseconds. One thread at a time; never allocates. */
class Histogram {
 public:
  /** Counts `value`, `times` times. */
  void add(std::uint64_t value, std::uint64_t times = 1) noexcept {
    counts_[bucket(value)] += times;
    total_ += times;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }
  void clear() noexcept { *this = {}; }

  /** The number of values added. */
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  /** The exact smallest and largest value; 0 without values. */
  [[nodiscard]] std::uint64_t min() const noexcept { return total_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

  /**
   * The smallest value that `percent` (0 to 100) of all values do not exceed, rounded up to the
   * end of its step; 0 without values.
   */
  [[nodiscard]] std::uint64_t percentile(double percent) const noexcept {
    if (total_ == 0) return 0;
    const double wanted = std::ceil(static_cast<double>(total_) * percent / 100.0);
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return std::clamp(last_of(i), min_, max_);
    }
    return max_;
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kSteps = std::size_t{1} << kBits;
  static constexpr std::size_t kBuckets = (64 - kBits + 1) * kSteps;

  // Values below 2 * kSteps are their own bucket. Above, the exponent picks a row of kSteps, and
  // the bits behind the leading one the step in it.
  [[nodiscard]] static constexpr std::size_t bucket(std::uint64_t value) noexcept {
    if (value < kSteps) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    return shift * kSteps + static_cast<std::size_t>(value >> shift);
  }
  /** The largest value for which bucket(value) is `index`. */
  [[nodiscard]] static constexpr std::uint64_t last_of(std::size_t index) noexcept {
    if (index < 2 * kSteps) return index;
    const std::size_t shift = index / kSteps - 1;
    const std::uint64_t step = index - shift * kSteps;
    return (step << shift) + ((std::uint64_t{1} << shift) - 1);
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
};

}  // namespace packetplugin
