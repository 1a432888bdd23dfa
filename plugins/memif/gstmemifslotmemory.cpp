// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifslotmemory.hpp"

#include "plugins/memif/gstmemifarena.hpp"

namespace {

struct GstMemifSlotMemory {
  GstMemory memory;
  SharedLoan loan;
  std::uint32_t index;
};

struct GstMemifSlotAllocator {
  GstAllocator parent;
};
struct GstMemifSlotAllocatorClass {
  GstAllocatorClass parent_class;
};

GstMemifSlotMemory* cast(GstMemory* memory) {
  return reinterpret_cast<GstMemifSlotMemory*>(memory);
}

gstmemif::BufferPlace& place_of(const GstMemifSlotMemory& buffer) {
  return buffer.loan->buffers[buffer.index];
}

gpointer map(GstMemory* memory, gsize, GstMapFlags) {
  const GstMemifSlotMemory& buffer = *cast(memory);
  return buffer.loan->base() + place_of(buffer).offset;
}

void unmap(GstMemory*) {}

GstMemory* dummy_alloc(GstAllocator*, gsize, GstAllocationParams*) {
  // These come from a pool: see gstmemifpool.hpp.
  return nullptr;
}

void free_memory(GstAllocator*, GstMemory* memory) {
  delete cast(memory);
}

}  // namespace

GType gst_memif_slot_allocator_get_type(void);
G_DEFINE_TYPE(GstMemifSlotAllocator, gst_memif_slot_allocator, GST_TYPE_ALLOCATOR)

static void gst_memif_slot_allocator_class_init(GstMemifSlotAllocatorClass* klass) {
  GST_ALLOCATOR_CLASS(klass)->alloc = dummy_alloc;
  GST_ALLOCATOR_CLASS(klass)->free = free_memory;
}

static void gst_memif_slot_allocator_init(GstMemifSlotAllocator* self) {
  GstAllocator* allocator = GST_ALLOCATOR_CAST(self);
  allocator->mem_type = "MemifBuffer";
  allocator->mem_map = map;
  allocator->mem_unmap = unmap;
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static GstAllocator* memif_buffer_allocator() {
  static GstAllocator* const allocator =
      gst_memif_process_allocator(gst_memif_slot_allocator_get_type());
  return allocator;
}

SharedLoan share_loan(gstmemif::Loan* loan) {
  if (loan == nullptr) return nullptr;
  return SharedLoan(loan, [](gstmemif::Loan* last) { last->give_back(); });
}

GstMemory* gst_memif_slot_memory_new(const SharedLoan& loan, std::uint32_t index) {
  auto* buffer = new GstMemifSlotMemory{{}, loan, index};
  // Not shared: the bytes under a part of it would change when the whole is sent.
  gst_memory_init(&buffer->memory, GST_MEMORY_FLAG_NO_SHARE, memif_buffer_allocator(), nullptr,
                  loan->buffer_size, 0, 0, loan->buffer_size);
  return &buffer->memory;
}

gstmemif::Loan* gst_memif_slot_memory_loan(GstMemory* memory) {
  return memory->allocator == memif_buffer_allocator() ? cast(memory)->loan.get() : nullptr;
}

gstmemif::PacketDesc gst_memif_slot_memory_packet(GstMemory* memory) {
  const GstMemifSlotMemory& buffer = *cast(memory);
  return {place_of(buffer).offset + static_cast<std::uint32_t>(memory->offset),
          static_cast<std::uint32_t>(memory->size), 0, buffer.index};
}
