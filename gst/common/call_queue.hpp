// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Calls that several threads have made one after the other. Internal.
 */
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace gstcommon {

/**
 * Calls to one observer of events, which may occur on several threads, also while it is being
 * called. It hears of one event at a time, in their order: otherwise the last news of a link could
 * be that it came up, although it has gone since. Any thread.
 */
class CallQueue {
 public:
  using Call = std::function<void()>;

  CallQueue() = default;
  CallQueue(const CallQueue&) = delete;

  /** Under the lock that gives events their order. */
  void add(Call call) {
    const std::lock_guard lock(mutex_);
    // While a call takes long, the next ones may become many: the last ones count.
    if (calls_.size() == kMost) calls_.pop_front();
    calls_.push_back(std::move(call));
  }

  /** Without locks. Leaves it to a call that is under way, of whichever thread, to go on. */
  void run() {
    std::unique_lock lock(mutex_);
    if (running_) return;
    running_ = true;
    while (!calls_.empty()) {
      Call call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      call = nullptr;  // what it keeps goes without the lock
      lock.lock();
    }
    running_ = false;
  }

  /** Forgets what has not begun. */
  void clear() {
    std::deque<Call> gone;
    const std::lock_guard lock(mutex_);
    gone.swap(calls_);
  }

 private:
  static constexpr std::size_t kMost = 256;

  std::mutex mutex_;  // guards what follows
  std::deque<Call> calls_;
  bool running_ = false;
};

}  // namespace gstcommon
