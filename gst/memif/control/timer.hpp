// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A timer in a loop.
 */
#pragma once

#include <cstdint>
#include <memory>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/loop.hpp"

namespace gstmemif {

/**
 * A one-shot timer in a loop. It is created once, ahead of need, and armed repeatedly: arming takes
 * no descriptor and cannot fail.
 */
class GSTMEMIF_API Timer {
 public:
  /** Makes a timer that is not armed. @p handler is called with the ControlLock held. */
  static Result<Timer> make(Loop& loop, Loop::Handler handler);

  Timer() = default;
  Timer(Timer&&) noexcept = default;
  Timer& operator=(Timer&& other) noexcept;
  ~Timer() { disarm(); }

  /**
   * Calls the handler once, after @p milliseconds, instead of any earlier time. With the
   * ControlLock held.
   */
  void arm(std::uint32_t milliseconds) noexcept;
  /** Cancels the call. With the ControlLock held. */
  void disarm() noexcept;

 private:
  // Shared with the handler, so that the descriptor is not reused while a call is in progress.
  std::shared_ptr<const UniqueFd> fd_;
  Watch watch_;
};

}  // namespace gstmemif
