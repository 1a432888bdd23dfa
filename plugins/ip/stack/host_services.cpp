// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/host.hpp"

#include <algorithm>
#include <string>

namespace ipplugin {

// What the host does for those above it.

// ---- ports ------------------------------------------------------------------------------------

Result<void> Host::check_limits(const Binding& binding) const {
  if (!binding.group || membership_.is_known(*binding.group)) {
    if (binding.sources.empty()) return {};
  } else if (membership_.size() >= config_.limits.groups) {
    return Error{ErrorCode::busy, "group " + binding.group->format(),
                 "there are " + std::to_string(config_.limits.groups) +
                     " groups already, as many as may be"};
  }
  std::size_t sources = binding.sources.size();
  ports_.each([&](const Binding& other) { sources += other.sources.size(); });
  if (sources > config_.limits.sources) {
    return Error{ErrorCode::busy, "the sources of a group",
                 "all groups together may have " + std::to_string(config_.limits.sources)};
  }
  return {};
}

Result<unsigned> Host::bind(const Binding& binding, GstClockTime now, Output& output) {
  if (auto checked = check_limits(binding); !checked) return checked.error();
  auto number = ports_.bind(binding);
  if (number && binding.group) rejoin(*binding.group, now, output);
  return number;
}

void Host::unbind(unsigned number, GstClockTime now, Output& output) {
  const auto was = ports_.unbind(number);
  if (was && was->group) rejoin(*was->group, now, output);
}

// What all receivers together want of a group (RFC 3376 3.2).
void Host::rejoin(const IpAddress& group, GstClockTime now, Output& output) {
  bool everything = false;
  std::vector<IpAddress> sources;
  ports_.each([&](const Binding& binding) {
    if (binding.group != group) return;
    everything |= binding.sources.empty();
    sources.insert(sources.end(), binding.sources.begin(), binding.sources.end());
  });
  membership_.want(group, everything, std::move(sources), now, output);
}

// ---- sending ----------------------------------------------------------------------------------

Route Host::route(const IpAddress& to, GstClockTime now, Output& output) {
  Route out;
  const auto source = us_.source_for(to);
  const bool broadcast = to.is_v4() && us_.is_broadcast(to.v4());
  if (!source || us_.owns(to) || !(to.is_host() || to.is_multicast() || broadcast)) {
    out.generation = generation();
    return out;
  }
  out.source = *source;
  std::optional<Mac> mac = Mac{};
  if (to.is_multicast()) {
    mac = to.multicast_mac();
  } else if (broadcast) {
    mac = Mac::broadcast();
  } else {
    const auto hop = us_.next_hop(to);
    if (hop && wire_.is_ethernet()) mac = neighbours_.find(*hop, now, output);
    if (!hop) {
      out.generation = generation();
      return out;
    }
  }
  out.state = mac ? Route::State::ready : Route::State::pending;
  if (mac) {
    const LinkHeader header = wire_.ip_header(*mac, to.is_v4());
    out.link_header = header.bytes;
    out.link_size = header.size;
  }
  out.generation = generation();
  return out;
}

void Host::hold(const IpAddress& to, std::span<const std::byte> ip_packet) {
  const auto hop = us_.next_hop(to);
  if (!hop) {
    counters_.add(Count::unresolved);
    return;
  }
  neighbours_.hold(*hop, ip_packet);
}

// ---- time -------------------------------------------------------------------------------------

GstClockTime Host::due() const noexcept {
  return std::min({neighbours_.due(), claims_.due(), membership_.due(), reassembly_.due()});
}

GstClockTime Host::tick(GstClockTime now, Output& output) {
  claims_.tick(now, output);
  neighbours_.tick(now, output);
  membership_.tick(now, output);
  reassembly_.tick(now);
  return due();
}

void Host::link_up(GstClockTime now, Output& output) {
  // First the groups: switches that look into reports let the probes of others through.
  membership_.link_up(now, output);
  claims_.link_up(now, output);
  neighbours_.link_up(now, output);
}

void Host::link_down() {
  neighbours_.forget();
  claims_.link_down();
  membership_.link_down();
}

std::optional<Conflict> Host::take_conflict() {
  return claims_.take_conflict();
}

void Host::stats(const std::function<void(const char*, std::uint64_t)>& visit) const {
  std::string name;
  for (std::size_t i = 0; i < Counters::kNames.size(); ++i) {
    const auto what = static_cast<Count>(i);
    name = what < Count::datagrams ? "drop-" : "";
    name += Counters::kNames[i];
    std::ranges::replace(name, '_', '-');
    visit(name.c_str(), counters_[what]);
  }
  visit("neighbours", neighbours_.size());
  visit("held", neighbours_.held());
  visit("groups", membership_.size());
  visit("reassemblies", reassembly_.size());
}

}  // namespace ipplugin
