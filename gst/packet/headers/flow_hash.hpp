// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A hash of the flow that a packet belongs to, to distribute packets over queues, threads or ports
 * without reordering within a flow.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/caps.hpp"
#include "gst/packet/export.hpp"

namespace gstpacket {

/**
 * The number of bytes from a packet's start that flow_hash() may read, for callers that have to
 * gather them; bytes behind them are ignored.
 */
inline constexpr std::size_t kFlowHashBytes = 256;

/**
 * The same for all packets of a flow, in every process and on every machine, and spread evenly
 * over all 32 bits. Not symmetric: the replies of a flow are another flow. Not keyed: a sender who
 * chooses addresses can choose the hash.
 *
 * Of IPv4 and IPv6 it takes both addresses and, unless the packet is a fragment, the protocol, and
 * the ports of TCP, UDP, UDP-Lite, SCTP and DCCP; of IPv6 fragments the addresses alone. Up to two
 * VLAN tags are skipped. Of other frames it takes both MAC addresses and the EtherType. Packets
 * that are too short, and those of LinkType::punt, have the hash 0.
 */
[[nodiscard]] GSTPACKET_API std::uint32_t flow_hash(std::span<const std::byte> packet,
                                                    LinkType link) noexcept;

/** One of `n` from a hash, evenly. Precondition: n > 0. */
[[nodiscard]] constexpr std::uint32_t pick_of(std::uint32_t hash, std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>(std::uint64_t{hash} * n >> 32);
}

}  // namespace gstpacket
