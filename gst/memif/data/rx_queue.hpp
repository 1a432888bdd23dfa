// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The receiving end of one ring: S2M for a master, M2S for a slave.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gst/common/cache_line.hpp"
#include "gst/memif/burst.hpp"
#include "gst/memif/control/fd.hpp"
#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/held_slots.hpp"
#include "gst/memif/data/link_memory.hpp"
#include "gst/memif/data/loan_book.hpp"
#include "gst/memif/data/ring.hpp"
#include "gst/memif/data/wake_budget.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

/**
 * Receives from one ring. One thread at a time; the object lives as long as its link.
 *
 * Everything the peer wrote is validated: a descriptor that points outside of the link's memory, an
 * unfinished chain or an empty packet is dropped and counted; an index that moves further than the
 * ring fails the link.
 */
class GSTMEMIF_API RxQueue {
 public:
  /**
   * @param buffers as slave, our buffers: one for each slot, and spare ones; as master, none: any
   * of the peer's regions may hold packets
   */
  RxQueue(LinkMemory& state, Ring ring, UniqueFd event_fd, QueueStats& stats, QueueBuffers buffers);

  /** Longer packets are dropped. @param bytes 1 or more */
  void set_max_packet_size(std::uint32_t bytes) noexcept { max_packet_size_ = bytes; }

  /** Bytes of the last packet that was longer; 0: there was none. */
  std::uint64_t too_long() const noexcept { return too_long_; }

  /** As slave, before anything is received: gives the peer a full ring of empty buffers. */
  void publish_buffers() noexcept;
  /** As slave, before anything is received: for a peer that has set the index to 0. */
  void publish_buffers_again() noexcept { ring_.store_head(published_); }

  /**
   * Up to @p max_packets whole packets, as segments that stay valid until release(). Fewer if they
   * are long, so that a peer that describes the same bytes repeatedly cannot make us hold many
   * copies. Empty if there are none, or if the link has failed.
   */
  std::span<const RxSegment> receive(std::uint32_t max_packets) noexcept;

  /**
   * Receives without a copy where possible: lent packets stay valid beyond release(). A loan has
   * packets of one slot each, and ends before a packet that has several or has to be dropped.
   * Packets come as from receive() if such a packet is next, if too many are lent already, or if
   * the peer could take the memory away. As master, the holder of the loan must not write to it.
   *
   * @param link ours
   * @param packets where lent packets are described, at most Loan::kMax; each one's token is the
   *   place of its buffer in the loan
   */
  RxBurst receive_lent(const std::shared_ptr<Link>& link, std::span<PacketDesc> packets);

  /**
   * The same as receive(), but a packet of @p long_from bytes or more is lent where possible, by
   * itself: described in @p packet. As master also one that takes several slots, if their buffers
   * lie next to each other in order.
   */
  RxBurst receive_or_lend(const std::shared_ptr<Link>& link, std::uint32_t max_packets,
                          std::uint32_t long_from, PacketDesc& packet);

  /** Whether the last packets were long, so that the next one may take its time. */
  bool burst_was_long() const noexcept { return burst_was_long_; }

  /** As master: true if slots are held for packets that are lent. */
  bool lends_slots() const noexcept { return !lent_slots_.empty(); }
  /** Returns the slots whose packets have been released. */
  void reclaim_slots() noexcept;
  /** Returns all slots; outstanding packets are copied first, unnoticed by their holders. */
  void vacate_slots() noexcept;

  /**
   * Returns the slots of the last receive() or receive_lent() to the peer. Returns false if the
   * memory of the packets was taken away meanwhile: copies made from it must not be used.
   */
  bool release() noexcept;

  /**
   * The link is down: what the peer has published by now can be received, and nothing after it. By
   * the receiving thread, or while there is none; as abandon() is.
   */
  void close() noexcept;
  /** Packets that were published and not received, as far as the peer's descriptors are valid. */
  std::uint32_t pending_packets() const noexcept;
  /** Closes the queue; drops and counts these packets. */
  void abandon() noexcept;

  /** True if the peer's index has moved, so receive() has something to process. */
  bool pending() const noexcept { return peer_index() != next_; }

  /**
   * Prefetches what the next packet is read from and given back with, all at once: it is in the
   * peer's cache, and each piece is needed when the one before has come.
   */
  void prefetch_next() const noexcept {
    if (!is_slave()) return ring_.prefetch(next_);
    ring_.prefetch_to_change(next_);
    ring_.prefetch_head_to_change();
    const BufferPlace own = buffers_.slots[ring_.slot(next_)];
    const std::byte* buffer = state_->views().own_memory(own.region, own.offset);
    prefetch_to_change(buffer);
    prefetch_to_change(buffer + gstcommon::kCacheLine);
  }

  /** Enables or disables wake-ups through event_fd(). */
  void set_interrupts(bool enabled) noexcept { ring_.mask_interrupt(!enabled); }
  int event_fd() const noexcept { return event_fd_.get(); }
  /**
   * Takes the wake-ups that made event_fd() readable; never waits. To be called each time it was,
   * and before the ring is looked at: one that comes later belongs to packets that come later.
   * Fails the link of a peer that keeps waking us without packets.
   */
  void acknowledge_interrupt() noexcept;
  /** The same where event_fd() is edge-triggered, and need not be read. */
  void count_interrupt() noexcept;
  std::uint32_t ring_size() const noexcept { return ring_.size(); }
  /** Slots in use, as the indexes in shared memory say. Any thread. */
  RingFill filled() const noexcept {
    return is_slave() ? ring_.filled_by_master() : ring_.filled_by_slave();
  }
  QueueStats& stats() noexcept { return *stats_; }

 private:
  // Bytes of a packet. Up to this size they take the fast path, and longer ones the slow path.
  static constexpr std::uint32_t kShortPacket = 64 << 10;
  // The peer's packets up to this length are lent by the batch; with many of them, longer ones
  // would be expensive to detach.
  static constexpr std::uint32_t kLongestLent = 16 << 10;
  // A burst ends with the packet that takes it beyond this many.
  static constexpr std::uint64_t kBurstBytes = 4 << 20;

  template <bool kSlave>
  class IntoSegments;
  template <bool kSlave>
  class IntoLoan;

  bool is_slave() const noexcept { return buffers_.buffer_size != 0; }
  std::uint16_t peer_index() const noexcept {
    if (closed_) return end_;
    return is_slave() ? ring_.load_tail() : ring_.load_head();
  }
  std::uint32_t begin_burst() noexcept;
  std::span<const RxSegment> take_burst(std::uint32_t available, std::uint32_t max_packets,
                                        std::uint32_t long_from = 0) noexcept;
  void count_burst() noexcept;
  std::byte* resolve(std::uint16_t index, const Descriptor& descriptor) const noexcept;
  void take_packets(std::uint32_t available, std::uint32_t max_packets) noexcept;
  bool next_is_long(std::uint32_t available, std::uint32_t long_from) const noexcept;
  Loan* lend_long(const std::shared_ptr<Link>& link, std::uint32_t available, PacketDesc& packet);
  bool lend_chain(Loan& loan, std::uint32_t available, PacketDesc& packet) noexcept;
  template <class Sink, class... Args>
  std::uint32_t read_run(std::uint32_t limit, Args... args) noexcept;
  std::uint32_t take_run(std::uint32_t limit) noexcept;
  bool take_chain(std::uint32_t available) noexcept;
  void write_empty(std::uint32_t count) noexcept;
  void publish(std::uint32_t count) noexcept;
  void collect() noexcept;
  std::uint32_t lendable(std::uint32_t packets) noexcept;
  Loan* open_loan(const std::shared_ptr<Link>& link);
  Loan* close_loan(Loan* loan, std::uint32_t limit) noexcept;
  void lend_packets(Loan& loan, std::uint32_t limit, PacketDesc* packets,
                    std::uint32_t longest) noexcept;
  void make_room() noexcept;
  void give_back_slots() noexcept;
  void drop_from(std::size_t first_segment, DropReason reason) noexcept;

  alignas(gstcommon::kCacheLine) LinkMemory* state_;  // another thread may have what lies before it
  Ring ring_;
  UniqueFd event_fd_;
  QueueStats* stats_;
  QueueBuffers buffers_;
  LoanBook loans_;
  HeldSlots lent_slots_;
  Loan* lent_ = nullptr;           // the burst's
  std::uint16_t lent_region_ = 0;  // where it lies
  std::uint32_t long_from_ = 0;    // a burst of copies ends before a packet that may be so long
  bool burst_was_long_ = false;
  bool one_by_one_ = false;  // the last loan is of a long packet by itself
  bool odd_next_ = false;    // the last loan ended before a packet that cannot be lent
  std::uint32_t max_packet_size_ = kDefaultMaxPacketSize;
  std::uint64_t too_long_ = 0;
  std::vector<RxSegment> segments_;
  std::size_t count_ = 0;        // segments of the burst
  std::uint32_t packets_ = 0;    // of the burst
  std::uint64_t bytes_ = 0;      // of the burst
  std::uint16_t next_ = 0;       // first slot not yet released
  std::uint16_t tail_ = 0;       // as master: first slot the peer has not got back
  std::uint16_t published_ = 0;  // as slave: head, end of the buffers the peer has
  std::uint32_t taken_ = 0;      // slots of the burst
  bool skipping_ = false;        // inside a chain whose beginning was dropped
  WakeBudget wake_budget_;
  std::uint16_t woken_at_ = 0;  // next_ when it was last spent from
  bool closed_ = false;
  std::uint16_t end_ = 0;  // the peer's index when the queue was closed
};

}  // namespace gstmemif
