// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/host.hpp"

#include <algorithm>
#include <string>

#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/udp.hpp"

namespace ipplugin {

Host::Host(const HostConfig& config)
    : config_(config),
      random_(config.seed),
      us_(config_),
      wire_(config_),
      neighbours_(config_, wire_, us_, counters_, random_),
      ports_(config.limits.bindings) {}

// ---- receiving --------------------------------------------------------------------------------

Received Host::receive(Packet& packet, GstClockTime now, Output& output, Datagram& out) {
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
  const Mac from = frame->source();
  if (from.is_group() || from.is_zero() || from == wire_.mac()) return drop(Count::martian_source);
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

Received Host::receive_arp(const Arrival& arrival) {
  const auto arp = ArpView::at(arrival.frame->payload());
  if (!arp) return drop(Count::bad_header);
  const Mac mac = arp->sender_mac();
  if (mac.is_group() || mac.is_zero() || mac == wire_.mac() || !arp->sender().is_host() ||
      us_.owns(arp->sender())) {
    return drop(Count::martian_source);
  }
  const bool solicited = arp->operation() == ArpView::kReply && us_.owns(arp->target()) &&
                         arrival.frame->destination() == wire_.mac();
  neighbours_.learn({arp->sender(), mac, solicited}, arrival.now, arrival.output);
  return Received::used;
}

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
  const auto ip = Ipv4View::at(bytes);
  if (!ip) return drop(bytes.size() < Ipv4View::kMinSize ? Count::too_short : Count::bad_header);
  if (config_.verify_checksum && !ip->checksum_valid()) return drop(Count::bad_checksum);
  const Ipv4Address to = ip->destination();
  if (!us_.owns(to) && !to.is_multicast() && !us_.is_broadcast(to)) return drop(Count::not_for_us);
  if (!ip->source().is_host() || us_.owns(ip->source())) return drop(Count::martian_source);
  if (ip->is_fragment()) return drop(Count::fragment);
  if (ip->protocol() != ip_protocol::kUdp) return drop(Count::unknown_protocol);
  return receive_udp_v4(arrival, *ip);
}

Received Host::receive_udp_v4(const Arrival& arrival, const Ipv4View& ip) {
  const auto udp = UdpView::at(ip.payload());
  if (!udp) return drop(Count::bad_header);
  if (config_.verify_checksum && !udp->checksum_valid(ip.source(), ip.destination())) {
    return drop(Count::bad_checksum);
  }
  const bool to_all = !us_.owns(ip.destination());
  return deliver(arrival, {ip.source(), udp->source_port()},
                 {ip.destination(), udp->destination_port()}, udp->payload(), to_all);
}

Received Host::receive_v6(const Arrival& arrival, std::span<std::byte> bytes) {
  const auto ip = Ipv6View::at(bytes);
  if (!ip) return drop(bytes.size() < Ipv6View::kSize ? Count::too_short : Count::bad_header);
  const Ipv6Address& to = ip->destination();
  if (!us_.owns(to) && !to.is_multicast()) return drop(Count::not_for_us);
  if (!ip->source().is_host() || us_.owns(ip->source())) return drop(Count::martian_source);
  if (ip->is_fragment()) return drop(Count::fragment);
  if (ip->protocol() != ip_protocol::kUdp) return drop(Count::unknown_protocol);
  return receive_udp_v6(arrival, *ip);
}

Received Host::receive_udp_v6(const Arrival& arrival, const Ipv6View& ip) {
  const auto udp = UdpView::at(ip.payload());
  if (!udp) return drop(Count::bad_header);
  if (!udp->checksum_valid(ip.source(), ip.destination())) return drop(Count::bad_checksum);
  return deliver(arrival, {ip.source(), udp->source_port()},
                 {ip.destination(), udp->destination_port()}, udp->payload(),
                 ip.destination().is_multicast());
}

Received Host::deliver(const Arrival& arrival, const Endpoint& source, const Endpoint& destination,
                       std::span<const std::byte> payload, bool to_all) {
  // One host's IP address in a frame for many: RFC 1122 3.3.6.
  if (!to_all && arrival.frame && arrival.frame->destination().is_group()) {
    return drop(Count::group_destination);
  }
  const bool group = to_all && destination.address.is_multicast();
  const auto ports = group ? ports_.find(destination.port, destination.address, source.address)
                           : ports_.find(destination.port);
  if (ports.empty()) return drop(group ? Count::not_joined : Count::no_port);
  Datagram& out = arrival.datagram;
  out.source = source;
  out.destination = destination;
  out.ports = ports;
  out.size = payload.size();
  if (arrival.packet != nullptr) {
    out.whole = {};
    out.offset = static_cast<std::size_t>(payload.data() - arrival.packet->bytes().data());
  } else {
    out.whole = payload;
    out.offset = 0;
  }
  counters_.add(Count::datagrams);
  return Received::datagram;
}

// ---- ports ------------------------------------------------------------------------------------

Result<unsigned> Host::bind(const Binding& binding, GstClockTime, Output&) {
  return ports_.bind(binding);
}

void Host::unbind(unsigned number, GstClockTime, Output&) {
  ports_.unbind(number);
}

// ---- sending ----------------------------------------------------------------------------------

Route Host::route(const IpAddress& to, GstClockTime now, Output& output) {
  Route out;
  const auto source = us_.source_for(to);
  const bool broadcast = to.is_v4() && us_.is_broadcast(to.v4());
  if (!source || us_.owns(to) || !(to.is_host() || to.is_multicast() || broadcast)) {
    out.generation = generation();
    return out;
  }
  out.source = *source;
  std::optional<Mac> mac = Mac{};
  if (to.is_multicast()) {
    mac = to.multicast_mac();
  } else if (broadcast) {
    mac = Mac::broadcast();
  } else {
    const auto hop = us_.next_hop(to);
    if (hop && wire_.is_ethernet()) mac = neighbours_.find(*hop, now, output);
    if (!hop) {
      out.generation = generation();
      return out;
    }
  }
  out.state = mac ? Route::State::ready : Route::State::pending;
  if (mac) {
    const LinkHeader header = wire_.ip_header(*mac, to.is_v4());
    out.link_header = header.bytes;
    out.link_size = header.size;
  }
  out.generation = generation();
  return out;
}

void Host::hold(const IpAddress& to, std::span<const std::byte> ip_packet) {
  const auto hop = us_.next_hop(to);
  if (!hop) {
    counters_.add(Count::unresolved);
    return;
  }
  neighbours_.hold(*hop, ip_packet);
}

// ---- time -------------------------------------------------------------------------------------

GstClockTime Host::due() const noexcept {
  return neighbours_.due();
}

GstClockTime Host::tick(GstClockTime now, Output& output) {
  if (due() <= now) neighbours_.tick(now, output);
  return due();
}

void Host::link_up(GstClockTime, Output&) {}

void Host::link_down() {
  neighbours_.forget();
}

std::optional<Conflict> Host::take_conflict() {
  return std::nullopt;
}

void Host::stats(const std::function<void(const char*, std::uint64_t)>& visit) const {
  std::string name;
  for (std::size_t i = 0; i < Counters::kNames.size(); ++i) {
    const auto what = static_cast<Count>(i);
    name = what < Count::datagrams ? "drop-" : "";
    name += Counters::kNames[i];
    std::ranges::replace(name, '_', '-');
    visit(name.c_str(), counters_[what]);
  }
  visit("neighbours", neighbours_.size());
  visit("held", neighbours_.held());
}

}  // namespace ipplugin
