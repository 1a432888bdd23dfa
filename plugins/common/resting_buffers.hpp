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

/** Linked by a field that has no meaning meanwhile. Any thread adds, one takes. */
class RestingBuffers {
 public:
  RestingBuffers() = default;
  ~RestingBuffers() { clear(); }
  RestingBuffers(const RestingBuffers&) = delete;
  RestingBuffers& operator=(const RestingBuffers&) = delete;

  void add(GstBuffer* buffer) noexcept {
    GstBuffer* head = added_.load(std::memory_order_relaxed);
    do {
      GST_BUFFER_OFFSET(buffer) = reinterpret_cast<std::uintptr_t>(head);
    } while (!added_.compare_exchange_weak(head, buffer, std::memory_order_release,
                                           std::memory_order_relaxed));
  }
  GstBuffer* take() noexcept {
    // All at once: one that is taken alone could be back before the exchange notices.
    if (taken_ == nullptr) taken_ = added_.exchange(nullptr, std::memory_order_acquire);
    GstBuffer* buffer = taken_;
    if (buffer == nullptr) return nullptr;
    taken_ = reinterpret_cast<GstBuffer*>(static_cast<std::uintptr_t>(GST_BUFFER_OFFSET(buffer)));
    GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_NONE;
    return buffer;
  }
  void clear() noexcept {
    while (GstBuffer* buffer = take()) gst_buffer_unref(buffer);
  }

 private:
  std::atomic<GstBuffer*> added_{nullptr};
  GstBuffer* taken_ = nullptr;
};
