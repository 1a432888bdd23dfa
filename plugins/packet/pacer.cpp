// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/pacer.hpp"

#include <algorithm>
#include <chrono>

#include "plugins/packet/test_header.hpp"

namespace packetplugin {

void Pacer::set_rate(const Rate& rate) {
  const std::lock_guard lock(mutex_);
  next_rate_ = rate;
  changed_.notify_all();
}

bool Pacer::wait(std::uint64_t& now) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (interrupted_) return false;
    if (next_rate_) {
      rate_ = *next_rate_;
      next_rate_.reset();
      due_ = 0;
    }
    now = monotonic_now();
    const auto time = static_cast<double>(now);
    due_ = due_ == 0 ? time : std::max(due_, time - kMostDebt);
    if (due(now)) return true;
    // In slices: waiting for years ahead would overflow.
    const auto ahead = std::min(due_ - time, 1e9);
    changed_.wait_for(lock, std::chrono::nanoseconds(static_cast<std::int64_t>(ahead) + 1));
  }
}

void Pacer::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

void Pacer::resume() {
  const std::lock_guard lock(mutex_);
  interrupted_ = false;
}

}  // namespace packetplugin
