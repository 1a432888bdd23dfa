// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/discovery.hpp"

#include "gst/packet/headers/icmp.hpp"

namespace ipplugin {
namespace {

struct Content {
  std::uint8_t type;
  std::uint32_t flags;
  std::uint8_t option;  // its type
};

NeighbourMessage message(const Content& content, const Ipv6Address& from, const Ipv6Address& to,
                         const Ipv6Address& target, const std::optional<Mac>& mac) noexcept {
  NeighbourMessage out;
  const std::size_t size = NeighbourSolicitation::kSize + (mac ? 8 : 0);
  out.size = Ipv6View::kSize + size;
  const std::span<std::byte> ip = out.bytes, icmp = ip.subspan(Ipv6View::kSize, size);
  store_be<std::uint32_t>(ip, 0, 6U << 28);
  store_be<std::uint16_t>(ip, 4, static_cast<std::uint16_t>(size));
  store_be<std::uint8_t>(ip, 6, ip_protocol::kIcmpv6);
  store_be<std::uint8_t>(ip, 7, 255);
  from.store(ip.subspan(8));
  to.store(ip.subspan(24));
  store_be<std::uint8_t>(icmp, 0, content.type);
  store_be<std::uint32_t>(icmp, 4, content.flags);
  target.store(icmp.subspan(8));
  if (mac) {
    store_be<std::uint8_t>(icmp, 24, content.option);
    store_be<std::uint8_t>(icmp, 25, 1);  // in eights
    mac->store(icmp.subspan(26));
  }
  const auto length = static_cast<std::uint32_t>(size);
  store_be<std::uint16_t>(
      icmp, 2, Checksum().add_pseudo(from, to, ip_protocol::kIcmpv6, length).add(icmp).value());
  return out;
}

}  // namespace

ArpMessage arp_message(const ArpFields& fields) noexcept {
  ArpMessage out{};
  const std::span<std::byte> bytes = out;
  store_be<std::uint64_t>(bytes, 0, std::uint64_t{0x000108000604} << 16 | fields.operation);
  fields.sender_mac.store(bytes.subspan(8));
  fields.sender.store(bytes.subspan(14));
  fields.target_mac.store(bytes.subspan(18));
  fields.target.store(bytes.subspan(24));
  return out;
}

NeighbourMessage solicitation(const Ipv6Address& from, const Ipv6Address& to,
                              const Ipv6Address& target, const std::optional<Mac>& mac) noexcept {
  return message({Icmpv6View::kNeighbourSolicitation, 0, 1}, from, to, target, mac);
}

NeighbourMessage announcement(const Ipv6Address& address, const Mac& mac) noexcept {
  constexpr std::uint32_t kOverride = 0x20000000;
  return message({Icmpv6View::kNeighbourAdvertisement, kOverride, 2}, address,
                 Ipv6Address::all_nodes(), address, mac);
}

}  // namespace ipplugin
