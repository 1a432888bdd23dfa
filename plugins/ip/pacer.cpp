// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/pacer.hpp"

namespace ipplugin {
namespace {

double now_ns() {
  return static_cast<double>(g_get_monotonic_time()) * 1000.0;
}

}  // namespace

bool Pacer::due(double now) const {
  return rate_.load(std::memory_order_relaxed) == 0 || next_ <= now + static_cast<double>(burst_);
}

bool Pacer::ready_at_rate() {
  const std::lock_guard lock(mutex_);
  return !interrupted_ && due(now_ns());
}

bool Pacer::wait() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (interrupted_) return false;
    const double now = now_ns();
    if (due(now)) return true;
    // In slices: waiting for years ahead would overflow.
    const double ahead = std::min(next_ - now - static_cast<double>(burst_), 1e9);
    changed_.wait_for(lock, std::chrono::nanoseconds(static_cast<std::int64_t>(ahead) + 1));
  }
}

void Pacer::sent_at_rate(std::size_t bytes, std::uint64_t rate) {
  const std::lock_guard lock(mutex_);
  // What was not sent before is not made up for.
  next_ = std::max(next_, now_ns()) + static_cast<double>(bytes) * 8e9 / static_cast<double>(rate);
}

}  // namespace ipplugin
