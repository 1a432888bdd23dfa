// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where the batches of a pool rest. It is there as long as the pool or one of its batches.
 */
#pragma once

#include <atomic>

#include "gst/common/resting_buffers.hpp"

class BatchHome {
 public:
  BatchHome() = default;
  BatchHome(const BatchHome&) = delete;
  BatchHome& operator=(const BatchHome&) = delete;

  // Any thread.
  void ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /** False once it is closed. */
  bool add(GstBuffer* batch) noexcept { return resting_.add(batch); }

  // The pool.
  GstBuffer* take() noexcept { return resting_.take(); }
  void close() noexcept { resting_.close(); }

 private:
  ~BatchHome() = default;

  std::atomic<unsigned> refs_{1};
  RestingBuffers resting_;
};
