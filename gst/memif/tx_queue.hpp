// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file The sending end of one ring: S2M for a slave, M2S for a master. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gst/memif/buffer_layout.hpp"
#include "gst/memif/fd.hpp"
#include "gst/memif/link_state.hpp"
#include "gst/memif/ring.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

/** A run of bytes of a packet to send. */
using TxSegment = std::span<const std::byte>;

/** What became of a packet handed to TxQueue::send(). */
enum class Sent {
  ok,        ///< written; the peer sees it after flush()
  full,      ///< no room now: flush(), wait, and try again
  dropped,   ///< can never be sent (empty, or longer than the whole ring): counted
  link_lost  ///< the link has failed
};

/**
 * Sends into one ring. One thread at a time; the object lives as long as its link.
 *
 * Packets are copied into as many slots as they need, and become visible together at flush(): one
 * index store and at most one eventfd write per burst.
 */
class GSTMEMIF_API TxQueue {
 public:
  /**
   * @param buffers as slave, which of our buffers belongs to which slot; as master, none: the slots
   *                hold the peer's empty buffers, each checked before it is written to
   */
  TxQueue(LinkState& state, Ring ring, UniqueFd event_fd, QueueStats& stats, QueueBuffers buffers);

  /** Writes one packet, gathered from @p segments. */
  Sent send(std::span<const TxSegment> segments) noexcept;

  /**
   * As slave: sends the @p length bytes at @p offset of the region of @p buffer, one of our link's
   * own, without a copy. On Sent::ok the buffer is the ring's, and @p buffer names another one,
   * which the peer has finished with, in exchange. Bytes outside of the buffer are Sent::dropped.
   */
  Sent exchange(BufferPlace& buffer, std::uint32_t offset, std::uint32_t length) noexcept {
    if (length == 0 || offset < buffer.offset ||
        std::uint64_t{offset} + length > std::uint64_t{buffer.offset} + buffers_.buffer_size) {
      stats_->drop(length == 0 ? DropReason::empty : DropReason::too_long);
      return Sent::dropped;
    }
    if (free_ == 0 && free_slots() == 0) {
      return state_->failed() ? Sent::link_lost : Sent::full;
    }
    ring_.prefetch_for_writing(static_cast<std::uint16_t>(next_ + kWriteAhead));
    ring_.write(next_, {0, buffer.region, length, offset, 0});
    std::swap(buffer, buffers_.slots[ring_.slot(next_)]);
    ++next_;
    --free_;
    ++packets_;
    bytes_ += length;
    return Sent::ok;
  }

  /** Publishes what was written since the last flush(), and wakes the peer if it asked for it. */
  void flush() noexcept;

  /** Drops and counts what was written since the last flush(): the peer is gone. */
  void discard() noexcept;

  /** True if there is room for the packet that was Sent::full last, or for any if none was. */
  bool has_room() noexcept;

  /**
   * Frees a thread that hangs in the write to the eventfd. A peer can make that happen: it shares
   * the file description, so it may fill the counter and take O_NONBLOCK away. Any thread.
   */
  void unblock() noexcept;

  int event_fd() const noexcept { return event_fd_.get(); }
  std::uint32_t ring_size() const noexcept { return ring_.size(); }
  QueueStats& stats() noexcept { return *stats_; }

 private:
  // Four descriptors share a cache line, which the peer's core has: it is asked for early.
  static constexpr std::uint16_t kWriteAhead = 16;

  bool is_slave() const noexcept { return buffers_.buffer_size != 0; }
  std::uint32_t free_slots() noexcept;
  Sent reserve(std::uint64_t total, std::uint32_t& slots) noexcept;
  bool send_simple(TxSegment packet) noexcept;
  Descriptor slot_buffer(std::uint16_t index) const noexcept;
  bool valid_buffer(const Descriptor& descriptor) const noexcept;
  Sent write_slots(std::span<const TxSegment> segments, std::uint64_t total,
                   std::uint32_t slots) noexcept;

  LinkState* state_;
  Ring ring_;
  UniqueFd event_fd_;
  QueueStats* stats_;
  QueueBuffers buffers_;
  std::uint16_t next_ = 0;       // first slot not yet written
  std::uint16_t published_ = 0;  // our index as the peer sees it
  std::uint32_t free_ = 0;       // slots known to be free, read again only when they run out
  std::uint64_t packets_ = 0;    // of the burst
  std::uint64_t copies_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t refused_ = 0;  // bytes of the packet that waits for room
};

}  // namespace gstmemif
