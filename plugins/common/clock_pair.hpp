// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Two clocks, read as if at once.
 */
#pragma once

#include <gst/gst.h>

/** What two clocks showed, and how long it took to read them. */
struct ClockPair {
  GstClockTime first = GST_CLOCK_TIME_NONE, second = GST_CLOCK_TIME_NONE;
  GstClockTime took = GST_CLOCK_TIME_NONE;  // no more than that the one is later than the other
};

/**
 * Reads both again if the thread was held up in between, some times.
 * @param first,second functions that return the time of a clock; the first must not go backwards
 */
template <class First, class Second>
ClockPair read_clocks(First first, Second second) {
  constexpr GstClockTime kSoon = 20 * GST_USECOND;
  constexpr int kTries = 10;
  ClockPair best;
  for (int i = 0; i < kTries && best.took > kSoon; ++i) {
    const GstClockTime before = first();
    const GstClockTime between = second();
    const GstClockTime took = first() - before;
    if (took < best.took) best = {before, between, took};
  }
  return best;
}
