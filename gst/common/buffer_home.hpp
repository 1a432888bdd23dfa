// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How buffers of one memory and one meta get back to where they came from, to be used again: when
 * their last reference is dropped, on any thread. As a GstBufferPool gets its buffers back, without
 * what that pays for its class and references.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>

#include "gst/common/resting_buffers.hpp"

/**
 * Where the buffers of a pool rest. The pool has a reference, and so has the memory of each buffer:
 * it is there as long as one of them.
 * @tparam kMost no more at once; 0: any number, without a count
 */
template <unsigned kMost>
class BufferHome {
 public:
  BufferHome() = default;
  BufferHome(const BufferHome&) = delete;
  BufferHome& operator=(const BufferHome&) = delete;

  // Any thread.
  void ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /** False if there are enough, or the pool is gone. */
  bool add(GstBuffer* buffer) noexcept {
    if constexpr (kMost == 0) {
      return resting_.add(buffer);
    } else {
      const bool room = count_.fetch_add(1, std::memory_order_relaxed) < kMost;
      const bool added = room && resting_.add(buffer);
      if (!added) count_.fetch_sub(1, std::memory_order_relaxed);
      return added;
    }
  }

  // The pool.
  GstBuffer* take() noexcept {
    GstBuffer* buffer = resting_.take();
    if (kMost != 0 && buffer != nullptr) count_.fetch_sub(1, std::memory_order_relaxed);
    return buffer;
  }
  /** Frees what rests, and drops the reference of the pool. */
  void leave() noexcept {
    resting_.close();
    unref();
  }

 private:
  ~BufferHome() = default;

  std::atomic<unsigned> refs_{1};
  std::atomic<unsigned> count_{0};  // of those that rest, if there is a limit
  RestingBuffers resting_;
};

/** Drops a reference so that the buffer is freed if it was the last, whatever its dispose does. */
inline void unref_for_good(GstBuffer* buffer) noexcept {
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  gst_buffer_unref(buffer);
}

/**
 * The dispose function of such buffers, to be set when they have their memory. Then
 * GST_BUFFER_FLAG_TAG_MEMORY must be unset: it marks those with other memory.
 * @tparam Kind what they are, with static functions:
 *   - `home_of(GstMemory*)`: where one with that memory goes, by `add(GstBuffer*)`; null: nowhere
 *   - `meta_info()`: of its meta
 *   - `reset(GstBuffer*, GstMemory*, GstMeta*)`: for what is not the same in all kinds
 */
template <class Kind>
gboolean go_home(GstMiniObject* object) noexcept {
  GstBuffer* buffer = GST_BUFFER_CAST(object);
  // The memory may have been replaced, and all flags as well.
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY) ||
      gst_buffer_n_memory(buffer) != 1) {
    return dispose_of_buffers()(object);
  }
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  auto* home = Kind::home_of(memory);
  if (home == nullptr) return dispose_of_buffers()(object);
  gst_buffer_ref(buffer);
  // It may be in use still, in another buffer, in part, or without one.
  GstMeta* meta = GST_MINI_OBJECT_REFCOUNT_VALUE(memory) == 1
                      ? restore_only_meta(buffer, Kind::meta_info())
                      : nullptr;
  if (meta != nullptr) {
    forget_flags_and_times(buffer);
    Kind::reset(buffer, memory, meta);
    if (home->add(buffer)) return FALSE;
  }
  unref_for_good(buffer);
  return FALSE;
}
