// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file The sending end of one ring: S2M for a slave, M2S for a master. */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/copy.hpp"
#include "gst/memif/data/link_memory.hpp"
#include "gst/memif/data/ring.hpp"
#include "gst/memif/data/tx_buffer_pool.hpp"
#include "gst/memif/fd.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

/** A run of bytes of a packet to send. */
using TxSegment = std::span<const std::byte>;

/** A packet that lies in a buffer lent by a queue of the same link. */
struct LentPacket {
  BufferPlace* buffer;   ///< its entry in the loan; null: none
  std::uint32_t offset;  ///< in the buffer's region
  std::uint32_t length;
};

/** What became of a packet handed to TxQueue::send(). */
enum class SendResult {
  ok,        ///< written; the peer sees it after flush()
  full,      ///< no room now: flush(), wait, and try again
  dropped,   ///< can never be sent (empty, or longer than the whole ring): counted
  link_lost  ///< the link has failed
};

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

  /** Writes one packet, gathered from @p segments. */
  SendResult send(std::span<const TxSegment> segments) noexcept;

  /**
   * Writes packets 0 to @p n - 1, of one piece each: @p piece(i) is a TxSegment, for a std::size_t.
   * Returns how many went; less than n if one needs what only send() does or says: to wait, several
   * slots, an error.
   */
  template <class Piece>
  std::uint32_t send_burst(std::uint32_t n, Piece piece) noexcept {
    return run_over_free(n, [&](std::uint32_t first, std::uint32_t limit) {
      return is_slave() ? copy_run<true>(first, limit, piece)
                        : copy_run<false>(first, limit, piece);
    });
  }

  /**
   * As slave: sends a lent packet, of our link's own region, without a copy. On SendResult::ok its
   * buffer is the ring's, and another one, which the peer has finished with, takes its place in the
   * loan. Bytes outside of the buffer are SendResult::dropped.
   */
  SendResult exchange(const LentPacket& packet) noexcept;

  /** As send_burst(), for lent packets: @p packet(i) is one; one without a buffer ends the run. */
  template <class Packet>
  std::uint32_t send_burst_zero_copy(std::uint32_t n, Packet packet) noexcept {
    return run_over_free(n, [&](std::uint32_t first, std::uint32_t limit) {
      return swap_run(first, limit, packet);
    });
  }

  /**
   * As slave: lends up to @p count empty buffers of @p link, which is ours, for packets that are
   * then sent by exchange(). Null if none is left, and as master. Any thread, at any time.
   */
  Loan* borrow(std::shared_ptr<Link> link, std::uint32_t count) {
    return lender_.borrow(std::move(link), count);
  }
  /** Bytes of each of our buffers; 0 as master. */
  std::uint32_t buffer_size() const noexcept { return buffers_.buffer_size; }

  /** Publishes what was written since the last flush(), and wakes the peer if it asked for it. */
  void flush() noexcept;

  /** Drops and counts what was written since the last flush(): the peer is gone. */
  void discard() noexcept;

  /** Slots that were flushed and that the peer has not given back yet. */
  std::uint32_t unread() noexcept;

  /** Counts the packets of unread() as undelivered, each one once. */
  void abandon() noexcept;

  /** True if there is room for the packet that was SendResult::full last, or for any if none was.
   */
  bool has_room() noexcept;

  int event_fd() const noexcept { return event_fd_.get(); }
  std::uint32_t ring_size() const noexcept { return ring_.size(); }
  QueueStats& stats() noexcept { return *stats_; }

 private:
  // Four descriptors share a cache line, which the peer's core has: it is asked for early.
  static constexpr std::size_t kWriteAhead = 32;
  // The buffers are last in the peer's cache, too. A few are enough: each has a line of its own.
  static constexpr std::size_t kBufferAhead = 6;

  bool is_slave() const noexcept { return buffers_.buffer_size != 0; }
  std::uint32_t free_slots() noexcept;
  SendResult reserve(std::uint64_t total, std::uint32_t& slots) noexcept;
  template <class Run>
  std::uint32_t run_over_free(std::uint32_t n, Run run) noexcept;
  template <bool kSlave, class Piece>
  std::uint32_t copy_run(std::uint32_t first, std::uint32_t limit, Piece piece) noexcept;
  template <class Packet>
  std::uint32_t swap_run(std::uint32_t first, std::uint32_t limit, Packet packet) noexcept;
  Descriptor slot_buffer(std::uint16_t index) const noexcept {
    if (!is_slave()) return ring_.read(index);
    const BufferPlace place = buffers_.slots[ring_.slot(index)];
    return {0, place.region, buffers_.buffer_size, place.offset, 0};
  }
  bool valid_buffer(const Descriptor& descriptor) const noexcept;
  void wake_peer() noexcept;
  SendResult write_slots(std::span<const TxSegment> segments, std::uint64_t total,
                         std::uint32_t slots) noexcept;

  LinkMemory* state_;
  Ring ring_;
  UniqueFd event_fd_;
  QueueStats* stats_;
  QueueBuffers buffers_;
  TxBufferPool lender_;
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
};

/**
 * Calls @p run(first, limit) with no more packets than there are free slots in a row, until one is
 * left.
 */
template <class Run>
std::uint32_t TxQueue::run_over_free(std::uint32_t n, Run run) noexcept {
  std::uint32_t sent = 0;
  while (sent < n && (free_ != 0 || free_slots() != 0)) {
    const std::uint32_t limit = std::min({n - sent, free_, ring_.before_wrap(next_)});
    const std::uint32_t done = run(sent, limit);
    next_ = static_cast<std::uint16_t>(next_ + done);
    free_ -= done;
    packets_ += done;
    sent += done;
    if (done < limit) break;
  }
  if (sent != 0) refused_ = 0;
  return sent;
}

// The two loops hold what they work with in locals, for the compiler has to assume that the ring
// and the packets are written over members. And they are not inlined into all that a caller does
// around them: there would be no registers left.

template <bool kSlave, class Piece>
[[gnu::noinline]] std::uint32_t TxQueue::copy_run(std::uint32_t first, std::uint32_t limit,
                                                  Piece piece) noexcept {
  Ring ring = ring_;
  RegionCursor regions(state_->views());
  const BufferPlace* const slots = buffers_.slots.data();
  const std::uint32_t size = buffers_.buffer_size;
  const auto buffer_of = [=](std::size_t slot) -> Descriptor {
    if constexpr (!kSlave) return ring.read_slot(slot);
    return {0, slots[slot].region, size, slots[slot].offset, 0};
  };
  const std::size_t next = ring.slot(next_);
  std::uint64_t bytes = 0;
  std::size_t i = 0;
  for (; i < limit; ++i) {
    ring.prefetch_for_writing(next + i + kWriteAhead);
    regions.prefetch_for_writing(buffer_of(ring.wrapped(next + i + kBufferAhead)).offset);
    const TxSegment packet = piece(first + i);
    Descriptor buffer = buffer_of(next + i);
    if (packet.empty() || packet.size() > buffer.length) break;
    std::byte* to = regions.resolve(buffer.region, buffer.offset, buffer.length);
    if (to == nullptr) break;
    copy_packet(to, packet.data(), packet.size());
    buffer.length = static_cast<std::uint32_t>(packet.size());
    buffer.flags = 0;
    ring.write_slot(next + i, buffer);
    bytes += packet.size();
  }
  copies_ += i;
  bytes_ += bytes;
  return static_cast<std::uint32_t>(i);
}

template <class Packet>
[[gnu::noinline]] std::uint32_t TxQueue::swap_run(std::uint32_t first, std::uint32_t limit,
                                                  Packet packet) noexcept {
  Ring ring = ring_;
  BufferPlace* const slots = buffers_.slots.data();
  const std::uint32_t size = buffers_.buffer_size;
  const std::size_t next = ring.slot(next_);
  std::uint64_t bytes = 0;
  std::size_t i = 0;
  for (; i < limit; ++i) {
    ring.prefetch_for_writing(next + i + kWriteAhead);
    const LentPacket lent = packet(first + i);
    if (lent.buffer == nullptr || lent.length == 0) break;
    // Where buffers are lent, all lie in one region: see LinkMemory::only_buffer_region().
    std::uint32_t& own = lent.buffer->offset;
    if (!within(lent.offset, lent.length, own, size)) break;
    ring.write_slot(next + i, {0, kFirstBufferRegion, lent.length, lent.offset, 0});
    std::swap(own, slots[next + i].offset);
    bytes += lent.length;
  }
  bytes_ += bytes;
  return static_cast<std::uint32_t>(i);
}

}  // namespace gstmemif
