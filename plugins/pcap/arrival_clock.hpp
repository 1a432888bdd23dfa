// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * From the times of a pipeline to the time of day.
 */
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>

#include "plugins/common/clock_pair.hpp"

namespace pcapplugin {

/** Nanoseconds since 1970, now. */
[[nodiscard]] inline std::uint64_t time_of_day() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

/** One thread. */
class ArrivalClock {
 public:
  /**
   * When it was `running_time` in the pipeline of `element`, in nanoseconds since 1970. Now if that
   * is not known, as there is no time or no clock.
   */
  [[nodiscard]] std::uint64_t time_of_day_at(GstElement* element, GstClockTime running_time) {
    if (!GST_CLOCK_TIME_IS_VALID(running_time)) return time_of_day();
    const GstClockTime time = gst_element_get_base_time(element) + running_time;
    if (!known_ || time + GST_SECOND < measured_at_ || time > measured_at_ + GST_SECOND) {
      if (!measure(element)) return time_of_day();
    }
    const auto then = static_cast<std::int64_t>(time) + offset_;
    return then > 0 ? static_cast<std::uint64_t>(then) : 0;
  }
  void forget() noexcept { known_ = false; }

 private:
  /**
   * The two clocks drift apart slowly, unless one is set. Small differences are those of measuring,
   * which must not let time run backwards.
   */
  bool measure(GstElement* element) {
    GstClock* clock = gst_element_get_clock(element);
    if (clock == nullptr) return false;
    const ClockPair now = read_clocks([clock] { return gst_clock_get_time(clock); }, time_of_day);
    gst_object_unref(clock);
    measured_at_ = now.first;
    const std::int64_t offset = GST_CLOCK_DIFF(now.first, now.second);
    const std::int64_t same = kSame + static_cast<std::int64_t>(now.took);
    if (!known_ || offset > offset_ + same || offset < offset_ - same) offset_ = offset;
    known_ = true;
    return true;
  }

  static constexpr std::int64_t kSame = 1'000'000;

  bool known_ = false;
  GstClockTime measured_at_ = 0;
  std::int64_t offset_ = 0;
};

}  // namespace pcapplugin
