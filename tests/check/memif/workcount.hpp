// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Counts what a thread asks for: memory, locks, system calls.
 *
 * Memory and locks by functions of this program that take the place of those of the C library and
 * of GLib, for all libraries in the process. System calls by a child process that traces the
 * thread.
 */
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace workcount {

struct Work {
  std::uint64_t allocations = 0;  ///< calls of malloc() and its like, reallocations included
  std::uint64_t locks = 0;        ///< mutexes of either library, and readers' and writers' locks
};

/** From now on what the calling thread asks for is counted. */
void count_this_thread() noexcept;
/** Of all threads that are counted. Any thread. */
Work so_far() noexcept;

/** Counts the system calls of a thread of this process while it lives. */
class SystemCalls {
 public:
  explicit SystemCalls(pid_t thread);
  ~SystemCalls();
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;

  /** Why nothing is counted, as an error number: tracing may not be allowed here. Or 0. */
  int error() const noexcept;
  std::uint64_t so_far() const noexcept;

 private:
  struct Shared;
  Shared* shared_;
  pid_t tracer_;
};

}  // namespace workcount
