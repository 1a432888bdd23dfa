// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * UDP (RFC 768).
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

/**
 * A UDP datagram: header and payload, without bytes behind its length. The header is copied when
 * the view is made (see packet.hpp).
 */
template <ByteLike Byte>
class BasicUdpView {
 public:
  static constexpr std::size_t kSize = 8;

  /**
   * Empty unless the datagram is complete: a length of at least 8 that does not exceed the
   * available bytes.
   */
  [[nodiscard]] static std::optional<BasicUdpView> at(std::span<Byte> bytes,
                                                      std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kSize) return std::nullopt;
    bytes = bytes.subspan(offset);
    const Header header(bytes.data());
    const std::size_t length = header.template get<std::uint16_t>(4);
    if (length < kSize || length > bytes.size()) return std::nullopt;
    return BasicUdpView(bytes.first(length), header);
  }

  [[nodiscard]] std::uint16_t source_port() const noexcept {
    return header_.template get<std::uint16_t>(0);
  }
  [[nodiscard]] std::uint16_t destination_port() const noexcept {
    return header_.template get<std::uint16_t>(2);
  }
  /** In bytes, header and payload. */
  [[nodiscard]] std::size_t length() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::uint16_t checksum() const noexcept {
    return header_.template get<std::uint16_t>(6);
  }
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(kSize); }

  /**
   * A checksum of 0 means none over IPv4, and is an error over IPv6 (RFC 8200 8.1). `Address` is
   * Ipv4Address or Ipv6Address.
   */
  template <class Address>
  [[nodiscard]] bool checksum_valid(const Address& source,
                                    const Address& destination) const noexcept {
    if (checksum() == 0) return std::same_as<Address, Ipv4Address>;
    return sum(source, destination).valid();
  }
  /** Computes the checksum; a sum of 0 is sent as 0xffff (RFC 768). */
  template <class Address>
  void update_checksum(const Address& source, const Address& destination) noexcept
      requires(!std::is_const_v<Byte>) {
    header_.template set<std::uint16_t>(6, 0);
    const std::uint16_t value = sum(source, destination).value();
    set(6, value == 0 ? 0xffff : value);
  }
  void set_source_port(std::uint16_t port) noexcept requires(!std::is_const_v<Byte>) {
    set(0, port);
  }
  void set_destination_port(std::uint16_t port) noexcept requires(!std::is_const_v<Byte>) {
    set(2, port);
  }

 private:
  using Header = Octets<std::uint64_t>;
  BasicUdpView(std::span<Byte> bytes, Header header) noexcept : bytes_(bytes), header_(header) {}
  void set(std::size_t offset, std::uint16_t value) noexcept {
    header_.template set<std::uint16_t>(offset, value);
    store_be<std::uint16_t>(bytes_, offset, value);
  }
  template <class Address>
  [[nodiscard]] Checksum sum(const Address& source, const Address& destination) const noexcept {
    return Checksum()
        .add_pseudo(source, destination, ip_protocol::kUdp,
                    static_cast<std::uint16_t>(bytes_.size()))
        .add(header_, payload());
  }

  std::span<Byte> bytes_;
  Header header_;  // all of it, copied
};

using UdpView = BasicUdpView<std::byte>;
using ConstUdpView = BasicUdpView<const std::byte>;

}  // namespace gstpacket
