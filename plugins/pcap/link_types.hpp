// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What libpcap calls the link types of packets.
 */
#pragma once

#include <pcap/pcap.h>

#include <cstdint>
#include <optional>
#include <string>

#include "gst/packet/caps.hpp"

namespace pcapplugin {

using gstpacket::LinkType;

/** The longest packet that capture files may hold: readers take longer ones for damage. */
inline constexpr std::uint32_t kLongestPacket = 262144;

/** The number in files: tcpdump.org/linktypes.html. What VPP punts has none of its own. */
[[nodiscard]] constexpr std::uint16_t linktype_of(LinkType type) noexcept {
  constexpr std::uint16_t kEthernet = 1, kRaw = 101, kUser0 = 147;
  return type == LinkType::ethernet ? kEthernet : type == LinkType::ip ? kRaw : kUser0;
}

/** The same on this system, for libpcap's functions. */
[[nodiscard]] constexpr int dlt_of(LinkType type) noexcept {
  return type == LinkType::ethernet ? DLT_EN10MB : type == LinkType::ip ? DLT_RAW : DLT_USER0;
}

/** What a file of that type holds; nothing for the many types that this project has no caps for. */
[[nodiscard]] constexpr std::optional<LinkType> link_type_of(int dlt) noexcept {
  switch (dlt) {
    case DLT_EN10MB:
      return LinkType::ethernet;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
      return LinkType::ip;
    case DLT_USER0:
      return LinkType::punt;
    default:
      return std::nullopt;
  }
}

/** "Linux cooked v1 (LINUX_SLL)", as far as libpcap knows it. */
[[nodiscard]] inline std::string describe_dlt(int dlt) {
  const char* name = pcap_datalink_val_to_name(dlt);
  const char* description = pcap_datalink_val_to_description(dlt);
  if (name == nullptr || description == nullptr) return "link type " + std::to_string(dlt);
  return std::string(description) + " (" + name + ")";
}

}  // namespace pcapplugin
