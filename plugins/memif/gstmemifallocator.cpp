// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifallocator.hpp"

#include "gst/packet/batch.hpp"

struct GstMemifAllocator {
  GstAllocator parent;
  void (*free_memory)(GstMemory* memory);
};
struct GstMemifAllocatorClass {
  GstAllocatorClass parent_class;
};

GType gst_memif_allocator_get_type(void);
G_DEFINE_TYPE(GstMemifAllocator, gst_memif_allocator, GST_TYPE_ALLOCATOR)

static GstMemory* gst_memif_allocator_alloc(GstAllocator*, gsize, GstAllocationParams*) {
  return nullptr;
}

static void gst_memif_allocator_free(GstAllocator* allocator, GstMemory* memory) {
  reinterpret_cast<GstMemifAllocator*>(allocator)->free_memory(memory);
}

static void gst_memif_allocator_class_init(GstMemifAllocatorClass* klass) {
  GST_ALLOCATOR_CLASS(klass)->alloc = gst_memif_allocator_alloc;
  GST_ALLOCATOR_CLASS(klass)->free = gst_memif_allocator_free;
}

static void gst_memif_allocator_init(GstMemifAllocator* self) {
  self->parent.mem_unmap = [](GstMemory*) {};
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC | gstpacket::kSteadyMemory);
}

GstAllocator* gst_memif_allocator_new(const GstMemifMemoryKind& kind) {
  auto* self =
      static_cast<GstMemifAllocator*>(g_object_new(gst_memif_allocator_get_type(), nullptr));
  gst_object_ref_sink(self);
  GST_OBJECT_FLAG_SET(self, GST_OBJECT_FLAG_MAY_BE_LEAKED);
  self->free_memory = kind.free;
  GstAllocator* allocator = &self->parent;
  allocator->mem_type = kind.mem_type;
  allocator->mem_map = kind.map;
  if (kind.copy != nullptr) allocator->mem_copy = kind.copy;
  if (kind.share != nullptr) allocator->mem_share = kind.share;
  if (kind.is_span != nullptr) allocator->mem_is_span = kind.is_span;
  return allocator;
}
