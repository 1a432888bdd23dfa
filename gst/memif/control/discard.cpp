// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/discard.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <mutex>

namespace gstmemif {
namespace {

/**
 * The queue of descriptors, and the thread that closes them, which runs while there are any. It is
 * detached, so that the process can exit without waiting for it.
 */
class Discarder {
 public:
  std::size_t room() noexcept {
    const std::lock_guard lock(mutex_);
    return fds_.size() - held_;
  }

  void add(UniqueFd fd) noexcept {
    const std::lock_guard lock(mutex_);
    // Callers check room() first. If there is none all the same, the descriptor stays open.
    const int number = fd.release();
    if (held_ == fds_.size()) return;
    fds_[(first_ + held_++) % fds_.size()] = number;
    // If no thread can be started, they wait for the next call.
    if (!running_) running_ = start();
  }

 private:
  bool start() noexcept {
    // Signals belong to the threads of the application.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    const bool started = ::pthread_create(&thread, nullptr, run, this) == 0;
    if (started) ::pthread_detach(thread);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
  }

  static void* run(void* self) noexcept {
    ::pthread_setname_np(::pthread_self(), "memif-discard");
    static_cast<Discarder*>(self)->close_all();
    return nullptr;
  }

  void close_all() noexcept {
    std::unique_lock lock(mutex_);
    for (; held_ != 0; --held_) {
      const int fd = fds_[first_];
      lock.unlock();
      ::close(fd);
      lock.lock();
      first_ = (first_ + 1) % fds_.size();
    }
    running_ = false;
  }

  std::mutex mutex_;
  std::array<int, 512> fds_;  // a ring; the one that is being closed is the first
  std::size_t first_ = 0;
  std::size_t held_ = 0;
  bool running_ = false;
};

/** Never destroyed, like all our globals: the thread may be stuck when the process exits. */
Discarder& discarder() noexcept {
  static auto& one = *new Discarder();
  return one;
}

}  // namespace

void discard(UniqueFd fd) noexcept {
  if (fd) discarder().add(std::move(fd));
}

std::size_t discard_room() noexcept {
  return discarder().room();
}

}  // namespace gstmemif
