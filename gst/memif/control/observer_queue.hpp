// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What one observer of an interface has yet to be told. Internal.
 */
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "gst/memif/interface.hpp"

namespace gstmemif {

/**
 * Events of an interface occur on several threads, and an observer may cause the next one while it
 * is told of the last. It hears of one at a time, in their order: else the last that it hears of a
 * link could be that it came up, though it has gone since. Any thread.
 */
class ObserverQueue {
 public:
  using Call = std::function<void(InterfaceObserver&)>;

  explicit ObserverQueue(std::weak_ptr<InterfaceObserver> observer)
      : observer_(std::move(observer)) {}
  ObserverQueue(const ObserverQueue&) = delete;

  bool expired() const noexcept { return observer_.expired(); }

  /** Under the ControlLock, which gives events their order. */
  void add(Call call) {
    const std::lock_guard lock(mutex_);
    // While an observer holds up a call, peers may come and go: the last events count.
    if (calls_.size() == kMost) calls_.pop_front();
    calls_.push_back(std::move(call));
  }

  /** Without locks. Leaves it to a call that is under way, of whichever thread, to go on. */
  void tell() {
    std::unique_lock lock(mutex_);
    if (telling_) return;
    telling_ = true;
    while (!calls_.empty()) {
      const Call call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      if (const auto observer = observer_.lock()) call(*observer);
      lock.lock();
    }
    telling_ = false;
  }

 private:
  static constexpr std::size_t kMost = 256;

  const std::weak_ptr<InterfaceObserver> observer_;
  std::mutex mutex_;  // guards what follows
  std::deque<Call> calls_;
  bool telling_ = false;
};

}  // namespace gstmemif
