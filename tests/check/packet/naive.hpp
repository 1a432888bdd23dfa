// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The checksum as RFC 1071 defines it, one word after the other: what the fast one is judged by.
 * Shares no code with the library.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace naive {

using Bytes = std::vector<std::uint8_t>;

/**
 * The checksum of all `bytes` for a packet whose checksum field is zero; 0 if they include a right
 * checksum.
 */
inline std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0U;
    sum += (static_cast<std::uint32_t>(bytes[i]) << 8) | low;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

/** An ICMPv6 or UDP packet with the pseudo header of RFC 8200 in front. */
inline Bytes with_pseudo(std::span<const std::uint8_t> source_and_destination,
                         std::uint8_t next_header, std::span<const std::uint8_t> payload) {
  Bytes out(source_and_destination.begin(), source_and_destination.end());
  out.insert(out.end(), {0, 0, static_cast<std::uint8_t>(payload.size() >> 8),
                         static_cast<std::uint8_t>(payload.size()), 0, 0, 0, next_header});
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

}  // namespace naive
