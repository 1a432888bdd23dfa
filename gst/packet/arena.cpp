// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The memory of batches: ordinary memory that tells itself apart from that of a packet, and views
 * of an arena, by which batches that share it each say their own size.
 */
#include "gst/packet/arena.hpp"

#include <cstring>

#include "gst/packet/batch.hpp"

namespace {

struct GstPacketArena {
  GstMemory memory;
  std::byte* data;
  gsize capacity;
  gstpacket::detail::CopyHome* home;
};

struct GstPacketView {
  GstMemory memory;
  GstMemory* whole;
  GstMapInfo map;  // for as long as this lives
  guint8* base;
};

struct GstPacketArenaAllocator {
  GstAllocator parent;
};
struct GstPacketArenaAllocatorClass {
  GstAllocatorClass parent_class;
};
using GstPacketViewAllocator = GstPacketArenaAllocator;
using GstPacketViewAllocatorClass = GstPacketArenaAllocatorClass;

GstPacketArena* arena_of(GstMemory* memory) {
  return reinterpret_cast<GstPacketArena*>(memory);
}

/**
 * A copy of all of it has the packets where they were, so that descriptors go on to be right.
 * A part of an arena is not a packet.
 */
GstMemory* copy_arena(GstMemory* memory, gssize offset, gssize size) {
  const gsize said =
      size < 0 ? memory->size - static_cast<gsize>(offset) : static_cast<gsize>(size);
  const bool all = offset == 0 && said == memory->size;
  const gsize first = all ? 0 : memory->offset + static_cast<gsize>(offset);
  const gsize length = all ? memory->maxsize : said;
  GstMemory* copy = gst_allocator_alloc(gst_packet_arena_allocator(), length, nullptr);
  if (copy == nullptr) return nullptr;
  if (length != 0) std::memcpy(arena_of(copy)->data, arena_of(memory)->data + first, length);
  if (all) gst_memory_resize(copy, static_cast<gssize>(memory->offset), said);
  return copy;
}

GstAllocator* process_allocator(GType type) {
  gpointer made = g_object_new(type, nullptr);
  gst_object_ref_sink(made);
  GST_OBJECT_FLAG_SET(made, GST_OBJECT_FLAG_MAY_BE_LEAKED);
  return GST_ALLOCATOR_CAST(made);
}

}  // namespace

// ---- arenas -----------------------------------------------------------------------------------

GType gst_packet_arena_allocator_get_type(void);
G_DEFINE_TYPE(GstPacketArenaAllocator, gst_packet_arena_allocator, GST_TYPE_ALLOCATOR)

static void gst_packet_arena_allocator_class_init(GstPacketArenaAllocatorClass* klass) {
  GST_ALLOCATOR_CLASS(klass)->alloc = [](GstAllocator* allocator, gsize size,
                                         GstAllocationParams*) -> GstMemory* {
    // Room around the packets is between them: what the parameters say is for memory of one piece.
    constexpr gsize kHeader = (sizeof(GstPacketArena) + 63) & ~gsize{63};
    auto* block = size <= G_MAXSIZE - kHeader
                      ? static_cast<std::byte*>(g_try_malloc(kHeader + size))
                      : nullptr;
    if (block == nullptr) return nullptr;
    auto* arena = reinterpret_cast<GstPacketArena*>(block);
    arena->data = block + kHeader;
    arena->capacity = size;
    arena->home = nullptr;
    gst_memory_init(&arena->memory, GST_MEMORY_FLAG_NO_SHARE, allocator, nullptr, size, 0, 0, size);
    return &arena->memory;
  };
  GST_ALLOCATOR_CLASS(klass)->free = [](GstAllocator*, GstMemory* memory) {
    gstpacket::detail::CopyHome* home = arena_of(memory)->home;
    g_free(memory);
    if (home != nullptr) home->unref();
  };
}

static void gst_packet_arena_allocator_init(GstPacketArenaAllocator* self) {
  GstAllocator* allocator = GST_ALLOCATOR_CAST(self);
  allocator->mem_type = "PacketArena";
  allocator->mem_map = [](GstMemory* memory, gsize, GstMapFlags) -> gpointer {
    return arena_of(memory)->data;
  };
  allocator->mem_unmap = [](GstMemory*) {};
  allocator->mem_copy = copy_arena;
  GST_OBJECT_FLAG_SET(self, gstpacket::kSteadyMemory);
}

GstAllocator* gst_packet_arena_allocator(void) {
  static GstAllocator* const allocator = process_allocator(gst_packet_arena_allocator_get_type());
  return allocator;
}

gboolean gst_is_packet_arena_memory(const GstMemory* memory) {
  return memory->allocator == gst_packet_arena_allocator();
}

namespace gstpacket::detail {

void set_arena_home(GstMemory* arena, CopyHome* home) noexcept {
  arena_of(arena)->home = home;
}

CopyHome* arena_home(GstMemory* memory) noexcept {
  return gst_is_packet_arena_memory(memory) ? arena_of(memory)->home : nullptr;
}

bool reuse_arena(GstMemory* arena, gsize size) noexcept {
  if (size > arena_of(arena)->capacity) return false;
  GST_MINI_OBJECT_FLAGS(arena) = GST_MEMORY_FLAG_NO_SHARE | guint{GST_MINI_OBJECT_FLAG_LOCKABLE};
  arena->maxsize = arena->size = size;
  arena->offset = 0;
  return true;
}

}  // namespace gstpacket::detail

// ---- views ------------------------------------------------------------------------------------

GType gst_packet_view_allocator_get_type(void);
G_DEFINE_TYPE(GstPacketViewAllocator, gst_packet_view_allocator, GST_TYPE_ALLOCATOR)

static void gst_packet_view_allocator_class_init(GstPacketViewAllocatorClass* klass) {
  // Views are of something that is there.
  GST_ALLOCATOR_CLASS(klass)->alloc = [](GstAllocator*, gsize, GstAllocationParams*) -> GstMemory* {
    return nullptr;
  };
  GST_ALLOCATOR_CLASS(klass)->free = [](GstAllocator*, GstMemory* memory) {
    auto* view = reinterpret_cast<GstPacketView*>(memory);
    gst_memory_unmap(view->whole, &view->map);
    gst_memory_unref(view->whole);
    g_slice_free(GstPacketView, view);
  };
}

static void gst_packet_view_allocator_init(GstPacketViewAllocator* self) {
  GstAllocator* allocator = GST_ALLOCATOR_CAST(self);
  allocator->mem_type = "PacketView";
  allocator->mem_map = [](GstMemory* memory, gsize, GstMapFlags) -> gpointer {
    return reinterpret_cast<GstPacketView*>(memory)->base;
  };
  allocator->mem_unmap = [](GstMemory*) {};
  allocator->mem_copy = [](GstMemory* memory, gssize offset, gssize size) -> GstMemory* {
    GstMemory* whole = reinterpret_cast<GstPacketView*>(memory)->whole;
    if (size < 0) size = static_cast<gssize>(memory->size) - offset;
    if (offset != 0 || static_cast<gsize>(size) != memory->size) {
      return gst_memory_copy(whole, offset + static_cast<gssize>(memory->offset), size);
    }
    GstMemory* copy = gst_memory_copy(whole, 0, -1);
    if (copy != nullptr) gstpacket::set_packet_bytes(copy, memory->size);
    return copy;
  };
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC | gstpacket::kSteadyMemory);
}

namespace gstpacket::detail {
namespace {

GstAllocator* view_allocator() {
  static GstAllocator* const allocator = process_allocator(gst_packet_view_allocator_get_type());
  return allocator;
}

}  // namespace

GstMemory* new_view(GstMemory* arena) {
  GstMemory* whole = whole_arena(arena);
  auto* view = g_slice_new(GstPacketView);
  if (gst_memory_map(whole, &view->map, GST_MAP_READ) == FALSE) {
    g_slice_free(GstPacketView, view);
    return nullptr;
  }
  constexpr guint kKept = GST_MEMORY_FLAG_READONLY | GST_MEMORY_FLAG_NO_SHARE;
  gst_memory_init(&view->memory, static_cast<GstMemoryFlags>(GST_MINI_OBJECT_FLAGS(whole) & kKept),
                  view_allocator(), nullptr, whole->maxsize, whole->align, 0, 0);
  view->whole = gst_memory_ref(whole);
  view->base = view->map.data - whole->offset;
  return &view->memory;
}

GstMemory* whole_arena(GstMemory* memory) noexcept {
  return memory->allocator == view_allocator() ? reinterpret_cast<GstPacketView*>(memory)->whole
                                               : memory;
}

}  // namespace gstpacket::detail
