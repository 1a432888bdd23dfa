// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers of a pool that rest until they are used again, without a lock.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>

/**
 * Linked by a field that has no meaning meanwhile. Any thread adds; one takes, clears, and closes
 * at the end.
 */
class RestingBuffers {
 public:
  RestingBuffers() = default;
  ~RestingBuffers() { close(); }
  RestingBuffers(const RestingBuffers&) = delete;
  RestingBuffers& operator=(const RestingBuffers&) = delete;

  /** False once it is closed. */
  bool add(GstBuffer* buffer) noexcept {
    GstBuffer* head = added_.load(std::memory_order_relaxed);
    do {
      if (head == closed()) return false;
      GST_BUFFER_OFFSET(buffer) = reinterpret_cast<std::uintptr_t>(head);
    } while (!added_.compare_exchange_weak(head, buffer, std::memory_order_release,
                                           std::memory_order_relaxed));
    return true;
  }
  GstBuffer* take() noexcept {
    // All at once: one that is taken alone could be back before the exchange notices.
    if (taken_ == nullptr) taken_ = added_.exchange(nullptr, std::memory_order_acquire);
    GstBuffer* buffer = taken_;
    if (buffer == nullptr) return nullptr;
    taken_ = next(buffer);
    GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_NONE;
    return buffer;
  }
  void clear() noexcept {
    while (GstBuffer* buffer = take()) gst_buffer_unref(buffer);
  }
  /** Nothing may be taken any more. */
  void close() noexcept {
    free_all(taken_);
    taken_ = nullptr;
    free_all(added_.exchange(closed(), std::memory_order_acq_rel));
  }

 private:
  /** No buffer: what is added last, from when it is closed. */
  static GstBuffer* closed() noexcept { return reinterpret_cast<GstBuffer*>(std::uintptr_t{1}); }
  static GstBuffer* next(GstBuffer* buffer) noexcept {
    return reinterpret_cast<GstBuffer*>(static_cast<std::uintptr_t>(GST_BUFFER_OFFSET(buffer)));
  }
  static void free_all(GstBuffer* buffer) noexcept {
    while (buffer != nullptr && buffer != closed()) {
      GstBuffer* const behind = next(buffer);
      GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_NONE;
      gst_buffer_unref(buffer);
      buffer = behind;
    }
  }

  std::atomic<GstBuffer*> added_{nullptr};
  GstBuffer* taken_ = nullptr;
};
