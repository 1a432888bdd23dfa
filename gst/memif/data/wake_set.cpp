// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/wake_set.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace gstmemif {
namespace {

enum : std::uint32_t { kOwn, kRing };

bool add(int epoll, int fd, std::uint32_t events, std::uint32_t tag) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u32 = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int milliseconds(std::int64_t ns) noexcept {
  constexpr std::int64_t kMs = 1'000'000;
  if (ns < 0) return -1;
  const std::int64_t ms = ns / kMs + (ns % kMs != 0 ? 1 : 0);
  return static_cast<int>(std::min<std::int64_t>(ms, std::numeric_limits<int>::max()));
}

}  // namespace

WakeSet::WakeSet(int own) noexcept : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ && !add(epoll_.get(), own, EPOLLIN, kOwn)) epoll_.reset();
}

void WakeSet::watch(int ring) noexcept {
  if (!epoll_) return;
  // Not left to close(): the peer has the same open file, and its signals would go on to arrive.
  if (const int old = std::exchange(ring_, -1); old >= 0) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, old, nullptr);
  }
  if (ring >= 0 && add(epoll_.get(), ring, EPOLLIN | EPOLLET, kRing)) ring_ = ring;
}

WakeSet::Woken WakeSet::wait(std::int64_t timeout_ns) noexcept {
  epoll_event events[2];
  const int count = ::epoll_wait(epoll_.get(), events, 2, milliseconds(timeout_ns));
  Woken woken{};
  for (int i = 0; i < count; ++i) (events[i].data.u32 == kOwn ? woken.own : woken.ring) = true;
  return woken;
}

}  // namespace gstmemif
