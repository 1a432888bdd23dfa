// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where the packets go that RxQueue's loop finds in one slot each. Only for rx_queue.cpp.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gst/memif/data/rx_queue.hpp"

namespace gstmemif {

// Where packets of one slot go: checks that one lies where it may, or ends the run.

/** What receive() hands out. */
template <bool kSlave>
class RxQueue::IntoSegments {
 public:
  explicit IntoSegments(RxQueue& queue) noexcept
      : out_(queue.segments_.data() + queue.count_),
        regions_(queue.state_->views()),
        slots_(queue.buffers_.slots.data()),
        buffer_size_(queue.buffers_.buffer_size),
        longest_(std::min(queue.max_packet_size_,
                          queue.long_from_ != 0 ? queue.long_from_ - 1 : kShortPacket)) {}

  std::uint32_t longest() const noexcept { return longest_; }
  bool operator()(Ring&, std::size_t slot, std::size_t i, const Descriptor& packet) noexcept {
    std::byte* data;
    if constexpr (kSlave) {
      const BufferPlace own = slots_[slot];
      if (packet.region != own.region ||
          !within(packet.offset, packet.length, own.offset, buffer_size_)) {
        return false;
      }
      data = regions_.own_memory(own.region, packet.offset);
    } else {
      data = regions_.resolve(packet.region, packet.offset, packet.length);
      if (data == nullptr) return false;
    }
    out_[i] = {data, packet.length, false};
    return true;
  }
  void finish(RxQueue& queue, std::size_t, std::size_t n) noexcept { queue.count_ += n; }

 private:
  RxSegment* const out_;
  const RegionTable regions_;
  const BufferPlace* const slots_;
  const std::uint32_t buffer_size_;
  const std::uint32_t longest_;
};

/**
 * A loan. As slave, each slot gets a spare buffer in exchange, at once, while its descriptor is at
 * hand: the peer looks at it after release().
 */
template <bool kSlave>
class RxQueue::IntoLoan {
 public:
  IntoLoan(RxQueue& queue, Loan* loan, PacketDesc* packets, std::uint32_t limit,
           std::uint32_t longest) noexcept
      : loan_(*loan),
        packets_(packets + queue.taken_),
        places_(loan->buffers.data() + queue.taken_),
        slots_(queue.buffers_.slots.data()),
        spares_(kSlave ? queue.buffers_.spares.data() + queue.buffers_.spares.size() - limit
                       : nullptr),
        first_(queue.taken_),
        region_(kSlave ? kFirstBufferRegion : queue.lent_region_),
        size_(kSlave ? queue.buffers_.buffer_size : loan->size()),
        longest_(std::min(queue.max_packet_size_, longest)) {}

  std::uint32_t longest() const noexcept { return longest_; }
  bool operator()(Ring& ring, std::size_t slot, std::size_t i, const Descriptor& packet) noexcept {
    const std::uint32_t buffer = kSlave ? slots_[slot].offset : 0;
    if (packet.region != region_ || !within(packet.offset, packet.length, buffer, size_)) {
      return false;
    }
    packets_[i] = {packet.offset, packet.length, 0, static_cast<std::uint32_t>(first_ + i)};
    if constexpr (kSlave) {
      const auto length = static_cast<std::uint32_t>(size_);
      ring.write_slot(slot, {0, region_, length, spares_[i].offset, 0});
    } else {
      places_[i] = BufferPlace::at(packet.offset, region_, 0);
      longest_seen_ = std::max(longest_seen_, packet.length);
    }
    return true;
  }
  void finish(RxQueue& queue, std::size_t next, std::size_t n) noexcept {
    if constexpr (kSlave) {
      std::vector<BufferPlace>& spares = queue.buffers_.spares;
      if (n == 1 && spares_ == &spares.back()) {
        // As after nearly every sleep, without three calls.
        places_[0] = std::exchange(slots_[next], spares.back());
        spares.pop_back();
        return;
      }
      std::copy_n(slots_ + next, n, places_);
      std::copy_n(spares_, n, slots_ + next);
      const auto begin = spares.begin() + (spares_ - spares.data());
      spares.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
    } else {
      loan_.buffer_size = std::max(loan_.buffer_size, longest_seen_);
    }
  }

 private:
  Loan& loan_;
  PacketDesc* const packets_;
  BufferPlace* const places_;
  BufferPlace* const slots_;
  const BufferPlace* const spares_;
  const std::size_t first_;
  const std::uint16_t region_;
  const std::uint64_t size_;
  const std::uint32_t longest_;
  std::uint32_t longest_seen_ = 0;
};

}  // namespace gstmemif
