// SPDX-License-Identifier: LGPL-2.1-or-later
//
// IPv4 echo requests as nearly all of them are - no options, no fragment - recognised and answered
// some words at a time. All others are for who looks at one field after the other.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gst/packet/address.hpp"
#include "gst/packet/bytes.hpp"
#include "gst/packet/checksum.hpp"
#include "gst/packet/ethernet.hpp"
#include "gst/packet/icmp.hpp"
#include "gst/packet/ipv4.hpp"

namespace gstpacket {

/// Some bits of eight bytes that lie together, in the order they have in the packet.
class WordPattern {
 public:
  using Word = std::array<std::uint8_t, 8>;

  constexpr WordPattern(const Word& mask, const Word& value) noexcept
      : mask_(std::bit_cast<std::uint64_t>(mask)),
        value_(std::bit_cast<std::uint64_t>(value) & mask_) {}
  /// The bits that differ: 0 if the word at `bytes` has the pattern.
  [[nodiscard]] std::uint64_t differs(const std::byte* bytes) const noexcept {
    return (detail::load_word<std::uint64_t>(bytes) & mask_) ^ value_;
  }

 private:
  std::uint64_t mask_;
  std::uint64_t value_;
};

/// Knows frames from one station to us, untagged, with IPv4 in them.
class PlainFrame {
 public:
  /// Of a header, in bytes.
  static constexpr std::size_t kSize = EthernetView::kSize;
  /// What is_at() looks at, in bytes.
  static constexpr std::size_t kSeen = 16;

  PlainFrame() = default;
  explicit PlainFrame(const Mac& us) noexcept { std::memcpy(&us_, us.bytes.data(), Mac::kSize); }

  /// Whether one begins at `frame`, where there are kSeen bytes.
  [[nodiscard]] bool is_at(const std::byte* frame) const noexcept {
    constexpr WordPattern kType({0, 0, 0, 0, 0xff, 0xff},
                                {0, 0, 0, 0, ethertype::kIpv4 >> 8, ethertype::kIpv4 & 0xff});
    const std::uint64_t to = detail::load_word<std::uint64_t>(frame) & kMac;
    const std::uint64_t from = detail::load_word<std::uint64_t>(frame + Mac::kSize) & kMac;
    return ((to ^ us_) | (from & kGroup) | kType.differs(frame + 8)) == 0 && from != us_ &&
           from != 0;
  }
  /// Makes it a frame from us to that station.
  void answer(std::byte* frame) const noexcept {
    std::memcpy(frame, frame + Mac::kSize, Mac::kSize);
    std::memcpy(frame + Mac::kSize, &us_, Mac::kSize);
  }

 private:
  static constexpr auto kMac =
      std::bit_cast<std::uint64_t>(WordPattern::Word{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  static constexpr auto kGroup = std::bit_cast<std::uint64_t>(WordPattern::Word{1});

  std::uint64_t us_ = 0;  // as in the packet, with two zero bytes behind it
};

/// An IPv4 packet without options that is no fragment and holds an echo request of code 0.
class PlainEcho {
 public:
  /// The headers of IPv4 and ICMP, in bytes.
  static constexpr std::size_t kMinSize = Ipv4View::kMinSize + IcmpView::kSize;

  /// Whether there is one at the beginning of `bytes`, with padding behind it or not. Addresses and
  /// checksums are not looked at.
  [[nodiscard]] static bool is_at(std::span<const std::byte> bytes) noexcept {
    constexpr WordPattern kVersionAndFragment({0xff, 0, 0, 0, 0, 0, 0x3f, 0xff}, {0x45});
    constexpr WordPattern kProtocol({0, 0xff}, {0, ip_protocol::kIcmp});
    constexpr WordPattern kTypeAndCode({0xff, 0xff}, {IcmpView::kEchoRequest, 0});
    if (bytes.size() < kMinSize) return false;
    const std::size_t total = load_be<std::uint16_t>(bytes, 2);
    const std::byte* ip = bytes.data();
    return (kVersionAndFragment.differs(ip) | kProtocol.differs(ip + 8) |
            kTypeAndCode.differs(ip + kIcmp)) == 0 &&
           total >= kMinSize && total <= bytes.size();
  }
  /// Precondition: is_at(bytes).
  explicit PlainEcho(std::span<std::byte> bytes) noexcept
      : bytes_(bytes.first(load_be<std::uint16_t>(bytes, 2))) {}

  /// In bytes, without padding.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] Ipv4Address source() const noexcept {
    return Ipv4Address::load(bytes_.subspan(kAddresses));
  }
  [[nodiscard]] Ipv4Address destination() const noexcept {
    return Ipv4Address::load(bytes_.subspan(kAddresses + Ipv4Address::kSize));
  }
  /// Those of the header and of the message.
  [[nodiscard]] bool checksums_valid() const noexcept {
    return checksum_valid(bytes_.first(kIcmp)) && checksum_valid(bytes_.subspan(kIcmp));
  }

  /// Makes the reply of it. Right checksums stay right, and wrong ones wrong (RFC 1624).
  void answer(std::uint8_t ttl) const noexcept {
    patch(kIcmp, IcmpView::kEchoRequest << 8, IcmpView::kEchoReply << 8);
    const auto before = load_be<std::uint16_t>(bytes_, kTtl);
    const auto after = static_cast<std::uint16_t>(ttl << 8 | ip_protocol::kIcmp);
    if (before != after) patch(kTtl, before, after);
    // No checksum notices that the addresses change places.
    std::byte* const at = bytes_.data() + kAddresses;
    const std::uint64_t addresses = std::rotl(detail::load_word<std::uint64_t>(at), 32);
    std::memcpy(at, &addresses, sizeof addresses);
  }

 private:
  static constexpr std::size_t kTtl = 8;  // and the protocol
  static constexpr std::size_t kAddresses = 12;
  static constexpr std::size_t kIcmp = Ipv4View::kMinSize;

  // Both words have their checksum behind them.
  void patch(std::size_t offset, std::uint16_t before, std::uint16_t after) const noexcept {
    const auto sum = load_be<std::uint16_t>(bytes_, offset + 2);
    store_be<std::uint16_t>(bytes_, offset, after);
    store_be<std::uint16_t>(bytes_, offset + 2, updated_checksum(sum, before, after));
  }

  std::span<std::byte> bytes_;
};

}  // namespace gstpacket
