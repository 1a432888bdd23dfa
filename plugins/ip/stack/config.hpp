// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a host is told when it is made.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "gst/packet/caps.hpp"
#include "gst/packet/headers/address.hpp"

namespace ipplugin {

using namespace gstpacket;

inline constexpr GstClockTime kMillisecond = GST_MSECOND;
inline constexpr GstClockTime kSecond = GST_SECOND;

/** What others can make a host keep or send ends here. */
struct HostLimits {
  /** Entries of the neighbour table; static ones come on top. */
  std::size_t neighbours = 1024;
  /** Packets that wait for one next hop; one more, and the oldest goes. */
  std::size_t held_per_hop = 16;
  /** Packets, and their bytes, that wait for all next hops together. */
  std::size_t held = 1024;
  std::size_t held_bytes = 4U << 20;
  /** Datagrams of which fragments are kept. Each takes room for the largest one, 64 KiB. */
  std::size_t reassemblies = 64;
  /** How long the fragments of a datagram are waited for (RFC 8200: 60 s, RFC 4963: not long). */
  GstClockTime reassembly_time = 30 * kSecond;
  /** Bound ports, and the groups and source addresses that all of them join together. */
  std::size_t bindings = 1024;
  std::size_t groups = 256;
  std::size_t sources = 1024;
  /** ICMP errors per second, and how many at once. */
  unsigned icmp_errors_per_second = 100;
  unsigned icmp_error_burst = 50;
  /** How long an answer proves that a neighbour is reachable; the mean of a random time. */
  GstClockTime reachable_time = 30 * kSecond;
  /** How long an entry that nobody uses is kept. */
  GstClockTime stale_time = 600 * kSecond;
};

struct HostConfig {
  LinkType link_type = LinkType::ethernet;  // or ip: then there is no ARP, no ND and no MAC
  /**
   * Of hosts, each once. If there is an IPv6 address, the link-local one made from the MAC address
   * is added.
   */
  std::vector<IpPrefix> addresses;
  std::vector<IpAddress> gateways;  // at most one of each version
  Mac mac;
  unsigned mtu = 1500;                // of IP packets, in bytes; at least 576, with IPv6 1280
  std::optional<std::uint16_t> vlan;  // 1 to 4094
  std::uint8_t pcp = 0;               // 0 to 7; without a VLAN, one other than 0 is a priority tag
  bool verify_checksum = true;
  std::vector<std::pair<IpAddress, Mac>> neighbours;  // static
  /** How often an address is probed before it is announced; 0: it is announced at once. */
  unsigned address_probes = 3;
  HostLimits limits;
  std::optional<std::uint64_t> seed;  // of all random numbers, for tests
};

}  // namespace ipplugin
