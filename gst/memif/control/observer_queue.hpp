// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What one observer of an interface has yet to be told. Internal.
 */
#pragma once

#include <memory>
#include <utility>

#include "gst/common/call_queue.hpp"
#include "gst/memif/interface.hpp"

namespace gstmemif {

/** Any thread; see CallQueue. */
class ObserverQueue {
 public:
  explicit ObserverQueue(std::weak_ptr<InterfaceObserver> observer)
      : observer_(std::move(observer)) {}
  ObserverQueue(const ObserverQueue&) = delete;

  bool expired() const noexcept { return observer_.expired(); }

  /** Under the ControlLock. @param call what to do with the observer */
  template <class Call>
  void add(Call call) {
    calls_.add([observer = observer_, call = std::move(call)] {
      if (const auto present = observer.lock()) call(*present);
    });
  }
  /** Without locks. */
  void tell() { calls_.run(); }

 private:
  const std::weak_ptr<InterfaceObserver> observer_;
  gstcommon::CallQueue calls_;
};

}  // namespace gstmemif
