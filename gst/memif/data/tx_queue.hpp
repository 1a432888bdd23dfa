// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The sending end of one ring: S2M for a slave, M2S for a master.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gst/common/cache_line.hpp"
#include "gst/memif/burst.hpp"
#include "gst/memif/control/fd.hpp"
#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/lent_tx_slots.hpp"
#include "gst/memif/data/link_memory.hpp"
#include "gst/memif/data/ring.hpp"
#include "gst/memif/data/tx_buffer_pool.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

/**
 * Sends into one ring. One thread at a time; the object lives as long as its link.
 *
 * Packets are copied into as many slots as they need, and become visible together at flush(): one
 * index store and at most one wake-up per burst.
 */
class GSTMEMIF_API TxQueue {
 public:
  /**
   * @param buffers as slave, which of our buffers belongs to which slot, and spare ones to lend; as
   *                master, none: the slots hold the peer's empty buffers, each checked before it is
   *                written to
   */
  TxQueue(LinkMemory& state, Ring ring, UniqueFd event_fd, QueueStats& stats, QueueBuffers buffers);

  /**
   * Writes packets, in order, until all are done or there is no room for the next one. One that is
   * empty, or longer than the whole ring, is dropped and counted.
   */
  TxBurst send_burst(std::span<const TxPacket> packets) noexcept;

  /** The same for packets in @p memory. One that reaches beyond it is dropped and counted, too. */
  TxBurst send_burst(TxSegment memory, std::span<const PacketDesc> packets) noexcept;

  /**
   * As slave, for a loan of our link that is writable: sends packets without a copy. The buffer
   * that a packet's token names becomes the ring's, and another one, which the peer has finished
   * with, takes its place in the loan. A packet that reaches beyond its buffer is dropped and
   * counted; one whose token names no buffer of the loan is copied.
   *
   * As master, for the loan of copy_to_slots(): packets that lie in the slots that they are sent in
   * are not copied again. Where some were left out, those behind move up. From the first one on
   * that is out of order or does not fit into its slot, they are copied, and all are if anything
   * was sent since, as everything in another loan is.
   */
  TxBurst send_burst_zero_copy(Loan& loan, std::span<const PacketDesc> packets) noexcept;

  /**
   * As master: copies @p packets in @p memory to the slots that are sent next, one each, and lends
   * these. @p copies has room for as many descriptors, which say where the packets went, with their
   * places in the loan as tokens. Null if there is no room for all, if one is empty, reaches beyond
   * @p memory, does not fit into its slot or is longer than 65535 bytes, while others are lent, and
   * as slave.
   */
  Loan* copy_to_slots(const std::shared_ptr<Link>& link, TxSegment memory,
                      std::span<const PacketDesc> packets, PacketDesc* copies);

  /**
   * As slave: lends up to @p count empty buffers of @p link, which is ours, for packets that are
   * then sent by send_burst_zero_copy(). Null if none is left, and as master. Any thread, at any
   * time.
   */
  Loan* borrow(std::shared_ptr<Link> link, std::uint32_t count) {
    return pool_.borrow(std::move(link), count);
  }
  /** Bytes of each of our buffers; 0 as master. */
  std::uint32_t buffer_size() const noexcept { return buffers_.buffer_size; }

  /** Prefetches the next slot, which the peer has had. */
  void prefetch_next() const noexcept { ring_.prefetch_to_change(next_); }

  /** Publishes packets written since the last flush(), and wakes the peer if it asked for that. */
  void flush() noexcept;

  /** Drops and counts packets written since the last flush(), as the peer is gone. */
  void discard() noexcept;

  /** Slots that were flushed and that the peer has not given back yet. */
  std::uint32_t unread() noexcept;

  /** Counts the packets of unread() as undelivered, each of them once. */
  void abandon() noexcept;

  /** True if there is room for the packet that was SendResult::full last, or for any if none was.
   */
  bool has_room() noexcept;

  /** The last packet that was dropped because the ring cannot hold it. */
  const Oversize& oversize() const noexcept { return oversize_; }

  /** Slots in use, as the indexes in shared memory say. Any thread. */
  RingFill filled() const noexcept {
    return is_slave() ? ring_.filled_by_slave() : ring_.filled_by_master();
  }

  int event_fd() const noexcept { return event_fd_.get(); }
  std::uint32_t ring_size() const noexcept { return ring_.size(); }
  QueueStats& stats() noexcept { return *stats_; }

 private:
  // Four descriptors share a cache line, which is in the peer's cache: prefetch it.
  static constexpr std::size_t kWriteAhead = 32;
  // The buffers were last in the peer's cache too. A few are enough: each has its own line.
  static constexpr std::size_t kBufferAhead = 6;

  /** What became of one packet. */
  enum class Outcome { sent, dropped, full, link_lost };
  template <bool kSlave, class Packets>
  class CopyIntoSlot;
  class ExchangeBuffer;
  class SendUnmoved;
  class SendInPlace;

  bool is_slave() const noexcept { return buffers_.buffer_size != 0; }
  TxBurst send_in_place(Loan& loan, std::span<const PacketDesc> packets) noexcept;
  TxBurst drop_all(std::size_t packets) noexcept;
  std::uint32_t free_slots() noexcept;
  Outcome reserve(std::uint64_t total, std::uint32_t& slots) noexcept;
  template <class Fill, class Packets, class Slow>
  TxBurst send_all(std::size_t n, Packets packets, Slow slow) noexcept;
  template <class Packets, class Slow>
  TxBurst copy_all(std::size_t n, Packets packets, Slow slow) noexcept;
  template <class Fill, class Packets>
  std::uint32_t fast_path(std::uint32_t first, std::uint32_t n, Packets packets) noexcept;
  template <class Fill, class Packets>
  std::uint32_t write_run(std::uint32_t first, std::uint32_t limit, Packets packets) noexcept;
  Outcome send_slowly(TxPacket packet) noexcept;
  Outcome send_slowly(TxSegment memory, const PacketDesc& packet) noexcept;
  Outcome drop(DropReason reason) noexcept;
  Descriptor slot_buffer(std::uint16_t index) const noexcept {
    if (!is_slave()) return ring_.read(index);
    const BufferPlace place = buffers_.slots[ring_.slot(index)];
    return {0, place.region, buffers_.buffer_size, place.offset, 0};
  }
  bool valid_buffer(const Descriptor& descriptor) const noexcept;
  void wake_peer() noexcept;
  Outcome write_slots(TxPacket packet, std::uint64_t total, std::uint32_t slots) noexcept;

  alignas(gstcommon::kCacheLine) LinkMemory* state_;  // another thread may have what lies before it
  Ring ring_;
  UniqueFd event_fd_;
  QueueStats* stats_;
  QueueBuffers buffers_;
  TxBufferPool pool_;            // as slave
  LentTxSlots lent_slots_;       // as master
  std::uint16_t next_ = 0;       // first slot not yet written
  std::uint16_t published_ = 0;  // our index as the peer sees it
  std::uint32_t free_ = 0;       // slots known to be free, read again only when they run out
  std::uint32_t posted_ = 0;     // as master: most slots that were empty at a time
  std::uint64_t uncounted_ = 0;  // slots flushed since abandon()
  std::uint64_t packets_ = 0;    // of the burst
  std::uint64_t copies_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t refused_ = 0;  // bytes of the packet that waits for room
  std::int64_t looked_at_event_ns_ = 0;
  Oversize oversize_;
};

}  // namespace gstmemif
