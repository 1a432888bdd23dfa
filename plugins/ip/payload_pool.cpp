// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/payload_pool.hpp"

#include <gst/net/gstnetaddressmeta.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "gst/common/buffer_home.hpp"

namespace ipplugin {

/**
 * Buffers at rest. Lives until the pool and all batches that were lent from it are gone. Not a
 * BufferHome: that counts what rests with each buffer, and this what there is with each new one.
 */
class PayloadStore {
 public:
  void ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /**
   * The thread of the pool: one at rest, or a new one. Its offset_end is the address of its memory.
   */
  [[nodiscard]] GstBuffer* take();
  /** Any thread, with a reference. */
  void add(GstBuffer* buffer) noexcept { resting_.add(buffer); }
  /** Any thread: one of its buffers will not come back. */
  void lose_one() noexcept { recycled_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  // No more come back, whatever downstream once kept: some 8 MB at rest. Others are freed.
  static constexpr unsigned kMostRecycled = 16384;

  RestingBuffers resting_;
  std::atomic<unsigned> recycled_{0};  // buffers in use or at rest
  std::atomic<unsigned> references_{1};
};

void UnrefPayloadStore::operator()(PayloadStore* store) const noexcept {
  store->unref();
}

bool HeldBatch::add(GstBuffer* buffer) noexcept {
  store_->add(buffer);
  // Behind it, as this may be what the store lives for.
  unref();
  return true;
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
  HeldBatch* batch;         // null in a part of another, which has one, and while it rests
  GstNetAddressMeta* meta;  // of its buffer, as long as nobody else has that
  bool recycled;            // counted by the store
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
    GstIpPayload* payload = payload_of(memory);
    if (payload->recycled && payload->batch != nullptr) payload->batch->store().lose_one();
    put_down(payload);
    g_slice_free(GstIpPayload, payload);
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
    part->meta = nullptr;
    part->recycled = false;
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

// ---- buffers ----------------------------------------------------------------------------------

namespace {

struct Payload {
  static HeldBatch* home_of(GstMemory* memory) {
    return memory->allocator == payload_allocator() ? payload_of(memory)->batch : nullptr;
  }
  static const GstMetaInfo* meta_info() {
    static const GstMetaInfo* const info = GST_NET_ADDRESS_META_INFO;
    return info;
  }
  static void reset(GstBuffer* buffer, GstMemory* memory, GstMeta* meta) {
    GstIpPayload* payload = payload_of(memory);
    payload->meta = reinterpret_cast<GstNetAddressMeta*>(meta);
    payload->batch = nullptr;
    // Where it is needed next.
    GST_BUFFER_OFFSET_END(buffer) = reinterpret_cast<std::uintptr_t>(payload);
  }
};

GstBuffer* new_buffer(bool recycled) {
  auto* payload = g_slice_new(GstIpPayload);
  gst_memory_init(&payload->memory, GstMemoryFlags(0), payload_allocator(), nullptr, 0, 0, 0, 0);
  payload->data = nullptr;
  payload->batch = nullptr;
  payload->recycled = recycled;
  GstBuffer* buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, &payload->memory);
  GstMeta* meta = gst_buffer_add_meta(buffer, GST_NET_ADDRESS_META_INFO, nullptr);
  payload->meta = reinterpret_cast<GstNetAddressMeta*>(meta);
  GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  GST_BUFFER_OFFSET_END(buffer) = reinterpret_cast<std::uintptr_t>(payload);
  if (recycled) GST_MINI_OBJECT_CAST(buffer)->dispose = go_home<Payload>;
  return buffer;
}

}  // namespace

GstBuffer* PayloadStore::take() {
  if (GstBuffer* buffer = resting_.take()) return buffer;
  const bool recycled = recycled_.load(std::memory_order_relaxed) < kMostRecycled;
  if (recycled) recycled_.fetch_add(1, std::memory_order_relaxed);
  return new_buffer(recycled);
}

// ---- pool -------------------------------------------------------------------------------------

PayloadPool::PayloadPool() : store_(new PayloadStore()) {}

HeldBatchPtr PayloadPool::hold(GstBuffer* batch) {
  GstMapInfo map;
  if (gst_buffer_n_memory(batch) != 1 ||
      gst_memory_map(gst_buffer_peek_memory(batch, 0), &map, GST_MAP_READ) == FALSE) {
    gst_buffer_unref(batch);
    return nullptr;
  }
  store_->ref();
  return HeldBatchPtr(new HeldBatch(batch, map, PayloadStorePtr(store_.get())));
}

GstBuffer* PayloadPool::lend(HeldBatch& batch, std::span<const std::byte> bytes,
                             GSocketAddress* address, bool read_only) {
  GstBuffer* buffer = store_->take();
  auto* payload =
      reinterpret_cast<GstIpPayload*>(static_cast<std::uintptr_t>(GST_BUFFER_OFFSET_END(buffer)));
  GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
  GstMemory* memory = &payload->memory;
  memory->maxsize = memory->size = bytes.size();
  memory->offset = 0;
  if (read_only) {
    GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_READONLY);
  } else {
    GST_MINI_OBJECT_FLAG_UNSET(memory, GST_MEMORY_FLAG_READONLY);
  }
  payload->data = reinterpret_cast<guint8*>(const_cast<std::byte*>(bytes.data()));
  payload->batch = &batch;
  batch.ref();
  GstNetAddressMeta* meta = payload->meta;
  if (meta->addr != address) {
    g_clear_object(&meta->addr);
    meta->addr = static_cast<GSocketAddress*>(g_object_ref(address));
  }
  return buffer;
}

}  // namespace ipplugin
