// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/host.hpp"

#include <algorithm>

#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/udp.hpp"

namespace ipplugin {

namespace {

// Who answers (plugins/common/answers.hpp).
struct Us {
  const Mac& mac;
  const Identity& identity;
  [[nodiscard]] bool owns(Ipv4Address address) const noexcept { return identity.owns(address); }
  [[nodiscard]] bool owns(const Ipv6Address& address) const noexcept {
    return identity.owns(address);
  }
};

Count count_of(answers::Drop why) noexcept {
  return static_cast<Count>(why);
}
static_assert(std::ranges::equal(gstpacket::detail::enum_names<answers::Drop>(),
                                 std::span(Counters::kNames).first(12)));

std::uint64_t number_of(const Mac& mac) noexcept {
  std::uint64_t out = 0;
  for (const std::uint8_t byte : mac.bytes) out = out << 8 | byte;
  return out;
}

// With an MTU that fragments and reports can be made for.
HostConfig usable(HostConfig config) {
  constexpr unsigned kMinMtu = 576, kMaxMtu = 65535;
  config.mtu = std::clamp(config.mtu, kMinMtu, kMaxMtu);
  return config;
}

class NoOutput : public Output {
  void send(std::span<const std::byte>) override {}
};

bool is_station(const Mac& mac) noexcept {
  return !mac.is_group() && !mac.is_zero();
}

}  // namespace

Host::Host(const HostConfig& config)
    : config_(usable(config)),
      random_(config.seed),
      us_(config_),
      wire_(config_),
      neighbours_(config_, wire_, us_, counters_, random_),
      ports_(config.limits.bindings),
      claims_(config_, wire_, us_, counters_, random_),
      membership_(config_, wire_, us_, counters_, random_),
      reassembly_(config_.limits, counters_),
      errors_(config.limits.icmp_errors_per_second, config.limits.icmp_error_burst) {
  if (!wire_.is_ethernet()) return;
  station_ = number_of(config_.mac);
  link_size_ = EthernetView::kSize + (config_.vlan ? 4 : 0);
  NoOutput nobody;
  for (const IpPrefix& prefix : us_.configured()) {
    if (prefix.address.is_v4()) continue;
    membership_.want(prefix.address.v6().solicited_node(), true, {}, 0, nobody);
  }
}

// ---- frames -----------------------------------------------------------------------------------

// Not inlined: the fast path needs fewer registers.
[[gnu::noinline]] Received Host::receive_slowly(Packet& packet, GstClockTime now, Output& output,
                                                Datagram& out) {
  if (wire_.is_ethernet()) return receive_frame(packet, now, output, out);
  return receive_ip({&packet, nullptr, now, output, out}, packet.writable());
}

bool Host::is_ours(const EthernetView& frame) const noexcept {
  if (config_.vlan) return frame.tags() == 1 && frame.vlan_id(0) == *config_.vlan;
  return frame.tags() == 0 || (frame.tags() == 1 && frame.vlan_id(0) == 0);
}

Received Host::receive_frame(Packet& packet, GstClockTime now, Output& output, Datagram& out) {
  auto frame = EthernetView::at(packet.writable());
  if (!frame) return drop(Count::too_short);
  const Mac to = frame->destination();
  if ((to != wire_.mac() && !to.is_group()) || !is_ours(*frame)) return drop(Count::not_for_us);
  // Nobody else has our MAC address: such a frame is one of ours that comes back.
  const Mac from = frame->source();
  if (!is_station(from) || from == wire_.mac()) return drop(Count::martian_source);
  const Arrival arrival{&packet, &*frame, now, output, out};
  switch (frame->type()) {
    case ethertype::kIpv4:
      return receive_v4(arrival, frame->payload());
    case ethertype::kIpv6:
      return receive_v6(arrival, frame->payload());
    case ethertype::kArp:
      return receive_arp(arrival);
    default:
      return drop(Count::unknown_protocol);
  }
}

// What the packet became in place, or the reply to a datagram that came in fragments.
Received Host::answered(const Arrival& arrival, answers::Refusal refusal, Count what,
                        Packet* whole) {
  if (refusal) return drop(count_of(*refusal));
  counters_.add(what);
  if (whole == nullptr) return Received::reply;
  send_fragments(arrival, whole->bytes());
  return Received::used;
}

Received Host::receive_arp(const Arrival& arrival) {
  EthernetView& frame = *arrival.frame;
  if (frame.payload().size() < ArpView::kSize) return drop(Count::too_short);
  auto arp = ArpView::at(frame.payload());
  if (!arp) return drop(Count::bad_header);
  const Mac mac = arp->sender_mac();
  const Ipv4Address sender = arp->sender();
  if (!is_station(mac) || mac == wire_.mac()) return drop(Count::martian_source);
  const bool request = arp->operation() == ArpView::kRequest;
  const bool probe = request && sender.is_unspecified();
  if (claims_.contest(probe ? arp->target() : sender, mac, probe, arrival.now, arrival.output) &&
      (!probe || !claims_.is_established(arp->target()))) {
    return Received::used;
  }
  if (sender.is_host()) {
    const bool solicited = arp->operation() == ArpView::kReply && us_.owns(arp->target()) &&
                           frame.destination() == wire_.mac();
    neighbours_.learn({sender, mac, solicited}, arrival.now, arrival.output);
  }
  if (!request) return Received::used;
  return answered(arrival, answers::answer_arp(*arrival.packet, frame, *arp, Us{wire_.mac(), us_}),
                  Count::arp_replies, nullptr);
}

// ---- IPv4 -------------------------------------------------------------------------------------

Received Host::receive_ip(const Arrival& arrival, std::span<std::byte> bytes) {
  if (bytes.empty()) return drop(Count::too_short);
  // Only selects the handler: the view checks for itself.
  switch (load_be<std::uint8_t>(bytes) >> 4) {
    case 4:
      return receive_v4(arrival, bytes);
    case 6:
      return receive_v6(arrival, bytes);
    default:
      return drop(Count::bad_header);
  }
}

Received Host::receive_v4(const Arrival& arrival, std::span<std::byte> bytes) {
  auto ip = Ipv4View::at(bytes);
  if (!ip) return drop(bytes.size() < Ipv4View::kMinSize ? Count::too_short : Count::bad_header);
  if (config_.verify_checksum && !ip->checksum_valid()) return drop(Count::bad_checksum);
  const Ipv4Address to = ip->destination();
  const bool to_all = !us_.owns(to);
  if (to_all) {
    if (!to.is_multicast() && !us_.is_broadcast(to)) return drop(Count::not_for_us);
    // Queriers need not have an address (RFC 4541 2.1.1).
    if (ip->protocol() == ip_protocol::kIgmp) return receive_igmp(arrival, *ip);
  } else if (arrival.frame && arrival.frame->destination().is_group()) {
    // One host's IP address in a frame for many: RFC 1122 3.3.6.
    return drop(Count::group_destination);
  }
  if (!ip->source().is_host() || us_.owns(ip->source())) return drop(Count::martian_source);
  if (!ip->options().empty()) [[unlikely]] {
    if (const auto reason = answers::check_options(ip->options())) return drop(count_of(*reason));
  }
  if (ip->is_fragment()) [[unlikely]] {
    return receive_fragment(arrival, *ip);
  }
  switch (ip->protocol()) {
    case ip_protocol::kUdp:
      return receive_udp(arrival, *ip, bytes, to_all);
    case ip_protocol::kIcmp:
      return to_all ? drop(Count::group_destination) : receive_icmp(arrival, *ip);
    default:
      return drop(Count::unknown_protocol);
  }
}

Received Host::receive_icmp(const Arrival& arrival, Ipv4View& ip) {
  const Us us{wire_.mac(), us_};
  if (arrival.packet != nullptr) {
    const auto offset =
        static_cast<std::size_t>(ip.header().data() - arrival.packet->writable().data());
    return answered(arrival,
                    answers::answer_echo(*arrival.packet, offset, ip, arrival.frame, us,
                                         config_.verify_checksum),
                    Count::echo_replies, nullptr);
  }
  Packet whole(std::span(ip.header().data(), ip.total_length()));
  return answered(arrival, answers::answer_echo(whole, 0, ip, nullptr, us, config_.verify_checksum),
                  Count::echo_replies, &whole);
}

Received Host::receive_igmp(const Arrival& arrival, const Ipv4View& ip) {
  constexpr std::uint8_t kQuery = 0x11;
  const auto message = ip.payload();
  if (ip.is_fragment()) return drop(Count::fragment);
  if (message.empty() || load_be<std::uint8_t>(message) != kQuery) return drop(Count::not_echo);
  // Queries stay on the link; ours would be one that comes back.
  const Ipv4Address source = ip.source();
  if (ip.ttl() != 1 || !checksum_valid(message) || !(source.is_host() || source.is_unspecified()) ||
      us_.owns(source)) {
    return drop(Count::bad_membership);
  }
  const auto query = MembershipQuery::parse_igmp(message);
  if (!query) return drop(Count::bad_membership);
  membership_.answer(*query, true, arrival.now);
  return Received::used;
}

// ---- IPv6 -------------------------------------------------------------------------------------

Received Host::receive_v6(const Arrival& arrival, std::span<std::byte> bytes) {
  if (bytes.size() < Ipv6View::kSize) return drop(Count::too_short);
  auto ip = Ipv6View::at(bytes);
  if (!ip) return drop(Count::bad_header);
  const Ipv6Address& to = ip->destination();
  const bool to_all = to.is_multicast();
  // A probe for duplicates goes to a group that we stay in when an address is not used.
  if (!to_all && !us_.owns(to)) return drop(Count::not_for_us);
  if (us_.owns(ip->source())) [[unlikely]] {
    return receive_from_us(arrival, *ip);
  }
  if (const auto reason = answers::check_ipv6(*ip, Us{wire_.mac(), us_})) {
    if (*reason != answers::Drop::fragment) return drop(count_of(*reason));
    return receive_fragment(arrival, *ip);
  }
  switch (ip->protocol()) {
    case ip_protocol::kUdp:
      if (ip->source().is_unspecified()) return drop(Count::martian_source);
      if (!to_all && arrival.frame && arrival.frame->destination().is_group()) {
        return drop(Count::group_destination);
      }
      return receive_udp(arrival, *ip, bytes, to_all);
    case ip_protocol::kIcmpv6:
      return receive_icmp(arrival, *ip);
    default:
      return drop(Count::unknown_protocol);
  }
}

// Somebody else has our address: an advertisement of it says so.
Received Host::receive_from_us(const Arrival& arrival, const Ipv6View& ip) {
  const auto icmp = Icmpv6View::at(ip.payload());
  if (arrival.packet == nullptr || ip.protocol() != ip_protocol::kIcmpv6 || !icmp ||
      icmp->type() != Icmpv6View::kNeighbourAdvertisement) {
    return drop(Count::martian_source);
  }
  return receive_advertisement(arrival, ip, *icmp);
}

Received Host::receive_icmp(const Arrival& arrival, Ipv6View& ip) {
  auto icmp = Icmpv6View::at(ip.payload());
  if (!icmp) return drop(Count::too_short);
  const Us us{wire_.mac(), us_};
  if (icmp->type() == Icmpv6View::kEchoRequest) {
    if (arrival.packet != nullptr) {
      const auto offset =
          static_cast<std::size_t>(ip.payload().data() - arrival.packet->writable().data()) -
          ip.header_size();
      return answered(arrival,
                      answers::answer_echo(*arrival.packet, offset, ip, *icmp, arrival.frame, us,
                                           config_.verify_checksum),
                      Count::echo_replies, nullptr);
    }
    Packet whole(std::span(ip.payload().data() - ip.header_size(), ip.total_length()));
    return answered(arrival,
                    answers::answer_echo(whole, 0, ip, *icmp, nullptr, us, config_.verify_checksum),
                    Count::echo_replies, &whole);
  }
  // Nothing of the link comes in fragments (RFC 6980).
  if (arrival.packet == nullptr) return drop(Count::fragment);
  switch (icmp->type()) {
    case Icmpv6View::kNeighbourSolicitation:
      return receive_solicitation(arrival, ip, *icmp);
    case Icmpv6View::kNeighbourAdvertisement:
      return receive_advertisement(arrival, ip, *icmp);
    case Icmpv6View::kListenerQuery:
      return receive_query(arrival, ip, *icmp);
    default:
      return drop(Count::not_echo);
  }
}

Received Host::receive_solicitation(const Arrival& arrival, const Ipv6View& ip,
                                    const Icmpv6View& icmp) {
  const auto request = NeighbourSolicitation::of(icmp);
  if (!arrival.frame || !request) return drop(Count::bad_neighbour);
  const bool probe = ip.source().is_unspecified();
  const Mac from = arrival.frame->source();
  if (probe && ip.hop_limit() == 255 && icmp.checksum_valid(ip.source(), ip.destination()) &&
      claims_.contest(request->target(), from, true, arrival.now, arrival.output) &&
      !claims_.is_established(request->target())) {
    return Received::used;
  }
  const Ipv6Address asker = ip.source();
  const auto offset =
      static_cast<std::size_t>(ip.payload().data() - arrival.packet->writable().data()) -
      ip.header_size();
  const auto refusal = answers::answer_solicitation(*arrival.packet, offset, ip, icmp,
                                                    arrival.frame, Us{wire_.mac(), us_});
  if (!refusal && !probe && request->source_mac()) {
    neighbours_.learn({asker, *request->source_mac(), false}, arrival.now, arrival.output);
  }
  return answered(arrival, refusal, Count::neighbour_advertisements, nullptr);
}

Received Host::receive_advertisement(const Arrival& arrival, const Ipv6View& ip,
                                     const Icmpv6View& icmp) {
  const auto news = NeighbourAdvertisement::of(icmp);
  // RFC 4861 7.1.2.
  if (!arrival.frame || !news || ip.hop_limit() != 255 || !ip.source().is_host() ||
      !news->target().is_host() || (ip.destination().is_multicast() && news->is_solicited())) {
    return drop(Count::bad_neighbour);
  }
  if (!icmp.checksum_valid(ip.source(), ip.destination())) return drop(Count::bad_checksum);
  // Unsolicited, or to us alone, it may be without the address that we know already.
  const Mac mac = news->target_mac().value_or(arrival.frame->source());
  if (!is_station(mac) || mac == wire_.mac()) return drop(Count::martian_source);
  if (claims_.contest(news->target(), mac, false, arrival.now, arrival.output)) {
    return Received::used;
  }
  const bool solicited = news->is_solicited() && arrival.frame->destination() == wire_.mac();
  neighbours_.learn({news->target(), mac, solicited}, arrival.now, arrival.output);
  return Received::used;
}

// RFC 3810 5.1.14 and 6.2: from the link, and for routers to see.
Received Host::receive_query(const Arrival& arrival, const Ipv6View& ip, const Icmpv6View& icmp) {
  const auto query = MembershipQuery::parse_mld(icmp.bytes());
  if (!query || icmp.code() != 0 || !ip.source().is_link_local() || ip.hop_limit() != 1 ||
      !ip.has_router_alert() || !icmp.checksum_valid(ip.source(), ip.destination())) {
    return drop(Count::bad_membership);
  }
  membership_.answer(*query, false, arrival.now);
  return Received::used;
}

// ---- UDP --------------------------------------------------------------------------------------

template <class View>
Received Host::receive_udp(const Arrival& arrival, const View& ip, std::span<std::byte> bytes,
                           bool to_all) {
  const auto udp = UdpView::at(ip.payload());
  if (!udp) return drop(Count::bad_header);
  const auto source = ip.source();
  const auto destination = ip.destination();
  if (config_.verify_checksum && !udp->checksum_valid(source, destination)) {
    return drop(Count::bad_checksum);
  }
  const bool group = to_all && destination.is_multicast();
  const auto ports = group ? ports_.find(udp->destination_port(), destination, source)
                           : ports_.find(udp->destination_port());
  if (ports.empty()) [[unlikely]] {
    if (group) return drop(Count::not_joined);
    return to_all ? drop(Count::no_port) : refuse_port(arrival, ip, bytes.first(ip.total_length()));
  }
  const auto payload = udp->payload();
  Datagram& out = arrival.datagram;
  out.source = {source, udp->source_port()};
  out.destination = {destination, udp->destination_port()};
  out.ports = ports;
  out.size = payload.size();
  if (arrival.packet != nullptr) {
    out.whole = {};
    out.offset = static_cast<std::size_t>(payload.data() - arrival.packet->writable().data());
  } else {
    out.whole = payload;
    out.offset = 0;
  }
  counters_.add(Count::datagrams);
  return Received::datagram;
}

// RFC 1122 3.2.2 and RFC 4443 2.4: not for what came in fragments or to many, nor to what is not
// one host, and not too many.
template <class View>
Received Host::refuse_port(const Arrival& arrival, const View& ip,
                           std::span<const std::byte> bytes) {
  counters_.add(Count::no_port);
  if (arrival.packet == nullptr) return Received::used;
  const auto source = ip.source();
  if constexpr (std::same_as<View, Ipv4View>) {
    if (us_.is_broadcast(source)) return Received::used;
  }
  if (!errors_.take(arrival.now)) {
    counters_.add(Count::unreachable_limited);
    return Received::used;
  }
  counters_.add(Count::unreachable_sent);
  const LinkHeader link = wire_.ip_header(arrival.frame ? arrival.frame->source() : Mac{},
                                          std::same_as<View, Ipv4View>);
  wire_.send(arrival.output, link, PortUnreachable(ip.destination(), source, bytes).span());
  return Received::used;
}

}  // namespace ipplugin
