// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ICMP (RFC 792), ICMPv6 (RFC 4443) and its neighbour discovery messages (RFC 4861).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/address.hpp"
#include "gst/packet/bytes.hpp"
#include "gst/packet/checksum.hpp"
#include "gst/packet/ipv4.hpp"

namespace gstpacket {

namespace detail {

// What both versions share: type, code, checksum and a second word.
template <ByteLike Byte>
class IcmpBase {
 public:
  /// Type, code, checksum, and the identifier and sequence number of an echo message.
  static constexpr std::size_t kSize = 8;

  [[nodiscard]] std::uint8_t type() const noexcept { return load_be<std::uint8_t>(bytes_, 0); }
  [[nodiscard]] std::uint8_t code() const noexcept { return load_be<std::uint8_t>(bytes_, 1); }
  [[nodiscard]] std::uint16_t checksum() const noexcept {
    return load_be<std::uint16_t>(bytes_, 2);
  }
  [[nodiscard]] std::uint16_t identifier() const noexcept {
    return load_be<std::uint16_t>(bytes_, 4);
  }
  [[nodiscard]] std::uint16_t sequence() const noexcept {
    return load_be<std::uint16_t>(bytes_, 6);
  }
  [[nodiscard]] std::span<Byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(kSize); }

  /// Keeps a right checksum right (RFC 1624) and a wrong one wrong.
  void set_type(std::uint8_t type) const noexcept requires(!std::is_const_v<Byte>) {
    const auto before = load_be<std::uint16_t>(bytes_, 0);
    const auto after = static_cast<std::uint16_t>((type << 8) | (before & 0xffU));
    store_be<std::uint16_t>(bytes_, 0, after);
    store_be<std::uint16_t>(bytes_, 2, updated_checksum(checksum(), before, after));
  }

 protected:
  explicit IcmpBase(std::span<Byte> bytes) noexcept : bytes_(bytes) {}
  std::span<Byte> bytes_;
};

}  // namespace detail

/// An ICMP message: all the bytes given, which must be the payload of an IPv4 packet.
template <ByteLike Byte>
class BasicIcmpView : public detail::IcmpBase<Byte> {
 public:
  static constexpr std::uint8_t kEchoReply = 0;
  static constexpr std::uint8_t kEchoRequest = 8;

  /// Nothing if there are fewer than 8 bytes.
  [[nodiscard]] static std::optional<BasicIcmpView> at(std::span<Byte> bytes) noexcept {
    if (bytes.size() < BasicIcmpView::kSize) return std::nullopt;
    return BasicIcmpView(bytes);
  }
  [[nodiscard]] bool checksum_valid() const noexcept {
    return gstpacket::checksum_valid(this->bytes_);
  }

 private:
  using detail::IcmpBase<Byte>::IcmpBase;
};

/// An ICMPv6 message: all the bytes given, which must be the payload of an IPv6 packet.
template <ByteLike Byte>
class BasicIcmpv6View : public detail::IcmpBase<Byte> {
 public:
  static constexpr std::uint8_t kEchoRequest = 128;
  static constexpr std::uint8_t kEchoReply = 129;
  static constexpr std::uint8_t kNeighbourSolicitation = 135;
  static constexpr std::uint8_t kNeighbourAdvertisement = 136;

  /// Nothing if there are fewer than 8 bytes.
  [[nodiscard]] static std::optional<BasicIcmpv6View> at(std::span<Byte> bytes) noexcept {
    if (bytes.size() < BasicIcmpv6View::kSize) return std::nullopt;
    return BasicIcmpv6View(bytes);
  }
  /// The addresses are those of the IPv6 header.
  [[nodiscard]] bool checksum_valid(const Ipv6Address& source,
                                    const Ipv6Address& destination) const noexcept {
    return sum(source, destination).valid();
  }
  void update_checksum(const Ipv6Address& source, const Ipv6Address& destination) const noexcept
      requires(!std::is_const_v<Byte>) {
    store_be<std::uint16_t>(this->bytes_, 2, 0);
    store_be<std::uint16_t>(this->bytes_, 2, sum(source, destination).value());
  }

 private:
  using detail::IcmpBase<Byte>::IcmpBase;
  [[nodiscard]] Checksum sum(const Ipv6Address& source,
                             const Ipv6Address& destination) const noexcept {
    return Checksum()
        .add_pseudo(source, destination, ip_protocol::kIcmpv6,
                    static_cast<std::uint32_t>(this->bytes_.size()))
        .add(this->bytes_);
  }
};

using IcmpView = BasicIcmpView<std::byte>;
using ConstIcmpView = BasicIcmpView<const std::byte>;
using Icmpv6View = BasicIcmpv6View<std::byte>;
using ConstIcmpv6View = BasicIcmpv6View<const std::byte>;

/// A neighbour solicitation (RFC 4861 4.3), its options walked once when the view is made.
class NeighbourSolicitation {
 public:
  /// Type, code, checksum, reserved, target.
  static constexpr std::size_t kSize = 24;

  /// Nothing if `message` (an ICMPv6 message) is shorter than 24 bytes, its code is not 0, or an
  /// option has no length or reaches beyond the end: the checks of RFC 4861 7.1.1 that need no
  /// addresses.
  [[nodiscard]] static std::optional<NeighbourSolicitation> at(
      std::span<const std::byte> message) noexcept {
    if (message.size() < kSize || message[1] != std::byte{0}) return std::nullopt;
    NeighbourSolicitation view(Ipv6Address::load(message.subspan(8)));
    auto options = message.subspan(kSize);
    while (!options.empty()) {
      if (options.size() < 2) return std::nullopt;
      const std::size_t size = std::to_integer<std::size_t>(options[1]) * 8;
      if (size == 0 || size > options.size()) return std::nullopt;
      // Option 1 is the source link-layer address; one of 8 bytes holds a MAC.
      if (options[0] == std::byte{1} && size == 8) view.source_ = Mac::load(options.subspan(2));
      options = options.subspan(size);
    }
    return view;
  }
  [[nodiscard]] const Ipv6Address& target() const noexcept { return target_; }
  /// The source link-layer address option, if there is one.
  [[nodiscard]] const std::optional<Mac>& source_mac() const noexcept { return source_; }

 private:
  explicit NeighbourSolicitation(const Ipv6Address& target) noexcept : target_(target) {}
  Ipv6Address target_;
  std::optional<Mac> source_;
};

}  // namespace gstpacket
