// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Writes packets where they leave from: into batches, in memory of downstream where it offers some,
 * or into one buffer each.
 */
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

#include "gst/packet/batch.hpp"
#include "plugins/ip/packet_output.hpp"

namespace ipplugin {

/** Of one thread at a time. What is not flushed when it goes is dropped. */
class PacketWriter {
 public:
  explicit PacketWriter(PacketOutput& output) : output_(output) {}
  ~PacketWriter() { drop(); }
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;

  /** The arena of a batch whose packets have up to `longest` bytes. */
  [[nodiscard]] static std::size_t arena_size(std::size_t longest);

  /** About how many packets come before the next flush(), for what is prepared ahead. */
  void expect(std::size_t packets) {
    expected_ = static_cast<guint>(std::clamp<std::size_t>(packets, 1, GST_PACKET_BATCH_MAX));
  }

  /**
   * Where the next packet goes, with room for one of `size` bytes. Pushes what is full. Empty if
   * that fails, or without memory, or for a packet beyond the format: see flow().
   */
  [[nodiscard]] std::span<std::byte> place(std::size_t size, GstClockTime pts) {
    // Mostly one more place that downstream has prepared, for the time of the first packet.
    if (n_ == 0 || n_ >= ready_places_ || pts != pts_) return place_anywhere(size, pts);
    const GstPacketDesc& desc = descs_[n_];
    if (desc.length < size || !gstpacket::lies_within(desc, arena_size_)) {
      return place_anywhere(size, pts);
    }
    prefetch_ahead();
    delay_ = 0;
    return {arena_ + desc.offset, size};
  }
  /** There is a packet of `size` bytes in the place now. */
  void add(std::size_t size) {
    if (n_ >= ready_places_) return add_anywhere(size);
    GstPacketDesc& desc = descs_[n_++];
    desc.length = static_cast<guint32>(size);
    desc.delay = delay_;
    bytes_ += size;
  }
  /** Pushes what there is. */
  GstFlowReturn flush();
  /** Lets go of what was not pushed. */
  void drop();
  [[nodiscard]] GstFlowReturn flow() const { return flow_; }

 private:
  bool begin();
  bool begin_batch();
  void end_batch();
  bool fits(std::size_t size, GstClockTime pts) const;
  std::span<std::byte> place_anywhere(std::size_t size, GstClockTime pts);
  void add_anywhere(std::size_t size);
  std::span<std::byte> place_in_buffer(std::size_t size, GstClockTime pts);
  GstFlowReturn push_batch();
  GstFlowReturn push_buffers();

  // The cache lines to write were last read by another core: prefetch them.
  static constexpr guint kWriteAhead = 4;
  void prefetch_ahead() const {
    const guint ahead = std::min(n_ + kWriteAhead, ready_places_ - 1);
    __builtin_prefetch(arena_ + descs_[ahead].offset, 1);
  }

  PacketOutput& output_;
  PacketFormatPtr format_;
  GstFlowReturn flow_ = GST_FLOW_OK;

  // A batch.
  GstBuffer* batch_ = nullptr;
  std::optional<gstpacket::BatchMap> map_;
  GstPacketDesc* descs_ = nullptr;  // of the batch, as the next two
  std::byte* arena_ = nullptr;
  std::size_t arena_size_ = 0;
  guint expected_ = GST_PACKET_BATCH_MAX;
  guint n_ = 0;
  guint places_ = 0;
  guint ready_places_ = 0;  // prepared by downstream: all places, or none
  std::size_t offset_ = 0;
  std::uint64_t bytes_ = 0;
  GstClockTime pts_ = GST_CLOCK_TIME_NONE;
  guint32 delay_ = 0;

  // One packet each.
  GstBuffer* buffer_ = nullptr;  // mapped
  GstMapInfo buffer_map_ = GST_MAP_INFO_INIT;
  GstBuffer* first_ = nullptr;
  GstBufferList* list_ = nullptr;
};

}  // namespace ipplugin
