// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Owned file descriptors, and the two kinds the library makes itself: eventfd and timerfd.
 */
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "gst/memif/export.hpp"
#include "gst/memif/result.hpp"

namespace gstmemif {

/** A file descriptor with one owner; closed when the owner goes. */
class GSTMEMIF_API UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/**
 * The text of an errno, with the limit that was met and the remedy where a resource ran out.
 */
GSTMEMIF_API std::string error_text(int error);

/** A new non-blocking, close-on-exec eventfd. */
GSTMEMIF_API Result<UniqueFd> make_eventfd();

/** A new non-blocking, close-on-exec timerfd on the monotonic clock, not armed. */
GSTMEMIF_API Result<UniqueFd> make_timerfd();

/** Arms @p fd to fire once after @p nanoseconds; 0 disarms it. */
GSTMEMIF_API void arm_timerfd(int fd, std::uint64_t nanoseconds) noexcept;

/** True if @p fd has fired since it was armed or read. Never blocks. */
GSTMEMIF_API bool read_timerfd(int fd) noexcept;

/**
 * True if @p fd is a memory file: of tmpfs, a memfd or huge pages. The kernel answers without
 * asking a file server, so this may be called on any descriptor; fstat() may not.
 */
GSTMEMIF_API bool is_memory_file(int fd) noexcept;

/** True if @p fd is an eventfd: the only kind of descriptor that a ring may bring along. */
GSTMEMIF_API bool is_eventfd(int fd) noexcept;

/**
 * Adds one to an eventfd of ours that no peer has: for one that is shared, see peer_signal.hpp. A
 * full counter is as good as a wake-up, so it counts as success.
 */
GSTMEMIF_API bool signal_eventfd(int fd) noexcept;

/**
 * Takes the counter of an eventfd of ours, that no peer has, back to zero. Returns false if there
 * was nothing to read.
 */
GSTMEMIF_API bool drain_eventfd(int fd) noexcept;

}  // namespace gstmemif
