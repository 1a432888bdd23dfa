// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A monotonic clock that can be put forward, so that what takes seconds is an input like any
 * other. For one source of a program: it defines the clock_gettime() that the libraries call, too.
 */
#pragma once

#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>

namespace fuzz {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline std::atomic<std::int64_t> clock_ahead{0};  // nanoseconds

inline void put_clock_forward(std::int64_t nanoseconds) {
  clock_ahead += nanoseconds;
}

/** A timer that the kernel runs by its own clock; nothing happens to any other descriptor. */
inline void put_timer_forward(int fd, std::int64_t nanoseconds) {
  itimerspec timer{};
  if (::timerfd_gettime(fd, &timer) != 0) return;
  std::int64_t left = timer.it_value.tv_sec * kSecond + timer.it_value.tv_nsec;
  if (left == 0) return;  // not armed, or due already
  left = std::max<std::int64_t>(left - nanoseconds, 1);
  timer.it_value = {left / kSecond, left % kSecond};
  ::timerfd_settime(fd, 0, &timer, nullptr);
}

}  // namespace fuzz

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock,
                                                                    timespec* time) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (result != 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)) return result;
  const std::int64_t now = time->tv_sec * fuzz::kSecond + time->tv_nsec + fuzz::clock_ahead;
  *time = {now / fuzz::kSecond, now % fuzz::kSecond};
  return 0;
}
