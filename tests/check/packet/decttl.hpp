// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The element that the documentation shows to newcomers.
 */
#pragma once

#include <gst/packet/element.hpp>
#include <gst/packet/headers/ethernet.hpp>
#include <gst/packet/headers/ipv4.hpp>

using namespace gstpacket;

struct DecTtl {
  enum class Drop { too_short, expired };  // counted in `stats` under these names
  static constexpr ElementInfo info{"decttl", "TTL decrementer", "Filter/Network",
                                    "Decrements the IPv4 TTL", "A. Newcomer <new@example.org>"};
  static auto properties() {
    return std::tuple{property<&DecTtl::floor_>(
        "floor", "Packets with a TTL up to this are dropped.", 1U, 0U, 255U)};
  }

  Verdict process(Packet& p) {  // forward() | to(port) | drop(reason)
    auto ip = Ipv4View::at(p.writable(), EthernetView::kSize);
    if (!ip) return drop(Drop::too_short);
    if (ip->ttl() <= floor_.load()) return drop(Drop::expired);
    ip->set_ttl(static_cast<std::uint8_t>(ip->ttl() - 1));  // incremental checksum inside
    return forward();
  }
  AtomicProperty<unsigned> floor_{1};
};
