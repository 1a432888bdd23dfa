// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. Recycled batches for copies of packets.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/arena.hpp"

namespace gstpacket::detail {

/**
 * Most copies are short-lived, and for a small batch the buffer, its meta and its arena cost more
 * than the packets do. So a few are kept, for the same element to use again. They return when their
 * last reference is dropped, on any thread, and may outlive the pool. A batch whose memory was
 * replaced, or is still in use elsewhere, is not used again.
 */
class CopyPool {
 public:
  CopyPool();
  ~CopyPool();
  CopyPool(const CopyPool&) = delete;
  CopyPool& operator=(const CopyPool&) = delete;

  /** As gst_packet_batch_new(). One thread at a time. */
  [[nodiscard]] GstBuffer* take(gsize size);

 private:
  CopyHome* const home_;
};

}  // namespace gstpacket::detail
