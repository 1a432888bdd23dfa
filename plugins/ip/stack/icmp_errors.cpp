// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/icmp_errors.hpp"

#include <algorithm>
#include <cstring>

#include "gst/packet/headers/icmp.hpp"
#include "plugins/ip/stack/ip_writer.hpp"

namespace ipplugin {
namespace {

constexpr std::size_t kMaxV4 = 576;  // RFC 1812 4.3.2.3

}  // namespace

bool TokenBucket::take(GstClockTime now) noexcept {
  if (every_ == 0) return false;
  const GstClockTime earned = (now - filled_) / every_;
  if (earned >= burst_ - tokens_) {
    tokens_ = burst_;
    filled_ = now;
  } else {
    tokens_ += static_cast<unsigned>(earned);
    filled_ += earned * every_;
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

PortUnreachable::PortUnreachable(Ipv4Address from, Ipv4Address to,
                                 std::span<const std::byte> packet) noexcept {
  const std::size_t most = kMaxV4 - Ipv4View::kMinSize - IcmpView::kSize;
  const std::size_t quoted = std::min(packet.size(), most);
  const std::span<std::byte> out = bytes;
  const std::size_t header =
      write_header(out, Ipv4Fields{.source = from,
                                   .destination = to,
                                   .protocol = ip_protocol::kIcmp,
                                   .payload_size = IcmpView::kSize + quoted});
  size = header + IcmpView::kSize + quoted;
  const std::span<std::byte> icmp = out.subspan(header, IcmpView::kSize + quoted);
  store_be<std::uint64_t>(icmp, 0,
                          std::uint64_t{IcmpView::kDestinationUnreachable} << 56 |
                              std::uint64_t{IcmpView::kPortUnreachable} << 48);
  std::memcpy(icmp.data() + IcmpView::kSize, packet.data(), quoted);
  store_be<std::uint16_t>(icmp, 2, checksum(icmp));
}

PortUnreachable::PortUnreachable(const Ipv6Address& from, const Ipv6Address& to,
                                 std::span<const std::byte> packet) noexcept {
  const std::size_t most = kMaxSize - Ipv6View::kSize - Icmpv6View::kSize;
  const std::size_t quoted = std::min(packet.size(), most);
  const std::span<std::byte> out = bytes;
  const std::size_t header =
      write_header(out, Ipv6Fields{.source = from,
                                   .destination = to,
                                   .next_header = ip_protocol::kIcmpv6,
                                   .payload_size = Icmpv6View::kSize + quoted});
  size = header + Icmpv6View::kSize + quoted;
  const std::span<std::byte> icmp = out.subspan(header, Icmpv6View::kSize + quoted);
  store_be<std::uint64_t>(icmp, 0,
                          std::uint64_t{Icmpv6View::kDestinationUnreachable} << 56 |
                              std::uint64_t{Icmpv6View::kPortUnreachable} << 48);
  std::memcpy(icmp.data() + Icmpv6View::kSize, packet.data(), quoted);
  const auto length = static_cast<std::uint32_t>(icmp.size());
  store_be<std::uint16_t>(
      icmp, 2, Checksum().add_pseudo(from, to, ip_protocol::kIcmpv6, length).add(icmp).value());
}

}  // namespace ipplugin
