// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/chunk.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace gstpacket {

/// The runtime's way into a Packet.
class PacketAccess {
 public:
  static void carry(Packet& packet, detail::PacketCarrier* carrier, std::size_t index) noexcept {
    packet.carrier_ = carrier;
    packet.index_ = static_cast<std::uint32_t>(index);
  }
  static std::size_t index(const Packet& packet) noexcept { return packet.index_; }
};

bool Packet::make_room(std::size_t head, std::size_t tail) noexcept {
  constexpr std::size_t kMaxSize = std::numeric_limits<std::uint32_t>::max() / 4;
  if (carrier_ == nullptr || head > kMaxSize || tail > kMaxSize) return false;
  return carrier_->make_room(*this, head, tail);
}

}  // namespace gstpacket

namespace gstpacket::detail {
namespace {

constexpr std::size_t kMaxPacket = std::numeric_limits<std::uint32_t>::max() / 4;

// Only called after the memory could be mapped for writing: then nobody else has it, and the bytes
// around the packet are free as well.
std::pair<std::size_t, std::size_t> room_around(const GstMapInfo& map, Access access) noexcept {
  if (access == Access::read) return {0, 0};
  return {map.memory->offset, map.maxsize - map.size};
}

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

void Chunk::add(GstBuffer* buffer) noexcept {
  Slot& slot = slots_[size_];
  slot.buffer = buffer;
  slot.by_buffer = slot.mapped = false;
  slot.mapped = access_ == Access::read ? map_for_reading(slot) : map_for_writing(slot);
  if (slot.mapped && slot.map.size > kMaxPacket) unmap(slot);
  readable_[size_] = slot.mapped;
  if (!slot.mapped) ++unreadable_;
  view(size_, timestamp_of(buffer));
  bytes_in_ += packets_[size_].size();
  ++size_;
}

void Chunk::view(std::size_t i, GstClockTime timestamp) noexcept {
  const Slot& slot = slots_[i];
  Packet& packet = packets_[i];
  if (!slot.mapped) {
    packet = Packet({}, 0, 0, timestamp);
    return;
  }
  const auto [head, tail] = room_around(slot.map, access_);
  packet = Packet({reinterpret_cast<std::byte*>(slot.map.data), slot.map.size}, head,
                  std::min(tail, kMaxPacket), timestamp);
  PacketAccess::carry(packet, this, i);
}

bool Chunk::map_for_reading(Slot& slot) noexcept {
  const guint memories = gst_buffer_n_memory(slot.buffer);
  if (memories == 1) {
    GstMemory* memory = gst_buffer_peek_memory(slot.buffer, 0);
    return !is_arena(memory) && gst_memory_map(memory, &slot.map, GST_MAP_READ) != FALSE;
  }
  if (holds_arena(slot.buffer, memories)) return false;
  slot.by_buffer = true;
  if (gst_buffer_map(slot.buffer, &slot.map, GST_MAP_READ) == FALSE) return false;
  if (memories > 1) ++copies_;
  return true;
}

bool Chunk::map_for_writing(Slot& slot) noexcept {
  const guint memories = gst_buffer_n_memory(slot.buffer);
  if (memories == 0) return replace_memory(slot, nullptr, 0, kRoom, kRoom);
  if (memories == 1) {
    GstMemory* memory = gst_buffer_peek_memory(slot.buffer, 0);
    if (is_arena(memory)) return false;
    // Fails if another buffer has the memory as well, or it is read-only.
    if (gst_memory_map(memory, &slot.map, GST_MAP_READWRITE) != FALSE) return true;
  } else if (holds_arena(slot.buffer, memories)) {
    return false;
  }
  GstMapInfo from;
  if (gst_buffer_map(slot.buffer, &from, GST_MAP_READ) == FALSE) return false;
  // The merged memory outlives the replacement: the map holds a reference.
  const bool done =
      replace_memory(slot, reinterpret_cast<const std::byte*>(from.data), from.size, kRoom, kRoom);
  gst_memory_unmap(from.memory, &from);
  gst_memory_unref(from.memory);
  return done;
}

bool Chunk::replace_memory(Slot& slot, const std::byte* bytes, std::size_t size, std::size_t head,
                           std::size_t tail) noexcept {
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.prefix = head;
  params.padding = tail;
  GstMemory* memory = gst_allocator_alloc(nullptr, size, &params);
  if (memory == nullptr) return false;
  GstMapInfo map;
  if (gst_memory_map(memory, &map, GST_MAP_READWRITE) == FALSE) {
    gst_memory_unref(memory);
    return false;
  }
  if (size != 0) {
    std::memcpy(map.data, bytes, size);
    ++copies_;
  }
  unmap(slot);
  gst_buffer_replace_all_memory(slot.buffer, memory);
  slot.map = map;
  slot.mapped = true;
  slot.by_buffer = false;
  return true;
}

bool Chunk::make_room(Packet& packet, std::size_t head, std::size_t tail) noexcept {
  const std::size_t i = PacketAccess::index(packet);
  const bool ours = cursor_ ? &packet == &cursor_->packet() : i < size_ && &packet == &packets_[i];
  if (access_ == Access::read || !ours) return false;
  if (batch_map_) return relocate_batch(std::max(head, tail) + kRoom);
  const auto bytes = packet.bytes();
  if (!replace_memory(slots_[i], bytes.data(), bytes.size(), head + kRoom, tail + kRoom)) {
    return false;
  }
  view(i, packet.timestamp());
  return true;
}

void Chunk::unmap(Slot& slot) noexcept {
  if (!slot.mapped) return;
  slot.mapped = false;
  if (slot.by_buffer) {
    gst_buffer_unmap(slot.buffer, &slot.map);
  } else {
    gst_memory_unmap(slot.map.memory, &slot.map);
  }
}

bool Chunk::all_forwarded() const noexcept {
  unsigned ports = unreadable_ != 0 ? 1 : 0;
  for (std::size_t i = 0; i < size_; ++i) ports |= verdicts_[i].port;
  return ports == 0;
}

void Chunk::close() noexcept {
  if (batch_map_) {
    if (cursor_) {
      close_cursor();
    } else if (access_ == Access::modify) {
      write_back_batch();
    } else {
      bytes_out_ = bytes_in_;
    }
    if (access_ == Access::modify) set_packet_bytes(batch_map_->arena(), bytes_out_);
    batch_map_.reset();
    return;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    Slot& slot = slots_[i];
    if (!slot.mapped) continue;
    const auto bytes = packets_[i].bytes();
    bytes_out_ += bytes.size();
    const auto* was = reinterpret_cast<const std::byte*>(slot.map.data);
    const std::size_t was_size = slot.map.size;
    unmap(slot);
    if (access_ == Access::modify && (bytes.data() != was || bytes.size() != was_size)) {
      gst_buffer_resize(slot.buffer, bytes.data() - was, static_cast<gssize>(bytes.size()));
    }
  }
}

// ---- batches ----------------------------------------------------------------------------------

void Chunk::add_batch(GstBuffer* batch) noexcept {
  batch_ = batch;
  batch_map_.emplace(batch);
  if (!*batch_map_) {
    batch_map_.reset();
    add_unreadable();
    return;
  }
  size_ = batch_map_->meta().n;
  // Nobody closes a chunk without packets: it must not keep the map.
  if (size_ == 0) {
    batch_map_.reset();
    return;
  }
  if (!one_by_one_) return view_batch(0);
  BatchMap& map = *batch_map_;
  cursor_.emplace(std::span(map.meta().packets, size_), std::span(map.data(), map.size()),
                  GST_BUFFER_PTS(batch), *this);
}

void Chunk::add_unreadable() noexcept {
  slots_[size_].mapped = false;
  readable_[size_] = false;
  ++unreadable_;
  view(size_, GST_CLOCK_TIME_NONE);
  ++size_;
}

void Chunk::view_batch(std::size_t room) noexcept {
  const GstPacketBatchMeta& meta = batch_map_->meta();
  const GstClockTime pts = GST_BUFFER_PTS(batch_);
  std::size_t readable = 0;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const GstPacketDesc& desc = meta.packets[i];
    std::byte* bytes = batch_map_->bytes(desc);
    const std::size_t length = bytes != nullptr ? desc.length : 0;
    readable_[i] = bytes != nullptr;
    readable += bytes != nullptr ? 1 : 0;
    total += length;
    packets_[i] =
        Packet({bytes, length}, room, room, pts != GST_CLOCK_TIME_NONE ? pts + desc.delay : pts);
    PacketAccess::carry(packets_[i], this, i);
  }
  unreadable_ = size_ - readable;
  bytes_in_ = total;
}

void Chunk::close_cursor() noexcept {
  bytes_in_ = cursor_->bytes_in();
  bytes_out_ = cursor_->bytes_out();
  unreadable_ = cursor_->unreadable();
  if (unreadable_ == 0) return;
  for (std::size_t i = 0; i < size_; ++i) readable_[i] = cursor_->is_readable(i);
}

/// Where a packet began and ended goes to its descriptor.
void Chunk::write_back_batch() noexcept {
  GstPacketDesc* const descs = batch_map_->meta().packets;
  const std::byte* const base = batch_map_->data();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    if (!readable_[i]) continue;
    const auto bytes = packets_[i].bytes();
    total += bytes.size();
    descs[i].offset = static_cast<guint32>(bytes.data() - base);
    descs[i].length = static_cast<guint32>(bytes.size());
  }
  bytes_out_ = total;
}

/// Moves all packets of the batch to an arena with `room` spare bytes around each.
bool Chunk::relocate_batch(std::size_t room) noexcept {
  if (cursor_) {
    cursor_->save();
  } else {
    write_back_batch();
  }
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
  if (cursor_) {
    cursor_->move({batch_map_->data(), batch_map_->size()}, room);
  } else {
    view_batch(room);
  }
  return true;
}

std::uint64_t Chunk::take_copies() noexcept {
  return std::exchange(copies_, 0);
}

}  // namespace gstpacket::detail
