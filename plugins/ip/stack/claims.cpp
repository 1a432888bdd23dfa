// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/claims.hpp"

#include <algorithm>

#include "gst/packet/headers/ethernet.hpp"
#include "plugins/ip/stack/discovery.hpp"

namespace ipplugin {
namespace {

// RFC 5227 1.1; of RFC 4862 the RetransTimer.
constexpr GstClockTime kProbeWait = kSecond;  // at most, so that hosts do not all start at once
constexpr GstClockTime kProbeMin = kSecond, kProbeMax = 2 * kSecond;
constexpr unsigned kAnnouncements = 2;
constexpr GstClockTime kAnnounceInterval = 2 * kSecond;
constexpr GstClockTime kDefendInterval = 10 * kSecond;
constexpr GstClockTime kTryAgain = 60 * kSecond;

}  // namespace

Claims::Claims(const HostConfig& config, Wire& wire, Identity& us, Counters& counters,
               Random& random)
    : probes_(config.address_probes), wire_(wire), us_(us), counters_(counters), random_(random) {
  if (!wire.is_ethernet()) return;
  for (const IpPrefix& prefix : us.configured()) {
    Claim claim;
    claim.address = prefix.address;
    claims_.push_back(claim);
  }
}

Claims::Claim* Claims::find(const IpAddress& address) noexcept {
  const auto found = std::ranges::find(claims_, address, &Claim::address);
  return found == claims_.end() ? nullptr : &*found;
}

bool Claims::is_established(const IpAddress& address) const noexcept {
  const auto found = std::ranges::find(claims_, address, &Claim::address);
  return found == claims_.end() || found->state != State::probing;
}

void Claims::update_due() noexcept {
  due_ = GST_CLOCK_TIME_NONE;
  for (const Claim& claim : claims_) due_ = std::min(due_, claim.due);
}

void Claims::set_used(const Claim& claim, bool used) {
  if (us_.is_used(claim.address) == used) return;
  us_.set_used(claim.address, used);
  ++generation_;
}

void Claims::link_up(GstClockTime now, Output& output) {
  for (Claim& claim : claims_) {
    set_used(claim, true);
    claim.state = State::probing;
    claim.left = probes_;
    if (probes_ == 0) {
      establish(claim, now, output);
    } else {
      claim.due = now + random_.below(kProbeWait);
    }
  }
  update_due();
}

void Claims::link_down() {
  for (Claim& claim : claims_) {
    set_used(claim, true);
    claim.state = State::idle;
    claim.due = GST_CLOCK_TIME_NONE;
  }
  update_due();
}

void Claims::probe(Claim& claim, GstClockTime now, Output& output) {
  --claim.left;
  claim.due = now + random_.between(kProbeMin, kProbeMax);
  if (claim.address.is_v4()) {
    const Ipv4Address address = claim.address.v4();
    wire_.send(output, wire_.header(Mac::broadcast(), ethertype::kArp),
               arp_message({ArpView::kRequest, wire_.mac(), Ipv4Address{}, Mac{}, address}));
    return;
  }
  const Ipv6Address& target = claim.address.v6();
  const Ipv6Address to = target.solicited_node();
  wire_.send(output, wire_.ip_header(to.multicast_mac(), false),
             solicitation(Ipv6Address{}, to, target, std::nullopt).span());
}

void Claims::announce(Claim& claim, Output& output) {
  if (claim.address.is_v4()) {
    const Ipv4Address address = claim.address.v4();
    wire_.send(output, wire_.header(Mac::broadcast(), ethertype::kArp),
               arp_message({ArpView::kRequest, wire_.mac(), address, Mac{}, address}));
    return;
  }
  wire_.send(output, wire_.ip_header(Ipv6Address::all_nodes().multicast_mac(), false),
             announcement(claim.address.v6(), wire_.mac()).span());
}

// Nobody else has it.
void Claims::establish(Claim& claim, GstClockTime now, Output& output) {
  set_used(claim, true);
  claim.state = State::announcing;
  claim.left = kAnnouncements;
  claim.told.reset();
  advance(claim, now, output);
}

void Claims::advance(Claim& claim, GstClockTime now, Output& output) {
  switch (claim.state) {
    case State::probing:
      if (claim.left != 0) {
        probe(claim, now, output);
      } else {
        establish(claim, now, output);
      }
      return;
    case State::announcing:
      announce(claim, output);
      claim.due = now + kAnnounceInterval;
      if (--claim.left == 0) {
        claim.state = State::established;
        claim.due = GST_CLOCK_TIME_NONE;
      }
      return;
    case State::given_up:
      claim.state = State::probing;
      claim.left = probes_;
      probe(claim, now, output);
      return;
    case State::idle:
    case State::established:
      break;
  }
  claim.due = GST_CLOCK_TIME_NONE;
}

GstClockTime Claims::tick(GstClockTime now, Output& output) {
  if (now < due_) return due_;
  for (Claim& claim : claims_) {
    if (claim.due <= now) advance(claim, now, output);
  }
  update_due();
  return due_;
}

bool Claims::contest(const IpAddress& address, const Mac& by, bool probe, GstClockTime now,
                     Output& output) {
  Claim* claim = find(address);
  if (claim == nullptr) return false;
  // A probe of somebody else for an address that is ours gets an answer, no more.
  if (probe && claim->state != State::probing) return true;
  counters_.add(Count::conflicts);
  const bool lost = claim->state == State::probing || claim->state == State::given_up;
  if (claim->told != by) {
    claim->told = by;
    claim->news = Conflict{address, by, lost};
  }
  if (claim->state == State::probing) {
    set_used(*claim, false);
    claim->state = State::given_up;
    claim->due = now + kTryAgain + random_.below(kTryAgain / 4);
    update_due();
  } else if (claim->state == State::announcing || claim->state == State::established) {
    if (claim->defended == GST_CLOCK_TIME_NONE || now >= claim->defended + kDefendInterval) {
      claim->defended = now;
      announce(*claim, output);
    }
  }
  return true;
}

std::optional<Conflict> Claims::take_conflict() {
  for (Claim& claim : claims_) {
    if (claim.news) return std::exchange(claim.news, std::nullopt);
  }
  return std::nullopt;
}

}  // namespace ipplugin
