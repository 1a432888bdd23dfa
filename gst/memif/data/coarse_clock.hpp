// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A cheap clock for time limits, accurate to a few milliseconds. Internal.
 */
#pragma once

#include <cstdint>
#include <ctime>

namespace gstmemif {

/** Nanoseconds of the monotonic clock as of its last tick, 1 to 10 ms ago at most. */
inline std::int64_t coarse_now_ns() noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace gstmemif
