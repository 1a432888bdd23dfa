// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The fast path for ordinary IPv4 echo requests, without options and not fragmented: recognised and
 * answered a word at a time. All others take the slow path, field by field.
 */
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"

namespace packetplugin {

using namespace gstpacket;

/** Some bits of eight bytes that lie together, in the order they have in the packet. */
class WordPattern {
 public:
  using Word = std::array<std::uint8_t, 8>;

  constexpr WordPattern(const Word& mask, const Word& value) noexcept
      : mask_(std::bit_cast<std::uint64_t>(mask)),
        value_(std::bit_cast<std::uint64_t>(value) & mask_) {}
  /** The bits that differ: 0 if `word` has the pattern. */
  [[nodiscard]] constexpr std::uint64_t differs(std::uint64_t word) const noexcept {
    return (word & mask_) ^ value_;
  }

 private:
  std::uint64_t mask_;
  std::uint64_t value_;
};

/** Recognises untagged IPv4 frames from one station to us. */
class PlainFrame {
 public:
  /** Of a header, in bytes. */
  static constexpr std::size_t kSize = EthernetView::kSize;
  /** A MAC address in packet order, followed by two zero bytes. */
  using Station = std::uint64_t;

  PlainFrame() = default;
  explicit PlainFrame(const Mac& us) noexcept { std::memcpy(&us_, us.bytes.data(), Mac::kSize); }

  /**
   * The sender of the frame at `frame`, which has kSize bytes or more; 0 if it is not such a
   * frame.
   */
  [[nodiscard]] Station sender_of(const std::byte* frame) const noexcept {
    constexpr WordPattern kStationAndType({1, 0, 0, 0, 0, 0, 0xff, 0xff},
                                          {0, 0, 0, 0, 0, 0, kIpv4 >> 8, kIpv4 & 0xff});
    const Station to = load_word<std::uint64_t>(frame) & kMac;
    const auto from_and_type = load_word<std::uint64_t>(frame + Mac::kSize);
    const Station from = from_and_type & kMac;
    if (((to ^ us_) | kStationAndType.differs(from_and_type)) != 0) return 0;
    if (from == us_) [[unlikely]] {
      return 0;
    }
    return from;
  }
  /** Turns it into a frame from us to `station`. */
  void answer(std::byte* frame, Station station) const noexcept {
    store(frame, station);
    store(frame + Mac::kSize, us_);
  }

 private:
  static constexpr auto kMac =
      std::bit_cast<std::uint64_t>(WordPattern::Word{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  static constexpr std::uint16_t kIpv4 = ethertype::kIpv4;

  static void store(std::byte* to, Station station) noexcept {
    constexpr bool kLittle = std::endian::native == std::endian::little;
    const auto first = static_cast<std::uint32_t>(kLittle ? station : station >> 32);
    const auto rest = static_cast<std::uint16_t>(station >> (kLittle ? 32 : 16));
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + sizeof first, &rest, sizeof rest);
  }

  Station us_ = 0;
};

/**
 * A copy of the headers of an IPv4 packet without options and of its ICMP message: all answers,
 * and the reply, are made from that copy.
 */
class PlainEcho {
 public:
  /** The headers of IPv4 and ICMP, in bytes. */
  static constexpr std::size_t kMinSize = Ipv4View::kMinSize + IcmpView::kSize;

  /** Precondition: bytes.size() >= kMinSize. */
  explicit PlainEcho(std::span<std::byte> bytes) noexcept
      : start_(bytes.data()),
        lengths_(start_),
        ttl_(start_ + kTtl),
        addresses_(start_ + kAddresses),
        message_(start_ + kIcmp),
        size_(lengths_.get<std::uint16_t>(2)) {}

  /**
   * Whether this is an unfragmented echo request of code 0 within the first `room` bytes, possibly
   * followed by padding. If not, the other members are meaningless. Addresses and checksums are
   * not checked. Precondition: room >= kMinSize.
   */
  [[nodiscard]] bool is_request(std::size_t room) const noexcept {
    constexpr WordPattern kVersionAndFragment({0xff, 0, 0, 0, 0, 0, 0x3f, 0xff}, {0x45});
    constexpr WordPattern kTypeAndCode({0xff, 0xff}, {IcmpView::kEchoRequest, 0});
    return (kVersionAndFragment.differs(lengths_.word()) | kTypeAndCode.differs(message_.word())) ==
               0 &&
           ttl_.get<std::uint8_t>(1) == ip_protocol::kIcmp && size_ - kMinSize <= room - kMinSize;
  }

  /** In bytes, without padding. */
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Ipv4Address source() const noexcept {
    return Ipv4Address{addresses_.get<std::uint32_t>(0)};
  }
  [[nodiscard]] Ipv4Address destination() const noexcept {
    return Ipv4Address{addresses_.get<std::uint32_t>(4)};
  }
  /** Those of the header and of the message. */
  [[nodiscard, gnu::always_inline]] bool checksums_valid() const noexcept {
    return Checksum().add(lengths_).add(ttl_).add(addresses_).valid() &&
           Checksum().add(message_, {start_ + kMinSize, size_ - kMinSize}).valid();
  }

  /** Turns it into the reply. Correct checksums stay correct, and wrong ones wrong (RFC 1624). */
  void answer(std::uint8_t ttl) const noexcept {
    patch(kIcmp, message_.part<std::uint16_t>(2), swap_if_little(kRequest), swap_if_little(kReply));
    const auto before = ttl_.part<std::uint16_t>(0);
    const auto after = swap_if_little(static_cast<std::uint16_t>(ttl << 8 | ip_protocol::kIcmp));
    if (before != after) patch(kTtl, ttl_.part<std::uint16_t>(2), before, after);
    // Swapping the addresses does not change any checksum.
    store(kAddresses, std::rotl(addresses_.word(), 32));
  }

 private:
  // Type and code.
  static constexpr std::uint16_t kRequest = IcmpView::kEchoRequest << 8;
  static constexpr std::uint16_t kReply = IcmpView::kEchoReply << 8;
  // Offsets.
  static constexpr std::size_t kTtl = 8;  // the protocol and the checksum behind it
  static constexpr std::size_t kAddresses = 12;
  static constexpr std::size_t kIcmp = Ipv4View::kMinSize;

  template <class Word>
  void store(std::size_t offset, Word word) const noexcept {
    std::memcpy(start_ + offset, &word, sizeof word);
  }
  // Two bytes that have their checksum behind them, all as in the packet.
  void patch(std::size_t offset, std::uint16_t sum, std::uint16_t before,
             std::uint16_t after) const noexcept {
    store(offset, after);
    store(offset + 2, updated_checksum(sum, before, after));
  }

  std::byte* start_;
  Octets<std::uint64_t> lengths_;  // up to the TTL
  Octets<std::uint32_t> ttl_;
  Octets<std::uint64_t> addresses_;
  Octets<std::uint64_t> message_;  // its header
  std::size_t size_;
};

}  // namespace packetplugin
