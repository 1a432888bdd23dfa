// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Packets that lead into every corner of the views and of the responder: where random changes
 * begin.
 */
#pragma once

#include <vector>

#include "samples.hpp"

namespace samples {

inline std::vector<Bytes> seeds() {
  const Bytes none(6, 0), to_all(6, 0xff);
  const Bytes extensions{60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0};
  const Bytes group = solicited_node(kOurV6);
  const Bytes ns =
      with_icmpv6_sum(solicitation(kOurV6, {1, 1, 2, 0xfe, 0, 0, 0, 9}), kPeerV6, group);
  return {
      echo_frame(),
      echo_frame(9, {.options = {7, 7, 4, 0, 0, 0, 0, 1}}),
      echo_frame_v6(),
      join({ethernet(to_all, kPeerMac, 0x0806), arp(1, kPeerMac, kPeerV4, none, kOurV4)}),
      join({ethernet(multicast_mac(group), kPeerMac, 0x86dd),
            ipv6({.destination = group, .hop_limit = 255}, ns)}),
      join({ethernet(kOurMac, kPeerMac, 0x86dd),
            ipv6({.extensions = extensions, .next = 0}, icmpv6_echo(128, 20))}),
      ipv4({}, icmp_echo(8, 20)),
      ipv6({}, icmpv6_echo(128, 20)),
  };
}

}  // namespace samples
