// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifarena.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/memif/gstmemifallocator.hpp"

namespace {

struct GstMemifArena {
  GstMemory memory;
  gstmemif::Loan* loan;
  BatchHome* home;
};

GstMemifArena* cast(GstMemory* memory) {
  return reinterpret_cast<GstMemifArena*>(memory);
}

gpointer gst_memif_arena_map(GstMemory* memory, gsize, GstMapFlags) {
  return cast(memory)->loan->base();
}

/**
 * Only lent bytes are copied; the rest is not ours to read. In a copy of the whole memory the
 * packets keep their offsets, so descriptors stay valid.
 */
GstMemory* gst_memif_arena_copy(GstMemory* memory, gssize offset, gssize size) {
  const gstmemif::Loan& from = *cast(memory)->loan;
  const gsize said =
      size < 0 ? memory->size - static_cast<gsize>(offset) : static_cast<gsize>(size);
  const bool all = offset == 0 && said == memory->size;
  const gsize begin = all ? 0 : memory->offset + static_cast<gsize>(offset);
  const gsize length = all ? memory->maxsize : said;
  GstMemory* to = gst_allocator_alloc(gst_packet_arena_allocator(), length, nullptr);
  GstMapInfo info;
  if (to == nullptr || !gst_memory_map(to, &info, GST_MAP_WRITE)) {
    if (to != nullptr) gst_memory_unref(to);
    return nullptr;
  }
  for (const gstmemif::BufferPlace& place : from.places()) {
    const gsize first = std::max<gsize>(place.offset, begin);
    const gsize last = std::min<gsize>(gsize{place.offset} + from.buffer_size, begin + length);
    if (first < last) std::memcpy(info.data + (first - begin), from.base() + first, last - first);
  }
  gst_memory_unmap(to, &info);
  if (all) gst_memory_resize(to, static_cast<gssize>(memory->offset), said);
  return to;
}

void gst_memif_arena_free(GstMemory* memory) {
  gst_memif_arena_give_back(memory);
  BatchHome* home = cast(memory)->home;
  g_slice_free(GstMemifArena, cast(memory));
  if (home != nullptr) home->unref();
}

GstAllocator* arena_allocator() {
  static GstAllocator* const allocator = gst_memif_allocator_new(
      {"MemifRegion", gst_memif_arena_map, gst_memif_arena_free, gst_memif_arena_copy});
  return allocator;
}

}  // namespace

GstMemory* gst_memif_arena_new(gstmemif::Loan* loan) {
  GstMemory* memory = gst_memif_arena_new_empty(nullptr);
  gst_memif_arena_take(memory, loan);
  return memory;
}

GstMemory* gst_memif_arena_new_empty(BatchHome* home) {
  GstMemifArena* memory = g_slice_new(GstMemifArena);
  gst_memory_init(&memory->memory, GST_MEMORY_FLAG_NO_SHARE, arena_allocator(), nullptr, 0, 0, 0,
                  0);
  memory->loan = nullptr;
  memory->home = home;
  if (home != nullptr) home->ref();
  return &memory->memory;
}

BatchHome* gst_memif_arena_home(GstMemory* memory) {
  return memory->allocator == arena_allocator() ? cast(memory)->home : nullptr;
}

void gst_memif_arena_take(GstMemory* memory, gstmemif::Loan* loan) {
  cast(memory)->loan = loan;
  memory->maxsize = loan->size();
  memory->offset = 0;
  memory->size = std::min<std::uint64_t>(loan->bytes, memory->maxsize);
  if (loan->writable) {
    GST_MINI_OBJECT_FLAG_UNSET(memory, GST_MEMORY_FLAG_READONLY);
  } else {
    GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_READONLY);
  }
}

void gst_memif_arena_give_back(GstMemory* memory) {
  gstmemif::Loan* loan = std::exchange(cast(memory)->loan, nullptr);
  if (loan != nullptr) loan->give_back();
}

gstmemif::Loan* gst_memif_arena_loan(GstMemory* memory) {
  return memory->allocator == arena_allocator() ? cast(memory)->loan : nullptr;
}
