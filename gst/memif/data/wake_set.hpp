// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a receiver sleeps on: an eventfd of its own, and that of a ring. Internal.
 */
#pragma once

#include <cstdint>

#include "gst/memif/control/fd.hpp"

namespace gstmemif {

/**
 * An epoll instance with two eventfds. That of the ring is edge-triggered: each signal of the peer
 * is reported once, and nobody has to read the counter, which is a system call for each wake-up. As
 * with every counter that is not read, it takes 2^64 signals until one is lost. One thread at a
 * time.
 */
class WakeSet {
 public:
  struct Woken {
    bool own;   ///< own eventfd, which stays readable until it is drained
    bool ring;  ///< a signal since the last wait
  };

  /** Without a descriptor left, watches() stays false. @param own must outlive this */
  explicit WakeSet(int own) noexcept;
  WakeSet(const WakeSet&) = delete;

  /**
   * Watches @p ring, which must stay open until the next call, instead of the one before; -1: none.
   */
  void watch(int ring) noexcept;
  /** Whether @p ring is watched: otherwise wait() does not report it. */
  bool watches(int ring) const noexcept { return ring >= 0 && ring == ring_; }

  /** @param timeout_ns rounded up to milliseconds; negative: none */
  Woken wait(std::int64_t timeout_ns) noexcept;

 private:
  UniqueFd epoll_;
  int ring_ = -1;
};

}  // namespace gstmemif
