// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/identity.hpp"

namespace ipplugin {
namespace {

constexpr unsigned kLinkLocalLength = 64;

// Reaches no further than the link, and so must be sent from an address of the link.
bool is_link_scope(const IpAddress& address) noexcept {
  if (address.is_v4()) return false;
  const auto& bytes = address.v6().bytes;
  return address.v6().is_link_local() || (bytes[0] == 0xff && (bytes[1] & 0xfU) <= 2);
}

}  // namespace

Identity::Identity(const HostConfig& config)
    : ethernet_(config.link_type == LinkType::ethernet),
      all_(config.addresses),
      gateways_(config.gateways) {
  const auto is_v6 = [](const IpPrefix& prefix) { return !prefix.address.is_v4(); };
  const IpPrefix link_local{Ipv6Address::link_local(config.mac), kLinkLocalLength};
  const bool known = std::ranges::any_of(
      all_, [&](const IpPrefix& prefix) { return prefix.address == link_local.address; });
  if (!known && std::ranges::any_of(all_, is_v6)) all_.push_back(link_local);
  rebuild();
}

void Identity::rebuild() {
  used_.clear();
  v4_.clear();
  v6_.clear();
  for (const IpPrefix& prefix : all_) {
    if (!is_used(prefix.address)) continue;
    used_.push_back(prefix);
    if (prefix.address.is_v4()) {
      v4_.push_back(prefix.address.v4());
    } else {
      v6_.push_back(prefix.address.v6());
    }
  }
}

bool Identity::is_used(const IpAddress& address) const noexcept {
  return std::ranges::find(unused_, address) == unused_.end();
}

void Identity::set_used(const IpAddress& address, bool used) {
  std::erase(unused_, address);
  if (!used) unused_.push_back(address);
  rebuild();
}

bool Identity::is_broadcast(Ipv4Address address) const noexcept {
  return address.is_broadcast() || std::ranges::any_of(used_, [&](const IpPrefix& prefix) {
           return prefix.is_directed_broadcast(address);
         });
}

// The most specific one.
const IpPrefix* Identity::on_link(const IpAddress& to) const noexcept {
  const IpPrefix* best = nullptr;
  for (const IpPrefix& prefix : used_) {
    if (prefix.contains(to) && (best == nullptr || prefix.length > best->length)) best = &prefix;
  }
  return best;
}

const IpAddress* Identity::gateway(bool v4) const noexcept {
  const auto found = std::ranges::find_if(
      gateways_, [&](const IpAddress& gateway) { return gateway.is_v4() == v4; });
  return found == gateways_.end() ? nullptr : &*found;
}

std::optional<IpAddress> Identity::next_hop(const IpAddress& to) const noexcept {
  const bool any = to.is_v4() ? !v4_.empty() : !v6_.empty();
  if (!any) return std::nullopt;
  // Whoever is at the other end of a link without addresses.
  if (!ethernet_ || is_link_scope(to) || on_link(to) != nullptr) return to;
  const IpAddress* by = gateway(to.is_v4());
  return by != nullptr ? std::optional(*by) : std::nullopt;
}

std::optional<IpAddress> Identity::source_for(const IpAddress& to) const noexcept {
  if (is_link_scope(to)) {
    if (const auto local = link_local()) return IpAddress(*local);
  }
  const IpPrefix* best = to.is_multicast() ? nullptr : on_link(to);
  // Otherwise what the gateway can answer.
  const IpAddress* by = gateway(to.is_v4());
  if (best == nullptr && by != nullptr && !is_link_scope(*by)) best = on_link(*by);
  if (best != nullptr) return best->address;
  // The first one, and the link-local one only if there is no other.
  const IpPrefix* first = nullptr;
  for (const IpPrefix& prefix : used_) {
    if (prefix.address.is_v4() != to.is_v4()) continue;
    if (first == nullptr || is_link_scope(first->address)) first = &prefix;
  }
  return first != nullptr ? std::optional(first->address) : std::nullopt;
}

std::optional<Ipv6Address> Identity::link_local() const noexcept {
  const auto found =
      std::ranges::find_if(v6_, [](const Ipv6Address& address) { return address.is_link_local(); });
  return found != v6_.end() ? std::optional(*found) : std::nullopt;
}

}  // namespace ipplugin
