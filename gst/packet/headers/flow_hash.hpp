// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// A number for the flow a packet belongs to: what spreads packets over queues, threads or ports
// without changing the order within a flow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/caps.hpp"
#include "gst/packet/export.hpp"

namespace gstpacket {

/// Bytes from a packet's start that flow_hash() may look at, for callers that have to gather them:
/// whatever lies behind does not count.
inline constexpr std::size_t kFlowHashBytes = 256;

/// The same for all packets of a flow, in every process and on every machine, and spread evenly
/// over all 32 bits. Not symmetric: the replies of a flow are another one. No secret is in it:
/// whoever chooses addresses can choose the hash.
///
/// Of IPv4 and IPv6 it takes both addresses and, unless the packet is a fragment, the protocol, and
/// the ports of TCP, UDP, UDP-Lite, SCTP and DCCP; of IPv6 fragments the addresses alone. Up to two
/// VLAN tags are skipped. Of other frames it takes both MAC addresses and the EtherType. What is
/// too short for all this, and packets of LinkType::punt, have the hash 0.
[[nodiscard]] GSTPACKET_API std::uint32_t flow_hash(std::span<const std::byte> packet,
                                                    LinkType link) noexcept;

/// One of `n` from a hash, evenly. Precondition: n > 0.
[[nodiscard]] constexpr std::uint32_t pick_of(std::uint32_t hash, std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>(std::uint64_t{hash} * n >> 32);
}

}  // namespace gstpacket
