// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-icmpresponder
 * @title: icmpresponder
 * @short_description: answers ARP, neighbour discovery and ping
 * @see_also: memifsrc, memifsink, packetgen
 *
 * Answers ARP requests, IPv6 neighbour solicitations and ICMP and ICMPv6 echo requests for the
 * addresses in #icmpresponder:address, in place, so that a reply leaves in the memory in which the
 * request arrived. All other packets are dropped and counted by reason in #icmpresponder:stats.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/run/vpp/memif.sock ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/run/vpp/memif.sock
 * ]| Answers ARP and ping on an interface of VPP, whose side is the master.
 *
 * Since: 0.1
 */
#include "plugins/packet/icmpresponder.hpp"

#include <algorithm>
#include <utility>

#include "gst/packet/headers/arp.hpp"
#include "gst/packet/plugin.hpp"

namespace packetplugin {
namespace {

// Replies are new packets: what the request has left of its hops says nothing about the way back
// (RFC 1122 3.2.1.7). 64 is the recommended initial value (IANA, IP option numbers registry).
constexpr std::uint8_t kHopLimit = 64;

// Bytes behind the IP packet are padding, kept up to the minimum size of an Ethernet frame and
// truncated beyond.
void trim(Packet& packet, std::size_t end, bool ethernet) {
  const std::size_t size = ethernet ? std::max(end, EthernetView::kMinFrame) : end;
  if (size < packet.size()) (void)packet.truncate(size);
}

// Source routes are what RFC 1122 3.2.2.6 wants reversed, and what RFC 7126 section 4.3 wants
// dropped: the latter. All other options go back verbatim; route and time stamp records are not
// continued (a SHOULD of RFC 1122).
std::optional<IcmpResponder::Drop> check_options(std::span<const std::byte> options) {
  constexpr unsigned kEnd = 0, kNop = 1, kLooseRoute = 131, kStrictRoute = 137;
  while (!options.empty()) {
    const unsigned type = load_be<std::uint8_t>(options);
    if (type == kEnd) return std::nullopt;
    if (type == kNop) {
      options = options.subspan(1);
      continue;
    }
    if (type == kLooseRoute || type == kStrictRoute) return IcmpResponder::Drop::source_route;
    const std::size_t size = options.size() < 2 ? 0 : load_be<std::uint8_t>(options, 1);
    if (size < 2 || size > options.size()) return IcmpResponder::Drop::bad_header;
    options = options.subspan(size);
  }
  return std::nullopt;
}

void turn_around(EthernetView& frame, Mac to, Mac from) {
  frame.set_destination(to);
  frame.set_source(from);
}

// A neighbour advertisement (RFC 4861 4.4) with the target link-layer address option, and the IPv6
// header in front of it.
constexpr std::size_t kAdvertisementSize = NeighbourSolicitation::kSize + 8;
using Advertisement = std::array<std::byte, Ipv6View::kSize + kAdvertisementSize>;

Advertisement advertisement(const Ipv6Header& request, const Ipv6Address& to,
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

}  // namespace

/**
 * The fast path, for the usual request: returns the size of the reply, or 0 and has changed
 * nothing. The slow path would give the same reply.
 */
inline std::size_t IcmpResponder::answer_plain_echo(std::span<std::byte> bytes) {
  if (bytes.size() < PlainEcho::kMinSize) return 0;
  const PlainEcho echo(bytes);
  if (!echo.is_request(bytes.size())) return 0;
  if (!us_->owns(echo.destination())) return 0;
  if (!echo.source().is_host() || us_->owns(echo.source())) return 0;
  if (verify_checksum_.load() && !echo.checksums_valid()) return 0;
  echo.answer(kHopLimit);
  return echo.size();
}

Verdict IcmpResponder::process_ip(Packet& packet) {
  if (const std::size_t size = answer_plain_echo(packet.writable())) {
    trim(packet, size, false);
    return forward();
  }
  if (packet.size() == 0) return drop(Drop::too_short);
  // Only selects the handler: the view checks for itself.
  switch (load_be<std::uint8_t>(packet.bytes()) >> 4) {
    case 4:
      return process_ipv4(packet, 0, nullptr);
    case 6:
      return process_ipv6(packet, 0, nullptr);
    default:
      return drop(Drop::bad_header);
  }
}

Verdict IcmpResponder::process_frame(Packet& packet) {
  const std::span<std::byte> bytes = packet.writable();
  if (bytes.size() >= PlainFrame::kSize) {
    if (const PlainFrame::Station sender = us_->plain_frame.sender_of(bytes.data())) {
      if (const std::size_t size = answer_plain_echo(bytes.subspan(PlainFrame::kSize))) {
        us_->plain_frame.answer(bytes.data(), sender);
        trim(packet, PlainFrame::kSize + size, true);
        return forward();
      }
    }
  }
  return examine_frame(packet);
}

// Not inlined: the fast path needs fewer registers.
[[gnu::noinline]] Verdict IcmpResponder::examine_frame(Packet& packet) {
  auto frame = EthernetView::at(packet.writable());
  if (!frame) return drop(Drop::too_short);
  const Mac to = frame->destination();
  if (to != us_->mac && !to.is_group()) return drop(Drop::not_for_us);
  // An answer to a group address would reach more hosts than the one that asked.
  const Mac from = frame->source();
  if (from.is_group() || from.is_zero() || from == us_->mac) return drop(Drop::martian_source);
  switch (frame->type()) {
    case ethertype::kIpv4:
      return process_ipv4(packet, frame->header_size(), &*frame);
    case ethertype::kIpv6:
      return process_ipv6(packet, frame->header_size(), &*frame);
    case ethertype::kArp:
      return process_arp(packet, *frame);
    default:
      return drop(Drop::unknown_protocol);
  }
}

Verdict IcmpResponder::process_arp(Packet& packet, EthernetView& frame) {
  if (frame.payload().size() < ArpView::kSize) return drop(Drop::too_short);
  auto arp = ArpView::at(frame.payload());
  if (!arp || arp->operation() != ArpView::kRequest) return drop(Drop::bad_header);
  // ARP is not sent to multicast; with unicast a neighbour checks that we are still reachable.
  if (frame.destination().is_group() && !frame.destination().is_broadcast()) {
    return drop(Drop::group_destination);
  }
  if (!us_->owns(arp->target())) return drop(Drop::not_for_us);
  // A sender of 0.0.0.0 probes whether the address is taken (RFC 5227 2.1.1) and gets its answer.
  const Ipv4Address sender = arp->sender();
  const Mac mac = arp->sender_mac();
  if ((!sender.is_unspecified() && !sender.is_host()) || us_->owns(sender) || mac.is_group() ||
      mac.is_zero() || mac == us_->mac) {
    return drop(Drop::martian_source);
  }
  arp->make_reply(us_->mac);
  turn_around(frame, mac, us_->mac);
  trim(packet, frame.header_size() + ArpView::kSize, true);
  return forward();
}

// ---- IPv4 -------------------------------------------------------------------------------------

Verdict IcmpResponder::process_ipv4(Packet& packet, std::size_t offset, EthernetView* frame) {
  auto ip = Ipv4View::at(packet.writable(), offset);
  if (!ip) {
    const bool too_short = packet.size() < offset + Ipv4View::kMinSize;
    return drop(too_short ? Drop::too_short : Drop::bad_header);
  }
  const bool verify = verify_checksum_.load();
  if (verify && !ip->checksum_valid()) return drop(Drop::bad_checksum);
  const Ipv4Address destination = ip->destination();
  if (destination.is_multicast() || destination.is_broadcast()) {
    return drop(Drop::group_destination);
  }
  if (!us_->owns(destination)) return drop(Drop::not_for_us);
  // One host's IP address in a frame for many: RFC 1122 3.3.6.
  if (frame && frame->destination().is_group()) return drop(Drop::group_destination);
  const Ipv4Address source = ip->source();
  if (!source.is_host() || us_->owns(source)) return drop(Drop::martian_source);
  if (ip->is_fragment()) return drop(Drop::fragment);
  if (!ip->options().empty()) [[unlikely]] {
    if (const auto reason = check_options(ip->options())) return drop(*reason);
  }
  if (ip->protocol() != ip_protocol::kIcmp) return drop(Drop::unknown_protocol);

  auto icmp = IcmpView::at(ip->payload());
  if (!icmp) return drop(Drop::too_short);
  if (icmp->type() != IcmpView::kEchoRequest || icmp->code() != 0) return drop(Drop::not_echo);
  if (verify && !icmp->checksum_valid()) return drop(Drop::bad_checksum);

  icmp->set_type(IcmpView::kEchoReply);
  ip->swap_addresses();
  if (ip->ttl() != kHopLimit) ip->set_ttl(kHopLimit);
  if (frame) turn_around(*frame, frame->source(), us_->mac);
  trim(packet, offset + ip->total_length(), frame != nullptr);
  return forward();
}

// ---- IPv6 -------------------------------------------------------------------------------------

std::optional<IcmpResponder::Drop> IcmpResponder::check_ipv6(const Ipv6View& ip) {
  if (ip.source().is_multicast() || ip.source().is_loopback() || ip.source().is_v4_mapped() ||
      us_->owns(ip.source())) {
    return Drop::martian_source;
  }
  if (ip.is_fragment()) return Drop::fragment;
  if (ip.is_source_routed()) return Drop::source_route;
  if (ip.has_mandatory_option()) return Drop::bad_option;
  return std::nullopt;
}

Verdict IcmpResponder::process_ipv6(Packet& packet, std::size_t offset, EthernetView* frame) {
  if (packet.size() < offset + Ipv6View::kSize) return drop(Drop::too_short);
  auto ip = Ipv6View::at(packet.writable(), offset);
  if (!ip) return drop(Drop::bad_header);
  // Before anything else: most multicast on a link is for other hosts.
  if (!ip->destination().is_multicast() && !us_->owns(ip->destination())) {
    return drop(Drop::not_for_us);
  }
  if (const auto reason = check_ipv6(*ip)) return drop(*reason);
  if (ip->protocol() != ip_protocol::kIcmpv6) return drop(Drop::unknown_protocol);

  auto icmp = Icmpv6View::at(ip->payload());
  if (!icmp) return drop(Drop::too_short);
  switch (icmp->type()) {
    case Icmpv6View::kEchoRequest:
      return answer_echo(packet, offset, *ip, *icmp, frame);
    case Icmpv6View::kNeighbourSolicitation:
      return answer_solicitation(packet, offset, *ip, *icmp, frame);
    default:
      return drop(Drop::not_echo);
  }
}

Verdict IcmpResponder::answer_echo(Packet& packet, std::size_t offset, Ipv6View& ip,
                                   Icmpv6View& icmp, EthernetView* frame) {
  if (ip.destination().is_multicast() || (frame && frame->destination().is_group())) {
    return drop(Drop::group_destination);
  }
  if (ip.source().is_unspecified()) return drop(Drop::martian_source);
  if (icmp.code() != 0) return drop(Drop::not_echo);
  if (verify_checksum_.load() && !icmp.checksum_valid(ip.source(), ip.destination())) {
    return drop(Drop::bad_checksum);
  }

  icmp.set_type(Icmpv6View::kEchoReply);
  ip.swap_addresses();
  ip.set_hop_limit(kHopLimit);
  if (frame) turn_around(*frame, frame->source(), us_->mac);
  trim(packet, offset + ip.total_length(), frame != nullptr);
  const std::size_t extensions = ip.header_size() - Ipv6View::kSize;
  if (extensions == 0) return forward();

  // The request's extension headers were addressed to us and are not part of the reply: the headers
  // before them move up to the ICMPv6 message.
  ip.set_next_header(ip_protocol::kIcmpv6);
  ip.set_payload_length(static_cast<std::uint16_t>(ip.payload().size()));
  std::byte* start = packet.writable().data();
  std::memmove(start + extensions, start, offset + Ipv6View::kSize);
  (void)packet.pop_front(extensions);
  return forward();
}

Verdict IcmpResponder::answer_solicitation(Packet& packet, std::size_t offset, const Ipv6View& ip,
                                           const Icmpv6View& icmp, const EthernetView* frame) {
  // There is nothing to resolve without a link layer.
  if (!frame) return drop(Drop::not_echo);
  const auto request = NeighbourSolicitation::of(icmp);
  if (ip.hop_limit() != 255 || !request) return drop(Drop::bad_neighbour);
  const Ipv6Address destination = ip.destination();
  const Ipv6Address asker = ip.source();
  // Always verified: the advertisement has a new checksum, which would hide the damage.
  if (!icmp.checksum_valid(asker, destination)) return drop(Drop::bad_checksum);
  const Ipv6Address target = request->target();
  if (target.is_multicast()) return drop(Drop::bad_neighbour);
  if (!us_->owns(target)) return drop(Drop::not_for_us);
  if (destination.is_multicast()) {
    if (destination != target.solicited_node()) return drop(Drop::group_destination);
    if (frame->destination() != destination.multicast_mac() && frame->destination() != us_->mac) {
      return drop(Drop::group_destination);
    }
  } else if (frame->destination().is_group()) {
    return drop(Drop::group_destination);
  }
  // No source address: the sender probes whether it may use the target (RFC 4862 5.4.2). It cannot
  // be reached yet, so the answer goes to all nodes.
  const bool probe = asker.is_unspecified();
  if (probe && (!destination.is_multicast() || request->source_mac())) {
    return drop(Drop::bad_neighbour);
  }
  const Mac asker_mac = request->source_mac().value_or(frame->source());
  if (asker_mac.is_group() || asker_mac.is_zero() || asker_mac == us_->mac) {
    return drop(Drop::martian_source);
  }

  // From here on the request is overwritten: everything needed is held by value, and the packet is
  // not read again.
  const Ipv6Address to = probe ? Ipv6Address::all_nodes() : asker;
  const Advertisement reply = advertisement(ip, to, target, us_->mac, !probe);
  const std::size_t end = offset + reply.size();
  if (packet.size() > end) (void)packet.truncate(end);
  if (packet.size() < end && !packet.extend(end - packet.size())) return drop(Drop::too_short);
  const auto bytes = packet.writable();  // the packet may have moved to grow
  (probe ? to.multicast_mac() : asker_mac).store(bytes);
  us_->mac.store(bytes.subspan(Mac::kSize));
  std::ranges::copy(reply, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  return forward();
}

// ---- settings ---------------------------------------------------------------------------------

bool IcmpResponder::Identity::owns(Ipv4Address address) const {
  return std::ranges::find(v4, address) != v4.end();
}

bool IcmpResponder::Identity::owns(const Ipv6Address& address) const {
  return std::ranges::find(v6, address) != v6.end();
}

void IcmpResponder::publish(Identity identity) {
  if (chosen_mac_) identity.mac = *chosen_mac_;
  identity.plain_frame = PlainFrame(identity.mac);
  identity_ = std::move(identity);
  handover_.put(identity_);
}

Result<IcmpResponder::Identity> IcmpResponder::parse_addresses(std::string_view text) {
  const auto refuse = [](std::string_view address, const char* why) {
    return Error{"\"" + std::string(address) + "\"", why,
                 "Give one or more addresses of hosts, separated by commas, such as "
                 "192.168.1.1,2001:db8::1"};
  };
  Identity out;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    if (one.empty()) return refuse(one, "an address is missing");

    const bool first = out.v4.empty() && out.v6.empty();
    if (one.find(':') != std::string_view::npos) {
      const auto v6 = Ipv6Address::parse(one);
      if (!v6) return v6.error();
      if (!v6->is_host()) return refuse(one, "not the address of a host on a network");
      if (out.owns(*v6)) return refuse(one, "given twice");
      const auto& b = v6->bytes;
      if (first) out.mac = Mac{{2, b[11], b[12], b[13], b[14], b[15]}};
      out.v6.push_back(*v6);
    } else {
      const auto v4 = Ipv4Address::parse(one);
      if (!v4) return v4.error();
      if (!v4->is_host()) return refuse(one, "not the address of a host on a network");
      if (out.owns(*v4)) return refuse(one, "given twice");
      std::array<std::byte, 4> b;
      v4->store(b);
      if (first) {
        out.mac.bytes = {2, 0};
        std::memcpy(out.mac.bytes.data() + 2, b.data(), b.size());
      }
      out.v4.push_back(*v4);
    }
  }
  return out;
}

Result<void> IcmpResponder::set_address(std::string_view text) {
  auto identity = parse_addresses(text);
  if (!identity) return identity.error();
  address_ = text;
  publish(std::move(*identity));
  return {};
}

Result<void> IcmpResponder::set_mac(std::string_view text) {
  std::optional<Mac> chosen;
  if (!text.empty()) {
    const auto mac = Mac::parse(text);
    if (!mac) return mac.error();
    if (mac->is_group() || mac->is_zero()) {
      return Error{"\"" + std::string(text) + "\"", "not the address of one station",
                   "The lowest bit of the first byte must be 0, such as in 02:00:c0:a8:01:01"};
    }
    chosen = *mac;
  }
  chosen_mac_ = chosen;
  auto identity = parse_addresses(address_);  // the MAC made from it, in case none is chosen
  if (identity) publish(std::move(*identity));
  return {};
}

}  // namespace packetplugin

GSTPACKET_ELEMENT_REGISTER_DEFINE(icmpresponder, packetplugin::IcmpResponder)
