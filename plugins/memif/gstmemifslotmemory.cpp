// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifslotmemory.hpp"

#include <algorithm>

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

GstMemory* whole_of(GstMemory* memory) {
  return memory->parent != nullptr ? memory->parent : memory;
}

gpointer gst_memif_slot_memory_map(GstMemory* memory, gsize, GstMapFlags) {
  const GstMemifSlotMemory& buffer = *cast(whole_of(memory));
  return buffer.loan->base() + place_of(buffer).offset;
}

/** The part refers to the whole, which is not sent by exchange as long as it does. */
GstMemory* gst_memif_slot_memory_share(GstMemory* memory, gssize offset, gssize size) {
  GstMemory* whole = whole_of(memory);
  auto* part = new GstMemifSlotMemory{{}, nullptr, 0};
  const guint flags = GST_MINI_OBJECT_FLAGS(whole) | GST_MINI_OBJECT_FLAG_LOCK_READONLY;
  const gsize length =
      size < 0 ? memory->size - static_cast<gsize>(offset) : static_cast<gsize>(size);
  gst_memory_init(&part->memory, static_cast<GstMemoryFlags>(flags), memory->allocator, whole,
                  whole->maxsize, 0, memory->offset + static_cast<gsize>(offset), length);
  return &part->memory;
}

/** Of two parts of one memory. */
gboolean gst_memif_slot_memory_is_span(GstMemory* first, GstMemory* second, gsize* offset) {
  if (offset != nullptr) *offset = first->offset - whole_of(first)->offset;
  return first->offset + first->size == second->offset;
}

void gst_memif_slot_memory_free(GstMemory* memory) {
  delete cast(memory);
}

GstAllocator* slot_allocator() {
  static GstAllocator* const allocator = gst_memif_allocator_new(
      {"MemifBuffer", gst_memif_slot_memory_map, gst_memif_slot_memory_free, nullptr,
       gst_memif_slot_memory_share, gst_memif_slot_memory_is_span});
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

GstMemory* gst_memif_slot_memory_new_received(gstmemif::Loan* loan,
                                              const gstmemif::PacketDesc& packet) {
  auto* buffer = new GstMemifSlotMemory{{}, share_loan(loan), packet.token};
  const gsize skipped = packet.offset - place_of(*buffer).offset;
  const gsize room = std::max<gsize>(loan->buffer_size, skipped + packet.length);
  gst_memory_init(&buffer->memory, loan->writable ? GstMemoryFlags(0) : GST_MEMORY_FLAG_READONLY,
                  slot_allocator(), nullptr, room, 0, skipped, packet.length);
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
