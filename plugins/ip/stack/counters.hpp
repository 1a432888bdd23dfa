// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a host counts.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gst/packet/reflect.hpp"

namespace ipplugin {

enum class Count {
  // Packets that end here. The first twelve are those of the answers (plugins/common/answers.hpp).
  too_short,          // ends within a header
  bad_header,         // version, lengths, or a type without an answer
  not_for_us,         // another host's MAC or IP address, or another VLAN
  group_destination,  // broadcast or multicast, which must not be answered
  martian_source,     // a source address that cannot receive the answer
  bad_checksum,       // IPv4 header, UDP, ICMP, ICMPv6 or IGMP
  fragment,           // of something that must not come in fragments
  source_route,       // IPv4 source route option, or IPv6 routing header with hops left
  bad_option,         // an unknown option that its type requires hosts to discard
  not_echo,           // an ICMP message that means nothing to us
  bad_neighbour,      // invalid by RFC 4861 7.1
  unknown_protocol,   // neither ARP, IPv4 nor IPv6, or an upper layer that is not here
  not_joined,         // multicast to a group, or from a source, that nobody wants
  no_port,            // UDP to a port that nobody has bound
  fragment_overlap,   // a fragment that says otherwise than another (RFC 5722), and the rest
  fragment_limit,     // fragments of a datagram that had to go for another one
  fragment_timeout,   // fragments of a datagram that was not complete in time
  bad_fragment,       // its length or place cannot be
  bad_membership,     // an IGMP or MLD message that is invalid
  unresolved,         // ours, to a next hop that did not answer
  held_overflow,      // ours, more than may wait for a next hop
  // Packets that were used.
  datagrams,          // UDP, delivered
  fragments,          // kept for reassembly
  fragment_repeated,  // fragments that were there already
  reassembled,        // datagrams made of fragments
  arp_replies,
  neighbour_advertisements,
  echo_replies,
  unreachable_sent,     // ICMP errors
  unreachable_limited,  // ICMP errors that were not sent: too many
  queries,              // IGMP and MLD
  reports_sent,         // IGMP and MLD
  requests_sent,        // ARP requests and neighbour solicitations
  neighbours_learnt,    // answers that were waited for
  neighbours_refused,   // a MAC address for a neighbour that has another one
  neighbours_lost,      // did not answer any more
  neighbours_evicted,   // for others
  conflicts,            // packets that say that an address of ours is somebody else's
};

class Counters {
 public:
  /** Of the enumerators, in order, such as "too_short". */
  static constexpr auto kNames = gstpacket::detail::enum_names<Count>();

  void add(Count what, std::uint64_t n = 1) noexcept {
    values_[static_cast<std::size_t>(what)] += n;
  }
  [[nodiscard]] std::uint64_t operator[](Count what) const noexcept {
    return values_[static_cast<std::size_t>(what)];
  }

 private:
  std::array<std::uint64_t, kNames.size()> values_{};
};

}  // namespace ipplugin
