// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * `application/x-packet, link-type=(string){ ethernet, ip, punt }`: what the bytes of a packet are.
 */
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "gst/packet/export.hpp"
#include "gst/packet/result.hpp"

namespace gstpacket {

/** The media type of packets. */
inline constexpr char kMediaType[] = "application/x-packet";

/**
 * What a packet starts with: an Ethernet header, an IPv4 or IPv6 header (the first nibble tells),
 * or what VPP's punt path puts in front.
 */
enum class LinkType : std::uint8_t { ethernet, ip, punt };

/** The `link_types` of an element that does not look at headers, or looks at its caps first. */
inline constexpr std::array kAnyLinkType{LinkType::ethernet, LinkType::ip, LinkType::punt};

/** The fields of packet caps. */
struct PacketCaps {
  LinkType link_type = LinkType::ethernet;
};

/** The link-type field's text. */
[[nodiscard]] GSTPACKET_API const char* link_type_name(LinkType type) noexcept;

/** Caps that allow every link type of `types`; all of them if `types` is empty. Transfer full. */
[[nodiscard]] GSTPACKET_API GstCaps* make_caps(std::span<const LinkType> types);
[[nodiscard]] inline GstCaps* make_caps(std::initializer_list<LinkType> types = {}) {
  return make_caps(std::span(types.begin(), types.size()));
}

/** Reads fixed packet caps. The error says what was expected. */
[[nodiscard]] GSTPACKET_API Result<PacketCaps> parse_caps(const GstCaps* caps);

}  // namespace gstpacket
