// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/pending.hpp"

#include <algorithm>
#include <map>

namespace gstmemif {
namespace {

// A good peer may be silent for this long, however busy its machine is.
constexpr std::chrono::milliseconds kPatience{100};

using Group = std::vector<const Pending*>;

/** The largest group with an equal @p key; of equally large ones, that of the first element. */
template <class Key>
Group largest(const Group& all, Key key) {
  std::map<std::decay_t<decltype(all.front()->*key)>, Group> groups;
  for (const Pending* pending : all) groups[pending->*key].push_back(pending);
  Group* best = &groups[all.front()->*key];
  for (auto& [value, group] : groups) {
    if (group.size() > best->size()) best = &group;
  }
  return std::move(*best);
}

/** Null if there is none; the newcomer, which has no connection yet, is left out. */
const Pending* longest_silent(const Group& group) {
  const Pending* longest = nullptr;
  for (const Pending* pending : group) {
    if (!pending->connection) continue;
    if (longest == nullptr || pending->connection->silence() > longest->connection->silence()) {
      longest = pending;
    }
  }
  return longest;
}

}  // namespace

Pending* PendingConnections::find(const Connection& connection) {
  const auto entry = std::find_if(list_.begin(), list_.end(), [&](const Pending& pending) {
    return pending.connection.get() == &connection;
  });
  return entry == list_.end() ? nullptr : &*entry;
}

std::optional<Pending> PendingConnections::take(const Connection& connection) {
  Pending* pending = find(connection);
  if (pending == nullptr) return {};
  std::optional<Pending> taken(std::move(*pending));
  std::erase_if(list_, [&](const Pending& candidate) { return &candidate == pending; });
  return taken;
}

std::vector<Pending> PendingConnections::take_all(const Interface& interface) {
  std::vector<Pending> taken;
  for (auto entry = list_.begin(); entry != list_.end();) {
    if (entry->interface != &interface) {
      ++entry;
      continue;
    }
    taken.push_back(std::move(*entry));
    entry = list_.erase(entry);
  }
  return taken;
}

const Pending& PendingConnections::choose(const Pending& newcomer) const {
  Group group{&newcomer};
  for (const Pending& pending : list_) group.push_back(&pending);
  group = largest(group, &Pending::uid);
  if (Group program = largest(group, &Pending::pid); program.size() > 1) group = std::move(program);
  const Pending* longest = longest_silent(group);
  const bool with_newcomer = std::find(group.begin(), group.end(), &newcomer) != group.end();
  if (longest == nullptr || (with_newcomer && longest->connection->silence() < kPatience)) {
    return newcomer;
  }
  return *longest;
}

const Pending* PendingConnections::silent() const {
  Group group;
  for (const Pending& pending : list_) group.push_back(&pending);
  const Pending* longest = longest_silent(group);
  return longest != nullptr && longest->connection->silence() >= kPatience ? longest : nullptr;
}

std::chrono::milliseconds PendingConnections::time_left() const {
  auto left = std::chrono::milliseconds::max();
  for (const Pending& pending : list_) left = std::min(left, pending.connection->time_left());
  return left;
}

void PendingConnections::time_out() {
  std::vector<std::shared_ptr<Connection>> due;
  for (const Pending& pending : list_) {
    if (pending.connection->time_left().count() <= 0) due.push_back(pending.connection);
  }
  for (const auto& connection : due) connection->time_out();
}

}  // namespace gstmemif
