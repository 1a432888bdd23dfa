// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// The packets of a batch, opened one after the other for an element's process function. Making a
// list of them first would cost more than many an element does.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/batch.hpp"
#include "gst/packet/batch_map.hpp"
#include "gst/packet/packet.hpp"

namespace gstpacket::detail {

/// Used by the loop in element.hpp. The descriptors and the arena belong to whoever made it.
class BatchCursor {
 public:
  /// `pts` is that of the buffer.
  BatchCursor(std::span<GstPacketDesc> packets, std::span<std::byte> arena, GstClockTime pts,
              PacketCarrier& carrier) noexcept
      : packets_(packets),
        arena_(arena),
        pts_(pts),
        delays_(pts != GST_CLOCK_TIME_NONE ? ~guint32{0} : 0) {
    packet_.carrier_ = &carrier;
  }

  [[nodiscard]] GstPacketDesc* begin() const noexcept { return packets_.data(); }
  [[nodiscard]] GstPacketDesc* end() const noexcept { return packets_.data() + packets_.size(); }

  template <int kForWriting>
  void prefetch(const GstPacketDesc& desc) const noexcept {
    __builtin_prefetch(arena_.data() + desc.offset, kForWriting);
  }
  /// Makes packet() the one at `desc`; false if it reaches beyond the arena.
  [[nodiscard]] bool open(GstPacketDesc& desc) noexcept {
    if (!lies_within(desc, arena_.size())) [[unlikely]] {
      ++unreadable_;
      return false;
    }
    desc_ = &desc;
    packet_.data_ = arena_.data() + desc.offset;
    packet_.size_ = desc.length;
    packet_.room_ = room_;
    packet_.timestamp_ = pts_ + (desc.delay & delays_);
    return true;
  }
  [[nodiscard]] Packet& packet() noexcept { return packet_; }
  /// Writes down where the packet begins and ends now.
  void save() noexcept {
    desc_->offset = static_cast<guint32>(packet_.data_ - arena_.data());
    desc_->length = packet_.size_;
  }
  /// After save(): all packets were moved to `arena`, where `room` bytes around each are free.
  void move(std::span<std::byte> arena, std::size_t room) noexcept {
    arena_ = arena;
    room_.head = room_.tail = static_cast<std::uint32_t>(room);
    packet_.data_ = arena_.data() + desc_->offset;
    packet_.room_ = room_;
  }

  [[nodiscard]] bool is_readable(std::size_t i) const noexcept {
    return lies_within(packets_[i], arena_.size());
  }
  [[nodiscard]] std::size_t length(std::size_t i) const noexcept { return packets_[i].length; }
  /// Of all that were looked at.
  [[nodiscard]] std::size_t unreadable() const noexcept { return unreadable_; }

  /// Of all packets: as they were, and as the element left them.
  void count_bytes(std::uint64_t in, std::uint64_t out) noexcept {
    bytes_in_ = in;
    bytes_out_ = out;
  }
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }

 private:
  std::span<GstPacketDesc> packets_;
  std::span<std::byte> arena_;
  GstClockTime pts_;
  guint32 delays_;  // all bits, or none without a time to add them to
  Packet packet_;
  Packet::Room room_;
  GstPacketDesc* desc_ = nullptr;
  std::size_t unreadable_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace gstpacket::detail
