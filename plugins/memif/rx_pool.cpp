// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/rx_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "gst/common/resting_buffers.hpp"

namespace {

/**
 * GstBufferPool's own queue takes two locks per buffer, and now and then a system call, to support
 * waiting. Nothing waits here.
 */
struct GstMemifRxPool {
  GstBufferPool parent;
  RestingBuffers* resting;
  CopyBudgetPtr* budget;
  gsize size;
};
struct GstMemifRxPoolClass {
  GstBufferPoolClass parent_class;
};

GstMemifRxPool* cast(gpointer pool) {
  return static_cast<GstMemifRxPool*>(pool);
}

}  // namespace

GType gst_memif_rx_pool_get_type(void);
G_DEFINE_TYPE(GstMemifRxPool, gst_memif_rx_pool, GST_TYPE_BUFFER_POOL)

namespace {

/** Null without memory. */
GstBuffer* new_copy_buffer(gsize size, const CopyBudgetPtr& budget) {
  GstMemory* memory = gst_memif_copy_memory_new(budget, size, GstMemoryFlags(0));
  if (memory == nullptr) return nullptr;
  GstBuffer* buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, memory);
  return buffer;
}

bool has_metas(GstBuffer* buffer) {
  gpointer state = nullptr;
  return gst_buffer_iterate_meta(buffer, &state) != nullptr;
}

GstFlowReturn gst_memif_rx_pool_acquire(GstBufferPool* pool, GstBuffer** out,
                                        GstBufferPoolAcquireParams*) {
  if (GST_BUFFER_POOL_IS_FLUSHING(pool)) return GST_FLOW_FLUSHING;
  *out = cast(pool)->resting->take();
  if (*out != nullptr) return GST_FLOW_OK;
  *out = new_copy_buffer(cast(pool)->size, *cast(pool)->budget);
  if (*out == nullptr) return GST_FLOW_ERROR;
  GST_BUFFER_FLAG_UNSET(*out, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  return GST_FLOW_OK;
}

/**
 * Makes it as it was: true if it may be used again. The base class would also give the memory its
 * full size, but it gets that of the next packet.
 */
bool gst_memif_rx_pool_reset(GstBufferPool* pool, GstBuffer* buffer) {
  // The memory may have been replaced, and all flags as well.
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY) ||
      gst_buffer_n_memory(buffer) != 1) {
    return false;
  }
  const GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  // It may still be in use, with or without a buffer.
  if (!gst_is_memif_copy_memory(memory) || GST_MINI_OBJECT_REFCOUNT_VALUE(memory) != 1) {
    return false;
  }
  if (has_metas(buffer)) {
    GST_BUFFER_POOL_CLASS(gst_memif_rx_pool_parent_class)->reset_buffer(pool, buffer);
    if (has_metas(buffer)) return false;
  }
  forget_flags_and_times(buffer);
  return true;
}

void gst_memif_rx_pool_release(GstBufferPool* pool, GstBuffer* buffer) {
  if (!GST_BUFFER_POOL_IS_FLUSHING(pool) && gst_memif_rx_pool_reset(pool, buffer)) {
    cast(pool)->resting->add(buffer);
  } else {
    gst_buffer_unref(buffer);
  }
}

/** Called once the pool is not active and no buffer is out. */
gboolean gst_memif_rx_pool_stop(GstBufferPool* pool) {
  cast(pool)->resting->clear();
  return TRUE;
}

void gst_memif_rx_pool_finalize(GObject* object) {
  delete cast(object)->resting;
  delete cast(object)->budget;
  G_OBJECT_CLASS(gst_memif_rx_pool_parent_class)->finalize(object);
}

GstBufferPool* new_pool(std::size_t size, CopyBudgetPtr budget) {
  auto* pool = static_cast<GstBufferPool*>(g_object_new(gst_memif_rx_pool_get_type(), nullptr));
  gst_object_ref_sink(pool);
  *cast(pool)->budget = std::move(budget);
  cast(pool)->size = size;
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, nullptr, static_cast<guint>(size), 0, 0);
  gst_buffer_pool_set_config(pool, config);
  gst_buffer_pool_set_active(pool, TRUE);
  return pool;
}

}  // namespace

static void gst_memif_rx_pool_class_init(GstMemifRxPoolClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_memif_rx_pool_finalize;
  GstBufferPoolClass* pool_class = &klass->parent_class;
  pool_class->acquire_buffer = gst_memif_rx_pool_acquire;
  pool_class->reset_buffer = nullptr;  // a part of gst_memif_rx_pool_release(), which knows more
  pool_class->release_buffer = gst_memif_rx_pool_release;
  pool_class->stop = gst_memif_rx_pool_stop;
}

static void gst_memif_rx_pool_init(GstMemifRxPool* self) {
  self->resting = new RestingBuffers();
  self->budget = new CopyBudgetPtr();
}

RxBufferPool::RxBufferPool(std::size_t size, CopyBudgetPtr budget)
    : size_(size), budget_(std::move(budget)), pool_(new_pool(size, budget_)) {}

RxBufferPool::~RxBufferPool() {
  gst_buffer_pool_set_active(pool_, FALSE);
  gst_object_unref(pool_);
}

RxBuffer RxBufferPool::take(std::size_t length) {
  GstBuffer* buffer = nullptr;
  if (length > size_) {
    buffer = new_copy_buffer(length, budget_);
  } else {
    gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr);
  }
  if (buffer == nullptr) return {nullptr, nullptr};
  return {buffer, gst_memif_copy_memory_reuse(gst_buffer_peek_memory(buffer, 0), length)};
}
