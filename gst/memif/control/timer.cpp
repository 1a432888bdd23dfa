// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/timer.hpp"

#include <algorithm>
#include <utility>

namespace gstmemif {

Result<Timer> Timer::make(Loop& loop, Loop::Handler handler) {
  Result<UniqueFd> made = make_timerfd();
  if (!made) return made.error();
  Timer timer;
  timer.fd_ = std::make_shared<const UniqueFd>(std::move(*made));
  timer.watch_ = loop.watch(timer.fd_->get(), [fd = timer.fd_, handler = std::move(handler)] {
    const ControlLock lock;
    // Read under the lock: a timer that was disarmed or armed anew meanwhile has nothing to read.
    if (read_timerfd(fd->get())) handler();
  });
  return timer;
}

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    disarm();  // an event that is under way finds nothing
    watch_ = std::move(other.watch_);
    fd_ = std::move(other.fd_);
  }
  return *this;
}

void Timer::arm(std::uint32_t milliseconds) noexcept {
  constexpr std::uint64_t kNanoseconds = 1'000'000;
  if (fd_) arm_timerfd(fd_->get(), std::max<std::uint64_t>(milliseconds, 1) * kNanoseconds);
}

void Timer::disarm() noexcept {
  if (fd_) arm_timerfd(fd_->get(), 0);
}

}  // namespace gstmemif
