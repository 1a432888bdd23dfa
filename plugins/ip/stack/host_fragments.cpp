// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/host.hpp"

#include <algorithm>

#include "gst/packet/headers/udp.hpp"
#include "plugins/ip/stack/ip_writer.hpp"

namespace ipplugin {

// What nobody here wants is not put together: it would take the places of what is wanted.
Received Host::receive_fragment(const Arrival& arrival, const Ipv4View& ip) {
  if (ip.destination().is_multicast() && !membership_.wants(ip.destination(), ip.source())) {
    return drop(Count::not_joined);
  }
  return receive_whole(arrival, reassembly_.add({.source = ip.source(),
                                                 .destination = ip.destination(),
                                                 .identification = ip.identification(),
                                                 .protocol = ip.protocol(),
                                                 .ttl = ip.ttl(),
                                                 .offset = ip.fragment_offset(),
                                                 .more = ip.more_fragments(),
                                                 .data = ip.payload()},
                                                arrival.now));
}

Received Host::receive_fragment(const Arrival& arrival, const Ipv6View& ip) {
  // A fragment of a fragment.
  if (arrival.packet == nullptr) return drop(Count::fragment);
  if (ip.is_source_routed()) return drop(Count::source_route);
  if (ip.has_mandatory_option()) return drop(Count::bad_option);
  if (ip.source().is_unspecified()) return drop(Count::martian_source);
  if (ip.destination().is_multicast()) {
    if (!membership_.wants(ip.destination(), ip.source())) return drop(Count::not_joined);
  } else if (arrival.frame && arrival.frame->destination().is_group()) {
    return drop(Count::group_destination);
  }
  const Ipv6FragmentHeader header(ip.payload());
  const ReceivedFragment fragment{.source = ip.source(),
                                  .destination = ip.destination(),
                                  .identification = header.identification(),
                                  .protocol = header.next_header(),
                                  .ttl = ip.hop_limit(),
                                  .offset = header.offset(),
                                  .more = header.more_fragments(),
                                  .data = ip.payload().subspan(Ipv6FragmentHeader::kSize)};
  return receive_whole(arrival, header.is_atomic() ? reassembly_.atomic(fragment)
                                                   : reassembly_.add(fragment, arrival.now));
}

Received Host::receive_whole(const Arrival& arrival, std::optional<std::span<std::byte>> packet) {
  if (!packet) return Received::used;
  const Arrival whole{nullptr, arrival.frame, arrival.now, arrival.output, arrival.datagram};
  return receive_ip(whole, *packet);
}

void Host::send_fragments(const Arrival& arrival, std::span<const std::byte> packet) {
  const bool v4 = load_be<std::uint8_t>(packet) >> 4 == 4;
  const LinkHeader link = wire_.ip_header(arrival.frame ? arrival.frame->source() : Mac{}, v4);
  const std::size_t size = v4 ? Ipv4View::kMinSize : Ipv6View::kSize;
  const std::size_t header = v4 ? size : size + Ipv6FragmentHeader::kSize;
  const auto payload = packet.subspan(size);
  const std::size_t most = (config_.mtu - header) / 8 * 8;
  const auto identification = static_cast<std::uint32_t>(random_.next());
  std::vector<std::byte> out(header + std::min(most, payload.size()));
  for (std::size_t offset = 0; offset < payload.size(); offset += most) {
    const auto part = payload.subspan(offset, std::min(most, payload.size() - offset));
    const bool more = offset + part.size() < payload.size();
    const std::span<std::byte> bytes = std::span(out).first(header + part.size());
    if (v4) {
      const Ipv4Header of(packet);
      write_header(bytes, Ipv4Fields{.source = of.source(),
                                     .destination = of.destination(),
                                     .protocol = of.protocol(),
                                     .ttl = of.ttl(),
                                     .payload_size = part.size(),
                                     .identification = static_cast<std::uint16_t>(identification),
                                     .fragment = static_cast<std::uint16_t>(offset / 8 |
                                                                            (more ? 0x2000 : 0))});
    } else {
      const Ipv6Header of(packet);
      write_header(bytes, Ipv6Fields{.source = of.source(),
                                     .destination = of.destination(),
                                     .next_header = ip_protocol::kFragment,
                                     .hop_limit = of.hop_limit(),
                                     .payload_size = part.size() + Ipv6FragmentHeader::kSize});
      store_be<std::uint16_t>(bytes, size, static_cast<std::uint16_t>(of.next_header() << 8));
      store_be<std::uint16_t>(bytes, size + 2, static_cast<std::uint16_t>(offset | (more ? 1 : 0)));
      store_be<std::uint32_t>(bytes, size + 4, identification);
    }
    std::ranges::copy(part, bytes.begin() + static_cast<std::ptrdiff_t>(header));
    wire_.send(arrival.output, link, bytes);
  }
}

}  // namespace ipplugin
