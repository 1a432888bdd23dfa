// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Survives a peer that removes the memory under a mapping.
 *
 * A file that is not sealed against shrinking may be truncated by the peer at any time, and
 * punching a hole into huge pages returns pages that may then be gone, regardless of seals.
 * Accessing the mapping then raises SIGBUS. VPP's and DPDK's zero-copy regions are such memory, so
 * refusing it is not an option. Instead, a SIGBUS in a guarded range replaces the whole mapping by
 * zeroed private memory and sets a flag that the data plane checks: the link goes down, the process
 * survives.
 *
 * The handler of SIGBUS is process-wide. It is installed with the first guard, and installed again,
 * in front of a handler that other code has installed since, with the next guard. Signals outside
 * of guarded ranges (other faults, and signals sent by kill()) go to the previous handler, or have
 * their default effect if there was none. A thread that blocks SIGBUS would be killed by the
 * kernel: see admit_thread() and BusErrorScope.
 */
#pragma once

#include <signal.h>

#include <atomic>
#include <cstddef>

#include "gst/memif/export.hpp"
#include "gst/memif/result.hpp"

namespace gstmemif {

/** Guards one mapping for as long as it lives. */
class GSTMEMIF_API BusGuard {
 public:
  BusGuard() = default;
  BusGuard(BusGuard&& other) noexcept : slot_(other.slot_) { other.slot_ = kNone; }
  BusGuard& operator=(BusGuard&& other) noexcept;
  BusGuard(const BusGuard&) = delete;
  ~BusGuard() { release(); }

  /**
   * Installs the handler if it is not the one in use. Fails when too many mappings are guarded
   * already, or when others have replaced the handler too often. Any thread.
   */
  static Result<BusGuard> protect(void* base, std::size_t length);

  /**
   * Unblocks SIGBUS in the calling thread, for good; for threads that touch guarded memory again
   * and again. Cheap but for the first call of a thread.
   */
  static void admit_thread() noexcept;

  /** Ends the guard; call before the range is unmapped. */
  void release() noexcept;

  bool active() const noexcept { return slot_ != kNone; }

  /** True once the mapping was lost and replaced. Any thread. */
  bool lost() const noexcept;

 private:
  static constexpr int kNone = -1;
  explicit BusGuard(int slot) noexcept : slot_(slot) {}

  int slot_ = kNone;
};

/** Unblocks SIGBUS in a foreign thread for the lifetime of the object. */
class GSTMEMIF_API BusErrorScope {
 public:
  /** @param guarded whether guarded memory will be accessed; if not, does nothing */
  explicit BusErrorScope(bool guarded) noexcept;
  ~BusErrorScope();
  BusErrorScope(const BusErrorScope&) = delete;
  BusErrorScope& operator=(const BusErrorScope&) = delete;

 private:
  const bool guarded_;
  sigset_t before_;
};

}  // namespace gstmemif
