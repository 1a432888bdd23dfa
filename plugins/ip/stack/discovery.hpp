// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The messages by which hosts of a link find each other, as bytes: ARP (RFC 826) and neighbour
 * discovery (RFC 4861).
 */
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/ipv6.hpp"

namespace ipplugin {

using namespace gstpacket;

struct ArpFields {
  std::uint16_t operation;
  Mac sender_mac;
  Ipv4Address sender;
  Mac target_mac;
  Ipv4Address target;
};
using ArpMessage = std::array<std::byte, ArpView::kSize>;
[[nodiscard]] ArpMessage arp_message(const ArpFields& fields) noexcept;

/** A solicitation or an advertisement in its IPv6 packet, with or without its one option. */
struct NeighbourMessage {
  static constexpr std::size_t kMaxSize = Ipv6View::kSize + 24 + 8;
  std::array<std::byte, kMaxSize> bytes{};
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    return std::span(bytes).first(size);
  }
};
/** Without a MAC address it is a probe for duplicates. */
[[nodiscard]] NeighbourMessage solicitation(const Ipv6Address& from, const Ipv6Address& to,
                                            const Ipv6Address& target,
                                            const std::optional<Mac>& mac) noexcept;
/** Nobody asked for it: to all nodes, replacing what they know. */
[[nodiscard]] NeighbourMessage announcement(const Ipv6Address& address, const Mac& mac) noexcept;

}  // namespace ipplugin
