// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The properties of an IP host, of iphost and of the elements that have one.
 */
#pragma once

#include <glib-object.h>

#include <array>

#include "plugins/common/lenient_spec.hpp"
#include "plugins/common/properties.hpp"

/** In the order of the numbers that they are installed with; floating. */
inline std::array<GParamSpec*, 9> host_specs() {
  return {
      g_param_spec_string("address", "Address",
                          "Addresses of this host, such as 10.0.0.1/24,2001:db8::1/64; /24: the "
                          "first 24 bits name the network",
                          "", kReady),
      g_param_spec_string(
          "gateway", "Gateway",
          "Address of the router to all other networks: IPv4, IPv6 or, separated by a comma, both",
          "", kReady),
      g_param_spec_string("mac", "MAC address",
                          "MAC address of this host, such as 02:00:0a:00:00:01; empty: derived "
                          "from the first address",
                          "", kReady),
      g_param_spec_string(
          "neighbours", "Neighbours",
          "Hosts with known MAC addresses, separated by commas, such as 10.0.0.2=02:00:0a:00:00:02",
          "", kReady),
      lenient_spec_uint(
          "mtu", "MTU",
          "Longest IP packet of the link, in bytes; 1280 or more with an IPv6 address", 576, 65535,
          1500, kReady),
      g_param_spec_int("vlan", "VLAN", "VLAN of this host; -1: none, untagged frames", -1, 4094, -1,
                       kReady),
      g_param_spec_uint("pcp", "Priority", "Priority code point in the VLAN tag of its frames", 0,
                        7, 0, kReady),
      g_param_spec_boolean("verify-checksum", "Verify checksum",
                           "Drop packets with a wrong IPv4 header, UDP or ICMP checksum", TRUE,
                           kReady),
      g_param_spec_boolean("fragment", "Fragment",
                           "Send datagrams that are longer than the MTU in fragments; if false, "
                           "they are an error",
                           FALSE, kReady),
  };
}
