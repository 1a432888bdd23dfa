// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Makes every view that fits and touches everything it shows.
 */
#pragma once

#include <cstddef>
#include <span>

#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"
#include "gst/packet/headers/udp.hpp"

namespace everyview {

using Read = std::span<const std::byte>;

inline unsigned sum(Read bytes) {
  unsigned out = 0;
  for (const std::byte b : bytes) out += std::to_integer<unsigned>(b);
  return out;
}

inline unsigned visit_upper(Read bytes, const gstpacket::Ipv6Address& a,
                            const gstpacket::Ipv6Address& b) {
  unsigned out = 0;
  if (const auto v = gstpacket::ConstIcmpView::at(bytes)) {
    out += v->type() + v->code() + v->identifier() + v->sequence() + sum(v->payload());
    out += v->checksum_valid() ? 1U : 0U;
  }
  if (const auto v = gstpacket::ConstIcmpv6View::at(bytes)) {
    out += v->checksum_valid(a, b) ? 1U : 0U;
  }
  if (const auto v = gstpacket::NeighbourSolicitation::at(bytes)) {
    out += v->target().bytes[15] + (v->source_mac() ? v->source_mac()->bytes[0] : 0U);
  }
  if (const auto v = gstpacket::NeighbourAdvertisement::at(bytes)) {
    out += v->target().bytes[15] + (v->is_solicited() ? 1U : 0U);
    out += v->target_mac() ? v->target_mac()->bytes[0] : 0U;
  }
  if (const auto v = gstpacket::ConstUdpView::at(bytes)) {
    out += v->source_port() + sum(v->payload()) + (v->checksum_valid(a, b) ? 1U : 0U);
  }
  return out;
}

inline unsigned visit(Read bytes) {
  unsigned out = 0;
  for (std::size_t offset : {std::size_t{0}, std::size_t{14}, std::size_t{18}, std::size_t{22}}) {
    if (const auto v = gstpacket::ConstEthernetView::at(bytes, offset)) {
      out += v->type() + v->destination().bytes[0] + v->source().bytes[5] + sum(v->payload());
      for (std::size_t i = 0; i < v->tags(); ++i) out += v->vlan_id(i);
    }
    if (const auto v = gstpacket::ConstArpView::at(bytes, offset)) {
      out += v->operation() + v->sender().value + v->target().value + v->target_mac().bytes[0];
    }
    if (const auto v = gstpacket::ConstIpv4View::at(bytes, offset)) {
      out += v->ttl() + v->source().value + sum(v->options()) + sum(v->payload());
      out += (v->checksum_valid() ? 1U : 0U) + visit_upper(v->payload(), {}, {});
    }
    if (const auto v = gstpacket::ConstIpv6View::at(bytes, offset)) {
      out += v->hop_limit() + v->protocol() + sum(v->payload());
      out += v->has_router_alert() ? 1U : 0U;
      if (v->is_fragment()) {
        const gstpacket::Ipv6FragmentHeader part(v->payload());
        out += part.next_header() + part.identification() + (part.more_fragments() ? 1U : 0U);
        out += static_cast<unsigned>(part.offset());
      }
      out += visit_upper(v->payload(), v->source(), v->destination());
    }
  }
  return out;
}

}  // namespace everyview
