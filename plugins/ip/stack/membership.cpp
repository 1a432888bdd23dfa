// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/membership.hpp"

#include <algorithm>

namespace ipplugin {
namespace {

// RFC 3376 section 8, RFC 2236 section 8.
constexpr GstClockTime kUnsolicited = kSecond;          // between reports of one change
constexpr GstClockTime kUnsolicitedOld = 10 * kSecond;  // of IGMPv2 and MLDv1
constexpr GstClockTime kQueryInterval = 125 * kSecond;
// Whatever queries say, answers are no more frequent: of a group, and of all groups.
constexpr GstClockTime kAnswerEvery = 100 * kMillisecond;
constexpr GstClockTime kAnswerAllEvery = kSecond;

// Groups of the link that every host is in are not reported (RFC 3376 6, RFC 3810 6).
bool is_reported(const IpAddress& group) noexcept {
  if (group.is_v4()) return group.v4().value != 0xe0000001U;
  return group.v6() != Ipv6Address::all_nodes() && (group.v6().bytes[1] & 0xfU) >= 2;
}

std::vector<IpAddress> common(const std::vector<IpAddress>& sorted, std::span<const IpAddress> of) {
  std::vector<IpAddress> out;
  for (const IpAddress& address : of) {
    if (std::ranges::binary_search(sorted, address)) out.push_back(address);
  }
  return out;
}

}  // namespace

Membership::Membership(const HostConfig& config, Wire& wire, const Identity& us, Counters& counters,
                       Random& random)
    : mtu_(std::max(config.mtu, 576U)),
      wire_(wire),
      us_(us),
      counters_(counters),
      random_(random) {}

MembershipVersion Membership::Querier::version(GstClockTime now) const noexcept {
  if (now < v1_until) return MembershipVersion::v1;
  return now < v2_until ? MembershipVersion::v2 : MembershipVersion::v3;
}

Membership::Group* Membership::find(const IpAddress& group) noexcept {
  const auto found = std::ranges::find(groups_, group, &Group::address);
  return found == groups_.end() ? nullptr : &*found;
}

bool Membership::is_known(const IpAddress& group) const noexcept {
  const auto found = std::ranges::find(groups_, group, &Group::address);
  return found != groups_.end() && found->is_wanted();
}

bool Membership::wants(const IpAddress& group, const IpAddress& source) const noexcept {
  const auto found = std::ranges::find(groups_, group, &Group::address);
  return found != groups_.end() &&
         (found->everything || std::ranges::binary_search(found->sources, source));
}

std::vector<Membership::Info> Membership::list() const {
  std::vector<Info> out;
  for (const Group& group : groups_) {
    if (group.is_wanted()) out.push_back({group.address, group.sources});
  }
  return out;
}

void Membership::update_due() noexcept {
  due_ = GST_CLOCK_TIME_NONE;
  for (const Querier& querier : queriers_) due_ = std::min(due_, querier.answer_due);
  for (const Group& group : groups_) {
    due_ = std::min({due_, group.change_due, group.answer_due});
  }
}

// ---- changes ----------------------------------------------------------------------------------

void Membership::note_changes(Group& group, bool everything,
                              const std::vector<IpAddress>& sources) {
  const unsigned robustness = querier(group.address.is_v4()).robustness;
  if (everything != group.everything) {
    // Says everything that any other change could say.
    group.mode_left = robustness;
    group.changes.clear();
    return;
  }
  std::vector<IpAddress> changed;
  std::ranges::set_symmetric_difference(group.sources, sources, std::back_inserter(changed));
  for (const IpAddress& source : changed) {
    std::erase_if(group.changes, [&](const Change& change) { return change.source == source; });
    group.changes.push_back({source, robustness});
  }
}

void Membership::want(const IpAddress& address, bool everything, std::vector<IpAddress> sources,
                      GstClockTime now, Output& output) {
  std::ranges::sort(sources);
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  if (everything) sources.clear();
  Group* group = find(address);
  if (group == nullptr) {
    if (!everything && sources.empty()) return;
    group = &groups_.emplace_back();
    group->address = address;
  }
  if (up_ && is_reported(address)) note_changes(*group, everything, sources);
  group->everything = everything;
  group->sources = std::move(sources);
  if (group->has_changes()) {
    ReportWriter out(address.is_v4(), mtu_, wire_, us_, counters_, output);
    report_changes(*group, out, now);
  }
  std::erase_if(groups_, [](const Group& g) { return !g.is_wanted() && !g.has_changes(); });
  update_due();
}

void Membership::add_changes(Group& group, ReportWriter& out) {
  if (group.mode_left != 0) {
    --group.mode_left;
    out.add(group.everything ? RecordType::to_exclude : RecordType::to_include, group.address,
            group.sources);
    return;
  }
  std::vector<IpAddress> allowed, blocked;
  for (Change& change : group.changes) {
    const bool wanted = std::ranges::binary_search(group.sources, change.source);
    (wanted ? allowed : blocked).push_back(change.source);
    --change.left;
  }
  std::erase_if(group.changes, [](const Change& change) { return change.left == 0; });
  if (!allowed.empty()) out.add(RecordType::allow, group.address, allowed);
  if (!blocked.empty()) out.add(RecordType::block, group.address, blocked);
}

// Once, and when the next time is.
void Membership::report_changes(Group& group, ReportWriter& out, GstClockTime now) {
  const MembershipVersion version = querier(group.address.is_v4()).version(now);
  if (version == MembershipVersion::v3) {
    add_changes(group, out);
  } else if (group.is_wanted()) {
    out.report(group.address, version);
    group.mode_left = std::max(group.mode_left, group.changes.empty() ? 0U : kRobustness);
    group.changes.clear();
    --group.mode_left;
  } else {
    // Said once, and in the first version not at all.
    if (version == MembershipVersion::v2) out.leave(group.address);
    group.mode_left = 0;
    group.changes.clear();
  }
  const GstClockTime interval = version == MembershipVersion::v3 ? kUnsolicited : kUnsolicitedOld;
  group.change_due = group.has_changes() ? now + random_.between(1, interval) : GST_CLOCK_TIME_NONE;
}

// ---- queries ----------------------------------------------------------------------------------

void Membership::hear(Querier& querier, const MembershipQuery& query, GstClockTime now) {
  if (query.version == MembershipVersion::v3) {
    querier.robustness = query.robustness != 0 ? query.robustness : kRobustness;
    return;
  }
  const MembershipVersion before = querier.version(now);
  const GstClockTime until = now + querier.robustness * kQueryInterval + query.max_response;
  GstClockTime& older =
      query.version == MembershipVersion::v1 ? querier.v1_until : querier.v2_until;
  older = std::max(older, until);
  // RFC 3376 7.2.1: what was to be said in another version is not said any more.
  if (querier.version(now) != before) querier.answer_due = GST_CLOCK_TIME_NONE;
}

void Membership::answer(const MembershipQuery& query, bool v4, GstClockTime now) {
  counters_.add(Count::queries);
  Querier& asker = querier(v4);
  hear(asker, query, now);
  if (!up_) return;
  if (!query.group.is_unspecified()) {
    Group* group = find(query.group);
    if (group != nullptr && group->is_wanted() && is_reported(group->address)) {
      answer_group(*group, asker, query, now);
    }
  } else {
    const GstClockTime at =
        std::max(now + random_.below(query.max_response + 1), asker.answered + kAnswerAllEvery);
    asker.answer_due = std::min(asker.answer_due, at);
  }
  update_due();
}

// RFC 3376 5.2.
void Membership::answer_group(Group& group, const Querier& asker, const MembershipQuery& query,
                              GstClockTime now) {
  const GstClockTime at =
      std::max(now + random_.below(query.max_response + 1), group.answered + kAnswerEvery);
  if (asker.answer_due <= at) return;
  const bool pending = group.answer_due != GST_CLOCK_TIME_NONE;
  if (query.sources.empty() || (pending && group.asked.empty())) {
    group.asked.clear();
  } else {
    for (const IpAddress& source : query.sources) {
      if (std::ranges::find(group.asked, source) == group.asked.end()) {
        group.asked.push_back(source);
      }
    }
    if (group.asked.size() > MembershipQuery::kMaxSources) group.asked.clear();
  }
  group.answer_due = std::min(group.answer_due, at);
}

void Membership::add_state(const Group& group, ReportWriter& out) {
  out.add(group.everything ? RecordType::is_exclude : RecordType::is_include, group.address,
          group.sources);
}

void Membership::report_state(Group& group, ReportWriter& out, GstClockTime now) {
  if (!group.is_wanted() || !is_reported(group.address)) return;
  const MembershipVersion version = querier(group.address.is_v4()).version(now);
  if (version == MembershipVersion::v3) {
    add_state(group, out);
  } else {
    out.report(group.address, version);
  }
}

void Membership::report_asked(Group& group, ReportWriter& out) {
  const auto wanted = group.everything ? group.asked : common(group.sources, group.asked);
  if (!wanted.empty()) out.add(RecordType::is_include, group.address, wanted);
}

// ---- time -------------------------------------------------------------------------------------

void Membership::tick_version(bool v4, GstClockTime now, Output& output) {
  ReportWriter out(v4, mtu_, wire_, us_, counters_, output);
  Querier& asker = querier(v4);
  const bool all = asker.answer_due <= now;
  const bool sources = asker.version(now) == MembershipVersion::v3;
  for (Group& group : groups_) {
    if (group.address.is_v4() != v4) continue;
    if (all) report_state(group, out, now);
    if (group.answer_due <= now) {
      if (!all && sources && !group.asked.empty()) {
        report_asked(group, out);
      } else if (!all) {
        report_state(group, out, now);
      }
      group.answer_due = GST_CLOCK_TIME_NONE;
      group.asked.clear();
      group.answered = now;
    }
    if (group.change_due <= now) report_changes(group, out, now);
  }
  if (all) {
    asker.answer_due = GST_CLOCK_TIME_NONE;
    asker.answered = now;
  }
}

GstClockTime Membership::tick(GstClockTime now, Output& output) {
  if (now < due_) return due_;
  for (const bool v4 : {true, false}) tick_version(v4, now, output);
  std::erase_if(groups_, [](const Group& g) { return !g.is_wanted() && !g.has_changes(); });
  update_due();
  return due_;
}

void Membership::link_up(GstClockTime now, Output& output) {
  up_ = true;
  queriers_ = {};
  std::erase_if(groups_, [](const Group& g) { return !g.is_wanted(); });
  for (const bool v4 : {true, false}) {
    ReportWriter out(v4, mtu_, wire_, us_, counters_, output);
    for (Group& group : groups_) {
      if (group.address.is_v4() != v4 || !is_reported(group.address)) continue;
      Group whole = group;
      group.mode_left = 0;
      group.everything = false;
      group.sources.clear();
      group.changes.clear();
      note_changes(group, whole.everything, whole.sources);
      group.everything = whole.everything;
      group.sources = std::move(whole.sources);
      report_changes(group, out, now);
    }
  }
  update_due();
}

void Membership::link_down() {
  up_ = false;
  for (Querier& querier : queriers_) querier.answer_due = GST_CLOCK_TIME_NONE;
  for (Group& group : groups_) {
    group.mode_left = 0;
    group.changes.clear();
    group.change_due = group.answer_due = GST_CLOCK_TIME_NONE;
    group.asked.clear();
  }
  std::erase_if(groups_, [](const Group& group) { return !group.is_wanted(); });
  update_due();
}

}  // namespace ipplugin
