// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A counter of the data plane.
 */
#pragma once

#include <atomic>
#include <cstdint>

namespace gstcommon {

/**
 * A number with one writer and any number of readers. A plain load, add and store do, so no atomic
 * read-modify-write is paid per packet or batch.
 */
class Counter {
 public:
  void add(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void reset() noexcept { value_.store(0, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace gstcommon
