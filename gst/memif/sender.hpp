// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Sends into one queue of an interface.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "gst/memif/burst.hpp"
#include "gst/memif/queue_user.hpp"

namespace gstmemif {

class TxQueue;

/** Limits the waits of a sender that other threads depend on. */
class GSTMEMIF_API Patience {
 public:
  /** In nanoseconds; 0: not at all. @param now nanoseconds @param sent packets so far */
  std::int64_t left(std::int64_t now, std::uint64_t sent) noexcept;
  /** After a wait from the last left() until @p now. */
  void waited(std::int64_t now, bool in_vain) noexcept;

 private:
  std::int64_t budget_ = 0;
  std::int64_t since_ = 0;  // when it was so large
  std::uint64_t sent_ = 0;  // as of the last left() that was not 0
  bool fresh_ = true;
  bool in_vain_ = false;
};

/** Sends into one queue. */
class GSTMEMIF_API Sender final : public QueueUser {
 public:
  /** Fails if the queue has a sender already, or is not below the interface's tx_queues. */
  static Result<std::unique_ptr<Sender>> open(std::shared_ptr<Interface> interface,
                                              std::uint32_t queue);
  /** Packets that were not flushed are dropped. */
  ~Sender() override;

  /**
   * Writes packets, in order, until all are done or one cannot be sent; the peer sees them after
   * flush(). They are copied into as many slots as they need. A packet that is empty, or longer
   * than the whole ring, is dropped and counted.
   */
  TxBurst send_burst(std::span<const TxPacket> packets);
  /** The same for packets in @p memory. One that reaches beyond it is dropped and counted, too. */
  TxBurst send_burst(TxSegment memory, std::span<const PacketDesc> packets);
  /**
   * The same for packets in a loan, without a copy where @p loan is writable and of the link in
   * use: the buffer that a packet's token names goes into the ring, and another one, which the peer
   * has finished with, takes its place in the loan. A packet that reaches beyond its buffer is
   * dropped and counted; one whose token names no buffer of the loan is copied.
   */
  TxBurst send_burst_zero_copy(Loan& loan, std::span<const PacketDesc> packets);
  /**
   * As master: copies of @p packets, which lie in @p memory, in the slots that are sent next, so
   * that send_burst_zero_copy() does not copy them again if it is what is called next. Until then
   * only the calling thread may write to them. @p copies has room for as many descriptors. Null if
   * there is no room for all, if one is empty, reaches beyond @p memory or does not fit into a
   * slot, while slots are lent already, as slave, and unless @p link is the one in use.
   */
  Loan* copy_to_slots(const Link* link, TxSegment memory, std::span<const PacketDesc> packets,
                      PacketDesc* copies);
  /** Publishes written packets, and wakes the peer if it asked for that. */
  void flush() noexcept;

  /** Prefetches what the next packet is written to, if there is time until then. */
  void prefetch_next() const noexcept;

  /** After SendResult::full: flushes, and waits until the peer has room. */
  WaitResult wait_for_room(std::int64_t timeout_ns = kForever);
  /**
   * The same, for a thread that others depend on: waits at most a millisecond and a tenth of the
   * time, and after a wait without success not again until the peer has taken something. Otherwise
   * returns WaitResult::timeout at once.
   */
  WaitResult wait_briefly_for_room();
  /**
   * The same as refresh(), ahead of a wait_for_room(): that returns WaitResult::link_changed all
   * the same. For another thread while the sending one is kept out.
   */
  void refresh_ahead() {
    if (refresh()) changed_ = true;
  }
  /** After SendResult::link_lost: waits for a link with this queue. */
  WaitResult wait_for_link(std::int64_t timeout_ns = kForever);
  /**
   * The present wait_for_room() or wait_for_link(), or the next one, returns
   * WaitResult::link_changed, so that whether to wait is decided anew. Any thread.
   */
  void rouse() noexcept {
    roused_.store(true, std::memory_order_release);
    wake();
  }

  /**
   * Flushes, and waits until the peer has taken all packets from the rings of @p senders, which are
   * of one interface and belong to the calling thread. WaitResult::ready: it has; link_changed: it
   * is gone; timeout: it took none for @p patience_ns, or not all within @p limit_ns.
   */
  static WaitResult drain(std::span<const std::unique_ptr<Sender>> senders,
                          std::int64_t patience_ns, std::int64_t limit_ns = kForever);
  /** Counts packets that the peer has not taken as undelivered; it may still take them. */
  void abandon() noexcept;

  /** The last packet of the present link that its ring cannot hold; length 0 if there was none. */
  Oversize oversize() const noexcept;

  bool has_queue() const noexcept { return tx_ != nullptr; }
  QueueStats& stats() noexcept { return stats_; }

 private:
  using QueueUser::QueueUser;
  void prepare();
  void use(Link* link) override;
  bool was_roused() noexcept { return roused_.exchange(false, std::memory_order_acquire); }

  TxQueue* tx_ = nullptr;
  std::atomic<bool> roused_{false};
  Patience patience_;
  bool changed_ = false;  // wait_for_room() has yet to say so
};

}  // namespace gstmemif
