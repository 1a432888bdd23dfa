// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "echo_packets.hpp"

#include <algorithm>

#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"

using namespace gstpacket;

namespace {

constexpr std::uint16_t kIdentifier = 0x6d69;
constexpr std::uint8_t kHops = 64;
constexpr std::uint8_t kNeighbourHops = 255;

Frame ethernet(const Mac& to, const Mac& from, std::uint16_t type, std::size_t payload) {
  Frame frame(ConstEthernetView::kSize + payload);
  to.store(frame);
  from.store(std::span(frame).subspan(6));
  store_be<std::uint16_t>(frame, 12, type);
  return frame;
}

std::span<std::byte> payload_of(Frame& frame) {
  return std::span(frame).subspan(ConstEthernetView::kSize);
}

void write_ipv4(std::span<std::byte> packet, Ipv4Address from, Ipv4Address to) {
  store_be<std::uint8_t>(packet, 0, 0x45);
  store_be<std::uint16_t>(packet, 2, static_cast<std::uint16_t>(packet.size()));
  store_be<std::uint8_t>(packet, 8, kHops);
  store_be<std::uint8_t>(packet, 9, ip_protocol::kIcmp);
  from.store(packet.subspan(12));
  to.store(packet.subspan(16));
  store_be<std::uint16_t>(packet, 10, checksum(packet.first(ConstIpv4View::kMinSize)));
}

void write_ipv6(std::span<std::byte> packet, const Ipv6Address& from, const Ipv6Address& to,
                std::uint8_t hops) {
  store_be<std::uint8_t>(packet, 0, 0x60);
  store_be<std::uint16_t>(packet, 4,
                          static_cast<std::uint16_t>(packet.size() - ConstIpv6View::kSize));
  store_be<std::uint8_t>(packet, 6, ip_protocol::kIcmpv6);
  store_be<std::uint8_t>(packet, 7, hops);
  from.store(packet.subspan(8));
  to.store(packet.subspan(24));
}

Frame arp_request(const Mac& mac, Ipv4Address ours, Ipv4Address target) {
  Frame frame = ethernet(Mac::broadcast(), mac, ethertype::kArp, ConstArpView::kSize);
  const std::span<std::byte> arp = payload_of(frame);
  store_be<std::uint64_t>(arp, 0, 0x0001080006040001);
  mac.store(arp.subspan(8));
  ours.store(arp.subspan(14));
  target.store(arp.subspan(24));
  return frame;
}

Frame neighbour_solicitation(const Mac& mac, const Ipv6Address& ours, const Ipv6Address& target) {
  constexpr std::size_t kMessage = NeighbourSolicitation::kSize + 8;
  const Ipv6Address group = target.solicited_node();
  Frame frame =
      ethernet(group.multicast_mac(), mac, ethertype::kIpv6, ConstIpv6View::kSize + kMessage);
  const std::span<std::byte> packet = payload_of(frame);
  const std::span<std::byte> message = packet.subspan(ConstIpv6View::kSize);
  store_be<std::uint8_t>(message, 0, ConstIcmpv6View::kNeighbourSolicitation);
  target.store(message.subspan(8));
  store_be<std::uint16_t>(message, 24, 0x0101);  // option: source link-layer address
  mac.store(message.subspan(26));
  write_ipv6(packet, ours, group, kNeighbourHops);
  if (auto icmp = Icmpv6View::at(message)) icmp->update_checksum(ours, group);
  return frame;
}

}  // namespace

std::optional<EchoPackets> EchoPackets::create(const std::string& target, std::size_t size) {
  EchoPackets packets;
  packets.size_ = size;
  packets.mac_ = Mac{{0x02, 0x6d, 0x65, 0x6d, 0x69, 0x66}};
  if (const auto ipv4 = Ipv4Address::parse(target)) {
    // A neighbour of the target: any other host of its /24.
    packets.addresses_ =
        Ipv4Pair(Ipv4Address{(ipv4->value & ~0xffU) | (ipv4->value % 254 + 1)}, *ipv4);
    return packets;
  }
  if (const auto ipv6 = Ipv6Address::parse(target)) {
    Ipv6Address ours = *ipv6;
    ours.bytes[15] = static_cast<std::uint8_t>(ours.bytes[15] + 1);
    packets.addresses_ = Ipv6Pair(ours, *ipv6);
    return packets;
  }
  return {};
}

Frame EchoPackets::resolution() const {
  if (const auto* ipv4 = std::get_if<Ipv4Pair>(&addresses_)) {
    return arp_request(mac_, ipv4->first, ipv4->second);
  }
  const auto& [ours, target] = std::get<Ipv6Pair>(addresses_);
  return neighbour_solicitation(mac_, ours, target);
}

bool EchoPackets::resolve(std::span<const std::byte> frame) {
  const auto ethernet_view = ConstEthernetView::at(frame);
  if (!ethernet_view) return false;
  if (const auto* ipv4 = std::get_if<Ipv4Pair>(&addresses_)) {
    const auto arp = ConstArpView::at(ethernet_view->payload());
    if (ethernet_view->type() != ethertype::kArp || !arp || arp->sender() != ipv4->second) {
      return false;
    }
    target_mac_ = arp->sender_mac();
    return true;
  }
  const auto packet = ConstIpv6View::at(ethernet_view->payload());
  if (ethernet_view->type() != ethertype::kIpv6 || !packet || packet->payload().size() < 32) {
    return false;
  }
  const std::span<const std::byte> message = packet->payload();
  if (ConstIcmpv6View::at(message)->type() != ConstIcmpv6View::kNeighbourAdvertisement ||
      Ipv6Address::load(message.subspan(8)) != std::get<Ipv6Pair>(addresses_).second) {
    return false;
  }
  target_mac_ = Mac::load(message.subspan(26));  // option: target link-layer address
  return true;
}

Frame EchoPackets::echo_message(std::uint8_t type, std::uint16_t sequence) const {
  Frame message(ConstIcmpView::kSize + size_);
  store_be<std::uint8_t>(message, 0, type);
  store_be<std::uint16_t>(message, 4, kIdentifier);
  store_be<std::uint16_t>(message, 6, sequence);
  for (std::size_t i = 0; i < size_; ++i) {
    message[ConstIcmpView::kSize + i] = static_cast<std::byte>(sequence + i);
  }
  return message;
}

Frame EchoPackets::request(std::uint16_t sequence) const {
  const bool is_ipv4 = std::holds_alternative<Ipv4Pair>(addresses_);
  const Frame message =
      echo_message(is_ipv4 ? ConstIcmpView::kEchoRequest : ConstIcmpv6View::kEchoRequest, sequence);
  const std::size_t header = is_ipv4 ? ConstIpv4View::kMinSize : ConstIpv6View::kSize;
  Frame frame = ethernet(target_mac_, mac_, is_ipv4 ? ethertype::kIpv4 : ethertype::kIpv6,
                         header + message.size());
  const std::span<std::byte> packet = payload_of(frame);
  const std::span<std::byte> copy = packet.subspan(header);
  std::copy(message.begin(), message.end(), copy.begin());
  if (const auto* ipv4 = std::get_if<Ipv4Pair>(&addresses_)) {
    write_ipv4(packet, ipv4->first, ipv4->second);
    store_be<std::uint16_t>(copy, 2, checksum(copy));
  } else {
    const auto& [ours, target] = std::get<Ipv6Pair>(addresses_);
    write_ipv6(packet, ours, target, kHops);
    if (auto icmp = Icmpv6View::at(copy)) icmp->update_checksum(ours, target);
  }
  return frame;
}

/** The ICMP message of a packet from the target to us; empty for anything else. */
std::span<const std::byte> EchoPackets::message_of(std::span<const std::byte> frame,
                                                   EchoReply& reply) const {
  const auto ethernet_view = ConstEthernetView::at(frame);
  if (!ethernet_view) return {};
  reply.right = ethernet_view->destination() == mac_ && ethernet_view->source() == target_mac_;
  if (const auto* ipv4 = std::get_if<Ipv4Pair>(&addresses_)) {
    const auto packet = ConstIpv4View::at(ethernet_view->payload());
    if (ethernet_view->type() != ethertype::kIpv4 || !packet ||
        packet->protocol() != ip_protocol::kIcmp) {
      return {};
    }
    reply.right &= packet->checksum_valid() && packet->source() == ipv4->second &&
                   packet->destination() == ipv4->first;
    reply.ttl = packet->ttl();
    return packet->payload();
  }
  const auto packet = ConstIpv6View::at(ethernet_view->payload());
  if (ethernet_view->type() != ethertype::kIpv6 || !packet ||
      packet->protocol() != ip_protocol::kIcmpv6) {
    return {};
  }
  const auto& [ours, target] = std::get<Ipv6Pair>(addresses_);
  reply.right &= packet->source() == target && packet->destination() == ours;
  reply.ttl = packet->hop_limit();
  return packet->payload();
}

bool EchoPackets::checksum_right(std::span<const std::byte> message) const {
  if (std::holds_alternative<Ipv4Pair>(addresses_)) return checksum_valid(message);
  const auto& [ours, target] = std::get<Ipv6Pair>(addresses_);
  const auto icmp = ConstIcmpv6View::at(message);
  return icmp && icmp->checksum_valid(target, ours);
}

std::optional<EchoReply> EchoPackets::reply(std::span<const std::byte> frame) const {
  EchoReply reply{};
  const std::span<const std::byte> message = message_of(frame, reply);
  const bool is_ipv4 = std::holds_alternative<Ipv4Pair>(addresses_);
  const std::uint8_t type = is_ipv4 ? ConstIcmpView::kEchoReply : ConstIcmpv6View::kEchoReply;
  if (message.size() < ConstIcmpView::kSize || load_be<std::uint8_t>(message) != type) return {};
  reply.sequence = load_be<std::uint16_t>(message, 6);
  reply.icmp_bytes = message.size();
  // All but the checksum must be as we would have written it.
  Frame expected = echo_message(type, reply.sequence);
  store_be<std::uint16_t>(expected, 2, load_be<std::uint16_t>(message, 2));
  reply.right &= checksum_right(message) && std::ranges::equal(message, expected);
  return reply;
}
