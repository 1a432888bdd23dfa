// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * @file Received packets lent to the application where they lie.
 *
 * Only as slave: the buffers are ours, so a ring slot whose buffer is lent gets another one at
 * once. A master's slots come back in order, and one packet that is held would stop the ring; so
 * there packets are copied.
 */
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "gst/memif/buffer_layout.hpp"
#include "gst/memif/export.hpp"

namespace gstmemif {

class Link;
class LoanBook;

/** The buffers that one batch of packets lies in, in the order of the packets. */
struct Loan {
  static constexpr std::size_t kMax = 256;

  std::uint32_t count = 0;
  std::array<BufferPlace, kMax> buffers;

  /** The link whose memory this is: held, so that the memory stays. */
  const std::shared_ptr<Link>& link() const noexcept { return link_; }

  /** Gives the buffers back. Any thread; the loan must not be touched afterwards. */
  GSTMEMIF_API void give_back() noexcept;

 private:
  friend class LoanBook;
  std::shared_ptr<Link> link_;
  LoanBook* book_ = nullptr;
  Loan* next_ = nullptr;
};

/**
 * The loans of one queue: those that are out, those that came back, and spare ones. The receiving
 * thread lends and collects; any thread gives back. No allocation once as many loans exist as are
 * out at a time.
 */
class GSTMEMIF_API LoanBook {
 public:
  LoanBook() = default;
  ~LoanBook();
  LoanBook(const LoanBook&) = delete;

  /** An empty loan, to be filled. Receiving thread. */
  Loan* lend(std::shared_ptr<Link> link);

  /** Calls @p take with the buffers of each loan that came back since. Receiving thread. */
  template <class Take>
  void collect(Take take) noexcept {
    if (returned_.load(std::memory_order_relaxed) == nullptr) return;
    Loan* loan = returned_.exchange(nullptr, std::memory_order_acquire);
    while (loan != nullptr) {
      take(std::span<const BufferPlace>(loan->buffers.data(), loan->count));
      Loan* next = loan->next_;
      loan->next_ = idle_;
      idle_ = loan;
      loan = next;
    }
  }

 private:
  friend struct Loan;
  static void free_all(Loan* loan) noexcept;

  std::atomic<Loan*> returned_{nullptr};
  Loan* idle_ = nullptr;
};

}  // namespace gstmemif
