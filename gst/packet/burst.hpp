// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Up to 256 packets, opened one after the other for an element's process function. Each packet has
 * a descriptor: that of the received batch or, for single buffers, one in the burst itself.
 * Building an array of packets first would cost more than many elements do.
 */
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "gst/packet/batch.hpp"
#include "gst/packet/packet.hpp"

namespace gstpacket::detail {

inline constexpr std::ptrdiff_t kPrefetchAhead = 8;

/** The verdict on an unreadable packet. No enumerator has this number. */
inline constexpr Verdict kUnreadable{Verdict::kDrop, Verdict::kNoReason - 1};

/**
 * Used by one streaming thread. Maps the packets, and copies those that must be modified but are
 * read-only or shared, or that consist of several memories.
 */
class Burst {
 public:
  static constexpr std::size_t kCapacity = GST_PACKET_BATCH_MAX;
  /** Spare bytes around a packet that had to be copied: room for the usual encapsulations. */
  static constexpr std::size_t kRoom = 64;

  explicit Burst(Access access) noexcept : access_(access) { packet_.burst_ = this; }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  // ---- For the loop in element.hpp ----

  [[nodiscard]] GstPacketDesc* begin() const noexcept { return descs_; }
  [[nodiscard]] GstPacketDesc* end() const noexcept { return descs_ + size_; }
  [[nodiscard]] Verdict* verdicts() noexcept { return verdicts_.data(); }

  template <int kForWriting>
  void prefetch(const GstPacketDesc& desc) const noexcept {
    __builtin_prefetch(base_ + desc.offset, kForWriting);
  }
  /** The packet at `desc`, valid until the next one is opened; null if it cannot be read. */
  [[nodiscard]] Packet* open(GstPacketDesc& desc) noexcept {
    if (!lies_within(desc, arena_size_)) [[unlikely]] {
      return open_slow_path(desc);
    }
    desc_ = &desc;
    packet_.data_ = base_ + desc.offset;
    packet_.size_ = desc.length;
    packet_.room_ = room_;
    packet_.timestamp_ = pts_ + (desc.delay & delays_);
    return &packet_;
  }
  /**
   * Stores the current offset and length of `packet` in `desc`. For a single buffer, only the
   * length is meaningful.
   */
  void save(GstPacketDesc& desc, const Packet& packet) const noexcept {
    desc.offset = static_cast<guint32>(packet.data_ - base_);
    desc.length = packet.size_;
  }
  /** The bytes of all packets, before and after processing. */
  void count_bytes(std::uint64_t in, std::uint64_t out) noexcept {
    bytes_in_ = in;
    bytes_out_ = out;
  }
  /**
   * Opens all packets at once, with the verdict forward(). Unreadable packets are empty. Must be
   * followed by save_all().
   */
  [[nodiscard]] GSTPACKET_API Packet* open_all() noexcept;
  GSTPACKET_API void save_all() noexcept;

  // ---- For the runtime ----

  /**
   * Adds the packet in `buffer`, which remains the caller's and must be writable with
   * Access::modify.
   */
  void add(GstBuffer* buffer) noexcept;
  /**
   * Adds all packets of `batch` to the empty burst; as above. A damaged batch counts as one
   * unreadable packet, and so does a null one.
   */
  void add_batch(GstBuffer* batch, GstPacketBatchMeta* meta) noexcept;
  [[nodiscard]] bool full() const noexcept { return size_ == kCapacity; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /** Unmaps all packets and updates the buffers. The accessors below remain valid until clear(). */
  void close() noexcept;
  void clear() noexcept {
    descs_ = own_descs_.data();
    size_ = arena_size_ = bytes_in_ = bytes_out_ = 0;
    base_ = nullptr;
    room_ = {};
    all_open_ = false;
  }
  [[nodiscard]] Verdict verdict(std::size_t i) const noexcept { return verdicts_[i]; }
  /** Whether all packets go where the first one does. */
  [[nodiscard]] bool is_uniform() const noexcept {
    // Without a branch for each packet.
    unsigned differences = 0;
    for (std::size_t i = 0; i < size_; ++i) differences |= verdicts_[i].port ^ verdicts_[0].port;
    return differences == 0;
  }
  /** The length of a readable packet after processing. */
  [[nodiscard]] std::size_t length(std::size_t i) const noexcept { return descs_[i].length; }
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }
  /** Packets whose bytes were copied since the last call. */
  [[nodiscard]] std::uint64_t take_copies() noexcept { return std::exchange(copies_, 0); }

 private:
  friend class gstpacket::Packet;
  /** A single buffer. */
  struct Slot {
    GstBuffer* buffer;
    GstMapInfo map;
    bool merged;  // mapped through the buffer, which merged its memories
    bool mapped;
  };

  [[nodiscard]] GSTPACKET_API Packet* open_slow_path(GstPacketDesc& desc) noexcept;
  bool make_room(Packet& packet, std::size_t head, std::size_t tail) noexcept;
  void use_arena() noexcept;
  bool move_batch(std::size_t room) noexcept;
  bool map_for_reading(Slot& slot) noexcept;
  bool map_for_writing(Slot& slot) noexcept;
  bool replace_memory(Slot& slot, std::span<const std::byte> bytes, std::size_t head,
                      std::size_t tail) noexcept;
  static void unmap(Slot& slot) noexcept;
  void view(std::size_t i) noexcept;

  GstPacketDesc* descs_ = nullptr;
  std::size_t size_ = 0;
  // The arena of a batch, which offsets are relative to. Empty for single buffers, so that open()
  // takes the slow path.
  std::byte* base_ = nullptr;
  std::size_t arena_size_ = 0;
  GstClockTime pts_ = GST_CLOCK_TIME_NONE;
  guint32 delays_ = 0;             // all bits, or none without a time to add them to
  Packet packet_;                  // of the batch, opened last
  GstPacketDesc* desc_ = nullptr;  // its descriptor
  Packet::Room room_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t copies_ = 0;
  Access access_;
  bool all_open_ = false;
  GstBuffer* batch_ = nullptr;
  std::optional<BatchMap> batch_map_;
  std::array<Verdict, kCapacity> verdicts_;
  // Packets of single buffers and of open_all(), and a few more that prefetching may read.
  std::array<Packet, kCapacity + kPrefetchAhead> packets_;
  std::array<GstPacketDesc, kCapacity> own_descs_;
  std::array<Slot, kCapacity> slots_;
};

}  // namespace gstpacket::detail
