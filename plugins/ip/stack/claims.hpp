// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Our claim to our addresses: is somebody else using one when the link comes up (RFC 5227 2.1,
 * RFC 4862 5.4), announcing those that are ours, and defending them afterwards (RFC 5227 2.4).
 *
 * Media does not wait: an address is used while it is being probed. If another station turns out to
 * have it, it is given up, and tried again after a minute. A station that has nothing but bad
 * intentions can say so, too, as in any network without authentication. Once an address has been
 * announced it is kept: then it is the other station that came later.
 */
#pragma once

#include <optional>
#include <vector>

#include "plugins/ip/stack/counters.hpp"
#include "plugins/ip/stack/identity.hpp"
#include "plugins/ip/stack/random.hpp"
#include "plugins/ip/stack/wire.hpp"

namespace ipplugin {

/** Another station that uses an address of ours. */
struct Conflict {
  IpAddress address;
  Mac by;
  /** It was there first: the address is not used until it is free. */
  bool given_up = false;
};

class Claims {
 public:
  Claims(const HostConfig& config, Wire& wire, Identity& us, Counters& counters, Random& random);

  void link_up(GstClockTime now, Output& output);
  void link_down();
  GstClockTime tick(GstClockTime now, Output& output);
  [[nodiscard]] GstClockTime due() const noexcept { return due_; }

  /**
   * Another station says that an address is its own, or, as a probe, that it would like to have it.
   * Whether it is one of those that were configured for us.
   */
  bool contest(const IpAddress& address, const Mac& by, bool probe, GstClockTime now,
               Output& output);
  /** Whether somebody else's probe for the address is to be answered: it is surely ours. */
  [[nodiscard]] bool is_established(const IpAddress& address) const noexcept;
  std::optional<Conflict> take_conflict();
  /** Changes with the addresses in use. */
  [[nodiscard]] unsigned generation() const noexcept { return generation_; }

 private:
  enum class State { idle, probing, announcing, established, given_up };
  struct Claim {
    IpAddress address;
    State state = State::idle;
    unsigned left = 0;  // probes or announcements
    GstClockTime due = GST_CLOCK_TIME_NONE;
    GstClockTime defended = GST_CLOCK_TIME_NONE;
    std::optional<Mac> told;  // whom take_conflict() told of
    std::optional<Conflict> news;
  };

  [[nodiscard]] Claim* find(const IpAddress& address) noexcept;
  void probe(Claim& claim, GstClockTime now, Output& output);
  void announce(Claim& claim, Output& output);
  void advance(Claim& claim, GstClockTime now, Output& output);
  void establish(Claim& claim, GstClockTime now, Output& output);
  void set_used(const Claim& claim, bool used);
  void update_due() noexcept;

  const unsigned probes_;
  Wire& wire_;
  Identity& us_;
  Counters& counters_;
  Random& random_;
  std::vector<Claim> claims_;
  GstClockTime due_ = GST_CLOCK_TIME_NONE;
  unsigned generation_ = 0;
};

}  // namespace ipplugin
