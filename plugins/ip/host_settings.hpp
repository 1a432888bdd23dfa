// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the user sets, as text, and what it means.
 */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gst/packet/result.hpp"
#include "plugins/ip/stack/config.hpp"

namespace ipplugin {

/** The properties of the element that make a host. */
struct HostSettings {
  std::string address;
  std::string gateway;
  std::string mac;
  std::string neighbours;
  unsigned mtu = 1500;
  int vlan = -1;  // none
  unsigned pcp = 0;
  bool verify_checksum = true;
};

/** All but the link type. The error names the property. */
[[nodiscard]] Result<HostConfig> make_config(const HostSettings& settings);

/** Where datagrams go. */
struct Client {
  std::string host;  // as it was given
  std::uint16_t port = 0;
  friend bool operator==(const Client&, const Client&) = default;
};

/** "10.0.0.2:5004,[2001:db8::2]:5004", the format of udpsink; empty: no client. */
[[nodiscard]] Result<std::vector<Client>> parse_clients(std::string_view text);
[[nodiscard]] std::string format_clients(const std::vector<Client>& clients);
/** The address of a client: a literal, as there is no resolver on a packet network. */
[[nodiscard]] Result<IpAddress> parse_host(std::string_view text);

/** The parts of a list, without blanks around them; empty parts are kept. */
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace ipplugin
