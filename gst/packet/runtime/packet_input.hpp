// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. What a pad received in one call, in whichever form packets travel: a buffer, a list of
// buffers, or a batch. It yields bursts, and afterwards holds what was not taken out of it.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/burst.hpp"

namespace gstpacket::detail {

class PacketInput {
 public:
  /// Both take the reference. With Access::modify, packets that somebody else has are copied.
  PacketInput(GstBuffer* buffer, Access access) noexcept;
  PacketInput(GstBufferList* list, Access access) noexcept;
  ~PacketInput();
  PacketInput(const PacketInput&) = delete;
  PacketInput& operator=(const PacketInput&) = delete;

  [[nodiscard]] bool is_batch() const noexcept { return meta_ != nullptr; }
  /// How many packets there are, whether they can be read or not.
  [[nodiscard]] std::uint64_t packets() const noexcept;
  /// Packets that were copied because somebody else has them.
  [[nodiscard]] std::uint64_t copies() const noexcept { return copies_; }

  /// Whether there are packets left to open.
  [[nodiscard]] bool has_more() const noexcept { return next_ < size_; }
  /// Opens the next packets into the empty `burst`; it stays empty only with a batch of none.
  void open_next(Burst& burst);
  /// What number the first packet of that burst has now.
  [[nodiscard]] std::size_t first() const noexcept { return first_; }
  /// Makes the descriptors of a batch ours to change; false without memory.
  bool own_batch() noexcept;
  /// The batch, or the buffer of packet `i`.
  [[nodiscard]] GstBuffer* buffer(std::size_t i) const noexcept {
    return list_ != nullptr ? gst_buffer_list_get(list_, static_cast<guint>(i)) : buffer_;
  }
  /// Of the last burst, leaves only the packets that are `kept`.
  void keep(std::span<const bool> kept);

  /// What is left of a batch; null if that is nothing. Transfer full, and so is the input's own
  /// reference if `last`.
  [[nodiscard]] GstBuffer* take_batch(bool last) noexcept;
  /// Pushes what is left of anything else; the input gives up its reference if `last`.
  GstFlowReturn push(GstPad* pad, bool last);

 private:
  bool copy_batch() noexcept;
  void keep_in_list(std::span<const bool> kept);

  GstBuffer* buffer_ = nullptr;  // one packet, or a batch
  GstBufferList* list_ = nullptr;
  Access access_;
  GstPacketBatchMeta* meta_ = nullptr;  // of a batch
  std::size_t size_ = 1;                // buffers
  std::size_t first_ = 0;               // of the last burst
  std::size_t next_ = 0;                // the first buffer that was not opened yet
  std::uint64_t copies_ = 0;
};

/// Whether any buffer of `list` is a batch.
[[nodiscard]] bool holds_batches(GstBufferList* list);

}  // namespace gstpacket::detail
