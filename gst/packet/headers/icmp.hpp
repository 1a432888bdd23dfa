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
  static constexpr std::uint8_t kDestinationUnreachable = 3;
  static constexpr std::uint8_t kEchoRequest = 8;
  /** A code of kDestinationUnreachable. */
  static constexpr std::uint8_t kPortUnreachable = 3;

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
  static constexpr std::uint8_t kDestinationUnreachable = 1;
  static constexpr std::uint8_t kEchoRequest = 128;
  static constexpr std::uint8_t kEchoReply = 129;
  /** Multicast listener discovery (RFC 2710, RFC 3810). */
  static constexpr std::uint8_t kListenerQuery = 130;
  static constexpr std::uint8_t kListenerReport = 131;
  static constexpr std::uint8_t kListenerDone = 132;
  static constexpr std::uint8_t kListenerReportV2 = 143;
  static constexpr std::uint8_t kNeighbourSolicitation = 135;
  static constexpr std::uint8_t kNeighbourAdvertisement = 136;
  /** A code of kDestinationUnreachable. */
  static constexpr std::uint8_t kPortUnreachable = 4;

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

namespace detail {

// What both neighbour messages share: a word of flags, a target, and options, of which one is a MAC
// address. Copied and walked once when made.
class NeighbourMessage {
 public:
  /** Type, code, checksum, flags, target. */
  static constexpr std::size_t kSize = 24;

  [[nodiscard]] const Ipv6Address& target() const noexcept { return target_; }

 protected:
  explicit NeighbourMessage(std::span<const std::byte> bytes) noexcept
      : flags_(load_be<std::uint8_t>(bytes, 4)), target_(Ipv6Address::load(bytes.subspan(8))) {}

  bool walk_options(std::span<const std::byte> options, std::uint8_t wanted) noexcept {
    while (!options.empty()) {
      if (options.size() < 2) return false;
      const auto type_and_size = load_be<std::uint16_t>(options);
      const std::size_t size = (type_and_size & 0xffU) * std::size_t{8};
      if (size == 0 || size > options.size()) return false;
      // One of 8 bytes holds a MAC.
      if (type_and_size >> 8 == wanted && size == 8) mac_ = Mac::load(options.subspan(2));
      options = options.subspan(size);
    }
    return true;
  }
  template <class Message, ByteLike Byte>
  [[nodiscard]] static std::optional<Message> parse(const BasicIcmpv6View<Byte>& message,
                                                    std::uint8_t option) noexcept {
    const std::span<const std::byte> bytes = message.bytes();
    if (bytes.size() < kSize || message.code() != 0) return std::nullopt;
    Message view(bytes);
    return view.walk_options(bytes.subspan(kSize), option) ? std::optional(view) : std::nullopt;
  }

  std::uint8_t flags_;
  Ipv6Address target_;
  std::optional<Mac> mac_;
};

}  // namespace detail

/**
 * A neighbour solicitation (RFC 4861 4.3), copied and its options walked once when the view is
 * made.
 */
class NeighbourSolicitation : public detail::NeighbourMessage {
 public:
  /**
   * Empty if the message is shorter than 24 bytes, its code is not 0, or an option has no length
   * or reaches beyond the end: the checks of RFC 4861 7.1.1 that need no addresses. The caller
   * checks the type.
   */
  template <ByteLike Byte>
  [[nodiscard]] static std::optional<NeighbourSolicitation> of(
      const BasicIcmpv6View<Byte>& message) noexcept {
    constexpr std::uint8_t kSourceLinkLayerAddress = 1;
    return parse<NeighbourSolicitation>(message, kSourceLinkLayerAddress);
  }
  /** The same for the unparsed bytes of an ICMPv6 message. */
  [[nodiscard]] static std::optional<NeighbourSolicitation> at(
      std::span<const std::byte> message) noexcept {
    const auto view = ConstIcmpv6View::at(message);
    return view ? of(*view) : std::nullopt;
  }
  /** The source link-layer address option, if there is one. */
  [[nodiscard]] const std::optional<Mac>& source_mac() const noexcept { return mac_; }

 private:
  friend class detail::NeighbourMessage;
  using detail::NeighbourMessage::NeighbourMessage;
};

/** A neighbour advertisement (RFC 4861 4.4), in the same way. */
class NeighbourAdvertisement : public detail::NeighbourMessage {
 public:
  /** The checks of RFC 4861 7.1.2 that need no addresses, as for a solicitation. */
  template <ByteLike Byte>
  [[nodiscard]] static std::optional<NeighbourAdvertisement> of(
      const BasicIcmpv6View<Byte>& message) noexcept {
    constexpr std::uint8_t kTargetLinkLayerAddress = 2;
    return parse<NeighbourAdvertisement>(message, kTargetLinkLayerAddress);
  }
  /** The same for the unparsed bytes of an ICMPv6 message. */
  [[nodiscard]] static std::optional<NeighbourAdvertisement> at(
      std::span<const std::byte> message) noexcept {
    const auto view = ConstIcmpv6View::at(message);
    return view ? of(*view) : std::nullopt;
  }
  [[nodiscard]] bool is_router() const noexcept { return (flags_ & 0x80U) != 0; }
  /** An answer to a solicitation. */
  [[nodiscard]] bool is_solicited() const noexcept { return (flags_ & 0x40U) != 0; }
  /** Replaces what was known before. */
  [[nodiscard]] bool is_override() const noexcept { return (flags_ & 0x20U) != 0; }
  /** The target link-layer address option, if there is one. */
  [[nodiscard]] const std::optional<Mac>& target_mac() const noexcept { return mac_; }

 private:
  friend class detail::NeighbourMessage;
  using detail::NeighbourMessage::NeighbourMessage;
};

}  // namespace gstpacket
