// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers for the payload of packets of a batch, which stays where it is: the batch, and with it
 * what was lent by a memif link, goes back when the last of them is released. Buffers and their
 * memory are used again.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>

namespace ipplugin {

class HeldBatch;
struct UnrefHeldBatch {
  inline void operator()(HeldBatch* batch) const noexcept;
};
using HeldBatchPtr = std::unique_ptr<HeldBatch, UnrefHeldBatch>;

/** A batch whose packets are held by buffers, with its arena mapped. Any thread. */
class HeldBatch {
 public:
  /** Takes the reference to a batch; null, and the batch gone, if its arena cannot be mapped. */
  [[nodiscard]] static HeldBatchPtr of(GstBuffer* batch);

  /** The first byte of the arena, from which descriptors count. */
  [[nodiscard]] std::byte* data() const noexcept {
    return reinterpret_cast<std::byte*>(map_.data - map_.memory->offset);
  }
  /** All of the arena, in bytes. */
  [[nodiscard]] std::size_t size() const noexcept { return map_.memory->maxsize; }

  void ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept;

 private:
  HeldBatch(GstBuffer* batch, const GstMapInfo& map) noexcept : batch_(batch), map_(map) {}
  ~HeldBatch() = default;

  GstBuffer* const batch_;
  GstMapInfo map_;
  std::atomic<unsigned> references_{1};
};

inline void UnrefHeldBatch::operator()(HeldBatch* batch) const noexcept {
  batch->unref();
}

class PayloadPool {
 public:
  PayloadPool();
  ~PayloadPool();
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;

  /**
   * A buffer whose one memory is `bytes` of the batch. One thread at a time.
   * @param address of the sender, for its GstNetAddressMeta
   * @param read_only somebody else has these bytes, too
   */
  [[nodiscard]] GstBuffer* lend(HeldBatch& batch, std::span<const std::byte> bytes,
                                GSocketAddress* address, bool read_only);

 private:
  GstBufferPool* const pool_;
};

}  // namespace ipplugin
