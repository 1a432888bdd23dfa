// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/copy_pool.hpp"

#include <algorithm>
#include <bit>

#include "gst/packet/arena.hpp"

namespace gstpacket::detail {
namespace {

constexpr gsize kSmallestArena = 2048;
// Room for 256 packets of an Ethernet link. Larger ones are rare, and not kept.
constexpr gsize kLargestArena = gsize{512} << 10;

struct Copy {
  static CopyHome* home_of(GstMemory* memory) { return arena_home(memory); }
  static const GstMetaInfo* meta_info() { return gst_packet_batch_meta_get_info(); }
  static void reset(GstBuffer*, GstMemory*, GstMeta* meta) {
    reinterpret_cast<GstPacketBatchMeta*>(meta)->n = 0;
  }
};

GstBuffer* new_batch(gsize size, CopyHome* home) {
  GstBuffer* batch = gst_packet_batch_new(std::max(std::bit_ceil(size), kSmallestArena));
  if (batch == nullptr) return nullptr;
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  home->ref();
  set_arena_home(arena, home);
  reuse_arena(arena, size);
  GST_BUFFER_FLAG_UNSET(batch, GST_BUFFER_FLAG_TAG_MEMORY);  // marks those with other memory
  GST_MINI_OBJECT_CAST(batch)->dispose = go_home<Copy>;
  return batch;
}

}  // namespace

CopyPool::CopyPool() : home_(new CopyHome()) {}

CopyPool::~CopyPool() {
  home_->leave();
}

GstBuffer* CopyPool::take(gsize size) {
  if (size > kLargestArena) return gst_packet_batch_new(size);
  GstBuffer* batch = home_->take();
  if (batch == nullptr) return new_batch(size, home_);
  if (reuse_arena(gst_buffer_peek_memory(batch, 0), size)) return batch;
  unref_for_good(batch);
  return new_batch(size, home_);
}

}  // namespace gstpacket::detail
