// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/ports.hpp"

#include <algorithm>
#include <string>

namespace ipplugin {

PortTable::PortTable(std::size_t limit) : limit_(limit) {
  first_.fill(kNone);
  slots_.reserve(limit);
  found_.reserve(limit);
}

Result<void> PortTable::check(const Binding& binding) const {
  const std::string port = "UDP port " + std::to_string(binding.port);
  if (binding.port == 0) {
    return Error{port, "cannot be received on", "Give a port from 1 to 65535"};
  }
  if (binding.group && !binding.group->is_multicast()) {
    return Error{"\"" + binding.group->format() + "\"", "not the address of a multicast group",
                 "Expected one such as 239.1.1.1 or ff15::1"};
  }
  for (const IpAddress& source : binding.sources) {
    if (binding.group && source.is_v4() == binding.group->is_v4() && source.is_host()) continue;
    return Error{"\"" + source.format() + "\"", "cannot be the source of packets to a group",
                 "Give the address of a host, of the same IP version as the group"};
  }
  const auto same = std::ranges::find_if(slots_, [&](const Slot& slot) {
    return slot.used && slot.binding.port == binding.port && slot.binding.group == binding.group &&
           std::ranges::is_permutation(slot.binding.sources, binding.sources);
  });
  if (same != slots_.end()) {
    const std::string group = binding.group ? " of group " + binding.group->format() : "";
    return Error{ErrorCode::busy, port + group, "somebody receives on it already",
                 "Give another port, or a tee behind the first receiver"};
  }
  if (bound_ == limit_) {
    return Error{ErrorCode::busy, port,
                 "there are " + std::to_string(limit_) + " receivers already, as many as may be"};
  }
  return {};
}

Result<unsigned> PortTable::bind(const Binding& binding) {
  if (auto checked = check(binding); !checked) return checked.error();
  auto free = std::ranges::find_if(slots_, [](const Slot& slot) { return !slot.used; });
  if (free == slots_.end()) {
    slots_.emplace_back();
    free = slots_.end() - 1;
  }
  const auto number = static_cast<unsigned>(free - slots_.begin());
  unsigned& first = first_[bucket_of(binding.port)];
  *free = {binding, number, first, true};
  first = number;
  ++bound_;
  return number;
}

std::optional<Binding> PortTable::unbind(unsigned number) {
  if (number >= slots_.size() || !slots_[number].used) return std::nullopt;
  Slot& slot = slots_[number];
  unsigned* link = &first_[bucket_of(slot.binding.port)];
  while (*link != number) link = &slots_[*link].next;
  *link = slot.next;
  slot.used = false;
  --bound_;
  return std::move(slot.binding);
}

std::span<const unsigned> PortTable::find(std::uint16_t port, const IpAddress& group,
                                          const IpAddress& source) noexcept {
  found_.clear();
  for (unsigned i = first_[bucket_of(port)]; i != kNone; i = slots_[i].next) {
    const auto& [bound, wanted, sources] = slots_[i].binding;
    if (bound != port || wanted != group) continue;
    if (sources.empty() || std::ranges::find(sources, source) != sources.end()) {
      found_.push_back(i);
    }
  }
  return found_;
}

}  // namespace ipplugin
