// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/headers/flow_hash.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"

namespace gstpacket {
namespace {

using Bytes = std::span<const std::byte>;

/**
 * Folds the 128 bits of a product: every bit of either factor reaches every bit of the result.
 * Both factors are made odd sums with constants, so a zero field does not wipe out the others.
 */
std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a ^ 0xa0761d6478bd642fULL} * (b ^ 0xe7037ed1a0b428dbULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint32_t finish(std::uint64_t a, std::uint64_t b) noexcept {
  const std::uint64_t h = fold(a, b);
  return static_cast<std::uint32_t>(h ^ (h >> 32));
}

constexpr std::uint64_t bit(unsigned n) noexcept {
  return std::uint64_t{1} << n;
}

bool has_ports(std::uint8_t protocol) noexcept {
  constexpr std::uint64_t kLow = bit(6) | bit(17) | bit(33);  // TCP, UDP, DCCP
  if (protocol < 64) return (kLow >> protocol & 1) != 0;
  return protocol == 132 || protocol == 136;  // SCTP, UDP-Lite
}

/** Protocol and ports as one number. */
std::uint64_t upper(Bytes packet, std::size_t offset, std::uint8_t protocol) noexcept {
  std::uint64_t ports = 0;
  if (has_ports(protocol) && packet.size() >= offset + 4) {
    ports = load_be<std::uint32_t>(packet, offset);
  }
  return ports << 8 | protocol;
}

// Headers, not views: views need the whole packet, and the hash of a flow must not depend on the
// length of its packets or on how much of them the caller has gathered.
std::optional<std::uint32_t> hash_v4(Bytes ip) noexcept {
  if (ip.size() < Ipv4Header::kMinSize) return std::nullopt;
  const Ipv4Header header(ip);
  if (header.version() != 4 || header.header_size() < Ipv4Header::kMinSize) return std::nullopt;
  const std::uint8_t protocol = header.protocol();
  const std::uint64_t rest =
      header.is_fragment() ? protocol : upper(ip, header.header_size(), protocol);
  return finish(std::uint64_t{header.source().value} << 32 | header.destination().value, rest);
}

/** The payload behind IPv6's extension headers; empty for a fragment. */
std::uint64_t upper_v6(Bytes ip, std::uint8_t protocol) noexcept {
  constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestination = 60;
  std::size_t offset = Ipv6Header::kSize;
  while (protocol == kHopByHop || protocol == kRouting || protocol == kDestination) {
    if (ip.size() < offset + 8) return 0;
    const auto type_and_size = load_be<std::uint16_t>(ip, offset);
    protocol = static_cast<std::uint8_t>(type_and_size >> 8);
    offset += ((type_and_size & 0xffU) + std::size_t{1}) * 8;
  }
  return protocol == kFragment ? 0 : upper(ip, offset, protocol);
}

std::optional<std::uint32_t> hash_v6(Bytes ip) noexcept {
  if (ip.size() < Ipv6Header::kSize) return std::nullopt;
  const Ipv6Header header(ip);
  if (header.version() != 6) return std::nullopt;
  const Bytes from = std::as_bytes(std::span(header.source().bytes));
  const Bytes to = std::as_bytes(std::span(header.destination().bytes));
  const std::uint64_t source = fold(load_be<std::uint64_t>(from), load_be<std::uint64_t>(from, 8));
  const std::uint64_t destination =
      fold(load_be<std::uint64_t>(to) + 1, load_be<std::uint64_t>(to, 8));
  return finish(source ^ upper_v6(ip, header.next_header()), destination);
}

std::uint32_t hash_frame(Bytes packet) noexcept {
  const auto frame = ConstEthernetView::at(packet);
  if (!frame) return 0;
  std::optional<std::uint32_t> hash;
  if (frame->type() == ethertype::kIpv4) hash = hash_v4(frame->payload());
  if (frame->type() == ethertype::kIpv6) hash = hash_v6(frame->payload());
  if (hash) return *hash;
  // Twelve bytes of addresses, as eight and four.
  std::array<std::byte, 2 * Mac::kSize> addresses;
  frame->destination().store(addresses);
  frame->source().store(std::span(addresses).subspan(Mac::kSize));
  return finish(load_be<std::uint64_t>(addresses),
                std::uint64_t{load_be<std::uint32_t>(addresses, 8)} << 16 | frame->type());
}

}  // namespace

std::uint32_t flow_hash(Bytes packet, LinkType link) noexcept {
  packet = packet.first(std::min(packet.size(), kFlowHashBytes));
  if (link == LinkType::ethernet) return hash_frame(packet);
  if (link == LinkType::punt) return 0;
  if (packet.empty()) return 0;
  // Only selects the parser.
  const bool v6 = load_be<std::uint8_t>(packet) >> 4 == 6;
  return (v6 ? hash_v6(packet) : hash_v4(packet)).value_or(0);
}

}  // namespace gstpacket
