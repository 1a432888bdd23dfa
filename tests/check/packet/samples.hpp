// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Packets built byte by byte, with checksums from the naive function.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "naive.hpp"

namespace samples {

using naive::Bytes;

inline void put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}
inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

inline const Bytes kOurMac{0x02, 0x00, 0xc0, 0xa8, 0x01, 0x01};
inline const Bytes kPeerMac{0x02, 0xfe, 0x11, 0x22, 0x33, 0x44};
inline const Bytes kOurV4{192, 168, 1, 1};
inline const Bytes kPeerV4{192, 168, 1, 2};
inline const Bytes kOurV6{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 0x01};
inline const Bytes kPeerV6{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02};
inline const Bytes kNoV6 = Bytes(16, 0);

inline Bytes ethernet(const Bytes& to, const Bytes& from, std::uint16_t type) {
  Bytes out = join({to, from, {0, 0}});
  put16(out, 12, type);
  return out;
}
inline Bytes payload(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i + 1);
  return out;
}
/** Fixes the checksum at offset 2 of an ICMP message. */
inline Bytes with_icmp_sum(Bytes icmp) {
  put16(icmp, 2, 0);
  put16(icmp, 2, naive::checksum(icmp));
  return icmp;
}
inline Bytes icmp_echo(std::uint8_t type, std::size_t size) {
  return with_icmp_sum(join({{type, 0, 0, 0, 0x12, 0x34, 0, 7}, payload(size)}));
}

struct V4 {
  Bytes source = kPeerV4;
  Bytes destination = kOurV4;
  Bytes options = {};
  std::uint16_t fragment = 0x4000;
  std::uint8_t ttl = 17;
  std::uint8_t protocol = 1;
};
inline Bytes ipv4(const V4& h, const Bytes& body) {
  Bytes out{0x45, 0x20, 0, 0, 0xbe, 0xef, 0, 0, h.ttl, h.protocol, 0, 0};
  out = join({out, h.source, h.destination, h.options});
  out[0] = static_cast<std::uint8_t>(0x40 + out.size() / 4);
  put16(out, 2, out.size() + body.size());
  put16(out, 6, h.fragment);
  put16(out, 10, naive::checksum(out));
  return join({out, body});
}

struct V6 {
  Bytes source = kPeerV6;
  Bytes destination = kOurV6;
  Bytes extensions = {};
  std::uint8_t next = 58;
  std::uint8_t hop_limit = 64;
};
inline Bytes ipv6(const V6& h, const Bytes& body) {
  Bytes out{0x6a, 0xb1, 0x23, 0x45, 0, 0, h.next, h.hop_limit};
  put16(out, 4, h.extensions.size() + body.size());
  return join({out, h.source, h.destination, h.extensions, body});
}
/** Fixes the checksum at offset 2 of an ICMPv6 message. */
inline Bytes with_icmpv6_sum(Bytes icmp, const Bytes& source, const Bytes& destination) {
  put16(icmp, 2, 0);
  put16(icmp, 2, naive::checksum(naive::with_pseudo(join({source, destination}), 58, icmp)));
  return icmp;
}
inline Bytes icmpv6_echo(std::uint8_t type, std::size_t size, const Bytes& source = kPeerV6,
                         const Bytes& destination = kOurV6) {
  return with_icmpv6_sum(join({{type, 0, 0, 0, 0x43, 0x21, 0, 9}, payload(size)}), source,
                         destination);
}
inline Bytes solicited_node(const Bytes& a) {
  return {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a[13], a[14], a[15]};
}
inline Bytes multicast_mac(const Bytes& a) {
  return {0x33, 0x33, a[12], a[13], a[14], a[15]};
}
inline Bytes solicitation(const Bytes& target, const Bytes& options) {
  return join({{135, 0, 0, 0, 0, 0, 0, 0}, target, options});
}

inline Bytes arp(std::uint16_t operation, const Bytes& sender_mac, const Bytes& sender,
                 const Bytes& target_mac, const Bytes& target) {
  Bytes out{0, 1, 8, 0, 6, 4, 0, 0};
  put16(out, 6, operation);
  return join({out, sender_mac, sender, target_mac, target});
}

/** An echo request in an untagged frame. */
inline Bytes echo_frame(std::size_t size = 20, const V4& header = {}) {
  return join({ethernet(kOurMac, kPeerMac, 0x0800), ipv4(header, icmp_echo(8, size))});
}
inline Bytes echo_frame_v6(std::size_t size = 20) {
  return join({ethernet(kOurMac, kPeerMac, 0x86dd), ipv6({}, icmpv6_echo(128, size))});
}

}  // namespace samples
