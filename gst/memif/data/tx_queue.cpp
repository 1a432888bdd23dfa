// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/tx_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gst/common/copy.hpp"
#include "gst/memif/data/coarse_clock.hpp"
#include "gst/memif/data/gather.hpp"
#include "gst/memif/data/peer_signal.hpp"
#include "gst/memif/data/stream_copy.hpp"

namespace gstmemif {
namespace {

// The minimum interval of checks whether the counter of the eventfd is full.
constexpr std::int64_t kEventLookNs = 1'000'000;

/** Whether a packet does not reach beyond @p size bytes. */
bool lies_in(const PacketDesc& packet, std::size_t size) noexcept {
  return std::uint64_t{packet.offset} + packet.length <= size;
}

/** Whether the tokens of packets are those of places of a loan from @p next on, in their order. */
bool are_in_order(std::span<const PacketDesc> packets, std::uint32_t next,
                  std::uint32_t places) noexcept {
  for (const PacketDesc& packet : packets) {
    if (packet.token < next || packet.token >= places) return false;
    next = packet.token + 1;
  }
  return true;
}

// Packets to send, by index. Empty if the slow path has to handle one.

/** Packets of one segment. */
class Gathered {
 public:
  explicit Gathered(std::span<const TxPacket> packets) noexcept : packets_(packets.data()) {}
  TxSegment operator()(std::size_t i) const noexcept {
    return packets_[i].size() == 1 ? packets_[i].front() : TxSegment();
  }

 private:
  const TxPacket* packets_;
};

/** Packets in one memory. */
class Described {
 public:
  Described(TxSegment memory, std::span<const PacketDesc> packets) noexcept
      : packets_(packets.data()), data_(memory.data()), size_(memory.size()) {}
  TxSegment operator()(std::size_t i) const noexcept {
    const PacketDesc& packet = packets_[i];
    if (!lies_in(packet, size_)) return {};
    return {data_ + packet.offset, packet.length};
  }

 private:
  const PacketDesc* packets_;
  const std::byte* data_;
  std::size_t size_;
};

/** Packets in the buffers of a loan. */
struct Lent {
  const PacketDesc* packets;
  BufferPlace* buffers;
  std::uint32_t count;
};

}  // namespace

TxQueue::TxQueue(LinkMemory& state, Ring ring, UniqueFd event_fd, QueueStats& stats,
                 QueueBuffers buffers)
    : state_(&state),
      ring_(ring),
      event_fd_(std::move(event_fd)),
      stats_(&stats),
      buffers_(std::move(buffers)),
      pool_(std::move(buffers_.spares), state.only_buffer_region(), buffers_.buffer_size) {}

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
TxQueue::Outcome TxQueue::reserve(std::uint64_t total, std::uint32_t& slots) noexcept {
  std::uint64_t room = 0;
  std::uint64_t largest = 0;
  for (slots = 0; room < total; ++slots) {
    if (slots >= free_ && slots >= free_slots()) {
      if (state_->failed()) return Outcome::link_lost;
      // A packet that no ring of such buffers could hold must not wait. A peer may mix sizes, so
      // this is checked after all free slots were examined.
      const bool hopeless = slots == ring_.size() || total > largest * ring_.size();
      if (slots == 0 || !hopeless) return Outcome::full;
      oversize_ = {total, static_cast<std::uint32_t>(largest), ring_.size()};
      return Outcome::dropped;
    }
    const Descriptor buffer = slot_buffer(static_cast<std::uint16_t>(next_ + slots));
    if (!valid_buffer(buffer)) {
      state_->fail("the peer offered a buffer outside of its memory");
      return Outcome::link_lost;
    }
    largest = std::max<std::uint64_t>(largest, buffer.length);
    room += buffer.length;
  }
  return Outcome::sent;
}

TxQueue::Outcome TxQueue::write_slots(TxPacket packet, std::uint64_t total,
                                      std::uint32_t slots) noexcept {
  Gather gather(packet, total);
  for (std::uint32_t i = 0; i < slots; ++i) {
    const auto index = static_cast<std::uint16_t>(next_ + i);
    // As master this reads the peer's memory a second time, so it is checked a second time.
    Descriptor buffer = slot_buffer(index);
    const bool last = i + 1 == slots;
    if (!valid_buffer(buffer) || (last && buffer.length < total)) {
      state_->fail("the peer changed a buffer while it was written to");
      return Outcome::link_lost;
    }
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(total, buffer.length));
    gather.copy_to(state_->resolve(buffer.region, buffer.offset, length), length);
    total -= length;
    buffer.length = length;
    buffer.flags = last ? 0 : kDescriptorNext;
    ring_.write(index, buffer);
  }
  return Outcome::sent;
}

TxQueue::Outcome TxQueue::drop(DropReason reason) noexcept {
  stats_->drop(reason);
  return Outcome::dropped;
}

/** Any packet, into as many slots as it needs. */
TxQueue::Outcome TxQueue::send_slowly(TxPacket packet) noexcept {
  const std::uint64_t total = total_length(packet);
  if (total == 0) return drop(DropReason::empty);
  std::uint32_t slots = 0;
  Outcome outcome = reserve(total, slots);
  if (outcome == Outcome::sent) outcome = write_slots(packet, total, slots);
  refused_ = outcome == Outcome::full ? total : 0;
  if (outcome == Outcome::dropped) return drop(DropReason::too_long);
  if (outcome != Outcome::sent) return outcome;
  next_ = static_cast<std::uint16_t>(next_ + slots);
  free_ -= slots;
  ++packets_;
  ++copies_;
  bytes_ += total;
  return Outcome::sent;
}

TxQueue::Outcome TxQueue::send_slowly(TxSegment memory, const PacketDesc& packet) noexcept {
  if (!lies_in(packet, memory.size())) return drop(DropReason::bad_descriptor);
  const TxSegment segment = memory.subspan(packet.offset, packet.length);
  return send_slowly({&segment, 1});
}

// Fills a slot with a packet: returns its descriptor, or that the slow path has to handle it.

template <bool kSlave, class Packets>
class TxQueue::CopyIntoSlot {
 public:
  static constexpr bool kPrefetchesSlots = true;

  CopyIntoSlot(const TxQueue& queue, Packets packets) noexcept
      : packets_(packets),
        ring_(queue.ring_),
        regions_(queue.state_->views()),
        slots_(queue.buffers_.slots.data()),
        size_(queue.buffers_.buffer_size) {}

  bool operator()(std::size_t slot, std::size_t i, Descriptor& out) noexcept {
    regions_.prefetch_for_writing(buffer_of(ring_.wrapped(slot + kBufferAhead)).offset);
    const TxSegment packet = packets_(i);
    out = buffer_of(slot);
    if (packet.empty() || packet.size() > out.length) return false;
    std::byte* to = regions_.resolve(out.region, out.offset, out.length);
    if (to == nullptr) return false;
    if (packet.size() >= kStreamedSize) [[unlikely]] {
      stream(to, packet);
    } else {
      gstcommon::copy_packet(to, packet.data(), packet.size());
    }
    out.length = static_cast<std::uint32_t>(packet.size());
    out.flags = 0;
    return true;
  }
  static std::size_t copies(std::size_t packets) noexcept { return packets; }

 private:
  [[gnu::noinline]] static void stream(std::byte* to, TxSegment packet) noexcept {
    stream_copy(to, packet.data(), packet.size());
    finish_stream_copies();
  }
  Descriptor buffer_of(std::size_t slot) const noexcept {
    if constexpr (!kSlave) return ring_.read_slot(slot);
    return {0, slots_[slot].region, size_, slots_[slot].offset, 0};
  }

  const Packets packets_;
  const Ring ring_;
  RegionCursor regions_;
  const BufferPlace* const slots_;
  const std::uint32_t size_;
};

class TxQueue::ExchangeBuffer {
 public:
  static constexpr bool kPrefetchesSlots = true;

  ExchangeBuffer(TxQueue& queue, Lent lent) noexcept
      : lent_(lent), slots_(queue.buffers_.slots.data()), size_(queue.buffers_.buffer_size) {}

  bool operator()(std::size_t slot, std::size_t i, Descriptor& out) noexcept {
    const PacketDesc& packet = lent_.packets[i];
    if (packet.token >= lent_.count || packet.length == 0) return false;
    // Where buffers are lent, all lie in one region: see LinkMemory::only_buffer_region().
    std::uint32_t& own = lent_.buffers[packet.token].offset;
    if (!within(packet.offset, packet.length, own, size_)) return false;
    out = {0, kFirstBufferRegion, packet.length, packet.offset, 0};
    std::swap(own, slots_[slot].offset);
    return true;
  }
  static std::size_t copies(std::size_t) noexcept { return 0; }

 private:
  const Lent lent_;
  BufferPlace* const slots_;
  const std::uint32_t size_;
};

/**
 * As master, packets that lie in the buffers of their slots, as they were lent. These were read and
 * checked then, and the slots are not read again: the peer gets what we know of them.
 */
class TxQueue::SendUnmoved {
 public:
  static constexpr bool kPrefetchesSlots = false;  // they have been, when they were lent

  SendUnmoved(const TxQueue&, Lent lent) noexcept
      : packets_(lent.packets), places_(lent.buffers), region_(lent.buffers[0].region) {}

  bool operator()(std::size_t, std::size_t i, Descriptor& out) const noexcept {
    const PacketDesc packet = packets_[i];
    const BufferPlace place = places_[i];
    // One of 0 bytes is the longest, then.
    if (packet.token != i || packet.offset != place.offset || packet.length - 1 >= place.room) {
      return false;
    }
    out = {0, region_, packet.length, packet.offset, 0};
    return true;
  }
  static std::size_t copies(std::size_t) noexcept { return 0; }

 private:
  const PacketDesc* const packets_;
  const BufferPlace* const places_;
  const std::uint16_t region_;
};

/** As master, packets that lie in the buffers of this slot or of later ones. */
class TxQueue::SendInPlace {
 public:
  static constexpr bool kPrefetchesSlots = true;

  SendInPlace(const TxQueue& queue, Lent lent) noexcept
      : packets_(lent.packets),
        ring_(queue.ring_),
        region_(lent.buffers[0].region),
        memory_(queue.state_->views().view(region_)) {}

  bool operator()(std::size_t slot, std::size_t i, Descriptor& out) noexcept {
    const PacketDesc& packet = packets_[i];
    // Read and checked once more: the peer may have changed it since it was lent.
    out = ring_.read_slot(slot);
    if (packet.length == 0 || packet.length > out.length || out.region != region_) return false;
    std::byte* to = memory_.at(out.offset, out.length);
    const std::byte* from = memory_.at(packet.offset, packet.length);
    if (to == nullptr || from == nullptr) return false;
    if (to != from) [[unlikely]] {
      std::memmove(to, from, packet.length);
      ++copies_;
    }
    out.length = packet.length;
    out.flags = 0;
    return true;
  }
  std::size_t copies(std::size_t) const noexcept { return copies_; }

 private:
  const PacketDesc* const packets_;
  const Ring ring_;
  const std::uint16_t region_;
  const RegionTable::View memory_;
  std::size_t copies_ = 0;
};

/**
 * Fills the next @p limit slots, which are in a row, with packets from @p first on, up to the first
 * that needs the slow path. It works on locals, since the compiler has to assume that ring and
 * packets alias members. It is not inlined, since callers would leave it too few registers.
 */
template <class Fill, class Packets>
[[gnu::noinline]] std::uint32_t TxQueue::write_run(std::uint32_t first, std::uint32_t limit,
                                                   Packets packets) noexcept {
  Ring ring = ring_;
  Fill fill(*this, packets);
  const std::size_t next = ring.slot(next_);
  std::uint64_t bytes = 0;
  std::size_t i = 0;
  for (; i < limit; ++i) {
    if constexpr (Fill::kPrefetchesSlots) ring.prefetch_for_writing(next + i + kWriteAhead);
    Descriptor slot;
    if (!fill(next + i, first + i, slot)) break;
    ring.write_slot(next + i, slot);
    bytes += slot.length;
  }
  copies_ += fill.copies(i);
  bytes_ += bytes;
  return static_cast<std::uint32_t>(i);
}

/** Packets from @p first to @p n, as long as one slot each does. Returns how many went. */
template <class Fill, class Packets>
std::uint32_t TxQueue::fast_path(std::uint32_t first, std::uint32_t n, Packets packets) noexcept {
  std::uint32_t sent = first;
  while (sent < n && (free_ != 0 || free_slots() != 0)) {
    const std::uint32_t limit = std::min({n - sent, free_, ring_.before_wrap(next_)});
    const std::uint32_t done = write_run<Fill>(sent, limit, packets);
    next_ = static_cast<std::uint16_t>(next_ + done);
    free_ -= done;
    packets_ += done;
    sent += done;
    if (done < limit) break;
  }
  if (sent != first) refused_ = 0;
  return sent - first;
}

/** @param slow sees to the packet of a number that ended the fast path */
template <class Fill, class Packets, class Slow>
TxBurst TxQueue::send_all(std::size_t n, Packets packets, Slow slow) noexcept {
  TxBurst burst;
  for (;;) {
    burst.sent += fast_path<Fill>(burst.done(), static_cast<std::uint32_t>(n), packets);
    if (burst.done() == n) return burst;
    switch (slow(burst.done())) {
      case Outcome::sent:
        ++burst.sent;
        break;
      case Outcome::dropped:
        ++burst.dropped;
        break;
      case Outcome::full:
        burst.result = SendResult::full;
        return burst;
      case Outcome::link_lost:
        burst.result = SendResult::link_lost;
        return burst;
    }
  }
}

template <class Packets, class Slow>
TxBurst TxQueue::copy_all(std::size_t n, Packets packets, Slow slow) noexcept {
  return is_slave() ? send_all<CopyIntoSlot<true, Packets>>(n, packets, slow)
                    : send_all<CopyIntoSlot<false, Packets>>(n, packets, slow);
}

/** For want of memory. */
TxBurst TxQueue::drop_all(std::size_t packets) noexcept {
  stats_->drop(DropReason::no_memory, packets);
  return {0, static_cast<std::uint32_t>(packets), SendResult::ok};
}

TxBurst TxQueue::send_burst(std::span<const TxPacket> packets) noexcept {
  if (!lent_slots_.vacate()) return drop_all(packets.size());
  return copy_all(packets.size(), Gathered(packets),
                  [&](std::size_t i) { return send_slowly(packets[i]); });
}

TxBurst TxQueue::send_burst(TxSegment memory, std::span<const PacketDesc> packets) noexcept {
  if (!lent_slots_.vacate()) return drop_all(packets.size());
  return copy_all(packets.size(), Described(memory, packets),
                  [&](std::size_t i) { return send_slowly(memory, packets[i]); });
}

Loan* TxQueue::copy_to_slots(const std::shared_ptr<Link>& link, TxSegment memory,
                             std::span<const PacketDesc> packets, PacketDesc* copies) {
  if (is_slave() || !lent_slots_.may_lend()) return nullptr;
  if (free_ < packets.size() && free_slots() < packets.size()) return nullptr;
  return lent_slots_.lend(link, *state_, ring_, next_, memory, packets, copies);
}

/** As master. Nothing was sent since @p loan was made, so its packets are still in their slots. */
TxBurst TxQueue::send_in_place(Loan& loan, std::span<const PacketDesc> packets) noexcept {
  const auto n = static_cast<std::uint32_t>(packets.size());
  const Lent lent{packets.data(), loan.buffers.data(), loan.count};
  lent_slots_.take();
  std::uint32_t sent = fast_path<SendUnmoved>(0, std::min(n, loan.count), lent);
  if (sent != n && are_in_order(packets.subspan(sent), sent, loan.count)) {
    sent += fast_path<SendInPlace>(sent, n, lent);
  }
  if (sent == n) return {n, 0, SendResult::ok};
  // One that needs other slots than its own would be written over those behind it.
  TxBurst burst = lent_slots_.withdraw(loan)
                      ? send_burst({loan.base(), loan.size()}, packets.subspan(sent))
                      : drop_all(n - sent);
  burst.sent += sent;
  return burst;
}

TxBurst TxQueue::send_burst_zero_copy(Loan& loan, std::span<const PacketDesc> packets) noexcept {
  const TxSegment memory{loan.base(), loan.size()};
  if (!is_slave()) {
    return lent_slots_.are_next(loan, next_) ? send_in_place(loan, packets)
                                             : send_burst(memory, packets);
  }
  return send_all<ExchangeBuffer>(
      packets.size(), Lent{packets.data(), loan.buffers.data(), loan.count}, [&](std::size_t i) {
        const PacketDesc& packet = packets[i];
        if (packet.token >= loan.count) return send_slowly(memory, packet);
        if (state_->failed()) return Outcome::link_lost;
        if (!lies_in(packet, memory.size())) return drop(DropReason::bad_descriptor);
        if (free_ == 0) return Outcome::full;
        return drop(packet.length == 0 ? DropReason::empty : DropReason::too_long);
      });
}

bool TxQueue::has_room() noexcept {
  // Otherwise a single free slot would keep ending the wait of a packet that needs ten.
  std::uint32_t slots = 0;
  return free_slots() != 0 && reserve(std::max<std::uint64_t>(refused_, 1), slots) != Outcome::full;
}

void TxQueue::flush() noexcept {
  if (next_ == published_) return;
  if (state_->failed() || !state_->check_memory()) return discard();
  // Before anybody can have the packets, so that what has arrived has also been counted.
  stats_->packets.add(packets_);
  stats_->bytes.add(bytes_);
  stats_->copies.add(copies_);
  stats_->batches.add(1);
  packets_ = 0;
  copies_ = 0;
  bytes_ = 0;
  if (is_slave()) {
    ring_.store_head(next_);
  } else {
    ring_.store_tail(next_);
  }
  uncounted_ += static_cast<std::uint16_t>(next_ - published_);
  published_ = next_;
  // Publish, then read the flag: without the fence the load may pass the store, and a receiver that
  // unmasks, checks the ring and sleeps in between is never woken.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!ring_.interrupt_masked()) wake_peer();
}

[[gnu::noinline]] void TxQueue::wake_peer() noexcept {
  if (const char* reason = signal_peer(event_fd_.get())) return state_->fail(reason);
  stats_->interrupts.add(1);
  const std::int64_t now = coarse_now_ns();
  if (now - looked_at_event_ns_ < kEventLookNs) return;
  looked_at_event_ns_ = now;
  // A full counter does not block anything, but it is never an accident.
  if (!takes_signals(event_fd_.get())) state_->fail("the peer keeps the eventfd of a ring full");
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
    // A slave publishes an empty buffer for each one that it took. How many it publishes at a time
    // is up to the slave.
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
