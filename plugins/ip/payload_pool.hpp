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
#include <utility>

namespace ipplugin {

class PayloadStore;

/** Drops a reference. */
struct UnrefPayloadStore {
  void operator()(PayloadStore* store) const noexcept;
};
using PayloadStorePtr = std::unique_ptr<PayloadStore, UnrefPayloadStore>;

class HeldBatch;
struct UnrefHeldBatch {
  inline void operator()(HeldBatch* batch) const noexcept;
};
using HeldBatchPtr = std::unique_ptr<HeldBatch, UnrefHeldBatch>;

/** A batch whose packets are held by buffers, with its arena mapped. Any thread. */
class HeldBatch {
 public:
  /** The first byte of the arena, from which descriptors count. */
  [[nodiscard]] std::byte* data() const noexcept {
    return reinterpret_cast<std::byte*>(map_.data - map_.memory->offset);
  }
  /** All of the arena, in bytes. */
  [[nodiscard]] std::size_t size() const noexcept { return map_.memory->maxsize; }

  /** Where the buffers of this batch go back to. */
  [[nodiscard]] PayloadStore& store() const noexcept { return *store_; }
  /** Takes back @p buffer, one of these, and its reference to the batch; true. */
  bool add(GstBuffer* buffer) noexcept;

  void ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref() noexcept;

 private:
  friend class PayloadPool;
  HeldBatch(GstBuffer* batch, const GstMapInfo& map, PayloadStorePtr store) noexcept
      : batch_(batch), store_(std::move(store)), map_(map) {}
  ~HeldBatch() = default;

  GstBuffer* const batch_;
  const PayloadStorePtr store_;
  GstMapInfo map_;
  std::atomic<unsigned> references_{1};
};

inline void UnrefHeldBatch::operator()(HeldBatch* batch) const noexcept {
  batch->unref();
}

/**
 * Not a GstBufferPool, which takes its lock-free way through some 300 instructions of type checks
 * and references for each buffer. One thread at a time; buffers come back from any, and may outlive
 * it.
 */
class PayloadPool {
 public:
  PayloadPool();

  /** Takes the reference to a batch; null, and the batch gone, if its arena cannot be mapped. */
  [[nodiscard]] HeldBatchPtr hold(GstBuffer* batch);

  /**
   * A buffer whose one memory is `bytes` of a batch that this pool holds.
   * @param address of the sender, for its GstNetAddressMeta
   * @param read_only somebody else has these bytes, too
   */
  [[nodiscard]] GstBuffer* lend(HeldBatch& batch, std::span<const std::byte> bytes,
                                GSocketAddress* address, bool read_only);

 private:
  const PayloadStorePtr store_;
};

}  // namespace ipplugin
