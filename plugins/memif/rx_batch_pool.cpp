// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/memif/rx_pool.hpp"

namespace {

struct LentBatch {
  static BatchHome* home_of(GstMemory* memory) { return gst_memif_arena_home(memory); }
  static const GstMetaInfo* meta_info() { return gst_packet_batch_meta_get_info(); }
  static void reset(GstBuffer*, GstMemory* memory, GstMeta*) { gst_memif_arena_give_back(memory); }
};

GstBuffer* new_batch(BatchHome* home) {
  GstBuffer* batch = gst_buffer_new();
  gst_buffer_append_memory(batch, gst_memif_arena_new_empty(home));
  GstMeta& meta = gst_buffer_add_packet_batch_meta(batch)->meta;
  meta.flags = static_cast<GstMetaFlags>(meta.flags | GST_META_FLAG_POOLED);
  GST_BUFFER_FLAG_UNSET(batch, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  GST_MINI_OBJECT_CAST(batch)->dispose = go_home<LentBatch>;
  return batch;
}

}  // namespace

RxBatchPool::RxBatchPool() : home_(new BatchHome()) {}

RxBatchPool::~RxBatchPool() {
  gst_clear_buffer(&next_);
  home_->leave();
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
