// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The groups of a host, as its routers and switches are to know them: what is wanted is reported
 * when it changes, and when a querier asks (RFC 3376 section 5, RFC 3810 section 6).
 *
 * Other hosts' reports are not listened to: those of IGMPv2 and MLDv1 would let any station
 * silence ours. All groups answer a general query at the same random moment.
 */
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "plugins/ip/stack/membership_messages.hpp"
#include "plugins/ip/stack/random.hpp"

namespace ipplugin {

class Membership {
 public:
  struct Info {
    IpAddress group;
    std::vector<IpAddress> sources;  // none: all
  };

  Membership(const HostConfig& config, Wire& wire, const Identity& us, Counters& counters,
             Random& random);

  /** What is wanted of a group from now on: everything, or the given sources; none is to leave. */
  void want(const IpAddress& group, bool everything, std::vector<IpAddress> sources,
            GstClockTime now, Output& output);
  void answer(const MembershipQuery& query, bool v4, GstClockTime now);

  GstClockTime tick(GstClockTime now, Output& output);
  [[nodiscard]] GstClockTime due() const noexcept { return due_; }
  /** All groups are reported, now and from now on. */
  void link_up(GstClockTime now, Output& output);
  void link_down();

  [[nodiscard]] bool is_known(const IpAddress& group) const noexcept;
  /** Whether packets of that source to the group are for somebody here. */
  [[nodiscard]] bool wants(const IpAddress& group, const IpAddress& source) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return groups_.size(); }
  [[nodiscard]] std::vector<Info> list() const;

 private:
  struct Change {
    IpAddress source;
    unsigned left;  // reports of it
  };
  struct Group {
    IpAddress address;
    bool everything = false;
    std::vector<IpAddress> sources;  // sorted
    // Reports of changes that are still to be sent.
    unsigned mode_left = 0;
    std::vector<Change> changes;
    GstClockTime change_due = GST_CLOCK_TIME_NONE;
    // The answer to a query about this group.
    GstClockTime answer_due = GST_CLOCK_TIME_NONE;
    std::vector<IpAddress> asked;  // sources, or none: the group
    GstClockTime answered = 0;
    [[nodiscard]] bool is_wanted() const noexcept { return everything || !sources.empty(); }
    [[nodiscard]] bool has_changes() const noexcept { return mode_left != 0 || !changes.empty(); }
  };
  // How often a change is reported, if queriers do not say (RFC 3376 8.1).
  static constexpr unsigned kRobustness = 2;
  // What is known of the queriers of one version of IP.
  struct Querier {
    unsigned robustness = kRobustness;
    GstClockTime v1_until = 0, v2_until = 0;  // older ones are there
    GstClockTime answer_due = GST_CLOCK_TIME_NONE;
    GstClockTime answered = 0;
    [[nodiscard]] MembershipVersion version(GstClockTime now) const noexcept;
  };

  [[nodiscard]] Querier& querier(bool v4) noexcept { return queriers_[v4 ? 0 : 1]; }
  [[nodiscard]] Group* find(const IpAddress& group) noexcept;
  void hear(Querier& querier, const MembershipQuery& query, GstClockTime now);
  void answer_group(Group& group, const Querier& querier, const MembershipQuery& query,
                    GstClockTime now);
  void note_changes(Group& group, bool everything, const std::vector<IpAddress>& sources);
  void report_changes(Group& group, ReportWriter& out, GstClockTime now);
  static void add_changes(Group& group, ReportWriter& out);
  static void add_state(const Group& group, ReportWriter& out);
  void report_state(Group& group, ReportWriter& out, GstClockTime now);
  static void report_asked(Group& group, ReportWriter& out);
  void tick_version(bool v4, GstClockTime now, Output& output);
  void update_due() noexcept;

  const unsigned mtu_;
  Wire& wire_;
  const Identity& us_;
  Counters& counters_;
  Random& random_;
  std::vector<Group> groups_;
  std::array<Querier, 2> queriers_;
  bool up_ = false;
  GstClockTime due_ = GST_CLOCK_TIME_NONE;
};

}  // namespace ipplugin
