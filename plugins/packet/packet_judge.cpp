// SPDX-License-Identifier: LGPL-2.1-or-later
#include "packet_judge.hpp"

#include <algorithm>

#include "gst/packet/checksum.hpp"
#include "gst/packet/ethernet.hpp"
#include "gst/packet/icmp.hpp"
#include "gst/packet/ipv4.hpp"
#include "gst/packet/ipv6.hpp"
#include "gst/packet/udp.hpp"

namespace gstpacket {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kUpperSize = 8;  // UDP's header and that of ICMP echo

/// Where the headers of a packet end, if they look like those of a generated one. Looked at as
/// leniently as possible: a packet that has a probe but wrong headers is damaged, not foreign.
struct Place {
  std::size_t ip = 0;
  std::size_t upper = 0;
  std::uint8_t protocol = 0;
  bool ipv6 = false;
};

std::optional<Place> find_ip(Bytes packet, LinkType link_type) {
  Place place;
  if (link_type == LinkType::ethernet) {
    const auto frame = ConstEthernetView::at(packet);
    if (!frame || (frame->type() != ethertype::kIpv4 && frame->type() != ethertype::kIpv6)) {
      return std::nullopt;
    }
    place.ip = frame->header_size();
  }
  if (packet.size() <= place.ip) return std::nullopt;
  place.ipv6 = std::to_integer<unsigned>(packet[place.ip]) >> 4 == 6;
  return place;
}

std::optional<Place> find(Bytes packet, LinkType link_type) {
  auto place = find_ip(packet, link_type);
  if (!place) return std::nullopt;
  const Bytes ip = packet.subspan(place->ip);
  if (ip.size() < ConstIpv4View::kMinSize) return std::nullopt;
  if (place->ipv6) {
    place->upper = place->ip + ConstIpv6View::kSize;
    place->protocol = load_be<std::uint8_t>(ip, 6);
  } else {
    place->upper = place->ip + (std::to_integer<std::size_t>(ip[0]) & 0xfU) * 4;
    place->protocol = load_be<std::uint8_t>(ip, 9);
  }
  return packet.size() >= place->upper + kUpperSize ? place : std::nullopt;
}

template <class Address>
bool upper_valid(Bytes upper, std::uint8_t protocol, const Address& from, const Address& to) {
  if (protocol == ip_protocol::kUdp) {
    const auto udp = ConstUdpView::at(upper);
    return udp && udp->length() == upper.size() && udp->checksum_valid(from, to);
  }
  if constexpr (std::same_as<Address, Ipv4Address>) {
    return protocol == ip_protocol::kIcmp && checksum_valid(upper);
  } else {
    const auto icmp = ConstIcmpv6View::at(upper);
    return protocol == ip_protocol::kIcmpv6 && icmp && icmp->checksum_valid(from, to);
  }
}

/// Whether lengths and sums of the headers are right.
bool headers_valid(Bytes packet, const Place& place) {
  if (place.ipv6) {
    const auto ip = ConstIpv6View::at(packet, place.ip);
    return ip && upper_valid(ip->payload(), place.protocol, ip->source(), ip->destination());
  }
  const auto ip = ConstIpv4View::at(packet, place.ip);
  return ip && ip->checksum_valid() &&
         upper_valid(ip->payload(), place.protocol, ip->source(), ip->destination());
}

/// What is behind the headers, without the padding of short frames, as far as it is there.
Bytes payload_of(Bytes packet, const Place& place) {
  const std::size_t length =
      place.ipv6 ? load_be<std::uint16_t>(packet, place.ip + 4) + place.upper - place.ip
                 : load_be<std::uint16_t>(packet, place.ip + 2);
  const std::size_t end = std::min(packet.size(), place.ip + length);
  const std::size_t begin = place.upper + kUpperSize;
  return end > begin ? packet.subspan(begin, end - begin) : Bytes{};
}

/// Whether nothing of the packet is missing: all that can be said without sums.
bool complete(Bytes packet, const Place& place) {
  return place.ipv6 ? ConstIpv6View::at(packet, place.ip).has_value()
                    : ConstIpv4View::at(packet, place.ip).has_value();
}

}  // namespace

// ---- Numbers ----------------------------------------------------------------------------------

void FlowNumbers::advance(std::uint64_t number) noexcept {
  if (number - highest_ >= kWindow) {
    window_.fill(0);
  } else {
    for (std::uint64_t skipped = highest_ + 1; skipped < number; ++skipped) {
      word(skipped) &= ~bit(skipped);
    }
  }
  highest_ = number;
  mark(number);
}

FlowNumbers::Seen FlowNumbers::add(std::uint64_t number, std::uint64_t& missing) noexcept {
  if (!any_) {
    any_ = true;
    first_ = highest_ = number;
    mark(number);
    return Seen::in_order;
  }
  if (number > highest_) {
    missing += number - highest_ - 1;
    advance(number);
    return Seen::in_order;
  }
  if (highest_ - number < kWindow) {
    if (marked(number)) return Seen::duplicate;
    mark(number);
  }
  if (number < first_) {
    missing += first_ - number - 1;
    first_ = number;
  } else if (missing > 0) {
    --missing;
  }
  return Seen::reordered;
}

// ---- Packets ----------------------------------------------------------------------------------

void PacketJudge::clear() {
  account_ = {};
  latency_.clear();
  flows_.clear();
}

FlowNumbers& PacketJudge::flow(std::uint16_t number) {
  if (number >= flows_.size()) flows_.resize(number + std::size_t{1});
  auto& flow = flows_[number];
  if (!flow) {
    flow = std::make_unique<FlowNumbers>();
    ++account_.flows;
  }
  return *flow;
}

void PacketJudge::judge(Bytes packet, std::uint64_t now) {
  const auto place = find(packet, link_type_);
  if (!place) {
    ++account_.foreign;
    return;
  }
  const Bytes payload = payload_of(packet, *place);
  const auto probe = Probe::read(payload);
  if (!probe) {
    ++account_.foreign;
    return;
  }
  const bool valid =
      verify_ ? headers_valid(packet, *place) && probe->matches(payload) : complete(packet, *place);
  if (valid) {
    count(*probe, packet.size(), now);
  } else {
    ++account_.damaged;
  }
}

void PacketJudge::count(const Probe& probe, std::size_t size, std::uint64_t now) {
  const auto seen = flow(probe.flow).add(probe.number, account_.missing);
  if (seen == FlowNumbers::Seen::duplicate) {
    ++account_.duplicate;
    return;
  }
  if (seen == FlowNumbers::Seen::reordered) ++account_.reordered;
  if (account_.packets == 0) account_.first_time = now;
  if (account_.first_time == now) {
    ++account_.first_packets;
    account_.first_bytes += size;
  }
  account_.last_time = now;
  ++account_.packets;
  account_.bytes += size;
  latency_.add(now > probe.time ? now - probe.time : 0);
}

}  // namespace gstpacket
