// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file The receiving end of one ring: S2M for a master, M2S for a slave. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gst/memif/buffer_layout.hpp"
#include "gst/memif/fd.hpp"
#include "gst/memif/lent_slots.hpp"
#include "gst/memif/link_state.hpp"
#include "gst/memif/loan.hpp"
#include "gst/memif/ring.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

/** A run of bytes of a received packet, in shared memory: the peer may still write to it. */
struct RxSegment {
  std::byte* data;
  std::uint32_t length;
  bool more;  ///< the packet goes on in the next segment
};

/**
 * Receives from one ring. One thread at a time; the object lives as long as its link.
 *
 * What the peer wrote is checked before it is believed: a descriptor that points outside of the
 * link's memory, an unfinished chain or an empty packet is dropped and counted; an index that moves
 * further than the ring fails the link.
 */
class GSTMEMIF_API RxQueue {
 public:
  /**
   * @param buffers as slave, our buffers: one for each slot, and spare ones; as master, none: any
   * of the peer's regions may hold packets
   */
  RxQueue(LinkState& state, Ring ring, UniqueFd event_fd, QueueStats& stats, QueueBuffers buffers);

  /** As slave, when the link comes up: gives the peer a full ring of empty buffers. */
  void publish_buffers() noexcept;

  /**
   * Up to @p max_packets whole packets, as segments that stay valid until release(). Empty if
   * there is nothing, or if the link has failed.
   */
  std::span<const RxSegment> receive(std::uint32_t max_packets) noexcept;

  /**
   * Lends the packets of the last receive() to the application, to stay where they are beyond
   * release(). Null where that is not possible, and they must be copied: if there is a packet of
   * several slots or a dropped one, if too much is out already, or if the peer could take the
   * memory away. As master, whoever holds the loan must not write to it.
   */
  Loan* lend(const std::shared_ptr<Link>& link);

  /** As master: true if slots are held for packets that are lent. */
  bool lends_slots() const noexcept { return !lent_slots_.empty(); }
  /** Gives the slots back whose packets came back. */
  void reclaim_slots() noexcept;
  /** Gives all slots back; what is still out is copied first, without its holder noticing. */
  void vacate_slots() noexcept;

  /**
   * Gives the slots of the last receive() back to the peer. Returns false if the memory under the
   * packets was taken away meanwhile: what was copied from it must not be used.
   */
  bool release() noexcept;

  /** True if the peer's index moved on: receive() would find something to look at. */
  bool pending() const noexcept { return peer_index() != next_; }

  /** Asks the peer for wake-ups through event_fd(), or not. */
  void set_interrupts(bool enabled) noexcept { ring_.mask_interrupt(!enabled); }
  int event_fd() const noexcept { return event_fd_.get(); }
  std::uint32_t ring_size() const noexcept { return ring_.size(); }
  QueueStats& stats() noexcept { return *stats_; }

 private:
  bool is_slave() const noexcept { return buffers_.buffer_size != 0; }
  std::uint16_t peer_index() const noexcept {
    return is_slave() ? ring_.load_tail() : ring_.load_head();
  }
  std::byte* resolve(std::uint16_t index, const Descriptor& descriptor) const noexcept;
  void take_packets(std::uint32_t available, std::uint32_t max_packets) noexcept;
  template <bool kSlave>
  std::uint32_t take_run(std::uint32_t available, std::uint32_t max_packets) noexcept;
  bool take_chain(std::uint32_t available) noexcept;
  void write_empty(std::uint32_t count) noexcept;
  void collect() noexcept;
  Loan* lend_buffers(const std::shared_ptr<Link>& link);
  Loan* lend_slots(const std::shared_ptr<Link>& link);
  const Region* region_of_burst() const noexcept;
  void make_room() noexcept;
  void give_back_slots() noexcept;
  void drop_from(std::size_t first_segment, DropReason reason) noexcept;

  LinkState* state_;
  Ring ring_;
  UniqueFd event_fd_;
  QueueStats* stats_;
  QueueBuffers buffers_;
  LoanBook loans_;
  LentSlots lent_slots_;
  Loan* lent_ = nullptr;  // as master, the burst's
  std::vector<RxSegment> segments_;
  std::size_t count_ = 0;        // segments of the burst
  std::uint32_t packets_ = 0;    // of the burst
  std::uint64_t bytes_ = 0;      // of the burst
  std::uint16_t next_ = 0;       // first slot not yet released
  std::uint16_t tail_ = 0;       // as master: first slot the peer has not got back
  std::uint16_t published_ = 0;  // as slave: head, end of the buffers the peer has
  std::uint32_t taken_ = 0;      // slots of the burst
  bool skipping_ = false;        // inside a chain whose beginning was dropped
};

}  // namespace gstmemif
