// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/peer_signal.hpp"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <new>

#include "gst/memif/control/fd.hpp"

namespace gstmemif {
namespace {

// Signals that are sent before their results, which say nothing, are thrown away together.
constexpr unsigned kRequests = 128;

const char* why_no_context(int error) noexcept {
  switch (error) {
    case EAGAIN:
      return "cannot wake the peer: all AIO requests of the system are taken; raise fs.aio-max-nr";
    case EMFILE:
    case ENFILE:
      return "cannot wake the peer: out of file descriptors; raise the limit (ulimit -n)";
    case ENOMEM:
      return "cannot wake the peer: out of memory";
    default:
      return "cannot wake the peer: this system or a filter of system calls does not allow "
             "io_setup; allow it, or let the peer poll";
  }
}

/**
 * Signals by Linux AIO, which adds one to an eventfd when a request completes and cannot wait for
 * its counter. The request is a poll of a descriptor of ours that is always ready, so it completes
 * within io_submit(): none is ever under way that a peer could hold up.
 *
 * The process has one context. It is made when the first signal is due, since a process that has
 * one takes some 30 ms longer to end; and, like all our globals, never destroyed.
 */
class SignalContext {
 public:
  /** Null on success, or the reason. */
  static const char* signal(int event_fd) noexcept {
    SignalContext* context = current.load(std::memory_order_acquire);
    if (context == nullptr || !context->add_one(event_fd)) {
      const char* reason = nullptr;
      context = make(context, reason);
      if (context == nullptr) return reason;
      if (!context->add_one(event_fd)) return "cannot wake the peer: io_submit failed";
    }
    return nullptr;
  }

 private:
  static SignalContext* make(SignalContext* unusable, const char*& reason) noexcept;

  /** Leaves the cause in errno if it fails. */
  bool open() noexcept {
    always_ready_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    return always_ready_ && ::syscall(SYS_io_setup, kRequests, &id_) == 0;
  }

  bool add_one(int event_fd) noexcept {
    iocb request{};
    request.aio_lio_opcode = IOCB_CMD_POLL;
    request.aio_fildes = static_cast<std::uint32_t>(always_ready_.get());
    request.aio_buf = POLLOUT;
    request.aio_flags = IOCB_FLAG_RESFD;
    request.aio_resfd = static_cast<std::uint32_t>(event_fd);
    iocb* const requests[] = {&request};
    // Others may take the room that was made: but not again and again.
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
      if (::syscall(SYS_io_submit, id_, 1L, requests) == 1) return true;
      if (errno != EAGAIN) return false;
      discard_results();
    }
    return false;
  }

  void discard_results() noexcept {
    io_event results[kRequests];
    timespec no_time{};
    ::syscall(SYS_io_getevents, id_, 0L, static_cast<long>(kRequests), results, &no_time);
  }

  static std::atomic<SignalContext*> current;

  UniqueFd always_ready_;
  aio_context_t id_ = 0;
  const pid_t process_ = ::getpid();
};

std::atomic<SignalContext*> SignalContext::current{nullptr};

/** A context, also in a child process: that of the parent is not the child's. */
SignalContext* SignalContext::make(SignalContext* unusable, const char*& reason) noexcept {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  SignalContext* made = current.load(std::memory_order_acquire);
  if (made != nullptr && (made != unusable || made->process_ == ::getpid())) return made;
  std::unique_ptr<SignalContext> fresh(new (std::nothrow) SignalContext);
  if (!fresh || !fresh->open()) {
    reason = why_no_context(errno);
    return nullptr;
  }
  made = fresh.release();
  current.store(made, std::memory_order_release);
  return made;
}

}  // namespace

const char* signal_peer(int event_fd) noexcept {
  return SignalContext::signal(event_fd);
}

bool takes_signals(int event_fd) noexcept {
  pollfd poll_fd{event_fd, POLLOUT, 0};
  // Where a signal handler comes in between it is not known; the next look will tell.
  return ::poll(&poll_fd, 1, 0) < 0 || (poll_fd.revents & POLLOUT) != 0;
}

const char* clear_signal(int event_fd) noexcept {
  std::uint64_t count;
  iovec vector{&count, sizeof count};
  ssize_t got;
  do {
    // The flag of this one call cannot be taken away.
    got = ::preadv2(event_fd, &vector, 1, -1, RWF_NOWAIT);
  } while (got < 0 && errno == EINTR);
  // Nothing to read, when the peer was faster, is as good. But there is no other way to try.
  if (got >= 0 || errno == EAGAIN) return nullptr;
  return "cannot take wake-ups of the peer: this kernel reads no eventfd with RWF_NOWAIT (Linux "
         "5.8 does); use polling";
}

}  // namespace gstmemif
