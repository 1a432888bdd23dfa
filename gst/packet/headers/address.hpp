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
    // Neither is_this_network() nor is_loopback(), and below is_multicast() and is_class_e().
    const std::uint32_t network = value >> 24;
    return network - 1 < 223 && network != 127;
  }
  /** The Ethernet address a multicast packet to this address goes to (RFC 1112 section 6.4). */
  [[nodiscard]] constexpr Mac multicast_mac() const noexcept {
    return Mac{{0x01, 0, 0x5e, static_cast<std::uint8_t>(value >> 16 & 0x7f),
                static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)}};
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
  /** fe80::/10: only valid on its link (RFC 4291 2.5.6). */
  [[nodiscard]] constexpr bool is_link_local() const noexcept {
    return bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;
  }
  /** The link-local address of the station with this MAC address (RFC 4291 appendix A). */
  [[nodiscard]] static constexpr Ipv6Address link_local(const Mac& mac) noexcept {
    const auto& m = mac.bytes;
    return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 2U), m[1], m[2], 0xff,
             0xfe, m[3], m[4], m[5]}};
  }
  /** IPv4-mapped addresses (RFC 4291 2.5.5.2), which must never be seen on a wire. */
  [[nodiscard]] constexpr bool is_v4_mapped() const noexcept {
    constexpr std::array<std::uint8_t, 8> kEnd{0, 0, 0xff, 0xff};
    const auto x = words();
    constexpr std::array<std::uint8_t, 8> kMask{0xff, 0xff, 0xff, 0xff};
    return (x[0] | ((x[1] & std::bit_cast<std::uint64_t>(kMask)) ^
                    std::bit_cast<std::uint64_t>(kEnd))) == 0;
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

/**
 * An IP address of either version. An IPv4 address and the IPv4-mapped IPv6 address that stands
 * for it (RFC 4291 2.5.5.2) are the same value.
 */
class IpAddress {
 public:
  /** "::", which is neither an IPv4 address nor a host's. */
  constexpr IpAddress() noexcept = default;
  constexpr IpAddress(Ipv4Address v4) noexcept  // NOLINT: implicit
      : bytes_{std::bit_cast<std::array<std::uint8_t, Ipv6Address::kSize>>(std::array{
            std::uint64_t{0}, swap_if_little(std::uint64_t{0xffff} << 32 | v4.value)})} {}
  constexpr IpAddress(const Ipv6Address& v6) noexcept : bytes_(v6) {}  // NOLINT: implicit

  friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

  /** Either text form, without a zone. */
  [[nodiscard]] GSTPACKET_API static Result<IpAddress> parse(std::string_view text);
  [[nodiscard]] GSTPACKET_API std::string format() const;

  [[nodiscard]] constexpr bool is_v4() const noexcept { return bytes_.is_v4_mapped(); }
  /** Precondition: is_v4(). */
  [[nodiscard]] constexpr Ipv4Address v4() const noexcept {
    const auto words = std::bit_cast<std::array<std::uint32_t, 4>>(bytes_.bytes);
    return Ipv4Address{swap_if_little(words[3])};
  }
  /** The address itself, or the IPv4-mapped one of an IPv4 address. */
  [[nodiscard]] constexpr const Ipv6Address& v6() const noexcept { return bytes_; }

  [[nodiscard]] constexpr bool is_multicast() const noexcept {
    return is_v4() ? v4().is_multicast() : bytes_.is_multicast();
  }
  /** 0.0.0.0 or "::". */
  [[nodiscard]] constexpr bool is_unspecified() const noexcept {
    return is_v4() ? v4().is_unspecified() : bytes_.is_unspecified();
  }
  /** Can name one host on a network. */
  [[nodiscard]] constexpr bool is_host() const noexcept {
    return is_v4() ? v4().is_host() : bytes_.is_host();
  }
  /** In bits: 32 or 128. */
  [[nodiscard]] constexpr unsigned width() const noexcept { return is_v4() ? 32 : 128; }
  /** The Ethernet address of a multicast address. Precondition: is_multicast(). */
  [[nodiscard]] constexpr Mac multicast_mac() const noexcept {
    return is_v4() ? v4().multicast_mac() : bytes_.multicast_mac();
  }
  /**
   * For tables. Addresses that collide cannot be found without knowing `secret`, which is any
   * number that others cannot guess.
   */
  [[nodiscard]] constexpr std::uint64_t hash(std::uint64_t secret) const noexcept {
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(bytes_.bytes);
    std::uint64_t h = words[0] ^ secret;
    h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15ULL;
    h ^= words[1] ^ (secret << 17 | secret >> 47);
    h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL;
    return h ^ (h >> 32);
  }

 private:
  Ipv6Address bytes_;
};

/** An address on a link, and how many of its first bits all addresses of that link share. */
struct IpPrefix {
  IpAddress address;
  /** 0 to address.width(), in bits. */
  unsigned length = 0;

  friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) = default;

  /** "10.0.0.1/24" or "2001:db8::1/64"; without a length it is that of the whole address. */
  [[nodiscard]] GSTPACKET_API static Result<IpPrefix> parse(std::string_view text);
  /** With its length. */
  [[nodiscard]] GSTPACKET_API std::string format() const;
  /** Whether `other`, of the same version, begins with the same `length` bits. */
  [[nodiscard]] constexpr bool contains(const IpAddress& other) const noexcept {
    if (address.is_v4() != other.is_v4()) return false;
    const unsigned bits = length + 128 - address.width();
    const auto &a = address.v6().bytes, &b = other.v6().bytes;
    const unsigned whole = bits / 8, rest = bits % 8;
    for (unsigned i = 0; i < whole; ++i) {
      if (a[i] != b[i]) return false;
    }
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
  }
  /**
   * Whether `other` reaches all hosts of the link: the last address of an IPv4 prefix that has room
   * for one (RFC 922, RFC 3021). The limited broadcast address is not asked for here.
   */
  [[nodiscard]] constexpr bool is_directed_broadcast(Ipv4Address other) const noexcept {
    if (!address.is_v4() || length >= 31) return false;
    const std::uint32_t host_bits = ~std::uint32_t{0} >> length;
    return other.value == (address.v4().value | host_bits);
  }
};

}  // namespace gstpacket
