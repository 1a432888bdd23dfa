// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/host_settings.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "gst/common/parse_number.hpp"

namespace ipplugin {
namespace {

constexpr unsigned kMinMtuV4 = 576;   // what every host takes (RFC 791)
constexpr unsigned kMinMtuV6 = 1280;  // RFC 8200 5

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

Error in_property(const char* property, const Error& error) {
  return Error{std::string(property) + "=" + error.what, error.why, error.remedy};
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

Result<void> parse_addresses(std::string_view text, HostConfig& config) {
  constexpr char kExample[] =
      "Give one or more addresses with the length of the prefix, separated by commas, such as "
      "10.0.0.1/24,2001:db8::1/64";
  if (trimmed(text).empty()) return Error{"address=\"\"", "a host needs an address", kExample};
  for (const std::string_view one : split(text, ',')) {
    const auto prefix = IpPrefix::parse(one);
    if (!prefix) return in_property("address", prefix.error());
    if (!prefix->address.is_host()) {
      return Error{"address=" + quoted(one), "not the address of a host on a network", kExample};
    }
    const auto same = [&](const IpPrefix& other) { return other.address == prefix->address; };
    if (std::ranges::any_of(config.addresses, same)) {
      return Error{"address=" + quoted(one), "given twice", "Give each address once"};
    }
    config.addresses.push_back(*prefix);
  }
  return {};
}

Result<void> parse_gateways(std::string_view text, HostConfig& config) {
  if (trimmed(text).empty()) return {};
  for (const std::string_view one : split(text, ',')) {
    const auto gateway = IpAddress::parse(one);
    if (!gateway) return in_property("gateway", gateway.error());
    const auto on_link = [&](const IpPrefix& prefix) { return prefix.contains(*gateway); };
    const bool link_local = !gateway->is_v4() && gateway->v6().is_link_local();
    if (!gateway->is_host() || (!link_local && std::ranges::none_of(config.addresses, on_link))) {
      return Error{"gateway=" + quoted(one), "not on any network of the host",
                   "Give a router on a network of the property address"};
    }
    const auto same_family = [&](const IpAddress& other) {
      return other.is_v4() == gateway->is_v4();
    };
    if (std::ranges::any_of(config.gateways, same_family)) {
      return Error{"gateway=" + quoted(text), "more than one of the same version of IP",
                   "Give at most one for IPv4 and one for IPv6"};
    }
    config.gateways.push_back(*gateway);
  }
  return {};
}

/** Locally administered, and another one for each address: as icmpresponder makes it. */
Mac mac_from(const IpAddress& address) {
  const auto& b = address.v6().bytes;
  if (address.is_v4()) return Mac{{2, 0, b[12], b[13], b[14], b[15]}};
  return Mac{{2, b[11], b[12], b[13], b[14], b[15]}};
}

Result<Mac> parse_station(const char* property, std::string_view text) {
  const auto mac = Mac::parse(text);
  if (!mac) return in_property(property, mac.error());
  if (mac->is_group() || mac->is_zero()) {
    return Error{std::string(property) + "=" + quoted(text), "not the address of one station",
                 "The lowest bit of the first byte must be 0, such as in 02:00:c0:a8:01:01"};
  }
  return *mac;
}

Result<void> parse_neighbours(std::string_view text, HostConfig& config) {
  if (trimmed(text).empty()) return {};
  for (const std::string_view one : split(text, ',')) {
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) {
      return Error{"neighbours=" + quoted(one), "not a pair of addresses",
                   "Give IP=MAC, separated by commas, such as 10.0.0.2=02:00:0a:00:00:02"};
    }
    const auto address = IpAddress::parse(trimmed(one.substr(0, equals)));
    if (!address) return in_property("neighbours", address.error());
    const auto mac = parse_station("neighbours", trimmed(one.substr(equals + 1)));
    if (!mac) return mac.error();
    config.neighbours.emplace_back(*address, *mac);
  }
  return {};
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Result<HostConfig> make_config(const HostSettings& settings) {
  HostConfig config;
  if (const auto done = parse_addresses(settings.address, config); !done) return done.error();
  if (const auto done = parse_gateways(settings.gateway, config); !done) return done.error();
  config.mac = mac_from(config.addresses.front().address);
  if (!settings.mac.empty()) {
    const auto mac = parse_station("mac", settings.mac);
    if (!mac) return mac.error();
    config.mac = *mac;
  }
  if (const auto done = parse_neighbours(settings.neighbours, config); !done) return done.error();
  const bool v6 = std::ranges::any_of(
      config.addresses, [](const IpPrefix& prefix) { return !prefix.address.is_v4(); });
  const unsigned least = v6 ? kMinMtuV6 : kMinMtuV4;
  if (settings.mtu < least) {
    return Error{"mtu=" + std::to_string(settings.mtu),
                 v6 ? "IPv6 needs 1280 bytes or more (RFC 8200)"
                    : "IPv4 hosts need 576 bytes or more (RFC 791)",
                 "Give " + std::to_string(least) + " or more"};
  }
  constexpr unsigned kLongestIp = 65535;
  if (settings.mtu > kLongestIp) {
    return Error{"mtu=" + std::to_string(settings.mtu), "IP packets have 65535 bytes at most",
                 "Give 65535 or less"};
  }
  config.mtu = settings.mtu;
  // 0 is no VLAN: with it the tag only carries the priority.
  if (settings.vlan > 0) config.vlan = static_cast<std::uint16_t>(settings.vlan);
  config.pcp = static_cast<std::uint8_t>(settings.pcp);
  config.verify_checksum = settings.verify_checksum;
  return config;
}

// ---- clients ----------------------------------------------------------------------------------

Result<IpAddress> parse_host(std::string_view text) {
  if (text.size() > 1 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  auto address = IpAddress::parse(text);
  if (!address) {
    return Error{quoted(text), "not an IP address",
                 "Give a literal such as 10.0.0.2 or 2001:db8::2: names are not resolved"};
  }
  if (address->is_unspecified()) {
    return Error{quoted(text), "no host", "Give the address of a host or of a group"};
  }
  return address;
}

Result<std::vector<Client>> parse_clients(std::string_view text) {
  std::vector<Client> clients;
  if (trimmed(text).empty()) return clients;
  for (const std::string_view one : split(text, ',')) {
    const std::size_t colon = one.rfind(':');
    const std::string_view digits =
        colon == std::string_view::npos ? std::string_view() : one.substr(colon + 1);
    const auto port = gstcommon::parse_number<std::uint16_t>(digits).value_or(0);
    if (port == 0) {
      return Error{quoted(one), "no port from 1 to 65535 behind the last colon",
                   "Give host:port, separated by commas, such as 10.0.0.2:5004,[2001:db8::2]:5004"};
    }
    const auto host = parse_host(one.substr(0, colon));
    if (!host) return host.error();
    clients.push_back({std::string(one.substr(0, colon)), port});
  }
  return clients;
}

std::string format_clients(const std::vector<Client>& clients) {
  std::string text;
  for (const Client& client : clients) {
    if (!text.empty()) text += ',';
    const bool bare_v6 = client.host.find(':') != std::string::npos && client.host.front() != '[';
    text += bare_v6 ? '[' + client.host + ']' : client.host;
    text += ':' + std::to_string(client.port);
  }
  return text;
}

}  // namespace ipplugin
