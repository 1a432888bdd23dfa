// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The headers of UDP datagrams over IPv4 and IPv6, from the link header to that of UDP.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/checksum.hpp"

namespace ipplugin {

using namespace gstpacket;

/** What all datagrams of one flow have in common. */
struct DatagramFlow {
  std::span<const std::byte> link_header;  ///< in front of the IP header; up to 18 bytes
  IpAddress source;                        ///< of the same family as destination
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t hop_limit = 64;  ///< TTL or hop limit
  std::uint8_t dscp = 0;        ///< 0 to 63
  bool checksum = true;         ///< over IPv4; over IPv6 there always is one
};

/** A part of a datagram that was too long for one packet. */
struct Fragment {
  std::size_t offset = 0;  ///< in the IP payload, in bytes; a multiple of eight
  bool more = false;       ///< others follow
  std::uint32_t identification = 0;
};

/**
 * Headers to be copied in front of each datagram of a flow, with the sums of what stays the same.
 * Immutable; any thread.
 */
class DatagramTemplate {
 public:
  static constexpr std::size_t kMaxLinkHeader = 18;
  static constexpr std::size_t kUdpHeader = 8;
  static constexpr std::size_t kV4Header = 20;
  static constexpr std::size_t kV6Header = 40;
  static constexpr std::size_t kFragmentHeader = 8;  // of IPv6
  static constexpr std::size_t kMaxHeaders = kMaxLinkHeader + kV6Header + kUdpHeader;
  /** The length fields have 16 bits. */
  static constexpr std::size_t kMaxLength = 65535;

  explicit DatagramTemplate(const DatagramFlow& flow) noexcept;

  /** Bytes in front of the payload: link, IP and UDP header. */
  [[nodiscard]] std::size_t size() const noexcept { return udp_ + kUdpHeader; }
  [[nodiscard]] std::size_t link_size() const noexcept { return ip_; }
  /** The longest payload in one packet of `mtu` bytes; 0 if there is no room for any. */
  [[nodiscard]] std::size_t longest_payload(std::size_t mtu) const noexcept {
    const std::size_t headers = size() - ip_;
    return mtu > headers ? (mtu < max_packet() ? mtu : max_packet()) - headers : 0;
  }
  /** The longest payload that fragments can carry. */
  [[nodiscard]] std::size_t longest_fragmented() const noexcept {
    return max_packet() - (size() - ip_);
  }

  /**
   * Writes the headers of a datagram to `packet`, whose payload is behind them already.
   * Precondition: packet.size() >= size(), and no more payload than longest_fragmented().
   * @param sum of the payload, as ones_complement_sum() has it
   */
  void write(std::span<std::byte> packet, std::uint64_t sum) const noexcept;

  /**
   * Writes the UDP header of a datagram that is sent in fragments to the front of `udp`, whose
   * payload is behind it already.
   */
  void write_udp(std::span<std::byte> udp, std::uint64_t sum) const noexcept;
  /** Bytes in front of the data of a fragment: link, IP and, in IPv6, fragment header. */
  [[nodiscard]] std::size_t fragment_headers() const noexcept {
    return udp_ + (v6_ ? kFragmentHeader : 0);
  }
  /** How many bytes of data a fragment carries that is not the last: a multiple of eight, or 0. */
  [[nodiscard]] std::size_t fragment_data(std::size_t mtu) const noexcept {
    const std::size_t headers = fragment_headers() - ip_;
    return mtu > headers ? (mtu - headers) & ~std::size_t{7} : 0;
  }
  /** Writes the headers of a fragment to `packet`, whose data is behind them. */
  void write_fragment(std::span<std::byte> packet, const Fragment& fragment) const noexcept;

 private:
  [[nodiscard]] std::size_t max_packet() const noexcept {
    return v6_ ? kMaxLength + kV6Header : kMaxLength;
  }
  void make_ip(const DatagramFlow& flow) noexcept;
  void finish_ip(std::byte* ip, std::size_t length, std::uint16_t fragment,
                 std::uint16_t identification) const noexcept;
  [[nodiscard]] std::uint16_t udp_checksum(std::size_t length, std::uint64_t sum) const noexcept;

  std::array<std::byte, kMaxHeaders> bytes_{};
  std::size_t ip_;
  std::size_t udp_ = 0;
  bool v6_;
  bool checksum_;
  std::uint64_t ip_sum_ = 0;   // with lengths and fragment word of zero
  std::uint64_t udp_sum_ = 0;  // pseudo header and ports, without the length
};

}  // namespace ipplugin
