// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Recycled buffers: of one packet each, and batches whose packets are lent.
 *
 * They return when their last reference is dropped, on any thread, and outlive the pool while they
 * are held. A buffer that was altered is not reused.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>

#include "gst/memif/loan.hpp"
#include "gst/packet/batch.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/gstmemifcopymemory.hpp"

/** A buffer of one packet, and where its bytes go. */
struct RxBuffer {
  GstBuffer* buffer;  ///< null: there is no memory
  std::byte* bytes;
};

/** In bytes. A small packet also occupies all of a recycled buffer, so longer ones get their own.
 */
inline constexpr std::uint32_t kLongestRecycled = 16384;

/** Unlimited: nothing waits for buffers that are held. */
class RxBufferPool {
 public:
  /**
   * @param size bytes of a buffer; longer packets get a buffer that is not recycled
   * @param budget what all buffers count in, also those that rest; null: none
   */
  explicit RxBufferPool(std::size_t size, CopyBudgetPtr budget = nullptr);
  ~RxBufferPool();
  RxBufferPool(const RxBufferPool&) = delete;
  RxBufferPool& operator=(const RxBufferPool&) = delete;

  /** A writable buffer with one memory of @p length bytes. */
  RxBuffer take(std::size_t length);

 private:
  const std::size_t size_;
  const CopyBudgetPtr budget_;
  GstBufferPool* const pool_;
};

/**
 * Batches: the buffer, its meta and its memory are used again. What is lent goes back when the
 * batch does.
 */
class RxBatchPool {
 public:
  RxBatchPool();
  ~RxBatchPool();
  RxBatchPool(const RxBatchPool&) = delete;
  RxBatchPool& operator=(const RxBatchPool&) = delete;

  /** The meta of the batch that lend() hands out next, to be filled in. */
  GstPacketBatchMeta& next() {
    if (next_ == nullptr) prepare();
    return *meta_;
  }
  /** Makes @p loan, which it takes, the arena of that batch, and hands it out. */
  GstBuffer* lend(gstmemif::Loan* loan);

 private:
  void prepare();

  GstBuffer* next_ = nullptr;
  GstPacketBatchMeta* meta_ = nullptr;  // of next_
  BatchHome* const home_;
};
