// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers of a pool that rest until they are used again, without a lock, and what makes one as it
 * was.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>

#include "gst/common/cache_line.hpp"

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

  // Apart, as they belong to different threads.
  alignas(gstcommon::kCacheLine) std::atomic<GstBuffer*> added_{nullptr};
  alignas(gstcommon::kCacheLine) GstBuffer* taken_ = nullptr;
};

/** The meta of @p buffer if it is of kind @p own and there is no other; null otherwise. */
inline GstMeta* only_meta(GstBuffer* buffer, const GstMetaInfo* own) noexcept {
  gpointer state = nullptr;
  GstMeta* first = gst_buffer_iterate_meta(buffer, &state);
  const bool only =
      first != nullptr && first->info == own && gst_buffer_iterate_meta(buffer, &state) == nullptr;
  return only ? first : nullptr;
}

/** The same, after others were removed. Null if that is not possible: they may be locked. */
inline GstMeta* restore_only_meta(GstBuffer* buffer, const GstMetaInfo* own) noexcept {
  if (GstMeta* meta = only_meta(buffer, own)) return meta;
  const auto remove = [](GstBuffer*, GstMeta** meta, gpointer kept) -> gboolean {
    const bool stays = (*meta)->info == kept || GST_META_FLAG_IS_SET(*meta, GST_META_FLAG_LOCKED);
    if (!stays) *meta = nullptr;
    return TRUE;
  };
  gst_buffer_foreach_meta(buffer, remove, const_cast<GstMetaInfo*>(own));
  return only_meta(buffer, own);
}

/** Unsets flags, times and the offset at the end; that at the start is RestingBuffers' own. */
inline void forget_flags_and_times(GstBuffer* buffer) noexcept {
  GST_BUFFER_FLAGS(buffer) = 0;
  GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
}

/** What all buffers have, for one that does something else first. */
inline GstMiniObjectDisposeFunction dispose_of_buffers() {
  static const GstMiniObjectDisposeFunction function = [] {
    GstBuffer* any = gst_buffer_new();
    const GstMiniObjectDisposeFunction of_any = GST_MINI_OBJECT_CAST(any)->dispose;
    gst_buffer_unref(any);
    return of_any;
  }();
  return function;
}
