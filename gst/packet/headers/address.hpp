// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Link-layer and network addresses as values.
 */
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gst/packet/export.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/result.hpp"

namespace gstpacket {

/** An IEEE 802 MAC address. */
struct Mac {
  static constexpr std::size_t kSize = 6;
  std::array<std::uint8_t, kSize> bytes{};

  // In words: the compilers make a loop over bytes, or a call, of the default.
  friend constexpr bool operator==(const Mac& a, const Mac& b) noexcept {
    const auto x = a.words(), y = b.words();
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2])) == 0;
  }
  friend constexpr auto operator<=>(const Mac&, const Mac&) = default;

  /** Six two-digit hexadecimal numbers separated by ':' or '-'; anything else is an error. */
  [[nodiscard]] GSTPACKET_API static Result<Mac> parse(std::string_view text);
  /** "02:00:c0:a8:01:01". */
  [[nodiscard]] GSTPACKET_API std::string format() const;
  /** Precondition: from.size() >= 6. */
  [[nodiscard]] static Mac load(std::span<const std::byte> from) noexcept {
    const auto first = load_word<std::uint32_t>(from.data());
    const auto rest = load_word<std::uint16_t>(from.data() + sizeof first);
    Mac mac;
    std::memcpy(mac.bytes.data(), &first, sizeof first);
    std::memcpy(mac.bytes.data() + sizeof first, &rest, sizeof rest);
    return mac;
  }
  void store(std::span<std::byte> to) const noexcept {
    std::memcpy(to.data(), bytes.data(), kSize);
  }
  /** Group address (multicast or broadcast). */
  [[nodiscard]] constexpr bool is_group() const noexcept { return (bytes[0] & 1U) != 0; }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return *this == Mac{}; }
  [[nodiscard]] constexpr bool is_broadcast() const noexcept { return *this == broadcast(); }
  [[nodiscard]] static constexpr Mac broadcast() noexcept {
    return Mac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  }

 private:
  [[nodiscard]] constexpr std::array<std::uint16_t, 3> words() const noexcept {
    return std::bit_cast<std::array<std::uint16_t, 3>>(bytes);
  }
};

/** An IPv4 address; `value` is in host order (192.168.1.1 is 0xc0a80101). */
struct Ipv4Address {
  static constexpr std::size_t kSize = 4;
  std::uint32_t value = 0;

  friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;

  /** Dotted decimal, four numbers. */
  [[nodiscard]] GSTPACKET_API static Result<Ipv4Address> parse(std::string_view text);
  [[nodiscard]] GSTPACKET_API std::string format() const;
  /** Precondition: from.size() >= 4. */
  [[nodiscard]] static Ipv4Address load(std::span<const std::byte> from) noexcept {
    return Ipv4Address{load_be<std::uint32_t>(from)};
  }
  void store(std::span<std::byte> to) const noexcept { store_be<std::uint32_t>(to, 0, value); }

  [[nodiscard]] constexpr bool is_unspecified() const noexcept { return value == 0; }
  /** 0.0.0.0/8, "this network" (RFC 1122 3.2.1.3). */
  [[nodiscard]] constexpr bool is_this_network() const noexcept { return (value >> 24) == 0; }
  [[nodiscard]] constexpr bool is_loopback() const noexcept { return (value >> 24) == 127; }
  [[nodiscard]] constexpr bool is_multicast() const noexcept { return (value >> 28) == 0xe; }
  /** 240.0.0.0/4, which includes the limited broadcast address. */
  [[nodiscard]] constexpr bool is_class_e() const noexcept { return (value >> 28) == 0xf; }
  [[nodiscard]] constexpr bool is_broadcast() const noexcept { return value == 0xffffffffU; }
  /** Can name one host on a network: the only kind of source that may be answered. */
  [[nodiscard]] constexpr bool is_host() const noexcept {
    return !is_this_network() && !is_loopback() && !is_multicast() && !is_class_e();
  }
};

/** An IPv6 address in network order. */
struct Ipv6Address {
  static constexpr std::size_t kSize = 16;
  std::array<std::uint8_t, kSize> bytes{};

  friend constexpr bool operator==(const Ipv6Address& a, const Ipv6Address& b) noexcept {
    const auto x = a.words(), y = b.words();
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
  }
  friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;

  /** Any RFC 4291 text form, without a zone. */
  [[nodiscard]] GSTPACKET_API static Result<Ipv6Address> parse(std::string_view text);
  /** The RFC 5952 text form. */
  [[nodiscard]] GSTPACKET_API std::string format() const;
  /** Precondition: from.size() >= 16. */
  [[nodiscard]] static Ipv6Address load(std::span<const std::byte> from) noexcept {
    const std::array words{load_word<std::uint64_t>(from.data()),
                           load_word<std::uint64_t>(from.data() + 8)};
    return {std::bit_cast<std::array<std::uint8_t, kSize>>(words)};
  }
  void store(std::span<std::byte> to) const noexcept {
    std::memcpy(to.data(), bytes.data(), kSize);
  }

  [[nodiscard]] constexpr bool is_unspecified() const noexcept { return *this == Ipv6Address{}; }
  [[nodiscard]] constexpr bool is_loopback() const noexcept {
    Ipv6Address one;
    one.bytes[15] = 1;
    return *this == one;
  }
  [[nodiscard]] constexpr bool is_multicast() const noexcept { return bytes[0] == 0xff; }
  /** IPv4-mapped addresses (RFC 4291 2.5.5.2), which must never be seen on a wire. */
  [[nodiscard]] constexpr bool is_v4_mapped() const noexcept {
    for (std::size_t i = 0; i < 10; ++i) {
      if (bytes[i] != 0) return false;
    }
    return bytes[10] == 0xff && bytes[11] == 0xff;
  }
  /** Can name one host on a network. */
  [[nodiscard]] constexpr bool is_host() const noexcept {
    return !is_multicast() && !is_unspecified() && !is_loopback() && !is_v4_mapped();
  }
  /** The solicited-node multicast address of this address (RFC 4291 2.7.1). */
  [[nodiscard]] constexpr Ipv6Address solicited_node() const noexcept {
    return {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, bytes[13], bytes[14], bytes[15]}};
  }
  /** ff02::1. */
  [[nodiscard]] static constexpr Ipv6Address all_nodes() noexcept {
    return {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  }
  /** The Ethernet address a multicast packet to this address goes to (RFC 2464 section 7). */
  [[nodiscard]] constexpr Mac multicast_mac() const noexcept {
    return Mac{{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};
  }

 private:
  [[nodiscard]] constexpr std::array<std::uint64_t, 2> words() const noexcept {
    return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
  }
};

}  // namespace gstpacket
