// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/burst.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>

namespace gstpacket {
namespace {

constexpr std::size_t kMaxPacket = std::numeric_limits<std::uint32_t>::max() / 4;

}  // namespace

bool Packet::make_room(std::size_t head, std::size_t tail) noexcept {
  if (burst_ == nullptr || head > kMaxPacket || tail > kMaxPacket) return false;
  return burst_->make_room(*this, head, tail);
}

}  // namespace gstpacket

namespace gstpacket::detail {
namespace {

/// Of a packet in a buffer of its own, until it is opened. Reaches beyond every arena.
constexpr GstPacketDesc kNotOpened{0, G_MAXUINT32, 0, 0};

/// What was copied out of a batch as if it were one packet.
bool holds_arena(GstBuffer* buffer, guint memories) noexcept {
  for (guint i = 0; i < memories; ++i) {
    if (is_arena(gst_buffer_peek_memory(buffer, i))) return true;
  }
  return false;
}

GstClockTime timestamp_of(const GstBuffer* buffer) noexcept {
  return GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
}

}  // namespace

void Burst::clear() noexcept {
  descs_ = own_descs_.data();
  size_ = arena_size_ = bytes_in_ = bytes_out_ = 0;
  base_ = nullptr;
  room_ = {};
  all_open_ = false;
}

// ---- all packets at once ----------------------------------------------------------------------

Packet* Burst::open_all() noexcept {
  all_open_ = true;
  for (std::size_t i = 0; i < size_; ++i) {
    packets_[i] = open(descs_[i]) ? packet_ : Packet();
    bytes_in_ += packets_[i].size_;
    verdicts_[i] = forward();
  }
  return packets_.data();
}

void Burst::save_all() noexcept {
  bytes_out_ = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const Packet& packet = packets_[i];
    if (packet.burst_ == nullptr) {
      verdicts_[i] = kUnreadable;
      continue;
    }
    bytes_out_ += packet.size_;
    if (access_ == Access::read) continue;
    const std::byte* const base = batch_map_ ? base_ : base_of(slots_[i]);
    descs_[i].offset = static_cast<guint32>(packet.data_ - base);
    descs_[i].length = packet.size_;
  }
}

bool Burst::make_room(Packet& packet, std::size_t head, std::size_t tail) noexcept {
  // The descriptor of a copy of ours is not known.
  const Packet* const first = all_open_ ? packets_.data() : &packet_;
  const Packet* const end = first + (all_open_ ? size_ : 1);
  if (access_ == Access::read || std::less<>()(&packet, first) || !std::less<>()(&packet, end)) {
    return false;
  }
  if (batch_map_) return move_batch(std::max(head, tail) + kRoom);
  GstPacketDesc& desc = all_open_ ? descs_[&packet - first] : *desc_;
  if (!replace_memory(slot_of(desc), packet.bytes(), head + kRoom, tail + kRoom)) return false;
  if (open_slow_path(desc)) packet = packet_;
  return true;
}

// ---- batches ----------------------------------------------------------------------------------

void Burst::add_batch(GstBuffer* batch) noexcept {
  if (batch != nullptr) batch_map_.emplace(batch);
  if (!batch_map_ || !*batch_map_) {
    batch_map_.reset();
    slots_[0].mapped = false;
    own_descs_[0] = kNotOpened;
    size_ = 1;
    return;
  }
  size_ = batch_map_->meta().n;
  // Nobody closes a burst without packets: it must not keep the map.
  if (size_ == 0) return batch_map_.reset();
  batch_ = batch;
  pts_ = GST_BUFFER_PTS(batch);
  delays_ = pts_ != GST_CLOCK_TIME_NONE ? ~guint32{0} : 0;
  use_arena();
}

void Burst::use_arena() noexcept {
  descs_ = batch_map_->meta().packets;
  base_ = batch_map_->data();
  arena_size_ = batch_map_->size();
}

/// Moves all packets of the batch to an arena with `room` spare bytes around each.
bool Burst::move_batch(std::size_t room) noexcept {
  all_open_ ? save_all() : save();
  GstBuffer* copy = gst_packet_batch_copy(batch_, room, room);
  if (copy == nullptr) return false;
  batch_map_.reset();
  gst_buffer_replace_all_memory(batch_, gst_buffer_get_memory(copy, 0));
  const GstPacketBatchMeta* moved = gst_buffer_get_packet_batch_meta(copy);
  std::memcpy(gst_buffer_get_packet_batch_meta(batch_)->packets, moved->packets,
              moved->n * sizeof(GstPacketDesc));
  // First, or the arena would belong to two buffers.
  gst_buffer_unref(copy);
  batch_map_.emplace(batch_);
  copies_ += size_;
  use_arena();
  room_.head = room_.tail = static_cast<std::uint32_t>(room);
  if (!all_open_) return open(*desc_);
  for (std::size_t i = 0; i < size_; ++i) {
    if (open(descs_[i])) packets_[i] = packet_;
  }
  return true;
}

// ---- single buffers ---------------------------------------------------------------------------

void Burst::add(GstBuffer* buffer) noexcept {
  Slot& slot = slots_[size_];
  slot.buffer = buffer;
  slot.merged = slot.mapped = false;
  slot.mapped = access_ == Access::read ? map_for_reading(slot) : map_for_writing(slot);
  if (slot.mapped && slot.map.size > kMaxPacket) unmap(slot);
  own_descs_[size_++] = kNotOpened;
}

bool Burst::open_slow_path(GstPacketDesc& desc) noexcept {
  if (batch_map_) return false;
  const Slot& slot = slot_of(desc);
  if (!slot.mapped) return false;
  if (&desc + kPrefetchAhead < end()) __builtin_prefetch((&slot)[kPrefetchAhead].map.data);
  const auto head = static_cast<guint32>(headroom_of(slot));
  base_ = base_of(slot);
  desc = {head, static_cast<guint32>(slot.map.size), 0, 0};
  desc_ = &desc;
  packet_.data_ = base_ + head;
  packet_.size_ = desc.length;
  packet_.room_ = {head, static_cast<std::uint32_t>(tailroom_of(slot))};
  packet_.timestamp_ = timestamp_of(slot.buffer);
  return true;
}

bool Burst::map_for_reading(Slot& slot) noexcept {
  const guint memories = gst_buffer_n_memory(slot.buffer);
  if (holds_arena(slot.buffer, memories)) return false;
  if (memories == 1) {
    return gst_memory_map(gst_buffer_peek_memory(slot.buffer, 0), &slot.map, GST_MAP_READ) != FALSE;
  }
  slot.merged = true;
  if (gst_buffer_map(slot.buffer, &slot.map, GST_MAP_READ) == FALSE) return false;
  if (memories > 1) ++copies_;
  return true;
}

bool Burst::map_for_writing(Slot& slot) noexcept {
  const guint memories = gst_buffer_n_memory(slot.buffer);
  if (holds_arena(slot.buffer, memories)) return false;
  if (memories == 0) return replace_memory(slot, {}, kRoom, kRoom);
  if (memories == 1) {
    GstMemory* memory = gst_buffer_peek_memory(slot.buffer, 0);
    // Fails if another buffer has the memory as well, or it is read-only.
    if (gst_memory_map(memory, &slot.map, GST_MAP_READWRITE) != FALSE) return true;
  }
  GstMapInfo from;
  if (gst_buffer_map(slot.buffer, &from, GST_MAP_READ) == FALSE) return false;
  // The merged memory outlives the replacement: the map holds a reference.
  const bool done =
      replace_memory(slot, std::as_bytes(std::span(from.data, from.size)), kRoom, kRoom);
  gst_memory_unmap(from.memory, &from);
  gst_memory_unref(from.memory);
  return done;
}

bool Burst::replace_memory(Slot& slot, std::span<const std::byte> bytes, std::size_t head,
                           std::size_t tail) noexcept {
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.prefix = head;
  params.padding = tail;
  GstMemory* memory = gst_allocator_alloc(nullptr, bytes.size(), &params);
  if (memory == nullptr) return false;
  GstMapInfo map;
  if (gst_memory_map(memory, &map, GST_MAP_READWRITE) == FALSE) {
    gst_memory_unref(memory);
    return false;
  }
  if (!bytes.empty()) {
    std::memcpy(map.data, bytes.data(), bytes.size());
    ++copies_;
  }
  unmap(slot);
  gst_buffer_replace_all_memory(slot.buffer, memory);
  slot.map = map;
  slot.mapped = true;
  slot.merged = false;
  return true;
}

void Burst::unmap(Slot& slot) noexcept {
  if (!std::exchange(slot.mapped, false)) return;
  if (slot.merged) {
    gst_buffer_unmap(slot.buffer, &slot.map);
  } else {
    gst_memory_unmap(slot.map.memory, &slot.map);
  }
}

// Room around a packet is only ours if the memory could be mapped for writing: then nobody else
// has it.
std::size_t Burst::headroom_of(const Slot& slot) const noexcept {
  return access_ == Access::read ? 0 : std::min(slot.map.memory->offset, kMaxPacket);
}
std::size_t Burst::tailroom_of(const Slot& slot) const noexcept {
  return access_ == Access::read ? 0 : std::min(slot.map.maxsize - slot.map.size, kMaxPacket);
}
std::byte* Burst::base_of(const Slot& slot) const noexcept {
  return reinterpret_cast<std::byte*>(slot.map.data) - headroom_of(slot);
}

void Burst::close() noexcept {
  if (batch_map_) {
    if (access_ == Access::modify) set_packet_bytes(batch_map_->arena(), bytes_out_);
    return batch_map_.reset();
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Slot& slot = slots_[i];
    if (!slot.mapped) continue;
    const GstPacketDesc& desc = descs_[i];
    const std::size_t head = headroom_of(slot);
    const bool resized =
        desc.length != kNotOpened.length && (desc.offset != head || desc.length != slot.map.size);
    unmap(slot);
    if (resized) {
      gst_buffer_resize(slot.buffer, static_cast<gssize>(desc.offset) - static_cast<gssize>(head),
                        desc.length);
    }
  }
}

}  // namespace gstpacket::detail
