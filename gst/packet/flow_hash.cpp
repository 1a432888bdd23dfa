// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/packet/flow_hash.hpp"

#include <algorithm>
#include <optional>

#include "gst/packet/bytes.hpp"
#include "gst/packet/ethernet.hpp"

namespace gstpacket {
namespace {

using Bytes = std::span<const std::byte>;

/// Folds the 128 bits of a product: every bit of either factor reaches every bit of the result.
/// Both factors are made odd sums with constants, so a zero field does not wipe out the others.
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

/// Protocol and ports as one number.
std::uint64_t upper(Bytes packet, std::size_t offset, std::uint8_t protocol) noexcept {
  std::uint64_t ports = 0;
  if (has_ports(protocol) && packet.size() >= offset + 4) {
    ports = load_be<std::uint32_t>(packet, offset);
  }
  return ports << 8 | protocol;
}

// The header views are not used here: they want the whole packet, and a flow must not change its
// hash with the length of its packets or with what the caller has gathered of them.
std::optional<std::uint32_t> hash_v4(Bytes ip) noexcept {
  if (ip.size() < 20) return std::nullopt;
  const auto first = load_be<std::uint8_t>(ip, 0);
  const std::size_t header = (first & 0xfU) * std::size_t{4};
  if (first >> 4 != 4 || header < 20) return std::nullopt;
  const bool fragment = (load_be<std::uint16_t>(ip, 6) & 0x3fffU) != 0;
  const auto protocol = load_be<std::uint8_t>(ip, 9);
  const std::uint64_t rest = fragment ? protocol : upper(ip, header, protocol);
  return finish(load_be<std::uint64_t>(ip, 12), rest);
}

/// What comes behind IPv6's extension headers; nothing for a fragment.
std::uint64_t upper_v6(Bytes ip) noexcept {
  constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestination = 60;
  auto protocol = load_be<std::uint8_t>(ip, 6);
  std::size_t offset = 40;
  while (protocol == kHopByHop || protocol == kRouting || protocol == kDestination) {
    if (ip.size() < offset + 8) return 0;
    protocol = load_be<std::uint8_t>(ip, offset);
    offset += (load_be<std::uint8_t>(ip, offset + 1) + std::size_t{1}) * 8;
  }
  return protocol == kFragment ? 0 : upper(ip, offset, protocol);
}

std::optional<std::uint32_t> hash_v6(Bytes ip) noexcept {
  if (ip.size() < 40 || load_be<std::uint8_t>(ip, 0) >> 4 != 6) return std::nullopt;
  const std::uint64_t source = fold(load_be<std::uint64_t>(ip, 8), load_be<std::uint64_t>(ip, 16));
  const std::uint64_t destination =
      fold(load_be<std::uint64_t>(ip, 24) + 1, load_be<std::uint64_t>(ip, 32));
  return finish(source ^ upper_v6(ip), destination);
}

std::uint32_t hash_frame(Bytes packet) noexcept {
  const auto frame = ConstEthernetView::at(packet);
  if (!frame) return 0;
  std::optional<std::uint32_t> hash;
  if (frame->type() == ethertype::kIpv4) hash = hash_v4(frame->payload());
  if (frame->type() == ethertype::kIpv6) hash = hash_v6(frame->payload());
  if (hash) return *hash;
  // Twelve bytes of addresses, as eight and four.
  return finish(load_be<std::uint64_t>(packet, 0),
                std::uint64_t{load_be<std::uint32_t>(packet, 8)} << 16 | frame->type());
}

}  // namespace

std::uint32_t flow_hash(Bytes packet, LinkType link) noexcept {
  packet = packet.first(std::min(packet.size(), kFlowHashBytes));
  if (link == LinkType::ethernet) return hash_frame(packet);
  if (link == LinkType::punt) return 0;
  if (const auto v4 = hash_v4(packet)) return *v4;
  return hash_v6(packet).value_or(0);
}

}  // namespace gstpacket
