// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The settings of packetgen as text, and their parsed form.
 */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/result.hpp"

namespace packetplugin {

using namespace gstpacket;

/** Packet sizes: uniformly distributed over [low, high], or those of `mix` in turn. */
struct Sizes {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  std::vector<std::uint32_t> mix;
  /** Of a mix: sizes too small for the headers are raised to the smallest possible. */
  [[nodiscard]] bool is_mix() const noexcept { return !mix.empty(); }
};
/** "64", "64-1500" or "imix". */
[[nodiscard]] Result<Sizes> parse_sizes(std::string_view text);

/** At most one packet every ns_per_packet + length * ns_per_byte. Both 0: as fast as possible. */
struct Rate {
  double ns_per_packet = 0;
  double ns_per_byte = 0;
  [[nodiscard]] bool unlimited() const noexcept { return ns_per_packet + ns_per_byte == 0; }
  friend bool operator==(const Rate&, const Rate&) = default;
};
/** "0", "250000", "100kpps", "1.5Mpps", "10Gbps". */
[[nodiscard]] Result<Rate> parse_rate(std::string_view text);

enum class GenProtocol { udp, icmp_echo };

struct GenSettings {
  std::string size = "64";
  std::string rate = "0";
  std::string source_mac;
  std::string destination_mac;
  std::string source_address;
  std::string destination_address;
  std::uint64_t count = 0;
  unsigned flows = 1;
  GenProtocol protocol = GenProtocol::udp;
  unsigned ip_version = 4;
  int vlan = -1;
  unsigned source_port = 1024;
  unsigned destination_port = 9;
  unsigned seed = 1;
};

/** Validated GenSettings. */
struct GenPlan {
  Sizes sizes;
  Rate rate;
  std::uint64_t count = 0;
  unsigned flows = 1;
  GenProtocol protocol = GenProtocol::udp;
  unsigned ip_version = 4;
  int vlan = -1;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  unsigned seed = 1;
  Mac source_mac;
  Mac destination_mac;
  Ipv4Address source_v4;
  Ipv4Address destination_v4;
  Ipv6Address source_v6;
  Ipv6Address destination_v6;
};
/** The error names the property, its value and a remedy. */
[[nodiscard]] Result<GenPlan> make_plan(const GenSettings& settings);

}  // namespace packetplugin
