// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Recycled buffers for batches: each comes back with its arena and its meta when the last reference
// goes, whoever held it, unless somebody replaced or still shares the arena.
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
  void close();
  /// A writable batch without packets, or null.
  [[nodiscard]] GstBuffer* take();

 private:
  GstBufferPool* pool_ = nullptr;
};

}  // namespace gstpacket
