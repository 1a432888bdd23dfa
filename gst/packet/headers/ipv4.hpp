// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * IPv4 headers (RFC 791).
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/checksum.hpp"

namespace gstpacket {

/** Protocol numbers shared by IPv4's protocol and IPv6's next header field. */
namespace ip_protocol {
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kIgmp = 2;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kFragment = 44;  // of IPv6: its fragment header
inline constexpr std::uint8_t kIcmpv6 = 58;
}  // namespace ip_protocol

/** A copy of the fixed part of an IPv4 header, with its fields unchecked. */
class Ipv4Header {
 public:
  /** Without options. */
  static constexpr std::size_t kMinSize = 20;

  /** Precondition: bytes.size() >= kMinSize. */
  explicit Ipv4Header(std::span<const std::byte> bytes) noexcept
      : lengths_(bytes.data()), middle_(bytes.data() + 8), destination_(bytes.data() + 16) {}

  [[nodiscard]] std::uint8_t version() const noexcept { return first() >> 4; }
  /** In bytes, options included; of a packet that is whole 20 to 60. */
  [[nodiscard]] std::size_t header_size() const noexcept { return (first() & 0xfU) * 4U; }
  /** In bytes, header and payload. */
  [[nodiscard]] std::size_t total_length() const noexcept { return lengths_.get<std::uint16_t>(2); }
  [[nodiscard]] std::uint8_t tos() const noexcept { return lengths_.get<std::uint8_t>(1); }
  [[nodiscard]] std::uint8_t dscp() const noexcept { return tos() >> 2; }
  [[nodiscard]] std::uint16_t identification() const noexcept {
    return lengths_.get<std::uint16_t>(4);
  }
  [[nodiscard]] bool dont_fragment() const noexcept { return (fragment_word() & 0x4000U) != 0; }
  [[nodiscard]] bool more_fragments() const noexcept { return (fragment_word() & 0x2000U) != 0; }
  /** In bytes. */
  [[nodiscard]] std::size_t fragment_offset() const noexcept {
    return (fragment_word() & 0x1fffU) * std::size_t{8};
  }
  /** Part of a packet only, the first part included. */
  [[nodiscard]] bool is_fragment() const noexcept { return (fragment_word() & 0x3fffU) != 0; }
  /** Version 4 without options, and not a part only. */
  [[nodiscard]] bool is_plain() const noexcept { return first() == 0x45 && !is_fragment(); }
  /** Whether the checksum is right, of a header that is_plain(). */
  [[nodiscard]] bool plain_checksum_valid() const noexcept { return sum().valid(); }
  [[nodiscard]] std::uint8_t ttl() const noexcept { return middle_.get<std::uint8_t>(0); }
  [[nodiscard]] std::uint8_t protocol() const noexcept { return middle_.get<std::uint8_t>(1); }
  [[nodiscard]] std::uint16_t checksum() const noexcept { return middle_.get<std::uint16_t>(2); }
  [[nodiscard]] Ipv4Address source() const noexcept {
    return Ipv4Address{middle_.get<std::uint32_t>(4)};
  }
  [[nodiscard]] Ipv4Address destination() const noexcept {
    return Ipv4Address{destination_.get<std::uint32_t>(0)};
  }

 protected:
  [[nodiscard]] std::uint8_t first() const noexcept { return lengths_.get<std::uint8_t>(0); }
  [[nodiscard]] std::uint16_t fragment_word() const noexcept {
    return lengths_.get<std::uint16_t>(6);
  }
  [[nodiscard]] Checksum sum() const noexcept {
    return Checksum().add(lengths_).add(middle_).add(destination_);
  }

  Octets<std::uint64_t> lengths_;  // and what belongs to fragments
  Octets<std::uint64_t> middle_;   // to the source address
  Octets<std::uint32_t> destination_;
};

/**
 * An IPv4 packet: header and payload, without bytes behind its total length (Ethernet pads short
 * frames). Copied and checked once when made (see packet.hpp); the getters need no check.
 */
template <ByteLike Byte>
class BasicIpv4View : public Ipv4Header {
 public:
  /**
   * Empty unless the packet is complete: version 4, a header length of at least 20 bytes, and a
   * total length that covers the header and does not exceed the available bytes. The header
   * checksum is not verified: see checksum_valid().
   */
  [[nodiscard]] static std::optional<BasicIpv4View> at(std::span<Byte> bytes,
                                                       std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kMinSize) return std::nullopt;
    bytes = bytes.subspan(offset);
    return of(Ipv4Header(bytes), bytes);
  }
  /** The same with a header that has been copied from the beginning of `bytes`. */
  [[nodiscard]] static std::optional<BasicIpv4View> of(const Ipv4Header& header,
                                                       std::span<Byte> bytes) noexcept {
    const std::size_t size = header.header_size(), total = header.total_length();
    if (header.version() != 4 || size < kMinSize || total < size || total > bytes.size()) {
      return std::nullopt;
    }
    return BasicIpv4View(header, bytes.first(total), size);
  }

  /** In bytes, options included: 20 to 60. */
  [[nodiscard]] std::size_t header_size() const noexcept { return header_size_; }
  /** In bytes, header and payload. */
  [[nodiscard]] std::size_t total_length() const noexcept { return bytes_.size(); }
  /** The bytes in the packet, which differ from the getters if they are overwritten meanwhile. */
  [[nodiscard]] std::span<Byte> header() const noexcept { return bytes_.first(header_size_); }
  /** Not copied either. */
  [[nodiscard]] std::span<Byte> options() const noexcept {
    return bytes_.subspan(kMinSize, header_size_ - kMinSize);
  }
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(header_size_); }
  /** Whether the header checksum is correct. */
  [[nodiscard]] bool checksum_valid() const noexcept {
    // Nearly all headers have no options.
    if (header_size_ == kMinSize) [[likely]] {
      return sum().valid();
    }
    return sum().add(options()).valid();
  }

  /** The setters keep a right header checksum right (RFC 1624) and a wrong one wrong. */
  void set_ttl(std::uint8_t ttl) noexcept requires(!std::is_const_v<Byte>) {
    const auto before = middle_.get<std::uint16_t>(0);
    middle_.set<std::uint8_t>(0, ttl);
    set_checksum(updated_checksum(checksum(), before, middle_.get<std::uint16_t>(0)));
    // Whole words: a byte stored and read back as part of a word would wait for the store buffer.
    store_be<std::uint32_t>(bytes_, 8, middle_.get<std::uint32_t>(0));
  }
  void set_dscp(std::uint8_t dscp) noexcept requires(!std::is_const_v<Byte>) {
    const auto before = lengths_.get<std::uint16_t>(0);
    const auto after = static_cast<std::uint16_t>((before & 0xff03U) | ((dscp & 0x3fU) << 2));
    lengths_.set<std::uint16_t>(0, after);
    set_checksum(updated_checksum(checksum(), before, after));
    store_be<std::uint16_t>(bytes_, 0, after);
    store_be<std::uint16_t>(bytes_, 10, checksum());
  }
  void set_source(Ipv4Address address) noexcept requires(!std::is_const_v<Byte>) {
    set_checksum(updated_checksum32(checksum(), source().value, address.value));
    middle_.set<std::uint32_t>(4, address.value);
    store_be<std::uint64_t>(bytes_, 8, middle_.get<std::uint64_t>(0));
  }
  void set_destination(Ipv4Address address) noexcept requires(!std::is_const_v<Byte>) {
    set_checksum(updated_checksum32(checksum(), destination().value, address.value));
    destination_.set<std::uint32_t>(0, address.value);
    store_be<std::uint16_t>(bytes_, 10, checksum());
    address.store(bytes_.subspan(16));
  }
  /** Exchanges source and destination, which no checksum notices. */
  void swap_addresses() noexcept requires(!std::is_const_v<Byte>) {
    const Ipv4Address was = source();
    middle_.set<std::uint32_t>(4, destination().value);
    destination_.set<std::uint32_t>(0, was.value);
    source().store(bytes_.subspan(12));
    was.store(bytes_.subspan(16));
  }

 private:
  BasicIpv4View(const Ipv4Header& header, std::span<Byte> bytes, std::size_t header_size) noexcept
      : Ipv4Header(header), bytes_(bytes), header_size_(header_size) {}
  void set_checksum(std::uint16_t checksum) noexcept { middle_.set<std::uint16_t>(2, checksum); }

  std::span<Byte> bytes_;
  std::size_t header_size_;
};

using Ipv4View = BasicIpv4View<std::byte>;
using ConstIpv4View = BasicIpv4View<const std::byte>;

}  // namespace gstpacket
