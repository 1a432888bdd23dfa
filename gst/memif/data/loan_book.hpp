// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The loans of one queue.
 */
#pragma once

#include <atomic>
#include <memory>

#include "gst/common/cache_line.hpp"
#include "gst/memif/loan.hpp"

namespace gstmemif {

/**
 * The loans of one queue: outstanding, returned and spare ones. The receiving thread lends and
 * collects; any thread returns loans. No allocation once there are as many loans as are outstanding
 * at a time.
 */
class GSTMEMIF_API LoanBook {
 public:
  LoanBook() = default;
  ~LoanBook();
  LoanBook(const LoanBook&) = delete;

  /** An empty loan, to be filled. Receiving thread. */
  Loan* lend(std::shared_ptr<Link> link);
  /** Takes it back before it was handed out. */
  void cancel(Loan* loan) noexcept;

  /** Calls @p take with each loan that came back since. Receiving thread. */
  template <class Take>
  void collect(Take take) noexcept {
    if (returned_.load(std::memory_order_relaxed) == nullptr) return;
    Loan* loan = returned_.exchange(nullptr, std::memory_order_acquire);
    while (loan != nullptr) {
      take(*loan);
      Loan* next = loan->next_;
      loan->next_ = idle_;
      idle_ = loan;
      loan = next;
    }
  }

 private:
  friend struct Loan;
  static void free_all(Loan* loan) noexcept;

  alignas(gstcommon::kCacheLine) std::atomic<Loan*> returned_{nullptr};  // other threads write it
  alignas(gstcommon::kCacheLine) Loan* idle_ = nullptr;
};

}  // namespace gstmemif
