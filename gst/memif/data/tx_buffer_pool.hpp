// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The spare buffers of a slave's sending ring, lent for packets to be written into.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gst/common/cache_line.hpp"
#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/loan_book.hpp"
#include "gst/memif/export.hpp"

namespace gstmemif {

/**
 * Lends empty buffers. The thread that writes packets may differ from the one that sends them, so
 * there is a lock, taken once per loan.
 */
class GSTMEMIF_API TxBufferPool {
 public:
  /** @param region where @p spares, of @p buffer_size bytes each, lie; null: nothing is lent */
  TxBufferPool(std::vector<BufferPlace> spares, const Region* region,
               std::uint32_t buffer_size) noexcept
      : region_(region), buffer_size_(buffer_size), spares_(std::move(spares)) {}

  /**
   * Up to @p count buffers, Loan::kMax at the most, of @p link, which this belongs to. Null if none
   * is left. Any thread.
   */
  Loan* borrow(std::shared_ptr<Link> link, std::uint32_t count);

 private:
  const Region* const region_;
  const std::uint32_t buffer_size_;
  // Not in the lines of the sending thread: another one may borrow.
  alignas(gstcommon::kCacheLine) std::mutex mutex_;  // guards all that follows
  std::vector<BufferPlace> spares_;  // as many at the most as in the beginning: it never grows
  LoanBook loans_;
};

}  // namespace gstmemif
