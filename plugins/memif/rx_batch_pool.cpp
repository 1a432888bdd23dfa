// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <atomic>
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/rx_pool.hpp"

namespace {

/** Makes one with its own memory as it was, and returns what is lent: true if it may be used again.
 */
bool reset(GstBuffer* batch) {
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  // It may still be in use, with or without a buffer.
  if (GST_MINI_OBJECT_REFCOUNT_VALUE(arena) != 1) return false;
  if (restore_only_meta(batch, gst_packet_batch_meta_get_info()) == nullptr) return false;
  forget_flags_and_times(batch);
  GST_BUFFER_OFFSET(batch) = GST_BUFFER_OFFSET_END(batch) = GST_BUFFER_OFFSET_NONE;
  gst_memif_arena_give_back(arena);
  return true;
}

/** As a GstBufferPool gets its buffers back, without what that pays for its class and references.
 */
gboolean gst_memif_batch_dispose(GstMiniObject* object) {
  GstBuffer* batch = GST_BUFFER_CAST(object);
  // Its memory may have been replaced, and all flags as well.
  if (GST_BUFFER_FLAG_IS_SET(batch, GST_BUFFER_FLAG_TAG_MEMORY))
    return dispose_of_buffers()(object);
  BatchHome* home = gst_memif_arena_home(gst_buffer_peek_memory(batch, 0));
  if (home == nullptr) return dispose_of_buffers()(object);
  return come_home(batch, *home, reset);
}

GstBuffer* new_batch(BatchHome* home) {
  GstBuffer* batch = gst_buffer_new();
  gst_buffer_append_memory(batch, gst_memif_arena_new_empty(home));
  GstMeta& meta = gst_buffer_add_packet_batch_meta(batch)->meta;
  meta.flags = static_cast<GstMetaFlags>(meta.flags | GST_META_FLAG_POOLED);
  GST_BUFFER_FLAG_UNSET(batch, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  GST_MINI_OBJECT_CAST(batch)->dispose = gst_memif_batch_dispose;
  return batch;
}

}  // namespace

RxBatchPool::RxBatchPool() : home_(new BatchHome()) {}

RxBatchPool::~RxBatchPool() {
  gst_clear_buffer(&next_);
  home_->close();
  home_->unref();
}

void RxBatchPool::prepare() {
  next_ = home_->take();
  if (next_ == nullptr) next_ = new_batch(home_);
  meta_ = gst_buffer_get_packet_batch_meta(next_);
  meta_->n = 0;
}

GstBuffer* RxBatchPool::lend(gstmemif::Loan* loan) {
  if (next_ == nullptr) prepare();
  gst_memif_arena_take(gst_buffer_peek_memory(next_, 0), loan);
  return std::exchange(next_, nullptr);
}
