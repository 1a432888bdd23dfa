// SPDX-License-Identifier: LGPL-2.1-or-later
//
// IPv4 headers (RFC 791).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/address.hpp"
#include "gst/packet/bytes.hpp"
#include "gst/packet/checksum.hpp"

namespace gstpacket {

/// Protocol numbers shared by IPv4's protocol and IPv6's next header field.
namespace ip_protocol {
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIcmpv6 = 58;
}  // namespace ip_protocol

/// An IPv4 packet: header and payload, without what lies behind its total length (Ethernet pads
/// short frames). Checked once when made; the getters need no check.
template <ByteLike Byte>
class BasicIpv4View {
 public:
  /// Without options.
  static constexpr std::size_t kMinSize = 20;

  /// Nothing unless there is a whole packet: version 4, a header length of at least 20 bytes, and a
  /// total length that covers the header and is not more than what is there. The header checksum is
  /// not looked at: see checksum_valid().
  [[nodiscard]] static std::optional<BasicIpv4View> at(std::span<Byte> bytes,
                                                       std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kMinSize) return std::nullopt;
    bytes = bytes.subspan(offset);
    const auto first = std::to_integer<unsigned>(bytes[0]);
    const std::size_t header = (first & 0xfU) * 4;
    const std::size_t total = load_be<std::uint16_t>(bytes, 2);
    if (first >> 4 != 4 || header < kMinSize || total < header || total > bytes.size()) {
      return std::nullopt;
    }
    return BasicIpv4View(bytes.first(total), header);
  }

  /// In bytes, options included: 20 to 60.
  [[nodiscard]] std::size_t header_size() const noexcept { return header_size_; }
  /// In bytes, header and payload.
  [[nodiscard]] std::size_t total_length() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::uint8_t tos() const noexcept { return load_be<std::uint8_t>(bytes_, 1); }
  [[nodiscard]] std::uint8_t dscp() const noexcept { return tos() >> 2; }
  [[nodiscard]] std::uint16_t identification() const noexcept {
    return load_be<std::uint16_t>(bytes_, 4);
  }
  [[nodiscard]] bool dont_fragment() const noexcept { return (fragment_word() & 0x4000U) != 0; }
  [[nodiscard]] bool more_fragments() const noexcept { return (fragment_word() & 0x2000U) != 0; }
  /// In bytes.
  [[nodiscard]] std::size_t fragment_offset() const noexcept {
    return (fragment_word() & 0x1fffU) * std::size_t{8};
  }
  /// Part of a packet only, the first part included.
  [[nodiscard]] bool is_fragment() const noexcept { return (fragment_word() & 0x3fffU) != 0; }
  [[nodiscard]] std::uint8_t ttl() const noexcept { return load_be<std::uint8_t>(bytes_, 8); }
  [[nodiscard]] std::uint8_t protocol() const noexcept { return load_be<std::uint8_t>(bytes_, 9); }
  [[nodiscard]] std::uint16_t checksum() const noexcept {
    return load_be<std::uint16_t>(bytes_, 10);
  }
  [[nodiscard]] Ipv4Address source() const noexcept {
    return Ipv4Address::load(bytes_.subspan(12));
  }
  [[nodiscard]] Ipv4Address destination() const noexcept {
    return Ipv4Address::load(bytes_.subspan(16));
  }
  [[nodiscard]] std::span<Byte> header() const noexcept { return bytes_.first(header_size_); }
  [[nodiscard]] std::span<Byte> options() const noexcept { return header().subspan(kMinSize); }
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(header_size_); }
  /// Whether the header checksum is right.
  [[nodiscard]] bool checksum_valid() const noexcept {
    // Nearly all headers have no options: a size that the compiler knows makes it a few additions.
    if (header_size_ == kMinSize) [[likely]] {
      return gstpacket::checksum_valid(bytes_.first(kMinSize));
    }
    return gstpacket::checksum_valid(header());
  }

  /// The setters keep a right header checksum right (RFC 1624) and a wrong one wrong.
  void set_ttl(std::uint8_t ttl) const noexcept requires(!std::is_const_v<Byte>) {
    const auto before = load_be<std::uint16_t>(bytes_, 8);
    set_word(8, before, static_cast<std::uint16_t>((ttl << 8) | (before & 0xffU)));
  }
  void set_dscp(std::uint8_t dscp) const noexcept requires(!std::is_const_v<Byte>) {
    const auto before = load_be<std::uint16_t>(bytes_, 0);
    set_word(0, before, static_cast<std::uint16_t>((before & 0xff03U) | ((dscp & 0x3fU) << 2)));
  }
  void set_source(Ipv4Address address) const noexcept requires(!std::is_const_v<Byte>) {
    patch(updated_checksum32(checksum(), source().value, address.value));
    address.store(bytes_.subspan(12));
  }
  void set_destination(Ipv4Address address) const noexcept requires(!std::is_const_v<Byte>) {
    patch(updated_checksum32(checksum(), destination().value, address.value));
    address.store(bytes_.subspan(16));
  }
  /// Exchanges source and destination, which no checksum notices.
  void swap_addresses() const noexcept requires(!std::is_const_v<Byte>) {
    const Ipv4Address was = source();
    destination().store(bytes_.subspan(12));
    was.store(bytes_.subspan(16));
  }

 private:
  BasicIpv4View(std::span<Byte> bytes, std::size_t header_size) noexcept
      : bytes_(bytes), header_size_(header_size) {}
  [[nodiscard]] std::uint16_t fragment_word() const noexcept {
    return load_be<std::uint16_t>(bytes_, 6);
  }
  // Whole words: a byte stored and read back as part of a word would wait for the store buffer.
  void set_word(std::size_t offset, std::uint16_t before, std::uint16_t after) const noexcept {
    store_be<std::uint16_t>(bytes_, offset, after);
    patch(updated_checksum(checksum(), before, after));
  }
  void patch(std::uint16_t checksum) const noexcept {
    store_be<std::uint16_t>(bytes_, 10, checksum);
  }

  std::span<Byte> bytes_;
  std::size_t header_size_;
};

using Ipv4View = BasicIpv4View<std::byte>;
using ConstIpv4View = BasicIpv4View<const std::byte>;

}  // namespace gstpacket
