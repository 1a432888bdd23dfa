// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. Up to 256 packets opened for an element's process function: their bytes mapped, copied
// first where they may not be written or do not lie in one piece.
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gst/packet/batch_cursor.hpp"
#include "gst/packet/batch_map.hpp"
#include "gst/packet/element.hpp"

namespace gstpacket::detail {

class Chunk final : public PacketCarrier {
 public:
  static constexpr std::size_t kCapacity = GST_PACKET_BATCH_MAX;
  /// Spare bytes around a packet that had to be copied: room for the usual encapsulations.
  static constexpr std::size_t kRoom = 64;

  /// `one_by_one`: batches are opened a packet at a time, by cursor() instead of packets().
  explicit Chunk(Access access, bool one_by_one = false) noexcept
      : access_(access), one_by_one_(one_by_one) {}

  /// Adds the packet in `buffer`, which stays the caller's and, with Access::modify, is writable. A
  /// buffer that cannot be mapped becomes an empty packet that is unreadable().
  void add(GstBuffer* buffer) noexcept;
  /// Adds all packets of `batch` to the empty chunk, which has room for them. As above; a packet
  /// outside of its arena is unreadable(), and a damaged batch is one packet that is.
  void add_batch(GstBuffer* batch) noexcept;
  /// Adds a packet that stands for a buffer which cannot be opened, whatever it was to hold.
  void add_unreadable() noexcept;
  [[nodiscard]] bool full() const noexcept { return size_ == kCapacity; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool unreadable(std::size_t i) const noexcept {
    return any_unreadable() && !readable_[i];
  }
  [[nodiscard]] bool any_unreadable() const noexcept { return unreadable_ != 0; }
  /// Of all packets together, after close(): as they were opened, and as the element left them.
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }
  /// Of packet `i`, after close().
  [[nodiscard]] std::size_t length(std::size_t i) const noexcept {
    return cursor_ ? cursor_->length(i) : packets_[i].size();
  }

  /// Null if the packets are in packets().
  [[nodiscard]] BatchCursor* cursor() noexcept { return cursor_ ? &*cursor_ : nullptr; }
  [[nodiscard]] Packet* packets() noexcept { return packets_.data(); }
  [[nodiscard]] Verdict* verdicts() noexcept { return verdicts_.data(); }
  [[nodiscard]] const Verdict& verdict(std::size_t i) const noexcept { return verdicts_[i]; }
  /// Whether all packets could be read and are forwarded: the usual case, found without a branch
  /// for each packet.
  [[nodiscard]] bool all_forwarded() const noexcept;

  /// Unmaps everything and writes new offsets and lengths back to the buffers. Sizes and verdicts
  /// stay readable until clear().
  void close() noexcept;
  void clear() noexcept {
    size_ = unreadable_ = bytes_in_ = bytes_out_ = 0;
    cursor_.reset();
  }

  /// Packets whose bytes were copied since the last call.
  [[nodiscard]] std::uint64_t take_copies() noexcept;

  bool make_room(Packet& packet, std::size_t head, std::size_t tail) noexcept override;

 private:
  struct Slot {
    GstBuffer* buffer;
    GstMapInfo map;
    bool mapped;
    bool by_buffer;  // mapped through the buffer, which merged its memories
  };

  bool map_for_reading(Slot& slot) noexcept;
  bool map_for_writing(Slot& slot) noexcept;
  void view_batch(std::size_t room) noexcept;
  bool relocate_batch(std::size_t room) noexcept;
  void write_back_batch() noexcept;
  void close_cursor() noexcept;
  bool replace_memory(Slot& slot, const std::byte* bytes, std::size_t size, std::size_t head,
                      std::size_t tail) noexcept;
  static void unmap(Slot& slot) noexcept;
  void view(std::size_t i, GstClockTime timestamp) noexcept;

  Access access_;
  bool one_by_one_;
  std::size_t size_ = 0;
  std::size_t unreadable_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t copies_ = 0;
  GstBuffer* batch_ = nullptr;         // if the packets came as a batch
  std::optional<BatchMap> batch_map_;  // its arena
  std::optional<BatchCursor> cursor_;
  std::array<Packet, kCapacity> packets_;
  std::array<Verdict, kCapacity> verdicts_;
  std::array<bool, kCapacity> readable_;  // only told apart if some are not
  std::array<Slot, kCapacity> slots_;  // of packets that came a buffer each; last, for it is large
};

}  // namespace gstpacket::detail
