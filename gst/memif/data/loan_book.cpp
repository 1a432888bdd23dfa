// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/loan_book.hpp"

#include <utility>

#include "gst/memif/data/link.hpp"
#include "gst/memif/data/snapshot_mapping.hpp"

namespace gstmemif {

Loan::Loan() = default;
Loan::~Loan() = default;

bool Loan::link_up() const noexcept {
  return link_->up();
}

void Loan::give_back() noexcept {
  // The book is part of the link, and this may be the last reference to both: drop it last.
  const std::shared_ptr<Link> link = std::move(link_);
  LoanBook& book = *book_;
  Loan* head = book.returned_.load(std::memory_order_relaxed);
  do {
    next_ = head;
  } while (!book.returned_.compare_exchange_weak(head, this, std::memory_order_release,
                                                 std::memory_order_relaxed));
}

void Loan::lie_in(const Region& region) noexcept {
  base_ = region.data();
  size_ = region.size();
}

bool Loan::map_peer(const Region& region, bool for_writing) {
  if (!mapping_) mapping_ = std::make_unique<SnapshotMapping>();
  if (!mapping_->attach(region, for_writing)) return false;
  base_ = mapping_->data();
  size_ = mapping_->size();
  return true;
}

bool Loan::detach_copy() noexcept {
  return mapping_->detach(places(), buffer_size);
}

LoanBook::~LoanBook() {
  free_all(returned_.load(std::memory_order_acquire));
  free_all(idle_);
}

void LoanBook::free_all(Loan* loan) noexcept {
  while (loan != nullptr) delete std::exchange(loan, loan->next_);
}

Loan* LoanBook::lend(std::shared_ptr<Link> link) {
  Loan* loan = idle_ != nullptr ? std::exchange(idle_, idle_->next_) : new Loan();
  loan->link_ = std::move(link);
  loan->book_ = this;
  loan->count = 0;
  return loan;
}

void LoanBook::cancel(Loan* loan) noexcept {
  loan->link_.reset();
  loan->next_ = idle_;
  idle_ = loan;
}

}  // namespace gstmemif
