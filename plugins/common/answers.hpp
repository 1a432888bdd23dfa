// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a host answers for itself: ARP requests, neighbour solicitations and echo requests, in
 * place, so that a reply leaves in the memory in which the request arrived.
 *
 * `Us` is who answers: `us.mac`, and `us.owns(address)` for both versions of IP. A function that
 * returns a reason has changed nothing; one that returns none has made the reply of the packet.
 */
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"
#include "gst/packet/packet.hpp"

namespace answers {

using namespace gstpacket;

/** Why there is no answer. */
enum class Drop {
  too_short,          // ends within a header
  bad_header,         // version, lengths, or a type without an answer
  not_for_us,         // another host's MAC or IP address
  group_destination,  // broadcast or multicast, which must not be answered
  martian_source,     // a source address that cannot receive the answer
  bad_checksum,       // IPv4 header, ICMP or ICMPv6
  fragment,           // there is no reassembly
  source_route,       // IPv4 source route option, or IPv6 routing header with hops left
  bad_option,         // an unknown option that its type requires hosts to discard
  not_echo,           // an ICMP message other than an echo request
  bad_neighbour,      // a neighbour solicitation that is invalid by RFC 4861 7.1.1
  unknown_protocol,   // neither ARP, IPv4 nor IPv6, or an upper layer other than ICMP
};

/** Nothing: the packet is the reply now. */
using Refusal = std::optional<Drop>;

// Replies are new packets: what the request has left of its hops says nothing about the way back
// (RFC 1122 3.2.1.7). 64 is the recommended initial value (IANA, IP option numbers registry).
inline constexpr std::uint8_t kHopLimit = 64;

// Bytes behind the IP packet are padding, kept up to the minimum size of an Ethernet frame and
// truncated beyond.
inline void trim(Packet& packet, std::size_t end, bool ethernet) {
  const std::size_t size = ethernet ? std::max(end, EthernetView::kMinFrame) : end;
  if (size < packet.size()) (void)packet.truncate(size);
}

// Source routes are what RFC 1122 3.2.2.6 wants reversed, and what RFC 7126 section 4.3 wants
// dropped: the latter. All other options go back verbatim; route and time stamp records are not
// continued (a SHOULD of RFC 1122).
inline Refusal check_options(std::span<const std::byte> options) {
  constexpr unsigned kEnd = 0, kNop = 1, kLooseRoute = 131, kStrictRoute = 137;
  while (!options.empty()) {
    const unsigned type = load_be<std::uint8_t>(options);
    if (type == kEnd) return std::nullopt;
    if (type == kNop) {
      options = options.subspan(1);
      continue;
    }
    if (type == kLooseRoute || type == kStrictRoute) return Drop::source_route;
    const std::size_t size = options.size() < 2 ? 0 : load_be<std::uint8_t>(options, 1);
    if (size < 2 || size > options.size()) return Drop::bad_header;
    options = options.subspan(size);
  }
  return std::nullopt;
}

inline void turn_around(EthernetView& frame, Mac to, Mac from) {
  frame.set_destination(to);
  frame.set_source(from);
}

// A neighbour advertisement (RFC 4861 4.4) with the target link-layer address option, and the IPv6
// header in front of it.
inline constexpr std::size_t kAdvertisementSize = NeighbourSolicitation::kSize + 8;
using Advertisement = std::array<std::byte, Ipv6View::kSize + kAdvertisementSize>;

inline Advertisement advertisement(const Ipv6Header& request, const Ipv6Address& to,
                                   const Ipv6Address& target, const Mac& mac, bool solicited) {
  constexpr std::uint32_t kSolicited = 0x40000000, kOverride = 0x20000000;
  constexpr std::uint16_t kTargetLinkLayerAddress = 0x0201;  // and its length, in eights
  Advertisement out{};
  const std::span<std::byte> ip = out, message = ip.subspan(Ipv6View::kSize);
  store_be<std::uint32_t>(
      ip, 0, 6U << 28 | std::uint32_t{request.traffic_class()} << 20 | request.flow_label());
  store_be<std::uint16_t>(ip, 4, kAdvertisementSize);
  store_be<std::uint8_t>(ip, 6, ip_protocol::kIcmpv6);
  store_be<std::uint8_t>(ip, 7, 255);
  target.store(ip.subspan(8));
  to.store(ip.subspan(24));

  store_be<std::uint8_t>(message, 0, Icmpv6View::kNeighbourAdvertisement);
  store_be<std::uint32_t>(message, 4, kOverride | (solicited ? kSolicited : 0));
  target.store(message.subspan(8));
  store_be<std::uint16_t>(message, 24, kTargetLinkLayerAddress);
  mac.store(message.subspan(26));
  const Checksum sum =
      Checksum().add_pseudo(target, to, ip_protocol::kIcmpv6, kAdvertisementSize).add(message);
  store_be<std::uint16_t>(message, 2, sum.value());
  return out;
}

// ---- ARP --------------------------------------------------------------------------------------

/** `arp` is the payload of the frame. */
template <class Us>
[[gnu::always_inline]] inline Refusal answer_arp(Packet& packet, EthernetView& frame, ArpView& arp,
                                                 const Us& us) {
  if (arp.operation() != ArpView::kRequest) return Drop::bad_header;
  // ARP is not sent to multicast; with unicast a neighbour checks that we are still reachable.
  if (frame.destination().is_group() && !frame.destination().is_broadcast()) {
    return Drop::group_destination;
  }
  if (!us.owns(arp.target())) return Drop::not_for_us;
  // A sender of 0.0.0.0 probes whether the address is taken (RFC 5227 2.1.1) and gets its answer.
  const Ipv4Address sender = arp.sender();
  const Mac mac = arp.sender_mac();
  if ((!sender.is_unspecified() && !sender.is_host()) || us.owns(sender) || mac.is_group() ||
      mac.is_zero() || mac == us.mac) {
    return Drop::martian_source;
  }
  arp.make_reply(us.mac);
  turn_around(frame, mac, us.mac);
  trim(packet, frame.header_size() + ArpView::kSize, true);
  return std::nullopt;
}

// ---- IPv4 -------------------------------------------------------------------------------------

/** An ICMP message to us; `ip` begins at `offset`, and `frame` is null without a link layer. */
template <class Us>
[[gnu::always_inline]] inline Refusal answer_echo(Packet& packet, std::size_t offset, Ipv4View& ip,
                                                  EthernetView* frame, const Us& us, bool verify) {
  auto icmp = IcmpView::at(ip.payload());
  if (!icmp) return Drop::too_short;
  if (icmp->type() != IcmpView::kEchoRequest || icmp->code() != 0) return Drop::not_echo;
  if (verify && !icmp->checksum_valid()) return Drop::bad_checksum;

  icmp->set_type(IcmpView::kEchoReply);
  ip.swap_addresses();
  if (ip.ttl() != kHopLimit) ip.set_ttl(kHopLimit);
  if (frame) turn_around(*frame, frame->source(), us.mac);
  trim(packet, offset + ip.total_length(), frame != nullptr);
  return std::nullopt;
}

// ---- IPv6 -------------------------------------------------------------------------------------

/** Of any packet to us. */
template <class Us>
[[gnu::always_inline]] inline Refusal check_ipv6(const Ipv6View& ip, const Us& us) {
  if (ip.source().is_multicast() || ip.source().is_loopback() || ip.source().is_v4_mapped() ||
      us.owns(ip.source())) {
    return Drop::martian_source;
  }
  if (ip.is_fragment()) return Drop::fragment;
  if (ip.is_source_routed()) return Drop::source_route;
  if (ip.has_mandatory_option()) return Drop::bad_option;
  return std::nullopt;
}

/** An echo request; `ip` begins at `offset` in the packet, and `frame` is null without a link
 * layer. */
template <class Us>
[[gnu::always_inline]] inline Refusal answer_echo(Packet& packet, std::size_t offset, Ipv6View& ip,
                                                  Icmpv6View& icmp, EthernetView* frame,
                                                  const Us& us, bool verify) {
  if (ip.destination().is_multicast() || (frame && frame->destination().is_group())) {
    return Drop::group_destination;
  }
  if (ip.source().is_unspecified()) return Drop::martian_source;
  if (icmp.code() != 0) return Drop::not_echo;
  if (verify && !icmp.checksum_valid(ip.source(), ip.destination())) {
    return Drop::bad_checksum;
  }

  icmp.set_type(Icmpv6View::kEchoReply);
  ip.swap_addresses();
  ip.set_hop_limit(kHopLimit);
  if (frame) turn_around(*frame, frame->source(), us.mac);
  trim(packet, offset + ip.total_length(), frame != nullptr);
  const std::size_t extensions = ip.header_size() - Ipv6View::kSize;
  if (extensions == 0) return std::nullopt;

  // The request's extension headers were addressed to us and are not part of the reply: the headers
  // before them move up to the ICMPv6 message.
  ip.set_next_header(ip_protocol::kIcmpv6);
  ip.set_payload_length(static_cast<std::uint16_t>(ip.payload().size()));
  std::byte* start = packet.writable().data();
  std::memmove(start + extensions, start, offset + Ipv6View::kSize);
  (void)packet.pop_front(extensions);
  return std::nullopt;
}

/** A neighbour solicitation, whose reply may be longer than it. */
template <class Us>
[[gnu::always_inline]] inline Refusal answer_solicitation(Packet& packet, std::size_t offset,
                                                          const Ipv6View& ip,
                                                          const Icmpv6View& icmp,
                                                          const EthernetView* frame, const Us& us) {
  // There is nothing to resolve without a link layer.
  if (!frame) return Drop::not_echo;
  const auto request = NeighbourSolicitation::of(icmp);
  if (ip.hop_limit() != 255 || !request) return Drop::bad_neighbour;
  const Ipv6Address destination = ip.destination();
  const Ipv6Address asker = ip.source();
  // Always verified: the advertisement has a new checksum, which would hide the damage.
  if (!icmp.checksum_valid(asker, destination)) return Drop::bad_checksum;
  const Ipv6Address target = request->target();
  if (target.is_multicast()) return Drop::bad_neighbour;
  if (!us.owns(target)) return Drop::not_for_us;
  if (destination.is_multicast()) {
    if (destination != target.solicited_node()) return Drop::group_destination;
    if (frame->destination() != destination.multicast_mac() && frame->destination() != us.mac) {
      return Drop::group_destination;
    }
  } else if (frame->destination().is_group()) {
    return Drop::group_destination;
  }
  // No source address: the sender probes whether it may use the target (RFC 4862 5.4.2). It cannot
  // be reached yet, so the answer goes to all nodes.
  const bool probe = asker.is_unspecified();
  if (probe && (!destination.is_multicast() || request->source_mac())) {
    return Drop::bad_neighbour;
  }
  const Mac asker_mac = request->source_mac().value_or(frame->source());
  if (asker_mac.is_group() || asker_mac.is_zero() || asker_mac == us.mac) {
    return Drop::martian_source;
  }

  // From here on the request is overwritten: everything needed is held by value, and the packet is
  // not read again.
  const Ipv6Address to = probe ? Ipv6Address::all_nodes() : asker;
  const Advertisement reply = advertisement(ip, to, target, us.mac, !probe);
  const std::size_t end = offset + reply.size();
  if (packet.size() > end) (void)packet.truncate(end);
  if (packet.size() < end && !packet.extend(end - packet.size())) return Drop::too_short;
  const auto bytes = packet.writable();  // the packet may have moved to grow
  (probe ? to.multicast_mac() : asker_mac).store(bytes);
  us.mac.store(bytes.subspan(Mac::kSize));
  std::ranges::copy(reply, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  return std::nullopt;
}

}  // namespace answers
