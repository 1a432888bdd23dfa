// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-icmpresponder
 * @title: icmpresponder
 * @short_description: answers ARP, neighbour discovery and ping
 * @see_also: memifsrc, memifsink, iphost, packetgen
 *
 * Answers ARP requests, IPv6 neighbour solicitations, and ICMP and ICMPv6 echo requests for the
 * addresses in #icmpresponder:address. The reply is written over the request, in the same memory.
 * All other packets are dropped and counted.
 *
 * Always set #icmpresponder:address. Without it the element answers for 192.168.1.1, which may
 * belong to another host of the network, and says so in a warning. Addresses have no prefix length
 * (no `/24`): the element sends nothing of its own accord, so it needs to know no network.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/run/vpp/memif.sock ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/run/vpp/memif.sock
 * ]| Answers ARP and ping on an interface whose other end is VPP, as the master.
 *
 * Since: 0.2
 */
#include "plugins/packet/icmpresponder.hpp"

#include <algorithm>
#include <utility>

#include "gst/packet/plugin.hpp"

namespace packetplugin {
namespace {

using answers::trim;

Verdict verdict(const answers::Refusal& refusal) {
  return refusal ? drop(*refusal) : forward();
}

}  // namespace

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
  if (!arp) return drop(Drop::bad_header);
  return verdict(answers::answer_arp(packet, frame, *arp, *us_));
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
    if (const auto reason = answers::check_options(ip->options())) return drop(*reason);
  }
  if (ip->protocol() != ip_protocol::kIcmp) return drop(Drop::unknown_protocol);
  return verdict(answers::answer_echo(packet, offset, *ip, frame, *us_, verify));
}

// ---- IPv6 -------------------------------------------------------------------------------------

Verdict IcmpResponder::process_ipv6(Packet& packet, std::size_t offset, EthernetView* frame) {
  if (packet.size() < offset + Ipv6View::kSize) return drop(Drop::too_short);
  auto ip = Ipv6View::at(packet.writable(), offset);
  if (!ip) return drop(Drop::bad_header);
  // Before anything else: most multicast on a link is for other hosts.
  if (!ip->destination().is_multicast() && !us_->owns(ip->destination())) {
    return drop(Drop::not_for_us);
  }
  if (const auto reason = answers::check_ipv6(*ip, *us_)) return drop(*reason);
  if (ip->protocol() != ip_protocol::kIcmpv6) return drop(Drop::unknown_protocol);

  auto icmp = Icmpv6View::at(ip->payload());
  if (!icmp) return drop(Drop::too_short);
  switch (icmp->type()) {
    case Icmpv6View::kEchoRequest:
      return verdict(
          answers::answer_echo(packet, offset, *ip, *icmp, frame, *us_, verify_checksum_.load()));
    case Icmpv6View::kNeighbourSolicitation:
      return verdict(answers::answer_solicitation(packet, offset, *ip, *icmp, frame, *us_));
    default:
      return drop(Drop::not_echo);
  }
}

// ---- settings ---------------------------------------------------------------------------------

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
  address_chosen_ = !address_.empty();  // the first value is the default
  address_ = text;
  publish(std::move(*identity));
  return {};
}

Result<void> IcmpResponder::caution() const {
  if (address_chosen_) return {};
  return Error{"Answering for " + address_ + ", as no address is set",
               "on a network in use it may belong to another host",
               "Set address to the addresses to answer for."};
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
