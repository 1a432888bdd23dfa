// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The packets of a ping: address resolution, echo requests, and the judgement of replies.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "gst/packet/headers/address.hpp"

using Frame = std::vector<std::byte>;

/** A reply to one of our requests. */
struct EchoReply {
  std::uint16_t sequence;
  std::uint8_t ttl;
  std::size_t icmp_bytes;
  bool right;  ///< addresses, checksums and payload are what they must be
};

/** Makes and checks the Ethernet frames between one host of ours and one target. */
class EchoPackets {
 public:
  /** @param target IPv4 or IPv6 address; nothing if it is neither. @param size bytes of payload */
  static std::optional<EchoPackets> create(const std::string& target, std::size_t size);

  /** Asks for the target's MAC address, by ARP or neighbour solicitation. */
  Frame resolution() const;
  /** Takes over the target's MAC address, if @p frame is the answer. */
  bool resolve(std::span<const std::byte> frame);
  const gstpacket::Mac& target_mac() const { return target_mac_; }

  Frame request(std::uint16_t sequence) const;
  /** A reply to us, or nothing if @p frame is something else. */
  std::optional<EchoReply> reply(std::span<const std::byte> frame) const;

 private:
  using Ipv4Pair = std::pair<gstpacket::Ipv4Address, gstpacket::Ipv4Address>;
  using Ipv6Pair = std::pair<gstpacket::Ipv6Address, gstpacket::Ipv6Address>;

  std::span<const std::byte> message_of(std::span<const std::byte> frame, EchoReply& reply) const;
  bool checksum_right(std::span<const std::byte> message) const;
  Frame echo_message(std::uint8_t type, std::uint16_t sequence) const;

  std::variant<Ipv4Pair, Ipv6Pair> addresses_;  // ours, the target's
  gstpacket::Mac mac_;
  gstpacket::Mac target_mac_;
  std::size_t size_ = 0;
};
