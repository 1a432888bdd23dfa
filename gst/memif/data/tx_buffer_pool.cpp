// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/tx_buffer_pool.hpp"

#include <algorithm>
#include <utility>

namespace gstmemif {

Loan* TxBufferPool::borrow(std::shared_ptr<Link> link, std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  loans_.collect([&](const Loan& loan) {
    spares_.insert(spares_.end(), loan.places().begin(), loan.places().end());
  });
  const std::size_t n = std::min({std::size_t{count}, Loan::kMax, spares_.size()});
  if (n == 0 || region_ == nullptr) return nullptr;
  Loan* loan = loans_.lend(std::move(link));
  loan->lie_in(*region_);
  loan->buffer_size = buffer_size_;
  loan->writable = true;
  loan->count = static_cast<std::uint32_t>(n);
  // Those that came back last: they are still in some cache.
  std::copy(spares_.end() - static_cast<std::ptrdiff_t>(n), spares_.end(), loan->buffers.begin());
  spares_.resize(spares_.size() - n);
  return loan;
}

}  // namespace gstmemif
