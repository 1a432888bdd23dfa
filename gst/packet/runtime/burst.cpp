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

/** The descriptor of a single buffer until it is opened. Exceeds every arena. */
constexpr GstPacketDesc kNotOpened{0, G_MAXUINT32, 0, 0};

/** Whether part of a batch was copied as if it were one packet. */
bool holds_arena(GstBuffer* buffer, guint memories) noexcept {
  for (guint i = 0; i < memories; ++i) {
    if (gst_is_packet_arena_memory(gst_buffer_peek_memory(buffer, i))) return true;
  }
  return false;
}

GstClockTime timestamp_of(const GstBuffer* buffer) noexcept {
  return GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
}

}  // namespace

// ---- all packets at once ----------------------------------------------------------------------

Packet* Burst::open_all() noexcept {
  all_open_ = true;
  for (std::size_t i = 0; i < size_; ++i) {
    const Packet* const packet = open(descs_[i]);
    packets_[i] = packet != nullptr ? *packet : Packet();
    bytes_in_ += packets_[i].size_;
    verdicts_[i] = forward();
  }
  return packets_.data();
}

void Burst::save_all() noexcept {
  bytes_out_ = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    bytes_out_ += packets_[i].size_;
    if (packets_[i].burst_ == nullptr) {
      verdicts_[i] = kUnreadable;
    } else if (access_ == Access::modify) {
      save(descs_[i], packets_[i]);
    }
  }
}

bool Burst::make_room(Packet& packet, std::size_t head, std::size_t tail) noexcept {
  // A copy of a Packet cannot be moved.
  const bool alone = batch_map_ && !all_open_;
  const Packet* const first = alone ? &packet_ : packets_.data();
  const Packet* const end = first + (alone ? 1 : size_);
  if (access_ == Access::read || std::less<>()(&packet, first) || !std::less<>()(&packet, end)) {
    return false;
  }
  if (batch_map_) return move_batch(std::max(head, tail) + kRoom);
  const auto i = static_cast<std::size_t>(&packet - first);
  if (!replace_memory(slots_[i], packet.bytes(), head + kRoom, tail + kRoom)) return false;
  view(i);
  return true;
}

// ---- batches ----------------------------------------------------------------------------------

void Burst::add_batch(GstBuffer* batch, GstPacketBatchMeta* meta) noexcept {
  if (batch != nullptr) batch_map_.emplace(batch, meta);
  if (!batch_map_ || !*batch_map_) {
    batch_map_.reset();
    slots_[0].mapped = false;
    view(0);
    size_ = 1;
    return;
  }
  size_ = batch_map_->meta().n;
  // An empty burst is not closed, so it must not keep the map.
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

/** Moves all packets of the batch to an arena with `room` spare bytes around each packet. */
bool Burst::move_batch(std::size_t room) noexcept {
  all_open_ ? save_all() : save(*desc_, packet_);
  GstBuffer* copy = gst_packet_batch_copy(batch_, room, room);
  if (copy == nullptr) return false;
  batch_map_.reset();
  gst_buffer_replace_all_memory(batch_, gst_buffer_get_memory(copy, 0));
  const GstPacketBatchMeta* moved = gst_buffer_get_packet_batch_meta(copy);
  std::memcpy(gst_buffer_get_packet_batch_meta(batch_)->packets, moved->packets,
              moved->n * sizeof(GstPacketDesc));
  // Before mapping: the arena must not belong to two buffers.
  gst_buffer_unref(copy);
  batch_map_.emplace(batch_);
  copies_ += size_;
  use_arena();
  room_.head = room_.tail = static_cast<std::uint32_t>(room);
  if (!all_open_) return open(*desc_) != nullptr;
  for (std::size_t i = 0; i < size_; ++i) {
    if (open(descs_[i]) != nullptr) packets_[i] = packet_;
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
  view(size_++);
}

/**
 * Sets packet `i` from its slot. Room around it may only be used if it was mapped for writing,
 * which requires exclusive memory.
 */
void Burst::view(std::size_t i) noexcept {
  const GstMapInfo& map = slots_[i].map;
  Packet& packet = packets_[i];
  own_descs_[i] = kNotOpened;
  if (!slots_[i].mapped) {
    packet = Packet();
    return;
  }
  packet = Packet({reinterpret_cast<std::byte*>(map.data), map.size}, 0, 0,
                  timestamp_of(slots_[i].buffer));
  if (access_ == Access::modify) {
    packet.room_ = {static_cast<std::uint32_t>(std::min(map.memory->offset, kMaxPacket)),
                    static_cast<std::uint32_t>(std::min(map.maxsize - map.size, kMaxPacket))};
  }
  packet.burst_ = this;
}

Packet* Burst::open_slow_path(GstPacketDesc& desc) noexcept {
  if (batch_map_) return nullptr;
  Packet* const packet = packets_.data() + (&desc - descs_);
  if (packet->burst_ == nullptr) return nullptr;
  // Beyond the last, it is one of a burst before.
  __builtin_prefetch(packet[kPrefetchAhead].data_);
  desc.length = packet->size_;
  return packet;
}

bool Burst::map_for_reading(Slot& slot) noexcept {
  const guint memories = gst_buffer_n_memory(slot.buffer);
  if (memories == 1) {
    GstMemory* memory = gst_buffer_peek_memory(slot.buffer, 0);
    return !gst_is_packet_arena_memory(memory) &&
           gst_memory_map(memory, &slot.map, GST_MAP_READ) != FALSE;
  }
  if (holds_arena(slot.buffer, memories)) return false;
  slot.merged = true;
  if (gst_buffer_map(slot.buffer, &slot.map, GST_MAP_READ) == FALSE) return false;
  if (memories > 1) ++copies_;
  return true;
}

bool Burst::map_for_writing(Slot& slot) noexcept {
  const guint memories = gst_buffer_n_memory(slot.buffer);
  if (memories == 0) return replace_memory(slot, {}, kRoom, kRoom);
  if (memories == 1) {
    GstMemory* memory = gst_buffer_peek_memory(slot.buffer, 0);
    if (gst_is_packet_arena_memory(memory)) return false;
    // Fails if another buffer has the memory as well, or it is read-only.
    if (gst_memory_map(memory, &slot.map, GST_MAP_READWRITE) != FALSE) return true;
  } else if (holds_arena(slot.buffer, memories)) {
    return false;
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

void Burst::close() noexcept {
  if (batch_map_) {
    if (access_ == Access::modify) set_packet_bytes(batch_map_->arena(), bytes_out_);
    return batch_map_.reset();
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Slot& slot = slots_[i];
    if (!slot.mapped) continue;
    const auto bytes = packets_[i].bytes();
    const auto* was = reinterpret_cast<const std::byte*>(slot.map.data);
    const std::size_t was_size = slot.map.size;
    unmap(slot);
    if (access_ == Access::modify && (bytes.data() != was || bytes.size() != was_size)) {
      gst_buffer_resize(slot.buffer, bytes.data() - was, static_cast<gssize>(bytes.size()));
    }
  }
}

}  // namespace gstpacket::detail
