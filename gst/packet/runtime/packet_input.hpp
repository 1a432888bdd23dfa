// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. The packets of one chain call: a buffer, a list of buffers, or a batch. Yields bursts,
 * and afterwards holds the packets that were not removed from it.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/burst.hpp"
#include "gst/packet/copy_pool.hpp"

namespace gstpacket::detail {

class PacketInput {
 public:
  /**
   * Both take the reference. With Access::modify, shared packets are copied. Copied batches are
   * those of `copies`, or lie in places that the peer of `to` offers, which must get them next;
   * null if it is not known yet who gets them.
   */
  PacketInput(GstBuffer* buffer, Access access, CopyPool& copies, GstPad* to) noexcept;
  PacketInput(GstBufferList* list, Access access, CopyPool& copies) noexcept;
  ~PacketInput();
  PacketInput(const PacketInput&) = delete;
  PacketInput& operator=(const PacketInput&) = delete;

  [[nodiscard]] bool is_batch() const noexcept { return meta_ != nullptr; }
  /** The number of packets, readable or not. */
  [[nodiscard]] std::uint64_t packets() const noexcept;
  /** Packets that were copied because they were shared. */
  [[nodiscard]] std::uint64_t copies() const noexcept { return copies_; }

  /** Whether there are packets left to open. */
  [[nodiscard]] bool has_more() const noexcept { return next_ < size_; }
  /** Opens the next packets into the empty `burst`, which stays empty for an empty batch. */
  void open_next(Burst& burst);
  /** The position of the first packet of the last burst. */
  [[nodiscard]] std::size_t first() const noexcept { return first_; }
  /** Makes the descriptors of a batch writable, by a copy if it is shared; false without memory. */
  bool own_batch() noexcept;
  /** The batch, or the buffer of packet `i`. */
  [[nodiscard]] GstBuffer* buffer(std::size_t i) const noexcept {
    return list_ != nullptr ? gst_buffer_list_get(list_, static_cast<guint>(i)) : buffer_;
  }
  /** Removes the packets of the last burst that are not `kept`. */
  void keep(std::span<const bool> kept);

  /**
   * The batch with the packets left in it, null if there are none. Transfer full; if `last`, that
   * of the input itself.
   */
  [[nodiscard]] GstBuffer* take_batch(bool last) noexcept;
  /**
   * Pushes the buffer or list with the packets left in it; if `last`, without keeping a reference.
   */
  GstFlowReturn push(GstPad* pad, bool last);

 private:
  bool copy_batch(GstPad* to = nullptr) noexcept;
  void keep_in_list(std::span<const bool> kept);

  GstBuffer* buffer_ = nullptr;  // one packet, or a batch
  // Ours alone. Let go when the copy has been pushed, which is not to wait for what that takes.
  GstBuffer* copied_from_ = nullptr;
  GstBufferList* list_ = nullptr;
  Access access_;
  CopyPool& copy_pool_;
  GstPacketBatchMeta* meta_ = nullptr;  // of a batch
  std::size_t size_ = 1;                // buffers
  std::size_t first_ = 0;               // of the last burst
  std::size_t next_ = 0;                // the first buffer that was not opened yet
  std::uint64_t copies_ = 0;
};

/** Whether any buffer of `list` is a batch. */
[[nodiscard]] bool holds_batches(GstBufferList* list);

}  // namespace gstpacket::detail
