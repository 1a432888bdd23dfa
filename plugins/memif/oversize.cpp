// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/oversize.hpp"

#include <bit>
#include <cstdint>

#include "gst/memif/settings.hpp"

namespace {

// One packet in work at either end, and some on the way.
constexpr std::uint64_t kRingOfWholePackets = 16;
// A slave has two rings at least, each with as many spare buffers as slots.
constexpr std::uint64_t kBuffersPerSlot = 4;

/** So many slots that the memory of a link stays below the limit that a master has by default. */
std::uint64_t slots_of_whole_packets(std::uint64_t length) {
  std::uint64_t slots = kRingOfWholePackets;
  while (slots > gstmemif::kMinRingSize &&
         slots * kBuffersPerSlot * length > gstmemif::kDefaultMemoryLimit) {
    slots /= 2;
  }
  return slots;
}

}  // namespace

std::string explain_oversize(const gstmemif::Oversize& packet, bool slave) {
  const std::uint64_t room = std::uint64_t{packet.ring_size} * packet.buffer_size;
  std::string text = "A packet of " + std::to_string(packet.length) +
                     " bytes was dropped, since the whole ring holds " + std::to_string(room) +
                     ": ring-size=" + std::to_string(packet.ring_size) +
                     " slots of buffer-size=" + std::to_string(packet.buffer_size) +
                     " bytes. Set buffer-size=" + std::to_string(packet.length) +
                     " ring-size=" + std::to_string(slots_of_whole_packets(packet.length));
  const std::uint64_t slots =
      std::bit_ceil((packet.length + packet.buffer_size - 1) / packet.buffer_size);
  if (slots <= gstmemif::kMaxRingSize) text += ", or ring-size=" + std::to_string(slots) + ",";
  text +=
      slave ? " here, as the slave's values apply" : " on the peer, as the slave's values apply";
  if (packet.length > gstmemif::kDefaultMaxPacketSize) {
    text += ", and max-packet-size=" + std::to_string(packet.length) + " on the receiver";
  }
  return text + ".";
}
