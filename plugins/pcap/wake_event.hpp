// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Ends a wait in poll() from another thread, for as long as it is set.
 */
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace pcapplugin {

class WakeEvent {
 public:
  WakeEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~WakeEvent() {
    if (fd_ >= 0) close(fd_);
  }
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  void set() noexcept {
    constexpr std::uint64_t kOne = 1;
    [[maybe_unused]] const auto written = write(fd_, &kOne, sizeof kOne);  // full is set, too
  }
  void clear() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto was_set = read(fd_, &count, sizeof count);
  }
  /** For poll(); negative if there was no descriptor left, and then nothing is woken. */
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

/**
 * Waits until `fd` (a negative one: never) is ready for `events`, or has an error, for `timeout`
 * milliseconds (negative: for ever). False if it is not, or one of the events is set.
 */
template <class... Events>
[[nodiscard]] bool wait_ready(int fd, short events, int timeout, const Events&... wake) noexcept {
  pollfd polled[] = {{fd, events, 0}, {wake.fd(), POLLIN, 0}...};
  while (poll(polled, std::size(polled), timeout) < 0) {
    if (errno != EINTR) return false;
  }
  for (std::size_t i = 1; i < std::size(polled); ++i) {
    if (polled[i].revents != 0) return false;
  }
  return polled[0].revents != 0;
}

}  // namespace pcapplugin
