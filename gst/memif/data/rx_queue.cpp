// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/rx_queue.hpp"

#include <algorithm>
#include <utility>

#include "gst/memif/data/coarse_clock.hpp"
#include "gst/memif/data/peer_signal.hpp"
#include "gst/memif/data/rx_destinations.hpp"

namespace gstmemif {

RxQueue::RxQueue(LinkMemory& state, Ring ring, UniqueFd event_fd, QueueStats& stats,
                 QueueBuffers buffers)
    : state_(&state),
      ring_(ring),
      event_fd_(std::move(event_fd)),
      stats_(&stats),
      buffers_(std::move(buffers)),
      lent_slots_(ring.size()),
      segments_(ring.size()) {}

void RxQueue::publish_buffers() noexcept {
  write_empty(ring_.size());
  publish(ring_.size());
}

void RxQueue::publish(std::uint32_t count) noexcept {
  published_ = static_cast<std::uint16_t>(published_ + count);
  ring_.store_head(published_);
}

/** The next @p count slots get their empty buffers. */
void RxQueue::write_empty(std::uint32_t count) noexcept {
  Ring ring = ring_;
  const BufferPlace* const slots = buffers_.slots.data();
  const std::uint32_t size = buffers_.buffer_size;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint16_t>(published_ + i);
    const BufferPlace place = slots[ring.slot(index)];
    ring.write(index, {0, place.region, size, place.offset, 0});
  }
}

std::byte* RxQueue::resolve(std::uint16_t index, const Descriptor& descriptor) const noexcept {
  // The buffer of a slave's slot is known; the peer may only have moved the start within it.
  if (is_slave()) {
    const BufferPlace own = buffers_.slots[ring_.slot(index)];
    if (descriptor.region != own.region ||
        !within(descriptor.offset, descriptor.length, own.offset, buffers_.buffer_size)) {
      return nullptr;
    }
  }
  return state_->resolve(descriptor.region, descriptor.offset, descriptor.length);
}

void RxQueue::drop_from(std::size_t first_segment, DropReason reason) noexcept {
  count_ = first_segment;
  stats_->drop(reason);
}

/**
 * The common case: packets in one slot each, out of the next @p limit slots, which are in a row, up
 * to the first one that is anything else. As in TxQueue's loop, all that this one works with is in
 * locals, and it is not inlined.
 */
template <class Sink, class... Args>
[[gnu::noinline]] std::uint32_t RxQueue::read_run(std::uint32_t limit, Args... args) noexcept {
  Ring ring = ring_;
  Sink sink(*this, args...);
  const std::size_t next = ring.slot(static_cast<std::uint16_t>(next_ + taken_));
  const std::uint32_t longest = sink.longest();
  std::uint64_t bytes = 0;
  std::size_t i = 0;
  for (; i < limit; ++i) {
    const Descriptor packet = ring.read_slot(next + i);
    // One of 0 bytes is the longest, then.
    if ((packet.flags & kDescriptorNext) != 0 || packet.length - 1 >= longest) break;
    if (!sink(ring, next + i, i, packet)) break;
    bytes += packet.length;
  }
  sink.finish(*this, next, i);
  taken_ += static_cast<std::uint32_t>(i);
  bytes_ += bytes;
  return static_cast<std::uint32_t>(i);
}

std::uint32_t RxQueue::take_run(std::uint32_t limit) noexcept {
  const auto first = static_cast<std::uint16_t>(next_ + taken_);
  limit = std::min(limit, ring_.before_wrap(first));
  return is_slave() ? read_run<IntoSegments<true>>(limit) : read_run<IntoSegments<false>>(limit);
}

void RxQueue::take_packets(std::uint32_t available, std::uint32_t max_packets) noexcept {
  while (taken_ < available && packets_ < max_packets && bytes_ < kBurstBytes) {
    if (!skipping_) packets_ += take_run(std::min(available - taken_, max_packets - packets_));
    if (long_from_ != 0 && packets_ != 0) return;
    // The fast path stopped at a chain, a long packet, a violation, or the end of the ring. A chain
    // of one slot is a packet too.
    if (taken_ < available && packets_ < max_packets) packets_ += take_chain(available) ? 1 : 0;
  }
}

bool RxQueue::take_chain(std::uint32_t available) noexcept {
  const std::size_t first = count_;
  std::uint64_t total = 0;
  bool ended = false;
  bool valid = true;
  while (taken_ < available && !ended) {
    const auto index = static_cast<std::uint16_t>(next_ + taken_++);
    const Descriptor descriptor = ring_.read(index);
    ended = (descriptor.flags & kDescriptorNext) == 0;
    std::byte* data = resolve(index, descriptor);
    if (data == nullptr) valid = false;
    if (!valid || descriptor.length == 0) continue;
    segments_[count_++] = {data, descriptor.length, true};
    total += descriptor.length;
  }
  if (skipping_) {
    // The rest of a packet that was dropped and counted at its first slot.
    count_ = first;
    skipping_ = !ended;
    return false;
  }
  if (!ended) {
    // Senders publish whole packets at once. Waiting for the rest could wait for ever.
    skipping_ = true;
    drop_from(first, DropReason::bad_chain);
    return false;
  }
  // Overlapping segments could add up to more than there is.
  if (!valid || total > state_->total_bytes()) {
    drop_from(first, valid ? DropReason::bad_chain : DropReason::bad_descriptor);
    return false;
  }
  if (total > max_packet_size_) {
    too_long_ = total;
    drop_from(first, DropReason::too_long);
    return false;
  }
  if (count_ == first) {
    stats_->drop(DropReason::empty);
    return false;
  }
  segments_[count_ - 1].more = false;
  bytes_ += total;
  return true;
}

/** The number of slots that the peer has published; 0 if its index is invalid. */
std::uint32_t RxQueue::begin_burst() noexcept {
  count_ = 0;
  packets_ = 0;
  bytes_ = 0;
  taken_ = 0;
  if (state_->failed() || !state_->check_memory()) return 0;
  const auto available = static_cast<std::uint16_t>(peer_index() - next_);
  if (lends_slots()) reclaim_slots();
  const std::uint32_t limit = is_slave() ? static_cast<std::uint16_t>(published_ - next_)
                                         : ring_.size() - static_cast<std::uint16_t>(next_ - tail_);
  if (available <= limit) return available;
  state_->fail("the peer moved the index of a ring further than the ring is long");
  return 0;
}

void RxQueue::count_burst() noexcept {
  if (packets_ == 0) return;
  stats_->packets.add(packets_);
  stats_->bytes.add(bytes_);
  stats_->batches.add(1);
  burst_was_long_ = bytes_ >= std::uint64_t{packets_} * kShortPacket;
}

std::span<const RxSegment> RxQueue::take_burst(std::uint32_t available, std::uint32_t max_packets,
                                               std::uint32_t long_from) noexcept {
  odd_next_ = false;
  long_from_ = long_from;
  take_packets(available, max_packets);
  count_burst();
  return {segments_.data(), count_};
}

std::span<const RxSegment> RxQueue::receive(std::uint32_t max_packets) noexcept {
  return take_burst(begin_burst(), max_packets);
}

/** How many of the next @p packets may be lent, if all of them can be. */
std::uint32_t RxQueue::lendable(std::uint32_t packets) noexcept {
  const std::uint32_t limit = std::min(packets, std::uint32_t{Loan::kMax});
  if (limit == 0 || skipping_ || odd_next_) return 0;
  // A first look, that counts for nothing: many chains in a row need no loan.
  if ((ring_.read(next_).flags & kDescriptorNext) != 0) return 0;
  collect();
  if (is_slave()) {
    return state_->only_buffer_region() != nullptr && limit <= buffers_.spares.size() ? limit : 0;
  }
  if (lent_slots_.may_lend(limit)) return limit;
  lent_slots_.count_copied();
  return 0;
}

/** Collects loans that came back since the last call. */
void RxQueue::collect() noexcept {
  loans_.collect([&](const Loan& loan) {
    if (is_slave() && loan.count == 1) {
      buffers_.spares.push_back(loan.buffers[0]);
    } else if (is_slave()) {
      buffers_.spares.insert(buffers_.spares.end(), loan.places().begin(), loan.places().end());
    } else {
      lent_slots_.returned(loan);
    }
  });
}

/** A loan of the region that the next packet lies in, or null. */
Loan* RxQueue::open_loan(const std::shared_ptr<Link>& link) {
  const Descriptor first = is_slave() ? Descriptor{} : ring_.read(next_);
  lent_region_ = is_slave() ? kFirstBufferRegion : first.region;
  // 4 GiB is what an offset of a loan reaches.
  if (lent_region_ >= state_->regions().size() ||
      state_->regions()[lent_region_].size() > std::uint64_t{1} << 32) {
    lent_slots_.count_copied();
    return nullptr;
  }
  Loan* loan = loans_.lend(link);
  const Region& region = state_->regions()[lent_region_];
  loan->writable = is_slave();
  loan->buffer_size = buffers_.buffer_size;
  if (is_slave()) {
    loan->lie_in(region);
  } else if (!loan->map_peer(region, false)) {
    loans_.cancel(loan);
    return nullptr;
  } else {
    // Not checked yet, so it may point anywhere: as a number.
    const auto address = reinterpret_cast<std::uintptr_t>(loan->base()) + first.offset;
    __builtin_prefetch(reinterpret_cast<const void*>(address));
  }
  return loan;
}

/** What became of a loan that was to be of @p limit packets. */
Loan* RxQueue::close_loan(Loan* loan, std::uint32_t limit) noexcept {
  odd_next_ = taken_ != limit;
  if (taken_ == 0) {
    loans_.cancel(loan);
    return nullptr;
  }
  loan->count = taken_;
  one_by_one_ = false;
  loan->bytes = bytes_;
  packets_ = taken_;
  count_burst();
  return lent_ = loan;
}

/** Row by row of slots: there are two where the ring wraps. */
void RxQueue::lend_packets(Loan& loan, std::uint32_t limit, PacketDesc* packets,
                           std::uint32_t longest) noexcept {
  std::uint32_t row;
  std::uint32_t lent;
  do {
    row = std::min(limit - taken_, ring_.before_wrap(static_cast<std::uint16_t>(next_ + taken_)));
    lent = is_slave() ? read_run<IntoLoan<true>>(row, &loan, packets, row, longest)
                      : read_run<IntoLoan<false>>(row, &loan, packets, row, longest);
  } while (lent == row && taken_ < limit);
}

RxBurst RxQueue::receive_lent(const std::shared_ptr<Link>& link, std::span<PacketDesc> packets) {
  const auto max_packets = static_cast<std::uint32_t>(packets.size());
  const std::uint32_t available = begin_burst();
  const std::uint32_t limit = lendable(std::min(available, max_packets));
  Loan* loan = limit != 0 ? open_loan(link) : nullptr;
  if (loan != nullptr) {
    lend_packets(*loan, limit, packets.data(), is_slave() ? ~0U : kLongestLent);
    loan = close_loan(loan, limit);
  }
  if (loan != nullptr) return {loan, packets.first(loan->count), {}};
  return {nullptr, {}, take_burst(available, max_packets)};
}

/** A look that counts for nothing: what is taken is read and checked again. */
bool RxQueue::next_is_long(std::uint32_t available, std::uint32_t long_from) const noexcept {
  std::uint64_t length = 0;
  for (std::uint32_t i = 0; i < available && length < long_from; ++i) {
    const Descriptor descriptor = ring_.read(static_cast<std::uint16_t>(next_ + i));
    length += descriptor.length;
    if ((descriptor.flags & kDescriptorNext) == 0) break;
  }
  return length >= long_from;
}

/**
 * As master: the next packet, whose slots name one run of bytes. The bytes are those of one memory,
 * whatever the peer changes in its descriptors later.
 */
bool RxQueue::lend_chain(Loan& loan, std::uint32_t available, PacketDesc& packet) noexcept {
  std::uint32_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t slots = 0;
  for (bool more = true; more; ++slots) {
    if (slots == available) return false;
    const Descriptor part = ring_.read(static_cast<std::uint16_t>(next_ + slots));
    if (slots == 0) end = begin = part.offset;
    if (part.region != lent_region_ || part.offset != end || part.length == 0) return false;
    end += part.length;
    if (end > loan.size() || end - begin > max_packet_size_) return false;
    more = (part.flags & kDescriptorNext) != 0;
  }
  if (!lent_slots_.may_lend(slots)) return false;
  const auto length = static_cast<std::uint32_t>(end - begin);
  packet = {begin, length, 0, 0};
  loan.buffers[0] = {begin, lent_region_, 0};
  loan.buffer_size = length;
  taken_ = slots;
  bytes_ = length;
  return true;
}

/** The next packet by itself, or null if it cannot be lent. */
Loan* RxQueue::lend_long(const std::shared_ptr<Link>& link, std::uint32_t available,
                         PacketDesc& packet) {
  const bool chain = (ring_.read(next_).flags & kDescriptorNext) != 0;
  odd_next_ = false;
  if (skipping_ || (chain ? is_slave() : lendable(1) == 0)) return nullptr;
  if (chain) {
    collect();
    if (!lent_slots_.may_lend(1)) {
      lent_slots_.count_copied();
      return nullptr;
    }
  }
  Loan* loan = open_loan(link);
  if (loan == nullptr) return nullptr;
  if (chain) {
    lend_chain(*loan, available, packet);
  } else {
    lend_packets(*loan, 1, &packet, ~0U);
  }
  // As slave the buffer is in the loan already, and there is one for each slot at most.
  if (taken_ == 0 || !(is_slave() || lent_slots_.may_hold(bytes_))) {
    taken_ = 0;
    bytes_ = 0;
    lent_slots_.count_copied();
    loans_.cancel(loan);
    return nullptr;
  }
  loan->count = 1;
  loan->bytes = bytes_;
  one_by_one_ = true;
  packets_ = 1;
  count_burst();
  return lent_ = loan;
}

RxBurst RxQueue::receive_or_lend(const std::shared_ptr<Link>& link, std::uint32_t max_packets,
                                 std::uint32_t long_from, PacketDesc& packet) {
  const std::uint32_t available = begin_burst();
  if (available == 0 || max_packets == 0) return {};
  if (!next_is_long(available, long_from)) {
    return {nullptr, {}, take_burst(available, max_packets, long_from)};
  }
  if (Loan* loan = lend_long(link, available, packet)) return {loan, {&packet, 1}, {}};
  return {nullptr, {}, take_burst(available, 1)};
}

/** After a burst: half of the ring is reserved for the peer. */
void RxQueue::make_room() noexcept {
  give_back_slots();
  if (static_cast<std::uint16_t>(next_ - tail_) <= ring_.size() / 2) return;
  lent_slots_.vacate_under_pressure(one_by_one_);
  give_back_slots();
}

void RxQueue::reclaim_slots() noexcept {
  collect();
  give_back_slots();
}

void RxQueue::vacate_slots() noexcept {
  collect();
  lent_slots_.vacate();
  give_back_slots();
}

void RxQueue::give_back_slots() noexcept {
  const std::uint32_t slots = lent_slots_.pop();
  if (slots == 0) return;
  tail_ = static_cast<std::uint16_t>(tail_ + slots);
  ring_.store_tail(tail_);
}

void RxQueue::acknowledge_interrupt() noexcept {
  if (const char* reason = clear_signal(event_fd_.get())) return state_->fail(reason);
  count_interrupt();
}

void RxQueue::count_interrupt() noexcept {
  stats_->interrupts.add(1);
  if (pending()) return;
  const auto received = static_cast<std::uint16_t>(next_ - std::exchange(woken_at_, next_));
  if (!wake_budget_.spend(received, coarse_now_ns())) {
    state_->fail("the peer keeps waking us without packets");
  }
}

bool RxQueue::release() noexcept {
  const auto taken = static_cast<std::uint16_t>(taken_);
  taken_ = 0;
  next_ = static_cast<std::uint16_t>(next_ + taken);
  if (taken == 0) return true;
  Loan* const loan = std::exchange(lent_, nullptr);
  if (is_slave()) {
    // Where buffers are lent, the slots have got others already.
    if (loan == nullptr) write_empty(taken);
    publish(taken);
  } else {
    lent_slots_.push(taken, loan);
    make_room();
  }
  if (state_->check_memory()) return true;
  stats_->drop(DropReason::undelivered, packets_);
  return false;
}

void RxQueue::close() noexcept {
  if (closed_) return;
  const BusErrorScope scope(state_->guarded());
  end_ = peer_index();
  closed_ = true;
}

std::uint32_t RxQueue::pending_packets() const noexcept {
  if (state_->failed()) return 0;
  const BusErrorScope scope(state_->guarded());
  const auto first = static_cast<std::uint16_t>(next_ + taken_);
  const auto slots = static_cast<std::uint16_t>(peer_index() - first);
  std::uint32_t packets = 0;
  for (std::uint32_t i = 0; i < slots && i < ring_.size(); ++i) {
    const Descriptor descriptor = ring_.read(static_cast<std::uint16_t>(first + i));
    if ((descriptor.flags & kDescriptorNext) == 0) ++packets;
  }
  return packets;
}

void RxQueue::abandon() noexcept {
  close();
  stats_->drop(DropReason::undelivered, pending_packets());
  end_ = static_cast<std::uint16_t>(next_ + taken_);
}

}  // namespace gstmemif
