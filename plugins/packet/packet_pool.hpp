// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Recycled buffers for batches: each comes back with its arena and its meta when the last reference
// goes, whoever held it, unless somebody replaced or still shares the arena. Made here, or by the
// pool that downstream proposes, whose arenas lie where the packets have to go.
#pragma once

#include <gst/gst.h>

#include <cstddef>

namespace gstpacket {

class PacketPool {
 public:
  PacketPool() = default;
  ~PacketPool() { close(); }
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  /// Arenas of `size` bytes from now on. False without memory.
  bool open(std::size_t size);
  /// Batches of `pool`, which is configured, from now on; takes the reference. False if there is
  /// none or it does not start.
  bool open(GstBufferPool* pool);
  void close();
  /// Whether batches come with descriptors of the places that packets are to be written to.
  [[nodiscard]] bool prepared() const { return prepared_; }
  /// A writable batch, without packets or prepared(), or null.
  [[nodiscard]] GstBuffer* take();

 private:
  GstBufferPool* pool_ = nullptr;
  bool prepared_ = false;
};

}  // namespace gstpacket
