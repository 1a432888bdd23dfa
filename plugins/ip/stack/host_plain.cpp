// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/host.hpp"

#include "gst/packet/headers/udp.hpp"

namespace ipplugin {

// The usual datagram: to us or to a group, without options, extension headers and fragments, for a
// port that somebody has bound: everything else, and what is to be dropped, goes the long way,
// which would take these in the same way. Each header is copied, and judged by the copy.

namespace {

constexpr std::uint64_t kGroupBit = std::uint64_t{1} << 40;

}  // namespace

/** What is behind the header of a frame from another station to us or to many; 0 for others. */
[[gnu::always_inline]] inline Host::PlainFrame Host::plain_frame(
    std::span<const std::byte> frame) const noexcept {
  const std::uint64_t to = load_be<std::uint64_t>(frame) >> 16;
  const auto from_and_type = load_be<std::uint64_t>(frame, Mac::kSize);
  const std::uint64_t from = from_and_type >> 16;
  const bool to_many = (to & kGroupBit) != 0;
  if (to != station_ && !to_many) return {};
  if ((from & kGroupBit) != 0 || from == 0 || from == station_) return {};
  const auto type = static_cast<std::uint16_t>(from_and_type);
  if (!config_.vlan) return {type, to_many};
  const auto tag = load_be<std::uint32_t>(frame, EthernetView::kSize);
  if (type != ethertype::kVlan || (tag >> 16 & 0xfff) != *config_.vlan) return {};
  return {static_cast<std::uint16_t>(tag), to_many};
}

[[gnu::always_inline]] inline bool Host::receive_plain(Packet& packet, Datagram& out) {
  const std::span<std::byte> bytes = packet.writable();
  if (bytes.size() < link_size_ + Ipv4View::kMinSize + UdpView::kSize) return false;
  const auto ip = bytes.subspan(link_size_);
  PlainFrame frame;
  if (link_size_ != 0) {
    frame = plain_frame(bytes);
  } else {
    const bool v4 = load_be<std::uint8_t>(ip) >> 4 == 4;
    frame.type = v4 ? ethertype::kIpv4 : ethertype::kIpv6;
  }
  if (frame.type == ethertype::kIpv4) {
    return receive_plain_v4(ip, link_size_, frame.to_many, out);
  }
  if (frame.type == ethertype::kIpv6) {
    return receive_plain_v6(ip, link_size_, frame.to_many, out);
  }
  return false;
}

[[gnu::always_inline]] inline bool Host::receive_plain_v4(std::span<std::byte> ip,
                                                          std::size_t offset, bool to_many,
                                                          Datagram& out) {
  const Ipv4Header header(ip);
  const std::size_t size = header.total_length();
  if (!header.is_plain() || header.protocol() != ip_protocol::kUdp || size > ip.size() ||
      size < Ipv4View::kMinSize) {
    return false;
  }
  const Ipv4Address source = header.source(), destination = header.destination();
  if (us_.owns(destination) ? to_many : !destination.is_multicast()) return false;
  if (!source.is_host() || us_.owns(source)) return false;
  if (config_.verify_checksum && !header.plain_checksum_valid()) return false;
  return deliver_plain(ip.subspan(Ipv4View::kMinSize, size - Ipv4View::kMinSize),
                       offset + Ipv4View::kMinSize, source, destination, out);
}

[[gnu::always_inline]] inline bool Host::receive_plain_v6(std::span<std::byte> ip,
                                                          std::size_t offset, bool to_many,
                                                          Datagram& out) {
  if (ip.size() < Ipv6View::kSize + UdpView::kSize) return false;
  const Ipv6Header header(ip);
  const std::size_t size = header.payload_length();
  if (header.version() != 6 || header.next_header() != ip_protocol::kUdp ||
      size > ip.size() - Ipv6View::kSize) {
    return false;
  }
  const Ipv6Address &source = header.source(), &destination = header.destination();
  if (destination.is_multicast() ? false : to_many || !us_.owns(destination)) return false;
  if (!source.is_host() || us_.owns(source)) return false;
  return deliver_plain(ip.subspan(Ipv6View::kSize, size), offset + Ipv6View::kSize, source,
                       destination, out);
}

template <class Address>
[[gnu::always_inline]] inline bool Host::deliver_plain(std::span<std::byte> message,
                                                       std::size_t offset, const Address& source,
                                                       const Address& destination, Datagram& out) {
  const auto udp = UdpView::at(message);
  if (!udp) return false;
  const std::uint16_t port = udp->destination_port();
  const auto ports =
      destination.is_multicast() ? ports_.find(port, destination, source) : ports_.find(port);
  if (ports.empty()) return false;
  if (config_.verify_checksum && !udp->checksum_valid(source, destination)) return false;
  out.source = {source, udp->source_port()};
  out.destination = {destination, port};
  out.ports = ports;
  out.size = udp->length() - UdpView::kSize;
  out.offset = offset + UdpView::kSize;
  out.whole = {};
  counters_.add(Count::datagrams);
  return true;
}

Received Host::receive(Packet& packet, GstClockTime now, Output& output, Datagram& out) {
  if (receive_plain(packet, out)) return Received::datagram;
  return receive_slowly(packet, now, output, out);
}

}  // namespace ipplugin
