// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Puts packets of a capture into a batch.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gst/packet/batch.hpp"

namespace pcapplugin {

/**
 * Where the packets of a batch go: to places that are prepared, one after the other to the
 * beginning of an arena, or nowhere, as they were read into it.
 */
class BatchFiller {
 public:
  enum class Way { prepared, in_a_row, in_place };

  BatchFiller(const gstpacket::BatchMap& map, Way way)
      : way_(way),
        desc_(map.meta().packets),
        data_(map.data()),
        size_(map.size()),
        room_(way == Way::prepared ? map.meta().n : GST_PACKET_BATCH_MAX) {}

  /** Whether there is room for another packet. */
  [[nodiscard]] bool fits(std::span<const std::byte> packet) const {
    if (packets_ == room_) return false;
    switch (way_) {
      case Way::prepared:
        return packet.size() <= desc_[packets_].length;
      case Way::in_a_row:
        return packet.size() <= size_ - offset_;
      case Way::in_place:
        break;
    }
    return offset_of(packet) < size_;
  }
  void add(std::span<const std::byte> packet, guint32 delay) {
    GstPacketDesc& desc = desc_[packets_++];
    const auto size = static_cast<guint32>(packet.size());
    bytes_ += size;
    if (way_ == Way::in_place) {
      desc = {static_cast<guint32>(offset_of(packet)), size, delay, 0};
      return;
    }
    if (way_ == Way::in_a_row) {
      desc = {static_cast<guint32>(offset_), 0, 0, 0};
      offset_ = std::min(offset_ + slot_size(size), size_);
    }
    desc.length = size;
    desc.delay = delay;
    std::memcpy(data_ + desc.offset, packet.data(), size);
  }
  [[nodiscard]] guint packets() const { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  // Packets begin on cache lines.
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t slot_size(std::size_t packet) {
    return (packet + kAlignment - 1) & ~(kAlignment - 1);
  }
  /** From the beginning of the arena; no less than its size if it is not in it. */
  [[nodiscard]] std::size_t offset_of(std::span<const std::byte> packet) const {
    return reinterpret_cast<std::uintptr_t>(packet.data()) -
           reinterpret_cast<std::uintptr_t>(data_);
  }

  const Way way_;
  GstPacketDesc* const desc_;
  std::byte* const data_;
  const std::size_t size_;
  const guint room_;
  guint packets_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace pcapplugin
