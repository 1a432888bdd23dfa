// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/tx_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gst/memif/data/coarse_clock.hpp"
#include "gst/memif/data/peer_signal.hpp"

namespace gstmemif {
namespace {

// So often at most it is asked whether the counter of the eventfd is full.
constexpr std::int64_t kEventLookNs = 1'000'000;

/** Reads the bytes of a packet in order, across its segments. */
class Gather {
 public:
  explicit Gather(std::span<const TxSegment> segments) noexcept : segments_(segments) {}

  void copy_to(std::byte* out, std::size_t length) noexcept {
    while (length != 0) {
      const TxSegment segment = segments_.front().subspan(offset_);
      const std::size_t n = std::min(length, segment.size());
      // An empty segment may have no address, which memcpy() must not see.
      if (n != 0) std::memcpy(out, segment.data(), n);
      out += n;
      length -= n;
      offset_ += n;
      if (offset_ == segments_.front().size()) {
        segments_ = segments_.subspan(1);
        offset_ = 0;
      }
    }
  }

 private:
  std::span<const TxSegment> segments_;
  std::size_t offset_ = 0;
};

std::uint64_t total_length(std::span<const TxSegment> segments) noexcept {
  std::uint64_t total = 0;
  for (const TxSegment& segment : segments) total += segment.size();
  return total;
}

}  // namespace

TxQueue::TxQueue(LinkMemory& state, Ring ring, UniqueFd event_fd, QueueStats& stats,
                 QueueBuffers buffers)
    : state_(&state),
      ring_(ring),
      event_fd_(std::move(event_fd)),
      stats_(&stats),
      buffers_(std::move(buffers)),
      lender_(std::move(buffers_.spares), state.only_buffer_region(), buffers_.buffer_size) {}

std::uint32_t TxQueue::free_slots() noexcept {
  if (state_->failed()) return free_ = 0;
  std::uint32_t free;
  bool valid;
  if (is_slave()) {
    const auto in_use = static_cast<std::uint16_t>(next_ - ring_.load_tail());
    // The peer gives back published slots only; what is not flushed yet cannot be given back.
    valid = in_use <= ring_.size() && in_use >= static_cast<std::uint16_t>(next_ - published_);
    free = ring_.size() - in_use;
  } else {
    const std::uint16_t head = ring_.load_head();
    free = static_cast<std::uint16_t>(head - next_);
    valid = free <= ring_.size();
    const std::uint32_t empty = static_cast<std::uint16_t>(head - published_);
    if (valid && empty <= ring_.size()) posted_ = std::max(posted_, empty);
  }
  if (!valid) {
    state_->fail("the peer moved the index of a ring further than the ring is long");
    return free_ = 0;
  }
  return free_ = free;
}

bool TxQueue::valid_buffer(const Descriptor& descriptor) const noexcept {
  return descriptor.length != 0 &&
         state_->resolve(descriptor.region, descriptor.offset, descriptor.length) != nullptr;
}

/** Counts the slots that @p total bytes need, if that many are free. */
SendResult TxQueue::reserve(std::uint64_t total, std::uint32_t& slots) noexcept {
  std::uint64_t room = 0;
  std::uint64_t largest = 0;
  for (slots = 0; room < total; ++slots) {
    if (slots >= free_ && slots >= free_slots()) {
      if (state_->failed()) return SendResult::link_lost;
      // What no ring of such buffers would hold must not wait for one. A peer may mix sizes, so
      // this is asked when all that are free were looked at.
      const bool hopeless = slots == ring_.size() || total > largest * ring_.size();
      return slots != 0 && hopeless ? SendResult::dropped : SendResult::full;
    }
    const Descriptor buffer = slot_buffer(static_cast<std::uint16_t>(next_ + slots));
    if (!valid_buffer(buffer)) {
      state_->fail("the peer offered a buffer outside of its memory");
      return SendResult::link_lost;
    }
    largest = std::max<std::uint64_t>(largest, buffer.length);
    room += buffer.length;
  }
  return SendResult::ok;
}

SendResult TxQueue::write_slots(std::span<const TxSegment> segments, std::uint64_t total,
                                std::uint32_t slots) noexcept {
  Gather gather(segments);
  for (std::uint32_t i = 0; i < slots; ++i) {
    const auto index = static_cast<std::uint16_t>(next_ + i);
    // As master this is a second look at the peer's memory, so it is checked a second time.
    Descriptor buffer = slot_buffer(index);
    const bool last = i + 1 == slots;
    if (!valid_buffer(buffer) || (last && buffer.length < total)) {
      state_->fail("the peer changed a buffer while it was written to");
      return SendResult::link_lost;
    }
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(total, buffer.length));
    gather.copy_to(state_->resolve(buffer.region, buffer.offset, length), length);
    total -= length;
    buffer.length = length;
    buffer.flags = last ? 0 : kDescriptorNext;
    ring_.write(index, buffer);
  }
  return SendResult::ok;
}

SendResult TxQueue::send(std::span<const TxSegment> segments) noexcept {
  // The common case first: one piece that fits into one slot.
  if (segments.size() == 1 && send_burst(1, [&](std::size_t) { return segments.front(); }) == 1) {
    return SendResult::ok;
  }
  const std::uint64_t total = total_length(segments);
  if (total == 0) {
    stats_->drop(DropReason::empty);
    return SendResult::dropped;
  }
  std::uint32_t slots = 0;
  SendResult sent = reserve(total, slots);
  if (sent == SendResult::ok) sent = write_slots(segments, total, slots);
  refused_ = sent == SendResult::full ? total : 0;
  if (sent == SendResult::dropped) stats_->drop(DropReason::too_long);
  if (sent != SendResult::ok) return sent;
  next_ = static_cast<std::uint16_t>(next_ + slots);
  free_ -= slots;
  ++packets_;
  ++copies_;
  bytes_ += total;
  return SendResult::ok;
}

SendResult TxQueue::exchange(const LentPacket& packet) noexcept {
  if (send_burst_zero_copy(1, [&](std::size_t) { return packet; }) == 1) return SendResult::ok;
  if (state_->failed()) return SendResult::link_lost;
  if (free_ == 0) return SendResult::full;
  stats_->drop(packet.length == 0 ? DropReason::empty : DropReason::too_long);
  return SendResult::dropped;
}

bool TxQueue::has_room() noexcept {
  // One free slot would end the wait of a packet that needs ten, again and again.
  std::uint32_t slots = 0;
  return free_slots() != 0 &&
         reserve(std::max<std::uint64_t>(refused_, 1), slots) != SendResult::full;
}

void TxQueue::flush() noexcept {
  if (next_ == published_) return;
  if (state_->failed() || !state_->check_memory()) return discard();
  if (is_slave()) {
    ring_.store_head(next_);
  } else {
    ring_.store_tail(next_);
  }
  uncounted_ += static_cast<std::uint16_t>(next_ - published_);
  published_ = next_;
  stats_->packets.add(packets_);
  stats_->bytes.add(bytes_);
  stats_->copies.add(copies_);
  stats_->batches.add(1);
  packets_ = 0;
  copies_ = 0;
  bytes_ = 0;
  // Publish, then look at the flag: without the fence the load may pass the store, and a receiver
  // that unmasks, looks at the ring and sleeps in between is never woken.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!ring_.interrupt_masked()) wake_peer();
}

[[gnu::noinline]] void TxQueue::wake_peer() noexcept {
  // A full counter holds nobody up, but it is no accident: such a peer is not worth the wake-ups.
  const std::int64_t now = coarse_now_ns();
  if (now - looked_at_event_ns_ >= kEventLookNs) {
    looked_at_event_ns_ = now;
    if (!takes_signals(event_fd_.get())) {
      return state_->fail("the peer keeps the eventfd of a ring full");
    }
  }
  if (const char* reason = signal_peer(event_fd_.get())) return state_->fail(reason);
  stats_->interrupts.add(1);
}

void TxQueue::discard() noexcept {
  stats_->drop(DropReason::link_down, std::exchange(packets_, 0));
  copies_ = 0;
  bytes_ = 0;
  free_ = 0;
  next_ = published_;
}

std::uint32_t TxQueue::unread() noexcept {
  if (state_->failed()) return 0;
  if (is_slave()) {
    const auto slots = static_cast<std::uint16_t>(published_ - ring_.load_tail());
    if (slots <= ring_.size()) return slots;
  } else {
    // A slave hands an empty buffer over for each one that it took. How many it has at a time, at
    // the most, is its own affair.
    const auto empty = static_cast<std::uint16_t>(ring_.load_head() - published_);
    if (empty <= ring_.size()) return posted_ > empty ? posted_ - empty : 0;
  }
  state_->fail("the peer moved the index of a ring further than the ring is long");
  return 0;
}

void TxQueue::abandon() noexcept {
  const BusErrorScope scope(state_->guarded());
  const auto slots = static_cast<std::uint32_t>(std::min<std::uint64_t>(unread(), uncounted_));
  uncounted_ = 0;
  std::uint32_t packets = 0;
  for (std::uint32_t i = 1; i <= slots; ++i) {
    const Descriptor descriptor = ring_.read(static_cast<std::uint16_t>(published_ - i));
    if ((descriptor.flags & kDescriptorNext) == 0) ++packets;
  }
  stats_->drop(DropReason::undelivered, packets);
}

}  // namespace gstmemif
