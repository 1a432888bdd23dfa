// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/lent_tx_slots.hpp"

#include <algorithm>
#include <utility>

#include "gst/common/copy.hpp"

namespace gstmemif {
namespace {

// The peer was the last to use slots, packets, and the buffers in the slots: prefetch them all.
constexpr std::size_t kSlotAhead = 32;
constexpr std::size_t kPacketAhead = 6;
// What BufferPlace::room can say. Packets that were received by the batch are shorter.
constexpr std::uint32_t kMostRoom = 0xffff;

/** Not checked, so it may be anywhere: to be prefetched only. */
const void* address_in(const std::byte* memory, std::uint32_t offset) noexcept {
  return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(memory) + offset);
}

/** Packets on their way into slots. */
struct Copying {
  TxSegment from;
  const PacketDesc* packets;
  PacketDesc* copies;
  std::uint32_t longest = 0;
  std::uint64_t bytes = 0;
};

/**
 * Packets from @p begin to @p end into slots in a row. It works on locals, since packets are
 * written over memory that could be a member.
 */
[[gnu::noinline]] bool copy_to_row(Loan& loan, const Ring ring, std::size_t slot, std::size_t begin,
                                   std::size_t end, Copying& copying) noexcept {
  const std::byte* const source = copying.from.data();
  const std::size_t source_size = copying.from.size();
  const PacketDesc* packet = copying.packets + begin;
  PacketDesc* copy = copying.copies + begin;
  std::byte* const target = loan.base();
  const std::size_t target_size = loan.size();
  const std::uint16_t region = loan.buffers[0].region;
  BufferPlace* place = loan.buffers.data() + begin;
  std::uint32_t longest = copying.longest;
  std::uint64_t bytes = copying.bytes;
  for (std::size_t i = begin; i < end; ++i, ++slot, ++packet, ++copy, ++place) {
    if (i + kPacketAhead < end) {
      ring.prefetch_row_for_writing(slot + kSlotAhead);
      __builtin_prefetch(address_in(source, packet[kPacketAhead].offset));
      __builtin_prefetch(address_in(target, ring.read_offset(slot + kPacketAhead)), 1);
    }
    const std::uint32_t offset = packet->offset;
    const std::uint32_t length = packet->length;
    const Descriptor free = ring.read_slot(slot);
    // One of 0 bytes is the longest, then.
    if (length - 1 >= free.length || free.region != region ||
        std::uint64_t{offset} + length > source_size ||
        std::uint64_t{free.offset} + free.length > target_size) {
      return false;
    }
    gstcommon::copy_packet(target + free.offset, source + offset, length);
    *place = BufferPlace::at(free.offset, region, static_cast<std::uint16_t>(length));
    *copy = *packet;
    copy->offset = free.offset;
    copy->token = static_cast<std::uint32_t>(i);
    longest = std::max(longest, length);
    bytes += length;
  }
  copying.longest = longest;
  copying.bytes = bytes;
  return true;
}

/** Fills @p loan, whose first place has the region. */
bool copy_to_slots(Loan& loan, const Ring& ring, std::uint16_t first, std::size_t n,
                   Copying copying) noexcept {
  const std::size_t row = std::min<std::size_t>(n, ring.before_wrap(first));
  if (!copy_to_row(loan, ring, ring.slot(first), 0, row, copying) ||
      !copy_to_row(loan, ring, 0, row, n, copying) || copying.longest > kMostRoom) {
    return false;
  }
  loan.count = static_cast<std::uint32_t>(n);
  loan.buffer_size = copying.longest;
  loan.bytes = copying.bytes;
  return true;
}

}  // namespace

void LentTxSlots::collect() noexcept {
  loans_.collect([&](const Loan& loan) {
    if (loan_ == &loan) loan_ = nullptr;
  });
}

bool LentTxSlots::may_lend() noexcept {
  collect();
  if (rest_ != 0) --rest_;
  return rest_ == 0 && loan_ == nullptr;
}

Loan* LentTxSlots::lend(std::shared_ptr<Link> link, const LinkMemory& memory, const Ring& ring,
                        std::uint16_t first, TxSegment from, std::span<const PacketDesc> packets,
                        PacketDesc* copies) {
  if (packets.empty() || packets.size() > Loan::kMax) return nullptr;
  const std::uint16_t region = ring.read(first).region;
  // 4 GiB is what an offset of a loan reaches.
  if (region >= memory.regions().size() || memory.regions()[region].size() > std::uint64_t{1}
                                                                                 << 32) {
    return nullptr;
  }
  Loan* loan = loans_.lend(std::move(link));
  loan->writable = true;
  loan->buffers[0].region = region;
  if (!loan->map_peer(memory.regions()[region], true) ||
      !copy_to_slots(*loan, ring, first, packets.size(), {from, packets.data(), copies})) {
    loans_.cancel(loan);
    return nullptr;
  }
  first_ = first;
  return loan_ = loan;
}

bool LentTxSlots::withdraw(Loan& loan) noexcept {
  rest_ = kRest;
  return loan.detach_copy();
}

bool LentTxSlots::move_away() noexcept {
  collect();
  if (loan_ == nullptr) return true;
  if (!withdraw(*loan_)) return false;
  loan_ = nullptr;
  return true;
}

}  // namespace gstmemif
