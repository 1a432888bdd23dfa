// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The addresses of a host: which are ours, and which of them a packet is sent from.
 */
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "plugins/ip/stack/config.hpp"

namespace ipplugin {

class Identity {
 public:
  explicit Identity(const HostConfig& config);

  /** Answers, and sends from, these. */
  [[nodiscard]] bool owns(Ipv4Address address) const noexcept {
    // Mostly one: a plain loop is shorter than what the library unrolls.
    for (const Ipv4Address ours : v4_) {
      if (ours == address) return true;
    }
    return false;
  }
  [[nodiscard]] bool owns(const Ipv6Address& address) const noexcept {
    for (const Ipv6Address& ours : v6_) {
      if (ours == address) return true;
    }
    return false;
  }
  [[nodiscard]] bool owns(const IpAddress& address) const noexcept {
    return address.is_v4() ? owns(address.v4()) : owns(address.v6());
  }
  /** All that were configured, the link-local one included; also those that are not used. */
  [[nodiscard]] const std::vector<IpPrefix>& configured() const noexcept { return all_; }
  /** An address that turns out to be another host's is not used, until it is given back. */
  void set_used(const IpAddress& address, bool used);
  [[nodiscard]] bool is_used(const IpAddress& address) const noexcept;

  /** Whether it is the broadcast address of all links or of one of ours. */
  [[nodiscard]] bool is_broadcast(Ipv4Address address) const noexcept;
  /** Nothing if no address of that version is used, or there is no way. Not for multicast. */
  [[nodiscard]] std::optional<IpAddress> next_hop(const IpAddress& to) const noexcept;
  /** What packets to an address are sent from. */
  [[nodiscard]] std::optional<IpAddress> source_for(const IpAddress& to) const noexcept;
  [[nodiscard]] bool has_v4() const noexcept { return !v4_.empty(); }
  [[nodiscard]] bool has_v6() const noexcept { return !v6_.empty(); }
  /** The first link-local IPv6 address in use. */
  [[nodiscard]] std::optional<Ipv6Address> link_local() const noexcept;

 private:
  [[nodiscard]] const IpPrefix* on_link(const IpAddress& to) const noexcept;
  [[nodiscard]] const IpAddress* gateway(bool v4) const noexcept;
  void rebuild();

  bool ethernet_;
  std::vector<IpPrefix> all_;
  std::vector<IpAddress> unused_;
  std::vector<IpPrefix> used_;  // those of all_ that are in use
  std::vector<Ipv4Address> v4_;
  std::vector<Ipv6Address> v6_;
  std::vector<IpAddress> gateways_;
};

}  // namespace ipplugin
