// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/neighbours.hpp"

#include <algorithm>

#include "gst/packet/headers/ethernet.hpp"
#include "plugins/ip/stack/discovery.hpp"

namespace ipplugin {
namespace {

// RFC 4861 section 10.
constexpr unsigned kMaxRequests = 3;  // MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
constexpr GstClockTime kRetry = kSecond;
constexpr GstClockTime kDelay = 5 * kSecond;
// Who does not answer is asked more and more seldom, as long as somebody wants to send to it.
constexpr unsigned kMaxBackOff = 3;  // 8 s
// Claims of other stations make us ask no more often than this.
constexpr GstClockTime kVerifyEvery = kSecond;

}  // namespace

Neighbours::Neighbours(const HostConfig& config, Wire& wire, const Identity& us, Counters& counters,
                       Random& random)
    : limits_(config.limits),
      wire_(wire),
      us_(us),
      counters_(counters),
      random_(random),
      table_(16, Hash{random.next()}) {
  for (const auto& [address, mac] : config.neighbours) {
    Entry entry;
    entry.mac = mac;
    entry.state = State::permanent;
    permanent_ += table_.insert_or_assign(address, std::move(entry)).second ? 1 : 0;
  }
}

void Neighbours::set_due(Entry& entry, GstClockTime due) noexcept {
  entry.due = due;
  due_ = std::min(due_, due);
}

void Neighbours::changed(Entry& entry) noexcept {
  if (entry.given) ++generation_;
  entry.given = false;
}

std::optional<Mac> Neighbours::find(const IpAddress& hop, GstClockTime now, Output& output) {
  auto found = table_.find(hop);
  if (found == table_.end()) {
    make_room(now);
    found = table_.try_emplace(hop).first;
    resolve(*found, now, output);
  }
  Entry& entry = found->second;
  entry.used = now;
  entry.wanted = entry.given = true;
  if (entry.state == State::incomplete) return std::nullopt;
  if (entry.state == State::stale) {
    entry.state = State::delay;
    set_due(entry, now + kDelay);
  }
  return entry.mac;
}

// ---- packets that wait ------------------------------------------------------------------------

void Neighbours::hold(const IpAddress& hop, std::span<const std::byte> packet) {
  const auto found = table_.find(hop);
  if (found == table_.end() || found->second.state != State::incomplete ||
      packet.size() > limits_.held_bytes) {
    counters_.add(Count::unresolved);
    return;
  }
  Entry& entry = found->second;
  entry.wanted = true;
  while (!entry.held.empty() &&
         (entry.held.size() >= limits_.held_per_hop || held_ >= limits_.held ||
          held_bytes_ + packet.size() > limits_.held_bytes)) {
    drop_oldest(entry, Count::held_overflow);
  }
  if (limits_.held_per_hop == 0 || held_ >= limits_.held ||
      held_bytes_ + packet.size() > limits_.held_bytes) {
    counters_.add(Count::held_overflow);
    return;
  }
  Packet copy(LinkHeader::kMaxSize + packet.size());
  std::ranges::copy(packet, copy.begin() + LinkHeader::kMaxSize);
  entry.held.push_back(std::move(copy));
  ++held_;
  held_bytes_ += packet.size();
}

void Neighbours::drop_oldest(Entry& entry, Count why) {
  --held_;
  held_bytes_ -= entry.held.front().size() - LinkHeader::kMaxSize;
  entry.held.pop_front();
  counters_.add(why);
}

void Neighbours::drop_held(Entry& entry, Count why) {
  while (!entry.held.empty()) drop_oldest(entry, why);
}

void Neighbours::send_held(Item& item, Output& output) {
  auto& [address, entry] = item;
  const LinkHeader link = wire_.ip_header(entry.mac, address.is_v4());
  while (!entry.held.empty()) {
    Packet packet = std::move(entry.held.front());
    entry.held.pop_front();
    --held_;
    held_bytes_ -= packet.size() - LinkHeader::kMaxSize;
    const std::size_t start = LinkHeader::kMaxSize - link.size;
    std::ranges::copy(link.span(), packet.begin() + static_cast<std::ptrdiff_t>(start));
    output.send(std::span<const std::byte>(packet).subspan(start));
  }
}

// ---- asking -----------------------------------------------------------------------------------

// All stations if the MAC address is not known, that one if it is.
void Neighbours::ask(Item& item, GstClockTime now, Output& output) {
  auto& [address, entry] = item;
  const bool all = entry.state == State::incomplete;
  set_due(entry, now + kRetry);
  entry.wanted = false;
  ++entry.asked;
  const auto from = us_.source_for(address);
  if (!from) return;
  counters_.add(Count::requests_sent);
  if (address.is_v4()) {
    const Mac to = all ? Mac::broadcast() : entry.mac;
    wire_.send(output, wire_.header(to, ethertype::kArp),
               arp_message({ArpView::kRequest, wire_.mac(), from->v4(), Mac{}, address.v4()}));
    return;
  }
  const Ipv6Address& target = address.v6();
  const Ipv6Address to = all ? target.solicited_node() : target;
  wire_.send(output, wire_.ip_header(all ? to.multicast_mac() : entry.mac, false),
             solicitation(from->v6(), to, target, wire_.mac()).span());
}

void Neighbours::resolve(Item& item, GstClockTime now, Output& output) {
  item.second.state = State::incomplete;
  item.second.asked = 0;
  ask(item, now, output);
}

void Neighbours::probe(Item& item, unsigned asked, GstClockTime now, Output& output) {
  item.second.state = State::probe;
  item.second.asked = asked;
  ask(item, now, output);
}

void Neighbours::confirm(Entry& entry, GstClockTime now) {
  entry.state = State::reachable;
  entry.confirmed = now;
  // RFC 4861 6.3.2: so that neighbours are not all asked at once.
  const GstClockTime mean = limits_.reachable_time;
  set_due(entry, now + random_.between(mean / 2, mean + mean / 2));
}

void Neighbours::learn(const Claim& claim, GstClockTime now, Output& output) {
  const auto found = table_.find(claim.address);
  if (found == table_.end()) return;
  Entry& entry = found->second;
  if (entry.state == State::permanent) {
    if (entry.mac != claim.mac) counters_.add(Count::neighbours_refused);
    return;
  }
  if (entry.state == State::incomplete) {
    entry.mac = claim.mac;
    counters_.add(Count::neighbours_learnt);
    changed(entry);
    confirm(entry, now);
    if (!claim.solicited) {
      // Used, or it would not have been asked for: soon it will be asked itself.
      entry.state = State::delay;
      set_due(entry, now + kDelay);
    }
    send_held(*found, output);
    return;
  }
  if (entry.mac == claim.mac) {
    if (entry.state == State::probe && claim.solicited) confirm(entry, now);
    return;
  }
  counters_.add(Count::neighbours_refused);
  if (entry.state == State::probe || now < entry.confirmed + kVerifyEvery) return;
  probe(*found, 1, now, output);
}

// ---- time -------------------------------------------------------------------------------------

bool Neighbours::ask_again(Item& item, GstClockTime now, Output& output) {
  Entry& entry = item.second;
  if (entry.asked >= kMaxRequests) {
    drop_held(entry, Count::unresolved);
    if (!entry.wanted) return false;
  }
  ask(item, now, output);
  if (entry.asked > kMaxRequests) {
    const unsigned doubled = std::min(entry.asked - kMaxRequests, kMaxBackOff);
    set_due(entry, now + (kRetry << doubled));
  }
  return true;
}

bool Neighbours::advance(Item& item, GstClockTime now, Output& output) {
  Entry& entry = item.second;
  switch (entry.state) {
    case State::incomplete:
      return ask_again(item, now, output);
    case State::reachable:
      // Whoever still uses it asks for it again, and so makes us find out.
      entry.state = State::stale;
      changed(entry);
      set_due(entry, now + limits_.stale_time);
      return true;
    case State::stale:
      return false;
    case State::delay:
      probe(item, 0, now, output);
      return true;
    case State::probe:
      if (entry.asked < kMaxRequests) {
        ask(item, now, output);
        return true;
      }
      counters_.add(Count::neighbours_lost);
      changed(entry);
      resolve(item, now, output);
      return true;
    case State::permanent:
      break;
  }
  entry.due = GST_CLOCK_TIME_NONE;
  return true;
}

GstClockTime Neighbours::tick(GstClockTime now, Output& output) {
  if (now < due_) return due_;
  due_ = GST_CLOCK_TIME_NONE;
  for (auto item = table_.begin(); item != table_.end();) {
    if (item->second.due <= now && !advance(*item, now, output)) {
      changed(item->second);
      drop_held(item->second, Count::unresolved);
      item = table_.erase(item);
      continue;
    }
    due_ = std::min(due_, item->second.due);
    ++item;
  }
  return due_;
}

// The one that was used longest ago, of those whose MAC address is not known or not known to be
// right if there are any.
void Neighbours::make_room(GstClockTime now) {
  if (table_.size() - permanent_ < std::max<std::size_t>(limits_.neighbours, 1)) return;
  const auto rank = [now](const Item& item) {
    const State state = item.second.state;
    const bool needed = state != State::stale && state != State::incomplete;
    return std::pair(!needed, now - item.second.used);
  };
  auto worst = table_.end();
  for (auto item = table_.begin(); item != table_.end(); ++item) {
    if (item->second.state == State::permanent) continue;
    if (worst == table_.end() || rank(*item) > rank(*worst)) worst = item;
  }
  counters_.add(Count::neighbours_evicted);
  changed(worst->second);
  drop_held(worst->second, Count::unresolved);
  table_.erase(worst);
}

void Neighbours::link_up(GstClockTime now, Output& output) {
  for (Item& item : table_) {
    if (item.second.state == State::incomplete) resolve(item, now, output);
  }
}

void Neighbours::forget() {
  ++generation_;
  for (auto item = table_.begin(); item != table_.end();) {
    if (item->second.state == State::permanent) {
      ++item;
      continue;
    }
    drop_held(item->second, Count::unresolved);
    item = table_.erase(item);
  }
  due_ = GST_CLOCK_TIME_NONE;
}

std::vector<Neighbours::Info> Neighbours::list() const {
  std::vector<Info> out;
  out.reserve(table_.size());
  for (const auto& [address, entry] : table_) out.push_back({address, entry.mac, entry.state});
  return out;
}

}  // namespace ipplugin
