// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifslotmemory.hpp"

#include "plugins/memif/gstmemifallocator.hpp"

namespace {

struct GstMemifSlotMemory {
  GstMemory memory;
  SharedLoan loan;
  std::uint32_t index;
};

GstMemifSlotMemory* cast(GstMemory* memory) {
  return reinterpret_cast<GstMemifSlotMemory*>(memory);
}

gstmemif::BufferPlace& place_of(const GstMemifSlotMemory& buffer) {
  return buffer.loan->buffers[buffer.index];
}

gpointer gst_memif_slot_memory_map(GstMemory* memory, gsize, GstMapFlags) {
  const GstMemifSlotMemory& buffer = *cast(memory);
  return buffer.loan->base() + place_of(buffer).offset;
}

void gst_memif_slot_memory_free(GstMemory* memory) {
  delete cast(memory);
}

GstAllocator* slot_allocator() {
  static GstAllocator* const allocator = gst_memif_allocator_new(
      {"MemifBuffer", gst_memif_slot_memory_map, gst_memif_slot_memory_free});
  return allocator;
}

}  // namespace

SharedLoan share_loan(gstmemif::Loan* loan) {
  if (loan == nullptr) return nullptr;
  return SharedLoan(loan, [](gstmemif::Loan* last) { last->give_back(); });
}

GstMemory* gst_memif_slot_memory_new(const SharedLoan& loan, std::uint32_t index) {
  auto* buffer = new GstMemifSlotMemory{{}, loan, index};
  // Not shared: the bytes under a part of it would change when the whole is sent.
  gst_memory_init(&buffer->memory, GST_MEMORY_FLAG_NO_SHARE, slot_allocator(), nullptr,
                  loan->buffer_size, 0, 0, loan->buffer_size);
  return &buffer->memory;
}

gstmemif::Loan* gst_memif_slot_memory_loan(GstMemory* memory) {
  return memory->allocator == slot_allocator() ? cast(memory)->loan.get() : nullptr;
}

gstmemif::PacketDesc gst_memif_slot_memory_packet(GstMemory* memory) {
  const GstMemifSlotMemory& buffer = *cast(memory);
  return {place_of(buffer).offset + static_cast<std::uint32_t>(memory->offset),
          static_cast<std::uint32_t>(memory->size), 0, buffer.index};
}
