// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * IP headers of a host's own packets, as bytes.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"

namespace ipplugin {

using namespace gstpacket;

struct Ipv4Fields {
  Ipv4Address source, destination;
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::size_t payload_size = 0;
  std::uint16_t identification = 0;
  /** Flags and offset as in the header; by default it must not be fragmented (RFC 6864: atomic). */
  std::uint16_t fragment = 0x4000;
  /** As options, whole words; with none, the header has 20 bytes. */
  std::span<const std::byte> options;
};
/** The size of the header. Precondition: there is room for it, and the sum is below 64 KiB. */
inline std::size_t write_header(std::span<std::byte> to, const Ipv4Fields& fields) noexcept {
  const std::size_t size = Ipv4View::kMinSize + fields.options.size();
  store_be<std::uint16_t>(to, 0, static_cast<std::uint16_t>((0x40 + size / 4) << 8 | fields.tos));
  store_be<std::uint16_t>(to, 2, static_cast<std::uint16_t>(size + fields.payload_size));
  store_be<std::uint16_t>(to, 4, fields.identification);
  store_be<std::uint16_t>(to, 6, fields.fragment);
  store_be<std::uint16_t>(to, 8, static_cast<std::uint16_t>(fields.ttl << 8 | fields.protocol));
  store_be<std::uint16_t>(to, 10, 0);
  fields.source.store(to.subspan(12));
  fields.destination.store(to.subspan(16));
  if (!fields.options.empty()) {
    std::memcpy(to.data() + Ipv4View::kMinSize, fields.options.data(), fields.options.size());
  }
  store_be<std::uint16_t>(to, 10, checksum(to.first(size)));
  return size;
}

struct Ipv6Fields {
  Ipv6Address source, destination;
  std::uint8_t next_header = 0;
  std::uint8_t hop_limit = 64;
  std::size_t payload_size = 0;  // extension headers included
};
inline std::size_t write_header(std::span<std::byte> to, const Ipv6Fields& fields) noexcept {
  store_be<std::uint32_t>(to, 0, 6U << 28);
  store_be<std::uint16_t>(to, 4, static_cast<std::uint16_t>(fields.payload_size));
  store_be<std::uint8_t>(to, 6, fields.next_header);
  store_be<std::uint8_t>(to, 7, fields.hop_limit);
  fields.source.store(to.subspan(8));
  fields.destination.store(to.subspan(24));
  return Ipv6View::kSize;
}

}  // namespace ipplugin
