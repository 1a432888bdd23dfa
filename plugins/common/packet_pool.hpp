// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Recycled batch buffers: each returns with its arena and meta when the last reference is dropped,
 * unless the arena was replaced or is still shared. Allocated here, or by the pool that downstream
 * proposes, whose arenas lie where the packets have to go.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>

#include "gst/packet/packetbatch.h"

class PacketPool {
 public:
  PacketPool() = default;
  ~PacketPool() { close(); }
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  /** Uses arenas of `size` bytes. False without memory. */
  bool open(std::size_t size);
  /**
   * Uses batches of `pool`, which is configured; takes the reference. False if it is null or does
   * not start.
   */
  bool open(GstBufferPool* pool);
  /** Uses buffers of one packet, of `size` bytes. False without memory. */
  bool open_buffers(std::size_t size);
  void close();
  /** Whether batches come with descriptors of the places to write packets to. */
  [[nodiscard]] bool prepared() const { return prepared_; }
  /**
   * A writable batch, empty or prepared(), or a buffer of one packet; null without memory.
   * @param places how many are of use in a prepared batch; there may be more or fewer
   */
  [[nodiscard]] GstBuffer* take(guint places = GST_PACKET_BATCH_MAX);

 private:
  GstBufferPool* pool_ = nullptr;
  bool prepared_ = false;
  bool singles_ = false;
};
