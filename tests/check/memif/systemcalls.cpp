// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

#include "workcount.hpp"

namespace workcount {

/** Seen by the tracer and by us. */
struct SystemCalls::Shared {
  std::atomic<bool> may_start{false};
  std::atomic<int> state{kStarting};  // or an error number
  std::atomic<std::uint64_t> calls{0};

  static constexpr int kStarting = -1;
  static constexpr int kCounting = 0;

  /** The life of the tracer: each call stops the thread twice, at its entry and at its end. */
  [[noreturn]] void trace(pid_t thread) noexcept;
};

void SystemCalls::Shared::trace(pid_t thread) noexcept {
  while (!may_start) usleep(100);
  if (ptrace(PTRACE_SEIZE, thread, nullptr, PTRACE_O_TRACESYSGOOD) != 0 ||
      ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) {
    state = errno;
    _exit(1);
  }
  constexpr int kSystemCall = SIGTRAP | 0x80;
  bool at_entry = true;
  int status = 0;
  while (waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status)) {
    long signal = 0;
    if (WSTOPSIG(status) == kSystemCall) {
      if (at_entry) calls.fetch_add(1);
      at_entry = !at_entry;
    } else if (status >> 16 == PTRACE_EVENT_STOP) {
      state = kCounting;
    } else {
      signal = WSTOPSIG(status);
    }
    ptrace(PTRACE_SYSCALL, thread, nullptr, signal);
  }
  _exit(0);
}

SystemCalls::SystemCalls(pid_t thread)
    : shared_(new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared()),
      tracer_(::fork()) {
  if (tracer_ == 0) shared_->trace(thread);
  // Where only ancestors may trace, unless they are invited.
  ::prctl(PR_SET_PTRACER, tracer_, 0, 0, 0);
  shared_->may_start = true;
  while (shared_->state == Shared::kStarting) ::usleep(100);
}

SystemCalls::~SystemCalls() {
  // The thread goes on alone when its tracer ends.
  ::kill(tracer_, SIGKILL);
  ::waitpid(tracer_, nullptr, 0);
  ::munmap(shared_, sizeof(Shared));
}

int SystemCalls::error() const noexcept {
  return shared_->state;
}

std::uint64_t SystemCalls::so_far() const noexcept {
  return shared_->calls;
}

}  // namespace workcount
