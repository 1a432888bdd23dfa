// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifcopymemory.hpp"

#include <new>

#include "plugins/memif/gstmemifallocator.hpp"

namespace {

/** The bytes follow, but for a part of another one, which is its parent. */
struct alignas(std::max_align_t) GstMemifCopyMemory {
  GstMemory memory;
  CopyBudgetPtr budget;
};

GstMemory* whole_of(GstMemory* memory) {
  return memory->parent != nullptr ? memory->parent : memory;
}

std::byte* bytes_of(GstMemory* memory) {
  return reinterpret_cast<std::byte*>(whole_of(memory)) + sizeof(GstMemifCopyMemory);
}

/** With room for @p size bytes; null without memory. */
GstMemifCopyMemory* allocate(gsize size) {
  if (size > G_MAXSIZE - sizeof(GstMemifCopyMemory)) return nullptr;
  void* place = g_try_malloc(sizeof(GstMemifCopyMemory) + size);
  return place != nullptr ? new (place) GstMemifCopyMemory() : nullptr;
}

gpointer gst_memif_copy_memory_map(GstMemory* memory, gsize, GstMapFlags) {
  return bytes_of(memory);
}

GstMemory* gst_memif_copy_memory_share(GstMemory* memory, gssize offset, gssize size) {
  GstMemory* whole = whole_of(memory);
  GstMemifCopyMemory* part = allocate(0);
  if (part == nullptr) return nullptr;
  const guint flags = GST_MINI_OBJECT_FLAGS(whole) | GST_MINI_OBJECT_FLAG_LOCK_READONLY;
  const gsize length =
      size < 0 ? memory->size - static_cast<gsize>(offset) : static_cast<gsize>(size);
  gst_memory_init(&part->memory, static_cast<GstMemoryFlags>(flags), memory->allocator, whole,
                  whole->maxsize, whole->align, memory->offset + static_cast<gsize>(offset),
                  length);
  return &part->memory;
}

/** Of two parts of one memory. */
gboolean gst_memif_copy_memory_is_span(GstMemory* first, GstMemory* second, gsize* offset) {
  if (offset != nullptr) *offset = first->offset - whole_of(first)->offset;
  return first->offset + first->size == second->offset;
}

void gst_memif_copy_memory_free(GstMemory* memory) {
  auto* copy = reinterpret_cast<GstMemifCopyMemory*>(memory);
  if (copy->budget) copy->budget->give_back(memory->maxsize);
  copy->~GstMemifCopyMemory();
  g_free(copy);
}

GstAllocator* copy_allocator() {
  static GstAllocator* const allocator = gst_memif_allocator_new(
      {"MemifCopy", gst_memif_copy_memory_map, gst_memif_copy_memory_free, nullptr,
       gst_memif_copy_memory_share, gst_memif_copy_memory_is_span});
  return allocator;
}

}  // namespace

GstMemory* gst_memif_copy_memory_new(const CopyBudgetPtr& budget, gsize size,
                                     GstMemoryFlags flags) {
  if (budget && !budget->take(size)) return nullptr;
  GstMemifCopyMemory* copy = allocate(size);
  if (copy == nullptr) {
    if (budget) budget->give_back(size);
    return nullptr;
  }
  gst_memory_init(&copy->memory, flags, copy_allocator(), nullptr, size, 0, 0, size);
  copy->budget = budget;
  return &copy->memory;
}

bool gst_is_memif_copy_memory(const GstMemory* memory) noexcept {
  return memory->allocator == copy_allocator() && memory->parent == nullptr;
}

std::byte* gst_memif_copy_memory_reuse(GstMemory* memory, gsize size) noexcept {
  memory->offset = 0;
  memory->size = size;
  return bytes_of(memory);
}
