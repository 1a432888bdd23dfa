// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * ICMP (RFC 792), ICMPv6 (RFC 4443) and its neighbour discovery messages (RFC 4861).
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ipv4.hpp"

namespace gstpacket {

namespace detail {

// What both versions share: type, code, checksum and a second word, copied when the view is made
// (see packet.hpp).
template <ByteLike Byte>
class IcmpBase {
 public:
  /** Type, code, checksum, and the identifier and sequence number of an echo message. */
  static constexpr std::size_t kSize = 8;

  [[nodiscard]] std::uint8_t type() const noexcept { return header_.template get<std::uint8_t>(0); }
  [[nodiscard]] std::uint8_t code() const noexcept { return header_.template get<std::uint8_t>(1); }
  [[nodiscard]] std::uint16_t checksum() const noexcept {
    return header_.template get<std::uint16_t>(2);
  }
  [[nodiscard]] std::uint16_t identifier() const noexcept {
    return header_.template get<std::uint16_t>(4);
  }
  [[nodiscard]] std::uint16_t sequence() const noexcept {
    return header_.template get<std::uint16_t>(6);
  }
  [[nodiscard]] std::span<Byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(kSize); }

  /** Keeps a right checksum right (RFC 1624) and a wrong one wrong. */
  void set_type(std::uint8_t type) noexcept requires(!std::is_const_v<Byte>) {
    const auto before = header_.template get<std::uint16_t>(0);
    const auto after = static_cast<std::uint16_t>((type << 8) | (before & 0xffU));
    const std::uint16_t sum = updated_checksum(checksum(), before, after);
    set(0, after);
    set(2, sum);
  }

 protected:
  explicit IcmpBase(std::span<Byte> bytes) noexcept : bytes_(bytes), header_(bytes.data()) {}
  void set(std::size_t offset, std::uint16_t value) noexcept requires(!std::is_const_v<Byte>) {
    header_.template set<std::uint16_t>(offset, value);
    store_be<std::uint16_t>(bytes_, offset, value);
  }
  std::span<Byte> bytes_;
  Octets<std::uint64_t> header_;
};

}  // namespace detail

/** An ICMP message: all the bytes given, which must be the payload of an IPv4 packet. */
template <ByteLike Byte>
class BasicIcmpView : public detail::IcmpBase<Byte> {
 public:
  static constexpr std::uint8_t kEchoReply = 0;
  static constexpr std::uint8_t kEchoRequest = 8;

  /** Empty if there are fewer than 8 bytes. */
  [[nodiscard]] static std::optional<BasicIcmpView> at(std::span<Byte> bytes) noexcept {
    if (bytes.size() < BasicIcmpView::kSize) return std::nullopt;
    return BasicIcmpView(bytes);
  }
  [[nodiscard]] bool checksum_valid() const noexcept {
    return Checksum().add(this->header_, this->payload()).valid();
  }

 private:
  using detail::IcmpBase<Byte>::IcmpBase;
};

/** An ICMPv6 message: all the bytes given, which must be the payload of an IPv6 packet. */
template <ByteLike Byte>
class BasicIcmpv6View : public detail::IcmpBase<Byte> {
 public:
  static constexpr std::uint8_t kEchoRequest = 128;
  static constexpr std::uint8_t kEchoReply = 129;
  static constexpr std::uint8_t kNeighbourSolicitation = 135;
  static constexpr std::uint8_t kNeighbourAdvertisement = 136;

  /** Empty if there are fewer than 8 bytes. */
  [[nodiscard]] static std::optional<BasicIcmpv6View> at(std::span<Byte> bytes) noexcept {
    if (bytes.size() < BasicIcmpv6View::kSize) return std::nullopt;
    return BasicIcmpv6View(bytes);
  }
  /** The addresses are those of the IPv6 header. */
  [[nodiscard]] bool checksum_valid(const Ipv6Address& source,
                                    const Ipv6Address& destination) const noexcept {
    return sum(source, destination).valid();
  }
  void update_checksum(const Ipv6Address& source, const Ipv6Address& destination) noexcept
      requires(!std::is_const_v<Byte>) {
    this->header_.template set<std::uint16_t>(2, 0);
    this->set(2, sum(source, destination).value());
  }

 private:
  using detail::IcmpBase<Byte>::IcmpBase;
  [[nodiscard]] Checksum sum(const Ipv6Address& source,
                             const Ipv6Address& destination) const noexcept {
    return Checksum()
        .add_pseudo(source, destination, ip_protocol::kIcmpv6,
                    static_cast<std::uint32_t>(this->bytes_.size()))
        .add(this->header_, this->payload());
  }
};

using IcmpView = BasicIcmpView<std::byte>;
using ConstIcmpView = BasicIcmpView<const std::byte>;
using Icmpv6View = BasicIcmpv6View<std::byte>;
using ConstIcmpv6View = BasicIcmpv6View<const std::byte>;

/**
 * A neighbour solicitation (RFC 4861 4.3), copied and its options walked once when the view is
 * made.
 */
class NeighbourSolicitation {
 public:
  /** Type, code, checksum, reserved, target. */
  static constexpr std::size_t kSize = 24;

  /**
   * Empty if the message is shorter than 24 bytes, its code is not 0, or an option has no length
   * or reaches beyond the end: the checks of RFC 4861 7.1.1 that need no addresses. The caller
   * checks the type.
   */
  template <ByteLike Byte>
  [[nodiscard]] static std::optional<NeighbourSolicitation> of(
      const BasicIcmpv6View<Byte>& message) noexcept {
    const std::span<const std::byte> bytes = message.bytes();
    if (bytes.size() < kSize || message.code() != 0) return std::nullopt;
    NeighbourSolicitation view(Ipv6Address::load(bytes.subspan(8)));
    return view.walk_options(bytes.subspan(kSize)) ? std::optional(view) : std::nullopt;
  }
  /** The same for the unparsed bytes of an ICMPv6 message. */
  [[nodiscard]] static std::optional<NeighbourSolicitation> at(
      std::span<const std::byte> message) noexcept {
    const auto view = ConstIcmpv6View::at(message);
    return view ? of(*view) : std::nullopt;
  }
  [[nodiscard]] const Ipv6Address& target() const noexcept { return target_; }
  /** The source link-layer address option, if there is one. */
  [[nodiscard]] const std::optional<Mac>& source_mac() const noexcept { return source_; }

 private:
  explicit NeighbourSolicitation(const Ipv6Address& target) noexcept : target_(target) {}

  bool walk_options(std::span<const std::byte> options) noexcept {
    constexpr std::uint8_t kSourceLinkLayerAddress = 1;
    while (!options.empty()) {
      if (options.size() < 2) return false;
      const auto type_and_size = load_be<std::uint16_t>(options);
      const std::size_t size = (type_and_size & 0xffU) * std::size_t{8};
      if (size == 0 || size > options.size()) return false;
      // One of 8 bytes holds a MAC.
      if (type_and_size >> 8 == kSourceLinkLayerAddress && size == 8) {
        source_ = Mac::load(options.subspan(2));
      }
      options = options.subspan(size);
    }
    return true;
  }

  Ipv6Address target_;
  std::optional<Mac> source_;
};

}  // namespace gstpacket
