// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/copy_pool.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "gst/common/resting_buffers.hpp"
#include "gst/packet/arena.hpp"

namespace gstpacket::detail {
namespace {

// More than rest at once where a batch is freed before the next one is copied.
constexpr unsigned kMostResting = 4;
constexpr gsize kSmallestArena = 2048;
// Room for 256 packets of an Ethernet link. Larger ones are rare, and not kept.
constexpr gsize kLargestArena = gsize{512} << 10;

}  // namespace

/** Where the batches of a pool rest: as long as the pool, or one of its arenas. */
class CopyHome {
 public:
  CopyHome() = default;
  CopyHome(const CopyHome&) = delete;
  CopyHome& operator=(const CopyHome&) = delete;

  // Any thread.
  void ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  /** False if there are enough, or none is needed any more. */
  bool add(GstBuffer* batch) noexcept {
    if (count_.fetch_add(1, std::memory_order_relaxed) < kMostResting && resting_.add(batch)) {
      return true;
    }
    count_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }

  // The pool.
  GstBuffer* take() noexcept {
    GstBuffer* batch = resting_.take();
    if (batch != nullptr) count_.fetch_sub(1, std::memory_order_relaxed);
    return batch;
  }
  void close() noexcept { resting_.close(); }

 private:
  ~CopyHome() = default;

  std::atomic<unsigned> refs_{1};
  std::atomic<unsigned> count_{0};
  RestingBuffers resting_;
};

namespace {

/** Where a batch belongs; null if its memory is not the one that it had. */
CopyHome* home_of(GstBuffer* batch) {
  if (GST_BUFFER_FLAG_IS_SET(batch, GST_BUFFER_FLAG_TAG_MEMORY)) return nullptr;
  return gst_buffer_n_memory(batch) == 1 ? arena_home(gst_buffer_peek_memory(batch, 0)) : nullptr;
}

/** Makes it as it was: true if it may be used again. */
bool reset(GstBuffer* batch) {
  // Packets may be on their way in the same arena, in another batch.
  if (GST_MINI_OBJECT_REFCOUNT_VALUE(gst_buffer_peek_memory(batch, 0)) != 1) return false;
  GstMeta* meta = restore_only_meta(batch, gst_packet_batch_meta_get_info());
  if (meta == nullptr) return false;
  reinterpret_cast<GstPacketBatchMeta*>(meta)->n = 0;
  forget_flags_and_times(batch);
  GST_BUFFER_OFFSET(batch) = GST_BUFFER_OFFSET_END(batch) = GST_BUFFER_OFFSET_NONE;
  return true;
}

gboolean dispose(GstMiniObject* object) {
  GstBuffer* batch = GST_BUFFER_CAST(object);
  CopyHome* home = home_of(batch);
  if (home == nullptr) return dispose_of_buffers()(object);
  return come_home(batch, *home, reset);
}

GstBuffer* new_batch(gsize size, CopyHome* home) {
  GstBuffer* batch = gst_packet_batch_new(std::max(std::bit_ceil(size), kSmallestArena));
  if (batch == nullptr) return nullptr;
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  home->ref();
  set_arena_home(arena, home);
  reuse_arena(arena, size);
  GST_BUFFER_FLAG_UNSET(batch, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  GST_MINI_OBJECT_CAST(batch)->dispose = dispose;
  return batch;
}

}  // namespace

void leave_home(CopyHome* home) noexcept {
  home->unref();
}

CopyPool::CopyPool() : home_(new CopyHome()) {}

CopyPool::~CopyPool() {
  home_->close();
  home_->unref();
}

GstBuffer* CopyPool::take(gsize size) {
  if (size > kLargestArena) return gst_packet_batch_new(size);
  GstBuffer* batch = home_->take();
  if (batch == nullptr) return new_batch(size, home_);
  if (reuse_arena(gst_buffer_peek_memory(batch, 0), size)) return batch;
  GST_BUFFER_FLAG_SET(batch, GST_BUFFER_FLAG_TAG_MEMORY);  // it is not to come back
  gst_buffer_unref(batch);
  return new_batch(size, home_);
}

}  // namespace gstpacket::detail
