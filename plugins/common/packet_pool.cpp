// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/common/packet_pool.hpp"

#include "gst/packet/batch.hpp"

namespace {

/**
 * Whether nobody else has the arena. GstBufferPool does not ask: a batch may come back while
 * packets that were moved out of it are still on their way.
 */
bool owns_arena(GstBuffer* batch) {
  return GST_MINI_OBJECT_REFCOUNT_VALUE(gst_buffer_peek_memory(batch, 0)) == 1;
}

}  // namespace

bool PacketPool::open(std::size_t size) {
  close();
  pool_ = gst_buffer_pool_new();
  GstStructure* config = gst_buffer_pool_get_config(pool_);
  gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(size), 0, 0);
  gst_buffer_pool_config_set_allocator(config, gst_packet_arena_allocator(), nullptr);
  return gst_buffer_pool_set_config(pool_, config) != FALSE &&
         gst_buffer_pool_set_active(pool_, TRUE) != FALSE;
}

bool PacketPool::open(GstBufferPool* pool) {
  close();
  pool_ = pool;
  prepared_ = pool != nullptr && gst_buffer_pool_set_active(pool, TRUE) != FALSE;
  return prepared_;
}

bool PacketPool::open_buffers(std::size_t size) {
  close();
  singles_ = true;
  pool_ = gst_buffer_pool_new();
  GstStructure* config = gst_buffer_pool_get_config(pool_);
  gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(size), 0, 0);
  return gst_buffer_pool_set_config(pool_, config) != FALSE &&
         gst_buffer_pool_set_active(pool_, TRUE) != FALSE;
}

void PacketPool::close() {
  prepared_ = singles_ = false;
  if (pool_ == nullptr) return;
  // Outstanding buffers are freed when they return.
  gst_buffer_pool_set_active(pool_, FALSE);
  gst_clear_object(&pool_);
}

GstBuffer* PacketPool::take(guint places) {
  GstBuffer* batch = nullptr;
  GstBufferPoolAcquireParams params{};
  params.format = GST_FORMAT_BUFFERS;
  params.stop = places;
  if (pool_ == nullptr || gst_buffer_pool_acquire_buffer(pool_, &batch, &params) != GST_FLOW_OK) {
    return nullptr;
  }
  if (prepared_ || singles_) return batch;
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  if (meta == nullptr) {  // a new one
    meta = gst_buffer_add_packet_batch_meta(batch);
    meta->meta.flags = static_cast<GstMetaFlags>(meta->meta.flags | GST_META_FLAG_POOLED);
  }
  meta->n = 0;
  if (owns_arena(batch)) return batch;
  const gsize size = gst_buffer_peek_memory(batch, 0)->maxsize;
  GstMemory* own = gst_allocator_alloc(gst_packet_arena_allocator(), size, nullptr);
  if (own == nullptr) {
    gst_buffer_unref(batch);
    return nullptr;
  }
  gst_buffer_replace_all_memory(batch, own);
  GST_BUFFER_FLAG_UNSET(batch, GST_BUFFER_FLAG_TAG_MEMORY);  // it may be recycled as before
  return batch;
}
