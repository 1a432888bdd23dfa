// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * ICMP errors: what they say, and how many there may be (RFC 1122 3.2.2, RFC 4443 2.4).
 */
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "plugins/ip/stack/config.hpp"

namespace ipplugin {

/** So many per second, and so many at once. */
class TokenBucket {
 public:
  TokenBucket(unsigned per_second, unsigned burst) noexcept
      : every_(per_second == 0 ? 0 : kSecond / per_second), burst_(burst), tokens_(burst) {}
  [[nodiscard]] bool take(GstClockTime now) noexcept;

 private:
  GstClockTime every_;  // 0: never
  unsigned burst_, tokens_;
  GstClockTime filled_ = 0;
};

/** An IP packet that says that nobody receives on a port, with the beginning of what came for it.
 */
struct PortUnreachable {
  static constexpr std::size_t kMaxSize = 1280;  // IPv6; IPv4 576
  std::array<std::byte, kMaxSize> bytes;
  std::size_t size = 0;

  /** `packet` begins with the IP header; `from` and `to` were its destination and its source. */
  PortUnreachable(Ipv4Address from, Ipv4Address to, std::span<const std::byte> packet) noexcept;
  PortUnreachable(const Ipv6Address& from, const Ipv6Address& to,
                  std::span<const std::byte> packet) noexcept;
  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    return std::span(bytes).first(size);
  }
};

}  // namespace ipplugin
