// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/payload_pool.hpp"

#include <gst/net/gstnetaddressmeta.h>

#include <utility>

#include "plugins/common/resting_buffers.hpp"

namespace ipplugin {

HeldBatchPtr HeldBatch::of(GstBuffer* batch) {
  GstMapInfo map;
  if (gst_buffer_n_memory(batch) != 1 ||
      gst_memory_map(gst_buffer_peek_memory(batch, 0), &map, GST_MAP_READ) == FALSE) {
    gst_buffer_unref(batch);
    return nullptr;
  }
  return HeldBatchPtr(new HeldBatch(batch, map));
}

void HeldBatch::unref() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  gst_memory_unmap(map_.memory, &map_);
  gst_buffer_unref(batch_);
  delete this;
}

// ---- memory -----------------------------------------------------------------------------------

namespace {

struct GstIpPayload {
  GstMemory memory;
  guint8* data;
  HeldBatch* batch;  // null in a part of another, which has one, and while it rests
};

struct GstIpPayloadAllocator {
  GstAllocator parent;
};
struct GstIpPayloadAllocatorClass {
  GstAllocatorClass parent_class;
};

GstIpPayload* payload_of(GstMemory* memory) {
  return reinterpret_cast<GstIpPayload*>(memory);
}

void put_down(GstIpPayload* payload) {
  if (HeldBatch* batch = std::exchange(payload->batch, nullptr)) batch->unref();
}

}  // namespace

GType gst_ip_payload_allocator_get_type(void);
G_DEFINE_TYPE(GstIpPayloadAllocator, gst_ip_payload_allocator, GST_TYPE_ALLOCATOR)

static void gst_ip_payload_allocator_class_init(GstIpPayloadAllocatorClass* klass) {
  // It is of something that is there.
  GST_ALLOCATOR_CLASS(klass)->alloc = [](GstAllocator*, gsize, GstAllocationParams*) -> GstMemory* {
    return nullptr;
  };
  GST_ALLOCATOR_CLASS(klass)->free = [](GstAllocator*, GstMemory* memory) {
    put_down(payload_of(memory));
    g_slice_free(GstIpPayload, payload_of(memory));
  };
}

static void gst_ip_payload_allocator_init(GstIpPayloadAllocator* self) {
  GstAllocator* allocator = GST_ALLOCATOR_CAST(self);
  allocator->mem_type = "IpPayload";
  allocator->mem_map = [](GstMemory* memory, gsize, GstMapFlags) -> gpointer {
    return payload_of(memory)->data;
  };
  allocator->mem_unmap = [](GstMemory*) {};
  // Depayloaders take parts.
  allocator->mem_share = [](GstMemory* memory, gssize offset, gssize size) -> GstMemory* {
    GstMemory* whole = memory->parent != nullptr ? memory->parent : memory;
    if (size < 0) size = static_cast<gssize>(memory->size) - offset;
    auto* part = g_slice_new(GstIpPayload);
    gst_memory_init(
        &part->memory,
        static_cast<GstMemoryFlags>(GST_MINI_OBJECT_FLAGS(memory) | GST_MEMORY_FLAG_READONLY),
        memory->allocator, whole, memory->maxsize, memory->align,
        memory->offset + static_cast<gsize>(offset), static_cast<gsize>(size));
    part->data = payload_of(memory)->data;
    part->batch = nullptr;
    return &part->memory;
  };
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static GstAllocator* payload_allocator() {
  static GstAllocator* const allocator = [] {
    gpointer made = g_object_new(gst_ip_payload_allocator_get_type(), nullptr);
    gst_object_ref_sink(made);
    GST_OBJECT_FLAG_SET(made, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    return GST_ALLOCATOR_CAST(made);
  }();
  return allocator;
}

// ---- pool -------------------------------------------------------------------------------------

namespace {

struct GstIpPayloadPool {
  GstBufferPool parent;
  RestingBuffers* resting;
};
struct GstIpPayloadPoolClass {
  GstBufferPoolClass parent_class;
};

GstIpPayloadPool* cast(gpointer pool) {
  return static_cast<GstIpPayloadPool*>(pool);
}

}  // namespace

GType gst_ip_payload_pool_get_type(void);
G_DEFINE_TYPE(GstIpPayloadPool, gst_ip_payload_pool, GST_TYPE_BUFFER_POOL)

namespace {

GstBuffer* new_buffer() {
  auto* payload = g_slice_new(GstIpPayload);
  gst_memory_init(&payload->memory, GstMemoryFlags(0), payload_allocator(), nullptr, 0, 0, 0, 0);
  payload->data = nullptr;
  payload->batch = nullptr;
  GstBuffer* buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, &payload->memory);
  GstMeta* meta = gst_buffer_add_meta(buffer, GST_NET_ADDRESS_META_INFO, nullptr);
  meta->flags = static_cast<GstMetaFlags>(meta->flags | GST_META_FLAG_POOLED);
  GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  return buffer;
}

GstFlowReturn gst_ip_payload_pool_acquire(GstBufferPool* pool, GstBuffer** out,
                                          GstBufferPoolAcquireParams*) {
  *out = cast(pool)->resting->take();
  if (*out == nullptr) *out = new_buffer();
  return GST_FLOW_OK;
}

bool has_own_meta_only(GstBuffer* buffer) {
  gpointer state = nullptr;
  const GstMeta* first = gst_buffer_iterate_meta(buffer, &state);
  return first != nullptr && first->info == GST_NET_ADDRESS_META_INFO &&
         gst_buffer_iterate_meta(buffer, &state) == nullptr;
}

/** Makes it as it was: true if it may be used again. */
bool gst_ip_payload_pool_reset(GstBufferPool* pool, GstBuffer* buffer) {
  // The memory may have been replaced, or a part of it may still be in use.
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY)) return false;
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  if (GST_MINI_OBJECT_REFCOUNT_VALUE(memory) != 1 || memory->allocator != payload_allocator()) {
    return false;
  }
  if (!has_own_meta_only(buffer)) {
    GST_BUFFER_POOL_CLASS(gst_ip_payload_pool_parent_class)->reset_buffer(pool, buffer);
    if (!has_own_meta_only(buffer)) return false;
  }
  GST_BUFFER_FLAGS(buffer) = 0;
  GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
  put_down(payload_of(memory));
  return true;
}

void gst_ip_payload_pool_release(GstBufferPool* pool, GstBuffer* buffer) {
  if (!GST_BUFFER_POOL_IS_FLUSHING(pool) && gst_ip_payload_pool_reset(pool, buffer)) {
    cast(pool)->resting->add(buffer);
  } else {
    gst_buffer_unref(buffer);
  }
}

/** Called once the pool is not active and no buffer is out. */
gboolean gst_ip_payload_pool_stop(GstBufferPool* pool) {
  cast(pool)->resting->clear();
  return TRUE;
}

void gst_ip_payload_pool_finalize(GObject* object) {
  delete cast(object)->resting;
  G_OBJECT_CLASS(gst_ip_payload_pool_parent_class)->finalize(object);
}

GstBufferPool* new_pool() {
  auto* pool = static_cast<GstBufferPool*>(g_object_new(gst_ip_payload_pool_get_type(), nullptr));
  gst_object_ref_sink(pool);
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, nullptr, 0, 0, 0);
  gst_buffer_pool_set_config(pool, config);
  gst_buffer_pool_set_active(pool, TRUE);
  return pool;
}

}  // namespace

static void gst_ip_payload_pool_class_init(GstIpPayloadPoolClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_ip_payload_pool_finalize;
  GstBufferPoolClass* pool_class = &klass->parent_class;
  pool_class->acquire_buffer = gst_ip_payload_pool_acquire;
  pool_class->reset_buffer = nullptr;  // a part of gst_ip_payload_pool_release(), which knows more
  pool_class->release_buffer = gst_ip_payload_pool_release;
  pool_class->stop = gst_ip_payload_pool_stop;
}

static void gst_ip_payload_pool_init(GstIpPayloadPool* self) {
  self->resting = new RestingBuffers();
}

PayloadPool::PayloadPool() : pool_(new_pool()) {}

PayloadPool::~PayloadPool() {
  gst_buffer_pool_set_active(pool_, FALSE);
  gst_object_unref(pool_);
}

GstBuffer* PayloadPool::lend(HeldBatch& batch, std::span<const std::byte> bytes,
                             GSocketAddress* address, bool read_only) {
  GstBuffer* buffer = nullptr;
  gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr);
  if (buffer == nullptr) return nullptr;
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  memory->maxsize = memory->size = bytes.size();
  memory->offset = 0;
  if (read_only) {
    GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_READONLY);
  } else {
    GST_MINI_OBJECT_FLAG_UNSET(memory, GST_MEMORY_FLAG_READONLY);
  }
  GstIpPayload* payload = payload_of(memory);
  payload->data = reinterpret_cast<guint8*>(const_cast<std::byte*>(bytes.data()));
  payload->batch = &batch;
  batch.ref();
  auto* meta = gst_buffer_get_net_address_meta(buffer);
  if (meta->addr != address) {
    g_clear_object(&meta->addr);
    meta->addr = static_cast<GSocketAddress*>(g_object_ref(address));
  }
  return buffer;
}

}  // namespace ipplugin
